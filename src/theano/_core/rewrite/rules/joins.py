"""Exponentials that are joined, as a probability and its complement: each part by itself.

What is 0 by rounding alone, such as 1 - sigmoid(x), has a logarithm and cancels in gradients where
it is found: not behind a join. Other joins stay as they are.
"""

from __future__ import annotations

from functools import reduce
from typing import Any

from theano._core.ir.graph import made_by
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.broadcasting import known_value
from theano._core.ops.array.creation import Join, join
from theano._core.ops.array.index_form import Slice, join_index
from theano._core.ops.array.indexing import Subtensor, subtensor
from theano._core.ops.array.reductions import Reduction
from theano._core.ops.array.shaping import Rebroadcast, pattern_broadcast
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.elementwise.arithmetic import add, sub
from theano._core.ops.elementwise.elementwise import cast
from theano._core.ops.elementwise.transcendental import exp, sigmoid
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.pattern import Rules
from theano._core.rewrite.rules.divided import NONE, divisors
from theano._core.rewrite.rules.logarithms import vanishes
from theano._core.rewrite.rules.products import ROOTS, build, flatten
from theano._core.rewrite.rules.weighted_sums import SCALES

RULES = Rules("stable")
rule = RULES.rule
FINITE = "finite where an exponential is 0 or infinite"


def _joined(value: Variable) -> Any:
    """Return the node of a join of exponentials, or of products with them."""
    node = made_by(value, Join)
    return node if node is not None and vanishes(value) else None


@rule(
    "log(join(exp(x), y)) → join(x, log(y))",
    on=tuple(SCALES),
    needs=(Join,),
    keeps="nan",
    why=FINITE,
)
def _log_of_joined(rewriter: Rewriter, node: Apply) -> Any:
    joined = _joined(node.inputs[0])
    if joined is None:
        return None
    dtype = node.inputs[0].type.dtype
    axis, arrays = joined.op.parts(joined)
    return join(axis, *(node.op(cast(v, dtype)) for v in arrays))


@rule(
    "join(exp(x), y) join(u, v) → join(exp(x) u, y v)",
    on=ROOTS,
    needs=(Join,),
    keeps="nan",
    why="sums of such products are found",
)
def _product_of_joined(rewriter: Rewriter, node: Apply) -> Any:
    """For parts of the same lengths, and factors that are broadcast along the axis of the join."""
    joined = next((j for v in node.inputs if (j := _joined(v)) is not None), None)
    # A number cancels with nothing.
    if joined is None or any(known_value(v) is not None for v in node.inputs):
        return None
    axis, arrays = joined.op.parts(joined)
    parts: list[list[Any]] = []
    for value in node.inputs:
        other = made_by(value, Join)
        if value.type.broadcastable[axis]:
            parts.append([value] * len(arrays))
        elif other is None or not _alike(rewriter, other, joined):
            return None
        else:
            parts.append([cast(v, value.type.dtype) for v in other.op.parts(other)[1]])
    return join(axis, *(node.op(*one) for one in zip(*parts, strict=True)))


def _alike(rewriter: Rewriter, one: Apply, two: Apply) -> bool:
    """Tell whether products of the parts of two joins have lengths that fit where joins do."""
    (axis, first), (other, second) = (node.op.parts(node) for node in (one, two))
    lengths = ([rewriter.shape(v)[axis] for v in arrays] for arrays in (first, second))
    if other != axis or next(lengths) != next(lengths):
        return False
    return all(
        _pattern(node, v) == _pattern(node, node.outputs[0])
        for node in (one, two)
        for v in node.op.parts(node)[1]
    )


def _pattern(node: Apply, value: Variable) -> list[bool]:
    """Return which axes of a part are broadcast, but for that of the join."""
    pattern = [*value.type.broadcastable]
    del pattern[node.op.parts(node)[0]]
    return pattern


@rule(
    "sum(join(exp(x), y)) → sum(exp(x)) + sum(y)",
    on=Reduction,
    needs=(Join,),
    keeps="nan",
    why="sums of exponentials are found",
)
def _sum_of_joined(rewriter: Rewriter, node: Apply) -> Any:
    """Over the axis of the join."""
    joined = _joined(node.inputs[0]) if node.op.kind == "sum" else None
    if joined is None:
        return None
    axis, arrays = joined.op.parts(joined)
    if axis not in node.op.axes(node.inputs[0].type.ndim):
        return None
    lengths = [[*rewriter.shape(v)] for v in arrays]
    for each in lengths:
        del each[axis]
    # Those that do not fit are an error of the join.
    if any(each != lengths[0] for each in lengths):
        return None
    return reduce(add, (_summed(node, v) for v in arrays))


def _summed(node: Apply, part: Any) -> Any:
    """Return the sum of one part: of one item, the product of its factors without the axis."""
    axes = node.op.axes(part.type.ndim)
    if not all(part.type.broadcastable[axis] for axis in axes):
        return node.op(part)
    kept = [axis for axis in range(part.type.ndim) if axis not in axes]

    def without(value: Any) -> Any:
        product = made_by(value, *ROOTS)
        if product is None:
            return dimshuffle(value, kept)
        return product.op(*map(without, product.inputs))

    return cast(without(part), node.outputs[0].type.dtype)


@rule(
    "(x / exp(y))[a:b] → x[a:b] / exp(y)[a:b]",
    on=Subtensor,
    needs=(Join, exp, sigmoid),
    keeps="nan",
    why="the gradient of a join: what is divided meets what it cancels with",
)
def _part_of_quotient(rewriter: Rewriter, node: Apply) -> Any:
    """For slices, also of what others need."""
    whole = node.inputs[0]
    if not all(isinstance(entry, Slice) for entry in node.op.index) or not made_by(whole, *ROOTS):
        return None
    factors = flatten(whole) if divisors(rewriter, whole) != NONE else None
    if factors is None or factors.masks:
        return None
    if not any(made_by(v, Join) for v in (*factors.plus, *factors.minus)):
        return None
    entries = join_index(node.op.index, node.inputs[1:])
    for table in (factors.plus, factors.minus):
        for place, value in enumerate(table):
            if value.type.ndim == whole.type.ndim:
                table[place] = _part(value, entries)
            elif value.type.ndim:
                return None
    full = [v for v in (*factors.plus, *factors.minus) if v.type == node.outputs[0].type]
    return build(node, factors) if full else None


def _part(value: Any, entries: list[Any]) -> Any:
    """Return the part of a factor, all of it along axes that are broadcast."""
    pairs = zip(entries, value.type.broadcastable, strict=False)
    own = [slice(None) if one else entry for entry, one in pairs]
    return value if all(entry == slice(None) for entry in own) else subtensor(value, own)


@rule(
    "rebroadcast(x / exp(y)) → rebroadcast(x) / exp(y)",
    on=Rebroadcast,
    needs=(Join, exp, sigmoid),
    keeps="nan",
    why="the gradient of a join: what is divided meets what it cancels with",
)
def _rebroadcast_quotient(rewriter: Rewriter, node: Apply) -> Any:
    """For axes that are declared to have one item."""
    whole, wanted = node.inputs[0], node.outputs[0].type.broadcastable
    lost = any(whole.type.broadcastable[axis] and not one for axis, one in enumerate(wanted))
    if lost or not made_by(whole, *ROOTS, add, sub) or divisors(rewriter, whole) == NONE:
        return None
    return whole.owner.op(
        *(pattern_broadcast(v, wanted) if v.type == whole.type else v for v in whole.owner.inputs)
    )
