"""One form for equal expressions: neutral elements, cancellation, constants in front."""

from __future__ import annotations

from typing import Any

import numpy as np

from theano._core.base import dtypes
from theano._core.ir.variable import Apply, Constant
from theano._core.ops.arithmetic import (
    abs_,
    add,
    and_,
    cast,
    maximum,
    minimum,
    mul,
    neg,
    or_,
    reciprocal,
    sqr,
    sub,
    switch,
    true_div,
)
from theano._core.ops.broadcasting import alloc, fill
from theano._core.ops.op import Elementwise
from theano._core.ops.reductions import Reduction
from theano._core.ops.shaping import dimshuffle
from theano._core.ops.transcendental import exp, pow, sigmoid
from theano._core.rewrite.engine import Rewriter, Rule, is_op, known_value
from theano._core.rewrite.pattern import rule, wild

PHASE = "canonical"
x, y = wild("x"), wild("y")
# Sums and products of more operands than this are left as written: flattening is quadratic.
WIDEST = 24


def _number(value: float, dtype: str) -> np.ndarray:
    return np.asarray(value, dtype=dtype)


def _filled(node: Apply, value: Any) -> Any:
    """Return `value` in the shape and dtype of the output of `node`."""
    out = node.outputs[0]
    if not hasattr(value, "type"):
        value = _number(value, out.type.dtype)
    result = value
    for operand in node.inputs:
        if getattr(result, "type", None) is None or result.type.broadcastable != out.type.broadcastable:
            result = fill(operand, result)
    return cast(result, out.type.dtype)


def _same_shape(rewriter: Rewriter, value: Any, node: Apply) -> bool:
    return rewriter.lengths(value) == rewriter.lengths(node.outputs[0])


def _kept(rewriter: Rewriter, node: Apply, value: Any) -> Any:
    """Return `value` for the output of `node`, stretched only where it must be."""
    if value.type.broadcastable == node.outputs[0].type.broadcastable and _same_shape(rewriter, value, node):
        return cast(value, node.outputs[0].type.dtype)
    return _filled(node, value)


def _useless_cast(rewriter: Rewriter, node: Apply) -> Any:
    if not node.op.name.startswith("Cast{"):
        return None
    return node.inputs[0] if node.inputs[0].type.dtype == node.outputs[0].type.dtype else None


class Terms:
    """A sum or product flattened: operands in front, operands taken away, and one constant."""

    def __init__(self) -> None:
        self.plus: list[Any] = []
        self.minus: list[Any] = []
        self.changed = False

    def cancel(self) -> None:
        """Remove operands that stand on both sides."""
        for value in list(self.minus):
            if value in self.plus:
                self.plus.remove(value)
                self.minus.remove(value)
                self.changed = True


def _flat_sum(node: Apply) -> Terms | None:
    terms = Terms()
    dtype = node.outputs[0].type.dtype
    stack: list[tuple[Any, bool]] = [(node.outputs[0], True)]
    while stack:
        value, positive = stack.pop()
        owner = value.owner
        if owner is not None and value.type.dtype == dtype and owner.op in (add, sub, neg):
            if owner.op is neg:
                stack.append((owner.inputs[0], not positive))
            else:
                stack.append((owner.inputs[1], positive == (owner.op is add)))
                stack.append((owner.inputs[0], positive))
            continue
        (terms.plus if positive else terms.minus).append(value)
        if len(terms.plus) + len(terms.minus) > WIDEST:
            return None
    return terms


def _flat_product(node: Apply) -> tuple[Terms, bool] | None:
    """Return numerator, denominator, and whether the sign is negative."""
    terms = Terms()
    negative = False
    dtype = node.outputs[0].type.dtype
    stack: list[tuple[Any, bool]] = [(node.outputs[0], True)]
    while stack:
        value, above = stack.pop()
        owner = value.owner
        if owner is not None and value.type.dtype == dtype:
            if owner.op is neg:
                negative = not negative
                stack.append((owner.inputs[0], above))
                continue
            if owner.op is sqr:
                stack += [(owner.inputs[0], above)] * 2
                continue
            if owner.op is reciprocal:
                stack.append((owner.inputs[0], not above))
                continue
            if owner.op in (mul, true_div):
                stack.append((owner.inputs[1], above == (owner.op is mul)))
                stack.append((owner.inputs[0], above))
                continue
        (terms.plus if above else terms.minus).append(value)
        if len(terms.plus) + len(terms.minus) > WIDEST:
            return None
    return terms, negative


def _split_constants(values: list[Any]) -> tuple[list[Any], list[Any]]:
    constants = [v for v in values if known_value(v) is not None]
    return [v for v in values if known_value(v) is None], constants


def _cancel_sum(rewriter: Rewriter, node: Apply) -> Any:
    """x + y - x → y; constants are gathered."""
    dtype = node.outputs[0].type.dtype
    if dtype == "bool":
        return None
    terms = _flat_sum(node)
    if terms is None:
        return None
    terms.cancel()
    plus, known_plus = _split_constants(terms.plus)
    minus, known_minus = _split_constants(terms.minus)
    known = len(known_plus) + len(known_minus)
    if not terms.changed and known < 2 and not (known and _sums_to(known_plus, known_minus, dtype) == 0):
        return None
    constant = _sums_to(known_plus, known_minus, dtype)
    return _rebuild_sum(node, plus, minus, constant, dtype)


def _sums_to(plus: list[Any], minus: list[Any], dtype: str) -> Any:
    with np.errstate(all="ignore"):
        result = np.zeros((), dtype=dtype)
        for value in plus:
            result = result + _number(known_value(value), dtype)
        for value in minus:
            result = result - _number(known_value(value), dtype)
    return result


def _rebuild_sum(node: Apply, plus: list[Any], minus: list[Any], constant: Any, dtype: str) -> Any:
    result = None
    plus, minus = [cast(v, dtype) for v in plus], [cast(v, dtype) for v in minus]
    for value in plus:
        result = value if result is None else add(result, value)
    if constant != 0 or (result is None and not minus):
        number = _number(constant, dtype)
        result = number if result is None else add(result, number)
    for value in minus:
        result = neg(value) if result is None else sub(result, value)
    return _filled(node, result)


def _cancel_product(rewriter: Rewriter, node: Apply) -> Any:
    """x * y / x → y; constants are gathered; signs move out; sigmoid(x) exp(-x) → sigmoid(-x)."""
    out = node.outputs[0]
    dtype = out.type.dtype
    if not (dtypes.is_float(dtype) or dtypes.is_complex(dtype)):
        return _integer_product(rewriter, node)
    flat = _flat_product(node)
    if flat is None:
        return None
    terms, negative = flat
    if len(terms.plus) + len(terms.minus) < 2 and not negative:
        return None
    terms.cancel()
    _merge_sigmoids(terms)
    plus, known_plus = _split_constants(terms.plus)
    minus, known_minus = _split_constants(terms.minus)
    with np.errstate(all="ignore"):
        constant = _number(1, dtype)
        for value in known_plus:
            constant = constant * _number(known_value(value), dtype)
        for value in known_minus:
            constant = constant / _number(known_value(value), dtype)
    single = constant in (1, -1, 0) and bool(known_plus or known_minus)
    sign_inside = negative and (node.op is not neg or _sign_can_merge(node))
    if not (terms.changed or len(known_plus) + len(known_minus) > 1 or single or sign_inside):
        return None
    if constant == 0 and not np.isnan(constant):
        return _filled(node, 0)
    return _rebuild_product(node, plus, minus, -constant if negative and constant != 1 else constant,
                            negative and constant == 1, dtype)


def _sign_can_merge(node: Apply) -> bool:
    inner = node.inputs[0].owner
    return inner is not None and inner.op is neg


def _rebuild_product(
    node: Apply, plus: list[Any], minus: list[Any], constant: Any, negate: bool, dtype: str
) -> Any:
    above = _times([cast(v, dtype) for v in plus])
    below = _times([cast(v, dtype) for v in minus])
    if constant == -1:
        constant, negate = _number(1, dtype), not negate
    if below is not None:
        if above is None:
            result = (
                true_div(_number(constant, dtype), below) if constant != 1 else reciprocal(below)
            )
            constant = _number(1, dtype)
        else:
            result = true_div(above, below)
    else:
        result = above
    if result is None:
        result = _number(constant, dtype)
    elif constant != 1:
        result = mul(_number(constant, dtype), result)
    if negate:
        result = neg(result)
    return _filled(node, result)


def _times(values: list[Any]) -> Any:
    result = None
    index = 0
    while index < len(values):
        value = values[index]
        if index + 1 < len(values) and values[index + 1] is value:
            value, index = sqr(value), index + 1
        result = value if result is None else mul(result, value)
        index += 1
    return result


def _merge_sigmoids(terms: Terms) -> None:
    """In a product, sigmoid(x) exp(-x) is sigmoid(-x): no overflow of exp."""
    for value in list(terms.plus):
        if not is_op(value, sigmoid) or value not in terms.plus:
            continue
        argument = value.owner.inputs[0]
        for other in list(terms.plus):
            if is_op(other, exp) and _are_opposite(other.owner.inputs[0], argument):
                terms.plus.remove(value)
                terms.plus.remove(other)
                terms.plus.append(sigmoid(other.owner.inputs[0]))
                terms.changed = True
                break


def _are_opposite(a: Any, b: Any) -> bool:
    return (is_op(a, neg) and a.owner.inputs[0] is b) or (is_op(b, neg) and b.owner.inputs[0] is a)


def _integer_product(rewriter: Rewriter, node: Apply) -> Any:
    if node.op is not mul:
        return None
    for index, value in enumerate(node.inputs):
        known = known_value(value)
        if known == 1:
            return _kept(rewriter, node, node.inputs[1 - index])
        if known == 0:
            return _filled(node, 0)
    return None


def _known_power(rewriter: Rewriter, node: Apply) -> Any:
    power = known_value(node.inputs[1])
    base = cast(node.inputs[0], node.outputs[0].type.dtype)
    if power == 1:
        return _kept(rewriter, node, base)
    if power == 0:
        return _filled(node, 1)
    if power == 2:
        return _kept(rewriter, node, sqr(base))
    if power == -1 and not dtypes.is_discrete(base.type.dtype):
        return _kept(rewriter, node, reciprocal(base))
    return None


def _known_switch(rewriter: Rewriter, node: Apply) -> Any:
    condition, one, two = node.inputs
    known = known_value(condition)
    if known is not None:
        return _kept(rewriter, node, one if known else two)
    if one is two:
        return _kept(rewriter, node, one)
    return None


def _scale_out_of_sum(rewriter: Rewriter, node: Apply) -> Any:
    """sum(c x) → c sum(x) and sum(-x) → -sum(x), for a factor without axes."""
    if node.op.kind != "sum" or node.inputs[0].type.dtype != node.outputs[0].type.dtype:
        return None
    inner = node.inputs[0].owner
    if inner is None:
        return None
    if inner.op is neg:
        return neg(node.op(inner.inputs[0]))
    if inner.op is not mul:
        return None
    for index, factor in enumerate(inner.inputs):
        other = inner.inputs[1 - index]
        if not all(factor.type.broadcastable) or all(other.type.broadcastable):
            continue
        if other.type.dtype == node.outputs[0].type.dtype == factor.type.dtype:
            scalar = dimshuffle(factor, ()) if factor.type.ndim else factor
            return mul(scalar, node.op(other))
    return None


def _fold_of_nothing(rewriter: Rewriter, node: Apply) -> Any:
    """A fold over axes of declared length 1 only drops them."""
    value = node.inputs[0]
    axes = node.op.axes(value.type.ndim)
    if all(value.type.broadcastable[a] for a in axes):
        kept = [a for a in range(value.type.ndim) if a not in axes]
        return cast(dimshuffle(value, kept), node.outputs[0].type.dtype)
    return None


def _neutral_fold(rewriter: Rewriter, node: Apply) -> Any:
    """The sum of n equal numbers is n times the number."""
    value = node.inputs[0]
    known = known_value(value)
    if node.op.kind != "sum" or known is None or isinstance(value, Constant):
        return None
    lengths = [rewriter.lengths(value)[a] for a in node.op.axes(value.type.ndim)]
    total = None
    for n in lengths:
        total = n if total is None else mul(total, n)
    out = node.outputs[0]
    product = mul(_number(known, out.type.dtype), cast_length(total, out.type.dtype))
    return product if out.type.ndim == 0 else _filled_like(rewriter, node, product)


def cast_length(value: Any, dtype: str) -> Any:
    """Return a length as a scalar of `dtype`."""
    return _number(value, dtype) if isinstance(value, int) else cast(value, dtype)


def _filled_like(rewriter: Rewriter, node: Apply, scalar: Any) -> Any:
    lengths = rewriter.lengths(node.outputs[0])
    return alloc(scalar, *(np.asarray(n) if isinstance(n, int) else n for n in lengths))


def _any_elementwise(rewriter: Rewriter, node: Apply) -> Any:
    if node.op.name.startswith("Cast{"):
        return _useless_cast(rewriter, node)
    if node.op in (maximum, minimum, and_, or_) and node.inputs[0] is node.inputs[1]:
        return _kept(rewriter, node, node.inputs[0])
    return None


RULES = (
    Rule("cast to its own dtype → x; max(x, x) → x", (Elementwise,), _any_elementwise, PHASE, "exact", "no work"),
    Rule("x + y - x → y", (add, sub), _cancel_sum, PHASE, "nan", "terms cancel, constants meet"),
    Rule("x y / x → y", (mul, true_div, neg, reciprocal), _cancel_product, PHASE, "nan",
         "factors cancel, constants and signs meet"),
    Rule("x ** constant → product", (pow,), _known_power, PHASE, "rounding", "no logarithm"),
    Rule("switch(known, x, y) → x or y", (switch,), _known_switch, PHASE, "exact", "one branch"),
    Rule("sum(c x) → c sum(x)", (Reduction,), _scale_out_of_sum, PHASE, "rounding",
         "one product instead of n"),
    Rule("fold over length 1 → x", (Reduction,), _fold_of_nothing, PHASE, "exact", "no work"),
    Rule("sum(c, n times) → c n", (Reduction,), _neutral_fold, PHASE, "rounding", "no loop"),
    rule("|−x| → |x|", abs_(neg(x)), abs_(x), phase=PHASE, keeps="exact", why="one operation"),
    rule("sqr(|x|) → sqr(x)", sqr(abs_(x)), sqr(x), phase=PHASE, keeps="exact", why="one operation",
         when=lambda found: not dtypes.is_complex(found[x].type.dtype)),
    rule("sqr(−x) → sqr(x)", sqr(neg(x)), sqr(x), phase=PHASE, keeps="exact", why="one operation"),
)
