"""Arrays of one value, ranges of numbers and grids, as NumPy makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.api.array import creation, shaping
from theano._core.api.conversion import as_tensor_variable, cast
from theano._core.base import dtypes
from theano._core.base.near_misses import explain_functions
from theano._core.base.settings import config
from theano._core.ir.variable import Variable
from theano._core.ops.array.shaping import length
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.elementwise import arithmetic as a, transcendental as t

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike
    from theano._core.ir.tensor import TensorVariable


def full(shape: TensorLike, fill_value: TensorLike, dtype: str | None = None) -> TensorVariable:
    """Return an array of one value.

    Parameters
    ----------
    shape : int, or sequence of int or scalar variable
    fill_value : number or tensor
    dtype : str, optional
        By default that of the value; `config.floatX` for a float of Python.

    Returns
    -------
    tensor

    Examples
    --------
    >>> T.full((2,), 7.5).eval()
    array([7.5, 7.5])
    """
    if dtype is None and not isinstance(fill_value, Variable):
        own = np.asarray(fill_value).dtype
        dtype = config.floatX if isinstance(fill_value, float) else own.name
    value = as_tensor_variable(np.asarray(fill_value) if dtype == "bool" else fill_value)
    lengths = shape if isinstance(shape, (list, tuple)) else shaping.shape_items(shape)
    return creation.alloc(value if dtype is None else cast(value, dtype), *lengths)


def full_like(a: TensorLike, fill_value: TensorLike, dtype: str | None = None) -> TensorVariable:
    """Return an array of one value in the shape and, unless `dtype` says, of the dtype of `a`.

    Parameters
    ----------
    a : tensor
    fill_value : number or tensor
    dtype : str, optional
        Item type of the result.

    Returns
    -------
    tensor

    Examples
    --------
    >>> x = T.fvector("x")
    >>> T.full_like(x, 2).eval({x: [0, 0]})
    array([2., 2.], dtype=float32)
    """
    model = as_tensor_variable(a)
    return creation.fill(model, cast(fill_value, dtype or model.dtype))


def linspace(
    start: TensorLike,
    stop: TensorLike,
    num: TensorLike = 50,
    endpoint: bool = True,
    dtype: str | None = None,
) -> TensorVariable:
    """Return numbers at equal distances from `start` to `stop`, along a new first axis.

    Parameters
    ----------
    start, stop : number or tensor
    num : int or scalar variable
    endpoint : bool
        Whether `stop` is the last of them.
    dtype : str, optional
        By default float; rounded down for integers.

    Returns
    -------
    tensor

    Examples
    --------
    >>> T.linspace(0.0, 1.0, 5).eval()
    array([0.  , 0.25, 0.5 , 0.75, 1.  ])
    """
    first, last, own = _ends(start, stop)
    steps = a.sub(num, 1) if endpoint else as_tensor_variable(num)
    rank = max(first.type.ndim, last.type.ndim)
    count = creation.arange(num, dtype="int64")
    places = dimshuffle(cast(count, own), [0, *["x"] * rank])
    step = (last - first) / cast(a.maximum(steps, 1), own)
    spread = places * step + first
    if endpoint:
        is_last = dimshuffle(a.and_(a.eq(count, steps), a.gt(count, 0)), [0, *["x"] * rank])
        spread = a.switch(is_last, last, spread)
    if dtype is None:
        return spread
    return cast(a.floor(spread) if dtypes.is_discrete(dtypes.named(dtype)) else spread, dtype)


def _ends(start: TensorLike, stop: TensorLike) -> tuple[Any, Any, str]:
    """Return two ends as floats of one dtype, and the dtype."""
    ends = [as_tensor_variable(start), as_tensor_variable(stop)]
    dtypes_of_ends = [
        v.dtype for v, x in zip(ends, (start, stop), strict=True) if not _is_number(x)
    ]
    dtype = dtypes.to_float(dtypes.upcast(*dtypes_of_ends)) if dtypes_of_ends else config.floatX
    return cast(ends[0], dtype), cast(ends[1], dtype), dtype


def _is_number(x: TensorLike) -> bool:
    return isinstance(x, (int, float)) and not isinstance(x, np.generic)


def logspace(
    start: TensorLike,
    stop: TensorLike,
    num: TensorLike = 50,
    endpoint: bool = True,
    base: TensorLike = 10.0,
    dtype: str | None = None,
) -> TensorVariable:
    """Return powers of `base` at equal distances of their exponents; see `linspace`.

    Parameters
    ----------
    start : number or tensor
    stop : number or tensor
    num : int or scalar variable
    endpoint : bool
        Whether `stop` is the last of them.
    base : number or tensor
    dtype : str, optional
        Item type of the result.

    Returns
    -------
    tensor

    Examples
    --------
    >>> T.logspace(0.0, 2.0, 3).eval()
    array([  1.,  10., 100.])
    """
    powers = t.pow(base, linspace(start, stop, num, endpoint))
    return powers if dtype is None else cast(powers, dtype)


def geomspace(
    start: TensorLike,
    stop: TensorLike,
    num: TensorLike = 50,
    endpoint: bool = True,
    dtype: str | None = None,
) -> TensorVariable:
    """Return numbers from `start` to `stop` with equal quotients; the ends have one sign.

    Parameters
    ----------
    start : number or tensor
    stop : number or tensor
    num : int or scalar variable
    endpoint : bool
        Whether `stop` is the last of them.
    dtype : str, optional
        Item type of the result.

    Returns
    -------
    tensor

    Examples
    --------
    >>> T.geomspace(1.0, 8.0, 4).eval().round(6)
    array([1., 2., 4., 8.])
    """
    first, last, _ = _ends(start, stop)
    sign = a.sgn(first)
    inner = sign * logspace(t.log10(first * sign), t.log10(last * sign), num, endpoint)
    rank = inner.type.ndim - 1
    count = dimshuffle(creation.arange(num, dtype="int64"), [0, *["x"] * rank])
    points = a.switch(a.eq(count, 0), first, inner)
    if endpoint:
        points = a.switch(a.and_(a.eq(count, a.sub(num, 1)), a.gt(count, 0)), last, points)
    return points if dtype is None else cast(points, dtype)


def meshgrid(*xi: TensorLike, indexing: str = "xy", sparse: bool = False) -> list[Any]:
    """Return a grid of coordinates: for each vector an array of as many axes as there are vectors.

    Parameters
    ----------
    *xi : vector or scalar
    indexing : {'xy', 'ij'}
        'xy': the first two axes are exchanged, as columns and rows of a picture.
    sparse : bool
        Leave axes along which an array is constant broadcastable.

    Returns
    -------
    list of tensor

    Examples
    --------
    >>> x, y = T.dvectors("x", "y")
    >>> rows, columns = T.meshgrid(x, y)
    >>> columns.eval({x: [1.0, 2.0, 3.0], y: [5.0, 6.0]})
    array([[5., 5., 5.],
           [6., 6., 6.]])
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: indexing must be 'xy' or 'ij', got {indexing!r}")
    vectors = [shaping.reshape(x, (-1,)) for x in xi]
    rank = len(vectors)
    axes = list(range(rank))
    if indexing == "xy" and rank > 1:
        axes[:2] = 1, 0
    spread = [
        dimshuffle(v, [0 if k == axis else "x" for k in range(rank)])
        for v, axis in zip(vectors, axes, strict=True)
    ]
    if sparse:
        return spread
    shape = [length(vectors[axes[k]], 0) for k in range(rank)]
    return [creation.alloc(v, *shape) for v in spread]


explain_functions(globals())
