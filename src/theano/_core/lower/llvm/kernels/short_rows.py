"""Reductions of short rows across which vectors run: a row stays in registers.

The items of a row are near each other, so that nothing is gained by walking along the rows first,
as sums of far columns are. Rows of a few items without gaps are read as whole vectors, of which
shuffles make the vectors of first items, of second items, and so on.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from theano._core.lower.llvm.kernels.columns import ColumnLoop
from theano._core.lower.llvm.kernels.frame import Frame
from theano._core.lower.llvm.kernels.items import Memory, itemsize, load
from theano._core.lower.llvm.text.emitter import Value

# Items of rows that have a text of their own, if what is done with an item is at most so much.
FEW, LIGHT = (2, 3, 4), 8


def suits(kernel: Frame) -> bool:
    """Tell whether a kernel reduces short rows of packed data, and its vectors run over these."""
    inner = [group for group, inside in zip(kernel.groups, kernel.reduced, strict=True) if inside]
    if not (kernel.spaced and inner) or kernel.reduced[kernel.last]:
        return False
    # Complex numbers pass through buffers, which rows in turn leave more time for.
    plain = not any(dtype.startswith("complex") for dtype, _ in kernel.loop.operands)
    return plain and kernel.groups[kernel.last] < inner[-1]


class ShortRows(ColumnLoop):
    """Reductions of the rows of a kernel that `suits`."""

    def columns(self, inner: list[int]) -> None:
        """Write them: `inner` are the axes that are reduced."""
        start = self.lo
        if self._may_be_few(inner):
            start = self._few(inner[0])
        # What is only reduced may be so twice.
        again = None if self.w.loop.stores else self.lo
        rows = partial(self._rows, inner)
        self.over(start, self.hi, self.w.lanes, rows, start=again)

    def _rows(self, inner: list[int], first: str, count: str, _: Sequence[object]) -> list[Any]:
        """Reduce a vector of rows."""

        def step(moved: dict[int, str], acc: Sequence[object]) -> list[Any]:
            return self._column_step(moved, first, count, acc)

        starts = self.w._start_accumulators(self.w.lanes)
        totals = self.w._nested_reduction(inner, self.pointers, starts, step)
        self._store_totals(first, count, totals)
        return []

    # -- few items --------------------------------------------------------------------------------

    def _may_be_few(self, inner: list[int]) -> bool:
        w = self.w
        light = w.loop.weight <= LIGHT and not w.loop.stores and w.lanes > 1
        return light and inner == [w.last - 1] and w.split < 0

    def _few(self, axis: int) -> str:
        """Write whole vectors of rows of few items without gaps; return the first row behind."""
        b, lanes = self.b, self.w.lanes
        count = b.emit(f"sub i64 {self.hi}, {self.lo}")
        left = b.emit(f"urem i64 {count}, {lanes}")
        middle = b.emit(f"sub i64 {self.hi}, {left}")
        rest = b.fresh_label("rows")
        ways = []
        for n in FEW:
            few, more = b.fresh_label("few"), b.fresh_label("more")
            b.perform(f"br i1 {self._holds(n, axis)}, label %{few}, label %{more}")
            b.label(few)
            self._whole_vectors(n, axis, middle)
            ways.append(f"[{middle}, %{b.block}]")
            b.perform(f"br label %{rest}")
            b.label(more)
        ways.append(f"[{self.lo}, %{b.block}]")
        b.perform(f"br label %{rest}")
        b.label(rest)
        return b.emit(f"phi i64 {', '.join(ways)}")

    def _holds(self, n: int, axis: int) -> str:
        """Return whether rows have `n` items and no gaps."""
        w, b = self.w, self.b
        held = b.emit(f"icmp eq i64 {w.shape[axis]}, {n}")
        for memory in w.operands:
            size, along = itemsize(memory.dtype), axis in memory.strides
            wanted = {axis: size, w.last: n * size if along else size}
            for one in {axis, w.last} & memory.strides.keys() if w.last in memory.strides else ():
                same = b.emit(f"icmp eq i64 {memory.strides[one]}, {wanted[one]}")
                held = b.emit(f"and i1 {held}, {same}")
        return held

    def _whole_vectors(self, n: int, axis: int, end: str) -> None:
        w = self.w
        same = [memory for memory in w.operands if w.last not in memory.strides]
        fixed = {memory.slot: self._fixed_items(memory, n, axis) for memory in same}

        def vector(first: str, count: str, _: Sequence[object]) -> list[Any]:
            columns = {
                memory.slot: fixed.get(memory.slot) or self._columns_of(memory, first, n, axis)
                for memory in w.operands
            }
            acc = w._start_accumulators(w.lanes)
            for k in range(n):
                w.index[axis] = str(k)
                values = {slot: items[k] for slot, items in columns.items()}
                acc = self._body(values, first, acc, {})
            self._store_totals(first, count, acc)
            return []

        self.over(self.lo, end, w.lanes, vector)

    def _fixed_items(self, memory: Memory, n: int, axis: int) -> list[Any]:
        """Return what an operand that is the same for all rows has for each item of a row."""
        b, at, items = self.b, self.pointers[memory.slot], []
        for _ in range(n if axis in memory.strides else 1):
            items.append(self._splat(load(b, at, memory.dtype, 1)))
            if axis in memory.strides:
                at = b.emit(f"getelementptr i8, ptr {at}, i64 {memory.strides[axis]}")
        return items if axis in memory.strides else items * n

    def _columns_of(self, memory: Memory, first: str, n: int, axis: int) -> list[Any]:
        """Return the first items of a vector of rows, the second ones, and so on."""
        b, lanes, size = self.b, self.w.lanes, itemsize(memory.dtype)
        together = n if axis in memory.strides else 1
        offset = b.emit(f"mul i64 {first}, {together * size}")
        start = b.emit(f"getelementptr i8, ptr {self.pointers[memory.slot]}, i64 {offset}")
        parts = []
        for part in range(together):
            at = b.emit(f"getelementptr i8, ptr {start}, i64 {part * lanes * size}")
            parts.append(load(b, at, memory.dtype, lanes))
        if together == 1:
            return parts * n
        return [self._every(parts, k) for k in range(n)]

    def _every(self, parts: Sequence[Value], k: int) -> Value:
        """Return item `k` of each row, of rows that lie in so many vectors as they have items."""
        lanes, n = self.w.lanes, len(parts)
        chosen = parts[0]
        for index, part in enumerate(parts[1:], 1):
            # In the first one, items are where they lie; then, in the lanes of their rows.
            taken = [lane if index > 1 else (lane * n + k) % lanes for lane in range(lanes)]
            for lane in range(lanes):
                if (lane * n + k) // lanes == index:
                    taken[lane] = lanes + (lane * n + k) % lanes
            chosen = self.b.shuffle(chosen, part, taken)
        return chosen
