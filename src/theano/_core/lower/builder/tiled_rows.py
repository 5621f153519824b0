"""Loops over many short rows of which some operands are one row: those are repeated.

A vector holds more items than a row of three colours. Where an operand is the same for all rows, as
the means of the colours are, it is written `COPIES` times side by side, and the loop runs over as
many rows at once as over one long one, with the kernel that it has.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy

from theano._core.base.dtypes import itemsize
from theano._core.base.records import Record
from theano._core.lower.arrays import Array, Size
from theano._core.lower.builder import kernel_call, views
from theano._core.lower.builder.core import Core
from theano._core.lower.kernel.expression import Writer
from theano._core.lower.kernel.loops import Loop
from theano._core.lower.llvm.kernels.lanes import choose_lanes
from theano._core.lower.llvm.kernels.light_loop import is_light
from theano._core.lower.llvm.print.calls import Call, Kernel

COPIES = 64
# The items of a row that is repeated: of longer ones vectors are full, but for the last.
LONGEST = 32
# Of a longer body, part of a vector takes as long as a whole one, also beside a few of these.
# INVARIANT: so many items of `LESS_WIDE` bytes take no more memory than the longest others.
LONGER = 64
# Rows that make it worth repeating others.
LEAST_ROWS = 8 * COPIES
# Bytes of the largest items, and of those of longer rows, whose copies are to stay in the cache.
WIDEST, LESS_WIDE = 16, 4
# More repeated rows would crowd the cache.
MOST_REPEATED = 4


class Tiling(Record):
    """When rows are repeated, and which operands are: with the kernels that repeat them."""

    condition: Size
    repeated: dict[int, Call]


def plan(p: Core, call: Call, flag: bool | str) -> Tiling | None:
    """Return how the rows of a packed loop, which `flag` asks for, may run together."""
    loop, layout = call.kernel.loop, call.layout
    if call.kernel.layout != "packed" or loop.reductions or len(layout) != 2:
        return None
    rows, length = call.extents
    if isinstance(length, int) and (length > LONGER or length == 1):
        return None
    if isinstance(rows, int) and rows < LEAST_ROWS:
        return None
    outer, inner = layout[0][0], layout[1][0]
    repeated = [
        i for i, (_, axes) in enumerate(loop.operands) if outer in axes and inner not in axes
    ]
    apart = any(inner in axes and outer not in axes for _, axes in loop.operands)
    if apart or len(repeated) > MOST_REPEATED:
        return None
    short = p.let("le", length, LONGEST)
    light = is_light(loop, call.kernel.lanes, p.vector_bits)
    if not light and all(itemsize(loop.operands[i][0]) <= LESS_WIDE for i in repeated):
        part = p.let("ne", p.let("and", length, call.kernel.lanes - 1), 0)
        longer = p.let("and", part, p.let("le", length, LONGER), type="bool")
        short = p.let("or", short, longer, type="bool")
    condition = p.let("and", short, p.let("ge", rows, LEAST_ROWS), type="bool")
    if isinstance(flag, str):
        condition = p.let("and", condition, flag, type="bool")
    types = {loop.operands[i][0] for i in repeated}
    kernels = {dtype: _repeating(p, dtype, length) for dtype in sorted(types)}
    for one in kernels.values():
        kernel_call.ready_variant(p, condition, one)
    return Tiling(condition, {i: kernels[loop.operands[i][0]] for i in repeated})


def _repeating(p: Core, dtype: str, length: Size) -> Call:
    w = Writer([dtype])
    loop = Loop(2, ((dtype, frozenset({0})),), (dtype,), (), (), w.body(w.operands))
    lanes = choose_lanes(loop, p.vector_bits)
    kernel = Kernel(loop, [[0], [1]], "packed", lanes, p.vector_bits)
    shape = (COPIES, length)
    return kernel_call.prepare_call(p, kernel, shape, p.product(shape), False)


def _tiles(p: Core, tiling: Tiling) -> list[str]:
    """Return memory for the repeated rows of a loop, the same for each: a stack is not large."""
    while len(p.tiles) < len(tiling.repeated):
        p.tiles.append(p.stack(COPIES * LONGEST * WIDEST))
    return p.tiles


def call_tiled(
    p: Core, tiling: Tiling, call: Call, arrays: Sequence[Array], outs: Sequence[Array]
) -> None:
    """Call a kernel for `COPIES` rows at a time, and for those that are left over."""
    rows, length = call.extents
    tiled = list(arrays)
    for (i, copies), place in zip(tiling.repeated.items(), _tiles(p, tiling), strict=False):
        tiled[i] = Array(arrays[i].dtype, (COPIES, length), place)
        kernel_call.call_kernel(p, copies, [arrays[i]], [tiled[i]], [], [])
    wide, many = p.multiply(length, COPIES), p.let("sdiv", rows, COPIES)
    _call(p, call, (many, wide), tiled, outs)
    done = p.multiply(many, COPIES)
    first = p.multiply(done, length)

    def left_over(array: Array) -> Array:
        at = p.offset(first, itemsize(array.dtype))
        return Array(array.dtype, array.shape, views.moved(p, array.data, at))

    outer, operands = call.layout[0][0], call.kernel.loop.operands
    moving = [
        array if outer in axes else left_over(array)
        for array, (_, axes) in zip(arrays, operands, strict=True)
    ]
    rest = p.let("sub", rows, done)
    _call(p, call, (rest, length), moving, [left_over(a) for a in outs])


def _call(
    p: Core, call: Call, extents: tuple[Size, Size], arrays: Sequence[Array], outs: Sequence[Array]
) -> None:
    part = copy(call)
    part.extents, part.count, part.total = list(extents), extents[0], p.product(extents)
    kernel_call.call_kernel(p, part, arrays, outs, [], [])
