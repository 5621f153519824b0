"""Linear algebra: systems instead of inverses, and the structure that a matrix is known to have."""

from __future__ import annotations

from typing import Any

import numpy as np

from theano._core.base import dtypes
from theano._core.ir.graph import made_by
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.assertions import Require
from theano._core.ops.array.broadcasting import known_value
from theano._core.ops.array.creation import ARange, Eye, iota
from theano._core.ops.array.dims import as_int64
from theano._core.ops.array.indexing import AT, AdvancedIncSubtensor, AdvancedSubtensor, gather
from theano._core.ops.array.products import BatchedDot, Dot, dot
from theano._core.ops.array.reductions import Reduction, reduce
from theano._core.ops.array.shaping import length
from theano._core.ops.core.dimshuffle import (
    DimShuffle,
    dimshuffle,
    matrix_transpose,
    transpose_of,
)
from theano._core.ops.core.op import as_variable, python_int
from theano._core.ops.elementwise.arithmetic import abs_, eq, mul, sgn, switch
from theano._core.ops.elementwise.elementwise import cast, conj
from theano._core.ops.elementwise.transcendental import log
from theano._core.ops.linalg.factors import QR, LUFactor
from theano._core.ops.linalg.matrices import Part, diagonal_of
from theano._core.ops.linalg.shared_factorization import (
    FactorSolve,
    factor,
    factor_adjugate,
    factor_det,
    factor_inverse,
    factor_slogdet,
)
from theano._core.ops.linalg.systems import (
    Cholesky,
    Det,
    MatrixInverse,
    SLogDet,
    Solve,
    slogdet,
    solve,
)
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.pattern import Rules

RULES = Rules("special")
rule = RULES.rule
FLIPPED = {"lower": "upper", "upper": "lower", "diagonal": "diagonal"}


def structure(rewriter: Rewriter, variable: Variable) -> str | None:
    """Return 'lower', 'upper' or 'diagonal' of a matrix that is known to be so."""
    node = variable.owner
    if node is None:
        return None
    whole = transpose_of(variable)
    if whole is not None:
        return FLIPPED.get(structure(rewriter, whole) or "")
    op = node.op
    if isinstance(op, MatrixInverse) or op is conj:
        return structure(rewriter, node.inputs[0])
    if isinstance(op, Cholesky):
        return "lower" if op.lower else "upper"
    if isinstance(op, LUFactor):
        return {0: "lower", 1: "upper"}.get(node.outputs.index(variable))
    if isinstance(op, QR) and variable is node.outputs[-1]:
        return "upper"
    if isinstance(op, Part) and 0 in (op.below, op.above):
        return "diagonal" if op.below == op.above else "upper" if op.below == 0 else "lower"
    if isinstance(op, Eye) and python_int(node.inputs[2]) == 0:
        return "diagonal"
    return "diagonal" if diagonal_vector(rewriter, variable) is not None else None


def diagonal_vector(rewriter: Rewriter, variable: Variable) -> Any:
    """Return the v of a diag(v), or None."""
    node = made_by(variable, AdvancedIncSubtensor)
    if node is None:
        return None
    zeros, v, *indices = node.inputs
    if tuple(node.op.axes) != (AT, AT) or not node.op.assign or known_value(zeros) != 0:
        return None
    if indices[0] is not indices[1] or not _is_count(indices[0]) or v.type.ndim != 1:
        return None
    # All of a square matrix, and no number broadcast along its diagonal.
    count = rewriter.shape(v)[0]
    same = all(n is count or n == count for n in rewriter.shape(zeros))
    return v if same and v.type.broadcastable == (False,) else None


def _is_count(index: Variable) -> bool:
    """Tell whether an index is 0, 1, 2 and so on."""
    node = made_by(index, ARange)
    if node is None:
        return False
    return python_int(node.inputs[0]) == 0 and python_int(node.inputs[2]) == 1


def _inverted(rewriter: Rewriter, variable: Variable) -> tuple[Any, bool] | None:
    """Return (A, False) of an inv(A) that only this use needs, (A, True) of an inv(A)^T."""
    whole = transpose_of(variable)
    inner = variable if whole is None else whole
    if not made_by(inner, MatrixInverse):
        return None
    if any(rewriter.uses.get(v, 0) > 1 for v in (variable, inner)):
        return None
    return inner.owner.inputs[0], whole is not None


def _inverse_of(variable: Variable, rewriter: Rewriter) -> Any:
    """Return the A of an inv(A) that only this use needs, or None."""
    inverted = _inverted(rewriter, variable)
    if inverted is None:
        return None
    return matrix_transpose(inverted[0]) if inverted[1] else inverted[0]


@rule("dot(inv(A), b) → solve(A, b)", on=Dot, why="fewer operations, and a smaller error")
def _solve(rewriter: Rewriter, node: Apply) -> Any:
    """Also dot(b, inv(A)) → solve(A^T, b^T)^T."""
    left, right = node.inputs
    a = _inverse_of(left, rewriter)
    if a is not None:
        return solve(a, right)
    a = _inverse_of(right, rewriter)
    if a is None:
        return None
    if left.type.ndim == 1:
        return solve(matrix_transpose(a), left)
    return matrix_transpose(solve(matrix_transpose(a), matrix_transpose(left)))


@rule("solve(triangle, b) → triangular solution", on=Solve, why="no factorisation")
def _triangular_solve(rewriter: Rewriter, node: Apply) -> Any:
    if node.op.routine != "solve":
        return None
    kind = structure(rewriter, node.inputs[0])
    if kind is None:
        return None
    return Solve("upper_triangular" if kind == "upper" else "lower_triangular")(*node.inputs)


@rule(
    "log(det(A)) → slogdet(A)",
    on=log,
    phase="stable",
    keeps="nan",
    why="the determinant neither overflows nor underflows",
)
def _log_det(rewriter: Rewriter, node: Apply) -> Any:
    """Also log(|det(A)|)."""
    value = node.inputs[0]
    modulus = made_by(value, abs_)
    inner = value.owner.inputs[0] if modulus else value
    if not made_by(inner, Det):
        return None
    if dtypes.is_complex(inner.type.dtype):
        return None
    sign, logarithm = slogdet(inner.owner.inputs[0])
    if modulus:
        return logarithm
    nan = as_variable(np.asarray(np.nan, dtype=logarithm.type.dtype))
    return switch(sign < 0, nan, logarithm)


def _diagonal(rewriter: Rewriter, x: Variable) -> Any:
    v = diagonal_vector(rewriter, x)
    if v is not None:
        return v
    if x.type.ndim != 2:
        return diagonal_of(x)
    steps = iota(length(x, 0))
    return gather(x, steps, steps)


@rule("det(triangle) → product of its diagonal", on=Det, phase="stable", why="no factorisation")
def _det_of_triangle(rewriter: Rewriter, node: Apply) -> Any:
    x = node.inputs[0]
    if not _square_triangle(rewriter, x):
        return None
    d = _diagonal(rewriter, x)
    return reduce("prod", d, (d.type.ndim - 1,), d.type.dtype)


@rule(
    "slogdet(triangle) → signs and logarithms of its diagonal",
    on=SLogDet,
    phase="stable",
    why="no factorisation",
)
def _slogdet_of_triangle(rewriter: Rewriter, node: Apply) -> Any:
    x = node.inputs[0]
    if dtypes.is_complex(x.type.dtype) or not _square_triangle(rewriter, x):
        return None
    d = _diagonal(rewriter, x)
    axis, dtype = (d.type.ndim - 1,), d.type.dtype
    return [reduce("prod", sgn(d), axis, dtype), reduce("sum", log(abs(d)), axis, dtype)]


def _square_triangle(rewriter: Rewriter, x: Variable) -> bool:
    """Tell whether a matrix is triangular, and square whatever the lengths are."""
    inner = x
    while transpose_of(inner) is not None or made_by(inner, MatrixInverse, conj):
        inner = inner.owner.inputs[0]
    always = made_by(inner, Cholesky) or diagonal_vector(rewriter, inner) is not None
    return always and structure(rewriter, x) is not None


@rule("dot(diag(v), x) → v x", on=Dot, keeps="nan", why="no matrix for the diagonal")
def _scaled_rows(rewriter: Rewriter, node: Apply) -> Any:
    """Row by row; dot(x, diag(v)) column by column."""
    left, right = node.inputs
    for x, other, summed, pattern in ((left, right, 0, (0, "x")), (right, left, -1, ("x", 0))):
        v = diagonal_vector(rewriter, x)
        # An elementwise product would broadcast where lengths of a product must agree.
        if v is None or other.type.broadcastable[summed]:
            continue
        return (v if other.type.ndim == 1 else dimshuffle(v, pattern)) * other
    return None


@rule("dot(I, x) → x, dot(x, I) → x", on=Dot, keeps="nan", why="no product")
def _times_identity(rewriter: Rewriter, node: Apply) -> Any:
    """After checking that the lengths fit."""
    x, y = node.inputs
    for eye, other, shared in ((x, y, 0), (y, x, x.type.ndim - 1)):
        if not made_by(eye, Eye):
            continue
        rows, columns = rewriter.shape(eye)
        if (rows is not columns and rows != columns) or python_int(eye.owner.inputs[2]) != 0:
            continue
        size = rewriter.shape(other)[shared]
        if size is rows or size == rows:
            return other
        fits = eq(as_int64(size), as_int64(rows))
        return Require("dot: an identity matrix and its factor do not fit")(other, fits)
    return None


@rule(
    "diagonal of dot(x, y) → sums of x times y^T",
    on=AdvancedSubtensor,
    phase="stable",
    why="the items off the diagonal are not computed",
)
def _diagonal_of_product(rewriter: Rewriter, node: Apply) -> Any:
    if tuple(node.op.axes) != (AT, AT):
        return None
    whole, rows, columns = node.inputs
    if rows is not columns or not _is_count(rows) or rewriter.uses.get(whole, 0) > 1:
        return None
    if not made_by(whole, Dot) or whole.type.ndim != 2:
        return None
    x, y = whole.owner.inputs
    if dtypes.is_discrete(x.type.dtype):
        return None
    picked = [gather(v, rows) for v in (x, matrix_transpose(y))]
    return reduce("sum", mul(*picked), (1,), node.outputs[0].type.dtype)


@rule(
    "batched_dot(x[:, None], y[:, :, None]) → sum(x y)",
    on=BatchedDot,
    phase="stable",
    why="a loop, which other loops join",
)
def _products_of_vectors(rewriter: Rewriter, node: Apply) -> Any:
    """Also batched_dot(x[:, :, None], y[:, None]) → x y, the outer products."""
    x, y = node.inputs
    rank, dtype = x.type.ndim, node.outputs[0].type.dtype
    one, two = x.type.broadcastable, y.type.broadcastable
    if dtypes.is_discrete(dtype):
        return None
    if one[-1] and two[-2]:
        return mul(x, y)
    if not (one[-2] and two[-1]):
        return None
    pairs = range(rank - 2)
    rows = dimshuffle(x, [*pairs, rank - 1]), dimshuffle(y, [*pairs, rank - 2])
    return dimshuffle(reduce("sum", mul(*rows), (rank - 2,), dtype), [*pairs, "x", "x"])


def _split_det(variable: Variable, a: Variable) -> Any:
    """Return c where `variable` is c det(a), or None; c is 1 as a Python number."""
    node = variable.owner
    if node is None:
        return None
    if isinstance(node.op, Det):
        return 1 if node.inputs[0] is a else None
    if node.op is not mul:
        return None
    for i, factor_ in enumerate(node.inputs):
        rest = _split_det(factor_, a)
        if rest is not None:
            other = node.inputs[1 - i]
            return other if rest == 1 else rest * other
    return None


def _double_factor(a: Variable) -> Any:
    """Return the factor of what NumPy computes in double precision, whatever the dtype."""
    return factor(cast(a, "complex128" if dtypes.is_complex(a.type.dtype) else "float64"))


@rule(
    "det(A) inv(A) → adj(A)",
    on=mul,
    keeps="nan",
    why="the gradient of a determinant exists for singular matrices too",
)
def _adjugate(rewriter: Rewriter, node: Apply) -> Any:
    for i, matrix in enumerate(node.inputs):
        broadcast = node.inputs[1 - i].owner
        inverted = _inverted(rewriter, matrix)
        if inverted is None or broadcast is None or not isinstance(broadcast.op, DimShuffle):
            continue
        scalar = broadcast.inputs[0]
        if tuple(broadcast.op.new_order) != (*range(scalar.type.ndim), "x", "x"):
            continue
        rest = _split_det(scalar, inverted[0])
        if rest is None:
            continue
        result = cast(factor_adjugate(*_double_factor(inverted[0])), matrix.type.dtype)
        result = matrix_transpose(result) if inverted[1] else result
        return result if isinstance(rest, int) else broadcast.op(rest) * result
    return None


def _without_adjoint(variable: Variable) -> tuple[Any, bool]:
    """Return (A, False) for A, (A, True) for A^H."""
    inner, turned, conjugated = variable, False, False
    while inner.owner is not None:
        whole = transpose_of(inner)
        if whole is not None:
            turned = not turned
        elif inner.owner.op is conj:
            conjugated = not conjugated
        else:
            break
        inner = inner.owner.inputs[0]
    if turned and (conjugated or not dtypes.is_complex(variable.type.dtype)):
        return inner, True
    return variable, False


@rule(
    "solve(A, b), inv(A), det(A) → from one factorisation",
    on=(Solve, MatrixInverse, Det, SLogDet),
    phase="blas",
    why="the factorisation is most of the work",
)
def _shared_factor(rewriter: Rewriter, node: Apply) -> Any:
    """Where A has several uses."""
    op = node.op
    a, adjoint = _without_adjoint(node.inputs[0])
    # What this phase has made anew is not counted: taken as shared, which costs next to nothing.
    if rewriter.uses.get(a, 2) < 2:
        return None
    if isinstance(op, Solve):
        return FactorSolve(adjoint)(*factor(a), node.inputs[1]) if op.routine == "solve" else None
    if adjoint:
        return None
    made = factor_det
    if not isinstance(op, Det):
        made = factor_inverse if isinstance(op, MatrixInverse) else factor_slogdet
    results = made.make_node(*_double_factor(a)).outputs
    return [cast(new, out.type.dtype) for new, out in zip(results, node.outputs, strict=True)]


@rule(
    "dot(dot(x, y), v) → dot(x, dot(y, v))",
    on=Dot,
    why="of vectors, two products take a pass over each matrix",
)
def _vector_first(rewriter: Rewriter, node: Apply) -> Any:
    """Also dot(v, dot(x, y)) → dot(dot(v, x), y), for matrices whose product nothing else needs."""
    left, right = node.inputs
    for product, vector in ((left, right), (right, left)):
        made = made_by(product, Dot)
        if made is None or vector.type.ndim != 1 or product.type.ndim != 2:
            continue
        x, y = made.inputs
        if rewriter.uses.get(product, 0) > 1 or not _are_matrices(made, vector.type.dtype):
            continue
        return dot(x, dot(y, vector)) if product is left else dot(dot(vector, x), y)
    return None


def _are_matrices(product: Apply, dtype: str) -> bool:
    """Tell whether a product is one of matrices of floating point, all of a dtype."""
    return not dtypes.is_discrete(dtype) and all(
        v.type.ndim == 2 and v.type.dtype == dtype for v in product.inputs
    )


@rule("sum(dot(x, y)) → dot(sum(x), sum(y))", on=Reduction, why="no product of matrices")
def _sum_of_product(rewriter: Rewriter, node: Apply) -> Any:
    """Over rows, columns, or both, of a product that nothing else needs."""
    value = node.inputs[0]
    made = made_by(value, Dot)
    if made is None or node.op.kind != "sum" or rewriter.uses.get(value, 0) > 1:
        return None
    if not _are_matrices(made, node.outputs[0].type.dtype):
        return None
    x, y = made.inputs
    axes = node.op.axes(2)
    if 0 in axes:
        x = Reduction("sum", (0,), *node.op.asked)(x)
    if 1 in axes:
        y = Reduction("sum", (1,), *node.op.asked)(y)
    return dot(x, y)


@rule(
    "sum(x[:, None] y) → sum(x) sum(y)",
    on=Reduction,
    keeps="nan",
    why="no product of all with all",
)
def _sum_of_outer_product(rewriter: Rewriter, node: Apply) -> Any:
    """For factors each of which lacks some axes, and none that is reduced has both."""
    value = node.inputs[0]
    out, made = node.outputs[0], made_by(value, mul)
    if made is None or node.op.kind != "sum" or dtypes.is_discrete(out.type.dtype):
        return None
    patterns = [v.type.broadcastable for v in made.inputs]
    axes = node.op.axes(value.type.ndim)
    # Numbers alone are taken out of sums by another rule.
    if any(all(p) or not any(p) for p in patterns) or any(
        not any(p[a] for p in patterns) for a in axes
    ):
        return None
    if any(v.type.dtype != out.type.dtype for v in (value, *made.inputs)):
        return None
    if any(value.type.broadcastable[a] for a in axes):
        return None
    sums = []
    for v, pattern in zip(made.inputs, patterns, strict=True):
        own = [a for a in axes if not pattern[a]]
        kept = [a for a in range(len(pattern)) if a not in own]
        reduced = Reduction("sum", own, *node.op.asked)(v) if own else v
        sums.append(dimshuffle(reduced, [kept.index(a) for a in kept if a not in axes]))
    return mul(*sums)


@rule("dot(x[:, None] y, z) → x[:, None] dot(y, z)", on=Dot, why="no product of all with all")
def _outer_product_times(rewriter: Rewriter, node: Apply) -> Any:
    """For vectors x and y; also dot(z, x[:, None] y) → dot(z, x) y."""
    for side, other in ((0, node.inputs[1]), (1, node.inputs[0])):
        made = made_by(node.inputs[side], mul)
        if made is None or made.outputs[0].type.ndim != 2 or other.type.broadcastable[side - 1]:
            continue
        columns = [v for v in made.inputs if v.type.broadcastable == (False, True)]
        rows = [v for v in made.inputs if v.type.broadcastable == (True, False)]
        same = {v.type.dtype for v in (*made.inputs, other)} == {node.outputs[0].type.dtype}
        if not (columns and rows and same) or dtypes.is_discrete(other.type.dtype):
            continue
        x, y = dimshuffle(columns[0], (0,)), dimshuffle(rows[0], (1,))
        if side:
            first = dot(other, x)
            return mul(dimshuffle(first, (*range(first.type.ndim), "x")), y)
        second = dot(y, other)
        return mul(dimshuffle(x, (0, *["x"] * second.type.ndim)), second)
    return None
