"""Products of matrices of which at least one is sparse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.base import dtypes
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.assertions import Require
from theano._core.ops.array.products import dot as dense_dot
from theano._core.ops.array.reductions import reduce
from theano._core.ops.array.shaping import length, vector_of
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.core.op import connected, linear_in, shape_of
from theano._core.ops.elementwise.arithmetic import eq
from theano._core.ops.elementwise.elementwise import cast
from theano._core.ops.sparse.arithmetic import MulSS, columns_of, fit_dense, rows_of
from theano._core.ops.sparse.base import (
    SparseOp,
    array,
    converted,
    either,
    is_sparse_type,
    result,
    sparse,
    tensor,
    upcast,
    with_dtype,
)
from theano._core.ops.sparse.compressed import (
    Compressed,
    LinesOfItems,
    are_of_one,
    lines_of,
    required_equal,
    sizes_of,
)
from theano._core.ops.sparse.kernels import (
    FLOATS,
    SampledProducts,
    product,
    products_at,
)
from theano._core.ops.sparse.structure import (
    CSM,
    Transpose,
    dense,
    fit,
    ones_at,
    parts,
    rebuilt,
    sparse_as,
)

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, Dims, SparseMatrix, TensorLike


def transposed(x: Any) -> Any:
    """Return the transpose of a sparse or dense variable."""
    if is_sparse_type(x):
        return Transpose()(x)
    return dimshuffle(x, (1, 0)) if x.type.ndim == 2 else x


def multiplied(x: Variable, y: Variable) -> Any:
    """Return the product of two variables, dense: with sparse operands or without."""
    if is_sparse_type(x) or is_sparse_type(y):
        return Dot()(x, y)
    return dense_dot(x, y)


UNFIT = "the shapes {0} and {1} do not fit for a product"


def check_inner(x: SparseMatrix | np.ndarray, y: SparseMatrix | np.ndarray) -> None:
    """Raise ValueError if two arrays cannot be multiplied."""
    if x.shape[-1] != y.shape[0]:
        raise ValueError(UNFIT.format(x.shape, y.shape))


def _multiplied(x: Any, y: Any, *, dtype: str) -> Any:
    """Return the product, dense, of a matrix of variables and a dense operand; None: SciPy's."""
    both = isinstance(x, Compressed) and isinstance(y, Compressed)
    if both or dtype not in FLOATS:
        return None
    one, two = sizes_of(x), sizes_of(y)
    text = UNFIT.format(*(_listed(n, first) for n, first in ((len(one), 0), (len(two), len(one)))))
    fits = Require(text, len(one) + len(two))
    if isinstance(x, Compressed):
        x = x.holding(cast(x.data, dtype))
        y = fits(cast(y, dtype), *one, *two, eq(one[-1], two[0]))
        return x.times(y)
    y = y.turned.holding(cast(y.data, dtype))
    x = fits(cast(x, dtype), *one, *two, eq(one[-1], two[0]))
    return transposed(y.times(transposed(x)))


def _listed(count: int, first: int) -> str:
    """Return places for the lengths of a shape, as Python prints it."""
    places = [f"{{{first + i}}}" for i in range(count)]
    return f"({', '.join(places)}{',' * (count == 1)})"


class Dot(SparseOp):
    """The product of two matrices, or a matrix and a vector, dense; one at least is sparse."""

    linear = linear_in(0, 1)

    def make_node(self, x: Variable, y: Variable) -> Apply:
        x, y = either(x), either(y)
        if not (is_sparse_type(x) or is_sparse_type(y)):
            raise TypeError(f"one operand must be sparse, got {x.type} and {y.type}")
        for v in (x, y):
            if v.type.ndim not in (1, 2):
                raise TypeError(
                    f"theano.sparse.Dot: input must be a vector or matrix, got ndim={v.type.ndim}"
                )
        pattern = (*x.type.broadcastable[:-1], *y.type.broadcastable[1:])
        return self.one([x, y], upcast(x, y), pattern)

    def compute(self, xp: Any, node: Apply, x: Any, y: Any) -> tuple[Any, ...]:
        check_inner(x, y)
        dtype = node.outputs[0].type.dtype
        made = product(x, y, dtype)
        made = made.toarray() if hasattr(made, "toarray") else made
        return (np.ascontiguousarray(made, dtype),)

    def arrays(self, node: Apply, *operands: Compressed | Variable) -> Any:
        return _multiplied(*operands, dtype=node.outputs[0].type.dtype)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [(*shapes[0][:-1], *shapes[1][1:])]

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        (x, y), g = node.inputs, dense(cotangents[0])
        one, two = _with_axes(g, x, y)
        gradients = [
            multiplied(one, transposed(y) if y.type.ndim == 2 else _row(y)),
            multiplied(transposed(x) if x.type.ndim == 2 else _column(x), two),
        ]
        return [
            _fitted(v, part[0] if v is x and v.type.ndim == 1 else part)
            for v, part in zip(node.inputs, gradients, strict=True)
        ]

    def __str__(self) -> str:
        return "SparseDot"


def _row(y: Variable) -> Any:
    return dimshuffle(y, ("x", 0))


def _column(x: Variable) -> Any:
    return dimshuffle(x, (0, "x"))


def _with_axes(g: Variable, x: Variable, y: Variable) -> tuple[Any, Any]:
    """Return a cotangent as a matrix for the gradient of `x`, and as it is for that of `y`."""
    if y.type.ndim == 1:
        return _column(g) if x.type.ndim == 2 else g, g
    if x.type.ndim == 1:
        return _row(g), _row(g)
    return g, g


def _fitted(v: Variable, g: TensorLike) -> Any:
    # Of a sparse operand the gradient is dense: all its items count, not only the stored ones.
    if is_sparse_type(v) and dtypes.is_discrete(v.type.dtype):
        return fit(v, g)
    return g if is_sparse_type(v) else fit_dense(v, g)


class TrueDot(SparseOp):
    """The product of a sparse matrix with another one, sparse."""

    __props__ = ("grad_preserves_dense",)
    linear = linear_in(0, 1)

    def __init__(self, grad_preserves_dense: bool = True) -> None:
        self.grad_preserves_dense = grad_preserves_dense

    def make_node(self, x: Variable, y: Variable) -> Apply:
        x, y = sparse(x), either(y)
        if y.type.ndim != 2:
            raise TypeError(f"true_dot takes matrices, got {y.type}")
        return result(self, [x, y], x.type.format, upcast(x, y))

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [(shapes[0][0], shapes[1][1])]

    def compute(
        self, xp: ArrayModule, node: Apply, x: SparseMatrix, y: np.ndarray | SparseMatrix
    ) -> tuple[Any, ...]:
        check_inner(x, y)
        type_ = node.outputs[0].type
        return (converted(x @ y, type_.format, type_.dtype),)

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        (x, y), (g,) = node.inputs, cotangents
        g = sparse_as(x.type.format, g)
        of_x = self(g, transposed(y))
        of_y = self(transposed(x), g)
        if is_sparse_type(y):
            return [fit(x, of_x), fit(y, of_y)]
        return [fit(x, of_x), dense(of_y) if self.grad_preserves_dense else of_y]

    def __str__(self) -> str:
        return "TrueDot"


class StructuredDot(SparseOp):
    """The product of a sparse matrix with another one; its gradient is of stored items only."""

    linear = linear_in(0, 1)

    def make_node(self, a: Variable, b: Variable) -> Apply:
        a, b = sparse(a), either(b)
        if b.type.ndim != 2:
            raise NotImplementedError("non-matrix b")
        if is_sparse_type(b):
            return result(self, [a, b], a.type.format, upcast(a, b))
        return self.one([a, b], upcast(a, b), (False, b.type.broadcastable[1]))

    def compute(
        self, xp: ArrayModule, node: Apply, a: SparseMatrix, b: np.ndarray
    ) -> tuple[Any, ...]:
        check_inner(a, b)
        type_ = node.outputs[0].type
        made = product(a, b, type_.dtype)
        if isinstance(type_, TensorType):
            return (np.ascontiguousarray(made, type_.dtype),)
        return (converted(made, type_.format, type_.dtype),)

    def arrays(self, node: Apply, *operands: Compressed | Variable) -> Any:
        return _multiplied(*operands, dtype=node.outputs[0].type.dtype)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [(shapes[0][0], shapes[1][1])]

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        (a, b), (g,) = node.inputs, cotangents
        if is_sparse_type(b):
            g = sparse_as(a.type.format, g)
            return [
                fit(a, MulSS()(TrueDot()(g, transposed(b)), ones_at(a))),
                fit(b, TrueDot()(transposed(a), g)),
            ]
        return [fit(a, structured_dot_grad(a, b, g)), Dot()(transposed(a), g)]

    def __str__(self) -> str:
        return "StructuredDot"


class StructuredDotGrad(SparseOp):
    """The items of ``g @ b.T`` in places that indices and beginnings say, a vector.

    It is the gradient of `StructuredDot` for the items of its sparse operand.
    """

    shaped_as = 0

    __props__ = ("format",)
    shape = shape_of(0)
    linear = linear_in(2, 3)
    connection = connected(2, 3)

    def __init__(self, format: str) -> None:
        self.format = format

    def make_node(self, indices: Variable, indptr: Variable, b: Variable, g_ab: Variable) -> Apply:
        inputs = [tensor(v) for v in (indices, indptr, b, g_ab)]
        return self.one(inputs, upcast(*inputs[2:]), (False,))

    def compute(self, xp: ArrayModule, node: Apply, *arrays: np.ndarray) -> tuple[Any, ...]:
        indices, indptr, b, g = arrays
        places = lines_of(indptr), indices
        rows, columns = places if self.format == "csr" else reversed(places)
        return (array(products_at(g, b, rows, columns), node.outputs[0].type.dtype),)

    def arrays(
        self, node: Apply, indices: Variable, indptr: Variable, b: Variable, g: Variable
    ) -> Any:
        if not are_of_one(indices, indptr):
            return None
        places = LinesOfItems()(indptr, indices), indices
        rows, columns = places if self.format == "csr" else reversed(places)
        return _sampled(g, b, rows, columns, node.outputs[0].type.dtype)

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        (indices, indptr, b, g), (cotangent,) = node.inputs, cotangents
        sizes = [length(g, 0), length(b, 0)]
        chosen = CSM(self.format)(cotangent, indices, indptr, vector_of(sizes, "int32"))
        of_b, of_g = Dot()(Transpose()(chosen), g), Dot()(chosen, b)
        return [None, None, fit_dense(b, of_b), fit_dense(g, of_g)]

    def __str__(self) -> str:
        return f"StructuredDotGrad{self.format.upper()}"


def structured_dot_grad(sparse_A: Variable, dense_B: Variable, ga: Variable) -> Any:
    """Return the gradient of `structured_dot` for the stored items of its sparse operand.

    Parameters
    ----------
    sparse_A : sparse matrix
    dense_B : matrix
    ga : matrix
        The cotangent of the product.

    Returns
    -------
    sparse matrix
        One number for each stored item of `sparse_A`.

    Examples
    --------
    >>> import scipy.sparse
    >>> import theano.sparse
    >>> a, b = theano.sparse.csr_matrix("a"), T.dmatrix("b")
    >>> g = theano.sparse.structured_dot_grad(a, b, T.ones((2, 2)))
    >>> g.eval({a: scipy.sparse.eye(2, format="csr"), b: [[1.0, 2.0], [3.0, 4.0]]}).nnz
    2
    """
    a = sparse(sparse_A)
    _, indices, indptr, _ = parts(a)
    return rebuilt(a, StructuredDotGrad(a.type.format)(indices, indptr, dense_B, ga))


def StructuredDotGradCSR() -> StructuredDotGrad:
    """Return the operation for matrices stored by rows.

    Returns
    -------
    StructuredDotGrad

    Examples
    --------
    >>> import theano.sparse
    >>> theano.sparse.StructuredDotGradCSR() == theano.sparse.StructuredDotGradCSR()
    True
    """
    return StructuredDotGrad("csr")


def StructuredDotGradCSC() -> StructuredDotGrad:
    """Return the operation for matrices stored by columns.

    Returns
    -------
    StructuredDotGrad

    Examples
    --------
    >>> import theano.sparse
    >>> theano.sparse.StructuredDotGradCSC() == theano.sparse.StructuredDotGradCSC()
    True
    """
    return StructuredDotGrad("csc")


NO_TERMS = "the shapes ({0}, {1}) and ({2}, {3}) differ in the second axis"
NO_PLACES = "p has the shape ({0}, {1}), the product ({2}, {3})"


def _sampled(x: Variable, y: Variable, rows: Variable, columns: Variable, dtype: str) -> Any:
    return SampledProducts()(cast(x, dtype), cast(y, dtype), rows, columns)


class SamplingDot(SparseOp):
    """The items of ``x @ y.T`` where `p` stores items, times these."""

    shaped_as = 2

    def make_node(self, x: Variable, y: Variable, p: Variable) -> Apply:
        x, y, p = tensor(x), tensor(y), sparse(p)
        if p.type.format not in ("csr", "csc"):
            raise TypeError(p.type)
        for v in (x, y):
            if v.type.ndim != 2:
                raise TypeError(f"sampling_dot takes matrices, got {v.type}")
        return result(self, [x, y, p], p.type.format, upcast(x, y, p))

    def compute(
        self, xp: ArrayModule, node: Apply, x: np.ndarray, y: np.ndarray, p: SparseMatrix
    ) -> tuple[Any, ...]:
        if x.shape[1] != y.shape[1]:
            raise ValueError(NO_TERMS.format(*x.shape, *y.shape))
        if p.shape != (x.shape[0], y.shape[0]):
            raise ValueError(NO_PLACES.format(*p.shape, x.shape[0], y.shape[0]))
        made = with_dtype(p, node.outputs[0].type.dtype)
        made.data *= products_at(x, y, rows_of(p), columns_of(p))
        return (made,)

    def arrays(self, node: Apply, x: Variable, y: Variable, p: Compressed) -> Any:
        (rows, one), (columns, two) = sizes_of(x), sizes_of(y)
        x = Require(NO_TERMS, 4)(x, rows, one, columns, two, eq(one, two))
        x = required_equal(x, NO_PLACES, (p.rows, rows), (p.columns, columns))
        dtype = upcast(*node.inputs[:2])
        return p.holding(p.data * _sampled(x, y, p.of_rows, p.of_columns, dtype))

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        (x, y, p), (g,) = node.inputs, cotangents
        g = sparse_as(p.type.format, g)
        weighted = MulSS()(g, p)
        return [
            fit_dense(x, Dot()(weighted, y)),
            fit_dense(y, Dot()(Transpose()(weighted), x)),
            fit(p, MulSS()(g, SamplingDot()(x, y, ones_at(p, g.type.dtype)))),
        ]


class Usmm(SparseOp):
    """``alpha * (x @ y) + z``, dense."""

    def make_node(self, alpha: Any, x: Variable, y: Variable, z: Any) -> Apply:
        alpha, x, y, z = either(alpha), either(x), either(y), either(z)
        if not (is_sparse_type(x) or is_sparse_type(y)):
            raise TypeError("If x and y are tensor, don't use this class to optimize this", x, y)
        if is_sparse_type(z) or is_sparse_type(alpha):
            raise TypeError(f"alpha and z must be dense, got {alpha.type} and {z.type}")
        if alpha.type.ndim and not all(alpha.type.broadcastable):
            raise TypeError(f"alpha must be a number, got {alpha.type}")
        return self.one([alpha, x, y, z], upcast(alpha, x, y, z), (False, False))

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [(shapes[1][0], shapes[2][1])]

    def compute(self, xp: ArrayModule, node: Apply, *arrays: Any) -> tuple[Any, ...]:
        alpha, x, y, z = arrays
        check_inner(x, y)
        made = product(x, y, node.outputs[0].type.dtype)
        made = made.toarray() if hasattr(made, "toarray") else made
        for axis, one in enumerate(node.inputs[3].type.broadcastable if z.ndim == 2 else ()):
            if not one and z.shape[axis] != made.shape[axis]:
                raise ValueError(f"the sum of a product of shape {made.shape} and z of {z.shape}")
        return (array(alpha.reshape(()) * made + z, node.outputs[0].type.dtype),)

    def arrays(self, node: Apply, alpha: Variable, x: Any, y: Any, z: Variable) -> Any:
        plain = all(v.type.ndim == 2 for v in node.inputs[1:])
        made = _multiplied(x, y, dtype=upcast(*node.inputs[1:3])) if plain else None
        return None if made is None else dimshuffle(alpha, ()) * made + z

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        (alpha, x, y, z), (g,) = node.inputs, cotangents
        scaled = g * (alpha if alpha.type.ndim else dimshuffle(alpha, ("x", "x")))
        of_alpha = reduce("sum", g * multiplied(x, y))
        return [
            fit_dense(alpha, dimshuffle(of_alpha, ("x",) * alpha.type.ndim)),
            _fitted(x, multiplied(scaled, transposed(y))),
            _fitted(y, multiplied(transposed(x), scaled)),
            fit_dense(z, g),
        ]

    def __str__(self) -> str:
        return "Usmm{no_inplace}"
