"""The type of variables that are sparse matrices."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import scipy.sparse

from theano._core.base.dtypes import all_dtypes
from theano._core.ir.types import TensorType, Type
from theano._core.ir.variable import Constant, Variable
from theano._core.runtime import native

if TYPE_CHECKING:
    from theano._core.ir.annotations import SparseMatrix

# The dtypes of indices that the runtime reads.
INDICES = (np.dtype("int32"), np.dtype("int64"))
CLASSES: dict[str, Any] = {
    "csr": scipy.sparse.csr_matrix,
    "csc": scipy.sparse.csc_matrix,
    "bsr": scipy.sparse.bsr_matrix,
}


class SparseType(Type):
    """The type of sparse matrices of one format and dtype.

    Parameters
    ----------
    format : {'csr', 'csc', 'bsr'}
    dtype : str

    Raises
    ------
    NotImplementedError
        There is no such format, or no matrix of this dtype.
    """

    format_cls: ClassVar[dict[str, Any]] = CLASSES
    dtype_set: ClassVar[set[str]] = set(all_dtypes) - {"float16"}
    ndim = 2
    has_shape = True
    broadcastable = (False, False)
    shape = (None, None)
    # Also what `sparse.type` of old programs calls them.
    Variable: ClassVar[type[Variable]] = Variable
    Constant: ClassVar[type[Constant]] = Constant

    def __init__(self, format: str, dtype: Any) -> None:
        dtype = str(np.dtype(dtype)) if not isinstance(dtype, str) else dtype
        if dtype not in self.dtype_set:
            supported = sorted(self.dtype_set)
            raise NotImplementedError(f'unsupported dtype "{dtype}" not in list', supported)
        if format not in CLASSES:
            raise NotImplementedError(f'unsupported format "{format}" not in list', list(CLASSES))
        self.format = format
        self.dtype = dtype

    def filter(self, value: Any, strict: bool = False, allow_downcast: bool | None = None) -> Any:
        """Return a matrix of this type with the items of `value`.

        Raises
        ------
        TypeError
            If `strict`: `value` is of another format or dtype, or not sparse.
        NotImplementedError
            The items would lose digits.
        ValueError
            The indices are not those of a matrix of this shape.
        """
        if isinstance(value, CLASSES[self.format]) and value.dtype == self.dtype:
            return checked(value)
        if strict:
            raise TypeError(
                f"{value!r} is not sparse, or not the right dtype (is {_dtype_of(value)}, expected "
                f"{self.dtype})"
            )
        if not is_sparse(value):
            value = CLASSES[self.format](np.asarray(value))
        if value.dtype != self.dtype:
            fits = np.can_cast(value.dtype, self.dtype, "safe")
            if not (fits or allow_downcast):
                raise NotImplementedError(
                    f"Expected {self.dtype} dtype but got {value.dtype}: convert it with "
                    f"value.astype('{self.dtype}'), or allow a downcast"
                )
            value = value.astype(self.dtype)
        return checked(CLASSES[self.format](value))

    def is_valid_value(self, value: SparseMatrix) -> bool:
        return is_sparse(value) and value.format == self.format and value.dtype == self.dtype

    @property
    def variable_class(self) -> Any:  # type: ignore[override]
        """Class of the variables of this type."""
        return self.Variable

    @property
    def constant_class(self) -> Any:  # type: ignore[override]
        """Class of the constants of this type."""
        return self.Constant

    def clone(self, format: str | None = None, dtype: str | None = None) -> SparseType:
        """Return the type with another format or dtype."""
        return SparseType(format or self.format, dtype or self.dtype)

    @staticmethod
    def may_share_memory(a: SparseMatrix | np.ndarray, b: SparseMatrix | np.ndarray) -> bool:
        """Tell whether two matrices, or a matrix and an array, share memory."""
        return any(np.may_share_memory(x, y) for x in _arrays(a) for y in _arrays(b))

    def values_eq(self, a: SparseMatrix, b: SparseMatrix) -> bool:  # type: ignore[override]
        """Tell whether two matrices have the same items, zeros included."""
        return (
            is_sparse(a)
            and is_sparse(b)
            and a.format == b.format == self.format
            and a.shape == b.shape
            and abs(a - b).nnz == 0
        )

    def values_eq_approx(self, a: Any, b: Any, eps: float = 1e-6) -> bool:  # type: ignore[override]
        """Tell whether the items of two matrices differ by less than `eps`."""
        if not (is_sparse(a) and is_sparse(b) and a.shape == b.shape):
            return False
        gap = abs(a - b)
        return bool(gap.nnz == 0 or gap.max() < eps)

    def convert_variable(self, variable: Variable) -> Any:
        """Return `variable` as this type if that loses nothing, else None."""
        return variable if variable.type == self else None

    @staticmethod
    def get_shape_info(value: Any) -> Any:
        """Return lengths that `get_size` makes bytes of."""
        return value.shape, value.data.size, value.indices.size, value.indptr.size, value.nnz

    @staticmethod
    def get_size(info: Any) -> int:
        """Return the bytes of items as doubles, and of the numbers of rows and columns."""
        return info[1] * 8 + (info[2] + info[3]) * 4

    def __eq__(self, other: object) -> bool:
        return (
            type(self) is type(other)
            and self.format == other.format  # type: ignore[attr-defined]
            and self.dtype == other.dtype  # type: ignore[attr-defined]
        )

    def __hash__(self) -> int:
        return hash((type(self), self.format, self.dtype))

    def __str__(self) -> str:
        return f"Sparse[{self.dtype}, {self.format}]"

    __repr__ = __str__


def checked(matrix: Any) -> Any:
    """Return a matrix whose indices are within it; what computes with it trusts them.

    Raises
    ------
    ValueError
        They are not.
    """
    sizes = matrix.shape
    if matrix.format == "bsr":
        matrix.check_format(full_check=False)
        sizes = tuple(n // block for n, block in zip(sizes, matrix.blocksize, strict=True))
    lines, limit = sizes[::-1] if matrix.format == "csc" else sizes
    if _known_to_fit(matrix, lines, limit):
        return matrix
    matrix.check_format(full_check=False)
    indices, indptr = matrix.indices, matrix.indptr
    if indices.size and not (indices.min() >= 0 and indices.max() < limit):
        raise ValueError(
            f"the indices of a {matrix.format} matrix of shape {matrix.shape} must be from 0 to "
            f"{limit - 1}, but are from {indices.min()} to {indices.max()}"
        )
    if (np.diff(indptr) < 0).any():
        raise ValueError(f"indptr of a {matrix.format} matrix must not decrease")
    return matrix


def _known_to_fit(matrix: Any, lines: int, limit: int) -> bool:
    """Tell whether a matrix is in order, as far as the runtime can tell: it reads indices once."""
    data, indices, indptr = matrix.data, matrix.indices, matrix.indptr
    if indices.dtype != indptr.dtype or indices.dtype not in INDICES:
        return False
    if not (data.ndim == (3 if matrix.format == "bsr" else 1) and indices.ndim == indptr.ndim == 1):
        return False
    items = len(indices)
    if len(indptr) != lines + 1 or not len(data) == items == indptr[-1] or indptr[0] != 0:
        return False
    # Without a loop over the two: small matrices are called with very often.
    one, two = indices.flags, indptr.flags
    if not (one.c_contiguous and one.aligned and two.c_contiguous and two.aligned):
        return False
    return native.sparse_fit(indices, indptr, items, limit)


def is_sparse(value: object) -> bool:
    """Tell whether a value is a sparse matrix or array of SciPy.

    Parameters
    ----------
    value : object

    Returns
    -------
    bool

    Examples
    --------
    >>> import scipy.sparse
    >>> from theano import sparse
    >>> sparse.is_sparse(scipy.sparse.csr_matrix(np.eye(2))), sparse.is_sparse(np.eye(2))
    (True, False)
    """
    return scipy.sparse.issparse(value)


def is_sparse_variable(x: object) -> bool:
    """Tell whether a variable is a sparse matrix.

    Parameters
    ----------
    x : object

    Returns
    -------
    bool

    Raises
    ------
    NotImplementedError
        `x` is a variable of another type than tensors have, or none.

    Examples
    --------
    >>> from theano import sparse
    >>> sparse.is_sparse_variable(sparse.csr_matrix("x")), sparse.is_sparse_variable(T.dmatrix("x"))
    (True, False)
    """
    type_ = getattr(x, "type", None)
    if not isinstance(x, Variable) or not isinstance(type_, (SparseType, TensorType)):
        raise NotImplementedError(
            "this function should only be called on *variables* (of type sparse.SparseType or "
            "tensor.TensorType, for instance), not ",
            x,
        )
    return isinstance(type_, SparseType)


def _dtype_of(value: object) -> Any:
    return getattr(value, "dtype", type(value).__name__)


def _arrays(value: Any) -> list[np.ndarray]:
    if isinstance(value, np.ndarray):
        return [value]
    return [value.data, value.indices, value.indptr] if is_sparse(value) else []


def hash_of(matrix: SparseMatrix) -> str:
    """Return a hash of the items of a matrix, and of where they are.

    Parameters
    ----------
    matrix : matrix of SciPy

    Returns
    -------
    str

    Examples
    --------
    >>> import scipy.sparse
    >>> from theano import sparse
    >>> one, two = scipy.sparse.csr_matrix(np.eye(2)), scipy.sparse.csr_matrix(np.eye(2))
    >>> sparse.hash_of(one) == sparse.hash_of(two)
    True
    """
    h = hashlib.sha256()
    h.update(matrix.format.encode())
    for array in (matrix.data, matrix.indices, matrix.indptr, np.array(matrix.shape)):
        h.update(f"{array.dtype}{array.shape}".encode())
        h.update(np.ascontiguousarray(array).tobytes())
    return "m" + h.hexdigest()
