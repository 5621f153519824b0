"""Loops whose results go to a part of an array: they are written there, and not copied to it.

So a stencil that updates the inside of a grid takes one pass. A loop that reads the array that its
results are a part of writes them to memory of their own: the array, which may be much larger than
the part, can then be overwritten instead of copied.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from theano._core.ir.variable import Apply
from theano._core.lower.computed_again import computed
from theano._core.lower.joined import Joined
from theano._core.lower.schedule import Step
from theano._core.ops.array.indexing import IncSubtensor, Subtensor
from theano._core.ops.core.op import shown

# Values of these are rounded before they are added, or not added.
NOT_ADDED = ("float16", "bool")


class WrittenPart(Joined):
    """A loop that makes the values of a part of an array, and the write of that part."""

    __slots__ = ()

    writer = "written_parts"


def in_written_parts(
    steps: Sequence[Step], uses: Mapping[Any, int], alone: Collection[Any], in_loop: bool
) -> list[Step]:
    """Return steps of which a loop and the write of what it makes to a part are one.

    `uses` counts the steps that read each value, and the program's results. What is `alone` is made
    by a step of its own.
    """
    loops = {n.outputs[0]: s for s in steps if type(s) is Step and s.is_loop for n in s.nodes}
    new: dict[Step, Step] = {}
    gone: set[Step] = set()
    for step in steps:
        node = step.nodes[0]
        if type(node.op) is not IncSubtensor or node.outputs[0] in alone:
            continue
        loop = loops.get(node.inputs[1])
        if loop is not None and _may_write(loop, node, uses, in_loop):
            new[step] = WrittenPart([loop, step])
            gone.add(loop)
    return [new.get(step, step) for step in steps if step not in gone]


def _may_write(loop: Step, node: Apply, uses: Mapping[Any, int], in_loop: bool) -> bool:
    """Tell whether a loop may write to the part that its one result is set to, or added to."""
    x, y, *numbers = node.inputs
    if loop.reductions is not None or uses.get(y) != 1 or (x, *numbers).count(y):
        return False
    if any(uses.get(n.outputs[0]) for n in loop.nodes if n.outputs[0] is not y):
        return False
    part = Subtensor(node.op.index).make_node(x, *numbers).outputs[0]
    if part.type != y.type or (not node.op.assign and y.type.dtype in NOT_ADDED):
        return False
    whole = shown(x)
    # Arguments are copied in any case.
    copied = not in_loop and whole.owner is None
    return copied or all(shown(v) is not whole for n in computed(loop) for v in n.inputs)
