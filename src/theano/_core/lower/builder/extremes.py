"""Where the extreme items of an array are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from theano._core.base import dtypes
from theano._core.base.dtypes import itemsize
from theano._core.ir.variable import Apply
from theano._core.lower.arrays import Array
from theano._core.lower.builder import copies, kernel_call, kernel_choice, lapack, views
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


def arg_extreme(p: Core, node: Apply, x: Array, kind: str, axes: Sequence[int]) -> Array:
    """Return where the extreme over `axes` first is: of whole rows, the runtime finds it."""
    kept = [n for i, n in enumerate(x.shape) if i not in axes]
    kernel_choice.check_not_empty(p, node, x.shape, axes)
    # NumPy, whose functions the runtime calls, searches among halves one by one.
    if sorted(axes) != list(range(len(kept), x.ndim)) or x.dtype == "float16":
        return _extreme_by_reductions(p, node, x, kind, axes, kept)
    x = copies.contiguous(p, x)
    length = p.product(x.shape[len(kept) :])
    rows = Array(x.dtype, (p.product(kept), length), p.pointer(x))
    least, most = row_extremes.lengths(x.dtype)
    if isinstance(length, int) and not least <= length <= most:
        return lapack.along(p, node, kind, rows, 1)
    out = p.memory_for(node.outputs[0], kept)
    search = _search_of_short_rows(p, rows, out, kind == "argmax")
    if search is None:
        return lapack.along(p, node, kind, rows, 1, out=out)
    some = p.let("ge", length, least)
    short = p.let("and", some, p.let("le", length, most), type="bool")
    kernel_call.ready_variant(p, short, search[0])
    p.if_else(short, search[1], lambda: lapack.along(p, node, kind, rows, 1, out=out))
    return out


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
    kernel = Kernel(loop, [[0]], "packed", 1, bits, False)
    count, length = rows.shape
    call = kernel_call.prepare_call(p, kernel, [count], count, False)
    numbers = [p.scalar(p.let("number", p.pointer(rows), type="ptr")), p.scalar(length)]
    list(map(p.pointer, [*numbers, out]))
    return call, lambda: kernel_call.call_kernel(p, call, numbers, [out], [], [])


def _extreme_by_reductions(
    p: Core, node: Apply, x: Array, kind: str, axes: Sequence[int], kept: Sequence[Any]
) -> Array:
    """Return where the extreme over `axes` first is.

    The first of two reductions is for its value, the second for its place.
    """
    variable, rank = node.inputs[0], x.ndim
    broadcast_axes = kernel_choice.broadcast_axes_of(variable, x)
    best = "max" if kind == "argmax" else "min"
    combine = "maximum" if kind == "argmax" else "minimum"
    reduction = KernelReduction(combine, STARTS[best](x.dtype), x.dtype, x.dtype)
    value = p.result(x.dtype, kept)
    one = Writer([x.dtype])
    loop = Loop(
        rank,
        ((x.dtype, broadcast_axes),),
        (),
        (reduction,),
        tuple(axes),
        one.body(reductions=one.operands),
    )
    kernel_choice.run(p, loop, x.shape, [x], [], [value])
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
    out = p.result("int64", kept)
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
    kernel_choice.run(p, search, x.shape, [x, wide, *sizes], [], [out], indexed=True)
    return out
