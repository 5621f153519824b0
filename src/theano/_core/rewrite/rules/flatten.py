"""What the rules on sums and products share: operands in a row, and results of the right shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from theano._core.base import dtypes
from theano._core.ir.graph import made_by
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.assertions import Require
from theano._core.ops.array.broadcasting import known_value
from theano._core.ops.array.creation import Join
from theano._core.ops.array.dims import as_int64, product
from theano._core.ops.core.dimshuffle import without_axis
from theano._core.ops.core.fill import fill
from theano._core.ops.elementwise.arithmetic import add, eq, neg, sub
from theano._core.ops.elementwise.elementwise import cast
from theano._core.rewrite.engine import Rewriter

# Sums and products of more operands than this are left as written: flattening is quadratic.
WIDEST = 24
# Terms of sums that are compared.
FEW_TERMS = 8


class Terms:
    """A sum or product flattened: operands in front, and operands taken away."""

    def __init__(self, plus: Sequence[Any] = (), minus: Sequence[Any] = ()) -> None:
        self.plus = list(plus)
        self.minus = list(minus)
        self.changed = False
        # What was cancelled.
        self.gone: list[Any] = []

    def __len__(self) -> int:
        return len(self.plus) + len(self.minus)

    def cancel(self) -> None:
        """Remove operands that stand on both sides."""
        for value in list(self.minus):
            if (same := _same_operand(value, self.plus)) is not None:
                self.plus.remove(same)
                self.minus.remove(value)
                self.gone += [value] if same is value else [value, same]
                self.changed = True

    def unread(self) -> list[Any]:
        """Return what a product does not need: what was cancelled, and beside a 0 all factors."""
        zero = any(known_value(v) == 0 for v in self.plus)
        every = [*self.gone, *self.plus, *self.minus] if zero else self.gone
        # Of x + x, a factor is the number 2.
        return [v for v in every if v.type.ndim]


def _same_operand(value: Any, operands: Sequence[Any]) -> Any:
    """Return the operand that is `value`, or that is the same sum of floats written in another way.

    1 - x and 1.0 - x, the numbers of which have two dtypes, and -x + 1 are so.
    """
    if value in operands:
        return value
    sums = [v for v in operands if made_by(v, add, sub)] if made_by(value, add, sub) else []
    form = sum_form(value) if sums else None
    same = (v for v in sums if v.type.dtype == value.type.dtype and sum_form(v) == form)
    return next(same, None)


def sum_form(value: Variable, negative: bool = False) -> tuple[Any, ...]:
    """Return what is equal for equal sums, however these are written: y - x and -(x - y)."""
    times: dict[Variable, int] = {}
    number: Any = 0
    stack = [(value, -1 if negative else 1)]
    while stack:
        value, sign = stack.pop()
        constant, node = known_value(value), made_by(value, add, sub, neg)
        if constant is not None:
            number += sign * constant
        elif node is None or len(stack) >= FEW_TERMS or not dtypes.is_float(value.type.dtype):
            times[value] = times.get(value, 0) + sign
        else:
            first, *others = node.inputs
            stack.append((first, -sign if node.op is neg else sign))
            stack += [(v, -sign if node.op is sub else sign) for v in others]
    return frozenset(times.items()), number


def split_constants(values: list[Variable]) -> tuple[list[Any], list[Any]]:
    """Return (operands, constants)."""
    constants = [v for v in values if known_value(v) is not None]
    return [v for v in values if known_value(v) is None], constants


def number(value: object, dtype: str) -> np.ndarray:
    """Return a number as an array without axes."""
    return np.asarray(value, dtype=dtype)


def items_summed(rewriter: Rewriter, node: Apply) -> Any:
    """Return how many items each item of a reduction is of: an int, or an int64 scalar."""
    value = node.inputs[0]
    shape = rewriter.shape(value)
    return product([shape[axis] for axis in node.op.axes(value.type.ndim)])


def sums_some(rewriter: Rewriter, node: Apply) -> bool:
    """Tell whether each item of a reduction is certainly of some."""
    items = items_summed(rewriter, node)
    return isinstance(items, int) and items > 0


def rows_of_join(node: Apply, most: int) -> list[Any]:
    """Return the arrays, `most` or fewer, of which a reduction takes items together.

    A join is of them as single rows.
    """
    whole = node.inputs[0]
    joined = made_by(whole, Join)
    if joined is None:
        return []
    rank, (axis, arrays) = whole.type.ndim, joined.op.parts(joined)
    if len(arrays) > most:
        return []
    # Lengths of 1 that are not known to be so are not broadcast by a join.
    patterns = {v.type.broadcastable for v in arrays}
    one_row = len(patterns) == 1 and arrays[0].type.broadcastable[axis]
    if not one_row or node.op.axes(rank) != (axis,):
        return []
    return [without_axis(v, axis) for v in arrays]


def filled(node: Apply, value: object) -> Any:
    """Return `value` in the shape and dtype of the output of `node`."""
    out = node.outputs[0]
    result = value if hasattr(value, "type") else number(value, out.type.dtype)
    for operand in node.inputs:
        pattern = getattr(getattr(result, "type", None), "broadcastable", None)
        if pattern != out.type.broadcastable:
            result = fill(operand, result)
    return cast(result, out.type.dtype)


def broadcast(rewriter: Rewriter, node: Apply, value: Variable) -> Any:
    """Return `value` for the output of `node`, broadcast only where it must be."""
    out = node.outputs[0]
    if value.type.broadcastable == out.type.broadcastable and rewriter.same_shape(value, out):
        return cast(value, out.type.dtype)
    return filled(node, value)


def kept(rewriter: Rewriter, node: Apply, value: Variable) -> Any:
    """Return `value` so for the output of `node`, checked to fit to its operands."""
    return fitted(rewriter, broadcast(rewriter, node, value), node.inputs)


def fitted(
    rewriter: Rewriter,
    value: Variable,
    others: Sequence[Variable],
    places: tuple[str, str] = ("one ", "another "),
) -> Any:
    """Return `value`, checked to have the lengths of operands that a rule takes away.

    `places` are their names and its name for the text of the error. What other operations check
    does not count: the one that goes may be what it was noted of.
    """
    for other in others:
        shape = zip(rewriter.shape(value), rewriter.shape(other), strict=True)
        for axis, (own, wanted) in enumerate(shape):
            one = value.type.broadcastable[axis] or other.type.broadcastable[axis]
            if not (one or own == wanted):
                first, second = (f"{place}shape[{axis}] = {{}}" for place in places)
                text = f"Input dimension mis-match. ({first}, {second})"
                facts = as_int64(wanted), as_int64(own)
                value = Require(text, 2)(value, *facts, eq(*facts))
    return value
