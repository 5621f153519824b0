# The names of this module, and where each is: see theano/_core/base/stubs.py.

from theano._core.api.array.linalg import (
    AllocDiag as AllocDiag, ExtractDiag as ExtractDiag, alloc_diag as alloc_diag, diag as diag,
    eigh as eigh, extract_diag as extract_diag, matrix_dot as matrix_dot,
    matrix_power as matrix_power, norm as norm, qr as qr, svd as svd, trace as trace,
)
from theano._core.api.array.tensor_equations import (
    TensorInv as TensorInv, TensorSolve as TensorSolve, tensorinv as tensorinv,
    tensorsolve as tensorsolve,
)
from theano._core.ops.linalg.factors import (
    LeastSquares as LeastSquares, Pinv, QR as QR, pinv as pinv,
)
from theano._core.ops.linalg.spectra import Eig as Eig, Eigh as Eigh, SVD as SVD, eig as eig
from theano._core.ops.linalg.systems import (
    Det as Det, MatrixInverse as MatrixInverse, SLogDet as SLogDet, det as det,
    matrix_inverse as matrix_inverse, slogdet as slogdet,
)

MatrixPinv = Pinv
lstsq = LeastSquares
