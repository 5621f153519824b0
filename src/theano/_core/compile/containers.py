"""Storage cells with a type: what `f[x]` and `shared.container` are."""

from __future__ import annotations

import copy
import copyreg
from collections.abc import Iterator
from typing import Any

import numpy as np

from theano._core.runtime import native


class Storage(list[Any]):
    """A list of one item, which is the value of a cell."""

    def __init__(self, cell: Any) -> None:
        super().__init__([None])
        self._cell = cell

    def __iter__(self) -> Iterator[Any]:
        return iter([self._cell.value])

    def __getitem__(self, index: int) -> Any:
        return [self._cell.value][index]

    def __setitem__(self, index: int, value: Any) -> None:
        if index not in (0, -1):
            raise IndexError("a storage has one item, number 0")
        self._cell.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Storage) and self._cell is other._cell

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"[{self._cell.value!r}]"


class ForOneCall(np.ndarray[Any, Any]):
    """What a program put in the place of a default, `f["y"] = 3`: the next call reads it.

    The runtime has values of such a class converted, which is when the default comes back.
    """


class Container:
    """A storage cell that only takes values of one type.

    Parameters
    ----------
    type : Type
    value : optional
        First value; checked.
    name : str, optional
    readonly, strict : bool
    allow_downcast : bool or None
    cell : native.Cell, optional
        Storage to share.
    is_default : bool
        Whether its first value is the default of an argument, which calls find again: another one
        is for one call.
    """

    def __init__(
        self,
        type: Any,
        value: Any = None,
        name: str | None = None,
        readonly: bool = False,
        strict: bool = False,
        allow_downcast: bool | None = None,
        cell: Any = None,
        is_default: bool = False,
    ) -> None:
        self.type = type
        self.name = name
        self.readonly = readonly
        self.strict = strict
        self.allow_downcast = allow_downcast
        self.cell = native.Cell() if cell is None else cell
        self.is_default = is_default
        if value is not None:
            self.cell.value = type.filter(value, strict=strict, allow_downcast=allow_downcast)

    _storage: Storage | None = None
    # For containers of old pickles.
    is_default = False

    @property
    def value(self) -> Any:
        """The stored value; None if there is none."""
        value = self.cell.value
        return value.view(np.ndarray) if isinstance(value, ForOneCall) else value

    @value.setter
    def value(self, value: Any) -> None:
        if self.readonly:
            raise Exception(f"Cannot set readonly storage: {self.name}")
        if value is None:
            self.cell.value = None
            return
        try:
            value = self.type.filter(value, strict=self.strict, allow_downcast=self.allow_downcast)
        except (TypeError, ValueError, OverflowError) as error:
            if self.name:
                error.args = (f'{error.args[0]}\nContainer name "{self.name}"', *error.args[1:])
            raise
        once = self.is_default and isinstance(value, np.ndarray)
        self.cell.value = value.view(ForOneCall) if once else value

    data = value

    @property
    def storage(self) -> Storage:
        """The value as the only item of a list; assigning the item stores without a check."""
        if self._storage is None:
            self._storage = Storage(self.cell)
        return self._storage

    def __deepcopy__(self, memo: dict[int, Any]) -> Container:
        copied = memo.get(id(self.cell))
        if copied is None:
            # Known before the value is copied, which may hold it.
            copied = memo[id(self.cell)] = native.Cell(None)
            copied.value = self.cell.read(lambda value: copy.deepcopy(value, memo))
        return Container(self.type, None, *self._options(), copied, self.is_default)

    def __reduce__(self) -> Any:
        return Container, (self.type, None, *self._options(), self.cell, self.is_default)

    def _options(self) -> tuple[Any, Any, Any, Any]:
        return self.name, self.readonly, self.strict, self.allow_downcast

    def __setstate__(self, state: dict[str, Any]) -> None:
        # As Theano 1.0.5 pickles it: the value is the only item of a list.
        own = {k: x for k, x in state.items() if k not in ("cell", "storage")}
        self.__dict__.update(own, cell=native.Cell(state["storage"][0]))

    def __repr__(self) -> str:
        return f"<{self.cell.value!r}>"

    def __str__(self) -> str:
        return f"<{self.cell.value}>"


def as_stored(variable: Any, value: object) -> Any:
    """Return what is in the cell of a shared variable as an array of NumPy's own class.

    joblib gives other processes large arrays as files mapped to memory, and `storage[0] = value`
    checks nothing.
    """
    try:
        return variable.type.filter(value)
    except (TypeError, ValueError) as error:
        raise TypeError(f"the value of shared variable {variable} was damaged: {error}") from None


# By identity: what shared a cell when it was pickled shares one again.
copyreg.pickle(native.Cell, lambda cell: (native.Cell, (cell.value,)))
