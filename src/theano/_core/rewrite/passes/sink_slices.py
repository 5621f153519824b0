"""Slices of what elementwise operations make become slices of their operands, where that is cheap.

A stencil reads several parts of an array that is computed itself: of differences, say. Computed
again by what reads them, few of these values need memory, and there is one loop where there were
several. Where equal parts meet, they are one; so a value is computed once for each part of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from theano._core.ir.graph import copied, made_by, toposort
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.assertions import Require
from theano._core.ops.array.index_form import Slice, join_index, merged_index, split_index
from theano._core.ops.array.indexing import Subtensor, subtensor
from theano._core.ops.array.reductions import Reduction
from theano._core.ops.control.scan import Loop, in_bodies
from theano._core.ops.core.dimshuffle import DimShuffle
from theano._core.ops.elementwise.elementwise import Elementwise
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.pattern import Rules
from theano._core.rewrite.rules.inner_graphs import with_new_body
from theano._core.rewrite.rules.shapes import fitting
from theano._core.rewrite.rules.subtensor import part_of_one

# Instructions that are sooner repeated for each point than their result is stored and read again.
MOST_AGAIN = 5
# Operations that read their operands in a loop, which computes what these are made of as well.
LOOPS = (Elementwise, Reduction)

RULES = Rules("slices")

# An index, and the variables in it.
Part = tuple[Any, ...]


def with_slices_sunk(outputs: Sequence[Variable], rewriter: Rewriter) -> list[Any]:
    """Return `outputs` with parts computed where they are used, instead of a whole."""
    nodes = toposort(outputs)
    needs = _Needs(nodes, outputs)
    return _Parts(needs, rewriter).built(nodes, outputs) if needs.sunk else list(outputs)


@RULES.rule(
    "loop over steps → loop over steps, its body with slices sunk",
    on=Loop,
    keeps="exact",
    why="the body is a graph like any other",
)
def _sink_in_body(rewriter: Rewriter, node: Apply) -> Any:
    return with_new_body(rewriter, node, with_slices_sunk)


RULES.rule(
    "f(join(x, y))[a:b] → f(x)",
    on=Subtensor,
    keeps="exact",
    why="slices that were sunk are of the join, which is not needed for all of one of its parts",
)(part_of_one)


def any_to_sink(outputs: Sequence[Variable]) -> bool:
    """Tell whether there are slices of what elementwise operations make, in loops too."""
    return any(
        isinstance(node.op, Subtensor) and made_by(node.inputs[0], Elementwise, Require)
        for node in in_bodies(toposort(outputs))
    )


def _full(node: Apply) -> list[int]:
    """Return the numbers of the operands that have all the axes of the result."""
    if isinstance(node.op, Require):
        return [0]
    pattern = node.outputs[0].type.broadcastable
    return [i for i, v in enumerate(node.inputs) if v.type.broadcastable == pattern]


def _can_be_checked(node: Apply) -> bool:
    """Tell whether one operand has all lengths that others are to have, or there are only two."""
    return bool(_full(node)) or len(node.inputs) == 2


def _part_of(node: Apply) -> Part:
    return (node.op.index, *node.inputs[1:])


def _merged(inner: Part, outer: Part) -> Part | None:
    """Return what a part of a part is of the whole; None if that is unknown."""
    entries = merged_index(inner[0], outer[0]) if len(inner) == len(outer) == 1 else None
    return None if entries is None else (split_index(entries)[0],)


def _of_operand(part: Part, operand: Variable, result: Variable) -> Part:
    """Return the part of an operand that a part of a result is made of; () for all of it."""
    entries: list[Any] = join_index(part[0], part[1:])
    for axis, entry in enumerate(entries):
        if operand.type.broadcastable[axis] and not result.type.broadcastable[axis]:
            entries[axis] = slice(None) if isinstance(entry, slice) else 0
    if all(entry == slice(None) for entry in entries):
        return ()
    form, values = split_index(entries)
    return (form, *values)


class _Needs:
    """What is needed of each variable, found from the results backwards.

    Attributes
    ----------
    whole : set of Variable
        Those that are needed as they are.
    parts : dict of Variable to parts
        The parts that are needed of others, or of these as well.
    sunk : set of Apply
        Nodes whose parts are computed each by itself.
    """

    def __init__(self, nodes: Sequence[Apply], outputs: Sequence[Variable]) -> None:
        self.whole: set[Any] = set(outputs)
        self.parts: dict[Any, dict[Part, None]] = {}
        self.sunk: set[Apply] = set()
        self.readers: dict[Any, set[Apply]] = {}
        for node in nodes:
            for value in node.inputs:
                self.readers.setdefault(value, set()).add(node)
        # Of values that need no memory as it is, unless other slices of them are read.
        self.cheap: dict[Any, int] = {}
        for node in nodes:
            self._note_cheap(node)
        for node in reversed(nodes):
            if isinstance(node.op, Subtensor):
                self._slice(node)
            elif self._sinks(node):
                self.sunk.add(node)
                self._operands(node)
            elif any(v in self.whole or self.parts.get(v) for v in node.outputs):
                self.sunk.discard(node)
                self.whole.update(node.outputs, node.inputs)

    def _slice(self, node: Apply) -> None:
        out, own = node.outputs[0], _part_of(node)
        merged = [_merged(own, part) for part in self.parts.get(out, ())]
        if None in merged:
            self.whole.add(out)
        for part in (*([own] if out in self.whole else ()), *filter(None, merged)):
            self._need(node.inputs[0], part)
        self.whole.update(node.inputs[1:])

    def _need(self, value: Variable, part: Part) -> None:
        self.parts.setdefault(value, {})[part] = None
        self.whole.update(part[1:])

    def _operands(self, node: Apply) -> None:
        """Need of the operands what the parts of a node are made of."""
        out = node.outputs[0]
        for index, value in enumerate(node.inputs):
            if isinstance(node.op, Require) and index:
                self.whole.add(value)
                continue
            for part in self.parts[out]:
                own = _of_operand(part, value, out)
                if own:
                    self._need(value, own)
                else:
                    self.whole.add(value)

    def _sinks(self, node: Apply) -> bool:
        """Tell whether all that is needed of a node are parts, of which few instructions repeat."""
        out, op = node.outputs[0], node.op
        parts = self.parts.get(out)
        if not parts or out in self.whole or not isinstance(op, (Elementwise, Require)):
            return False
        if node in self.sunk:
            return True
        gaps = any(isinstance(e, Slice) and e.step not in (None, 1) for p in parts for e in p[0])
        if not _can_be_checked(node) or (gaps and len(_full(node)) != 1):
            return False
        again = self._repeated(node, 0 if self._none_again(out) else len(parts) - 1)
        if again is not None:
            self.sunk |= again
        return again is not None

    def _none_again(self, value: Variable) -> bool:
        """Tell whether parts have no item in common, and are read by loops that are there anyway.

        Coordinates of points, say, which one function has moved.
        """
        items = zip(*(part[0] for part in self.parts[value]), strict=False)
        indices = [axis for axis in items if all(isinstance(i, int) and i >= 0 for i in axis)]
        if len(set(zip(*indices, strict=True))) < len(self.parts[value]):
            return False
        readers = self.readers[value] - self.sunk
        return all(self._in_loops(reader.outputs[0]) for reader in readers)

    def _in_loops(self, value: Variable) -> bool:
        """Tell whether only loops read a value."""
        return all(
            isinstance(node.op, LOOPS)
            or (isinstance(node.op, DimShuffle) and self._in_loops(node.outputs[0]))
            for node in self.readers.get(value, ())
        )

    def _repeated(self, node: Apply, times: int) -> set[Apply] | None:
        """Return the nodes in whose loop a node is, if so many more times of them are cheap."""
        loop, left = {node}, MOST_AGAIN
        waiting = [node]
        while waiting:
            last = waiting.pop()
            if isinstance(last.op, Elementwise):
                left -= times * last.op.cost
                if times and last.op.is_dear(last):
                    return None
            for number in _full(last):
                value = last.inputs[number]
                part = made_by(value, Subtensor)
                inner = made_by(value, Elementwise, Require)
                if part is not None:
                    left -= times * self.cheap.get(part.inputs[0], 0)
                elif inner is not None and inner not in loop and value not in self.whole:
                    if self.readers[value] <= loop and _can_be_checked(inner):
                        loop.add(inner)
                        waiting.append(inner)
            if left < 0:
                return None
        return loop

    def _note_cheap(self, node: Apply) -> None:
        """Note the instructions of a value of which only slices are read, if they are few."""
        out = node.outputs[0]
        readers = self.readers.get(out, ())
        sliced = readers and all(isinstance(reader.op, Subtensor) for reader in readers)
        if sliced and out not in self.whole and isinstance(node.op, Elementwise):
            loop = self._repeated(node, max(len(readers) - 1, 1)) or ()
            self.cheap[out] = sum(one.op.cost for one in loop if isinstance(one.op, Elementwise))


class _Parts:
    """The graph with what is needed, made from the inputs onwards."""

    def __init__(self, needs: _Needs, rewriter: Rewriter) -> None:
        self.needs, self.rewriter = needs, rewriter
        self.new: dict[Any, Any] = {}
        self.made: dict[tuple[Any, Part], Any] = {}
        # Parts that are computed.
        self.sunk: set[Any] = set()

    def built(self, nodes: Sequence[Apply], outputs: Sequence[Variable]) -> list[Any]:
        """Return `outputs` made of what is needed."""
        for node in nodes:
            out = node.outputs[0]
            if isinstance(node.op, Subtensor):
                self._slice(node)
            elif node in self.needs.sunk:
                for part in self.needs.parts[out]:
                    self.made[out, part] = self._sunk(node, part)
            elif out in self.needs.whole:
                copied(node.outputs, self.new)
        return copied(outputs, self.new)

    def _slice(self, node: Apply) -> None:
        out, own = node.outputs[0], _part_of(node)
        if out in self.needs.whole:
            self.new[out] = self._part(node.inputs[0], own, node)
        for part in self.needs.parts.get(out, ()):
            merged = _merged(own, part)
            if merged is not None:
                self.made[out, part] = self._part(node.inputs[0], merged, node)

    def _part(self, value: Variable, part: Part, node: Apply) -> Any:
        """Return a part of a value, which `node` asks for."""
        if not part:
            return copied([value], self.new)[0]
        sliced = self.made.get((value, part))
        if sliced is None:
            whole, *numbers = copied([value, *part[1:]], self.new)
            sliced = self.made[value, part] = subtensor(whole, join_index(part[0], numbers))
            if sliced is not whole:
                sliced.owner.source = sliced.source = node.source
        return sliced

    def _sunk(self, node: Apply, part: Part) -> Any:
        """Return a part of what a node makes, of parts of its operands."""
        out, full = node.outputs[0], _full(node)
        if isinstance(node.op, Require):
            result = self._checked(node, self._part(node.inputs[0], part, node))
        else:
            parts = []
            for index, operand in enumerate(node.inputs):
                own = self._part(operand, _of_operand(part, operand, out), node)
                checked = fitting(self.rewriter, node, index, full[0] if full else 0)
                parts.append(own if checked is operand else self._checked(checked.owner, own))
            result = node.op(*parts)
        result.owner.source = result.source = node.source
        self.sunk.add(result)
        return result

    def _checked(self, node: Apply, value: Variable) -> Any:
        """Return a value that is checked as a node does.

        What is checked is in memory; so it is an operand of what loops compute.
        """
        around = []
        while value in self.sunk and isinstance(value.owner.op, Elementwise):
            number = (*_full(value.owner), 0)[0]
            around.append((value.owner, number))
            value = value.owner.inputs[number]
        checked = node.op(value, *copied(node.inputs[1:], self.new))
        for maker, number in reversed(around):
            inputs = [checked if i == number else v for i, v in enumerate(maker.inputs)]
            checked = maker.op(*inputs)
            checked.owner.source = checked.source = maker.source
            self.sunk.add(checked)
        return checked
