"""Loops that compute the same states become one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import is_not, or_
from typing import Any

from theano._core.ir.graph import copy_graph, toposort
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.ops.control.scan import Loop
from theano._core.ops.control.scan_state import ALL, NEW, is_rows
from theano._core.rewrite.scan.mutable_loop import MutableLoop, MutableState


def merge_loops(outputs: Sequence[Variable]) -> list[Any]:
    """Return `outputs` with loops over the same steps that share states merged."""
    outputs = list(outputs)
    while True:
        table = _merges(outputs)
        if not table:
            return outputs
        outputs = _replaced(outputs, table)


def _merges(outputs: Sequence[Variable]) -> dict[Any, Any]:
    """Return what replaces the outputs of pairs of loops; each loop is in one pair at most."""
    table: dict[Any, Any] = {}
    earlier: dict[Any, list[Apply]] = {}
    # The number of each loop, and bits of the loops that it is or needs, once pairs are merged.
    number_of: dict[Apply, int] = {}
    closed: list[int] = []
    # Bits of the loops that a node needs, as long as there are no pairs.
    needs: dict[Apply | None, int] = {None: 0}
    paired: set[Apply] = set()
    for node in toposort(outputs):
        needs[node] = above = reduce(or_, [needs[v.owner] for v in node.inputs], 0)
        if not isinstance(node.op, Loop) or node.op.watch is not None:
            continue
        own = number_of[node] = len(closed)
        needs[node] |= 1 << own
        below = (bits for n, bits in enumerate(closed) if above >> n & 1)
        closed.append(reduce(or_, below, 1 << own))
        marks = _marks(MutableLoop(node))
        # Loops that end early run the same steps if their conditions are equal.
        marks = [(node.inputs[0], m) for m in (marks[-1:] if node.op.until else marks)]
        for first in dict.fromkeys(n for mark in marks for n in earlier.get(mark, ())):
            other = number_of[first]
            apart = not (closed[own] >> other & 1 or closed[other] >> own & 1)
            if first not in paired and apart and first.op.until == node.op.until:
                pair = _merged(first, node)
                if pair is not None:
                    table |= pair
                    paired |= {first, node}
                    both = closed[own] | closed[other]
                    one = 1 << own | 1 << other
                    closed = [bits | both if bits & one else bits for bits in closed]
                    break
        for mark in marks:
            earlier.setdefault(mark, []).append(node)
    return table


def _replaced(outputs: Sequence[Variable], table: dict[Any, Any]) -> list[Any]:
    """Return `outputs` with variables replaced, in what replaces others too.

    INVARIANT: none is needed by what replaces it.
    """
    made: dict[Apply, list[Variable]] = {}

    def now(variable: Variable) -> Any:
        new = table.get(variable, variable)
        return new if new.owner is None else made[new.owner][new.index]

    waiting = [table.get(v, v).owner for v in outputs]
    while waiting:
        node = waiting[-1]
        if node is None or node in made:
            waiting.pop()
            continue
        owners = (table.get(v, v).owner for v in node.inputs)
        missing = [owner for owner in owners if owner is not None and owner not in made]
        waiting += missing
        if not missing:
            inputs = list(map(now, node.inputs))
            same = not any(map(is_not, inputs, node.inputs))
            made[node] = (node if same else node.clone_with_new_inputs(inputs, False)).outputs
    return list(map(now, outputs))


def _marks(loop: MutableLoop) -> list[Any]:
    """Return what two loops have in common if they can be merged: one mark of each.

    A mark of a state, or of the condition, is what it computes with any rows as those before.
    """
    marks: dict[Any, Any] = {}
    for inside in (loop.sequences, loop.fixed):
        marks.update((v, hash((id(o), v.type))) for v, o in inside.items())
    for state in loop.states:
        marks.update((tap, hash((k, tap.type))) for k, tap in state.taps.items())

    def mark(variable: Variable) -> Any:
        constant = isinstance(variable, Constant)
        return hash(variable.signature()) if constant else marks.get(variable, id(variable))

    for node in loop.nodes():
        if node.rules.pure:
            own = hash((node.op, *map(mark, node.inputs)))
            marks.update((out, hash((own, i))) for i, out in enumerate(node.outputs))
    states = [(s.initial, tuple(s.taps), s.value.type, mark(s.value)) for s in loop.states]
    return states if loop.condition is None else [*states, mark(loop.condition)]


def _merged(first: Apply, second: Apply) -> dict[Any, Any] | None:
    """Return replacements for the outputs of two loops, or None if they stay two."""
    one = MutableLoop(first)
    fresh = second.op.replaced(second.op.body.fresh()).make_node(*second.inputs)
    two = MutableLoop(fresh)
    pairs = _equal_states(one, two)
    equivalents = _mapping(one, two, pairs)
    if one.condition is not two.condition:
        if equivalents.get(two.condition) is not one.condition:
            return None
    elif not pairs:
        return None
    mine = {state.output: state.keep for state in one.states}
    partners = {b.output: a for a, b in pairs}
    for a, b in pairs:
        if a.keep != b.keep:
            a.keep = ALL
    _take_over(one, two, equivalents, partners)
    one.progress = one.progress or two.progress
    table = one.build()
    result = {out: _rows(table, _state_of(one, out), keep) for out, keep in mine.items()}
    for state, out in zip(two.states, second.outputs, strict=False):
        a = partners.get(state.output)
        result[out] = table[state.output] if a is None else _rows(table, a, state.keep)
    if one.condition is not None:
        result[first.outputs[-1]] = result[second.outputs[-1]] = table[first.outputs[-1]]
    return result


def _take_over(
    one: MutableLoop,
    two: MutableLoop,
    equivalents: dict[Variable, Variable],
    partners: dict[Variable, MutableState],
) -> None:
    """Add to the first loop what only the second has."""
    for state in two.states:
        if state.output not in partners:
            value = copy_graph([state.value], equivalents)[0]
            one.states.append(
                MutableState(
                    state.taps, state.initial, value, state.keep, state.output, state.label
                )
            )
    for inputs, more in ((one.sequences, two.sequences), (one.fixed, two.fixed)):
        inputs.update((v, o) for v, o in more.items() if v not in equivalents)


def _state_of(loop: MutableLoop, output: Variable) -> MutableState:
    return next(state for state in loop.states if state.output is output)


def _rows(table: dict[Variable, Variable], state: MutableState, keep: Any) -> Any:
    """Return the rows that `keep` asks for, of those that a state keeps."""
    rows = table[state.output]
    if keep == state.keep or not is_rows(state.value):
        return rows
    depth = max(state.taps, default=0)
    return rows[depth:] if keep == NEW else rows[-keep:]


def _equal_states(one: MutableLoop, two: MutableLoop) -> list[tuple[MutableState, MutableState]]:
    """Return the pairs of states that have the same value at every step.

    All that have equal marks are taken to be equal; what then turns out different is not.
    """
    mine: dict[Any, list[MutableState]] = {}
    for mark, a in zip(_marks(one), one.states, strict=False):
        mine.setdefault(mark, []).append(a)
    pairs: list[tuple[MutableState, MutableState]] = []
    for mark, b in zip(_marks(two), two.states, strict=False):
        if mine.get(mark):
            pairs.append((mine[mark].pop(0), b))
    while True:
        equivalents = _mapping(one, two, pairs)
        right = [(a, b) for a, b in pairs if equivalents.get(b.value, b.value) is a.value]
        if len(right) == len(pairs):
            return pairs
        pairs = right


def _mapping(
    one: MutableLoop, two: MutableLoop, pairs: Sequence[tuple[MutableState, MutableState]]
) -> dict[Any, Any]:
    """Return variables of the second body that mean variables of the first."""
    equivalents: dict[Any, Any] = {}
    for mine, theirs in ((one.sequences, two.sequences), (one.fixed, two.fixed)):
        inner = {(o, v.type): v for v, o in mine.items()}
        for v, o in theirs.items():
            if (o, v.type) in inner:
                equivalents[v] = inner[o, v.type]
    for a, b in pairs:
        equivalents.update((tap, a.taps[distance]) for distance, tap in b.taps.items())

    def name(variable: Variable) -> Any:
        return variable.signature() if isinstance(variable, Constant) else variable

    table = {(n.op, *(name(v) for v in n.inputs)): n for n in one.nodes() if n.rules.pure}
    for node in two.nodes():
        twin = table.get((node.op, *(name(equivalents.get(v, v)) for v in node.inputs)))
        if twin is not None:
            equivalents.update(zip(node.outputs, twin.outputs, strict=True))
    return equivalents
