"""Orders of axes: results lie as their operands, and axes that are walked alike are one.

A loop over items of equal arrays need not know how their axes lie, as long as they all lie alike:
the packed kernel runs over them as over one vector. Where operands lie by columns, or in the order
of axes that a transposition has left, so do results.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from theano._core.base.dtypes import itemsize
from theano._core.base.records import Record
from theano._core.ir.graph import made_by
from theano._core.ir.variable import Variable
from theano._core.lower.arrays import Array, Size
from theano._core.lower.builder import kernel_call
from theano._core.lower.builder.core import Core
from theano._core.lower.builder.laid_out import Variant
from theano._core.lower.kernel.loops import Loop, collapse
from theano._core.lower.llvm.kernels.lanes import SHORT, choose_lanes
from theano._core.lower.llvm.print.calls import Call, Kernel
from theano._core.ops.core.dimshuffle import DimShuffle

# Bytes of items side by side that fill vectors of any width: the choice does not depend on that.
LEAST_BESIDE = 64


class Order(Record):
    """An order of axes, the outermost first, and what tells whether data lies so."""

    holds: Size
    axes: tuple[int, ...]


def order_of_results(
    p: Core,
    loop: Loop,
    operands: Sequence[Variable],
    arrays: Sequence[Array],
    stored: Sequence[Variable],
) -> Order | None:
    """Return in which order of axes, but that of rows, results may lie; None: in no other.

    They may if they are returned and nothing else reads them, all operands lie so, and none is
    known to lie row by row.
    """
    if loop.reductions or loop.rank < 2 or p.region is not None:
        return None
    returned = p.outputs[: len(p.outputs) - len(p.updates)]
    for variable in stored:
        if returned.count(variable) != 1 or p.uses.get(variable) != 1:
            return None
    every = frozenset(range(loop.rank))
    moving = [
        (array, axes)
        for array, (_, axes) in zip(arrays, loop.operands, strict=True)
        if array.ndim and axes != every
    ]
    whole = [array for array, axes in moving if not axes]
    # In each call that is asked beside rows only if something is turned for certain.
    unlikely = len(whole) < len(moving) and all(isinstance(a.contiguous, str) for a in whole)
    if not whole or unlikely or any(a.contiguous is True for a in whole):
        return None
    order = next(filter(None, map(_order_of_turned, operands)), tuple(every)[::-1])
    condition: bool | str = True
    for array, axes in moving:
        condition = p.both(condition, _lies_in(p, order, array, axes))
    # What lies both ways is in the order of rows.
    for array in whole:
        if isinstance(array.contiguous, str):
            condition = p.both(condition, p.let("not", array.contiguous, type="bool"))
    return Order(condition, order) if isinstance(condition, str) else None


def _order_of_turned(variable: Variable) -> tuple[int, ...] | None:
    """Return the order of the axes of a transposed array, if what it is of lies by rows."""
    made = made_by(variable, DimShuffle)
    if made is None:
        return None
    source = made.op.new_order
    turns = "x" not in source and len(source) == made.inputs[0].type.ndim
    return tuple(sorted(range(len(source)), key=source.__getitem__)) if turns else None


def _lies_in(p: Core, order: tuple[int, ...], array: Array, fixed: frozenset[int]) -> bool | str:
    """Tell whether an array lies in an order over the axes that are not `fixed`."""
    condition: bool | str = True
    step: Any = itemsize(array.dtype)
    strides = p.strides(array)
    for axis in order[::-1]:
        if axis in fixed:
            continue
        length = array.shape[axis]
        if length == 1:
            # It has the stride that it would have in the order of rows.
            return False
        condition = p.both(condition, p.let("eq", strides[axis], step))
        step = p.multiply(step, length)
    return condition


def packed_axes(loop: Loop, order: tuple[int, ...]) -> list[list[int]]:
    """Return the axes of a loop over arrays that lie in an order, in as few groups as can be.

    If all move along all axes, that is the one loop which those have that lie row by row.
    """
    if any(0 < len(axes) < loop.rank for _, axes in loop.operands):
        return collapse(loop, frozenset(), order)
    return collapse(loop, frozenset())


def strides_in(p: Core, axes: Sequence[int], dtype: str, shape: Sequence[Size]) -> tuple[Size, ...]:
    """Return the strides of an array without gaps whose axes lie so, the outermost first."""
    strides: dict[int, Size] = {}
    step: Size = itemsize(dtype)
    for axis in axes[::-1]:
        strides[axis] = step
        step = p.multiply(step, shape[axis])
    return tuple(strides[axis] for axis in range(len(shape)))


def ordered(p: Core, out: Array, order: Order) -> Array:
    """Return a result whose items lie in an order if that holds."""
    pairs = zip(strides_in(p, order.axes, out.dtype, out.shape), p.strides(out), strict=True)
    strides = tuple(p.let("select", order.holds, other, row) for other, row in pairs)
    return out.replace(strides=strides, contiguous=False, whole=True)


def walked_as_one(
    p: Core, loop: Loop, apart: list[list[int]], shape: Sequence[Size], every: Sequence[Array]
) -> list[list[int]]:
    """Join neighbouring axes of a loop that each array is known to walk as one.

    Where (2, 3, 4, 5) becomes (3, 2, 4, 5), the last two axes are rows of 20 items.
    """
    if len(apart) < 2:
        return apart
    fixed = [s for _, s in loop.operands] + [frozenset()] * len(loop.stores)
    steps = [(unmoved, p.strides(array)) for unmoved, array in zip(fixed, every, strict=True)]

    def one(axis: int, inner: int) -> bool:
        return all(
            axis in unmoved and inner in unmoved
            if axis in unmoved or inner in unmoved
            else p.available("times", shape[inner], strides[inner]) == strides[axis]
            for unmoved, strides in steps
        )

    groups = [apart[0]]
    for (axis,) in apart[1:]:
        if one(groups[-1][-1], axis):
            groups[-1].append(axis)
        else:
            groups.append([axis])
    return groups


def reduces_by_columns(
    p: Core, call: Call, shape: Sequence[Size], arrays: Sequence[Array]
) -> list[Any]:
    """Return how a kernel reduces rows or columns of what lies column by column, if it may.

    Its loops are then the other way round. So they are for columns that fill no vector.
    """
    kernel, layout, loop = call.kernel, call.layout, call.kernel.loop
    if kernel.layout == "packed" or not loop.reductions or loop.stores or len(layout) < 2:
        return []
    if len(layout) > 2:
        return _reduces_along_another(p, call, shape, arrays) if kernel.layout == "strided" else []
    outer, inner = layout[0][-1], layout[1][-1]
    operands = zip(arrays, loop.operands, strict=True)
    whole = [array for array, (_, fixed) in operands if not {outer, inner} & fixed]
    if p.late is not None or p.region is not None or not whole:
        return []
    along = outer in loop.reduced
    turned = loop.replace(reduced=(loop.rank - 1,)) if along else loop
    lanes = choose_lanes(turned, p.vector_bits, along)
    condition: Size = kernel.layout == "strided"
    for array in whole:
        far, near = (p.strides(array)[axis] for axis in (inner, outer))
        lies = p.let("and", p.let("lt", near, far), p.let("gt", near, 0), type="bool")
        condition = p.let("and", condition, lies, type="bool")
    if along:
        if not call.everything:
            vector = choose_lanes(loop, p.vector_bits, False)
            few = vector - 1 if kernel.layout == "strided" else 5 * vector // 8
            condition = p.let("or", condition, p.let("le", call.extents[1], few), type="bool")
        # Not if that makes rows of them which are so short that vectors run over many, as now.
        condition = p.let("and", condition, p.let("gt", call.extents[0], SHORT), type="bool")
    if not condition:
        return []
    across = Kernel(loop, [layout[1], layout[0]], "strided", lanes, p.vector_bits)
    other = kernel_call.prepare_call(p, across, shape, call.total, call.sequential)
    kernel_call.ready_variant(p, condition, other)
    return [Variant(condition, other, list(arrays))]


def _reduces_along_another(
    p: Core, call: Call, shape: Sequence[Size], arrays: Sequence[Array]
) -> list[Any]:
    """Return how a strided kernel of many axes reduces what lies along another than the last one.

    The loop over that one, which is known of transposed results and arguments, is the innermost.
    """
    layout, loop = call.layout, call.kernel.loop
    axes = {group[-1] for group in layout}
    whole = {n for n, (_, fixed) in enumerate(loop.operands) if not fixed & axes}
    if p.late is not None or p.region is not None or not whole:
        return []
    inputs = [p.values[variable] for variable in p.inputs]
    lasts = {a.strides[-1] for a in inputs if isinstance(a, Array) and a.strides}
    steps = [p.strides(array) for array in arrays]
    sizes = [itemsize(array.dtype) for array in arrays]
    for group in layout[:-1]:
        axis = group[-1]
        beside = {
            n: steps[n][axis]
            for n, (_, fixed) in enumerate(loop.operands)
            if axis not in fixed and (steps[n][axis] == sizes[n] or steps[n][axis] in lasts)
        }
        if axis in loop.reduced or not whole <= set(beside):
            continue
        lanes = choose_lanes(loop, p.vector_bits, False)
        groups = [*(other for other in layout if other is not group), group]
        near = tuple(beside)
        across = Kernel(loop, groups, "strided", lanes, p.vector_bits, near=near)
        # What blocks of rows leave lies in the order of the kept axes, not of these loops.
        other = kernel_call.prepare_call(p, across, shape, call.total, call.sequential, False)
        condition = p.let("ge", other.extents[-1], LEAST_BESIDE // max(sizes))
        lengths = zip(groups, other.extents, strict=True)
        rows = next((n for own, n in lengths if own[0] in loop.reduced), 1)
        few = p.let("lt", rows, kernel_call.LEAST_ROWS)
        condition = p.let("and", condition, few, type="bool")
        for n, stride in beside.items():
            here = p.let("eq", stride, sizes[n])
            condition = p.let("and", condition, here, type="bool")
        kernel_call.ready_variant(p, condition, other)
        return [Variant(condition, other, list(arrays))]
    return []


def of_result(p: Core, out: Variable, value: Array) -> Array:
    """Return the value of a result; new values of variables have the order of rows."""
    updated = out in p.outputs[len(p.outputs) - len(p.updates) :]
    return value.replace(whole=False) if value.whole and updated else value
