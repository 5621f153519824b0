"""Local rewrites of Theano 1.0.5 of parts of arrays that are read or written.

Old programs run them by name on graphs of theirs, and `f.maker.fgraph` shows what they leave. What
runs keeps these reads and writes, which share loops with what is around them, and their errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from theano._core.ir.comparison import equal_computations
from theano._core.ir.graph import made_by
from theano._core.ir.variable import Apply, Variable
from theano._core.legacy.optimizers.local_optimizers import constant_folding, local_optimizer
from theano._core.ops.array.broadcasting import Alloc, alloc, known_value
from theano._core.ops.array.dims import as_int64
from theano._core.ops.array.index_form import join_index
from theano._core.ops.array.indexing import (
    AdvancedIncSubtensor,
    AdvancedSubtensor,
    IncSubtensor,
    Subtensor,
    slice_length,
    subtensor,
)
from theano._core.ops.array.shaping import MakeVector, ShapeOf, SpecifyShape, length
from theano._core.ops.core.op import python_int
from theano._core.ops.elementwise.arithmetic import switch
from theano._core.ops.elementwise.elementwise import Elementwise, cast

_WRITES = (IncSubtensor, AdvancedIncSubtensor)


def _entries(node: Apply) -> list[Any]:
    """Return the index of a node of `Subtensor` or `IncSubtensor`, one entry for each axis."""
    op: Any = node.op
    entries = join_index(op.index, node.inputs[op.operands :])
    return entries + [slice(None)] * (node.inputs[0].type.ndim - len(entries))


@local_optimizer(_WRITES)
def local_incsubtensor_of_zeros(node: Apply) -> Any:
    """Add no zeros to a part: ``inc_subtensor(x[i], 0)`` is ``x``."""
    adds_zero = not node.op.assign and known_value(node.inputs[1]) == 0
    return [node.inputs[0]] if adds_zero else False


@local_optimizer([IncSubtensor])
def local_setsubtensor_of_constants(node: Apply) -> Any:
    """Write no constant where it is: ``set_subtensor(zeros[i], zeros)`` is ``zeros``."""
    x, y = (known_value(v) for v in node.inputs[:2])
    same = node.op.assign and x is not None and y is not None and x == y
    return [node.inputs[0]] if same else False


@local_optimizer([IncSubtensor])
def local_useless_inc_subtensor(node: Apply) -> Any:
    """Write all of an array without writing: ``set_subtensor(x[:, ::-1], y)`` is ``y[:, ::-1]``.

    Only where `y` was said to have the shape of the array.
    """
    x, y = node.inputs[:2]
    said = made_by(y, SpecifyShape)
    if not node.op.assign or said is None or x.type.dtype != y.type.dtype:
        return False
    entries = _entries(node)
    plain = all(
        isinstance(e, slice) and (e.start, e.stop) == (None, None) and _step(e) in (1, -1)
        for e in entries
    )
    if not plain or not _is_shape(said.inputs[1], x):
        return False
    return [y if all(_step(e) == 1 for e in entries) else subtensor(y, entries)]


def _is_shape(lengths: Any, x: Any) -> bool:
    """Tell whether a vector is the shape of an array."""
    if (whole := made_by(lengths, ShapeOf)) is not None:
        return whole.inputs[0] is x
    items = made_by(lengths, MakeVector)
    return items is not None and _same(
        items.inputs, [length(x, axis) for axis in range(x.type.ndim)]
    )


def _step(entry: Any) -> int | None:
    return 1 if entry.step is None else python_int(entry.step)


def _same(one: Sequence[Any], other: Sequence[Any]) -> bool:
    return len(one) == len(other) and equal_computations(list(one), list(other))


@local_optimizer([Subtensor])
def local_subtensor_inc_subtensor(node: Apply) -> Any:
    """Read what was written to the same part: ``set_subtensor(x[i], y)[i]`` is ``y``."""
    written = made_by(node.inputs[0], IncSubtensor)
    if written is None or not written.op.assign or not _same_parts(node, written):
        return False
    y, out = written.inputs[1], node.outputs[0]
    y = y if y.type.dtype == out.type.dtype else cast(y, out.type.dtype)
    if y.type.broadcastable == out.type.broadcastable:
        return [y]
    lengths = [
        slice_length(entry, length(written.inputs[0], axis))
        for axis, entry in enumerate(_entries(node))
        if isinstance(entry, slice)
    ]
    return [alloc(y, *lengths)]


def _same_parts(one: Apply, other: Apply) -> bool:
    forms = [node.op.index for node in (one, other)]
    values = [node.inputs[node.op.operands :] for node in (one, other)]
    return forms[0] == forms[1] and _same(*values)


@local_optimizer([AdvancedSubtensor])
def local_adv_sub1_adv_inc_sub1(node: Apply) -> Any:
    """Read what was written to the same rows: ``set_subtensor(x[i], y)[i]`` is ``y``."""
    written = made_by(node.inputs[0], AdvancedIncSubtensor)
    if written is None or len(node.inputs) != 2 or len(written.inputs) != 3:
        return False
    (_, y, rows), op = written.inputs, written.op
    if not op.assign or op.axes != node.op.axes or rows is not node.inputs[1]:
        return False
    out = node.outputs[0]
    y = y if y.type.dtype == out.type.dtype else cast(y, out.type.dtype)
    return [y] if y.type.broadcastable == out.type.broadcastable else False


@local_optimizer(_WRITES)
def local_useless_inc_subtensor_alloc(node: Apply) -> Any:
    """Write a value as it is, not first one for each item: what is written is stretched."""
    x, y, *index = node.inputs
    filled = made_by(y, Alloc)
    # The lengths of the part are those of the value, or the write fails.
    return False if filled is None else [node.op(x, filled.inputs[0], *index)]


@local_optimizer([Subtensor])
def local_subtensor_lift(node: Apply) -> Any:
    """Compute the items that are read alone: ``exp(x)[i]`` is ``exp(x[i])``."""
    value = node.inputs[0]
    made = value.owner
    if (
        made is None
        or not isinstance(made.op, Elementwise)
        or len(getattr(value, "clients", ())) > 1
    ):
        return False
    whole = value.type.broadcastable
    # A scalar that is stretched has one item for each part.
    one = [all(v.type.broadcastable) and len(made.inputs) > 1 for v in made.inputs]
    if not all(o or v.type.broadcastable == whole for v, o in zip(made.inputs, one, strict=True)):
        return False
    index, rank = node.inputs[node.op.operands :], node.outputs[0].type.ndim

    def part(v: Any, is_one: bool) -> Any:
        if not is_one:
            return node.op(v, *index)
        return subtensor(v, [0] * v.type.ndim).dimshuffle(("x",) * rank)

    return [made.op(*(part(v, o) for v, o in zip(made.inputs, one, strict=True)))]


@local_optimizer([Subtensor])
def local_subtensor_merge(node: Apply) -> Any:
    """Read a part of a part at once: ``x[a:][b]`` is ``x[a + b]``."""
    inner = made_by(node.inputs[0], Subtensor)
    if inner is None:
        return False
    x, entries, rest = inner.inputs[0], [], iter(_entries(node))
    for axis, entry in enumerate(_entries(inner)):
        entries.append(
            _merged(entry, next(rest), length(x, axis)) if isinstance(entry, slice) else entry
        )
    while entries and entries[-1] == slice(None):
        entries.pop()
    return [subtensor(x, entries) if entries else x]


def _merged(first: slice, second: Any, size: Any) -> Any:
    """Return the entry that says for an axis of `size` what two do, one after the other."""
    if _is_whole(first):
        return second
    if isinstance(second, slice) and _is_whole(second):
        return first
    step, count = _number(first.step, 1), as_int64(slice_length(first, size))
    start = _first(first, size)
    if not isinstance(second, slice):
        at = as_int64(second)
        at = switch(at < 0, at + count, at)
        # One out of range stays so.
        return switch((at >= 0) & (at < count), start + at * step, as_int64(size))
    by, left = _number(second.step, 1), as_int64(slice_length(second, count))
    start, step = start + _first(second, count) * step, step * by
    stop = start + step * left
    # Before the first item, -1 would be the last one.
    stop = switch(stop < 0, -as_int64(size) - 1, stop)
    some = left > 0
    return slice(switch(some, start, 0), switch(some, stop, 0), step)


def _number(value: Any, default: int) -> Variable:
    return as_int64(default if value is None else value)


def _is_whole(entry: slice) -> bool:
    return (entry.start, entry.stop) == (None, None) and _step(entry) == 1


def _first(entry: slice, size: Any) -> Variable:
    """Return the first position of a slice of an axis of `size`."""
    size, step = as_int64(size), _number(entry.step, 1)
    back = step < 0
    if entry.start is None:
        return switch(back, size - 1, 0)
    at = as_int64(entry.start)
    at = switch(at < 0, at + size, at)
    low, high = switch(back, -1, as_int64(0)), switch(back, size - 1, size)
    return switch(at < low, low, switch(at > high, high, at))


# In the order in which they are tried.
SHOWN = (
    local_incsubtensor_of_zeros,
    local_setsubtensor_of_constants,
    local_useless_inc_subtensor,
    local_useless_inc_subtensor_alloc,
    local_subtensor_inc_subtensor,
    local_adv_sub1_adv_inc_sub1,
    local_subtensor_lift,
    local_subtensor_merge,
    constant_folding,
)
