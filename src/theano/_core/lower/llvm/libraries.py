"""Calls of what is not ours: BLAS, and Python functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import reduce
from typing import Any, NamedTuple

from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Constant
from theano._core.lower.arrays import Array, Buffer, CallbackRecord, Object, Size
from theano._core.lower.llvm.copies import typenum
from theano._core.lower.llvm.items import itemsize
from theano._core.lower.llvm.special import Special
from theano._core.ops.called import NumPyCall
from theano._core.ops.products import Gemm
from theano._core.ops.random import Draw, copy_stream
from theano._core.ops.shaping import Length
from theano._core.runtime import native

# A product of more multiplications than this lets Python's lock go.
LONG_PRODUCT = 1 << 18
# Longer sums, and more rows, are left to BLAS.
MOST_TERMS, MOST_ROWS = 1024, 256
# Of fewer rows or columns, tiles of the kernel would be mostly empty.
TILE_ROWS, TILE_COLUMNS = 8, 32
# So many of the words of `PanelWork` are numbers, the others addresses.
PANEL_NUMBERS = 9
# Type of the number of a step of a loop.
_STEP = TensorType("int64", ())


class PanelWork(NamedTuple):
    """The arguments of the runtime's kernels over panels: `Work` of `panels.h`."""

    itemsize: Size
    width: Size
    panels: Size
    rows: Size
    terms: Size
    columns: Size
    leading: Size
    across: Size
    added: Size
    source: str
    packed: str
    out: str
    first: str


class Libraries(Special):
    """The part of a program that calls libraries."""

    def matmul(
        self,
        node: Apply,
        x: Array,
        y: Array,
        into: Array | None = None,
        alpha: Array | None = None,
        beta: Array | None = None,
    ) -> Array:
        """Return a product of vectors or matrices; with `into`, added to it."""
        x, y = self._packed_before(x), self._packed_before(y)
        first = None if into is None else self.postponed.pop(into.data, None)
        one, two = x.lengths[-1], y.lengths[0]
        self.check_equal(node, one, two, "matmul", (one, two))
        lengths = [*x.lengths[:-1], *y.lengths[1:]]
        rows = self._rows_of_step(node, x, y) if into is None else None
        if rows is not None:
            return self._multiply_rows(rows, x, y, self._begins_a_sum(node))
        out = self._product_memory(node, x.dtype, lengths, into)
        scale = "null" if alpha is None else self.pointer(alpha)
        keep = "null" if beta is None else self.pointer(beta)
        work = self.product([*lengths, one])
        # INVARIANT: what was postponed is not copied, since `out` is `into`.
        assert first is None or (into is not None and out.data == into.data)
        if self._suits_panels(node, x, y):
            self._multiply_by_panels(out, x, y, into is not None, first, scale, keep)
            return out
        if first is not None:
            self._multiply_postponed(first)
        if not isinstance(work, int) or work > LONG_PRODUCT:
            self._release_if_long(work)
        self.overwrite(node, lambda: self._multiply_into(out, x, y, scale, keep))
        return out

    def _suits_panels(self, node: Apply, x: Array, y: Array) -> bool:
        """Tell whether `y` is worth packing: a loop multiplies by it again and again."""
        steady = self.region is not None and y.steady is self.region and x.steady is None
        whole = x.contiguous is True and y.contiguous is True and not x.stretched
        plain = not isinstance(node.op, Gemm) or all(_is_one(node.inputs[i]) for i in (1, 4))
        return (
            steady
            and whole
            and plain
            and x.dtype in ("float32", "float64")
            and x.ndim == y.ndim == 2
        )

    def _begins_a_sum(self, node: Apply) -> bool:
        """Tell whether the product of a node is only there for another one to be added to it."""
        value, reader = node.outputs[0], self.readers.get(node.outputs[0])
        if reader is None or self.uses.get(value) != 1 or len(reader.nodes) != 1:
            return False
        user = reader.nodes[0]
        if not isinstance(user.op, Gemm) or user.inputs[0] is not value:
            return False
        return user.outputs[0] not in self.places and user.outputs[0] not in self.in_place

    def _multiply_by_panels(
        self,
        out: Array,
        x: Array,
        y: Array,
        added: bool,
        first: tuple[str, str] | None,
        scale: str,
        keep: str,
    ) -> None:
        """Multiply by packed panels, or by BLAS where the lengths are too large for that.

        `first` is a product that was postponed: its sums are gone on with in the same registers.
        """
        assert self.region is not None
        panels = self.region.before(self, lambda: self._panels(y))
        self._keep_in_loop(panels[1])
        b = self.b
        rows, terms = x.lengths
        pointers = self._descriptors(out, x, y)
        few = b.emit(f"icmp sle i64 {terms}, {MOST_TERMS}")
        short = b.emit(f"icmp sle i64 {rows}, {MOST_ROWS}")
        known = dict(b._known)
        fast, slow, done = (b.fresh_label(n) for n in ("panels", "blas", "multiplied"))
        b.perform(f"br i1 {b.emit(f'and i1 {few}, {short}')}, label %{fast}, label %{slow}")
        b.label(fast)
        self._call_panels(out, x, y.lengths[1], panels, added, first)
        b.perform(f"br label %{done}")
        b.label(slow)
        b._known = dict(known)
        if first is not None:
            self._multiply_postponed(first)
        self._call_matmul(x, y, pointers, scale, keep)
        b.perform(f"br label %{done}")
        b.label(done)
        b._known = known

    def _rows_of_step(self, node: Apply, x: Array, y: Array) -> Array | None:
        """Return the sequence of which `x` is the item, if panels may suit products with it."""
        if self.region is None or node.outputs[0] in self.places:
            return None
        sequence = self.region.sequences.get(x.data)
        if sequence is None or not self._suits_panels(node, x, y):
            return None
        return sequence if sequence.lengths[1:] == x.lengths else None

    def _multiply_rows(self, sequence: Array, x: Array, y: Array, postpone: bool) -> Array:
        """Return the product of this step's item of a sequence with a matrix.

        Items that fill the tiles of the kernel are multiplied in their steps, whose results stay in
        the cache, or together with another product if they may be postponed to that; others all at
        once before the loop.
        """
        b, region = self.b, self.region
        assert region is not None
        (rows, terms), columns, size = x.lengths, y.lengths[1], itemsize(x.dtype)

        def before() -> tuple[str, Array, tuple[Size, Array]]:
            limits = [("sge", rows, TILE_ROWS), ("sle", rows, MOST_ROWS)]
            limits += [("sge", columns, TILE_COLUMNS), ("sle", terms, MOST_TERMS)]
            fits = [b.emit(f"icmp {how} i64 {length}, {bound}") for how, length, bound in limits]
            stepwise = reduce(lambda one, two: b.emit(f"and i1 {one}, {two}"), fits)
            kept = b.emit(f"select i1 {stepwise}, i64 1, i64 {sequence.lengths[0]}")
            results = self.new_array(x.dtype, (kept, rows, columns))
            every = self.multiply(sequence.lengths[0], rows)
            flat = Array(x.dtype, (every, terms), sequence.data)
            out = Array(x.dtype, (every, columns), results.data)
            pointers = self._descriptors(out, flat, y)
            make, made = b.fresh_label("rows"), b.fresh_label("made")
            b.perform(f"br i1 {stepwise}, label %{made}, label %{make}")
            b.label(make)
            self._release_if_long(self.product([every, terms, columns]))
            self._call_matmul(flat, y, pointers, "null", "null")
            b.perform(f"br label %{made}")
            b.label(made)
            return stepwise, results, self._panels(y, stepwise)

        stepwise, results, panels = region.before(self, before)
        self._keep_in_loop(panels[1], results)
        step = self.product([region.step, rows, columns, size])
        place = self._moved(results.data, b.emit(f"select i1 {stepwise}, i64 0, i64 {step}"))
        out = Array(x.dtype, (rows, columns), place)
        out.buffer = Buffer(results.buffer.slot, place, fixed=True)
        product = stepwise, self._panel_arguments(out, x, columns, panels)
        if postpone:
            self.postponed[place] = product
        else:
            self._multiply_postponed(product)
        return out

    def _multiply_postponed(self, product: tuple[str, str]) -> None:
        """Multiply what (a condition, arguments of the kernel) say, where the condition holds."""
        b, (wanted, arguments) = self.b, product
        now, done = b.fresh_label("step"), b.fresh_label("multiplied")
        known = dict(b._known)
        b.perform(f"br i1 {wanted}, label %{now}, label %{done}")
        b.label(now)
        self._multiply_packed(arguments)
        b.perform(f"br label %{done}")
        b.label(done)
        b._known = known

    def _keep_in_loop(self, *arrays: Array) -> None:
        for array in arrays:
            if self.region is not None and array.buffer is not None:
                self.keep_for_loop(self.region, array.buffer)

    def _call_panels(
        self,
        out: Array,
        x: Array,
        columns: Size,
        panels: tuple[Size, Array],
        added: bool,
        first: tuple[str, str] | None,
    ) -> None:
        """Multiply rows without gaps by panels; see `panels.h`."""
        if first is None:
            arguments = self._panel_arguments(out, x, columns, panels, int(added))
        else:
            wanted, begun = first
            added_now = self.b.emit(f"select i1 {wanted}, i64 0, i64 1")
            begun_now = self.b.emit(f"select i1 {wanted}, ptr {begun}, ptr null")
            arguments = self._panel_arguments(out, x, columns, panels, added_now, begun_now)
        self._multiply_packed(arguments)

    def _panel_arguments(
        self,
        out: Array,
        x: Array,
        columns: Size,
        panels: tuple[Size, Array],
        added: Size = 0,
        first: str = "null",
    ) -> str:
        """Write the arguments of a product with panels; return their address."""
        (rows, terms), (count, packed), size = x.lengths, panels, itemsize(x.dtype)
        work = PanelWork(
            itemsize=size,
            width=packed.lengths[-1],
            panels=count,
            rows=rows,
            terms=terms,
            columns=columns,
            leading=self.multiply(terms, size),
            across=size,
            added=added,
            source=x.data,
            packed=packed.data,
            out=out.data,
            first=first,
        )
        kinds = ["i64"] * PANEL_NUMBERS + ["ptr"] * (len(work) - PANEL_NUMBERS)
        return self._arguments(work, kinds)

    def _multiply_packed(self, arguments: str) -> None:
        multiply = self.runtime("multiply_packed")
        done = self.b.emit(f"call i32 {multiply}(ptr %call, ptr {arguments})")
        self.or_fail(self.b.emit(f"icmp eq i32 {done}, 0"))

    def _panels(self, y: Array, wanted: str = "") -> tuple[Size, Array]:
        """Return the number of panels of a matrix, none unless they are wanted, and the panels."""
        (terms, columns), size = y.lengths, itemsize(y.dtype)
        width = native.panel_width(size, self.vector_bits)
        count = self._parts(columns, width)
        if wanted:
            count = self.b.emit(f"select i1 {wanted}, i64 {count}, i64 0")
        packed = self.new_array(y.dtype, (count, terms, width))
        work = PanelWork(
            itemsize=size,
            width=width,
            panels=count,
            rows=0,
            terms=terms,
            columns=columns,
            leading=self.multiply(columns, size),
            across=size,
            added=0,
            source=y.data,
            packed=packed.data,
            out="null",
            first="null",
        )
        total = self.product([count, terms, width])
        self.call_function(self.runtime("pack"), work, PANEL_NUMBERS, count, total)
        return count, packed

    def _parts(self, length: Size, size: int) -> Size:
        """Return how many parts of a size make up a length."""
        up = self.plus(length, size - 1)
        return up // size if isinstance(up, int) else self.b.emit(f"sdiv i64 {up}, {size}")

    def _descriptors(self, *arrays: Array) -> list[str]:
        return [self.frame_pointer(self.descriptor(a)) for a in arrays]

    def _multiply_into(self, out: Array, x: Array, y: Array, scale: str, keep: str) -> None:
        """Call the product of the runtime."""
        self._call_matmul(x, y, self._descriptors(out, x, y), scale, keep)

    def _call_matmul(
        self, x: Array, y: Array, pointers: Sequence[str], scale: str, keep: str
    ) -> None:
        b = self.b
        result = b.emit(
            f"call i32 {self.runtime('matmul')}(ptr %call, i64 {typenum(x.dtype)}, i64 {x.ndim},"
            f" i64 {y.ndim}, ptr {pointers[1]}, ptr {pointers[2]}, ptr {pointers[0]}, ptr {scale},"
            f" ptr {keep})"
        )
        self.or_no_memory(b.emit(f"icmp eq i32 {result}, 0"))

    def batched_matmul(self, node: Apply, x: Array, y: Array) -> Array:
        """Return the products of the matrices along the first axes of two arrays."""
        b = self.b
        stretched = [v.type.broadcastable[0] for v in node.inputs]
        count = y.lengths[0] if stretched[0] else x.lengths[0]
        if not any(stretched):
            self.check_equal(node, count, y.lengths[0], "batch", (count, y.lengths[0]))
        one, two = x.lengths[2], y.lengths[1]
        self.check_equal(node, one, two, "matmul", (one, two))
        out = self.new_array(x.dtype, (count, x.lengths[1], y.lengths[2]))
        work = self.product([*out.lengths, one])
        if not isinstance(work, int) or work > LONG_PRODUCT:
            self._release_if_long(work)
        arrays = (x, y, out)
        # Strides are computed where they are first asked for: here, not in the loop.
        strides = [self.strides(a) for a in arrays]
        steps = [0 if one else s[0] for one, s in zip((*stretched, False), strides, strict=True)]
        starts = [self.pointer(a) for a in arrays]
        done = self.stack(8)
        b.perform(f"store i64 0, ptr {done}, align 8")
        again, body, end = (b.fresh_label(n) for n in ("batch", "product", "products"))
        b.perform(f"br label %{again}")
        b.label(again)
        number = b.emit(f"load i64, ptr {done}, align 8")
        more = b.emit(f"icmp slt i64 {number}, {count}")
        b.perform(f"br i1 {more}, label %{body}, label %{end}")
        b.label(body)
        matrices = []
        for array, start, step, known in zip(arrays, starts, steps, strides, strict=True):
            at = b.emit(f"getelementptr i8, ptr {start}, i64 {b.emit(f'mul i64 {number}, {step}')}")
            matrices.append(Array(array.dtype, array.lengths[1:], at, known[1:], array is out))
        self._multiply_into(matrices[2], matrices[0], matrices[1], "null", "null")
        b.perform(f"store i64 {b.emit(f'add i64 {number}, 1')}, ptr {done}, align 8")
        b.perform(f"br label %{again}")
        b.label(end)
        return out

    def _packed_before(self, matrix: Array) -> Array:
        """Return a matrix that all steps of a loop multiply by, copied once if it is not packed.

        BLAS takes transposed matrices, but small products of them take it longer.
        """
        region = self.region
        if region is None or matrix.steady is not region or matrix.ndim != 2:
            return matrix
        if matrix.contiguous is True or matrix.stretched:
            return matrix
        packed = region.before(self, lambda: self.fresh_copy(replace(matrix)))
        self.keep_for_loop(region, packed.buffer)
        return replace(packed, buffer=None, steady=region)

    def _product_memory(
        self, node: Apply, dtype: str, lengths: Sequence[Size], into: Array | None
    ) -> Array:
        if into is not None:
            for axis, (one, two) in enumerate(zip(into.lengths, lengths, strict=True)):
                self.check_equal(node, one, two, "elementwise", (0, axis, one, 1, two))
            return self._writable(node, into)
        if node.outputs[0] in self.places:
            return self.placed(node.outputs[0], lengths)
        return self.new_array(dtype, lengths) if lengths else Array(dtype, (), self.stack(16))

    def _release_if_long(self, work: Size) -> None:
        b = self.b
        long, go = b.fresh_label("long"), b.fresh_label("go")
        function = self.runtime("release")
        b.perform(
            f"br i1 {b.emit(f'icmp sgt i64 {work}, {LONG_PRODUCT}')}, label %{long}, label %{go}"
        )
        b.label(long)
        b.perform(f"call void {function}(ptr %call)")
        b.perform(f"br label %{go}")
        b.label(go)

    def call_python(
        self,
        node: Apply,
        function: Callable[..., Any],
        values: Sequence[Any],
        arguments: Sequence[Any] | None = None,
    ) -> list[Any]:
        """Call a Python function from inside the program; return its results as values.

        `values` are those of the variables `arguments`, by default the inputs of `node`.
        """
        inputs = [v.descriptor if isinstance(v, Object) else self.descriptor(v) for v in values]
        results: list[Any] = []
        offsets = []
        for out in node.outputs:
            kind = out.type
            offset = self.reserve(2 + 2 * (kind.ndim if isinstance(kind, TensorType) else 0))
            offsets.append(offset)
        self.callbacks.append(
            CallbackRecord(
                function,
                tuple(v.type for v in (node.inputs if arguments is None else arguments)),
                tuple(o.type for o in node.outputs),
            )
        )
        lists = []
        for items in (inputs, offsets):
            where = self.stack(max(8, 8 * len(items)))
            for i, item in enumerate(items):
                at = self.b.emit(f"getelementptr i64, ptr {where}, i64 {i}")
                self.b.perform(f"store i64 {item}, ptr {at}, align 8")
            lists.append(where)
        got = self.b.emit(
            f"call i32 {self.runtime('callback')}(ptr %call, i64 {len(self.callbacks) - 1}, "
            f"i64 {len(inputs)}, ptr {lists[0]}, i64 {len(offsets)}, ptr {lists[1]})"
        )
        self.or_fail(self.b.emit(f"icmp eq i32 {got}, 0"))
        for out, offset in zip(node.outputs, offsets, strict=True):
            results.append(self._from_descriptor(out.type, offset))
        return results

    def call_compute(self, node: Apply, values: Sequence[Any]) -> list[Any]:
        """Call the definition of an operation."""
        return self.call_checked(node, NumPyCall(node), values)

    def call_checked(self, node: Apply, function: NumPyCall, values: Sequence[Any]) -> list[Any]:
        """Call what computes an application; its results must have the promised lengths.

        Nothing else must refer to the arrays that it returns: they may become results.
        """
        loops = self._loops()
        function.loops = [region.node for region in loops]
        steps = [self.scalar(region.step) for region in loops]
        arguments = [*node.inputs, *(_STEP.variable_class(_STEP) for _ in loops)]
        results = self.call_python(node, function, [*values, *steps], arguments)
        for out, result in zip(node.outputs, results, strict=True):
            self.values[out] = result
        for position, (out, result) in enumerate(zip(node.outputs, results, strict=True)):
            if isinstance(out.type, TensorType):
                self.given.add(result.descriptor)
                self._check_promise(node, position, result.lengths)
        return results

    def _check_promise(self, node: Apply, position: int, got: Sequence[Size]) -> None:
        out = node.outputs[position]
        for axis, length in enumerate(self.rewriter.lengths(out)):
            owner = getattr(length, "owner", None)
            if owner is not None and isinstance(owner.op, Length) and owner.inputs[0] is out:
                continue
            promised = self.size(length)
            facts = (position, axis, got[axis], promised)
            self.check_equal(node, got[axis], promised, "infer_shape", facts)

    def _from_descriptor(self, kind: Any, offset: int) -> Any:
        if not isinstance(kind, TensorType):
            return Object(offset)
        lengths = tuple(self.frame_load(offset + 2 + i) for i in range(kind.ndim))
        strides = tuple(self.frame_load(offset + 2 + kind.ndim + i) for i in range(kind.ndim))
        array = Array(kind.dtype, lengths, self.frame_load(offset, "ptr"), descriptor=offset)
        if kind.ndim:
            array.strides = strides
            bit = self.b.emit(f"and i64 {self.frame_load(offset + 1)}, {native.CONTIGUOUS}")
            array.contiguous = self.b.emit(f"icmp ne i64 {bit}, 0")
        return array

    def own_stream(self, stream: Any, value: Object) -> Object:
        """Return a copy of a stream that this call may draw from in place."""
        node = Apply(None, [stream], [stream.type.variable_class(stream.type)])
        return self.call_python(node, lambda s: (copy_stream(s),), [value])[0]

    def draw(self, node: Apply, values: Sequence[Any]) -> list[Any]:
        """Draw random numbers: in place where the function, or this call, owns the stream."""
        stream, after = node.inputs[0], node.outputs[0]
        kept = len(self.outputs) - len(self.updates)
        own = [
            out
            for out, number in zip(self.outputs[kept:], self.updates, strict=True)
            if self.inputs[number] is stream and number in self.overwritable
        ]
        alone = self.uses.get(stream) == 1
        # A stream that is a result as well must not change at the next call.
        updated = alone and own == [after] and after not in self.outputs[:kept]
        draw = Draw(node.op, node, updated, alone and stream in self.own_streams)
        if not updated:
            self.own_streams.add(after)
        free = [node.inputs[i] for i in draw.free]
        new_stream, drawn = self.call_python(node, draw, [values[i] for i in draw.free], free)
        self.given.add(drawn.descriptor)
        return [new_stream, drawn]


def _is_one(variable: Any) -> bool:
    return isinstance(variable, Constant) and variable.data.size == 1 and variable.data.item() == 1
