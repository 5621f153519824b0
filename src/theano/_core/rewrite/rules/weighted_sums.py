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
from theano._core.ops.core.op import as_variable
from theano._core.ops.elementwise.arithmetic import (
    abs_,
    add,
    and_,
    gt,
    isinf,
    maximum,
    minimum,
    neg,
    neq,
    sqr,
    sub,
    switch,
)
from theano._core.ops.elementwise.elementwise import Elementwise, cast
from theano._core.ops.elementwise.transcendental import (
    cosh,
    exp,
    expm1,
    log,
    log1p,
    log2,
    log10,
    pow,
    sigmoid,
    softplus,
    tanh,
)
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.pattern import Rules
from theano._core.rewrite.rules.exponentials import (
    EXTREMES,
    along,
    finite,
    has_largest,
    is_positive,
    largest_of,
    like,
    log_of_cosh,
    shifted,
    sums_exponentials,
    tanh_of_slope,
    without_axes,
)
from theano._core.rewrite.rules.flatten import WIDEST, number, rows_of_join
from theano._core.rewrite.rules.logarithms import (
    PARTS,
    behind_parts,
    logarithm_of_items,
    part_of,
    vanishes,
)
from theano._core.rewrite.rules.products import (
    ROOTS,
    Factors,
    build,
    flatten,
)

RULES = Rules("stable")
rule = RULES.rule
# What exponentials are found in, to be added to 1.
SUMMED = (*ROOTS, add, sub, sqr, pow, Reduction)
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


def common_power(exponentials: Sequence[Variable], divisors: Sequence[Divisor]) -> Any:
    """Return the exponent of exponentials, of what divides them as much as is taken there."""
    power = sum_of(v.owner.inputs[0] for v in exponentials)
    return reduce(lambda a, b: a - b.largest, divisors, power)


def less(power: TensorVariable, largest: TensorVariable, limit: TensorVariable | None) -> Any:
    """Return exponentials less the largest that are summed.

    Those with weights do not exceed a `limit`: only what has the weight 0 does, and stays finite.
    """
    power = power - largest
    return exp(power if limit is None else minimum(power, limit))


def weighted_sum(total: Variable) -> WeightedSum | None:
    """Return what a sum is, if it is of exponentials with weights and not less their largest."""
    node = made_by(total, Reduction)
    if node is None or node.op.kind not in ("sum", "max") or not _is_float(total):
        return None
    inside = node.inputs[0]
    factors = flatten(inside) if made_by(inside, *ROOTS, switch) else None
    if factors is None or inside.type.dtype != total.type.dtype:
        return None
    exponentials = [v for v in factors.plus if made_by(v, exp) and _is_float(v.owner.inputs[0])]
    others = [v for v in factors.plus if v not in exponentials]
    weights = [uncast(v) for v in others if not known_value(v)]
    if not exponentials or any(map(_bounded, exponentials)):
        return None
    divisors = _divisors(factors)
    # One exponential, or a softmax, has other rules.
    if len(exponentials) == 1 and len(factors.minus) == len(divisors):
        if not (weights or factors.masks):
            return None
    power = common_power(exponentials, divisors)
    most = Reduction("supremum", node.op.axis)(_counted(power, weights, factors.masks))
    largest, limit = finite(most), limit_of(most)
    below = [v for v in factors.minus if all(v is not d.written for d in divisors)]
    new = Factors(
        [less(power, *(node.op.expand(inside, v) for v in (largest, limit))), *others],
        [*below, *(d.value for d in divisors)],
        factors.negative,
        factors.masks,
    )
    value = node.op(build(inside.owner, new))
    return WeightedSum(exponentials, weights, divisors, factors.masks, largest, limit, value)


def limit_of(most: Variable, least: float = 0) -> Any:
    """Return the largest exponent less the finite one, as a rule 0; or what else it is `least`."""
    return switch(isinf(most), most, number(least, most.type.dtype))


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


def uncast(variable: Variable) -> Any:
    """Return the integers that a variable is a conversion of, or itself."""
    node = made_by(variable, Elementwise)
    if node is None or not node.op.is_cast or not dtypes.is_discrete(node.inputs[0].type.dtype):
        return variable
    return node.inputs[0]


class Term(Record):
    """A product of a sum: its exponentials, their exponent, what divides them, other factors.

    Sigmoids, sums of exponentials and items of a softmax are such exponentials. A product without
    any has the exponent 0. It is 0 where one of its `weights` is.
    """

    exponentials: list[Any]
    power: Any
    weights: list[Any]
    divisors: list[Divisor]
    rest: Factors

    @property
    def is_bounded(self) -> bool:
        """Whether its exponentials do not overflow, but for those that their sum divides."""
        own = list(self.exponentials)
        for total, written in ((without_axes(d.written), d.written) for d in self.divisors):
            (summed,) = total.owner.inputs
            if summed in own and along(total, (written, total)):
                own.remove(summed)
        return not any(made_by(v, exp) and _exceeds_one(v) for v in own)


def _exceeds_one(exponential: Variable) -> bool:
    """Tell whether an exponential may be infinite: not exp(-x²), exp(-|x|) and exp(x - max(x))."""
    power = exponential.owner.inputs[0]
    node = made_by(power, neg)
    if node is not None and made_by(node.inputs[0], sqr, abs_):
        return False
    return not has_largest(power)


def terms_of(total: Variable, single: bool = False) -> list[Term]:
    """Return the products of a sum, if each has an exponential; else nothing.

    Where one of them may overflow others need none. A `single` product is a sum as well.
    """
    result: list[Term] = []
    stack = [(total, False)]
    while stack and (single or made_by(total, add, sub)) and _is_float(total):
        value, negative = stack.pop()
        if made_by(value, add, sub, neg) and value.type.dtype == total.type.dtype:
            first, *others = value.owner.inputs
            stack += [(v, negative != (value.owner.op is sub)) for v in others]
            stack.append((first, negative != (value.owner.op is neg)))
            continue
        term = None if len(result) + len(stack) > WIDEST else _term(value, total.type.dtype)
        if term is None:
            return []
        term.rest.negative ^= negative
        result.append(term)
    if all(t.is_bounded for t in result) and not all(t.exponentials for t in result):
        return []
    return [] if _less_largest(result) else result


def _less_largest(terms: Sequence[Term]) -> bool:
    """Tell whether exponents are less their largest: in exp(x - m) + exp(y - m), m = max(x, y).

    One of the terms is 1. So it is for exp(m - x) + exp(m - y), m = min(x, y).
    """
    powers = [None if len(t.rest) else made_by(t.power, sub) for t in terms]
    exponents = [node.inputs for node in powers if node is not None]
    if len(exponents) < len(terms) or not terms:
        return False
    for place, extreme in ((1, maximum), (0, minimum)):
        largest = exponents[0][place]
        others = {inputs[1 - place] for inputs in exponents}
        if all(inputs[place] is largest for inputs in exponents):
            return others == _compared(largest, extreme)
    return False


def _compared(largest: Variable, extreme: Elementwise) -> set[Any]:
    """Return the operands of nested maxima or minima, of two or of rows that are joined."""
    kinds, waiting, result = EXTREMES if extreme is maximum else ("min",), [largest], set()
    for value in waiting:
        node = made_by(value, extreme, Reduction)
        operands = node.inputs if node is not None and len(waiting) < WIDEST else []
        if node is not None and node.op is not extreme:
            operands = rows_of_join(node, WIDEST) if node.op.kind in kinds else []
        waiting += operands
        result |= set() if operands else {value}
    return result


def _term(value: Variable, dtype: str) -> Term | None:
    """Return a product of a sum of floats; None if its largest exponent was taken away before.

    Nor of products of sums of exponentials.
    """
    factors = flatten(value) if value.type.dtype == dtype else None
    if factors is None:
        number_of = known_value(value) is not None and not isinstance(known_value(value), complex)
        return Term([], _zero(dtype), [], [], Factors([value])) if number_of else None
    if factors.masks:
        return None
    exponentials, powers, weights, plus = [], [], [], []
    for factor in factors.plus:
        power, left, inner = _power_of(factor)
        # It may be infinite, and be multiplied by an exponential that has become 0.
        if power is None and terms_of(factor):
            return None
        exponentials += inner
        powers += [] if power is None else [power]
        weights += [factor] if power is None and not known_value(factor) else []
        plus += [factor] if power is None else [] if left is None else [left]
    if any(made_by(v, exp) and _bounded(v) for v in exponentials):
        return None
    divisors = _divisors(factors) if powers else []
    minus = [v for v in factors.minus if all(v is not d.written for d in divisors)]
    rest = Factors(plus, [*minus, *(d.value for d in divisors)], factors.negative)
    power = reduce(lambda a, d: a - d.largest, divisors, sum_of(powers)) if powers else _zero(dtype)
    return Term(exponentials, power, [uncast(v) for v in weights], divisors, rest)


def _zero(dtype: str) -> Any:
    return as_variable(number(0, dtype))


def _power_of(factor: Variable) -> tuple[Any, Any, list[Any]]:
    """Return x, y and the exponentials that a factor exp(x) y is made of; (None, None, []) else."""
    power = own_power(factor)
    if power is not None:
        return power, None, [factor]
    total = without_axes(factor)
    node = made_by(total, Reduction)
    if node is None:
        return None, None, []
    weighted = weighted_sum(total)
    if weighted is not None:
        return like(weighted.largest, factor), like(weighted.value, factor), weighted.exponentials
    largest = largest_of(total)
    if largest is None:
        return None, None, []
    value = total.owner.op(shifted(total, largest))
    return like(largest, factor), like(value, factor), [node.inputs[0]]


def own_power(factor: Variable) -> Any:
    """Return the logarithm of exponentials, sigmoids, items of them or of a softmax, else None."""
    whole, chosen = behind_parts(factor)
    node = made_by(whole, exp, sigmoid)
    if node is not None and _is_float(node.inputs[0]):
        (x,) = node.inputs
        return part_of(x if node.op is exp else -softplus(-x), chosen)
    return logarithm_of_items(factor) if chosen else None


def sum_of(values: Iterable[Any]) -> Any:
    return reduce(lambda a, b: a + b, values)


def largest_term(terms: Sequence[Term]) -> Any:
    """Return the largest exponent of those that are not multiplied by 0."""
    return reduce(maximum, (_counted(t.power, t.weights, ()) for t in terms))


def sum_of_terms(
    total: Variable, terms: Sequence[Term], largest: TensorVariable, limit: TensorVariable
) -> Any:
    """Return a sum with its largest exponent taken away."""
    return sum_of(
        build(
            total.owner,
            Factors([less(t.power, largest, limit), *t.rest.plus], t.rest.minus, t.rest.negative),
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
    terms = terms_of(total)
    # That of 1 + x has a form of its own.
    if not terms or (node.op is log and any(known_value(v) == 1 for v in total.owner.inputs)):
        return None
    most = largest_term(terms)
    less = sum_of_terms(total, terms, finite(most), limit_of(most))
    return node.op(less) + _scaled(node, finite(most))


@rule(
    "log1p(y exp(x)) → max + log1p(exp(-max) - 1 + y exp(x - max))",
    on=log1p,
    needs=(exp,),
    keeps="nan",
    why="exp does not overflow",
)
def _log1p_of_terms(rewriter: Rewriter, node: Apply) -> Any:
    """For sums of such products, and as much of the largest exponent as may overflow."""
    total = node.inputs[0]
    terms = terms_of(total, single=True) if made_by(without_axes(total), *SUMMED) else []
    if not terms or all(t.is_bounded for t in terms) or any(t.rest.negative for t in terms):
        return None
    if len(terms) == 1 and not len(terms[0].rest):
        return softplus(terms[0].power)
    powers = (_counted(t.power - _room(total, t), t.weights, ()) for t in terms)
    most = maximum(reduce(maximum, powers), _zero(total.type.dtype))
    limit = limit_of(most, _log_of_greatest(total.type.dtype))
    less = sum_of_terms(total, terms, finite(most), limit)
    return log1p(expm1(-finite(most)) + less) + finite(most)


def _room(total: Variable, term: Term) -> Any:
    """Return how large an exponent may be in a sum with 1, that nothing need be taken from it.

    INVARIANT: what is then left of the product is not less than 1, or nothing was taken. With more
    taken away, the product might vanish beside 1, as `w exp(x)` does for x = 20 and w = 1e-8 in
    float32 where it is computed as `w exp(0)`, or be infinite where w is large.
    """
    dtype = total.type.dtype
    greatest = number(0.9 * _log_of_greatest(dtype), dtype)
    if not len(term.rest):
        return greatest
    factor = abs_(build(total.owner, Factors(term.rest.plus, term.rest.minus)))
    return switch(gt(factor, 1), number(0.5 * _log_of_greatest(dtype), dtype), greatest)


def _log_of_greatest(dtype: str) -> float:
    return float(np.log(np.float64(np.finfo(dtype).max)))


def _scaled(node: Apply, power: TensorVariable) -> Any:
    """Return the natural logarithm of a number as another one."""
    scale = SCALES[node.op]
    return power if scale == 1 else power * number(scale, power.type.dtype)


@rule(
    "log((exp(x) + exp(y))[i]) → log(exp(x) + exp(y))[i]",
    on=tuple(SCALES),
    needs=PARTS,
    keeps="nan",
    why="the sum, or what is joined, is found",
)
def _log_of_items(rewriter: Rewriter, node: Apply) -> Any:
    """Also of joined exponentials, and log(sigmoid(x)[i]) → log(sigmoid(x[i]))."""
    whole, chosen = behind_parts(node.inputs[0])
    own = made_by(whole, exp, sigmoid) if chosen else None
    if own is not None:
        return node.op(own.op(part_of(own.inputs[0], chosen)))
    return part_of(node.op(whole), chosen) if chosen and vanishes(whole) else None


@rule(
    "log(sum(w exp(x)) y) → max + log(sum(w exp(x - max)) y)",
    on=tuple(SCALES),
    needs=(exp, sigmoid, cosh, tanh),
    keeps="nan",
    why="neither 0 nor infinite where an exponential is",
)
def _log_of_product(rewriter: Rewriter, node: Apply) -> Any:
    """Also log(exp(x) y) → x + log(y), of sigmoids too, of their powers, and quotients by such.

    And of cosh(x) and 1 - tanh(x)², which are as large and as small.
    """
    inside = node.inputs[0]
    factors = flatten(inside) if _is_float(inside) else None
    if factors is None or factors.masks or factors.negative:
        return None
    rest, power = Factors(), None
    # Left to other rules: one sigmoid, or one sum without weights.
    plain, single = True, len(factors) == 1 and node.op is log
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
            alone = single and (made_by(factor, sigmoid) is not None or sums_exponentials(factor))
            plain = plain and (left is factor or alone)
    if power is None or plain:
        return None
    power = _scaled(node, power)
    if not len(rest):
        return power
    left = rest.plus[0] if rest.plus and len(factors) == 1 else build(inside.owner, rest)
    return node.op(left) + power


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
    if not any(map(_has_exponential, sides)):
        return None
    # A number may be of a smaller type.
    sides = [cast(v, node.inputs[0].type.dtype) for v in sides]
    return switch(condition, *(node.op(v) for v in sides))


def _has_exponential(value: Variable) -> bool:
    factors = flatten(value)
    return factors is not None and any(
        made_by(v, exp, sigmoid) for v in (*factors.plus, *factors.minus)
    )


def _logarithm_of(factor: Variable) -> tuple[Any, Any]:
    """Return x and y of a factor exp(x) y, with a y that neither overflows nor is 0, or None."""
    node = made_by(factor, pow)
    if node is not None and is_positive(node.inputs[0]):
        base, power = node.inputs
        # Anything to the power 0 is 1.
        written = log(base) * power
        return switch(neq(power, 0), written, number(0, written.type.dtype)), None
    terms = terms_of(factor)
    if terms:
        most = largest_term(terms)
        return finite(most), sum_of_terms(factor, terms, finite(most), limit_of(most))
    slope = tanh_of_slope(factor)
    if slope is not None:
        return -2 * log_of_cosh(slope), None
    node = made_by(factor, cosh)
    if node is not None and _is_float(node.inputs[0]):
        return log_of_cosh(node.inputs[0]), None
    return _power_of(factor)[:2]


def _is_float(variable: Variable) -> bool:
    return dtypes.is_float(variable.type.dtype)
