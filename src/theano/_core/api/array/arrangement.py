"""NumPy's ways to arrange arrays, as expressions of other functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.api.array import creation, indexing, joining, shaping, sorting
from theano._core.api.array.reductions import any as any_
from theano._core.api.conversion import as_tensor_variable, cast
from theano._core.base.near_misses import explain_functions
from theano._core.ir.variable import Variable
from theano._core.ops.array.shaping import length
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.elementwise import arithmetic as a
from theano._core.ops.sorting import Unique

if TYPE_CHECKING:
    from theano._core.ir.annotations import Axes, TensorLike
    from theano._core.ir.tensor import TensorVariable


def expand_dims(a: TensorLike, axis: int | Sequence[int]) -> TensorVariable:
    """Return `a` with new broadcastable axes at the positions `axis` of the result.

    Parameters
    ----------
    a : tensor
    axis : int or sequence of int
        Positions in the result.

    Returns
    -------
    tensor

    Examples
    --------
    >>> T.expand_dims(T.dvector("x"), 0).broadcastable
    (True, False)
    """
    x = as_tensor_variable(a)
    places: list[Any] = list(axis) if isinstance(axis, (list, tuple)) else [axis]
    rank = x.type.ndim + len(places)
    if any(not -rank <= p < rank for p in places) or len({p % rank for p in places}) < len(places):
        raise ValueError(f"expand_dims: {axis} are not new axes of a result of {rank}")
    kept = iter(range(x.type.ndim))
    new = {p % rank for p in places}
    return dimshuffle(x, ["x" if k in new else next(kept) for k in range(rank)])


def moveaxis(
    a: TensorLike, source: int | Sequence[int], destination: int | Sequence[int]
) -> TensorVariable:
    """Return `a` with axes moved to other positions; the others stay in order.

    Parameters
    ----------
    a : tensor
    source : int or sequence of int
    destination : int or sequence of int
        Where each axis of `source` comes to lie.

    Returns
    -------
    tensor

    Examples
    --------
    >>> x = T.dtensor3("x")
    >>> T.moveaxis(x, 0, -1).eval({x: np.zeros((2, 3, 4))}).shape
    (3, 4, 2)
    """
    return _moved(np.moveaxis, a, source, destination)


def rollaxis(a: TensorLike, axis: int, start: int = 0) -> TensorVariable:
    """Return `a` with an axis moved before another.

    Parameters
    ----------
    a : tensor
    axis : int
    start : int
        The axis before which it comes to lie.

    Returns
    -------
    tensor

    Examples
    --------
    >>> x = T.dtensor3("x")
    >>> T.rollaxis(x, 2).eval({x: np.zeros((2, 3, 4))}).shape
    (4, 2, 3)
    """
    return _moved(np.rollaxis, a, axis, start)


def _moved(function: Callable[..., np.ndarray], a: TensorLike, *where: TensorLike) -> Any:
    x = as_tensor_variable(a)
    # The lengths of this array say where each axis goes.
    marked = np.broadcast_to(0, range(1, x.ndim + 1))
    return dimshuffle(x, [n - 1 for n in function(marked, *where).shape])


def flip(m: TensorLike, axis: Axes = None) -> TensorVariable:
    """Return `m` with the items along axes in the opposite order; None: along all.

    Parameters
    ----------
    m : tensor
    axis : int, sequence of int, or None
        None: all axes.

    Returns
    -------
    tensor

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.flip(x).eval({x: [1.0, 2.0, 3.0]})
    array([3., 2., 1.])
    """
    x = as_tensor_variable(m)
    axes = shaping.normalized_axes(x, axis)
    turned = range(x.ndim) if axes is None else axes
    return x[tuple(slice(None, None, -1 if n in turned else 1) for n in range(x.ndim))]


def flipud(m: TensorLike) -> TensorVariable:
    """Return `m` with its rows in the opposite order.

    Parameters
    ----------
    m : tensor

    Returns
    -------
    tensor

    Examples
    --------
    >>> x = T.dmatrix("x")
    >>> T.flipud(x).eval({x: [[1.0], [2.0]]})
    array([[2.],
           [1.]])
    """
    return flip(m, 0)


def fliplr(m: TensorLike) -> TensorVariable:
    """Return `m` with its columns in the opposite order.

    Parameters
    ----------
    m : tensor

    Returns
    -------
    tensor

    Examples
    --------
    >>> x = T.dmatrix("x")
    >>> T.fliplr(x).eval({x: [[1.0, 2.0]]})
    array([[2., 1.]])
    """
    return flip(m, 1)


def rot90(m: TensorLike, k: int = 1, axes: tuple[int, int] = (0, 1)) -> TensorVariable:
    """Return `m` turned `k` times by 90 degrees, from the first of two axes towards the second.

    Parameters
    ----------
    m : tensor
    k : int
    axes : pair of int

    Returns
    -------
    tensor

    Examples
    --------
    >>> x = T.dmatrix("x")
    >>> T.rot90(x).eval({x: [[1.0, 2.0], [3.0, 4.0]]})
    array([[2., 4.],
           [1., 3.]])
    """
    x = as_tensor_variable(m)
    first, second = (axis % x.ndim for axis in axes)
    if first == second:
        raise ValueError(f"rot90: the axes must differ, got {axes}")
    k %= 4
    if k == 0:
        return x
    if k == 2:
        return flip(x, (first, second))
    if k == 1:
        return shaping.swapaxes(flip(x, second), first, second)
    return flip(shaping.swapaxes(x, first, second), second)


def pad(
    array: TensorLike,
    pad_width: TensorLike,
    mode: str = "constant",
    constant_values: TensorLike = 0,
) -> TensorVariable:
    """Return `array` with items added before and after it along each axis.

    Parameters
    ----------
    array : tensor
    pad_width : int, pair of int, or a pair for each axis
        How many are added before and after.
    mode : {'constant', 'edge', 'reflect', 'symmetric', 'wrap'}
    constant_values : number
        What is added by 'constant'.

    Returns
    -------
    tensor

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.pad(x, (1, 2)).eval({x: [1.0, 2.0]})
    array([0., 1., 2., 0., 0.])
    """
    x = as_tensor_variable(array)
    widths = np.broadcast_to(np.asarray(pad_width), (x.ndim, 2)).tolist()
    if any(n < 0 for pair in widths for n in pair):
        raise ValueError(f"pad: numbers of items cannot be negative, got {pad_width}")
    if mode == "constant":
        shape = [a.add(length(x, k), sum(pair)) for k, pair in enumerate(widths)]
        whole = creation.alloc(cast(constant_values, x.dtype), *shape)
        inside = tuple(slice(low, a.add(low, length(x, k))) for k, (low, _) in enumerate(widths))
        return indexing.set_subtensor(whole[inside], x) if x.ndim else x
    for axis, (low, high) in enumerate(widths):
        if low or high:
            count = length(x, axis)
            places = creation.arange(-low, a.add(count, high), dtype="int64")
            x = indexing.take(x, _padded(places, count, mode), axis)
    return x


def _padded(places: Variable, count: TensorLike, mode: str) -> Any:
    """Return which item stands at positions that may lie outside."""
    if mode == "edge":
        return a.clip(places, 0, a.sub(count, 1))
    if mode == "wrap":
        return a.mod(places, count)
    if mode == "symmetric":
        there = a.mod(places, a.mul(2, count))
        return a.minimum(there, a.sub(a.sub(a.mul(2, count), 1), there))
    if mode == "reflect":
        period = a.maximum(a.mul(2, a.sub(count, 1)), 1)
        there = a.mod(places, period)
        return a.minimum(there, a.sub(period, there)) * cast(a.gt(count, 1), "int64")
    raise ValueError(
        f"pad: mode must be 'constant', 'edge', 'reflect', 'symmetric' or 'wrap', got {mode!r}"
    )


def atleast_1d(x: TensorLike) -> TensorVariable:
    """Return a scalar as a vector, anything else as it is.

    Parameters
    ----------
    x : tensor

    Returns
    -------
    tensor

    Examples
    --------
    >>> T.atleast_1d(T.dscalar("x")).ndim
    1
    """
    x = as_tensor_variable(x)
    return x if x.ndim else dimshuffle(x, ["x"])


def atleast_2d(x: TensorLike) -> TensorVariable:
    """Return a scalar or a vector as a matrix of one row, anything else as it is.

    Parameters
    ----------
    x : tensor

    Returns
    -------
    tensor

    Examples
    --------
    >>> T.atleast_2d(T.dvector("x")).broadcastable
    (True, False)
    """
    x = as_tensor_variable(x)
    return x if x.ndim > 1 else dimshuffle(x, ["x"] * (2 - x.ndim) + list(range(x.ndim)))


def hstack(tup: Sequence[Any]) -> TensorVariable:
    """Return arrays side by side: joined along the second axis, vectors along the first.

    Parameters
    ----------
    tup : sequence of tensor

    Returns
    -------
    tensor

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.hstack([x, x]).eval({x: [1.0, 2.0]})
    array([1., 2., 1., 2.])
    """
    parts = [atleast_1d(x) for x in tup]
    return joining.concatenate(parts, axis=0 if parts[0].ndim == 1 else 1)


def vstack(tup: Sequence[Any]) -> TensorVariable:
    """Return arrays one below the other: joined along the first axis, vectors as rows.

    Parameters
    ----------
    tup : sequence of tensor

    Returns
    -------
    tensor

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.vstack([x, x]).eval({x: [1.0, 2.0]})
    array([[1., 2.],
           [1., 2.]])
    """
    return joining.concatenate([atleast_2d(x) for x in tup], axis=0)


def column_stack(tup: Sequence[Any]) -> TensorVariable:
    """Return a matrix of columns, each a vector or a matrix.

    Parameters
    ----------
    tup : sequence of tensor

    Returns
    -------
    tensor

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.column_stack([x, 10 * x]).eval({x: [1.0, 2.0]})
    array([[ 1., 10.],
           [ 2., 20.]])
    """
    parts = [as_tensor_variable(x) for x in tup]
    return joining.concatenate(
        [v if v.ndim > 1 else dimshuffle(atleast_1d(v), [0, "x"]) for v in parts], axis=1
    )


def broadcast_to(array: TensorLike, shape: TensorLike) -> TensorVariable:
    """Return `array` in a larger shape, its items repeated.

    Parameters
    ----------
    array : tensor
    shape : sequence of int or scalar variable, or int vector

    Returns
    -------
    tensor

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.broadcast_to(x, (2, 3)).eval({x: [1.0, 2.0, 3.0]})
    array([[1., 2., 3.],
           [1., 2., 3.]])
    """
    lengths = shape if isinstance(shape, (list, tuple)) else shaping.shape_items(shape)
    return creation.alloc(array, *lengths)


def unique(
    ar: TensorLike,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
) -> Any:
    """Return the distinct items in rising order, and where asked for what `Unique` adds.

    Parameters
    ----------
    ar : tensor
    return_index : bool
        Also where each first occurs.
    return_inverse : bool
        Also which of them each item is.
    return_counts : bool
        Also how often each occurs.
    axis : int, optional
        Of parts along an axis; None: of the flattened array.

    Returns
    -------
    tensor, or list of tensor

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.unique(x).eval({x: [3.0, 1.0, 3.0]})
    array([1., 3.])
    """
    return Unique(return_index, return_inverse, return_counts, axis)(ar)


def isin(element: TensorLike, test_elements: TensorLike, invert: bool = False) -> TensorVariable:
    """Return whether each item is among others, dtype bool.

    Parameters
    ----------
    element : tensor
    test_elements : array_like
    invert : bool
        Return whether each is not among them.

    Returns
    -------
    tensor, bool

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.isin(x, [1.0, 3.0]).eval({x: [1.0, 2.0, 3.0]})
    array([ True, False,  True])
    """
    x = as_tensor_variable(element)
    others = shaping.flatten(as_tensor_variable(test_elements))
    equal = a.eq(dimshuffle(x, [*range(x.ndim), "x"]), others)
    is_member = any_(equal, axis=x.ndim)
    return a.invert(is_member) if invert else is_member


def ediff1d(
    ary: TensorLike, to_end: TensorLike | None = None, to_begin: TensorLike | None = None
) -> TensorVariable:
    """Return the differences of neighbours in the flattened array, with more before and after.

    Parameters
    ----------
    ary : tensor
    to_end : array_like, optional
    to_begin : array_like, optional

    Returns
    -------
    tensor

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.ediff1d(x).eval({x: [1.0, 4.0, 9.0]})
    array([3., 5.])
    """
    x = shaping.flatten(as_tensor_variable(ary))
    parts = [to_begin, x[1:] - x[:-1], to_end]
    pieces = [
        part if k == 1 else shaping.flatten(atleast_1d(part))
        for k, part in enumerate(parts)
        if part is not None
    ]
    return pieces[0] if len(pieces) == 1 else joining.concatenate(pieces)


def digitize(x: TensorLike, bins: TensorLike, right: bool = False) -> TensorVariable:
    """Return the number of the bin of each item; the edges rise or fall.

    Parameters
    ----------
    x : tensor
    bins : vector
    right : bool
        Whether a bin holds its right edge rather than its left one.

    Returns
    -------
    tensor, int64

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.digitize(x, [0.0, 1.0, 2.0]).eval({x: [0.5, 5.0]})
    array([1, 3])
    """
    edges = as_tensor_variable(bins)
    sides = ("left", "right") if right else ("right", "left")
    rising = sorting.searchsorted(edges, x, side=sides[0])
    falling = a.sub(length(edges, 0), sorting.searchsorted(edges[::-1], x, side=sides[1]))
    # None or one edge: rises.
    falls = a.lt(a.sgn(edges[1:] - edges[:-1]).sum(), 0)
    return cast(a.switch(falls, falling, rising), "int64")


explain_functions(globals())
