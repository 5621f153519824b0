"""Copies of arrays by the runtime, which finds out how items lie: see runtime/copy.h."""

from __future__ import annotations

from theano._core.base import dtypes
from theano._core.lower import program as ir
from theano._core.lower.arrays import Array, Size
from theano._core.lower.builder import kernel_call
from theano._core.lower.builder.core import Core

# Rows that a thread copies at least, of many: lines of a cache that lie across them are read once.
ROWS, MANY_ROWS = 16, 64
# Bytes that the runtime copies in the time of a point of a loop.
BYTES_AT_ONCE = 16


def copy(p: Core, source: Array, target: Array) -> None:
    """Copy an array to memory of the same lengths that does not overlap it."""
    size = dtypes.itemsize(source.dtype)
    *fronts, step = source.shape if source.ndim > 1 else (*source.shape, 1)
    total = p.product(source.shape)
    # Of no items, nothing may be looked at.
    rows = p.product(fronts)
    count, unit = p.unless_zero(total, rows), p.let("select", p.let("ge", rows, MANY_ROWS), ROWS, 1)
    work = copying(p, p.multiply(total, size))
    words: list[Size] = [size, step, source.ndim, p.pointer(source), target.data]
    for axis in zip(source.shape, p.strides(source), p.strides(target), strict=True):
        words += axis
    types = ["int64", "int64", "int64", "ptr", "ptr", *["int64"] * (len(words) - 5)]
    with p.into(p.calls):
        block = kernel_call.arguments(p, words, types)
        p.do(ir.Launch("copy", block, count, work, kernel_call.POINT + 1, unit))


def copying(p: Core, nbytes: Size) -> Size:
    """Return the points of a loop that take as long as copying bytes by the runtime."""
    return p.let("udiv", nbytes, BYTES_AT_ONCE)
