"""One form for equal expressions: neutral elements, cancellation, constants in front."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from theano._core.base import dtypes
from theano._core.ir.graph import made_by
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.ops.array.broadcasting import alloc, known_value
from theano._core.ops.array.dims import lengths_of, product
from theano._core.ops.array.reductions import Reduction
from theano._core.ops.array.shaping import Reshape
from theano._core.ops.core.dimshuffle import DimShuffle, dimshuffle
from theano._core.ops.core.op import python_int
from theano._core.ops.elementwise.arithmetic import (
    add,
    and_,
    maximum,
    minimum,
    mul,
    neg,
    or_,
    reciprocal,
    sqr,
    sub,
    switch,
)
from theano._core.ops.elementwise.elementwise import Elementwise, cast, cast_op
from theano._core.ops.elementwise.transcendental import pow
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.pattern import Rules, wild
from theano._core.rewrite.rules.flatten import (
    WIDEST,
    Terms,
    broadcast,
    filled,
    fitted,
    items_summed,
    kept,
    number,
    split_constants,
    sums_some,
)

RULES = Rules("canonical")
rule, pattern = RULES.rule, RULES.pattern
SUMS = frozenset((add, sub, neg))
# How many times smaller than others constants stay by themselves, if digits of theirs are lost.
MUCH_SMALLER = 16
CASTS = tuple(cast_op(dtype) for dtype in dtypes.all_dtypes)
x, y = wild("x"), wild("y")


@rule("cast to its own dtype → x; max(x, x) → x", on=Elementwise, keeps="exact", why="no work")
def _any_elementwise(rewriter: Rewriter, node: Apply) -> Any:
    first, *others = node.inputs
    if node.op.is_cast:
        return first if first.type.dtype == node.outputs[0].type.dtype else None
    if others and others[0] is first and node.op in (maximum, minimum, and_, or_):
        return kept(rewriter, node, first)
    return None


def _holds(dtype: str, other: str) -> bool:
    """Tell whether an item type has all values of another."""
    # NumPy lets int64 pass for float64.
    rounds = dtypes.is_continuous(dtype) and dtypes.is_discrete(other)
    narrow = rounds and dtypes.itemsize(other) >= dtypes.itemsize(dtypes.real_of(dtype))
    return not narrow and np.can_cast(other, dtype, "safe")


@rule("cast(cast(x)) → cast(x)", on=CASTS, keeps="exact", why="the first one keeps all values")
def _cast_cast(rewriter: Rewriter, node: Apply) -> Any:
    made = made_by(node.inputs[0], Elementwise)
    if made is None or not made.op.is_cast:
        return None
    first, between, last = (v.type.dtype for v in (made.inputs[0], node.inputs[0], node.outputs[0]))
    # Not floats to integers, where those that do not fit may differ, nor what is rounded twice.
    apart = dtypes.is_continuous(between) and dtypes.is_discrete(last)
    if apart or last == "float16" or not _holds(between, first):
        return None
    return cast(made.inputs[0], last)


def _flat_sum(rewriter: Rewriter, node: Apply, shared: bool = True) -> Terms | None:
    """Return the operands of a sum, those of the sums below it included; None if there are many.

    Of sums that others need as well, only if `shared`: to add their operands again is more work.
    """
    terms, wide = Terms(), rewriter.wide_sums
    out = node.outputs[0]
    dtype = out.type.dtype
    stack: list[tuple[Any, bool]] = [(out, True)]
    while stack:
        value, positive = stack.pop()
        owner = value.owner
        whole = not (shared or value is out) and rewriter.uses.get(value, 0) > 1
        if whole or owner is None or owner.op not in SUMS or value.type.dtype != dtype:
            (terms.plus if positive else terms.minus).append(value)
            continue
        if owner.op is neg:
            terms.changed = terms.changed or value is not out
            stack.append((owner.inputs[0], not positive))
        else:
            stack.append((owner.inputs[1], positive == (owner.op is add)))
            stack.append((owner.inputs[0], positive))
        # Each entry of the stack is at least one operand.
        if value in wide or len(stack) + len(terms) > WIDEST:
            wide.add(out)
            return None
    return terms


def _has_no_like_terms(node: Apply) -> bool:
    """Tell whether nothing can meet in a sum of two: quickly, as most sums are so."""
    constants = 0
    for value in node.inputs:
        owner, constant = value.owner, known_value(value)
        if (owner is not None and owner.op in SUMS) or (constant is not None and constant == 0):
            return False
        constants += constant is not None
    return constants < 2 and node.inputs[0] is not node.inputs[1]


@rule("x + y - x → y", on=(add, sub), keeps="nan", why="terms cancel, constants meet")
def _cancel_sum(rewriter: Rewriter, node: Apply) -> Any:
    dtype = node.outputs[0].type.dtype
    if dtype == "bool" or _has_no_like_terms(node):
        return None
    terms = _flat_sum(rewriter, node)
    if terms is not None:
        terms.cancel()
        if not terms.gone:
            terms = _flat_sum(rewriter, node, False)
    if terms is None:
        return None
    plus, minus, *constants = _known_apart(terms.plus, terms.minus, dtype)
    meet = any(len(same) > 1 or (same and sum(same) == 0) for same in constants)
    if not terms.changed and not meet:
        return None
    result = _rebuild_sum(node, plus, minus, constants, dtype)
    return fitted(rewriter, result, terms.gone)


@rule("-(x - y) → y - x", on=neg, keeps="exact", why="one operation less")
def _minus_of_sum(rewriter: Rewriter, node: Apply) -> Any:
    """Where that takes a minus away; also -(-x) → x."""
    inner = node.inputs[0].owner
    if inner is None or node.inputs[0].type.dtype == "bool":
        return None
    if inner.op is neg:
        return inner.inputs[0]
    if inner.op not in (add, sub):
        return None
    terms = _flat_sum(rewriter, inner, False)
    if terms is None or not terms.minus:
        return None
    if len(terms) > 2 and rewriter.uses.get(node.inputs[0], 0) > 1:
        return None
    dtype = node.outputs[0].type.dtype
    plus, minus, *constants = _known_apart(terms.minus, terms.plus, dtype)
    return _rebuild_sum(node, plus, minus, constants, dtype)


def _known_apart(plus: list[Variable], minus: list[Variable], dtype: str) -> tuple[list[Any], ...]:
    """Return the operands of a sum, what it takes away, and two lists of its constants.

    The second has the small ones, which lose digits when they are added to the others before these
    cancel: 1 - x + 1e-8 is 1e-8 in float32 where x is 1.
    """
    plus, known_plus = split_constants(plus)
    minus, known_minus = split_constants(minus)
    with np.errstate(all="ignore"):
        constants = [number(known_value(v), dtype) for v in known_plus]
        constants += [0 - number(known_value(v), dtype) for v in known_minus]
        if len(constants) < 2 or not dtypes.is_float(dtype):
            return plus, minus, constants, []
        largest = max(map(abs, constants))
        large = [c for c in constants if not abs(c) * MUCH_SMALLER < largest]
        small = [c for c in constants if abs(c) * MUCH_SMALLER < largest]
        total, rest = sum(large), sum(small)
        exact = (total + rest) - total == rest and (total + rest) - rest == total
    return (plus, minus, constants, []) if exact else (plus, minus, large, small)


def _rebuild_sum(
    node: Apply,
    plus: list[Variable],
    minus: list[Variable],
    constants: Sequence[list[Any]],
    dtype: str,
) -> Any:
    """Return a sum with its constants, those that are small last."""
    result = None
    with np.errstate(all="ignore"):
        constant, small = (sum(same, np.zeros((), dtype)) for same in constants)
    plus, minus = [cast(v, dtype) for v in plus], [cast(v, dtype) for v in minus]
    for value in plus:
        result = value if result is None else result + value
    if constant != 0 or (result is None and not minus):
        offset = number(constant, dtype)
        result = offset if result is None else result + offset
    taken = None
    for value in minus:
        if result is not None:
            result = sub(result, value)
        else:
            taken = value if taken is None else taken + value
    if taken is not None:
        result = -taken
    if small != 0:
        result = result + number(small, dtype)
    return filled(node, result)


@rule("x ** constant → product", on=pow, why="no logarithm")
def _known_power(rewriter: Rewriter, node: Apply) -> Any:
    power = known_value(node.inputs[1])
    base = cast(node.inputs[0], node.outputs[0].type.dtype)
    if power == 1:
        return kept(rewriter, node, base)
    if power == 0:
        return filled(node, 1)
    if power == 2:
        return kept(rewriter, node, sqr(base))
    if power in (-1, -2) and not dtypes.is_discrete(base.type.dtype):
        return kept(rewriter, node, reciprocal(base if power == -1 else sqr(base)))
    return None


@rule("switch(known, x, y) → x or y", on=switch, keeps="exact", why="one branch")
def _known_switch(rewriter: Rewriter, node: Apply) -> Any:
    condition, one, two = node.inputs
    holds = known_value(condition)
    if holds is not None:
        # As in Theano, the other one need not fit.
        return broadcast(rewriter, node, one if holds else two)
    return kept(rewriter, node, one) if one is two else None


@rule("sum(c x) → c sum(x)", on=Reduction, why="one product instead of n")
def _scale_out_of_sum(rewriter: Rewriter, node: Apply) -> Any:
    """For a number as factor; also sum(-x) → -sum(x).

    The sum of no items is 0, even if each had been multiplied with an infinity.
    """
    if node.op.kind != "sum" or node.inputs[0].type.dtype != node.outputs[0].type.dtype:
        return None
    inner = node.inputs[0].owner
    if inner is None:
        return None
    if inner.op is neg:
        return -node.op(inner.inputs[0])
    if inner.op is not mul:
        return None
    for index, factor in enumerate(inner.inputs):
        other = inner.inputs[1 - index]
        if not all(factor.type.broadcastable) or all(other.type.broadcastable):
            continue
        dtype = node.outputs[0].type.dtype
        if other.type.dtype == dtype and (_is_finite(factor) or sums_some(rewriter, node)):
            scalar = dimshuffle(factor, ()) if factor.type.ndim else factor
            return cast(scalar, dtype) * node.op(other)
    return None


def _is_finite(factor: Variable) -> bool:
    """Tell whether a number is neither infinite nor NaN, whatever the arguments are."""
    factor_value = known_value(factor)
    if factor_value is not None:
        return bool(np.isfinite(factor_value))
    # A conversion of an integer is a number, too, unless it is too large for float16.
    while (node := made_by(factor, Elementwise, DimShuffle)) is not None:
        if isinstance(node.op, Elementwise) and not node.op.is_cast:
            break
        if factor.type.dtype == "float16":
            break
        factor = node.inputs[0]
    return dtypes.is_discrete(factor.type.dtype)


@rule("reduce(x) over length 1 → x", on=Reduction, keeps="exact", why="no work")
def _reduction_of_nothing(rewriter: Rewriter, node: Apply) -> Any:
    """A reduction over axes of declared length 1 only drops them."""
    value = node.inputs[0]
    axes = node.op.axes(value.type.ndim)
    if all(value.type.broadcastable[a] for a in axes):
        kept = [a for a in range(value.type.ndim) if a not in axes]
        return cast(dimshuffle(value, kept), node.outputs[0].type.dtype)
    return None


@rule(
    "reduce(reshape(x), axis) → reduce(x, axes)",
    on=Reduction,
    why="x need not be in memory for axes to be one, nor in their order",
)
def _reduction_of_reshaped(rewriter: Rewriter, node: Apply) -> Any:
    """Where the last axis is reduced, and is made of the last axes of x."""
    value = node.inputs[0]
    made, last = made_by(value, Reshape), value.type.ndim - 1
    axes = node.op.axes(last + 1)
    if made is None or last not in axes:
        return None
    (x, wanted), rank = made.inputs, made.inputs[0].type.ndim
    own, new = rewriter.shape(x), rewriter.shape(value)
    # Lengths that do not fit are an error, which must stay.
    if rank <= last + 1 or own[:last] != new[:last]:
        return None
    if last or python_int(lengths_of(wanted, 1)[0]) != -1:
        rest = product(own[last:])
        if (rest if isinstance(rest, int) else rewriter.one(rest)) != new[last]:
            return None
    return Reduction(node.op.kind, sorted({*axes, *range(last, rank)}), *node.op.asked)(x)


@rule(
    "reduce(reduce(x)) → reduce(x) over the axes of both",
    on=Reduction,
    why="one loop, no array between",
)
def _reduction_of_reduction(rewriter: Rewriter, node: Apply) -> Any:
    value = node.inputs[0]
    inner = made_by(value, Reduction)
    if inner is None or inner.op.kind != node.op.kind or rewriter.uses.get(value, 0) > 1:
        return None
    x = inner.inputs[0]
    same = inner.op.asked == node.op.asked and node.op.types(x.type.dtype) == node.op.types(
        value.type.dtype
    )
    if not same:
        return None
    reduced = inner.op.axes(x.type.ndim)
    left = [axis for axis in range(x.type.ndim) if axis not in reduced]
    more = {left[axis] for axis in node.op.axes(len(left))}
    return Reduction(node.op.kind, sorted({*reduced, *more}), *node.op.asked)(x)


@rule(
    "reduce(x.T, axis) → reduce(x, other axis).T",
    on=Reduction,
    phase="special",
    why="the axes of x are in the order in which its items most likely lie",
)
def _reduction_of_transpose(rewriter: Rewriter, node: Apply) -> Any:
    view = made_by(node.inputs[0], DimShuffle)
    if view is None:
        return None
    order, axes = view.op.new_order, node.op.axes(len(view.op.new_order))
    from_x = [axis for axis in order if axis != "x"]
    reduced = [order[axis] for axis in axes]
    if from_x == sorted(from_x) or "x" in reduced:
        return None
    (x,) = view.inputs
    result = Reduction(node.op.kind, reduced, *node.op.asked)(x)
    left = [axis for axis in range(x.type.ndim) if axis not in reduced]
    kept = [axis for index, axis in enumerate(order) if index not in axes]
    return dimshuffle(result, ["x" if axis == "x" else left.index(axis) for axis in kept])


@rule("sum(c, n times) → c n", on=Reduction, why="no loop")
def _neutral_reduction(rewriter: Rewriter, node: Apply) -> Any:
    """The sum of n equal numbers is n times the number."""
    value = node.inputs[0]
    constant = known_value(value)
    if node.op.kind != "sum" or constant is None or isinstance(value, Constant):
        return None
    if not np.isfinite(constant) and not sums_some(rewriter, node):
        return None
    dtype = node.outputs[0].type.dtype
    result = mul(number(constant, dtype), cast_length(items_summed(rewriter, node), dtype))
    return result if node.outputs[0].type.ndim == 0 else _alloc_like(rewriter, node, result)


def cast_length(value: Variable, dtype: str) -> Any:
    """Return a length as a scalar of `dtype`."""
    return number(value, dtype) if isinstance(value, int) else cast(value, dtype)


def _alloc_like(rewriter: Rewriter, node: Apply, scalar: Variable) -> Any:
    shape = rewriter.shape(node.outputs[0])
    return alloc(scalar, *(np.asarray(n) if isinstance(n, int) else n for n in shape))


pattern(
    "|−x| → |x|",
    abs(-x),
    abs(x),
    keeps="exact",
    why="one operation",
    # Of unsigned integers -x is another positive number.
    when=lambda bindings: not bindings[x].type.dtype.startswith("uint"),
)
pattern(
    "sqr(|x|) → sqr(x)",
    sqr(abs(x)),
    sqr(x),
    keeps="exact",
    why="one operation",
    when=lambda bindings: not dtypes.is_complex(bindings[x].type.dtype),
)
pattern("sqr(−x) → sqr(x)", sqr(-x), sqr(x), keeps="exact", why="one operation")
