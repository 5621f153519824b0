"""Products of matrices and vectors, through BLAS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from theano._core.base import dtypes
from theano._core.ir.variable import Apply
from theano._core.ops.arithmetic import cast, conjugate, mul
from theano._core.ops.convolution import BaseAbstractConv
from theano._core.ops.indexing import sum_to
from theano._core.ops.lengths import as_int64
from theano._core.ops.op import Elementwise, Structured, tensor_operand, unequal
from theano._core.ops.shaping import dimshuffle, length, pattern_broadcast, reshape_op


class Dot(Structured):
    """Product of two vectors or matrices, summed over the last axis of `x` and the first of `y`."""

    name = "dot"

    def make_node(self, x: Any, y: Any) -> Apply:
        x, y = tensor_operand("dot", x), tensor_operand("dot", y)
        if x.type.ndim not in (1, 2) or y.type.ndim not in (1, 2):
            raise TypeError(
                "theano.tensor.Dot: inputs must have 1 or 2 dimensions, got "
                f"{x.type.ndim} and {y.type.ndim}. You might want to use tensordot."
            )
        dtype = dtypes.upcast(x.type.dtype, y.type.dtype)
        x, y = cast(x, dtype), cast(y, dtype)
        return self.one([x, y], dtype, (*x.type.broadcastable[:-1], *y.type.broadcastable[1:]))

    def compute(self, xp: Any, node: Apply, x: Any, y: Any) -> tuple[Any, ...]:
        return (xp.asarray(xp.dot(x, y)),)

    def shape(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        return [(*shapes[0][:-1], *shapes[1][1:])]

    def linear(self, node: Apply) -> list[list[int]]:
        return [[0], [1]]

    def batch(
        self, node: Apply, values: list[Any], rows: list[bool], batching: Any
    ) -> list[Any] | None:
        ranks = (node.inputs[0].type.ndim, node.inputs[1].type.ndim)
        x, y = values
        if rows == [True, False]:
            if ranks[0] == 1:
                return [dot(x, y)]
            sizes = [as_int64(length(x, a)) for a in range(3)]
            flat = dot(reshape_op(x, [sizes[0] * sizes[1], sizes[2]]), y)
            last = [as_int64(length(y, 1))] if ranks[1] == 2 else []
            return [reshape_op(flat, [*sizes[:2], *last])]
        if rows == [False, True] and ranks[1] == 1:
            return [dot(y, x if ranks[0] == 1 else transposed(x))]
        # As stacks of matrices, of one row or one column where they are vectors.
        first = [0 if row else "x" for row in rows]
        left = dimshuffle(x, [first[0], *(["x"] * (2 - ranks[0])), *_own(x, ranks[0])])
        right = dimshuffle(y, [first[1], *_own(y, ranks[1]), *(["x"] * (2 - ranks[1]))])
        whole = batched_dot(left, right)
        return [dimshuffle(whole, [0, *([1] * (ranks[0] - 1)), *([2] * (ranks[1] - 1))])]

    def misfit(self, node: Apply, shapes: Sequence[Any]) -> str | None:
        return unequal([(shapes[0], node.inputs[0].type.ndim - 1), (shapes[1], 0)])

    def vjp(self, node: Apply, cotangents: Sequence[Any]) -> list[Any]:
        x, y = (conjugate(v) for v in node.inputs)
        g = cotangents[0]
        ranks = (x.type.ndim, y.type.ndim)
        if ranks == (1, 1):
            found = [mul(g, y), mul(g, x)]
        elif ranks == (2, 1):
            found = [outer(g, y), dot(transposed(x), g)]
        elif ranks == (1, 2):
            found = [dot(y, g), outer(x, g)]
        else:
            found = [dot(g, transposed(y)), dot(transposed(x), g)]
        # The length of the summed axis is declared of one operand, and true of the other.
        pairs = zip(found, node.inputs, strict=True)
        return [pattern_broadcast(gx, x.type.broadcastable) for gx, x in pairs]

    def lower(self, p: Any, node: Apply, x: Any, y: Any) -> Any:
        return p.matmul(node, x, y)


def _own(x: Any, rank: int) -> range:
    """Return the last `rank` axes."""
    return range(x.type.ndim - rank, x.type.ndim)


dot = Dot()


class BatchedDot(Structured):
    """Products of the matrices along the first axes of `x` and `y`; a broadcastable one stretches.

    The product is summed over the last axis of `x` and the middle axis of `y`.
    """

    def make_node(self, x: Any, y: Any) -> Apply:
        x, y = tensor_operand("batched_dot", x), tensor_operand("batched_dot", y)
        if x.type.ndim != 3 or y.type.ndim != 3:
            raise TypeError(f"batched_dot needs arrays of 3 axes, got {x.type} and {y.type}")
        dtype = dtypes.upcast(x.type.dtype, y.type.dtype)
        x, y = cast(x, dtype), cast(y, dtype)
        one, two = x.type.broadcastable, y.type.broadcastable
        return self.one([x, y], dtype, (one[0] and two[0], one[1], two[2]))

    def compute(self, xp: Any, node: Apply, x: Any, y: Any) -> tuple[Any, ...]:
        ones = [v.type.broadcastable[0] for v in node.inputs]
        if not any(ones) and x.shape[0] != y.shape[0]:
            raise ValueError(
                f"Shape mismatch: x is a batch of {x.shape[0]} matrices, y one of {y.shape[0]}."
            )
        return (xp.matmul(x, y),)

    def shape(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        x, y = shapes
        return [(y[0] if node.inputs[0].type.broadcastable[0] else x[0], x[1], y[2])]

    def linear(self, node: Apply) -> list[list[int]]:
        return [[0], [1]]

    def misfit(self, node: Apply, shapes: Sequence[Any]) -> str | None:
        x, y = shapes
        stretched = any(v.type.broadcastable[0] for v in node.inputs)
        return unequal([(x, 2), (y, 1)]) or (None if stretched else unequal([(x, 0), (y, 0)]))

    def vjp(self, node: Apply, cotangents: Sequence[Any]) -> list[Any]:
        x, y = (conjugate(v) for v in node.inputs)
        g = cotangents[0]
        of_x = batched_dot(g, dimshuffle(y, (0, 2, 1)))
        of_y = batched_dot(dimshuffle(x, (0, 2, 1)), g)
        return [sum_to(of_x, x), sum_to(of_y, y)]

    def lower(self, p: Any, node: Apply, x: Any, y: Any) -> Any:
        return p.batched_matmul(node, x, y)


batched_dot = BatchedDot()


class Gemm(Structured):
    """`beta` z + `alpha` x y: a product added to a scaled array in one BLAS call.

    Made by rewriting. `z` is overwritten where nothing else needs it.
    """

    not_differentiated = "made by rewriting, after differentiation"

    def make_node(self, z: Any, alpha: Any, x: Any, y: Any, beta: Any) -> Apply:
        z = tensor_operand("gemm", z)
        kind = z.type
        values = [cast(tensor_operand("gemm", v), kind.dtype) for v in (alpha, x, y, beta)]
        return self.one([z, *values], kind.dtype, kind.broadcastable)

    def compute(self, xp: Any, node: Apply, *arrays: Any) -> tuple[Any, ...]:
        z, alpha, x, y, beta = arrays
        product = xp.dot(x, y)
        if z.shape != product.shape:
            raise ValueError(f"Input dimension mis-match: {z.shape} and {product.shape}")
        return (xp.asarray(beta * z + alpha * product, dtype=z.dtype),)

    def shape(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        return [shapes[0]]

    def lower(self, p: Any, node: Apply, z: Any, alpha: Any, x: Any, y: Any, beta: Any) -> Any:
        return p.matmul(node, x, y, into=z, alpha=alpha, beta=beta)


gemm = Gemm()


def is_costly(node: Apply) -> bool:
    """Tell whether the value of a node is better kept than computed again."""
    if isinstance(node.op, (Dot, BaseAbstractConv)):
        return node.outputs[0].type.ndim > 0
    return isinstance(node.op, Elementwise) and node.op.is_dear


def transposed(x: Any) -> Any:
    """Return the matrix `x` with its axes exchanged."""
    return dimshuffle(x, (1, 0))


def outer(x: Any, y: Any) -> Any:
    """Return the outer product of two vectors."""
    return mul(dimshuffle(x, (0, "x")), dimshuffle(y, ("x", 0)))
