"""Slices as values: variables that hold a Python `slice`, and indices made of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.base import dtypes
from theano._core.ir.graph import made_by
from theano._core.ir.types import NoneType, ObjectType, TensorType
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.ops.core.op import as_variable, connected, no_cotangents, scalar_shape
from theano._core.ops.core.python_call import Called
from theano._core.ops.elementwise.elementwise import cast

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, Dims, TensorLike

_NONE = NoneType()


class SliceConstant(Constant):
    """A `slice` that is known."""

    def __init__(self, type: SliceType, data: slice, name: str | None = None) -> None:
        parts = (data.start, data.stop, data.step)
        # Arrays have no hash.
        whole = (int(part) if isinstance(part, np.ndarray) else part for part in parts)
        super().__init__(type, slice(*whole), name)

    def __str__(self) -> str:
        part = self.data
        return f"{type(self).__name__}{{{part.start}, {part.stop}, {part.step}}}"

    __repr__ = __str__

    def signature(self) -> Any:
        return (SliceConstant, self.data.start, self.data.stop, self.data.step)


class SliceType(ObjectType):
    """A Python `slice` of integers and None."""

    constant_class = SliceConstant

    def filter(
        self, value: object, strict: bool = False, allow_downcast: bool | None = None
    ) -> slice:
        if not isinstance(value, slice):
            raise TypeError(f"Expected a slice, got {value!r} of type {type(value).__name__}")
        return value

    def __str__(self) -> str:
        return "slice"


slicetype = SliceType()


def as_int_none_variable(x: TensorLike) -> Any:
    """Return a part of a slice as a variable: an integer scalar, or the constant None."""
    if x is None:
        return _NONE.make_constant(None)
    if isinstance(x, Variable) and isinstance(x.type, NoneType):
        return x
    variable = as_variable(x)
    if variable.type.ndim or not dtypes.is_integer(variable.type.dtype):
        raise TypeError(f"the parts of a slice are integers or None, got {variable.type}")
    return variable


class MakeSlice(Called):
    """A slice of its parts."""

    shape = scalar_shape
    connection = connected()
    vjp = no_cotangents

    def make_node(
        self, slc: TensorLike, stop: TensorLike | None = None, step: TensorLike | None = None
    ) -> Apply:
        parts = [slc, stop, step]
        if isinstance(slc, slice):
            if stop is not None or step is not None:
                raise TypeError(f"make_slice takes a slice or its parts, got {parts}")
            parts = [slc.start, slc.stop, slc.step]
        type_ = slicetype
        return Apply(self, [as_int_none_variable(p) for p in parts], [type_.output()])

    def compute(self, xp: ArrayModule, node: Apply, *parts: np.ndarray) -> tuple[Any, ...]:
        return (slice(*(None if p is None else int(p) for p in parts)),)

    def folds(self, node: Apply) -> bool:
        return False


make_slice = MakeSlice()


class SliceParts(Called):
    """Start, stop and step of a slice of an axis of a given length, as int64 scalars."""

    vjp = no_cotangents
    connection = connected()

    def make_node(self, value: Any, length: TensorLike) -> Apply:
        type_ = TensorType("int64", ())
        outputs = [type_.output() for _ in range(3)]
        return Apply(self, [value, cast(as_variable(length), "int64")], outputs)

    def compute(self, xp: ArrayModule, node: Apply, value: Any, length: Any) -> tuple[Any, ...]:
        start, stop, step = value.indices(int(length))
        if step < 0 and stop < 0:
            # Before the first item: -1 would be the last one.
            stop = -int(length) - 1
        return tuple(np.asarray(part, dtype="int64") for part in (start, stop, step))

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [(), (), ()]


def parts_of(value: Any, length: object) -> slice:
    """Return an index of an axis of `length` for a variable that holds a slice."""
    if isinstance(value, Constant):
        return value.data
    if made_by(value, MakeSlice):
        none = (isinstance(p.type, NoneType) for p in value.owner.inputs)
        return slice(*(None if n else p for n, p in zip(none, value.owner.inputs, strict=True)))
    return slice(*SliceParts()(value, length))
