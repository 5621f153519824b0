"""Tuples of types of tensors, and types of sparse matrices, that Theano 1.0.5 had names for."""

from __future__ import annotations

from theano._core.ir.types import TensorType
from theano._core.ops.sparse.type import SparseType


def _tensors(ndim: int, *dtypes: str) -> tuple[TensorType, ...]:
    return tuple(TensorType(dtype, (False,) * ndim) for dtype in dtypes)


_INTS = ("int8", "int16", "int32", "int64")
_FLOATS = ("float32", "float64")
_COMPLEX = ("complex64", "complex128")

int_types = int_scalar_types = _tensors(0, *_INTS)
float_types = float_scalar_types = _tensors(0, *_FLOATS)
complex_types = complex_scalar_types = _tensors(0, *_COMPLEX)
int_vector_types = _tensors(1, *_INTS)
float_vector_types = _tensors(1, *_FLOATS)
complex_vector_types = _tensors(1, *_COMPLEX)
int_matrix_types = _tensors(2, *_INTS)
float_matrix_types = _tensors(2, *_FLOATS)
complex_matrix_types = _tensors(2, *_COMPLEX)

bsr_fmatrix, bsr_dmatrix = (SparseType("bsr", dtype) for dtype in _FLOATS)
csc_fmatrix, csc_dmatrix = (SparseType("csc", dtype) for dtype in _FLOATS)
csr_fmatrix, csr_dmatrix = (SparseType("csr", dtype) for dtype in _FLOATS)
