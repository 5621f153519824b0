"""Discrete random variables under a key, and random order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.api.array.creation import alloc
from theano._core.api.array.indexing import get_item
from theano._core.api.array.reductions import all as all_of, argmax, sum as sum_of
from theano._core.api.array.shaping import reshape
from theano._core.api.conversion import as_tensor_variable, cast
from theano._core.api.random.philox_keys import (
    check_fit,
    integer_dtype,
    not_negative,
    parameter,
    probability,
    rejection_draw,
    result_shape,
    split,
    stream_draw,
)
from theano._core.base import dtypes
from theano._core.ops.array.assertions import Require
from theano._core.ops.array.dims import as_int64, as_length, product
from theano._core.ops.array.shaping import length
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.elementwise.arithmetic import add, eq, floor, gt, le, lt, mul, switch
from theano._core.ops.elementwise.transcendental import log, log1p
from theano._core.ops.random.permutation import MultinomialDraw, words_to_permutation
from theano._core.ops.random.philox import multiply_high

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike
    from theano._core.ir.tensor import TensorVariable

# The largest mean whose counts int64 holds, as in NumPy.
MOST_POISSON = float(2**63 - 1 - 10 * 2**31.5)


def bernoulli(
    key: TensorLike, shape: TensorLike | None = None, p: TensorLike = 0.5, dtype: str = "bool"
) -> TensorVariable:
    """Return True with probability `p`.

    Parameters
    ----------
    key : vector of 2 words, as from `key`
    shape : int, sequence of ints and scalars, int vector, or None
        Lengths of the result; None: those that the parameters broadcast to. So in all functions of
        this module.
    p : real tensor
        Between 0 and 1.
    dtype : str
        Item type of the result.

    Returns
    -------
    tensor of `dtype`, shape `shape`

    Raises
    ------
    ValueError
        `p` is out of range.

    Notes
    -----
    ``uniform(key, shape) < p`` in float64. No gradient flows to `p`.

    Examples
    --------
    >>> from theano.tensor import random
    >>> sorted(set(random.bernoulli(random.key(42), (100,), p=0.5).eval().astype(int).tolist()))
    [0, 1]
    """
    p = probability("bernoulli", "p", p)
    shape = result_shape(shape, [p])
    check_fit("bernoulli", [p], shape)
    return cast(lt(stream_draw("unit_interval", "float64", key, shape), p), dtype)


def integers(
    key: TensorLike,
    shape: TensorLike,
    low: TensorLike,
    high: TensorLike | None = None,
    dtype: str = "int64",
) -> TensorVariable:
    """Return integers from `low` up to `high`, which is left out; all equally likely.

    Parameters
    ----------
    key : vector of 2 words, as from `key`
    shape : int, sequence of ints and scalars, int vector, or None
    low, high : integer tensor
        Without `high`, from 0 up to `low`.
    dtype : str
        An integer type.

    Returns
    -------
    tensor of `dtype`, shape `shape`

    Raises
    ------
    TypeError
        A bound is not an integer, or `dtype` is not.
    ValueError
        `high` is not above `low`, or a bound is out of the range of `dtype`.

    Notes
    -----
    The upper part of a product of the span and random bits: 64 for types of up to 32 bits, 128 for
    larger ones. No probability is off by more than 2**-64.

    Examples
    --------
    >>> from theano.tensor import random
    >>> draws = random.integers(random.key(42), (1000,), 0, 6).eval()
    >>> int(draws.min()), int(draws.max())
    (0, 5)
    """
    if high is None:
        low, high = 0, low
    if not dtypes.is_discrete(dtype) or dtype == "bool":
        raise TypeError(f"integers: dtype is an integer type, not {dtype}")
    first, span = _span(low, high, dtype)
    shape = result_shape(shape, [first, span])
    check_fit("integers", [first, span], shape)
    if np.dtype(dtype).itemsize < 8:
        steps = multiply_high(stream_draw("bits", "uint64", key, shape), span)
    else:
        keys = split(key, 2)
        upper, lower = (stream_draw("bits", "uint64", keys[i], shape) for i in (0, 1))
        product_low = mul(upper, span)
        carried = add(product_low, multiply_high(lower, span))
        steps = add(multiply_high(upper, span), cast(lt(carried, product_low), "uint64"))
        # A span of 2**64 is 0 here.
        steps = switch(eq(span, np.asarray(0, dtype="uint64")), upper, steps)
    return cast(add(first, steps), dtype)


def _span(low: Any, high: Any, dtype: str) -> tuple[Any, Any]:
    """Return (low, high - low) as uint64, modulo 2**64, after checking both."""
    if all(isinstance(v, (int, np.integer)) for v in (low, high)):
        info = np.iinfo(dtype)
        if not info.min <= low < high <= int(info.max) + 1:
            raise ValueError(
                f"integers: low must be below high, and both in the range of {dtype}, got {low} "
                f"and {high}"
            )
        words = [np.asarray(int(v) % 2**64, dtype="uint64") for v in (low, int(high) - int(low))]
        return as_tensor_variable(words[0]), as_tensor_variable(words[1])
    bounds = [as_tensor_variable(v) for v in (low, high)]
    for v in bounds:
        if not dtypes.is_discrete(v.type.dtype):
            raise TypeError(f"integers: bounds are integers, got {v} of type {v.type}")
    wide = "uint64" if dtype == "uint64" else "int64"
    first, last = (cast(v, wide) for v in bounds)
    conditions = [lt(first, last)]
    if np.dtype(dtype).itemsize < 8:
        info = np.iinfo(dtype)
        conditions += [le(int(info.min), first), le(last, int(info.max) + 1)]
    text = f"integers: low must be below high, and both in the range of {dtype}"
    last = Require(text)(last, *(all_of(c) for c in conditions))
    first, last = cast(first, "uint64"), cast(last, "uint64")
    return first, last - first


def poisson(
    key: TensorLike, shape: TensorLike, lam: object = 1.0, dtype: str = "int64"
) -> TensorVariable:
    """Return counts of a Poisson distribution.

    Parameters
    ----------
    key : vector of 2 words, as from `key`
    shape : int, sequence of ints and scalars, int vector, or None
    lam : real tensor
        Mean; from 0 to 9.2e18.
    dtype : str

    Returns
    -------
    tensor of `dtype`, shape `shape`

    Raises
    ------
    ValueError
        `lam` is out of range.

    Notes
    -----
    Below a mean of 10, adding up probabilities; above, by rejection (Hörmann, 1993), each position
    with words of its own. No gradient flows to `lam`.

    Examples
    --------
    >>> from theano.tensor import random
    >>> abs(float(random.poisson(random.key(42), (10000,), 3.0).mean().eval()) - 3) < 0.1
    True
    """
    rule = "from 0 to 9.2e18"
    lam = parameter(
        "poisson", "lam", lam, "float64", lambda v: (v >= 0) & (v <= MOST_POISSON), rule
    )
    shape = result_shape(shape, [lam])
    dtype = integer_dtype("poisson", dtype)
    return cast(rejection_draw("poisson", "poisson", "int64", key, shape, [lam]), dtype)


def binomial(
    key: TensorLike, shape: TensorLike, n: TensorLike, p: TensorLike, dtype: str = "int64"
) -> TensorVariable:
    """Return how many of `n` trials succeed, each with probability `p`.

    Parameters
    ----------
    key : vector of 2 words, as from `key`
    shape : int, sequence of ints and scalars, int vector, or None
    n : integer tensor
        From 0 to 2**62; above 2**53 it is rounded to a float64.
    p : real tensor
        Between 0 and 1.
    dtype : str

    Returns
    -------
    tensor of `dtype`, shape `shape`

    Raises
    ------
    TypeError
        `n` are not integers.
    ValueError
        A parameter is out of range.

    Notes
    -----
    Below a mean of 10, adding up probabilities; above, by rejection (Hörmann, 1993), each position
    with words of its own. No gradient flows to `p`.

    Examples
    --------
    >>> from theano.tensor import random
    >>> int(random.binomial(random.key(42), (1000,), 10, 0.5).max().eval()) <= 10
    True
    """
    n = as_tensor_variable(n)
    if not dtypes.is_discrete(n.type.dtype):
        raise TypeError(f"binomial: n must be integers, got {n.type}")
    n = parameter(
        "binomial", "n", n, "float64", lambda v: (v >= 0) & (v <= 2**62), "from 0 to 2**62"
    )
    p = probability("binomial", "p", p)
    shape = result_shape(shape, [n, p])
    dtype = integer_dtype("binomial", dtype)
    return cast(rejection_draw("binomial", "binomial", "int64", key, shape, [n, p]), dtype)


def geometric(key: TensorLike, shape: TensorLike, p: Any, dtype: str = "int64") -> TensorVariable:
    """Return the number of the first trial that succeeds, each with probability `p`.

    Parameters
    ----------
    key : vector of 2 words, as from `key`
    shape : int, sequence of ints and scalars, int vector, or None
    p : real tensor
        Above 0, at most 1.
    dtype : str

    Returns
    -------
    tensor of `dtype`, shape `shape`

    Raises
    ------
    ValueError
        `p` is out of range.

    Notes
    -----
    The inverse of the distribution function; at most 2**62. No gradient flows to `p`.

    Examples
    --------
    >>> from theano.tensor import random
    >>> int(random.geometric(random.key(42), (1000,), 0.5).min().eval())
    1
    """
    rule = "above 0 and at most 1"
    p = parameter("geometric", "p", p, "float64", lambda v: (v > 0) & (v <= 1), rule)
    shape = result_shape(shape, [p])
    check_fit("geometric", [p], shape)
    u = stream_draw("open_interval", "float64", key, shape)
    failures = floor(log1p(-u) / log1p(-p))
    trials = switch(gt(failures, 2.0**62), 2.0**62, failures) + 1
    return cast(cast(trials, "int64"), integer_dtype("geometric", dtype))


def categorical(
    key: TensorLike,
    logits: TensorLike | None = None,
    p: TensorLike | None = None,
    axis: int = -1,
    shape: TensorLike | None = None,
    dtype: str = "int64",
) -> TensorVariable:
    """Return indices, each with the probability that stands at its place along `axis`.

    Parameters
    ----------
    key : vector of 2 words, as from `key`
    logits : real tensor, optional
        Logarithms of the probabilities, up to a constant.
    p : real tensor, optional
        Probabilities instead of `logits`; they need not add up to 1.
    axis : int
        Axis of the outcomes.
    shape : int, sequence of ints and scalars, int vector, or None
        Lengths of the result; None: those of the parameter without `axis`.
    dtype : str

    Returns
    -------
    tensor of `dtype`
        Positions along `axis`.

    Raises
    ------
    TypeError
        Not one of `logits` and `p` is given, or it is a scalar.
    ValueError
        A probability is negative or not finite, or a logit NaN.

    Notes
    -----
    The largest of the logits plus `gumbel` numbers (Gumbel, 1954). No gradient flows to it.

    Examples
    --------
    >>> from theano.tensor import random
    >>> random.categorical(random.key(42), p=[0.0, 1.0], shape=(3,)).eval()
    array([1, 1, 1])
    """
    if (logits is None) == (p is None):
        raise TypeError("categorical: give logits or p, not both")
    if p is not None:
        rule = "0 or more, and finite"
        p = parameter("categorical", "p", p, "float64", lambda v: (v >= 0) & (v < np.inf), rule)
        scores = log(p)
    else:
        rule = "numbers below infinity, not NaN"
        scores = parameter("categorical", "logits", logits, "float64", lambda v: v < np.inf, rule)
    rank = scores.type.ndim
    if not -rank <= axis < rank:
        raise TypeError(f"categorical: there is no axis {axis} in {scores.type}")
    axis %= rank
    order = [i for i in range(rank) if i != axis]
    scores = dimshuffle(scores, [*order, axis])
    outcomes = length(scores, rank - 1)
    shape = result_shape(shape, [get_item(scores, (..., 0))])
    check_fit("categorical", [scores], [*shape, outcomes])
    u = stream_draw("open_interval", "float64", key, [*shape, outcomes])
    return cast(argmax(scores - log(-log(u)), axis=-1), integer_dtype("categorical", dtype))


def multinomial(
    key: TensorLike, shape: TensorLike, n: TensorLike, p: Any, dtype: str = "int64"
) -> TensorVariable:
    """Return how often each outcome occurs in `n` trials, along a last axis added to `shape`.

    Parameters
    ----------
    key : vector of 2 words, as from `key`
    shape : int, sequence of ints and scalars, int vector, or None
        Lengths of the result but the last.
    n : integer tensor
        0 or more.
    p : real tensor, shape (..., k)
        Probabilities of the outcomes. As in NumPy, the last one is what is left by the others.
    dtype : str

    Returns
    -------
    tensor of `dtype`, shape (*shape, k)
        Along the last axis they add up to `n`.

    Raises
    ------
    TypeError
        `n` are not integers, or `p` is a scalar.
    ValueError
        A probability is out of range, or all but the last add up to more than 1.

    Notes
    -----
    Each count is binomial, given those before it. No gradient flows to `p`.

    Examples
    --------
    >>> from theano.tensor import random
    >>> random.multinomial(random.key(42), (4,), 10, [0.5, 0.5]).eval().sum(axis=-1)
    array([10, 10, 10, 10])
    """
    n, p = as_tensor_variable(n), as_tensor_variable(p)
    if not dtypes.is_discrete(n.type.dtype):
        raise TypeError(f"multinomial: n must be integers, got {n.type}")
    if p.type.ndim == 0:
        raise TypeError(f"multinomial: p needs an axis of probabilities, got {p.type}")
    n = not_negative("multinomial", "n", n, "float64")
    p = probability("multinomial", "p", p)
    text = "multinomial: the probabilities but the last must add up to at most 1"
    # As much more as rounding to float32 gives.
    p = Require(text)(p, all_of(le(sum_of(p[..., :-1], axis=-1), 1 + 1e-6)))
    batch = result_shape(shape, [n, get_item(p, (..., 0))])
    outcomes = length(p, p.type.ndim - 1)
    check_fit("multinomial", [n], batch)
    check_fit("multinomial", [p], [*batch, outcomes])
    rows = as_int64(product([as_length(n) for n in batch]))
    trials = reshape(alloc(n, *batch), (rows,)) if batch else reshape(n, (1,))
    chances = reshape(alloc(p, *batch, outcomes), (rows, as_int64(outcomes)))
    counts = MultinomialDraw()(key, trials, chances)
    return cast(reshape(counts, (*batch, outcomes)), integer_dtype("multinomial", dtype))


def permutation(key: TensorLike, x: TensorLike) -> TensorVariable:
    """Return the integers below `x` in random order, or the items of `x` along its first axis.

    Parameters
    ----------
    key : vector of 2 words, as from `key`
    x : integer scalar, or tensor

    Returns
    -------
    int64 vector, or tensor like `x`

    Raises
    ------
    TypeError
        A scalar `x` is not an integer.

    Notes
    -----
    Every order has the same chance. One thread draws it; the gradient flows to the items of `x`.

    Examples
    --------
    >>> from theano.tensor import random
    >>> sorted(random.permutation(random.key(42), 4).eval().tolist())
    [0, 1, 2, 3]
    """
    x = as_tensor_variable(x)
    if x.type.ndim:
        return get_item(x, _order(key, length(x, 0)))
    if not dtypes.is_discrete(x.type.dtype):
        raise TypeError(f"permutation: a number of items is an integer, got {x.type}")
    return _order(key, x)


shuffle = permutation


def _order(key: TensorLike, n: Any) -> Any:
    return words_to_permutation(stream_draw("bits", "uint64", key, [n]))


def choice(
    key: TensorLike,
    a: TensorLike,
    shape: TensorLike = (),
    replace: bool = True,
    p: TensorLike | None = None,
) -> TensorVariable:
    """Return items of `a` along its first axis, or integers below the scalar `a`.

    Parameters
    ----------
    key : vector of 2 words, as from `key`
    a : integer scalar, or tensor
    shape : int, sequence of ints and scalars, or int vector
    replace : bool
        Whether an item may be drawn twice.
    p : real vector, optional
        Probability of each item; by default all are equal. They need not add up to 1.

    Returns
    -------
    tensor
        Of the dtype of `a`, or int64; its first axes are `shape`.

    Raises
    ------
    NotImplementedError
        `p` without `replace`.
    ValueError
        Without `replace`, more items are asked for than there are.

    Examples
    --------
    >>> from theano.tensor import random
    >>> random.choice(random.key(42), [5.0, 6.0], (3,)).eval().shape
    (3,)
    """
    a = as_tensor_variable(a)
    count = length(a, 0) if a.type.ndim else a
    if not a.type.ndim and not dtypes.is_discrete(a.type.dtype):
        raise TypeError(f"choice: a number of items is an integer, got {a.type}")
    shape = result_shape(shape, [])
    if p is not None:
        if not replace:
            raise NotImplementedError(
                "choice: p without replacement is not there; draw categorical one after another"
            )
        p = as_tensor_variable(p)
        if p.type.ndim != 1:
            raise ValueError(f"choice: p is a vector, got {p.type}")
        same = eq(length(p, 0), count)
        p = Require("choice: p must have one probability for each item")(p, all_of(same))
        chosen = categorical(key, p=p, shape=shape)
    elif replace:
        chosen = integers(key, shape, count)
    else:
        total = as_int64(product([as_length(n) for n in shape]))
        text = "choice: there are fewer items than are to be drawn without replacement"
        total = Require(text)(total, all_of(le(total, as_int64(as_length(count)))))
        chosen = reshape(_order(key, count)[:total], shape, ndim=len(shape))
    return get_item(a, chosen) if a.type.ndim else chosen
