"""Linear algebra as `numpy.linalg` has it, on matrices and stacks of matrices."""

from theano._core.api.array.linalg import (
    AllocDiag,
    ExtractDiag,
    alloc_diag,
    diag,
    eigh,
    extract_diag,
    matrix_dot,
    matrix_power,
    norm,
    qr,
    svd,
    trace,
)
from theano._core.api.array.tensor_equations import TensorInv, TensorSolve, tensorinv, tensorsolve
from theano._core.legacy.paths import old_names as _old_names
from theano._core.ops.linalg.factors import QR, LeastSquares, Pinv, pinv
from theano._core.ops.linalg.spectra import SVD, Eig, Eigh, eig
from theano._core.ops.linalg.systems import (
    Det,
    MatrixInverse,
    SLogDet,
    det,
    matrix_inverse,
    slogdet,
)

MatrixPinv = Pinv
lstsq = LeastSquares

__all__ = [
    "QR",
    "SVD",
    "AllocDiag",
    "Det",
    "Eig",
    "Eigh",
    "ExtractDiag",
    "LeastSquares",
    "MatrixInverse",
    "MatrixPinv",
    "SLogDet",
    "TensorInv",
    "TensorSolve",
    "alloc_diag",
    "det",
    "diag",
    "eig",
    "eigh",
    "extract_diag",
    "lstsq",
    "matrix_dot",
    "matrix_inverse",
    "matrix_power",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "svd",
    "tensorinv",
    "tensorsolve",
    "trace",
]

__getattr__ = _old_names(__name__)
