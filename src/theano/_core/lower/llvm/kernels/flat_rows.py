"""Short rows without gaps, walked as one: a vector holds items of several of them.

What has one item for each row, or is one row for all, is read for the rows of a vector, and its
items are brought to their lanes: each lane's row, and its place there, follow from the first one's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from theano._core.ir.variable import Variable
from theano._core.lower.kernel.loops import Loop
from theano._core.lower.llvm.kernels.frame import Frame
from theano._core.lower.llvm.kernels.items import Memory, Part, itemsize, load_part
from theano._core.lower.llvm.kernels.vectors import VectorLoop
from theano._core.lower.llvm.target.codegen import has_avx512
from theano._core.lower.llvm.text.emitter import Value, llvm_type

# The instructions that bring items to lanes, by lanes and bytes of an item.
_MOVES = {
    (16, 4): "llvm.x86.avx512.permvar.si.512",
    (8, 4): "llvm.x86.avx2.permd",
    (8, 8): "llvm.x86.avx512.permvar.di.512",
}
# Longer rows fill vectors well enough.
LONGEST = 32
# Numbers below it have exact quotients by what LONGEST allows, as products.
_SHIFT = 16


def longest(loop: Loop, lanes: int, bits: int) -> int:
    """Return how many items the rows of a loop over two axes may have; 0: it has no such kernel."""
    partly = [(dtype, fixed) for dtype, fixed in loop.operands if len(fixed) == 1]
    kinds = {dtype for dtype, _ in partly if not dtype.startswith("complex")}
    moved = all((lanes, itemsize(dtype)) in _MOVES for dtype in kinds)
    if not partly or len(kinds) < len({dtype for dtype, _ in partly}) or not moved:
        return 0
    if not has_avx512(bits):
        return 0
    # One row for all is in one register.
    return lanes if any(0 in fixed for _, fixed in partly) else LONGEST


class FlatRows(VectorLoop):
    """Vectors over all items of the rows [lo, hi) of the kernel that `writer` writes."""

    along = 2

    def __init__(
        self, writer: Frame, pointers: dict[int, str], lo: str, hi: str, acc: Sequence[object]
    ) -> None:
        b = writer.b
        self.rows, self.length = writer.shape
        ends = [b.emit(f"mul i64 {row}, {self.length}") for row in (lo, hi)]
        super().__init__(writer, pointers, ends[0], ends[1], acc)
        self.moving = [m for m in writer.operands if len(m.strides) == 2]
        self.fixed = [m for m in writer.operands if not m.strides]
        self.of_rows = [m for m in writer.operands if [*m.strides] == [0]]
        self.of_columns = [m for m in writer.operands if [*m.strides] == [1]]
        # Lengths are 0 where there is nothing.
        none = b.emit(f"icmp eq i64 {self.length}, 0")
        divisor = b.emit(f"select i1 {none}, i64 1, i64 {self.length}")
        # Of an item, twice its number and one, times this, gives its row, in the upper half.
        twice = b.emit(f"shl i64 {divisor}, 1")
        down = b.emit(f"udiv i64 -1, {twice}")
        self.reciprocal = b.emit(f"add i64 {down}, 1")
        part = b.emit(f"udiv i64 {1 << _SHIFT}, {divisor}")
        self.narrow = self._spread(b.emit(f"add i64 {part}, 1"))
        self.step = self._spread(self.length)
        self.one_row = {m.slot: self._some(m, "0", self.length) for m in self.of_columns}

    def _spread(self, number: str) -> Value:
        """Return a small number in every lane."""
        return self.b.broadcast(self.b.convert("trunc", Value(number, "int64", 1), "int32"))

    def _some(self, memory: Memory, first: str, count: str) -> Value:
        """Return the items from `first` on of an operand that has one axis, at most a vector."""
        b, size, lanes = self.b, itemsize(memory.dtype), self.w.lanes
        offset = b.emit(f"mul i64 {first}, {size}")
        at = b.emit(f"getelementptr i8, ptr {self.pointers[memory.slot]}, i64 {offset}")
        items = load_part(b, at, memory.dtype, Part(self.w.smaller(count, str(lanes)), 1))
        assert items is not None
        return items

    def _moved(self, items: Value, places: Value, dtype: str) -> Value:
        """Return the items at some places, in the lanes of these."""
        b, lanes, size = self.b, self.w.lanes, itemsize(dtype)
        name = _MOVES[lanes, size]
        if size == 8:
            places = b.convert("zext", places, "int64")
        b.declarations[f"declare {items.type} @{name}({items.type}, {items.type})"] = None
        operands = f"{items.type} {items.text}, {items.type} {places.text}"
        moved = b.emit(f"call {items.type} @{name}({operands})")
        return Value(
            b.emit(f"bitcast {items.type} {moved} to {llvm_type(dtype, lanes)}"), dtype, lanes
        )

    def _body(
        self,
        values: dict[int, Variable],
        first: str,
        acc: Sequence[object],
        pointers: dict[int, str],
    ) -> list[Any]:
        b, found = self.b, dict[int, Any](values)
        twice = b.emit(f"shl i64 {first}, 1")
        wide = b.emit(f"zext i64 {b.emit(f'or i64 {twice}, 1')} to i128")
        by = b.emit(f"zext i64 {self.reciprocal} to i128")
        high = b.emit(f"lshr i128 {b.emit(f'mul i128 {wide}, {by}')}, 64")
        row = b.emit(f"trunc i128 {high} to i64")
        begin = b.emit(f"mul i64 {row}, {self.length}")
        place = self._spread(b.emit(f"sub i64 {first}, {begin}"))
        places = b.add(self._lane_numbers("int32"), place)
        rows = b.binary("lshr", b.mul(places, self.narrow), _SHIFT)
        for memory in self.of_rows:
            items = self._some(memory, row, b.emit(f"sub i64 {self.rows}, {row}"))
            found[memory.slot] = self._moved(items, rows, memory.dtype)
        if self.of_columns:
            columns = b.sub(places, b.mul(rows, self.step))
            for memory in self.of_columns:
                items = self.one_row[memory.slot]
                found[memory.slot] = self._moved(items, columns, memory.dtype)
        return super()._body(found, first, acc, pointers)
