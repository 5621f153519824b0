"""A loop taken apart, changed, and put together again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from theano._core.ir.graph import copy_graph, toposort
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.ops.control.body import Body, changing_shapes
from theano._core.ops.control.scan import Loop
from theano._core.ops.control.scan_state import State

# What reads each variable; None for a result of the graph.
Uses = dict[Any, list[Any]]


class MutableState:
    """A state: its taps in the body, its initial rows, its new value, and the output it had."""

    __slots__ = ("initial", "keep", "label", "output", "taps", "value")

    def __init__(
        self, taps: dict[int, Any], initial: Any, value: Any, keep: Any, output: Any, label: str
    ) -> None:
        self.taps = taps
        self.initial = initial
        self.value = value
        self.keep = keep
        self.output = output
        self.label = label


class MutableLoop:
    """A loop that is being rewritten.

    Attributes
    ----------
    steps : Variable
    sequences, fixed : dict of Variable to Variable
        From the body's inputs to what they are outside.
    states : list of MutableState
    condition : Variable or None
    progress : callable or None
    """

    def __init__(self, node: Apply) -> None:
        op: Loop = node.op
        inner, outer = op.inner, op.outer(node)
        self.node = node
        self.op = op
        self.progress = op.progress
        self.steps = node.inputs[0]
        self.sequences = dict(zip(inner.sequences, outer.sequences, strict=True))
        self.fixed = dict(zip(inner.fixed, outer.fixed, strict=True))
        self.states = [
            MutableState(
                dict(zip(s.taps, inner.states[j], strict=True)),
                outer.states[j],
                op.new_values[j],
                s.keep,
                node.outputs[j],
                op.label(j),
            )
            for j, s in enumerate(op.states)
        ]
        self.condition = op.body.outputs[-1] if op.until else None
        self._walked = list(op.body.outputs), op.body.nodes

    @property
    def roots(self) -> list[Any]:
        """What the body computes."""
        values = [s.value for s in self.states]
        return values if self.condition is None else [*values, self.condition]

    @property
    def taps(self) -> list[Any]:
        """Every tap."""
        return [tap for s in self.states for tap in s.taps.values()]

    @property
    def inputs(self) -> list[Any]:
        """The inputs of the body."""
        return [*self.sequences, *self.taps, *self.fixed]

    def nodes(self) -> list[Apply]:
        """Return the nodes of the body, inputs first."""
        roots = self.roots
        if roots != self._walked[0]:
            self._walked = roots, toposort(roots, set(self.inputs))
        return self._walked[1]

    def substitute(self, table: dict[Variable, Variable]) -> None:
        """Replace variables of the body."""
        roots = copy_graph(self.roots, table)
        for state, value in zip(self.states, roots, strict=False):
            state.value = value
        if self.condition is not None:
            self.condition = roots[-1]

    def depending_on(self, sources: Iterable[Variable]) -> set[Any]:
        """Return the variables of the body that `sources` reach, themselves included."""
        dependent = set(sources)
        for node in self.nodes():
            if any(v in dependent for v in node.inputs):
                dependent.update(node.outputs)
        return dependent

    def changing_shapes(self, values: Sequence[Variable]) -> set[Any]:
        """Return those of some values of the body that may change their shape by step."""
        starts = {tap: s.initial for s in self.states for tap in s.taps.values()}
        return changing_shapes(values, {**self.sequences, **starts}, self.fixed)

    def build(self) -> dict[Any, Any]:
        """Return what replaces each output of the loop that is still there."""
        used = set(self.roots)
        for node in self.nodes():
            used.update(node.inputs)
        sequences = {v: o for v, o in self.sequences.items() if v in used}
        fixed = {v: o for v, o in self.fixed.items() if v in used}
        body = Body([*sequences, *self.taps, *fixed], self.roots)
        states = [State(tuple(s.taps), s.keep) for s in self.states]
        loop = Loop(
            body,
            states,
            len(sequences),
            self.condition is not None,
            self.op.truncate,
            self.op.name,
            self.op.checkpoint,
            [s.label for s in self.states],
            progress=self.progress,
        )
        initial = [s.initial for s in self.states if s.taps]
        node = loop.make_node(self.steps, *sequences.values(), *initial, *fixed.values())
        node.source = self.node.source
        table = {s.output: out for s, out in zip(self.states, node.outputs, strict=False)}
        if self.condition is not None:
            table[self.node.outputs[-1]] = node.outputs[-1]
        return table


def is_constant(variable: Variable) -> bool:
    """Tell whether the value of a variable is known."""
    return isinstance(variable, Constant)
