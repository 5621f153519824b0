"""Sigmoids that programs write out, by exponentials or by a hyperbolic tangent.

As they are written they lose all digits of small values, and their gradients overflow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from theano._core.base import dtypes
from theano._core.ir.graph import made_by
from theano._core.ir.variable import Variable
from theano._core.ops.array.broadcasting import known_value
from theano._core.ops.elementwise.arithmetic import add, mul, neg, reciprocal, sub, true_div
from theano._core.ops.elementwise.elementwise import as_number
from theano._core.ops.elementwise.transcendental import exp, sigmoid, tanh

# Factors of a hyperbolic tangent that are looked through.
FEW_LEVELS = 4


def as_sigmoid(
    variable: Variable, same: Callable[[Any], Any] = lambda value: value
) -> tuple[Any, tuple[Any, ...]] | None:
    """Return an equal expression of a sigmoid, and what that is a function of; None for others.

    INVARIANT: both are functions of these alone, so that gradients may go through either.

    Parameters
    ----------
    variable : Variable
    same : callable, optional
        `same(x)` is one variable for all that are equal to `x`.
    """
    node = made_by(variable, true_div, reciprocal, add, sub)
    if node is None or not dtypes.is_float(variable.type.dtype):
        return None
    form = _sum(variable, same) if node.op in (add, sub) else _quotient(variable, same)
    return form if form is not None and form[0].type == variable.type else None


def one_plus_exp(value: Variable, same: Callable[[Any], Any] = lambda value: value) -> Any:
    """Return x if `value` is 1 + exp(x), else None."""
    if not made_by(value, add) or len(value.owner.inputs) != 2:
        return None
    for i, operand in enumerate(value.owner.inputs):
        other = same(value.owner.inputs[1 - i])
        if known_value(operand) == 1 and made_by(other, exp) and other.type == value.type:
            return other.owner.inputs[0]
    return None


def _quotient(variable: Variable, same: Callable[[Any], Any]) -> tuple[Any, tuple[Any, ...]] | None:
    """Of exp(x) / (1 + exp(x)), of 1 / (1 + exp(-x)), and of exp(x) / (exp(x) + c exp(y))."""
    *above, below = map(same, variable.owner.inputs)
    x = one_plus_exp(below, same)
    if x is None:
        return _of_two(above[0], below, same) if above else None
    if above and made_by(above[0], exp):
        return (sigmoid(x), (x,)) if above[0].owner.inputs[0] is x else None
    if above and known_value(above[0]) != 1:
        return None
    if made_by(x, neg):
        x = x.owner.inputs[0]
        return sigmoid(x), (x,)
    return sigmoid(neg(x)), (x,)


def _of_two(
    above: Any, below: Any, same: Callable[[Any], Any]
) -> tuple[Any, tuple[Any, ...]] | None:
    """Of exp(x) / (exp(x) + c exp(y)) and exp(x) / (exp(x) + c), for a number c above 0."""
    terms = [same(v) for v in below.owner.inputs] if made_by(below, add) else []
    if len(terms) != 2 or above not in terms or not made_by(above, exp):
        return None
    x, other = above.owner.inputs[0], terms[terms[0] is above]
    c, factor = known_value(other), made_by(other, mul)
    if factor is not None:
        first, second = map(same, factor.inputs)
        first, second = (first, second) if known_value(first) is not None else (second, first)
        c, other = known_value(first), second
    elif c is None:
        c = 1
    ys = other.owner.inputs if made_by(other, exp) else []
    is_constant = known_value(other) is not None
    if not (ys or is_constant) or any(v.type.dtype != above.type.dtype for v in (x, *ys)):
        return None
    if isinstance(c, complex) or not (c is not None and 0 < c < np.inf):
        return None
    for y in ys:
        x = x - y
    shift = as_number(-float(np.log(c)), above)
    return sigmoid(x if c == 1 else x + shift), (above.owner.inputs[0], *ys)


def _sum(variable: Variable, same: Callable[[Any], Any]) -> tuple[Any, tuple[Any, ...]] | None:
    """Of c + c tanh(x) or c - c tanh(x), which are 2 c sigmoid(2 x) and 2 c sigmoid(-2 x)."""
    terms = variable.owner.inputs
    for number, term in (terms, terms[::-1]) if len(terms) == 2 else ():
        c, scaled = known_value(number), _scaled_tanh(same(term), same, FEW_LEVELS)
        if scaled is None or not c or term.type.dtype != variable.type.dtype:
            continue
        scale, x = scaled
        if variable.owner.op is sub:
            c, scale = (c, -scale) if term is terms[1] else (-c, scale)
        if abs(scale) == abs(c) and np.isfinite(as_number(2 * float(c), variable).data):
            s = sigmoid(as_number(2 if scale == c else -2, x) * x)
            return (s if c == 0.5 else as_number(2 * float(c), s) * s), (x,)
    return None


def _scaled_tanh(
    variable: Variable, same: Callable[[Any], Any], levels: int
) -> tuple[Any, Any] | None:
    """Return c and x of a variable that is c tanh(x)."""
    node = made_by(variable, tanh, neg, mul, true_div) if levels else None
    if node is None:
        return None
    value, *others = node.inputs
    if node.op is tanh:
        return 1, value
    if node.op is mul and len(others) == 1 and known_value(value) is not None:
        value, others = others[0], [value]
    numbers = [known_value(v) for v in others]
    inner = _scaled_tanh(same(value), same, levels - 1)
    if inner is None or len(numbers) > 1 or None in numbers:
        return None
    scale, x = inner
    if node.op is neg:
        return -scale, x
    if node.op is mul:
        return scale * numbers[0], x
    return (scale / numbers[0], x) if numbers[0] else None
