"""Parts of a join that are made where they lie in it, by the loops that compute them.

Along the first axis, an array is its part of the whole (`passes/copy_elision.py`). Along others its
rows lie apart, which the kernel of its loop has to know.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any

from theano._core.ir.variable import Apply
from theano._core.lower.joined import Joined
from theano._core.lower.schedule import Step, order
from theano._core.ops.array.creation import Join
from theano._core.ops.elementwise.elementwise import Elementwise


class MadeInPlace(Joined):
    """Loops that only make parts of a join, and the join.

    Attributes
    ----------
    parts : list of Step
        The loops, and last the step of the join.
    """

    __slots__ = ()

    writer = "made_in_place"


def make_in_place(
    steps: list[Step], uses: Mapping[Any, int], alone: Collection[Any] = ()
) -> list[Step]:
    """Return steps of which those that only make parts of a join are one with it.

    `uses` counts the steps that read each value, and the program's results. What is `alone` is made
    by a step of its own.
    """
    joins = [step for step in steps if type(step) is Step and _suits(step.nodes[0])]
    step_of = {node: step for step in steps for node in step.nodes} if joins else {}
    merged = []
    for step in joins:
        node = step.nodes[0]
        makers = dict.fromkeys(step_of[v.owner] for v in node.inputs if v.owner in step_of)
        parts = [maker for maker in makers if _only_makes(maker, node.inputs, uses)]
        if parts and not any(out in alone for part in (step, *parts) for out in _made(part)):
            merged.append(MadeInPlace([*parts, step]))
    return _with_each(merged, steps)


def _with_each(merged: Sequence[MadeInPlace], steps: list[Step]) -> list[Step]:
    """Return steps of which each of `merged` is one, but for those that would need themselves."""
    if not merged:
        return steps
    step_of = {node: step for step in (*steps, *merged) for node in step.nodes}
    with suppress(ValueError):
        return order(list(dict.fromkeys(step_of[step.nodes[0]] for step in steps)), step_of)
    half = len(merged) // 2
    return _with_each(merged[half:], _with_each(merged[:half], steps)) if half else steps


def _suits(node: Apply) -> bool:
    """Tell whether a node joins long rows along another axis than the first."""
    if not isinstance(node.op, Join) or len(set(node.inputs)) < len(node.inputs):
        return False
    out, axis = node.outputs[0].type, node.op.axis % node.outputs[0].type.ndim
    return axis > 0 and all(
        v.type.dtype == out.dtype and not v.type.broadcastable[-1] for v in node.inputs
    )


def _made(step: Step) -> list[Any]:
    return [out for node in step.nodes for out in node.outputs]


def _only_makes(step: Step, parts: Collection[Any], uses: Mapping[Any, int]) -> bool:
    """Tell whether all that is read of a loop are parts, which nothing else reads."""
    if type(step) is not Step or not step.is_loop or step.reductions is not None:
        return False
    # What reads another join part by part runs over pieces.
    if any(isinstance(node.op, Join) for node in step.again):
        return False
    read = [out for out in _made(step) if uses.get(out)]
    return all(isinstance(node.op, Elementwise) for node in step.nodes) and all(
        out in parts and uses[out] == 1 for out in read
    )
