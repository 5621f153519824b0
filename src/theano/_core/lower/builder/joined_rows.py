"""Rows of arrays side by side, as joins along another axis than the first have: by the runtime."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from theano._core.base.dtypes import itemsize
from theano._core.lower import program as ir
from theano._core.lower.arrays import Array, Size
from theano._core.lower.builder import kernel_call, strided_copies
from theano._core.lower.builder.core import Core


def may_join(p: Core, arrays: Sequence[Array], out: Array, axis: int) -> bool | str:
    """Tell whether the runtime may join rows: there are some, each with its items side by side."""
    several = any(n != 1 for n in out.shape[:axis])
    if not several or out.contiguous is not True or p.calls is not None:
        return False
    return reduce(p.both, (_has_rows(p, array, axis) for array in arrays), True)


def _has_rows(p: Core, x: Array, axis: int) -> bool | str:
    """Tell whether what is behind an axis lies side by side, at equal steps of those in front."""
    if not x.broadcast_axes and x.contiguous is not False:
        return x.contiguous
    steps, wanted, holds = p.strides(x), itemsize(x.dtype), True
    for i in reversed(range(axis, x.ndim)):
        if x.shape[i] != 1:
            holds = p.both(holds, p.let("eq", steps[i], wanted))
        wanted = p.multiply(wanted, x.shape[i])
    for i in range(axis - 1):
        whole = p.offset(x.shape[i + 1], steps[i + 1])
        holds = p.both(holds, p.let("eq", steps[i], whole))
    return holds


def join(p: Core, arrays: Sequence[Array], out: Array, axis: int) -> None:
    """Write rows of arrays, those of each one the same bytes apart, one after the other."""
    size = itemsize(out.dtype)

    def nbytes(x: Array) -> Size:
        return p.multiply(p.product(x.shape[axis:]), size)

    pitch, rows = nbytes(out), p.product(out.shape[:axis])
    words: list[Size] = [len(arrays), pitch, p.pointer(out)]
    types = ["int64", "int64", "ptr"]
    for x in arrays:
        words += [nbytes(x), p.strides(x)[axis - 1], p.pointer(x)]
        types += ["int64", "int64", "ptr"]
    total = strided_copies.copying(p, p.multiply(rows, pitch))
    block = kernel_call.arguments(p, words, types)
    # Of no items, nothing may be looked at.
    count = p.unless_zero(pitch, rows)
    p.do(ir.Launch("join_rows", block, count, total, kernel_call.POINT + 1, 1))
