"""Loops over many short rows: vectors run across the rows, since a row fills none.

Up to which lengths they do is decided here, and by the program when it runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from theano._core.lower.arrays import Array, Size
from theano._core.lower.builder import kernel_call
from theano._core.lower.builder.core import Core
from theano._core.lower.builder.laid_out import Variant
from theano._core.lower.llvm.kernels.lanes import LIGHT, SHORT, choose_lanes, registers_of
from theano._core.lower.llvm.kernels.light_loop import is_light
from theano._core.lower.llvm.print.calls import Call, Kernel
from theano._core.lower.llvm.target.codegen import smallest_masked_item

# Rows of floats are reduced several at a time up to so many items, if these do not fill two or
# three vectors, of so many rows.
LONGER, MANY_ROWS = 31, 128
# So many of several operands.
FEW_OF_SEVERAL = 11
# So many at most if items side by side are stored, too: what is stored is then scattered.
FEW = 3
# So many of rows apart, whose items are side by side, and are then read one by one.
FEWER = 2
# So many of small matrices that are written, if part of a row may be written at once; and of rows
# apart, if vectors are so long that a part of one is next to nothing.
SOME, LONG = 4, 32


def many_short_rows(
    p: Core,
    call: Call,
    shape: Sequence[Size],
    flag: bool | str,
    freely: bool,
    row: Size,
    arrays: Sequence[Array],
    outs: Sequence[Array],
) -> tuple[Size, Call] | None:
    """Return (whether rows are short and many, the call for such) of a kernel, if they may be.

    Vectors then run over the rows. That is for reductions of packed rows, whose items are added one
    after the other, for stores of what lies apart, and for rows so short that hardly a vector fits.
    """
    loop, layout, packed = call.kernel.loop, call.layout, call.kernel.layout == "packed"
    apart = call.kernel.layout == "strided"
    if not freely or len(layout) < 2:
        return None
    inside = [axes[0] in loop.reduced for axes in layout[-2:]] if loop.reductions else [False]
    if (inside[0] and not call.everything) or inside[-1] is not bool(loop.reductions):
        return None
    rows, length = call.extents[-2:]
    lanes = choose_lanes(loop, p.vector_bits, False)
    # Part of a vector along a row does little in as much time as a part of one across rows.
    light = packed and is_light(loop, call.kernel.lanes, p.vector_bits)
    overwrites = any(a.data == out.data for a in arrays for out in outs)
    least: Size = lanes if light or (overwrites and not packed) else lanes // 2
    limit = _longest_across(call.kernel, lanes, light, overwrites)
    if isinstance(length, int) and length > limit:
        return None
    if len(layout) > 2:
        # Parts of vectors, one for each index of the axes outside, take as long as two rows do.
        least = p.let("minimum", lanes, p.let("maximum", least, p.multiply(length, 2)))
    if isinstance(rows, int) and isinstance(least, int) and rows < least:
        return None
    groups = [*layout[:-2], layout[-1], layout[-2]]
    spaced = tuple(range(len(loop.operands))) if packed else ()
    split = 1 if call.everything and len(layout) == 2 else -1
    kernel = Kernel(loop, groups, "strided", lanes, p.vector_bits, split, spaced=spaced)
    across = kernel_call.prepare_call(p, kernel, shape, call.total, call.sequential)
    short = p.let("le", length, limit)
    if limit > SHORT:
        least = p.let("select", p.let("le", length, SHORT), least, MANY_ROWS)
    short = p.let("and", short, p.let("ge", rows, least), type="bool")
    if not apart and row != 0:
        # A short piece of each of long rows takes little of the time, and a kernel milliseconds.
        short = p.let("and", short, p.let("le", row, SHORT), type="bool")
    if isinstance(flag, str):
        held = p.let("not", flag, type="bool") if apart else flag
        short = p.let("and", short, held, type="bool")
    kernel_call.ready_variant(p, short, across)
    return short, across


def _longest_across(kernel: Kernel, lanes: int, light: bool, overwrites: bool) -> int:
    """Return how many items the longest rows have across which vectors run."""
    loop, packed = kernel.loop, kernel.layout == "packed"
    if kernel.layout == "strided" or not loop.stores:
        if not loop.reductions:
            return lanes - 1
        axes = {group[0] for group in kernel.groups[-2:]}
        floats = all(each.dtype.startswith("float") for each in loop.reductions)
        if packed and loop.weight <= LIGHT:
            # What is left behind full vectors takes little time along rows, and items that lie
            # apart are read one by one.
            if sum(not fixed & axes for _, fixed in loop.operands) > 1:
                return FEW_OF_SEVERAL
            return SHORT + lanes // 4 if floats else SHORT
        return max(SHORT, min(3 * lanes - 1, LONGER)) if floats else SHORT
    limit = FEW if packed and not light else FEWER
    if not packed and lanes >= LONG:
        limit = SOME
    if overwrites or (packed and loop.reductions):
        # Each row would reduce a vector, or wait for the row before: of what is written under a
        # mask, processors read nothing before it is in the cache. Items of rows apart are gathered.
        limit = max(limit, 3 * lanes // 4 if packed else lanes // 2)
    return limit


def many_small_matrices(
    p: Core, call: Call, shape: Sequence[Size], flag: bool | str, arrays: Sequence[Array]
) -> list[Any]:
    """Return how a packed kernel runs over the last two axes if they are short, the one before not.

    Vectors then run over that one, as over the points of (points, 3, 3).
    """
    loop, layout = call.kernel.loop, call.layout
    if call.kernel.layout != "packed" or len(layout) < 3 or layout[-3][0] in loop.reduced:
        return []
    # Across rows, what is stored is scattered: that takes longer than part of a vector does.
    if is_light(loop, call.kernel.lanes, p.vector_bits):
        return []
    count, rows, length = call.extents[-3:]
    lanes = choose_lanes(loop, p.vector_bits, False)
    masks = loop.stores and smallest_masked_item(p.vector_bits)
    most = SOME if masks else SHORT
    if loop.reductions and not loop.stores and loop.weight <= LIGHT:
        # A few rows are reduced in registers as they lie, but for columns that hardly fill any.
        registers = registers_of(loop, call.kernel.lanes, p.vector_bits)
        most = min(SHORT, SOME * max(1, registers // SOME))
    limits = (("ge", count, lanes), ("lt", rows, 7 * lanes // 8), ("le", length, most))
    compare = {"ge": int.__ge__, "lt": int.__lt__, "le": int.__le__}
    if any(isinstance(n, int) and not compare[name](n, limit) for name, n, limit in limits):
        return []
    groups = [*layout[:-3], *layout[-2:], layout[-3]]
    spaced = tuple(range(len(loop.operands)))
    kernel = Kernel(loop, groups, "strided", lanes, p.vector_bits, spaced=spaced)
    across = kernel_call.prepare_call(p, kernel, shape, call.total, call.sequential)
    condition = p.let("and", *(p.let(*limit) for limit in limits[:2]), type="bool")
    condition = p.let("and", condition, p.let(*limits[2]), type="bool")
    if isinstance(flag, str):
        condition = p.let("and", condition, flag, type="bool")
    kernel_call.ready_variant(p, condition, across)
    return [Variant(condition, across, list(arrays))]
