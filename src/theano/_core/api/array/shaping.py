"""Functions on the shape of tensors."""

from __future__ import annotations

from collections.abc import Iterator, MappingView, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.api.conversion import as_tensor_variable
from theano._core.base import dtypes
from theano._core.base.near_misses import explain_functions
from theano._core.base.settings import config
from theano._core.ir.text import label
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Constant, Variable
from theano._core.ops.array import shaping as ops
from theano._core.ops.array.dims import as_int64, product
from theano._core.ops.array.reductions import reduce
from theano._core.ops.core.dimshuffle import DimShuffle, dimshuffle

if TYPE_CHECKING:
    from theano._core.ir.annotations import Axes, TensorLike
    from theano._core.ir.function_graph import FunctionGraph
    from theano._core.ir.tensor import TensorVariable

specify_shape = ops.specify_shape


shape = ops.shape


def shape_i(x: TensorLike, i: int, fgraph: FunctionGraph | None = None) -> Any:
    """Return the length of axis `i` of `x`, an int64 scalar."""
    return ops.Length(i)(as_tensor_variable(x))


def reshape(x: TensorLike, newshape: TensorLike, ndim: int | None = None) -> TensorVariable:
    """Return `x` with other lengths, items in C order.

    Parameters
    ----------
    x : tensor
    newshape : int vector, or sequence of ints and integer scalars
        At most one may be -1: what is left.
    ndim : int, optional
        Rank of the result; needed where the length of `newshape` is not known.

    Returns
    -------
    tensor
        A view of `x` where its memory allows.

    Raises
    ------
    ValueError
        The rank of the result is not known.
    TypeError
        `newshape` is not a vector of integers.

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.reshape(x, (2, -1)).eval({x: np.arange(6.0)})
    array([[0., 1., 2.],
           [3., 4., 5.]])
    """
    x = as_tensor_variable(x)
    if isinstance(newshape, (list, tuple, np.ndarray)) and len(newshape) == 0:
        newshape = np.zeros(0, "int64")
    newshape = as_tensor_variable(newshape)
    if ndim is None:
        if newshape.type.ndim != 1:
            raise TypeError(
                "New shape in reshape must be a vector or a list/tuple of scalar. Got "
                f"{newshape} after conversion to a vector."
            )
        try:
            ndim = ops.vector_length(newshape)
        except ValueError:
            raise ValueError(
                f"The length of the provided shape ({newshape}) cannot be automatically "
                "determined, so the number of dimensions of the reshaped variable is not known. "
                "You can provide the 'ndim' keyword argument to 'reshape' to avoid this problem."
            ) from None
    return ops.Reshape(ndim)(x, newshape)


def flatten(x: TensorLike, ndim: int | None = None, outdim: int | None = None) -> TensorVariable:
    """Return `x` with `ndim` axes: the first ones kept, the others joined into one.

    Parameters
    ----------
    x : tensor
    ndim : int, default 1
    outdim : int, optional
        Old name of `ndim`.

    Returns
    -------
    tensor
        A view of `x` where its memory allows.

    Raises
    ------
    ValueError
        `ndim` is below 1 or above the rank of `x`.

    Examples
    --------
    >>> x = T.dtensor3("x")
    >>> T.flatten(x, ndim=2).eval({x: np.zeros((2, 3, 4))}).shape
    (2, 12)
    """
    if outdim is not None:
        if ndim is not None:
            raise ValueError("You should only specify ndim, not its old name outdim as well")
        ndim = outdim
    ndim = 1 if ndim is None else ndim
    x = as_tensor_variable(x)
    if ndim < 1 or (ndim > 1 and ndim > x.type.ndim):
        raise ValueError(f"ndim {ndim} out of bound [1, {x.type.ndim + 1})")
    kept = [ops.length(x, axis) for axis in range(ndim - 1)]
    # Beside a length of 0, -1 could be anything.
    joined = [ops.length(x, axis) for axis in range(ndim - 1, x.type.ndim)] if kept else []
    flat = ops.reshape_op(x, [*kept, product(joined) if kept else -1])
    pattern = (*x.type.broadcastable[: ndim - 1], all(x.type.broadcastable[ndim - 1 :]))
    return ops.pattern_broadcast(flat, pattern)


def is_flat(var: Variable, ndim: int | None = None, outdim: int | None = None) -> bool:
    """Return whether `var` has `ndim` (default 1) axes.

    Parameters
    ----------
    var : tensor
    ndim : int, optional
    outdim : int, optional
        The old name of `ndim`.

    Returns
    -------
    bool

    Examples
    --------
    >>> T.is_flat(T.dvector("x")), T.is_flat(T.dmatrix("x"))
    (True, False)
    """
    asked = outdim if ndim is None else ndim
    return var.ndim == (1 if asked is None else asked)


def transpose(x: Any, axes: Any = None) -> TensorVariable:
    """Return `x` with its axes in the order `axes`, by default reversed.

    Parameters
    ----------
    x : tensor
    axes : sequence of int, optional

    Returns
    -------
    tensor
        A view of `x`.

    Examples
    --------
    >>> x = T.dtensor3("x")
    >>> T.transpose(x, (2, 0, 1)).eval({x: np.zeros((2, 3, 4))}).shape
    (4, 2, 3)
    """
    x = as_tensor_variable(x)
    order = range(x.type.ndim - 1, -1, -1) if axes is None else axes
    result = _reordered(x, tuple(order))
    if axes is None and x.name:
        result.name = f"{x.name}.T"
    return result


def _reordered(x: Variable, order: Sequence[TensorLike]) -> Any:
    # Always a variable of its own: users give names to what they get.
    return DimShuffle(x.type.broadcastable, order)(x)


def swapaxes(y: TensorLike, axis1: int, axis2: int) -> TensorVariable:
    """Return `y` with two axes exchanged.

    Parameters
    ----------
    y : tensor
    axis1, axis2 : int

    Returns
    -------
    tensor
        A view of `y`.

    Examples
    --------
    >>> x = T.dtensor3("x")
    >>> T.swapaxes(x, 0, 2).eval({x: np.zeros((2, 3, 4))}).shape
    (4, 3, 2)
    """
    y = as_tensor_variable(y)
    order = list(range(y.type.ndim))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return _reordered(y, order)


def squeeze(x: TensorLike) -> TensorVariable:
    """Return `x` without its broadcastable axes.

    Parameters
    ----------
    x : tensor

    Returns
    -------
    tensor
        A view of `x`.

    Examples
    --------
    >>> T.squeeze(T.drow("r")).ndim
    1
    """
    x = as_tensor_variable(x)
    return _reordered(x, [i for i, one in enumerate(x.type.broadcastable) if not one])


def shape_padleft(t: TensorLike, n_ones: int = 1) -> TensorVariable:
    """Return `t` with `n_ones` broadcastable axes on the left.

    Parameters
    ----------
    t : tensor
    n_ones : int

    Returns
    -------
    tensor
        A view of `t`.

    Examples
    --------
    >>> T.shape_padleft(T.dvector("x"), 2).broadcastable
    (True, True, False)
    """
    t = as_tensor_variable(t)
    return dimshuffle(t, ["x"] * n_ones + list(range(t.type.ndim)))


def shape_padright(t: TensorLike, n_ones: int = 1) -> TensorVariable:
    """Return `t` with `n_ones` broadcastable axes on the right.

    Parameters
    ----------
    t : tensor
    n_ones : int

    Returns
    -------
    tensor
        A view of `t`.

    Examples
    --------
    >>> T.shape_padright(T.dvector("x"), 2).broadcastable
    (False, True, True)
    """
    t = as_tensor_variable(t)
    return dimshuffle(t, list(range(t.type.ndim)) + ["x"] * n_ones)


def shape_padaxis(t: TensorLike, axis: int) -> TensorVariable:
    """Return `t` with a broadcastable axis at position `axis` of the result.

    Parameters
    ----------
    t : tensor
    axis : int
        From either end of the result.

    Returns
    -------
    tensor
        A view of `t`.

    Raises
    ------
    IndexError
        The result has no such axis.

    Examples
    --------
    >>> T.shape_padaxis(T.dmatrix("x"), 1).broadcastable
    (False, True, False)
    """
    t = as_tensor_variable(t)
    rank = t.type.ndim + 1
    if not -rank <= axis < rank:
        raise IndexError(f"axis {axis} is out of bounds [-{rank}, {rank})")
    order: list[Any] = list(range(t.type.ndim))
    order.insert(axis % rank, "x")
    return dimshuffle(t, order)


def _rebroadcast(x: TensorLike, axes: Sequence[int], value: bool) -> Any:
    x = as_tensor_variable(x)
    pattern = list(x.type.broadcastable)
    for axis in axes:
        if not -len(pattern) <= axis < len(pattern):
            raise ValueError(f"Trying to rebroadcast non-existent dimension {axis} of {x.type}")
        pattern[axis] = value
    return _declared(x, pattern)


def _declared(x: Variable, pattern: Sequence[bool]) -> Any:
    node = x.owner
    if node is not None and isinstance(node.op, ops.Rebroadcast):
        # What was declared last counts.
        x = node.inputs[0]
    return ops.pattern_broadcast(x, pattern)


def addbroadcast(x: TensorLike, *axes: int) -> TensorVariable:
    """Return `x` with `axes` declared broadcastable; each call checks that their length is 1.

    Parameters
    ----------
    x : tensor
    *axes : int
        Axes of length 1, counted from 0.

    Returns
    -------
    tensor
        A view of `x`.

    Examples
    --------
    >>> T.addbroadcast(T.dmatrix("m"), 0).broadcastable
    (True, False)
    """
    return _rebroadcast(x, axes, True)


def unbroadcast(x: TensorLike, *axes: int) -> TensorVariable:
    """Return `x` with `axes` declared not broadcastable.

    Parameters
    ----------
    x : tensor
    *axes : int
        Axes, counted from 0.

    Returns
    -------
    tensor
        A view of `x`.

    Examples
    --------
    >>> T.unbroadcast(T.drow("r"), 0).broadcastable
    (False, False)
    """
    return _rebroadcast(x, axes, False)


def patternbroadcast(x: TensorLike, broadcastable: Sequence[bool]) -> TensorVariable:
    """Return `x` with the broadcastable pattern `broadcastable`, checked by each call.

    Parameters
    ----------
    x : tensor
    broadcastable : sequence of bool
        One per axis; those that it lacks at the end stay as they are.

    Returns
    -------
    tensor
        A view of `x`.

    Examples
    --------
    >>> T.patternbroadcast(T.dmatrix("m"), (True, False)).broadcastable
    (True, False)
    """
    x = as_tensor_variable(x)
    pattern = tuple(broadcastable)
    if len(pattern) > x.type.ndim:
        raise ValueError(f"the pattern {pattern} has {len(pattern)} axes, {x.type} {x.type.ndim}")
    return _declared(x, pattern + x.type.broadcastable[len(pattern) :])


def get_vector_length(v: TensorLike) -> int:
    """Return the length of a vector, if the graph says it.

    Parameters
    ----------
    v : tensor, vector

    Returns
    -------
    int

    Raises
    ------
    TypeError
        `v` is not a vector.
    ValueError
        Its length is not known while the graph is being built.

    Examples
    --------
    >>> T.get_vector_length(T.dmatrix("x").shape)
    2
    """
    v = as_tensor_variable(v)
    if v.type.ndim != 1:
        raise TypeError(f"argument must be symbolic vector, got '{v}'")
    return ops.vector_length(v)


def items(x: Any) -> Iterator[Any]:
    """Return the items of `x` along its first axis, if the graph says how many there are."""
    try:
        count = get_vector_length(x)
    except ValueError as error:
        raise ValueError(
            f"length not known: {x}. A variable has no items before a function runs, so "
            "that Python cannot walk over them: theano.scan does, and x[0], x[1] are items."
        ) from error
    except TypeError:
        # sum(x) and max(x) of Python would walk over the items.
        count = ops.first_length(x)
    if count is None:
        raise TypeError(
            "TensorType does not support iteration. Maybe you are using builtin.sum instead of "
            "theano.tensor.sum? (Maybe .max?)"
        )
    return (x[i] for i in range(count))


def shape_items(size: Any) -> list[Any]:
    """Return the lengths that `size` stands for: an int, a scalar, a sequence or a vector."""
    if not isinstance(size, Variable) and np.ndim(size) == 0:
        return [size]
    if isinstance(size, Variable) and isinstance(size.type, TensorType):
        if size.type.ndim == 0:
            return [size]
        count = get_vector_length(size)
        return [size[i] for i in range(count)]  # type: ignore[index]
    return list(size)  # pyright: ignore[reportArgumentType]


def size_of(x: Any) -> Any:
    """Return the number of items of `x`, an int64 scalar."""
    if x.type.ndim == 0:
        # It is 1, and yet made from `x`: a function of `x` counts as using it.
        return as_int64(reduce("prod", ops.ShapeOf()(x)))
    return as_int64(product([ops.length(x, axis) for axis in range(x.type.ndim)]))


def make_keep_dims(x: TensorLike, y: TensorLike, axis: TensorLike | None) -> TensorVariable:
    """Return `y`, a reduction of `x` over `axis`, with broadcastable axes where `x` was reduced.

    Parameters
    ----------
    x, y : tensor
    axis : int, sequence of int or None

    Returns
    -------
    tensor
        A view of `y`.

    Examples
    --------
    >>> x = T.dmatrix("x")
    >>> T.makeKeepDims(x, x.sum(axis=0), 0).eval({x: [[1.0, 2.0], [3.0, 4.0]]})
    array([[4., 6.]])
    """
    x, y = as_tensor_variable(x), as_tensor_variable(y)
    axes = normalized_axes(x, axis)
    axes = tuple(range(x.type.ndim)) if axes is None else axes
    kept = iter(range(y.type.ndim))
    return dimshuffle(y, ["x" if i in axes else next(kept) for i in range(x.type.ndim)])


def normalized_axes(x: Any, axis: TensorLike | None) -> tuple[int, ...] | None:
    """Return `axis` as a sorted tuple of non-negative ints; None stays: all axes.

    Raises
    ------
    TypeError
        It is neither an int, an integer constant, None nor a sequence of ints.
    ValueError
        `x` has no such axis.
    """
    if isinstance(axis, Constant):
        axis = axis.data
    if axis is None:
        return None
    if isinstance(axis, np.ndarray):
        axis = axis.tolist()
    rank = x.type.ndim
    axes = set()
    # No iterators: other steps of a reduction need the axes again.
    for one in axis if isinstance(axis, (list, tuple, set, range, MappingView)) else [axis]:
        number = _axis_number(one)
        if not -rank <= number < rank:
            raise ValueError(
                f"Not enough dimensions on {label(x)} to reduce on axis {number}: it has {rank}"
            )
        axes.add(number % rank)
    return tuple(sorted(axes))


_OF_TWO = ". Of two variables theano.tensor.maximum and minimum take the larger and the smaller"


def _axis_number(axis: object) -> int:
    if isinstance(axis, np.ndarray) and axis.ndim == 0:
        axis = axis.item()
    data = getattr(axis, "data", None)
    if isinstance(data, np.ndarray) and data.ndim == 0 and isinstance(axis, Variable):
        axis = data.item()
    if isinstance(axis, (bool, np.bool_)) or not isinstance(axis, (int, np.integer)):
        raise TypeError(
            f"The axis of a reduction must be an int, a list of ints or None, got {axis!r} of type "
            f"{type(axis).__name__}{_OF_TWO * isinstance(axis, Variable)}"
        )
    return int(axis)


def check_and_normalize_axes(x: TensorLike, axis: Axes) -> list[int]:
    """Return `axis` as a list of non-negative ints; None gives an empty list.

    Parameters
    ----------
    x : tensor
    axis : int, sequence of int or None

    Returns
    -------
    list of int

    Examples
    --------
    >>> T.check_and_normalize_axes(T.dmatrix("x"), -1)
    [1]
    """
    return list(normalized_axes(as_tensor_variable(x), axis) or ())


def float_dtype(dtype: str | None) -> str:
    """Return the name of `dtype`; `config.floatX` for None."""
    return config.floatX if dtype is None else dtypes.named(dtype)


explain_functions(globals())
