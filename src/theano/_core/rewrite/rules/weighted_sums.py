"""Sums of exponentials with weights: less the largest exponent that has one, they stay finite.

A cross-entropy may be written as the logarithm of the probability of what is true, picked by a
product with a one-hot matrix and a sum. In float32 that probability is 0 where logits are some
hundred apart; its logarithm, and what the gradient is divided by, are not representable. Here
both become log-sum-exps [1]_ with weights: where w is not 0, m is the largest x,

    log(sum(w exp(x))) = m + log(sum(w exp(x - m)))
    exp(x) / sum(w exp(x)) = exp(x - m) / sum(w exp(x - m))

.. [1] P. Blanchard, D. J. Higham, N. J. Higham, "Accurately computing the log-sum-exp and softmax
   functions", IMA Journal of Numerical Analysis 41 (2021).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from theano._core.base import dtypes
from theano._core.base.records import Record
from theano._core.ir.graph import made_by
from theano._core.ir.tensor import TensorVariable
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.broadcasting import known_value
from theano._core.ops.array.reductions import Reduction
from theano._core.ops.elementwise.arithmetic import (
    add,
    and_,
    isinf,
    maximum,
    minimum,
    neg,
    neq,
    sub,
    switch,
)
from theano._core.ops.elementwise.elementwise import Elementwise
from theano._core.ops.elementwise.transcendental import (
    exp,
    log,
    log2,
    log10,
    pow,
    sigmoid,
    softplus,
)
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.pattern import Rules
from theano._core.rewrite.rules.divided import divided_factors
from theano._core.rewrite.rules.exponentials import (
    along,
    finite,
    is_positive,
    largest_of,
    like,
    shifted,
    without_axes,
)
from theano._core.rewrite.rules.flatten import WIDEST, number
from theano._core.rewrite.rules.products import (
    ROOTS,
    Factors,
    build,
    flatten,
    with_sums_apart,
)

RULES = Rules("stable")
rule = RULES.rule
Masks = Sequence[tuple[Variable, bool]]
# What the natural logarithm is multiplied by.
SCALES = {log: 1.0, log2: 1 / np.log(2), log10: 1 / np.log(10)}


class Divisor(Record):
    """A sum of exponentials as written, its largest exponent, and the sum less that."""

    written: Any
    largest: Any
    value: Any


class WeightedSum(Record):
    """A sum of products with exponentials.

    Attributes
    ----------
    exponentials, weights : list of Variable
        The factors of what is summed: the exponentials, and others that may be 0.
    divisors : list of Divisor
        What is summed is divided by sums of exponentials, too.
    masks : list of tuple
        Conditions, and whether they must hold where what is summed is not 0.
    largest, limit : Variable
        The largest exponent of those that are summed, 0 where it is infinite; it less that.
    value : Variable
        The sum with `largest` taken from the exponents.
    """

    exponentials: list[Any]
    weights: list[Any]
    divisors: list[Divisor]
    masks: list[tuple[Any, bool]]
    largest: Any
    limit: Any
    value: Any


def _divisors(factors: Factors) -> list[Divisor]:
    result = []
    for written in factors.minus:
        total = without_axes(written)
        largest = largest_of(total)
        if largest is not None:
            value = total.owner.op(shifted(total, largest))
            result.append(Divisor(written, like(largest, written), like(value, written)))
    return result


def _power(exponentials: Sequence[Variable], divisors: Sequence[Divisor]) -> Any:
    """Return the exponent of exponentials, of what divides them as much as is taken there."""
    power = _sum(v.owner.inputs[0] for v in exponentials)
    return reduce(lambda a, b: a - b.largest, divisors, power)


def _less(power: TensorVariable, largest: TensorVariable, limit: TensorVariable | None) -> Any:
    """Return exponentials less the largest that are summed.

    Those with weights do not exceed a `limit`: only what has the weight 0 does, and stays finite.
    """
    power = power - largest
    return exp(power if limit is None else minimum(power, limit))


def weighted_sum(total: Variable) -> WeightedSum | None:
    """Return what a sum is, if it is of exponentials with weights and not less their largest."""
    node = made_by(total, Reduction)
    if node is None or node.op.kind != "sum" or not _is_float(total):
        return None
    inside = node.inputs[0]
    factors = flatten(inside) if made_by(inside, *ROOTS, switch) else None
    if factors is None or inside.type.dtype != total.type.dtype:
        return None
    exponentials = [v for v in factors.plus if made_by(v, exp) and _is_float(v.owner.inputs[0])]
    others = [v for v in factors.plus if v not in exponentials]
    weights = [_uncast(v) for v in others if not known_value(v)]
    if not exponentials or not (weights or factors.masks) or any(map(_bounded, exponentials)):
        return None
    divisors = _divisors(factors)
    power = _power(exponentials, divisors)
    most = Reduction("supremum", node.op.axis)(_counted(power, weights, factors.masks))
    largest, limit = finite(most), _limit(most)
    below = [v for v in factors.minus if all(v is not d.written for d in divisors)]
    new = Factors(
        [_less(power, *(node.op.expand(inside, v) for v in (largest, limit))), *others],
        [*below, *(d.value for d in divisors)],
        factors.negative,
        factors.masks,
    )
    value = node.op(build(inside.owner, new))
    return WeightedSum(exponentials, weights, divisors, factors.masks, largest, limit, value)


def _limit(most: Variable) -> Any:
    """Return the largest exponent less the finite one: 0 as a rule."""
    return switch(isinf(most), most, number(0, most.type.dtype))


def _counted(power: Variable, weights: Sequence[Variable], masks: Masks) -> Any:
    """Return exponents where no weight is 0, and the lowest number elsewhere."""
    lowest = number(-np.inf, power.type.dtype)
    conditions = [v if v.type.dtype == "bool" else neq(v, number(0, v.type.dtype)) for v in weights]
    conditions += [condition for condition, holds in masks if holds]
    if conditions:
        power = switch(reduce(and_, conditions), power, lowest)
    for condition in (condition for condition, holds in masks if not holds):
        power = switch(condition, lowest, power)
    return power


def _uncast(variable: Variable) -> Any:
    """Return the integers that a variable is a conversion of, or itself."""
    node = made_by(variable, Elementwise)
    if node is None or not node.op.is_cast or not dtypes.is_discrete(node.inputs[0].type.dtype):
        return variable
    return node.inputs[0]


class Term(Record):
    """A product of a sum: its exponentials and sigmoids, their exponent, and the other factors."""

    exponentials: list[Any]
    power: Any
    rest: Factors


def _terms(total: Variable) -> list[Term]:
    """Return the products of a sum, if each has an exponential or a sigmoid; else nothing."""
    result: list[Term] = []
    stack = [(total, False)]
    while stack and made_by(total, add, sub) and _is_float(total):
        value, negative = stack.pop()
        if made_by(value, add, sub, neg) and value.type.dtype == total.type.dtype:
            first, *others = value.owner.inputs
            stack += [(v, negative != (value.owner.op is sub)) for v in others]
            stack.append((first, negative != (value.owner.op is neg)))
            continue
        factors = flatten(value) if value.type.dtype == total.type.dtype else None
        if factors is None or factors.masks or len(result) + len(stack) > WIDEST:
            return []
        exponentials = [v for v in factors.plus if made_by(v, exp, sigmoid)]
        powers, factors.plus = _powers(factors.plus)
        if not powers or len(powers) < len(exponentials) or any(map(_bounded, exponentials)):
            return []
        factors.negative ^= negative
        result.append(Term(exponentials, _sum(powers), factors))
    return result


def _powers(values: Sequence[Variable]) -> tuple[list[Any], list[Any]]:
    """Return the logarithms of exponentials and sigmoids among factors, and the other factors."""
    powers: list[Any] = []
    others: list[Any] = []
    for value in values:
        power = _logarithm_of(value)[0] if made_by(value, exp, sigmoid) else None
        (others if power is None else powers).append(value if power is None else power)
    return powers, others


def _sum(values: Iterable[Any]) -> Any:
    return reduce(lambda a, b: a + b, values)


def _largest_term(terms: Sequence[Term]) -> Any:
    """Return the largest exponent of those that are not multiplied by 0."""
    weights = ([_uncast(v) for v in t.rest.plus if not known_value(v)] for t in terms)
    return reduce(maximum, (_counted(t.power, w, ()) for t, w in zip(terms, weights, strict=True)))


def _sum_of_terms(total: Variable, terms: Sequence[Term], most: Variable) -> Any:
    """Return a sum with its largest exponent taken away."""
    return _sum(
        build(
            total.owner,
            Factors(
                [_less(t.power, finite(most), _limit(most)), *t.rest.plus],
                t.rest.minus,
                t.rest.negative,
            ),
        )
        for t in terms
    )


def _bounded(exponential: Variable) -> bool:
    """Tell whether the largest has been taken from an exponent already."""
    node = made_by(exponential.owner.inputs[0], minimum)
    choices = [made_by(without_axes(v), switch) for v in (() if node is None else node.inputs)]
    return any(c is not None and made_by(c.inputs[0], isinf) for c in choices)


@rule(
    "log(exp(x) + exp(y)) → max + log(exp(x - max) + exp(y - max))",
    on=tuple(SCALES),
    needs=(exp, sigmoid),
    keeps="nan",
    why="exp does not overflow",
)
def _log_of_terms(rewriter: Rewriter, node: Apply) -> Any:
    """Also with weights, and of sigmoids."""
    total = node.inputs[0]
    terms = _terms(total)
    if not terms:
        return None
    most = _largest_term(terms)
    return node.op(_sum_of_terms(total, terms, most)) + _scaled(node, finite(most))


def _scaled(node: Apply, power: TensorVariable) -> Any:
    """Return the natural logarithm of a number as another one."""
    scale = SCALES[node.op]
    return power if scale == 1 else power * number(scale, power.type.dtype)


@rule(
    "log(sum(w exp(x)) y) → max + log(sum(w exp(x - max)) y)",
    on=tuple(SCALES),
    needs=(exp, sigmoid),
    keeps="nan",
    why="neither 0 nor infinite where an exponential is",
)
def _log_of_product(rewriter: Rewriter, node: Apply) -> Any:
    """Also log(exp(x) y) → x + log(y), of sigmoids too, of their powers, and quotients by such."""
    inside = node.inputs[0]
    factors = flatten(inside) if _is_float(inside) else None
    if factors is None or factors.masks or factors.negative:
        return None
    rest, power = Factors(), None
    # Left to other rules: one sigmoid, or sums without weights.
    plain = True
    for table, above in ((factors.plus, True), (factors.minus, False)):
        for factor in table:
            taken, left = _logarithm_of(factor)
            if taken is None or taken.type.dtype != inside.type.dtype:
                left = factor
            elif power is None:
                power = taken if above else -taken
            else:
                power = power + taken if above else power - taken
            if left is not None:
                (rest.plus if above else rest.minus).append(left)
            single = len(factors) == 1 and node.op is log and made_by(factor, sigmoid) is not None
            plain = plain and (left is factor or single or _is_plain(factor))
    if power is None or plain:
        return None
    power = _scaled(node, power)
    if not len(rest):
        return power
    rest = build(inside.owner, rest) if made_by(inside, *ROOTS) else rest.plus[0]
    return node.op(rest) + power


@rule(
    "log(switch(c, exp(x), y)) → switch(c, x, log(y))",
    on=tuple(SCALES),
    needs=(switch,),
    keeps="nan",
    why="the logarithms of both sides are finite where an exponential is 0 or infinite",
)
def _log_of_chosen(rewriter: Rewriter, node: Apply) -> Any:
    """For what is exponentials, sigmoids, or products with them."""
    choice = made_by(node.inputs[0], switch)
    if choice is None or not _is_float(node.inputs[0]):
        return None
    condition, *sides = choice.inputs
    same = all(v.type.dtype == node.inputs[0].type.dtype for v in sides)
    if not same or not any(map(_has_exponential, sides)):
        return None
    return switch(condition, *(node.op(v) for v in sides))


def _has_exponential(value: Variable) -> bool:
    factors = flatten(value)
    return factors is not None and any(
        made_by(v, exp, sigmoid) for v in (*factors.plus, *factors.minus)
    )


def _logarithm_of(factor: Variable) -> tuple[Any, Any]:
    """Return x and y of a factor exp(x) y, with a y that neither overflows nor is 0, or None."""
    node = made_by(factor, exp, sigmoid)
    if node is not None and _is_float(node.inputs[0]):
        x = node.inputs[0]
        return (x if node.op is exp else -softplus(-x)), None
    node = made_by(factor, pow)
    if node is not None and is_positive(node.inputs[0]):
        base, power = node.inputs
        # Anything to the power 0 is 1.
        written = log(base) * power
        return switch(neq(power, 0), written, number(0, written.type.dtype)), None
    terms = _terms(factor)
    if terms:
        most = _largest_term(terms)
        return finite(most), _sum_of_terms(factor, terms, most)
    total = without_axes(factor)
    known = weighted_sum(total)
    if known is not None:
        return like(known.largest, factor), like(known.value, factor)
    largest = largest_of(total)
    if largest is None:
        return None, None
    return like(largest, factor), like(total.owner.op(shifted(total, largest)), factor)


def _is_plain(factor: Variable) -> bool:
    """Tell whether a factor is a sum of exponentials without weights."""
    return largest_of(without_axes(factor)) is not None


@rule(
    "exp(x) / sum(w exp(x)) → exp(x - max) / sum(w exp(x - max))",
    on=ROOTS,
    needs=(exp,),
    keeps="nan",
    why="in the gradient of the logarithm of such a sum, which may be 0 or infinite",
)
def _quotient_by_weighted(rewriter: Rewriter, node: Apply) -> Any:
    out = node.outputs[0]
    factors = divided_factors(rewriter, out)
    if factors is None or not any(made_by(v, exp, sigmoid) for v in factors.plus):
        return None
    factors = with_sums_apart(rewriter, factors)
    for below in factors.minus:
        terms = _terms(below) if below.type.dtype == out.type.dtype else []
        if any(_all_in(t.exponentials, factors.plus) for t in terms):
            return build(node, _shifted_terms(factors, below, terms))
        total = without_axes(below)
        known = weighted_sum(total) if below.type.dtype == out.type.dtype else None
        if known is not None and _all_in(known.exponentials, factors.plus):
            return build(node, _shifted(factors, below, known))
    return None


def _shifted(factors: Factors, below: Variable, known: WeightedSum) -> Factors:
    """Return factors that are divided by a sum, both with exponents less the largest of the sum."""
    plus, minus = list(factors.plus), list(factors.minus)
    minus.remove(below)
    for value in known.exponentials:
        plus.remove(value)
    divisors = known.divisors if _all_in([d.written for d in known.divisors], minus) else []
    for divisor in divisors:
        minus[minus.index(divisor.written)] = divisor.value
    total = without_axes(below)
    weighted = _all_in(known.weights, [_uncast(v) for v in plus])
    weighted = weighted and _all_in(known.masks, factors.masks) and along(total, (below, total))
    limit = like(known.limit, below) if weighted else None
    power = _less(_power(known.exponentials, divisors), like(known.largest, below), limit)
    minus.append(like(known.value, below))
    return Factors([power, *plus], minus, factors.negative, factors.masks)


def _shifted_terms(factors: Factors, below: Variable, terms: Sequence[Term]) -> Factors:
    """As `_shifted`, for a sum of some products."""
    minus = list(factors.minus)
    minus.remove(below)
    most = _largest_term(terms)
    minus.append(_sum_of_terms(below, terms, most))
    powers, plus = _powers(factors.plus)
    return Factors(
        [_less(_sum(powers), finite(most), None), *plus], minus, factors.negative, factors.masks
    )


def _is_float(variable: Variable) -> bool:
    return dtypes.is_float(variable.type.dtype)


def _all_in(values: Sequence[object], others: Sequence[object]) -> bool:
    """Tell whether values are among others, those that stand there twice twice."""
    return Counter(values) <= Counter(others)
