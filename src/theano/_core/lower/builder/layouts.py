"""In which layouts the kernel of a loop may run: packed, of rows side by side, or strided."""

from __future__ import annotations

from collections.abc import Sequence

from theano._core.base.dtypes import itemsize
from theano._core.lower.arrays import Array, Size
from theano._core.lower.builder import orders, views
from theano._core.lower.builder.core import Core
from theano._core.lower.kernel.loops import Loop, collapse
from theano._core.lower.llvm.print.calls import Call, Kernel


def kernels_of(
    p: Core,
    loop: Loop,
    shape: Sequence[Size],
    flag: bool | str,
    name: str,
    lanes: int,
    indexed: bool,
    every: Sequence[Array],
) -> list[Kernel]:
    """Return the kernels of two layouts of a loop, as far as `flag` leaves them open."""
    single = frozenset(i for i, n in enumerate(shape) if isinstance(n, int) and n == 1)
    apart = [[axis] for axis in range(loop.rank) if axis not in single]
    if not (indexed or loop.reductions or (flag is True and name == "packed")):
        apart = orders.walked_as_one(p, loop, apart, shape, every)
    together = apart if indexed or name == "rows" else collapse(loop, single)
    kernels = []
    if flag is not False:
        kernels.append(Kernel(loop, together, name, lanes, p.vector_bits))
    if flag is not True:
        near = _near(loop, apart[-1][-1], every) if apart else ()
        spaced = tuple(n for n, array in enumerate(every) if array.spaced)
        more = p.vector_bits, -1, near, False, spaced
        kernels.append(Kernel(loop, apart, "strided", lanes, *more))
    return kernels


def join_last_axes(p: Core, call: Call, every: Sequence[Array]) -> None:
    """Have a call walk its last two axes as one where, in a call, all arrays turn out to allow it.

    The rows of a part of an image are long if its pixels follow each other, however it was cut out.
    The kernel is the same: one of its loops goes once.
    """
    loop, layout = call.kernel.loop, call.layout
    if call.kernel.layout == "packed" or loop.reductions or len(layout) < 3:
        return
    outer, inner = layout[-2][-1], layout[-1][-1]
    moving = []
    for n, array in enumerate(every):
        fixed = loop.operands[n][1] if n < len(loop.operands) else frozenset[int]()
        if (outer in fixed) != (inner in fixed):
            return
        if outer not in fixed:
            moving.append(array)
    count, length = call.extents[-2:]
    one = views.follow_each_other(p, moving, outer, inner, length)
    if one:
        whole = p.multiply(count, length)
        call.extents[-2:] = p.let("select", one, 1, count), p.let("select", one, whole, length)


def _near(loop: Loop, last: int, every: Sequence[Array]) -> tuple[int, ...]:
    """Return which arrays are known to have their items side by side along the last axis."""
    kept = [axis for axis in range(loop.rank) if axis not in loop.reduced]
    stores = len(loop.operands) + len(loop.stores)
    near = []
    for n, array in enumerate(every):
        fixed = loop.operands[n][1] if n < len(loop.operands) else ()
        if array.contiguous is not True or last in fixed or (n >= stores and last not in kept):
            continue
        if (last if n < stores else kept.index(last)) not in array.broadcast_axes:
            near.append(n)
    return tuple(near)


def all_contiguous(p: Core, arrays: Sequence[Array]) -> bool | str:
    """Tell whether each array is packed: known, or a register."""
    flags = {a.contiguous for a in arrays}
    if False in flags:
        return False
    result: bool | str = True
    for name in sorted(flag for flag in flags if isinstance(flag, str)):
        result = p.both(result, name)
    return result


def all_side_by_side(
    p: Core,
    rank: int,
    shape: Sequence[Size],
    arrays: Sequence[Array],
    broadcast_axes: Sequence[frozenset[int]],
) -> bool | str:
    """Tell whether the items of each array lie side by side along the last axis of a loop."""
    # Axes of length 1 are not walked.
    last = max((i for i, n in enumerate(shape) if n != 1), default=-1)
    result: bool | str = True
    if last < 0:
        return False
    for array, unmoved in zip(arrays, broadcast_axes, strict=True):
        # Reductions have an axis less; what does not move along the last axis has no say.
        if array.contiguous is True or array.ndim != rank or last in unmoved:
            continue
        step, wanted = p.strides(array)[last], itemsize(array.dtype)
        if isinstance(step, int):
            if step != wanted:
                return False
            continue
        if array.spaced:
            return False
        result = p.both(result, p.let("eq", step, wanted))
    return result
