"""Reductions of many short rows: some rows are added as one, and their parts in the end.

A row of three colours fills part of a vector. Where all that moves lies without gaps, so many rows
as make whole vectors are reduced into as many accumulators at once, as if they were one row; what
is one row for all is repeated as often. Then the accumulators of each column are reduced by halves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from theano._core.lower.kernel.loops import Loop
from theano._core.lower.llvm.kernels.columns import WIDE, ColumnLoop
from theano._core.lower.llvm.kernels.items import Memory, itemsize, load, store
from theano._core.lower.llvm.kernels.lanes import LIGHT
from theano._core.lower.llvm.kernels.rows_together import ROWS, is_far

# The longest rows: of longer ones, vectors are full but for the last.
LONGEST_ROW = 32
# Bytes of the widest vectors: how rows are reduced may not depend on those that there are.
WIDEST = 64
# Rows that are reduced as one at most.
MOST = 64
# Rows are reduced so if there are so many times as many as at once.
LEAST_TIMES = 4
# So many reductions, and rows that are repeated, have memory on the stack, which is not large.
MOST_BUFFERS = 4


def whole_row(loop: Loop) -> int:
    """Return how many items fill the widest vector."""
    return WIDEST // min(max((itemsize(dtype) for dtype, _ in loop.operands), default=8), 8)


def rows_at_once(loop: Loop) -> int:
    """Return how many rows are reduced as one: whole vectors of any width, and not much memory."""
    return min(WIDE * whole_row(loop), MOST)


def fewest_at_once(loop: Loop) -> int:
    """Return how many rows are reduced as one where there are few: they fill a part of a vector."""
    return min(max(8, whole_row(loop) // 4), rows_at_once(loop))


def is_flat(loop: Loop, groups: Sequence[Sequence[int]]) -> bool:
    """Tell whether rows of a loop over packed data may be reduced so: its last group is a row."""
    if len(groups) < 2 or not loop.reductions or loop.stores:
        return False
    last, rows = groups[-1][0], groups[-2][0]
    if last in loop.reduced or rows not in loop.reduced:
        return False
    inner = {group[0] for group in groups if group[0] in loop.reduced}
    repeated = sum(rows in fixed and last not in fixed for _, fixed in loop.operands)
    if len(loop.reductions) + repeated > MOST_BUFFERS:
        return False
    for _, fixed in loop.operands:
        if rows in fixed and last not in fixed and not inner <= fixed:
            return False
        if last in fixed and rows not in fixed:
            return False
    return True


class FlatColumns(ColumnLoop):
    """Reductions over the rows of a kernel that `is_flat`, of the whole last axis."""

    def columns(self, inner: list[int]) -> None:
        """Write them: `inner` are the axes that are reduced, the last one that of the rows."""
        w, b = self.w, self.b
        self.axis = inner[-1]
        most = rows_at_once(w.loop)
        self.at_once = self._rows_as_one(most)
        light = w.lanes * WIDE <= most and w.loop.weight <= LIGHT
        self.wide = WIDE if light else 1
        self.width = b.emit(f"mul i64 {w.shape[w.last]}, {self.at_once}")
        room = most * LONGEST_ROW + w.lanes
        self.totals = [self._memory(itemsize(f.dtype) * room) for f in w.loop.reductions]
        with self._repeated():
            self._each("0", self.width, self._begin)
            w._nested_reduction(inner[:-1], self.pointers, [], self._rows)
        self._by_halves(most)
        self._each("0", w.shape[w.last], self._store_columns)

    def _rows_as_one(self, most: int) -> str:
        """Return how many rows are reduced as one, a power of two."""
        w, b, rows = self.w, self.b, str(most)
        there, fewest = w.shape[self.axis], fewest_at_once(w.loop)
        while most > fewest:
            few = b.emit(f"icmp ult i64 {there}, {LEAST_TIMES * most}")
            most //= 2
            rows = b.emit(f"select i1 {few}, i64 {most}, i64 {rows}")
        return rows

    def _each(self, start: str, end: str, block: Any) -> None:
        """Write `block(first, count, places of accumulators)` for each vector of a flat row."""

        def vector(first: str, count: str, _: Sequence[object]) -> list[Any]:
            block(first, count, self._places(first))
            return []

        self.over(start, end, self.w.lanes, vector)

    def _places(self, first: str) -> list[str]:
        pairs = zip(self.totals, self.w.loop.reductions, strict=True)
        return [self._item(total, first, reduction.dtype) for total, reduction in pairs]

    def _begin(self, first: str, count: str, at: list[str]) -> None:
        self._keep(at, self.w._start_accumulators(self.w.lanes))

    @contextmanager
    def _repeated(self) -> Iterator[None]:
        """Have operands that are one row for all read where that is repeated."""
        w, b, kept = self.w, self.b, self.pointers
        self.pointers = dict(kept)
        for memory in w.operands:
            if w.last not in memory.strides or self.axis in memory.strides:
                continue
            size = itemsize(memory.dtype)
            row = self._memory(size * rows_at_once(w.loop) * LONGEST_ROW)
            bytes_of_row = b.emit(f"mul i64 {w.shape[w.last]}, {size}")
            of = row, kept[memory.slot], bytes_of_row
            self.over("0", self.at_once, 1, partial(self._copy_row, *of))
            self.pointers[memory.slot] = row
        yield
        self.pointers = kept

    def _copy_row(self, to: str, start: str, length: str, number: str, *_: object) -> list[Any]:
        b = self.b
        b.declarations["declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)"] = None
        offset = b.emit(f"mul i64 {number}, {length}")
        place = b.emit(f"getelementptr i8, ptr {to}, i64 {offset}")
        rest = f"ptr {place}, ptr {start}, i64 {length}, i1 false"
        b.perform(f"call void @llvm.memcpy.p0.p0.i64({rest})")
        return []

    def _rows(self, pointers: dict[int, str], _: Sequence[object]) -> list[Any]:
        """Reduce the rows along the last reduced axis."""
        w, b = self.w, self.b
        low, high = w.extent(self.axis)
        count = b.emit(f"sub i64 {high}, {low}")
        many = b.emit(f"udiv i64 {count}, {self.at_once}")
        done = b.emit(f"mul i64 {many}, {self.at_once}")
        left = b.emit(f"sub i64 {count}, {done}")
        middle = b.emit(f"add i64 {low}, {done}")
        first, rest = (self._moved(pointers, at) for at in (low, middle))
        operands = w.operands
        w.operands = [self._wider_steps(memory) for memory in operands]
        with self._wider():
            self.over("0", many, self._together(), lambda *part: self._some(first, *part[:2]))
        w.operands = operands
        items = b.emit(f"mul i64 {left}, {w.shape[w.last]}")
        self._each("0", items, lambda *vector: self._rest(rest, *vector))
        return []

    def _together(self) -> int | str:
        """Return how many flat rows are read side by side: not those that come from memory.

        Some processors fetch only what is read in order; to others it does not matter.
        """
        far = is_far(self.w, self.axis)
        return self.b.emit(f"select i1 {far}, i64 1, i64 {ROWS}") if far else ROWS

    def _moved(self, pointers: dict[int, str], row: str) -> dict[int, str]:
        """Return the pointers to a row."""
        moved = dict(pointers)
        for memory in self.w.operands:
            if self.axis in memory.strides:
                offset = self.b.emit(f"mul i64 {row}, {memory.strides[self.axis]}")
                start = pointers[memory.slot]
                moved[memory.slot] = self.b.emit(f"getelementptr i8, ptr {start}, i64 {offset}")
        return moved

    def _wider_steps(self, memory: Memory) -> Memory:
        stride = memory.strides.get(self.axis)
        if stride is None:
            return memory
        step = self.b.emit(f"mul i64 {stride}, {self.at_once}")
        return memory.replace(strides={**memory.strides, self.axis: step})

    def _some(self, pointers: dict[int, str], low: str, rows: str) -> list[Any]:
        """Reduce some flat rows, vector by vector."""
        high = self.b.emit(f"add i64 {low}, {rows}")

        def part(first: str, count: str, at: list[str]) -> None:
            self._column([self.axis], pointers, low, high, first, count, at)

        self._each("0", self.width, part)
        return []

    def _rest(self, pointers: dict[int, str], first: str, count: str, at: list[str]) -> None:
        """Reduce a vector of the rows that are left; accumulators behind them stay as they are."""
        pairs = zip(at, self.w.loop.reductions, strict=True)
        acc = [load(self.b, place, f.dtype, self.w.lanes) for place, f in pairs]
        results = self._column_step(pointers, first, count, acc)
        self._keep(at, self._of_items(count, results, acc))

    def _by_halves(self, rows: int) -> None:
        """Reduce the accumulators of each column: the first half of the rows takes the second."""
        w, b = self.w, self.b
        while rows > 1:
            rows //= 2
            there = b.emit(f"icmp ugt i64 {self.at_once}, {rows}")
            items = b.emit(f"mul i64 {w.shape[w.last]}, {rows}")
            half = b.emit(f"select i1 {there}, i64 {items}, i64 0")

            def part(first: str, count: str, at: list[str], half: str = half) -> None:
                # Behind the half, vectors write what nothing reads any more.
                other = self._places(b.emit(f"add i64 {first}, {half}"))
                for f, one, two in zip(w.loop.reductions, at, other, strict=True):
                    both = (load(b, place, f.dtype, w.lanes) for place in (one, two))
                    store(b, getattr(b, f.combine)(*both), one)

            self._each("0", half, part)
