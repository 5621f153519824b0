"""What is read or written where a mask holds: a choice item by item, without positions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from theano._core.ir.graph import made_by
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.broadcasting import Alloc
from theano._core.ops.array.indexing import (
    AT,
    AdvancedIncSubtensor,
    AdvancedSubtensor,
    Subtensor,
)
from theano._core.ops.array.nonzero import FitsMask, Nonzero
from theano._core.ops.array.reductions import Reduction, reduce
from theano._core.ops.array.shaping import Length
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.elementwise.arithmetic import add, neq, switch
from theano._core.ops.elementwise.elementwise import cast
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.pattern import Rules
from theano._core.rewrite.rules.flatten import number

RULES = Rules("stable")
rule = RULES.rule


@rule("sum(x[nonzero(c)]) → sum(switch(c, x, 0))", on=Reduction, why="items stay where they are")
def _masked_sum(rewriter: Rewriter, node: Apply) -> Any:
    """Over what the mask picks, and other axes perhaps."""
    picked = node.inputs[0]
    read = made_by(picked, AdvancedSubtensor)
    if node.op.kind != "sum" or read is None or rewriter.uses.get(picked, 0) > 1:
        return None
    axes = node.op.axes(picked.type.ndim)
    x, *indices = read.inputs
    condition = _condition(rewriter, x, read, indices) if 0 in axes else None
    if condition is None:
        return None
    rank = len(indices)
    every = (*range(rank), *(axis + rank - 1 for axis in axes if axis))
    chosen = switch(condition, x, number(0, x.type.dtype))
    return Reduction("sum", every, *node.op.asked)(chosen)


@rule(
    "set(x, number, nonzero(c)) → switch(c, number, x)",
    on=AdvancedIncSubtensor,
    keeps="exact",
    why="items stay where they are",
)
def _masked_write(rewriter: Rewriter, node: Apply) -> Any:
    """Also for numbers that are added."""
    x, y, *indices = node.inputs
    condition = _condition(rewriter, x, node, indices)
    if condition is None:
        return None
    if (filled := made_by(y, Alloc)) is not None:
        part = AdvancedSubtensor(node.op.axes).make_node(x, *indices).outputs[0]
        if not rewriter.same_shape(part, y):
            return None
        y = filled.inputs[0]
    if not all(y.type.broadcastable):
        return None
    y = dimshuffle(y, ()) if y.type.ndim else y
    result = switch(condition, y if node.op.assign else add(x, y), x)
    return result if result.type == x.type else None


@rule(
    "length of nonzero(c) → sum(c ≠ 0)",
    on=Length,
    phase="special",
    keeps="exact",
    why="positions are counted, not found",
)
def _count(rewriter: Rewriter, node: Apply) -> Any:
    whole = made_by(node.inputs[0], Nonzero)
    if whole is None or node.op.axis == 0 or rewriter.uses.get(node.inputs[0], 0) > 1:
        return None
    mask = whole.inputs[0]
    return reduce("sum", cast(_holds(mask), "int64"), tuple(range(mask.type.ndim)), "int64")


def _condition(rewriter: Rewriter, x: Variable, node: Apply, indices: Sequence[Variable]) -> Any:
    """Return where the mask holds whose positions are the indices, as it lies along all of `x`."""
    rank = len(indices)
    parts: list[Any] = [made_by(index, Subtensor) for index in indices]
    if tuple(node.op.axes) != (AT,) * rank or None in parts:
        return None
    positions = parts[0].inputs[0]
    found = made_by(positions, Nonzero)
    if found is None or found.inputs[0].type.ndim != rank:
        return None
    for axis, part in enumerate(parts):
        if part.inputs[0] is not positions or tuple(part.op.index) != (axis,):
            return None
    mask = found.inputs[0]
    checked = made_by(x, FitsMask)
    if checked is None or checked.op.axis or checked.inputs[1] is not mask:
        if rewriter.shape(x)[:rank] != rewriter.shape(mask):
            return None
    return dimshuffle(_holds(mask), (*range(rank), *["x"] * (x.type.ndim - rank)))


def _holds(mask: Variable) -> Any:
    return mask if mask.type.dtype == "bool" else neq(mask, number(0, mask.type.dtype))
