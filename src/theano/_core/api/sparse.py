"""What users of sparse matrices check gradients by, and names of Theano 1.0.5."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.api.derivatives.verification import verify_grad
from theano._core.ir.variable import Variable
from theano._core.ops.core.op import Op
from theano._core.ops.sparse import structure
from theano._core.ops.sparse.products import StructuredDot
from theano._core.ops.sparse.random import Binomial, Multinomial, Poisson
from theano._core.ops.sparse.type import CLASSES, SparseType, is_sparse, is_sparse_variable

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike


def verify_grad_sparse(
    op: Op,
    pt: Sequence[Any],
    structured: bool = False,
    *args: Any,
    **kwargs: object,
) -> None:
    """Compare gradients of a function of sparse matrices with finite differences.

    Parameters
    ----------
    op : callable
        Of as many variables as `pt` has values.
    pt : sequence of sparse matrices and arrays
    structured : bool
        Whether only stored items are varied.
    *args, **kwargs
        As of `theano.gradient.verify_grad`.

    Returns
    -------
    None

    Raises
    ------
    GradientError
        The gradients differ.

    Examples
    --------
    >>> import scipy.sparse
    >>> import theano.sparse
    >>> rng = np.random.RandomState(1)
    >>> pt = [scipy.sparse.eye(2, format="csr"), np.ones((2, 2))]
    >>> theano.sparse.verify_grad_sparse(theano.sparse.structured_dot, pt, structured=True, rng=rng)
    """

    def variable_of(value: Any, data: Any) -> Any:
        shape = np.asarray(value.shape, "int32")
        kind = structure.CSM(value.format)
        if structured:
            return kind(data, value.indices, value.indptr, shape)
        return structure.SparseFromDense(value.format)(data)

    def of_items(*items: TensorLike) -> Any:
        operands = [
            variable_of(v, x) if is_sparse(v) else x for v, x in zip(pt, items, strict=True)
        ]
        result = op(*operands)
        return structure.DenseFromSparse(structured)(result) if _is_sparse(result) else result

    points = [(v.data if structured else v.toarray()) if is_sparse(v) else v for v in pt]
    verify_grad(of_items, points, *args, **kwargs)


def _is_sparse(variable: Variable) -> bool:
    return isinstance(variable.type, SparseType)


def is_dense_variable(x: TensorLike) -> bool:
    """Tell whether a variable is dense; raises NotImplementedError for what is neither."""
    return not is_sparse_variable(x)


structured_product = StructuredDot()
poisson, multinomial = Poisson(), Multinomial()
csr_fbinomial, csr_dbinomial = Binomial("csr", "float32"), Binomial("csr", "float64")
csc_fbinomial, csc_dbinomial = Binomial("csc", "float32"), Binomial("csc", "float64")
MATRIX_CLASSES = [CLASSES[name] for name in ("csc", "csr")]


def is_dense(x: TensorLike) -> bool:
    """Tell whether a value is an array; NotImplementedError if it is not sparse either."""
    if not (is_sparse(x) or isinstance(x, np.ndarray)):
        raise NotImplementedError("neither a dense nor a sparse matrix", x)
    return not is_sparse(x)
