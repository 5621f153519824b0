"""Axes in another order, added and dropped; a view."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from theano._core.ir.graph import made_by
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.core.op import Structured, linear_in, tensor_operand

if TYPE_CHECKING:
    import numpy as np

    from theano._core.ir.annotations import ArrayModule, Dims, TensorLike
    from theano._core.ir.tensor import TensorVariable
    from theano._core.ops.core.protocols import Batching, Builder, ProgramValue


class DimShuffle(Structured):
    """Axes reordered, dropped (length 1 only) and added (`'x'`, broadcastable).

    Parameters
    ----------
    input_broadcastable : tuple of bool
    new_order : tuple of int and 'x'
    """

    __props__ = ("input_broadcastable", "new_order")
    is_view = True
    linear = linear_in(0)

    def __init__(
        self, input_broadcastable: Sequence[bool], new_order: Sequence[Any], inplace: bool = True
    ) -> None:
        self.input_broadcastable = tuple(input_broadcastable)
        rank = len(self.input_broadcastable)
        order = []
        for axis in new_order:
            if axis != "x":
                if isinstance(axis, str):
                    raise ValueError(
                        f"new_order is {tuple(new_order)}: {axis!r} is neither a number of an axis "
                        "nor 'x' for a new one"
                    )
                axis = int(axis)
                if not -rank <= axis < rank:
                    raise ValueError(
                        f"new_order is {tuple(new_order)}: axis {axis} does not exist in an array "
                        f"of {rank} dimensions"
                    )
                axis %= rank
            order.append(axis)
        self.new_order = tuple(order)
        kept = [axis for axis in order if axis != "x"]
        if len(set(kept)) != len(kept):
            raise ValueError(f"The same input dimension may not appear twice in {self.new_order}")
        self.dropped = tuple(axis for axis in range(rank) if axis not in kept)
        for axis in self.dropped:
            if not self.input_broadcastable[axis]:
                raise ValueError(
                    f"You cannot drop a non-broadcastable dimension: axis {axis} of pattern "
                    f"{self.input_broadcastable}, new order {self.new_order}"
                )

    def make_node(self, x: TensorLike) -> Apply:
        x = tensor_operand("dimshuffle", x)
        # A pattern may turn out to have more lengths of 1 than were declared, never fewer.
        expected, actual = self.input_broadcastable, x.type.broadcastable
        pairs = zip(expected, actual, strict=False)
        if len(expected) != len(actual) or any(a and not b for a, b in pairs):
            raise TypeError(
                f"The number of dimensions or the pattern of the input is incorrect for this op. "
                f"Expected {self.input_broadcastable}, got {x.type.broadcastable}."
            )
        pattern = [axis == "x" or x.type.broadcastable[axis] for axis in self.new_order]
        return self.one([x], x.type.dtype, pattern)

    def compute(self, xp: ArrayModule, node: Apply, x: np.ndarray) -> tuple[Any, ...]:
        kept = [axis for axis in self.new_order if axis != "x"]
        value = xp.transpose(x, (*kept, *self.dropped))
        value = value.reshape([x.shape[axis] for axis in kept])
        added = tuple(i for i, axis in enumerate(self.new_order) if axis == "x")
        return (xp.expand_dims(value, added) if added else value,)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [tuple(1 if axis == "x" else shapes[0][axis] for axis in self.new_order)]

    def batch(
        self, node: Apply, values: list[Variable], rows: list[bool], batching: Batching
    ) -> list[Any] | None:
        return [dimshuffle(values[0], [0, *(a if a == "x" else a + 1 for a in self.new_order)])]

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        back: list[Any] = ["x"] * len(self.input_broadcastable)
        for position, axis in enumerate(self.new_order):
            if axis != "x":
                back[axis] = position
        return [dimshuffle(cotangents[0], back)]

    def emit(self, p: Builder, node: Apply, x: ProgramValue) -> Any:
        return p.permute(x, self.new_order)

    def __str__(self) -> str:
        return f"InplaceDimShuffle{{{','.join(map(str, self.new_order))}}}"


def dimshuffle(x: Any, pattern: Sequence[object]) -> TensorVariable:
    """Return `x` with axes reordered by `pattern`; `x` itself if nothing changes."""
    if list(pattern) == list(range(x.type.ndim)):
        return x
    return _dimshuffle_op(x.type.broadcastable, tuple(pattern))(x)


@lru_cache(1024)
def _dimshuffle_op(broadcastable: tuple[bool, ...], pattern: tuple[object, ...]) -> DimShuffle:
    return DimShuffle(broadcastable, pattern)


def transpose_of(x: Variable) -> Any:
    """Return what `x` is with its last two axes exchanged, or None."""
    node = x.owner
    if node is None or not isinstance(node.op, DimShuffle):
        return None
    order = node.op.new_order
    return node.inputs[0] if order == _exchanged(len(order)) and not node.op.dropped else None


def matrix_transpose(x: Variable) -> Any:
    """Return `x` with its last two axes exchanged."""
    return dimshuffle(x, _exchanged(x.type.ndim))


def _exchanged(rank: int) -> tuple[int, ...]:
    return (*range(rank - 2), rank - 1, rank - 2)


def pad_left(x: Variable, rank: int) -> Variable:
    """Return `x` with broadcastable axes added on the left up to `rank`."""
    missing = rank - x.type.ndim
    if missing <= 0:
        return x
    return dimshuffle(x, ["x"] * missing + list(range(x.type.ndim)))


def without_axis(x: Variable, axis: int) -> Any:
    """Return what an axis of one item was given to, if it was; else the items without it."""
    node = made_by(x, DimShuffle)
    order = list(node.op.new_order) if node else list(range(x.type.ndim))
    del order[axis]
    return dimshuffle(node.inputs[0] if node else x, order)
