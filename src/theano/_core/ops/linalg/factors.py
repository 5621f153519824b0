"""Factorisations of matrices, LU and QR, and what is computed by factors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.base import dtypes
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.assertions import Assert, Require
from theano._core.ops.array.creation import iota, join
from theano._core.ops.array.indexing import subtensor
from theano._core.ops.array.reductions import reduce
from theano._core.ops.array.shaping import length, pattern_broadcast
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.core.naming import hashed_as, known_as, variant
from theano._core.ops.core.op import as_variable, tensor_operand
from theano._core.ops.core.python_call import Composed
from theano._core.ops.elementwise.arithmetic import eq, gt, switch
from theano._core.ops.elementwise.elementwise import cast
from theano._core.ops.linalg.matrices import (
    MatrixOp,
    as_column,
    as_row,
    check_finite,
    conjugate,
    for_square,
    hermitian,
    lapack_dtype,
    matrix_like,
    matrix_operand,
    on_diagonal,
    outputs_of,
    plus_hermitian,
    product,
    products,
    real_part,
    scipy_linalg,
    smaller,
    triangle,
    vector_like,
)
from theano._core.ops.linalg.spectra import SVD
from theano._core.ops.linalg.systems import solve_upper_triangular

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, Dims, TensorLike


def _first(x: Variable, axis: int, count: Variable) -> Any:
    """Return the first `count` rows (axis -2) or columns (axis -1) of a matrix."""
    rest = x.type.ndim + axis
    return subtensor(x, [slice(None)] * rest + [slice(None, count)] + [slice(None)] * (-axis - 1))


def _after(x: Variable, count: Variable) -> Any:
    """Return the columns of a matrix after the first `count`."""
    return subtensor(x, [slice(None)] * (x.type.ndim - 1) + [slice(count, None)])


class LUFactor(MatrixOp):
    """L (unit lower triangular), U (upper triangular) and rows with A[rows] = L U.

    For A of shape (m, n) and k = min(m, n): L of shape (m, k), U of (k, n), rows (int64) of m.
    LAPACK's getrf; a singular matrix has zeros on the diagonal of U. The gradient is that of a
    square matrix whose rows are exchanged as they were: rows have none.
    """

    long_rule = True
    routine = "lu"

    def cores(self, node: Apply) -> tuple[int, ...]:
        return (2, 2, 2, 1)

    def make_node(self, x: TensorLike) -> Apply:
        x = matrix_operand("lu", x)
        return outputs_of(self, x, [matrix_like(x), matrix_like(x), vector_like(x, "int64")])

    def compute(self, xp: ArrayModule, node: Apply, x: np.ndarray) -> tuple[Any, ...]:
        m, n = x.shape[-2:]
        stack, k = x.shape[:-2], min(m, n)
        lower = np.empty((*stack, m, k), x.dtype)
        upper = np.empty((*stack, k, n), x.dtype)
        rows = np.empty((*stack, m), "int64")
        for i in np.ndindex(*stack):
            if x[i].size:
                factors: Any = scipy_linalg().lu(x[i])
                lower[i], upper[i], rows[i] = factors[1], factors[2], factors[0].argmax(axis=0)
            else:
                rows[i] = np.arange(m)
        return lower, upper, rows

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        *stack, m, n = shapes[0]
        k = smaller(m, n)
        return [(*stack, m, k), (*stack, k, n), (*stack, m)]

    def connection(self, node: Apply) -> list[list[bool]]:
        return [[True, True, False]]

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        rows = node.outputs[2]
        g_lower, g_upper, _ = cotangents
        why = "the gradient of lu needs a square matrix"
        lower, upper = for_square(node.inputs[0], node.outputs[:2], why)
        inner = triangle(product(hermitian(lower), g_lower), strict=True) + triangle(
            product(g_upper, hermitian(upper)), lower=False
        )
        left = solve_upper_triangular(hermitian(lower), inner)
        s = hermitian(solve_upper_triangular(upper, hermitian(left)))
        return [product(permutation_matrix(rows, s.type.dtype), s)]


lu_factor = LUFactor()


def permutation_matrix(rows: Variable, dtype: str) -> Any:
    """Return P with P L U = A, where A[rows] = L U."""
    count = iota(length(rows, rows.type.ndim - 1))
    numbers = dimshuffle(count, ["x"] * (rows.type.ndim - 1) + [0, "x"])
    return cast(eq(as_row(rows), numbers), dtype)


@hashed_as("QRFull")
class QR(MatrixOp):
    """Q with orthonormal columns and R upper triangular, with A = Q R.

    Parameters
    ----------
    mode : {'reduced', 'complete', 'r'}
        Q of shape (m, min(m, n)); Q of shape (m, m); only R.

    Notes
    -----
    LAPACK's geqrf and orgqr. Reverse rule after S. F. Walter and L. Lehmann, "Algorithmic
    differentiation of linear algebra functions with application in optimum experimental design"
    (2010), the columns after the first m of a wide matrix apart. 'complete' has one only where
    m <= n, and all need the first min(m, n) columns to be independent.
    """

    long_rule = True
    __props__ = ("mode",)
    routine = "qr"

    def __init__(self, mode: str = "reduced") -> None:
        if mode not in ("reduced", "complete", "r"):
            raise ValueError(
                f"mode of qr must be 'reduced', 'complete', 'r' or 'raw', got {mode!r}"
            )
        self.mode = mode
        self.__class__ = variant(QR, "QRIncomplete" if mode == "r" else "QRFull")

    def flags(self) -> tuple[str, ...]:
        return ("vectors",) * (self.mode != "r") + ("full",) * (self.mode == "complete")

    def make_node(self, x: TensorLike) -> Apply:
        x = matrix_operand("qr", x)
        return outputs_of(self, x, [matrix_like(x)] * (1 if self.mode == "r" else 2))

    def compute(self, xp: ArrayModule, node: Apply, x: np.ndarray) -> tuple[Any, ...]:
        factors = xp.linalg.qr(x, mode=self.mode)
        return (factors,) if self.mode == "r" else tuple(factors)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        *stack, m, n = shapes[0]
        k = m if self.mode == "complete" else smaller(m, n)
        r = (*stack, k, n)
        return [r] if self.mode == "r" else [(*stack, m, k), r]

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        x = node.inputs[0]
        m, n = length(x, x.type.ndim - 2), length(x, x.type.ndim - 1)
        if self.mode == "r":
            q, r = QR("reduced")(x)
            g_q, g_r = None, cotangents[0]
        else:
            (q, r), (g_q, g_r) = node.outputs, cotangents
        if self.mode == "complete":
            q = Assert("the gradient of a complete qr needs no more rows than columns")(q, m <= n)
        k = smaller(m, n)
        first, g_first = _first(r, -1, k), _first(g_r, -1, k)
        g_after = _after(g_r, k)
        from_after = product(_after(x, k), hermitian(g_after))
        g_q = from_after if g_q is None else g_q + from_after
        inner = product(first, hermitian(g_first)) - product(hermitian(g_q), q)
        below = triangle(inner, strict=True)
        both = plus_hermitian(below) + on_diagonal(real_part(inner))
        right = g_q + product(q, both)
        left = hermitian(solve_upper_triangular(first, hermitian(right)))
        return [join(x.type.ndim - 1, left, product(q, g_after))]


class QRRaw(MatrixOp):
    """What LAPACK's geqrf leaves, as `numpy.linalg.qr` has it with mode 'raw'.

    For A of shape (m, n): h of shape (n, m), whose columns hold R and, below it, the vectors of
    Householder's reflections; and their factors tau, of min(m, n).
    """

    not_differentiated = "use Q and R, which have derivatives"

    routine = "qr_raw"

    def cores(self, node: Apply) -> tuple[int, ...]:
        return (2, 2, 1)

    def make_node(self, x: Variable) -> Apply:
        x = matrix_operand("qr", x)
        return outputs_of(self, x, [matrix_like(x), vector_like(x, x.type.dtype)])

    def compute(self, xp: ArrayModule, node: Apply, x: np.ndarray) -> tuple[Any, ...]:
        return tuple(xp.linalg.qr(x, mode="raw"))

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        *stack, m, n = shapes[0]
        return [(*stack, n, m), (*stack, smaller(m, n))]


@known_as("MatrixPinv")
class Pinv(MatrixOp):
    """The Moore-Penrose inverse of a matrix; singular values below 1e-15 of the largest are zero.

    LAPACK's gesdd. Reverse rule after G. H. Golub and V. Pereyra, "The
    differentiation of pseudo-inverses and nonlinear least squares problems whose variables
    separate" (1973): for matrices whose rank does not change nearby.
    """

    long_rule = True
    routine = "pinv"

    def make_node(self, x: Variable) -> Apply:
        x = matrix_operand("pinv", x)
        pattern = x.type.broadcastable
        return self.one([x], x.type.dtype, (*pattern[:-2], pattern[-1], pattern[-2]))

    def compute(self, xp: ArrayModule, node: Apply, x: np.ndarray) -> tuple[Any, ...]:
        check_finite(xp, "SVD did not converge", x)
        return (xp.linalg.pinv(x),)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        *stack, m, n = shapes[0]
        return [(*stack, n, m)]

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        a, p, g = node.inputs[0], node.outputs[0], cotangents[0]
        ph, gh = hermitian(p), hermitian(g)
        first = -products(ph, g, ph)
        # (I - A P) G^H (P P^H) and (P^H P) G^H (I - P A)
        right = products(gh, p, ph)
        second = right - products(a, p, right)
        left = products(ph, p, gh)
        third = left - products(left, p, a)
        return [first + (second + third)]


pinv = Pinv()


class SameRows(Require):
    """`value`, after checking that A and b of A x = b have as many rows."""

    error = np.linalg.LinAlgError
    fault = "solve_rows"


@known_as("lstsq")
class LeastSquares(Composed):
    """The x of least length that minimises |A x - b|, as `numpy.linalg.lstsq` has it.

    Outputs: x, the sums of squares of the residuals, the rank (int64), and the singular values.
    Singular values up to `rcond` times the largest count as 0; a part that is not between 0 and 1
    means the precision of float64. Only x has a gradient, for matrices of full rank.
    """

    long_rule = True

    def make_node(self, a: Variable, b: Variable, rcond: TensorLike) -> Apply:
        a, b = matrix_operand("lstsq", a), tensor_operand("lstsq", b)
        if a.type.ndim != 2 or b.type.ndim not in (1, 2):
            raise AssertionError(
                f"lstsq needs a matrix and a vector or matrix, got {a.type}, {b.type}"
            )
        dtype = lapack_dtype(a.type.dtype, b.type.dtype)
        real = dtypes.real_of(dtype)
        types = [
            TensorType(dtype, (False,) * b.type.ndim),
            TensorType(real, (False,)),
            TensorType("int64", ()),
            TensorType(real, (False,)),
        ]
        values = [cast(a, dtype), cast(b, dtype), as_variable(rcond)]
        return Apply(self, values, [type_.output() for type_ in types])

    def compute(
        self, xp: ArrayModule, node: Apply, a: np.ndarray, b: np.ndarray, rcond: np.ndarray
    ) -> tuple[Any, ...]:
        check_finite(xp, "SVD did not converge", a)
        return tuple(xp.linalg.lstsq(a, b, float(rcond)))

    def expression(self, node: Apply) -> list[Any]:
        a, b, rcond = node.inputs
        m, n = length(a, 0), length(a, 1)
        same = SameRows("A x = b: A has {} rows, b has {}; they must be equal", 2)
        b = same(b, m, length(b, 0), eq(m, length(b, 0)))
        if b.type.ndim == 1:
            b = as_column(b)
        # As NumPy: in double precision whatever the dtype, which decides about the rank.
        a, b = (cast(v, dtypes.upcast(v.type.dtype, "float64")) for v in (a, b))
        u, s, vh = SVD(full_matrices=False)(a)
        rcond = cast(rcond, "float64")
        inside = (rcond > 0.0) & (rcond < 1.0)
        rcond = switch(inside, rcond, as_variable(np.finfo("float64").eps / 2))
        # A sum, since an empty matrix has no largest one.
        largest = reduce("sum", subtensor(s, [slice(None, 1)]))
        counts = s > rcond * largest
        inverse = switch(counts, 1.0 / switch(counts, s, as_variable(1.0)), as_variable(0.0))
        x = product(hermitian(vh), as_column(inverse) * product(hermitian(u), b))
        rank = reduce("sum", cast(counts, "int64"))
        left = b - product(a, x)
        squares = real_part(left * conjugate(left))
        asked = cast(eq(rank, n) & gt(m, n), "int64")
        residuals = subtensor(reduce("sum", squares, (0,)), [slice(None, asked * length(b, 1))])
        if node.inputs[1].type.ndim == 1:
            x = dimshuffle(pattern_broadcast(x, (False, True)), (0,))
        dtypes_of = [out.type.dtype for out in node.outputs]
        outs = [x, residuals, rank, s]
        return [cast(out, dtype) for out, dtype in zip(outs, dtypes_of, strict=True)]

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        (m, n), b = shapes[0], shapes[1]
        return [(n, *b[1:]), (None,), (), (smaller(m, n),)]

    def connection(self, node: Apply) -> list[list[bool]]:
        return [[True, False, False, False]] * 2 + [[False] * 4]

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        a, b, _ = node.inputs
        g = cotangents[0]
        p = pinv(a)
        if b.type.ndim == 1:
            g_p = as_column(g) * as_row(conjugate(b))
            g_b = product(hermitian(p), as_column(g))
            g_b = dimshuffle(pattern_broadcast(g_b, (False, True)), (0,))
        else:
            g_p, g_b = product(g, hermitian(b)), product(hermitian(p), g)
        return [*pinv.vjp(p.owner, [g_p]), g_b, None]
