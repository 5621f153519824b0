"""Shared variables: values that functions keep between calls."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from theano._core.compile.containers import Container
from theano._core.ir import hooks
from theano._core.ir.types import Type
from theano._core.ir.variable import Variable


class SharedVariable(Variable):
    """A variable with a value that functions read and update.

    Parameters
    ----------
    name : str or None
    type : Type
    value
        First value; stored as it is if `container` is given.
    strict : bool
        Whether only values of exactly this type may be set.
    allow_downcast : bool or None
    container : Container, optional
        Storage to share.
    """

    # Where the value is stored, with the rules for setting it.
    container: Any = None

    def __init__(
        self,
        name: str | None,
        type: Type,
        value: Any,
        strict: bool,
        allow_downcast: bool | None = None,
        container: Container | None = None,
    ) -> None:
        super().__init__(type, name=name)
        self._default_update: Any = None
        if container is None:
            container = Container(type, None, name, False, strict, allow_downcast)
            container.cell.value = type.filter(value, strict=strict, allow_downcast=allow_downcast)
        self.container = container

    def __setstate__(self, state: dict[str, object]) -> None:
        # Theano 1.0.5 has no underscore there.
        update = state.get("default_update")
        own = {k: x for k, x in state.items() if k != "default_update"}
        self.__dict__.update({"source": None, "_default_update": update, **own})
        if "readers" in self.__dict__:
            hooks.restore_old_output(self)

    def get_value(self, borrow: bool = False, return_internal_type: bool = False) -> Any:
        """Return the value: a copy, or with `borrow` the stored object itself.

        A call that updates the variable in another thread comes before or after a copy as a whole;
        the stored object itself may change during a later one.
        """
        cell = self.container.cell
        return cell.value if borrow else cell.read(copied)

    def get_test_value(self) -> Any:
        """Return the value."""
        return self.get_value(borrow=True)

    def set_value(self, new_value: object, borrow: bool = False) -> None:
        """Store a value of the same type; any lengths.

        Parameters
        ----------
        new_value : array_like
        borrow : bool
            Store the object itself; later changes to it are then seen by functions, and functions
            may overwrite it.
        """
        self.container.value = new_value if borrow else copied(new_value)

    def zero(self, borrow: bool = False) -> None:
        """Set every item to 0."""
        value = self.get_value(borrow=borrow)
        value[...] = 0
        self.set_value(value, borrow=True)

    def clone(self) -> Any:
        """Return another variable that shares this one's storage."""
        fresh = type(self)(self.name, self.type, None, False, container=self.container)
        fresh.tag.__dict__.update(self.tag.__dict__)
        return fresh

    @property
    def value(self) -> Any:
        """Not an attribute any more: use `get_value` and `set_value`."""
        raise AttributeError("sharedvar.value was removed: use get_value() and set_value()")

    @value.setter
    def value(self, new_value: object) -> None:
        raise AttributeError("sharedvar.value was removed: use get_value() and set_value()")

    @property
    def default_update(self) -> Any:
        """New value that functions give this variable unless told otherwise.

        Where there is none, this is no attribute, as old programs ask.
        """
        if self._default_update is None:
            raise AttributeError(f"{self} has no default_update")
        return self._default_update

    @default_update.setter
    def default_update(self, value: Variable) -> None:
        self._default_update = None if value is None else self.type.filter_variable(value)

    @default_update.deleter
    def default_update(self) -> None:
        self._default_update = None

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        # Known before the value is copied, which may hold it.
        fresh = memo[id(self)] = type(self)(
            self.name, self.type, None, False, container=self.container
        )
        fresh.container = copy.deepcopy(self.container, memo)
        fresh._default_update = copy.deepcopy(self._default_update, memo)
        fresh.tag.__dict__.update(copy.deepcopy(self.tag.__dict__, memo))
        return fresh


def copied(value: object) -> Any:
    """Return a deep copy of a value."""
    if type(value) is np.ndarray:
        return value.copy()
    return copy.deepcopy(value)
