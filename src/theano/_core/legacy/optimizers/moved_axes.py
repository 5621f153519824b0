"""Local rewrites of Theano 1.0.5 that move axes: old programs run them by name on graphs of theirs.

Rewriting here moves axes where that helps, by rules of its own, and lowering moves none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from theano._core.ir.graph import made_by
from theano._core.ir.variable import Apply, Constant
from theano._core.legacy.optimizers.local_optimizers import local_optimizer
from theano._core.ops.array.broadcasting import Alloc, alloc
from theano._core.ops.array.index_form import Slice, join_index
from theano._core.ops.array.indexing import Subtensor, subtensor
from theano._core.ops.array.products import Dot, dot
from theano._core.ops.array.shaping import Reshape, ShapeOf
from theano._core.ops.core.dimshuffle import DimShuffle, dimshuffle
from theano._core.ops.core.op import constant
from theano._core.ops.elementwise.elementwise import Elementwise


def _order_of_long(value: Any, order: Sequence[Any]) -> list[int]:
    """Return the axes that are not known to have one item, as `order` has them."""
    return [axis for axis in order if axis != "x" and not value.type.broadcastable[axis]]


def _keeps_items(value: Any, order: Sequence[Any]) -> bool:
    """Tell whether the items stay in order where axes are moved so."""
    long = _order_of_long(value, order)
    return long == sorted(long)


def _moved(value: Any, order: Sequence[Any]) -> Any:
    """Return a value with its axes moved where they are from."""
    made = made_by(value, DimShuffle)
    if made is not None:
        before = made.op.new_order
        return _moved(made.inputs[0], [axis if axis == "x" else before[axis] for axis in order])
    made = made_by(value, Elementwise)
    if made is not None and len(getattr(value, "clients", ())) <= 1:
        return made.op(*(_moved(v, order) for v in made.inputs))
    pattern = [axis == "x" or value.type.broadcastable[axis] for axis in order]
    if pattern == list(value.type.broadcastable) and _keeps_items(value, order):
        return value
    return dimshuffle(value, tuple(order))


@local_optimizer([DimShuffle])
def local_dimshuffle_lift(node: Apply) -> Any:
    """Move axes of what items are computed of, at once; not at all if that changes nothing."""
    value = node.inputs[0]
    moved = _moved(value, node.op.new_order)
    own = moved.owner
    same = own is not None and own.op == node.op and own.inputs[0] is value
    return False if same else [moved]


@local_optimizer([DimShuffle])
def local_lift_transpose_through_dot(node: Apply) -> Any:
    """Multiply transposes: ``dot(x, y).T`` is ``dot(y.T, x.T)``."""
    product = made_by(node.inputs[0], Dot)
    if product is None or node.op.new_order != (1, 0):
        return False
    if any(v.type.ndim != 2 for v in product.inputs):
        return False
    return [dot(*(dimshuffle(v, (1, 0)) for v in product.inputs[::-1]))]


@local_optimizer([DimShuffle])
def local_dimshuffle_alloc(node: Apply) -> Any:
    """Fill an array that has the axes in front from the start."""
    filled = made_by(node.inputs[0], Alloc)
    order, rank = node.op.new_order, node.inputs[0].type.ndim
    extra = len(order) - rank
    if filled is None or order != ("x",) * extra + tuple(range(rank)):
        return False
    value, *lengths = filled.inputs
    return [alloc(_moved(value, order), *(constant(1),) * extra, *lengths)]


@local_optimizer([DimShuffle])
def local_dimshuffle_subtensor(node: Apply) -> Any:
    """Index an axis of one item by 0, which is then not there to be dropped."""
    part = made_by(node.inputs[0], Subtensor)
    if part is None or not node.op.dropped:
        return False
    whole = part.inputs[0]
    entries = join_index(part.op.index, part.inputs[1:])
    entries += [slice(None)] * (whole.type.ndim - len(entries))
    kept = [axis for axis, entry in enumerate(entries) if isinstance(entry, (slice, Slice))]
    for axis in node.op.dropped:
        entry = entries[kept[axis]]
        full = (entry.start, entry.stop, entry.step) == (None, None, None)
        if not (full and whole.type.broadcastable[kept[axis]]):
            return False
        entries[kept[axis]] = 0
    left = [axis for axis in range(len(kept)) if axis not in node.op.dropped]
    order = tuple(axis if axis == "x" else left.index(axis) for axis in node.op.new_order)
    made = subtensor(whole, entries)
    return [made if order == tuple(range(len(left))) else dimshuffle(made, order)]


@local_optimizer([Reshape])
def local_useless_dimshuffle_in_reshape(node: Apply) -> Any:
    """Reshape what was there before its axes were moved, if the items stay in order."""
    moved = made_by(node.inputs[0], DimShuffle)
    if moved is None or not _keeps_items(moved.inputs[0], moved.op.new_order):
        return False
    return [node.op(moved.inputs[0], node.inputs[1])]


local_reshape_dimshuffle = local_useless_dimshuffle_in_reshape


@local_optimizer([Reshape])
def local_reshape_to_dimshuffle(node: Apply) -> Any:
    """Add axes of one item by moving axes, and reshape to the others alone."""
    value, shape = node.inputs
    if not isinstance(shape, Constant) or 1 not in shape.data:
        return False
    others = shape.data[shape.data != 1]
    places = iter(range(len(others)))
    order = tuple("x" if n == 1 else next(places) for n in shape.data)
    return [dimshuffle(Reshape(len(others))(value, constant(others)), order)]


@local_optimizer([Reshape])
def local_useless_reshape(node: Apply) -> Any:
    """Leave a vector a vector, and what is given its own shape as it is."""
    value, shape = node.inputs
    if value.type != node.outputs[0].type:
        return False
    asked = made_by(shape, ShapeOf)
    of_itself = asked is not None and asked.inputs[0] is value
    return [value] if value.type.ndim == 1 or of_itself else False
