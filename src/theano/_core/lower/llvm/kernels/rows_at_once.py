"""Reductions of rows of some items: several rows at once, each in a vector, which become one.

One row after the other would spend its time on the end of a row, where its last vector is partly
filled and its lanes are reduced; one in each lane, on reading items that lie apart. Here rows of a
register of accumulators each are read as they lie. Two rows then reduce their lanes by half in one
vector, four of them in the next, and so on, until a vector has the results of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from theano._core.lower.kernel.loops import KernelReduction, Loop
from theano._core.lower.llvm.builder import PARTS, Builder
from theano._core.lower.llvm.kernels.items import (
    Memory,
    copy_out,
    has_masks,
    itemsize,
    load,
    load_items,
    store,
)
from theano._core.lower.llvm.kernels.vectors import VectorLoop
from theano._core.lower.llvm.target.codegen import lanes_of, smallest_masked_item
from theano._core.lower.llvm.text.emitter import ComplexValue

# Rows that are reduced at once, at most.
MOST = 8
# Bytes of the blocks of a vector that one instruction interleaves with those of another.
BLOCK = 16
# Operations, and reductions, of the longest body that is written for so many rows twice.
LIGHT, REDUCTIONS = 8, 2
# Operations that take as long for part of a vector, or much text; of complex numbers most do.
SLOW = frozenset(("true_div", "divide", "inv", "sqrt", "int_div", "mod", "multiply_high", "sgn"))
SHORT_OF_COMPLEX = frozenset(("add", "sub", "mul", "neg", "conj", "real", "imag", "number", "cast"))
# The fewest items that are not as fast with a row in each lane.
LEAST = 5
# Vectors of the longest rows, of one operand, and bytes of its part of a row: memory is not read as
# fast from very many places, and of a long row the end takes little of the time.
LONGEST, ROW = 32, 768


def lanes_at_once(loop: Loop, bits: int) -> int:
    """Return how many items of a row are reduced at once."""
    return lanes_of(max(map(_size, _types(loop))), bits)


def longest(loop: Loop, bits: int, axes: tuple[int, int]) -> int:
    """Return how many items rows have at most, of which `axes` are the rows and their items."""
    walked = [dtype for dtype, fixed in loop.operands if fixed.isdisjoint(axes)] or ["float64"]
    return min(LONGEST * lanes_at_once(loop, bits) // len(walked), ROW // max(map(_size, walked)))


def _size(dtype: str) -> int:
    """Return the bytes of an item of a register: of complex numbers, of a part."""
    return itemsize(PARTS.get(dtype, dtype))


def _types(loop: Loop) -> list[str]:
    return [dtype for dtype, _ in loop.operands] + [f.dtype for f in loop.reductions]


def suits(loop: Loop, bits: int) -> bool:
    """Tell whether the rows of a loop may be reduced so: it does little."""
    smallest, types = smallest_masked_item(bits), _types(loop)
    plain = all(d not in ("bool", "float16") and has_masks(d, smallest) for d in types)
    few = not loop.stores and len(loop.reductions) <= REDUCTIONS and loop.weight <= LIGHT
    return plain and few and _is_quick(loop, types) and lanes_at_once(loop, bits) > 1


def _is_quick(loop: Loop, types: Sequence[str]) -> bool:
    names = {str(getattr(o.function, "name", o.function)) for o in loop.body.operations}
    if any(dtype.startswith("complex") for dtype in types):
        return names <= SHORT_OF_COMPLEX
    return names.isdisjoint(SLOW)


class RowsAtOnce(VectorLoop):
    """Reductions along the last axis of a kernel whose loop `suits`, of items side by side."""

    along = 2

    def packed(self) -> list[Any]:
        """Write them for the rows [lo, hi): none of more than `LONGEST` vectors."""
        w, b = self.w, self.b
        self.axis = w.last - 1
        self.count = min(MOST, w.lanes)
        self._load_fixed(self.pointers)
        length = w.shape[w.last]
        # The last vector is partly filled, or whole.
        before = b.emit(f"sdiv i64 {b.emit(f'sub i64 {length}, 1')}, {w.lanes}")
        self.whole_ones = b.emit(f"mul i64 {before}, {w.lanes}")
        self.left = b.emit(f"sub i64 {length}, {self.whole_ones}")
        # Rows whose results lie apart are reduced one by one.
        most = str(self.count)
        for m in w.reductions if not w.packed else ():
            near = b.emit(f"icmp eq i64 {m.strides[self.axis]}, {itemsize(m.dtype)}")
            most = b.emit(f"select i1 {near}, i64 {most}, i64 1")
        self.real = w.smaller(b.emit(f"sub i64 {self.hi}, {self.lo}"), most)
        # Where there are fewer, the last one is reduced again instead of those that are not there.
        last = b.emit(f"sub i64 {self.real}, 1")
        numbers = ["0", *(w.smaller(str(row), last) for row in range(1, self.count))]
        self.apart = {
            m.slot: [b.emit(f"mul i64 {row}, {m.strides[self.axis]}") for row in numbers]
            for m in w.operands
            if self.axis in m.strides
        }
        return self.over(self.lo, self.hi, self.real, self._some_rows, start=self.lo)

    def _load_fixed(self, pointers: dict[int, str]) -> None:
        inside = {self.w.last, self.w.last - 1}
        self.fixed = [m for m in self.w.operands if not inside & {*m.strides}]
        super()._load_fixed(pointers)

    def _some_rows(self, first: str, _: str, __: Sequence[object]) -> list[Any]:
        """Reduce the rows from `first` on."""
        w, b = self.w, self.b
        at = [dict(self.pointers) for _ in range(self.count)]
        for memory in w.operands:
            if self.axis in memory.strides:
                offset = b.emit(f"mul i64 {first}, {memory.strides[self.axis]}")
                place = b.emit(f"getelementptr i8, ptr {at[0][memory.slot]}, i64 {offset}")
                for row, apart in zip(at, self.apart[memory.slot], strict=True):
                    row[memory.slot] = b.emit(f"getelementptr i8, ptr {place}, i64 {apart}")
        same = [dict(self.fixed_values) for _ in at]
        for memory in w.operands:
            if self.axis in memory.strides and w.last not in memory.strides:
                for row, values in zip(at, same, strict=True):
                    item = load(b, row[memory.slot], memory.dtype, 1)
                    values[memory.slot] = self._splat(item)
        starts = w._start_accumulators(w.lanes)

        def vector(item: str, count: str, acc: Sequence[object]) -> list[Any]:
            return self._added(at, same, item, acc)

        acc = self.over("0", self.whole_ones, w.lanes, vector, [*starts] * self.count)
        acc = self._added(at, same, self.whole_ones, acc, self.left)
        self._write_results(first, acc)
        return []

    def _added(
        self,
        at: Sequence[dict[int, str]],
        same: Sequence[dict[int, Any]],
        item: str,
        acc: Sequence[Any],
        count: str | None = None,
    ) -> list[Any]:
        """Return the accumulators of all rows after a vector of items, or `count` of them."""
        w, each = self.w, len(self.w.loop.reductions)
        shared = {
            m.slot: self._items(m, self.pointers[m.slot], item, count)
            for m in w.operands
            if w.last in m.strides and self.axis not in m.strides
        }
        result = []
        for row, (pointers, fixed) in enumerate(zip(at, same, strict=True)):
            values = {**fixed, **shared}
            for m in w.operands:
                if w.last in m.strides and self.axis in m.strides:
                    values[m.slot] = self._items(m, pointers[m.slot], item, count)
            old = acc[row * each : (row + 1) * each]
            new = self._body(values, item, old, {})
            result += new if count is None else self._of_items(count, new, old)
        return result

    def _items(self, memory: Memory, start: str, item: str, count: str | None) -> Any:
        b = self.b
        offset = b.pure(f"mul i64 {item}, {itemsize(memory.dtype)}", "int64", 1).text
        at = b.emit(f"getelementptr i8, ptr {start}, i64 {offset}")
        if count is None:
            return load(b, at, memory.dtype, self.w.lanes)
        return load_items(b, at, memory.dtype, self.w.lanes, self._part(count))

    def _write_results(self, first: str, acc: Sequence[Any]) -> None:
        w, b = self.w, self.b
        places = [
            b.emit(
                f"getelementptr i8, ptr {self.pointers[m.slot]}, i64 "
                + b.emit(f"mul i64 {first}, {m.strides[self.axis]}")
            )
            for m in w.reductions
        ]
        each = len(w.loop.reductions)
        values = [
            b.cast(self._results(acc[i::each], reduction), memory.dtype)
            for i, (reduction, memory) in enumerate(
                zip(w.loop.reductions, w.reductions, strict=True)
            )
        ]
        whole = b.emit(f"icmp eq i64 {self.real}, {self.count}")
        buffers = [self._memory(itemsize(m.dtype) * self.count) for m in w.reductions]
        for value, place, buffer in zip(values, places, buffers, strict=True):
            store(b, value, b.emit(f"select i1 {whole}, ptr {place}, ptr {buffer}"))
        part, done = b.fresh_label("part"), b.fresh_label("done")
        b.perform(f"br i1 {whole}, label %{done}, label %{part}")
        b.label(part)
        lanes, b.lanes = b.lanes, self.count
        for memory, place, buffer in zip(w.reductions, places, buffers, strict=True):
            copy_out(b, place, buffer, memory.dtype, self._part(self.real))
        b.lanes = lanes
        b.perform(f"br label %{done}")
        b.label(done)

    def _results(self, acc: Sequence[Any], reduction: KernelReduction) -> Any:
        """Return a vector of the results of all rows, each of which has an accumulator."""
        b, lanes = self.b, self.w.lanes
        size = _size(reduction.dtype)
        order = _order(len(acc), lanes, size)
        vectors = [acc[order.index(row)] for row in range(len(acc))]
        combine, part = getattr(b, reduction.combine), lanes
        while part > 1:
            part //= 2
            if len(vectors) > 1:
                rows = [lanes // (2 * part)] * 2
                pairs = [*zip(vectors[::2], vectors[1::2], strict=True)]
            else:
                rows, pairs = [len(acc)], [(vectors[0], vectors[0])]
            one, two = _halves(rows, part, size)
            vectors = [combine(_shuffled(b, x, y, one), _shuffled(b, x, y, two)) for x, y in pairs]
        return vectors[0]


def _shuffled(b: Builder, x: Any, y: Any, order: list[int]) -> Any:
    if isinstance(x, ComplexValue):
        parts = (x.real, y.real), (x.imag, y.imag)
        return ComplexValue(*(b.shuffle(one, two, order) for one, two in parts))
    return b.shuffle(x, y, order)


def _order(count: int, lanes: int, size: int) -> list[int]:
    """Return which rows the lanes belong to in the end, of vectors of one row each."""
    rows, part = [[row] for row in range(count)], lanes
    while len(rows) > 1:
        part //= 2
        rows = [_joined(x, y, part * size) for x, y in zip(rows[::2], rows[1::2], strict=True)]
    return rows[0]


def _joined(x: list[int], y: list[int], part: int) -> list[int]:
    """Return in which order rows of two vectors, `part` bytes of each, are in one."""
    each = BLOCK // (2 * part) if 2 * part <= BLOCK else len(x)
    groups = range(0, len(x), each)
    return [row for at in groups for row in (*x[at : at + each], *y[at : at + each])]


def _halves(counts: list[int], half: int, size: int) -> tuple[list[int], list[int]]:
    """Return the lanes of lower and of upper halves of rows, of which vectors hold so many."""
    numbers = [*range(sum(counts))]
    if len(counts) > 1:
        numbers = _joined(numbers[: counts[0]], numbers[counts[0] :], half * size)
    lower = [2 * half * row + lane for row in numbers for lane in range(half)]
    return lower, [lane + half for lane in lower]
