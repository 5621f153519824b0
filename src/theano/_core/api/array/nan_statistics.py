"""NumPy's statistics of the items that are numbers: `nansum`, `nanmean` and their kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.api.array import reductions as r
from theano._core.api.array.elementwise import isnan
from theano._core.api.conversion import as_tensor_variable, cast
from theano._core.base import dtypes
from theano._core.base.near_misses import explain_functions
from theano._core.ir.variable import Variable
from theano._core.ops.elementwise import arithmetic as a_, transcendental as t

if TYPE_CHECKING:
    from theano._core.ir.annotations import Axes, TensorLike
    from theano._core.ir.tensor import TensorVariable


def _number(value: float, x: Variable) -> Any:
    return as_tensor_variable(np.asarray(value, x.dtype))


def _filled(value: float, x: Variable) -> Any:
    return a_.switch(isnan(x), _number(value, x), x)


def nansum(
    a: TensorLike,
    axis: Axes = None,
    dtype: str | None = None,
    keepdims: bool = False,
) -> TensorVariable:
    """Return the sum of the items that are numbers.

    Parameters
    ----------
    a : tensor
    axis : int, sequence of int, or None
        None: all axes.
    dtype : str, optional
        Item type of the result.
    keepdims : bool
        Keep the axes, broadcastable.

    Returns
    -------
    tensor

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.nansum(x).eval({x: [1.0, np.nan, 2.0]})
    array(3.)
    """
    x = as_tensor_variable(a)
    return r.sum(x if dtypes.is_discrete(x.dtype) else _filled(0, x), axis, dtype, keepdims)


def nanprod(
    a: TensorLike,
    axis: Axes = None,
    dtype: str | None = None,
    keepdims: bool = False,
) -> TensorVariable:
    """Return the product of the items that are numbers.

    Parameters
    ----------
    a : tensor
    axis : int, sequence of int, or None
        None: all axes.
    dtype : str, optional
        Item type of the result.
    keepdims : bool
        Keep the axes, broadcastable.

    Returns
    -------
    tensor

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.nanprod(x).eval({x: [3.0, np.nan, 2.0]})
    array(6.)
    """
    x = as_tensor_variable(a)
    return r.prod(x if dtypes.is_discrete(x.dtype) else _filled(1, x), axis, dtype, keepdims)


def nanmean(
    a: TensorLike,
    axis: Axes = None,
    dtype: str | None = None,
    keepdims: bool = False,
) -> TensorVariable:
    """Return the mean of the items that are numbers; of none: NaN.

    Parameters
    ----------
    a : tensor
    axis : int, sequence of int, or None
        None: all axes.
    dtype : str, optional
        Item type of the result.
    keepdims : bool
        Keep the axes, broadcastable.

    Returns
    -------
    tensor, float

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.nanmean(x).eval({x: [1.0, np.nan, 2.0]})
    array(1.5)
    """
    x = as_tensor_variable(a)
    if dtypes.is_discrete(x.dtype):
        return r.mean(x, axis, dtype, keepdims=keepdims)
    total = nansum(x, axis, dtype, keepdims)
    count = r.sum(a_.invert(isnan(x)), axis, keepdims=keepdims)
    return a_.true_div(total, cast(count, total.dtype))


def nanvar(
    a: TensorLike, axis: Axes = None, ddof: int = 0, keepdims: bool = False
) -> TensorVariable:
    """Return the variance of the items that are numbers; see `var`.

    Parameters
    ----------
    a : tensor
    axis : int, sequence of int, or None
        None: all axes.
    ddof : int
        What is taken off the number of items to divide by.
    keepdims : bool
        Keep the axes, broadcastable.

    Returns
    -------
    tensor, float

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.nanvar(x).eval({x: [1.0, np.nan, 3.0]})
    array(1.)
    """
    x = as_tensor_variable(a)
    if dtypes.is_discrete(x.dtype):
        return r.var(x, axis, ddof, keepdims)
    there = a_.invert(isnan(x))
    off = a_.switch(there, x - nanmean(x, axis, keepdims=True), _number(0, x))
    total = r.sum(a_.sqr(a_.abs_(off)), axis, keepdims=keepdims)
    count = r.sum(there, axis, keepdims=keepdims)
    divisor = cast(count - ddof, total.dtype)
    return a_.switch(a_.gt(divisor, 0), total / divisor, _number(np.nan, total))


def nanstd(
    a: TensorLike, axis: Axes = None, ddof: int = 0, keepdims: bool = False
) -> TensorVariable:
    """Return the square root of `nanvar`.

    Parameters
    ----------
    a : tensor
    axis : int, sequence of int, or None
        None: all axes.
    ddof : int
        What is taken off the number of items to divide by.
    keepdims : bool
        Keep the axes, broadcastable.

    Returns
    -------
    tensor, float

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.nanstd(x).eval({x: [1.0, np.nan, 3.0]})
    array(1.)
    """
    return t.sqrt(nanvar(a, axis, ddof, keepdims))


def _nan_extreme(
    function: Callable[..., Any], other: float, a: TensorLike, axis: Axes, keep: bool
) -> Any:
    x = as_tensor_variable(a)
    if dtypes.is_discrete(x.dtype):
        return function(x, axis, keep)
    extreme = function(_filled(other, x), axis, keep)
    return a_.switch(r.all(isnan(x), axis, keep), _number(np.nan, x), extreme)


def nanmax(a: TensorLike, axis: Axes = None, keepdims: bool = False) -> TensorVariable:
    """Return the greatest of the items that are numbers; of none: NaN.

    Parameters
    ----------
    a : tensor
    axis : int, sequence of int, or None
        None: all axes.
    keepdims : bool
        Keep the axes, broadcastable.

    Returns
    -------
    tensor

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.nanmax(x).eval({x: [1.0, np.nan, 2.0]})
    array(2.)
    """
    return _nan_extreme(r.max, -np.inf, a, axis, keepdims)


def nanmin(a: TensorLike, axis: Axes = None, keepdims: bool = False) -> TensorVariable:
    """Return the least of the items that are numbers; of none: NaN.

    Parameters
    ----------
    a : tensor
    axis : int, sequence of int, or None
        None: all axes.
    keepdims : bool
        Keep the axes, broadcastable.

    Returns
    -------
    tensor

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.nanmin(x).eval({x: [1.0, np.nan, 2.0]})
    array(1.)
    """
    return _nan_extreme(r.min, np.inf, a, axis, keepdims)


explain_functions(globals())
