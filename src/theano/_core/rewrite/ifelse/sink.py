"""Branches: equal conditions meet, and what one side alone needs moves into its body."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from theano._core.ir.graph import copy_graph, toposort
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.ops.control.body import Body
from theano._core.ops.control.branch import Branch, IfElse
from theano._core.rewrite.ifelse.partial_redundancy import paths_to, separate_shared
from theano._core.rewrite.inline import in_loops


def rewrite_branches(outputs: Sequence[object]) -> list[Any]:
    """Return `outputs` with every `IfElse` turned into a `Branch`, those in bodies too."""
    outputs = in_loops(outputs, rewrite_branches)
    if not any(isinstance(node.op, IfElse) for node in toposort(outputs)):
        return outputs
    outputs = separate_shared(_merged(outputs))
    while True:
        # Outer branches first: inner ones then are in their bodies.
        last = next((n for n in reversed(toposort(outputs)) if isinstance(n.op, IfElse)), None)
        if last is None:
            return outputs
        branch = _branch(last, outputs)
        outputs = copy_graph(outputs, dict(zip(last.outputs, branch, strict=True)))


def _merged(outputs: list[Variable]) -> list[Any]:
    """Return `outputs` with branches on one condition, none of which needs another, as one.

    They must be needed at the same times: otherwise all would be computed for one.
    """
    outputs = _decided(outputs)
    while True:
        groups: dict[Any, list[Apply]] = {}
        table: dict[Any, Any] = {}
        needs = paths_to(outputs)
        for node in toposort(outputs):
            if isinstance(node.op, IfElse):
                groups.setdefault((node.inputs[0], needs.get(node)), []).append(node)
        for (condition, _), nodes in groups.items():
            together = _independent(nodes)
            if len(together) < 2:
                continue
            then = [v for n in together for v in n.op.sides(n)[0]]
            otherwise = [v for n in together for v in n.op.sides(n)[1]]
            label = next((n.op.label for n in together if n.op.label), None)
            whole = IfElse(len(then), name=label).make_node(condition, *then, *otherwise)
            whole.source = together[0].source
            table = dict(zip((v for n in together for v in n.outputs), whole.outputs, strict=True))
            break
        if not table:
            return outputs
        outputs = copy_graph(outputs, table)


def _decided(outputs: list[Variable]) -> list[Any]:
    """Return `outputs` with no branch inside one on the same condition: which side is known there.

    Only what one side alone needs is looked at: nothing is computed twice.
    """
    for node in toposort(outputs):
        if not isinstance(node.op, IfElse):
            continue
        sides = [_with_side_known(node, side, outputs) for side in range(2)]
        if [*sides[0], *sides[1]] != node.inputs[1:]:
            made = node.op.make_node(node.inputs[0], *sides[0], *sides[1])
            made.source = node.source
            table = dict(zip(node.outputs, made.outputs, strict=True))
            return _decided(copy_graph(outputs, table))
    return outputs


def _with_side_known(node: Apply, side: int, outputs: Sequence[Variable]) -> list[Any]:
    """Return the values of one side of a branch, where other branches on its condition decide."""
    values = node.op.sides(node)[side]
    order = toposort(values)
    alike = {n for n in order if isinstance(n.op, IfElse) and n.inputs[0] is node.inputs[0]}
    if not alike:
        return list(values)
    own = _only_for(node, side, outputs)
    known: dict[Any, Any] = {}
    for inner in order:
        if inner in alike:
            taken = inner.op.sides(inner)[side]
            known.update((o, known.get(v, v)) for o, v in zip(inner.outputs, taken, strict=True))
        elif inner in own and any(v in known for v in inner.inputs):
            copy = inner.clone_with_new_inputs([known.get(v, v) for v in inner.inputs], False)
            known.update(zip(inner.outputs, copy.outputs, strict=True))
    return [known.get(v, v) for v in values]


def _independent(nodes: Sequence[Apply]) -> list[Apply]:
    """Return some of `nodes`, which are in topological order, of which none needs another."""
    chosen: list[Apply] = []
    for node in nodes:
        below = set(toposort(node.inputs))
        if not any(other in below for other in chosen):
            chosen.append(node)
    return chosen


def _branch(node: Apply, outputs: Sequence[Variable]) -> list[Any]:
    """Return the outputs of a branch in place of an `IfElse`."""
    condition = node.inputs[0]
    sides = node.op.sides(node)
    inside = [_only_for(node, side, outputs) for side in range(2)]
    needed: dict[Any, None] = {}
    for values, own in zip(sides, inside, strict=True):
        for variable in _read_from_outside(values, own):
            needed.setdefault(variable)
    bodies = [Body(list(needed), values).fresh() for values in sides]
    bodies = [Body(b.inputs, rewrite_branches(b.outputs)) for b in bodies]
    made = Branch(bodies[0], bodies[1], node.op.label).make_node(condition, *needed)
    made.source = node.source
    return list(made.outputs)


def _only_for(node: Apply, side: int, outputs: Sequence[Variable]) -> set[Apply]:
    """Return the nodes that nothing but one side of a branch needs."""
    count = node.op.n_outs
    first = 1 + side * count
    allowed = range(first, first + count)
    uses: dict[Any, list[tuple[Apply | None, int]]] = {}
    order = toposort(outputs)
    for client in order:
        for index, variable in enumerate(client.inputs):
            uses.setdefault(variable, []).append((client, index))
    for variable in outputs:
        uses.setdefault(variable, []).append((None, 0))
    own: set[Apply] = set()
    for candidate in reversed(order):
        clients = [use for out in candidate.outputs for use in uses.get(out, ())]
        if candidate is not node and all(
            client in own or (client is node and index in allowed) for client, index in clients
        ):
            own.add(candidate)
    return own


def _read_from_outside(values: Sequence[Variable], own: set[Apply]) -> list[Any]:
    found: dict[Any, None] = {}

    def read(variable: Variable) -> None:
        if variable.owner not in own and not isinstance(variable, Constant):
            found.setdefault(variable)

    for variable in values:
        read(variable)
    for node in toposort(values):
        if node in own:
            for variable in node.inputs:
                read(variable)
    return list(found)
