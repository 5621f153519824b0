"""Products in a graph that is shown, by the names that Theano 1.0.5 had for calls of BLAS.

And operations whose results are written into inputs of the function, as those that do so.

There `dot(matrix, vector)` was `Gemv` into an empty vector, and `matrix + outer(x, y)` `Ger`. Here
one operation stands for all, and lowering decides what runs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.ir.graph import copied, toposort
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.legacy.graphs.walks import view_roots
from theano._core.legacy.ops import blas_ops
from theano._core.ops.array.broadcasting import alloc, known_value
from theano._core.ops.array.indexing import AdvancedIncSubtensor, IncSubtensor
from theano._core.ops.array.products import Dot, Gemm, gemm
from theano._core.ops.array.shaping import length
from theano._core.ops.core.dimshuffle import DimShuffle, dimshuffle
from theano._core.ops.core.in_place import overwriting
from theano._core.ops.core.op import constant
from theano._core.ops.elementwise.arithmetic import mul
from theano._core.ops.elementwise.elementwise import Elementwise, cast_op

if TYPE_CHECKING:
    from collections.abc import Mapping

BLAS_DTYPES = {"float32", "float64", "complex64", "complex128"}
# Operations that are shown in place where their result is written into an input.
WRITES = (Elementwise, IncSubtensor, AdvancedIncSubtensor)


def with_blas_names(
    outputs: Sequence[Variable], overwritten: Mapping[Variable, Variable]
) -> list[Any]:
    """Return a graph with the products that BLAS computes by their names.

    Parameters
    ----------
    outputs : sequence of Variable
    overwritten : dict of Variable to Variable
        The output that is written into an input, by that input.
    """
    nodes = toposort(outputs)
    uses = Counter(v for node in nodes for v in node.inputs)
    uses.update(outputs)
    free = {leaf for leaf in overwritten if uses[leaf] == 1}
    now: dict[Any, Any] = {}
    for node in nodes:
        out, made = node.outputs[0], None
        inputs = copied(node.inputs, now) if now else node.inputs
        if _has_blas_dtype(node):
            ours = {v for v in node.inputs if uses[v] == 1 and overwritten.get(v) in (None, out)}
            may_go = [_is_free(v, free) and v in ours for v in node.inputs]
            made = _named(node, inputs, may_go, ours)
        if made is None and isinstance(node.op, WRITES):
            made = _over_input(node, inputs, [overwritten.get(v) is out for v in node.inputs], free)
        if made is not None and made.type == out.type:
            made.owner.take_over(node)
            now[out] = made
    return copied(outputs, now)


def _has_blas_dtype(node: Apply) -> bool:
    dtypes = {getattr(v.type, "dtype", None) for v in (*node.inputs, node.outputs[0])}
    return len(dtypes) == 1 and dtypes <= BLAS_DTYPES


def _is_free(value: Variable, free: Collection[Variable]) -> bool:
    """Tell whether a value, which nothing else needs, may be overwritten."""
    return all(root.owner is not None or root in free for root in view_roots(value))


def _over_input(
    node: Apply, inputs: Sequence[Variable], wanted: Sequence[bool], free: Collection[Variable]
) -> Any:
    """Return a result that is written into an input by an operation that says so, or None."""
    for index, (value, written) in enumerate(zip(node.inputs, wanted, strict=True)):
        if written and value in free and value.type == node.outputs[0].type:
            op = overwriting(node.op)
            op.overwrites = index
            return Apply(op, inputs, [node.outputs[0].clone()]).outputs[0]
    return None


def _named(
    node: Apply, inputs: Sequence[Variable], may_go: Sequence[bool], ours: Collection[Variable]
) -> Any:
    """Return what a node computes by its name, or None."""
    dtype = node.outputs[0].type.dtype
    one, zero = constant(np.ones((), dtype)), constant(np.zeros((), dtype))
    if isinstance(node.op, Dot):
        x, y = inputs
        made = _product(None, one, x, y, zero, True)
        # Of several dtypes it was no call of BLAS: rewriting has cast one of the matrices.
        if made is None and x.type.ndim == y.type.ndim == 2 and not any(map(_is_cast, (x, y))):
            return blas_ops._dot22(x, y)
        return made
    if isinstance(node.op, Gemm):
        z, alpha, x, y, beta = inputs
        return _product(z, _scalar(alpha), x, y, _scalar(beta), may_go[0])
    if node.op is mul and node.outputs[0].type.ndim == 2:
        for factor, product, own in zip(inputs, inputs[::-1], node.inputs[::-1], strict=True):
            made = isinstance(getattr(own.owner, "op", None), Dot) and own in ours
            if made and all(factor.type.broadcastable) and product.owner.op == blas_ops._dot22:
                return blas_ops._dot22scalar(*product.owner.inputs, _scalar(factor))
    return None


def _is_cast(value: Variable) -> bool:
    node = value.owner
    return node is not None and node.op == cast_op(value.type.dtype)


def _product(
    z: Variable | None, alpha: Variable, x: Variable, y: Variable, beta: Variable, inplace: bool
) -> Any:
    """Return `beta` z + `alpha` x y by its name; None: it is of matrices. z is None: no sum."""
    ranks = x.type.ndim, y.type.ndim
    if ranks == (2, 2):
        made = _outer(z, alpha, x, y, beta, inplace)
        if made is None and z is not None:
            return (overwriting(gemm) if inplace else gemm)(z, alpha, x, y, beta)
        return made
    if ranks == (1, 2):
        x, y = dimshuffle(y, (1, 0)), x
    elif ranks == (1, 1):
        x = dimshuffle(x, ("x", 0))
    elif ranks != (2, 1):
        return None
    if z is None:
        z = alloc(_zeros(x, 1), length(x, 0))
    elif z.type.ndim != 1:
        return None
    out = blas_ops.Gemv(inplace)(z, alpha, x, y, beta)
    return dimshuffle(out, ()) if ranks == (1, 1) else out


def _outer(
    z: Variable | None, alpha: Variable, x: Variable, y: Variable, beta: Variable, inplace: bool
) -> Any:
    if not (x.type.broadcastable[1] and y.type.broadcastable[0]):
        return None
    vectors = [_without(v, axis) for v, axis in ((x, 1), (y, 0))]
    if z is None:
        length_of = {v: length(v, 0) for v in vectors}
        z = alloc(_zeros(x, 2), *(length_of[v] for v in vectors))
    elif known_value(beta) != 1:
        return None
    return blas_ops.Ger(inplace)(z, alpha, *vectors)


def _zeros(x: Variable, rank: int) -> Any:
    return constant(np.zeros((1,) * rank, dtype=x.type.dtype))


def _without(value: Variable, axis: int) -> Any:
    """Return a matrix without an axis of length 1: what it was made of, if it was a vector."""
    node = value.owner
    if node is not None and isinstance(node.op, DimShuffle) and node.inputs[0].type.ndim == 1:
        return node.inputs[0]
    return dimshuffle(value, (1 - axis,))


def _scalar(value: Variable) -> Any:
    """Return what has one item without its axes."""
    if isinstance(value, Constant):
        return constant(np.asarray(value.data).reshape(()))
    while value.owner is not None and isinstance(value.owner.op, DimShuffle):
        inner = value.owner.inputs[0]
        if not all(inner.type.broadcastable):
            break
        value = inner
    return value if value.type.ndim == 0 else dimshuffle(value, ())
