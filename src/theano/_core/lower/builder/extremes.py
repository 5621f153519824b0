"""Where the extreme items of an array are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from theano._core.base import dtypes
from theano._core.base.dtypes import itemsize, typenum
from theano._core.base.records import Record
from theano._core.ir.variable import Apply
from theano._core.lower.arrays import Array, Size
from theano._core.lower.builder import copies, kernel_call, kernel_choice, libraries, views
from theano._core.lower.builder.core import Core
from theano._core.lower.kernel.expression import Emitted, Writer
from theano._core.lower.kernel.loops import KernelReduction, Loop
from theano._core.lower.llvm.builder import Builder
from theano._core.lower.llvm.kernels import row_extremes
from theano._core.lower.llvm.print.calls import Call, Kernel
from theano._core.lower.llvm.text.emitter import Value
from theano._core.ops.array.reductions import STARTS

# Rough number of instructions for a row that fits a vector.
COST = 24


class ExtremesWork(Record):
    """The numbers of `extremes::Work` in `extremes.h`, in its order; addresses follow."""

    largest: int
    typenum: int
    has_places: int
    outer: Size
    n: Size
    inner: Size


def arg_extreme(p: Core, node: Apply, x: Array, kind: str, axes: Sequence[int]) -> list[Array]:
    """Return where the extreme over `axes` first is, and that item if the node has it."""
    kept = [n for i, n in enumerate(x.shape) if i not in axes]
    kernel_choice.check_not_empty(p, node, x.shape, axes)
    outs = [p.memory_for(variable, kept) for variable in node.outputs]
    loops = partial(_extreme_by_reductions, p, node, x, kind, axes, outs)
    first = min(axes, default=x.ndim)
    behind = first + len(axes)
    if x.dtype.startswith("complex") or list(axes) != list(range(first, behind)):
        loops()
    elif behind == x.ndim:
        _search_rows(p, copies.contiguous(p, x), kind == "argmax", first, outs)
    else:
        # What turns out to lie otherwise is read as it lies.
        list(map(p.pointer, (x, *outs)))
        packed = not x.broadcast_axes and x.contiguous
        search = partial(_search, p, x, kind == "argmax", first, behind, outs)
        p.if_else(packed, search, partial(loops, eager=packed is False))
    return outs


def _search(
    p: Core,
    x: Array,
    largest: bool,
    first: int,
    behind: int,
    outs: Sequence[Array],
    has_places: bool = False,
) -> None:
    """Have the runtime search a C-contiguous array over the axes from `first` to one `behind`.

    Where it `has_places`, it only reads the items there.
    """
    libraries.release_if_long(p, p.product([*x.shape, 4]))
    sizes = (x.shape[:first], x.shape[first:behind], x.shape[behind:])
    numbers = ExtremesWork(int(largest), typenum(x.dtype), int(has_places), *map(p.product, sizes))
    items = p.pointer(outs[1]) if len(outs) > 1 else "null"
    words = [*numbers, p.pointer(x), p.pointer(outs[0]), items]
    types = kernel_call.types_of(len(numbers.fields), len(words))
    p.call_or_no_memory("extremes", kernel_call.arguments(p, words, types))


def _search_rows(p: Core, x: Array, largest: bool, first: int, outs: Sequence[Array]) -> None:
    """Search in whole rows, of the axes from `first` on: a kernel does if they suit it."""
    call = partial(_search, p, x, largest, first, x.ndim, outs)
    length = p.product(x.shape[first:])
    rows = Array(x.dtype, (p.product(x.shape[:first]), length), p.pointer(x))
    least, most = row_extremes.LENGTHS
    search = None
    if not isinstance(length, int) or least <= length <= most:
        search = _search_of_short_rows(p, rows, outs[0], largest)
    if search is None:
        call()
        return
    some = p.let("ge", length, least)
    short = p.let("and", some, p.let("le", length, most), type="bool")
    kernel_call.ready_variant(p, short, search[0])

    def by_kernel() -> None:
        search[1]()
        if len(outs) > 1:
            call(has_places=True)

    p.if_else(short, by_kernel, call)


def _search_of_short_rows(
    p: Core, rows: Array, out: Array, largest: bool
) -> tuple[Call, Callable[[], None]] | None:
    """Return the kernel that searches packed rows one by one, and what calls it; None: none can."""
    dtype, bits = rows.dtype, p.vector_bits
    if not row_extremes.suit(dtype, bits):
        return None

    def place(b: Builder, index: Callable[[int], Value], base: Value, length: Value) -> Value:
        at = b.add(base, b.mul(index(0), b.mul(length, itemsize(dtype))))
        row = b.emit(f"inttoptr i64 {at.text} to ptr")
        return row_extremes.place_of_extreme(b, dtype, bits, largest, row, length)

    everywhere = frozenset({0})
    w = Writer(["int64", "int64"])
    extreme = Emitted("extreme", (dtype, bits, largest), place, COST)
    body = w.body([w.call(extreme, *w.operands, dtype="int64")])
    loop = Loop(1, (("int64", everywhere),) * 2, ("int64",), (), (), body)
    kernel = Kernel(loop, [[0]], "packed", 1, bits)
    count, length = rows.shape
    call = kernel_call.prepare_call(p, kernel, [count], count, False)
    numbers = [p.scalar(p.let("number", p.pointer(rows), type="ptr")), p.scalar(length)]
    list(map(p.pointer, [*numbers, out]))
    return call, lambda: kernel_call.call_kernel(p, call, numbers, [out], [], [])


def _extreme_by_reductions(
    p: Core,
    node: Apply,
    x: Array,
    kind: str,
    axes: Sequence[int],
    outs: Sequence[Array],
    eager: bool = True,
) -> None:
    """Write where the extreme over `axes` first is.

    The first of two reductions is for its value, the second for its place.
    """
    variable, rank, kept = node.inputs[0], x.ndim, outs[0].shape
    broadcast_axes = kernel_choice.broadcast_axes_of(variable, x)
    best = "max" if kind == "argmax" else "min"
    combine = "maximum" if kind == "argmax" else "minimum"
    reduction = KernelReduction(combine, STARTS[best](x.dtype), x.dtype, x.dtype)
    value = outs[1] if len(outs) > 1 else p.result(x.dtype, kept)
    one = Writer([x.dtype])
    loop = Loop(
        rank,
        ((x.dtype, broadcast_axes),),
        (),
        (reduction,),
        tuple(axes),
        one.body(reductions=one.operands),
    )
    kernel_choice.run(p, loop, x.shape, [x], [], [value], eager=eager)
    rest = iter(range(len(kept)))
    order: list[Any] = ["x" if i in axes else next(rest) for i in range(rank)]
    wide = views.permute(p, value, order)
    everywhere = frozenset(range(rank))
    sizes = [p.scalar(x.shape[a]) for a in axes]
    nothing = np.iinfo("int64").max

    w = Writer([x.dtype, x.dtype, *("int64" for _ in sizes)])
    item, extreme, *extents = w.operands
    where = w.number(0, "int64")
    for axis, extent in zip(axes, extents, strict=True):
        where = w.add(w.mul(where, extent), w.index(axis))
    hit = w.eq(item, extreme)
    if not dtypes.is_discrete(x.dtype):
        hit = w.or_(hit, w.isnan(item))
    place = w.select(hit, where, nothing)

    first = KernelReduction("minimum", nothing, "int64", "int64")
    search = Loop(
        rank,
        (
            (x.dtype, broadcast_axes),
            (x.dtype, frozenset(axes)),
            *(("int64", everywhere) for _ in sizes),
        ),
        (),
        (first,),
        tuple(axes),
        w.body(reductions=[place]),
    )
    arrays = [x, wide, *sizes]
    kernel_choice.run(p, search, x.shape, arrays, [], [outs[0]], indexed=True, eager=eager)
