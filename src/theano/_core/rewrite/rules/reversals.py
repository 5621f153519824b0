"""Rows read backwards: what a loop and its gradient both compute becomes one.

The gradient of a loop reads rows from the last one to the first. Where its steps compute again what
is computed of all rows elsewhere, only the order of the rows differs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from theano._core.ir.graph import made_by
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.broadcasting import known_value
from theano._core.ops.array.index_form import BACKWARDS, Slice, join_index
from theano._core.ops.array.indexing import IncSubtensor, Subtensor, subtensor
from theano._core.ops.array.products import Dot
from theano._core.ops.array.reductions import Reduction
from theano._core.ops.control.scan import in_bodies
from theano._core.ops.core.dimshuffle import DimShuffle
from theano._core.ops.elementwise.elementwise import Elementwise
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.pattern import Rules

RULES = Rules("reversals")


def any_reversed(nodes: Iterable[Apply]) -> bool:
    """Tell whether any of some nodes reads rows backwards, in loops too."""
    every = (node.op for node in in_bodies(nodes))
    return any(isinstance(op, Subtensor) and op.index[:1] == (BACKWARDS,) for op in every)


@RULES.rule(
    "f(x[::-1]) → f(x)[::-1]",
    on=(Elementwise, Dot, Reduction, IncSubtensor),
    keeps="rounding",
    why="equal expressions of rows have one form, in gradients of loops",
)
def _reverse_later(rewriter: Rewriter, node: Apply) -> Any:
    """For an f of each row by itself."""
    out = node.outputs[0]
    inputs = [_forwards(v) if has_rows else v for v, has_rows in _operands(node)]
    if any(v is None for v in inputs) or inputs in ([], node.inputs):
        return None
    whole = node.op(*inputs)
    return Subtensor((BACKWARDS,))(whole) if whole.type == out.type else None


@RULES.rule(
    "dot(x[::-1].T, y[::-1]) → dot(x.T, y)",
    on=Dot,
    keeps="rounding",
    why="neither is copied to be read backwards",
)
def _product_of_reversed(rewriter: Rewriter, node: Apply) -> Any:
    x, y = node.inputs
    turned = made_by(x, DimShuffle)
    if turned is None or turned.op.new_order != (1, 0):
        return None
    one, two = _reversed(turned.inputs[0]), _reversed(y)
    return None if one is None or two is None else node.op(turned.op(one), two)


def _operands(node: Apply) -> list[tuple[Variable, bool]]:
    """Return the operands of a node, and which have a row for each of its rows; [] if none has."""
    op, (first, *others) = node.op, node.inputs
    if isinstance(op, Elementwise):
        return [(v, v.type.ndim > 0 and not v.type.broadcastable[0]) for v in node.inputs]
    if isinstance(op, IncSubtensor):
        value, *numbers = others
        rank = first.type.ndim - sum(not isinstance(entry, Slice) for entry in op.index)
        has_rows = value.type.ndim == rank and value.type.broadcastable[:1] == (False,)
        if op.index[:1] != (Slice(),):
            return []
        return [(first, True), (value, has_rows), *((v, False) for v in numbers)]
    if isinstance(op, Reduction):
        return [] if op.axis is None or 0 in op.axis else [(first, True)]
    return [(first, True), (others[0], False)] if first.type.ndim == 2 else []


def _forwards(rows: Variable) -> Any:
    """Return rows in the order in which they are not reversed, any if all are the same."""
    return rows if known_value(rows) is not None else _reversed(rows)


def _reversed(rows: Variable) -> Any:
    """Return what rows are the reverse of, in whatever shape, or None."""
    node = made_by(rows, Subtensor, DimShuffle)
    if node is None:
        return None
    if isinstance(node.op, Subtensor):
        first, *others = node.op.index
        entries = [slice(None), *join_index(tuple(others), node.inputs[1:])]
        return subtensor(node.inputs[0], entries) if first == BACKWARDS else None
    inside = _reversed(node.inputs[0]) if node.op.new_order[:1] == (0,) else None
    return None if inside is None else node.op(inside)
