"""Random variables that are drawn anew at each call of a function."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

import numpy as np

from theano._core.api.conversion import cast
from theano._core.api.random import (
    philox_continuous as continuous,
    philox_discrete as discrete,
    philox_gamma,
)
from theano._core.api.random.philox_keys import GENERATORS, bits, fold_in, key as key_of
from theano._core.api.variable.shared import shared

if TYPE_CHECKING:
    from theano._core.ir.tensor import TensorVariable

P = ParamSpec("P")


def _method(
    function: Callable[Concatenate[Any, P], TensorVariable],
) -> Callable[Concatenate[Stream, P], TensorVariable]:
    """Return a method that calls `function` with the next key of the stream."""

    @functools.wraps(function)
    def method(self: Stream, *arguments: P.args, **options: P.kwargs) -> TensorVariable:
        return function(self.key(), *arguments, **options)

    parameters = list(inspect.signature(function).parameters.values())[1:]
    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    method.__signature__ = inspect.Signature([own, *parameters])  # type: ignore[attr-defined]
    return method


class Stream:
    """Makes random variables that are drawn anew at each call of a compiled function.

    Its methods are the functions of this module without their first argument.

    Parameters
    ----------
    seed : int or None
        See `key`; None: unpredictable.
    generator : str
        See `key`.

    Raises
    ------
    TypeError
        `seed` is not an int: the state must be known before a function runs.

    Attributes
    ----------
    state : shared variable, uint64 vector of 3
        The key, and the number of calls. A function that uses a variable of the stream adds 1 to
        that number (`default_update`), so what it drew comes back with `state.set_value`.

    Notes
    -----
    Variable j of the stream has the key ``fold_in(fold_in(key, j), calls)``: it does not depend on
    how much other variables draw.

    Examples
    --------
    >>> import theano
    >>> stream = Stream(1)
    >>> f = theano.function([], stream.uniform((2,)))
    >>> bool((f() == f()).any())
    False
    """

    # Where programs and pickles see it.
    __module__ = "theano.tensor.random"

    def __init__(self, seed: int | None = None, generator: str = "philox4x64") -> None:
        self._generator = generator
        self.state = shared(self._state(seed), name="random state", borrow=True)
        self.state.default_update = self.state + np.asarray([0, 0, 1], dtype="uint64")
        self._made = 0

    def seed(self, seed: int | None) -> None:
        """Start anew from a seed; variables that were made stay."""
        self.state.set_value(self._state(seed), borrow=True)

    def key(self) -> TensorVariable:
        """Return the key of a new variable, another one at each call of a function."""
        number = self._made
        self._made += 1
        words = cast(self.state[:2], GENERATORS[self._generator])
        return fold_in(fold_in(words, number), self.state[2])

    def _state(self, seed: int | None) -> np.ndarray:
        if seed is None:
            seed = int.from_bytes(os.urandom(16 if self._generator == "philox4x64" else 8))
        if not isinstance(seed, (int, np.integer)):
            raise TypeError(f"Stream: a seed is an int or None, got {seed!r}")
        key: Any = key_of(seed, self._generator)
        words = key.data
        return np.append(words, np.uint64(0)).astype("uint64")

    bits = _method(bits)
    uniform = _method(continuous.uniform)
    normal = _method(continuous.normal)
    lognormal = _method(continuous.lognormal)
    truncated_normal = _method(continuous.truncated_normal)
    exponential = _method(continuous.exponential)
    laplace = _method(continuous.laplace)
    logistic = _method(continuous.logistic)
    gumbel = _method(continuous.gumbel)
    cauchy = _method(continuous.cauchy)
    rayleigh = _method(continuous.rayleigh)
    weibull = _method(continuous.weibull)
    pareto = _method(continuous.pareto)
    gamma = _method(philox_gamma.gamma)
    chisquare = _method(philox_gamma.chisquare)
    student_t = _method(philox_gamma.student_t)
    beta = _method(philox_gamma.beta)
    dirichlet = _method(philox_gamma.dirichlet)
    multivariate_normal = _method(continuous.multivariate_normal)
    bernoulli = _method(discrete.bernoulli)
    integers = _method(discrete.integers)
    poisson = _method(discrete.poisson)
    binomial = _method(discrete.binomial)
    geometric = _method(discrete.geometric)
    categorical = _method(discrete.categorical)
    multinomial = _method(discrete.multinomial)
    permutation = _method(discrete.permutation)
    shuffle = _method(discrete.shuffle)
    choice = _method(discrete.choice)
