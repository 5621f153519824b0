"""The exponential of a matrix, and its forward derivative."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from theano._core.ir.variable import Apply
from theano._core.ops.broadcasting import zeros_like_float
from theano._core.ops.creation import join
from theano._core.ops.indexing import subtensor
from theano._core.ops.linalg_base import CallbackOp, MatrixTangent, hermitian, matrix_operand
from theano._core.ops.shaping import length


class Expm(CallbackOp):
    """The exponential of a square matrix, or of each matrix of a stack; computed by SciPy."""

    def make_node(self, A: Any) -> Apply:
        x = matrix_operand("expm", A)
        return self.one([x], x.type.dtype, x.type.broadcastable)

    def compute(self, xp: Any, node: Apply, x: Any) -> tuple[Any, ...]:
        from scipy.linalg import expm

        return (expm(x) if x.size else x,)

    def shape(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        return [shapes[0]]

    def vjp(self, node: Apply, cotangents: Sequence[Any]) -> list[Any]:
        return [expm_tangent(hermitian(node.inputs[0]), cotangents[0])]

    def jvp(self, node: Apply, tangents: Sequence[Any], forward: Any) -> list[Any]:
        return [expm_tangent(node.inputs[0], tangents[0])]


class ExpmTangent(MatrixTangent):
    """The tangent of the exponential of a matrix, for that of the matrix.

    Its own derivatives are those of a block of the exponential of a matrix twice as large:
    R. Mathias, "A chain rule for matrix functions" (1996).
    """

    def compute(self, xp: Any, node: Apply, x: Any, tangent: Any) -> tuple[Any, ...]:
        if x.shape[-2:] != tangent.shape[-2:]:
            raise ValueError(f"expm: its argument has shape {x.shape}, a tangent {tangent.shape}")
        x, tangent = np.broadcast_arrays(x, tangent)
        out = np.empty(x.shape, node.outputs[0].type.dtype)
        for index in np.ndindex(*x.shape[:-2]):
            if x[index].size:
                out[index] = _tangent_of_exponential(x[index], tangent[index])
        return (out,)

    def lower(self, p: Any, node: Apply, *values: Any) -> Any:
        return p.call_compute(node, values)

    def expression(self, node: Apply) -> Any:
        x, tangent = node.inputs
        rank = x.type.ndim
        upper = join(rank - 1, x, tangent)
        lower = join(rank - 1, zeros_like_float(x), x)
        n = length(x, rank - 1)
        block = [*[slice(None)] * (rank - 2), slice(None, n), slice(n, None)]
        return subtensor(expm(join(rank - 2, upper, lower)), block)


# Coefficients of the numerator of Padé's approximation of order 13, the highest power last.
PADE = (
    64764752532480000.0,
    32382376266240000.0,
    7771770303897600.0,
    1187353796428800.0,
    129060195264000.0,
    10559470521600.0,
    670442572800.0,
    33522128640.0,
    1323241920.0,
    40840800.0,
    960960.0,
    16380.0,
    182.0,
    1.0,
)
# Up to this norm the approximation of the derivative is exact to double precision.
PADE_NORM = 4.74


def _tangent_of_exponential(a: np.ndarray, e: np.ndarray) -> np.ndarray:
    """Return the derivative of exp(a) along e.

    Scaling and squaring: algorithm 6.4 of A. H. Al-Mohy and N. J. Higham, "Computing the Fréchet
    derivative of the matrix exponential" (2009), always of order 13.
    """
    from scipy.linalg import lu_factor, lu_solve

    norm = float(np.abs(a).sum(axis=0).max())
    halvings = max(0, int(np.ceil(np.log2(norm / PADE_NORM)))) if 0 < norm < np.inf else 0
    a, e = (np.ldexp(1.0, -halvings) * v for v in (a, e))
    b, one = PADE, np.eye(len(a))
    # Even powers of a, each with its derivative; d(xy) = x dy + dx y.
    a2, m2 = a @ a, a @ e + e @ a
    a4, m4 = a2 @ a2, a2 @ m2 + m2 @ a2
    a6, m6 = a4 @ a2, a4 @ m2 + m4 @ a2
    w1, z1 = (b[i] * a6 + b[i - 2] * a4 + b[i - 4] * a2 for i in (13, 12))
    w1_slope, z1_slope = (b[i] * m6 + b[i - 2] * m4 + b[i - 4] * m2 for i in (13, 12))
    w = a6 @ w1 + b[7] * a6 + b[5] * a4 + b[3] * a2 + b[1] * one
    w_slope = a6 @ w1_slope + m6 @ w1 + b[7] * m6 + b[5] * m4 + b[3] * m2
    odd, odd_slope = a @ w, a @ w_slope + e @ w
    even = a6 @ z1 + b[6] * a6 + b[4] * a4 + b[2] * a2 + b[0] * one
    even_slope = a6 @ z1_slope + m6 @ z1 + b[6] * m6 + b[4] * m4 + b[2] * m2
    factor = lu_factor(even - odd, check_finite=False)
    r = lu_solve(factor, even + odd, check_finite=False)
    right = odd_slope + even_slope + (odd_slope - even_slope) @ r
    slope = lu_solve(factor, right, check_finite=False)
    for _ in range(halvings):
        slope, r = r @ slope + slope @ r, r @ r
    return slope


expm = Expm()
expm_tangent = ExpmTangent()
