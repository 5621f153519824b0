"""Linear systems: Cholesky's factor, solutions, inverses and determinants, through LAPACK."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.base import dtypes
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.indexing import sum_to
from theano._core.ops.array.reductions import reduce
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.core.op import shape_of, tensor_operand
from theano._core.ops.elementwise.arithmetic import complex_, imag, isnan, switch
from theano._core.ops.elementwise.elementwise import broadcast_shape, cast, same_rank
from theano._core.ops.linalg.matrices import (
    MatrixOp,
    MatrixTangent,
    as_column,
    as_row,
    batch_pattern,
    conjugate,
    from_one_triangle,
    half_triangle,
    hermitian,
    matrix_operand,
    per_matrix,
    plus_hermitian,
    product,
    products,
    real_part,
    scalar_of_stack,
    solution_dtype,
    triangle,
)

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, Dims, TensorLike
    from theano._core.ops.core.protocols import Batching, Forward, Trace


class Cholesky(MatrixOp):
    """The triangular L with L L^H = A, or U with U^H U = A, of a positive definite matrix.

    Parameters
    ----------
    lower : bool
        Return L and read only the lower triangle of A; else U, from the upper triangle.
    on_error : {'raise', 'nan'}
        What a matrix that is not positive definite gives: LinAlgError, or NaN everywhere.

    Notes
    -----
    LAPACK's potrf. Reverse rule after I. Murray, "Differentiation of the Cholesky decomposition",
    arXiv:1602.07527: as only one triangle of A is read, the gradient is zero in the other.
    """

    long_rule = True
    __props__ = ("lower", "on_error")
    routine = "cholesky"
    shape = shape_of(0)

    def __init__(self, lower: bool = True, on_error: str = "raise") -> None:
        if on_error not in ("raise", "nan"):
            raise ValueError(f'on_error must be one of "raise" or "nan", got {on_error!r}')
        self.lower = bool(lower)
        self.on_error = on_error

    def flags(self) -> tuple[str, ...]:
        return ("lower",) * self.lower + ("nan",) * (self.on_error == "nan")

    def make_node(self, x: Variable) -> Apply:
        x = matrix_operand("cholesky", x)
        return self.one([x], x.type.dtype, x.type.broadcastable)

    def compute(self, xp: ArrayModule, node: Apply, x: np.ndarray) -> tuple[Any, ...]:
        # NumPy reads the lower triangle only.
        a = x if self.lower else xp.conj(xp.swapaxes(x, -1, -2))
        if self.on_error == "nan":
            factor = per_matrix(_cholesky_or_nan, a, a.shape[-2:])
        else:
            factor = xp.linalg.cholesky(a)
        return (factor if self.lower else xp.conj(xp.swapaxes(factor, -1, -2)),)

    def jax(self, j: Trace, node: Apply, x: np.ndarray) -> tuple[Any, ...]:
        a = x if self.lower else x.mT.conj()
        factor = j.lax.linalg.cholesky(a, symmetrize_input=False)
        if self.on_error == "raise":
            j.require(j.numpy.isfinite(factor))
        return (factor if self.lower else factor.mT.conj(),)

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        factor, g = node.outputs[0], cotangents[0]
        if not self.lower:
            factor, g = hermitian(factor), hermitian(g)
        result = cholesky_cotangent(factor, g)
        if self.on_error == "nan":
            # Of a matrix without a factor nothing is known, not even of the triangle not read.
            rank = factor.type.ndim
            unknown = isnan(real_part(reduce("sum", factor, (rank - 2, rank - 1))))
            result = switch(scalar_of_stack(unknown), np.asarray(np.nan, factor.type.dtype), result)
        return [result if self.lower else hermitian(result)]

    def jvp(self, node: Apply, tangents: Sequence[Variable | None], forward: Forward) -> list[Any]:
        factor, tangent = node.outputs[0], tangents[0]
        if self.lower:
            return [cholesky_tangent(factor, tangent)]
        return [hermitian(cholesky_tangent(hermitian(factor), hermitian(tangent)))]

    def __str__(self) -> str:
        options = f"lower={self.lower}, destructive=False, on_error={self.on_error!r}"
        return f"Cholesky{{{options}}}"


def _cholesky_or_nan(a: np.ndarray) -> np.ndarray:
    try:
        return np.linalg.cholesky(a)
    except np.linalg.LinAlgError:
        return np.full(a.shape, np.nan, dtype=a.dtype)


cholesky = Cholesky()


class CholeskyTangent(MatrixTangent):
    """The tangent of L, for that of L L^H, of which the lower triangle is read.

    L times the lower triangle, its diagonal halved, of L^-1 dA L^-H; computed by blocks, as in
    section 3 of Murray's paper.
    """

    routine = "cholesky_tangent"

    def compute(
        self, xp: Any, node: Apply, factor: np.ndarray, tangent: TensorLike
    ) -> tuple[Any, ...]:
        one = xp.eye(factor.shape[-1])
        lower = xp.tril(tangent, -1) + 0.5 * xp.real(tangent) * one
        left = xp.linalg.solve(factor, lower + xp.conj(xp.swapaxes(lower, -1, -2)))
        inner = xp.linalg.solve(factor, xp.conj(xp.swapaxes(left, -1, -2)))
        inner = xp.tril(inner) - 0.5 * inner * one
        return (xp.matmul(factor, inner).astype(factor.dtype),)

    def expression(self, node: Apply) -> Any:
        factor, tangent = node.inputs
        left = solve_lower_triangular(factor, plus_hermitian(half_triangle(tangent)))
        return product(factor, half_triangle(solve_lower_triangular(factor, hermitian(left))))


cholesky_tangent = CholeskyTangent()


class CholeskyCotangent(MatrixTangent):
    """The cotangent of L L^H, of which the lower triangle is read, for that of L.

    The lower triangle of S + S^H, its diagonal halved, with S = L^-H P L^-1 and P the lower
    triangle of L^H G, its diagonal halved; computed by halves of L, as in section 3 of Murray's
    paper, with a third of the operations. Only the lower triangle of G is read.
    """

    routine = "cholesky_cotangent"

    def compute(
        self, xp: Any, node: Apply, factor: np.ndarray, cotangent: TensorLike
    ) -> tuple[Any, ...]:
        def adjoint(x: Any) -> Any:
            return xp.conj(xp.swapaxes(x, -1, -2))

        def half(x: Any) -> Any:
            return xp.tril(x) - 0.5 * x * xp.eye(x.shape[-1])

        upper = adjoint(factor)
        left = xp.linalg.solve(upper, half(xp.matmul(upper, xp.tril(cotangent))))
        s = adjoint(xp.linalg.solve(upper, adjoint(left)))
        return (half(s + adjoint(s)).astype(factor.dtype),)

    def jax(self, j: Trace, node: Apply, *arrays: np.ndarray) -> Sequence[Any]:
        # Of a matrix without a factor, `Cholesky` has told.
        return self.compute(j.numpy, node, *arrays)

    def expression(self, node: Apply) -> Any:
        factor, g = node.inputs
        upper = hermitian(factor)
        left = solve_upper_triangular(upper, half_triangle(product(upper, triangle(g))))
        return from_one_triangle(hermitian(solve_upper_triangular(upper, hermitian(left))), True)


cholesky_cotangent = CholeskyCotangent()

STRUCTURES = (
    "general",
    "symmetric",
    "hermitian",
    "positive_definite",
    "lower_triangular",
    "upper_triangular",
    "banded",
    "diagonal",
    "toeplitz",
)


class Solve(MatrixOp):
    """The solution x of A x = b, for a vector or matrix b, or stacks of these.

    Parameters
    ----------
    A_structure : str
        'lower_triangular' and 'upper_triangular' read one triangle of A only, and
        'positive_definite' (Hermitian) reads the one that `lower` says; all others are solved as
        a general matrix.
    lower : bool
    overwrite_A, overwrite_b : bool
        Accepted without effect: memory is the engine's affair.

    Raises
    ------
    LinAlgError
        A is singular or not square, or not positive definite although that was said.

    Notes
    -----
    LAPACK's getrf and getrs, trtrs, potrf and potrs.
    """

    long_rule = True
    __props__ = ("A_structure", "lower")

    def __init__(
        self,
        A_structure: str = "general",
        lower: bool = False,
        overwrite_A: bool = False,
        overwrite_b: bool = False,
    ) -> None:
        if A_structure not in STRUCTURES:
            raise ValueError(
                f"Invalid matrix structure argument {A_structure!r}, must be one of {STRUCTURES}"
            )
        self.A_structure = A_structure
        if A_structure in ("lower_triangular", "upper_triangular"):
            lower = A_structure == "lower_triangular"
        self.lower = bool(lower)
        routines = {
            "lower_triangular": "solve_triangular",
            "upper_triangular": "solve_triangular",
            "positive_definite": "solve_positive",
        }
        self.routine = routines.get(A_structure, "solve")

    def flags(self) -> tuple[str, ...]:
        return ("lower",) * (self.lower and self.routine != "solve")

    def cores(self, node: Apply) -> tuple[int, ...]:
        core = 1 if node.inputs[1].type.ndim == 1 else 2
        return (2, core, core)

    def __call__(self, *inputs: Any, **options: object) -> Any:
        if len(inputs) == 2:
            a, b = tensor_operand("solve", inputs[0]), tensor_operand("solve", inputs[1])
            if b.type.ndim == 1 and a.type.ndim > 2:
                whole = super().__call__(a, as_column(b), **options)
                return dimshuffle(whole, range(whole.type.ndim - 1))
            inputs = (a, b)
        return super().__call__(*inputs, **options)

    def make_node(self, A: TensorLike, b: Variable) -> Apply:
        a, b = tensor_operand("solve", A), tensor_operand("solve", b)
        dtype = solution_dtype(a.type.dtype, b.type.dtype)
        a, b = matrix_operand("solve", a, dtype), cast(b, dtype)
        if b.type.ndim == 0:
            raise AssertionError(f"solve needs a vector or a matrix on the right, got {b.type}")
        if b.type.ndim == 1:
            if a.type.ndim > 2:
                raise AssertionError("solve needs matrices on the right of a stack of matrices")
            return self.one([a, b], dtype, (a.type.broadcastable[1],))
        a, b = same_rank([a, b])
        stack = [x and y for x, y in zip(batch_pattern(a), batch_pattern(b), strict=True)]
        core = (a.type.broadcastable[-1], b.type.broadcastable[-1])
        return self.one([a, b], dtype, (*stack, *core))

    def compute(
        self, xp: ArrayModule, node: Apply, a: np.ndarray, b: np.ndarray
    ) -> tuple[Any, ...]:
        if self.routine == "solve_triangular":
            a = xp.tril(a) if self.lower else xp.triu(a)
        elif self.routine == "solve_positive":
            one = xp.tril(a, -1) if self.lower else xp.triu(a, 1)
            a = one + xp.conj(xp.swapaxes(one, -1, -2)) + xp.real(a) * xp.eye(a.shape[-1])
            xp.linalg.cholesky(a)
        return (xp.linalg.solve(a, b).astype(node.outputs[0].type.dtype),)

    def jax(self, j: Trace, node: Apply, a: np.ndarray, b: np.ndarray) -> Sequence[Any]:
        if self.routine == "solve_positive":
            half = a if self.lower else a.mT.conj()
            j.require(j.numpy.isfinite(j.lax.linalg.cholesky(half, symmetrize_input=False)))
        return super().jax(j, node, a, b)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        a, b = node.inputs
        if b.type.ndim == 1:
            return [(shapes[0][1],)]
        stack = broadcast_shape(
            [batch_pattern(a), batch_pattern(b)], [shapes[0][:-2], shapes[1][:-2]]
        )
        return [(*stack, shapes[0][-1], shapes[1][-1])]

    def batch(
        self, node: Apply, values: list[Variable], rows: list[bool], batching: Batching
    ) -> list[Any] | None:
        a, b = values
        if node.inputs[1].type.ndim == 1:
            return [dimshuffle(self(a, as_column(b)), (0, 1))]
        return [self(a, b)]

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        a, b = node.inputs
        x = node.outputs[0]
        g_b = self.adjoint()(hermitian(a), cotangents[0])
        if b.type.ndim == 1:
            g_a = -(as_column(g_b) * as_row(conjugate(x)))
        else:
            g_a = sum_to(-product(g_b, hermitian(x)), a)
            g_b = sum_to(g_b, b)
        if self.routine == "solve_triangular":
            g_a = triangle(g_a, self.lower)
        elif self.routine == "solve_positive":
            g_a = from_one_triangle(g_a, self.lower)
        return [g_a, g_b]

    def adjoint(self) -> Solve:
        """Return the operation that solves with the conjugate transpose of A."""
        opposite = {
            "lower_triangular": "upper_triangular",
            "upper_triangular": "lower_triangular",
        }
        lower = self.lower if self.routine == "solve" else not self.lower
        return Solve(opposite.get(self.A_structure, self.A_structure), lower)

    def __str__(self) -> str:
        options = f"A_structure={self.A_structure!r}, lower={self.lower}"
        return f"Solve{{{options}, overwrite_A=False, overwrite_b=False}}"


solve = Solve()
solve_symmetric = Solve("symmetric")
solve_positive_definite = Solve("positive_definite", True)
solve_lower_triangular = Solve("lower_triangular", True)
solve_upper_triangular = Solve("upper_triangular", False)


class MatrixInverse(MatrixOp):
    """The inverse of a square matrix, or of each matrix of a stack; LAPACK's getrf and getri.

    Raises
    ------
    LinAlgError
        The matrix is singular or not square.
    """

    routine = "inverse"
    shape = shape_of(0)

    def make_node(self, x: Variable) -> Apply:
        x = matrix_operand("matrix_inverse", x)
        return self.one([x], x.type.dtype, x.type.broadcastable)

    def compute(self, xp: ArrayModule, node: Apply, x: np.ndarray) -> tuple[Any, ...]:
        return (xp.linalg.inv(x),)

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        x = hermitian(node.outputs[0])
        return [-products(x, cotangents[0], x)]


matrix_inverse = MatrixInverse()


class Det(MatrixOp):
    """The determinant of a square matrix, or of each matrix of a stack.

    Notes
    -----
    LAPACK's getrf. The exponent of the product is kept apart, so that it overflows only where the
    determinant does. The gradient is det(A) inv(A)^H; of a real matrix, rewriting makes that the
    adjugate, which singular matrices have too.
    """

    long_rule = True
    routine = "det"

    def cores(self, node: Apply) -> tuple[int, ...]:
        return (2, 0)

    def make_node(self, x: Variable) -> Apply:
        x = matrix_operand("det", x)
        return self.one([x], x.type.dtype, batch_pattern(x))

    def compute(self, xp: ArrayModule, node: Apply, x: np.ndarray) -> tuple[Any, ...]:
        return (xp.asarray(xp.linalg.det(x)),)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [shapes[0][:-2]]

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        factor = scalar_of_stack(cotangents[0] * conjugate(node.outputs[0]))
        return [factor * hermitian(matrix_inverse(node.inputs[0]))]


det = Det()


class SLogDet(MatrixOp):
    """The sign (of modulus 1) of a determinant, and the logarithm of its modulus.

    A singular matrix has sign 0 and logarithm -inf.
    """

    long_rule = True
    routine = "slogdet"

    def cores(self, node: Apply) -> tuple[int, ...]:
        return (2, 0, 0)

    def make_node(self, x: Variable) -> Apply:
        x = matrix_operand("slogdet", x)
        outs = [
            TensorType(dtype, batch_pattern(x))
            for dtype in (x.type.dtype, dtypes.real_of(x.type.dtype))
        ]
        return Apply(self, [x], [type_.output() for type_ in outs])

    def compute(self, xp: ArrayModule, node: Apply, x: np.ndarray) -> tuple[Any, ...]:
        sign, logarithm = xp.linalg.slogdet(x)
        return xp.asarray(sign), xp.asarray(logarithm)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [shapes[0][:-2]] * 2

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        g_sign, g = cotangents
        sign = node.outputs[0]
        if dtypes.is_complex(sign.type.dtype):
            # d(sign) = i sign d(angle), and log |det| + i angle is the logarithm of det.
            turn = -imag(sign * conjugate(g_sign))
            g = complex_(g, cast(turn, g.type.dtype))
        return [scalar_of_stack(g) * hermitian(matrix_inverse(node.inputs[0]))]


slogdet = SLogDet()
