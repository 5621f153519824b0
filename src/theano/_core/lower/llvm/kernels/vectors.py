"""The innermost loop of a kernel: vectors along the last axis, and its remainder.

The body of a loop is by far its longest part, so it is written once. In a packed loop the vectors
that are full read and write memory in place. It runs once more for what remains, which is read in
place, too, where a whole vector is in a page, and in the array if its items are floats, or else
copied to buffers of one vector, under a mask where the processor has masks; so are results, from
buffers. In a strided loop full vectors are read and written where they lie if items are neighbours,
others through buffers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from theano._core.base.dtypes import is_continuous
from theano._core.ir.variable import Variable
from theano._core.lower.kernel.expression import Emitted
from theano._core.lower.llvm.kernels.frame import Frame
from theano._core.lower.llvm.kernels.fused_body import write_body
from theano._core.lower.llvm.kernels.items import (
    Memory,
    Part,
    copy_in,
    copy_out,
    has_masks,
    in_one_page,
    itemsize,
    load,
    merge,
    parted,
    select,
    store,
)
from theano._core.lower.llvm.text.emitter import ComplexValue, Value, llvm_type
from theano._core.lower.llvm.text.strided_items import declaration, name_of, near_items

# Bytes of a line of the cache.
LINE = 64


class VectorLoop:
    """Vectors over [lo, hi) of the last axis of the kernel that `writer` writes."""

    along = 1  # Axes that its vectors run along.

    def __init__(
        self, writer: Frame, pointers: dict[int, str], lo: str, hi: str, acc: Sequence[object]
    ) -> None:
        self.w = writer
        self.b = writer.b
        self.pointers = pointers
        self.lo, self.hi = lo, hi
        self.acc = acc
        axis = writer.last
        self.moving = [m for m in writer.operands if axis in m.strides]
        self.fixed = [m for m in writer.operands if axis not in m.strides]
        self.fixed_values: dict[int, Any] = {}
        # Vectors of columns that are reduced at once, and whether that is being written; bytes to
        # what is fetched meanwhile.
        self.wide, self.whole, self.ahead = 1, False, 0
        self.write: Callable[[Any, str], None] = lambda value, at: store(writer.b, value, at)

    # -- pieces -----------------------------------------------------------------------------------

    def _load_fixed(self, pointers: dict[int, str]) -> None:
        for memory in self.fixed:
            if not memory.strides and memory.dtype in ("int64", "float64", "float32"):
                self.fixed_values[memory.slot] = self._loaded_before(memory)
            else:
                scalar = load(self.b, pointers[memory.slot], memory.dtype, 1)
                self.fixed_values[memory.slot] = self._splat(scalar)

    def _loaded_before(self, memory: Memory) -> Value:
        """Return a vector of the one item of an operand, which is read before all loops."""
        lanes, type_ = self.w.lanes, llvm_type(memory.dtype)
        name = f"%before{len(self.w.prologue)}"
        lines = [
            f"{name}.at = getelementptr i64, ptr %args, i64 {memory.slot}",
            f"{name}.pointer = load ptr, ptr {name}.at, align 8",
            f"{name} = load {type_}, ptr {name}.pointer, align 1",
        ]
        if lanes > 1:
            vector = f"<{lanes} x {type_}>"
            both, firsts = f"{vector} {name}.first, {vector} poison", f"<{lanes} x i32>"
            lines += [
                f"{name}.first = insertelement {vector} poison, {type_} {name}, i64 0",
                f"{name}.all = shufflevector {both}, {firsts} zeroinitializer",
            ]
            self.b.firsts[f"{name}.all"] = Value(name, memory.dtype, 1)
            name += ".all"
        self.w.prologue += [f"  {line}" for line in lines]
        return Value(name, memory.dtype, lanes)

    def _splat(self, value: Any) -> Any:
        if isinstance(value, ComplexValue):
            return ComplexValue(self.b.broadcast(value.real), self.b.broadcast(value.imag))
        return self.b.broadcast(value)

    def _lane_numbers(self, dtype: str = "int64") -> Value:
        lanes = self.w.lanes
        if lanes == 1:
            return Value("0", dtype, 1)
        item = llvm_type(dtype)
        numbers = ", ".join(f"{item} {i}" for i in range(lanes))
        return Value(f"<{numbers}>", dtype, lanes)

    def _first(self, count: str) -> Value:
        """Tell the first `count` lanes from the others: a mask for the items that are reduced."""
        size = max(itemsize(f.dtype) for f in self.w.loop.reductions)
        # 16 bits hold the number of lanes of any vector.
        dtype = f"int{8 * min(max(size, 2), 8)}"
        limit = self.b.cast(Value(count, "int64", 1), dtype)
        return self.b.lt(self._lane_numbers(dtype), self.b.broadcast(limit))

    def _buffer(self, memory: Memory, whole: bool) -> str:
        """Return memory for one vector; zero at first if not every lane will be written."""
        size = itemsize(memory.dtype) * self.w.lanes
        name = self._memory(size)
        if not whole:
            self.b.declarations["declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)"] = None
            zero = f"ptr {name}, i8 0, i64 {size}, i1 false"
            self.w.prologue.append(f"  call void @llvm.memset.p0.i64({zero})")
        return name

    def _memory(self, size: int) -> str:
        name = f"%buffer{len(self.w.prologue)}"
        self.w.prologue.append(f"  {name} = alloca [{size} x i8], align 64")
        return name

    def _part(self, count: str) -> Part:
        return Part(count, self.w.smallest_masked)

    def _body(
        self,
        values: dict[int, Variable],
        first: str,
        acc: Sequence[object],
        pointers: dict[int, str],
    ) -> list[Any]:
        """Write the body: stores to `pointers`; return the new accumulators."""
        w, b = self.w, self.b

        def index(axis: int) -> Value:
            # Axes of length 1 have no loop.
            at = next((i for i, group in enumerate(w.groups) if axis in group), None)
            if at is None:
                return b.const(0, "int64")
            if at == w.last:
                start = Value(first, "int64", 1)
                positions = b.add(b.broadcast(start), self._lane_numbers())
                b.firsts[positions.text] = start
                return positions
            return b.broadcast(Value(w.index[at], "int64", 1))

        operands = [values[m.slot] for m in w.operands]
        stored, reduced = write_body(b, w.loop.body, index, operands)
        for memory, value in zip(w.stores, stored, strict=True):
            self.write(self._full(value), pointers[memory.slot])
        results = []
        for reduction, old, value in zip(w.loop.reductions, acc, reduced, strict=True):
            results.append(getattr(b, reduction.combine)(old, self._full(value)))
        return results

    def _of_items(self, count: str, acc: Sequence[object], old: Sequence[object]) -> list[Any]:
        """Return accumulators that lanes behind the first `count` have left as they were."""
        if not acc or self.w.lanes == 1:
            return list(acc)
        valid = self._first(count)
        return [select(self.b, valid, new, kept) for new, kept in zip(acc, old, strict=True)]

    def _full(self, value: Any) -> Any:
        return self._splat(value) if value.lanes != self.w.lanes else value

    def _blocks(self) -> tuple[str, str, str]:
        """Return (number of full vectors, items left, first item left) of [lo, hi)."""
        b, lanes = self.b, self.w.lanes
        n = b.emit(f"sub i64 {self.hi}, {self.lo}")
        full = b.emit(f"udiv i64 {n}, {lanes}")
        done = b.emit(f"mul i64 {full}, {lanes}")
        return full, b.emit(f"sub i64 {n}, {done}"), b.emit(f"add i64 {self.lo}, {done}")

    def _phis(
        self, values: Sequence[object], before: str, names: list[str], after: str
    ) -> list[Any]:
        return [self.w._phi(v, before, n, after) for v, n in zip(values, names, strict=True)]

    # -- packed -----------------------------------------------------------------------------------

    def packed(self) -> list[Any]:
        """Write a loop over packed data; return the accumulators after it."""
        w, b = self.w, self.b
        self._load_fixed(self.pointers)
        full, rest, rest_at = self._blocks()
        memories = [*self.moving, *w.stores]
        starts, rests = (self._pointers_at(memories, at) for at in (self.lo, rest_at))
        buffers = starts
        for m in memories if w.lanes > 1 else ():
            whole = m in w.stores or has_masks(m.dtype, w.smallest_masked)
            buffers = {**buffers, m.slot: self._buffer(m, whole)}
        tag = b.fresh_label("vec")
        phase, tail = f"{tag}.phase", f"{tag}.again"
        before = b.block
        b.perform(f"br label %{phase}")
        b.label(phase)
        again = b.emit(f"phi i1 [false, %{before}], [true, %{tail}]")
        count = b.emit(f"phi i64 [{full}, %{before}], [1, %{tail}]")
        first = b.emit(f"phi i64 [{self.lo}, %{before}], [{rest_at}, %{tail}]")
        left = buffers | {m.slot: f"%{tag}.left{m.slot}" for m in self.moving}
        at = {
            m.slot: b.emit(f"phi ptr [{starts[m.slot]}, %{before}], [{left[m.slot]}, %{tail}]")
            for m in memories
        }
        outer_names = [f"%{tag}.total{i}" for i in range(len(self.acc))]
        acc = self._phis(self.acc, before, outer_names, tail)
        totals = self._packed_steps(tag, count, first, at, acc)
        # Masks in the loop would halve the speed at which memory is read.
        items = b.emit(f"select i1 {again}, i64 {rest}, i64 {w.lanes}")
        totals = self._of_items(items, totals, acc)
        for total, name in zip(totals, outer_names, strict=True):
            w._rename(total, name)
        self._remainder(tag, again, rest, rests, buffers)
        return [self._named(t, n) for t, n in zip(totals, outer_names, strict=True)]

    def _packed_steps(
        self,
        tag: str,
        count: str,
        first: str,
        at: dict[int, str],
        acc: Sequence[object],
    ) -> list[Any]:
        """Write `count` steps from the packed item `first` on; return the accumulators after it."""
        w, b = self.w, self.b
        some = b.emit(f"icmp sgt i64 {count}, 0")
        start_block = b.block
        b.perform(f"br i1 {some}, label %{tag}.loop, label %{tag}.after")
        b.label(f"{tag}.loop")
        k = b.emit(f"phi i64 [0, %{start_block}], [%{tag}.next, %{tag}.end]")
        names = [f"%{tag}.acc{i}" for i in range(len(acc))]
        inside = self._phis(acc, start_block, names, f"{tag}.end")
        values, pointers = dict(self.fixed_values), dict(self.pointers)
        for memory in [*self.moving, *w.stores]:
            offset = b.emit(f"mul i64 {k}, {itemsize(memory.dtype) * w.lanes}")
            pointers[memory.slot] = b.emit(f"getelementptr i8, ptr {at[memory.slot]}, i64 {offset}")
        for memory in self.moving:
            values[memory.slot] = load(b, pointers[memory.slot], memory.dtype, w.lanes)
        step = b.emit(f"mul i64 {k}, {w.lanes}")
        results = self._body(values, b.emit(f"add i64 {first}, {step}"), inside, pointers)
        b.perform(f"br label %{tag}.end")
        b.label(f"{tag}.end")
        for result, name in zip(results, names, strict=True):
            w._rename(result, name)
        b.perform(f"%{tag}.next = add nuw nsw i64 {k}, 1")
        more = b.emit(f"icmp slt i64 %{tag}.next, {count}")
        b.perform(f"br i1 {more}, label %{tag}.loop, label %{tag}.after")
        b.label(f"{tag}.after")
        named = [self._named(r, n) for r, n in zip(results, names, strict=True)]
        return [merge(b, a, r, start_block, f"{tag}.end") for a, r in zip(acc, named, strict=True)]

    def _pointers_at(self, memories: Sequence[Any], position: str) -> dict[int, str]:
        """Return pointers to an item of packed arrays."""
        b = self.w.b
        result = {}
        for memory in memories:
            offset = b.emit(f"mul i64 {position}, {itemsize(memory.dtype)}")
            start = f"ptr {self.pointers[memory.slot]}"
            result[memory.slot] = b.emit(f"getelementptr i8, {start}, i64 {offset}")
        return result

    def _remainder(
        self, tag: str, again: str, rest: str, rests: dict[int, str], buffers: dict[int, str]
    ) -> None:
        """Write the second phase's way in, through buffers, and the copy of its results out."""
        w, b = self.w, self.b
        left = b.emit(f"icmp sgt i64 {rest}, 0")
        more = b.emit(f"select i1 {again}, i1 false, i1 {left}")
        b.perform(f"br i1 {more}, label %{tag}.tail, label %{tag}.done")
        b.label(f"{tag}.tail")
        b.perform(f"br i1 {self._readable(rests)}, label %{tag}.again, label %{tag}.away")
        b.label(f"{tag}.away")
        for memory in self.moving:
            copy_in(b, buffers[memory.slot], rests[memory.slot], memory.dtype, self._part(rest))
        b.perform(f"br label %{tag}.again")
        b.label(f"{tag}.again")
        for m in self.moving:
            places = f"[{rests[m.slot]}, %{tag}.tail], [{buffers[m.slot]}, %{tag}.away]"
            b.perform(f"%{tag}.left{m.slot} = phi ptr {places}")
        b.perform(f"br label %{tag}.phase")
        b.label(f"{tag}.done")
        if w.stores:
            copy, finish = f"{tag}.copy", f"{tag}.finish"
            b.perform(f"br i1 {again}, label %{copy}, label %{finish}")
            b.label(copy)
            for memory in w.stores:
                copy_out(
                    b, rests[memory.slot], buffers[memory.slot], memory.dtype, self._part(rest)
                )
            b.perform(f"br label %{finish}")
            b.label(finish)

    def _readable(self, rests: dict[int, str]) -> str:
        """Return whether the last vectors of a row are read as if they were full."""
        w, b = self.w, self.b
        # What is written straight with the builder may read memory at places that lanes tell.
        if any(isinstance(o.function, Emitted) for o in w.loop.body.operations) or b.branches:
            return "false"
        floats = [m for m in self.moving if is_continuous(m.dtype)]
        if any(m.slot not in w.ends for m in floats):
            return "false"
        here = in_one_page(b, [(rests[m.slot], itemsize(m.dtype) * w.lanes) for m in self.moving])
        # What lies behind an array is often numbers that, as floats, are subnormal: processors
        # take hundreds of cycles to multiply these.
        for m in floats:
            inside = b.emit(f"icmp ule ptr {rests[m.slot]}, {w.ends[m.slot]}")
            here = b.emit(f"and i1 {here}, {inside}")
        return here

    def _named(self, value: Any, name: str) -> Any:
        if isinstance(value, ComplexValue):
            return ComplexValue(
                self._named(value.real, f"{name}r"), self._named(value.imag, f"{name}i")
            )
        return Value(name, value.dtype, value.lanes)

    # -- strided ----------------------------------------------------------------------------------

    def strided(self) -> list[Any]:
        """Write a loop over data of any strides; return the accumulators after it."""
        self._load_fixed(self.pointers)
        return self.over(self.lo, self.hi, self.w.lanes, self._strided_block, self.acc)

    def over(
        self,
        lo: str,
        hi: str,
        step: int | str,
        block: Any,
        acc: Sequence[object] = (),
        start: str | None = None,
    ) -> list[Any]:
        """Write `for first in range(lo, hi, step)`; `block(first, count, acc)` is its body.

        The last one begins sooner, so that it is whole, where there are so many items from `start`
        on. Some are then done once more.
        """
        w, b = self.w, self.b
        tag = b.fresh_label("blocks")
        before = b.block
        b.perform(f"br label %{tag}.head")
        b.label(f"{tag}.head")
        first = b.emit(f"phi i64 [{lo}, %{before}], [%{tag}.next, %{tag}.end]")
        names = [f"%{tag}.acc{i}" for i in range(len(acc))]
        inside = self._phis(acc, before, names, f"{tag}.end")
        more = b.emit(f"icmp slt i64 {first}, {hi}")
        b.perform(f"br i1 {more}, label %{tag}.body, label %{tag}.done")
        b.label(f"{tag}.body")
        at = first if start is None else self._whole_from(start, first, hi, step)
        count = w.smaller(b.emit(f"sub i64 {hi}, {at}"), str(step))
        results = block(at, count, inside)
        b.perform(f"br label %{tag}.end")
        b.label(f"{tag}.end")
        for result, name in zip(results, names, strict=True):
            w._rename(result, name)
        b.perform(f"%{tag}.next = add nsw i64 {first}, {step}")
        b.perform(f"br label %{tag}.head")
        b.label(f"{tag}.done")
        return inside

    def _whole_from(self, start: str, first: str, hi: str, step: int | str) -> str:
        b = self.b
        far = b.emit(f"sub i64 {hi}, {step}")
        there = b.emit(f"icmp sge i64 {far}, {start}")
        return b.emit(f"select i1 {there}, i64 {self.w.smaller(first, far)}, i64 {first}")

    def _strided_block(self, first: str, count: str, acc: Sequence[object]) -> list[Any]:
        values, pointers = dict(self.fixed_values), dict(self.pointers)
        for memory in self.moving:
            values[memory.slot] = self._gathered(memory, self.pointers[memory.slot], first, count)
        spread = self._targets(self.pointers, pointers, first, count)
        results = self._of_items(count, self._body(values, first, acc, pointers), acc)
        spread()
        return results

    def _gathered(self, memory: Memory, pointer: str, first: str, count: str) -> Any:
        """Return a vector of items `first` … along the last axis."""
        if memory.slot in self.w.near:
            return self._row_part(memory, pointer, first, count)
        b, at = self.b, self._at(memory, pointer, first)
        if self.w.lanes == 1:
            return load(b, at, memory.dtype, 1)
        if memory.dtype != "complex128":
            return self._gathered_words(memory, at, count)
        part, second = memory.replace(dtype="float64"), b.emit(f"getelementptr i8, ptr {at}, i64 8")
        return ComplexValue(*(self._gathered_words(part, x, count) for x in (at, second)))

    def _gathered_words(self, memory: Memory, at: str, count: str) -> Any:
        """Return a vector of items of at most 8 bytes, the first of which lies at an address."""
        b, lanes, size = self.b, self.w.lanes, itemsize(memory.dtype)
        stride, name = memory.strides[self.w.last], self._mover("gathered", memory)
        call = f"{name}(ptr {self._buffer(memory, False)}, ptr {at}, i64 {stride}, i64 {count})"
        whole, spaced = self._is_whole(count), memory.slot in self.w.spaced
        bits = near_items(b, at, stride, whole, size, call, spaced)
        dtype = {"bool": "int8", "complex64": "float32"}.get(memory.dtype, memory.dtype)
        items = lanes * size // itemsize(dtype)
        text = b.emit(f"bitcast <{lanes} x i{8 * size}> {bits} to {llvm_type(dtype, items)}")
        value = Value(text, dtype, items)
        if items > lanes:
            return parted(b, value)
        return b.neq(value, 0) if memory.dtype == "bool" else value

    def _targets(
        self, memories: dict[int, str], pointers: dict[int, str], first: str, count: str
    ) -> Callable[[], None]:
        """Set the pointers that the body stores vectors to; return what writes them to memory."""
        spreads = []
        for memory in self.w.stores:
            slot = memory.slot
            pointers[slot], spread = self._target(memory, memories[slot], first, count)
            spreads.append(spread)

        def spread_all() -> None:
            for spread in spreads:
                spread()

        return spread_all

    def _target(
        self, memory: Memory, pointer: str, first: str, count: str
    ) -> tuple[str, Callable[[], None]]:
        """Return where to store a vector of items `first` …, and what then writes it to memory.

        A whole vector of neighbours is stored where it belongs, any other one in a buffer.
        """
        b, size = self.b, itemsize(memory.dtype)
        stride, at = memory.strides[self.w.last], self._at(memory, pointer, first)
        packed = stride == str(size)
        if self.w.lanes == 1 or (packed and self.whole):
            return at, lambda: None
        buffer, straight = self._buffer(memory, True), self._is_whole(count)
        if not packed:
            straight = b.emit(f"and i1 {straight}, {b.emit(f'icmp eq i64 {stride}, {size}')}")

        def spread() -> None:
            scatter, done = b.fresh_label("scatter"), b.fresh_label("stored")
            b.perform(f"br i1 {straight}, label %{done}, label %{scatter}")
            b.label(scatter)
            if packed:
                copy_out(b, at, buffer, memory.dtype, self._part(count))
            else:
                stride, name = memory.strides[self.w.last], self._mover("scatter", memory)
                b.perform(f"call void {name}(ptr {buffer}, ptr {at}, i64 {stride}, i64 {count})")
            b.perform(f"br label %{done}")
            b.label(done)

        return b.emit(f"select i1 {straight}, ptr {at}, ptr {buffer}"), spread

    def _is_whole(self, count: str) -> str:
        return self.b.emit(f"icmp eq i64 {count}, {self.w.lanes}")

    def _mover(self, kind: str, memory: Memory) -> str:
        """Return the name of a function that kernels share: see `strided_items.py`."""
        b, size = self.b, itemsize(memory.dtype)
        # Only items that are one word are moved under masks.
        masked = size <= 8 and has_masks(memory.dtype, self.w.smallest_masked)
        name = name_of(kind, size, self.w.lanes, masked, b.vector_bits)
        b.declarations[declaration(name)] = None
        return name

    def _at(self, memory: Memory, pointer: str, first: str) -> str:
        """Return the address of item `first` along the last axis."""
        offset = self.b.emit(f"mul i64 {first}, {memory.strides[self.w.last]}")
        return self.b.emit(f"getelementptr i8, ptr {pointer}, i64 {offset}")

    def _row_part(self, memory: Memory, pointer: str, first: str, count: str) -> Any:
        """Load a vector of a packed row; a part of one goes through a buffer."""
        b, size = self.b, itemsize(memory.dtype)
        offset = b.emit(f"mul i64 {first}, {size}")
        at = b.emit(f"getelementptr i8, ptr {pointer}, i64 {offset}")
        if self.ahead:
            self._fetch(at, size * self.w.lanes)
        if self.w.lanes == 1 or self.whole:
            return load(b, at, memory.dtype, self.w.lanes)
        buffer = self._buffer(memory, has_masks(memory.dtype, self.w.smallest_masked))
        whole = b.emit(f"icmp eq i64 {count}, {self.w.lanes}")
        copy, read = b.fresh_label("part"), b.fresh_label("read")
        before = b.block
        b.perform(f"br i1 {whole}, label %{read}, label %{copy}")
        b.label(copy)
        copy_in(b, buffer, at, memory.dtype, self._part(count))
        b.perform(f"br label %{read}")
        b.label(read)
        source = b.emit(f"phi ptr [{at}, %{before}], [{buffer}, %{copy}]")
        return load(b, source, memory.dtype, self.w.lanes)

    def _fetch(self, at: str, nbytes: int) -> None:
        """Have what is behind some bytes fetched into the cache; nothing may be there."""
        b = self.b
        b.declarations["declare void @llvm.prefetch.p0(ptr, i32, i32, i32)"] = None
        for line in range(0, nbytes, LINE):
            far = b.emit(f"getelementptr i8, ptr {at}, i64 {line + self.ahead}")
            b.perform(f"call void @llvm.prefetch.p0(ptr {far}, i32 0, i32 3, i32 1)")
