"""What users of sparse matrices check gradients by, and names of Theano 1.0.5."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.api.derivatives.verification import verify_grad
from theano._core.ir.variable import Variable
from theano._core.ops.core.op import Op
from theano._core.ops.sparse import indexing, structure
from theano._core.ops.sparse.products import (
    StructuredDot,
    StructuredDotGradCSC,
    StructuredDotGradCSR,
)
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


# Operations, and names of item types.
csm_properties, csm_grad = structure.CSMProperties(), structure.CSMGrad
csr_from_dense, csc_from_dense = structure.SparseFromDense("csr"), structure.SparseFromDense("csc")
diag, square_diagonal = structure.Diag(), structure.SquareDiagonal()
sdg_csc, sdg_csr = StructuredDotGradCSC(), StructuredDotGradCSR()
bcast, wcast, icast, lcast = map(structure.Cast, ("int8", "int16", "int32", "int64"))
fcast, dcast = structure.Cast("float32"), structure.Cast("float64")
ccast, zcast = structure.Cast("complex64"), structure.Cast("complex128")
enable_sparse = True
sparse_formats = ["csc", "csr"]
float_dtypes, complex_dtypes = ["float64", "float32"], ["complex128", "complex64"]
int_dtypes = ["int32", "int16", "int8", "int64"]
uint_dtypes = ["uint32", "uint8", "uint16", "uint64"]
integer_dtypes, continuous_dtypes = int_dtypes + uint_dtypes, complex_dtypes + float_dtypes
discrete_dtypes, all_dtypes = integer_dtypes, set(integer_dtypes + continuous_dtypes)
construct_sparse_from_list = structure.ConstructSparseFromList()
get_item_2d, get_item_scalar = indexing.GetItem2d(), indexing.GetItemScalar()
get_item_list, get_item_list_grad = indexing.GetItemList(), indexing.GetItemListGrad()
get_item_2lists, get_item_2lists_grad = indexing.GetItem2Lists(), indexing.GetItem2ListsGrad()
