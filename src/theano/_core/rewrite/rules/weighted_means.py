"""Means with exponentials as weights: less the largest exponent, they stay finite."""

from __future__ import annotations

from typing import Any

from theano._core.ir.graph import made_by
from theano._core.ir.variable import Apply
from theano._core.ops.array.reductions import Reduction
from theano._core.ops.elementwise.arithmetic import switch
from theano._core.ops.elementwise.transcendental import exp
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.pattern import Rules
from theano._core.rewrite.rules.divided import divided_factors
from theano._core.rewrite.rules.exponentials import (
    axes_from,
    largest_of,
    like,
    shifted,
    without_axes,
)
from theano._core.rewrite.rules.products import ROOTS, build, flatten

RULES = Rules("special")
rule = RULES.rule


@rule(
    "sum(x exp(y)) / sum(exp(y)) → sum(x exp(y - max)) / sum(exp(y - max))",
    on=ROOTS,
    needs=(exp,),
    keeps="nan",
    why="exp does not overflow",
)
def _weighted_mean(rewriter: Rewriter, node: Apply) -> Any:
    factors = divided_factors(rewriter, node.outputs[0])
    if factors is None:
        return None
    sums = [(v, without_axes(v)) for v in factors.plus]
    sums = [(v, whole) for v, whole in sums if made_by(whole, Reduction)]
    for below in factors.minus if sums else ():
        total = without_axes(below)
        largest = largest_of(total)
        if largest is None:
            continue
        new = shifted(total, largest)
        for value, whole in sums:
            mean = _with_weights(whole, total, new)
            # Each item must be divided by the sum of its weights.
            if mean is not None and axes_from(value, whole) == axes_from(below, total):
                factors.plus[factors.plus.index(value)] = like(mean, value)
                factors.minus[factors.minus.index(below)] = like(total.owner.op(new), below)
                return build(node, factors)
    return None


def _with_weights(whole: Any, total: Any, new: Any) -> Any:
    """Return a sum of products with exponentials, `total` of which is theirs, with `new` ones."""
    (inside,), (weights,) = whole.owner.inputs, total.owner.inputs
    axes = total.owner.op.axes(weights.type.ndim)
    if whole.owner.op.kind != "sum" or whole.owner.op.axes(inside.type.ndim) != axes:
        return None
    factors = flatten(inside) if made_by(inside, *ROOTS, switch) else None
    if factors is None or weights not in factors.plus:
        return None
    factors.plus[factors.plus.index(weights)] = new
    return whole.owner.op(build(inside.owner, factors))
