"""Tensors put together, taken apart and repeated: `join`, `split`, `tile` and their kin."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.api.array.creation import alloc
from theano._core.api.array.indexing import get_item
from theano._core.api.array.shaping import shape_items
from theano._core.api.conversion import as_tensor_variable, cast
from theano._core.api.ifelse import ifelse
from theano._core.base import dtypes
from theano._core.base.near_misses import explain_functions
from theano._core.ir.variable import Constant, Variable
from theano._core.ops.array import creation as ops, shaping
from theano._core.ops.array.assertions import Assert, Require, axis_counted
from theano._core.ops.array.dims import as_length, product
from theano._core.ops.control.inner_graph import whole
from theano._core.ops.core.dimshuffle import dimshuffle, pad_left
from theano._core.ops.core.op import python_int
from theano._core.ops.elementwise.arithmetic import eq, ge, mod, sub
from theano._core.ops.sorting import Spread

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike
    from theano._core.ir.tensor import TensorVariable


def concatenate(tensor_list: Sequence[TensorLike], axis: int = 0) -> TensorVariable:
    """Return tensors of one rank put one after another along `axis`.

    Parameters
    ----------
    tensor_list : sequence of tensors
        Their lengths agree except along `axis`.
    axis : int

    Returns
    -------
    tensor
        Of the common dtype.

    Raises
    ------
    TypeError
        Not a list or tuple, or the ranks differ.
    ValueError
        An empty list, or no such axis.

    Examples
    --------
    >>> T.concatenate([[1, 2], [3]]).eval()
    array([1, 2, 3])
    >>> x = T.dmatrix("x")
    >>> T.concatenate([x, x], axis=1).eval({x: [[1.0], [2.0]]})
    array([[1., 1.],
           [2., 2.]])
    """
    if not isinstance(tensor_list, (tuple, list)):
        raise TypeError(
            "The 'tensors' argument must be either a tuple or a list, make sure you did not forget "
            f"() or [] around arguments of concatenate. Got {tensor_list}"
        )
    return join(axis, *tensor_list)


def join(axis: Any, *tensors_list: object) -> TensorVariable:
    """Return tensors of one rank put one after another along `axis`; see `concatenate`.

    `axis` may be an integer scalar that is not known yet.

    Parameters
    ----------
    axis : int or scalar variable
    *tensors_list : tensors
        Their lengths agree except along `axis`.

    Returns
    -------
    tensor
        Of the common dtype.

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.join(0, x, [9.0]).eval({x: [1.0, 2.0]})
    array([1., 2., 9.])
    """
    if len(tensors_list) == 1:
        alone: Any = tensors_list[0]
        return alone
    if isinstance(axis, float) and axis.is_integer():
        axis = int(axis)
    number = python_int(as_tensor_variable(axis))
    if number is None:
        return _join_along_unknown(axis, tensors_list)
    try:
        return ops.Join()(axis, *tensors_list)
    except IndexError as error:
        if number < 0:
            raise
        raise ValueError(
            f'Join argument "axis" is out of range (given input dimensions): {error}'
        ) from None


def _join_along_unknown(axis: object, arrays: Sequence[object]) -> Any:
    """Choose between the joins along each axis; only the chosen one is computed."""
    axis = as_tensor_variable(axis)
    if axis.type.ndim or not dtypes.is_integer(axis.type.dtype):
        raise TypeError(
            f"Join needs an integer as its axis, got {axis.type}: join(axis, *tensors), or "
            "concatenate(tensors, axis)"
        )
    return whole("Join", _joined_along, [axis, *map(as_tensor_variable, arrays)], view=-1)


def _joined_along(axis: Variable, *tensors: Variable) -> Any:
    rank = max(x.type.ndim for x in tensors)
    plain = [shaping.pattern_broadcast(x, (False,) * x.type.ndim) for x in tensors]
    axis = axis_counted("Join", axis, rank)
    result = _joined_if(eq(axis, rank - 1), rank - 1, plain)
    for each in range(rank - 2, -1, -1):
        chosen = eq(axis, each)
        result = ifelse(chosen, _joined_if(chosen, each, plain), result)
    return result


def _joined_if(chosen: Variable, axis: int, tensors: Sequence[Variable]) -> Any:
    """Return tensors joined along an axis, or nothing of each where it is not chosen.

    The lengths of what cannot be joined along it do not fit in the gradient either.
    """
    nothing = [get_item(x, (slice(0),) * x.type.ndim) for x in tensors]
    pairs = zip(tensors, nothing, strict=True)
    return ops.join(axis, *(ifelse(chosen, x, none) for x, none in pairs))


def stack(*tensors: TensorLike, **kwargs: object) -> TensorVariable:
    """Return tensors of one shape put along a new axis.

    Parameters
    ----------
    tensors : sequence of tensors
        Scalars give a vector. The old form with one argument per tensor still works.
    axis : int, default 0
        Position of the new axis in the result. For scalars it says nothing, as in Theano 1.0.5.

    Returns
    -------
    tensor
        Of the common dtype.

    Raises
    ------
    IndexError
        The result has no such axis.

    Examples
    --------
    >>> x, y = T.dscalars("x", "y")
    >>> T.stack([x, y]).eval({x: 1.0, y: 2.0})
    array([1., 2.])
    """
    operands, axis = _stack_arguments(tensors, kwargs)
    tensors = tuple(operands)
    if not tensors:
        raise ValueError(
            "tensors is empty. You should at least provide one tensor to "
            "theano.tensor.stack(tensors, axis)."
        )
    arrays = [as_tensor_variable(t) for t in tensors]
    if all(t.type.ndim == 0 for t in arrays):
        return ops.as_tensor_list(arrays)
    rank = arrays[0].type.ndim + 1
    if not -rank <= axis < rank:
        raise IndexError(f"axis {axis} is out of bounds [-{rank}, {rank})")
    order: list[Any] = list(range(rank - 1))
    order.insert(axis % rank, "x")
    if any(t.type.ndim != rank - 1 for t in arrays):
        raise TypeError(
            "Join() can only join tensors with the same number of dimensions, got "
            f"{[t.type.ndim for t in arrays]}: x[None] and shape_padleft add axes"
        )
    return join(axis % rank, *(dimshuffle(t, order) for t in arrays))


def _stack_arguments(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Sequence[Any], int]:
    if not args and "tensors" not in kwargs:
        raise TypeError("stack() needs a list of tensors, and got no arguments")
    first = kwargs.pop("tensors", None) if not args else args[0]
    rest = args if not args else args[1:]
    if isinstance(first, (list, tuple)):
        axis = kwargs.pop("axis", rest[0] if rest else 0)
        tensors: Sequence[Any] = first
        extra = rest[1:]
    elif isinstance(first, Variable) and first.ndim > 0 and not rest:
        axis, tensors, extra = kwargs.pop("axis", 0), [first], ()
    else:
        warnings.warn(
            "stack(*tensors) is the old form: write stack(list of tensors, axis)",
            DeprecationWarning,
            stacklevel=3,
        )
        axis, tensors, extra = 0, args, ()
    if kwargs or extra:
        raise TypeError(
            f"stack() got unexpected arguments: {[*kwargs, *extra]}. The variables are one list: "
            "stack([x, y], axis=0)"
        )
    position = as_tensor_variable(axis)
    if not dtypes.is_discrete(position.type.dtype):
        raise TypeError(f"stack() needs an integer as its axis, got {axis}")
    number = python_int(position)
    return tensors, int(axis if number is None else number)


def stacklists(arg: TensorLike) -> TensorVariable:
    """Return nested lists of tensors of one shape as one tensor; a tensor as it is.

    Parameters
    ----------
    arg : tensor, or nested sequences of tensors

    Returns
    -------
    tensor

    Examples
    --------
    >>> x, y = T.dscalars("x", "y")
    >>> T.stacklists([[x, y], [y, x]]).eval({x: 1.0, y: 2.0})
    array([[1., 2.],
           [2., 1.]])
    """
    if isinstance(arg, (tuple, list)):
        return stack([stacklists(each) for each in arg])
    alone: Any = arg
    return alone


def horizontal_stack(*args: TensorLike) -> TensorVariable:
    """Return matrices side by side.

    Parameters
    ----------
    *args : tensors, matrices
        Of equal numbers of rows.

    Returns
    -------
    tensor, matrix

    Examples
    --------
    >>> x = T.dmatrix("x")
    >>> T.horizontal_stack(x, x).eval({x: [[1.0], [2.0]]})
    array([[1., 1.],
           [2., 2.]])
    """
    _check_matrices(args)
    return concatenate(args, axis=1)


def vertical_stack(*args: TensorLike) -> TensorVariable:
    """Return matrices one below another.

    Parameters
    ----------
    *args : tensors, matrices
        Of equal numbers of columns.

    Returns
    -------
    tensor, matrix

    Examples
    --------
    >>> x = T.dmatrix("x")
    >>> T.vertical_stack(x, x).eval({x: [[1.0, 2.0]]})
    array([[1., 2.],
           [1., 2.]])
    """
    _check_matrices(args)
    return concatenate(args, axis=0)


def _check_matrices(args: Sequence[TensorLike]) -> None:
    if len(args) < 2:
        raise ValueError(f"at least two matrices are needed, got {len(args)}")
    if any(as_tensor_variable(arg).type.ndim != 2 for arg in args):
        raise TypeError(f"only matrices can be stacked so, got {args}")


def _split_along_unknown(x: Any, sizes: Any, n_splits: int, axis: Any) -> Any:
    """Choose between the parts along each axis; only those that are chosen are computed."""
    if axis.type.ndim or not dtypes.is_integer(axis.type.dtype):
        raise TypeError(f"Split needs an integer as its axis, got {axis.type}")
    rank = x.type.ndim
    any_length = (False,) * rank
    x = shaping.pattern_broadcast(x, any_length)

    def along(each: int) -> list[Any]:
        parts = split(x, sizes, n_splits, each)
        parts = parts if isinstance(parts, list) else [parts]
        return [shaping.pattern_broadcast(part, any_length) for part in parts]

    axis = axis_counted("Split", axis, rank)
    result = along(rank - 1)
    for each in range(rank - 2, -1, -1):
        result = ifelse(eq(axis, each), along(each), result)
    return result if n_splits > 1 else result[0]


def split(x: TensorLike, splits_size: TensorLike, n_splits: int, axis: int = 0) -> Any:
    """Return `x` cut along `axis` into `n_splits` parts.

    Parameters
    ----------
    x : tensor
    splits_size : int sequence or vector, length n_splits
        Lengths of the parts; they must add up to the length of `x`.
    n_splits : int
    axis : int
        May be a variable, of an integer dtype.

    Returns
    -------
    list of tensors
        The tensor itself, if there is one part only.

    Raises
    ------
    ValueError
        The lengths of the parts are known, and `n_splits` of them do not exist.

    Examples
    --------
    >>> x = T.dvector("x")
    >>> first, second = T.split(x, [1, 2], n_splits=2)
    >>> second.eval({x: [1.0, 2.0, 3.0]})
    array([2., 3.])
    """
    x = as_tensor_variable(x)
    sizes = as_tensor_variable(splits_size)
    if sizes.type.ndim != 1 or not dtypes.is_discrete(sizes.type.dtype):
        raise TypeError(f"splits_size must be a vector of integers, got {sizes.type}")
    if isinstance(axis, Variable) and not isinstance(axis, Constant):
        return _split_along_unknown(x, sizes, n_splits, axis)
    axis = shaping.axis_of("split", x, axis)
    is_constant = sizes.type.broadcastable[0] or isinstance(sizes, Constant)
    if is_constant and python_int(shaping.length(sizes, 0)) != n_splits:
        raise ValueError(f"Split: {n_splits} parts need as many lengths, got {splits_size}")
    parts_of = partial(_parts_of, n_splits, axis)
    return whole("Split", parts_of, [x, as_tensor_variable(axis), sizes], len_splits=n_splits)


def _parts_of(
    n_splits: int, axis: int, x: Variable, axis_input: Variable, splits_size: Variable
) -> list[Any]:
    """Return the parts of `x` along `axis`, as long as `splits_size` says."""
    count = Require("Split: the number of lengths must be the number of parts")
    sizes = count(splits_size, eq(shaping.length(splits_size, 0), n_splits))
    sizes = [cast(get_item(sizes, i), "int64") for i in range(n_splits)]
    check = Require(
        "Split: the lengths of the parts must be non-negative and add up to the length of the axis"
    )
    fits = []
    rest: Any = shaping.length(x, axis)
    for size in sizes:
        # What is left only counts where all before fitted: it is never out of range.
        fits += [ge(size, 0), ge(rest, size)]
        rest = sub(rest, size)
    x = check(x, eq(rest, 0), *fits)
    if n_splits == 1:
        return [x]
    parts = []
    start: Any = 0
    for size in sizes:
        stop = size if isinstance(start, int) else start + size
        parts.append(get_item(x, (slice(None),) * axis + (slice(start, stop),)))
        start = stop
    return parts


def repeat(x: Any, repeats: TensorLike, axis: int | None = None) -> TensorVariable:
    """Return `x` with each item repeated along `axis`.

    Parameters
    ----------
    x : tensor
    repeats : int, integer scalar, or int vector
        A vector holds one number for each item along the axis.
    axis : int or None
        None: of the flattened array.

    Returns
    -------
    tensor
        Of the dtype of `x`.

    Examples
    --------
    >>> T.repeat([1, 2], 2).eval()
    array([1, 1, 2, 2])
    """
    x, times = as_tensor_variable(x), as_tensor_variable(repeats)
    if times.type.ndim > 1:
        raise ValueError(f"the dimension of repeats should not exceed 1, got {times.type}")
    if not dtypes.is_discrete(times.type.dtype):
        raise TypeError(f"repeats must be an integer scalar or vector, got {times.type}")
    if times.type.dtype == "uint64":
        raise TypeError(
            f"repeats of dtype uint64 are refused, as by NumPy, got {times.type}: "
            "T.cast(repeats, 'int64')"
        )
    if axis is None:
        x, axis = (x if x.type.ndim == 1 else shaping.reshape_op(x, [-1])), 0
    axis = shaping.axis_of("repeat", x, axis)
    if times.type.ndim == 1 and not times.type.broadcastable[0]:
        return whole("RepeatOp", partial(_repeated, axis), [x, times], axis=axis)
    times = dimshuffle(times, ())
    if python_int(times) == 1:
        return x
    shape = [shaping.length(x, i) for i in range(x.type.ndim)]
    order: list[Any] = list(range(x.type.ndim))
    order.insert(axis + 1, "x")
    spread = alloc(dimshuffle(x, order), *shape[: axis + 1], times, *shape[axis + 1 :])
    shape[axis] = product([shape[axis], as_length(times)])
    return shaping.reshape_op(spread, shape)


def _repeated(axis: int, x: Variable, times: Variable) -> Any:
    """Return `x` with each item along `axis` as often as `times` says for it."""
    positions = Spread()(times, shaping.length(x, axis))
    return get_item(x, (*[slice(None)] * axis, positions))


def tile(x: TensorLike, reps: TensorLike, ndim: int | None = None) -> TensorVariable:
    """Return `x` put side by side with itself.

    Parameters
    ----------
    x : tensor
    reps : int, integer scalar, sequence of them, or int vector
        How often along each axis; missing entries on the left are 1. A vector needs `ndim`.
    ndim : int, optional
        Rank of the result, at least that of `x`.

    Returns
    -------
    tensor
        Of the dtype of `x`.

    Examples
    --------
    >>> T.tile([1, 2], (2, 2)).eval()
    array([[1, 2, 1, 2],
           [1, 2, 1, 2]])
    """
    x = as_tensor_variable(x)
    if ndim is not None and ndim < x.type.ndim:
        raise ValueError(f"ndim should be equal or larger than x.ndim, got {ndim} for {x.type}")
    times = _tile_counts(reps, ndim)
    if ndim is not None and len(times) > ndim:
        raise ValueError(
            f"len(reps) should be equal or less than ndim, got {len(times)} and {ndim}"
        )
    rank = max(len(times), x.type.ndim, ndim or 0)
    times = [1] * (rank - len(times)) + times
    x = pad_left(x, rank)
    shape = [shaping.length(x, i) for i in range(rank)]
    spread = alloc(
        dimshuffle(x, [part for i in range(rank) for part in ("x", i)]),
        *(part for pair in zip(times, shape, strict=True) for part in pair),
    )
    whole = [product([n, as_length(k)]) for n, k in zip(shape, times, strict=True)]
    return shaping.reshape_op(spread, whole)


def _tile_counts(reps: TensorLike, ndim: int | None) -> list[Any]:
    if isinstance(reps, Variable) and reps.ndim == 1 and ndim is not None:
        missing = sub(ndim, shaping.length(reps, 0))
        missing = Assert(f"tile: reps has more than {ndim} items")(missing, ge(missing, 0))
        reps = join(0, alloc(np.asarray(1, "int8"), missing), reps)
        counts: list[Any] = [get_item(reps, i) for i in range(ndim)]
    elif isinstance(reps, Variable) and reps.ndim == 0:
        counts = [reps]
    else:
        if isinstance(reps, Variable) and reps.ndim > 1:
            raise ValueError(f"the dimension of reps should not exceed 1, got {reps.type}")
        counts = shape_items(reps) if isinstance(reps, Variable) or np.iterable(reps) else [reps]
    for count in counts:
        variable = as_tensor_variable(count)
        if variable.type.ndim or not dtypes.is_discrete(variable.type.dtype):
            raise ValueError(f"elements of reps must be integer scalars, got {variable.type}")
    return counts


def roll(x: TensorLike, shift: TensorLike, axis: TensorLike | None = None) -> TensorVariable:
    """Return `x` with its items moved by `shift` along `axis`; the last ones come first again.

    With `axis` None the flattened array is rolled.

    Parameters
    ----------
    x : tensor
    shift : int or scalar variable
    axis : int or None
        None: the flattened array.

    Returns
    -------
    tensor
        Of the dtype and shape of `x`.

    Examples
    --------
    >>> T.roll(T.constant([1, 2, 3], dtype="int64"), 1).eval()
    array([3, 1, 2])
    """
    x = as_tensor_variable(x)
    if axis is None:
        if x.type.ndim > 1:
            return shaping.reshape_op(
                roll(shaping.reshape_op(x, [-1]), shift, 0), shaping.shape(x), x.type.ndim
            )
        axis = 0
    axis = shaping.axis_of("roll", x, axis)
    size, shift = shaping.length(x, axis), as_tensor_variable(shift)
    if shift.type.dtype == "uint64":
        # With an int64 it would become a float.
        shift = cast(mod(shift, cast(as_tensor_variable(size), "uint64")), "int64")
    shift = shift % as_tensor_variable(size)
    before = (slice(None),) * axis
    last = get_item(x, (*before, slice(size - shift, None)))
    return join(axis, last, get_item(x, (*before, slice(None, size - shift))))


explain_functions(globals())
