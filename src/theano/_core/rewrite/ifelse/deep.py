"""Branches in branches in branches: cut, so that no body is many levels deep.

All that looks at bodies goes one level deeper with each, and there may be a thousand. Where a nest
is cut, what is below stands in a branch of its own, outside, on the condition that all sides on the
way to it are taken. Whether they are is computed level by level, each only if the one above is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from theano._core.ir.graph import copied, toposort
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.control.branch import IfElse
from theano._core.ops.elementwise.arithmetic import eq
from theano._core.rewrite.ifelse.partial_redundancy import (
    Cut,
    Guard,
    Place,
    nothing_like,
    places_of,
)

# Nests that have no more levels than this stay whole.
MOST_LEVELS = 64
# Others are cut into pieces of so many.
LEVELS = 32


def without_deep_nests(outputs: list[Variable]) -> list[Any]:
    """Return `outputs` with the nests of branches that are too deep in pieces."""
    order = toposort(outputs)
    if sum(isinstance(node.op, IfElse) for node in order) <= MOST_LEVELS:
        return outputs
    places = places_of(outputs)
    cuts = _cuts(order, outputs, places)
    if not cuts:
        return outputs
    now: dict[Any, Any] = {}
    holds: dict[Apply, Any] = {}
    needed: dict[tuple[Apply, int], Any] = {}
    for node in cuts:
        outer = None
        for branch, side in places[node]:
            if branch not in holds:
                holds[branch] = _if_needed(outer, branch.inputs[0])
            if (branch, side) not in needed:
                taken = eq(holds[branch], 0) if side else holds[branch]
                needed[branch, side] = _if_needed(outer, taken) if side else taken
            outer = needed[branch, side]
    for node in order:
        if node not in holds and node not in cuts:
            continue
        condition = holds.get(node, node.inputs[0])
        inputs = copied([condition, *node.inputs[1:]], now)
        made: Sequence[Any] = node.clone_with_new_inputs(inputs, False).outputs
        if node in cuts:
            condition = copied([needed[places[node][-1]]], now)[0]
            made = _cut(condition, made)
            made[0].owner.source = node.source
        now.update(zip(node.outputs, made, strict=True))
    # Conditions have nests of their own.
    return without_deep_nests(copied(outputs, now))


def _cuts(
    order: Sequence[Apply], outputs: Sequence[Variable], places: dict[Any, Place]
) -> dict[Apply, None]:
    """Return the branches to stand in pieces of their own: all that are needed when their place is.

    The same holds for those around them, as what is shared is not always needed where it stands.
    """
    nested = [node for node in order if isinstance(node.op, IfElse)]
    if max(len(places[node]) for node in nested) <= MOST_LEVELS:
        return {}
    certain: set[Any] = {v.owner for v in outputs}
    for node in reversed(order):
        if node not in certain and not isinstance(node.op, Guard):
            continue
        where = [places[node]] * len(node.inputs)
        if isinstance(node.op, IfElse):
            count = node.op.n_outs
            where[1:] = [(*places[node], (node, side)) for side in range(2) for _ in range(count)]
        for variable, place in zip(node.inputs, where, strict=True):
            if variable.owner is not None and places[variable.owner] == place:
                certain.add(variable.owner)
    return {
        node: None
        for node in nested
        if places[node]
        and len(places[node]) % LEVELS == 0
        and certain.issuperset([node, *(branch for branch, _ in places[node])])
        and all(isinstance(v.type, TensorType) for v in node.outputs)
    }


def _if_needed(needed: Any, condition: Any) -> Any:
    """Return a condition, or false, without computing it, if it is not needed."""
    return condition if needed is None else _cut(needed, [condition])[0]


def _cut(condition: Any, values: Sequence[Any]) -> list[Any]:
    """Return values in a branch that stays where it is."""
    nothing = [nothing_like(v) for v in values]
    return Cut(len(values)).make_node(condition, *values, *nothing).outputs
