"""Updates of shared variables, kept in order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from theano._core.compile.shared import SharedVariable


class OrderedUpdates(dict[Any, Any]):
    """A dict from shared variables to their new values.

    Raises
    ------
    TypeError
        A key is not a shared variable.
    """

    def __init__(self, *key: Any, **kwargs: Any) -> None:
        super().__init__()
        self.update(*key, **kwargs)

    def __setitem__(self, key: Any, value: Any) -> None:
        if not isinstance(key, SharedVariable):
            raise TypeError(
                f"OrderedUpdates keys must inherit from SharedVariable, got {key!r} of type "
                f"{type(key).__name__}"
            )
        super().__setitem__(key, value)

    def update(self, other: Any = (), **kwargs: Any) -> None:
        """Add the pairs of a dict, of a list of pairs, or of None."""
        if other is None:
            return
        pairs: Iterable[Any] = other.items() if isinstance(other, Mapping) else other
        for key, value in pairs:
            self[key] = value
        for name, value in kwargs.items():
            self[name] = value

    def __add__(self, other: Any) -> OrderedUpdates:
        if not isinstance(other, Mapping):
            return NotImplemented
        total = OrderedUpdates(self)
        total.update(other)
        return total

    def __radd__(self, other: Any) -> OrderedUpdates:
        if not isinstance(other, Mapping):
            return NotImplemented
        total = OrderedUpdates(other)
        total.update(self)
        return total
