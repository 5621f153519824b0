"""What is known of a kernel while it is written: its loops, arguments and memory.

The arguments block holds, as int64: the lengths of the axes; the addresses of operands, stores and
reductions; and in the strided layout their strides in bytes, axis by axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from theano._core.lower.kernel.loops import Loop
from theano._core.lower.llvm.builder import Builder
from theano._core.lower.llvm.kernels.items import Memory, constant, itemsize
from theano._core.lower.llvm.target.codegen import (
    has_avx512,
    has_fast_gathers,
    smallest_masked_item,
)
from theano._core.lower.llvm.text.emitter import ComplexValue, Value

# The axis of partial results that counts the blocks of a kernel that is split.
BLOCK = -1


class Frame:
    """A kernel that is written.

    Parameters
    ----------
    loop : Loop
    groups : sequence of sequence of int
        Axes that are walked as one.
    layout : {'packed', 'rows', 'strided'}
    lanes : int
        Items of a vector.
    bits : int
        Width of the vectors of the target.
    split : int
        The reduced axis over blocks of which the range runs; -1: none.
    near : sequence of int
        Operands, stores and reductions, counted in this order, whose neighbours along the last axis
        lie side by side in a strided layout, too.
    flat : bool
        The rows of a packed loop over two axes are walked as one, or reduced several at once.
    spaced : sequence of int
        Operands whose neighbours along the last axis of a strided loop are likely some items apart.
    """

    def __init__(
        self,
        loop: Loop,
        groups: Sequence[Sequence[int]],
        layout: str,
        lanes: int,
        bits: int,
        split: int = -1,
        near: Sequence[int] = (),
        flat: bool = False,
        spaced: Sequence[int] = (),
    ) -> None:
        self.loop = loop
        self.split = split
        self.groups = [tuple(g) for g in groups] or [()]
        self.packed = layout == "packed"
        # Whether neighbours along the last axis lie side by side.
        self.unit = layout != "strided"
        self.lanes, self.flat = lanes, flat
        self.near = {len(self.groups) + i for i in near}
        self.spaced = {len(self.groups) + i for i in spaced}
        self.b = Builder(lanes, bits)
        self.b.fenced = not has_avx512(bits)
        self.b.scales = has_avx512(bits)
        self.b.gathers = has_fast_gathers(bits)
        self.smallest_masked = smallest_masked_item(bits) if lanes > 1 else 0
        self.b.smallest_masked = self.smallest_masked
        reduced = set(loop.reduced)
        self.reduced = [bool(g) and g[0] in reduced for g in self.groups]
        self.full_reduction = bool(loop.reductions) and all(self.reduced)
        self.blocks = self.full_reduction and (len(self.groups) == 1 or split >= 0)
        self.last = len(self.groups) - 1
        self.vector_reduced = bool(loop.reductions) and self.reduced[self.last]
        # Where vectors run over an axis that lies before the others, these are walked for a part.
        kept = [g for g, inside in zip(self.groups, self.reduced, strict=True) if not inside]
        turned = len(kept) > 1 and kept[-1] < kept[-2] and not self.vector_reduced
        # Loops whose points must run in order have vectors of one item.
        self.tiled = not self.unit and (not loop.reductions or turned) and lanes > 1
        self.prologue: list[str] = []
        # Register of the position along each axis that has a loop of its own.
        self.index: dict[int, str] = {}
        # Of the axes.
        self.shape: list[str] = []
        # What is walked of the axis that is split.
        self.part = ("0", "0")
        # Where the last vectors begin that end in operands of several rows, by slots.
        self.ends: dict[int, str] = {}

    def smaller(self, one: str, two: str) -> str:
        """Return the smaller one of two lengths."""
        self.b.declarations["declare i64 @llvm.smin.i64(i64, i64)"] = None
        return self.b.emit(f"call i64 @llvm.smin.i64(i64 {one}, i64 {two})")

    def _argument(self, index: int) -> str:
        pointer = self.b.emit(f"getelementptr i64, ptr %args, i64 {index}")
        return self.b.emit(f"load i64, ptr {pointer}, align 8")

    def _address(self, slot: int) -> str:
        pointer = self.b.emit(f"getelementptr i64, ptr %args, i64 {slot}")
        return self.b.emit(f"load ptr, ptr {pointer}, align 8")

    def _lay_out(self, rank: int) -> None:
        loop = self.loop
        kept = tuple(i for i in range(rank) if not self.reduced[i])
        every = tuple(range(rank))
        moves = []
        for _, broadcast_axes in loop.operands:
            moves.append(
                tuple(
                    i for i in every if self.groups[i] and self.groups[i][0] not in broadcast_axes
                )
            )
        wanted = [(d, m) for (d, _), m in zip(loop.operands, moves, strict=True)]
        wanted += [(d, every) for d in loop.stores]
        # Partial results of a reduction of everything lie along the first axis.
        partial = self.full_reduction or self.split >= 0
        wanted += [
            (f.dtype if partial else f.out_dtype, (0,) if self.full_reduction else kept)
            for f in loop.reductions
        ]
        slot = rank
        strides_at = rank + len(wanted) + (len(loop.reductions) if self.full_reduction else 0)
        memories = []
        for dtype, axes in wanted:
            strides: dict[int, str] = {}
            of_reduction = len(memories) >= len(loop.operands) + len(loop.stores)
            if self.full_reduction and of_reduction:
                strides = {0: str(itemsize(dtype))}
            elif self.split >= 0 and of_reduction:
                strides = self._packed_strides(dtype, (BLOCK, *axes))
                # Those of the results are passed over.
                strides_at += 0 if self.packed else len(axes)
            elif self.packed:
                strides = self._packed_strides(dtype, axes)
            else:
                for axis in axes:
                    strides[axis] = self._argument(strides_at)
                    strides_at += 1
                if (self.unit or slot in self.near) and self.last in strides:
                    strides[self.last] = str(itemsize(dtype))
            memories.append(Memory(dtype, axes, slot, strides))
            slot += 1
        n, m = len(loop.operands), len(loop.stores)
        self.operands, self.stores, self.reductions = (
            memories[:n],
            memories[n : n + m],
            memories[n + m :],
        )
        self.bases = {memory.slot: self._address(memory.slot) for memory in memories}
        if self.split >= 0 and not self.full_reduction:
            self.block_rows = self._argument(strides_at)
        self._find_ends()

    def _find_ends(self) -> None:
        """Write where the last whole vectors of operands begin, of which rows may end before."""
        b, steps = self.b, dict[int, str]()
        for memory in self.operands if self.unit and self.lanes > 1 else ():
            if self.last not in memory.strides or len(memory.strides) == 1:
                continue
            offset = str(itemsize(memory.dtype) * (1 - self.lanes))
            for axis, stride in memory.strides.items():
                if axis not in steps:
                    steps[axis] = b.emit(f"sub i64 {self.shape[axis]}, 1")
                beyond = b.emit(f"mul i64 {steps[axis]}, {stride}")
                offset = b.emit(f"add i64 {offset}, {beyond}")
            start = f"ptr {self.bases[memory.slot]}"
            self.ends[memory.slot] = b.emit(f"getelementptr i8, {start}, i64 {offset}")

    def _packed_strides(self, dtype: str, axes: Sequence[int]) -> dict[int, str]:
        strides: dict[int, str] = {}
        step = str(itemsize(dtype))
        for axis in reversed(axes):
            strides[axis] = step
            if axis != axes[0]:
                step = self.b.emit(f"mul i64 {step}, {self.shape[axis]}")
        return strides

    def extent(self, axis: int) -> tuple[str, str]:
        """Return the ends of what is walked of a reduced axis."""
        return self.part if axis == self.split else ("0", self.shape[axis])

    def _start_accumulators(self, lanes: int) -> list[Any]:
        return [constant(self.b, f.start, f.dtype, lanes) for f in self.loop.reductions]

    def _nested_reduction(
        self,
        axes: list[int],
        pointers: dict[int, str],
        acc: Sequence[object],
        inner: Any,
        part: tuple[str, str] | None = None,
    ) -> list[Any]:
        """Reduce over `axes`, of the first of them over `part` only if that is given."""
        if not axes:
            return inner(pointers, acc)
        b = self.b
        axis = axes[0]
        low, high = part or self.extent(axis)
        head, body, done = (
            b.fresh_label("reduction"),
            b.fresh_label("into"),
            b.fresh_label("reduced"),
        )
        starts = self._starts(axis, low, pointers, (*self.operands, *self.stores))
        before = b.block
        b.perform(f"br label %{head}")
        b.label(head)
        index = b.emit(f"phi i64 [{low}, %{before}], [%{body}.next, %{body}.end]")
        moved = {**pointers, **self._moving(starts, before, body)}
        names = [f"%{body}.acc{i}" for i in range(len(acc))]
        inside = [
            self._phi(a, before, name, f"{body}.end") for a, name in zip(acc, names, strict=True)
        ]
        more = b.emit(f"icmp slt i64 {index}, {high}")
        b.perform(f"br i1 {more}, label %{body}, label %{done}")
        b.label(body)
        self.index[axis] = index
        results = self._nested_reduction(axes[1:], moved, inside, inner)
        b.perform(f"br label %{body}.end")
        b.label(f"{body}.end")
        for result, name in zip(results, names, strict=True):
            self._rename(result, name)
        b.perform(f"%{body}.next = add nsw i64 {index}, 1")
        self._move(starts, moved, body)
        b.perform(f"br label %{head}")
        b.label(done)
        return inside

    # Pointers of a loop along an axis move by its strides: LLVM is not asked to find that out.

    def _starts(
        self, axis: int, low: str, pointers: dict[int, str], memories: Sequence[Memory]
    ) -> dict[int, tuple[str, str]]:
        """Return (pointer at `low`, stride) of what moves along an axis, by slots."""
        b, starts = self.b, {}
        for memory in memories:
            if (stride := memory.strides.get(axis)) is None:
                continue
            start = pointers[memory.slot]
            if low != "0":
                offset = b.emit(f"mul i64 {low}, {stride}")
                start = b.emit(f"getelementptr i8, ptr {start}, i64 {offset}")
            starts[memory.slot] = start, stride
        return starts

    def _moving(self, starts: dict[int, tuple[str, str]], before: str, body: str) -> dict[int, str]:
        """Write the pointers of a step at the head of a loop."""
        return {
            slot: self.b.emit(f"phi ptr [{start}, %{before}], [%{body}.at{slot}, %{body}.end]")
            for slot, (start, _) in starts.items()
        }

    def _move(self, starts: dict[int, tuple[str, str]], moved: dict[int, str], body: str) -> None:
        """Write those of the next step at the end of the loop."""
        for slot, (_, stride) in starts.items():
            self.b.perform(f"%{body}.at{slot} = getelementptr i8, ptr {moved[slot]}, i64 {stride}")

    def _phi(self, start: Any, before: str, name: str, after: str) -> Any:
        if isinstance(start, ComplexValue):
            return ComplexValue(
                self._phi(start.real, before, f"{name}r", after),
                self._phi(start.imag, before, f"{name}i", after),
            )
        text = self.b.emit(f"phi {start.type} [{start.text}, %{before}], [{name}, %{after}]")
        return Value(text, start.dtype, start.lanes)

    def _rename(self, value: Any, name: str) -> None:
        if isinstance(value, ComplexValue):
            self._rename(value.real, f"{name}r")
            self._rename(value.imag, f"{name}i")
            return
        # A bitcast to its own type gives a value the name that a phi above refers to.
        self.b.perform(f"{name} = bitcast {value.type} {value.text} to {value.type}")
