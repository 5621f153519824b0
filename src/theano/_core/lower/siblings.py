"""Loops that read the same arrays, and do not need each other, as one: one pass over memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from theano._core.ir.graph import made_by
from theano._core.ir.variable import Variable
from theano._core.lower.computed_again import computed
from theano._core.lower.schedule import Step, merge, order
from theano._core.ops.array.indexing import Slice, Subtensor
from theano._core.ops.array.reductions import Reduction
from theano._core.ops.core.dimshuffle import DimShuffle

# Longer bodies wait for numbers more than for memory.
HEAVIEST = 48
# So many arrays at most are read or written by one loop: processors foresee as many streams.
MOST_ARRAYS = 8
# More readers of one array may be equal but for numbers, and so share a kernel as they are.
MOST_READERS = 16


def join_siblings(steps: Sequence[Step], alone: Collection[Variable]) -> list[Step]:
    """Return steps of which some are joined, in a valid order.

    One of two that are joined reads nothing that the other one does not read; and as many loops lie
    before both, so that neither needs the other, whatever else is joined. Steps that make what is
    `alone` stay so. It takes linear time, but for sorting.
    """
    read = {step: _read(step) for step in steps if _is_candidate(step, alone)}
    readers: dict[Any, int] = {}
    for arrays in read.values():
        for array, whole in arrays.items():
            readers[array] = readers.get(array, 0) + whole
    if max(readers.values(), default=0) < 2:
        return list(steps)
    step_of = {node: step for step in steps for node in step.nodes}
    depth = _depths(steps, step_of)
    last: dict[Any, Step] = {}
    joined: set[Step] = set()
    for step in sorted(read, key=lambda step: -len(read[step])):
        arrays = read[step]
        family = (depth[step], step.reductions, _is_flat(step, arrays))
        places = [
            (array, family)
            for array, whole in arrays.items()
            if whole and 1 < readers[array] <= MOST_READERS
        ]
        for other in dict.fromkeys(last[place] for place in places if place in last):
            if _may_join(step, other, read):
                merge(step, other, step_of)
                joined.add(step)
                step = other
                break
        last.update(dict.fromkeys(places, step))
    if not joined:
        return list(steps)
    return order([step for step in steps if step not in joined], step_of)


def _is_candidate(step: Step, alone: Collection[Variable]) -> bool:
    return step.is_loop and not step.again and not any(n.outputs[0] in alone for n in step.nodes)


def _read(step: Step) -> dict[Any, bool]:
    """Return the arrays that a loop reads, and whether they have an item for each of its points."""
    own = set(step.nodes)
    arrays: dict[Any, bool] = {}
    for node in step.nodes:
        reduction = isinstance(node.op, Reduction)
        for value in node.inputs:
            ones = value.type.broadcastable
            if value.owner not in own and not all(ones):
                whole = reduction or ones == node.outputs[0].type.broadcastable
                array = _columns_of(value)
                arrays[array] = whole and arrays.get(array, True)
    return arrays


def _columns_of(value: Variable) -> Any:
    """Return what stands for all columns of a matrix if a value is one: they lie side by side.

    The rows of a transpose are columns, too.
    """
    node = made_by(value, Subtensor)
    if node is None:
        return value
    matrix, rank = node.inputs[0], node.inputs[0].type.ndim
    turned, axes = made_by(matrix, DimShuffle), list(range(rank))
    if turned is not None and set(turned.op.new_order) == set(axes):
        matrix, axes = turned.inputs[0], turned.op.new_order
    along = axes.index(rank - 1)
    index = [*node.op.index, *[Slice()] * (rank - len(node.op.index))]
    others = index[:along] + index[along + 1 :]
    is_column = others and not isinstance(index[along], Slice)
    return (matrix, "columns") if is_column and all(o == Slice() for o in others) else value


def _is_flat(step: Step, arrays: Mapping[Any, bool]) -> bool:
    """Tell whether a loop runs over contiguous arrays as over vectors, however short rows are."""
    axes: Any = step.reductions or step.space
    return all(arrays.values()) and len(axes) == len(step.space or ())


def _depths(steps: Sequence[Step], step_of: Mapping[Any, Step]) -> dict[Step, int]:
    """Return how many loops at most lie between each step and what the program is given."""
    depth: dict[Step, int] = {}
    for step in steps:
        depth[step] = 0
        for node in computed(step):
            for value in node.inputs:
                maker = step_of.get(value.owner)
                if maker is not None and maker is not step:
                    depth[step] = max(depth[step], depth[maker] + maker.is_loop)
    return depth


def _may_join(step: Step, other: Step, read: Mapping[Step, dict[Any, bool]]) -> bool:
    if step.weight + other.weight > HEAVIEST:
        return False
    most = read[other].keys()
    return read[step].keys() <= most and len(most) <= MOST_ARRAYS
