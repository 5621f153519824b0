"""Operations of BLAS by their names in `theano.tensor.blas`.

Each builds the expression that it stands for; rewriting makes one call of BLAS of it.
"""

from __future__ import annotations

from typing import Any

from theano._core.api.conversion import as_tensor_variable
from theano._core.ir.variable import Apply
from theano._core.ops.array.overwriting import over, overwriting
from theano._core.ops.array.products import dot, gemm, outer
from theano._core.ops.elementwise.arithmetic import add, mul


def _checked(name: str, ranks: dict[str, int], values: tuple[object, ...]) -> list[Any]:
    variables = [as_tensor_variable(v) for v in values]
    for (what, rank), variable in zip(ranks.items(), variables, strict=True):
        if variable.type.ndim != rank:
            raise TypeError(f"{name}: {what} must have {rank} axes, got {variable.type}")
    return variables


class _Built:
    ranks: dict[str, int]

    def build(self, *values: object) -> Any:
        """Return the expression."""
        raise NotImplementedError

    def __call__(self, *values: object) -> Any:
        """Return the expression; TypeError for operands of another rank."""
        if len(values) != len(self.ranks):
            raise TypeError(f"{type(self).__name__} takes {', '.join(self.ranks)}")
        return self.build(*_checked(type(self).__name__, self.ranks, values))

    def make_node(self, *values: object) -> Apply:
        """Return the node at the root of the expression."""
        return self(*values).owner


class Gemv(_Built):
    """`beta` y + `alpha` A x for a matrix `A` and vectors `x` and `y`.

    Parameters
    ----------
    inplace : bool
        Whether it overwrites `y`.
    """

    ranks = {"y": 1, "alpha": 0, "A": 2, "x": 1, "beta": 0}

    def __init__(self, inplace: bool = False) -> None:
        self.inplace = inplace

    def build(self, *values: object) -> Any:
        y, alpha, a, x, beta = values
        return over(y if self.inplace else None, add(mul(beta, y), mul(alpha, dot(a, x))))


class Ger(_Built):
    """A + `alpha` x yᵀ for a matrix `A` and vectors `x` and `y`.

    Parameters
    ----------
    destructive : bool
        Whether it overwrites `A`.
    """

    ranks = {"A": 2, "alpha": 0, "x": 1, "y": 1}

    def __init__(self, destructive: bool = False) -> None:
        self.destructive = destructive

    def build(self, *values: object) -> Any:
        a, alpha, x, y = values
        return over(a if self.destructive else None, add(a, mul(alpha, outer(x, y))))


class Dot22Scalar(_Built):
    """`a` x y for matrices `x` and `y` and a scalar `a`."""

    ranks = {"x": 2, "y": 2, "a": 0}

    def build(self, *values: object) -> Any:
        x, y, a = values
        return mul(a, dot(x, y))


gemm_inplace = overwriting(gemm)
gemv_no_inplace = gemv = Gemv(inplace=False)
gemv_inplace = Gemv(inplace=True)
ger = Ger(destructive=False)
ger_destructive = Ger(destructive=True)
_dot22scalar = Dot22Scalar()
