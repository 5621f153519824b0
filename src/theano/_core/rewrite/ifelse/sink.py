"""Branches: equal conditions meet, and what one side alone needs moves into its body."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from heapq import heappop, heappush
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
    outputs, sharing = separate_shared(_merged(outputs))
    if not sharing:
        return Sinking(outputs).run()
    while True:
        # Outer branches first: in their bodies, what inner ones share is looked at again.
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
            together = _independent(nodes) if len(nodes) > 1 else nodes
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
    branches = [node for node in toposort(outputs) if isinstance(node.op, IfElse)]
    alike = Counter(node.inputs[0] for node in branches)
    for node in branches:
        if alike[node.inputs[0]] == 1:
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


class Sinking:
    """Moves what one side of a branch alone needs into its body: inner branches first.

    A branch that is made counts as one operation, and so does all that its bodies have: nothing
    is looked at, or copied, once more for each branch around it.

    Parameters
    ----------
    outputs : list of Variable
    """

    def __init__(self, outputs: list[Variable]) -> None:
        self.outputs = outputs
        self.order = toposort(outputs)
        self.rank = {node: place for place, node in enumerate(self.order)}
        # What each operation reads: of a branch, the condition and what its bodies need.
        self.inputs: dict[Apply, list[Any]] = {node: node.inputs for node in self.order}
        # How often the results of each operation are read by what is in no body.
        reads = [v.owner for node in self.order for v in node.inputs]
        self.reads = Counter(reads + [v.owner for v in outputs])
        self.branches: dict[Apply, Branch] = {}
        self.inside: set[Apply] = set()

    def run(self) -> list[Any]:
        """Return the outputs with branches in place of every `IfElse`."""
        for node in self.order:
            if isinstance(node.op, IfElse):
                self._sink(node)
        known: dict[Any, Any] = {}
        for node in self.order:
            changed = node in self.branches or any(v in known for v in node.inputs)
            if changed and node not in self.inside:
                known.update(zip(node.outputs, self._copy(node, known).outputs, strict=True))
        return [known.get(v, v) for v in self.outputs]

    def _sink(self, node: Apply) -> None:
        op: Any = node.op
        sides = op.sides(node)
        alone = [self._only_for(values) for values in sides]
        needed: dict[Any, None] = {}
        for values, own in zip(sides, alone, strict=True):
            read = [*values, *(v for inner in own for v in self.inputs[inner])]
            self.reads.subtract(v.owner for v in read)
            self.inside.update(own)
            within = set(own)
            needed.update(
                (v, None) for v in read if v.owner not in within and not isinstance(v, Constant)
            )
        bodies = [
            self._body(list(needed), values, own) for values, own in zip(sides, alone, strict=True)
        ]
        self.reads.update(v.owner for v in needed)
        self.branches[node] = Branch(bodies[0], bodies[1], op.label)
        self.inputs[node] = [node.inputs[0], *needed]

    def _only_for(self, values: Sequence[Variable]) -> list[Apply]:
        """Return the operations that nothing but `values` needs, inputs first."""
        seen: Counter[Apply] = Counter()
        waiting: list[int] = []

        def read(variables: Sequence[Variable]) -> None:
            for variable in variables:
                if variable.owner is not None:
                    if variable.owner not in seen:
                        heappush(waiting, -self.rank[variable.owner])
                    seen[variable.owner] += 1

        read(values)
        own = []
        while waiting:
            # All that may read it has been looked at.
            candidate = self.order[-heappop(waiting)]
            if seen[candidate] == self.reads[candidate]:
                own.append(candidate)
                read(self.inputs[candidate])
        return own[::-1]

    def _body(self, needed: Sequence[Any], values: Sequence[Any], own: Sequence[Apply]) -> Body:
        leaves = [v.clone() for v in needed]
        known: dict[Any, Any] = dict(zip(needed, leaves, strict=True))
        for node in own:
            known.update(zip(node.outputs, self._copy(node, known).outputs, strict=True))
        return Body(leaves, [known.get(v, v) for v in values])

    def _copy(self, node: Apply, known: dict[Any, Any]) -> Apply:
        inputs = [known.get(v, v) for v in self.inputs[node]]
        branch = self.branches.get(node)
        if branch is None:
            return node.clone_with_new_inputs(inputs, False)
        made = branch.make_node(*inputs)
        made.source = node.source
        return made
