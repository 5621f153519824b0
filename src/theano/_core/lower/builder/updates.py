"""Which shared variables are overwritten in place, and which steps therefore run last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from theano._core.ir.graph import made_by
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Variable
from theano._core.lower.builder.core import Core
from theano._core.lower.computed_again import computed
from theano._core.lower.schedule import Step, order
from theano._core.ops.array.indexing import PartialWrite
from theano._core.ops.array.products import Gemm
from theano._core.ops.core.op import shown
from theano._core.ops.elementwise.elementwise import Elementwise


def plan_updates(p: Core, steps: Sequence[Step]) -> tuple[list[Step], list[Step]]:
    """Return (steps that run first, steps that may overwrite shared variables).

    A step may write over a shared variable if every other reader of it can run before, and if
    nothing that could fail runs after. The second list is written in two halves: first all that
    may fail in any of its steps, then the work itself. Numbers need no step: they are stored last.
    """
    step_of = {node: step for step in steps for node in step.nodes}
    readers_of = _readers(steps)
    after: dict[Step, set[Step]] = {}
    late: set[Step] = set()
    counts = Counter(p.outputs)
    place = {node: i for i, step in enumerate(steps) for node in step.nodes}
    updates = zip(p.updates, p.outputs[len(p.outputs) - len(p.updates) :], strict=True)
    # Last first: what reads a new value must be late before that may be written.
    for number, out in sorted(updates, key=lambda update: -place.get(update[1].owner, -1)):
        target = p.inputs[number]
        if number not in p.overwritable or counts[out] != 1 or target in counts:
            continue
        if is_scalar_expression(out) and _can_keep_number(p, out, target):
            p.in_place[out] = target
            continue
        step = step_of.get(out.owner) if out.owner is not None else None
        chain = _written_in_turn(p, step, out, target, step_of)
        if step is None or not chain:
            continue
        readers = readers_of.get(target, set()) - {one for one, _ in chain}
        dependents = {step_of[node] for node in step.users if node in step_of}
        # What reads a join part by part is no user of the parts.
        dependents.update(*(readers_of.get(v, ()) for node in step.nodes for v in node.outputs))
        dependents -= {step}
        # INVARIANT: what must run after a late step became late before it: there is an order.
        if readers & late or dependents - late:
            continue
        for step, value in chain:
            after.setdefault(step, set()).update(readers)
            late.add(step)
            p.in_place[value] = target
    ordered = order(steps, step_of, after)
    return [s for s in ordered if s not in late], [s for s in ordered if s in late]


def is_scalar_expression(out: Any) -> bool:
    """Tell whether an output is a number that is computed in a register."""
    return not out.type.ndim and made_by(out, Elementwise) is not None


def _can_keep_number(p: Core, out: Any, target: Any) -> bool:
    """Tell whether a new number may be stored over the old one, when all else is done."""
    return target.type == out.type and all(shown(other) is not target for other in p.outputs)


def _written_in_turn(
    p: Core, step: Step | None, out: Any, target: Any, step_of: dict[Apply, Step]
) -> list[tuple[Step, Any]]:
    """Return the steps that make `out` in the memory of `target`, last first, and what they make.

    That is the step of `out`, or it and writes of other parts before, which nothing else reads.
    """
    chain: list[tuple[Step, Any]] = []
    while step is not None and (not chain or _writes_part(step, out)):
        chain.append((step, out))
        if _can_write(p, step, out, target):
            return chain
        if not _writes_part(step, out):
            break
        out, *others = step.nodes[0].inputs
        if any(shown(v) is target for v in others) or p.uses.get(out) != 1:
            break
        step = step_of.get(out.owner) if out.owner is not None else None
    return []


def _writes_part(step: Step, out: Any) -> bool:
    """Tell whether all that a step does is to make `out`, by writing a part of something."""
    (node, *others) = step.nodes
    alone = type(step) is Step and not others and node is out.owner
    return alone and isinstance(node.op, PartialWrite)


def _can_write(p: Core, step: Step, out: Variable, target: Any) -> bool:
    if not isinstance(target.type, TensorType) or out.type.dtype != target.type.dtype:
        return False
    if out in p.in_place:
        return False
    if step.is_loop:
        if not isinstance(out.owner.op, Elementwise) or step.reductions is not None:
            return False
        return all(
            variable is target and variable.type.broadcastable == out.type.broadcastable
            for node in computed(step)
            for variable in node.inputs
            if shown(variable) is target
        )
    node: Apply = step.nodes[0]
    if isinstance(node.op, (Gemm, PartialWrite)) and node is out.owner:
        return node.inputs[0] is target and all(shown(v) is not target for v in node.inputs[1:])
    return False


def _readers(steps: Sequence[Step]) -> dict[Any, set[Step]]:
    """Return the steps that read the memory of each variable."""
    readers: dict[Any, set[Step]] = {}
    for step in steps:
        for node in computed(step):
            for variable in node.inputs:
                readers.setdefault(shown(variable), set()).add(step)
    return readers
