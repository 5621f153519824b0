"""Steps that run for a block of rows at a time; which these are, `lower/row_blocks.py` says.

A block is a range along one axis of the space of scores, all of the axes behind it, and one item
of each axis before it: part of the rows of a pair of matrices, or several pairs. So a part of what
is contiguous is contiguous, too. Where blocks begin follows from the lengths alone. What depends on
no block is written before the loops: checks, the memory of results, addresses and lengths.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from theano._core.base.dtypes import itemsize
from theano._core.base.records import Record
from theano._core.ir.variable import Apply
from theano._core.lower.arrays import Array, Size
from theano._core.lower.builder import kernel_choice, libraries, lowering, views
from theano._core.lower.builder.core import Core
from theano._core.lower.builder.kernel_choice import is_number
from theano._core.lower.builder.region import Place
from theano._core.lower.computed_again import computed, inputs_read
from theano._core.lower.row_blocks import (
    RESULT,
    ROWS,
    SCORES,
    TURNED,
    RowBlocks,
    factors,
    is_product,
)
from theano._core.lower.schedule import Step
from theano._core.ops.array.broadcasting import Alloc
from theano._core.ops.array.products import Gemm

# The scores of a block take about so many bytes, but are of so many rows if there are: for fewer,
# packing the matrices that they are multiplied by would take too long.
BLOCK, LEAST_ROWS = 1 << 21, 256


class Range(Record):
    """A part of an axis."""

    start: Size
    length: Size


def write(p: Core, step: RowBlocks) -> None:
    """Write steps that run for a block of rows at a time."""
    shape = kernel_choice.loop_shape(p, step.scores)
    operands = {part: _prepared(p, step, part) for part in step.parts}
    results = {}
    for value in step.results:
        p.node = value.owner
        results[value] = p.memory_for(value, kernel_choice.loop_shape(p, value))
        p.strides(results[value])
    # What a product is added with to those of the blocks before.
    dtypes = dict.fromkeys(value.type.dtype for value in results)
    ones = {d: p.pointer(p.pooled(d, np.asarray(1).astype(d).tobytes())) for d in dtypes}
    libraries.release_if_long(p, p.product(shape))

    def write_block(ranges: list[Range], first: Size) -> None:
        writer = _Block(p, step, [*ranges, Range(0, shape[-1])])
        for dtype, one in ones.items() if first else ():
            writer.keep[dtype] = p.let("select", first, "null", one, type="ptr")
        writer.write(operands, results)

    _loops(p, _sizes(p, shape, itemsize(step.scores.type.dtype)), shape, write_block)
    for values in operands.values():
        p.values.update(values)
    for value in step.made:
        p.values.pop(value, None)
    for value, array in results.items():
        p.define(value, array)
    for node in step.views:
        lowering.emit_node(p, node)


def _prepared(p: Core, step: RowBlocks, part: Step) -> dict[Any, Array]:
    """Check what a part reads; return what of it is the same for all blocks."""
    values: dict[Any, Array] = {}
    made = step.made.union(*(node.outputs for node in part.again))
    for node in computed(part):
        for variable in inputs_read(node):
            if variable in made or (part.is_loop and variable.type.ndim and is_number(variable)):
                continue
            array = p.value(variable)
            p.pointer(array)
            if variable.type.ndim:
                values[variable] = array
                p.strides(array)
        for out in node.outputs:
            kernel_choice.loop_shape(p, out)
    node = part.nodes[0]
    if part.is_loop:
        kernel_choice.check_loop(p, part)
    elif is_product(part):
        one, two = (
            values[v].shape if v in values else [p.size(n) for n in p.rewriter.shape(v)]
            for v in factors(node)
        )
        libraries.check_product(p, node, one, two)
        if isinstance(node.op, Gemm):
            libraries.check_added(p, node, values[node.inputs[0]].shape, [one[0], two[1]])
    elif isinstance(node.op, Alloc):
        views.check_shape(p, node, kernel_choice.loop_shape(p, node.outputs[0]))
    return values


def _sizes(p: Core, shape: Sequence[Size], item: int) -> list[tuple[Size, Size]]:
    """Return, for each axis but the last, how many parts it has in blocks, and how long they are.

    INVARIANT: only one item of each axis is in a block that has not all of an axis behind it.
    """

    def let(function: str, one: Size, two: Size) -> Size:
        if isinstance(one, int) and isinstance(two, int):
            return {"maximum": max, "minimum": min, "sdiv": int.__floordiv__}[function](one, two)
        return p.let(function, one, two)

    def parts(length: Size, size: Size) -> Size:
        return let("sdiv", p.position(length, p.position(size, -1)), size)

    room = let("sdiv", BLOCK // item, let("maximum", shape[-1], 1))
    sizes: list[tuple[Size, Size]] = []
    for length in reversed(shape[:-1]):
        size = let("maximum", room, 1 if sizes else LEAST_ROWS)
        count = parts(length, size)
        if not sizes:
            # Parts are about equal; there is one of no rows, since sums over these are 0.
            even = parts(length, let("maximum", count, 1))
            size = let("minimum", size, let("maximum", p.offset(parts(even, 16), 16), 16))
            count = let("maximum", parts(length, size), 1)
        sizes.insert(0, (count, size))
        room = let("sdiv", room, let("maximum", length, 1))
    return sizes


def _loops(
    p: Core,
    sizes: Sequence[tuple[Size, Size]],
    shape: Sequence[Size],
    write_block: Callable[[list[Range], Size], None],
) -> None:
    """Write the loops over blocks, the rows innermost, and in them a block.

    `write_block` is given its part of each axis, and the register of whether its rows are the first
    ones; '' if there are no others.
    """

    def write_axis(ranges: list[Range], first: Size) -> None:
        axis = len(ranges)
        if axis == len(sizes):
            write_block(ranges, first)
            return
        (count, size), length = sizes[axis], shape[axis]
        if isinstance(length, int) and length == 1:
            write_axis([*ranges, Range(0, 1)], "")
            return
        with p.counted(count) as number:
            start = p.let("mul", number, size)
            left = p.let("sub", length, start)
            here = Range(start, p.let("minimum", size, left))
            write_axis([*ranges, here], p.let("eq", number, 0) if axis == len(sizes) - 1 else "")

    write_axis([], "")


class _Block:
    """One block while it is written: its part of each axis of the space."""

    def __init__(self, p: Core, step: RowBlocks, ranges: list[Range]) -> None:
        self.p, self.step, self.ranges = p, step, ranges
        # By dtype, where the number is by which what was written by blocks before is kept.
        self.keep: dict[str, str] = {}
        self.rank = len(ranges)

    def write(self, operands: dict[Step, dict[Any, Array]], results: dict[Any, Array]) -> None:
        """Write the block, given what each part reads of elsewhere, and the memory of results."""
        p = self.p
        for value, array in results.items():
            part = self._part(array, self._axes_of_result(value))
            p.places[value] = Place(part.replace(buffer=None))
        for part in self.step.parts:
            outer, p.step = p.step, part
            p.node = part.nodes[0]
            self._write_part(part, operands[part])
            p.step = outer
            lowering.count_down(p, part)
        for value in results:
            del p.places[value]

    def _write_part(self, part: Step, operands: dict[Any, Array]) -> None:
        p, node, roles = self.p, part.nodes[0], self.step.roles
        if is_product(part):
            self._multiply(node, operands)
            return
        for variable, array in operands.items():
            p.values[variable] = self._part(array, range(self.rank - 1))
        shape = [r.length for r in self.ranges]
        if part.is_loop:
            if not part.reductions and roles[node.outputs[0]] is ROWS:
                shape[-1:] = [1] if node.outputs[0].type.ndim == self.rank else []
            kernel_choice.fill_loop(p, part, shape, in_part=True)
        elif isinstance(node.op, Alloc):
            x, ones = p.value(node.inputs[0]), node.inputs[0].type.broadcastable
            p.define(node.outputs[0], views.broadcast_to(p, node, x, shape, ones, "broadcast"))
        else:
            lowering.emit_node(p, node)

    def _multiply(self, node: Apply, operands: dict[Any, Array]) -> None:
        """Write a product; one that is summed over rows is added up from block to block."""
        p, out = self.p, node.outputs[0]
        x, y = (
            self._part(operands[v], axes) if v in operands else p.values[v]
            for v, axes in zip(factors(node), self._axes(node), strict=True)
        )
        if isinstance(node.op, Gemm):
            added, alpha, _, _, beta = node.inputs
            z = self._part(operands[added], range(1))
            p.define(out, libraries.matmul(p, node, x, y, z, p.value(alpha), p.value(beta)))
            return
        shape = [*(r.length for r in self.ranges[:-2]), x.shape[-2], y.shape[-1]]
        result = p.memory_for(out, shape)
        keep = self.keep.get(x.dtype, "null") if self._is_sum(node) else "null"
        libraries.multiply_pairs(p, node, x, y, result, keep)
        p.define(out, result)

    def _is_sum(self, node: Apply) -> bool:
        """Tell whether a product is summed over rows of scores."""
        roles = [self.step.roles.get(v) for v in factors(node)]
        return roles[0] is TURNED or roles[1] is SCORES

    def _axes(self, node: Apply) -> list[list[int | None]]:
        """Return which axes of the space the operands of a product have in common with it."""
        pairs, rows, roles = range(self.rank - 2), self.rank - 2, self.step.roles
        by_rows: list[int | None] = [*pairs, rows, None]
        in_columns: list[int | None] = [*pairs, None, rows]
        whole: list[int | None] = [*pairs, None, None]
        if not self._is_sum(node):
            return [by_rows, whole]
        return [in_columns if roles.get(factors(node)[1]) is SCORES else whole, by_rows]

    def _axes_of_result(self, value: Any) -> Sequence[int]:
        summed = self.step.roles[value] is RESULT and self._is_sum(value.owner)
        return range(self.rank - 2 if summed else self.rank - 1)

    def _part(self, array: Array, axes: Sequence[int | None]) -> Array:
        """Return the part of an array for this block; `axes` are those of the space it has."""
        p = self.p
        data, shape = p.pointer(array), list(array.shape)
        steps = p.strides(array)
        for axis, of_space in enumerate(axes):
            if of_space is None or shape[axis] == 1:
                continue
            here = self.ranges[of_space]
            shape[axis] = here.length
            if axis not in array.broadcast_axes:
                data = views.moved(p, data, p.offset(here.start, steps[axis]))
        in_order = all(of_space in (None, axis) for axis, of_space in enumerate(axes))
        return Array(
            array.dtype,
            tuple(shape),
            data,
            steps,
            array.contiguous if in_order else False,
            array.broadcast_axes,
            buffer=array.buffer,
        )
