"""Draws from an explicit stream."""

from theano._core.api.random.random_streams import (
    RandomStreamsBase,
)
from theano._core.api.random.raw_random import (
    binomial,
    choice,
    infer_ndim_bcast as _infer_ndim_bcast,  # noqa: F401 - the name that old programs import
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
from theano._core.legacy.paths import old_names as _old_names
from theano._core.ops.random.numpy_streams import (
    RandomFunction,
    choice_helper,
    multinomial_helper,
    permutation_helper,
    random_integers_helper,
)

__all__ = [
    "RandomFunction",
    "RandomStateType",
    "RandomStreamsBase",
    "binomial",
    "choice",
    "choice_helper",
    "multinomial",
    "multinomial_helper",
    "normal",
    "permutation",
    "permutation_helper",
    "poisson",
    "random_integers",
    "random_integers_helper",
    "random_state_type",
    "uniform",
]

__getattr__ = _old_names(__name__)
