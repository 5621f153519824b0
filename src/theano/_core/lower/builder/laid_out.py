"""Operands that a loop reads again and again are laid out anew before, as the loop is best walked.

A short last axis fills no vector. Vectors then run over the rows before it, whose items lie apart;
or, where an operand is the same along one of the two, over both as one axis. What is read for every
index of the axes before, as positions are in all differences of positions, is copied first, so that
its items lie side by side along the vectors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from theano._core.base.dtypes import itemsize
from theano._core.base.records import Record
from theano._core.lower.arrays import Array, Size
from theano._core.lower.builder import kernel_call, strided_copies, views
from theano._core.lower.builder.core import Core
from theano._core.lower.kernel.loops import Loop, collapse
from theano._core.lower.llvm.kernels import rows_at_once as at_once
from theano._core.lower.llvm.kernels.flat_columns import (
    LEAST_TIMES,
    LONGEST_ROW,
    fewest_at_once,
    rows_at_once,
    whole_row,
)
from theano._core.lower.llvm.kernels.flat_rows import longest
from theano._core.lower.llvm.print.calls import Call, Kernel

# So many operands at most are copied row by row.
MOST_TURNED = 2
# The longest last axis of which an operand is repeated along the rows.
LONGEST = 32
# An operand is read so many times at least.
FEWEST = 8
# Of so many operands, each row apart takes longer to begin than what is the same for all to read;
# of fewer, rows of whole vectors are best as they are.
MANY = 12
# Vectors that are mostly full.
FULL = 4
# Items of a small matrix, and so many of them for which it is worth finding out how they lie.
SMALL_PLANE, MANY_PLANES = 64, 64


class Variant(Record):
    """Another way to run a loop: when, by which kernel, and with which operands."""

    condition: Size
    call: Call
    arrays: list[Array]


def across(
    p: Core, call: Call, short: Size, shape: Sequence[Size], arrays: Sequence[Array]
) -> Variant | None:
    """Return how a packed loop whose vectors run over rows, if they are `short`, reads neighbours.

    The last two groups of the call are the short axis and the rows.
    """
    loop, groups = call.kernel.loop, call.layout
    *outer, short_axis, rows = (group[0] for group in groups)
    near, turned = [], []
    for i, (_, fixed) in enumerate(loop.operands):
        if rows in fixed:
            continue
        if short_axis in fixed:
            near.append(i)
        elif fixed.issuperset(outer):
            turned.append(i)
    if not turned or not outer:
        return None
    kernel = call.kernel
    along = Kernel(loop, groups, "strided", kernel.lanes, kernel.bits, near=(*near, *turned))
    made = kernel_call.prepare_call(p, along, shape, call.total, False)
    condition = _often(p, short, call.extents[:-2])
    kernel_call.ready_variant(p, condition, made)
    length, count = call.extents[-2:]

    def copied(i: int) -> str:
        size = itemsize(arrays[i].dtype)
        return packed_copy(p, arrays[i], (length, count), (size, p.multiply(length, size)))

    operands = _if_often(p, condition, turned, arrays, copied)
    for i in turned:
        size = itemsize(arrays[i].dtype)
        strides: list[Size] = [0] * loop.rank
        strides[groups[-1][-1]] = size
        strides[groups[-2][-1]] = p.multiply(count, size)
        operands[i] = operands[i].replace(strides=tuple(strides), contiguous=False)
    return Variant(condition, made, operands)


def together(
    p: Core,
    call: Call,
    flag: bool | str,
    shape: Sequence[Size],
    arrays: Sequence[Array],
    outs: Sequence[Array],
) -> Variant | None:
    """Return how a loop, which `flag` asks for, runs over its last two axes as over one.

    Of one that is not packed, what is not copied must have its rows one after the other.
    """
    loop, groups = call.kernel.loop, call.layout
    packed = call.kernel.layout == "packed"
    *outer, rows, last = (group[0] for group in groups)
    count, length = call.extents[-2:]
    if rows in loop.reduced or last in loop.reduced or (loop.reductions and not packed):
        return None
    if isinstance(length, int) and not 1 < length <= LONGEST:
        return None
    partly = [i for i, (_, fixed) in enumerate(loop.operands) if (rows in fixed) != (last in fixed)]
    if not partly or not all(loop.operands[i][1].issuperset(outer) for i in partly):
        return None
    both = {*groups[-2], *groups[-1]}
    operands = [
        (dtype, fixed - both if i in partly else fixed)
        for i, (dtype, fixed) in enumerate(loop.operands)
    ]
    whole: Loop = loop.replace(operands=tuple(operands))
    single = frozenset(range(loop.rank)) - {axis for group in groups for axis in group}
    layout, own = collapse(whole, single) if packed else groups, call.kernel
    kernel = Kernel(whole, layout, own.layout, own.lanes, own.bits)
    made = kernel_call.prepare_call(p, kernel, shape, call.total, False)
    condition = _often(p, p.let("le", length, LONGEST), call.extents[:-2])
    if not packed:
        moving = [
            array
            for i, (array, (_, fixed)) in enumerate(zip(arrays, operands, strict=True))
            if i not in partly and not fixed.issuperset(both)
        ]
        one = views.follow_each_other(p, [*moving, *outs], rows, last, length)
        if len(arrays) < MANY:
            part = p.let("ne", p.let("and", length, own.lanes - 1), 0)
            one = p.let("and", one, part, type="bool")
        condition = p.let("and", condition, one, type="bool")
        made.extents[-2:] = 1, p.multiply(count, length)
    if isinstance(flag, str):
        condition = p.let("and", condition, flag, type="bool")
    kernel_call.ready_variant(p, condition, made)

    def copied(i: int) -> str:
        alike, step = rows in loop.operands[i][1], itemsize(arrays[i].dtype)
        if not packed:
            # A row, or a column, of any array: also one that lies backwards.
            step = p.strides(arrays[i])[groups[-1 if alike else -2][-1]]
        return packed_copy(p, arrays[i], (count, length), (0, step) if alike else (step, 0))

    copies = _if_often(p, condition, partly, arrays, copied)
    for i in partly if not packed else ():
        size = itemsize(arrays[i].dtype)
        strides: list[Size] = [0] * loop.rank
        strides[rows], strides[last] = p.multiply(length, size), size
        copies[i] = copies[i].replace(strides=tuple(strides), contiguous=False)
    return Variant(condition, made, copies)


def side_by_side(p: Core, loop: Loop, arrays: list[Array], outs: Sequence[Array]) -> list[Array]:
    """Return operands; those with an item for each row are copied if they alone have gaps."""
    fixed = [axes for _, axes in loop.operands]
    whole = [a for a, axes in zip(arrays, fixed, strict=False) if not axes]
    apart = [i for i, a in enumerate(arrays) if a.contiguous is False and fixed[i] == {1}]
    has_gaps = any(a.contiguous is False for a in (*whole, *outs))
    if loop.rank != 2 or has_gaps or not apart or not whole:
        return arrays
    copied = list(arrays)
    for i in apart:
        a, one = arrays[i], (arrays[i].shape[0], 1)  # its shape may be that of the whole loop
        data = packed_copy(p, a, one, p.strides(a))
        copied[i] = Array(a.dtype, one, data, broadcast_axes=a.broadcast_axes)
    return copied


def turned_planes(
    p: Core, loop: Loop, arrays: Sequence[Array], outs: Sequence[Array]
) -> list[Array]:
    """Return operands; small matrices that alone lie column by column are copied row by row.

    Vectors would run over part of a row, whose items lie apart.
    """
    whole = [i for i, (_, fixed) in enumerate(loop.operands[: len(arrays)]) if not fixed]
    turned = [i for i in whole if arrays[i].contiguous is False]
    others = [x for i, x in enumerate(arrays) if i not in turned]
    packed: bool | str = all(out.contiguous is True for out in outs)
    for x in others:
        packed = p.both(packed, x.contiguous)
    operands = list(arrays)
    # Where all lie so, results do as well.
    if loop.rank < 3 or loop.reductions or packed is False or len(turned) == len(whole):
        return operands
    if len(turned) > MOST_TURNED:
        return operands
    for i in turned:
        x = operands[i]
        small = p.both(packed, _are_small_planes(p, x))
        if small is False:
            continue
        p.pointer(x)

        def copied(x: Array = x) -> tuple[str]:
            out = p.new_array(x.dtype, x.shape)
            strided_copies.copy(p, x, out)
            return (out.data,)

        (data,) = p.if_else(small, copied, lambda x=x: (x.data,), ("ptr",))
        steps = zip(p.strides(Array(x.dtype, x.shape)), p.strides(x), strict=True)
        chosen = tuple(p.let("select", small, new, old) for new, old in steps)
        operands[i] = Array(x.dtype, x.shape, data, chosen, small)
    return operands


def _are_small_planes(p: Core, x: Array) -> Size:
    """Tell whether an array is many small matrices, each of which lies column by column."""
    if x.ndim < 3 or x.contiguous is not False:
        return 0
    size = itemsize(x.dtype)
    (*_, pitch, step), (*fronts, rows, columns) = p.strides(x), x.shape
    few = p.let("le", p.multiply(rows, columns), SMALL_PLANE)
    turned = p.both(p.let("eq", pitch, size), p.let("gt", step, size))
    most = p.both(p.let("gt", rows, 1), p.let("gt", columns, 1))
    return p.both(p.both(few, most), p.both(turned, p.let("ge", p.product(fronts), MANY_PLANES)))


def flat(
    p: Core, call: Call, flag: bool | str, shape: Sequence[Size], arrays: Sequence[Array]
) -> Variant | None:
    """Return how a packed loop, which `flag` asks for, walks its last two axes, short rows, as one.

    Inside others, these must have enough items for vectors to be full.
    """
    kernel, (rows, length) = call.kernel, call.extents[-2:]
    axes = [group[0] for group in call.layout[-2:]]
    operands = tuple(
        (dtype, frozenset(n for n, axis in enumerate(axes) if axis in fixed))
        for dtype, fixed in kernel.loop.operands
    )
    most = longest(kernel.loop.replace(operands=operands), kernel.lanes, kernel.bits)
    if (isinstance(length, int) and length > most) or not most:
        return None
    one = Kernel(kernel.loop, call.layout, "packed", kernel.lanes, kernel.bits, flat=True)
    made = kernel_call.prepare_call(p, one, shape, call.total, False)
    condition = p.let("le", length, most)
    if len(call.layout) > 2:
        full = p.let("ge", p.multiply(rows, length), FULL * kernel.lanes)
        condition = p.let("and", condition, full, type="bool")
    return _ready(p, condition, flag, made, arrays)


def flat_columns(
    p: Core, call: Call, flag: bool | str, shape: Sequence[Size], arrays: Sequence[Array]
) -> Variant | None:
    """Return how a packed kernel reduces many short rows, as `flag` asks for, some at once."""
    kernel = call.kernel
    rows, length = call.extents[-2:]
    most, whole = rows_at_once(kernel.loop), whole_row(kernel.loop)
    # Rows of whole vectors are best as they are. Longer ones have more to reduce in the end. What
    # is chosen may not depend on the width of vectors, since bits do on it.
    conditions = (
        p.let("le", length, LONGEST_ROW),
        p.let("ne", p.let("and", length, whole - 1), 0),
        p.let("ge", rows, LEAST_TIMES * fewest_at_once(kernel.loop)),
        p.let("ge", rows, p.multiply(length, LEAST_TIMES * most // whole)),
    )
    condition = _all_of(p, conditions)
    if not condition:
        return None
    columns = Kernel(kernel.loop, call.layout, "packed", kernel.lanes, kernel.bits, flat=True)
    made = kernel_call.prepare_call(p, columns, shape, call.total, False)
    return _ready(p, condition, flag, made, arrays)


def several_rows(
    p: Core, call: Call, flag: bool | str, shape: Sequence[Size], arrays: Sequence[Array]
) -> Variant | None:
    """Return how a kernel reduces along rows of items side by side, several of them at once."""
    kernel, (rows, length) = call.kernel, call.extents[-2:]
    lanes = at_once.lanes_at_once(kernel.loop, p.vector_bits)
    axes = call.layout[-2][0], call.layout[-1][0]
    limits = (
        p.let("ge", length, at_once.LEAST),
        p.let("le", length, at_once.longest(kernel.loop, p.vector_bits, axes)),
        p.let("gt", rows, 1),
    )
    condition = _all_of(p, limits)
    if not condition:
        return None
    made = Kernel(kernel.loop, call.layout, kernel.layout, lanes, p.vector_bits, flat=True)
    variant = kernel_call.prepare_call(p, made, shape, call.total, False, in_blocks=False)
    return _ready(p, condition, flag, variant, arrays)


def _all_of(p: Core, conditions: Sequence[Size]) -> Size:
    condition: Size = True
    for one in conditions:
        condition = p.let("and", condition, one, type="bool")
    return condition


def _ready(
    p: Core, condition: Size, flag: bool | str, call: Call, arrays: Sequence[Array]
) -> Variant:
    """Have a call that is made where a condition and `flag` hold compiled; return it."""
    if isinstance(flag, str):
        condition = p.let("and", condition, flag, type="bool")
    kernel_call.ready_variant(p, condition, call)
    return Variant(condition, call, list(arrays))


def _often(p: Core, condition: Size, outer: Sequence[Size]) -> Size:
    """Return whether a condition holds and what is the same for all `outer` is read often."""
    return p.let("and", condition, p.let("ge", p.product(outer), FEWEST), type="bool")


def _if_often(
    p: Core,
    condition: Size,
    which: Sequence[int],
    arrays: Sequence[Array],
    copied: Callable[[int], str],
) -> list[Array]:
    """Return operands of which some are copied if `condition` holds."""
    chosen = p.if_else(
        condition,
        lambda: tuple(copied(i) for i in which),
        lambda: tuple(p.pointer(arrays[i]) for i in which),
        ("ptr",) * len(which),
    )
    operands = list(arrays)
    for i, data in zip(which, chosen, strict=True):
        operands[i] = Array(arrays[i].dtype, arrays[i].shape, data)
    return operands


def packed_copy(p: Core, array: Array, shape: Sequence[Size], strides: Sequence[Size]) -> str:
    """Return the address of a C-contiguous copy of an array that is seen with other strides."""
    view = Array(
        array.dtype, tuple(shape), p.pointer(array), strides=tuple(strides), contiguous=False
    )
    data = p.allocated(array.dtype, shape, p.new_slot())
    strided_copies.copy(p, view, Array(array.dtype, tuple(shape), data))
    return data
