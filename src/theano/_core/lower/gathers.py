"""Loops that make positions, read items at these, and compute with them, as one.

Apart, they write positions and items to memory. The one loop finds the least and the largest
position as well, reads the nearest item that there is, and fails behind it if some lie outside.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any

from theano._core.ir.variable import Apply
from theano._core.lower.equal_lengths import EqualLengths
from theano._core.lower.live_values import HEAVIEST_GROUP
from theano._core.lower.schedule import Step, order
from theano._core.ops.array.indexing import AdvancedSubtensor

# Instructions of a point for reading an item, with those for each axis that has positions.
COST = 8
# So many are tried: each takes a walk over all steps.
MOST = 64


class Gathered(Step):
    """Steps that make positions, read items at these, and compute with them."""

    __slots__ = ()

    def __init__(self, parts: Sequence[Step]) -> None:
        weight = sum(part.weight for part in parts)
        super().__init__(parts[0].nodes[0], 0, None, None, weight)
        self.nodes = [node for part in parts for node in part.nodes]
        self.users = [user for part in parts for user in part.users]


def join_gathers(
    steps: Sequence[Step], lengths: EqualLengths, alone: Collection[Any]
) -> list[Step]:
    """Return steps of which some are joined, in a valid order.

    Those that make what is `alone` stay as they are.
    """
    steps = list(steps)
    if not any(is_gather(step.nodes[0]) for step in steps):
        return steps
    step_of = {node: step for step in steps for node in step.nodes}
    tries = 0
    for step in list(steps):
        parts = _parts(step, step_of, lengths, alone)
        if len(parts) < 3 or tries == MOST:
            continue
        tries += 1
        joined = Gathered(parts)
        own = step_of | dict.fromkeys(joined.nodes, joined)
        with suppress(ValueError):
            steps = order(list(dict.fromkeys(own[s.nodes[0]] for s in steps)), own)
            step_of = own
    return steps


def is_gather(node: Apply) -> bool:
    """Tell whether a node reads single items that a loop may read."""
    return (
        isinstance(node.op, AdvancedSubtensor)
        and node.op.is_checked_after(node)
        and node.inputs[0].type.ndim == len(node.op.axes)
        and not any(node.outputs[0].type.broadcastable)
    )


def _parts(
    step: Step, step_of: dict[Any, Step], lengths: EqualLengths, alone: Collection[Any]
) -> list[Step]:
    """Return the steps that a loop is joined with, and itself: two or one if that is no use."""
    if not _is_plain(step, alone):
        return []
    space = _space(step, lengths)
    gathers: dict[Step, None] = {}
    makers: dict[Step, None] = {}
    for node in step.nodes:
        for value in node.inputs:
            made = step_of.get(value.owner)
            if made is None or not is_gather(made.nodes[0]) or type(made) is not Step:
                continue
            read = made.nodes[0].op.indices(made.nodes[0])
            if any(lengths.space(v) != space for v in (*read, made.nodes[0].outputs[0])):
                continue
            gathers.setdefault(made)
            for positions in read:
                maker = step_of.get(positions.owner)
                if maker is None or maker is step or not _is_plain(maker, alone):
                    continue
                if maker.reductions is None and _space(maker, lengths) == space:
                    makers.setdefault(maker)
    parts = [*makers, *gathers, step]
    outs = {out for part in parts for node in part.nodes for out in node.outputs}
    weight = sum(part.weight for part in parts) + COST * len(gathers)
    tables = {gather.nodes[0].inputs[0] for gather in gathers}
    return [] if weight > HEAVIEST_GROUP or tables & outs else parts


def _is_plain(step: Step, alone: Collection[Any]) -> bool:
    """Tell whether a step is a loop that reduces nothing, or everything, and may be joined."""
    return (
        step.is_loop
        and not step.again
        and (step.reductions is None or len(step.reductions) == len(step.space or ()))
        and not any(out in alone for node in step.nodes for out in node.outputs)
    )


def _space(step: Step, lengths: EqualLengths) -> tuple[Any, ...]:
    return tuple(lengths.find(n) for n in step.space or ())
