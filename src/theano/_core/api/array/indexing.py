"""`x[...]` and its counterparts that write: `set_subtensor` and `inc_subtensor`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.api.conversion import as_tensor_variable, cast
from theano._core.base import dtypes
from theano._core.base.errors import AdvancedIndexingError
from theano._core.base.near_misses import explain_functions
from theano._core.ir import hooks
from theano._core.ir.types import TensorType, array_of, holds_array
from theano._core.ir.variable import Constant, Variable
from theano._core.ops.array import shaping
from theano._core.ops.array.broadcasting import alloc
from theano._core.ops.array.index_form import split_index
from theano._core.ops.array.indexing import (
    AT,
    FULL,
    AdvancedIncSubtensor,
    AdvancedSubtensor,
    IncSubtensor,
    Subtensor,
    is_scalar_index,
)
from theano._core.ops.array.nonzero import FitsMask, Nonzero
from theano._core.ops.array.overwriting import over
from theano._core.ops.array.slices import SliceType, parts_of
from theano._core.ops.core.dimshuffle import DimShuffle, dimshuffle, pad_left
from theano._core.ops.core.op import as_variable
from theano._core.ops.elementwise import arithmetic as a_

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike
    from theano._core.ir.tensor import TensorVariable

_BOOLS = (
    "TensorType does not support Python bools for indexing, such as tensor[[True, False]]. To use "
    "a boolean mask, convert the mask to a NumPy array first, e.g., "
    "tensor[numpy.array([True, False])]."
)


def get_item(x: object, key: Any) -> Any:
    """Return the part of `x` that `key` names, by NumPy's rules.

    Parameters
    ----------
    x : TensorVariable
    key : int, slice, None, Ellipsis, int array, range, mask, or a tuple of them
        Integers and the parts of slices may be scalar variables, arrays and masks may be
        variables.

    Raises
    ------
    IndexError
        Too many indices.
    TypeError
        An index that is not an integer, or a Python bool.
    """
    indices = key if isinstance(key, tuple) or _is_old_tuple(key) else [key]
    entries = [_as_index(entry) for entry in indices]
    if any(_holds_bool(entry) for entry in entries):
        raise TypeError(_BOOLS)
    apart = _parted_by_dots(entries)
    x, entries, new_axes = _with_axes_of_conditions(x, _expanded(x, entries))
    x, entries = _without_masks(x, entries)
    entries = _without_slice_variables(x, entries)
    arrays = any(map(_is_array, entries))
    part = _with_arrays(x, entries, apart) if arrays else _basic(x, entries)
    return _marked(part, getattr(part.tag, "index_steps", 1) + 1) if new_axes else part


def _as_index(entry: object) -> Any:
    """Return a range as the numbers in it, an array of another library as NumPy's."""
    if isinstance(entry, range):
        return list(entry)
    own = isinstance(entry, (Variable, np.ndarray, np.generic))
    return entry if own or not holds_array(entry) else array_of(entry)


def _is_old_tuple(key: object) -> bool:
    """Tell whether an index is a list that stands for a tuple, as in NumPy before 1.23."""
    return isinstance(key, list) and any(
        entry is None or entry is Ellipsis or isinstance(entry, slice) for entry in key
    )


def _holds_bool(entry: object) -> bool:
    if isinstance(entry, (list, tuple)):
        return any(_holds_bool(item) for item in entry)
    return isinstance(entry, (bool, np.bool_))


def _is_mask(entry: object) -> bool:
    dtype = getattr(entry, "dtype", None)
    return dtype is not None and str(dtype) == "bool"


def _is_array(entry: object) -> bool:
    if isinstance(entry, (list, tuple)):
        return True
    if isinstance(entry, np.ndarray):
        return entry.ndim > 0
    return isinstance(entry, Variable) and isinstance(entry.type, TensorType) and entry.ndim > 0


def _consumed(entry: Any) -> int:
    """Return how many axes of the array an entry of the index stands for."""
    if entry is None or entry is Ellipsis:
        return 0
    return entry.ndim if _is_mask(entry) else 1


def _expanded(x: Any, entries: list[Any]) -> list[Any]:
    """Return one entry per axis (None for each new one), the Ellipsis written out."""
    rank = x.type.ndim
    missing = rank - sum(_consumed(entry) for entry in entries)
    if missing < 0:
        raise IndexError(
            f"too many indices for array: {x} has {rank} dimensions, the index {entries}"
        )
    dots = [i for i, entry in enumerate(entries) if entry is Ellipsis]
    if len(dots) > 1:
        raise IndexError("an index can only have a single Ellipsis (`...`)")
    if dots:
        at = dots[0]
        return entries[:at] + [slice(None)] * missing + entries[at + 1 :]
    return entries


def _parted_by_dots(entries: Sequence[TensorLike]) -> bool:
    """Tell whether an Ellipsis stands between positions: it parts them even if it is no axis."""
    dots = [i for i, entry in enumerate(entries) if entry is Ellipsis]
    parts = (entries[: dots[0]], entries[dots[0] :]) if dots else ()
    return bool(parts) and all(
        any(
            not isinstance(entry, slice) and entry is not None and entry is not Ellipsis
            for entry in part
        )
        for part in parts
    )


def _with_axes_of_conditions(x: Any, entries: list[Any]) -> tuple[Any, list[Any], bool]:
    """Give `x` a new axis of length 1 for each mask without axes, which keeps it or nothing."""
    order: list[Any] = list(range(x.type.ndim))
    result: list[Any] = []
    at = 0
    for entry in entries:
        if _is_mask(entry) and entry.ndim == 0:
            order.insert(at, "x")
            entry = dimshuffle(as_variable(entry), ["x"])
        result.append(entry)
        at += _consumed(entry)
    changed = len(order) > x.type.ndim
    return dimshuffle(x, order) if changed else x, result, changed


def _without_masks(x: Any, entries: list[Any]) -> tuple[Any, list[Any]]:
    """Replace each mask by the positions where it holds."""
    result: list[Any] = []
    axis = 0
    for entry in entries:
        if _is_mask(entry):
            mask = as_variable(entry)
            x = FitsMask(axis)(x, mask)
            result += nonzero(mask)
        else:
            result.append(entry)
        axis += _consumed(entry)
    return x, result


def _without_slice_variables(x: object, entries: Sequence[object]) -> list[Any]:
    """Replace each variable that holds a slice by a slice of variables."""
    result: list[Any] = []
    axis = 0
    for entry in entries:
        held = isinstance(entry, Variable) and isinstance(entry.type, SliceType)
        result.append(parts_of(entry, shaping.length(x, axis)) if held else entry)
        axis += entry is not None
    return result


def _unstretched(positions: np.ndarray) -> Any:
    """Return positions as a constant whose length does not count as declared."""
    type_ = TensorType("int64", (False,))
    return type_.constant_class(type_, positions.astype("int64"))


def nonzero(a: TensorLike, return_matrix: bool = False) -> Any:
    """Return where the items of `a` are not zero, in C order.

    Parameters
    ----------
    a : tensor, at least one axis
    return_matrix : bool
        Whether to return one int64 matrix, one row per axis.

    Returns
    -------
    tuple of TensorVariable
        One int64 vector per axis of `a`, as an index of `a`.

    Raises
    ------
    ValueError
        `a` is a scalar.

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.nonzero(x)[0].eval({x: [0.0, 3.0, 4.0]})
    array([1, 2])
    """
    x = as_tensor_variable(a)
    if isinstance(x, Constant) and x.type.ndim and not return_matrix:
        return tuple(_unstretched(where) for where in np.nonzero(x.data))
    matrix = Nonzero()(x)
    return matrix if return_matrix else tuple(get_item(matrix, i) for i in range(x.type.ndim))


def flatnonzero(a: TensorLike) -> TensorVariable:
    """Return where the items of the flattened `a` are not zero, an int64 vector.

    Parameters
    ----------
    a : tensor

    Returns
    -------
    tensor, int64 vector

    Examples
    --------
    >>> x = T.dmatrix("x")
    >>> T.flatnonzero(x).eval({x: [[0.0, 1.0], [2.0, 0.0]]})
    array([1, 2])
    """
    x = as_tensor_variable(a)
    if x.type.ndim == 0:
        raise ValueError("Nonzero only supports non-scalar arrays.")
    return nonzero(x if x.type.ndim == 1 else shaping.reshape_op(x, [-1]))[0]


def nonzero_values(a: TensorLike) -> TensorVariable:
    """Return the items of `a` that are not zero, in C order, a vector.

    Parameters
    ----------
    a : tensor

    Returns
    -------
    tensor, vector
        Of the dtype of `a`.

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.nonzero_values(x).eval({x: [0.0, 1.0, 2.0]})
    array([1., 2.])
    """
    x = as_tensor_variable(a)
    return get_item(x if x.type.ndim == 1 else shaping.reshape_op(x, [-1]), flatnonzero(x))


def _basic(x: Any, entries: Sequence[object]) -> Any:
    """Return a view: integers, slices and new axes.

    As in Theano 1.0.5, new axes come first, and an index that has some says all axes of the result
    if those that it leaves out are broadcastable: a column `[:, None]` is a column.
    """
    if all(entry is not None for entry in entries):
        return _part(x, entries)
    axes = iter(range(x.type.ndim))
    order = ["x" if entry is None else next(axes) for entry in entries]
    rest = list(axes)
    view = dimshuffle(x, order if all(x.type.broadcastable[a] for a in rest) else order + rest)
    kept = [slice(None) if entry is None else entry for entry in entries]
    if all(isinstance(entry, slice) and entry == slice(None) for entry in kept):
        # Said even of one node: it is an index, which `set_subtensor` takes, not just a view.
        view.tag.index_steps = 1
        return view
    return _marked(_part(view, kept), 2)


def _part(x: object, entries: Sequence[object]) -> Any:
    form, values = split_index([_basic_entry(e) for e in entries], hooks.index_constant)
    return Subtensor(form)(x, *values)


def _basic_entry(entry: object) -> Any:
    if isinstance(entry, slice):
        return slice(*(_integer(part) for part in (entry.start, entry.stop, entry.step)))
    return _integer(entry)


def _integer(value: object) -> Any:
    """Return a part of a basic index if it is None or an integer."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if value is None or is_scalar_index(value):
        return value
    if isinstance(value, Variable) and isinstance(value.type, TensorType) and value.ndim == 0:
        raise TypeError(f"Expected an integer, got {value} of type {value.type}")
    raise AdvancedIndexingError(
        f"index must be integers or a boolean mask, got {value!r} of type {type(value).__name__}"
    )


def _with_arrays(x: Any, entries: Sequence[TensorLike], apart: bool) -> Any:
    """Return a copy: the slices are taken first, then the arrays address what is left.

    `apart` says that the axes of the arrays come first although the arrays are neighbours.
    """
    steps = 1
    real = [entry for entry in entries if entry is not None]
    slices = [entry if isinstance(entry, slice) else slice(None) for entry in real]
    while slices and slices[-1] == slice(None):
        slices.pop()
    if slices:
        x = _part(x, slices)
        steps += 1
    where = tuple(FULL if isinstance(entry, slice) else AT for entry in real)
    last = max(i for i, kind in enumerate(where) if kind == AT)
    op = AdvancedSubtensor(where[: last + 1])
    items = op(x, *(_positions(e) for e in real if not isinstance(e, slice)))
    order = _axes_in_order(op.place(x.type.ndim)[2], items, entries, apart)
    if order != list(range(items.type.ndim)):
        items = dimshuffle(items, order)
        steps += 1
    return _marked(items, steps)


def _axes_in_order(
    start: int, items: Variable, entries: Sequence[TensorLike], apart: bool
) -> list[Any]:
    """Return the axes of gathered `items`, which has those of the arrays from `start` on, in order.

    The axes of the arrays stand where the arrays stood if these are neighbours, else in front.
    """
    stop = start + items.owner.inputs[1].type.ndim
    rest = iter([axis for axis in range(items.type.ndim) if not start <= axis < stop])
    at = [i for i, e in enumerate(entries) if e is not None and not isinstance(e, slice)]
    apart = apart or at != list(range(at[0], at[-1] + 1))
    order: list[Any] = list(range(start, stop)) if apart else []
    for index, entry in enumerate(entries):
        if entry is None:
            order.append("x")
        elif isinstance(entry, slice):
            order.append(next(rest))
        elif index == at[0] and not apart:
            order += range(start, stop)
    return order + list(rest)


def _positions(entry: TensorLike) -> Any:
    if isinstance(entry, (list, tuple)) and not entry:
        return np.zeros(0, dtype="int64")
    if isinstance(entry, str) or not (_is_array(entry) or is_scalar_index(entry)):
        entry = _integer(entry)
    return as_variable(entry)


def _marked(view: Variable, steps: int) -> Any:
    # One index may have made several nodes; `set_subtensor` must go back through all of them.
    if steps > 1:
        view.tag.index_steps = steps
    return view


def set_subtensor(
    x: TensorLike, y: object, inplace: bool = False, tolerate_inplace_aliasing: bool = False
) -> TensorVariable:
    """Return the indexed array with the part `x` replaced by `y`.

    Parameters
    ----------
    x : TensorVariable
        An index expression, such as ``a[0]``, ``a[:, i]`` or ``a[[1, 2]]``.
    y : tensor
        Broadcasts to the shape of `x`; it is converted to its dtype.
    inplace : bool
        Whether the result is written to ``a`` where that is an argument of a function; see
        `theano.tensor.inplace`.
    tolerate_inplace_aliasing : bool
        Of no effect.

    Returns
    -------
    TensorVariable
        Of the type of ``a``, which itself does not change.

    Raises
    ------
    TypeError
        `x` is not an index expression, or `y` has more axes than it.

    Examples
    --------
    >>> import theano.tensor as T
    >>> a = T.vector('a')
    >>> T.set_subtensor(a[1:], 0).eval({a: [1, 2, 3]})
    array([1., 0., 0.])
    """
    return inc_subtensor(x, y, inplace, set_instead_of_inc=True)


def inc_subtensor(
    x: TensorLike,
    y: object,
    inplace: bool = False,
    set_instead_of_inc: bool = False,
    tolerate_inplace_aliasing: bool = False,
) -> TensorVariable:
    """Return the indexed array with `y` added to the part `x`; positions given twice count twice.

    Parameters and errors are those of `set_subtensor`; `set_instead_of_inc` replaces instead.

    Parameters
    ----------
    x : tensor
        What an index of another tensor gave, such as ``v[2:4]``.
    y : tensor
        Of the shape of `x`, or broadcast to it.
    inplace, tolerate_inplace_aliasing : bool
        As of `set_subtensor`.
    set_instead_of_inc : bool
        Whether to set the part, as `set_subtensor` does.

    Returns
    -------
    tensor
        Of the dtype and shape of the indexed array.

    Examples
    --------
    >>> x, i = T.dvector("x"), T.lvector("i")
    >>> T.inc_subtensor(x[i], 1.0).eval({x: [0.0, 0.0], i: [0, 0, 1]})
    array([2., 1.])
    """
    result = _write(x, y, set_instead_of_inc)
    return over(result.owner.inputs[0] if inplace else None, result)


_NOT_INDEXED = "x must be the result of a subtensor operation, such as a[0], got {}"


def _write(x: object, y: Any, assign: bool) -> Any:
    if not isinstance(x, Variable) or x.owner is None:
        raise TypeError(_NOT_INDEXED.format(x))
    y = as_tensor_variable(y)
    if y.type.ndim > x.type.ndim:
        raise TypeError(
            f"Trying to increment a {x.type.ndim}-dimensional subtensor with a {y.type.ndim}-"
            "dimensional value."
        )
    for axis in range(1, y.type.ndim + 1):
        if x.type.broadcastable[-axis] and not y.type.broadcastable[-axis]:
            y = shaping.pattern_broadcast(y, _one_at(y.type.broadcastable, y.type.ndim - axis))
    y = _same_item_type(y, x.type.dtype)
    steps = getattr(x.tag, "index_steps", 0)
    return _write_back(x, y, assign, max(steps, 1), steps > 0)


def _one_at(pattern: tuple[bool, ...], axis: int) -> tuple[bool, ...]:
    return (*pattern[:axis], True, *pattern[axis + 1 :])


def _same_item_type(y: Any, dtype: str) -> Any:
    if y.type.dtype == dtype:
        return y
    if dtypes.is_complex(y.type.dtype) and not dtypes.is_complex(dtype):
        raise TypeError(f"Trying to increment a {dtype} subtensor with a value of {y.type.dtype}.")
    return cast(y, dtype)


def _write_back(x: Any, y: object, assign: bool, steps: int, indexed: bool) -> Any:
    """Return the array that `x` is a part of, `steps` nodes up, with `y` written to the part.

    `indexed` says that one index made all of these nodes; else `x` may be another view of a part.
    """
    node = x.owner
    op, base = node.op, node.inputs[0] if node.inputs else None
    if isinstance(op, AdvancedSubtensor) and not isinstance(op, AdvancedIncSubtensor):
        written = AdvancedIncSubtensor(op.axes, assign)(base, y, *node.inputs[1:])
    elif isinstance(op, Subtensor):
        written = IncSubtensor(op.index, assign)(base, y, *node.inputs[1:])
    elif isinstance(op, FitsMask):
        return _write_back(base, y, assign, steps, indexed)
    elif isinstance(op, DimShuffle):
        return _through_axes(x, y, assign, steps, indexed)
    elif isinstance(op, shaping.Reshape):
        return _through_reshape(x, y, assign)
    else:
        raise TypeError(_NOT_INDEXED.format(x))
    # What an inner step took was a part, too: the new part is put in its place.
    return written if steps == 1 else _write_back(base, written, True, steps - 1, indexed)


def _through_axes(x: Any, y: Any, assign: bool, steps: int, indexed: bool) -> Any:
    op, base = x.owner.op, x.owner.inputs[0]
    y = pad_left(y, x.type.ndim)
    back: list[Any] = ["x"] * base.type.ndim
    for position, axis in enumerate(op.new_order):
        if axis != "x":
            back[axis] = position
    dropped = [i for i, axis in enumerate(op.new_order) if axis == "x"]
    y = shaping.pattern_broadcast(
        y, [one or i in dropped for i, one in enumerate(y.type.broadcastable)]
    )
    value = dimshuffle(y, back)
    if steps > 1:
        return _write_back(base, value, assign, steps - 1, indexed)
    if indexed:
        # What is left of the index are new axes only: all of the array is written.
        return _filled(base, value) if assign else a_.add(base, value)
    written = _write(base, value, assign)
    same_rank = op.input_broadcastable == written.type.broadcastable
    # A permutation the user made: the result is seen the same way, as in Theano.
    return op(written) if same_rank and not dropped else written


def _filled(base: Variable, value: Variable) -> Any:
    return IncSubtensor((), True)(base, value)


def _through_reshape(x: Any, y: Any, assign: bool) -> Any:
    base = x.owner.inputs[0]
    shape = [shaping.length(x, axis) for axis in range(x.type.ndim)]
    whole = alloc(y, *shape) if y.type.broadcastable != x.type.broadcastable else y
    return _write(base, shaping.reshape_op(whole, shaping.shape(base), base.type.ndim), assign)


def take(
    a: TensorLike, indices: TensorLike, axis: TensorLike | None = None, mode: str = "raise"
) -> TensorVariable:
    """Return the items of `a` at `indices` along `axis`.

    Parameters
    ----------
    a : tensor
    indices : int tensor, any shape
    axis : int or None
        None: of the flattened array.
    mode : {'raise', 'wrap', 'clip'}
        What becomes of positions outside: IndexError, counted modulo the length, or the nearest.

    Returns
    -------
    TensorVariable, shape ``a.shape[:axis] + indices.shape + a.shape[axis + 1:]``

    Examples
    --------
    >>> x = T.dmatrix("x")
    >>> T.take(x, [1, 1], axis=0).eval({x: [[1.0, 2.0], [3.0, 4.0]]})
    array([[3., 4.],
           [3., 4.]])
    """
    x, positions = as_tensor_variable(a), as_tensor_variable(indices)
    if axis is None:
        x, axis = shaping.reshape_op(x, [-1]), 0
    axis = shaping.axis_of("take", x, axis)
    size = shaping.length(x, axis)
    if mode == "wrap":
        positions = a_.mod(cast(positions, "int64"), size)
    elif mode == "clip":
        positions = a_.clip(cast(positions, "int64"), 0, a_.sub(size, 1))
    elif mode != "raise":
        raise ValueError(f"take: mode must be 'raise', 'wrap' or 'clip', got {mode!r}")
    index: Any = (*[slice(None)] * (axis or 0), positions)
    return get_item(x, index)


explain_functions(globals())
