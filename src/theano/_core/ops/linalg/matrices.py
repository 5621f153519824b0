"""What the operations of linear algebra share: stacks of matrices, triangles, diagonals.

A matrix is the last two axes of an array; the axes before them count a stack of matrices. All
formulas here hold for real and complex matrices, with cotangents conjugated as `Dot` has them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.base import dtypes
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.assertions import Assert
from theano._core.ops.array.creation import iota
from theano._core.ops.array.products import batched_dot, dot
from theano._core.ops.array.reductions import reduce
from theano._core.ops.array.shaping import length
from theano._core.ops.core.dimshuffle import dimshuffle, matrix_transpose, pad_left
from theano._core.ops.core.op import (
    Op,
    Structured,
    as_variable,
    linear_in,
    shape_of,
    tensor_operand,
)
from theano._core.ops.core.python_call import Composed
from theano._core.ops.elementwise.arithmetic import eq, minimum, real, switch
from theano._core.ops.elementwise.elementwise import broadcast_shape, cast, conjugate
from theano._core.runtime import native

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, Dims, TensorLike
    from theano._core.ops.core.protocols import Batching, Builder, ProgramValue, Trace


def lapack_dtype(*names: str) -> str:
    """Return the dtype in which LAPACK computes: float64 for integers, float32 for float16."""
    floats = ["float64" if dtypes.is_discrete(name) else name for name in names]
    return dtypes.upcast(*floats, "float32")


def solution_dtype(*names: str) -> str:
    """Return the dtype of a solution: small integers, all of which float32 holds, count as it."""
    small = [dtypes.is_discrete(name) and np.dtype(name).itemsize < 4 for name in names]
    return lapack_dtype(*("float32" if s else n for s, n in zip(small, names, strict=True)))


def matrix_operand(name: str, value: Any, dtype: str = "") -> Any:
    """Return a matrix or stack of matrices in a dtype of LAPACK's; AssertionError for a vector."""
    variable = tensor_operand(name, value)
    # Theano 1.0.5 asserted it too.
    if variable.type.ndim < 2:
        raise AssertionError(f"{name} needs a matrix or a stack of matrices, got {variable.type}")
    return cast(variable, dtype or lapack_dtype(variable.type.dtype))


class MatrixOp(Structured):
    """Base of the operations that one LAPACK routine computes.

    `routine` and `flags` are those of the runtime; `cores` says, for each input and then each
    output, how many of its last axes one matrix, vector or number has.
    """

    routine = ""

    def flags(self) -> tuple[str, ...]:
        """Return the names of the flags that are set."""
        return ()

    def cores(self, node: Apply) -> tuple[int, ...]:
        """Return the number of axes of one matrix, per input and output."""
        return (2,) * (len(node.inputs) + len(node.outputs))

    def jax(self, j: Trace, node: Apply, *arrays: np.ndarray) -> Sequence[Any]:
        results = self.compute(j.numpy, node, *arrays)
        # XLA has NaN or infinity where LAPACK's routines fail.
        for result in results:
            j.require(j.numpy.isfinite(result))
        return results

    def batch(
        self, node: Apply, values: list[Variable], rows: list[bool], batching: Batching
    ) -> list[Any] | None:
        # Of one array of matrices, the rows are more of them.
        return self.make_node(*values).outputs if len(values) == 1 else None

    def emit(self, p: Builder, node: Apply, *values: ProgramValue) -> Any:
        return p.lapack(node, self.routine, self.flags(), values, self.cores(node))


class MatrixTangent(MatrixOp):
    """Base of derivatives that cost less than the expressions which say the same.

    Linear in the second of two operands, matrices of one shape or stacks of these.
    """

    differentiates = True
    linear = linear_in(1)

    def expression(self, node: Apply) -> Any:
        """Return the output, written with other operations."""
        raise NotImplementedError

    def make_node(self, x: Variable, tangent: Variable) -> Apply:
        stack = [a and b for a, b in zip(batch_pattern(x), batch_pattern(tangent), strict=True)]
        return self.one([x, tangent], x.type.dtype, (*stack, *x.type.broadcastable[-2:]))

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        patterns = [batch_pattern(v) for v in node.inputs]
        stack = broadcast_shape(patterns, [shapes[0][:-2], shapes[1][:-2]])
        return [(*stack, *shapes[0][-2:])]

    def vjp(
        self, node: Apply, cotangents: Sequence[Variable | None], reverse: Any = None
    ) -> list[Any]:
        gradients = reverse({self.expression(node): cotangents[0]}, node.inputs)
        return [gradients.get(v) for v in node.inputs]

    def jvp(self, node: Apply, tangents: Sequence[Variable], forward: Any) -> list[Any] | None:
        if tangents[0] is None:
            return None
        return forward([self.expression(node)], dict(zip(node.inputs, tangents, strict=True)))

    def batch(
        self, node: Apply, values: list[Variable], rows: list[bool], batching: Batching
    ) -> list[Any] | None:
        rank = node.outputs[0].type.ndim + 1
        return [self(*(pad_left(v, rank) for v in values))]


def outputs_of(op: Op, x: Any, types: Sequence[tuple[str, Sequence[bool]]]) -> Apply:
    """Return `op` applied to `x`, with outputs of these dtypes and patterns."""
    outs = [TensorType(dtype, pattern) for dtype, pattern in types]
    return Apply(op, [x], [type_.output() for type_ in outs])


def matrix_like(x: Any) -> tuple[str, Sequence[bool]]:
    """Return the dtype and pattern of a matrix for each of a stack."""
    return x.type.dtype, (*batch_pattern(x), False, False)


def vector_like(x: TensorLike, dtype: str) -> tuple[str, Sequence[bool]]:
    """Return the dtype and pattern of a vector for each matrix of a stack."""
    return dtype, (*batch_pattern(x), False)


def for_square(x: Variable, values: Sequence[Variable], why: str) -> list[Any]:
    """Return `values`, with a check that the matrix `x` is square."""
    square = eq(length(x, x.type.ndim - 2), length(x, x.type.ndim - 1))
    return [Assert(why)(value, square) for value in values]


def per_matrix(function: Callable[..., object], a: np.ndarray, core: tuple[int, ...]) -> np.ndarray:
    """Return `function` of each matrix of a stack, each result of shape `core`."""
    out = np.empty((*a.shape[:-2], *core), dtype=a.dtype)
    for index in np.ndindex(*a.shape[:-2]):
        out[index] = function(a[index])
    return out


def check_finite(xp: ArrayModule, message: str, *arrays: np.ndarray) -> None:
    """Raise LinAlgError for infinities and NaN, on which LAPACK may iterate for ever."""
    if xp is np and not all(np.isfinite(a).all() for a in arrays):
        raise np.linalg.LinAlgError(f"{message}: the matrix has infinities or NaN.")


def scipy_linalg() -> Any:
    """Return SciPy's module, whose BLAS may be another than NumPy's: held to one thread as well."""
    import scipy.linalg
    import scipy.linalg.cython_lapack

    native.also_blas_of(scipy.linalg.cython_lapack.__file__)
    return scipy.linalg


def hermitian(x: object) -> Any:
    """Return the conjugate transpose of a matrix or of each matrix of a stack."""
    return matrix_transpose(conjugate(x))


class SymmetricProduct(MatrixOp):
    """(X + X^T) Y of two matrices, or Y (X + X^T) where `on_right`.

    Made by rewriting. The sum of X and its transpose costs about as much as a product with thirty
    columns: narrower ones are two products.
    """

    __props__ = ("on_right",)
    not_differentiated = "made by rewriting, after differentiation"

    def __init__(self, on_right: bool = False) -> None:
        self.on_right = bool(on_right)
        self.routine = "product_symmetric" if on_right else "symmetric_product"

    def make_node(self, x: Variable, y: Variable) -> Apply:
        kept = x.type.broadcastable[0], y.type.broadcastable[not self.on_right]
        return self.one([x, y], x.type.dtype, kept[::-1] if self.on_right else kept)

    def compute(self, xp: ArrayModule, node: Apply, x: Any, y: Any) -> tuple[Any, ...]:
        whole = x + x.T
        return (xp.matmul(y, whole) if self.on_right else xp.matmul(whole, y),)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        (n, _), (rows, columns) = shapes
        return [(rows, n) if self.on_right else (n, columns)]


def product(x: Any, y: Variable) -> Any:
    """Return the product of two matrices, or of each pair of two stacks of equal rank."""
    return dot(x, y) if x.type.ndim == 2 else batched_dot(x, y)


def products(*factors: Variable) -> Any:
    """Return the product of several matrices, from the left."""
    result = factors[0]
    for factor in factors[1:]:
        result = product(result, factor)
    return result


def as_column(v: Variable) -> Any:
    """Return each vector of a stack as a matrix of one column."""
    return dimshuffle(v, [*range(v.type.ndim), "x"])


def as_row(v: Any) -> Any:
    """Return each vector of a stack as a matrix of one row."""
    return dimshuffle(v, [*range(v.type.ndim - 1), "x", v.type.ndim - 1])


def scalar_of_stack(x: Variable) -> Any:
    """Return each number of a stack as a matrix of one item."""
    return dimshuffle(x, [*range(x.type.ndim), "x", "x"])


def positions(x: Variable) -> tuple[Any, Any]:
    """Return the numbers of the rows (as a column) and columns (as a row) of a matrix."""
    rank = x.type.ndim
    rows, columns = (iota(length(x, rank - i)) for i in (2, 1))
    ahead = ["x"] * (rank - 2)
    return dimshuffle(rows, [*ahead, 0, "x"]), dimshuffle(columns, [*ahead, "x", 0])


def zero(x: Variable) -> Any:
    """Return the number 0 in the dtype of `x`."""
    return as_variable(np.zeros((), dtype=x.type.dtype))


class Part(Composed):
    """A matrix, or each of a stack, with its items below, on and above the diagonal weighted.

    A weight of 0 gives 0 whatever the items are, NaN included.
    """

    __props__ = ("below", "diagonal", "above")
    shape = shape_of(0)
    linear = linear_in(0)

    def __init__(self, below: float, diagonal: float, above: float) -> None:
        self.below, self.diagonal, self.above = float(below), float(diagonal), float(above)

    def make_node(self, x: Variable) -> Apply:
        return self.one([x], x.type.dtype, x.type.broadcastable)

    def compute(self, xp: ArrayModule, node: Apply, x: np.ndarray) -> tuple[Any, ...]:
        i, j = xp.arange(x.shape[-2])[:, None], xp.arange(x.shape[-1])
        scaled = [0 * xp.ones_like(x) if w == 0 else w * x for w in self.props()]
        result = xp.where(i > j, scaled[0], xp.where(i == j, scaled[1], scaled[2]))
        return (result.astype(x.dtype),)

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        return [self(cotangents[0])]

    def batch(
        self, node: Apply, values: list[Variable], rows: list[bool], batching: Batching
    ) -> list[Any] | None:
        return [self(values[0])]

    def expression(self, node: Apply) -> list[Any]:
        x = node.inputs[0]
        i, j = positions(x)

        def weighted(weight: float) -> Any:
            if weight in (0.0, 1.0):
                return x if weight else zero(x)
            return as_variable(np.asarray(weight, dtypes.real_of(x.type.dtype))) * x

        below, diagonal, above = (weighted(w) for w in self.props())
        if self.below == self.diagonal:
            return [switch(i >= j, below, above)]
        if self.above == self.diagonal:
            return [switch(j >= i, above, below)]
        rest = below if self.below == self.above else switch(i >= j, below, above)
        return [switch(eq(i, j), diagonal, rest)]


def triangle(x: TensorLike, lower: bool = True, strict: bool = False) -> Any:
    """Return a matrix with zeros outside a triangle; `strict` leaves the diagonal out."""
    return Part(lower, not strict, not lower)(x)


def half_triangle(x: object, lower: bool = True) -> Any:
    """Return a triangle of a matrix, its diagonal halved."""
    return Part(lower, 0.5, not lower)(x)


on_diagonal = Part(0, 1, 0)
off_diagonal = Part(1, 0, 1)


def diagonal_of(x: Variable) -> Any:
    """Return the diagonal of a square matrix, or of each of a stack."""
    return reduce("sum", on_diagonal(x), (x.type.ndim - 1,), x.type.dtype)


def plus_hermitian(x: object) -> Any:
    """Return the sum of a matrix and its conjugate transpose."""
    return x + hermitian(x)


def from_one_triangle(s: Variable, lower: bool) -> Any:
    """Return the cotangent of a Hermitian matrix of which only one triangle is read.

    `s` is a cotangent of the whole matrix; each item off the diagonal stands for two.
    """
    return half_triangle(plus_hermitian(s), lower)


def half(x: Variable) -> Any:
    """Return x / 2 in its own dtype."""
    return as_variable(np.asarray(0.5, dtype=dtypes.real_of(x.type.dtype))) * x


def real_part(x: Any) -> Any:
    """Return the real part, `x` itself if it is real."""
    return real(x) if dtypes.is_complex(x.type.dtype) else x


def smaller(one: object, two: object) -> Any:
    """Return the smaller of two lengths."""
    if isinstance(one, int) and isinstance(two, int):
        return min(one, two)
    if one is two:
        return one
    return minimum(*(as_variable(np.asarray(n)) if isinstance(n, int) else n for n in (one, two)))


def batch_pattern(x: Any) -> tuple[bool, ...]:
    """Return which axes of the stack are broadcastable."""
    return x.type.broadcastable[:-2]
