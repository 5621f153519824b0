"""Gradients of logarithms of exponentials: what they are divided by meets what it cancels with.

`y / p + z` is infinite, or no number, where a probability p is too small to be represented. What
that is multiplied by next, when p was an exponential, has p as a factor: `p (y / p + z)` is
`y + p z`. The quotient may stand in sums, and in items that are added to others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from theano._core.ir.graph import made_by
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.assertions import Require
from theano._core.ops.array.broadcasting import Alloc, known_value
from theano._core.ops.array.indexing import (
    AdvancedSubtensor,
    IncSubtensor,
    PartialWrite,
    Subtensor,
)
from theano._core.ops.array.reductions import Reduction
from theano._core.ops.array.sigmoids import one_plus_exp
from theano._core.ops.core.dimshuffle import DimShuffle
from theano._core.ops.elementwise.arithmetic import add, sqr, sub, switch
from theano._core.ops.elementwise.transcendental import exp, pow, sigmoid, softplus
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.pattern import Rules
from theano._core.rewrite.rules.divided import divided_factors, divisors
from theano._core.rewrite.rules.exponentials import without_axes
from theano._core.rewrite.rules.products import (
    ROOTS,
    Factors,
    build,
    flatten,
    with_sums_apart,
)

RULES = Rules("canonical")
rule = RULES.rule
# Sums in products in sums, and so on, that a quotient is looked for in.
FEW_LEVELS = 4
SUMS = frozenset((add, sub))
PRODUCTS = frozenset((*ROOTS, switch))


@rule(
    "exp(x) (y / exp(x) + z) → y + exp(x) z",
    on=ROOTS,
    needs=(exp, sigmoid),
    keeps="nan",
    why="the quotient, in gradients of logarithms, does not overflow",
)
def _absorb(rewriter: Rewriter, node: Apply) -> Any:
    """Also for sigmoids, sums of products with exp(x) for exp(x) below, and parts added to z."""
    out = node.outputs[0]
    factors = divided_factors(rewriter, out, False)
    if factors is None:
        return None
    exponentials = [v for v in factors.plus if made_by(v, exp, sigmoid)]
    for value in factors.plus if exponentials else ():
        if not _adds(value) or value.type.dtype != out.type.dtype:
            continue
        below = divisors(rewriter, value)
        if below is not None and not any(_cancels_with(v, exponentials) for v in below):
            continue
        if not _cancels(value, exponentials, FEW_LEVELS):
            continue
        factors.plus.remove(value)
        if _overflows(value, factors):
            return None
        if value.owner.op in SUMS:
            return value.owner.op(*(_times(rewriter, node, v, factors) for v in value.owner.inputs))
        return _into_part(rewriter, node, value.owner, factors)
    return None


@rule(
    "exp(x) / switch(c, exp(x), y) → switch(c, 1, exp(x) / y)",
    on=ROOTS,
    phase="stable",
    needs=(switch,),
    keeps="nan",
    why="the quotient, in gradients of logarithms, does not overflow",
)
def _divide_by_chosen(rewriter: Rewriter, node: Apply) -> Any:
    factors = divided_factors(rewriter, node.outputs[0])
    if factors is None:
        return None
    exponentials = [v for v in factors.plus if made_by(v, exp, sigmoid)]
    for below in factors.minus if exponentials else ():
        choice = made_by(below, switch)
        if choice is None or not _depends(below, exponentials):
            continue
        factors.minus.remove(below)
        condition, *sides = choice.inputs
        parts = (Factors((), [v]).times(factors.plus, factors.minus) for v in sides)
        chosen = switch(condition, *(build(node, part) for part in parts))
        return build(node, Factors([chosen], (), factors.negative, factors.masks))
    return None


def _times(rewriter: Rewriter, node: Apply, value: Variable, others: Factors) -> Any:
    """Return the product of a value and others, what cancels left out, for the output of `node`."""
    factors = flatten(value) if value.type.dtype == node.outputs[0].type.dtype else None
    chosen = _sum_or_zero(value)
    if chosen is not None and factors is not None:
        factors = Factors([chosen[0]], masks=[chosen[1:]])
    part = Factors([value]) if factors is None else with_sums_apart(rewriter, factors)
    part = part.times(others.plus, others.minus, others.negative)
    part.masks += others.masks
    return build(node, part)


def _into_part(rewriter: Rewriter, node: Apply, write: Apply, others: Factors) -> Any:
    """Return others inc(x, y, i) as inc(others x, others[i] y, i)."""
    x, y, *at = write.inputs
    whole = build(node, others)
    if write.op.assign or x.type != whole.type or not rewriter.same_shape(whole, x):
        return None
    if isinstance(write.op, IncSubtensor):
        part = Subtensor(write.op.index)(whole, *at)
    else:
        part = AdvancedSubtensor(write.op.axes)(whole, *at)
    return write.op(_times(rewriter, node, x, others), y * part, *at)


def _sum_or_zero(value: Variable) -> tuple[Any, Any, bool] | None:
    """Return x, c and True of switch(c, x, 0) for a sum x; False where it is switch(c, 0, x)."""
    node = made_by(value, switch)
    if node is None:
        return None
    zero = [known_value(v) == 0 for v in node.inputs[1:]]
    inner = node.inputs[1 + zero[0]]
    if zero[0] == zero[1] or not made_by(inner, *SUMS) or inner.type.dtype != value.type.dtype:
        return None
    return inner, node.inputs[0], zero[1]


def _adds(value: Variable) -> bool:
    node = value.owner
    return node is not None and (node.op in SUMS or isinstance(node.op, PartialWrite))


def _cancels(value: Variable, exponentials: Sequence[Variable], levels: int) -> bool:
    """Tell whether a term, or a factor of it, is divided by one of some exponentials."""
    node = value.owner
    if node is None or levels < 0:
        return False
    if node.op in SUMS:
        return any(_cancels(v, exponentials, levels - 1) for v in node.inputs)
    if isinstance(node.op, PartialWrite):
        return any(_cancels(v, exponentials, levels - 1) for v in node.inputs[:2])
    chosen = _sum_or_zero(value)
    if chosen is not None:
        return _cancels(chosen[0], exponentials, levels - 1)
    if isinstance(node.op, (Alloc, DimShuffle)):
        return _cancels(without_axes(value), exponentials, levels)
    # Most are none of these.
    if not (node.op in PRODUCTS or isinstance(node.op, Require)):
        return False
    factors = flatten(value)
    if factors is None or factors.plus == [value]:
        return False
    return _grows(factors, exponentials) or any(
        _cancels(v, exponentials, levels - 1) for v in factors.plus
    )


def _overflows(value: Variable, others: Factors) -> bool:
    """Tell whether a term of a sum, times others, has two exponentials, and is divided by none."""
    if value.owner.op not in SUMS or not _large(others):
        return False
    return any(_large(flatten(v) or Factors([v])) for v in value.owner.inputs)


def _large(factors: Factors) -> bool:
    """Tell whether exponentials, or powers of some, are above the line, and nothing is below."""
    powers = (made_by(v, pow, sqr) for v in factors.plus)
    bases = (v if p is None else p.inputs[0] for v, p in zip(factors.plus, powers, strict=True))
    return not factors.minus and any(made_by(v, exp) for v in bases)


def _grows(factors: Factors, exponentials: Sequence[Variable]) -> bool:
    """Tell whether factors are divided by what some exponentials vanish with: no probabilities."""
    above = [v for v in factors.plus if v in exponentials]
    for below in factors.minus:
        if not _depends(below, exponentials):
            continue
        own = next((v for v in above if _depends(below, [v])), None)
        if own is None:
            return True
        above.remove(own)
    return False


def _cancels_with(below: Variable, exponentials: Sequence[Variable]) -> bool:
    """Tell whether a divisor is one of some exponentials, or softplus(x) where sigmoid(x) is."""
    node = made_by(below, softplus)
    if node is None:
        return below in exponentials
    return any(made_by(v, sigmoid) and v.owner.inputs[0] is node.inputs[0] for v in exponentials)


def _depends(below: Variable, exponentials: Sequence[Variable]) -> bool:
    """Tell whether a divisor is one of some exponentials, chooses one, or sums products of them."""
    if _cancels_with(below, exponentials):
        return True
    node = made_by(without_axes(below), Reduction, add, sub, switch)
    if node is None or (isinstance(node.op, Reduction) and node.op.kind not in ("sum", "max")):
        return False
    if not isinstance(node.op, Reduction):
        # Of 1 + exp(x), a sigmoid is made.
        if one_plus_exp(node.outputs[0]) is not None:
            return False
        return any(_has_factor(v, exponentials) for v in node.inputs)
    return _has_factor(node.inputs[0], exponentials)


def _has_factor(value: Variable, exponentials: Sequence[Variable]) -> bool:
    factors = flatten(value)
    return factors is not None and any(
        v in exponentials or (_is_sum(v) and _depends(v, exponentials)) for v in factors.plus
    )


def _is_sum(value: Variable) -> bool:
    return made_by(without_axes(value), Reduction) is not None
