"""Gamma random variables under a key, and what is made of them: beta, Dirichlet, Student's t."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from theano._core.api.array.indexing import get_item
from theano._core.api.array.reductions import max as largest, sum as sum_of
from theano._core.api.conversion import as_tensor_variable
from theano._core.api.random.philox_keys import FloatDraw, result_shape, split
from theano._core.ops.array.shaping import length
from theano._core.ops.elementwise.transcendental import exp, sigmoid, sqrt

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike
    from theano._core.ir.tensor import TensorVariable


def gamma(
    key: TensorLike,
    shape: TensorLike,
    a: TensorLike,
    scale: TensorLike = 1.0,
    dtype: str | None = None,
) -> TensorVariable:
    """Return gamma numbers, of density ``x**(a-1) exp(-x/scale) / (scale**a gamma(a))``.

    Parameters
    ----------
    key : vector of 2 words, as from `key`
    shape : int, sequence of ints and scalars, int vector, or None
    a : real tensor
        Shape of the distribution, 0 or more.
    scale : real tensor
        0 or more.
    dtype : {'float16', 'float32', 'float64'}, optional
        The arithmetic is in float64.

    Returns
    -------
    tensor of floats, shape `shape`

    Raises
    ------
    ValueError
        A parameter is negative.

    Notes
    -----
    By rejection (Marsaglia & Tsang, 2000). The attempts at one position take words of their own,
    so that a number depends on its key, position and parameters only.

    Examples
    --------
    >>> from theano.tensor import random
    >>> random.gamma(random.key(42), (1000,), 2.0).eval().shape
    (1000,)
    """
    draw = FloatDraw("gamma", key, shape, dtype)
    a = draw.not_negative("a", a)
    return draw.moved(lambda: draw.by_rejection("gamma", a), 0.0, scale)


def chisquare(
    key: TensorLike, shape: TensorLike, df: Any, dtype: str | None = None
) -> TensorVariable:
    """Return sums of squares of `df` > 0 normal numbers: twice `gamma` of ``df/2``.

    Parameters
    ----------
    key : vector of 2 words, as from `key`
    shape : int, sequence of ints and scalars, int vector, or None
    df : real tensor
        Degrees of freedom, positive.
    dtype : {'float16', 'float32', 'float64'}, optional

    Returns
    -------
    tensor of floats, shape `shape`

    Examples
    --------
    >>> from theano.tensor import random
    >>> random.chisquare(random.key(42), (1000,), 3.0).eval().shape
    (1000,)
    """
    draw = FloatDraw("chisquare", key, shape, dtype)
    df = draw.positive("df", df)
    return draw.result(2 * draw.by_rejection("gamma", df / 2))


def student_t(
    key: TensorLike,
    shape: TensorLike,
    df: Any,
    loc: TensorLike = 0.0,
    scale: TensorLike = 1.0,
    dtype: str | None = None,
) -> TensorVariable:
    """Return Student's t with `df` > 0 degrees of freedom, times `scale`, plus `loc`.

    A normal number over the square root of ``chisquare(df) / df``, each under a key of its own.

    Parameters
    ----------
    key : vector of 2 words, as from `key`
    shape : int, sequence of ints and scalars, int vector, or None
    df : real tensor
        Degrees of freedom, positive.
    loc, scale : real tensor
        What is added to standard numbers, and what they are multiplied by; `scale` is 0 or more.
    dtype : {'float16', 'float32', 'float64'}, optional

    Returns
    -------
    tensor of floats, shape `shape`

    Examples
    --------
    >>> from theano.tensor import random
    >>> random.student_t(random.key(42), (1000,), 5.0).eval().shape
    (1000,)
    """
    draw = FloatDraw("student_t", key, shape, dtype)
    df = draw.positive("df", df)
    keys = split(key, 2)

    def standard() -> Any:
        g = draw.by_rejection("gamma", df / 2, keys[1])
        return draw.stream("normal", keys[0]) * sqrt(df / 2 / g)

    return draw.moved(standard, loc, scale)


def beta(
    key: TensorLike, shape: TensorLike, a: TensorLike, b: TensorLike, dtype: str | None = None
) -> TensorVariable:
    """Return beta numbers, of density proportional to ``x**(a-1) (1-x)**(b-1)``.

    Parameters
    ----------
    key : vector of 2 words, as from `key`
    shape : int, sequence of ints and scalars, int vector, or None
    a, b : real tensor
        Positive.
    dtype : {'float16', 'float32', 'float64'}, optional

    Returns
    -------
    tensor of floats, shape `shape`

    Notes
    -----
    x / (x + y) of two gamma numbers, by their logarithms: small parameters do not give 0/0.

    Examples
    --------
    >>> from theano.tensor import random
    >>> random.beta(random.key(42), (1000,), 2.0, 3.0).eval().shape
    (1000,)
    """
    draw = FloatDraw("beta", key, shape, dtype)
    a, b = draw.positive("a", a), draw.positive("b", b)
    keys = split(key, 2)
    x, y = draw.by_rejection("log_gamma", a, keys[0]), draw.by_rejection("log_gamma", b, keys[1])
    return draw.result(sigmoid(x - y))


def dirichlet(
    key: TensorLike, shape: TensorLike, alpha: TensorLike, dtype: str | None = None
) -> TensorVariable:
    """Return vectors of positive numbers that add up to 1, along a last axis added to `shape`.

    Parameters
    ----------
    key : vector of 2 words, as from `key`
    shape : int, sequence of ints and scalars, int vector, or None
        Lengths of the result but the last; None: those of `alpha` but its last.
    alpha : real tensor, shape (..., k)
        Positive.
    dtype : {'float16', 'float32', 'float64'}, optional

    Returns
    -------
    tensor of floats, shape (*shape, k)

    Raises
    ------
    TypeError
        `alpha` is a scalar.

    Examples
    --------
    >>> from theano.tensor import random
    >>> random.dirichlet(random.key(42), (5,), [1.0, 2.0, 3.0]).eval().shape
    (5, 3)
    """
    alpha = as_tensor_variable(alpha)
    if alpha.type.ndim == 0:
        raise TypeError(f"dirichlet: alpha needs an axis of parameters, got {alpha.type}")
    batch = result_shape(shape, [get_item(alpha, (..., 0))])
    outcomes = length(alpha, alpha.type.ndim - 1)
    draw = FloatDraw("dirichlet", key, [*batch, outcomes], dtype)
    logs = draw.by_rejection("log_gamma", draw.positive("alpha", alpha))
    rising = exp(logs - largest(logs, axis=-1, keepdims=True))
    return draw.result(rising / sum_of(rising, axis=-1, keepdims=True))
