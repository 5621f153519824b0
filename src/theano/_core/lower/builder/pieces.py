"""Joins that only loops read are not made: the loops run over each of their parts in turn.

An array that is rolled by one item is its last item and the rest, joined. A loop that reads it
beside the array itself runs over two pieces, in each of which it reads views. Where pieces begin is
known when the program runs; so one loop over pieces is written, which chooses addresses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from theano._core.base.records import Record
from theano._core.ir.graph import made_by
from theano._core.ir.variable import Apply
from theano._core.lower.arrays import Array, Size
from theano._core.lower.builder import views
from theano._core.lower.builder.core import Core
from theano._core.lower.computed_again import step_inputs
from theano._core.lower.schedule import Step
from theano._core.ops.array.creation import Join
from theano._core.ops.array.indexing import Subtensor

# So many places along an axis at most where a part ends.
MOST_CUTS = 4
# Along more axes there would be very many pieces.
MOST_AXES = 2


def read_in_pieces(p: Core, steps: Sequence[Any]) -> list[Any]:
    """Return steps without those that make joins which loops may read in pieces."""
    made_by = {
        step.nodes[0].outputs[0]: step
        for step in steps
        if isinstance(step, Step) and isinstance(step.nodes[0].op, Join) and _suits(step.nodes[0])
    }
    readers: dict[Any, list[Any]] = {v: [] for v in made_by}
    for step in steps if made_by else ():
        for v in step_inputs(step):
            if v in readers:
                readers[v].append(step)
    gone = set()
    for v, step in made_by.items():
        node = step.nodes[0]
        if len(readers[v]) != p.uses[v] or not all(_may_read(s, node) for s in readers[v]):
            continue
        gone.add(step)
        for reader in readers[v]:
            before = set(step_inputs(reader))
            reader.again[node] = None
            for new in set(step_inputs(reader)) - before:
                p.uses[new] += 1
        for read in step_inputs(step):
            p.uses[read] -= 1
        p.uses[v] = 0
    return [step for step in steps if step not in gone]


def _suits(node: Apply) -> bool:
    out = node.outputs[0].type
    if any(v.type.dtype != out.dtype for v in node.inputs) or any(out.broadcastable):
        return False
    if _axis(node) < out.ndim - 1:
        return True
    # Short rows fill no vectors. Those of one array that is rolled are long but for one piece.
    parts = [made_by(v, Subtensor) for v in node.inputs]
    return len({part.inputs[0] if part else None for part in parts}) == 1 and None not in parts


def _may_read(step: Any, node: Apply) -> bool:
    if not isinstance(step, Step) or not step.is_loop or step.reductions is not None:
        return False
    every = [node, *(n for n in step.again if isinstance(n.op, Join))]
    cuts = sum(len(n.inputs) - 1 for n in every if _axis(n) == _axis(node))
    return cuts <= MOST_CUTS and len({_axis(n) for n in every}) <= MOST_AXES


def _axis(node: Apply) -> int:
    return node.op.axis % node.outputs[0].type.ndim


def check(p: Core, node: Apply) -> None:
    """Check the lengths of what a join is of."""
    views.joint_shape(p, node, [p.value(v) for v in node.inputs], _axis(node))


class _Joined(Record):
    """The parts of a join, and where each begins along its axis."""

    axis: int
    parts: list[Array]
    starts: list[Size]


def run(
    p: Core,
    write: Callable[..., object],
    shape: Sequence[Size],
    arrays: Sequence[Array | Apply],
    outs: Sequence[Array],
) -> None:
    """Write a loop over pieces, in each of which it reads one part of each join.

    `write(lengths, arrays, outs, [])` writes the loop for one.
    """
    operands = [_joined(p, a) if isinstance(a, Apply) else a for a in arrays]
    cuts: dict[int, dict[Size, None]] = {}
    for operand in operands:
        if isinstance(operand, _Joined):
            cuts.setdefault(operand.axis, {}).update(dict.fromkeys(operand.starts[1:]))
        # Known before the loop, behind which they may be needed as well.
        for array in operand.parts if isinstance(operand, _Joined) else [operand]:
            p.pointer(array)
            p.strides(array)
    for out in outs:
        p.pointer(out)
        p.strides(out)
    bounds = {a: [0, *in_order(p, list(places)), shape[a]] for a, places in sorted(cuts.items())}
    with each_piece(p, shape, bounds) as (piece, lengths):
        here = [_part(p, operand, piece, lengths) for operand in operands]
        write(lengths, here, [_part(p, out, piece, lengths) for out in outs], [])


@contextmanager
def each_piece(
    p: Core, shape: Sequence[Size], bounds: Mapping[int, Sequence[Size]]
) -> Iterator[tuple[dict[int, Size], list[Size]]]:
    """Write a loop over the pieces between places along some axes.

    Gives where a piece begins by axis, and its lengths.
    """
    with ExitStack() as stack:
        begin: dict[int, Size] = {}
        lengths = list(shape)
        for axis, places in bounds.items():
            number = stack.enter_context(p.counted(len(places) - 1))
            begin[axis] = _pick(p, number, places[:-1])
            lengths[axis] = p.let("sub", _pick(p, number, places[1:]), begin[axis])
        yield begin, lengths


def _joined(p: Core, node: Apply) -> _Joined:
    parts, axis = [p.value(v) for v in node.inputs], _axis(node)
    starts: list[Size] = [0]
    for part in parts[:-1]:
        starts.append(p.plus(starts[-1], part.shape[axis]))
    return _Joined(axis, parts, starts)


def in_order(p: Core, places: list[Size]) -> list[Size]:
    """Return places from the first to the last."""
    for end in range(len(places) - 1, 0, -1):
        for i in range(end):
            one, two = places[i : i + 2]
            places[i : i + 2] = p.let("minimum", one, two), p.let("maximum", one, two)
    return places


def _pick(p: Core, number: Size, values: Sequence[Size]) -> Size:
    """Return the value of that number."""
    result = values[-1]
    for i in reversed(range(len(values) - 1)):
        result = p.let("select", p.let("eq", number, i), values[i], result)
    return result


def _part(
    p: Core, operand: Array | _Joined, piece: dict[int, Size], lengths: Sequence[Size]
) -> Array:
    """Return what is read or written of an array in a piece."""
    begin: dict[int, Size] = dict(piece)
    if isinstance(operand, _Joined):
        return _moved(p, _chosen(p, operand, begin), begin, lengths)
    return _moved(p, operand, begin, lengths)


def _chosen(p: Core, operand: _Joined, begin: dict[int, Size]) -> Array:
    """Return the part of a join that a piece lies in; it begins at another place of that part.

    Its length is that of the join: a part of one item is moved along as others are.
    """
    axis, parts, starts = operand
    here = begin[axis]
    chosen = parts[-1]
    data, steps, start = p.pointer(chosen), list(p.strides(chosen)), starts[-1]
    flag = chosen.contiguous
    for part, own, end in reversed(list(zip(parts[:-1], starts[:-1], starts[1:], strict=True))):
        inside = p.let("lt", here, end)
        data = p.let("select", inside, p.pointer(part), data, type="ptr")
        steps = [
            one if one == two else p.let("select", inside, one, two)
            for one, two in zip(p.strides(part), steps, strict=True)
        ]
        start, flag = p.let("select", inside, own, start), p.both(flag, part.contiguous)
    begin[axis] = p.let("sub", here, start)
    # A part that is broadcast has steps of 0, and is not packed.
    flag = flag if not any(part.broadcast_axes for part in parts) else False
    shape = list(chosen.shape)
    shape[axis] = p.plus(starts[-1], shape[axis])
    return Array(chosen.dtype, tuple(shape), data, tuple(steps), flag)


def _moved(p: Core, array: Array, begin: dict[int, Size], lengths: Sequence[Size]) -> Array:
    # Numbers that equal loops differ in have no axes.
    if not array.ndim:
        return array
    data, shape, steps = p.pointer(array), list(array.shape), p.strides(array)
    for axis, start in begin.items():
        # What broadcasts has one item there.
        if shape[axis] != 1 and axis not in array.broadcast_axes:
            data = views.moved(p, data, p.let("mul", start, steps[axis]))
        if shape[axis] != 1:
            shape[axis] = lengths[axis]
    contiguous = array.contiguous if set(begin) == {0} else False
    return Array(array.dtype, tuple(shape), data, steps, contiguous, array.broadcast_axes)
