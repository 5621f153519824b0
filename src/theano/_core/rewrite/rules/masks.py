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
from theano._core.ops.elementwise.elementwise import Elementwise, cast
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.pattern import Rules
from theano._core.rewrite.rules.flatten import number

RULES = Rules("stable")
rule = RULES.rule
# Functions in sequence through which what is picked is looked for.
FEW_LEVELS = 8


@rule(
    "sum(x[nonzero(c)]) → sum(switch(c, x, 0))",
    on=Reduction,
    needs=(Nonzero,),
    why="items stay where they are",
)
def _masked_sum(rewriter: Rewriter, node: Apply) -> Any:
    """Over what the mask picks, and other axes perhaps; of functions of what is picked as well."""
    value = node.inputs[0]
    axes = node.op.axes(value.type.ndim)
    picked = _picked(value) if node.op.kind == "sum" and 0 in axes else None
    if picked is None:
        return None
    x, *indices = picked.inputs
    condition = _condition(rewriter, x, picked, indices)
    whole = None if condition is None else _everywhere(rewriter, value, indices)
    if whole is None:
        return None
    rank = len(indices)
    every = (*range(rank), *(axis + rank - 1 for axis in axes if axis))
    chosen = switch(condition, whole, number(0, value.type.dtype))
    return Reduction("sum", every, *node.op.asked)(chosen)


@rule(
    "set(x, y[nonzero(c)], nonzero(c)) → switch(c, y, x)",
    on=AdvancedIncSubtensor,
    needs=(Nonzero,),
    keeps="exact",
    why="items stay where they are",
)
def _masked_write(rewriter: Rewriter, node: Apply) -> Any:
    """Also for numbers, functions of what is picked, and for additions."""
    x, y, *indices = node.inputs
    condition = _condition(rewriter, x, node, indices)
    if condition is None:
        return None
    part = AdvancedSubtensor(node.op.axes).make_node(x, *indices).outputs[0]
    if y.type.ndim == part.type.ndim and not y.type.broadcastable[0]:
        if y.type != part.type or not rewriter.same_shape(part, y):
            return None
        y = _everywhere(rewriter, y, indices)
    elif all(y.type.broadcastable):
        y = dimshuffle(y, ()) if y.type.ndim else y
    else:
        return None
    if y is None:
        return None
    result = switch(condition, y if node.op.assign else add(x, y), x)
    return result if result.type == x.type else None


@rule(
    "length of nonzero(c) → sum(c ≠ 0)",
    on=Length,
    needs=(Nonzero,),
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


def _picked(value: Variable) -> Apply | None:
    """Return what picks items that an array is computed of, if there may be one."""
    for _ in range(FEW_LEVELS):
        node = made_by(value, AdvancedSubtensor, Elementwise)
        if node is None or isinstance(node.op, AdvancedSubtensor):
            return node
        value = next((v for v in node.inputs if not all(v.type.broadcastable)), value)
    return None


def _everywhere(rewriter: Rewriter, value: Variable, indices: Sequence[Variable]) -> Any:
    """Return an array as it is at all places, if it is computed of what is picked at some."""
    rank, memo = len(indices), dict[Variable, Any]()

    def whole(value: Variable, levels: int) -> Any:
        if value in memo:
            return memo[value]
        node = made_by(value, AdvancedSubtensor, Elementwise, Alloc)
        result = None
        if all(value.type.broadcastable):
            result = dimshuffle(value, ()) if value.type.ndim else value
        elif value.type.broadcastable[0]:
            result = dimshuffle(value, (*["x"] * rank, *range(1, value.type.ndim)))
        elif node is None:
            pass
        elif isinstance(node.op, AdvancedSubtensor):
            x, *own = node.inputs
            same = len(own) == rank and all(a is b for a, b in zip(own, indices, strict=True))
            if same and _condition(rewriter, x, node, own) is not None:
                result = x
        elif isinstance(node.op, Alloc):
            filled = node.inputs[0]
            result = whole(filled, levels) if all(filled.type.broadcastable) else None
        elif levels and not (node.op.may_fail(node) or node.op.is_dear(node)):
            # What is dear may take longer at all places than to find the few that are picked.
            parts = [whole(v, levels - 1) for v in node.inputs]
            result = node.op(*parts) if all(part is not None for part in parts) else None
        memo[value] = result
        return result

    return whole(value, FEW_LEVELS)


def _condition(rewriter: Rewriter, x: Variable, node: Apply, indices: Sequence[Variable]) -> Any:
    """Return where the mask holds whose positions are the indices, as it lies along all of `x`."""
    rank = len(indices)
    parts: list[Any] = [made_by(index, Subtensor) for index in indices]
    if tuple(node.op.axes) != (AT,) * rank or None in parts:
        return None
    positions = parts[0].inputs[0]
    nonzero = made_by(positions, Nonzero)
    if nonzero is None or nonzero.inputs[0].type.ndim != rank:
        return None
    for axis, part in enumerate(parts):
        if part.inputs[0] is not positions or tuple(part.op.index) != (axis,):
            return None
    mask = nonzero.inputs[0]
    checked = made_by(x, FitsMask)
    if checked is None or checked.op.axis or checked.inputs[1] is not mask:
        same = rewriter.shape(x)[:rank] == rewriter.shape(mask)
        if not same and not (x.type.ndim == rank and rewriter.same_shape(x, mask)):
            return None
    return dimshuffle(_holds(mask), (*range(rank), *["x"] * (x.type.ndim - rank)))


def _holds(mask: Variable) -> Any:
    return mask if mask.type.dtype == "bool" else neq(mask, number(0, mask.type.dtype))
