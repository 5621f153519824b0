"""Functions of sparse matrices, and variables with operators."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from theano._core.ir.hooks import extend
from theano._core.ir.variable import Constant, Variable
from theano._core.ops.array.shaping import ShapeOf, length
from theano._core.ops.elementwise import arithmetic as dense_arithmetic, transcendental
from theano._core.ops.elementwise.elementwise import conjugate
from theano._core.ops.sparse import arithmetic as ops
from theano._core.ops.sparse.base import Copied, SparseOp, either, sparse
from theano._core.ops.sparse.construction import cast, csm_data, sp_zeros_like
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
    DenseFromSparse,
    Neg,
    Transpose,
    parts,
    rebuilt,
)
from theano._core.ops.sparse.type import SparseType, is_sparse, is_sparse_variable

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike

add_s_s, add_s_s_data, add_s_d = ops.AddSS(), ops.AddSSData(), ops.AddSD()
structured_add_s_v = ops.StructuredAddSV()
mul_s_s, mul_s_d, mul_s_v = ops.MulSS(), ops.mul_s_d, ops.MulSV()
col_scale, row_scale = ops.col_scale, ops.row_scale
neg, transpose = Neg(), Transpose()
sampling_dot, usmm = SamplingDot(), Usmm()
dense_from_sparse = DenseFromSparse()
as_sparse_variable, as_sparse_or_tensor_variable = sparse, either


# -- arithmetic ------------------------------------------------------------------------------------


def _operands(name: str, x: Any, y: Any) -> tuple[Any, Any, bool, bool]:
    x, y = either(x), either(y)
    of = is_sparse_variable(x), is_sparse_variable(y)
    assert any(of), f"{name} needs a sparse operand, got {x.type} and {y.type}"
    return x, y, *of


def add(x: object, y: object) -> Any:
    """Return the sum of two matrices of which at least one is sparse; dense if one is dense.

    Parameters
    ----------
    x, y : sparse or dense matrix

    Returns
    -------
    sparse or dense matrix

    Examples
    --------
    >>> import scipy.sparse as sp
    >>> x = theano.sparse.csr_matrix("x")
    >>> theano.sparse.add(x, x).eval({x: sp.csr_matrix([[1.0, 0.0], [0.0, 2.0]])}).toarray()
    array([[2., 0.],
           [0., 4.]])
    """
    x, y, first, second = _operands("add", x, y)
    if first and second:
        return add_s_s(x, y)
    return add_s_d(x, y) if first else add_s_d(y, x)


def sub(x: Any, y: Any) -> Any:
    """Return the difference of two matrices, of which at least one is sparse as a rule.

    Parameters
    ----------
    x, y : sparse or dense matrix

    Returns
    -------
    sparse or dense matrix

    Examples
    --------
    >>> import scipy.sparse
    >>> from theano import sparse
    >>> x = sparse.csr_matrix("x", dtype="float64")
    >>> sparse.sub(x, x).eval({x: scipy.sparse.csr_matrix(np.eye(2))}).toarray().tolist()
    [[0.0, 0.0], [0.0, 0.0]]
    """
    x, y = either(x), either(y)
    return add(x, -y) if is_sparse_variable(x) or is_sparse_variable(y) else x - y


def mul(x: object, y: object) -> Any:
    """Return the product, item by item, of operands of which at least one is sparse; sparse.

    Parameters
    ----------
    x, y : sparse or dense matrix, or number

    Returns
    -------
    sparse matrix

    Examples
    --------
    >>> import scipy.sparse as sp
    >>> x = theano.sparse.csr_matrix("x")
    >>> theano.sparse.mul(x, x).eval({x: sp.csr_matrix([[1.0, 0.0], [0.0, 2.0]])}).toarray()
    array([[1., 0.],
           [0., 4.]])
    """
    x, y, first, second = _operands("mul", x, y)
    if first and second:
        return mul_s_s(x, y)
    return mul_s_d(x, y) if first else mul_s_d(y, x)


COMPARISON_DOC = """Return `numpy.{}` of two matrices, as uint8.

Parameters
----------
x, y : sparse or dense matrix

Returns
-------
matrix, uint8
    Sparse if both are, else dense.

Examples
--------
>>> import scipy.sparse
>>> a, b = theano.sparse.csr_matrix("a"), T.dmatrix("b")
>>> theano.sparse.{}(a, b).eval({{a: scipy.sparse.eye(1, format="csr"), b: [[2.0]]}})
array([[{}]], dtype=uint8)
"""


_OWN_NAMES = {
    "Equal": "eq",
    "NotEqual": "neq",
    "LessThan": "lt",
    "GreaterThan": "gt",
    "LessEqual": "le",
    "GreaterEqual": "ge",
}


def _comparison(name: str, mirrored: str) -> Callable[[Any, Any], Any]:
    def compare(x: TensorLike, y: TensorLike) -> Any:
        x, y, first, second = _operands(name, x, y)
        if first and second:
            return ops.SS[name]()(x, y)
        return ops.SD[name]()(x, y) if first else ops.SD[mirrored]()(y, x)

    compare.__doc__ = COMPARISON_DOC.format(
        ops.COMPARISONS[name].__name__, _OWN_NAMES[name], int(ops.COMPARISONS[name](1, 2))
    )
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

    Returns
    -------
    scalar or vector

    Examples
    --------
    >>> import scipy.sparse as sp
    >>> x = theano.sparse.csr_matrix("x")
    >>> theano.sparse.sp_sum(x, axis=0).eval({x: sp.csr_matrix([[1.0, 0.0], [0.0, 2.0]])})
    array([1., 2.])
    """
    return ops.SpSum(axis, sparse_grad)(x)


# -- products --------------------------------------------------------------------------------------


def dot(x: object, y: object) -> Any:
    """Return the product of matrices (or a matrix and a vector), dense; one at least is sparse.

    The gradient of a sparse operand is dense.

    Parameters
    ----------
    x, y : sparse or dense matrix

    Returns
    -------
    matrix or vector

    Examples
    --------
    >>> import scipy.sparse as sp
    >>> x = theano.sparse.csr_matrix("x")
    >>> v = T.dvector("v")
    >>> theano.sparse.dot(x, v).eval({x: sp.csr_matrix([[1.0, 0.0], [0.0, 2.0]]), v: [1.0, 1.0]})
    array([1., 2.])
    """
    one, two = either(x), either(y)
    if not (is_sparse_variable(one) or is_sparse_variable(two)):
        raise TypeError(f"dot needs a sparse operand, got {one.type} and {two.type}")
    return Dot()(one, two)


def true_dot(x: Variable, y: Variable, grad_preserves_dense: bool = True) -> Any:
    """Return the product of two matrices of which at least one is sparse, sparse.

    Parameters
    ----------
    grad_preserves_dense : bool
        Whether the gradient of a dense operand is dense.

    Returns
    -------
    sparse matrix

    Examples
    --------
    >>> import scipy.sparse
    >>> from theano import sparse
    >>> x = sparse.csr_matrix("x", dtype="float64")
    >>> sparse.true_dot(x, x).eval({x: scipy.sparse.csr_matrix(2 * np.eye(2))}).toarray().tolist()
    [[4.0, 0.0], [0.0, 4.0]]
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

    Parameters
    ----------
    x, y : sparse or dense matrix

    Returns
    -------
    sparse or dense matrix

    Examples
    --------
    >>> import scipy.sparse as sp
    >>> x = theano.sparse.csr_matrix("x")
    >>> twice = theano.sparse.structured_dot(x, x)
    >>> twice.eval({x: sp.csr_matrix([[1.0, 0.0], [0.0, 2.0]])}).toarray()
    array([[1., 0.],
           [0., 4.]])
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
    """Return a decorator: a function of matrices that is `tensor_op` of the stored items.

    Parameters
    ----------
    tensor_op : callable
        A function of tensors, item by item.

    Returns
    -------
    callable

    Examples
    --------
    >>> import scipy.sparse
    >>> import theano.sparse
    >>> @theano.sparse.structured_monoid(T.cos)
    ... def cos_of_stored(x): ...
    ...
    >>> a = theano.sparse.csr_matrix("a")
    >>> cos_of_stored(a).eval({a: scipy.sparse.csr_matrix([[0.0, np.pi]])}).nnz
    1
    """
    return lambda function: _structured(function.__name__, tensor_op, function.__doc__)


def _structured(name: str, tensor_op: Callable[..., object], doc: str | None = None) -> Any:
    def apply(*args: TensorLike) -> Any:
        x = sparse(args[0])
        return rebuilt(x, tensor_op(parts(x)[0], *args[1:]))

    apply.__name__ = apply.__qualname__ = name
    item = name.removeprefix("structured_")
    more = ", 2.0" * (getattr(tensor_op, "nin", 1) - 1)
    apply.__doc__ = doc or STRUCTURED_DOC.format(item=item, name=name, more=more)
    return apply


STRUCTURED_DOC = """Return a matrix with `{item}` of stored items.

Parameters
----------
*args : sparse matrix, then numbers
    What that takes of tensors.

Returns
-------
sparse matrix
    Of the format of the operand. What is not stored stays zero.

Examples
--------
>>> from scipy.sparse import csr_matrix
>>> x = theano.sparse.csr_matrix("x")
>>> y = theano.sparse.{name}(x{more})
>>> y.eval({{x: csr_matrix([[0.5, 0.0], [0.0, 0.25]])}}).nnz
2
"""


# Functions of stored items, and what they do to one.
structured_sigmoid = _structured("structured_sigmoid", transcendental.sigmoid)
structured_exp = _structured("structured_exp", transcendental.exp)
structured_log = _structured("structured_log", transcendental.log)
structured_pow = _structured("structured_pow", transcendental.pow)
structured_minimum = _structured("structured_minimum", dense_arithmetic.minimum)
structured_maximum = _structured("structured_maximum", dense_arithmetic.maximum)
structured_add = _structured("structured_add", dense_arithmetic.add)
sin = _structured("sin", transcendental.sin)
arcsin = _structured("arcsin", transcendental.arcsin)
tan = _structured("tan", transcendental.tan)
arctan = _structured("arctan", transcendental.arctan)
sinh = _structured("sinh", transcendental.sinh)
arcsinh = _structured("arcsinh", transcendental.arcsinh)
tanh = _structured("tanh", transcendental.tanh)
arctanh = _structured("arctanh", transcendental.arctanh)
rint = _structured("rint", dense_arithmetic.round_half_to_even)
sgn = _structured("sgn", dense_arithmetic.sgn)
ceil = _structured("ceil", dense_arithmetic.ceil)
floor = _structured("floor", dense_arithmetic.floor)
trunc = _structured("trunc", dense_arithmetic.trunc)
log1p = _structured("log1p", transcendental.log1p)
expm1 = _structured("expm1", transcendental.expm1)
deg2rad = _structured("deg2rad", transcendental.deg2rad)
rad2deg = _structured("rad2deg", transcendental.rad2deg)
sqr = _structured("sqr", dense_arithmetic.sqr)
sqrt = _structured("sqrt", transcendental.sqrt)
conj = _structured("conj", conjugate)


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
        return (
            f"{type(self).__name__}{{{self.type.format},{self.type.dtype},"
            f"shape={self.data.shape},nnz={self.data.nnz}}}"
        )

    __repr__ = __str__


def _is_new(variable: Variable) -> bool:
    """Tell whether a matrix is certainly none that is an argument or shared."""
    return variable.owner is not None and isinstance(variable.owner.op, SparseOp)


extend(
    SparseType,
    Variable=SparseVariable,
    Constant=SparseConstant,
    own=lambda self, variable: variable if _is_new(variable) else Copied()(variable),
)
