"""Of a loop of which only the first rows are read, only the steps that make them are run."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from theano._core.ir.graph import copied, made_by, toposort
from theano._core.ir.source import at_line
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.dims import as_int64
from theano._core.ops.array.index_form import Slice, join_index
from theano._core.ops.array.indexing import Subtensor, subtensor, within
from theano._core.ops.array.shaping import pattern_broadcast
from theano._core.ops.control.scan import Loop
from theano._core.ops.control.scan_state import ALL, checked_steps, is_rows
from theano._core.ops.core.op import python_int
from theano._core.ops.elementwise.arithmetic import maximum, minimum, switch
from theano._core.ops.elementwise.elementwise import cast
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.scan.mutable_loop import MutableLoop, MutableState

Uses = dict[Any, list[Any]]


def run_fewer_steps(outputs: Sequence[Variable]) -> list[Any]:
    """Return `outputs` with loops that run no further than their rows are read."""
    outputs, uses = list(outputs), None
    # What reads a loop comes first: a loop may be read by another that is shortened.
    loops = [n for n in toposort(outputs) if isinstance(n.op, Loop) and n.op.watch is None]
    for node in reversed(loops):
        uses = uses or _uses(outputs)
        with at_line(node.source):
            table = _shortened(MutableLoop(node), uses)
        if table:
            outputs, uses = copied(outputs, table), None
    return outputs


def _uses(outputs: Sequence[Variable]) -> Uses:
    uses: Uses = {}
    for node in toposort(outputs):
        for variable in node.inputs:
            uses.setdefault(variable, []).append(node)
    for variable in outputs:
        uses.setdefault(variable, []).append(None)
    return uses


def _shortened(loop: MutableLoop, uses: Uses) -> dict[Any, Any] | None:
    """Return what replaces the outputs of a loop, and what is read of them; None for no change."""
    reads = _all_reads(loop, uses)
    if not reads:
        return None
    # At least one step shows how long its rows are.
    needed = reduce(_larger, (read.needed for read in reads), 1)
    most = python_int(loop.steps)
    if isinstance(needed, int) and most is not None and most <= needed:
        return None
    # That there can be as many steps as were asked for is still looked at.
    # Lengths are made of those of what loops read: no loop is needed for its length.
    rewriter = Rewriter()
    shape = [as_int64(rewriter.shape(rows)[0]) for rows in loop.sequences.values()]
    loop.steps = minimum(checked_steps(loop.steps, shape), as_int64(needed))
    for item, rows in loop.sequences.items():
        if made_by_loop(rows):
            loop.sequences[item] = rows[: loop.steps]
    table = loop.build()
    for read in reads:
        if read.entries is not None:
            old = read.node.outputs[0]
            rows = copied([read.node.inputs[0]], dict(table))[0]
            table[old] = pattern_broadcast(read.of(rows), old.type.broadcastable)
    return table


def _all_reads(loop: MutableLoop, uses: Uses) -> list[_Read] | None:
    """Return how the rows of a loop are read; None if all are needed."""
    count = loop.steps
    if loop.condition is not None:
        if uses.get(loop.node.outputs[-1]):
            return None
        count = None
    reads: list[_Read] = []
    for state in loop.states:
        if uses.get(state.output):
            state_reads = _reads(state, uses, count)
            if state_reads is None:
                return None
            reads += state_reads
    return reads


def made_by_loop(rows: Variable) -> bool:
    """Tell whether rows are those of a loop, or a part of them."""
    while made_by(rows, Subtensor):
        rows = rows.owner.inputs[0]
    return made_by(rows, Loop) is not None


def _larger(one: Variable | int, two: Any) -> Any:
    if isinstance(one, int) and isinstance(two, int):
        return max(one, two)
    return maximum(as_int64(one), as_int64(two))


class _Read:
    """How a node reads the rows of a loop.

    Parameters
    ----------
    node : Apply
        A Subtensor.
    before : int
        Rows of what it reads that no step makes.
    count : Variable or None
        How many steps make rows; None if that is not known.

    Attributes
    ----------
    needed : int or Variable or None
        The number of steps whose rows are read; None for all.
    entries : list or None
        The index, if it must count from the first row instead of from the last.
    end : Variable or None
        With a step down, how many rows are left before the index counts.
    """

    def __init__(self, node: Apply, before: int, count: object) -> None:
        self.node = node
        self.before = before
        self.length = None if count is None else count + as_int64(before)
        self.entries: list[Any] | None = None
        self.end: Any = None
        first, *rest = join_index(node.op.index, node.inputs[1:])
        read = self._slice if isinstance(first, slice) else self._row
        extent = read(first)
        self.needed = None if extent is None else extent[0]
        if extent is not None and extent[1] is not first:
            self.entries = [extent[1], *rest]

    def _row(self, at: object) -> tuple[Any, Any] | None:
        if isinstance(at, int) and at >= 0:
            return at + 1 - self.before, at
        if self.length is None or at == -1:
            return None
        at = within(cast(as_int64(at), "int64"), self.length)
        at = switch(at < as_int64(0), at + self.length, at)
        return at - as_int64(self.before - 1), at

    def _slice(self, part: slice) -> tuple[Any, Any] | None:
        start, stop, step = part.start, part.stop, 1 if part.step is None else part.step
        if not isinstance(step, int):
            return None
        last = stop if step > 0 else start
        if last is None or (step < 0 and not (stop is None or _counts_up(stop))):
            return None
        if self.length is None and not all(v is None or _counts_up(v) for v in (start, stop)):
            return None
        if step > 0:
            bounds = self._from_start(start), self._from_start(stop)
            same = bounds[0] is start and bounds[1] is stop
            return self._steps(bounds[1]), part if same else slice(bounds[0], bounds[1], part.step)
        end = start + 1 if _counts_up(start) else self._from_start(start, 1)
        self.end = None if _counts_up(start) else end
        return self._steps(end), part if _counts_up(start) else slice(None, stop, step)

    def _steps(self, end: Variable | int) -> Any:
        return end - self.before if isinstance(end, int) else end - as_int64(self.before)

    def _from_start(self, bound: object, more: int = 0) -> Any:
        """Return a bound of a slice, and `more`, as it is when it counts from the first row."""
        if bound is None or _counts_up(bound):
            return bound
        at, zero = cast(as_int64(bound), "int64"), as_int64(0)
        one = as_int64(more)
        return switch(at < zero, maximum(at + self.length + one, zero), at + one)

    def of(self, rows: Variable) -> Any:
        """Return what is read, from the rows of the steps that are run."""
        assert self.entries is not None
        rows = rows if self.end is None else rows[: self.end]
        return subtensor(rows, self.entries)


def _counts_up(bound: object) -> bool:
    return isinstance(bound, int) and bound >= 0


def _reads(state: MutableState, uses: Uses, count: object) -> list[_Read] | None:
    """Return how the rows of a state are read; None if all are needed."""
    depth = max(state.taps, default=0)
    if not is_rows(state.value) or state.keep != ALL:
        return None
    reads: list[_Read] = []
    stack = [(client, depth) for client in uses[state.output]]
    while stack:
        client, before = stack.pop()
        if client is None or not isinstance(client.op, Subtensor):
            return None
        if before and client.op.index == (Slice(before, None, None),):
            stack += [(c, 0) for c in uses[client.outputs[0]]]
            continue
        if client.op.index[0] == Slice():
            return None
        read = _Read(client, before, count)
        if read.needed is None:
            return None
        reads.append(read)
    return reads
