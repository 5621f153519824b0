"""Shared variables that hold sparse matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from theano._core.compile.shared import SharedVariable, copied
from theano._core.ops.sparse.functions import Operators
from theano._core.ops.sparse.type import SparseType, is_sparse

if TYPE_CHECKING:
    from theano._core.ir.annotations import SparseMatrix


class SparseTensorSharedVariable(Operators, SharedVariable):
    """A shared variable that holds a sparse matrix."""


def sparse_constructor(
    value: SparseMatrix,
    name: str | None = None,
    strict: bool = False,
    allow_downcast: bool | None = None,
    borrow: bool = False,
    format: str | None = None,
) -> SparseTensorSharedVariable:
    """Return a shared variable for a sparse matrix of SciPy.

    Parameters
    ----------
    value : sparse matrix or array
        Copied unless `borrow`.
    format : {'csr', 'csc', 'bsr'}, optional
        By default that of `value`.

    Returns
    -------
    SparseSharedVariable

    Raises
    ------
    TypeError
        `value` is not sparse.

    Examples
    --------
    >>> import scipy.sparse
    >>> w = theano.shared(scipy.sparse.eye(3, format="csr"), "w")
    >>> w.get_value().nnz
    3
    """
    if not is_sparse(value):
        raise TypeError(f"Expected a sparse matrix for a sparse shared variable: {value!r}")
    type_ = SparseType(value.format if format is None else format, str(value.dtype))
    stored = type_.filter(value if value.format == type_.format else value.asformat(type_.format))
    stored = stored if borrow else copied(stored)
    return SparseTensorSharedVariable(name, type_, stored, strict, allow_downcast)


# As `theano.sparse` names it.
shared = sparse_constructor
