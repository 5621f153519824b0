"""NumPy's statistics: of what is sorted, weighted or counted; curves through points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.api.array import (
    creation,
    extra_ops,
    indexing,
    joining,
    products,
    reductions as r,
    shaping,
)
from theano._core.api.array.arrangement import moveaxis
from theano._core.api.array.elementwise import isinf, isnan
from theano._core.api.array.ranges import linspace
from theano._core.api.array.sorting import searchsorted, sort
from theano._core.api.conversion import as_tensor_variable, cast
from theano._core.base import dtypes
from theano._core.base.near_misses import explain_functions
from theano._core.ir.variable import Variable
from theano._core.ops.array.gradient import DisconnectedGrad
from theano._core.ops.array.shaping import length
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.elementwise import arithmetic as a_, transcendental as t

if TYPE_CHECKING:
    from theano._core.ir.annotations import Axes, TensorLike
    from theano._core.ir.tensor import TensorVariable


def _number(value: float, x: Variable) -> Any:
    return as_tensor_variable(np.asarray(value, x.dtype))


# -- of what is sorted -----------------------------------------------------------------------------


def _in_a_row(a: TensorLike, axis: Axes) -> tuple[Any, Any]:
    """Return an array with the items over `axis` sorted along its last axis, and the axes."""
    x = as_tensor_variable(a)
    axes = shaping.normalized_axes(x, axis)
    axes = tuple(range(x.ndim)) if axes is None else axes
    others = [k for k in range(x.ndim) if k not in axes]
    moved = dimshuffle(x, [*others, *axes])
    if len(axes) != 1:
        moved = shaping.reshape(moved, [*(length(x, k) for k in others), -1], len(others) + 1)
    if dtypes.is_discrete(moved.dtype):
        moved = cast(moved, "float64")
    return sort(moved, axis=-1), axes


def _at(rows: Variable, place: TensorLike) -> Any:
    """Return the items at a place of sorted rows; NaN where a row holds one, or nothing."""
    empty = creation.alloc(
        _number(np.nan, rows), *(length(rows, k) for k in range(rows.ndim - 1)), 1
    )
    padded = joining.concatenate([rows, empty], axis=-1)
    count = length(rows, rows.ndim - 1)
    chosen = indexing.take(padded, a_.clip(place, 0, count), axis=rows.ndim - 1)
    # NaN is last.
    last = indexing.take(padded, a_.maximum(a_.sub(count, 1), 0), axis=rows.ndim - 1)
    return a_.switch(isnan(_spread(last, chosen)), _number(np.nan, rows), chosen)


def _spread(x: Variable, like: Variable) -> Any:
    return dimshuffle(x, [*range(x.ndim), *["x"] * (like.ndim - x.ndim)])


def _kept(
    x: TensorLike, reduced: Variable, axes: Sequence[int], keepdims: bool, lead: int = 0
) -> Any:
    if not keepdims:
        return reduced
    kept = iter(range(lead, reduced.ndim))
    order = ["x" if k in axes else next(kept) for k in range(as_tensor_variable(x).ndim)]
    return dimshuffle(reduced, [*range(lead), *order])


def median(a: TensorLike, axis: Axes = None, keepdims: bool = False) -> TensorVariable:
    """Return the middle of the sorted items over axes, or the mean of the two in the middle.

    Parameters
    ----------
    a : tensor
    axis : int, sequence of int, or None
    keepdims : bool

    Returns
    -------
    tensor, float
        NaN where an item is NaN, or there is none.

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.median(x).eval({x: [1.0, 9.0, 2.0]})
    array(2.)
    """
    rows, axes = _in_a_row(a, axis)
    count = length(rows, rows.ndim - 1)
    low = _at(rows, a_.int_div(a_.sub(count, 1), 2))
    high = _at(rows, a_.int_div(count, 2))
    one = a_.eq(a_.mod(count, 2), 1)
    middle = a_.switch(one, low, (low + high) / _number(2, rows))
    return _kept(a, middle, axes, keepdims)


def quantile(
    a: TensorLike,
    q: TensorLike,
    axis: Axes = None,
    method: str = "linear",
    keepdims: bool = False,
) -> TensorVariable:
    """Return where the sorted items over axes pass a fraction `q` of them.

    Parameters
    ----------
    a : tensor
    q : number, or vector of them
        From 0 to 1; for a vector the result has a first axis for it.
    axis : int, sequence of int, or None
    method : {'linear', 'lower', 'higher', 'midpoint'}
        What lies between two items.
    keepdims : bool

    Returns
    -------
    tensor, float

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.quantile(x, 0.5).eval({x: [1.0, 2.0, 3.0, 4.0]})
    array(2.5)
    """
    rows, axes = _in_a_row(a, axis)
    fraction = cast(q, rows.dtype)
    count = length(rows, rows.ndim - 1)
    place = fraction * cast(a_.sub(count, 1), rows.dtype)
    low = a_.floor(place)
    below, above = _at(rows, cast(low, "int64")), _at(rows, cast(a_.ceil(place), "int64"))
    between = place - low
    if method == "linear":
        off = above - below
        quantiles = a_.switch(
            a_.ge(between, 0.5), above - off * (1 - between), below + off * between
        )
    elif method == "lower":
        quantiles = below
    elif method == "higher":
        quantiles = above
    elif method == "midpoint":
        quantiles = (below + above) / _number(2, rows)
    else:
        raise ValueError(
            f"quantile: method must be 'linear', 'lower', 'higher' or 'midpoint', got {method!r}"
        )
    if fraction.ndim:
        quantiles = moveaxis(quantiles, -1, 0)
    return _kept(a, quantiles, axes, keepdims, lead=fraction.ndim)


def percentile(
    a: TensorLike,
    q: TensorLike,
    axis: Axes = None,
    method: str = "linear",
    keepdims: bool = False,
) -> TensorVariable:
    """Return `quantile` of ``q / 100``.

    Parameters
    ----------
    a : tensor
    q : number, or vector of them
        From 0 to 100; for a vector the result has a first axis for it.
    axis : int, sequence of int, or None
        None: all axes.
    method : {'linear', 'lower', 'higher', 'midpoint'}
        What lies between two items.
    keepdims : bool
        Keep the axes, broadcastable.

    Returns
    -------
    tensor, float

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.percentile(x, 50).eval({x: [1.0, 2.0, 3.0, 4.0]})
    array(2.5)
    """
    fraction = as_tensor_variable(q)
    dtype = "float64" if dtypes.is_discrete(fraction.dtype) else fraction.dtype
    return quantile(a, cast(fraction, dtype) / 100, axis, method, keepdims)


# -- weights and counts ----------------------------------------------------------------------------


def average(
    a: TensorLike, axis: Axes = None, weights: TensorLike | None = None, keepdims: bool = False
) -> Any:
    """Return the mean over axes, with weights.

    Parameters
    ----------
    a : tensor
    axis : int, sequence of int, or None
    weights : tensor, optional
        Of the shape of `a`, or a vector along `axis`.
    keepdims : bool

    Returns
    -------
    tensor

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.average(x, weights=[3.0, 1.0]).eval({x: [1.0, 5.0]})
    array(2.)
    """
    x = as_tensor_variable(a)
    if weights is None:
        return r.mean(x, axis, keepdims=keepdims)
    w = as_tensor_variable(weights)
    if w.ndim != x.ndim:
        axes = shaping.normalized_axes(x, axis)
        if w.ndim != 1 or axes is None or len(axes) != 1:
            raise TypeError(
                f"average: weights of {w.type} need the shape of a, {x.type}, or are a vector "
                "along one axis"
            )
        w = dimshuffle(w, [0 if k == axes[0] else "x" for k in range(x.ndim)])
    dtype = dtypes.to_float(dtypes.upcast(x.dtype, w.dtype))
    spread = cast(w, dtype) + creation.zeros_like(x, dtype)
    total = r.sum(cast(x, dtype) * spread, axis, keepdims=keepdims)
    return total / r.sum(spread, axis, keepdims=keepdims)


def count_nonzero(a: TensorLike, axis: Axes = None, keepdims: bool = False) -> TensorVariable:
    """Return how many items are not zero, int64.

    Parameters
    ----------
    a : tensor
    axis : int, sequence of int, or None
        None: all axes.
    keepdims : bool
        Keep the axes, broadcastable.

    Returns
    -------
    tensor, int64

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.count_nonzero(x).eval({x: [0.0, 1.0, 2.0]})
    array(2)
    """
    return r.sum(a_.neq(a, 0), axis, "int64", keepdims)


def histogram(
    a: TensorLike, bins: TensorLike = 10, range: Sequence[Any] | None = None, density: bool = False
) -> list[Any]:
    """Return how many items lie in each bin, and the edges of the bins.

    Parameters
    ----------
    a : tensor
    bins : int, or vector
        A number of bins of equal width, or their rising edges.
    range : pair of number, optional
        The first and last edge, by default the least and the greatest item.
    density : bool
        Divide by the number of items and by the width.

    Returns
    -------
    list of two tensor

    Examples
    --------
    >>> x = T.dvector("x")
    >>> counts, edges = T.histogram(x, bins=2, range=(0.0, 2.0))
    >>> counts.eval({x: [0.5, 1.5, 1.6]})
    array([1, 2])
    """
    x = shaping.flatten(as_tensor_variable(a))
    if isinstance(bins, (int, np.integer)):
        low, high = (
            (r.min(x), r.max(x)) if range is None else (as_tensor_variable(v) for v in range)
        )
        same = a_.eq(low, high)
        half = a_.switch(same, 0.5, 0.0)
        edges = linspace(low - half, high + half, int(bins) + 1)
    else:
        edges = as_tensor_variable(bins)
    rising = sort(cast(x, edges.dtype) if dtypes.is_discrete(x.dtype) else x)
    below = searchsorted(rising, edges[:-1], side="left")
    through = searchsorted(rising, edges[-1:], side="right")
    counts = cast(extra_ops.diff(joining.concatenate([below, through])), "int64")
    if not density:
        return [counts, edges]
    widths = edges[1:] - edges[:-1]
    return [counts / widths / cast(r.sum(counts), widths.dtype), edges]


def corrcoef(x: TensorLike, y: TensorLike | None = None, rowvar: bool = True) -> Any:
    """Return the correlations of variables, each a row, as a matrix of numbers from -1 to 1.

    Parameters
    ----------
    x : tensor
    y : tensor, optional
        More variables.
    rowvar : bool
        False: each column is a variable.

    Returns
    -------
    tensor, float matrix

    Examples
    --------
    >>> x = T.dmatrix("x")
    >>> T.corrcoef(x).eval({x: [[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]}).round(6)
    array([[ 1., -1.],
           [-1.,  1.]])
    """
    c = extra_ops.cov(x, y, rowvar)
    if c.ndim < 2:
        return c / c
    spread = t.sqrt(products.diagonal(c))
    coefficients = c / dimshuffle(spread, [0, "x"]) / dimshuffle(spread, ["x", 0])
    return a_.clip(coefficients, -1, 1)


# -- curves through points -------------------------------------------------------------------------


def interp(
    x: TensorLike,
    xp: TensorLike,
    fp: TensorLike,
    left: TensorLike | None = None,
    right: TensorLike | None = None,
) -> TensorVariable:
    """Return the values at `x` of straight lines between points.

    Parameters
    ----------
    x : tensor
    xp, fp : vector
        The points; `xp` rises.
    left, right : number, optional
        Values before the first and after the last point, by default those of the two.

    Returns
    -------
    tensor, float

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.interp(x, [0.0, 1.0], [10.0, 20.0]).eval({x: [0.25]})
    array([12.5])
    """
    at, xs, ys = (as_tensor_variable(v) for v in (x, xp, fp))
    dtype = dtypes.to_float(dtypes.upcast(at.dtype, xs.dtype, ys.dtype))
    at, xs, ys = cast(at, dtype), cast(xs, dtype), cast(ys, dtype)
    last = a_.sub(length(xs, 0), 1)
    before = a_.clip(searchsorted(xs, at, side="right") - 1, 0, a_.maximum(last - 1, 0))
    after = a_.minimum(before + 1, last)
    run = xs[after] - xs[before]
    rise = a_.switch(a_.eq(run, 0), _number(0, xs), (ys[after] - ys[before]) / run)
    interpolated = rise * (at - xs[before]) + ys[before]
    low = ys[0] if left is None else cast(left, dtype)
    high = ys[-1] if right is None else cast(right, dtype)
    interpolated = a_.switch(a_.eq(at, xs[-1]), ys[-1], interpolated)
    interpolated = a_.switch(
        a_.lt(at, xs[0]), low, a_.switch(a_.gt(at, xs[-1]), high, interpolated)
    )
    return a_.switch(isnan(at), at, interpolated)


def trapezoid(
    y: TensorLike, x: TensorLike | None = None, dx: TensorLike = 1.0, axis: int = -1
) -> TensorVariable:
    """Return the integral along an axis of straight lines between values at `x`, `dx` apart.

    Parameters
    ----------
    y : tensor
    x : tensor, optional
        Where the values lie.
    dx : number or tensor
        Distance of the values, where `x` is not given.
    axis : int

    Returns
    -------
    tensor

    Examples
    --------
    >>> y = T.dvector("y")
    >>> T.trapezoid(y).eval({y: [1.0, 2.0, 3.0]})
    array(4.)
    """
    values = moveaxis(y, axis, -1)
    heights = values[..., 1:] + values[..., :-1]
    if x is None:
        steps: Any = dx
    else:
        steps = as_tensor_variable(x)
        steps = steps if steps.ndim == 1 else moveaxis(steps, axis, -1)
        steps = steps[..., 1:] - steps[..., :-1]
    return r.sum(steps * heights / _number(2, as_tensor_variable(heights * 0.5)), axis=-1)


def logsumexp(a: TensorLike, axis: Axes = None, keepdims: bool = False) -> TensorVariable:
    """Return ``log(sum(exp(a)))`` over axes without overflow.

    Parameters
    ----------
    a : tensor
    axis : int, sequence of int, or None
    keepdims : bool

    Returns
    -------
    tensor, float

    Examples
    --------
    >>> x = T.dvector("x")
    >>> round(float(T.logsumexp(x).eval({x: [1000.0, 1000.0]})), 4)
    1000.6931
    """
    x = as_tensor_variable(a)
    x = cast(x, dtypes.to_float(x.dtype))
    axes = shaping.normalized_axes(x, axis)
    axes = tuple(range(x.ndim)) if axes is None else axes
    greatest = DisconnectedGrad()(r.max(x, axes, keepdims=True))
    shift = a_.switch(a_.or_(isinf(greatest), isnan(greatest)), _number(0, x), greatest)
    total: Any = t.log(r.sum(t.exp(x - shift), axes, keepdims=True)) + shift
    return total if keepdims else dimshuffle(total, [k for k in range(x.ndim) if k not in axes])


explain_functions(globals())
