"""Writes to parts of arrays: sums of them need no array of zeros each."""

from __future__ import annotations

from typing import Any

from theano._core.ir.graph import made_by
from theano._core.ir.variable import Apply
from theano._core.ops.array.creation import join
from theano._core.ops.array.indexing import AdvancedIncSubtensor, IncSubtensor, Slice, subtensor
from theano._core.ops.elementwise.arithmetic import add
from theano._core.rewrite.engine import Rewriter, known_value
from theano._core.rewrite.pattern import Rules

RULES = Rules("canonical")
rule = RULES.rule


@rule(
    "inc(inc(zeros, x), y) → join(x, y)",
    on=IncSubtensor,
    keeps="exact",
    why="each item is written once, and no zeros",
)
def _parts_of_whole(rewriter: Rewriter, node: Apply) -> Any:
    """Where the parts are next to each other and all."""
    parts: list[tuple[Any, Any]] = []
    base, axis = node.outputs[0], None
    while made_by(base, IncSubtensor):
        op, (x, y, *symbols) = base.owner.op, base.owner.inputs
        if (
            symbols
            or not op.index
            or (rewriter.uses.get(base, 0) > 1 and base is not node.outputs[0])
        ):
            return None
        own = len(op.index) - 1
        if not all(e == Slice() for e in op.index[:own]) or axis not in (None, own):
            return None
        entry, axis = op.index[own], own
        if not isinstance(entry, Slice) or entry.step is not None:
            return None
        parts.append((entry, y))
        base = x
    if axis is None or len(parts) < 2 or known_value(base) != 0:
        return None
    parts.sort(key=lambda part: part[0].start or 0)
    stops = [0, *(entry.stop for entry, _ in parts)]
    if stops[-1] is not None or any(
        (entry.start or 0) != stop for (entry, _), stop in zip(parts, stops, strict=False)
    ):
        return None
    for entry, y in parts:
        whole = subtensor(base, [slice(None)] * axis + [slice(*entry)])
        if (y.type.ndim, y.type.dtype) != (base.type.ndim, base.type.dtype):
            return None
        if rewriter.lengths(y) != rewriter.lengths(whole):
            return None
    return join(axis, *(y for _, y in parts))


@rule("x + inc(zeros, y) → inc(x, y)", on=add, keeps="exact", why="only the part is touched")
def _add_a_part(rewriter: Rewriter, node: Apply) -> Any:
    out = node.outputs[0]
    for index in (1, 0):
        part, x = node.inputs[index].owner, node.inputs[1 - index]
        if part is None or not isinstance(part.op, (IncSubtensor, AdvancedIncSubtensor)):
            continue
        zeros, y, *at = part.inputs
        if part.op.assign or known_value(zeros) != 0 or rewriter.uses.get(part.outputs[0], 0) > 1:
            continue
        if x.type == out.type and part.outputs[0].type == out.type:
            if rewriter.same_lengths(x, out) and rewriter.same_lengths(zeros, out):
                return part.op(x, y, *at)
    return None
