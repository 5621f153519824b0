"""Sums, products and comparisons of sparse matrices with each other and with dense arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from theano._core.base import dtypes
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.assertions import Require
from theano._core.ops.array.broadcasting import alloc
from theano._core.ops.array.indexing import gather
from theano._core.ops.array.shaping import length
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.core.fill import zeros_like_float
from theano._core.ops.core.op import linear_in
from theano._core.ops.elementwise.arithmetic import eq, ge, gt, le, lt, neq
from theano._core.ops.elementwise.elementwise import cast
from theano._core.ops.sparse.base import (
    SparseOp,
    array,
    converted,
    is_sparse_type,
    result,
    sparse,
    tensor,
    upcast,
    with_dtype,
)
from theano._core.ops.sparse.compressed import (
    Compressed,
    required_equal,
    sizes_of,
)
from theano._core.ops.sparse.structure import (
    SparseFromDense,
    Transpose,
    cast_as,
    dense,
    fit,
    ones_at,
    parts,
    rebuilt,
    sparse_as,
    zeros_at,
)

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, Dims, SparseMatrix, TensorLike
    from theano._core.ir.tensor import TensorVariable


def fit_dense(x: Variable, g: TensorLike) -> Any:
    """Return a cotangent of a dense variable, as dense."""
    return (
        zeros_like_float(x) if dtypes.is_discrete(x.type.dtype) else cast_as(dense(g), x.type.dtype)
    )


SHAPES = "{what} needs operands of one shape, got ({{0}}, {{1}}) and ({{2}}, {{3}})"
COUNTS = "the matrices store {0} and {1} items"
FACTORS = "a matrix of shape ({0}, {1}) and a vector of {2} items"


def _check_shapes(what: str, one: SparseMatrix, two: SparseMatrix | np.ndarray) -> None:
    if one.shape != two.shape:
        raise ValueError(SHAPES.format(what=what).format(*one.shape, *two.shape))


def _of_one_shape(what: str, x: Compressed, y: Compressed | Variable) -> Any:
    """Return a matrix of variables, once it has the shape of another one."""
    pairs = list(zip(sizes_of(x), sizes_of(y), strict=True))
    if isinstance(y, Compressed):
        return y.holding(required_equal(y.data, SHAPES.format(what=what), *pairs))
    return required_equal(y, SHAPES.format(what=what), *pairs)


def _factors(x: Compressed, y: Variable, axis: int) -> Any:
    """Return a vector, once it has an item for each row or column."""
    size = length(y, 0)
    return Require(FACTORS, 3)(y, *x.sizes, size, eq(x.sizes[axis], size))


class BothSparse(SparseOp):
    """Base of what two matrices of one shape give, in the format of the first."""

    shaped_as = 0
    what: ClassVar[str]

    def combine(self, x: object, y: object) -> Any:
        """Return the result for two matrices of SciPy."""
        raise NotImplementedError

    def make_node(self, x: Variable, y: Variable) -> Apply:
        x, y = sparse(x), sparse(y)
        return result(self, [x, y], x.type.format, upcast(x, y))

    def compute(
        self, xp: ArrayModule, node: Apply, x: SparseMatrix, y: SparseMatrix
    ) -> tuple[Any, ...]:
        _check_shapes(self.what, x, y)
        type_ = node.outputs[0].type
        return (converted(self.combine(x, y), type_.format, type_.dtype),)


class AddSS(BothSparse):
    """The sum of two sparse matrices, in the format of the first."""

    what = "the sum"
    linear = linear_in((0, 1))

    def combine(self, x: SparseMatrix, y: SparseMatrix) -> Any:
        return x + y

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        return [fit(v, cotangents[0]) for v in node.inputs]


class AddSSData(SparseOp):
    """The sum of two matrices that store items in the same places."""

    shaped_as = 0

    def make_node(self, x: Variable, y: Variable) -> Apply:
        x, y = sparse(x), sparse(y)
        if x.type != y.type:
            raise NotImplementedError(
                f"add_s_s_data needs matrices of one type, got {x.type}, {y.type}"
            )
        return result(self, [x, y], x.type.format, x.type.dtype)

    def compute(
        self, xp: ArrayModule, node: Apply, x: SparseMatrix, y: SparseMatrix
    ) -> tuple[Any, ...]:
        _check_shapes("the sum", x, y)
        if x.data.shape != y.data.shape:
            raise ValueError(COUNTS.format(x.data.size, y.data.size))
        made = x.copy()
        made.data = x.data + y.data
        return (made,)

    def arrays(self, node: Apply, x: Compressed, y: Compressed) -> Any:
        data = _of_one_shape("the sum", x, y).data
        return x.holding(
            x.data + required_equal(data, COUNTS, (length(x.data, 0), length(data, 0)))
        )

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        return [fit(v, cotangents[0]) for v in node.inputs]


class AddSD(SparseOp):
    """The sum of a sparse and a dense matrix, dense."""

    shaped_as = 0

    def make_node(self, x: Variable, y: Variable) -> Apply:
        x, y = sparse(x), tensor(y)
        assert y.type.ndim == 2, f"the sum with a sparse matrix takes a matrix, got {y.type}"
        return self.one([x, y], upcast(x, y), y.type.broadcastable)

    def compute(
        self, xp: ArrayModule, node: Apply, x: SparseMatrix, y: np.ndarray
    ) -> tuple[Any, ...]:
        _check_shapes("the sum", x, y)
        return (array(x + y, node.outputs[0].type.dtype),)

    def arrays(self, node: Apply, x: Compressed, y: TensorVariable) -> Any:
        return x.added_to(cast(_of_one_shape("the sum", x, y), node.outputs[0].type.dtype))

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        (x, y), (g,) = node.inputs, cotangents
        if dtypes.is_discrete(x.type.dtype):
            return [zeros_at(x), fit_dense(y, g)]
        return [cast_as(mul_s_d(ones_at(x, g.type.dtype), g), x.type.dtype), fit_dense(y, g)]


class StructuredAddSV(SparseOp):
    """A vector added to the stored items of each row."""

    shaped_as = 0

    def make_node(self, x: Variable, y: Variable) -> Apply:
        x, y = sparse(x), tensor(y)
        assert y.type.ndim == 1, f"structured_add_s_v takes a vector, got {y.type}"
        return result(self, [x, y], x.type.format, upcast(x, y))

    def compute(
        self, xp: ArrayModule, node: Apply, x: SparseMatrix, y: np.ndarray
    ) -> tuple[Any, ...]:
        made = with_dtype(x, node.outputs[0].type.dtype)
        made.data += y[columns_of(x)]
        return (made,)

    def arrays(self, node: Apply, x: Compressed, y: TensorVariable) -> Any:
        return x.holding(x.data + gather(y, x.of_columns))

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        (x, y), (g,) = node.inputs, cotangents
        return [fit(x, g), fit_dense(y, SpSum(0)(g))]


def rows_of(x: SparseMatrix) -> np.ndarray:
    """Return the row of each stored item of a matrix in the format CSR or CSC."""
    return _spread_out(x) if x.format == "csr" else x.indices


def columns_of(x: SparseMatrix) -> np.ndarray:
    """Return the column of each stored item of a matrix in the format CSR or CSC."""
    return x.indices if x.format == "csr" else _spread_out(x)


def _spread_out(x: SparseMatrix) -> np.ndarray:
    return np.repeat(np.arange(len(x.indptr) - 1), np.diff(x.indptr))


class MulSS(BothSparse):
    """The product, item by item, of two sparse matrices, in the format of the first."""

    what = "the product"
    linear = linear_in(0, 1)

    def combine(self, x: SparseMatrix, y: SparseMatrix) -> Any:
        return x.multiply(y)

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        (x, y), (g,) = node.inputs, cotangents
        if not is_sparse_type(g):
            return [fit(x, mul_s_d(y, g)), fit(y, mul_s_d(x, g))]
        return [fit(x, self(y, g)), fit(y, self(x, g))]


class MulSD(SparseOp):
    """The product, item by item, of a sparse and a dense matrix (or a number), sparse."""

    shaped_as = 0
    linear = linear_in(0, 1)

    def make_node(self, x: Variable, y: Variable) -> Apply:
        x, y = sparse(x), tensor(y)
        assert y.type.ndim in (0, 2), f"the product takes a number or a matrix, got {y.type}"
        return result(self, [x, y], x.type.format, upcast(x, y))

    def compute(
        self, xp: ArrayModule, node: Apply, x: SparseMatrix, y: np.ndarray
    ) -> tuple[Any, ...]:
        made = with_dtype(x, node.outputs[0].type.dtype)
        if y.ndim == 0:
            made.data *= y
            return (made,)
        _check_shapes("the product", x, y)
        if x.format == "bsr":
            return (converted(made.multiply(y), x.format, made.dtype),)
        made.data *= y[rows_of(x), columns_of(x)]
        return (made,)

    def arrays(self, node: Apply, x: Compressed, y: TensorVariable) -> Any:
        if y.type.ndim == 0:
            return x.holding(x.data * y)
        return x.holding(x.data * x.at_items(_of_one_shape("the product", x, y)))

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        (x, y), (g,) = node.inputs, cotangents
        g = sparse_as(x.type.format, g)
        if y.type.ndim == 0:
            return [fit(x, self(g, y)), fit_dense(y, SpSum(None)(MulSS()(x, g)))]
        return [fit(x, self(g, y)), fit_dense(y, MulSS()(x, g))]


class MulSV(SparseOp):
    """Each row of a sparse matrix times a vector, item by item."""

    shaped_as = 0
    linear = linear_in(0, 1)

    def make_node(self, x: Variable, y: Variable) -> Apply:
        x, y = sparse(x), tensor(y)
        assert y.type.ndim == 1, f"mul_s_v takes a vector, got {y.type}"
        return result(self, [x, y], x.type.format, upcast(x, y))

    def compute(
        self, xp: ArrayModule, node: Apply, x: SparseMatrix, y: np.ndarray
    ) -> tuple[Any, ...]:
        if y.shape[0] != x.shape[1]:
            raise ValueError(FACTORS.format(*x.shape, y.shape[0]))
        made = with_dtype(x, node.outputs[0].type.dtype)
        made.data *= y[columns_of(x)]
        return (made,)

    def arrays(self, node: Apply, x: Compressed, y: TensorVariable) -> Any:
        return x.holding(x.data * gather(_factors(x, y, 1), x.of_columns))

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        (x, y), (g,) = node.inputs, cotangents
        g = sparse_as(x.type.format, g)
        return [fit(x, self(g, y)), fit_dense(y, SpSum(0)(MulSS()(x, g)))]


class Scale(SparseOp):
    """Base of what multiplies the rows or columns of a matrix by the items of a vector."""

    shaped_as = 0

    axis: ClassVar[int]
    linear = linear_in(0, 1)

    def make_node(self, x: Variable, s: Variable) -> Apply:
        x, s = sparse(x), tensor(s)
        if x.type.format != "csc":
            raise ValueError(f"x was not a csc matrix, but {x.type}")
        if s.type.ndim != 1:
            raise TypeError(f"the factors must be a vector, got {s.type}")
        # The factors have no say in how exact floats are; integers, they may make fractions of.
        own, both = x.type.dtype, upcast(x, s)
        kept = not dtypes.is_discrete(own) and dtypes.is_complex(own) == dtypes.is_complex(both)
        return result(self, [x, s], "csc", own if kept else both)

    def compute(
        self, xp: ArrayModule, node: Apply, x: SparseMatrix, s: np.ndarray
    ) -> tuple[Any, ...]:
        if s.shape != (x.shape[self.axis],):
            raise ValueError(FACTORS.format(*x.shape, s.size))
        made = with_dtype(x, node.outputs[0].type.dtype)
        made.data *= s[columns_of(x) if self.axis else rows_of(x)]
        return (made,)

    def arrays(self, node: Apply, x: Compressed, s: TensorVariable) -> Any:
        places = x.of_columns if self.axis else x.of_rows
        items = x.data * gather(_factors(x, s, self.axis), places)
        return x.holding(cast(items, node.outputs[0].type.dtype))

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        (x, s), (g,) = node.inputs, cotangents
        g = sparse_as("csc", g)
        return [fit(x, self(g, s)), fit_dense(s, SpSum(1 - self.axis)(MulSS()(x, g)))]


class ColScaleCSC(Scale):
    """Each column of a CSC matrix times its factor."""

    axis = 1


class RowScaleCSC(Scale):
    """Each row of a CSC matrix times its factor."""

    axis = 0


class SpSum(SparseOp):
    """The sum of all items, or along an axis.

    With `sparse_grad` the gradient is of stored items only.
    """

    __props__ = ("axis",)

    def __init__(self, axis: int | None = None, sparse_grad: bool = True) -> None:
        if axis not in (None, 0, 1):
            raise ValueError(f"Illegal value for self.axis: {axis!r}; the axes are None, 0 and 1")
        # SciPy takes no integer of NumPy.
        self.axis = None if axis is None else int(axis)
        # Not a property: it tells what the gradient is, not the value.
        self.structured = sparse_grad

    def make_node(self, x: Variable) -> Apply:
        x = sparse(x)
        pattern = () if self.axis is None else (False,)
        return self.one([x], x.type.dtype, pattern)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [() if self.axis is None else (shapes[0][1 - self.axis],)]

    def compute(self, xp: ArrayModule, node: Apply, x: Any) -> tuple[Any, ...]:
        # SciPy's sum of everything would take items that are stored twice together, in `x` itself.
        total = x.data.sum() if self.axis is None else np.asarray(x.sum(self.axis)).reshape(-1)
        return (array(total, x.dtype),)

    def arrays(self, node: Apply, x: Compressed) -> Any:
        return x.summed(self.axis)

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        (x,), (g,) = node.inputs, cotangents
        if dtypes.is_discrete(x.type.dtype):
            return [zeros_at(x)]
        if self.structured:
            return [_spread(x, g, self.axis)]
        shape = parts(x)[3]
        order = {None: ("x", "x"), 0: ("x", 0), 1: (0, "x")}[self.axis]
        everywhere = alloc(dimshuffle(g, order), shape[0], shape[1])
        return [SparseFromDense(x.type.format)(everywhere)]

    def __str__(self) -> str:
        return f"SpSum{{axis={self.axis}}}"


def _spread(x: Variable, g: Variable, axis: int | None) -> Any:
    """Return the matrix with the items of `g`, a sum along an axis, where `x` stores items."""
    ones = ones_at(x, g.type.dtype)
    if axis is None:
        return rebuilt(x, parts(ones)[0] * dimshuffle(g, ("x",)))
    if axis == 0:
        return MulSV()(ones, g)
    return row_scale(ones, g)


def row_scale(x: Variable, s: Variable) -> Any:
    """Return each row of a matrix times its factor.

    Parameters
    ----------
    x : sparse matrix
    s : vector

    Returns
    -------
    sparse matrix

    Examples
    --------
    >>> import scipy.sparse as sp
    >>> x, s = theano.sparse.csr_matrix("x"), T.dvector("s")
    >>> scaled = theano.sparse.row_scale(x, s)
    >>> scaled.eval({x: sp.csr_matrix([[1.0, 2.0]]), s: [10.0]}).toarray()
    array([[10., 20.]])
    """
    x = sparse(x)
    if x.type.format == "csc":
        return RowScaleCSC()(x, s)
    return Transpose()(ColScaleCSC()(Transpose()(x), s))


def col_scale(x: Variable, s: Variable) -> Any:
    """Return each column of a matrix times its factor.

    Parameters
    ----------
    x : sparse matrix
    s : vector

    Returns
    -------
    sparse matrix

    Examples
    --------
    >>> import scipy.sparse as sp
    >>> x, s = theano.sparse.csr_matrix("x"), T.dvector("s")
    >>> scaled = theano.sparse.col_scale(x, s)
    >>> scaled.eval({x: sp.csr_matrix([[1.0, 2.0]]), s: [10.0, 1.0]}).toarray()
    array([[10.,  2.]])
    """
    x = sparse(x)
    if x.type.format == "csc":
        return ColScaleCSC()(x, s)
    return Transpose()(RowScaleCSC()(Transpose()(x), s))


class Comparison(SparseOp):
    """Base of comparisons item by item; the result has items of uint8."""

    shaped_as = 0

    compare: ClassVar[Callable[[Any, Any], Any]]

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        return [zeros_at(v) if is_sparse_type(v) else zeros_like_float(v) for v in node.inputs]


class ComparisonSS(Comparison):
    """Base of comparisons of two sparse matrices; the result is sparse."""

    def make_node(self, x: Variable, y: Variable) -> Apply:
        x, y = sparse(x), sparse(y)
        if x.type.format != y.type.format:
            raise NotImplementedError(f"comparisons need one format, got {x.type} and {y.type}")
        return result(self, [x, y], x.type.format, "uint8")

    def compute(
        self, xp: ArrayModule, node: Apply, x: SparseMatrix, y: SparseMatrix
    ) -> tuple[Any, ...]:
        _check_shapes("the comparison", x, y)
        made = type(self).compare(x.toarray(), y.toarray())
        return (converted(made, x.format, "uint8"),)


class ComparisonSD(Comparison):
    """Base of comparisons of a sparse with a dense matrix; the result is dense."""

    def make_node(self, x: Variable, y: Variable) -> Apply:
        x, y = sparse(x), tensor(y)
        assert y.type.ndim == 2, f"the comparison takes a matrix, got {y.type}"
        return self.one([x, y], "uint8", (False, False))

    def compute(
        self, xp: ArrayModule, node: Apply, x: SparseMatrix, y: np.ndarray
    ) -> tuple[Any, ...]:
        _check_shapes("the comparison", x, y)
        return (array(type(self).compare(x.toarray(), y), "uint8"),)

    def arrays(self, node: Apply, x: Compressed, y: TensorVariable) -> Any:
        if dtypes.is_complex(x.data.type.dtype) or dtypes.is_complex(y.type.dtype):
            return None
        return TENSOR_COMPARISONS[type(self).compare](
            x.dense, _of_one_shape("the comparison", x, y)
        )


COMPARISONS = {
    "Equal": np.equal,
    "NotEqual": np.not_equal,
    "LessThan": np.less,
    "GreaterThan": np.greater,
    "LessEqual": np.less_equal,
    "GreaterEqual": np.greater_equal,
}
"""Classes of comparisons are named after these, with `SS` or `SD` behind."""
TENSOR_COMPARISONS = {
    np.equal: eq,
    np.not_equal: neq,
    np.less: lt,
    np.greater: gt,
    np.less_equal: le,
    np.greater_equal: ge,
}


def _comparison(name: str, base: type, suffix: str) -> Any:
    members = {
        "compare": staticmethod(COMPARISONS[name]),
        "__doc__": f"`numpy.{COMPARISONS[name].__name__}` of the items.",
        "__module__": __name__,
    }
    return type(name + suffix, (base,), members)


SS = {name: _comparison(name, ComparisonSS, "SS") for name in COMPARISONS}
SD = {name: _comparison(name, ComparisonSD, "SD") for name in COMPARISONS}
globals().update({cls.__name__: cls for cls in (*SS.values(), *SD.values())})
mul_s_d = MulSD()
