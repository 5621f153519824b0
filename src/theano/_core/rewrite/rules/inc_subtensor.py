"""Writes to parts of arrays: sums of them need no array of zeros each."""

from __future__ import annotations

from typing import Any

from theano._core.ir.graph import made_by
from theano._core.ir.variable import Apply
from theano._core.ops.array.broadcasting import alloc, known_value
from theano._core.ops.array.creation import join
from theano._core.ops.array.index_form import Slice, is_whole
from theano._core.ops.array.indexing import AdvancedIncSubtensor, IncSubtensor, subtensor
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.elementwise.arithmetic import add, mul, neg, sub, true_div
from theano._core.ops.elementwise.elementwise import cast
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.pattern import Rules

RULES = Rules("canonical")
rule = RULES.rule
# So many other parts are looked through for an earlier write to the same one.
MOST_BETWEEN = 64


@rule(
    "inc(inc(zeros, x), y) → join(x, y)",
    on=IncSubtensor,
    keeps="exact",
    why="each item is written once, and no zeros",
)
def _parts_of_whole(rewriter: Rewriter, node: Apply) -> Any:
    """Where the parts are next to each other and all."""
    parts: list[tuple[Any, Any]] = []
    base, axis = node.outputs[0], None
    while made_by(base, IncSubtensor):
        op, (x, y, *symbols) = base.owner.op, base.owner.inputs
        if (
            symbols
            or not op.index
            or (rewriter.uses.get(base, 0) > 1 and base is not node.outputs[0])
        ):
            return None
        own = len(op.index) - 1
        if not all(e == Slice() for e in op.index[:own]) or axis not in (None, own):
            return None
        entry, axis = op.index[own], own
        if not isinstance(entry, Slice) or entry.step is not None:
            return None
        parts.append((entry, y))
        base = x
    if axis is None or len(parts) < 2 or known_value(base) != 0:
        return None
    parts.sort(key=lambda part: part[0].start or 0)
    stops = [0, *(entry.stop for entry, _ in parts)]
    if stops[-1] is not None or any(
        (entry.start or 0) != stop for (entry, _), stop in zip(parts, stops, strict=False)
    ):
        return None
    for entry, y in parts:
        whole = subtensor(base, [slice(None)] * axis + [slice(*entry)])
        if (y.type.ndim, y.type.dtype) != (base.type.ndim, base.type.dtype):
            return None
        if rewriter.shape(y) != rewriter.shape(whole):
            return None
    return join(axis, *(y for _, y in parts))


def lie_apart(one: Any, two: Any) -> bool:
    """Tell whether parts have no item in common: along an axis, other positions from its start."""
    return any(
        isinstance(a, int) and isinstance(b, int) and a != b and min(a, b) >= 0
        for a, b in zip(one, two, strict=False)
    )


@rule(
    "inc(inc(x, y), z) → inc(x, y + z) for the same part",
    on=IncSubtensor,
    why="the sum is made where y and z are, and written once",
)
def _sum_for_part(rewriter: Rewriter, node: Apply) -> Any:
    """Also where parts apart from it are written between, as in gradients of columns."""
    base, z, *symbols = node.inputs
    between: list[tuple[Any, Any]] = []
    if node.op.assign or symbols:
        return None
    while made_by(base, IncSubtensor) and rewriter.uses.get(base, 0) <= 1:
        op, (x, y, *symbols) = base.owner.op, base.owner.inputs
        if symbols or len(between) == MOST_BETWEEN:
            return None
        if op.index == node.op.index:
            if y.type != z.type or y.type.dtype != base.type.dtype or y.type.dtype == "bool":
                return None
            if rewriter.shape(y) != rewriter.shape(z):
                return None
            result = op(x, add(y, z))
            for other, value in reversed(between):
                result = other(result, value)
            return result
        if not lie_apart(op.index, node.op.index):
            return None
        between.append((op, y))
        base = x
    return None


@rule(
    "x + c inc(zeros, y) → inc(x, c y)",
    on=(add, sub),
    needs=(IncSubtensor, AdvancedIncSubtensor),
    keeps="nan",
    why="only the part is touched",
)
def _add_a_part(rewriter: Rewriter, node: Apply) -> Any:
    """For a number c; also x - c inc(zeros, y) → inc(x, -c y). Of rows, for all that are added."""
    out = node.outputs[0]
    for index in (1, 0) if node.op is add else (1,):
        x, part_and_scaling = node.inputs[1 - index], _scaled_part(rewriter, node.inputs[index])
        if part_and_scaling is None or x.type != out.type:
            continue
        part, scaling = part_and_scaling
        parts, zeros = [part], part.inputs[0]
        while isinstance(part.op, AdvancedIncSubtensor) and rewriter.uses.get(zeros, 0) <= 1:
            before = made_by(zeros, AdvancedIncSubtensor)
            if before is None:
                break
            parts.append(before)
            zeros = before.inputs[0]
        if any(p.outputs[0].type != out.type or p.op.assign for p in parts):
            continue
        if (
            known_value(zeros) == 0
            and rewriter.same_shape(x, out)
            and rewriter.same_shape(zeros, out)
        ):
            for part in reversed(parts):
                _, y, *at = part.inputs
                # Of a narrower type, -y might wrap around.
                y = cast(y, out.type.dtype)
                for op, *factors in reversed(scaling):
                    y = op(y, *(cast(dimshuffle(f, ()), out.type.dtype) for f in factors))
                x = part.op(x, -y if node.op is sub else y, *at)
            return x
    return None


def _scaled_part(rewriter: Rewriter, value: Any) -> tuple[Apply, list[tuple[Any, ...]]] | None:
    """Return the write to a part that a term is a multiple of, and what makes it that."""
    scaling: list[tuple[Any, ...]] = []
    dtype = value.type.dtype
    while rewriter.uses.get(value, 0) <= 1 and value.type.dtype == dtype != "bool":
        node = made_by(value, IncSubtensor, AdvancedIncSubtensor, mul, true_div, neg)
        if node is None:
            return None
        if isinstance(node.op, (IncSubtensor, AdvancedIncSubtensor)):
            return node, scaling
        value, *factors = node.inputs
        if node.op is mul and all(value.type.broadcastable):
            factors, value = [value], factors[0]
        if not all(all(factor.type.broadcastable) for factor in factors):
            return None
        scaling.append((node.op, *factors))
    return None


@rule("set(x, y, :) → y", on=IncSubtensor, keeps="exact", why="nothing of x is read, or all of it")
def _whole_written(rewriter: Rewriter, node: Apply) -> Any:
    """Where all is set, or added to: inc(x, y, :) → x + y. Also the one item of an axis."""
    x, y = node.inputs[:2]
    index = node.op.index
    if not is_whole(index, x.type.broadcastable):
        return None
    items = [axis for axis, entry in enumerate(index) if not isinstance(entry, Slice)]
    left = [axis for axis in range(x.type.ndim) if axis not in items]
    order = ["x" if axis in items else left.index(axis) for axis in range(x.type.ndim)]
    whole = dimshuffle(y, order) if y.type.ndim == len(left) else y
    if whole.type.broadcastable != x.type.broadcastable or not rewriter.same_shape(x, whole):
        # It is stretched, or an error.
        shape = rewriter.shape(x)
        whole = dimshuffle(alloc(y, *(shape[axis] for axis in left)), order)
    return whole if node.op.assign else add(x, whole)
