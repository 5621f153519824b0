"""Updates of shared variables, kept in order."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

from theano._core.compile.shared import SharedVariable


class OrderedUpdates(OrderedDict[Any, Any]):
    """A dict from shared variables to their new values.

    Raises
    ------
    TypeError
        A key is not a shared variable.
    KeyError
        `update`, or a sum, meets two new values for one variable.
    """

    def __setitem__(self, key: Any, value: Any) -> None:
        if not isinstance(key, SharedVariable):
            raise TypeError(
                f"OrderedUpdates keys must inherit from SharedVariable, got {key!r} of type "
                f"{type(key).__name__}"
            )
        super().__setitem__(key, value)

    def update(self, other: Any = None, **kwargs: Any) -> None:
        """Add the pairs of a dict, of a list of pairs, or of None."""
        pairs: Iterable[Any] = () if other is None else dict(other, **kwargs).items()
        for key, value in pairs:
            if key in self and self[key] != value:
                raise KeyError("Collision", key)
            self[key] = value

    def __add__(self, other: object) -> OrderedUpdates:
        if not isinstance(other, Mapping):
            return NotImplemented
        total = OrderedUpdates(self)
        total.update(other)
        return total

    def __radd__(self, other: object) -> OrderedUpdates:
        if not isinstance(other, Mapping):
            return NotImplemented
        total = OrderedUpdates(other)
        total.update(self)
        return total
