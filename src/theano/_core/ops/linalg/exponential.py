"""The exponential of a matrix, and its forward derivative."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.creation import join
from theano._core.ops.array.indexing import subtensor
from theano._core.ops.array.shaping import length
from theano._core.ops.core.fill import zeros_like_float
from theano._core.ops.core.op import shape_of
from theano._core.ops.linalg.matrices import (
    MatrixOp,
    MatrixTangent,
    hermitian,
    matrix_operand,
    scipy_linalg,
)

if TYPE_CHECKING:
    import numpy as np

    from theano._core.ir.annotations import ArrayModule, TensorLike
    from theano._core.ops.core.protocols import Forward, Trace


class Expm(MatrixOp):
    """The exponential of a square matrix, or of each matrix of a stack.

    Scaling and squaring in double precision, after A. H. Al-Mohy and N. J. Higham, "A new scaling
    and squaring algorithm for the matrix exponential" (2009).
    """

    routine = "expm"
    shape = shape_of(0)

    def make_node(self, A: TensorLike) -> Apply:
        x = matrix_operand("expm", A)
        return self.one([x], x.type.dtype, x.type.broadcastable)

    def compute(self, xp: ArrayModule, node: Apply, x: np.ndarray) -> tuple[Any, ...]:
        return (scipy_linalg().expm(x) if x.size else x,)

    def jax(self, j: Trace, node: Apply, x: np.ndarray) -> tuple[Any, ...]:
        return (j.linalg.expm(x),)

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        return [expm_tangent(hermitian(node.inputs[0]), cotangents[0])]

    def jvp(self, node: Apply, tangents: Sequence[Variable | None], forward: Forward) -> list[Any]:
        return [expm_tangent(node.inputs[0], tangents[0])]


def _tangent(xp: Any, expm: Any, x: np.ndarray, tangent: np.ndarray) -> Any:
    """Return the upper right block of the exponential of [[x, tangent], [0, x]]."""
    x, tangent = xp.broadcast_arrays(x, tangent)
    if not x.size:
        return tangent
    n = x.shape[-1]
    upper = xp.concatenate([x, tangent], axis=-1)
    lower = xp.concatenate([xp.zeros_like(x), x], axis=-1)
    return expm(xp.concatenate([upper, lower], axis=-2))[..., :n, n:]


class ExpmTangent(MatrixTangent):
    """The tangent of the exponential of a matrix, for that of the matrix.

    Scaling and squaring in double precision, after A. H. Al-Mohy and N. J. Higham, "Computing the
    Fréchet derivative of the matrix exponential" (2009), always of order 13. Its definition and its
    own derivatives are those of a block of the exponential of a matrix twice as large: R. Mathias,
    "A chain rule for matrix functions" (1996).
    """

    routine = "expm_tangent"

    def compute(
        self, xp: ArrayModule, node: Apply, x: np.ndarray, tangent: np.ndarray
    ) -> tuple[Any, ...]:
        if x.shape[-2:] != tangent.shape[-2:]:
            raise ValueError(f"expm: its argument has shape {x.shape}, a tangent {tangent.shape}")
        return (_tangent(xp, scipy_linalg().expm, x, tangent),)

    def jax(self, j: Trace, node: Apply, x: np.ndarray, tangent: np.ndarray) -> tuple[Any, ...]:
        return (_tangent(j.numpy, j.linalg.expm, x, tangent),)

    def expression(self, node: Apply) -> Any:
        x, tangent = node.inputs
        rank = x.type.ndim
        upper = join(rank - 1, x, tangent)
        lower = join(rank - 1, zeros_like_float(x), x)
        n = length(x, rank - 1)
        block = [*[slice(None)] * (rank - 2), slice(None, n), slice(n, None)]
        return subtensor(expm(join(rank - 2, upper, lower)), block)


expm = Expm()
expm_tangent = ExpmTangent()
