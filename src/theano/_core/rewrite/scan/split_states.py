"""States whose steps write them part by part, as `stack` does: each part is a state of its own.

Programs hold the few numbers of a system in one array, `x[0]`, `x[1]` and so on, and stack what a
step makes of them. Between the stack and the next read of a part nothing needs the array: the parts
are handed on in registers, or as whole columns, and one kernel makes them all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import numpy as np

from theano._core.ir.graph import made_by
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.ops.array.assertions import Require
from theano._core.ops.array.creation import Join, join
from theano._core.ops.array.dims import as_int64
from theano._core.ops.array.index_form import SYMBOL, Slice, shortened
from theano._core.ops.array.indexing import IncSubtensor, Subtensor
from theano._core.ops.array.shaping import (
    Length,
    MakeVector,
    Rebroadcast,
    length,
    pattern_broadcast,
)
from theano._core.ops.control.scan_state import is_rows
from theano._core.ops.core.dimshuffle import DimShuffle, dimshuffle, without_axis
from theano._core.ops.core.naming import plain_class
from theano._core.ops.elementwise.arithmetic import add, eq
from theano._core.ops.elementwise.elementwise import Elementwise
from theano._core.rewrite.engine import Rewriter, conform
from theano._core.rewrite.scan.mutable_loop import MutableLoop, MutableState, Uses

# A state has so many parts at most: each is computed by text of its own.
MOST_PARTS = 8
# Of longer bodies, no state is split.
MOST_NODES = 400
_WHOLE = Slice()


class _Unfit(Exception):
    """A step needs the whole state."""


def split_states(loop: MutableLoop, uses: Uses) -> dict[Any, Any] | None:
    """Hand on the parts of a state one by one, where steps read and write them so."""
    if len(loop.nodes()) > MOST_NODES:
        return None
    for state in loop.states:
        if not state.taps or not is_rows(state.value):
            continue
        for axis, count in _places(loop, state):
            try:
                parts = _Parts(loop, state, axis, count)
                return _split(loop, state, parts)
            except _Unfit:
                continue
    return None


def _places(loop: MutableLoop, state: MutableState) -> Iterator[tuple[int, int]]:
    """Return the axes that may be split, and their lengths."""
    taps = set(state.taps.values())
    readers = [n for n in loop.nodes() if not taps.isdisjoint(n.inputs)]
    if not all(plain_class(type(n.op)) in _RULES or isinstance(n.op, Elementwise) for n in readers):
        return
    lengths: Any = None
    for axis, count in dict.fromkeys(_written(state.value, loop.inputs)):
        if count is None:
            lengths = lengths or Rewriter().shape(state.initial)
            count = lengths[axis + 1]
        if isinstance(count, int) and 2 <= count <= MOST_PARTS:
            yield axis, count


def _written(value: Variable, inputs: Collection[Variable]) -> list[tuple[int, int | None]]:
    """Return the axes along which a value is put together of parts, and of how many, if known."""
    # For each value on the way: where its axes are in the end.
    stack: list[tuple[Any, tuple[int, ...]]] = [(value, tuple(range(value.type.ndim)))]
    seen: set[Any] = set()
    written: list[tuple[int, int | None]] = []
    while stack:
        variable, places = stack.pop()
        node = variable.owner
        if node is None or variable in seen or variable in inputs:
            continue
        seen.add(variable)
        op = node.op
        if isinstance(op, Join):
            axis, arrays = op.parts(node)
            single = all(v.type.broadcastable[axis] for v in arrays)
            written.append((places[axis], len(arrays) if single else None))
        elif isinstance(op, MakeVector):
            written.append((places[0], len(node.inputs)))
        elif isinstance(op, IncSubtensor):
            written += [(places[a], None) for a, entry in enumerate(op.index) if entry != _WHOLE]
            stack.append((node.inputs[0], places))
        elif isinstance(op, DimShuffle) and not op.dropped and "x" not in op.new_order:
            back = [op.new_order.index(a) for a in range(len(op.new_order))]
            stack.append((node.inputs[0], tuple(places[a] for a in back)))
        elif isinstance(op, Elementwise):
            stack += [(v, places) for v in node.inputs]
    return written


class _Columns:
    """What a value of the body is: its items along an axis."""

    __slots__ = ("axis", "items")

    def __init__(self, axis: int, items: list[Any]) -> None:
        self.axis = axis
        self.items = items


class _Parts:
    """The body of a loop over the parts of a state.

    Attributes
    ----------
    axis, count : int
    taps : dict of int to list of variables
        The parts of each tap.
    columns : dict of Variable to _Columns
        What is there by its items.
    whole : dict of Variable to Variable
        What is there as it was, of what depends on the state.
    """

    def __init__(self, loop: MutableLoop, state: MutableState, axis: int, count: int) -> None:
        self.axis, self.count = axis, count
        self.taps = {
            k: [_part_of(tap, axis) for _ in range(count)] for k, tap in state.taps.items()
        }
        self.columns = {state.taps[k]: _Columns(axis, parts) for k, parts in self.taps.items()}
        self.whole: dict[Any, Any] = {}
        for node in loop.nodes():
            if any(v in self.columns or v in self.whole for v in node.inputs):
                self._add(node)

    def roots(self, values: list[Any]) -> list[Any]:
        """Return what values of the body are now."""
        return [self._value(v) for v in values]

    def of(self, value: Variable) -> list[Any]:
        """Return the parts of the new value of the state."""
        columns = self.columns.get(value)
        if columns is None or columns.axis != self.axis or len(columns.items) != self.count:
            raise _Unfit
        return columns.items

    def _add(self, node: Apply) -> None:
        if isinstance(node.op, Elementwise):
            rule: Callable[..., Any] | None = _Parts._elementwise
        else:
            rule = _RULES.get(plain_class(type(node.op)))
        missing = not all(map(self._is_whole, node.inputs))
        if not missing:
            inputs = [self.whole.get(v, v) for v in node.inputs]
            fresh = node.clone_with_new_inputs(inputs, strict=False)
            self.whole.update(zip(node.outputs, fresh.outputs, strict=True))
        if rule is not None and (missing or rule in _SOURCES):
            made = rule(self, node)
            if isinstance(made, _Columns):
                self.columns[node.outputs[0]] = made
            elif made is not None:
                self.whole[node.outputs[0]] = made
                missing = False
        if missing and node.outputs[0] not in self.columns:
            raise _Unfit

    def _is_whole(self, variable: Variable) -> bool:
        return variable in self.whole or variable not in self.columns

    def _value(self, variable: Variable) -> Any:
        if not self._is_whole(variable):
            raise _Unfit
        return self.whole.get(variable, variable)

    # -- operations: each returns columns, a whole value, or None where it has neither -----------

    def _elementwise(self, node: Apply) -> _Columns | None:
        columns = [self.columns[v] for v in node.inputs if v in self.columns]
        if not columns or len(node.outputs) > 1:
            return None
        axis, count = columns[0].axis, len(columns[0].items)
        # Of numbers, those in one vector would be computed at once.
        dear = node.outputs[0].type.ndim == 1 and count > 1 and node.rules.is_dear(node)
        if dear or any(c.axis != axis or len(c.items) != count for c in columns):
            return None
        inputs = [self._along(v, axis, count) for v in node.inputs]
        return _Columns(
            axis, [node.op.make_node(*row).outputs[0] for row in zip(*inputs, strict=True)]
        )

    def _along(self, variable: Variable, axis: int, count: int) -> list[Any]:
        """Return the items of an operand, along an axis of so many."""
        if variable in self.columns:
            return self.columns[variable].items
        value = self._value(variable)
        if isinstance(value, Constant):
            return _items_of_constant(value, axis, count)
        if value.type.broadcastable[axis]:
            return [without_axis(value, axis)] * count
        size = length(value, axis)
        if size != count and isinstance(size, int):
            raise _Unfit
        if size != count:
            value = _of_length(value, axis, count)
        return [_item(value, axis, j) for j in range(count)]

    def _permuted(self, node: Apply) -> _Columns | None:
        columns = self.columns.get(node.inputs[0])
        if columns is None:
            return None
        axis, order = columns.axis, node.op.new_order
        left = [a if a == "x" else a - (a > axis) for a in order if a != axis]
        if axis not in order:
            return None
        items = [dimshuffle(v, left) for v in columns.items]
        return _Columns(order.index(axis), items)

    def _joined(self, node: Apply) -> _Columns | None:
        axis, arrays = node.op.parts(node)
        columns = [self.columns[v] for v in arrays if v in self.columns]
        single = all(v.type.broadcastable[axis] for v in arrays)
        if single or all(c.axis == axis for c in columns):
            return self._stacked(node, axis, arrays)
        first = columns[0]
        same = all(c.axis == first.axis and len(c.items) == len(first.items) for c in columns)
        if not same or len(columns) < len(arrays):
            return None
        op = Join(axis - (first.axis < axis))
        rows = zip(*(c.items for c in columns), strict=True)
        return _Columns(first.axis, [op(*row) for row in rows])

    def _stacked(self, node: Apply, axis: int, arrays: Sequence[Variable]) -> _Columns | None:
        """Return the items of what is joined along the axis of the columns."""
        items: list[Any] = []
        for array in arrays:
            if array.type.broadcastable[axis] and self._is_whole(array):
                items.append(without_axis(self._value(array), axis))
            elif array in self.columns and self.columns[array].axis == axis:
                items += self.columns[array].items
            else:
                return None
        same = all(v.type.dtype == node.outputs[0].type.dtype for v in items)
        return _Columns(axis, items) if same else None

    def _vector(self, node: Apply) -> _Columns | None:
        return _Columns(0, [self._value(v) for v in node.inputs])

    def _selected(self, node: Apply) -> Any:
        columns = self.columns.get(node.inputs[0])
        if columns is None:
            return None
        axis, index = columns.axis, _full_index(node)
        entry, rest = index[axis], (*index[:axis], *index[axis + 1 :])
        values = [self._value(v) for v in node.inputs[1:]]
        chosen = _chosen(entry, len(columns.items))
        if chosen is None:
            return None
        items = [_indexed(columns.items[j], rest, values) for j in chosen]
        if not isinstance(entry, Slice):
            return items[0]
        before = sum(isinstance(e, Slice) for e in index[:axis])
        return _Columns(before, items)

    def _written_to(self, node: Apply) -> _Columns | None:
        columns = self.columns.get(node.inputs[0])
        if columns is None:
            return None
        axis, index = columns.axis, _full_index(node)
        entry, rest = index[axis], (*index[:axis], *index[axis + 1 :])
        chosen = _chosen(entry, len(columns.items))
        if chosen is None:
            return None
        values = [self._value(v) for v in node.inputs[2:]]
        y = node.inputs[1]
        if isinstance(entry, Slice):
            # The axis of the value, counted from the last one.
            behind = sum(isinstance(e, Slice) for e in index[axis:])
            if y.type.ndim < behind:
                ys = [self._value(y)] * len(chosen)
            else:
                ys = self._along(y, y.type.ndim - behind, len(chosen))
        else:
            ys = [self._value(y)]
        items = list(columns.items)
        for j, new in zip(chosen, ys, strict=True):
            items[j] = _put(node.op, items[j], new, rest, values)
        return _Columns(axis, items)

    def _declared(self, node: Apply) -> Any:
        columns = self.columns.get(node.inputs[0])
        if columns is None:
            return None
        axis, pattern = columns.axis, node.op.pattern
        rest = (*pattern[:axis], *pattern[axis + 1 :])
        items = [pattern_broadcast(v, rest) for v in columns.items]
        if not pattern[axis]:
            return _Columns(axis, items)
        return _with_axis(items[0], axis) if len(items) == 1 else None

    def _measured(self, node: Apply) -> Any:
        columns = self.columns.get(node.inputs[0])
        if columns is None:
            return None
        if node.op.axis == columns.axis:
            return as_int64(len(columns.items))
        return as_int64(length(columns.items[0], node.op.axis - (columns.axis < node.op.axis)))


# By classes of operations; `Elementwise` has many.
_RULES: dict[type, Callable[[_Parts, Apply], Any]] = {
    DimShuffle: _Parts._permuted,
    Join: _Parts._joined,
    MakeVector: _Parts._vector,
    Subtensor: _Parts._selected,
    IncSubtensor: _Parts._written_to,
    Rebroadcast: _Parts._declared,
    Length: _Parts._measured,
}
# Rules whose results are columns, too, where all operands are there as they were.
_SOURCES = (_Parts._elementwise, _Parts._joined, _Parts._vector, _Parts._permuted)


def _part_of(tap: Variable, axis: int) -> Any:
    pattern = tap.type.broadcastable
    if pattern[axis]:
        raise _Unfit
    return TensorType(tap.type.dtype, (*pattern[:axis], *pattern[axis + 1 :]))()


def _items_of_constant(value: Constant, axis: int, count: int) -> list[Any]:
    pattern = value.type.broadcastable
    if not pattern[axis] and value.data.shape[axis] != count:
        raise _Unfit
    type_ = TensorType(value.type.dtype, (*pattern[:axis], *pattern[axis + 1 :]))
    rows = np.moveaxis(value.data, axis, 0)
    made = [type_.constant_class(type_, np.array(row, order="C")) for row in rows]
    return made * count if pattern[axis] else made


def _with_axis(item: Variable, axis: int) -> Any:
    order: list[Any] = list(range(item.type.ndim))
    return dimshuffle(item, [*order[:axis], "x", *order[axis:]])


def _item(value: Variable, axis: int, number: int) -> Any:
    return Subtensor((*[_WHOLE] * axis, number))(value)


def _of_length(value: Variable, axis: int, count: int) -> Any:
    """Return `value`, checked to have so many items along an axis."""
    facts = as_int64(length(value, axis)), as_int64(count)
    text = f"Input dimension mis-match. (shape[{axis}] = {{}}, parts = {{}})"
    return Require(text, 2)(value, *facts, eq(*facts))


def _full_index(node: Apply) -> list[Any]:
    rank = node.inputs[0].type.ndim
    return [*node.op.index, *[_WHOLE] * (rank - len(node.op.index))]


def _chosen(entry: Any, count: int) -> list[int] | None:
    """Return the numbers of the items that an entry of an index selects, if it is known."""
    parts = (entry.start, entry.stop, entry.step) if isinstance(entry, Slice) else (entry,)
    if SYMBOL in parts:
        return None
    if isinstance(entry, Slice):
        return list(range(count))[slice(entry.start, entry.stop, entry.step)] or None
    return [entry % count] if -count <= entry < count else None


def _indexed(item: Variable, index: tuple[Any, ...], values: list[Any]) -> Any:
    index = shortened(index)
    return Subtensor(index)(item, *values) if index else item


def _put(op: IncSubtensor, item: Variable, new: Variable, rest: Any, values: list[Any]) -> Any:
    """Return an item with a value set, or added, to a part of it or all."""
    index = shortened(rest)
    if not index and new.type == item.type and (not op.assign or not item.type.ndim):
        return new if op.assign else add(item, new)
    return op.indexed(rest)(item, new, *values)


def _split(loop: MutableLoop, state: MutableState, parts: _Parts) -> dict[Any, Any]:
    """Return what replaces the outputs of a loop, one state of which is so many now."""
    axis, count = parts.axis, parts.count
    first = next(iter(parts.taps.values()))
    values = [conform(v, tap) for v, tap in zip(parts.of(state.value), first, strict=True)]
    if any(v.type != t.type for v, t in zip(values, first, strict=True)):
        raise _Unfit
    others = [s for s in loop.states if s is not state]
    roots = parts.roots([s.value for s in others])
    condition = None if loop.condition is None else parts.roots([loop.condition])[0]
    initial = state.initial
    size = Rewriter().shape(initial)[axis + 1]
    if isinstance(size, int) and size != count:
        raise _Unfit
    if size != count:
        initial = _of_length(initial, axis + 1, count)
    made = []
    for number, value in enumerate(values):
        taps = {k: rows[number] for k, rows in parts.taps.items()}
        label = f"{state.label}, part {number}"
        start = _item(initial, axis + 1, number)
        # A part replaces nothing by itself.
        made.append(MutableState(taps, start, value, state.keep, value.type(), label))
    for other, root in zip(others, roots, strict=True):
        other.value = root
    loop.condition = condition
    place = loop.states.index(state)
    loop.states[place : place + 1] = made
    table = loop.build()
    rows = [_with_axis(table.pop(s.output), axis + 1) for s in made]
    table[state.output] = join(axis + 1, *rows)
    return table


def split_sequences(loop: MutableLoop, uses: Uses) -> bool:
    """Read the parts of joined rows, such as those of states that were split, where they lie."""
    table: dict[Any, Any] = {}
    for item, rows in list(loop.sequences.items()):
        places = _parts_of_rows(rows)
        readers = [n for n in loop.nodes() if item in n.inputs]
        if places is None or item in loop.roots or not readers:
            continue
        axis, count = places
        if not all(_reads_part(n, axis - 1, count) for n in readers):
            continue
        for node in readers:
            number, (out,) = node.op.index[axis - 1] % count, node.outputs
            table[out] = part = out.clone()
            loop.sequences[part] = _item(rows, axis, number)
    if table:
        loop.substitute(table)
    return bool(table)


def _parts_of_rows(rows: Variable) -> tuple[int, int] | None:
    """Return the axis along which rows are joined of single parts, and how many they are."""
    while (view := made_by(rows, Subtensor)) is not None:
        if len(view.op.index) != 1 or not isinstance(view.op.index[0], Slice):
            return None
        rows = view.inputs[0]
    node = made_by(rows, Join)
    if node is None:
        return None
    axis, arrays = node.op.parts(node)
    single = all(v.type.broadcastable[axis] for v in arrays)
    return (axis, len(arrays)) if axis and single else None


def _reads_part(node: Apply, axis: int, count: int) -> bool:
    """Tell whether a node reads one part of an item, all of it."""
    if not isinstance(node.op, Subtensor):
        return False
    index = shortened(node.op.index)
    whole = len(index) == axis + 1 and all(entry == _WHOLE for entry in index[:-1])
    return whole and isinstance(index[axis], int) and -count <= index[axis] < count
