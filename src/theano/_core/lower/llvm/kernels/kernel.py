"""From a loop nest to the text of one kernel function.

Three layouts of the same loop:

- packed: all data is C-contiguous; axes are collapsed, strides follow from the lengths. The last
  axis runs in vectors. Its remainder goes through the same code once more, over small buffers.
- rows: strides are arguments, but along the last axis neighbours lie side by side. It runs in
  vectors as if packed.
- strided: strides are arguments. Vectors of items that are apart go through buffers.

The arguments block holds, as int64: the lengths of the axes; the addresses of operands, stores and
reductions; and in the strided layout their strides in bytes, axis by axis.

A kernel may be split: its range then runs over blocks of one of the reduced axes, so many rows each
as the last argument says, and each block has its partial results, which are C-contiguous.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from theano._core.lower.kernel.loops import REDUCTION_BLOCK, Loop
from theano._core.lower.llvm.builder import Builder
from theano._core.lower.llvm.kernels.columns import ColumnLoop
from theano._core.lower.llvm.kernels.frame import BLOCK, Frame
from theano._core.lower.llvm.kernels.innermost import first_axis, innermost_loop
from theano._core.lower.llvm.kernels.items import Memory, merge, reduce_lanes, store
from theano._core.lower.llvm.kernels.sums import Sums
from theano._core.lower.llvm.kernels.vectors import VectorLoop

# Vectors that are added one after the other: few, so that roundings do not add up.
PIECE = 32
# Items of a tile of a strided loop; a cache line of each fits into the nearest cache.
TILE = 128


def range_axis(
    loop: Loop, groups: Sequence[Sequence[int]], split: int = -1
) -> tuple[int, bool, bool]:
    """Return (which of `groups` the range of a kernel runs over, in blocks, partial results)."""
    reduced = [bool(g) and g[0] in loop.reduced for g in groups]
    if loop.reductions and groups and all(reduced):
        return max(split, 0), len(groups) == 1 or split >= 0, True
    kept = [i for i, r in enumerate(reduced) if not (r and loop.reductions)]
    return (kept or [0])[0], False, False


class KernelWriter(Frame):
    """Writes one kernel."""

    # -- layout -----------------------------------------------------------------------------------

    def write(self) -> str:
        """Return the text of the module."""
        b = self.b
        rank = len(self.groups)
        self.shape = [self._argument(i) for i in range(rank)]
        self._lay_out(rank)
        self._nest()
        b.perform("ret void")
        lines = [
            "define void @kernel(ptr noalias %args, i64 %begin, i64 %end) nounwind {",
            "entry:",
            *self.prologue,
            *b.lines,
            "}",
            *b.helpers.values(),
            *sorted(b.declarations),
        ]
        return "\n".join(lines) + "\n"

    # -- loops ------------------------------------------------------------------------------------

    def _nest(self) -> None:
        pointers = dict(self.bases)
        everything = [*self.operands, *self.stores, *self.reductions]
        if self.full_reduction:
            self._range(0, "%begin", "%end", pointers, everything, self._full_reduction_step)
            return
        if self.split >= 0:
            self._range(BLOCK, "%begin", "%end", pointers, self.reductions, self._block)
        else:
            self._kept_loops(pointers, first=True)

    def _kept_loops(self, pointers: dict[int, str], first: bool) -> None:
        """Write the loops over the axes that are kept, and within them those that are not."""
        everything = [*self.operands, *self.stores, *self.reductions]
        near = first_axis(self)
        outer = [i for i in range(near) if not self.reduced[i]]
        if not self.vector_reduced or self.flat:
            # Vectors run along what is kept, outside the reduced axes, or some rows are one step.
            self._loops([*outer, near], pointers, everything, self._kept_vectors, first)
        else:
            self._loops(outer, pointers, everything, self._row_reduction, first)

    def _block(self, pointers: dict[int, str], number: str) -> None:
        """Write the reduction of one block of the axis that is split."""
        b = self.b
        low = b.emit(f"mul i64 {number}, {self.block_rows}")
        far = b.emit(f"add i64 {low}, {self.block_rows}")
        self.part = low, self.smaller(far, self.shape[self.split])
        self._kept_loops(pointers, first=False)

    def _loops(
        self,
        axes: list[int],
        pointers: dict[int, str],
        memories: list[Memory],
        inner: Callable[..., object],
        first: bool,
    ) -> None:
        """Write the loops over `axes`; `inner(pointers, lo, hi)` writes the last one of them.

        The first loop of a kernel runs over its range, the others over their whole length.
        """
        if not axes:
            inner(pointers, "0", "1")
            return
        axis = axes[0]
        lo, hi = ("%begin", "%end") if first else ("0", self.shape[axis])
        if axes == [first_axis(self)]:
            inner(pointers, lo, hi)
            return
        if len(axes) == 2 and axes[1] == self.last and self.tiled:
            self._tiles(axis, lo, hi, pointers, memories, inner)
            return

        def step(moved: dict[int, str], index: str) -> None:
            self.index[axis] = index
            if len(axes) == 1:
                inner(moved, "0", "1")
            else:
                self._loops(axes[1:], moved, memories, inner, first=False)

        self._range(axis, lo, hi, pointers, memories, step)

    def _tiles(
        self,
        axis: int,
        lo: str,
        hi: str,
        pointers: dict[int, str],
        memories: list[Memory],
        inner: Callable[..., object],
    ) -> None:
        """Write the loop over the last axis but one, once for each tile of the last axis.

        Neighbours along `axis` may share a cache line, which is still there after a short row only.
        """
        length, size = self.shape[self.last], self._tile(axis, memories)

        def tile(_: dict[int, str], number: str) -> None:
            start = self.b.emit(f"mul i64 {number}, {size}")
            far = self.b.emit(f"add i64 {start}, {size}")
            end = self.smaller(far, length)

            def step(moved: dict[int, str], index: str) -> None:
                self.index[axis] = index
                inner(moved, start, end)

            self._range(axis, lo, hi, pointers, memories, step)

        more = self.b.emit(f"sub i64 {size}, 1")
        up = self.b.emit(f"add i64 {length}, {more}")
        count = self.b.emit(f"udiv i64 {up}, {size}")
        self._range(self.last, "0", count, pointers, [], tile)

    def _tile(self, axis: int, memories: list[Memory]) -> str:
        """Return how long tiles are: whole rows where these are what memory is walked along."""
        b, turned = self.b, "false"
        b.declarations["declare i64 @llvm.abs.i64(i64, i1)"] = None
        b.declarations["declare i64 @llvm.smax.i64(i64, i64)"] = None
        for memory in memories:
            if {axis, self.last} <= memory.strides.keys():
                steps = (memory.strides[axis], memory.strides[self.last])
                near, far = (b.emit(f"call i64 @llvm.abs.i64(i64 {s}, i1 false)") for s in steps)
                turned = b.emit(f"or i1 {turned}, {b.emit(f'icmp ult i64 {near}, {far}')}")
        whole = b.emit(f"call i64 @llvm.smax.i64(i64 {self.shape[self.last]}, i64 {TILE})")
        return b.emit(f"select i1 {turned}, i64 {TILE}, i64 {whole}")

    def _range(
        self,
        axis: int,
        lo: str,
        hi: str,
        pointers: dict[int, str],
        memories: list[Memory],
        step: Callable[..., object],
    ) -> None:
        """Write `for index in range(lo, hi)`, moving every pointer along `axis`."""
        b = self.b
        head, body, done = b.fresh_label("head"), b.fresh_label("body"), b.fresh_label("done")
        starts = self._starts(axis, lo, pointers, memories)
        before = b.block
        b.perform(f"br label %{head}")
        b.label(head)
        index = b.emit(f"phi i64 [{lo}, %{before}], [%{body}.next, %{body}.end]")
        moved = {**pointers, **self._moving(starts, before, body)}
        more = b.emit(f"icmp slt i64 {index}, {hi}")
        b.perform(f"br i1 {more}, label %{body}, label %{done}")
        b.label(body)
        step(moved, index)
        b.perform(f"br label %{body}.end")
        b.label(f"{body}.end")
        b.perform(f"%{body}.next = add nsw i64 {index}, 1")
        self._move(starts, moved, body)
        b.perform(f"br label %{head}")
        b.label(done)

    # -- reductions --------------------------------------------------------------------------------

    def _full_reduction_step(self, pointers: dict[int, str], index: str) -> None:
        """One partial result: a block of the last axis, or one step of the first axis."""
        b = self.b
        self.index[0] = index
        if self.blocks:
            lo = b.emit(f"mul i64 {index}, {REDUCTION_BLOCK}")
            far = b.emit(f"add i64 {lo}, {REDUCTION_BLOCK}")
            hi = self.smaller(far, self.shape[self.last])
            start = {**self.bases, **{m.slot: pointers[m.slot] for m in self.reductions}}
            self._reduce_vectors(list(range(self.last)), start, lo, hi)
            return
        self._reduce_vectors(list(range(1, self.last)), pointers, "0", self.shape[self.last])

    def _row_reduction(self, pointers: dict[int, str], lo: str, hi: str) -> None:
        inner = [i for i in range(self.last) if self.reduced[i]]
        self._reduce_vectors(inner, pointers, *self.extent(self.last))

    def _reduce_vectors(self, axes: list[int], pointers: dict[int, str], lo: str, hi: str) -> None:
        """Reduce over `axes` and, in vectors, over [lo, hi) of the last axis; store the results."""
        starts = self._start_accumulators(self.lanes)
        sums = Sums(self.b, self.loop.reductions)
        totals = sums.totals(
            self._nested_reduction(
                axes,
                pointers,
                [*starts, *sums.nothing_lost(starts)],
                lambda moved, acc: self._pieces(moved, lo, hi, sums, acc, bool(axes)),
            )
        )
        for reduction, memory, total in zip(
            self.loop.reductions, self.reductions, totals, strict=True
        ):
            value = reduce_lanes(self.b, reduction.combine, total)
            self._store_scalar(value, memory, pointers[memory.slot])

    def _pieces(
        self,
        pointers: dict[int, str],
        lo: str,
        hi: str,
        sums: Sums,
        acc: Sequence[object],
        nested: bool,
    ) -> list[Any]:
        """Reduce [lo, hi) in vectors; sums in short pieces, whose sums are added without loss."""
        if not sums.any:
            return self._vectors(pointers, lo, hi, acc)
        b, starts = self.b, self._start_accumulators(self.lanes)
        length = b.emit(f"sub i64 {hi}, {lo}")

        def piece(first: str, count: str, acc: Sequence[object]) -> list[Any]:
            end = b.emit(f"add i64 {first}, {count}")
            added = self._vectors(pointers, first, end, sums.started(acc, starts))
            if nested:
                return sums.added(acc, added)
            return self._added_to_others(b.emit(f"icmp eq i64 {count}, {length}"), sums, acc, added)

        return VectorLoop(self, pointers, lo, hi, acc).over(lo, hi, PIECE * self.lanes, piece, acc)

    def _added_to_others(
        self, alone: str, sums: Sums, acc: Sequence[object], piece: Sequence[object]
    ) -> list[Any]:
        """Return the accumulators after a piece: itself if it is `alone`, as in short rows."""
        b = self.b
        others, done = b.fresh_label("others"), b.fresh_label("added")
        before = b.block
        b.perform(f"br i1 {alone}, label %{done}, label %{others}")
        b.label(others)
        added = sums.added(acc, piece)
        after = b.block
        b.perform(f"br label %{done}")
        b.label(done)
        whole = [*piece, *acc[len(piece) :]]
        return [merge(b, x, y, before, after) for x, y in zip(whole, added, strict=True)]

    def _store_scalar(self, value: object, memory: Memory, pointer: str) -> None:
        scalar = Builder.cast(self.b, value, memory.dtype)
        store(self.b, scalar, pointer)

    # -- vectors along the last axis --------------------------------------------------------------

    def _kept_vectors(self, pointers: dict[int, str], lo: str, hi: str) -> None:
        """The last axis is kept: store each vector, reducing the axes inside."""
        self._vectors(pointers, lo, hi, [])

    def _vectors(
        self, pointers: dict[int, str], lo: str, hi: str, acc: Sequence[object]
    ) -> list[Any]:
        """Run [lo, hi) of the last axis in vectors; return the accumulators after it."""
        inner = [i for i in range(self.last) if self.reduced[i]] if not self.vector_reduced else []
        loop = innermost_loop(self)(self, pointers, lo, hi, acc)
        if not self.loop.reductions or self.vector_reduced:
            return loop.packed() if self.unit else loop.strided()
        assert isinstance(loop, ColumnLoop)
        loop.columns(inner)
        return []
