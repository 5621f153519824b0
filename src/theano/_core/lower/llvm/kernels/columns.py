"""Reductions of columns: the last axis is kept, in vectors, and other axes are reduced inside.

Accumulators of a panel of columns are in memory, in the nearest cache, while rows are reduced into
them, some at a time. Rows that are few are reduced into registers, vector by vector.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from theano._core.ir.variable import Variable
from theano._core.lower.llvm.kernels.items import (
    itemsize,
    load,
    store,
)
from theano._core.lower.llvm.kernels.lanes import LIGHT, registers_of
from theano._core.lower.llvm.kernels.rows_together import ROWS, rows_together
from theano._core.lower.llvm.kernels.vectors import VectorLoop

# Bytes of the accumulators of a panel of columns, which stay in the nearest cache.
PANEL = 1 << 13
# Bytes from what is read of one of few rows to what is fetched of it.
AHEAD = 1 << 11
# Vectors of columns that a light body reduces at once, since neighbouring lines of memory are read
# together at twice the speed.
WIDE = 4


class ColumnLoop(VectorLoop):
    """A `VectorLoop` that reduces columns as well."""

    def columns(self, inner: list[int]) -> None:
        """Write reductions over the axes `inner` of panels of columns; accumulators are in memory.

        What is read of a row at once is long: several vectors, if the body is light.
        """
        w = self.w
        vector = w.lanes * max(itemsize(f.dtype) for f in w.loop.reductions)
        columns = w.lanes * max(1, PANEL // vector)
        light = w.unit and w.lanes > 1 and not w.stores and w.loop.weight <= LIGHT
        wide = max(1, WIDE // len(w.loop.reductions)) if light else 1
        end = self._few_rows(inner, wide) if light and len(inner) == 1 else self.hi
        self.wide = wide
        self.over(self.lo, end, columns, lambda *p: self._panel(inner, columns, *p))

    def _few_rows(self, inner: list[int], wide: int) -> str:
        """Reduce rows that are few, in registers; return where what is left ends.

        Columns are `wide` vectors at once, but as many as there are registers for. Of rows that are
        read in turn, processors fetch too little ahead.
        """
        w, b = self.w, self.b
        low, high = w.extent(inner[0])
        few = b.emit(f"icmp sle i64 {b.emit(f'sub i64 {high}, {low}')}, {ROWS}")
        end = middle = b.emit(f"select i1 {few}, i64 {self.hi}, i64 {self.lo}")

        def vector(first: str, count: str, _: Sequence[object]) -> list[Any]:
            def step(moved: dict[int, str], acc: Sequence[object]) -> list[Any]:
                return self._column_step(moved, first, count, acc)

            acc = w._start_accumulators(w.lanes)
            totals = w._nested_reduction(inner, self.pointers, acc, step)
            self._store_totals(first, count, totals)
            return []

        registers = registers_of(w.loop, w.lanes, b.vector_bits)
        self.wide = min(wide, max(1, 2 * WIDE // registers))
        if self.wide > 1:
            whole = b.emit(f"sub i64 {end}, {self.lo}")
            left = b.emit(f"urem i64 {whole}, {self.wide * w.lanes}")
            middle = b.emit(f"sub i64 {end}, {left}")
            with self._wider(AHEAD):
                self.over(self.lo, middle, w.lanes, vector)
        self.over(middle if self.wide > 1 else self.lo, end, w.lanes, vector)
        return b.emit(f"select i1 {few}, i64 {self.lo}, i64 {self.hi}")

    def _store_totals(self, first: str, count: str, totals: Sequence[Any]) -> None:
        for memory, total in zip(self.w.reductions, totals, strict=True):
            place, spread = self._target(memory, self.pointers[memory.slot], first, count)
            store(self.b, self.b.cast(total, memory.dtype), place)
            spread()

    def _panel(
        self, inner: list[int], columns: int, start: str, count: str, _: list[Variable]
    ) -> list[Any]:
        w, b, begin = self.w, self.b, start
        end = b.emit(f"add i64 {start}, {count}")
        totals = [self._memory(itemsize(f.dtype) * columns) for f in w.loop.reductions]

        def each(block: Callable[..., object], start: str = start, end: str = end) -> list[Any]:
            def vector(first: str, count: str, _: list[Variable]) -> list[Any]:
                at = b.emit(f"sub i64 {first}, {begin}")
                acc = [
                    self._item(total, at, reduction.dtype)
                    for total, reduction in zip(totals, w.loop.reductions, strict=True)
                ]
                block(first, count, acc)
                return []

            return self.over(start, end, w.lanes, vector)

        def some_rows(pointers: dict[int, str], low: str, rows: str) -> list[Any]:
            high = b.emit(f"add i64 {low}, {rows}")

            def reduction(*vector: Any) -> None:
                self._column(inner[-1:], pointers, low, high, *vector)

            if self.wide == 1:
                return each(reduction)
            with self._wider():
                left = b.emit(f"urem i64 {count}, {w.lanes}")
                middle = b.emit(f"sub i64 {end}, {left}")
                each(reduction, end=middle)
            return each(reduction, start=middle)

        def all_rows(pointers: dict[int, str], _: list[Variable]) -> list[Any]:
            if not inner:
                return some_rows(pointers, "0", "1")
            low, high = w.extent(inner[-1])
            together = rows_together(w, inner[-1], columns)
            return self.over(low, high, together, lambda *rows: some_rows(pointers, *rows[:2]))

        each(lambda first, count, acc: self._keep(acc, w._start_accumulators(w.lanes)))
        w._nested_reduction(inner[:-1], self.pointers, [], all_rows)
        each(self._store_columns)
        return []

    @contextmanager
    def _wider(self, ahead: int = 0) -> Iterator[None]:
        """Write for several vectors at once, all of whose items are there.

        What is so many bytes `ahead` is fetched into the cache.
        """
        w, lanes = self.w, self.w.lanes
        self.b.lanes = w.lanes = lanes * self.wide
        self.whole, self.ahead = True, ahead
        try:
            yield
        finally:
            self.b.lanes = w.lanes = lanes
            self.whole, self.ahead = False, 0

    def _column(
        self,
        axes: list[int],
        pointers: dict[int, str],
        low: str,
        high: str,
        first: str,
        count: str,
        at: list[str],
    ) -> None:
        """Reduce the rows [low, high) of a vector of columns into the accumulators at `at`."""
        w, b = self.w, self.b
        acc = [
            load(b, a, reduction.dtype, w.lanes)
            for a, reduction in zip(at, w.loop.reductions, strict=True)
        ]
        results = w._nested_reduction(
            axes,
            pointers,
            acc,
            lambda moved, acc: self._column_step(moved, first, count, acc),
            (low, high),
        )
        self._keep(at, results)

    def _keep(self, at: list[str], values: Sequence[object]) -> None:
        for pointer, value in zip(at, values, strict=True):
            store(self.b, value, pointer)

    def _item(self, start: str, index: str, dtype: str) -> str:
        offset = self.b.emit(f"mul i64 {index}, {itemsize(dtype)}")
        return self.b.emit(f"getelementptr i8, ptr {start}, i64 {offset}")

    def _store_columns(self, first: str, count: str, acc: list[str]) -> None:
        w = self.w
        pairs = zip(w.loop.reductions, acc, strict=True)
        totals = [load(self.b, at, reduction.dtype, w.lanes) for reduction, at in pairs]
        self._store_totals(first, count, totals)

    def _column_step(
        self, moved: dict[int, str], first: str, count: str, acc: Sequence[object]
    ) -> list[Any]:
        w, b = self.w, self.b
        values: dict[int, Any] = {}
        for memory in w.operands:
            pointer = moved[memory.slot]
            if w.last not in memory.strides:
                values[memory.slot] = self._splat(load(b, pointer, memory.dtype, 1))
            elif w.unit:
                values[memory.slot] = self._row_part(memory, pointer, first, count)
            else:
                values[memory.slot] = self._gathered(memory, pointer, first, count)
        pointers = dict(moved)
        spread = self._targets(moved, pointers, first, count)
        results = self._body(values, first, acc, pointers)
        spread()
        return results
