"""Items in memory and lanes in registers, complex numbers included."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from theano._core.lower.llvm.builder import Builder
from theano._core.lower.llvm.emitter import ComplexValue, Value
from theano._core.lower.loops import Fold


class Memory(NamedTuple):
    """An operand, store or fold while its loop is written."""

    dtype: str
    axes: tuple[int, ...]  # the axes it moves along
    slot: int  # position of its address in the arguments
    strides: dict[int, str]  # bytes, by axis


def itemsize(dtype: str) -> int:
    """Return the bytes of one item in memory."""
    return np.dtype(dtype).itemsize


def reduce_lanes(b: Builder, fold: Fold, value: Any) -> Any:
    """Return the lanes of an accumulator folded into one scalar, always in the same order."""
    lanes = value.lanes
    while lanes > 1:
        lanes //= 2
        low, high = halves(b, value, lanes)
        value = getattr(b, fold.combine)(low, high)
    return value


def halves(b: Builder, value: Any, half: int) -> tuple[Any, Any]:
    """Return the lower and the upper half of the lanes."""
    if isinstance(value, ComplexValue):
        (r0, r1), (i0, i1) = halves(b, value.real, half), halves(b, value.imag, half)
        return ComplexValue(r0, i0), ComplexValue(r1, i1)
    if half == 1:
        return b.lane(value, 0), b.lane(value, 1)
    order = list(range(2 * half))
    return b.shuffle(value, value, order[:half]), b.shuffle(value, value, order[half:])


def select(b: Builder, condition: Value, one: Any, two: Any) -> Any:
    """Return `one` where `condition` holds, else `two`."""
    if isinstance(one, ComplexValue):
        return ComplexValue(
            select(b, condition, one.real, two.real), select(b, condition, one.imag, two.imag)
        )
    return b.select(condition, one, two)


def load(b: Builder, pointer: str, dtype: str, lanes: int) -> Any:
    """Read `lanes` packed items."""
    if not dtype.startswith("complex"):
        return b.load(pointer, dtype, lanes)
    part = "float32" if dtype == "complex64" else "float64"
    if lanes == 1:
        second = b.emit(f"getelementptr i8, ptr {pointer}, i64 {itemsize(part)}")
        return ComplexValue(b.load(pointer, part, 1), b.load(second, part, 1))
    both = b.load(pointer, part, 2 * lanes)
    evens, odds = list(range(0, 2 * lanes, 2)), list(range(1, 2 * lanes, 2))
    return ComplexValue(b.shuffle(both, both, evens), b.shuffle(both, both, odds))


def store(b: Builder, value: Any, pointer: str) -> None:
    """Write packed items."""
    if not isinstance(value, ComplexValue):
        b.store(value, pointer)
        return
    real, imag = value.real, value.imag
    if value.lanes == 1:
        second = b.emit(f"getelementptr i8, ptr {pointer}, i64 {itemsize(real.dtype)}")
        b.store(real, pointer)
        b.store(imag, second)
        return
    order = [
        i
        for pair in zip(range(value.lanes), range(value.lanes, 2 * value.lanes), strict=True)
        for i in pair
    ]
    b.store(b.shuffle(real, imag, order), pointer)
