"""Branches: equal conditions meet, and what one side alone needs moves into its body."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from typing import Any

from theano._core.ir.graph import copied, toposort
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.ops.control.body import Body
from theano._core.ops.control.branch import Branch, IfElse
from theano._core.rewrite.ifelse.deep import without_deep_nests
from theano._core.rewrite.ifelse.partial_redundancy import (
    Cut,
    Place,
    paths_to,
    places_of,
    separate_shared,
)
from theano._core.rewrite.inline import in_loops


def rewrite_branches(outputs: Sequence[object]) -> list[Any]:
    """Return `outputs` with every `IfElse` turned into a `Branch`, those in bodies too."""
    outputs = in_loops(outputs, rewrite_branches)
    if not any(isinstance(node.op, IfElse) for node in toposort(outputs)):
        return outputs
    outputs = without_deep_nests(_merged(_decided(outputs)))
    return Sinking(*separate_shared(outputs)).run()


def _decided(outputs: list[Variable]) -> list[Any]:
    """Return `outputs` with no branch inside one on the same condition: which side is known there.

    Only what one side alone needs is looked at: nothing is computed twice.
    """
    order = toposort(outputs)
    conditions = [node.inputs[0] for node in order if isinstance(node.op, IfElse)]
    if len(set(conditions)) == len(conditions):
        return outputs
    places = places_of(outputs)
    decided: dict[Place, dict[Variable, int]] = {}
    now: dict[Any, Any] = {}
    changed = False

    def taken(variable: Variable, place: Place) -> Any:
        nonlocal changed
        if place not in decided:
            decided[place] = {branch.inputs[0]: side for branch, side in reversed(place)}
        node = variable.owner
        while node is not None and isinstance(node.op, IfElse):
            side = decided[place].get(node.inputs[0])
            if side is None:
                break
            variable = node.op.sides(node)[side][node.outputs.index(variable)]
            node, changed = variable.owner, True
        return now.get(variable, variable)

    for node in order:
        where = [places[node]] * len(node.inputs)
        if isinstance(node.op, IfElse):
            count = node.op.n_outs
            where[1:] = [(*places[node], (node, side)) for side in range(2) for _ in range(count)]
        inputs = [taken(v, place) for v, place in zip(node.inputs, where, strict=True)]
        if any(a is not b for a, b in zip(inputs, node.inputs, strict=True)):
            copy = node.clone_with_new_inputs(inputs, False)
            now.update(zip(node.outputs, copy.outputs, strict=True))
    return _decided([now.get(v, v) for v in outputs]) if changed else outputs


def _merged(outputs: list[Variable]) -> list[Any]:
    """Return `outputs` with branches on one condition, none of which needs another, as one.

    They must be needed at the same times: otherwise all would be computed for one.
    """
    needs = paths_to(outputs)
    order = toposort(outputs)
    keys: dict[Apply, object] = {
        n: (n.inputs[0], needs.get(n)) for n in order if isinstance(n.op, IfElse)
    }
    now: dict[Any, Any] = {}
    for nodes in _together(order, keys):
        if len(nodes) > 1:
            sides = [[v for n in nodes for v in n.op.sides(n)[side]] for side in range(2)]
            label = next((n.op.label for n in nodes if n.op.label), None)
            inputs = copied([nodes[0].inputs[0], *sides[0], *sides[1]], now)
            whole = IfElse(len(sides[0]), name=label).make_node(*inputs)
            whole.source = nodes[0].source
            now.update(zip((v for n in nodes for v in n.outputs), whole.outputs, strict=True))
    return copied(outputs, now)


def _together(order: Sequence[Apply], keys: dict[Apply, object]) -> Iterator[list[Apply]]:
    """Yield the nodes that have keys, in lists of equal keys; none needs another, or a later one.

    A node waits until all with its key are ready, or nothing else is: there are few lists.
    """
    makers = {node: {v.owner for v in node.inputs if v.owner is not None} for node in order}
    missing = {node: len(makers[node]) for node in order}
    clients: dict[Apply, list[Apply]] = {node: [] for node in order}
    for node in order:
        for maker in makers[node]:
            clients[maker].append(node)
    left = Counter(keys.values())
    waiting: dict[object, list[Apply]] = {}
    complete: dict[object, None] = {}
    ready = deque(node for node in order if not missing[node])
    while ready or waiting:
        if not ready:
            key = next(iter(complete or waiting))
            complete.pop(key, None)
            made = waiting.pop(key)
            left[key] -= len(made)
            yield made
        elif ready[0] in keys:
            node = ready.popleft()
            waiting.setdefault(keys[node], []).append(node)
            if len(waiting[keys[node]]) == left[keys[node]]:
                complete[keys[node]] = None
            continue
        else:
            made = [ready.popleft()]
        for client in (client for node in made for client in clients[node]):
            missing[client] -= 1
            if not missing[client]:
                ready.append(client)


class Sinking:
    """Moves what one side of a branch alone needs into its body.

    Inner branches first: a branch that is made counts as one operation, and so does all that its
    bodies have: nothing is looked at, or copied, once more for each branch around it. But where
    branches share costly values, outer ones alone: in a body, what is shared is looked at anew.

    Parameters
    ----------
    outputs : list of Variable
    sharing : bool
        Whether branches share costly values.
    """

    def __init__(self, outputs: list[Variable], sharing: bool) -> None:
        self.outputs = outputs
        self.sharing = sharing
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
        for node in reversed(self.order) if self.sharing else self.order:
            if isinstance(node.op, IfElse) and node not in self.inside:
                self._sink(node)
        copies: dict[Any, Any] = {}
        for node in self.order:
            changed = node in self.branches or any(v in copies for v in node.inputs)
            if changed and node not in self.inside:
                copies.update(zip(node.outputs, self._copy(node, copies).outputs, strict=True))
        return [copies.get(v, v) for v in self.outputs]

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
            if seen[candidate] == self.reads[candidate] and not isinstance(candidate.op, Cut):
                own.append(candidate)
                read(self.inputs[candidate])
        return own[::-1]

    def _body(self, needed: Sequence[Any], values: Sequence[Any], own: Sequence[Apply]) -> Body:
        leaves = [v.clone() for v in needed]
        copies: dict[Any, Any] = dict(zip(needed, leaves, strict=True))
        for node in own:
            copies.update(zip(node.outputs, self._copy(node, copies).outputs, strict=True))
        outputs = [copies.get(v, v) for v in values]
        return Body(leaves, rewrite_branches(outputs) if self.sharing else outputs)

    def _copy(self, node: Apply, copies: dict[Any, Any]) -> Apply:
        inputs = [copies.get(v, v) for v in self.inputs[node]]
        branch = self.branches.get(node)
        if branch is None:
            return node.clone_with_new_inputs(inputs, False)
        made = branch.make_node(*inputs)
        made.source = node.source
        return made
