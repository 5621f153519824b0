"""Functions that undo each other, absolute values that meet, zeros that a choice puts in."""

from __future__ import annotations

from typing import Any

import numpy as np

from theano._core.base import dtypes
from theano._core.ir.variable import Apply
from theano._core.ops import transcendental as functions
from theano._core.ops.arithmetic import (
    abs_,
    conj,
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
from theano._core.ops.assertions import Assert
from theano._core.ops.lengths import not_negative
from theano._core.rewrite.engine import Rewriter, Rule, is_op, known_value
from theano._core.rewrite.pattern import Match, rule, wild
from theano._core.rewrite.rules.terms import filled, kept

PHASE = "canonical"
x, y = wild("x"), wild("y")


def _same_dtype(found: Match) -> bool:
    return dtypes.is_float(found[x].type.dtype)


# Not those that would give numbers outside the domain of the inner function, where it is NaN.
def _undo(outer: Any, inner: Any, keeps: str = "nan") -> Rule:
    name = f"{outer.name}({inner.name}(x)) → x"
    before = outer(inner(x))
    why = "each undoes the other"
    return rule(name, before, x, phase=PHASE, keeps=keeps, why=why, when=_same_dtype)


def _into_choice(rewriter: Rewriter, node: Apply) -> Any:
    """switch(c, x, 0) y → switch(c, x y, 0), and the same for a quotient."""
    out = node.outputs[0]
    if not (dtypes.is_float(out.type.dtype) or dtypes.is_complex(out.type.dtype)):
        return None
    for place in (0, 1) if node.op is mul else (0,):
        value, other = node.inputs[place], node.inputs[1 - place]
        if not is_op(value, switch) or rewriter.uses.get(value, 0) > 1:
            continue
        condition, one, two = value.owner.inputs
        zero = [known_value(v) == 0 for v in (one, two)]
        if zero[0] == zero[1]:
            continue
        side = two if zero[0] else one
        computed = node.op(side, other) if place == 0 else node.op(other, side)
        nothing = np.zeros((), out.type.dtype)
        return (
            switch(condition, nothing, computed)
            if zero[0]
            else switch(condition, computed, nothing)
        )
    return None


def _known_comparison(rewriter: Rewriter, node: Apply) -> Any:
    """Length >= 0 → True, x < x → False, and the like."""
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


def _at_least(value: Any, number: Any) -> bool:
    """Tell whether an integer scalar certainly is not less than a number that is not positive."""
    known = known_value(value)
    if known is not None or not dtypes.is_discrete(value.type.dtype) or value.type.ndim:
        return False
    return number <= 0 and not_negative(value)


def _known_extreme(rewriter: Rewriter, node: Apply) -> Any:
    """max(n, 0) → n and min(n, 0) → 0 for a length n."""
    for place, value in enumerate(node.inputs):
        other = node.inputs[1 - place]
        number = known_value(other)
        if number is None or not _at_least(value, number):
            continue
        return kept(rewriter, node, value if node.op is maximum else other)
    return None


def _true_assertion(rewriter: Rewriter, node: Apply) -> Any:
    value, *conditions = node.inputs
    left = [c for c in conditions if not known_value(c)]
    if len(left) == len(conditions):
        return None
    return node.op(value, *left) if left else value


RULES = (
    _undo(functions.deg2rad, functions.rad2deg),
    _undo(functions.rad2deg, functions.deg2rad),
    _undo(functions.sinh, functions.arcsinh),
    _undo(functions.arcsinh, functions.sinh),
    _undo(functions.arctanh, functions.tanh),
    rule(
        "arccosh(cosh(x)) → |x|",
        functions.arccosh(functions.cosh(x)),
        abs_(x),
        phase=PHASE,
        keeps="nan",
        why="each undoes the other",
        when=_same_dtype,
    ),
    _undo(reciprocal, reciprocal),
    rule("conj(conj(x)) → x", conj(conj(x)), x, phase=PHASE, keeps="exact", why="no work"),
    rule(
        "|x| |y| → |x y|",
        mul(abs_(x), abs_(y)),
        abs_(mul(x, y)),
        phase=PHASE,
        keeps="rounding",
        why="one operation less",
        when=lambda f: dtypes.is_float(f[x].type.dtype) and dtypes.is_float(f[y].type.dtype),
    ),
    rule(
        "|x| / |y| → |x / y|",
        true_div(abs_(x), abs_(y)),
        abs_(true_div(x, y)),
        phase=PHASE,
        keeps="rounding",
        why="one operation less",
        when=lambda f: dtypes.is_float(f[x].type.dtype) and dtypes.is_float(f[y].type.dtype),
    ),
    Rule(
        "switch(c, x, 0) y → switch(c, x y, 0)",
        (mul, true_div),
        _into_choice,
        PHASE,
        "nan",
        "what is not chosen cannot make a gradient NaN",
    ),
    Rule(
        "length >= 0 → True",
        (lt, le, gt, ge),
        _known_comparison,
        PHASE,
        "exact",
        "no work",
    ),
    Rule("max(length, 0) → length", (maximum, minimum), _known_extreme, PHASE, "exact", "no work"),
    Rule("assert(x, True) → x", (Assert,), _true_assertion, PHASE, "exact", "no work"),
)
