"""Eigenvalues and singular values of matrices, with their vectors."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from theano._core.base import dtypes
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.core.fill import zeros_like_float
from theano._core.ops.elementwise.arithmetic import add, eq
from theano._core.ops.elementwise.elementwise import cast
from theano._core.ops.linalg.matrices import (
    as_row,
    check_finite,
    conjugate,
    diagonal_of,
    for_square,
    from_one_triangle,
    half,
    half_triangle,
    hermitian,
    matrix_like,
    matrix_operand,
    off_diagonal,
    on_diagonal,
    outputs_of,
    plus_hermitian,
    positions,
    product,
    products,
    real_part,
    smaller,
    vector_like,
)
from theano._core.ops.linalg.quotients import (
    Quotient,
    SpectralOp,
    differences,
    size_of,
    sums,
    themselves,
    values_of,
)
from theano._core.ops.linalg.systems import solve

if TYPE_CHECKING:
    import numpy as np

    from theano._core.ir.annotations import ArrayModule, Dims, TensorLike
    from theano._core.ir.hooks import Hook
    from theano._core.ops.core.protocols import Forward


class Eig(SpectralOp):
    """Eigenvalues and right eigenvectors (columns, of length 1) of a square matrix.

    Both have the dtype of the matrix, as in Theano 1.0.5: of a real matrix with complex
    eigenvalues only the real parts are kept, with a warning. Make it complex to have them all.
    LAPACK's geev, in double precision. Where eigenvalues are equal, see `Eigh`.
    """

    routine = "eig"

    def cores(self, node: Apply) -> tuple[int, ...]:
        return (2, 1, 2)

    def make_node(self, x: Variable) -> Apply:
        x = matrix_operand("eig", x)
        return outputs_of(self, x, [vector_like(x, x.type.dtype), matrix_like(x)])

    def compute(self, xp: ArrayModule, node: Apply, x: np.ndarray) -> tuple[Any, ...]:
        values, vectors = xp.linalg.eig(x)
        if x.dtype.kind == "f" and not xp.any(xp.imag(values)):
            # From NumPy 2.5 on these are complex also where nothing is imaginary.
            values, vectors = xp.real(values), xp.real(vectors)
        return values.astype(x.dtype), vectors.astype(x.dtype)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [shapes[0][:-1], shapes[0]]

    def quotients(self, node: Apply, cotangents: Sequence[Variable]) -> list[Quotient]:
        g = cotangents[1]
        if g is None:
            return []
        w, v = node.outputs
        adjoint, gaps = hermitian(v), differences(w)
        # The columns keep their length and phase: what would change these is taken out.
        along = on_diagonal(product(adjoint, g))
        turning = off_diagonal(product(adjoint, g - product(v, along)))
        return [Quotient(turning, gaps.replace(value=conjugate(gaps.value)), size_of(g))]

    def vjp(
        self, node: Apply, cotangents: Sequence[Variable], limits: Sequence[Variable] = ()
    ) -> list[Any]:
        v = node.outputs[1]
        inner = values_of(self.quotients(node, cotangents), limits)
        if cotangents[0] is not None:
            inner.append(_identity_like(v) * as_row(cotangents[0]))
        adjoint = hermitian(v)
        return [solve(adjoint, product(_total(inner), adjoint))]

    def jvp(self, node: Apply, tangents: Sequence[Variable | None], forward: Forward) -> list[Any]:
        w, v = node.outputs
        inner = solve(v, product(tangents[0], v))
        of_v = product(v, Quotient(off_diagonal(inner), differences(w), size_of(inner)).value())
        along = on_diagonal(product(hermitian(v), of_v))
        return [diagonal_of(inner), of_v - product(v, along)]


class Eigh(Eig):
    """Eigenvalues, ascending, and eigenvectors (columns) of a Hermitian matrix.

    Parameters
    ----------
    UPLO : {'L', 'U'}
        The triangle of the matrix that is read.
    vectors : bool
        Whether to compute the eigenvectors too.

    Notes
    -----
    LAPACK's syevd and heevd, in double precision as in NumPy. Where eigenvalues are equal, what
    does not depend on the choice of their eigenvectors has the right gradient, and what does has
    one that is not finite. In forward mode such eigenvectors have a derivative only along
    directions in which they need not turn.
    """

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

    def make_node(self, x: Variable) -> Apply:
        x = matrix_operand("eigh", x)
        types = [vector_like(x, dtypes.real_of(x.type.dtype)), matrix_like(x)]
        return outputs_of(self, x, types if self.vectors else types[:1])

    def compute(self, xp: ArrayModule, node: Apply, x: TensorLike) -> tuple[Any, ...]:
        read = xp.tril(x) if self.UPLO == "L" else xp.triu(x)
        check_finite(xp, "Eigenvalues did not converge", read)
        if self.vectors:
            return tuple(xp.linalg.eigh(x, UPLO=self.UPLO))
        return (xp.linalg.eigvalsh(x, UPLO=self.UPLO),)

    def jax(self, j: Any, node: Apply, x: Variable) -> Sequence[Any]:
        # XLA reads both triangles.
        half = j.numpy.tril(x) if self.UPLO == "L" else j.numpy.triu(x)
        diagonal = j.numpy.real(x) * j.numpy.eye(x.shape[-1])
        return super().jax(j, node, half + half.mT.conj() - diagonal)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [shapes[0][:-1], shapes[0]][: 2 if self.vectors else 1]

    def limits(
        self, node: Apply, cotangents: Sequence[Variable | None], forward: Hook
    ) -> list[Any]:
        if self.vectors:
            return super().limits(node, cotangents, forward)
        # The eigenvectors are made where it can be seen that their cotangents depend on the values.
        return [self._pair(node)[1]]

    def _pair(self, node: Apply) -> list[Any]:
        """Return eigenvalues and eigenvectors."""
        return node.outputs if self.vectors else Eigh(str(self.UPLO))(node.inputs[0])

    def quotients(self, node: Apply, cotangents: Sequence[Variable | None]) -> list[Quotient]:
        g = cotangents[1]
        if g is None:
            return []
        w, v = node.outputs
        turning = off_diagonal(half(_minus_hermitian(product(hermitian(v), g))))
        return [Quotient(turning, differences(w), size_of(g))]

    def vjp(
        self, node: Apply, cotangents: Sequence[Variable | None], limits: Sequence[Variable] = ()
    ) -> list[Any]:
        v = node.outputs[1] if self.vectors else limits[0]
        inner = [] if cotangents[0] is None else [v * as_row(cotangents[0])]
        if self.vectors:
            values = values_of(self.quotients(node, cotangents), limits)
            inner += [product(v, x) for x in values]
        return [from_one_triangle(product(_total(inner), hermitian(v)), self.UPLO == "L")]

    def jvp(self, node: Apply, tangents: Sequence[Variable | None], forward: Forward) -> list[Any]:
        w, v = self._pair(node)
        tangent = plus_hermitian(half_triangle(tangents[0], self.UPLO == "L"))
        inner = products(hermitian(v), tangent, v)
        of_w = diagonal_of(real_part(inner))
        if not self.vectors:
            return [of_w]
        turning = Quotient(off_diagonal(inner), differences(w), size_of(tangent)).value()
        return [of_w, product(v, turning)]


_SQUARE = "the gradient of svd with full_matrices needs a square matrix"


class SVD(SpectralOp):
    """U, s (descending) and V^H with A = U diag(s) V^H.

    Parameters
    ----------
    full_matrices : bool
        Whether U and V^H are square; else their inner length is min(m, n).
    compute_uv : bool
        Whether to return U and V^H; else only s.

    Notes
    -----
    LAPACK's gesdd, in double precision as in NumPy. Reverse rule after J. Townsend,
    "Differentiating the singular value decomposition" (2016), with the term of complex matrices of
    Z.-Q. Wan and S.-X. Zhang, arXiv:1909.02659. With full matrices, U and V^H have a gradient only
    where A is square. Where singular values are equal or zero, see `Eigh`.
    """

    __props__ = ("full_matrices", "compute_uv")
    routine = "svd"

    def __init__(self, full_matrices: bool = True, compute_uv: bool = True) -> None:
        self.full_matrices = bool(full_matrices)
        self.compute_uv = bool(compute_uv)

    def flags(self) -> tuple[str, ...]:
        return ("vectors",) * self.compute_uv + ("full",) * self.full_matrices

    def cores(self, node: Apply) -> tuple[int, ...]:
        return (2, 2, 1, 2) if self.compute_uv else (2, 1)

    def make_node(self, x: Variable) -> Apply:
        x = matrix_operand("svd", x)
        values = vector_like(x, dtypes.real_of(x.type.dtype))
        matrix = matrix_like(x)
        return outputs_of(self, x, [matrix, values, matrix] if self.compute_uv else [values])

    def compute(self, xp: ArrayModule, node: Apply, x: np.ndarray) -> tuple[Any, ...]:
        check_finite(xp, "SVD did not converge", x)
        factors = xp.linalg.svd(x, full_matrices=self.full_matrices, compute_uv=self.compute_uv)
        return tuple(factors) if self.compute_uv else (factors,)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        *stack, m, n = shapes[0]
        k = smaller(m, n)
        if not self.compute_uv:
            return [(*stack, k)]
        if self.full_matrices:
            return [(*stack, m, m), (*stack, k), (*stack, n, n)]
        return [(*stack, m, k), (*stack, k), (*stack, k, n)]

    def values(self, node: Apply) -> Any:
        return node.outputs[1 if self.compute_uv else 0]

    def limits(
        self, node: Apply, cotangents: Sequence[Variable | None], forward: Hook
    ) -> list[Any]:
        if self.compute_uv:
            return super().limits(node, cotangents, forward)
        # As for eigenvectors.
        u, _, vh = self._factors(node)
        return [u, vh]

    def _factors(self, node: Apply) -> list[Any]:
        """Return U, s and V^H, as square matrices or with as many columns and rows as values."""
        x = node.inputs[0]
        if not self.compute_uv:
            return SVD(False)(x)
        u, s, vh = node.outputs
        if self.full_matrices:
            u, vh = for_square(x, [u, vh], _SQUARE)
        return [u, s, vh]

    def quotients(self, node: Apply, cotangents: Sequence[Variable | None]) -> list[Quotient]:
        g_u, _, g_vh = cotangents
        if g_u is None and g_vh is None:
            return []
        u, s, vh = self._factors(node)
        v = hermitian(vh)
        if self.full_matrices:
            g_u, g_vh = (
                g if g is None else for_square(node.inputs[0], [g], _SQUARE)[0] for g in (g_u, g_vh)
            )
        g_u = zeros_like_float(u) if g_u is None else g_u
        g_v = zeros_like_float(v) if g_vh is None else hermitian(g_vh)
        of_u, of_v = (
            half(_minus_hermitian(product(hermitian(x), g))) for x, g in ((u, g_u), (v, g_v))
        )
        size, alone = size_of(g_u, g_v), themselves(s)
        return [
            Quotient(off_diagonal(of_u + of_v), differences(s), size),
            Quotient(of_u - of_v, sums(s), size),
            *(Quotient(_outside(g, x), alone, size, True) for x, g in ((u, g_u), (v, g_v))),
        ]

    def vjp(
        self, node: Apply, cotangents: Sequence[Variable | None], limits: Sequence[Variable] = ()
    ) -> list[Any]:
        if not self.compute_uv:
            u, vh = limits
            return [product(u * as_row(cotangents[0]), vh)]
        u, _, vh = self._factors(node)
        left = [] if cotangents[1] is None else [u * as_row(cotangents[1])]
        values = values_of(self.quotients(node, cotangents), limits)
        if not values:
            return [product(_total(left), vh)]
        both, each, rest_u, rest_v = values
        left += [product(u, both + each), rest_u]
        return [product(_total(left), vh) + product(u, hermitian(rest_v))]

    def jvp(self, node: Apply, tangents: Sequence[Variable | None], forward: Forward) -> list[Any]:
        u, s, vh = self._factors(node)
        v, tangent = hermitian(vh), tangents[0]
        of_v, of_u = product(tangent, v), product(hermitian(tangent), u)
        inner = product(hermitian(u), of_v)
        of_s = diagonal_of(real_part(inner))
        if not self.compute_uv:
            return [of_s]
        size = size_of(tangent)
        both = Quotient(off_diagonal(half(plus_hermitian(inner))), differences(s), size).value()
        each = Quotient(half(_minus_hermitian(inner)), sums(s), size).value()
        alone = themselves(s)
        rest_u, rest_v = (
            Quotient(_outside(x, y), alone, size).value() for x, y in ((of_v, u), (of_u, v))
        )
        of_u = product(u, both + each) + rest_u
        of_v = product(v, both - each) + rest_v
        return [of_u, of_s, hermitian(of_v)]


def _minus_hermitian(x: Variable) -> Any:
    return x - hermitian(x)


def _outside(x: Variable, basis: Variable) -> Any:
    """Return what of the columns of `x` is not spanned by an orthonormal basis."""
    return x - products(basis, hermitian(basis), x)


def _total(terms: Sequence[Variable]) -> Any:
    return functools.reduce(add, terms)


def _identity_like(x: Variable) -> Any:
    return cast(eq(*positions(x)), x.type.dtype)


eig = Eig()
