"""Factorisations of matrices: LU, QR, singular values, eigenvalues; and the functions of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from theano._core.base import dtypes
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply
from theano._core.ops.arithmetic import (
    add,
    and_,
    cast,
    eq,
    gt,
    le,
    lt,
    mul,
    neg,
    sub,
    switch,
    true_div,
)
from theano._core.ops.assertions import Assert, Require
from theano._core.ops.called import Composed
from theano._core.ops.creation import ARange, join
from theano._core.ops.indexing import subtensor
from theano._core.ops.linalg import (
    solve,
    solve_upper_triangular,
)
from theano._core.ops.linalg_base import (
    MatrixOp,
    as_column,
    as_row,
    batch_pattern,
    conjugate,
    from_one_triangle,
    half,
    hermitian,
    inverse_or_zero,
    lapack_dtype,
    matrix_operand,
    on_diagonal,
    plus_hermitian,
    positions,
    product,
    products,
    real_part,
    smaller,
    triangle,
)
from theano._core.ops.op import as_variable, tensor_operand
from theano._core.ops.reductions import reduce
from theano._core.ops.shaping import dimshuffle, length, pattern_broadcast


def _outputs(op: Any, x: Any, kinds: Sequence[tuple[str, Sequence[bool]]]) -> Apply:
    outs = [TensorType(dtype, pattern) for dtype, pattern in kinds]
    return Apply(op, [x], [kind.variable_class(kind) for kind in outs])


def _matrix_like(x: Any) -> tuple[str, Sequence[bool]]:
    return x.type.dtype, (*batch_pattern(x), False, False)


def _vector_like(x: Any, dtype: str) -> tuple[str, Sequence[bool]]:
    return dtype, (*batch_pattern(x), False)


def _first(x: Any, axis: int, count: Any) -> Any:
    """Return the first `count` rows (axis -2) or columns (axis -1) of a matrix."""
    rest = x.type.ndim + axis
    return subtensor(x, [slice(None)] * rest + [slice(None, count)] + [slice(None)] * (-axis - 1))


def _after(x: Any, count: Any) -> Any:
    """Return the columns of a matrix after the first `count`."""
    return subtensor(x, [slice(None)] * (x.type.ndim - 1) + [slice(count, None)])


def _for_square(x: Any, values: Sequence[Any], why: str) -> list[Any]:
    """Return `values`, with a check that the matrix `x` is square."""
    square = eq(length(x, x.type.ndim - 2), length(x, x.type.ndim - 1))
    return [Assert(why)(value, square) for value in values]


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

    def make_node(self, x: Any) -> Apply:
        x = matrix_operand("lu", x)
        return _outputs(self, x, [_matrix_like(x), _matrix_like(x), _vector_like(x, "int64")])

    def compute(self, xp: Any, node: Apply, x: Any) -> tuple[Any, ...]:
        from scipy.linalg import lu

        m, n = x.shape[-2:]
        stack, k = x.shape[:-2], min(m, n)
        lower = np.empty((*stack, m, k), x.dtype)
        upper = np.empty((*stack, k, n), x.dtype)
        rows = np.empty((*stack, m), "int64")
        for i in np.ndindex(*stack):
            if x[i].size:
                found: Any = lu(x[i])
                lower[i], upper[i], rows[i] = found[1], found[2], found[0].argmax(axis=0)
            else:
                rows[i] = np.arange(m)
        return lower, upper, rows

    def shape(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        *stack, m, n = shapes[0]
        k = smaller(m, n)
        return [(*stack, m, k), (*stack, k, n), (*stack, m)]

    def connection(self, node: Apply) -> list[list[bool]]:
        return [[True, True, False]]

    def vjp(self, node: Apply, cotangents: Sequence[Any]) -> list[Any]:
        rows = node.outputs[2]
        g_lower, g_upper, _ = cotangents
        why = "the gradient of lu needs a square matrix"
        lower, upper = _for_square(node.inputs[0], node.outputs[:2], why)
        inner = add(
            triangle(product(hermitian(lower), g_lower), strict=True),
            triangle(product(g_upper, hermitian(upper)), lower=False),
        )
        left = solve_upper_triangular(hermitian(lower), inner)
        s = hermitian(solve_upper_triangular(upper, hermitian(left)))
        return [product(permutation_matrix(rows, s.type.dtype), s)]


lu_factor = LUFactor()


def permutation_matrix(rows: Any, dtype: str) -> Any:
    """Return P with P L U = A, where A[rows] = L U."""
    count = ARange("int64")(0, length(rows, rows.type.ndim - 1), 1)
    numbers = dimshuffle(count, ["x"] * (rows.type.ndim - 1) + [0, "x"])
    return cast(eq(as_row(rows), numbers), dtype)


class Eigh(MatrixOp):
    """Eigenvalues, ascending, and eigenvectors (columns) of a Hermitian matrix.

    Parameters
    ----------
    UPLO : {'L', 'U'}
        The triangle of the matrix that is read.
    vectors : bool
        Whether to compute the eigenvectors too.

    Notes
    -----
    LAPACK's syevd and heevd. Where eigenvalues are equal, the gradient takes nothing from
    the turning of their eigenvectors into each other, which has none.
    """

    long_rule = True
    __props__ = ("UPLO", "vectors")
    routine = "eigh"

    def __init__(self, UPLO: str = "L", vectors: bool = True) -> None:
        assert UPLO in ("L", "U"), f"UPLO must be 'L' or 'U', got {UPLO!r}"
        self.UPLO = UPLO
        self.vectors = vectors

    def flags(self) -> tuple[str, ...]:
        return ("lower",) * (self.UPLO == "L") + ("vectors",) * self.vectors

    def cores(self, node: Apply) -> tuple[int, ...]:
        return (2, 1, 2) if self.vectors else (2, 1)

    def make_node(self, x: Any) -> Apply:
        x = matrix_operand("eigh", x)
        kinds = [_vector_like(x, dtypes.real_of(x.type.dtype)), _matrix_like(x)]
        return _outputs(self, x, kinds if self.vectors else kinds[:1])

    def compute(self, xp: Any, node: Apply, x: Any) -> tuple[Any, ...]:
        if self.vectors:
            return tuple(xp.linalg.eigh(x, UPLO=self.UPLO))
        return (xp.linalg.eigvalsh(x, UPLO=self.UPLO),)

    def jax(self, j: Any, node: Apply, x: Any) -> Sequence[Any]:
        # XLA reads both triangles.
        half = j.numpy.tril(x) if self.UPLO == "L" else j.numpy.triu(x)
        diagonal = j.numpy.real(x) * j.numpy.eye(x.shape[-1])
        return super().jax(j, node, half + half.mT.conj() - diagonal)

    def shape(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        return [shapes[0][:-1], shapes[0]][: 2 if self.vectors else 1]

    def vjp(self, node: Apply, cotangents: Sequence[Any]) -> list[Any]:
        if self.vectors:
            w, v = node.outputs
            gaps = inverse_or_zero(sub(as_row(w), as_column(w)))
            inner = mul(gaps, product(hermitian(v), cotangents[1]))
        else:
            w, v = Eigh(self.UPLO)(node.inputs[0])
            inner = None
        s = product(mul(v, as_row(cotangents[0])), hermitian(v))
        if inner is not None:
            s = add(s, products(v, inner, hermitian(v)))
        return [from_one_triangle(s, self.UPLO == "L")]


class SVD(MatrixOp):
    """U, s (descending) and V^H with A = U diag(s) V^H.

    Parameters
    ----------
    full_matrices : bool
        Whether U and V^H are square; else their inner length is min(m, n).
    compute_uv : bool
        Whether to return U and V^H; else only s.

    Notes
    -----
    LAPACK's gesdd. Reverse rule after J. Townsend, "Differentiating the singular value
    decomposition" (2016), with the term of complex matrices of Z.-Q. Wan and S.-X. Zhang,
    arXiv:1909.02659. With full matrices, U and V^H have a gradient only where A is square.
    """

    long_rule = True
    __props__ = ("full_matrices", "compute_uv")
    routine = "svd"

    def __init__(self, full_matrices: bool = True, compute_uv: bool = True) -> None:
        self.full_matrices = bool(full_matrices)
        self.compute_uv = bool(compute_uv)

    def flags(self) -> tuple[str, ...]:
        return ("vectors",) * self.compute_uv + ("full",) * self.full_matrices

    def cores(self, node: Apply) -> tuple[int, ...]:
        return (2, 2, 1, 2) if self.compute_uv else (2, 1)

    def make_node(self, x: Any) -> Apply:
        x = matrix_operand("svd", x)
        values = _vector_like(x, dtypes.real_of(x.type.dtype))
        matrix = _matrix_like(x)
        return _outputs(self, x, [matrix, values, matrix] if self.compute_uv else [values])

    def compute(self, xp: Any, node: Apply, x: Any) -> tuple[Any, ...]:
        found = xp.linalg.svd(x, full_matrices=self.full_matrices, compute_uv=self.compute_uv)
        return tuple(found) if self.compute_uv else (found,)

    def shape(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        *stack, m, n = shapes[0]
        k = smaller(m, n)
        if not self.compute_uv:
            return [(*stack, k)]
        if self.full_matrices:
            return [(*stack, m, m), (*stack, k), (*stack, n, n)]
        return [(*stack, m, k), (*stack, k), (*stack, k, n)]

    def vjp(self, node: Apply, cotangents: Sequence[Any]) -> list[Any]:
        x = node.inputs[0]
        if not self.compute_uv:
            u, _, vh = SVD(False)(x)
            return [product(mul(u, as_row(cotangents[0])), vh)]
        u, s, vh = node.outputs
        g_u, g_s, g_vh = cotangents
        if self.full_matrices:
            why = "the gradient of svd with full_matrices needs a square matrix"
            u, vh = _for_square(x, [u, vh], why)
        v, g_v, uh = hermitian(vh), hermitian(g_vh), hermitian(u)
        squares = mul(s, s)
        gaps = inverse_or_zero(sub(as_row(squares), as_column(squares)))
        of_u = mul(gaps, _minus_hermitian(product(uh, g_u)))
        of_v = mul(gaps, _minus_hermitian(product(vh, g_v)))
        inner = add(mul(of_u, as_row(s)), mul(as_column(s), of_v))
        one_by_s = inverse_or_zero(s)
        if dtypes.is_complex(x.type.dtype):
            phase = on_diagonal(product(uh, g_u))
            inner = add(inner, mul(as_row(one_by_s), half(sub(phase, hermitian(phase)))))
        result = products(u, inner, vh)
        result = add(result, product(mul(u, as_row(g_s)), vh))
        rest_u = mul(sub(g_u, products(u, uh, g_u)), as_row(one_by_s))
        rest_v = mul(sub(g_v, products(v, vh, g_v)), as_row(one_by_s))
        return [add(add(result, product(rest_u, vh)), product(u, hermitian(rest_v)))]


def _minus_hermitian(x: Any) -> Any:
    return sub(x, hermitian(x))


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

    def flags(self) -> tuple[str, ...]:
        return ("vectors",) * (self.mode != "r") + ("full",) * (self.mode == "complete")

    def make_node(self, x: Any) -> Apply:
        x = matrix_operand("qr", x)
        return _outputs(self, x, [_matrix_like(x)] * (1 if self.mode == "r" else 2))

    def compute(self, xp: Any, node: Apply, x: Any) -> tuple[Any, ...]:
        found = xp.linalg.qr(x, mode=self.mode)
        return (found,) if self.mode == "r" else tuple(found)

    def shape(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        *stack, m, n = shapes[0]
        k = m if self.mode == "complete" else smaller(m, n)
        r = (*stack, k, n)
        return [r] if self.mode == "r" else [(*stack, m, k), r]

    def vjp(self, node: Apply, cotangents: Sequence[Any]) -> list[Any]:
        x = node.inputs[0]
        m, n = length(x, x.type.ndim - 2), length(x, x.type.ndim - 1)
        if self.mode == "r":
            q, r = QR("reduced")(x)
            g_q, g_r = None, cotangents[0]
        else:
            (q, r), (g_q, g_r) = node.outputs, cotangents
        if self.mode == "complete":
            q = Assert("the gradient of a complete qr needs no more rows than columns")(q, le(m, n))
        k = smaller(m, n)
        first, g_first = _first(r, -1, k), _first(g_r, -1, k)
        g_after = _after(g_r, k)
        from_after = product(_after(x, k), hermitian(g_after))
        g_q = from_after if g_q is None else add(g_q, from_after)
        inner = sub(product(first, hermitian(g_first)), product(hermitian(g_q), q))
        below = triangle(inner, strict=True)
        both = add(plus_hermitian(below), on_diagonal(real_part(inner)))
        right = add(g_q, product(q, both))
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

    def make_node(self, x: Any) -> Apply:
        x = matrix_operand("qr", x)
        return _outputs(self, x, [_matrix_like(x), _vector_like(x, x.type.dtype)])

    def compute(self, xp: Any, node: Apply, x: Any) -> tuple[Any, ...]:
        return tuple(xp.linalg.qr(x, mode="raw"))

    def shape(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        *stack, m, n = shapes[0]
        return [(*stack, n, m), (*stack, smaller(m, n))]


class Eig(MatrixOp):
    """Eigenvalues and right eigenvectors (columns, of length 1) of a square matrix.

    Both have the dtype of the matrix, as in Theano 1.0.5: of a real matrix with complex
    eigenvalues only the real parts are kept, with a warning. Make it complex to have them all.
    LAPACK's geev, in double precision.
    """

    long_rule = True
    routine = "eig"

    def cores(self, node: Apply) -> tuple[int, ...]:
        return (2, 1, 2)

    def make_node(self, x: Any) -> Apply:
        x = matrix_operand("eig", x)
        return _outputs(self, x, [_vector_like(x, x.type.dtype), _matrix_like(x)])

    def compute(self, xp: Any, node: Apply, x: Any) -> tuple[Any, ...]:
        values, vectors = xp.linalg.eig(x)
        if x.dtype.kind == "f" and not xp.any(xp.imag(values)):
            # From NumPy 2.5 on these are complex also where nothing is imaginary.
            values, vectors = xp.real(values), xp.real(vectors)
        return values.astype(x.dtype), vectors.astype(x.dtype)

    def shape(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        return [shapes[0][:-1], shapes[0]]

    def vjp(self, node: Apply, cotangents: Sequence[Any]) -> list[Any]:
        w, v = node.outputs
        g_w, g_v = cotangents
        # The columns keep their length and phase: what would change these is taken out.
        along = on_diagonal(product(hermitian(v), g_v))
        g_v = sub(g_v, product(v, along))
        gaps = conjugate(inverse_or_zero(sub(as_row(w), as_column(w))))
        inner = mul(gaps, product(hermitian(v), g_v))
        whole = add(mul(_identity_like(inner), as_row(g_w)), inner)
        return [solve(hermitian(v), product(whole, hermitian(v)))]


def _identity_like(x: Any) -> Any:
    return cast(eq(*positions(x)), x.type.dtype)


class Pinv(MatrixOp):
    """The Moore-Penrose inverse of a matrix; singular values below 1e-15 of the largest are zero.

    LAPACK's gesdd. Reverse rule after G. H. Golub and V. Pereyra, "The
    differentiation of pseudo-inverses and nonlinear least squares problems whose variables
    separate" (1973): for matrices whose rank does not change nearby.
    """

    long_rule = True
    routine = "pinv"

    def make_node(self, x: Any) -> Apply:
        x = matrix_operand("pinv", x)
        pattern = x.type.broadcastable
        return self.one([x], x.type.dtype, (*pattern[:-2], pattern[-1], pattern[-2]))

    def compute(self, xp: Any, node: Apply, x: Any) -> tuple[Any, ...]:
        return (xp.linalg.pinv(x),)

    def shape(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        *stack, m, n = shapes[0]
        return [(*stack, n, m)]

    def vjp(self, node: Apply, cotangents: Sequence[Any]) -> list[Any]:
        a, p, g = node.inputs[0], node.outputs[0], cotangents[0]
        ph, gh = hermitian(p), hermitian(g)
        first = neg(products(ph, g, ph))
        # (I - A P) G^H (P P^H) and (P^H P) G^H (I - P A)
        right = products(gh, p, ph)
        second = sub(right, products(a, p, right))
        left = products(ph, p, gh)
        third = sub(left, products(left, p, a))
        return [add(first, add(second, third))]


pinv = Pinv()


class SameRows(Require):
    """`value`, after checking that A and b of A x = b have as many rows."""

    error = np.linalg.LinAlgError
    fault = "solve_rows"


class LeastSquares(Composed):
    """The x of least length that minimises |A x - b|, as `numpy.linalg.lstsq` has it.

    Outputs: x, the sums of squares of the residuals, the rank (int64), and the singular values.
    Singular values up to `rcond` times the largest count as 0; a part that is not between 0 and 1
    means the precision of float64. Only x has a gradient, for matrices of full rank.
    """

    long_rule = True

    def make_node(self, a: Any, b: Any, rcond: Any) -> Apply:
        a, b = matrix_operand("lstsq", a), tensor_operand("lstsq", b)
        if a.type.ndim != 2 or b.type.ndim not in (1, 2):
            raise AssertionError(
                f"lstsq needs a matrix and a vector or matrix, got {a.type}, {b.type}"
            )
        dtype = lapack_dtype(a.type.dtype, b.type.dtype)
        real = dtypes.real_of(dtype)
        kinds = [
            TensorType(dtype, (False,) * b.type.ndim),
            TensorType(real, (False,)),
            TensorType("int64", ()),
            TensorType(real, (False,)),
        ]
        values = [cast(a, dtype), cast(b, dtype), as_variable(rcond)]
        return Apply(self, values, [kind.variable_class(kind) for kind in kinds])

    def compute(self, xp: Any, node: Apply, a: Any, b: Any, rcond: Any) -> tuple[Any, ...]:
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
        inside = and_(gt(rcond, 0.0), lt(rcond, 1.0))
        rcond = switch(inside, rcond, as_variable(np.finfo("float64").eps / 2))
        # A sum, since an empty matrix has no largest one.
        largest = reduce("sum", subtensor(s, [slice(None, 1)]))
        counts = gt(s, mul(rcond, largest))
        inverse = switch(
            counts, true_div(1.0, switch(counts, s, as_variable(1.0))), as_variable(0.0)
        )
        x = product(hermitian(vh), mul(as_column(inverse), product(hermitian(u), b)))
        rank = reduce("sum", cast(counts, "int64"))
        left = sub(b, product(a, x))
        squares = real_part(mul(left, conjugate(left)))
        asked = cast(and_(eq(rank, n), gt(m, n)), "int64")
        residuals = subtensor(reduce("sum", squares, (0,)), [slice(None, mul(asked, length(b, 1)))])
        if node.inputs[1].type.ndim == 1:
            x = dimshuffle(pattern_broadcast(x, (False, True)), (0,))
        dtypes_of = [out.type.dtype for out in node.outputs]
        outs = [x, residuals, rank, s]
        return [cast(out, dtype) for out, dtype in zip(outs, dtypes_of, strict=True)]

    def shape(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        (m, n), b = shapes[0], shapes[1]
        return [(n, *b[1:]), (None,), (), (smaller(m, n),)]

    def connection(self, node: Apply) -> list[list[bool]]:
        return [[True, False, False, False]] * 2 + [[False] * 4]

    def vjp(self, node: Apply, cotangents: Sequence[Any]) -> list[Any]:
        a, b, _ = node.inputs
        g = cotangents[0]
        p = pinv(a)
        if b.type.ndim == 1:
            g_p = mul(as_column(g), as_row(conjugate(b)))
            g_b = product(hermitian(p), as_column(g))
            g_b = dimshuffle(pattern_broadcast(g_b, (False, True)), (0,))
        else:
            g_p, g_b = product(g, hermitian(b)), product(hermitian(p), g)
        return [*pinv.vjp(p.owner, [g_p]), g_b, None]


eig = Eig()
