"""Sparse variables, their parts, and matrices made of others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.base.settings import config
from theano._core.ir.variable import Variable
from theano._core.ops.sparse.base import sparse, upcast
from theano._core.ops.sparse.stacking import HStack, VStack
from theano._core.ops.sparse.structure import (
    Cast,
    EnsureSortedIndices,
    Remove0,
    ones_at,
    parts,
    zeros_at,
)
from theano._core.ops.sparse.type import SparseType, is_sparse

if TYPE_CHECKING:
    from theano._core.ir.annotations import SparseMatrix

ensure_sorted_indices, remove0 = EnsureSortedIndices(), Remove0()


def constant(x: SparseMatrix | np.ndarray, name: str | None = None) -> Any:
    """Return a sparse matrix of SciPy as a constant.

    Parameters
    ----------
    x : matrix of SciPy
    name : str, optional

    Returns
    -------
    SparseConstant

    Raises
    ------
    TypeError
        `x` is not sparse.

    Examples
    --------
    >>> import scipy.sparse
    >>> from theano import sparse
    >>> sparse.constant(scipy.sparse.csc_matrix(np.eye(2))).eval().toarray().tolist()
    [[1.0, 0.0], [0.0, 1.0]]
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

    Returns
    -------
    SparseVariable

    Examples
    --------
    >>> from theano import sparse
    >>> sparse.matrix("csc", "x", dtype="float32").type
    Sparse[float32, csc]
    """
    return SparseType(format, config.floatX if dtype is None else dtype)(name)


def csr_matrix(name: str | None = None, dtype: str | None = None) -> Any:
    """Return a new sparse input variable, stored by rows; see `matrix`.

    Parameters
    ----------
    name : str, optional
    dtype : str, optional
        By default `config.floatX`.

    Returns
    -------
    SparseVariable

    Examples
    --------
    >>> x = theano.sparse.csr_matrix("x", dtype="float32")
    >>> x.type.format, x.dtype
    ('csr', 'float32')
    """
    return matrix("csr", name, dtype)


def csc_matrix(name: str | None = None, dtype: str | None = None) -> Any:
    """Return a new sparse input variable, stored by columns; see `matrix`.

    Parameters
    ----------
    name : str, optional
    dtype : str, optional
        By default `config.floatX`.

    Returns
    -------
    SparseVariable

    Examples
    --------
    >>> x = theano.sparse.csc_matrix("x", dtype="float32")
    >>> x.type.format, x.dtype
    ('csc', 'float32')
    """
    return matrix("csc", name, dtype)


def bsr_matrix(name: str | None = None, dtype: str | None = None) -> Any:
    """Return a new sparse input variable, stored in blocks; see `matrix`.

    Parameters
    ----------
    name : str, optional
    dtype : str, optional
        By default `config.floatX`.

    Returns
    -------
    SparseVariable

    Examples
    --------
    >>> x = theano.sparse.bsr_matrix("x", dtype="float32")
    >>> x.type.format, x.dtype
    ('bsr', 'float32')
    """
    return matrix("bsr", name, dtype)


def sp_ones_like(x: Variable) -> Any:
    """Return 1 where `x` stores items.

    Parameters
    ----------
    x : sparse matrix

    Returns
    -------
    sparse matrix
        Of the shape and dtype of `x`.

    Examples
    --------
    >>> import scipy.sparse as sp
    >>> x = theano.sparse.csr_matrix("x")
    >>> theano.sparse.sp_ones_like(x).eval({x: sp.csr_matrix([[1.0, 0.0], [0.0, 2.0]])}).toarray()
    array([[1., 0.],
           [0., 1.]])
    """
    x = sparse(x)
    return ones_at(x, x.type.dtype)


def sp_zeros_like(x: Any) -> Any:
    """Return a matrix of the shape of `x` that stores nothing.

    Parameters
    ----------
    x : sparse matrix

    Returns
    -------
    sparse matrix
        Of the shape and dtype of `x`.

    Examples
    --------
    >>> import scipy.sparse
    >>> from theano import sparse
    >>> x = sparse.csr_matrix("x", dtype="float64")
    >>> sparse.sp_zeros_like(x).eval({x: scipy.sparse.csr_matrix(np.eye(2))}).nnz
    0
    """
    x = sparse(x)
    return cast(zeros_at(x), x.type.dtype)


# -- parts -----------------------------------------------------------------------------------------


def csm_data(csm: object) -> Any:
    """Return the stored items, a vector.

    Parameters
    ----------
    csm : sparse matrix

    Returns
    -------
    vector

    Examples
    --------
    >>> import scipy.sparse as sp
    >>> x = theano.sparse.csr_matrix("x")
    >>> theano.sparse.csm_data(x).eval({x: sp.csr_matrix([[1.0, 0.0], [0.0, 2.0]])})
    array([1., 2.])
    """
    return parts(csm)[0]


def csm_indices(csm: object) -> Any:
    """Return the column of each item of a CSR matrix, the row for CSC; int32.

    Parameters
    ----------
    csm : sparse matrix

    Returns
    -------
    int32 vector

    Examples
    --------
    >>> import scipy.sparse
    >>> from theano import sparse
    >>> x = sparse.csr_matrix("x", dtype="float64")
    >>> sparse.csm_indices(x).eval({x: scipy.sparse.csr_matrix(np.eye(2))}).tolist()
    [0, 1]
    """
    return parts(csm)[1]


def csm_indptr(csm: object) -> Any:
    """Return at which item each row begins (CSC: column), and how many items there are; int32.

    Parameters
    ----------
    csm : sparse matrix

    Returns
    -------
    int32 vector

    Examples
    --------
    >>> import scipy.sparse
    >>> from theano import sparse
    >>> x = sparse.csr_matrix("x", dtype="float64")
    >>> sparse.csm_indptr(x).eval({x: scipy.sparse.csr_matrix(np.eye(2))}).tolist()
    [0, 1, 2]
    """
    return parts(csm)[2]


def csm_shape(csm: object) -> Any:
    """Return the numbers of rows and columns, a vector of int32.

    Parameters
    ----------
    csm : sparse matrix

    Returns
    -------
    int32 vector of 2 items

    Examples
    --------
    >>> import scipy.sparse
    >>> from theano import sparse
    >>> x = sparse.csr_matrix("x", dtype="float64")
    >>> sparse.csm_shape(x).eval({x: scipy.sparse.csr_matrix(np.eye(2))}).tolist()
    [2, 2]
    """
    return parts(csm)[3]


def cast(variable: Any, dtype: str) -> Any:
    """Return a matrix with items of another dtype.

    Parameters
    ----------
    variable : sparse matrix
    dtype : str

    Returns
    -------
    sparse matrix
        Of that dtype, in the format of `variable`.

    Examples
    --------
    >>> from theano import sparse
    >>> x = sparse.csr_matrix("x", dtype="float64")
    >>> sparse.cast(x, "float32").dtype
    'float32'
    """
    variable = sparse(variable)
    return variable if variable.type.dtype == str(np.dtype(dtype)) else Cast(dtype)(variable)


def clean(x: Variable) -> Any:
    """Return a matrix that stores no zeros, with sorted indices.

    Parameters
    ----------
    x : sparse matrix

    Returns
    -------
    sparse matrix
        Of the shape and dtype of `x`.

    Examples
    --------
    >>> import scipy.sparse
    >>> from theano import sparse
    >>> x = sparse.csr_matrix("x", dtype="float64")
    >>> stored = scipy.sparse.csr_matrix(([1.0, 0.0], [0, 1], [0, 2]), shape=(1, 2))
    >>> sparse.clean(x).eval({x: stored}).nnz
    1
    """
    return ensure_sorted_indices(remove0(x))


def _stacked(cls: type, blocks: Sequence[Variable], format: str | None, dtype: str | None) -> Any:
    variables = [sparse(block) for block in blocks]
    if not variables:
        raise ValueError("there are no blocks to stack")
    return cls(format=format, dtype=upcast(*variables) if dtype is None else dtype)(*variables)


def hstack(blocks: Sequence[Variable], format: str | None = None, dtype: str | None = None) -> Any:
    """Return sparse matrices side by side, CSC unless another format is wanted.

    Parameters
    ----------
    blocks : sequence of sparse matrices
    format : {'csr', 'csc', 'bsr'}, optional
    dtype : str, optional
        By default the common one.

    Returns
    -------
    sparse matrix

    Examples
    --------
    >>> import scipy.sparse as sp
    >>> x = theano.sparse.csr_matrix("x")
    >>> theano.sparse.hstack([x, x]).eval({x: sp.csr_matrix([[1.0, 0.0], [0.0, 2.0]])}).shape
    (2, 4)
    """
    return _stacked(HStack, blocks, format, dtype)


def vstack(blocks: Sequence[Variable], format: str | None = None, dtype: str | None = None) -> Any:
    """Return sparse matrices one above the other, CSC unless another format is wanted.

    Parameters
    ----------
    blocks : sequence of sparse matrices
    format : {'csr', 'csc', 'bsr'}, optional
    dtype : str, optional
        By default the common one.

    Returns
    -------
    sparse matrix

    Examples
    --------
    >>> import scipy.sparse as sp
    >>> x = theano.sparse.csr_matrix("x")
    >>> theano.sparse.vstack([x, x]).eval({x: sp.csr_matrix([[1.0, 0.0], [0.0, 2.0]])}).shape
    (4, 2)
    """
    return _stacked(VStack, blocks, format, dtype)
