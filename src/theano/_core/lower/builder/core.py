"""The entry function while it is written: its frame, scalars, memory and checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Constant
from theano._core.lower.arrays import Array, Buffer, CallbackRecord, Object, Size
from theano._core.lower.builder.region import Region
from theano._core.lower.faults import CODES
from theano._core.lower.llvm.builder import Builder
from theano._core.lower.llvm.emitter import ComplexValue, Value
from theano._core.lower.llvm.items import itemsize, load, store
from theano._core.lower.schedule import Lengths, Step
from theano._core.ops.lengths import LARGEST
from theano._core.ops.shaping import Length

# Position of the runtime's functions in its table (runtime/include/theano_runtime.h).
RUNTIME = {
    name: number
    for number, name in enumerate(
        (
            "alloc",
            "free",
            "fail",
            "matmul",
            "parallel",
            "callback",
            "variant",
            "release",
            "copy",
            "kept",
            "forget",
            "lapack",
            "poll",
            "along",
            "tick",
            "search",
            "pack",
            "multiply_packed",
            "commit",
            "fold",
        )
    )
}


class Core:
    """What every part of a program is built with: the state, and the words that need no other.

    Parameters
    ----------
    inputs : sequence of variables
        Arguments and shared variables, in the order of the runtime's records.
    outputs : sequence of variables
        Rewritten results; the last `len(updates)` of them are new values of inputs.
    updates : sequence of int
        Which input each of these last results replaces.
    overwritable : set of int
        Inputs that may be overwritten in place.
    rewriter
        Knows the lengths of the graph: `lengths(variable)`, equal lengths being equal objects.
    fuse : bool
        Whether elementwise operations and reductions share loops.
    vector_bits : int
        Width of vectors; 0: the default of the target.
    timed : bool
        Whether each step tells the runtime when it is done.
    """

    def __init__(
        self,
        inputs: Sequence[Any],
        outputs: Sequence[Any],
        updates: Sequence[int],
        overwritable: set[int],
        rewriter: Any,
        fuse: bool = True,
        vector_bits: int = 0,
        timed: bool = False,
    ) -> None:
        self.inputs = list(inputs)
        self.outputs = list(outputs)
        self.updates = list(updates)
        self.overwritable = overwritable
        self.rewriter = rewriter
        self.fuse = fuse
        self.timed = timed
        self.vector_bits = vector_bits
        self.b = Builder(1, prefix="m")
        self.prologue: list[str] = []
        self.cold: list[str] = []
        # What `th_fold` says of each fold in parts, one after the other.
        self.fold_facts: list[int] = []
        # Lines of the body with which inputs, steps and results begin.
        self.starts: list[int] = []
        self._failures: dict[tuple[Any, ...], str] = {}  # what fails → its block, in `cold`
        self.values: dict[Any, Any] = {}
        self.uses: dict[Any, int] = {}
        self.readers: dict[Any, Step] = {}  # the last step that reads each variable
        # Products that are made along with the next one: by the address of the result, a condition
        # and the arguments of the kernel.
        self.postponed: dict[str, tuple[str, str]] = {}
        self.frame_size = 0
        self.buffer_slots: list[int] = []
        self.constants: list[Any] = []
        self.constant_offsets: list[int] = []
        self.kernels: list[Any] = []
        self.callbacks: list[CallbackRecord] = []
        self.node_numbers: dict[tuple[Apply, tuple[Apply, ...]], int] = {}
        self._runtime_loaded: set[str] = set()
        self._length_values: dict[Any, Size] = {}
        self._facts = 0
        self._block_words = 1
        self._owned: dict[Any, Any] = {}
        self.number_of: dict[Apply, int] = {}
        self.lengths = Lengths(rewriter.lengths)
        self.input_offsets: list[int] = []
        # The applications of each step.
        self.steps: tuple[tuple[Apply, ...], ...] = ()
        # New values of shared variables that may be written in place → the variable.
        self.in_place: dict[Any, Any] = {}
        # What writes them, where that is no fused loop.
        self.overwrites: dict[Apply, Callable[[], None]] = {}
        # Descriptors of arrays that a callback made and that nothing else keeps.
        self.given: set[int] = set()
        # Operands whose memory a result has taken over.
        self.taken: set[Any] = set()
        # Values that a step of a loop leaves in a row of a state → (address, lengths, check).
        self.places: dict[Any, Any] = {}
        self.region: Region | None = None
        # The application that is written now.
        self.node: Apply | None = None
        # Whether what is written now runs where nothing may fail any more.
        self.late = False
        # Streams of random numbers that nothing outside this call can see.
        self.own_streams: set[Any] = set()
        # Buffer slots whose memory serves all steps of some loop, which gives it back.
        self.fixed_slots: set[int] = set()
        # Buffer slots whose memory was given back.
        self.freed: set[int] = set()

    def emit_node(self, node: Apply) -> None:
        """Write one application; `Builder` does."""
        raise NotImplementedError

    def reserve(self, slots: int) -> int:
        """Return the offset of new frame slots."""
        offset = self.frame_size
        self.frame_size += slots
        return offset

    def frame_pointer(self, offset: int) -> str:
        """Return the address of a frame slot."""
        return self.b.emit(f"getelementptr i64, ptr %frame, i64 {offset}")

    def frame_load(self, offset: int, kind: str = "i64") -> str:
        """Return what a frame slot holds."""
        return self.b.emit(f"load {kind}, ptr {self.frame_pointer(offset)}, align 8")

    def frame_store(self, offset: int, value: Size, kind: str = "i64") -> None:
        """Write to a frame slot."""
        self.b.perform(f"store {kind} {value}, ptr {self.frame_pointer(offset)}, align 8")

    def runtime(self, name: str) -> str:
        """Return the address of a function of the runtime."""
        if name not in self._runtime_loaded:
            self._runtime_loaded.add(name)
            self.prologue += [
                f"  %rt.{name}.at = getelementptr ptr, ptr %rt, i64 {RUNTIME[name]}",
                f"  %rt.{name} = load ptr, ptr %rt.{name}.at, align 8",
            ]
        return f"%rt.{name}"

    def stack(self, nbytes: int) -> str:
        """Return memory that lives as long as the call."""
        name = f"%stack{len(self.prologue)}"
        self.prologue.append(f"  {name} = alloca [{nbytes} x i8], align 16")
        return name

    def sized(self, text: str, *operands: Size) -> str:
        """Return the register of a pure instruction; one of fixed operands goes before the loop."""
        region = self.region
        if region is None or not all(region.fixed(v) for v in operands):
            return self.b.emit(text)
        return region.before(self, lambda: self.sized(text, *operands))

    def multiply(self, one: Size, two: Size) -> Size:
        """Return the product of two sizes, `LARGEST` if it does not fit."""
        if isinstance(one, int) and isinstance(two, int):
            return within_int64(one * two)
        if 1 in (one, two):
            return two if one == 1 else one
        return self._saturated("smul.fix", one, two, ", i32 0", ", i32")

    def plus(self, one: Size, two: Size) -> Size:
        """Return the sum of two sizes, `LARGEST` if it does not fit."""
        if isinstance(one, int) and isinstance(two, int):
            return within_int64(one + two)
        if 0 in (one, two):
            return two if one == 0 else one
        return self._saturated("sadd", one, two)

    def _saturated(self, name: str, one: Size, two: Size, last: str = "", kind: str = "") -> str:
        function = f"@llvm.{name}.sat.i64"
        self.b.declarations[f"declare i64 {function}(i64, i64{kind})"] = None
        return self.sized(f"call i64 {function}(i64 {one}, i64 {two}{last})", one, two)

    def unless_zero(self, condition: Size, size: Size) -> Size:
        """Return a size, but 0 where another one is 0."""
        if isinstance(condition, int):
            return size if condition else 0
        nothing = self.sized(f"icmp eq i64 {condition}, 0", condition)
        return self.sized(f"select i1 {nothing}, i64 0, i64 {size}", nothing, size)

    def position(self, one: Size, two: Size) -> Size:
        """Return the sum of two positions along an axis: unlike a size it needs no care."""
        if isinstance(one, int) and isinstance(two, int):
            return within_int64(one + two)
        if 0 in (one, two):
            return two if one == 0 else one
        return self.sized(f"add i64 {one}, {two}", one, two)

    def offset(self, position: Size, stride: Size) -> Size:
        """Return where in the memory of an array something is, in bytes.

        Unlike a size it needs no care: what exists has an address. Where nothing is, at a second
        item of an axis that has one, the number has no meaning and is not read.
        """
        if isinstance(position, int) and isinstance(stride, int):
            return within_int64(position * stride)
        if 1 in (position, stride):
            return stride if position == 1 else position
        return self.sized(f"mul i64 {position}, {stride}", position, stride)

    def product(self, sizes: Sequence[Size]) -> Size:
        """Return the product of sizes, `LARGEST` if it does not fit."""
        total: Size = 1
        for size in sizes:
            total = self.multiply(total, size)
        return 0 if 0 in sizes else total

    def size(self, length: Any) -> Size:
        """Return a length of the graph as a number or a register."""
        if isinstance(length, int):
            return length
        found = self._length_values.get(length)
        if found is None:
            found = self._length_values[length] = self.integer(self.value(length))
        return found

    def integer(self, array: Array) -> Size:
        """Return an integer scalar as a size."""
        value = self.register(array)
        if not value.text.startswith("%"):
            return (
                int(value.text)
                if value.text not in ("true", "false")
                else int(value.text == "true")
            )
        return self.b.cast(value, "int64").text

    def value(self, variable: Any) -> Any:
        """Return the value of a variable; scalars are computed when first asked for."""
        found = self.values.get(variable)
        if found is not None:
            return found
        if isinstance(variable, Constant):
            found = self._constant(variable)
        else:
            stack = [variable]
            while stack:
                node = stack[-1].owner
                missing = [
                    v for v in node.inputs if v not in self.values and not isinstance(v, Constant)
                ]
                if isinstance(node.op, Length) and missing:
                    missing = []
                if missing:
                    stack += missing
                    continue
                stack.pop()
                if node.outputs[0] not in self.values:
                    self.emit_node(node)
            return self.values[variable]
        self.values[variable] = found
        return found

    def _constant(self, variable: Constant) -> Any:
        if not isinstance(variable.type, TensorType):
            offset = self.reserve(2)
            self.constants.append(variable.data)
            self.constant_offsets.append(offset)
            return Object(offset)
        data = np.ascontiguousarray(variable.data).reshape(variable.data.shape)
        if data.ndim == 0:
            return Array(
                variable.type.dtype, (), register=self.literal(data.item(), variable.type.dtype)
            )
        offset = self.reserve(2 + 2 * data.ndim)
        self.constants.append(data)
        self.constant_offsets.append(offset)
        return Array(
            variable.type.dtype,
            tuple(data.shape),
            self.frame_load(offset, "ptr"),
            descriptor=offset,
        )

    def literal(self, number: Any, dtype: str) -> Any:
        """Return a number as a scalar in a register."""
        if dtype.startswith("complex"):
            part = "float32" if dtype == "complex64" else "float64"
            number = complex(number)
            return ComplexValue(self.b.const(number.real, part), self.b.const(number.imag, part))
        return self.b.const(number, dtype)

    def register(self, array: Array) -> Any:
        """Return a scalar's value in a register."""
        if array.register is None:
            array.register = load(self.b, array.data, array.dtype, 1)
        return array.register

    def pointer(self, array: Array) -> str:
        """Return the address of an array's first item; a register is written to the stack."""
        if not array.data:
            count = len(array.items) if array.items is not None else 1
            array.data = self.stack(max(itemsize(array.dtype) * count, 8))
            if array.items is None:
                store(self.b, array.register, array.data)
            for i, item in enumerate(array.items or ()):
                at = self.b.emit(f"getelementptr i64, ptr {array.data}, i64 {i}")
                self.b.perform(f"store i64 {item}, ptr {at}, align 8")
        return array.data

    def scalar(self, size: Size) -> Array:
        """Return a size as an int64 scalar value."""
        return Array("int64", (), register=Value(str(size), "int64", 1))

    def strides(self, array: Array) -> tuple[Size, ...]:
        """Return the strides of an array in bytes."""
        if array.strides is None:
            result: list[Size] = []
            step: Size = itemsize(array.dtype)
            for length in reversed(array.lengths):
                result.append(step)
                step = self.multiply(step, length)
            array.strides = tuple(reversed(result))
        return array.strides

    def new_array(self, dtype: str, lengths: Sequence[Size]) -> Array:
        """Return a fresh C-contiguous array; the call fails if there is no memory.

        Memory of one size for all steps of a loop is allocated before the loop.
        """
        region = self.region
        if region is not None and all(region.fixed(n) for n in lengths):
            array = region.before(self, lambda: self.new_array(dtype, lengths))
            self.keep_for_loop(region, array.buffer)
            return replace(array, buffer=Buffer(array.buffer.slot, array.data, fixed=True))
        slot = self.reserve(1)
        self.buffer_slots.append(slot)
        data = self.allocated(dtype, lengths, slot)
        return Array(dtype, tuple(lengths), data, buffer=Buffer(slot, data))

    def allocated(self, dtype: str, lengths: Sequence[Size], slot: int) -> str:
        """Return memory for an array, owned by a slot; the call fails if there is none."""
        nbytes = self.multiply(self.product(lengths), itemsize(dtype))
        data = self.b.emit(f"call ptr {self.runtime('alloc')}(ptr %call, i64 {nbytes}, i64 {slot})")
        self.check(self.node, self.b.emit(f"icmp ne ptr {data}, null"), "too_large", lengths)
        return data

    def keep_for_loop(self, region: Region, buffer: Any) -> None:
        """Have memory that was allocated before a loop be given back after it."""
        # Memory that serves the loop around this one too is given back after that one.
        if not buffer.fixed:
            region.fixed_slots.add(buffer.slot)
            self.fixed_slots.add(buffer.slot)

    def release(self, array: Any) -> None:
        """Count one user less of the memory of a value; give it back after the last."""
        buffer = getattr(array, "buffer", None)
        if buffer is None:
            return
        buffer.users -= 1
        if buffer.users == 0 and not buffer.kept and not buffer.fixed:
            self.freed.add(buffer.slot)
            self.b.perform(f"call void {self.runtime('free')}(ptr %call, i64 {buffer.slot})")

    def or_fail(self, condition: str) -> None:
        """Leave the function unless `condition`; the error is already recorded."""
        self._branch(condition, (), lambda label: ["  ret i32 -1"])

    def or_no_memory(self, condition: str) -> None:
        """Leave the function unless `condition`; there was no memory, or the error is recorded."""
        self.check(self.node, condition, "no_memory", ())

    def check(self, node: Apply | None, condition: str, fault: str, facts: Sequence[Size]) -> None:
        """Fail with `fault` and `facts` unless the i1 `condition` holds."""
        loops = self.loops() if node is not None else []
        facts = [*facts, *(region.step for region in loops)]
        self._facts = max(self._facts, len(facts))
        number = -1
        if node is not None:
            place = (node, tuple(region.node for region in loops))
            number = self.node_numbers.setdefault(place, len(self.node_numbers))

        def failure(label: str) -> list[str]:
            lines = []
            for i, fact in enumerate(facts):
                lines += [
                    f"  %{label}.at{i} = getelementptr i64, ptr %facts, i64 {i}",
                    f"  store i64 {fact}, ptr %{label}.at{i}, align 8",
                ]
            return [
                *lines,
                (
                    f"  %{label}.r = call i32 {self.runtime('fail')}(ptr %call, i64"
                    f" {CODES[fault]}, i64 {number}, i64 {len(facts)}, ptr %facts)"
                ),
                "  ret i32 -1",
            ]

        self._branch(condition, (number, fault, *facts), failure)

    def _branch(
        self, condition: str, failure: tuple[Any, ...], write: Callable[[str], list[str]]
    ) -> None:
        """Go on where `condition` holds, else leave by a block that all equal failures share."""
        ok, bad = self.b.fresh_label("ok"), self._failures.get(failure)
        if bad is None:
            bad = self._failures[failure] = self.b.fresh_label("bad")
            self.cold += [f"{bad}:", *write(bad)]
        self.b.perform(f"br i1 {condition}, label %{ok}, label %{bad}")
        self.b.label(ok)

    def loops(self) -> list[Region]:
        """Return the loops around what is written now, the outermost first."""
        found: list[Region] = []
        region = self.region
        while region is not None:
            found.insert(0, region)
            region = region.outer
        return found

    def check_equal(
        self, node: Apply, one: Size, two: Size, fault: str, facts: Sequence[Size]
    ) -> None:
        """Fail with `fault` unless two sizes are equal."""
        if one == two:
            return
        self.check(node, self.b.emit(f"icmp eq i64 {one}, {two}"), fault, facts)

    def check_size(self, node: Apply | None, size: Size, fault: str, facts: Sequence[Size]) -> None:
        """Fail with `fault` if a size is so large that it stopped at `LARGEST`."""
        if size == LARGEST:
            self.check(node, "false", fault, facts)
        elif not isinstance(size, int):
            self.check(node, self.b.emit(f"icmp ne i64 {size}, {LARGEST}"), fault, facts)

    def check_least(
        self, node: Apply, one: Size, least: int, fault: str, facts: Sequence[Size]
    ) -> None:
        """Fail with `fault` unless a size is at least `least`."""
        if not isinstance(one, int):
            self.check(node, self.b.emit(f"icmp sge i64 {one}, {least}"), fault, facts)
        elif one < least:
            self.check(node, "false", fault, facts)

    def check_operands(self, node: Apply) -> None:
        """Check that the operands of an elementwise application agree in their lengths."""
        for axis in range(node.outputs[0].type.ndim):
            first = None
            for i, variable in enumerate(node.inputs):
                if variable.type.broadcastable[axis]:
                    continue
                length = self.rewriter.lengths(variable)[axis]
                if first is None:
                    first = (i, length)
                elif length is not first[1] and length != first[1]:
                    one, two = self.size(first[1]), self.size(length)
                    self.check_equal(node, one, two, "elementwise", (first[0], axis, one, i, two))

    def define(self, variable: Any, value: Any) -> None:
        buffer = getattr(value, "buffer", None)
        if buffer is not None:
            buffer.users += 1
        self.values[variable] = value

    def descriptor(self, array: Array) -> int:
        """Return the frame offset of a descriptor of an array, written if there is none."""
        if array.descriptor is not None:
            return array.descriptor
        n = array.ndim
        offset = self.reserve(2 + 2 * n)
        self.frame_store(offset, self.pointer(array), "ptr")
        self.frame_store(offset + 1, 1 if array.contiguous is True else 0)
        for i, (length, stride) in enumerate(zip(array.lengths, self.strides(array), strict=True)):
            self.frame_store(offset + 2 + i, length)
            self.frame_store(offset + 2 + n + i, stride)
        array.descriptor = offset
        return offset


def within_int64(number: int) -> int:
    """Return the number of an int64 that is nearest to `number`."""
    return max(-LARGEST - 1, min(LARGEST, number))
