"""Products of matrices and vectors, through BLAS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from theano._core.base import dtypes
from theano._core.ir.graph import made_by
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.dims import as_int64, product
from theano._core.ops.array.indexing import sum_to
from theano._core.ops.array.shaping import length, pattern_broadcast, reshape_op
from theano._core.ops.core.dimshuffle import DimShuffle, dimshuffle, matrix_transpose
from theano._core.ops.core.op import Structured, linear_in, shape_of, tensor_operand
from theano._core.ops.elementwise.elementwise import cast, conjugate, unequal

if TYPE_CHECKING:
    import numpy as np

    from theano._core.ir.annotations import ArrayModule, Dims, TensorLike
    from theano._core.ops.core.protocols import Batching, Builder, ProgramValue


class Dot(Structured):
    """Product of two vectors or matrices, summed over the last axis of `x` and the first of `y`."""

    name = "dot"
    linear = linear_in(0, 1)

    def make_node(self, x: Variable, y: Variable) -> Apply:
        x, y = tensor_operand("dot", x), tensor_operand("dot", y)
        if x.type.ndim not in (1, 2) or y.type.ndim not in (1, 2):
            raise TypeError(
                "theano.tensor.Dot: inputs must have 1 or 2 dimensions, got "
                f"{x.type.ndim} and {y.type.ndim}. You might want to use tensordot."
            )
        dtype = dtypes.upcast(x.type.dtype, y.type.dtype)
        x, y = cast(x, dtype), cast(y, dtype)
        return self.one([x, y], dtype, (*x.type.broadcastable[:-1], *y.type.broadcastable[1:]))

    def compute(
        self, xp: ArrayModule, node: Apply, x: TensorLike, y: TensorLike
    ) -> tuple[Any, ...]:
        return (xp.asarray(xp.dot(x, y)),)

    def is_dear(self, node: Apply) -> bool:
        return node.outputs[0].type.ndim > 0

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [(*shapes[0][:-1], *shapes[1][1:])]

    def batch(
        self, node: Apply, values: list[Variable], rows: list[bool], batching: Batching
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
            return [dot(y, x if ranks[0] == 1 else matrix_transpose(x))]
        # As stacks of matrices, of one row or one column where they are vectors.
        first = [0 if row else "x" for row in rows]
        left = dimshuffle(x, [first[0], *(["x"] * (2 - ranks[0])), *_own(x, ranks[0])])
        right = dimshuffle(y, [first[1], *_own(y, ranks[1]), *(["x"] * (2 - ranks[1]))])
        whole = batched_dot(left, right)
        return [dimshuffle(whole, [0, *([1] * (ranks[0] - 1)), *([2] * (ranks[1] - 1))])]

    def misfit(self, node: Apply, shapes: Sequence[Dims]) -> str | None:
        return unequal([(shapes[0], node.inputs[0].type.ndim - 1), (shapes[1], 0)])

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        x, y = (conjugate(v) for v in node.inputs)
        g = cotangents[0]
        ranks = (x.type.ndim, y.type.ndim)
        if ranks == (1, 1):
            gradients = [g * y, g * x]
        elif ranks == (2, 1):
            gradients = [outer(g, y), dot(matrix_transpose(x), g)]
        elif ranks == (1, 2):
            gradients = [dot(y, g), outer(x, g)]
        else:
            gradients = [dot(g, matrix_transpose(y)), dot(matrix_transpose(x), g)]
        # The length of the summed axis is declared of one operand, and true of the other.
        pairs = zip(gradients, node.inputs, strict=True)
        return [pattern_broadcast(gx, x.type.broadcastable) for gx, x in pairs]

    def emit(self, p: Builder, node: Apply, x: TensorLike, y: ProgramValue) -> Any:
        return p.matmul(node, x, y)


def _own(x: Variable, rank: int) -> range:
    """Return the last `rank` axes."""
    return range(x.type.ndim - rank, x.type.ndim)


dot = Dot()


class BatchedDot(Structured):
    """Products of the matrices along the last two axes of `x` and `y`, which have as many axes.

    Those before count the pairs; a broadcastable one broadcasts. The product is summed over the
    last axis of `x` and the last but one of `y`.
    """

    linear = linear_in(0, 1)

    def make_node(self, x: Variable, y: Variable) -> Apply:
        x, y = tensor_operand("batched_dot", x), tensor_operand("batched_dot", y)
        if x.type.ndim < 3 or x.type.ndim != y.type.ndim:
            raise TypeError(
                f"batched_dot needs two arrays of 3 axes, or of as many more, got {x.type} and "
                f"{y.type}"
            )
        dtype = dtypes.upcast(x.type.dtype, y.type.dtype)
        x, y = cast(x, dtype), cast(y, dtype)
        one, two = x.type.broadcastable, y.type.broadcastable
        pairs = map(all, zip(one[:-2], two[:-2], strict=True))
        return self.one([x, y], dtype, (*pairs, one[-2], two[-1]))

    def paired(self, node: Apply) -> list[int]:
        """Return the axes along which both operands count the pairs."""
        x, y = (v.type.broadcastable for v in node.inputs)
        return [axis for axis in range(len(x) - 2) if not x[axis] and not y[axis]]

    def compute(
        self, xp: ArrayModule, node: Apply, x: np.ndarray, y: np.ndarray
    ) -> tuple[Any, ...]:
        if any(x.shape[axis] != y.shape[axis] for axis in self.paired(node)):
            raise ValueError(batches_differ((*x.shape, *y.shape)))
        return (xp.matmul(x, y),)

    def is_dear(self, node: Apply) -> bool:
        return node.outputs[0].type.ndim > 0

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        x, y = shapes
        ones = node.inputs[0].type.broadcastable
        pairs = ((y if ones[axis] else x)[axis] for axis in range(len(x) - 2))
        return [(*pairs, x[-2], y[-1])]

    def batch(
        self, node: Apply, values: list[Variable], rows: list[bool], batching: Batching
    ) -> list[Any] | None:
        axes = range(node.inputs[0].type.ndim)
        pairs = zip(values, rows, strict=True)
        return [batched_dot(*(v if row else dimshuffle(v, ["x", *axes]) for v, row in pairs))]

    def misfit(self, node: Apply, shapes: Sequence[Dims]) -> str | None:
        x, y = shapes
        problems = [unequal([(x, axis), (y, axis)]) for axis in self.paired(node)]
        return next(filter(None, [unequal([(x, len(x) - 1), (y, len(y) - 2)]), *problems]), None)

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        x, y = (conjugate(v) for v in node.inputs)
        g = cotangents[0]
        return [
            _for_all_pairs(g, matrix_transpose(y), x),
            _for_all_pairs(matrix_transpose(x), g, y),
        ]

    def emit(self, p: Builder, node: Apply, x: ProgramValue, y: ProgramValue) -> Any:
        return p.batched_matmul(node, x, y)


batched_dot = BatchedDot()


def batches_differ(lengths: Sequence[int]) -> str:
    """Say that two stacks of matrices do not fit, given the lengths of one and then the other."""
    rank = len(lengths) // 2
    x, y = tuple(lengths[:rank]), tuple(lengths[rank:])
    one, two = ("×".join(map(str, shape[:-2])) for shape in (x, y))
    return (
        f"Shape mismatch: x is a batch of {one} matrices, y one of {two}. "
        f"Their shapes are {x} and {y}."
    )


def _for_all_pairs(left: Variable, right: Variable, own: Variable) -> Any:
    """Return the products of pairs, summed over those that share a matrix of `own`.

    The sums are part of the products: over axes that the two have beside the one that is summed.
    """
    rank = own.type.ndim
    once, *both = (v.type.broadcastable for v in (own, left, right))
    broadcast_axes = [i for i in range(rank - 2) if once[i] and not any(ones[i] for ones in both)]
    kept = [i for i in range(rank - 2) if i not in broadcast_axes]
    each = [[i] for i in kept]
    one = joined(left, [*each, [rank - 2], [*broadcast_axes, rank - 1]])
    two = joined(right, [*each, [*broadcast_axes, rank - 2], [rank - 1]])
    order = [
        "x" if i in broadcast_axes else i - sum(s < i for s in broadcast_axes) for i in range(rank)
    ]
    whole = dimshuffle((batched_dot if kept else dot)(one, two), order)
    return sum_to(whole, own)


def joined(x: Variable, groups: list[list[int]]) -> Any:
    """Return `x` with one axis for each of some groups of its axes; none gives one of length 1.

    Groups of neighbours are joined where they are, and then moved, which copies nothing.
    """
    node = made_by(x, DimShuffle)
    if node is not None:
        order = node.op.new_order
        own = [[order[axis] for axis in group if order[axis] != "x"] for group in groups]
        return joined(node.inputs[0], own)
    first = sorted(filter(None, groups))
    flat = dimshuffle(x, [axis for group in first for axis in group])
    if any(len(group) > 1 for group in first):
        shape = [product([length(x, axis) for axis in group]) for group in first]
        flat = reshape_op(flat, shape)
        ones = x.type.broadcastable
        flat = pattern_broadcast(flat, [all(ones[axis] for axis in group) for group in first])
    return dimshuffle(flat, [first.index(group) if group else "x" for group in groups])


class Gemm(Structured):
    """`beta` z + `alpha` x y: a product added to a scaled array in one BLAS call.

    Made by rewriting. `z` is overwritten where nothing else needs it.
    """

    not_differentiated = "made by rewriting, after differentiation"
    shape = shape_of(0)

    def make_node(
        self, z: TensorLike, alpha: TensorLike, x: Variable, y: Variable, beta: TensorLike
    ) -> Apply:
        z = tensor_operand("gemm", z)
        type_ = z.type
        values = [cast(tensor_operand("gemm", v), type_.dtype) for v in (alpha, x, y, beta)]
        return self.one([z, *values], type_.dtype, type_.broadcastable)

    def compute(self, xp: ArrayModule, node: Apply, *arrays: np.ndarray) -> tuple[Any, ...]:
        z, alpha, x, y, beta = arrays
        product = xp.dot(x, y)
        if z.shape != product.shape:
            raise ValueError(f"Input dimension mis-match: {z.shape} and {product.shape}")
        return (xp.asarray(beta * z + alpha * product, dtype=z.dtype),)

    def emit(
        self,
        p: Builder,
        node: Apply,
        z: ProgramValue,
        alpha: ProgramValue,
        x: TensorLike,
        y: ProgramValue,
        beta: ProgramValue,
    ) -> Any:
        return p.matmul(node, x, y, into=z, alpha=alpha, beta=beta)


gemm = Gemm()


def outer(x: object, y: object) -> Any:
    """Return the outer product of two vectors."""
    return dimshuffle(x, (0, "x")) * dimshuffle(y, ("x", 0))
