# The names of this module, and where each is: see theano/_core/base/stubs.py.

from theano._core.api.random.random_streams import RandomStreamsBase as RandomStreamsBase
from theano._core.api.random.raw_random import (
    binomial as binomial, choice as choice, multinomial as multinomial, normal as normal,
    permutation as permutation, poisson as poisson, random_integers as random_integers,
    uniform as uniform,
)
from theano._core.ir.types import (
    RandomStateType as RandomStateType, random_state_type as random_state_type,
)
from theano._core.ops.random.numpy_streams import (
    RandomFunction as RandomFunction, choice_helper as choice_helper,
    multinomial_helper as multinomial_helper, permutation_helper as permutation_helper,
    random_integers_helper as random_integers_helper,
)
