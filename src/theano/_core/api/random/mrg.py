"""`MRG_RandomStreams`: random variables from the generator MRG31k3p, drawn by native code."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.api.array.indexing import get_item
from theano._core.api.array.joining import join, stack
from theano._core.api.array.reductions import prod, sum
from theano._core.api.array.shaping import reshape
from theano._core.api.conversion import as_tensor_variable, cast, constant
from theano._core.api.derivatives.gradients import undefined_grad
from theano._core.api.random.mrg_states import checked_state, ff_2p134, guess_n_streams
from theano._core.api.variable.shared import shared
from theano._core.base import dtypes
from theano._core.base.settings import config
from theano._core.ir.variable import Constant, Variable
from theano._core.ops.elementwise.transcendental import cos, log, sin, sqrt
from theano._core.ops.random import mrg as ops

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike
    from theano._core.ir.tensor import TensorVariable

# Standard deviation of the normal distribution cut off at 2 on both sides.
TRUNCATED_STD = 0.87962566103423978


class MRG_RandomStreams:  # noqa: N801 - the name of Theano 1.0.5
    """Make random variables from many streams of MRG31k3p.

    Each variable has streams of its own: a shared int32 matrix, one row a stream, whose
    `default_update` is the matrix after the draw. Item `i` comes from stream ``i % n``; streams lie
    2**72 steps apart, and the variables 2**134.

    Parameters
    ----------
    seed : int, or sequence of 6 int
        An integer stands for six equal ones. The first three are less than 2147483647 and not all
        0, the others less than 2147462579 and not all 0.

    Attributes
    ----------
    rstate : int32 array, shape (6,)
        Where the first stream of the next variable begins.
    state_updates : list of (shared states, new states, size, nstreams)
    default_instance_seed

    Raises
    ------
    ValueError
        A seed that is 0 or too large.
    TypeError
        A seed that is neither one integer nor six.

    Notes
    -----
    Numbers equal those of Theano 1.0.5 from the same seed: uniform ones exactly, others to
    rounding.

    References
    ----------
    P. L'Ecuyer and R. Touzin, Fast combined multiple recursive generators with multipliers of the
    form a = ±2^q ±2^r, Proceedings of the 2000 Winter Simulation Conference, 683-689.

    P. L'Ecuyer, R. Simard, E. J. Chen and W. D. Kelton, An object-oriented random-number package
    with many long streams and substreams, Operations Research 50 (2002), 1073-1075.

    Examples
    --------
    >>> rng = MRG_RandomStreams(42)
    >>> rng.uniform((2,)).eval()
    array([0.08075202, 0.92676401])
    """

    # Where programs and pickles see it.
    __module__ = "theano.sandbox.rng_mrg"

    def __init__(self, seed: TensorLike = 12345) -> None:
        self.state_updates: list[tuple[Any, Any, Any, Any]] = []
        self.default_instance_seed = seed
        self.set_rstate(seed)

    def updates(self) -> list[tuple[Any, Any, Any, Any]]:
        """Return (shared states, new states, size, nstreams) of all variables made here."""
        return list(self.state_updates)

    def set_rstate(self, seed: object) -> None:
        """Let the next variable begin where `seed` says; see the class for its values."""
        self.rstate = checked_state(seed)

    def seed(self, seed: TensorLike | None = None) -> None:
        """Seed the streams of every variable anew, in the order they were made.

        Parameters
        ----------
        seed : int, sequence of 6 int, or None
            None stands for the seed given at the beginning.
        """
        self.set_rstate(self.default_instance_seed if seed is None else seed)
        for states, after, size, nstreams in self.state_updates:
            count = self.n_streams(size) if nstreams is None else nstreams
            dtype = after.owner.outputs[1].type.dtype
            states.set_value(self.get_substream_rstates(count, dtype), borrow=True)

    def inc_rstate(self) -> None:
        """Move `rstate` on to the streams of the next variable."""
        self.rstate = ff_2p134(self.rstate)

    def get_substream_rstates(
        self, n_streams: int, dtype: str, inc_rstate: bool = True
    ) -> np.ndarray:
        """Return the states of the streams of a variable, int32, shape (n_streams, 6).

        Parameters
        ----------
        n_streams : int
        dtype : str
            Item type of the numbers to be drawn.
        inc_rstate : bool
            Whether to call `inc_rstate` afterwards.
        """
        if not isinstance(dtype, str) or not 0 < n_streams < 2**72:
            raise AssertionError(f"{n_streams} streams of {dtype!r}")
        states = np.empty((n_streams, 6), dtype="int64")
        states[0] = self.rstate
        one, two, done = ops.A1p72, ops.A2p72, 1
        # Stream i + done lies as far from stream i as the matrices move a state.
        while done < n_streams:
            more = min(done, n_streams - done)
            part = states[done : done + more]
            part[:, :3] = ops.multiply(states[:more, :3], one.T, ops.M1)
            part[:, 3:] = ops.multiply(states[:more, 3:], two.T, ops.M2)
            one, two = ops.multiply(one, one, ops.M1), ops.multiply(two, two, ops.M2)
            done += more
        if inc_rstate:
            self.inc_rstate()
        return states.astype("int32")

    def n_streams(self, size: object) -> int:
        """Return how many streams a draw of `size` gets."""
        return guess_n_streams(size)

    def pretty_return(
        self, node_rstate: Any, new_rstate: Any, sample: Any, size: object, nstreams: int | None
    ) -> Any:
        """Return `sample` with its `rstate` and `update`; its states get a default update."""
        sample.rstate = node_rstate
        sample.update = (node_rstate, new_rstate)
        self.state_updates.append((node_rstate, new_rstate, size, nstreams))
        node_rstate.default_update = new_rstate
        return sample

    def uniform(
        self,
        size: object,
        low: TensorLike = 0.0,
        high: TensorLike = 1.0,
        ndim: int | None = None,
        dtype: str | None = None,
        nstreams: int | None = None,
        **kwargs: object,
    ) -> TensorVariable:
        """Return numbers between `low` and `high`, both excluded, all equally likely.

        Parameters
        ----------
        size : tuple of int or int scalar, or int vector variable
        low, high : tensor
            Broadcast against `size`.
        ndim : int, optional
            Rank of the result, if it does not follow from `size`.
        dtype : str, optional
            'float16', 'float32' or 'float64'; by default the common dtype of `config.floatX` and
            the bounds. The bounds are cast to it.
        nstreams : int, optional
            How many streams to draw from; by default a guess from `size`.

        Returns
        -------
        TensorVariable

        Raises
        ------
        ValueError
            A length that is 0 or negative.
        TypeError
            `size` is neither a tuple nor a vector variable.
        NotImplementedError
            The bounds have more axes, or longer ones, than `size`.
        """
        low, high = as_tensor_variable(low), as_tensor_variable(high)
        if dtype is None:
            dtype = dtypes.upcast(config.floatX, low.type.dtype, high.type.dtype)
        low, high = cast(low, dtype), cast(high, dtype)
        _check_uniform_size(size)
        _check_options("uniform", kwargs)
        count = self.n_streams(size) if nstreams is None else nstreams
        states = shared(self.get_substream_rstates(count, dtype))
        after, drawn = ops.mrg_uniform.new(states, ndim, dtype, size)
        drawn = self.pretty_return(states, after, drawn, size=size, nstreams=nstreams)
        states.tag.is_rng = True
        result = drawn * (high - low) + low
        if drawn.type.broadcastable != result.type.broadcastable:
            raise NotImplementedError(
                "Increase the size to match the broadcasting pattern of `low` and `high` arguments:"
                f" size gives {drawn.type}, the bounds {low.type} and {high.type}"
            )
        return result

    def binomial(
        self,
        size: TensorLike | None = None,
        n: TensorLike = 1,
        p: TensorLike = 0.5,
        ndim: int | None = None,
        dtype: str = "int64",
        nstreams: int | None = None,
        **kwargs: Any,
    ) -> TensorVariable:
        """Return 1 with probability `p`, else 0; only ``n == 1`` is there.

        Other parameters as those of `uniform`.
        """
        if n != 1:
            raise NotImplementedError("MRG_RandomStreams.binomial with n > 1")
        p = undefined_grad(as_tensor_variable(p))
        return cast(self.uniform(size=size, nstreams=nstreams, **kwargs) < p, dtype)

    def multinomial(
        self,
        size: Any = None,
        n: TensorLike = 1,
        pvals: Any = None,
        ndim: int | None = None,
        dtype: str = "int64",
        nstreams: int | None = None,
        **kwargs: Any,
    ) -> TensorVariable:
        """Return how often each outcome occurs in `n` picks, row by row.

        Parameters
        ----------
        size, ndim : None
            Not used.
        n : int or int scalar
            Picks in a row.
        pvals : float, shape (rows, outcomes)
            Probabilities; nothing checks that they add up to 1.
        dtype : str
        nstreams : int, optional

        Returns
        -------
        TensorVariable, shape (rows, outcomes)
        """
        if pvals is None:
            raise TypeError("You have to specify pvals")
        pvals = undefined_grad(as_tensor_variable(pvals))
        if size is not None:
            if any(isinstance(i, int) and i <= 0 for i in size):
                raise ValueError("The specified size contains a dimension with value <= 0", size)
            raise ValueError(
                "Provided a size argument to MRG_RandomStreams.multinomial, which does not use the"
                " size argument."
            )
        if ndim is not None:
            raise ValueError(
                "Provided an ndim argument to MRG_RandomStreams.multinomial, which does not use the"
                " ndim argument."
            )
        if pvals.type.ndim != 2:
            raise NotImplementedError(
                f"MRG_RandomStreams.multinomial only implemented for pvals.ndim = 2: {pvals.type}"
            )
        unis = self.uniform(size=_picks(pvals, n), ndim=1, nstreams=nstreams, **kwargs)
        return ops.MultinomialFromUniform(dtype)(pvals, unis, n)

    def choice(
        self,
        size: TensorLike = 1,
        a: TensorLike | None = None,
        replace: TensorLike = True,
        p: Any = None,
        ndim: int | None = None,
        dtype: str = "int64",
        nstreams: int | None = None,
        **kwargs: Any,
    ) -> TensorVariable:
        """Return `size` different outcomes of each row of probabilities.

        Parameters
        ----------
        size : int or int scalar
            Outcomes of a row, at most as many as there are.
        a : None
        replace : False
            Nothing else is there.
        p : float, shape (rows, outcomes)
        dtype : str
        nstreams : int, optional

        Returns
        -------
        TensorVariable, shape (rows, size)
        """
        if replace:
            raise NotImplementedError(
                "MRG_RandomStreams.choice only works without replacement for now."
            )
        if a is not None:
            raise TypeError(
                "For now, a has to be None in MRG_RandomStreams.choice. Sampled values are between"
                " 0 and p.shape[1]-1"
            )
        if p is None:
            raise TypeError("For now, p has to be specified in MRG_RandomStreams.choice.")
        p = undefined_grad(as_tensor_variable(p))
        if ndim is not None:
            raise ValueError("ndim argument to MRG_RandomStreams.choice is not used.")
        if p.type.ndim != 2:
            raise NotImplementedError(
                f"MRG_RandomStreams.choice is only implemented for p.ndim = 2: {p.type}"
            )
        unis = self.uniform(size=_picks(p, size), ndim=1, nstreams=nstreams, **kwargs)
        return ops.ChoiceFromUniform(dtype)(p, unis, size)

    def multinomial_wo_replacement(
        self,
        size: TensorLike | None = None,
        n: TensorLike = 1,
        pvals: TensorLike | None = None,
        ndim: int | None = None,
        dtype: str = "int64",
        nstreams: int | None = None,
        **kwargs: object,
    ) -> TensorVariable:
        """Return `n` different outcomes of each row of `pvals`: the old name of `choice`."""
        warnings.warn(
            "MRG_RandomStreams.multinomial_wo_replacement() is deprecated. Please use "
            "MRG_RandomStreams.choice() instead.",
            stacklevel=2,
        )
        if size is not None:
            raise AssertionError(f"multinomial_wo_replacement: size must be None, got {size}")
        return self.choice(
            n, None, False, pvals, ndim=ndim, dtype=dtype, nstreams=nstreams, **kwargs
        )

    def normal(
        self,
        size: TensorLike,
        avg: TensorLike = 0.0,
        std: TensorLike = 1.0,
        ndim: int | None = None,
        dtype: str | None = None,
        nstreams: int | None = None,
        truncate: bool = False,
        **kwargs: object,
    ) -> TensorVariable:
        """Return normally distributed numbers of mean `avg` and standard deviation `std`.

        Parameters
        ----------
        size : int, tuple, list or int vector variable
        avg, std : tensor
            Broadcast against `size`.
        ndim : int, optional
            Rank of the result, if it does not follow from `size`.
        dtype : str, optional
            By default the common dtype of `config.floatX`, `avg` and `std`.
        nstreams : int, optional
        truncate : bool
            Whether to cut the distribution off at two times `std`, which makes its standard
            deviation smaller than `std`.

        Returns
        -------
        TensorVariable

        Raises
        ------
        ValueError
            `size` is not of these kinds, or has a length that is 0 or negative.

        References
        ----------
        G. E. P. Box and M. E. Muller, A note on the generation of random normal deviates, Annals of
        Mathematical Statistics 29 (1958), 610-611.
        """
        lengths = _normal_size(size)
        avg, std = as_tensor_variable(avg), as_tensor_variable(std)
        if dtype is None:
            dtype = dtypes.upcast(config.floatX, avg.type.dtype, std.type.dtype)
        avg, std = cast(avg, dtype), cast(std, dtype)
        if isinstance(lengths, Constant):
            wanted: Any = constant(np.prod(lengths.data, dtype="int64"))
            count: Any = constant(wanted.data + wanted.data % 2)
        else:
            wanted = prod(lengths, dtype="int64")
            count = wanted + wanted % 2
        draw = self._truncated_pairs if truncate else self._pairs
        drawn = draw(count, dtype, nstreams, kwargs)
        return reshape(get_item(drawn, slice(wanted)), lengths, ndim=ndim) * std + avg

    def _box_muller(
        self, count: Any, dtype: str, nstreams: int | None, options: dict[str, object]
    ) -> tuple[Any, Any, Any]:
        """Return (radius, cosine, sine), each of half as many items as `count`."""
        unis = self.uniform((count,), 0.0, 1.0, 1, dtype, nstreams, **options)
        radius = sqrt(-2.0 * log(get_item(unis, slice(count // 2))))
        angle = np.array(2.0 * np.pi, dtype=dtype) * get_item(unis, slice(count // 2, None))
        return radius, cos(angle), sin(angle)

    def _pairs(
        self, count: TensorLike, dtype: str, nstreams: int | None, options: dict[str, object]
    ) -> Any:
        radius, cosine, sine = self._box_muller(count, dtype, nstreams, options)
        return join(0, radius * cosine, radius * sine)

    def _truncated_pairs(
        self, count: TensorLike, dtype: str, nstreams: int | None, options: dict[str, object]
    ) -> Any:
        radius, *factors = self._box_muller(count, dtype, nstreams, options)
        drawn = [radius * factor for factor in factors]
        outside = [sum(cast((z < -2.0) | (z > 2.0), "int64")) for z in drawn]
        # A radius at most 2 puts the item within the limits, wherever its angle points.
        lower = constant(np.asarray(1.0 / np.e**2, dtype=dtype))
        unis = self.uniform((outside[0] + outside[1],), lower, 1.0, 1, dtype, nstreams, **options)
        smaller = sqrt(-2.0 * log(unis))
        parts = (slice(outside[0]), slice(outside[0], None))
        pack = ops.PackTruncated()
        return join(
            0,
            *(
                pack(z, factor, get_item(smaller, part))
                for z, factor, part in zip(drawn, factors, parts, strict=True)
            ),
        )

    def truncated_normal(
        self,
        size: TensorLike,
        avg: TensorLike = 0.0,
        std: TensorLike = 1.0,
        ndim: int | None = None,
        dtype: str | None = None,
        nstreams: int | None = None,
        **kwargs: object,
    ) -> TensorVariable:
        """Return normally distributed numbers cut off on both sides of `avg`.

        They keep within 2 / 0.8796 times `std` of `avg`; their standard deviation is about `std`.
        Parameters as those of `normal`.

        Notes
        -----
        As in Theano 1.0.5, a number outside gets another distance and keeps its direction: the law
        is near a truncated normal one, with a distribution function at most 0.01 away.
        """
        return self.normal(
            size,
            avg,
            std / constant(TRUNCATED_STD),
            ndim=ndim,
            dtype=dtype,
            nstreams=nstreams,
            truncate=True,
            **kwargs,
        )


def _check_uniform_size(size: object) -> None:
    if isinstance(size, tuple):
        if not all(isinstance(i, (int, np.integer, Variable)) for i in size):
            raise AssertionError(f"size must be a tuple of int or a Theano variable, got {size}")
        if any(isinstance(i, (int, np.integer)) and i <= 0 for i in size):
            raise ValueError("The specified size contains a dimension with value <= 0", size)
    elif not (isinstance(size, Variable) and size.type.ndim == 1):
        raise TypeError(
            "size must be a tuple of int or a Theano Variable with 1 dimension, got "
            f"{size} of type {type(size)}"
        )


def _check_options(name: str, options: dict[str, object]) -> None:
    if set(options) - {"target"}:
        raise TypeError(f"{name}() got unexpected keyword arguments {sorted(options)}")
    if options.get("target", "cpu") not in ("cpu", None):
        raise TypeError(f"{name}(): there is no target {options['target']!r}, only 'cpu'")


def _picks(pvals: object, n: TensorLike) -> Any:
    """Return the lengths of the uniform numbers for `n` picks in each row, a vector of one."""
    return get_item(pvals, (slice(None), 0)).shape * n


def _normal_size(size: TensorLike) -> Any:
    """Return the lengths of a normal draw as an int vector variable."""
    if isinstance(size, Variable):
        if size.type.ndim > 1:
            raise ValueError("Theano variable must have 1 dimension to be a valid size.", size)
        return size if size.type.ndim else stack([size])
    if isinstance(size, (int, np.integer)):
        return constant(np.asarray([size], dtype="int64"))
    if not isinstance(size, (tuple, list)):
        raise ValueError("Size must be a int, tuple, list or Theano variable.", size)
    for item in size:
        _check_length(item, size)
    return as_tensor_variable(size) if len(size) else constant(np.zeros(0, dtype="int64"))


def _check_length(item: TensorLike, size: Sequence[TensorLike]) -> None:
    if isinstance(item, Variable):
        if item.type.ndim:
            raise ValueError("Non-scalar Theano variable in size", size, item)
    elif not isinstance(item, (int, np.integer)):
        raise ValueError(
            "Only Theano variables and integers are allowed in a size-tuple.", size, item
        )
    elif item <= 0:
        raise ValueError("Non-positive dimensions not allowed in size.", size, item)
