"""Parts of what operations make: only the part is computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from theano._core.ir.graph import made_by
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.assertions import Require
from theano._core.ops.array.broadcasting import known_value
from theano._core.ops.array.creation import ARange, Join, join
from theano._core.ops.array.dims import as_int64, total
from theano._core.ops.array.index_form import SYMBOL, Slice, join_index, merged_index
from theano._core.ops.array.indexing import (
    AT,
    AdvancedSubtensor,
    IncSubtensor,
    Subtensor,
    Within,
    subtensor,
)
from theano._core.ops.array.products import Dot, dot
from theano._core.ops.core.dimshuffle import DimShuffle, dimshuffle
from theano._core.ops.core.op import python_int
from theano._core.ops.elementwise.arithmetic import eq, maximum, minimum, sub
from theano._core.ops.elementwise.elementwise import Elementwise
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.pattern import Rules
from theano._core.rewrite.rules.inc_subtensor import MOST_BETWEEN, lie_apart

# Elementwise operations in sequence through which a slice is taken at once.
FEW_LEVELS = 8

RULES = Rules("canonical")
rule = RULES.rule


@rule("set(x, y, i)[i] → y", on=Subtensor, phase="shape", keeps="exact", why="no work")
def _part_of_written(rewriter: Rewriter, node: Apply) -> Any:
    """For slices."""
    written = made_by(node.inputs[0], IncSubtensor)
    if written is None or not written.op.assign:
        return None
    y, values = written.inputs[1], written.inputs[2:]
    if written.op.index != node.op.index or values != node.inputs[1:]:
        return None
    if not all(isinstance(e, Slice) for e in node.op.index):
        return None
    part = node.outputs[0]
    if y.type != part.type or rewriter.shape(y) != rewriter.shape(part):
        return None
    return y


@rule("x[a:][b:] → x[a + b:]", on=Subtensor, phase="shape", keeps="exact", why="one view")
def _merged_parts(rewriter: Rewriter, node: Apply) -> Any:
    """For numbers, from the same end."""
    inner = made_by(node.inputs[0], Subtensor)
    if inner is None or len(inner.inputs) + len(node.inputs) > 2:
        return None
    entries = merged_index(inner.op.index, node.op.index)
    return None if entries is None else subtensor(inner.inputs[0], entries)


@rule("x[-2:][within(-1, n)] → x[-1]", on=Subtensor, phase="shape", keeps="exact", why="one view")
def _item_of_last(rewriter: Rewriter, node: Apply) -> Any:
    """For an item that is looked at to be there, of `n` in all: of a loop that keeps the last."""
    inner = made_by(node.inputs[0], Subtensor)
    at = made_by(node.inputs[1], Within) if node.op.index[0] == SYMBOL else None
    if inner is None or at is None or len(inner.inputs) > 1:
        return None
    number, (first, *others) = python_int(at.inputs[0]), inner.op.index
    if others or not isinstance(first, Slice) or first != Slice(first.start):
        return None
    if number is None or first.start is None or not first.start <= number < 0:
        return None
    if at.inputs[1] is not rewriter.shape(inner.inputs[0])[0]:
        return None
    entries = join_index(node.op.index, node.inputs[1:])
    return subtensor(inner.inputs[0], [number, *entries[1:]])


@rule("x[:, None][i] → x[i][:, None]", on=Subtensor, phase="shape", keeps="exact", why="one form")
def _part_with_new_axes(rewriter: Rewriter, node: Apply) -> Any:
    """For all of the new axes, or their one item: other rules find what the part is of."""
    view = made_by(node.inputs[0], DimShuffle)
    if view is None:
        return None
    kept = [axis for axis in view.op.new_order if axis != "x"]
    if kept != sorted(kept):
        return None
    entries = join_index(node.op.index, node.inputs[1:])
    entries += [slice(None)] * (len(view.op.new_order) - len(entries))
    (x,) = view.inputs
    taken: list[Any] = [slice(None)] * x.type.ndim
    order: list[Any] = []
    for axis, entry in zip(view.op.new_order, entries, strict=True):
        if axis == "x" and entry not in (slice(None), 0):
            return None
        if axis != "x":
            taken[axis] = entry
        if isinstance(entry, slice):
            order.append(axis)
    left = [axis for axis, entry in enumerate(taken) if isinstance(entry, slice)]
    place = {"x": "x", **{axis: index for index, axis in enumerate(left)}}
    return dimshuffle(subtensor(x, taken), [place[axis] for axis in order])


@rule("x[arange(n)] → x[:n]", on=AdvancedSubtensor, phase="shape", keeps="exact", why="one view")
def _first_rows(rewriter: Rewriter, node: Apply) -> Any:
    """For as many rows as there are, or the smaller of that and another number."""
    x, *indices = node.inputs
    count = made_by(indices[0], ARange)
    if tuple(node.op.axes) != (AT,) or count is None or count.op.dtype != "int64":
        return None
    start, stop, step = count.inputs
    if python_int(start) != 0 or python_int(step) != 1:
        return None
    length = rewriter.shape(x)[0]
    if stop is length or python_int(stop) == length:
        part = x
    elif (least := made_by(stop, minimum)) is not None and length in least.inputs:
        part = subtensor(x, [slice(None, maximum(stop, 0))])
    else:
        return None
    return part if part.type == node.outputs[0].type else None


@rule("x[i, 0] → x[:, 0][i]", on=AdvancedSubtensor, keeps="exact", why="fewer positions are read")
def _constant_positions(rewriter: Rewriter, node: Apply) -> Any:
    """Where numbers stand beside arrays of positions: a view is what these are of.

    A number outside is an error without any positions, too, as it is in native code.
    """
    x, *indices = node.inputs
    at, _, position = node.op.place(x.type.ndim)
    pairs = zip(at, indices, strict=True) if len(indices) == len(at) else ()
    numbers = {axis: python_int(known_value(v)) for axis, v in pairs if all(v.type.broadcastable)}
    numbers = {axis: number for axis, number in numbers.items() if number is not None}
    if not numbers or len(numbers) == len(at):
        return None
    left = [axis for axis in at if axis not in numbers]
    kept = range(left[-1] + 1)
    op = AdvancedSubtensor(tuple(node.op.axes[axis] for axis in kept if axis not in numbers))
    part = subtensor(x, [numbers.get(axis, slice(None)) for axis in range(max(numbers) + 1)])
    if op.place(part.type.ndim)[2] != position:
        return None
    return op(part, *(v for axis, v in zip(at, indices, strict=True) if axis not in numbers))


@rule("dot(x, y)[i, j] → dot(x[i], y[:, j])", on=Subtensor, why="only what is needed is multiplied")
def _part_of_product(rewriter: Rewriter, node: Apply) -> Any:
    whole = node.inputs[0]
    product = made_by(whole, Dot)
    if product is None or rewriter.uses.get(whole, 0) > 1:
        return None
    x, y = product.inputs
    entries = join_index(node.op.index, node.inputs[1:])
    rows = entries[: x.type.ndim - 1]
    columns = entries[x.type.ndim - 1 :]
    if rows:
        x = subtensor(x, rows)
    if columns:
        y = subtensor(y, [slice(None), *columns])
    return dot(x, y)


@rule("f(x)[i] → f(x[i])", on=Subtensor, keeps="exact", why="f is computed where it is needed")
def _part_of_function(rewriter: Rewriter, node: Apply) -> Any:
    whole = node.inputs[0]
    owner = made_by(whole, Elementwise)
    if owner is None or rewriter.uses.get(whole, 0) > 1:
        return None
    # Slices of slices would go through all of a deep graph, each by itself: the pass of slices.
    if all(isinstance(entry, Slice) for entry in node.op.index) and _deep(whole):
        return None
    entries = join_index(node.op.index, node.inputs[1:])
    parts = []
    full = [v for v in owner.inputs if not all(v.type.broadcastable)]
    # Lengths that only the operation itself checks must still be checked.
    if not full or any(
        v.type.broadcastable != whole.type.broadcastable
        or rewriter.shape(v) != rewriter.shape(full[0])
        for v in full
    ):
        return None
    for value in owner.inputs:
        if any(value is v for v in full):
            parts.append(subtensor(value, entries))
        else:
            parts.append(dimshuffle(value, ()) if value.type.ndim else value)
    return owner.op(*parts)


def _deep(x: Variable) -> bool:
    """Tell whether more than a few elementwise operations in sequence make `x`."""
    level = {x}
    for _ in range(FEW_LEVELS):
        level = {v for out in level if made_by(out, Elementwise) for v in out.owner.inputs}
    return any(made_by(v, Elementwise) for v in level)


@rule(
    "inc(zeros, y, i) → set(zeros, y, i)", on=IncSubtensor, phase="special", why="nothing is read"
)
def _write_to_zeros(rewriter: Rewriter, node: Apply) -> Any:
    """Where no item is met twice; also if other parts of the zeros, apart, were written before."""
    x, y, *values = node.inputs
    zeros, left = x, 0 if values else MOST_BETWEEN
    while made_by(zeros, IncSubtensor) and left and len(zeros.owner.inputs) == node.op.operands:
        if not lie_apart(zeros.owner.op.index, node.op.index):
            break
        zeros, left = zeros.owner.inputs[0], left - 1
    if node.op.assign or known_value(zeros) != 0:
        return None
    return IncSubtensor(node.op.index, True)(x, y, *values)


@rule(
    "join(x, y)[a:b] → join(x[a:b], y[…])",
    on=Subtensor,
    keeps="exact",
    why="only what is needed is copied, and nothing of one part",
)
def _part_of_joined(rewriter: Rewriter, node: Apply) -> Any:
    """For numbers along the axis of the join, and for all of one of the arrays."""
    one, taken = part_of_one(rewriter, node), _taken_of_join(rewriter, node)
    if one is not None or taken is None:
        return one
    arrays, axis, entries, lengths = taken
    cuts = _cuts(entries[axis], lengths)
    if cuts is None or rewriter.uses.get(node.inputs[0], 0) > 1:
        return None
    is_item = not isinstance(entries[axis], slice)
    if is_item and all(made_by(v, Subtensor) for v in arrays):
        return None
    before = [slice(None)] * axis
    parts = [subtensor(v, [*before, cut]) for v, cut in zip(arrays, cuts, strict=True)]
    # Too short for an item, it is as long as all were: an error tells.
    left = entries[axis] if is_item else slice(None)
    return subtensor(join(axis, *parts), [*entries[:axis], left, *entries[axis + 1 :]])


def part_of_one(rewriter: Rewriter, node: Apply) -> Any:
    """Return what a slice takes of a join as a part of one of its arrays: all, or an item."""
    taken = _taken_of_join(rewriter, node)
    one = None if taken is None else _one_of_joined(rewriter, taken[2][taken[1]], taken[3])
    if taken is None or one is None:
        return None
    arrays, axis, entries, _ = taken
    part = _fitting(rewriter, arrays, one[0], axis)
    return subtensor(part, [*entries[:axis], one[1], *entries[axis + 1 :]])


def _taken_of_join(
    rewriter: Rewriter, node: Apply
) -> tuple[Sequence[Any], int, list[Any], list[Any]] | None:
    """Return what is joined where a slice is of it, the axis, the entries, and the lengths."""
    whole = node.inputs[0]
    made = made_by(whole, Join)
    entries = join_index(node.op.index, node.inputs[1:])
    if made is None:
        return None
    axis, arrays = made.op.parts(made)
    if axis >= len(entries) or entries[axis] == slice(None):
        return None
    return arrays, axis, entries, [rewriter.shape(v)[axis] for v in arrays]


def _fitting(rewriter: Rewriter, values: Sequence[Variable], number: int, along: int) -> Any:
    """Return one of several arrays, checked to have the lengths of the others but for an axis."""
    value: Any = values[number]
    for other in (v for v in values if v is not value):
        pairs = zip(rewriter.shape(values[number]), rewriter.shape(other), strict=True)
        for axis, (own, wanted) in enumerate(pairs):
            if axis != along and own != wanted:
                text = f"join: lengths along axis {axis} do not fit: {{}}, {{}}"
                facts = as_int64(own), as_int64(wanted)
                value = Require(text, 2)(value, *facts, eq(*facts))
    return value


def _one_of_joined(rewriter: Rewriter, entry: Any, lengths: Sequence[Any]) -> Any:
    """Return the number of the array that an entry takes all of, or an item of, and the entry."""
    start = 0
    for index, length in enumerate(lengths):
        if isinstance(entry, slice):
            begin, last = entry.start or 0, index == len(lengths) - 1
            stop = total([start, length])
            whole = entry.stop == stop or rewriter.finished.get(entry.stop) is stop
            whole = whole or (last and entry.stop is None)
            if entry.step in (None, 1) and begin == start and whole:
                return index, slice(None)
        elif isinstance(entry, int) and isinstance(length, int) and start <= entry < start + length:
            return index, entry - start
        if not isinstance(length, int):
            return None
        start += length
    return None


def _cuts(entry: Any, lengths: Sequence[Any]) -> list[slice] | None:
    """Return what an entry needs of each of several arrays that are joined."""
    if isinstance(entry, slice):
        first, last = entry.start or 0, entry.stop
        if entry.step not in (None, 1) or not isinstance(first, int):
            return None
    elif isinstance(entry, int):
        first, last = (0, entry + 1) if entry >= 0 else (entry, None)
    else:
        return None
    if first < 0 and last is None:
        return _last_items(-first, lengths)
    if first < 0 or not isinstance(last, int) or last < 0:
        return None
    cuts, left = [], (first, last)
    for length in lengths:
        cuts.append(slice(*left))
        left = _less(left[0], length), _less(left[1], length)
    return cuts


def _last_items(count: int, lengths: Sequence[Any]) -> list[slice]:
    cuts: list[slice] = []
    left: Any = count
    for length in reversed(lengths):
        cuts.append(slice(_less(length, left), None))
        left = _less(left, length)
    return cuts[::-1]


def _less(one: Any, two: Any) -> Any:
    """Return how much a length is longer than another one."""
    if isinstance(one, int) and isinstance(two, int):
        return max(one - two, 0)
    return maximum(sub(one, two), 0)
