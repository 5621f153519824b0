"""Exponentials: divided by their own sum, less the largest exponent, they do not overflow."""

from __future__ import annotations

import math
from typing import Any

from theano._core.base import dtypes
from theano._core.ir.graph import made_by
from theano._core.ir.variable import Variable
from theano._core.ops.array.broadcasting import Alloc, known_value
from theano._core.ops.array.reductions import Reduction
from theano._core.ops.core.dimshuffle import DimShuffle, dimshuffle
from theano._core.ops.elementwise.arithmetic import (
    abs_,
    add,
    isinf,
    neg,
    sqr,
    sub,
    switch,
    true_div,
)
from theano._core.ops.elementwise.elementwise import as_number
from theano._core.ops.elementwise.transcendental import cosh, exp, sigmoid, softplus, tanh

EXTREMES = ("max", "supremum")


def log_of_cosh(x: Variable) -> Any:
    """Return log(cosh(x)) as an expression that is finite for a finite x."""
    return abs_(x) + softplus(-2 * abs_(x)) - as_number(math.log(2), x)


def tanh_of_slope(value: Variable) -> Any:
    """Return x if a variable is 1 - tanh(x)², else None."""
    node = made_by(value, sub)
    square = made_by(node.inputs[1], sqr) if node and known_value(node.inputs[0]) == 1 else None
    own = made_by(square.inputs[0], tanh) if square else None
    return own.inputs[0] if own and own.inputs[0].type.dtype == value.type.dtype else None


def sums_exponentials(variable: Variable) -> bool:
    """Tell whether a variable, but for its axes, sums exponentials, not less their largest."""
    node = made_by(without_axes(variable), Reduction)
    if node is None or node.op.kind != "sum" or not made_by(node.inputs[0], exp):
        return False
    power = node.inputs[0].owner.inputs[0]
    return dtypes.is_float(power.type.dtype) and not has_largest(power, node.op)


def largest_of(total: Variable) -> Any:
    """Return the largest exponents along the axes of a sum of exponentials; 0 where infinite.

    None if `total` is no such sum, or the largest has been taken away already.
    """
    node = made_by(total, Reduction)
    if node is None or not sums_exponentials(total):
        return None
    return finite(Reduction("supremum", node.op.axis)(node.inputs[0].owner.inputs[0]))


def is_positive(value: Variable) -> bool:
    """Tell whether a value is exp(x), sigmoid(x), 1 - sigmoid(x), cosh(x) or exp(x) / sum(exp(y)).

    These are 0 by rounding alone.
    """
    if made_by(value, true_div):
        above, below = value.owner.inputs
        total = made_by(without_axes(below), Reduction)
        summed = total is not None and total.op.kind == "sum" and made_by(total.inputs[0], exp)
        return bool(summed) and made_by(above, exp) is not None
    if made_by(value, sub):
        one, value = value.owner.inputs
        return known_value(one) == 1 and made_by(value, sigmoid) is not None
    return made_by(value, exp, sigmoid, cosh) is not None


def finite(largest: Variable) -> Any:
    """Return the largest exponents, 0 where they are infinite."""
    return switch(isinf(largest), 0, largest)


def shifted(total: Variable, largest: Variable) -> Any:
    """Return the exponentials that a sum is of, with `largest` taken from their exponents."""
    powers = total.owner.inputs[0].owner.inputs[0]
    return exp(powers - total.owner.op.expand(powers, largest))


def has_largest(power: Variable, op: Reduction | None = None) -> bool:
    """Tell whether one term of an exponent is a largest item, along the axes of `op` if given."""
    stack = [power]
    while stack:
        value = stack.pop()
        if made_by(value, add, sub, neg):
            stack += value.owner.inputs
            continue
        value = without_axes(value)
        if made_by(value, switch):
            value = without_axes(value.owner.inputs[2])
        node = made_by(value, Reduction)
        if node is not None and node.op.kind in EXTREMES:
            if op is None or node.op.axis == op.axis:
                return True
    return False


def without_axes(variable: Variable) -> Any:
    """Return what a variable is without the axes and lengths that were given to it."""
    while made_by(variable, Alloc, DimShuffle):
        variable = variable.owner.inputs[0]
    return variable


def along(total: Variable, *ways: tuple[Variable, Variable]) -> bool:
    """Tell whether a sum has been given axes where it was reduced, and stands along the others.

    `ways` are variables and what they are made of by axes alone: the first of the sum, the next of
    what that goes into.
    """
    order: list[Any] = list(range(total.type.ndim))
    for variable, source in ways:
        order = ["x" if axis == "x" else order[axis] for axis in axes_from(variable, source)]
    rank = total.owner.inputs[0].type.ndim
    reduced, kept = total.owner.op.axes(rank), iter(range(rank))
    return order == ["x" if axis in reduced else next(kept) for axis in range(rank)]


def axes_from(variable: Variable, source: Variable) -> list[Any]:
    """Return which axis of `source` each axis of a variable that is made of it is, or 'x'."""
    if variable is source:
        return list(range(variable.type.ndim))
    node = variable.owner
    inner = axes_from(node.inputs[0], source)
    if isinstance(node.op, Alloc):
        return inner
    return ["x" if axis == "x" else inner[axis] for axis in node.op.new_order]


def like(new: Variable, old: Variable) -> Any:
    """Return `new` with the axes and lengths that `old` gives to what it is made of."""
    node = made_by(old, Alloc, DimShuffle)
    if node is None:
        return new
    inner = like(new, node.inputs[0])
    # It may broadcast along other axes.
    if isinstance(node.op, DimShuffle):
        return dimshuffle(inner, node.op.new_order)
    return node.op(inner, *node.inputs[1:])
