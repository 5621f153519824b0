"""Exponentials divided by sums that they are in: less the largest exponent, they stay finite.

As in the gradient of the logarithm of such a sum, which may be 0 or infinite, and in attention that
is masked or has a number added to its sum.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import reduce
from typing import Any

from theano._core.ir.graph import made_by
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.reductions import Reduction
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.elementwise.arithmetic import add, sqr, sub, true_div
from theano._core.ops.elementwise.transcendental import exp, sigmoid
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.pattern import Rules
from theano._core.rewrite.rules.divided import divided_factors, exponential, share
from theano._core.rewrite.rules.exponentials import along, finite, like, without_axes
from theano._core.rewrite.rules.logarithms import behind_parts
from theano._core.rewrite.rules.products import ROOTS, Factors, build, flatten, with_sums_apart
from theano._core.rewrite.rules.weighted_sums import (
    SUMMED,
    Term,
    WeightedSum,
    common_power,
    largest_term,
    less,
    limit_of,
    own_power,
    sum_of,
    sum_of_terms,
    terms_of,
    uncast,
    weighted_sum,
)

RULES = Rules("stable")
rule = RULES.rule


@rule(
    "exp(x) / sum(w exp(x)) → exp(x - max) / sum(w exp(x - max))",
    on=ROOTS,
    needs=(exp, sigmoid),
    keeps="nan",
    why="in the gradient of the logarithm of such a sum, which may be 0 or infinite",
)
def _quotient_by_weighted(rewriter: Rewriter, node: Apply) -> Any:
    out = node.outputs[0]
    factors = divided_factors(rewriter, out)
    if factors is None or not any(map(_has_power, factors.plus)):
        return None
    factors = with_sums_apart(rewriter, factors)
    divided = _divided(rewriter, node, factors)
    if divided is None and (apart := _out_of_sum(rewriter, node, factors)) is not None:
        divided = _divided(rewriter, node, apart)
    return None if divided is None else build(node, divided)


# When all that cancels has done so.
@rule(
    "exp(x) y / z² → (exp(x) / z) (y / z)",
    on=true_div,
    phase="special",
    needs=(sqr,),
    keeps="rounding",
    why="in gradients of exp(x) / z, the square of a sum of exponentials overflows first",
)
def _divided_twice(rewriter: Rewriter, node: Apply) -> Any:
    out = node.outputs[0]
    above, below = (flatten(v, False) for v in node.inputs)
    if above is None or below is None or above.minus:
        return None
    square = _square_of_sum(rewriter, below)
    if square is None or divided_factors(rewriter, out) is None:
        return None
    # What else there is may be small: exponentials are divided first.
    plus = sorted(above.plus, key=lambda v: not exponential(rewriter, v))
    if any(v.type.dtype != out.type.dtype for v in (square, plus[0])):
        return None
    if not exponential(rewriter, plus[0]):
        return None
    quotients = [v / square for v in plus[:2]] if len(plus) > 1 else [plus[0] / square / square]
    minus = [v for v in below.plus if v is not square]
    minus += [square] * (below.plus.count(square) - 2)
    negative = above.negative != below.negative
    return build(node, Factors([*quotients, *plus[2:]], [*minus, *below.minus], negative))


def _square_of_sum(rewriter: Rewriter, factors: Factors) -> Variable | None:
    """Return a sum of exponentials that is a factor twice, or None."""
    twice = (v for v, count in Counter(factors.plus).items() if count > 1)
    return next((v for v in twice if made_by(v, add, sub) and exponential(rewriter, v)), None)


def _has_power(factor: Variable) -> bool:
    """Tell whether a factor may be an exponential, a sigmoid, or items of these or a softmax."""
    whole, chosen = behind_parts(factor)
    return made_by(whole, exp, sigmoid) is not None or (
        bool(chosen) and made_by(whole, true_div) is not None
    )


def _divided(rewriter: Rewriter, node: Apply, factors: Factors) -> Factors | None:
    """Return factors with what exponentials among them are divided by less the largest."""
    powers = [v for v in factors.plus if _has_power(v)]
    for below in factors.minus:
        total = without_axes(below)
        if below.type.dtype != node.outputs[0].type.dtype or not made_by(total, *SUMMED):
            continue
        if not any(share(rewriter, v, total) for v in powers):
            continue
        terms = terms_of(total)
        for term in terms:
            if term.exponentials and _all_in(term.exponentials, factors.plus):
                return _shifted_terms(factors, below, terms, term)
        weighted = weighted_sum(total)
        if weighted is None or not _all_in(weighted.exponentials, factors.plus):
            continue
        # What the sum is divided by may be part of a larger product, which comes next.
        if _all_in([d.written for d in weighted.divisors], factors.minus):
            return _shifted(factors, below, weighted)
    return None


def _out_of_sum(rewriter: Rewriter, node: Apply, factors: Factors) -> Factors | None:
    """Return factors with sum(x) / y for one sum(x / y), for a y that sums exponentials.

    As in the gradient of exponentials that are divided by their sum: these are among the factors,
    so that there is nothing where the axes of the sum have no items.
    """
    for place, value in enumerate(factors.plus):
        total = made_by(without_axes(value), Reduction)
        inside = flatten(total.inputs[0]) if total is not None else None
        if total is None or inside is None or total.op.kind != "sum":
            continue
        rank = total.inputs[0].type.ndim
        axes = total.op.axes(rank)
        kept = [axis for axis in range(rank) if axis not in axes]
        for below in inside.minus:
            if below.type.ndim != rank or not all(below.type.broadcastable[a] for a in axes):
                continue
            above = [v for v in factors.plus if v is not value]
            divisor = like(dimshuffle(below, kept), value)
            if _divided(rewriter, node, Factors(above, [divisor])) is None:
                continue
            inside.minus.remove(below)
            rest = like(total.op(build(total.inputs[0].owner, inside)), value)
            above.insert(place, rest)
            return Factors(above, [*factors.minus, divisor], factors.negative, factors.masks)
    return None


def _shifted(factors: Factors, below: Variable, weighted: WeightedSum) -> Factors:
    """Return factors that are divided by a sum, both with exponents less the largest of the sum."""
    plus, minus = list(factors.plus), list(factors.minus)
    minus.remove(below)
    for value in weighted.exponentials:
        plus.remove(value)
    for divisor in weighted.divisors:
        minus[minus.index(divisor.written)] = divisor.value
    total = without_axes(below)
    has_weights = (
        _all_in(weighted.weights, [uncast(v) for v in plus])
        and _all_in(weighted.masks, factors.masks)
        and along(total, (below, total))
    )
    limit = like(weighted.limit, below) if has_weights else None
    power = less(
        common_power(weighted.exponentials, weighted.divisors), like(weighted.largest, below), limit
    )
    minus.append(like(weighted.value, below))
    return Factors([power, *plus], minus, factors.negative, factors.masks)


def _shifted_terms(factors: Factors, below: Variable, terms: Sequence[Term], term: Term) -> Factors:
    """As `_shifted`, for a sum of some products, with the exponentials of one of them.

    Others go with them, as much as is not divided by sums once more.
    """
    plus, minus = list(factors.plus), list(factors.minus)
    minus.remove(below)
    taken = list(term.exponentials)
    if not any(made_by(without_axes(v), Reduction, add, sub) for v in minus):
        taken = [v for v in plus if own_power(v) is not None]
    for value in taken:
        plus.remove(value)
    divisors = term.divisors if _all_in([d.written for d in term.divisors], minus) else []
    for divisor in divisors:
        minus[minus.index(divisor.written)] = divisor.value
    power = sum_of(own_power(v) for v in taken)
    power = reduce(lambda a, d: a - d.largest, divisors, power)
    most, total = largest_term(terms), without_axes(below)
    minus.append(like(sum_of_terms(total, terms, finite(most), limit_of(most)), below))
    power = less(power, like(finite(most), below), None)
    return Factors([power, *plus], minus, factors.negative, factors.masks)


def _all_in(values: Sequence[object], others: Sequence[object]) -> bool:
    """Tell whether values are among others, those that stand there twice twice."""
    return Counter(values) <= Counter(others)
