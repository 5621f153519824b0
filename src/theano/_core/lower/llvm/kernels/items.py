"""Items in memory and lanes in registers, complex numbers included."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from theano._core.base.records import Record
from theano._core.lower.llvm.builder import PARTS, Builder
from theano._core.lower.llvm.text.emitter import ComplexValue, Value, llvm_type
from theano._core.lower.llvm.text.masked import masked

# Bytes of the smallest pages of memory.
PAGE = 4096


class Memory(Record):
    """An operand, store or reduction while its loop is written."""

    dtype: str
    axes: tuple[int, ...]  # the axes it moves along
    slot: int  # position of its address in the arguments
    strides: dict[int, str]  # bytes, by axis


def itemsize(dtype: str) -> int:
    """Return the bytes of one item in memory."""
    return np.dtype(dtype).itemsize


def reduce_lanes(b: Builder, combine: str, value: Any) -> Any:
    """Return the lanes of an accumulator reduced into one scalar, always in the same order."""
    lanes = value.lanes
    if lanes > 1 and value.dtype == "bool" and combine in ("and_", "or_"):
        # As the bits of one number: LLVM halves masks by way of vectors, bit by bit.
        bits = b.emit(f"bitcast {value.type} {value.text} to i{lanes}")
        test = "eq i{} {}, -1" if combine == "and_" else "ne i{} {}, 0"
        return Value(b.emit(f"icmp {test.format(lanes, bits)}"), "bool", 1)
    while lanes > 1:
        lanes //= 2
        low, high = halves(b, value, lanes)
        value = getattr(b, combine)(low, high)
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


def constant(b: Builder, value: Any, dtype: str, lanes: int) -> Any:
    """Return a number in every lane."""
    if dtype not in PARTS:
        return b.const(value, dtype, lanes)
    return ComplexValue(
        *(b.const(x, PARTS[dtype], lanes) for x in (np.real(value), np.imag(value)))
    )


def select(b: Builder, condition: Value, one: Any, two: Any) -> Any:
    """Return `one` where `condition` holds, else `two`."""
    if isinstance(one, ComplexValue):
        return ComplexValue(
            select(b, condition, one.real, two.real), select(b, condition, one.imag, two.imag)
        )
    return b.select(condition, one, two)


def merge(b: Builder, one: Any, two: Any, block_one: str, block_two: str) -> Any:
    """Return the value of the block that was left last."""
    if isinstance(one, ComplexValue):
        return ComplexValue(
            merge(b, one.real, two.real, block_one, block_two),
            merge(b, one.imag, two.imag, block_one, block_two),
        )
    text = b.emit(f"phi {one.type} [{one.text}, %{block_one}], [{two.text}, %{block_two}]")
    return Value(text, one.dtype, one.lanes)


class Part(Record):
    """The first `count` items of a vector: in memory, the others may not be touched."""

    count: str
    smallest: int  # bytes of the smallest item that has masked instructions; 0: none has


def has_masks(dtype: str, smallest: int) -> bool:
    """Tell whether items are copied under a mask, which makes the other lanes 0."""
    return 0 < smallest <= min(itemsize(dtype), 8)


def copy_in(b: Builder, buffer: str, memory: str, dtype: str, part: Part) -> None:
    """Copy part of a packed vector from memory to the buffer of a whole one.

    Under a mask the other lanes get the first item: they shall not need what its function seldom
    does (large angles, say), as 0 or anything else might.
    """
    if not has_masks(dtype, part.smallest):
        _copy_bytes(b, buffer, memory, dtype, part)
        return
    first = None if dtype.startswith("complex") else _first(b, memory, dtype)
    words = load_part(b, memory, dtype, part, first)
    assert words is not None
    b.perform(f"store {words.type} {words.text}, ptr {buffer}, align 64")


def _first(b: Builder, memory: str, dtype: str) -> Value:
    """Return a vector, as integers, each of whose lanes is the first item of memory."""
    bits = f"int{8 * itemsize(dtype)}"
    return b.broadcast(Value(b.emit(f"load {llvm_type(bits)}, ptr {memory}, align 1"), bits, 1))


def in_one_page(b: Builder, vectors: Sequence[tuple[str, int]]) -> str:
    """Return whether no vector, an address and its bytes, goes beyond the page that it begins in.

    Then all of it can be read where its first item can.
    """
    every = "true"
    for address, size in vectors:
        number = b.emit(f"ptrtoint ptr {address} to i64")
        place = b.emit(f"and i64 {number}, {PAGE - 1}")
        fits = b.emit(f"icmp ule i64 {place}, {PAGE - size}")
        every = b.emit(f"and i1 {every}, {fits}")
    return every


def copy_out(b: Builder, memory: str, buffer: str, dtype: str, part: Part) -> None:
    """Copy part of a packed vector from the buffer of a whole one to memory."""
    words_and_mask = _mask(b, dtype, part)
    if words_and_mask is None:
        _copy_bytes(b, memory, buffer, dtype, part)
        return
    vector = b.emit(f"load {words_and_mask[0].type}, ptr {buffer}, align 64")
    _store_words(b, vector, memory, *words_and_mask)


def load_part(
    b: Builder, memory: str, dtype: str, part: Part, rest: Value | None = None
) -> Value | None:
    """Return part of a packed vector in memory, as integers; other lanes are of `rest`, or 0.

    None where the processor has no masks for such items.
    """
    words_and_mask = _mask(b, dtype, part)
    if words_and_mask is None:
        return None
    words, mask = words_and_mask
    name, declaration = masked("load", words.type, words.text, mask.type)
    b.declarations[declaration] = None
    others = "zeroinitializer"
    if rest is not None:
        others = b.emit(f"bitcast {rest.type} {rest.text} to {words.type}")
    chosen = f"{mask.type} {mask.text}, {words.type} {others}"
    vector = b.emit(f"call {words.type} {name}(ptr {memory}, i32 1, {chosen})")
    return Value(vector, words.dtype, words.lanes)


def load_items(b: Builder, memory: str, dtype: str, lanes: int, part: Part) -> Any:
    """Return the first items of a vector, of a dtype that `has_masks`, and 0 behind them."""
    words = load_part(b, memory, dtype, part)
    assert words is not None
    one = "int8" if dtype == "bool" else PARTS.get(dtype, dtype)
    lanes *= 1 + (dtype in PARTS)
    text = b.emit(f"bitcast {words.type} {words.text} to {llvm_type(one, lanes)}")
    value = Value(text, one, lanes)
    if dtype in PARTS:
        return parted(b, value)
    return b.neq(value, 0) if dtype == "bool" else value


def store_part(b: Builder, value: Value, memory: str, part: Part) -> None:
    """Write the first lanes of a vector, for whose items the processor has masks."""
    words_and_mask = _mask(b, value.dtype, part)
    assert words_and_mask is not None
    words = words_and_mask[0]
    vector = b.emit(f"bitcast {value.type} {value.text} to {words.type}")
    _store_words(b, vector, memory, *words_and_mask)


def _store_words(b: Builder, vector: str, memory: str, words: Value, mask: Value) -> None:
    name, declaration = masked("store", words.type, words.text, mask.type)
    b.declarations[declaration] = None
    rest = f"ptr {memory}, i32 1, {mask.type} {mask.text}"
    b.perform(f"call void {name}({words.type} {vector}, {rest})")


def _mask(b: Builder, dtype: str, part: Part) -> tuple[Value, Value] | None:
    """Return a vector as integers of at most 8 bytes, and which of them the part holds.

    The first value has the type, and the suffix of intrinsics for it as its text. None where the
    processor has no masks for such items.
    """
    if not has_masks(dtype, part.smallest):
        return None
    word = min(itemsize(dtype), 8)
    each = itemsize(dtype) // word
    count, integer = b.lanes * each, f"int{8 * word}"
    words = Value(f"v{count}i{8 * word}", integer, count)
    left = Value(part.count if each == 1 else b.emit(f"mul i64 {part.count}, {each}"), "int64", 1)
    # Less than a vector, and so in the range of a word.
    left = left if word == 8 else b.convert("trunc", left, integer)
    first = b.pure(
        f"insertelement {words.type} poison, {left.type} {left.text}, i64 0",
        words.dtype,
        words.lanes,
    )
    numbers = ", ".join([f"{left.type} {i}" for i in range(count)])
    every = b.shuffle(first, first, [0] * count)
    return words, b.pure(f"icmp ult {words.type} <{numbers}>, {every.text}", "bool", count)


def _copy_bytes(b: Builder, to: str, start: str, dtype: str, part: Part) -> None:
    nbytes = b.emit(f"mul i64 {part.count}, {itemsize(dtype)}")
    b.declarations["declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)"] = None
    b.perform(f"call void @llvm.memcpy.p0.p0.i64(ptr {to}, ptr {start}, i64 {nbytes}, i1 false)")


def load(b: Builder, pointer: str, dtype: str, lanes: int) -> Any:
    """Read `lanes` packed items."""
    if not dtype.startswith("complex"):
        return b.load(pointer, dtype, lanes)
    part = "float32" if dtype == "complex64" else "float64"
    if lanes == 1:
        second = b.emit(f"getelementptr i8, ptr {pointer}, i64 {itemsize(part)}")
        return ComplexValue(b.load(pointer, part, 1), b.load(second, part, 1))
    return parted(b, b.load(pointer, part, 2 * lanes))


def parted(b: Builder, both: Value) -> ComplexValue:
    """Return complex numbers of which each real part stands before its imaginary part."""
    evens, odds = list(range(0, both.lanes, 2)), list(range(1, both.lanes, 2))
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
