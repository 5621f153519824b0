"""Special functions that are more than one operation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from theano._core.api.conversion import cast
from theano._core.ops import special as ops
from theano._core.ops.elementwise.arithmetic import maximum, mul

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike
    from theano._core.ir.tensor import TensorVariable


def gammau(k: TensorLike, x: TensorLike) -> TensorVariable:
    """Return the upper incomplete gamma function of order `k` at `x`: not divided by gamma(`k`).

    Parameters
    ----------
    k, x : tensor, real

    Returns
    -------
    tensor, float

    Examples
    --------
    >>> round(float(T.gammau(1.0, 2.0).eval()), 4)
    0.1353
    """
    return mul(ops.gammaincc(k, x), ops.gamma(k))


def gammal(k: TensorLike, x: TensorLike) -> TensorVariable:
    """Return the lower incomplete gamma function of order `k` at `x`: not divided by gamma(`k`).

    Parameters
    ----------
    k, x : tensor, real

    Returns
    -------
    tensor, float

    Examples
    --------
    >>> round(float(T.gammal(1.0, 2.0).eval()), 4)
    0.8647
    """
    return mul(ops.gammainc(k, x), ops.gamma(k))


def chi2sf(x: TensorLike, k: TensorLike) -> TensorVariable:
    """Return the probability that a chi-square number of `k` degrees of freedom is above `x`.

    Parameters
    ----------
    x, k : tensor, real

    Returns
    -------
    tensor, float64

    Examples
    --------
    >>> round(float(T.chi2sf(2.0, 2).eval()), 4)
    0.3679
    """
    return ops.chdtrc(cast(k, "float64"), maximum(x, np.asarray(0, "int8")))
