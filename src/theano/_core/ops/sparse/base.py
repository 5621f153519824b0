"""What operations on sparse matrices share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from theano._core.base import dtypes
from theano._core.base.errors import AsTensorError
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.core.op import Op, as_variable
from theano._core.ops.core.python_call import Called
from theano._core.ops.sparse.type import CLASSES, SparseType, is_sparse

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, Dims, SparseMatrix, TensorLike


class SparseOp(Called):
    """Base of operations that SciPy computes, unless `arrays` says how arrays do."""

    def foldable(self) -> bool:
        """Constants stay what they are: a matrix does not travel with the code."""
        return False

    def arrays(self, node: Apply, *operands: Any) -> Any:
        """Return what `node` gives, made of the arrays of its operands, with the same checks.

        Parameters
        ----------
        node : Apply
        *operands : Compressed or Variable
            Those inputs that are sparse as `Compressed`.

        Returns
        -------
        Compressed, variable, list of variables, or None
            None: it is left to SciPy.
        """
        return None

    # The input whose lengths the output has; None: `shape` says.
    shaped_as: ClassVar[int | None] = None

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        if self.shaped_as is None:
            return [(None,) * out.type.ndim for out in node.outputs]
        return [shapes[self.shaped_as]]


def _is_tensor(variable: Variable) -> bool:
    return isinstance(variable.type, TensorType)


def sparse(x: Any, name: str | None = None) -> Any:
    """Return `x` as a sparse variable; raises TypeError if it is none.

    Parameters
    ----------
    x : variable or matrix of SciPy
    name : str, optional

    Returns
    -------
    SparseVariable

    Examples
    --------
    >>> import scipy.sparse
    >>> from theano import sparse
    >>> sparse.as_sparse_variable(scipy.sparse.csr_matrix(np.eye(2))).format
    'csr'
    """
    if isinstance(x, Apply):
        if len(x.outputs) != 1:
            raise ValueError("It is ambiguous which output of a multi-output Op has to be used.", x)
        x = x.outputs[0]
    if isinstance(x, Variable):
        if not isinstance(x.type, SparseType):
            raise TypeError("Variable type field must be a SparseType.", x, x.type)
        return x
    if not is_sparse(x):
        raise TypeError(f"Cannot convert {x} to SparseType", type(x))
    type_ = SparseType(x.format, str(x.dtype))
    return type_.constant_class(type_, type_.filter(x).copy(), name)


def either(x: Any, name: str | None = None) -> Any:
    """Return `x` as a sparse variable if it is sparse, else as a tensor.

    Parameters
    ----------
    x : variable, array or matrix of SciPy
    name : str, optional

    Returns
    -------
    variable

    Examples
    --------
    >>> from theano import sparse
    >>> sparse.as_sparse_or_tensor_variable([1.0, 2.0]).ndim
    1
    """
    if is_sparse(x) or isinstance(getattr(x, "type", None), SparseType):
        return sparse(x, name)
    return as_variable(x)


def tensor(x: Any) -> Any:
    """Return `x` as a tensor variable; raises TypeError for sparse ones."""
    x = as_variable(x)
    if not _is_tensor(x):
        raise AsTensorError("Variable type field must be a TensorType.", x, x.type)
    return x


def is_sparse_type(x: Any) -> bool:
    """Tell whether a variable is sparse."""
    return isinstance(x.type, SparseType)


def result(op: Op, inputs: Sequence[Any], format: str, dtype: str) -> Apply:
    """Return a node with one sparse output."""
    return Apply(op, inputs, [SparseType(format, dtype).make_variable()])


def upcast(*variables: Variable) -> str:
    """Return the dtype that the items of all variables fit."""
    return dtypes.upcast(*(v.type.dtype for v in variables))


def converted(matrix: object, format: str, dtype: str) -> Any:
    """Return a matrix in a format and dtype: a `scipy.sparse` matrix, not an array."""
    made = CLASSES[format](matrix)
    return made if made.dtype == dtype else made.astype(dtype)


def with_dtype(matrix: SparseMatrix, dtype: str) -> Any:
    """Return a copy of a matrix of SciPy with items of another dtype, in the same places.

    SciPy's own would take items together that are stored twice.
    """
    made = matrix.copy()
    made.data = matrix.data.astype(dtype)
    return made


def array(values: TensorLike, dtype: str) -> np.ndarray:
    """Return an array of a dtype of its own memory."""
    return np.array(values, dtype=dtype)


class Copied(SparseOp):
    """A matrix of memory of its own: what is an argument or shared cannot be a result as well."""

    not_differentiated = "made when a function is compiled"
    shaped_as = 0

    def make_node(self, x: Variable) -> Apply:
        return result(self, [x], x.type.format, x.type.dtype)

    def compute(self, xp: ArrayModule, node: Apply, x: SparseMatrix) -> tuple[Any, ...]:
        return (x.copy(),)


class SameType(SparseOp):
    """Base of operations that make another matrix of the type and lengths of one."""

    shaped_as = 0

    def make_node(self, x: Variable) -> Apply:
        x = sparse(x)
        return result(self, [x], x.type.format, x.type.dtype)
