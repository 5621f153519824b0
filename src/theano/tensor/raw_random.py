"""Draws from an explicit stream."""

from theano._core.api.raw_random import (
    binomial,
    choice,
    multinomial,
    normal,
    permutation,
    poisson,
    random_integers,
    uniform,
)
from theano._core.ir.types import (
    RandomStateType,
    random_state_type,
)
from theano._core.ops.random import (
    RandomFunction,
)

__all__ = [
    "RandomFunction",
    "RandomStateType",
    "binomial",
    "choice",
    "multinomial",
    "normal",
    "permutation",
    "poisson",
    "random_integers",
    "random_state_type",
    "uniform",
]
