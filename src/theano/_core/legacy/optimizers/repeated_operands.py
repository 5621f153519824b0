"""Arrays that are filled for elementwise operations, as Theano 1.0.5 left them: not made.

Nor are they in what runs: loops read what is repeated, and check that the lengths fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from theano._core.ir.comparison import equal_computations
from theano._core.ir.graph import made_by
from theano._core.ir.variable import Apply, Variable
from theano._core.legacy.optimizers.local_optimizers import local_optimizer
from theano._core.ops.array.assertions import assert_op
from theano._core.ops.array.broadcasting import Alloc
from theano._core.ops.array.shaping import length
from theano._core.ops.core.dimshuffle import DimShuffle, dimshuffle
from theano._core.ops.core.op import python_int
from theano._core.ops.elementwise.arithmetic import eq
from theano._core.ops.elementwise.elementwise import Elementwise


@local_optimizer([Elementwise])
def local_elemwise_alloc(node: Apply) -> Any:
    """Read what an operand repeats: ``alloc(y, n) + x`` is ``y + x``, where `x` has `n` items.

    That is asserted of another operand, unless it is known.
    """
    repeated = [_repeated(v) for v in node.inputs]
    measure = _measure(node, repeated)
    if measure is None or len(node.inputs) < 2:
        return False
    like, conditions, changed = node.inputs[measure], [], list(node.inputs)
    for place, (v, filled) in enumerate(zip(node.inputs, repeated, strict=True)):
        if filled is None or place == measure:
            continue
        changed[place], lengths = filled
        if not node.fgraph.shape_feature.same_shape(v, like):  # type: ignore[attr-defined]
            conditions += _fit(v, lengths, like, repeated[measure])
    if all(a is b for a, b in zip(changed, node.inputs, strict=True)):
        return False
    if conditions:
        changed[measure] = assert_op(like, *conditions)
    return [node.op(*changed)]


def _repeated(v: Variable) -> tuple[Variable, Sequence[Any]] | None:
    """Return what a filled array repeats, which may have its axes moved, and the lengths of it."""
    filled = made_by(v, Alloc)
    if filled is not None:
        return filled.inputs[0], filled.inputs[1:]
    moved = made_by(v, DimShuffle)
    filled = None if moved is None else made_by(moved.inputs[0], Alloc)
    if moved is None or filled is None:
        return None
    order = moved.op.new_order  # type: ignore[attr-defined]
    lengths = [None if axis == "x" else filled.inputs[1 + axis] for axis in order]
    return dimshuffle(filled.inputs[0], order), lengths


def _fit(
    v: Variable,
    lengths: Sequence[Any],
    like: Variable,
    filled: tuple[Variable, Sequence[Any]] | None,
) -> list[Variable]:
    """Return that two operands have the same lengths, where they may be others and are not 1."""
    filled_lengths = [None] * v.type.ndim if filled is None else filled[1]
    pairs = []
    for axis, (one, n, other) in enumerate(
        zip(v.type.broadcastable, lengths, filled_lengths, strict=True)
    ):
        if one or n is None:
            continue
        other = length(like, axis) if other is None else other
        number = python_int(n)
        same = (
            number == python_int(other) if number is not None else equal_computations([n], [other])
        )
        if not same:
            pairs.append(eq(n, other))
    return pairs


def _measure(node: Apply, repeated: Sequence[object]) -> int | None:
    """Return the place of an operand that has the lengths of the result: one not filled, if any."""
    pattern = node.outputs[0].type.broadcastable
    places = [k for k, v in enumerate(node.inputs) if v.type.broadcastable == pattern]
    return next((k for k in places if repeated[k] is None), places[0] if places else None)
