"""Items of each row at the same places, which the runtime copies, some rows at a time."""

from __future__ import annotations

from theano._core.base import dtypes
from theano._core.lower import program as ir
from theano._core.lower.arrays import Array, Size
from theano._core.lower.builder import kernel_call
from theano._core.lower.builder.core import Core
from theano._core.lower.llvm.target.codegen import has_avx512

# Bytes of a vector, in which items of rows are put in place; rows for which to find out how.
VECTOR, MANY_ROWS = 64, 64
# Bytes of a row whose items lie side by side, for which a vector of its own is too long.
SHORT = 32
# Items of a small matrix.
SMALL_PLANE = 64
# Rows that are taken items of at once: where these lie is worked out for all of them.
ROWS_AT_ONCE = 8
# Bytes that the runtime copies in the time of a point of a loop.
BYTES_AT_ONCE = 16


def copy(
    p: Core, x: Array, out: Array, width: int = 0, positions: str = "null", planes: bool = False
) -> None:
    """Copy items of each row of `x` to those of `out`, by the runtime.

    They are those at positions of `width` bytes, less than 0 of numbers without a sign, or all; of
    `planes`, the last two axes are a row.
    """
    (*fronts, length), (*steps, step) = x.shape, p.strides(x)
    count, together, near = out.shape[-1], 1, 0
    if planes:
        count, together, near = p.multiply(fronts[-1], length), length, step
        length, step = fronts.pop(), steps.pop()
    size = dtypes.itemsize(x.dtype)
    numbers = (len(fronts), size, count, width, length, step, together, near)
    words = [*numbers, p.pointer(x), positions, out.data]
    types = kernel_call.types_of(len(numbers), len(words))
    for front in zip(fronts, steps, strict=True):
        words += front
        types += ["int64"] * 2
    total = p.product(out.shape)
    # Of no rows, or no items, nothing may be looked at.
    rows = p.unless_zero(total, p.product(fronts))
    work = copying(p, p.multiply(total, size))
    block = kernel_call.arguments(p, words, types)
    p.do(ir.Launch("take_columns", block, rows, work, kernel_call.POINT + 1, ROWS_AT_ONCE))


def copying(p: Core, nbytes: Size) -> Size:
    """Return the points of a loop that take as long as copying bytes by the runtime."""
    return p.let("udiv", nbytes, BYTES_AT_ONCE)


def are_picked(p: Core, x: Array) -> Size:
    """Tell whether rows are many, and a vector holds one that does not lie as in C order.

    Its items do not lie side by side; or they do, and are few, but its rows do not.
    """
    size = dtypes.itemsize(x.dtype)
    # One item for a whole row is written by kernels.
    if x.ndim < 2 or x.ndim - 1 in x.broadcast_axes or not has_avx512(p.vector_bits):
        return 0
    length, (*_, pitch, step) = x.shape[-1], p.strides(x)
    several = p.both(p.let("gt", length, 1), p.let("le", length, VECTOR // size))
    apart = p.both(p.let("ne", step, size), several)
    way, most = p.offset(p.let("sub", length, 1), step), VECTOR - size
    near = p.both(apart, p.let("below", p.let("add", way, most), 2 * most + 1))
    whole = p.both(p.let("eq", step, size), several)
    short = p.both(whole, p.let("le", length, SHORT // size))
    short = p.both(short, p.let("ne", pitch, p.offset(length, step)))
    picked = p.let("or", near, short, type="bool")
    return p.both(picked, p.let("ge", p.product(x.shape[:-1]), MANY_ROWS))


def are_small_planes(p: Core, x: Array) -> Size:
    """Tell whether an array is many small matrices, each of which lies column by column."""
    size = dtypes.itemsize(x.dtype)
    if x.ndim < 3 or x.contiguous is not False:
        return 0
    (*_, pitch, step), (*fronts, rows, columns) = p.strides(x), x.shape
    few = p.let("le", p.multiply(rows, columns), SMALL_PLANE)
    turned = p.both(p.let("eq", pitch, size), p.let("gt", step, size))
    most = p.both(p.let("gt", rows, 1), p.let("gt", columns, 1))
    return p.both(p.both(few, most), p.both(turned, p.let("ge", p.product(fronts), MANY_ROWS)))
