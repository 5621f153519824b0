"""Reductions over more axes than others of the same loop: over these first, then over the rest.

All reductions of a loop are over the same axes. A loss is the sum of all items, the gradients by a
scale and a bias are sums of columns: as loops of their own, these read from memory what the first
made.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from theano._core.base.dtypes import itemsize
from theano._core.ir.graph import copied, toposort
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.reductions import Reduction
from theano._core.ops.core.dimshuffle import DimShuffle
from theano._core.ops.elementwise.elementwise import Elementwise

# Bytes of each point that need not be in memory then, for which it pays: reductions of columns keep
# more accumulators than a reduction of everything does.
LEAST_SAVED = 12
# Longer loops are not one.
HEAVIEST = 96


def in_nested_reductions(outputs: Sequence[Variable]) -> list[Any]:
    """Return `outputs` with reductions in two where others of fewer axes then share the loop."""
    nodes = toposort(outputs)
    level = _levels(nodes)
    groups: dict[Any, list[Apply]] = {}
    for node in nodes:
        if isinstance(node.op, Reduction) and node.inputs[0].type.ndim > 1:
            place = level[node] - 1, node.inputs[0].type.broadcastable
            groups.setdefault(place, []).append(node)
    several = [group for group in groups.values() if len({_axes(node) for node in group}) > 1]
    if not several:
        return list(outputs)
    last = _read_at(nodes, level) | dict.fromkeys(outputs, len(nodes))
    first: dict[Apply, tuple[int, ...]] = {}
    for group in several:
        for reductions, made in _sharing(group):
            first |= _in_two(reductions, made, last, level)
    table: dict[Any, Any] = {}
    for node, axes in sorted(first.items(), key=lambda item: level[item[0]]):
        (operand,) = copied(node.inputs, table)
        table[node.outputs[0]] = _nested(node, axes, operand)
    return copied(outputs, table)


def _axes(node: Apply) -> tuple[int, ...]:
    axes: tuple[int, ...] = node.op.axes(node.inputs[0].type.ndim)
    return axes


def _nested(node: Apply, axes: Sequence[int], operand: Variable) -> Any:
    acc, out = node.op.types(operand.type.dtype)
    kept = [axis for axis in range(operand.type.ndim) if axis not in axes]
    rest = [n for n, axis in enumerate(kept) if axis in _axes(node)]
    inner = Reduction(node.op.kind, axes, acc, acc)(operand)
    whole = Reduction(node.op.kind, rest, out, acc)(inner)
    for value in (inner, whole):
        value.owner.source = value.source = node.source
    return whole


def _levels(nodes: Sequence[Apply]) -> dict[Any, int]:
    """Return how many loops each node waits for at least: a reduction is known behind its own."""
    level: dict[Any, int] = {}
    for node in nodes:
        before = max((level.get(v.owner, 0) for v in node.inputs), default=0)
        level[node] = before + (not isinstance(node.op, (Elementwise, DimShuffle)))
    return level


def _read_at(nodes: Sequence[Apply], level: Mapping[Any, int]) -> dict[Variable, int]:
    """Return the last level at which each value is read: reductions read at that of their loop."""
    last: dict[Variable, int] = {}
    for node in nodes:
        loop = level[node] - isinstance(node.op, Reduction)
        for value in node.inputs:
            last[value] = max(last.get(value, 0), loop)
    return last


def _sharing(group: Sequence[Apply]) -> list[tuple[list[Apply], set[Variable]]]:
    """Return the reductions of a group by what of their loops they share, and what these make."""
    place: dict[Variable, tuple[list[Apply], set[Variable]]] = {}
    for node in group:
        made = _made(node)
        others = {id(place[v]): place[v] for v in made if v in place}.values()
        reductions = [node, *(each for other, _ in others for each in other)]
        own = reductions, made.union(*(more for _, more in others))
        place |= dict.fromkeys(own[1], own)
    return [own for own in {id(own): own for own in place.values()}.values() if len(own[0]) > 1]


def _made(node: Apply) -> set[Variable]:
    """Return what elementwise operations make for each point of the loop of a reduction."""
    made: set[Variable] = set()
    waiting = list(node.inputs)
    pattern = waiting[0].type.broadcastable
    while waiting and len(made) < HEAVIEST:
        value = waiting.pop()
        maker: Any = value.owner
        if maker is None or value in made or not isinstance(maker.op, Elementwise):
            continue
        if value.type.broadcastable == pattern:
            made.add(value)
            waiting += maker.inputs
    return made


def _in_two(
    reductions: Sequence[Apply],
    made: Collection[Variable],
    last: Mapping[Variable, int],
    level: Mapping[Any, int],
) -> dict[Apply, tuple[int, ...]]:
    """Return the reductions that pay in two, and over which axes they are first."""
    makers: list[Any] = [value.owner for value in made]
    if sum(maker.op.cost for maker in makers) + len(reductions) > HEAVIEST:
        return {}
    saved: dict[tuple[int, ...], set[Variable]] = {}
    for reduction in reductions:
        (operand,) = reduction.inputs
        if operand in made and last[operand] < level[reduction]:
            saved.setdefault(_axes(reduction), set()).add(operand)
    size = {axes: sum(itemsize(v.type.dtype) for v in values) for axes, values in saved.items()}
    first_axes: dict[Apply, tuple[int, ...]] = {}
    for reduction in reductions:
        fewer = [axes for axes in size if set(axes) < set(_axes(reduction))]
        best = max(fewer, key=size.__getitem__, default=())
        if best and size[best] >= LEAST_SAVED and reduction.op.reducer.identity is not None:
            first_axes[reduction] = best
    return first_axes
