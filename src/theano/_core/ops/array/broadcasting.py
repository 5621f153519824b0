"""Arrays broadcast to a shape, without copying."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from theano._core.base import dtypes
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.ops.array.assertions import Require
from theano._core.ops.array.dims import as_length, checked_shape, is_one, not_negative
from theano._core.ops.core.dimshuffle import DimShuffle, pad_left
from theano._core.ops.core.fill import Second
from theano._core.ops.core.op import (
    Guard,
    Structured,
    as_variable,
    connected,
    linear_in,
    tensor_operand,
)
from theano._core.ops.elementwise.elementwise import cast

if TYPE_CHECKING:
    import numpy as np

    from theano._core.ir.annotations import ArrayModule, Dims, TensorLike
    from theano._core.ops.core.protocols import Batching, Builder, ProgramValue

_NOT_NEGATIVE = Require("negative dimensions are not allowed: {0}", 1)


class Alloc(Structured):
    """`value` broadcast to the lengths that follow it.

    At least as many as it has axes; one that is the constant 1 makes a broadcastable axis. It is a
    view: nothing is copied.
    """

    broadcasts = True
    is_view = True
    through_integers = True
    connection = connected(0)
    linear = linear_in(0)

    def make_node(self, value: TensorLike, *shape: TensorLike) -> Apply:
        value = tensor_operand("alloc", value)
        sizes = [as_variable(n) for n in shape]
        for size in sizes:
            if size.type.ndim or not dtypes.is_discrete(size.type.dtype):
                raise TypeError(
                    f"Shape arguments to Alloc must be integers, got {size} of {size.type}"
                )
        if value.type.ndim > len(sizes):
            raise TypeError(
                f"The Alloc value to use has more dimensions than the specified dimensions: "
                f"{value.type.ndim} and {len(sizes)}"
            )
        value = pad_left(value, len(sizes))
        sizes = [cast(n, "int64") for n in sizes]
        pattern = [is_one(n) for n in sizes]
        return self.one([value, *sizes], value.type.dtype, pattern)

    def compute(
        self, xp: ArrayModule, node: Apply, value: np.ndarray, *lengths: np.ndarray
    ) -> tuple[Any, ...]:
        shape = checked_shape(lengths, node.outputs[0].type.dtype)
        return (xp.broadcast_to(value, shape).copy(),)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [tuple(as_length(n) for n in node.inputs[1:])]

    def may_fail(self, node: Apply) -> bool:
        return not all(map(not_negative, node.inputs[1:]))

    def guards(self, node: Apply, shapes: Sequence[Dims]) -> list[Guard]:
        open_ones = [n for n in node.inputs[1:] if not not_negative(n)]
        return [(_NOT_NEGATIVE, lambda n=n: [n, n >= 0]) for n in open_ones]

    def batch(
        self, node: Apply, values: list[Variable], rows: list[bool], batching: Batching
    ) -> list[Any] | None:
        value, *shape = values
        if any(rows[1:]):
            return None
        return [alloc(value, batching.size, *shape)]

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        return [cotangents[0]] + [None] * (len(node.inputs) - 1)

    def emit(self, p: Builder, node: Apply, value: ProgramValue, *shape: ProgramValue) -> Any:
        return p.broadcast(node, value, [p.integer(n) for n in shape])


alloc = Alloc()


def known_value(variable: Variable) -> Any:
    """Return the one number that fills a constant, or None."""
    if isinstance(variable, Constant):
        return variable.number()
    # What most operands are asked: `made_by` would be a call for each.
    node = variable.owner
    if node is not None and isinstance(node.op, (DimShuffle, Alloc, Second)):
        return known_value(node.inputs[1 if isinstance(node.op, Second) else 0])
    return None
