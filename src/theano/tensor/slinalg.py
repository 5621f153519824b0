"""Linear algebra as `scipy.linalg` has it, on matrices and stacks of matrices."""

from theano._core.api.array.linalg import (
    Eigvalsh,
    eigvalsh,
    kron,
    lu,
)
from theano._core.legacy.paths import old_names as _old_names
from theano._core.ops.linalg.exponential import (
    Expm,
    expm,
)
from theano._core.ops.linalg.systems import (
    Cholesky,
    Solve,
    cholesky,
    solve,
    solve_lower_triangular,
    solve_positive_definite,
    solve_symmetric,
    solve_upper_triangular,
)

__all__ = [
    "Cholesky",
    "Eigvalsh",
    "Expm",
    "Solve",
    "cholesky",
    "eigvalsh",
    "expm",
    "kron",
    "lu",
    "solve",
    "solve_lower_triangular",
    "solve_positive_definite",
    "solve_symmetric",
    "solve_upper_triangular",
]

__getattr__ = _old_names(__name__)
