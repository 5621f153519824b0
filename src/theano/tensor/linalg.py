"""Linear algebra by the names of `numpy.linalg`, on matrices and stacks of matrices."""

from theano._core.api.array.linalg import (
    eigh,
    eigvalsh,
    matrix_dot as multi_dot,
    matrix_power,
    norm,
    qr,
    svd,
)
from theano._core.api.array.products import cross, diagonal, matmul, outer, tensordot
from theano._core.api.array.tensor_equations import tensorinv, tensorsolve
from theano._core.ops.linalg.factors import pinv
from theano._core.ops.linalg.spectra import eig
from theano._core.ops.linalg.systems import cholesky, det, matrix_inverse as inv, slogdet, solve

__all__ = [
    "cholesky",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvalsh",
    "inv",
    "matmul",
    "matrix_power",
    "multi_dot",
    "norm",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "svd",
    "tensordot",
    "tensorinv",
    "tensorsolve",
]
