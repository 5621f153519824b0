"""Expressions of one step, computed for all steps at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from theano._core.ir.graph import toposort
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Constant
from theano._core.ops.broadcasting import Alloc, alloc
from theano._core.ops.indexing import AT, AdvancedSubtensor, Slice, Subtensor
from theano._core.ops.lengths import as_int64
from theano._core.ops.op import Elementwise
from theano._core.ops.products import Dot, dot
from theano._core.ops.reductions import Reduction
from theano._core.ops.shaping import (
    DimShuffle,
    Rebroadcast,
    dimshuffle,
    length,
    pattern_broadcast,
    reshape_op,
)
from theano._core.ops.steps import checked_steps
from theano._core.rewrite.draft import Draft


class Batch:
    """Values of the body of a loop, with a first axis for the steps.

    Parameters
    ----------
    draft : Draft
    """

    def __init__(self, draft: Draft) -> None:
        lengths = [as_int64(length(rows, 0)) for rows in draft.sequences.values()]
        self.steps = checked_steps(draft.steps, lengths)
        self.inputs = set(draft.inputs)
        # What is the same for all steps, and what has a row for each.
        self.same: dict[Any, Any] = dict(draft.fixed)
        self.rows: dict[Any, Any] = {}
        self.sequences = draft.sequences

    def of(self, values: Sequence[Any]) -> list[Any] | None:
        """Return the rows of each value; None if one of them cannot be had this way."""
        for node in toposort(values, self.inputs):
            if node.outputs[0] not in self.same and node.outputs[0] not in self.rows:
                if not self._add(node):
                    return None
        found = [self._row(v) for v in values]
        if any(v is None for v in found):
            return None
        return [
            self._stretched(v) if v in self.same else r for v, r in zip(values, found, strict=True)
        ]

    def _row(self, value: Any) -> Any:
        """Return the rows of a value, or the value if it is the same for all steps; or None."""
        if isinstance(value, Constant):
            self.same.setdefault(value, value)
        if value in self.sequences and value not in self.rows:
            self.rows[value] = self.sequences[value][: self.steps]
        return self.rows.get(value, self.same.get(value))

    def _stretched(self, value: Any) -> Any:
        outer = self.same[value]
        lengths = [as_int64(length(outer, a)) for a in range(outer.type.ndim)]
        return alloc(dimshuffle(outer, ["x", *range(outer.type.ndim)]), self.steps, *lengths)

    def _add(self, node: Apply) -> bool:
        """Compute the outputs of a node of the body for all steps; False if that is not known."""
        found = [self._row(v) for v in node.inputs]
        if any(v is None for v in found) or not node.op.pure:
            return False
        if not all(isinstance(v.type, TensorType) for v in (*node.inputs, *node.outputs)):
            return False
        if not any(v in self.rows for v in node.inputs):
            outputs = node.clone_with_new_inputs(found, False).outputs
            self.same.update(zip(node.outputs, outputs, strict=True))
            return True
        rule = next((r for kind, r in RULES.items() if type(node.op) is kind), None)
        result = None if rule is None else rule(node, found, [v in self.rows for v in node.inputs])
        if result is None:
            return False
        out = node.outputs[0]
        self.rows[out] = pattern_broadcast(result, (False, *out.type.broadcastable))
        return True


def _elementwise(node: Apply, values: list[Any], rows: list[bool]) -> Any:
    rank = node.outputs[0].type.ndim
    aligned = [
        v if row or v.type.ndim == 0 else dimshuffle(v, ["x", *range(rank)])
        for v, row in zip(values, rows, strict=True)
    ]
    return node.op(*aligned)


def _dimshuffle(node: Apply, values: list[Any], rows: list[bool]) -> Any:
    return dimshuffle(values[0], [0, *(a if a == "x" else a + 1 for a in node.op.new_order)])


def _rebroadcast(node: Apply, values: list[Any], rows: list[bool]) -> Any:
    return pattern_broadcast(values[0], (False, *node.op.pattern))


def _reduction(node: Apply, values: list[Any], rows: list[bool]) -> Any:
    axes = tuple(a + 1 for a in node.op.axes(node.inputs[0].type.ndim))
    op = node.op
    return Reduction(op.kind, axes, op.dtype, op.acc_dtype)(values[0])


def _alloc(node: Apply, values: list[Any], rows: list[bool]) -> Any:
    value, *lengths = values
    if any(rows[1:]):
        return None
    return alloc(value, as_int64(length(value, 0)), *lengths)


def _subtensor(node: Apply, values: list[Any], rows: list[bool]) -> Any:
    if any(rows[1:]):
        return None
    return Subtensor((Slice(), *node.op.index))(*values)


def _take(node: Apply, values: list[Any], rows: list[bool]) -> Any:
    if rows[0] or node.op.axes != (AT,) or len(values) != 2:
        return None
    return AdvancedSubtensor((AT,))(*values)


def _dot(node: Apply, values: list[Any], rows: list[bool]) -> Any:
    x, y = values
    ranks = tuple(v.type.ndim for v in node.inputs)
    if rows == [True, False]:
        if ranks[0] == 1:
            return dot(x, y)
        sizes = [as_int64(length(x, a)) for a in range(3)]
        flat = dot(reshape_op(x, [sizes[0] * sizes[1], sizes[2]]), y)
        last = [as_int64(length(y, 1))] if ranks[1] == 2 else []
        return reshape_op(flat, [*sizes[:2], *last])
    if rows == [False, True] and ranks[1] == 1:
        return dot(y, x if ranks[0] == 1 else dimshuffle(x, (1, 0)))
    return None


RULES: dict[Any, Any] = {
    Elementwise: _elementwise,
    DimShuffle: _dimshuffle,
    Rebroadcast: _rebroadcast,
    Reduction: _reduction,
    Alloc: _alloc,
    Subtensor: _subtensor,
    AdvancedSubtensor: _take,
    Dot: _dot,
}
