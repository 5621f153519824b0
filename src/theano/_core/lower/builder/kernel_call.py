"""Calls of kernels: their arguments, the memory of partial results, and who runs them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from theano._core.base.dtypes import itemsize
from theano._core.base.records import Record
from theano._core.lower import program as ir
from theano._core.lower.arrays import Array, Size
from theano._core.lower.builder.core import Core
from theano._core.lower.kernel.loops import REDUCTION_BLOCK, Loop
from theano._core.lower.llvm.kernels.kernel import range_axis
from theano._core.lower.llvm.print.calls import Call, Combine, Kernel

if TYPE_CHECKING:
    from theano._core.lower.llvm.kernels.range_kernels import ListKernel

# Rough number of instructions that a point of a loop takes besides those of its body.
POINT = 7
# A reduction of fewer rows is certainly not cut into blocks (runtime/reduce.cpp).
LEAST_ROWS = 1024


class ReductionFacts(Record):
    """What the runtime is told of a loop that reduces in parts; `th_reduction` explains it."""

    weight: int
    unit: int
    ndim: int
    kept: int
    range: int
    rows: int
    block: int
    words: int
    first: int
    results: int
    has_partials: int
    carried: int
    settled: int


def prepare_call(
    p: Core,
    kernel: Kernel,
    shape: Sequence[Size],
    total: Size,
    sequential: bool,
    in_blocks: bool = True,
) -> Call:
    """Register a kernel; return how it is called: if many rows are reduced, `in_blocks`."""
    layout = kernel.groups
    extents = _extents(p, kernel.loop, layout, shape, total)
    axis, blocks, partial = range_axis(kernel.loop, layout, kernel.split)
    number = register_kernel(p, kernel)
    call = Call(kernel, number, layout, extents, extents[axis], total, sequential)
    if partial:
        call.everything = True
        few = isinstance(total, int) and 0 < total <= ir.FEW
        if blocks and few and kernel.layout == "packed" and _results_as_carried(kernel.loop):
            call.one_block, call.count = True, 1
        else:
            _register_combines(p, kernel.loop)
    elif kernel.loop.reductions and not sequential and in_blocks:
        call.rows = _register_blocks(p, kernel, extents)
    return call


def _register_blocks(p: Core, kernel: Kernel, extents: Sequence[Size]) -> int:
    """Register the kernels that reduce in blocks of rows; return which length counts the rows.

    That is -1 where there are none to be cut, or where nothing may fail any more.
    """
    loop, groups = kernel.loop, kernel.groups
    inner = [i for i, group in enumerate(groups) if group and group[0] in loop.reduced]
    if not inner or p.late is not None:
        return -1
    rows = extents[inner[0]]
    if isinstance(rows, int) and rows < LEAST_ROWS:
        return -1
    lanes, bits = kernel.lanes, kernel.bits
    own = kernel.near, kernel.flat
    split = Kernel(loop, groups, kernel.layout, lanes, bits, inner[0], *own)
    register_kernel(p, split)
    _register_combines(p, kernel.loop)
    return inner[0]


def _extents(
    p: Core, loop: Loop, layout: Sequence[Sequence[int]], shape: Sequence[Size], total: Size
) -> list[Size]:
    """Return how far the loops of a kernel go: nowhere if one of them does nothing.

    Else they might take ages over nothing.
    """
    extents = [p.product([shape[a] for a in axes]) for axes in layout] or [1]
    reduced = [bool(loop.reductions) and axes[0] in loop.reduced for axes in layout]
    kept = p.product([n for n, inside in zip(extents, reduced, strict=False) if not inside])
    for inside, every in ((True, total), (False, kept if loop.reductions else total)):
        places = [i for i, one in enumerate(reduced) if one is inside]
        if len(layout) < 2 or (len(places) == 1 and not inside):
            continue
        for i in places:
            extents[i] = p.unless_zero(every, extents[i])
    return extents


def call_list(
    p: Core, kernel: ListKernel, words: Sequence[Size], numbers: int, count: Size, total: Size
) -> None:
    """Call a kernel over `count` steps of `total` work; the first `numbers` words are int64."""
    call_function(p, register_kernel(p, kernel), words, numbers, count, total)


def call_function(
    p: Core, function: Size, words: Sequence[Size], numbers: int, count: Size, total: Size
) -> None:
    """Call a kernel, or one of the runtime's; see `call_list`."""
    block = arguments(p, words, types_of(numbers, len(words)))
    p.do(ir.Launch(function, block, count, total, POINT + 1, 1))


def types_of(numbers: int, count: int) -> list[str]:
    """Return the types of `count` words, of which the first are numbers, the rest addresses."""
    return ["int64"] * numbers + ["ptr"] * (count - numbers)


def register_kernel(p: Core, kernel: Combine | Kernel | ListKernel) -> int:
    """Return the number of a new kernel."""
    p.kernels.append(kernel)
    if kernel.eager:
        _offer(p, kernel)
    return len(p.kernels) - 1


def _register_combines(p: Core, loop: Loop) -> None:
    """Register the kernels that make partial results of a loop one: they follow its own."""
    for reduction in loop.reductions:
        register_kernel(p, Combine(reduction))


def _combines(call: Call) -> int:
    """Return how many kernels combine partial results of a reduction of everything."""
    blocks = call.everything and not call.one_block
    return len(call.kernel.loop.reductions) if blocks else 0


def _offer(p: Core, kernel: Combine | Kernel | ListKernel) -> None:
    # What is written straight with the builder has no key; it may not be all there yet.
    if p.offer is not None and kernel.key is not None:
        p.offer(kernel)


def compile_ahead(p: Core, call: Call) -> None:
    """Have the kernel of a call compiled with the program."""
    for kernel in p.kernels[call.index : call.index + 1 + _combines(call)]:
        kernel.eager = True
        _offer(p, kernel)


def is_compiled_by_need(p: Core, call: Call) -> bool:
    """Tell whether the runtime compiles a kernel: it is asked, and that may still fail."""
    return p.late is None and (call.by_runtime or not _launch(call, "").at_once)


def ready_variant(p: Core, flag: Size, call: Call, unless: bool = False) -> None:
    """Have a kernel compiled before its call where `flag` holds, or `unless` it does."""
    if is_compiled_by_need(p, call):
        return

    def make() -> None:
        # INVARIANT: where the kernel itself is there, so are those that combine its results.
        for number in range(call.index + _combines(call), call.index - 1, -1):
            p.call_or_fail("launch", number, "null", 0, 0, 0, 0)

    p.if_else(flag, None if unless else make, make if unless else None)


def ready_layouts(p: Core, flag: bool | str, calls: Sequence[Call], eager: bool) -> None:
    """Have the kernel of the layout that `flag` tells of there; `eager`: the first one is."""
    if not eager:
        ready_variant(p, flag is False or flag, calls[0])
    if isinstance(flag, str):
        ready_variant(p, flag, calls[1], unless=True)


def call_kernel(
    p: Core,
    call: Call,
    arrays: Sequence[Array],
    outs: Sequence[Array],
    reduction_outs: Sequence[Array],
    partials: Sequence[Array],
    launch: Callable[[Call, str], None] | None = None,
) -> None:
    """Call a kernel, or have `launch` do so.

    `partials` is memory for partial results, where it may not fail.
    """
    words: list[Size] = [*call.extents, *(a.data for a in (*arrays, *outs))]
    # The runtime's: what may fail is there already.
    if call.everything and not call.one_block:
        words += [a.data for a in partials] or [""] * len(reduction_outs)
    words += [a.data for a in reduction_outs]
    types = types_of(len(call.extents), len(words))
    if call.kernel.layout != "packed":
        strides = _stride_words(p, call, arrays, outs, reduction_outs)
        words += strides
        types += ["int64"] * len(strides)
    block = arguments(p, words, types, room=call.rows >= 0)
    if launch is not None:
        launch(call, block)
    elif call.by_runtime:
        _reduction(p, call, block, len(words), len(arrays) + len(outs), bool(partials))
    else:
        p.do(_launch(call, block))


def _launch(call: Call, arguments: str) -> ir.Launch:
    weight = POINT + call.kernel.weight
    return ir.Launch(call.index, arguments, call.count, call.total, weight, call.unit)


def _reduction(
    p: Core, call: Call, block: str, words: int, before: int, has_partials: bool
) -> None:
    """Have the runtime reduce in parts; see `th_reduction`."""
    loop, ndim = call.kernel.loop, len(call.extents)
    axis, blocks, _ = range_axis(loop, call.layout, call.kernel.split)
    kept = [i for i, g in enumerate(call.layout) if not (g and g[0] in loop.reduced)]
    before += ndim + (len(loop.reductions) if call.everything else 0)
    facts = ReductionFacts(
        weight=POINT + call.kernel.weight,
        unit=call.unit,
        ndim=ndim,
        kept=sum(1 << i for i in kept),
        range=axis,
        rows=call.rows,
        block=REDUCTION_BLOCK if blocks else 1,
        words=words,
        first=before,
        results=len(loop.reductions),
        has_partials=int(has_partials),
        carried=int(_results_as_carried(loop)),
        settled=_settled(loop) if call.everything else -1,
    )
    itemsizes = (itemsize(reduction.dtype) for reduction in loop.reductions)
    p.do(ir.Reduce(call.index, block, (*facts, *itemsizes)))


def arguments(p: Core, words: Sequence[Size], types: Sequence[str], room: bool = False) -> str:
    """Write the arguments of a kernel and return their address; `room`: for one word more.

    In a loop over steps they have a place of their own, so that those that stay the same need not
    be written again. Empty ones are only room.
    """
    if p.region is None:
        p.block_words = max(p.block_words, len(words) + room)
        place = "%block"
    else:
        place = p.stack(8 * (len(words) + room), ir.ARGUMENTS)
    p.words(place, words, types)
    return place


def partials_of(p: Core, calls: Sequence[Call]) -> list[Array]:
    """Allocate memory for the partial results of reductions of everything, one for each block.

    There is none where the runtime has its own, since that may still fail.
    """
    if p.late is None or not calls[0].everything:
        return []
    count: Size = 1
    for call in calls:
        blocks = _blocks(p, call)
        if isinstance(blocks, int) and isinstance(count, int):
            count = max(count, blocks)
        else:
            count = p.let("maximum", count, blocks)
    return [p.new_array(reduction.dtype, (count,)) for reduction in calls[0].kernel.loop.reductions]


def _blocks(p: Core, call: Call) -> Size:
    """Return how many blocks the range of a reduction of everything is cut into."""
    if not range_axis(call.kernel.loop, call.layout, call.kernel.split)[1]:
        return call.count
    return p.parts(call.count, REDUCTION_BLOCK)


def _stride_words(
    p: Core,
    call: Call,
    arrays: Sequence[Array],
    outs: Sequence[Array],
    reduction_outs: Sequence[Array],
) -> list[Size]:
    loop = call.kernel.loop
    words: list[Size] = []
    for (_, broadcast_axes), array in zip(loop.operands, arrays, strict=True):
        steps = p.strides(array)
        words += [steps[axes[-1]] for axes in call.layout if axes[0] not in broadcast_axes]
    for array in outs:
        steps = p.strides(array)
        words += [steps[axes[-1]] for axes in call.layout]
    if not call.everything:
        for array in reduction_outs:
            steps = p.strides(array)
            kept = [a for a in range(loop.rank) if a not in loop.reduced]
            words += [
                steps[kept.index(axes[-1])] for axes in call.layout if axes[0] not in loop.reduced
            ]
    return words


def _settled(loop: Loop) -> int:
    """Return the partial result that decides what a loop reduces everything to; -1: none does."""
    kinds = [f.combine for f in loop.reductions if f.dtype == "bool"]
    deciding = {"or_": 1, "and_": 0}
    alone = len(loop.reductions) == 1 and not loop.stores
    return deciding.get(kinds[0], -1) if alone and kinds else -1


def _results_as_carried(loop: Loop) -> bool:
    """Tell whether reductions give results of the dtype that they are carried in."""
    return all(f.dtype == f.out_dtype for f in loop.reductions)
