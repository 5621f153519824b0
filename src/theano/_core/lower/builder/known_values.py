"""What is known of variables while a program is written, in scopes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from theano._core.ir.variable import Variable
from theano._core.lower.arrays import Array


class KnownValues(dict[Any, Any]):
    """Values by variable. What a scope adds is forgotten after it.

    An array of outside is copied when a scope first reads it, since what becomes known of it there
    (its strides, its descriptor) is not known after it.

    Parameters
    ----------
    values : mapping
    """

    def __init__(self, values: Mapping[Variable, object]) -> None:
        super().__init__(values)
        # For each scope, what its variables were outside.
        self._outside: list[dict[Any, Any]] = []

    def enter(self) -> None:
        """Begin a scope."""
        self._outside.append({})

    def leave(self) -> None:
        """End a scope."""
        for variable, value in self._outside.pop().items():
            if value is None:
                self.pop(variable, None)
            else:
                super().__setitem__(variable, value)

    def copy(self) -> KnownValues:
        """Return another of the same values, in as many scopes."""
        fresh = KnownValues(self)
        fresh._outside = [dict(scope) for scope in self._outside]
        return fresh

    def get(self, key: object, default: object = None) -> Any:
        """Return the value of a variable."""
        value = super().get(key, default)
        if isinstance(value, Array) and self._outside and key not in self._outside[-1]:
            value = self[key] = value.replace()
        return value

    def __getitem__(self, key: object) -> Any:
        if key not in self:
            raise KeyError(key)
        return self.get(key)

    def __setitem__(self, key: object, value: object) -> None:
        if self._outside:
            self._outside[-1].setdefault(key, super().get(key))
        super().__setitem__(key, value)
