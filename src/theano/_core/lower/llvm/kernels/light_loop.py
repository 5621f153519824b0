"""Loops over packed data that do little: what remains after the last full vector has its own text.

The body of any other loop is its longest part, so that the remainder goes through it once more, by
way of buffers. In rows shorter than a vector, that would be most of the time of a body of a few
instructions. These are written twice: for full vectors, and under a mask.
"""

from __future__ import annotations

from typing import Any

from theano._core.lower.kernel.loops import Loop
from theano._core.lower.llvm.kernels.columns import ColumnLoop
from theano._core.lower.llvm.kernels.frame import Frame
from theano._core.lower.llvm.kernels.items import has_masks, load_items, merge, store_part
from theano._core.lower.llvm.target.codegen import smallest_masked_item
from theano._core.lower.llvm.text.emitter import Value

# Instructions of the longest body that takes no more text twice than once by way of buffers.
LONGEST = 8


def is_light(loop: Loop, lanes: int, vector_bits: int) -> bool:
    """Tell whether a loop does so little that it is written twice, and the processor has masks."""
    return not loop.reductions and _may_be_written_twice(loop, lanes, vector_bits)


def reduces_little(kernel: Frame) -> bool:
    """Tell whether a kernel that reduces packed rows does so little with an item."""
    bits = kernel.b.vector_bits
    return kernel.vector_reduced and _may_be_written_twice(kernel.loop, kernel.lanes, bits)


def _may_be_written_twice(loop: Loop, lanes: int, vector_bits: int) -> bool:
    if lanes == 1 or loop.weight > LONGEST:
        return False
    smallest = smallest_masked_item(vector_bits)
    dtypes = [dtype for dtype, _ in loop.operands] + [*loop.stores]
    return all(not d.startswith("complex") and has_masks(d, smallest) for d in dtypes)


class LightLoop(ColumnLoop):
    """A `VectorLoop` over packed data that `is_light`, or `reduces_little`."""

    def packed(self) -> list[Any]:
        """Write the loop over full vectors, and then what is left."""
        w, b = self.w, self.b
        self._load_fixed(self.pointers)
        full, rest, rest_at = self._blocks()
        memories = [*self.moving, *w.stores]
        starts = self._pointers_at(memories, self.lo)
        tag = b.fresh_label("vec")
        acc = self._packed_steps(tag, full, self.lo, starts, self.acc)
        before = b.block
        more = b.emit(f"icmp sgt i64 {rest}, 0")
        b.perform(f"br i1 {more}, label %{tag}.tail, label %{tag}.finish")
        b.label(f"{tag}.tail")
        part, at = self._part(rest), self._pointers_at(memories, rest_at)
        values = dict(self.fixed_values)
        for memory in self.moving:
            values[memory.slot] = load_items(b, at[memory.slot], memory.dtype, w.lanes, part)
        self.write = lambda value, pointer: store_part(b, _as_stored(b, value), pointer, part)
        added = self._body(values, rest_at, acc, {**self.pointers, **at})
        added, after = self._of_items(rest, added, acc), b.block
        b.perform(f"br label %{tag}.finish")
        b.label(f"{tag}.finish")
        return [merge(b, a, f, before, after) for a, f in zip(acc, added, strict=True)]


def _as_stored(b: Any, value: Value) -> Value:
    return b.convert("zext", value, "int8") if value.dtype == "bool" else value
