"""Functions that undo each other, absolute values that meet, zeros that a choice puts in."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from theano._core.base import dtypes
from theano._core.ir.graph import made_by
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.assertions import Assert, Require
from theano._core.ops.array.broadcasting import known_value
from theano._core.ops.array.dims import not_negative
from theano._core.ops.elementwise.arithmetic import (
    ge,
    gt,
    le,
    lt,
    maximum,
    minimum,
    mul,
    reciprocal,
    switch,
    true_div,
)
from theano._core.ops.elementwise.elementwise import Elementwise, cast, conj
from theano._core.ops.elementwise.transcendental import (
    arccosh,
    arcsinh,
    arctanh,
    cosh,
    deg2rad,
    exp,
    expm1,
    log1p,
    rad2deg,
    sinh,
    tanh,
)
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.pattern import Match, Rules, wild
from theano._core.rewrite.rules.flatten import filled, kept

RULES = Rules("canonical")
rule, pattern = RULES.rule, RULES.pattern
x, y = wild("x"), wild("y")


def _float(bindings: Match) -> bool:
    return all(dtypes.is_float(v.type.dtype) for v in bindings.values())


# Not those that would give numbers outside the domain of the inner function, where it is NaN.
undone = partial(pattern, keeps="nan", why="each undoes the other", when=_float)
undone("deg2rad(rad2deg(x)) → x", deg2rad(rad2deg(x)), x)
undone("rad2deg(deg2rad(x)) → x", rad2deg(deg2rad(x)), x)
undone("sinh(arcsinh(x)) → x", sinh(arcsinh(x)), x)
undone("arcsinh(sinh(x)) → x", arcsinh(sinh(x)), x)
undone("arctanh(tanh(x)) → x", arctanh(tanh(x)), x)
undone("arccosh(cosh(x)) → |x|", arccosh(cosh(x)), abs(x))
undone("log1p(exp(x) - 1) → x", log1p(expm1(x)), x)
undone("inv(inv(x)) → x", reciprocal(reciprocal(x)), x)
pattern("conj(conj(x)) → x", conj(conj(x)), x, keeps="exact", why="no work")
joined = partial(pattern, why="one operation less", when=_float)
joined("1 + (exp(x) - 1) → exp(x)", 1 + expm1(x), exp(x))
joined("|x| |y| → |x y|", abs(x) * abs(y), abs(x * y))
joined("|x| / |y| → |x / y|", abs(x) / abs(y), abs(x / y))


@rule(
    "switch(c, x, 0) y → switch(c, x y, 0)",
    on=(mul, true_div),
    needs=(switch,),
    keeps="nan",
    why="what is not chosen cannot make a gradient NaN",
)
def _into_choice(rewriter: Rewriter, node: Apply) -> Any:
    """The same for a quotient."""
    return _chosen(rewriter, node, 1)


# When all that cancels with the choice has done so.
@rule(
    "switch(c, x, 0) y, with other users → switch(c, x y, 0)",
    on=(mul, true_div),
    phase="special",
    needs=(switch,),
    keeps="nan",
    why="what is not chosen cannot make a gradient NaN",
)
def _into_choice_of_many(rewriter: Rewriter, node: Apply) -> Any:
    return _chosen(rewriter, node, 1 << 30)


def _chosen(rewriter: Rewriter, node: Apply, most_users: int) -> Any:
    out = node.outputs[0]
    if not (dtypes.is_float(out.type.dtype) or dtypes.is_complex(out.type.dtype)):
        return None
    for place in (0, 1) if node.op is mul else (0,):
        value, other = node.inputs[place], node.inputs[1 - place]
        # Numbers beside arrays of another type are often cast.
        if made_by(value, Elementwise) and value.owner.op.is_cast:
            value = value.owner.inputs[0]
        if not made_by(value, switch) or rewriter.uses.get(value, 0) > most_users:
            continue
        condition, one, two = value.owner.inputs
        zero = [known_value(v) == 0 for v in (one, two)]
        if zero[0] == zero[1]:
            continue
        side = cast(two if zero[0] else one, node.inputs[place].type.dtype)
        computed = node.op(side, other) if place == 0 else node.op(other, side)
        nothing = np.zeros((), out.type.dtype)
        return (
            switch(condition, nothing, computed)
            if zero[0]
            else switch(condition, computed, nothing)
        )
    return None


@rule("length >= 0 → True", on=(lt, le, gt, ge), keeps="exact", why="no work")
def _known_comparison(rewriter: Rewriter, node: Apply) -> Any:
    """Also x < x → False, and the like."""
    first, second = node.inputs
    op = node.op
    if first is second and op in (lt, gt):
        return filled(node, np.asarray(False))
    if first is second and dtypes.is_discrete(first.type.dtype) and op in (le, ge):
        return filled(node, np.asarray(True))
    if op in (gt, le):  # written as lt and ge
        first, second, op = second, first, lt if op is gt else ge
    if op is ge and known_value(second) is not None and _at_least(first, known_value(second)):
        return filled(node, np.asarray(True))
    if op is lt and known_value(second) is not None and _at_least(first, known_value(second)):
        return filled(node, np.asarray(False))
    return None


def _at_least(value: Variable, number: complex) -> bool:
    """Tell whether an integer scalar certainly is not less than a number that is not positive."""
    constant = known_value(value)
    if constant is not None or not dtypes.is_discrete(value.type.dtype) or value.type.ndim:
        return False
    return not isinstance(number, complex) and number <= 0 and not_negative(value)


@rule("max(length, 0) → length", on=(maximum, minimum), keeps="exact", why="no work")
def _known_extreme(rewriter: Rewriter, node: Apply) -> Any:
    """Also min(length, 0) → 0."""
    for place, value in enumerate(node.inputs):
        other = node.inputs[1 - place]
        number = known_value(other)
        if number is None or not _at_least(value, number):
            continue
        return kept(rewriter, node, value if node.op is maximum else other)
    return None


@rule("assert(x, True) → x", on=(Assert, Require), keeps="exact", why="no work")
def _true_assertion(rewriter: Rewriter, node: Apply) -> Any:
    """Also require(x, n = n) → x."""
    facts = getattr(node.op, "facts", 0)
    (value, *told), conditions = node.inputs[: 1 + facts], node.inputs[1 + facts :]
    left = node.op.open_conditions(node)
    if len(left) == len(conditions):
        return None
    return node.op(value, *told, *left) if left else value
