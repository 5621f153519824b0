"""Cheaper forms of single operations."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np

from theano._core.base import dtypes
from theano._core.ir.graph import made_by
from theano._core.ir.variable import Apply
from theano._core.ops.array.broadcasting import known_value
from theano._core.ops.array.creation import Join
from theano._core.ops.array.indexing import AT, AdvancedIncSubtensor, AdvancedSubtensor
from theano._core.ops.array.reductions import Reduction
from theano._core.ops.core.fill import fill
from theano._core.ops.elementwise.arithmetic import (
    add,
    maximum,
    minimum,
    mul,
    reciprocal,
    sqr,
    true_div,
)
from theano._core.ops.elementwise.elementwise import Elementwise, cast, cast_op
from theano._core.ops.elementwise.transcendental import pow, sqrt
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.pattern import Rules, wild
from theano._core.rewrite.rules.flatten import rows_of_join

RULES = Rules("special")
rule, pattern = RULES.rule, RULES.pattern
x = wild("x")
# What a kind of reduction does with two items.
REDUCED_BY = {"sum": add, "prod": mul, "max": maximum, "min": minimum}
# Beyond so many operands a loop reads from more places than a processor fetches ahead of.
MOST_JOINED = 16


@rule("x ** 3 → x x x", on=pow, keeps="nan", why="no logarithm")
def _power(rewriter: Rewriter, node: Apply) -> Any:
    exponent = known_value(node.inputs[1])
    out = node.outputs[0]
    if exponent is None or isinstance(exponent, complex) or dtypes.is_discrete(out.type.dtype):
        return None
    base = cast(node.inputs[0], out.type.dtype)
    result = None
    if abs(exponent) == 0.5:
        result = sqrt(base)
    if abs(exponent) in (2, 3, 4):
        square = sqr(base)
        result = {2: square, 3: square * base, 4: sqr(square)}[int(abs(exponent))]
    if result is None:
        return None
    result = reciprocal(result) if exponent < 0 else result
    return (
        result
        if result.type.broadcastable == out.type.broadcastable
        else fill(node.inputs[1], result)
    )


@rule("x / 2**k → x 2**-k", on=true_div, keeps="exact", why="no division")
def _divide_by_constant(rewriter: Rewriter, node: Apply) -> Any:
    value, divisor = node.inputs
    constant = known_value(divisor)
    dtype = node.outputs[0].type.dtype
    if not isinstance(constant, (int, float)) or not constant or not dtypes.is_float(dtype):
        return None
    mantissa, power = np.frexp(float(constant))
    if abs(mantissa) != 0.5 or not abs(power) < 100:
        return None
    if dtype == "float16" or value.type.broadcastable != node.outputs[0].type.broadcastable:
        return None
    return mul(np.asarray(1 / constant, dtype=dtype), cast(value, dtype))


pattern("x x → sqr(x)", x * x, sqr(x), keeps="exact", why="one operand")


@rule(
    "x[int64(i)] → x[i]",
    on=(AdvancedSubtensor, AdvancedIncSubtensor),
    keeps="exact",
    why="the loop that reads positions converts them",
)
def _narrow_positions(rewriter: Rewriter, node: Apply) -> Any:
    """For positions that no conversion to int64 changes."""
    count = node.op.axes.count(AT)
    inputs = list(node.inputs)
    for place in range(len(inputs) - count, len(inputs)):
        made = inputs[place].owner
        if made is None or made.op is not cast_op("int64"):
            continue
        source = made.inputs[0]
        if source.type.dtype != "bool" and np.can_cast(source.type.dtype, "int64", "safe"):
            inputs[place] = source
    if inputs == list(node.inputs):
        return None
    return Apply(node.op, inputs, [out.type.make_variable() for out in node.outputs]).outputs


@rule("reduce(join(x, y), axis) → f(x, y)", on=Reduction, why="no array of both is made")
def _reduction_of_joined(rewriter: Rewriter, node: Apply) -> Any:
    """Where each is one row of an array that nothing else needs."""
    whole, function = node.inputs[0], REDUCED_BY.get(node.op.kind)
    if function is None or rewriter.uses.get(whole, 0) > 1:
        return None
    values = rows_of_join(node, MOST_JOINED)
    if not values:
        return None
    carried, _ = node.op.types(whole.type.dtype)
    rows = [cast(v, carried) for v in values]
    return cast(reduce(function, rows), node.outputs[0].type.dtype)


@rule(
    "sum(f(join(x, y))) → sum(f(x)) + sum(f(y))",
    on=Reduction,
    why="no array of both is made",
)
def _reduction_of_function_of_joined(rewriter: Rewriter, node: Apply) -> Any:
    """Over the axis along which they are joined, of arrays that nothing else needs."""
    if node.op.kind not in ("sum", "prod"):
        return None
    value, functions = node.inputs[0], []
    while rewriter.uses.get(value, 0) <= 1 and made_by(value, Elementwise):
        inputs = value.owner.inputs
        long = [k for k, v in enumerate(inputs) if not all(v.type.broadcastable)]
        if len(long) != 1:
            return None
        functions.append((value.owner.op, inputs, long[0]))
        value = inputs[long[0]]
    joined, axes = made_by(value, Join), node.op.axes(value.type.ndim)
    if joined is None or rewriter.uses.get(value, 0) > 1:
        return None
    along, arrays = joined.op.parts(joined)
    if len(arrays) > MOST_JOINED or along not in axes:
        return None
    if not _fit_apart(rewriter, arrays, along, axes):
        return None
    sums = []
    for part in arrays:
        for op, inputs, place in reversed(functions):
            part = op(*inputs[:place], part, *inputs[place + 1 :])
        sums.append(Reduction(node.op.kind, node.op.axis, *node.op.asked)(part))
    return reduce(REDUCED_BY[node.op.kind], sums)


def _fit_apart(
    rewriter: Rewriter, values: Sequence[Any], along: int, reduced: Sequence[int]
) -> bool:
    """Tell whether lengths that do not fit in a join are an error in a sum of sums as well."""
    for axis in range(values[0].type.ndim):
        patterns = {v.type.broadcastable[axis] for v in values}
        lengths = [rewriter.shape(v)[axis] for v in values]
        fits = all(n == lengths[0] for n in lengths) if axis in reduced else len(patterns) == 1
        if axis != along and not fits:
            return False
    return True
