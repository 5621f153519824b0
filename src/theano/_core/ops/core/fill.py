"""A value in the shape of another array; a view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.base import dtypes
from theano._core.base.settings import config
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.core.dimshuffle import pad_left
from theano._core.ops.core.naming import known_as
from theano._core.ops.core.op import Structured, connected, linear_in, tensor_operand

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, Dims, TensorLike
    from theano._core.ops.core.protocols import Batching, Builder, ProgramValue


@known_as("Elemwise")
class Second(Structured):
    """`y` in the broadcast shape of `x` and `y`."""

    name = "second"
    broadcasts = True
    connection = connected(1)
    linear = linear_in(1)

    def __str__(self) -> str:
        return "Elemwise{second,no_inplace}"

    def make_node(self, x: TensorLike, y: TensorLike) -> Apply:
        x, y = tensor_operand("fill", x), tensor_operand("fill", y)
        rank = max(x.type.ndim, y.type.ndim)
        x, y = pad_left(x, rank), pad_left(y, rank)
        pattern = [a and b for a, b in zip(x.type.broadcastable, y.type.broadcastable, strict=True)]
        return self.one([x, y], y.type.dtype, pattern)

    def compute(
        self, xp: ArrayModule, node: Apply, x: np.ndarray, y: np.ndarray
    ) -> tuple[Any, ...]:
        shape = np.broadcast_shapes(x.shape, y.shape)
        return (xp.broadcast_to(y, shape).copy(),)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        pattern = node.inputs[1].type.broadcastable
        return [
            tuple(a if one else b for a, b, one in zip(shapes[0], shapes[1], pattern, strict=True))
        ]

    def batch(
        self, node: Apply, values: list[Variable], rows: list[bool], batching: Batching
    ) -> list[Any] | None:
        return self.make_node(*values).outputs

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        return [None, cotangents[0]]

    def emit(self, p: Builder, node: Apply, x: ProgramValue, y: ProgramValue) -> Any:
        one = node.inputs[0].type.broadcastable
        return p.broadcast(node, y, [p.length(y if b else x, axis) for axis, b in enumerate(one)])


second = Second()


def fill(x: Any, value: Any) -> Variable:
    """Return `value` in the shape of `x`."""
    if not isinstance(value, np.ndarray) and hasattr(value, "type"):
        if value.type.broadcastable == x.type.broadcastable and all(x.type.broadcastable):
            return value
    return second(x, value)


def full_like(x: Variable, number: TensorLike, dtype: str) -> Variable:
    """Return an array of one number in the shape of `x`.

    Also of a scalar it is made from `x`: a function of `x` counts as using it.
    """
    return second(x, np.asarray(number, dtype=dtype))


def continuous_dtype(dtype: str) -> str:
    """Return a dtype if it is continuous, else floatX: that of derivatives by such a variable."""
    return config.floatX if dtypes.is_discrete(dtype) else dtype


def zeros_like_float(x: Any) -> Variable:
    """Return zeros in the shape of `x`, of the dtype of its derivatives."""
    return full_like(x, 0, continuous_dtype(x.type.dtype))
