"""Order along an axis, and what is largest there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from theano._core.api.conversion import as_tensor_variable
from theano._core.api.ifelse import ifelse
from theano._core.base.near_misses import explain_functions
from theano._core.ir.variable import Constant, Variable
from theano._core.ops import sorting as ops
from theano._core.ops.array import shaping
from theano._core.ops.array.assertions import axis_counted
from theano._core.ops.elementwise.arithmetic import eq

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike
    from theano._core.ir.tensor import TensorVariable


def _along(name: str, a: TensorLike, axis: TensorLike | None) -> tuple[Any, int]:
    """Return a tensor, flattened if `axis` is None, and its axis counted from 0."""
    x = as_tensor_variable(a)
    if axis is None:
        return (x if x.type.ndim == 1 else shaping.reshape_op(x, [-1])), 0
    if isinstance(axis, Constant) and axis.data is None:
        return _along(name, a, None)
    return x, shaping.axis_of(name, x, axis)


def to_be_known(axis: TensorLike | None) -> bool:
    """Tell whether the number of an axis is an input of the graph."""
    return isinstance(axis, Variable) and not isinstance(axis, Constant)


def along_unknown(name: str, x: Variable, axis: Any, op: Callable[[int], Any]) -> Any:
    """Choose between the results along each axis; only the chosen one is computed."""
    if axis.type.ndim:
        raise TypeError(f"{name} needs a scalar as its axis, got {axis.type}")
    rank = x.type.ndim
    axis = axis_counted(name, axis, rank)
    result = op(rank - 1)(x)
    for each in range(rank - 2, -1, -1):
        result = ifelse(eq(axis, each), op(each)(x), result)
    return result


def _no_order(name: str, order: object) -> None:
    if order is not None:
        raise ValueError(f"{name}: the order of fields is for structured arrays, got {order!r}")


def sort(
    a: TensorLike, axis: TensorLike = -1, kind: str | None = "quicksort", order: str | None = None
) -> TensorVariable:
    """Return `a` with its items along `axis` in rising order, NaN last.

    Parameters
    ----------
    a : tensor
    axis : int, integer scalar or None
        None: the flattened array.
    kind : {'quicksort', 'mergesort', 'heapsort', 'stable'}, optional
        The algorithm, as in NumPy.
    order : None
        Accepted for old programs.

    Returns
    -------
    tensor
        Of the dtype and shape of `a`.

    Raises
    ------
    ValueError
        No such axis or kind.

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.sort(x).eval({x: [3.0, 1.0, 2.0]})
    array([1., 2., 3.])
    """
    _no_order("sort", order)
    if to_be_known(axis):
        return along_unknown("sort", as_tensor_variable(a), axis, lambda at: ops.Sort(at, kind))
    x, axis = _along("sort", a, axis)
    return ops.Sort(axis, kind)(x)


def argsort(
    a: TensorLike,
    axis: TensorLike = -1,
    kind: str | None = "quicksort",
    order: TensorLike | None = None,
) -> TensorVariable:
    """Return the positions along `axis` that sort `a`, int64; arguments as for `sort`.

    Parameters
    ----------
    a : tensor
    axis : int, integer scalar or None
        None: the flattened array.
    kind : {'quicksort', 'mergesort', 'heapsort', 'stable'}, optional
        The algorithm, as in NumPy.
    order : None
        Accepted for old programs.

    Returns
    -------
    tensor, int64
        Of the shape of `a`.

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.argsort(x).eval({x: [3.0, 1.0, 2.0]})
    array([1, 2, 0])
    """
    _no_order("argsort", order)
    if to_be_known(axis):
        return along_unknown(
            "argsort", as_tensor_variable(a), axis, lambda at: ops.ArgSort(at, kind)
        )
    x, axis = _along("argsort", a, axis)
    return ops.ArgSort(axis, kind)(x)


def topk_and_argtopk(
    x: TensorLike,
    kth: TensorLike,
    axis: TensorLike | None = -1,
    sorted: bool = True,
    idx_dtype: str = "int64",
) -> list[TensorVariable]:
    """Return the largest items along `axis`, and where they are.

    Parameters
    ----------
    x : tensor
    kth : int or integer scalar
        How many; of a negative number the smallest items.
    axis : int or None
        None: of the flattened array.
    sorted : bool
        Falling order; else rising.
    idx_dtype : str
        Item type of the positions.

    Returns
    -------
    list of two tensors
        The items, of the dtype of `x`, and their positions, of dtype `idx_dtype`.

    Raises
    ------
    ValueError
        `kth` is 0 or there are not so many items: when the function is called.

    Examples
    --------
    >>> x = T.dvector("x")
    >>> values, places = T.topk_and_argtopk(x, 1)
    >>> places.eval({x: [1.0, 3.0, 2.0]})
    array([1])
    """
    x, axis = _along("topk", x, axis)
    return ops.TopK(axis, sorted, idx_dtype)(x, kth)


def topk(
    x: TensorLike,
    kth: TensorLike,
    axis: TensorLike = -1,
    sorted: bool = True,
    idx_dtype: str = "int64",
) -> TensorVariable:
    """Return the largest items along `axis`; see `topk_and_argtopk`.

    Parameters
    ----------
    x : tensor
    kth, axis, sorted, idx_dtype
        As for `topk_and_argtopk`.

    Returns
    -------
    tensor
        Items, of the dtype of `x`.

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.sort(T.topk(x, 2)).eval({x: [3.0, 1.0, 2.0]})
    array([2., 3.])
    """
    x, axis = _along("topk", x, axis)
    return ops.TopK(axis, sorted, idx_dtype, return_indices=False)(x, kth)


def argtopk(
    x: TensorLike,
    kth: TensorLike,
    axis: TensorLike = -1,
    sorted: bool = True,
    idx_dtype: str = "int64",
) -> TensorVariable:
    """Return where the largest items along `axis` are; see `topk_and_argtopk`.

    Parameters
    ----------
    x : tensor
    kth, axis, sorted, idx_dtype
        As for `topk_and_argtopk`.

    Returns
    -------
    tensor
        Positions, of dtype `idx_dtype`.

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.argtopk(x, 1).eval({x: [1.0, 3.0, 2.0]})
    array([1])
    """
    x, axis = _along("topk", x, axis)
    return ops.TopK(axis, sorted, idx_dtype, return_values=False)(x, kth)


def searchsorted(
    x: TensorLike, v: TensorLike, side: str = "left", sorter: TensorLike | None = None
) -> TensorVariable:
    """Return where the items of `v` belong in `x`, int64.

    Parameters
    ----------
    x : vector
        Sorted, or sorted by `sorter`.
    v : tensor
    side : {'left', 'right'}
        Before or behind equal items.
    sorter : int vector, optional
        The order that sorts `x`.

    Returns
    -------
    tensor, int64

    Examples
    --------
    >>> T.searchsorted([1.0, 2.0, 3.0], [2.5]).eval()
    array([2])
    """
    return ops.SearchSorted(side)(x, v, *(() if sorter is None else (sorter,)))


explain_functions(globals())
