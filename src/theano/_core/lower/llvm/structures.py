"""What the structured operations need of a program: views, copies, indexing, products, calls.

These methods are the `p` that `Op.lower` receives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.base import dtypes
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply
from theano._core.lower.arrays import Array, Object, Size
from theano._core.lower.llvm.emitter import ComplexValue, Value, llvm_type
from theano._core.lower.llvm.items import itemsize, load, store
from theano._core.lower.loops import Fold, Loop
from theano._core.ops.random import Draw
from theano._core.ops.reductions import STARTS

if TYPE_CHECKING:
    from theano._core.lower.llvm.program import Program

# A product of more multiplications than this lets Python's lock go.
LONG_PRODUCT = 1 << 18


class Structures:
    """The part of `Program` that writes what is not a fused loop."""

    # -- lengths and conditions -------------------------------------------------------------------

    def length(self: Program, array: Array, axis: int) -> Size:
        """Return the length of an axis."""
        return array.lengths[axis]

    def vector_of(self: Program, values: Sequence[Any], dtype: str = "int64") -> Array:
        """Return scalars as a vector."""
        if dtype == "int64":
            items = tuple(v if isinstance(v, (int, str)) else self.integer(v) for v in values)
            return Array("int64", (len(items),), items=items)
        data = self.stack(max(8, itemsize(dtype) * len(values)))
        for i, value in enumerate(values):
            at = self.b.emit(f"getelementptr i8, ptr {data}, i64 {i * itemsize(dtype)}")
            store(self.b, self.register(value), at)
        return Array(dtype, (len(values),), data)

    def integers(self: Program, vector: Array, count: int | None = None) -> list[Size]:
        """Return the items of a vector of integers."""
        if vector.items is not None:
            return list(vector.items)
        known = vector.lengths[0]
        n = known if isinstance(known, int) else count
        assert n is not None
        result: list[Size] = []
        step = self.strides(vector)[0]
        for i in range(n):
            offset = self.multiply(i, step)
            at = self.b.emit(f"getelementptr i8, ptr {self.pointer(vector)}, i64 {offset}")
            item = self.b.cast(load(self.b, at, vector.dtype, 1), "int64")
            result.append(item.text)
        return result

    def require(self: Program, node: Apply, condition: Array, fault: str) -> None:
        """Fail unless a scalar holds."""
        self.check(node, self.b.cast(self.register(condition), "bool").text, fault, ())

    def require_rank(self: Program, node: Apply, vector: Array, rank: int) -> None:
        """Fail unless a vector of lengths has `rank` items."""
        self.check_equal(node, vector.lengths[0], rank, "reshape_rank", (vector.lengths[0], rank))

    def require_length(self: Program, node: Apply, array: Array, axis: int, wanted: Size, fault: str) -> None:
        """Fail unless an axis has the length `wanted`."""
        own = array.lengths[axis]
        self.check_equal(node, own, wanted, fault, (axis, own, wanted))

    def with_lengths(self: Program, array: Array, known: dict[int, int]) -> Array:
        """Return an array whose lengths along some axes are now known."""
        if not known:
            return array
        lengths = tuple(known.get(i, n) for i, n in enumerate(array.lengths))
        return replace(array, lengths=lengths)

    # -- views ------------------------------------------------------------------------------------

    def permute(self: Program, x: Array, order: Sequence[Any]) -> Array:
        """Return a view with axes reordered, dropped, and added ('x')."""
        if not order:
            if x.register is not None or not x.lengths:
                return replace(x, lengths=(), strides=None, stretched=frozenset())
            return Array(x.dtype, (), self.pointer(x), buffer=x.buffer)
        strides = self.strides(x) if x.lengths else ()
        kept = [a for a in order if a != "x"]
        lengths = tuple(1 if a == "x" else x.lengths[a] for a in order)
        moved = [a for a in kept if x.lengths[a] != 1 and a not in x.stretched]
        return Array(
            x.dtype,
            lengths,
            self.pointer(x),
            tuple(0 if a == "x" else strides[a] for a in order),
            x.contiguous if moved == sorted(moved) else False,
            frozenset(i for i, a in enumerate(order) if a == "x" or a in x.stretched),
            buffer=x.buffer,
        )

    def broadcast(self: Program, node: Apply, x: Array, lengths: Sequence[Size]) -> Array:
        """Return a view of `x` stretched to `lengths`."""
        pattern = node.inputs[1 if len(node.inputs) == 2 and type(node.op).__name__ == "Second" else 0].type.broadcastable
        strides = self.strides(x) if x.lengths else ()
        stretched = set(x.stretched)
        for axis, (one, length) in enumerate(zip(pattern, lengths, strict=True)):
            if one:
                stretched.add(axis)
            else:
                own = x.lengths[axis]
                self.check_equal(node, own, length, "broadcast", (axis, own, length))
            if isinstance(length, int):
                if length < 0:
                    self.check(node, "false", "negative_length", (length,))
            else:
                self.check(node, self.b.emit(f"icmp sge i64 {length}, 0"), "negative_length", (length,))
        if not lengths:
            return x
        return Array(
            x.dtype, tuple(lengths), self.pointer(x),
            tuple(0 if a in stretched else strides[a] for a in range(len(lengths))),
            x.contiguous, frozenset(stretched), buffer=x.buffer,
        )

    def reshape(self: Program, node: Apply, x: Array, vector: Array, ndim: int) -> Array:
        """Return `x` with other lengths: a view of contiguous data, else a copy."""
        self.require_rank(node, vector, ndim)
        wanted = self.integers(vector, ndim)
        total = self.product(x.lengths)
        lengths = self._without_unknown(wanted, total)
        new_total = self.product(lengths)
        self.check_equal(node, total, new_total, "reshape", (total, *wanted))
        for length in lengths:
            if not isinstance(length, int):
                self.check(node, self.b.emit(f"icmp sge i64 {length}, 0"), "reshape", (total, *wanted))
        pattern = node.outputs[0].type.broadcastable
        lengths = [1 if one else n for one, n in zip(pattern, lengths, strict=True)]
        source = x
        if x.stretched or x.contiguous is False:
            source = self.fresh_copy(x)
        elif x.contiguous is not True:
            source = self._contiguous_at_run_time(x)
        return Array(x.dtype, tuple(lengths), self.pointer(source), buffer=source.buffer)

    def _without_unknown(self: Program, wanted: Sequence[Size], total: Size) -> list[Size]:
        """Return lengths with the -1 among them worked out."""
        b = self.b
        if all(isinstance(n, int) for n in wanted) and -1 not in wanted:
            return list(wanted)
        known: Size = 1
        for n in wanted:
            known = self.multiply(known, 1 if n == -1 else n if isinstance(n, int) else
                                  b.emit(f"select i1 {b.emit(f'icmp eq i64 {n}, -1')}, i64 1, i64 {n}"))
        if isinstance(known, int) and isinstance(total, int):
            rest: Size = total // known if known else 0
        else:
            zero = b.emit(f"icmp eq i64 {known}, 0")
            divisor = b.emit(f"select i1 {zero}, i64 1, i64 {known}")
            rest = b.emit(f"sdiv i64 {total}, {divisor}")
        result: list[Size] = []
        for n in wanted:
            if isinstance(n, int):
                result.append(rest if n == -1 else n)
            else:
                result.append(b.emit(f"select i1 {b.emit(f'icmp eq i64 {n}, -1')}, i64 {rest}, i64 {n}"))
        return result

    def _contiguous_at_run_time(self: Program, x: Array) -> Array:
        """Return `x` if it turns out to be contiguous, else a copy."""
        b = self.b
        slot = self.reserve(1)
        self.buffer_slots.append(slot)
        descriptor = self.descriptor(x)
        nbytes = self.multiply(self.product(x.lengths), itemsize(x.dtype))
        alloc, copy = self.runtime("alloc"), self.runtime("copy")
        make, join = b.fresh_label("copy"), b.fresh_label("flat")
        before = b.block
        b.perform(f"br i1 {x.contiguous}, label %{join}, label %{make}")
        b.label(make)
        data = b.emit(f"call ptr {alloc}(ptr %call, i64 {nbytes}, i64 {slot})")
        self.or_fail(b.emit(f"icmp ne ptr {data}, null"))
        at = self.frame_pointer(descriptor)
        done = b.emit(f"call i32 {copy}(ptr %call, i64 {typenum(x.dtype)}, i64 {x.ndim}, ptr {data}, ptr {at})")
        self.or_fail(b.emit(f"icmp eq i32 {done}, 0"))
        end = b.block
        b.perform(f"br label %{join}")
        b.label(join)
        chosen = b.emit(f"phi ptr [{x.data}, %{before}], [{data}, %{end}]")
        return Array(x.dtype, x.lengths, chosen, buffer=x.buffer)

    def slice(self: Program, node: Apply, x: Array, entries: Sequence[Any]) -> Array:
        """Return the view of `x` that a basic index names."""
        data = self.pointer(x)
        steps = self.strides(x)
        lengths: list[Size] = []
        strides: list[Size] = []
        stretched: set[int] = set()
        packed = True
        for axis in range(x.ndim):
            entry = entries[axis] if axis < len(entries) else slice(None)
            if isinstance(entry, slice):
                first, count, step = self._slice_parts(node, entry, x.lengths[axis])
                if count is not x.lengths[axis] and lengths:
                    packed = packed and all(n == 1 for n in lengths)
                packed = packed and step == 1
                if axis in x.stretched:
                    stretched.add(len(lengths))
                lengths.append(count)
                strides.append(self.multiply(steps[axis], step))
            else:
                first = self._checked_index(node, entry, axis, x.lengths[axis])
                packed = packed and all(n == 1 for n in lengths)
            data = self._moved(data, self.multiply(first, steps[axis]))
        pattern = node.outputs[0].type.broadcastable if node.outputs[0].type.ndim == len(lengths) else ()
        lengths = [1 if i < len(pattern) and pattern[i] else n for i, n in enumerate(lengths)]
        if not lengths:
            return Array(x.dtype, (), data, buffer=x.buffer)
        return Array(
            x.dtype, tuple(lengths), data, tuple(strides), x.contiguous if packed else False,
            frozenset(stretched), buffer=x.buffer,
        )

    def _moved(self: Program, data: str, offset: Size) -> str:
        return data if offset == 0 else self.b.emit(f"getelementptr i8, ptr {data}, i64 {offset}")

    def _entry(self: Program, value: Any) -> Size:
        return value if isinstance(value, int) else self.integer(value)

    def _checked_index(self: Program, node: Apply, entry: Any, axis: int, length: Size) -> Size:
        b = self.b
        index = self._entry(entry)
        if isinstance(index, int) and isinstance(length, int):
            if not -length <= index < length:
                self.check(node, "false", "index", (index, axis, length))
            return index % length if length else 0
        if isinstance(index, int):
            at: Size = index if index >= 0 else self.plus(length, index)
        else:
            negative = b.emit(f"icmp slt i64 {index}, 0")
            at = b.emit(f"select i1 {negative}, i64 {self.plus_register(index, length)}, i64 {index}")
        inside = b.emit(f"icmp ult i64 {at}, {length}")
        self.check(node, inside, "index", (index, axis, length))
        return at

    def plus_register(self: Program, one: Size, two: Size) -> str:
        """Return a sum in a register."""
        return self.b.emit(f"add i64 {one}, {two}")

    def _slice_parts(self: Program, node: Apply, entry: slice, length: Size) -> tuple[Size, Size, Size]:
        """Return (first index, count, step) of a slice, as Python defines them."""
        step = 1 if entry.step is None else self._entry(entry.step)
        start = None if entry.start is None else self._entry(entry.start)
        stop = None if entry.stop is None else self._entry(entry.stop)
        if all(v is None or isinstance(v, int) for v in (start, stop, step)):
            if step == 0:
                self.check(node, "false", "slice_step", ())
                return 0, 0, 1
            if isinstance(length, int):
                known = range(*slice(start, stop, step).indices(length))
                return known.start if len(known) else 0, len(known), step
            if start in (None, 0) and stop is None and step == 1:
                return 0, length, 1
        return self._slice_registers(node, start, stop, step, length)

    def _slice_registers(self: Program, node: Apply, start: Any, stop: Any, step: Size, length: Size) -> tuple[Size, Size, Size]:
        b = self.b
        if not isinstance(step, int):
            self.check(node, b.emit(f"icmp ne i64 {step}, 0"), "slice_step", ())
        down = "true" if isinstance(step, int) and step < 0 else "false"
        if not isinstance(step, int):
            down = b.emit(f"icmp slt i64 {step}, 0")
        last = b.emit(f"sub i64 {length}, 1")
        low = b.emit(f"select i1 {down}, i64 -1, i64 0")
        high = b.emit(f"select i1 {down}, i64 {last}, i64 {length}")

        def bound(value: Any, default: str) -> str:
            if value is None:
                return default
            negative = b.emit(f"icmp slt i64 {value}, 0")
            at = b.emit(f"select i1 {negative}, i64 {self.plus_register(value, length)}, i64 {value}")
            b.declarations["declare i64 @llvm.smax.i64(i64, i64)"] = None
            b.declarations["declare i64 @llvm.smin.i64(i64, i64)"] = None
            at = b.emit(f"call i64 @llvm.smax.i64(i64 {at}, i64 {low})")
            return b.emit(f"call i64 @llvm.smin.i64(i64 {at}, i64 {high})")

        first = bound(start, b.emit(f"select i1 {down}, i64 {high}, i64 {low}"))
        end = bound(stop, b.emit(f"select i1 {down}, i64 {low}, i64 {high}"))
        span = b.emit(f"sub i64 {end}, {first}")
        b.declarations["declare i64 @llvm.smax.i64(i64, i64)"] = None
        if step == 1:
            count = b.emit(f"call i64 @llvm.smax.i64(i64 {span}, i64 0)")
        else:
            # ceil(span / step), and 0 where the signs differ.
            up = b.emit(f"select i1 {down}, i64 1, i64 -1")
            total = b.emit(f"add i64 {span}, {b.emit(f'add i64 {step}, {up}')}")
            count = b.emit(f"sdiv i64 {total}, {step}")
            count = b.emit(f"call i64 @llvm.smax.i64(i64 {count}, i64 0)")
        return self._safe_start(first, count), count, step

    def _safe_start(self: Program, first: str, count: str) -> str:
        """Return `first`, or 0 if nothing is taken: no address outside the array is formed."""
        empty = self.b.emit(f"icmp eq i64 {count}, 0")
        return self.b.emit(f"select i1 {empty}, i64 0, i64 {first}")

    # -- copies and loops written here ------------------------------------------------------------

    def simple_loop(
        self: Program,
        out: Array | None,
        lengths: Sequence[Size],
        operands: Sequence[tuple[Array, frozenset[int]]],
        body: Callable[..., Any],
        indexed: bool = False,
        sequential: bool = False,
        lanes: int = 0,
    ) -> None:
        """Run a loop that stores one value per point (none if `out` is None)."""

        def whole(b: Any, index: Any, values: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any]]:
            result = body(b, index, *values)
            return ([] if out is None else [result]), []

        loop = Loop(
            len(lengths),
            tuple((a.dtype, stretched) for a, stretched in operands),
            () if out is None else (out.dtype,),
            (), (), whole,
        )
        outs = [] if out is None else [out]
        self.prepare_run(loop, lengths, [a for a, _ in operands], outs, [], indexed, sequential, lanes)()

    def copy_into(self: Program, source: Array, target: Array) -> None:
        """Copy an array to memory of the same lengths."""
        self.simple_loop(target, target.lengths, [(source, _all_stretched(source))], lambda b, index, x: x)

    def fresh_copy(self: Program, x: Array) -> Array:
        """Return a contiguous copy in memory of its own."""
        out = self.new_array(x.dtype, x.lengths)
        if x.ndim:
            self.copy_into(x, out)
        else:
            store(self.b, self.register(x), out.data)
        return out

    def generate(self: Program, node: Apply, operands: Sequence[Array], body: Callable[..., Any]) -> Array:
        """Return an array computed from positions: `body(b, index, *scalars)`."""
        variable = node.outputs[0]
        lengths = [self.size(n) for n in self.rewriter.lengths(variable)]
        for length in lengths:
            if not isinstance(length, int):
                self.check(node, self.b.emit(f"icmp sge i64 {length}, 0"), "negative_length", (length,))
        out = self.new_array(variable.type.dtype, lengths)
        everywhere = frozenset(range(len(lengths)))
        self.simple_loop(out, lengths, [(a, everywhere) for a in operands], body, indexed=True)
        return out

    def wider_arithmetic(self: Program, dtype: str, node: Apply) -> str:
        """Return the dtype in which the items of a range are computed."""
        if dtypes.is_discrete(dtype) and all(dtypes.is_discrete(v.type.dtype) for v in node.inputs):
            return "int64"
        return "float32" if dtype == "float16" else dtype if dtypes.is_float(dtype) else "float64"

    def cast_scalar(self: Program, array: Array, dtype: str) -> Array:
        """Return a scalar converted to `dtype`."""
        return Array(dtype, (), register=self.b.cast(self.register(array), dtype))

    def join(self: Program, node: Apply, arrays: Sequence[Array], axis: int) -> Array:
        """Return arrays copied one after another along `axis`."""
        first = arrays[0]
        total: Size = 0
        for number, array in enumerate(arrays):
            for i in range(array.ndim):
                if i != axis:
                    one, two = first.lengths[i], array.lengths[i]
                    self.check_equal(node, one, two, "join", (number, i, one, two))
            total = self.plus(total, array.lengths[axis])
        lengths = [total if i == axis else n for i, n in enumerate(first.lengths)]
        out = self.new_array(first.dtype, lengths)
        start: Size = 0
        steps = self.strides(out)
        for array in arrays:
            part = Array(
                out.dtype,
                tuple(array.lengths),
                self._moved(out.data, self.multiply(start, steps[axis])),
                steps,
                axis == 0 or all(n == 1 for n in lengths[:axis]),
            )
            self.copy_into(array, part)
            start = self.plus(start, array.lengths[axis])
        return out

    def write_slice(self: Program, node: Apply, x: Array, y: Array, entries: Sequence[Any], assign: bool) -> Array:
        """Return `x` with a slice set to `y`, or increased by it."""
        out = self._writable(node, x)
        part = self.slice(node, out, entries)
        part.buffer = None
        extra = part.ndim - y.ndim
        y_view = self.permute(y, ["x"] * extra + list(range(y.ndim))) if extra and part.ndim else y
        pattern = node.inputs[1].type.broadcastable
        stretched = set(range(extra)) | {extra + i for i, one in enumerate(pattern) if one} | set(y_view.stretched)
        for axis in range(extra, part.ndim):
            if axis not in stretched:
                one, two = y_view.lengths[axis], part.lengths[axis]
                self.check_equal(node, one, two, "write", (axis, one, two))
        if part.ndim == 0:
            value = self.register(y)
            if not assign:
                value = self.b.add(load(self.b, part.data, part.dtype, 1), value)
            store(self.b, value, part.data)
            return out
        source = (y_view, frozenset(stretched))
        if assign:
            self.simple_loop(part, part.lengths, [source], lambda b, index, v: v)
        else:
            self.simple_loop(
                part, part.lengths, [(part, frozenset()), source], lambda b, index, old, v: b.add(old, v)
            )
        return out

    def _writable(self: Program, node: Apply, x: Array) -> Array:
        """Return `x` in memory that may be written: its own if it dies here, else a copy."""
        variable = node.inputs[0]
        buffer = x.buffer
        if (
            buffer is not None and buffer.users == 1 and not buffer.kept and self.uses.get(variable) == 1
            and x.contiguous is True and not x.stretched and x.data == buffer.start
        ):
            return Array(x.dtype, x.lengths, x.data, buffer=buffer)
        return self.fresh_copy(x)

    # -- indexing by arrays -----------------------------------------------------------------------

    def _index_loop(self: Program, node: Apply, x: Array, indices: Sequence[Array], variables: Sequence[Any], place: Any) -> tuple[list[Size], list[tuple[Array, frozenset[int]]], Callable[..., Any]]:
        """Return lengths, operands and address computation of a loop over array positions."""
        at, full, position = place
        rank = variables[0].type.ndim
        total = len(full) + rank
        axis_of = [a for a in range(total) if a < position or a >= position + rank]
        lengths: list[Size] = [1] * total
        for axis, source in zip(axis_of, full, strict=True):
            lengths[axis] = x.lengths[source]
        operands = []
        for number, (index, variable) in enumerate(zip(indices, variables, strict=True)):
            stretched = set(axis_of)
            for i, one in enumerate(variable.type.broadcastable):
                if one or i in index.stretched:
                    stretched.add(position + i)
                if not one:
                    own = index.lengths[i]
                    if lengths[position + i] != 1:
                        self.check_equal(node, lengths[position + i], own, "elementwise",
                                         (number, i, lengths[position + i], number + 1, own))
                    lengths[position + i] = own
            operands.append((self._placed(index, total, position), frozenset(stretched)))
            self._check_range(node, index, variable, at[number], x.lengths[at[number]])
        everywhere = frozenset(range(total))
        numbers = [self.b.emit(f"ptrtoint ptr {self.pointer(x)} to i64"), *self.strides(x), *x.lengths]
        scalars = [(self.scalar(n), everywhere) for n in numbers]
        operands += scalars
        sizes = [self.scalar(n) for n in lengths]
        operands += [(s, everywhere) for s in sizes]
        count = len(indices)

        def address(b: Any, index: Any, values: Sequence[Any]) -> Any:
            base, rest = values[count], values[count + 1 :]
            steps, own, extents = rest[: x.ndim], rest[x.ndim : 2 * x.ndim], rest[2 * x.ndim :]
            for number, axis in enumerate(at):
                where = values[number]
                where = b.select(b.lt(where, 0), b.add(where, own[axis]), where)
                base = b.add(base, b.mul(where, steps[axis]))
            for axis, source in zip(axis_of, full, strict=True):
                # Lanes past the end of a row must not leave the array.
                where = b.minimum(index(axis), b.sub(extents[axis], 1))
                base = b.add(base, b.mul(where, steps[source]))
            return base

        return lengths, operands, address

    def _placed(self: Program, index: Array, total: int, position: int) -> Array:
        """Return an index array as an operand of a loop of `total` axes."""
        order: list[Any] = ["x"] * total
        for i in range(index.ndim):
            order[position + i] = i
        return self.permute(index, order)

    def _check_range(self: Program, node: Apply, index: Array, variable: Any, axis: int, length: Size) -> None:
        """Fail if an item of an index array lies outside an axis of `length`."""
        lowest = np.iinfo("int64").min
        highest = np.iinfo("int64").max
        reduced = tuple(range(index.ndim))
        if not index.ndim:
            self._checked_index(node, index, axis, length)
            return
        stretched = frozenset(i for i, one in enumerate(variable.type.broadcastable) if one) | index.stretched
        loop = Loop(
            index.ndim, ((index.dtype, stretched),), (),
            (Fold("minimum", highest, "int64", "int64"), Fold("maximum", lowest, "int64", "int64")),
            reduced, lambda b, at, values: ([], [values[0], values[0]]), weight=2,
        )
        outs = [Array("int64", (), self.stack(8)), Array("int64", (), self.stack(8))]
        self.prepare_run(loop, index.lengths, [index], [], outs)()
        b = self.b
        small, large = (self.register(a).text for a in outs)
        negative = b.emit(f"sub i64 0, {length}")
        # Of no index at all the fold is its start, which is inside on purpose of the comparison.
        none = b.emit(f"icmp sgt i64 {small}, {large}")
        low = b.emit(f"icmp sge i64 {small}, {negative}")
        self.check(node, b.emit(f"or i1 {none}, {low}"), "index", (small, axis, length))
        high = b.emit(f"icmp slt i64 {large}, {length}")
        self.check(node, b.emit(f"or i1 {none}, {high}"), "index", (large, axis, length))

    def gather(self: Program, node: Apply, x: Array, indices: Sequence[Array], at: list[int], full: list[int], position: int) -> Array:
        """Return the items of `x` at arrays of positions."""
        lengths, operands, address = self._index_loop(node, x, indices, node.inputs[1:], (at, full, position))
        out = self.new_array(x.dtype, lengths)

        def body(b: Any, index: Any, *values: Any) -> Any:
            return load_lanes(b, address(b, index, values), x.dtype)

        self.simple_loop(out, lengths, operands, body, indexed=True)
        return out

    def scatter(self: Program, node: Apply, x: Array, y: Array, indices: Sequence[Array], place: Any, assign: bool) -> Array:
        """Return `x` with the items at arrays of positions set to `y`, or increased by it."""
        out = self._writable(node, x)
        lengths, operands, address = self._index_loop(node, out, indices, node.inputs[2:], place)
        extra = len(lengths) - y.ndim
        view = self.permute(y, ["x"] * extra + list(range(y.ndim))) if extra else y
        stretched = set(range(extra)) | set(view.stretched)
        for i, one in enumerate(node.inputs[1].type.broadcastable):
            if one:
                stretched.add(extra + i)
            else:
                own, wanted = view.lengths[extra + i], lengths[extra + i]
                self.check_equal(node, own, wanted, "write", (extra + i, own, wanted))
        operands.append((view, frozenset(stretched)))

        def body(b: Any, index: Any, *values: Any) -> None:
            at = b.emit(f"inttoptr i64 {address(b, index, values[:-1]).text} to ptr")
            value = values[-1]
            if not assign:
                value = b.add(load(b, at, x.dtype, 1), value)
            store(b, value, at)

        self.simple_loop(None, lengths, operands, body, indexed=True, sequential=True, lanes=1)
        return out

    def arg_extreme(self: Program, node: Apply, x: Array, kind: str, axes: Sequence[int]) -> Array:
        """Return the first position of the extreme over `axes`: a fold for the value, one for it."""
        variable = node.inputs[0]
        rank = x.ndim
        stretched = frozenset(i for i, one in enumerate(variable.type.broadcastable) if one) | x.stretched
        best = "max" if kind == "argmax" else "min"
        combine = "maximum" if kind == "argmax" else "minimum"
        kept = [n for i, n in enumerate(x.lengths) if i not in axes]
        self._check_not_empty(node, x.lengths, axes)
        fold = Fold(combine, STARTS[best](x.dtype), x.dtype, x.dtype)
        value = self._fold_array(fold, kept)
        loop = Loop(rank, ((x.dtype, stretched),), (), (fold,), tuple(axes),
                    lambda b, index, values: ([], [values[0]]), weight=2)
        self.prepare_run(loop, x.lengths, [x], [], [value])()
        order: list[Any] = []
        rest = iter(range(len(kept)))
        order = ["x" if i in axes else next(rest) for i in range(rank)]
        wide = self.permute(value, order)
        everywhere = frozenset(range(rank))
        sizes = [self.scalar(x.lengths[a]) for a in axes]
        nothing = np.iinfo("int64").max

        def body(b: Any, index: Any, values: Sequence[Any]) -> Any:
            item, extreme, *extents = values
            where = b.const(0, "int64")
            for axis, extent in zip(axes, extents, strict=True):
                where = b.add(b.mul(where, extent), index(axis))
            hit = b.eq(item, extreme)
            if dtypes.is_float(x.dtype):
                hit = b.or_(hit, b.isnan(item))
            return [], [b.select(hit, where, b.const(nothing, "int64"))]

        first = Fold("minimum", nothing, "int64", "int64")
        out = self._fold_array(first, kept)
        search = Loop(
            rank,
            ((x.dtype, stretched), (x.dtype, frozenset(axes)), *(("int64", everywhere) for _ in sizes)),
            (), (first,), tuple(axes), body,
        )
        self.prepare_run(search, x.lengths, [x, wide, *sizes], [], [out], indexed=True)()
        if value.buffer is not None:
            value.buffer.users += 1
            self.release(value)
        return out

    # -- libraries --------------------------------------------------------------------------------

    def matmul(
        self: Program, node: Apply, x: Array, y: Array, into: Array | None = None,
        alpha: Array | None = None, beta: Array | None = None,
    ) -> Array:
        """Return a product of vectors or matrices; with `into`, added to it."""
        b = self.b
        one, two = x.lengths[-1], y.lengths[0]
        self.check_equal(node, one, two, "matmul", (one, two))
        lengths = [*x.lengths[:-1], *y.lengths[1:]]
        out = self._product_memory(node, x.dtype, lengths, into)
        offsets = [self.descriptor(a) for a in (x, y, out)]
        pointers = [self.frame_pointer(o) for o in offsets]
        scale = "null" if alpha is None else self.pointer(alpha)
        keep = "null" if beta is None else self.pointer(beta)
        work = self.product([*lengths, one])
        if not isinstance(work, int) or work > LONG_PRODUCT:
            self._release_if_long(work)
        result = b.emit(
            f"call i32 {self.runtime('matmul')}(ptr %call, i64 {typenum(x.dtype)}, i64 {x.ndim}, "
            f"i64 {y.ndim}, ptr {pointers[0]}, ptr {pointers[1]}, ptr {pointers[2]}, ptr {scale}, ptr {keep})"
        )
        self.or_fail(b.emit(f"icmp eq i32 {result}, 0"))
        return out

    def _product_memory(self: Program, node: Apply, dtype: str, lengths: Sequence[Size], into: Array | None) -> Array:
        if into is None:
            return self.new_array(dtype, lengths) if lengths else Array(dtype, (), self.stack(16))
        for axis, (one, two) in enumerate(zip(into.lengths, lengths, strict=True)):
            self.check_equal(node, one, two, "elementwise", (0, axis, one, 1, two))
        target = self.in_place.get(node.outputs[0])
        if target is None:
            return self._writable(node, into)
        out = self.overwritten(dtype, lengths, target)
        b = self.b
        same = b.emit(f"icmp eq ptr {out.data}, {into.data}")
        copy, done = b.fresh_label("keep"), b.fresh_label("kept")
        at = self.frame_pointer(self.descriptor(into))
        function = self.runtime("copy")
        b.perform(f"br i1 {same}, label %{done}, label %{copy}")
        b.label(copy)
        got = b.emit(f"call i32 {function}(ptr %call, i64 {typenum(dtype)}, i64 {into.ndim}, ptr {out.data}, ptr {at})")
        self.or_fail(b.emit(f"icmp eq i32 {got}, 0"))
        b.perform(f"br label %{done}")
        b.label(done)
        return out

    def _release_if_long(self: Program, work: Size) -> None:
        b = self.b
        long, go = b.fresh_label("long"), b.fresh_label("go")
        function = self.runtime("release")
        b.perform(f"br i1 {b.emit(f'icmp sgt i64 {work}, {LONG_PRODUCT}')}, label %{long}, label %{go}")
        b.label(long)
        b.perform(f"call void {function}(ptr %call)")
        b.perform(f"br label %{go}")
        b.label(go)

    def call_python(self: Program, node: Apply, function: Callable[..., Any], values: Sequence[Any]) -> list[Any]:
        """Call a Python function from inside the program; return its results as values."""
        from theano._core.lower.llvm.program import CallbackRecord

        inputs = [v.descriptor if isinstance(v, Object) else self.descriptor(v) for v in values]
        results: list[Any] = []
        offsets = []
        for out in node.outputs:
            kind = out.type
            offset = self.reserve(2 + 2 * (kind.ndim if isinstance(kind, TensorType) else 0))
            offsets.append(offset)
        self.callbacks.append(
            CallbackRecord(function, tuple(v.type for v in node.inputs), tuple(o.type for o in node.outputs))
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

    def _from_descriptor(self: Program, kind: Any, offset: int) -> Any:
        if not isinstance(kind, TensorType):
            return Object(offset)
        lengths = tuple(self.frame_load(offset + 2 + i) for i in range(kind.ndim))
        strides = tuple(self.frame_load(offset + 2 + kind.ndim + i) for i in range(kind.ndim))
        array = Array(kind.dtype, lengths, self.frame_load(offset, "ptr"), descriptor=offset)
        if kind.ndim:
            array.strides = strides
            bit = self.b.emit(f"and i64 {self.frame_load(offset + 1)}, 1")
            array.contiguous = self.b.emit(f"icmp ne i64 {bit}, 0")
        return array

    def draw(self: Program, node: Apply, values: Sequence[Any]) -> list[Any]:
        """Draw random numbers: in place where the stream belongs to the function."""
        stream = node.inputs[0]
        own = [o for o, n in zip(self.outputs[len(self.outputs) - len(self.updates) :], self.updates, strict=True)
               if self.inputs[n] is stream]
        alone = self.uses.get(stream) == 1 and own == [node.outputs[0]]
        return self.call_python(node, Draw(node.op) if alone else node.op.perform_on_copy, values)


def typenum(dtype: str) -> int:
    """Return NumPy's number of an item type."""
    return np.dtype(dtype).num


def load_lanes(b: Any, addresses: Any, dtype: str) -> Any:
    """Return the items at the addresses in the lanes of an int64 value."""
    if addresses.lanes == 1:
        return load(b, b.emit(f"inttoptr i64 {addresses.text} to ptr"), dtype, 1)
    size = itemsize(dtype)
    item = f"i{8 * size}"
    kind = f"<{addresses.lanes} x {item}>"
    packed = "poison"
    for i in range(addresses.lanes):
        at = b.emit(f"inttoptr i64 {b.lane(addresses, i).text} to ptr")
        bits = b.emit(f"load {item}, ptr {at}, align 1")
        packed = b.emit(f"insertelement {kind} {packed}, {item} {bits}, i64 {i}")
    lanes = addresses.lanes
    if dtype.startswith("complex"):
        part = "float32" if dtype == "complex64" else "float64"
        wide = llvm_type(part, 2 * lanes)
        both = Value(b.emit(f"bitcast {kind} {packed} to {wide}"), part, 2 * lanes)
        real, imag = list(range(0, 2 * lanes, 2)), list(range(1, 2 * lanes, 2))
        return ComplexValue(b.shuffle(both, both, real), b.shuffle(both, both, imag))
    memory = "int8" if dtype == "bool" else dtype
    value = Value(b.emit(f"bitcast {kind} {packed} to {llvm_type(memory, lanes)}"), memory, lanes)
    return b.neq(value, 0) if dtype == "bool" else value


def _all_stretched(array: Array) -> frozenset[int]:
    return array.stretched | frozenset(i for i, n in enumerate(array.lengths) if n == 1)


