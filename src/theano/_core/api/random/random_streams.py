"""`RandomStreams`: one NumPy random stream for each random variable."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.api.array.permutations import permute_row_elements
from theano._core.api.random import raw_random
from theano._core.api.variable.shared import shared
from theano._core.base.near_misses import missing
from theano._core.compile.shared import SharedVariable
from theano._core.ir.variable import Variable
from theano._core.ops.array.shaping import length

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike
    from theano._core.ir.tensor import TensorVariable


class RandomStreamsBase:
    """The distributions, for classes whose `gen` makes a random variable of a draw."""

    def __getattr__(self, name: str) -> Any:
        return missing(self, name)

    def gen(self, op: Callable[..., object], *args: object, **kwargs: object) -> Any:
        """Return a random variable drawn by ``op(stream, *args, **kwargs)``."""
        raise NotImplementedError

    def uniform(
        self,
        size: TensorLike | None = None,
        low: object = 0.0,
        high: TensorLike = 1.0,
        ndim: int | None = None,
        dtype: str | None = None,
    ) -> TensorVariable:
        """Return numbers between `low` and `high`, all equally likely.

        Parameters
        ----------
        size : int sequence or vector, optional
            Lengths of the result; by default those that the parameters broadcast to.
        low, high : tensor
        ndim : int, optional
            Rank of the result, if it does not follow from `size`.
        dtype : str, optional
            By default the common dtype of `config.floatX` and the parameters.
        """
        return self.gen(raw_random.uniform, size, low, high, ndim=ndim, dtype=dtype)

    def normal(
        self,
        size: TensorLike | None = None,
        avg: TensorLike = 0.0,
        std: TensorLike = 1.0,
        ndim: int | None = None,
        dtype: str | None = None,
    ) -> TensorVariable:
        """Return normally distributed numbers of mean `avg` and standard deviation `std`."""
        return self.gen(raw_random.normal, size, avg, std, ndim=ndim, dtype=dtype)

    def binomial(
        self,
        size: TensorLike | None = None,
        n: TensorLike = 1,
        p: TensorLike = 0.5,
        ndim: int | None = None,
        dtype: str = "int64",
        prob: TensorLike | None = None,
    ) -> TensorVariable:
        """Return how many of `n` trials succeed, each with probability `p`."""
        return self.gen(raw_random.binomial, size, n, p, ndim=ndim, dtype=dtype, prob=prob)

    def random_integers(
        self,
        size: TensorLike | None = None,
        low: TensorLike = 0,
        high: TensorLike = 1,
        ndim: int | None = None,
        dtype: str = "int64",
    ) -> TensorVariable:
        """Return integers between `low` and `high`, both included."""
        return self.gen(raw_random.random_integers, size, low, high, ndim=ndim, dtype=dtype)

    def choice(
        self,
        size: TensorLike | None = None,
        a: TensorLike = 2,
        replace: bool = True,
        p: TensorLike | None = None,
        ndim: int | None = None,
        dtype: str = "int64",
    ) -> TensorVariable:
        """Return items of the vector `a`, or integers below the scalar `a`."""
        return self.gen(raw_random.choice, size, a, replace, p, ndim=ndim, dtype=dtype)

    def poisson(
        self,
        size: TensorLike | None = None,
        lam: TensorLike = 1.0,
        ndim: int | None = None,
        dtype: str = "int64",
    ) -> TensorVariable:
        """Return counts of a Poisson distribution of mean `lam`."""
        return self.gen(raw_random.poisson, size, lam, ndim=ndim, dtype=dtype)

    def permutation(
        self,
        size: TensorLike | None = None,
        n: TensorLike = 1,
        ndim: int | None = None,
        dtype: str = "int64",
    ) -> TensorVariable:
        """Return permutations of the integers below `n`, along a last axis added to `size`."""
        return self.gen(raw_random.permutation, size, n, ndim=ndim, dtype=dtype)

    def multinomial(
        self,
        size: TensorLike | None = None,
        n: TensorLike = 1,
        pvals: TensorLike = (0.5, 0.5),
        ndim: int | None = None,
        dtype: str = "int64",
    ) -> TensorVariable:
        """Return how often each outcome of probabilities `pvals` occurs in `n` trials."""
        return self.gen(raw_random.multinomial, size, n, pvals, ndim=ndim, dtype=dtype)

    def shuffle_row_elements(self, input: Variable) -> TensorVariable:
        """Return a vector shuffled, or every row of `input` (its last axis) shuffled on its own.

        The result has the random variable that permuted it as its attribute `permutation`.
        """
        lengths = [length(input, axis) for axis in range(input.type.ndim)]
        order = self.permutation(size=lengths[:-1], n=lengths[-1], ndim=input.type.ndim - 1)
        shuffled: Any = permute_row_elements(input, order)
        shuffled.permutation = order
        return shuffled


class RandomStreams(RandomStreamsBase):
    """Make random variables, each with a stream of its own.

    Each call of a compiled function draws anew, since the stream is a shared variable whose
    `default_update` is the stream after the draw.

    Parameters
    ----------
    seed : int, sequence of int, or None
        Seed of the `numpy.random.RandomState` that seeds the streams; None: unpredictable.
    no_warn : bool
        Accepted for old programs.

    Attributes
    ----------
    state_updates : list of (shared variable, new stream)
    default_instance_seed
    gen_seedgen : numpy.random.RandomState
        Draws the seeds of the streams.

    Notes
    -----
    Every random variable `rv` has `rv.rng`, its shared stream, and `rv.update`, the pair of
    `rv.rng` and the stream after the draw. The numbers equal those of NumPy's RandomState, bit for
    bit.

    Examples
    --------
    >>> rng = RandomStreams(42)
    >>> rng.uniform((2,)).eval()
    array([0.37658785, 0.78818459])
    """

    # Where programs and pickles see it.
    __module__ = "theano.tensor.shared_randomstreams"

    def __init__(self, seed: Any = None, no_warn: bool = False) -> None:
        self.state_updates: list[tuple[Any, Any]] = []
        self.default_instance_seed = seed
        try:
            self.gen_seedgen = np.random.RandomState(seed)
        except TypeError as error:
            raise TypeError(
                f"a seed is an integer, integers, or None, got {seed!r} of type "
                f"{type(seed).__name__}"
            ) from error

    def __str__(self) -> str:
        return type(self).__name__

    __repr__ = __str__

    def updates(self) -> list[tuple[Any, Any]]:
        """Return the (shared stream, new stream) pairs of all variables made here."""
        return list(self.state_updates)

    def seed(self, seed: Any = None) -> None:
        """Seed every stream anew, in the order they were made.

        Parameters
        ----------
        seed : int, sequence of int, or None
            None stands for the seed given at the beginning.
        """
        if seed is None:
            seed = self.default_instance_seed
        seeds = np.random.RandomState(seed)
        for stream, _ in self.state_updates:
            stream.set_value(np.random.RandomState(int(seeds.randint(2**30))), borrow=True)

    def __getitem__(self, item: SharedVariable) -> np.random.RandomState:
        return item.get_value(borrow=True)

    def __setitem__(self, item: SharedVariable, val: np.random.RandomState) -> None:
        item.set_value(val, borrow=True)

    def gen(self, op: Callable[..., Any], *args: object, **kwargs: Any) -> Any:
        """Return a random variable drawn by `op(stream, *args, **kwargs)` from a new stream.

        Parameters
        ----------
        op : callable
            Returns the stream after the draw and the array, as the functions of `raw_random` do.
        """
        seed = int(self.gen_seedgen.randint(2**30))
        stream = shared(np.random.RandomState(seed), borrow=True)
        stream.tag.is_rng = True
        after, out = op(stream, *args, **kwargs)
        out.rng = stream
        out.update = (stream, after)
        self.state_updates.append(out.update)
        stream.default_update = after
        return out
