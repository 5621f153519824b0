"""Functions of sparse matrices, and variables with operators."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.base.settings import config
from theano._core.ir.hooks import extend
from theano._core.ir.variable import Constant, Variable
from theano._core.ops.array.shaping import ShapeOf, length
from theano._core.ops.elementwise import arithmetic as dense_arithmetic
from theano._core.ops.elementwise import transcendental
from theano._core.ops.elementwise.elementwise import conjugate
from theano._core.ops.sparse import arithmetic as ops
from theano._core.ops.sparse.base import either, sparse, upcast
from theano._core.ops.sparse.indexing import item
from theano._core.ops.sparse.products import (
    Dot,
    SamplingDot,
    StructuredDot,
    TrueDot,
    Usmm,
    transposed,
)
from theano._core.ops.sparse.structure import (
    Cast,
    DenseFromSparse,
    EnsureSortedIndices,
    HStack,
    Neg,
    Remove0,
    Transpose,
    VStack,
    ones_at,
    parts,
    rebuilt,
    zeros_at,
)
from theano._core.ops.sparse.type import SparseType, is_sparse, is_sparse_variable

if TYPE_CHECKING:
    from theano._core.ir.annotations import SparseMatrix, TensorLike

add_s_s, add_s_s_data, add_s_d = ops.AddSS(), ops.AddSSData(), ops.AddSD()
structured_add_s_v = ops.StructuredAddSV()
mul_s_s, mul_s_d, mul_s_v = ops.MulSS(), ops.mul_s_d, ops.MulSV()
col_scale, row_scale = ops.col_scale, ops.row_scale
neg, transpose, remove0 = Neg(), Transpose(), Remove0()
ensure_sorted_indices = EnsureSortedIndices()
sampling_dot, usmm = SamplingDot(), Usmm()
dense_from_sparse = DenseFromSparse()
as_sparse_variable, as_sparse_or_tensor_variable = sparse, either


# -- constructors ----------------------------------------------------------------------------------


def constant(x: SparseMatrix | np.ndarray, name: str | None = None) -> Any:
    """Return a sparse matrix of SciPy as a constant.

    Raises
    ------
    TypeError
        `x` is not sparse.
    """
    if not is_sparse(x):
        raise TypeError("sparse.constant must be called on a scipy.sparse.spmatrix", type(x))
    return sparse(x, name)


def matrix(format: str, name: str | None = None, dtype: str | None = None) -> Any:
    """Return a new input variable: a sparse matrix.

    Parameters
    ----------
    format : {'csr', 'csc', 'bsr'}
    name : str, optional
    dtype : str, optional
        By default `config.floatX`.
    """
    return SparseType(format, config.floatX if dtype is None else dtype)(name)


def csr_matrix(name: str | None = None, dtype: str | None = None) -> Any:
    """Return a new sparse input variable, stored by rows; see `matrix`."""
    return matrix("csr", name, dtype)


def csc_matrix(name: str | None = None, dtype: str | None = None) -> Any:
    """Return a new sparse input variable, stored by columns; see `matrix`."""
    return matrix("csc", name, dtype)


def bsr_matrix(name: str | None = None, dtype: str | None = None) -> Any:
    """Return a new sparse input variable, stored in blocks; see `matrix`."""
    return matrix("bsr", name, dtype)


def sp_ones_like(x: Variable) -> Any:
    """Return 1 where `x` stores items."""
    x = sparse(x)
    return ones_at(x, x.type.dtype)


def sp_zeros_like(x: Any) -> Any:
    """Return a matrix of the shape of `x` that stores nothing."""
    x = sparse(x)
    return cast(zeros_at(x), x.type.dtype)


# -- parts -----------------------------------------------------------------------------------------


def csm_data(csm: object) -> Any:
    """Return the stored items, a vector."""
    return parts(csm)[0]


def csm_indices(csm: object) -> Any:
    """Return the column of each item of a CSR matrix, the row for CSC; int32."""
    return parts(csm)[1]


def csm_indptr(csm: object) -> Any:
    """Return at which item each row begins (CSC: column), and how many items there are; int32."""
    return parts(csm)[2]


def csm_shape(csm: object) -> Any:
    """Return the numbers of rows and columns, a vector of int32."""
    return parts(csm)[3]


def cast(variable: Any, dtype: str) -> Any:
    """Return a matrix with items of another dtype."""
    variable = sparse(variable)
    return variable if variable.type.dtype == str(np.dtype(dtype)) else Cast(dtype)(variable)


def clean(x: Variable) -> Any:
    """Return a matrix that stores no zeros, with sorted indices."""
    return ensure_sorted_indices(remove0(x))


def _stacked(kind: type, blocks: Sequence[Variable], format: str | None, dtype: str | None) -> Any:
    variables = [sparse(block) for block in blocks]
    if not variables:
        raise ValueError("there are no blocks to stack")
    return kind(format=format, dtype=upcast(*variables) if dtype is None else dtype)(*variables)


def hstack(blocks: Sequence[Variable], format: str | None = None, dtype: str | None = None) -> Any:
    """Return sparse matrices side by side, CSC unless another format is wanted."""
    return _stacked(HStack, blocks, format, dtype)


def vstack(blocks: Sequence[Variable], format: str | None = None, dtype: str | None = None) -> Any:
    """Return sparse matrices one above the other, CSC unless another format is wanted."""
    return _stacked(VStack, blocks, format, dtype)


# -- arithmetic ------------------------------------------------------------------------------------


def _operands(name: str, x: Any, y: Any) -> tuple[Any, Any, bool, bool]:
    x, y = either(x), either(y)
    of = is_sparse_variable(x), is_sparse_variable(y)
    assert any(of), f"{name} needs a sparse operand, got {x.type} and {y.type}"
    return x, y, *of


def add(x: object, y: object) -> Any:
    """Return the sum of two matrices of which at least one is sparse; dense if one is dense."""
    x, y, first, second = _operands("add", x, y)
    if first and second:
        return add_s_s(x, y)
    return add_s_d(x, y) if first else add_s_d(y, x)


def sub(x: object, y: object) -> Any:
    """Return the difference of two matrices of which at least one is sparse."""
    return add(x, -either(y))


def mul(x: object, y: object) -> Any:
    """Return the product, item by item, of operands of which at least one is sparse; sparse."""
    x, y, first, second = _operands("mul", x, y)
    if first and second:
        return mul_s_s(x, y)
    return mul_s_d(x, y) if first else mul_s_d(y, x)


def _comparison(name: str, mirrored: str) -> Callable[[Any, Any], Any]:
    def compare(x: TensorLike, y: TensorLike) -> Any:
        x, y, first, second = _operands(name, x, y)
        if first and second:
            return ops.SS[name]()(x, y)
        return ops.SD[name]()(x, y) if first else ops.SD[mirrored]()(y, x)

    compare.__doc__ = f"""Return `numpy.{ops.COMPARISONS[name].__name__}` of two matrices, as uint8.

    Sparse if both are, else dense.
    """
    return compare


eq, neq = _comparison("Equal", "Equal"), _comparison("NotEqual", "NotEqual")
lt, gt = _comparison("LessThan", "GreaterThan"), _comparison("GreaterThan", "LessThan")
le, ge = _comparison("LessEqual", "GreaterEqual"), _comparison("GreaterEqual", "LessEqual")


def sp_sum(x: object, axis: int | None = None, sparse_grad: bool = False) -> Any:
    """Return the sum of all items, or along an axis; dense.

    Parameters
    ----------
    x : sparse matrix
    axis : None, 0 or 1
    sparse_grad : bool
        The gradient is of stored items only, else of all.
    """
    return ops.SpSum(axis, sparse_grad)(x)


# -- products --------------------------------------------------------------------------------------


def dot(x: object, y: object) -> Any:
    """Return the product of matrices (or a matrix and a vector), dense; one at least is sparse.

    The gradient of a sparse operand is dense.
    """
    x, y, _, _ = _operands("dot", x, y)
    return Dot()(x, y)


def true_dot(x: Variable, y: Variable, grad_preserves_dense: bool = True) -> Any:
    """Return the product of two matrices of which at least one is sparse, sparse.

    Parameters
    ----------
    grad_preserves_dense : bool
        Whether the gradient of a dense operand is dense.
    """
    x = sparse(x) if is_sparse(x) else x
    y = sparse(y) if is_sparse(y) else y
    first, second = is_sparse_variable(x), is_sparse_variable(y)
    if not (first or second):
        raise TypeError(f"true_dot needs a sparse operand, got {x.type} and {y.type}")
    if first:
        return TrueDot(grad_preserves_dense)(x, y)
    return transpose(TrueDot(grad_preserves_dense)(transposed(y), transposed(x)))


def structured_dot(x: object, y: object) -> Any:
    """Return the product of two matrices, at least one sparse; gradients of stored items only.

    Sparse if both are, else dense.
    """
    x = sparse(x) if is_sparse(x) else x
    y = sparse(y) if is_sparse(y) else y
    first, second = is_sparse_variable(x), is_sparse_variable(y)
    if not (first or second):
        raise TypeError("structured_dot requires at least one sparse argument")
    if first:
        return StructuredDot()(x, y)
    return transposed(StructuredDot()(transposed(y), transposed(x)))


# -- functions of stored items ---------------------------------------------------------------------


def structured_monoid(tensor_op: Callable[..., object]) -> Callable[[Callable[..., Any]], Any]:
    """Return a decorator: a function of matrices that is `tensor_op` of the stored items."""
    return lambda function: _structured(function.__name__, tensor_op, function.__doc__)


def _structured(name: str, tensor_op: Callable[..., object], doc: str | None = None) -> Any:
    def apply(*args: TensorLike) -> Any:
        x = sparse(args[0])
        return rebuilt(x, tensor_op(parts(x)[0], *args[1:]))

    apply.__name__ = apply.__qualname__ = name
    item = name.removeprefix("structured_")
    apply.__doc__ = doc or f"Return a matrix with `{item}` of stored items."
    return apply


STRUCTURED = {
    "structured_sigmoid": transcendental.sigmoid,
    "structured_exp": transcendental.exp,
    "structured_log": transcendental.log,
    "structured_pow": transcendental.pow,
    "structured_minimum": dense_arithmetic.minimum,
    "structured_maximum": dense_arithmetic.maximum,
    "structured_add": dense_arithmetic.add,
    "sin": transcendental.sin,
    "arcsin": transcendental.arcsin,
    "tan": transcendental.tan,
    "arctan": transcendental.arctan,
    "sinh": transcendental.sinh,
    "arcsinh": transcendental.arcsinh,
    "tanh": transcendental.tanh,
    "arctanh": transcendental.arctanh,
    "rint": dense_arithmetic.round_half_to_even,
    "sgn": dense_arithmetic.sgn,
    "ceil": dense_arithmetic.ceil,
    "floor": dense_arithmetic.floor,
    "trunc": dense_arithmetic.trunc,
    "log1p": transcendental.log1p,
    "expm1": transcendental.expm1,
    "deg2rad": transcendental.deg2rad,
    "rad2deg": transcendental.rad2deg,
    "sqr": dense_arithmetic.sqr,
    "sqrt": transcendental.sqrt,
    "conj": conjugate,
}
"""Functions of stored items, by name, and what they do to one."""

globals().update({name: _structured(name, op) for name, op in STRUCTURED.items()})


# -- variables -------------------------------------------------------------------------------------


class Operators:
    """What sparse variables can do; each returns a new variable."""

    type: Any
    # NumPy leaves operators with arrays to these.
    __array_priority__ = 1001

    @property
    def T(self) -> Any:
        """The transpose."""
        return transpose(self)

    def __neg__(self) -> Any:
        return neg(self)

    def __add__(self, other: TensorLike) -> Any:
        return add(self, other)

    def __radd__(self, other: TensorLike) -> Any:
        return add(other, self)

    def __sub__(self, other: TensorLike) -> Any:
        return sub(self, other)

    def __rsub__(self, other: TensorLike) -> Any:
        return sub(other, self)

    def __mul__(self, other: TensorLike) -> Any:
        return mul(self, other)

    def __rmul__(self, other: TensorLike) -> Any:
        return mul(other, self)

    def __lt__(self, other: TensorLike) -> Any:
        return lt(self, other)

    def __le__(self, other: object) -> Any:
        return le(self, other)

    def __gt__(self, other: Variable) -> Any:
        return gt(self, other)

    def __ge__(self, other: object) -> Any:
        return ge(self, other)

    def __dot__(self, other: Variable) -> Any:
        return structured_dot(self, other)

    def __rdot__(self, other: Variable) -> Any:
        return structured_dot(other, self)

    def __matmul__(self, other: TensorLike) -> Any:
        return dot(self, other)

    def __rmatmul__(self, other: TensorLike) -> Any:
        return dot(other, self)

    def __getitem__(self, index: Any) -> Any:
        return item(self, index)

    def __iter__(self) -> Any:
        raise TypeError(f"{self} has no items yet: x[i:j] is a part of it")

    def toarray(self) -> Any:
        """Return the matrix with its zeros, a tensor."""
        return dense_from_sparse(self)

    todense = toarray

    def astype(self, dtype: str) -> Any:
        """Return the matrix with items of another dtype."""
        return cast(self, dtype)

    def zeros_like(self, dtype: str | None = None) -> Any:
        """Return a matrix of this shape that stores nothing."""
        made = sp_zeros_like(self)
        return made if dtype is None else cast(made, dtype)

    def sum(self, axis: int | None = None, sparse_grad: bool = False) -> Any:
        """Return the sum of all items, or along an axis; see `sp_sum`."""
        return sp_sum(self, axis, sparse_grad)

    @property
    def shape(self) -> Any:
        """Numbers of rows and columns, a vector of int64."""
        return ShapeOf()(self)

    @property
    def size(self) -> Any:
        """Number of stored items, a scalar, as in SciPy."""
        return length(csm_data(self), 0)

    @property
    def dtype(self) -> str:
        """Type of the items."""
        return self.type.dtype

    @property
    def format(self) -> str:
        """How the items are stored: 'csr', 'csc' or 'bsr'."""
        return self.type.format

    @property
    def ndim(self) -> int:
        """Number of axes: 2."""
        return self.type.ndim

    @property
    def broadcastable(self) -> tuple[bool, ...]:
        """That no axis is known to have length 1."""
        return self.type.broadcastable


class SparseVariable(Operators, Variable):
    """A variable that is a sparse matrix."""

    def __str__(self) -> str:
        if self.owner is not None:
            return super().__str__()
        return f"{type(self).__name__}{{{self.type.format},{self.type.dtype}}}"

    __repr__ = __str__


class SparseConstant(Operators, Constant):
    """A sparse matrix that is known."""

    def __str__(self) -> str:
        return self.name or (
            f"{type(self).__name__}{{{self.type.format},{self.type.dtype},"
            f"shape={self.data.shape},nnz={self.data.nnz}}}"
        )

    __repr__ = __str__


extend(SparseType, Variable=SparseVariable, Constant=SparseConstant)
