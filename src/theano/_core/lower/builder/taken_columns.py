"""Items of each row at the same places, which the runtime copies, some rows at a time."""

from __future__ import annotations

from theano._core.base import dtypes
from theano._core.lower import program as ir
from theano._core.lower.arrays import Array
from theano._core.lower.builder import kernel_call, strided_copies
from theano._core.lower.builder.core import Core

# Rows that are taken items of at once: where these lie is worked out for all of them.
ROWS_AT_ONCE = 8


def copy(p: Core, x: Array, out: Array, width: int, positions: str) -> None:
    """Copy items of each row of `x` to those of `out`, by the runtime.

    They are those at positions of `width` bytes, less than 0 of numbers without a sign.
    """
    (*fronts, length), (*steps, step) = x.shape, p.strides(x)
    size = dtypes.itemsize(x.dtype)
    # What comes last tells how rows of small matrices lie, which the runtime itself copies so.
    numbers = (len(fronts), size, out.shape[-1], width, length, step, 1, 0)
    words = [*numbers, p.pointer(x), positions, out.data]
    types = kernel_call.types_of(len(numbers), len(words))
    for front in zip(fronts, steps, strict=True):
        words += front
        types += ["int64"] * 2
    total = p.product(out.shape)
    # Of no rows, or no items, nothing may be looked at.
    rows = p.unless_zero(total, p.product(fronts))
    work = strided_copies.copying(p, p.multiply(total, size))
    block = kernel_call.arguments(p, words, types)
    p.do(ir.Launch("take_columns", block, rows, work, kernel_call.POINT + 1, ROWS_AT_ONCE))
