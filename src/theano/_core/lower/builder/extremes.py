"""Where the extreme items of an array are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from theano._core.base import dtypes
from theano._core.ir.variable import Apply
from theano._core.lower.arrays import Array
from theano._core.lower.builder import copies, kernel_choice, lapack, views
from theano._core.lower.builder.core import Core
from theano._core.lower.kernel.expression import Writer
from theano._core.lower.kernel.loops import KernelReduction, Loop
from theano._core.ops.array.reductions import STARTS


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
    return lapack.along(p, node, kind, rows, 1)


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
