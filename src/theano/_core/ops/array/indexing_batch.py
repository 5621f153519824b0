"""Indexing of many rows at once: the `batch` of the operations of `indexing`.

They need all of these operations, and so stand behind them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from theano._core.ir.hooks import extend
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.creation import iota
from theano._core.ops.array.index_form import Slice, join_index, with_numbers
from theano._core.ops.array.indexing import (
    AT,
    FULL,
    AdvancedIncSubtensor,
    AdvancedSubtensor,
    IncSubtensor,
    Subtensor,
)
from theano._core.ops.core.dimshuffle import dimshuffle

if TYPE_CHECKING:
    from theano._core.ops.core.protocols import Batching

Rows = list[Any] | None


def _part_of_rows(
    op: Any, node: Apply, values: list[Variable], rows: list[bool], batch: Batching
) -> Rows:
    """Return the rows of `Subtensor`."""
    if not any(rows[1:]):
        return [Subtensor((Slice(), *op.index))(*values)]
    index, at = with_numbers(op.index, values[1:])
    axes = _axes_of(index)
    if axes is None:
        return None
    at = join_index(index, at)
    positions = [v for v in at if not isinstance(v, slice)]
    return _gather(axes, values[0], positions, rows[0], 0, batch)


def _gathered_rows(
    op: Any, node: Apply, values: list[Variable], rows: list[bool], batch: Any
) -> Rows:
    """Return the rows of `AdvancedSubtensor`."""
    x, *positions = values
    if not any(rows[1:]):
        gather = AdvancedSubtensor((FULL, *op.axes))
        at, _, place = gather.place(x.type.ndim)
        out = gather(x, *positions)
        # Arrays of positions that are not neighbours put their axes in front of the rows.
        rank = positions[0].type.ndim
        return [_moved(out, rank, 0) if place == 0 and at[0] != 0 else out]
    rank = node.inputs[1].type.ndim
    return _gather(op.axes, x, positions, rows[0], rank, batch)


def _gather(
    axes: Sequence[str], x: Any, positions: Sequence[object], rows: bool, rank: int, batch: object
) -> list[Any]:
    """Return `x` at positions of which some have rows; without them they have `rank` axes."""
    if not rows:
        op = AdvancedSubtensor(tuple(axes))
        _, _, place = op.place(x.type.ndim)
        return [_moved(op(x, *positions), place, 0)]
    op = AdvancedSubtensor((AT, *axes))
    out = op(x, _row_numbers(batch, rank), *positions)
    _, _, place = AdvancedSubtensor(tuple(axes)).place(x.type.ndim - 1)
    return [dimshuffle(out, _order(out.type.ndim, rank, place))]


def _written_rows(
    op: Any, node: Apply, values: list[Variable], rows: list[bool], batch: Batching
) -> Rows:
    """Return the rows of `IncSubtensor`."""
    _, y, *at = values
    x = batch.full(node.inputs[0])
    part = Subtensor(op.index).make_node(node.inputs[0], *node.inputs[2:]).outputs[0].type.ndim
    y = _aligned(y, rows[1], part)
    if not any(rows[2:]):
        return [type(op)((Slice(), *op.index), op.assign)(x, y, *at)]
    index, at = with_numbers(op.index, at)
    axes = _axes_of(index)
    if axes is None:
        return None
    positions = [v for v in join_index(index, at) if not isinstance(v, slice)]
    scatter = AdvancedIncSubtensor((AT, *axes), op.assign)
    return [scatter(x, y, _row_numbers(batch, 0), *positions)]


def _scattered_rows(
    op: Any, node: Apply, values: list[Variable], rows: list[bool], batch: Any
) -> Rows:
    """Return the rows of `AdvancedIncSubtensor`."""
    _, y, *positions = values
    rank = node.inputs[2].type.ndim
    x = batch.full(node.inputs[0])
    full = node.inputs[0].type.ndim
    _, others, place = op.place(full)
    y = _aligned(y, rows[1], len(others) + rank)
    if any(rows[2:]):
        order = _order(y.type.ndim, rank, place)
        back = sorted(range(len(order)), key=order.__getitem__)
        scatter = AdvancedIncSubtensor((AT, *op.axes), op.assign)
        return [scatter(x, dimshuffle(y, back), _row_numbers(batch, rank), *positions)]
    scatter = AdvancedIncSubtensor((FULL, *op.axes), op.assign)
    at, _, new_place = scatter.place(full + 1)
    if new_place == 0 and at[0] != 0:
        y = _moved(y, 0, rank)
    return [scatter(x, y, *positions)]


def _axes_of(index: Sequence[Variable]) -> list[str] | None:
    """Return a basic index as axes of positions; None if it has slices of a part."""
    if any(isinstance(e, Slice) and e != Slice() for e in index):
        return None
    return [FULL if isinstance(e, Slice) else AT for e in index]


def _row_numbers(batch: Any, rank: int) -> Any:
    return dimshuffle(iota(batch.size), [0, *["x"] * rank])


def _aligned(y: Variable, rows: bool, rank: int) -> Any:
    """Return what is written with all axes of the part it is written to, the rows first."""
    own = y.type.ndim - rows
    first = 0 if rows else "x"
    return dimshuffle(y, [first, *["x"] * (rank - own), *range(rows, own + rows)])


def _order(ndim: int, rank: int, place: int) -> list[int]:
    """Return the axes (rows, positions, others) with the positions at their place again."""
    others = list(range(1 + rank, ndim))
    return [0, *others[:place], *range(1, 1 + rank), *others[place:]]


def _moved(x: Variable, source: int, target: int) -> Any:
    order = list(range(x.type.ndim))
    order.insert(target, order.pop(source))
    return dimshuffle(x, order)


extend(Subtensor, batch=_part_of_rows)
extend(AdvancedSubtensor, batch=_gathered_rows)
extend(IncSubtensor, batch=_written_rows)
extend(AdvancedIncSubtensor, batch=_scattered_rows)
