# The names of this module, and where each is: see theano/_core/base/stubs.py.

from theano._core.api.random.philox_continuous import (
    cauchy as cauchy, exponential as exponential, gumbel as gumbel, laplace as laplace,
    logistic as logistic, lognormal as lognormal, multivariate_normal as multivariate_normal,
    normal as normal, pareto as pareto, rayleigh as rayleigh, truncated_normal as truncated_normal,
    uniform as uniform, weibull as weibull,
)
from theano._core.api.random.philox_discrete import (
    bernoulli as bernoulli, binomial as binomial, categorical as categorical, choice as choice,
    geometric as geometric, integers as integers, multinomial as multinomial,
    permutation as permutation, poisson as poisson, shuffle as shuffle,
)
from theano._core.api.random.philox_gamma import (
    beta as beta, chisquare as chisquare, dirichlet as dirichlet, gamma as gamma,
    student_t as student_t,
)
from theano._core.api.random.philox_keys import (
    bits as bits, fold_in as fold_in, key as key, split as split,
)
from theano._core.api.random.philox_stream import Stream as Stream
