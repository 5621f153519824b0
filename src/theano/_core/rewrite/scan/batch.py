"""Expressions of one step of a loop, computed for all steps at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from theano._core.ir.graph import made_by, toposort
from theano._core.ir.source import at_line
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.broadcasting import Alloc
from theano._core.ops.array.dims import as_int64
from theano._core.ops.array.index_form import BACKWARDS
from theano._core.ops.array.indexing import AT, AdvancedSubtensor, Subtensor
from theano._core.ops.array.products import Dot
from theano._core.ops.array.reductions import Reduction
from theano._core.ops.array.shaping import Rebroadcast, length
from theano._core.ops.control.batching import Batch
from theano._core.ops.control.scan_state import checked_steps
from theano._core.ops.core.dimshuffle import DimShuffle
from theano._core.ops.core.naming import plain_class
from theano._core.ops.elementwise.arithmetic import minimum
from theano._core.ops.elementwise.elementwise import Elementwise
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.scan.mutable_loop import MutableLoop


class StepBatch(Batch):
    """Values of the body of a loop, with a first axis for the steps.

    Only for what is no slower that way, and does not fail at one of the steps.

    Parameters
    ----------
    loop : MutableLoop
    last : bool
        Whether for the last step alone, if there is one.
    """

    def __init__(self, loop: MutableLoop, last: bool = False) -> None:
        # Of these all rows are taken.
        self.whole = {v for v, rows in loop.sequences.items() if _has_length(rows, loop.steps)}
        partly = [rows for v, rows in loop.sequences.items() if v not in self.whole]
        steps = checked_steps(loop.steps, [as_int64(length(rows, 0)) for rows in partly])
        size = minimum(steps, as_int64(1)) if last else steps
        super().__init__(size, {}, loop.fixed, loop.inputs)
        self.sequences, self.steps, self.last = loop.sequences, steps, last

    def add(self, values: Sequence[Variable]) -> bool:
        """Compute values, of which `value` then tells; False if one of them cannot be had."""
        nodes = toposort(values, self.inputs)
        return all(_is_simple(node) for node in nodes) and super().add(values)

    def value(self, variable: Variable) -> Any:
        """Return the rows of a variable, or what it is for all steps; None if it has neither."""
        if variable in self.sequences and variable not in self.rows:
            rows = self.sequences[variable]
            rows = rows if variable in self.whole else rows[: self.steps]
            self.rows[variable] = rows[-1:] if self.last else rows
        return super().value(variable)

    def apply(self, node: Apply, values: list[Variable], rows: list[bool]) -> list[Any] | None:
        """Return the outputs of a node over rows; None if they cannot be had."""
        if not _gains(node, rows):
            return None
        with at_line(node.source):
            return node.rules.batch(node, values, rows, self)


def _has_length(rows: Variable, steps: Variable) -> bool:
    """Tell whether an elementwise operation makes as many rows as there are steps, or fails.

    It compares the lengths of its operands: one that is the number of steps is enough.
    """
    while (view := made_by(rows, Subtensor, DimShuffle)) is not None:
        same = view.op.index == (BACKWARDS,) if isinstance(view.op, Subtensor) else _is_first(view)
        if not same:
            return False
        rows = view.inputs[0]
    node = made_by(rows, Elementwise)
    full = [] if node is None else [v for v in node.inputs if not v.type.broadcastable[0]]
    if len(full) < 2:
        return False
    rewriter = Rewriter()
    wanted = rewriter.one(steps)
    return any(rewriter.shape(value)[0] is wanted for value in full)


def _is_first(view: Apply) -> bool:
    """Tell whether the first axis of what a view shows is its first axis."""
    return view.op.new_order[:1] == (0,)


def _is_simple(node: Apply) -> bool:
    return node.rules.pure and all(
        isinstance(v.type, TensorType) for v in (*node.inputs, *node.outputs)
    )


def _gains(node: Apply, rows: list[bool]) -> bool:
    """Tell whether an operation over rows is as fast as row by row."""
    cls = plain_class(type(node.op))
    if cls is Dot:
        return rows[0] != rows[1] and (rows[0] or node.inputs[1].type.ndim == 1)
    if cls is AdvancedSubtensor:
        return not rows[0] and node.op.axes == (AT,)
    if cls is Subtensor or cls is Alloc:
        return not any(rows[1:])
    return cls in (Elementwise, DimShuffle, Rebroadcast, Reduction)
