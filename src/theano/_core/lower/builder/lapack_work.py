"""How many operations routines of LAPACK do, for profiles, apart from their calls.

A profile of a program that calls none reads none of `lapack.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from theano._core.lower.arrays import Size
from theano._core.lower.builder.core import Core

# Which operand the columns of the first must agree with.
RIGHT_SIDES = {
    "solve": 1,
    "solve_triangular": 1,
    "solve_positive": 1,
    "factor_solve": 2,
    "symmetric_product": 1,
    "product_symmetric": 1,
}
# About how many operations a routine does for a matrix: of m rows and n columns, so many thirds of
# m n² (Golub and Van Loan), and 2 n² for each column of a right-hand side.
THIRDS = {
    "cholesky": 1,
    "solve": 2,
    "solve_triangular": 0,
    "solve_positive": 1,
    "inverse": 6,
    "det": 2,
    "slogdet": 2,
    "lu": 2,
    "eigh": 27,
    "svd": 42,
    "qr": 12,
    "factor": 2,
    "factor_solve": 0,
    "factor_inverse": 4,
    "factor_det": 0,
    "factor_slogdet": 0,
    "factor_adjugate": 4,
    "pinv": 42,
    "cholesky_tangent": 6,
    "eig": 75,
    "expm": 60,
    "expm_tangent": 120,
    "qr_raw": 4,
    "cholesky_cotangent": 3,
    "symmetric_product": 0,
    "product_symmetric": 0,
}


def operations_of(p: Core, routine: str, shape: Sequence[Sequence[Size]]) -> Size:
    """Return about how many operations a routine does for stacks of such lengths."""
    *stack, rows, columns = shape[0]
    one = p.multiply(p.product([rows, columns, columns]), THIRDS[routine])
    one = one // 3 if isinstance(one, int) else p.let("sdiv", one, 3)
    if routine in RIGHT_SIDES:
        right_shape = shape[RIGHT_SIDES[routine]]
        right = right_shape[-1] if len(right_shape) == len(shape[0]) else 1
        one = p.plus(one, p.multiply(p.product([rows, columns, right]), 2))
    return p.multiply(p.product(stack), one)
