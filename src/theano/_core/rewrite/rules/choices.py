"""Branches that rewriting makes, and those in gradients: only what is taken is computed."""

from __future__ import annotations

from typing import Any

import numpy as np

from theano._core.ir.variable import Apply
from theano._core.ops.arithmetic import add, mul, neg, sub, switch, true_div
from theano._core.ops.branch import IfElse, if_else
from theano._core.ops.broadcasting import Alloc, Second, alloc
from theano._core.ops.indexing import AdvancedIncSubtensor, IncSubtensor
from theano._core.ops.lengths import as_int64
from theano._core.ops.loop import Loop
from theano._core.ops.op import as_variable
from theano._core.ops.products import Dot
from theano._core.ops.reductions import Reduction
from theano._core.ops.shaping import DimShuffle, Rebroadcast, Reshape, dimshuffle
from theano._core.rewrite.engine import Rewriter, Rule, known_value

PHASE = "canonical"
# Variables looked at to see whether something is long to compute.
MOST_SEEN = 50
# Operations that give zeros for zeros → the inputs of which that is true.
LINEAR: dict[Any, tuple[int, ...]] = {
    mul: (0, 1),
    true_div: (0,),
    neg: (0,),
    Dot: (0, 1),
    DimShuffle: (0,),
    Rebroadcast: (0,),
    Reshape: (0,),
    Alloc: (0,),
    Second: (1,),
    Reduction: (0,),
    IncSubtensor: (1,),
    AdvancedIncSubtensor: (1,),
}


def _sides(variable: Any) -> tuple[Any, Any, Any] | None:
    """Return (condition, one, other) of a branch with a single value."""
    node = variable.owner
    if node is None or not isinstance(node.op, IfElse) or node.op.n_outs != 1:
        return None
    return node.inputs[0], node.inputs[1], node.inputs[2]


def _into_branch(rewriter: Rewriter, node: Apply) -> Any:
    """F(if(c, x, 0)) → if(c, f(x), 0) for linear f."""
    places = LINEAR.get(node.op) or LINEAR.get(type(node.op), ())
    if isinstance(node.op, Reduction) and node.op.kind != "sum":
        return None
    if isinstance(node.op, IncSubtensor | AdvancedIncSubtensor) and (
        known_value(node.inputs[0]) != 0
    ):
        return None
    for place in places:
        sides = _sides(node.inputs[place])
        if sides is None:
            continue
        condition, one, other = sides
        zero = [known_value(v) == 0 for v in (one, other)]
        if zero[0] == zero[1]:
            continue
        inputs = [*node.inputs[:place], other if zero[0] else one, *node.inputs[place + 1 :]]
        value = node.op.make_node(*inputs).outputs[0]
        nothing = _zeros(rewriter, node.outputs[0])
        return if_else(condition, nothing, value) if zero[0] else if_else(condition, value, nothing)
    return None


def _zeros(rewriter: Rewriter, out: Any) -> Any:
    zero = as_variable(np.zeros((), dtype=out.type.dtype))
    if not out.type.ndim:
        return zero
    return alloc(zero, *(as_int64(n) for n in rewriter.lengths(out)))


def _together(rewriter: Rewriter, node: Apply) -> Any:
    """If(c, x, y) + if(c, u, v) → if(c, x + u, y + v)."""
    first, second = (_sides(v) for v in node.inputs)
    if first is None or second is None or first[0] is not second[0]:
        return None
    return if_else(first[0], node.op(first[1], second[1]), node.op(first[2], second[2]))


def _switch_to_branch(rewriter: Rewriter, node: Apply) -> Any:
    """Switch(c, x, y) with a scalar c → if(c, x, y), where x or y is long to compute."""
    condition, out = node.inputs[0], node.outputs[0]
    if not out.type.ndim or not all(condition.type.broadcastable):
        return None
    sides = node.inputs[1:]
    # That their lengths agree must be certain, since a branch does not check it.
    if any(v.type != out.type for v in sides):
        return None
    if rewriter.lengths(sides[0]) != rewriter.lengths(sides[1]):
        return None
    if not any(_is_long(rewriter, side) for side in sides):
        return None
    return if_else(dimshuffle(condition, ()), *sides)


def _is_long(rewriter: Rewriter, value: Any) -> bool:
    """Tell whether what only `value` needs has a product or a long function in it."""
    stack = [value]
    for _ in range(MOST_SEEN):
        if not stack:
            break
        variable = stack.pop()
        node = variable.owner
        if node is None or rewriter.uses.get(variable, 0) > 1:
            continue
        if isinstance(node.op, (Dot, Loop)) or getattr(node.op, "ulp", 0) > 0.5:
            return True
        stack += node.inputs
    return False


RULES = (
    Rule(
        "switch(scalar, x, y) → if(scalar, x, y)",
        (switch,),
        _switch_to_branch,
        "special",
        "exact",
        "one side is computed instead of both",
    ),
    Rule(
        "f(if(c, x, 0)) → if(c, f(x), 0)",
        tuple(LINEAR),
        _into_branch,
        PHASE,
        "nan",
        "f is not computed when the other side is taken",
    ),
    Rule(
        "if(c, x, y) + if(c, u, v) → if(c, x + u, y + v)",
        (add, sub),
        _together,
        PHASE,
        "exact",
        "one branch instead of two",
    ),
)
