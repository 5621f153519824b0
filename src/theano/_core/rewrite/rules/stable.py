"""Forms that keep digits: no overflow, no cancellation."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from theano._core.base import dtypes
from theano._core.ir.graph import made_by
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.broadcasting import known_value
from theano._core.ops.array.reductions import Reduction
from theano._core.ops.array.sigmoids import as_sigmoid
from theano._core.ops.core.dimshuffle import DimShuffle, dimshuffle
from theano._core.ops.elementwise.arithmetic import (
    add,
    eq,
    maximum,
    minimum,
    mul,
    neg,
    reciprocal,
    sqr,
    sub,
    switch,
    true_div,
)
from theano._core.ops.elementwise.elementwise import as_number
from theano._core.ops.elementwise.transcendental import (
    exp,
    expm1,
    log,
    log1p,
    sigmoid,
    softplus,
    tanh,
)
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.pattern import Match, Rules, wild
from theano._core.rewrite.rules.exponentials import (
    largest_of,
    like,
    log_of_cosh,
    shifted,
    sums_exponentials,
    tanh_of_slope,
    without_axes,
)
from theano._core.rewrite.rules.flatten import (
    items_summed,
    number,
    split_constants,
    sums_some,
)
from theano._core.rewrite.rules.products import ROOTS, build, flatten

RULES = Rules("stable")
rule, pattern = RULES.rule, RULES.pattern
x = wild("x")
OVERFLOW = "exp does not overflow"


def _real(bindings: Match) -> bool:
    return not dtypes.is_complex(bindings[x].type.dtype)


def _float(bindings: Match) -> bool:
    """Tell whether -x and 1 - x neither wrap around nor are refused."""
    return dtypes.is_float(bindings[x].type.dtype)


complement = partial(pattern, why="keeps digits for large x", when=_float)
complement("1 - sigmoid(x) → sigmoid(-x)", 1 - sigmoid(x), sigmoid(-x))
complement("1 + -sigmoid(x) → sigmoid(-x)", 1 + -sigmoid(x), sigmoid(-x))
complement("sigmoid(x) - 1 → -sigmoid(-x)", sigmoid(x) - 1, -sigmoid(-x))
complement("-1 + sigmoid(x) → -sigmoid(-x)", -1 + sigmoid(x), -sigmoid(-x))
complement(
    "1 - sigmoid(x)² → sigmoid(-x) (1 + sigmoid(x))",
    1 - sqr(sigmoid(x)),
    sigmoid(-x) * (1 + sigmoid(x)),
)


@rule(
    "c + c tanh(x) → 2 c sigmoid(2 x)",
    on=(add, sub),
    needs=(tanh,),
    why="keeps digits for x << 0, and takes less time",
    phase="canonical",
)
@rule(
    "exp(x) / (1 + exp(x)) → sigmoid(x)",
    on=(true_div, reciprocal),
    needs=(exp,),
    keeps="nan",
    why=OVERFLOW,
    phase="canonical",
)
def _written_sigmoid(rewriter: Rewriter, node: Apply) -> Any:
    """Of numbers c; also c - c tanh(x) → 2 c sigmoid(-2 x), and 1 / (1 + exp(-x)) → sigmoid(x)."""
    form = as_sigmoid(node.outputs[0])
    return None if form is None else form[0]


pattern(
    "log(sigmoid(x)) → -softplus(-x)",
    log(sigmoid(x)),
    -softplus(-x),
    why="finite for x << 0",
    when=_float,
)
pattern(
    "log1p(-sigmoid(x)) → -softplus(x)",
    log1p(-sigmoid(x)),
    -softplus(x),
    why="finite for x >> 0",
    when=_real,
)
finite = partial(pattern, why=OVERFLOW, when=_real)
finite("log(1 + exp(x)) → softplus(x)", log(1 + exp(x)), softplus(x))
finite("log1p(exp(x)) → softplus(x)", log1p(exp(x)), softplus(x))
pattern(
    "log(exp(x) - 1) → x + log(1 - exp(-x))",
    log(expm1(x)),
    x + log(-expm1(-x)),
    why=OVERFLOW,
    when=_float,
)
pattern(
    "exp(-softplus(x)) → sigmoid(-x)",
    exp(-softplus(x)),
    sigmoid(-x),
    why="what sigmoids cancel with is found",
    when=_float,
    phase="canonical",
)
precise = partial(pattern, why="keeps digits for small x")
precise("log(1 + x) → log1p(x)", log(1 + x), log1p(x), when=_float)
precise("log(1 - x) → log1p(-x)", log(1 - x), log1p(-x), when=_float)
precise("exp(x) - 1 → expm1(x)", exp(x) - 1, expm1(x), when=_real)
precise("-1 + exp(x) → expm1(x)", -1 + exp(x), expm1(x), when=_real)
precise("1 - exp(x) → -expm1(x)", 1 - exp(x), -expm1(x), when=_real)


@rule("log(sum(exp(x))) → max + log(sum(exp(x - max)))", on=log, why=OVERFLOW)
def _log_sum_exp(rewriter: Rewriter, node: Apply) -> Any:
    total = without_axes(node.inputs[0])
    largest = largest_of(total)
    if largest is None:
        return None
    return like(log(total.owner.op(shifted(total, largest))) + largest, node.inputs[0])


# Below, softplus(x) and sigmoid(x) are exp(x) but for rounding.
LEAST = {"float32": -20, "float64": -40}


def _bounded(x: Variable) -> Any:
    """Return x, or the least number where it is below; None where that was done."""
    least = LEAST.get(x.type.dtype)
    return None if least is None or made_by(x, maximum) else maximum(x, number(least, x.type.dtype))


@rule(
    "log(softplus(x)) → log(softplus(max(x, -20))) + min(x + 20, 0)",
    on=log,
    needs=(softplus,),
    why="finite for x << 0",
)
def _log_of_softplus(rewriter: Rewriter, node: Apply) -> Any:
    inside = made_by(node.inputs[0], softplus)
    bounded = None if inside is None else _bounded(inside.inputs[0])
    if inside is None or bounded is None:
        return None
    (x,) = inside.inputs
    below = minimum(x - number(LEAST[x.type.dtype], x.type.dtype), number(0, x.type.dtype))
    return log(softplus(bounded)) + below


@rule(
    "sigmoid(x) / softplus(x) → sigmoid(max(x, -20)) / softplus(max(x, -20))",
    on=ROOTS,
    needs=(softplus,),
    why="in the gradient of the logarithm of softplus(x), which may be 0",
)
def _slope_of_softplus(rewriter: Rewriter, node: Apply) -> Any:
    factors = flatten(node.outputs[0])
    if factors is None:
        return None
    for below in factors.minus:
        inside = made_by(below, softplus)
        bounded = None if inside is None else _bounded(inside.inputs[0])
        if inside is None or bounded is None:
            continue
        for above in factors.plus:
            if made_by(above, sigmoid) and above.owner.inputs[0] is inside.inputs[0]:
                # Apart, one may be so small that other factors vanish by it.
                factors.plus[factors.plus.index(above)] = sigmoid(bounded) / softplus(bounded)
                factors.minus.remove(below)
                return build(node, factors)
    return None


@rule(
    "log(1 - tanh(x)²) → 2 (log(2) - |x| - softplus(-2 |x|))",
    on=log1p,
    needs=(tanh,),
    why="finite and precise where tanh is 1",
)
def _log_of_slope(rewriter: Rewriter, node: Apply) -> Any:
    squared = made_by(node.inputs[0], neg)
    factors = flatten(squared.inputs[0], False) if squared is not None else None
    if factors is None or factors.minus or factors.negative or len(factors.plus) != 2:
        return None
    one, two = factors.plus
    if one is not two or not made_by(one, tanh) or not dtypes.is_float(one.type.dtype):
        return None
    x = one.owner.inputs[0]
    return -2 * log_of_cosh(x)


@rule(
    "(1 - tanh(x)²) / sigmoid(2 x) → 4 sigmoid(-2 x)",
    on=ROOTS,
    needs=(tanh,),
    why="in tangents of logarithms of 1 + tanh(x) and 1 - tanh(x), which may be 0",
)
def _slope_of_tanh(rewriter: Rewriter, node: Apply) -> Any:
    """Also by sigmoid(-2 x)."""
    factors = flatten(node.outputs[0]) if dtypes.is_float(node.outputs[0].type.dtype) else None
    if factors is None:
        return None
    for value in [v for v in factors.plus if tanh_of_slope(v) is not None]:
        for below in factors.minus:
            own = made_by(below, sigmoid)
            if own is None or not _is_twice(own.inputs[0], tanh_of_slope(value)):
                continue
            factors.plus.remove(value)
            factors.plus += [as_number(4, value), sigmoid(-own.inputs[0])]
            factors.minus.remove(below)
            return build(node, factors)
    return None


def _is_twice(one: Variable, two: Variable) -> bool:
    """Tell whether a product is twice another one, but for the sign."""
    first, second = _with_number(one), _with_number(two)
    return first[1] == second[1] and first[0] == 2 * second[0]


def _with_number(value: Variable) -> tuple[float, list[Variable]]:
    """Return the size of the number in a product, and the other factors."""
    factors = flatten(value, False)
    if factors is None or factors.minus:
        return 1, [value]
    rest, constants = split_constants(factors.plus)
    return math.prod(abs(float(known_value(v))) for v in constants), rest


@rule(
    "sum(x / y) → sum(x) / y",
    on=Reduction,
    why="fewer quotients",
)
def _divisor_out_of_sum(rewriter: Rewriter, node: Apply) -> Any:
    """For a y that is alike along the axes; not a sum, which the rules on softmax look for.

    The sum of no items is 0, even if each had been divided by 0.
    """
    value, out = node.inputs[0], node.outputs[0]
    if node.op.kind != "sum" or not made_by(value, true_div):
        return None
    above, below = value.owner.inputs
    if not above.type.dtype == below.type.dtype == value.type.dtype == out.type.dtype:
        return None
    axes = node.op.axes(value.type.ndim)
    shaping = made_by(below, DimShuffle)
    if shaping is None:
        return None
    if any(shaping.op.new_order[axis] != "x" for axis in axes):
        return None
    divisor = dimshuffle(below, [axis for axis in range(value.type.ndim) if axis not in axes])
    factors = flatten(divisor)
    if factors is None or any(made_by(without_axes(v), Reduction) for v in factors.plus):
        return None
    if not sums_some(rewriter, node):
        divisor = switch(eq(items_summed(rewriter, node), 0), number(1, out.type.dtype), divisor)
    return node.op(above) / divisor


@rule(
    "sum(x sum(exp(y))) → sum(x) sum(exp(y))",
    on=Reduction,
    needs=(exp,),
    keeps="nan",
    why="what the outer sum is divided by then cancels",
    phase="canonical",
)
def _sum_of_exponentials_out_of_sum(rewriter: Rewriter, node: Apply) -> Any:
    """For an inner sum that is alike along the axes of the outer one."""
    product = made_by(node.inputs[0], mul)
    if node.op.kind != "sum" or product is None:
        return None
    if len({v.type.dtype for v in (*product.inputs, *node.outputs)}) > 1:
        return None
    rank = node.inputs[0].type.ndim
    axes = node.op.axes(rank)
    for value, other in (product.inputs, product.inputs[::-1]):
        pattern = value.type.broadcastable, other.type.broadcastable
        alike = all(pattern[0][a] and not pattern[1][a] for a in axes)
        if alike and sums_exponentials(value):
            return node.op(other) * dimshuffle(value, [a for a in range(rank) if a not in axes])
    return None
