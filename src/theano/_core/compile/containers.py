"""Storage cells with a type: what `f[x]` and `shared.container` are."""

from __future__ import annotations

import copy
from typing import Any

from theano._core.runtime import native


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
    ) -> None:
        self.type = type
        self.name = name
        self.readonly = readonly
        self.strict = strict
        self.allow_downcast = allow_downcast
        self.cell = native.Cell() if cell is None else cell
        if value is not None:
            self.cell.value = type.filter(value, strict=strict, allow_downcast=allow_downcast)

    @property
    def value(self) -> Any:
        """The stored value; None if there is none."""
        return self.cell.value

    @value.setter
    def value(self, value: Any) -> None:
        if self.readonly:
            raise Exception(f"Cannot set readonly storage: {self.name}")
        if value is None:
            self.cell.value = None
            return
        self.cell.value = self.type.filter(
            value, strict=self.strict, allow_downcast=self.allow_downcast
        )

    data = value

    @property
    def storage(self) -> list[Any]:
        """The value in a list, as old programs look at it."""
        return [self.cell.value]

    def __deepcopy__(self, memo: dict[int, Any]) -> Container:
        found = memo.get(id(self.cell))
        cell = found if found is not None else native.Cell(copy.deepcopy(self.cell.value, memo))
        memo[id(self.cell)] = cell
        return type(self)(
            self.type, None, self.name, self.readonly, self.strict, self.allow_downcast, cell
        )

    def __reduce__(self) -> Any:
        return _restored, (
            self.type,
            self.cell.value,
            self.name,
            self.readonly,
            self.strict,
            self.allow_downcast,
        )

    def __repr__(self) -> str:
        return f"<{self.cell.value!r}>"


def _restored(type: Any, value: Any, *options: Any) -> Container:
    container = Container(type, None, *options)
    container.cell.value = value
    return container
