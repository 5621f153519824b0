"""Expressions and functions on variables, over many values at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any

from theano._core.api.conversion import as_tensor_variable
from theano._core.api.derivatives.gradients import format_like
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Variable
from theano._core.ops.array.assertions import Require
from theano._core.ops.array.dims import as_int64
from theano._core.ops.array.shaping import length, pattern_broadcast
from theano._core.ops.control.batching import Batch, RaggedRows
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.elementwise.arithmetic import eq

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike


def vectorize(
    f: Any, in_axes: Sequence[int | None] | int = 0, out_axes: TensorLike = 0, inputs: Any = None
) -> Callable[..., Any]:
    """Return a function that applies `f` to every item along an axis of its arguments at once.

    What it returns is an ordinary expression: products become products of batches, loops carry
    batches, branches on conditions that differ become selections; what has no such form is done
    item by item in a native loop. It can be differentiated, and vectorized again. In a loop with
    a condition or a number of steps that differs from item to item, those that have ended keep
    their last values while others go on; where more than the last values of such a loop is used,
    the whole function is run item by item.

    Parameters
    ----------
    f : callable, variable, or list or tuple of variables
        A function from variables to a variable, or a list or tuple of them; or such expressions,
        of the variables `inputs`. What it uses besides its arguments is the same for all items.
    in_axes : int, None, or sequence of these
        The axis of the items, for all arguments or for each; None: the argument is the same for
        all items.
    out_axes : int, None, or sequence of these
        Where the axis of the items is to be, for all results or for each; None: the result must
        be the same for all items, and has no such axis. Results of all items have one shape.
    inputs : sequence of variables, optional
        The variables of `f`, if that is an expression.

    Returns
    -------
    callable
        Takes variables or arrays, returns variables in the form that `f` returns them.

    Raises
    ------
    ValueError
        The number of axes does not fit, no argument has items, or a result differs from item to
        item although its axis is None. When the function runs: the numbers of items differ.
    IndexError
        An argument or result does not have the axis.
    TypeError
        `f` does not return variables.

    Examples
    --------
    >>> import numpy as np, theano.tensor as T
    >>> x = T.dmatrix("x")
    >>> distances = vectorize(lambda row: T.sqrt((row**2).sum()))(x)
    >>> distances.eval({x: np.array([[3.0, 4.0], [6.0, 8.0]])})
    array([ 5., 10.])
    """
    if not callable(f):
        if inputs is None:
            raise TypeError("vectorize: `inputs` must name the variables of an expression")
        return _Vectorized(lambda *_: f, in_axes, out_axes, list(inputs))
    if inputs is not None:
        raise TypeError("vectorize: `inputs` are for expressions, and `f` is a function")
    # Without the attributes of `f`, which may be such an object itself.
    return wraps(f, updated=())(_Vectorized(f, in_axes, out_axes, None))


class _Vectorized:
    """What `vectorize` returns."""

    def __init__(
        self, f: Any, in_axes: Sequence[int | None] | int, out_axes: TensorLike, inputs: Any
    ) -> None:
        self.f = f
        self.in_axes = in_axes
        self.out_axes = out_axes
        self.inputs = inputs

    def __call__(self, *arguments: Variable) -> Any:
        values = [a if isinstance(a, Variable) else as_tensor_variable(a) for a in arguments]
        axes = _per_item("in_axes", self.in_axes, len(values))
        if all(axis is None for axis in axes):
            raise ValueError("vectorize: no argument has items: all in_axes are None")
        rows = [
            None if axis is None else _rows_first(v, axis)
            for v, axis in zip(values, axes, strict=True)
        ]
        size = next(as_int64(length(r, 0)) for r in rows if r is not None)
        inner = self._inner(values, rows)
        results = self.f(*inner)
        outputs = list(results) if isinstance(results, (list, tuple)) else [results]
        for out in outputs:
            if not isinstance(out, Variable):
                raise TypeError(f"vectorize: the function returned {out!r}, which is no variable")
        table = {v: r for v, r in zip(inner, rows, strict=True) if r is not None}
        for v in list(table)[1:]:
            table[v] = _checked(table[v], size)
        same = {v: w for v, w, r in zip(inner, values, rows, strict=True) if r is None}
        batch = Batch(size, table, same)
        try:
            batch.add(outputs)
        except RaggedRows:
            batch = Batch(size, table, same)
            batch.rows.update(zip(outputs, batch.in_one_loop(outputs), strict=True))
        places = _per_item("out_axes", self.out_axes, len(outputs))
        return format_like(
            results, [_placed(batch, v, axis) for v, axis in zip(outputs, places, strict=True)]
        )

    def _inner(self, values: list[Any], rows: list[Any]) -> list[Any]:
        """Return a variable for one item of each argument."""
        if self.inputs is None:
            return [_item(v, r) for v, r in zip(values, rows, strict=True)]
        if len(self.inputs) != len(values):
            raise ValueError(
                f"vectorize: the expression has {len(self.inputs)} inputs, got {len(values)}"
            )
        for k, (v, r) in enumerate(zip(self.inputs, rows, strict=True)):
            type_ = values[k].type if r is None else r.type
            own = type_.broadcastable if r is None else type_.broadcastable[1:]
            if (v.type.dtype, v.type.ndim) != (type_.dtype, len(own)):
                raise TypeError(f"vectorize: items of {values[k]} of type {type_} are no {v.type}")
            if r is not None:
                rows[k] = pattern_broadcast(r, (False, *v.type.broadcastable))
        return self.inputs


def _item(value: Variable, rows: Variable | None) -> Any:
    """Return a variable for one item of an argument; its test value is that of the first."""
    if rows is None:
        item, test = value.type(value.name), getattr(value.tag, "test_value", None)
    else:
        item = TensorType(rows.type.dtype, rows.type.broadcastable[1:])(value.name)
        tests = getattr(rows.tag, "test_value", ())
        test = next(iter(tests), None)
    if test is not None:
        vars(item.tag)["test_value"] = test
    return item


def _per_item(name: str, axes: object, count: int) -> list[Any]:
    if not isinstance(axes, (list, tuple)):
        return [axes] * count
    if len(axes) != count:
        raise ValueError(f"vectorize: {name} is {axes}, for {count} values")
    return list(axes)


def _axis(name: str, axis: Any, rank: int, what: Variable) -> int:
    if not hasattr(axis, "__index__"):
        raise TypeError(f"vectorize: {name} is {axis!r}; an axis is a number, None for no axis")
    if not -rank <= axis < rank:
        raise IndexError(f"vectorize: {name} is {axis}, but {what} has {rank} axes")
    return axis % rank


def _rows_first(value: Variable, axis: int) -> Any:
    """Return an argument with the axis of the items in front."""
    rank = value.type.ndim
    axis = _axis("in_axes", axis, rank, value)
    rows = dimshuffle(value, [axis, *(a for a in range(rank) if a != axis)])
    return pattern_broadcast(rows, (False, *rows.type.broadcastable[1:]))


def _checked(rows: Any, size: TensorLike) -> Any:
    """Return rows, after checking that there are `size` of them."""
    fits = eq(as_int64(length(rows, 0)), size)
    return Require("vectorize: the arguments have different numbers of items")(rows, fits)


def _placed(batch: Batch, out: Variable, axis: TensorLike) -> Any:
    """Return a result with its rows along `axis`."""
    if axis is None:
        if out in batch.rows:
            raise ValueError(f"vectorize: out_axes is None, but {out} differs from item to item")
        return batch.value(out)
    value = batch.full(out)
    order = list(range(1, value.type.ndim))
    order.insert(_axis("out_axes", axis, value.type.ndim, value), 0)
    return dimshuffle(value, order)
