"""Short rows without gaps, walked as one: a vector holds items of several of them.

What has one item for each row, or is one row for all, is read for the rows of a vector, and its
items are brought to their lanes: each lane's row, and its place there, follow from the first one's.
Where vectors hold whole rows, these are the same for all vectors; loops that do little have a text
of their own for that.
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

# The instructions that bring items to lanes, by lanes and bytes of an item; others are widened.
_MOVES = {
    (16, 4): "llvm.x86.avx512.permvar.si.512",
    (8, 4): "llvm.x86.avx2.permd",
    (8, 8): "llvm.x86.avx512.permvar.di.512",
}
# Longer rows fill vectors well enough.
LONGEST = 32
# Instructions of a body that is written twice.
LIGHT = 8
# Numbers below it have exact quotients by what LONGEST allows, as products.
_SHIFT = 16


def longest(loop: Loop, lanes: int, bits: int) -> int:
    """Return how many items the rows of a loop over two axes may have; 0: it has no such kernel."""
    partly = [(dtype, fixed) for dtype, fixed in loop.operands if len(fixed) == 1]
    dtypes = {dtype for dtype, _ in partly if not dtype.startswith("complex")}
    moved = all(_moved_as(lanes, itemsize(dtype)) for dtype in dtypes)
    if not partly or len(dtypes) < len({dtype for dtype, _ in partly}) or not moved:
        return 0
    if not has_avx512(bits):
        return 0
    # One row for all is in one register.
    return lanes if any(0 in fixed for _, fixed in partly) else LONGEST


def _moved_as(lanes: int, size: int) -> int:
    """Return the bytes of the items as which items of a size are brought to lanes; 0: none are."""
    return min((of for count, of in _MOVES if count == lanes and of >= size), default=0)


class FlatRows(VectorLoop):
    """Vectors over all items of the rows [lo, hi) of the kernel that `writer` writes."""

    along = 2

    def __init__(
        self, writer: Frame, pointers: dict[int, str], lo: str, hi: str, acc: Sequence[object]
    ) -> None:
        b = writer.b
        self.rows, self.length = writer.shape[-2:]
        ends = [b.emit(f"mul i64 {row}, {self.length}") for row in (lo, hi)]
        super().__init__(writer, pointers, ends[0], ends[1], acc)
        both = writer.last - 1, writer.last
        moves = {m.slot: tuple(axis in m.strides for axis in both) for m in writer.operands}
        self.moving = [m for m in writer.operands if all(moves[m.slot])]
        self.fixed = [m for m in writer.operands if not any(moves[m.slot])]
        self.of_rows = [m for m in writer.operands if moves[m.slot] == (True, False)]
        self.of_columns = [m for m in writer.operands if moves[m.slot] == (False, True)]
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
        # How far to shift for the row of an item, and what `_places` gives, where that is known.
        self.shift = ""
        self.always: tuple[Value, Value] | None = None
        self.one_row = {m.slot: self._some(m, "0", self.length) for m in self.of_columns}

    def packed(self) -> list[Any]:
        """Write the loop, and where it does little, once more for vectors of whole rows."""
        b, lanes = self.b, self.w.lanes
        if self.w.loop.weight > LIGHT:
            return super().packed()
        one = b.emit(f"sub i64 {self.length}, 1")
        power = b.emit(f"icmp eq i64 {b.emit(f'and i64 {self.length}, {one}')}, 0")
        b.declarations["declare i64 @llvm.cttz.i64(i64, i1)"] = None
        self.shift = b.emit(f"call i64 @llvm.cttz.i64(i64 {self.length}, i1 false)")
        within = b.emit(f"icmp ult i64 {one}, {lanes}")
        whole, parts, walked = (b.fresh_label(name) for name in ("whole", "parts", "walked"))
        b.perform(f"br i1 {b.emit(f'and i1 {power}, {within}')}, label %{whole}, label %{parts}")
        b.label(whole)
        numbers = self._lane_numbers("int32")
        rows = b.binary("lshr", numbers, self._spread(self.shift))
        self.always = rows, b.sub(numbers, b.mul(rows, self.step))
        super().packed()
        self.always = None
        b.perform(f"br label %{walked}")
        b.label(parts)
        super().packed()
        b.perform(f"br label %{walked}")
        b.label(walked)
        return []

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
        wide = _moved_as(lanes, size)
        items = items if wide == size else b.convert("zext", items, f"int{8 * wide}")
        places = places if wide == 4 else b.convert("zext", places, f"int{8 * wide}")
        name, type_ = _MOVES[lanes, wide], items.type
        b.declarations[f"declare {type_} @{name}({type_}, {type_})"] = None
        call = f"call {type_} @{name}({type_} {items.text}, {type_} {places.text})"
        moved = items.replace(text=b.emit(call))
        moved = moved if wide == size else b.convert("trunc", moved, f"int{8 * size}")
        if dtype == "bool":
            return b.neq(moved, 0)
        cast = f"bitcast {moved.type} {moved.text} to {llvm_type(dtype, lanes)}"
        return Value(b.emit(cast), dtype, lanes)

    def _body(
        self,
        values: dict[int, Variable],
        first: str,
        acc: Sequence[object],
        pointers: dict[int, str],
    ) -> list[Any]:
        b, by_slot = self.b, dict[int, Any](values)
        row, rows, columns = self._places(first)
        for memory in self.of_rows:
            items = self._some(memory, row, b.emit(f"sub i64 {self.rows}, {row}"))
            by_slot[memory.slot] = self._moved(items, rows, memory.dtype)
        for memory in self.of_columns:
            items = self.one_row[memory.slot]
            by_slot[memory.slot] = self._moved(items, columns, memory.dtype)
        return super()._body(by_slot, first, acc, pointers)

    def _places(self, first: str) -> tuple[str, Value, Value]:
        """Return the row of an item; of a vector from it on the rows from there, and the places."""
        b = self.b
        if self.always is not None:
            return b.emit(f"lshr i64 {first}, {self.shift}"), *self.always
        twice = b.emit(f"shl i64 {first}, 1")
        wide = b.emit(f"zext i64 {b.emit(f'or i64 {twice}, 1')} to i128")
        by = b.emit(f"zext i64 {self.reciprocal} to i128")
        high = b.emit(f"lshr i128 {b.emit(f'mul i128 {wide}, {by}')}, 64")
        row = b.emit(f"trunc i128 {high} to i64")
        begin = b.emit(f"mul i64 {row}, {self.length}")
        place = self._spread(b.emit(f"sub i64 {first}, {begin}"))
        places = b.add(self._lane_numbers("int32"), place)
        rows = b.binary("lshr", b.mul(places, self.narrow), _SHIFT)
        return row, rows, b.sub(places, b.mul(rows, self.step))
