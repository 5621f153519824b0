"""One factorisation of a matrix for all that needs it: made by rewriting only.

`Factor` keeps what LAPACK's getrf gives: the columns of L and U in the rows of a matrix, and the
pivots, from 1. Solutions, inverses and determinants take these instead of the matrix.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.base import dtypes
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.core.op import shape_of
from theano._core.ops.elementwise.elementwise import broadcast_shape
from theano._core.ops.linalg.matrices import MatrixOp, batch_pattern, scipy_linalg

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, Dims
    from theano._core.ops.core.protocols import Trace


class Factor(MatrixOp):
    """The columns of L and U, and the pivots, of a square matrix; singular ones too."""

    not_differentiated = "made by rewriting, after differentiation"

    routine = "factor"

    def cores(self, node: Apply) -> tuple[int, ...]:
        return (2, 2, 1)

    def make_node(self, x: Variable) -> Apply:
        pattern = x.type.broadcastable
        types = [TensorType(x.type.dtype, pattern), TensorType("int64", pattern[:-1])]
        return Apply(self, [x], [type_.output() for type_ in types])

    def compute(self, xp: ArrayModule, node: Apply, x: np.ndarray) -> tuple[Any, ...]:
        import warnings

        columns, pivots = np.empty_like(x), np.empty(x.shape[:-1], "int64")
        for index in np.ndindex(*x.shape[:-2]):
            if x[index].size:
                with warnings.catch_warnings(action="ignore"):
                    both, swaps = scipy_linalg().lu_factor(x[index])
                columns[index], pivots[index] = both.T, swaps + 1
        return columns, pivots

    def jax(self, j: Trace, node: Apply, x: np.ndarray) -> tuple[Any, ...]:
        # XLA finds out by itself what is shared: the matrix is passed on.
        return x, j.numpy.zeros(x.shape[:-1], "int64")

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [shapes[0], shapes[0][:-1]]


factor = Factor()


def matrix_of(xp: ArrayModule, columns: np.ndarray, pivots: np.ndarray) -> Any:
    """Return the matrices that were factorised."""
    if xp is not np:
        return columns
    both = np.swapaxes(columns, -1, -2)
    whole = (np.tril(both, -1) + np.eye(both.shape[-1], dtype=both.dtype)) @ np.triu(both)
    for index in np.ndindex(*pivots.shape[:-1]):
        for i, other in reversed(list(enumerate(pivots[index] - 1))):
            whole[index][[i, other]] = whole[index][[other, i]]
    return whole


class FactorSolve(MatrixOp):
    """The solution of A x = b, or with `adjoint` of A^H x = b."""

    not_differentiated = "made by rewriting, after differentiation"

    __props__ = ("adjoint",)
    routine = "factor_solve"

    def __init__(self, adjoint: bool) -> None:
        self.adjoint = adjoint

    def flags(self) -> tuple[str, ...]:
        return ("adjoint",) * self.adjoint

    def cores(self, node: Apply) -> tuple[int, ...]:
        core = 1 if node.inputs[2].type.ndim == 1 else 2
        return (2, 1, core, core)

    def make_node(self, columns: Variable, pivots: Variable, b: Variable) -> Apply:
        pattern = (columns.type.broadcastable[-1],)
        if b.type.ndim > 1:
            stacks = zip(batch_pattern(columns), batch_pattern(b), strict=True)
            pattern = (*(x and y for x, y in stacks), *pattern, b.type.broadcastable[-1])
        return self.one([columns, pivots, b], b.type.dtype, pattern)

    def compute(
        self, xp: ArrayModule, node: Apply, columns: np.ndarray, pivots: np.ndarray, b: np.ndarray
    ) -> tuple[Any, ...]:
        a = matrix_of(xp, columns, pivots)
        return (xp.linalg.solve(xp.conj(xp.swapaxes(a, -1, -2)) if self.adjoint else a, b),)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        columns, _, b = node.inputs
        if b.type.ndim == 1:
            return [shapes[2]]
        patterns = [batch_pattern(columns), batch_pattern(b)]
        stack = broadcast_shape(patterns, [shapes[0][:-2], shapes[2][:-2]])
        return [(*stack, shapes[0][-1], shapes[2][-1])]


class FactorInverse(MatrixOp):
    """The inverse."""

    not_differentiated = "made by rewriting, after differentiation"

    routine = "factor_inverse"
    shape = shape_of(0)

    def cores(self, node: Apply) -> tuple[int, ...]:
        return (2, 1, 2)

    def make_node(self, columns: Variable, pivots: Variable) -> Apply:
        return self.one([columns, pivots], columns.type.dtype, columns.type.broadcastable)

    def compute(
        self, xp: ArrayModule, node: Apply, columns: np.ndarray, pivots: np.ndarray
    ) -> tuple[Any, ...]:
        return (xp.linalg.inv(matrix_of(xp, columns, pivots)),)


class FactorAdjugate(FactorInverse):
    """The adjugate: the inverse times the determinant, which singular matrices have too."""

    routine = "factor_adjugate"

    def compute(
        self, xp: ArrayModule, node: Apply, columns: np.ndarray, pivots: np.ndarray
    ) -> tuple[Any, ...]:
        u, s, vh = xp.linalg.svd(matrix_of(xp, columns, pivots))
        rest = xp.where(xp.eye(s.shape[-1], dtype=bool), 1, s[..., None, :]).prod(axis=-1)
        turn = xp.linalg.det(u) * xp.linalg.det(vh)
        v, uh = (xp.conj(xp.swapaxes(x, -1, -2)) for x in (vh, u))
        return (turn[..., None, None] * ((v * rest[..., None, :]) @ uh),)


class FactorDet(MatrixOp):
    """The determinant."""

    not_differentiated = "made by rewriting, after differentiation"

    routine = "factor_det"

    def cores(self, node: Apply) -> tuple[int, ...]:
        return (2, 1, 0)

    def make_node(self, columns: Variable, pivots: Variable) -> Apply:
        return self.one([columns, pivots], columns.type.dtype, batch_pattern(columns))

    def compute(
        self, xp: ArrayModule, node: Apply, columns: np.ndarray, pivots: np.ndarray
    ) -> tuple[Any, ...]:
        return (xp.asarray(xp.linalg.det(matrix_of(xp, columns, pivots))),)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [shapes[0][:-2]]


class FactorSLogDet(MatrixOp):
    """The sign of the determinant, and the logarithm of its modulus."""

    not_differentiated = "made by rewriting, after differentiation"

    routine = "factor_slogdet"

    def cores(self, node: Apply) -> tuple[int, ...]:
        return (2, 1, 0, 0)

    def make_node(self, columns: Variable, pivots: Variable) -> Apply:
        dtype, pattern = columns.type.dtype, batch_pattern(columns)
        types = [TensorType(d, pattern) for d in (dtype, dtypes.real_of(dtype))]
        return Apply(self, [columns, pivots], [type_.output() for type_ in types])

    def compute(
        self, xp: ArrayModule, node: Apply, columns: np.ndarray, pivots: np.ndarray
    ) -> tuple[Any, ...]:
        sign, logarithm = xp.linalg.slogdet(matrix_of(xp, columns, pivots))
        return xp.asarray(sign), xp.asarray(logarithm)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [shapes[0][:-2]] * 2


factor_inverse = FactorInverse()
factor_adjugate = FactorAdjugate()
factor_det = FactorDet()
factor_slogdet = FactorSLogDet()
