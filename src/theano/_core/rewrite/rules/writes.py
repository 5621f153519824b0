"""Writes to parts of arrays: sums of them need no array of zeros each."""

from __future__ import annotations

from typing import Any

from theano._core.ir.variable import Apply
from theano._core.ops.arithmetic import add
from theano._core.ops.indexing import AdvancedIncSubtensor, IncSubtensor
from theano._core.rewrite.engine import Rewriter, Rule, known_value


def _add_a_part(rewriter: Rewriter, node: Apply) -> Any:
    """X + inc(zeros, y) → inc(x, y)."""
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


RULES = (
    Rule(
        "x + inc(zeros, y) → inc(x, y)",
        (add,),
        _add_a_part,
        "canonical",
        "exact",
        "only the part is touched",
    ),
)
