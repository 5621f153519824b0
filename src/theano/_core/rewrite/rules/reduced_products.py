"""Logarithms of products of probabilities along axes: sums of logarithms, which are not 0."""

from __future__ import annotations

from typing import Any

from theano._core.base import dtypes
from theano._core.ir.graph import made_by
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.broadcasting import known_value
from theano._core.ops.array.reductions import Reduction
from theano._core.ops.elementwise.arithmetic import eq, mul, switch
from theano._core.ops.elementwise.transcendental import exp, log, pow, sigmoid
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.pattern import Rules
from theano._core.rewrite.rules.exponentials import is_positive, like, without_axes
from theano._core.rewrite.rules.logarithms import behind_parts
from theano._core.rewrite.rules.products import ROOTS, build, flatten, with_sums_apart

RULES = Rules("stable")
rule = RULES.rule


@rule(
    "log(prod(exp(x))) → sum(log(exp(x)))",
    on=log,
    needs=(exp, sigmoid),
    keeps="nan",
    why="a product of probabilities may be 0 by rounding",
)
def _log_of_product(rewriter: Rewriter, node: Apply) -> Any:
    """For factors that are not negative."""
    total = _product(node.inputs[0])
    if total is None or not dtypes.is_float(total.inputs[0].type.dtype):
        return None
    if total.inputs[0].type.dtype != node.inputs[0].type.dtype:
        return None
    return like(Reduction("sum", total.op.axis)(log(total.inputs[0])), node.inputs[0])


@rule(
    "prod(exp(x)) / exp(x) / prod(exp(x)) → 1 / exp(x)",
    on=ROOTS,
    needs=(exp, sigmoid),
    keeps="nan",
    why="a product in the gradient of its logarithm cancels, which may be 0",
)
def _slope_of_log(rewriter: Rewriter, node: Apply) -> Any:
    """For the product of the other items as the gradient has it, by how many are 0."""
    products = (v.owner for v in node.inputs if made_by(v, *ROOTS))
    nearby = (*node.inputs, *(v for product in products for v in product.inputs))
    if not any(made_by(v, switch) and made_by(v.owner.inputs[0], eq) for v in nearby):
        return None
    factors = flatten(node.outputs[0], False)
    if factors is None or not dtypes.is_float(node.outputs[0].type.dtype):
        return None
    factors = with_sums_apart(rewriter, factors)
    for place, value in enumerate(factors.plus):
        choice = made_by(value, switch)
        others = None if choice is None else flatten(choice.inputs[1], False)
        if choice is None or others is None:
            continue
        for whole in others.plus:
            total = _product(whole) if whole in factors.minus else None
            if total is None or not _counts_zeros(choice.inputs[0], total.inputs[0]):
                continue
            del factors.plus[place]
            factors.minus.remove(whole)
            others.plus.remove(whole)
            others.minus = [_itself(v, total.inputs[0]) for v in others.minus]
            factors.include(others, True)
            return build(node, factors)
    return None


def _product(value: Variable) -> Apply | None:
    """Return the node of a product along axes of what is never negative."""
    total = made_by(without_axes(value), Reduction)
    if total is None or total.op.kind != "prod":
        return None
    return total if _is_never_negative(total.inputs[0]) else None


def _is_never_negative(value: Variable) -> bool:
    """Tell whether a value is made of probabilities by choices, products and powers."""
    node = made_by(value, switch, mul, pow)
    if node is None:
        return is_positive(behind_parts(value)[0])
    if node.op is pow:
        return is_positive(node.inputs[0])
    return all(map(_is_never_negative, node.inputs[node.op is switch :]))


def _counts_zeros(condition: Variable, x: Variable) -> bool:
    """Tell whether a condition is that no item of x is 0."""
    node = made_by(condition, eq)
    count = None if node is None else made_by(without_axes(node.inputs[0]), Reduction)
    zero = None if count is None else made_by(count.inputs[0], eq)
    return zero is not None and zero.inputs[0] is x and known_value(zero.inputs[1]) == 0


def _itself(value: Variable, x: Variable) -> Variable:
    """Return x for what it is where it is not 0, and 1 elsewhere."""
    node = made_by(value, switch)
    return x if node is not None and node.inputs[2] is x else value
