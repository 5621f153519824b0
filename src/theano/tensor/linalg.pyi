# The names of this module, and where each is: see theano/_core/base/stubs.py.

from theano._core.api.array.linalg import (
    eigh as eigh, eigvalsh as eigvalsh, matrix_dot, matrix_power as matrix_power, norm as norm,
    qr as qr, svd as svd,
)
from theano._core.api.array.products import (
    cross as cross, diagonal as diagonal, matmul as matmul, outer as outer, tensordot as tensordot,
)
from theano._core.api.array.tensor_equations import (
    tensorinv as tensorinv, tensorsolve as tensorsolve,
)
from theano._core.ops.linalg.factors import pinv as pinv
from theano._core.ops.linalg.spectra import eig as eig
from theano._core.ops.linalg.systems import (
    cholesky as cholesky, det as det, matrix_inverse, slogdet as slogdet, solve as solve,
)

inv = matrix_inverse
multi_dot = matrix_dot
