"""Continuous random variables under a key; see `philox_keys` for keys and shapes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from theano._core.api.array.indexing import get_item
from theano._core.api.array.products import dot
from theano._core.api.array.reductions import all as all_of
from theano._core.api.conversion import as_tensor_variable, cast
from theano._core.api.random.philox_keys import FloatDraw, result_shape
from theano._core.ops.array.assertions import Require
from theano._core.ops.array.shaping import length
from theano._core.ops.elementwise.arithmetic import abs_, le, maximum, minimum, sgn, switch
from theano._core.ops.elementwise.normal_quantile import normal_distribution, normal_quantile
from theano._core.ops.elementwise.transcendental import exp, expm1, log, log1p, sqrt, tan

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike
    from theano._core.ir.tensor import TensorVariable


def uniform(
    key: TensorLike,
    shape: TensorLike | None = None,
    low: TensorLike = 0.0,
    high: TensorLike = 1.0,
    dtype: str | None = None,
) -> TensorVariable:
    """Return numbers from `low` to below `high`, all equally likely.

    Parameters
    ----------
    key : vector of 2 words, as from `key`
    shape : int, sequence of ints and scalars, int vector, or None
        Lengths of the result; None: those that the parameters broadcast to. So in all functions of
        this module.
    low, high : real tensor
        Rounding may give `high` itself, as in NumPy.
    dtype : {'float16', 'float32', 'float64'}, optional
        `config.floatX` by default.

    Returns
    -------
    tensor of floats
        For ``low=0, high=1``, the numbers of ``Generator(Philox(key=key)).random(shape, dtype)``
        in NumPy, bit for bit, for float64 and float32. float16 is rounded float32.

    Raises
    ------
    TypeError
        `dtype` is not a float.
    ValueError
        A parameter does not fit `shape`.

    Notes
    -----
    Gradient: that of ``low + (high - low) u`` with u fixed.

    Examples
    --------
    >>> from theano.tensor import random
    >>> random.uniform(random.key(42), (2, 3)).eval().shape
    (2, 3)
    """
    draw = FloatDraw("uniform", key, shape, dtype)
    if all(isinstance(v, (int, float)) for v in (low, high)) and (low, high) == (0, 1):
        return draw.result(draw.stream("unit_interval"))
    first, last = draw.location("low", low), draw.location("high", high)
    return draw.result(first + (last - first) * draw.stream("unit_interval"))


def normal(
    key: TensorLike,
    shape: TensorLike | None = None,
    loc: TensorLike = 0.0,
    scale: TensorLike = 1.0,
    dtype: str | None = None,
) -> TensorVariable:
    """Return normally distributed numbers.

    Parameters
    ----------
    key : vector of 2 words, as from `key`
    shape : int, sequence of ints and scalars, int vector, or None
    loc : real tensor
        Mean.
    scale : real tensor
        Standard deviation, 0 or more.
    dtype : {'float16', 'float32', 'float64'}, optional

    Returns
    -------
    tensor of floats, shape `shape`

    Raises
    ------
    ValueError
        `scale` is negative.

    Notes
    -----
    Each takes one word (float32: half a word) through the inverse of the distribution function:
    the sign is one bit, the distance from 0 all others, so that the tails reach 9.1 standard
    deviations (float32: 6.3). That function is exact within 3 ulp.

    Gradient: that of ``loc + scale z`` with z fixed.

    Examples
    --------
    >>> from theano.tensor import random
    >>> x = random.normal(random.key(42), (10000,), loc=5.0, scale=0.1)
    >>> abs(float(x.mean().eval()) - 5) < 0.01
    True
    """
    draw = FloatDraw("normal", key, shape, dtype)
    return draw.moved(lambda: draw.stream("normal"), loc, scale)


def lognormal(
    key: TensorLike,
    shape: TensorLike | None = None,
    mean: Any = 0.0,
    sigma: TensorLike = 1.0,
    dtype: str | None = None,
) -> TensorVariable:
    """Return numbers whose logarithms are normal, of mean `mean` and deviation `sigma` >= 0.

    Gradient: that of ``exp(mean + sigma z)`` with z fixed.

    Parameters
    ----------
    key : vector of 2 words, as from `key`
    shape : int, sequence of ints and scalars, int vector, or None
    mean, sigma : real tensor
        Mean and deviation of the logarithms.
    dtype : {'float16', 'float32', 'float64'}, optional

    Returns
    -------
    tensor of floats, shape `shape`

    Examples
    --------
    >>> from theano.tensor import random
    >>> random.lognormal(random.key(42), (1000,)).eval().shape
    (1000,)
    """
    draw = FloatDraw("lognormal", key, shape, dtype)
    mean, sigma = draw.location("mean", mean), draw.not_negative("sigma", sigma)
    return draw.result(exp(mean + sigma * draw.stream("normal")))


def truncated_normal(
    key: Any,
    shape: Any,
    lower: object,
    upper: object,
    loc: Any = 0.0,
    scale: object = 1.0,
    dtype: str | None = None,
) -> TensorVariable:
    """Return normal numbers, given that they lie between two bounds.

    Parameters
    ----------
    key : vector of 2 words, as from `key`
    shape : int, sequence of ints and scalars, int vector, or None
    lower, upper : real tensor
        Bounds of the result; they may be infinite.
    loc, scale : real tensor
        Mean and standard deviation before truncation.
    dtype : {'float16', 'float32', 'float64'}, optional

    Returns
    -------
    tensor of floats, shape `shape`

    Raises
    ------
    ValueError
        `upper` is below `lower`, or `scale` is not positive.

    Notes
    -----
    The inverse of the distribution function, taken from the tail in which the bounds keep their
    digits, however far out they are.

    Gradient: that of the inverse with the uniform number fixed.

    Examples
    --------
    >>> from theano.tensor import random
    >>> x = random.truncated_normal(random.key(42), (1000,), 3.0, 4.0).eval()
    >>> bool(x.min() >= 3) and bool(x.max() <= 4)
    True
    """
    draw = FloatDraw("truncated_normal", key, shape, dtype)
    lower, upper = draw.location("lower", lower), draw.location("upper", upper)
    ordered = Require("truncated_normal: lower must be at most upper")
    upper = ordered(upper, all_of(le(lower, upper)))
    loc, scale = draw.location("loc", loc), draw.positive("scale", scale)
    a, b = (lower - loc) / scale, (upper - loc) / scale
    mirrored = a + b > 0
    low, high = switch(mirrored, -b, a), switch(mirrored, -a, b)
    u = draw.stream("open_interval")
    # So the result is one increasing function of u, mirrored or not.
    u = switch(mirrored, 1 - u, u)
    below = normal_distribution(low)
    z = normal_quantile(below + (normal_distribution(high) - below) * u)
    z = switch(mirrored, -z, z)
    return draw.result(minimum(maximum(loc + scale * z, lower), upper))


def _exponential(draw: FloatDraw) -> Any:
    return -log1p(-draw.stream("open_interval"))


def exponential(
    key: TensorLike,
    shape: TensorLike | None = None,
    scale: TensorLike = 1.0,
    dtype: str | None = None,
) -> TensorVariable:
    """Return exponentially distributed numbers of mean `scale` >= 0.

    Gradient: that of ``scale e`` with e fixed.

    Parameters
    ----------
    key : vector of 2 words, as from `key`
    shape : int, sequence of ints and scalars, int vector, or None
    scale : real tensor
        Mean, 0 or more.
    dtype : {'float16', 'float32', 'float64'}, optional

    Returns
    -------
    tensor of floats, shape `shape`

    Examples
    --------
    >>> from theano.tensor import random
    >>> random.exponential(random.key(42), (1000,), scale=2.0).eval().shape
    (1000,)
    """
    draw = FloatDraw("exponential", key, shape, dtype)
    return draw.moved(lambda: _exponential(draw), 0.0, scale)


def laplace(
    key: TensorLike,
    shape: TensorLike | None = None,
    loc: TensorLike = 0.0,
    scale: TensorLike = 1.0,
    dtype: str | None = None,
) -> TensorVariable:
    """Return numbers of density ``exp(-|x - loc| / scale) / (2 scale)``.

    Gradient: that of ``loc + scale z`` with z fixed.

    Parameters
    ----------
    key : vector of 2 words, as from `key`
    shape : int, sequence of ints and scalars, int vector, or None
    loc, scale : real tensor
        What is added to standard numbers, and what they are multiplied by; `scale` is 0 or more.
    dtype : {'float16', 'float32', 'float64'}, optional

    Returns
    -------
    tensor of floats, shape `shape`

    Examples
    --------
    >>> from theano.tensor import random
    >>> random.laplace(random.key(42), (1000,)).eval().shape
    (1000,)
    """
    draw = FloatDraw("laplace", key, shape, dtype)

    def standard() -> Any:
        v = 2 * draw.stream("open_interval") - 1
        return -sgn(v) * log1p(-abs_(v))

    return draw.moved(standard, loc, scale)


def logistic(
    key: TensorLike,
    shape: TensorLike | None = None,
    loc: TensorLike = 0.0,
    scale: TensorLike = 1.0,
    dtype: str | None = None,
) -> TensorVariable:
    """Return numbers whose distribution function is ``sigmoid((x - loc) / scale)``.

    Gradient: that of ``loc + scale z`` with z fixed.

    Parameters
    ----------
    key : vector of 2 words, as from `key`
    shape : int, sequence of ints and scalars, int vector, or None
    loc, scale : real tensor
        What is added to standard numbers, and what they are multiplied by; `scale` is 0 or more.
    dtype : {'float16', 'float32', 'float64'}, optional

    Returns
    -------
    tensor of floats, shape `shape`

    Examples
    --------
    >>> from theano.tensor import random
    >>> random.logistic(random.key(42), (1000,)).eval().shape
    (1000,)
    """
    draw = FloatDraw("logistic", key, shape, dtype)

    def standard() -> Any:
        u = draw.stream("open_interval")
        return log(u) - log1p(-u)

    return draw.moved(standard, loc, scale)


def gumbel(
    key: TensorLike,
    shape: TensorLike | None = None,
    loc: TensorLike = 0.0,
    scale: TensorLike = 1.0,
    dtype: str | None = None,
) -> TensorVariable:
    """Return numbers whose distribution function is ``exp(-exp(-(x - loc) / scale))``.

    Gradient: that of ``loc + scale z`` with z fixed.

    Parameters
    ----------
    key : vector of 2 words, as from `key`
    shape : int, sequence of ints and scalars, int vector, or None
    loc, scale : real tensor
        What is added to standard numbers, and what they are multiplied by; `scale` is 0 or more.
    dtype : {'float16', 'float32', 'float64'}, optional

    Returns
    -------
    tensor of floats, shape `shape`

    Examples
    --------
    >>> from theano.tensor import random
    >>> random.gumbel(random.key(42), (1000,)).eval().shape
    (1000,)
    """
    draw = FloatDraw("gumbel", key, shape, dtype)
    return draw.moved(lambda: -log(-log(draw.stream("open_interval"))), loc, scale)


def cauchy(
    key: TensorLike,
    shape: TensorLike | None = None,
    loc: TensorLike = 0.0,
    scale: TensorLike = 1.0,
    dtype: str | None = None,
) -> TensorVariable:
    """Return Cauchy numbers of median `loc` and half width at half maximum `scale`.

    Gradient: that of ``loc + scale z`` with z fixed.

    Parameters
    ----------
    key : vector of 2 words, as from `key`
    shape : int, sequence of ints and scalars, int vector, or None
    loc, scale : real tensor
        What is added to standard numbers, and what they are multiplied by; `scale` is 0 or more.
    dtype : {'float16', 'float32', 'float64'}, optional

    Returns
    -------
    tensor of floats, shape `shape`

    Examples
    --------
    >>> from theano.tensor import random
    >>> random.cauchy(random.key(42), (1000,)).eval().shape
    (1000,)
    """
    draw = FloatDraw("cauchy", key, shape, dtype)
    return draw.moved(lambda: tan((draw.stream("open_interval") - 0.5) * math.pi), loc, scale)


def rayleigh(
    key: TensorLike,
    shape: TensorLike | None = None,
    scale: TensorLike = 1.0,
    dtype: str | None = None,
) -> TensorVariable:
    """Return the lengths of vectors of two normal numbers of deviation `scale`.

    Gradient: that of ``scale z`` with z fixed.

    Parameters
    ----------
    key : vector of 2 words, as from `key`
    shape : int, sequence of ints and scalars, int vector, or None
    scale : real tensor
        0 or more.
    dtype : {'float16', 'float32', 'float64'}, optional

    Returns
    -------
    tensor of floats, shape `shape`

    Examples
    --------
    >>> from theano.tensor import random
    >>> random.rayleigh(random.key(42), (1000,)).eval().shape
    (1000,)
    """
    draw = FloatDraw("rayleigh", key, shape, dtype)
    return draw.moved(lambda: sqrt(2 * _exponential(draw)), 0.0, scale)


def weibull(
    key: TensorLike,
    shape: TensorLike,
    a: TensorLike,
    scale: TensorLike = 1.0,
    dtype: str | None = None,
) -> TensorVariable:
    """Return numbers whose distribution function is ``1 - exp(-(x / scale)**a)``.

    Parameters
    ----------
    key : vector of 2 words, as from `key`
    shape : int, sequence of ints and scalars, int vector, or None
    a : real tensor
        Positive.
    scale : real tensor
        0 or more.
    dtype : {'float16', 'float32', 'float64'}, optional

    Returns
    -------
    tensor of floats, shape `shape`

    Notes
    -----
    Gradient: that of ``scale e**(1/a)`` with e fixed.

    Examples
    --------
    >>> from theano.tensor import random
    >>> random.weibull(random.key(42), (1000,), 2.0).eval().shape
    (1000,)
    """
    draw = FloatDraw("weibull", key, shape, dtype)
    power = draw.positive("a", a)
    return draw.moved(lambda: _exponential(draw) ** (1 / power), 0.0, scale)


def pareto(
    key: TensorLike,
    shape: TensorLike,
    a: TensorLike,
    scale: TensorLike = 1.0,
    dtype: str | None = None,
) -> TensorVariable:
    """Return numbers whose distribution function is ``1 - (1 + x / scale)**-a``, from 0 on.

    As in NumPy, this is the second kind (Lomax); 1 more, times m, is the classical one.

    Parameters
    ----------
    key : vector of 2 words, as from `key`
    shape : int, sequence of ints and scalars, int vector, or None
    a : real tensor
        Positive.
    scale : real tensor
        0 or more.
    dtype : {'float16', 'float32', 'float64'}, optional

    Returns
    -------
    tensor of floats, shape `shape`

    Notes
    -----
    Gradient: that of ``scale (exp(e/a) - 1)`` with e fixed.

    Examples
    --------
    >>> from theano.tensor import random
    >>> random.pareto(random.key(42), (1000,), 3.0).eval().shape
    (1000,)
    """
    draw = FloatDraw("pareto", key, shape, dtype)
    a = draw.positive("a", a)
    return draw.moved(lambda: expm1(_exponential(draw) / a), 0.0, scale)


def multivariate_normal(
    key: Any, shape: Any, mean: Any, cholesky: Any, dtype: str | None = None
) -> TensorVariable:
    """Return normal vectors of covariance ``dot(cholesky, cholesky.T)``, along a last axis.

    Parameters
    ----------
    key : vector of 2 words, as from `key`
    shape : int, sequence of ints and scalars, int vector, or None
        Lengths of the result but the last; None: those of `mean` but its last.
    mean : real tensor, shape (..., n)
    cholesky : real matrix, shape (n, n)
        A factor of the covariance: lower triangular by custom, but any square matrix serves.
    dtype : {'float16', 'float32', 'float64'}, optional

    Returns
    -------
    tensor of floats, shape (*shape, n)

    Raises
    ------
    TypeError
        `mean` is a scalar, or `cholesky` not a matrix.

    Notes
    -----
    Gradient: that of ``mean + dot(z, cholesky.T)`` with z fixed.

    Examples
    --------
    >>> from theano.tensor import random
    >>> factor = np.linalg.cholesky([[2.0, 1.0], [1.0, 2.0]])
    >>> random.multivariate_normal(random.key(42), (5,), [0.0, 0.0], factor).eval().shape
    (5, 2)
    """
    mean, cholesky = as_tensor_variable(mean), as_tensor_variable(cholesky)
    if mean.type.ndim == 0 or cholesky.type.ndim != 2:
        raise TypeError(
            "multivariate_normal: mean is at least a vector and cholesky a matrix, got "
            f"{mean.type} and {cholesky.type}"
        )
    batch = result_shape(shape, [get_item(mean, (..., 0))])
    draw = FloatDraw("multivariate_normal", key, [*batch, length(cholesky, 1)], dtype)
    mean = draw.location("mean", mean)
    z = draw.stream("normal")
    return draw.result(mean + dot(z, cast(cholesky, draw.work).T))
