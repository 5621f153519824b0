# The names of this module, and where each is: see theano/_core/base/stubs.py.

from theano._core.api.array.linalg import (
    Eigvalsh as Eigvalsh, eigvalsh as eigvalsh, kron as kron, lu as lu,
)
from theano._core.ops.linalg.exponential import Expm as Expm, expm as expm
from theano._core.ops.linalg.systems import (
    Cholesky as Cholesky, Solve as Solve, cholesky as cholesky, solve as solve,
    solve_lower_triangular as solve_lower_triangular,
    solve_positive_definite as solve_positive_definite, solve_symmetric as solve_symmetric,
    solve_upper_triangular as solve_upper_triangular,
)
