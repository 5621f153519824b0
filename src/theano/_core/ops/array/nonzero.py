"""Where the items of an array are not zero, and masks as indices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.ir.variable import Apply, Variable
from theano._core.ops.core.fill import zeros_like_float
from theano._core.ops.core.op import Structured, connected, tensor_operand

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, Dims, TensorLike
    from theano._core.ops.core.protocols import Builder, ProgramValue


class Nonzero(Structured):
    """Positions of the items of `x` that are not zero, in C order: a matrix, one row per axis."""

    def make_node(self, x: TensorLike) -> Apply:
        x = tensor_operand("nonzero", x)
        if x.type.ndim == 0:
            raise ValueError("Nonzero only supports non-scalar arrays.")
        return self.one([x], "int64", (False, False))

    def compute(self, xp: ArrayModule, node: Apply, x: TensorLike) -> tuple[Any, ...]:
        return (xp.stack(xp.nonzero(x)).astype("int64"),)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [(node.inputs[0].type.ndim, None)]

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        return [zeros_like_float(node.inputs[0])]

    def emit(self, p: Builder, node: Apply, x: TensorLike) -> Any:
        return p.nonzero(x)


nonzero = Nonzero()


class FitsMask(Structured):
    """`x`, after checking that its axes from `axis` on have the lengths of `mask` (IndexError)."""

    __props__ = ("axis",)
    is_view = True
    connection = connected(0)

    def __init__(self, axis: int) -> None:
        self.axis = axis

    def make_node(self, x: TensorLike, mask: TensorLike) -> Apply:
        x, mask = tensor_operand("index", x), tensor_operand("index", mask)
        return self.one([x, mask], x.type.dtype, x.type.broadcastable)

    def compute(
        self, xp: ArrayModule, node: Apply, x: np.ndarray, mask: np.ndarray
    ) -> tuple[Any, ...]:
        for axis, wanted in enumerate(np.shape(mask), self.axis):
            if x.shape[axis] != wanted:
                raise IndexError(
                    f"boolean index did not match indexed array along axis {axis}; size of axis is "
                    f"{x.shape[axis]} but size of corresponding boolean axis is {wanted}"
                )
        return (x,)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        x, mask = shapes
        stop = self.axis + len(mask)
        lengths = [
            wanted if isinstance(wanted, int) else own
            for own, wanted in zip(x[self.axis : stop], mask, strict=True)
        ]
        return [(*x[: self.axis], *lengths, *x[stop:])]

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        return [cotangents[0], None]

    def emit(self, p: Builder, node: Apply, x: ProgramValue, mask: ProgramValue) -> Any:
        for i in range(node.inputs[1].type.ndim):
            p.require_length(node, x, self.axis + i, p.length(mask, i), "mask")
        return x
