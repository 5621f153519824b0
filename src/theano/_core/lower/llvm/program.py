"""From a rewritten graph to the text of one entry function and its kernels.

The entry function holds everything that is not a loop: the arithmetic of shapes, checks, memory,
scalars, the calls of kernels and libraries, in straight-line code. Scalars stay in registers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from theano._core.ir.graph import toposort
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Constant
from theano._core.lower.arrays import Array, Buffer, Object, Size
from theano._core.lower.faults import CALLBACK_SHIFT, CODES
from theano._core.lower.llvm.builder import Builder
from theano._core.lower.llvm.emitter import ComplexValue, Value
from theano._core.lower.llvm.items import itemsize, load, store
from theano._core.lower.llvm.launch import Launcher
from theano._core.lower.llvm.structures import Structures
from theano._core.lower.llvm.updates import plan_updates
from theano._core.lower.loops import Fold
from theano._core.lower.schedule import Lengths, Step, group
from theano._core.ops.op import Elementwise
from theano._core.ops.reductions import STARTS, Reduction
from theano._core.ops.shaping import Length
from theano._core.rewrite.engine import Rewriter

# Position of the runtime's functions in its table (runtime/include/theano_runtime.h).
RUNTIME = {
    name: number
    for number, name in enumerate(
        ("alloc", "free", "fail", "matmul", "parallel", "callback", "variant", "release", "copy")
    )
}


class Output(NamedTuple):
    """Where the runtime finds a result: a buffer slot, or an array that a callback made."""

    kind: str
    descriptor: int
    slot: int


class CallbackRecord(NamedTuple):
    """A Python function that the program calls, with the types of its values."""

    function: Callable[..., Any]
    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]


class ProgramText(NamedTuple):
    """A whole program before it is compiled."""

    text: str
    kernels: tuple[Any, ...]  # Kernel: text made when asked for; see launch.py
    frame_size: int
    buffer_slots: tuple[int, ...]
    inputs: tuple[int, ...]  # offset of the descriptor of each input
    constants: tuple[Any, ...]  # arrays, passed as inputs after the others
    constant_offsets: tuple[int, ...]
    outputs: tuple[Output, ...]
    callbacks: tuple[CallbackRecord, ...]
    nodes: tuple[Apply, ...]  # for error messages, by number


class Program(Structures, Launcher):
    """Writes one program; see the module.

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
    rewriter : Rewriter
        Knows the lengths of the graph.
    vector_bits : int
        Width of vectors; 0: the default of the target.
    """

    def __init__(
        self,
        inputs: Sequence[Any],
        outputs: Sequence[Any],
        updates: Sequence[int],
        overwritable: set[int],
        rewriter: Rewriter,
        vector_bits: int = 0,
    ) -> None:
        self.inputs = list(inputs)
        self.outputs = list(outputs)
        self.updates = list(updates)
        self.overwritable = overwritable
        self.rewriter = rewriter
        self.vector_bits = vector_bits
        self.b = Builder(1, prefix="m")
        self.prologue: list[str] = []
        self.cold: list[str] = []
        self.values: dict[Any, Any] = {}
        self.uses: dict[Any, int] = {}
        self.frame_size = 0
        self.buffer_slots: list[int] = []
        self.constants: list[Any] = []
        self.constant_offsets: list[int] = []
        self.kernels: list[Any] = []
        self.callbacks: list[CallbackRecord] = []
        self.node_numbers: dict[Apply, int] = {}
        self._runtime_loaded: set[str] = set()
        self._length_values: dict[Any, Size] = {}
        self._facts = 0
        self._block_words = 1
        self._owned: dict[Any, Any] = {}
        self.input_offsets: list[int] = []
        # New values of shared variables that may be written in place → the variable.
        self.in_place: dict[Any, Any] = {}
        # Operands whose memory a result has taken over.
        self.taken: set[Any] = set()

    # -- frame ------------------------------------------------------------------------------------

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

    # -- arithmetic of sizes ----------------------------------------------------------------------

    def multiply(self, one: Size, two: Size) -> Size:
        """Return the product of two sizes."""
        if isinstance(one, int) and isinstance(two, int):
            return one * two
        if 1 in (one, two):
            return two if one == 1 else one
        return self.b.emit(f"mul i64 {one}, {two}")

    def plus(self, one: Size, two: Size) -> Size:
        """Return the sum of two sizes."""
        if isinstance(one, int) and isinstance(two, int):
            return one + two
        if 0 in (one, two):
            return two if one == 0 else one
        return self.b.emit(f"add i64 {one}, {two}")

    def product(self, sizes: Sequence[Size]) -> Size:
        """Return the product of sizes."""
        total: Size = 1
        for size in sizes:
            total = self.multiply(total, size)
        return total

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

    # -- values -----------------------------------------------------------------------------------

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
                    self._emit_single(node)
            return self.values[variable]
        self.values[variable] = found
        return found

    def _constant(self, variable: Constant) -> Any:
        if not isinstance(variable.type, TensorType):
            raise TypeError(f"a constant of type {variable.type} cannot be used by native code")
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

    # -- memory -----------------------------------------------------------------------------------

    def new_array(self, dtype: str, lengths: Sequence[Size]) -> Array:
        """Return a fresh C-contiguous array; the call fails if there is no memory."""
        slot = self.reserve(1)
        self.buffer_slots.append(slot)
        nbytes = self.multiply(self.product(lengths), itemsize(dtype))
        data = self.b.emit(f"call ptr {self.runtime('alloc')}(ptr %call, i64 {nbytes}, i64 {slot})")
        self.or_fail(self.b.emit(f"icmp ne ptr {data}, null"))
        return Array(dtype, tuple(lengths), data, buffer=Buffer(slot, data))

    def release(self, array: Any) -> None:
        """Count one user less of the memory of a value; give it back after the last."""
        buffer = getattr(array, "buffer", None)
        if buffer is None:
            return
        buffer.users -= 1
        if buffer.users == 0 and not buffer.kept:
            self.b.perform(f"call void {self.runtime('free')}(ptr %call, i64 {buffer.slot})")

    # -- checks -----------------------------------------------------------------------------------

    def or_fail(self, condition: str) -> None:
        """Leave the function unless `condition`; the error is already recorded."""
        ok, bad = self.b.fresh_label("ok"), self.b.fresh_label("failed")
        self.b.perform(f"br i1 {condition}, label %{ok}, label %{bad}")
        self.cold += [f"{bad}:", "  ret i32 -1"]
        self.b.label(ok)

    def check(self, node: Apply | None, condition: str, fault: str, facts: Sequence[Size]) -> None:
        """Fail with `fault` and `facts` unless the i1 `condition` holds."""
        ok, bad = self.b.fresh_label("ok"), self.b.fresh_label("bad")
        self.b.perform(f"br i1 {condition}, label %{ok}, label %{bad}")
        self._facts = max(self._facts, len(facts))
        self.cold.append(f"{bad}:")
        for i, fact in enumerate(facts):
            self.cold += [
                f"  %{bad}.at{i} = getelementptr i64, ptr %facts, i64 {i}",
                f"  store i64 {fact}, ptr %{bad}.at{i}, align 8",
            ]
        number = -1 if node is None else self.node_numbers.setdefault(node, len(self.node_numbers))
        self.cold += [
            f"  %{bad}.r = call i32 {self.runtime('fail')}(ptr %call, i64 {CODES[fault] | len(self.callbacks) << CALLBACK_SHIFT}, i64 {number}, "
            f"i64 {len(facts)}, ptr %facts)",
            "  ret i32 -1",
        ]
        self.b.label(ok)

    def check_equal(
        self, node: Apply, one: Size, two: Size, fault: str, facts: Sequence[Size]
    ) -> None:
        """Fail with `fault` unless two sizes are equal."""
        if one == two:
            return
        self.check(node, self.b.emit(f"icmp eq i64 {one}, {two}"), fault, facts)

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

    # -- the program ------------------------------------------------------------------------------

    def write(self) -> ProgramText:
        """Return the text of the program."""
        for number, variable in enumerate(self.inputs):
            self._input(number, variable)
        input_offsets = tuple(self.input_offsets)
        nodes = self._nodes()
        self.number_of = {node: i for i, node in enumerate(nodes)}
        self.lengths = Lengths(self.rewriter.lengths)
        steps = group(nodes, self.lengths)
        self._count_uses(steps)
        early, late = plan_updates(self, steps)
        for step in early:
            self._emit(step)
        self._materialise_outputs()
        for run in [self._prepare(step) for step in late]:
            run()
        results = self._results()
        return self._finish(input_offsets, results)

    def _input(self, number: int, variable: Any) -> None:
        kind = variable.type
        if not isinstance(kind, TensorType):
            offset = self.reserve(2)
            self.input_offsets.append(offset)
            self.values[variable] = Object(offset)
            return
        offset = self.reserve(2 + 2 * kind.ndim)
        self.input_offsets.append(offset)
        lengths = tuple(
            1 if one else self.frame_load(offset + 2 + i)
            for i, one in enumerate(kind.broadcastable)
        )
        array = Array(kind.dtype, lengths, self.frame_load(offset, "ptr"), descriptor=offset)
        if kind.ndim:
            array.strides = tuple(
                self.frame_load(offset + 2 + kind.ndim + i) for i in range(kind.ndim)
            )
            flags = self.frame_load(offset + 1)
            bit = self.b.emit(f"and i64 {flags}, 1")
            array.contiguous = self.b.emit(f"icmp ne i64 {bit}, 0")
            array.stretched = frozenset()
        self.values[variable] = array

    def _nodes(self) -> list[Apply]:
        """Return the applications that need a step: scalars of sizes are computed on demand."""
        return toposort(self.outputs, self.values)

    def _count_uses(self, steps: Sequence[Step]) -> None:
        for step in steps:
            for variable in step_inputs(step):
                self.uses[variable] = self.uses.get(variable, 0) + 1
        for out in self.outputs:
            self.uses[out] = self.uses.get(out, 0) + 1

    def _emit(self, step: Step) -> None:
        self._prepare(step)()

    def _prepare(self, step: Step) -> Callable[[], None]:
        """Write what may fail in a step; return what writes the rest."""
        if step.is_loop:
            run = self.prepare_loop(step)
        else:
            node = step.nodes[0]

            def run() -> None:
                if node.outputs[0] not in self.values:
                    self._emit_single(node)

        def all_of_it() -> None:
            run()
            self._drop_dead(step)

        return all_of_it

    def _drop_dead(self, step: Step) -> None:
        for variable in step_inputs(step):
            self.uses[variable] -= 1
            if self.uses[variable] == 0 and variable in self.values:
                self.release(self.values[variable])
        for node in step.nodes:
            for out in node.outputs:
                if out in self.values and not self.uses.get(out):
                    self.release(self.values[out])

    def _emit_single(self, node: Apply) -> None:
        op = node.op
        if isinstance(op, Elementwise):
            self._define(node.outputs[0], self._inline(node))
            return
        values = [
            self.value(v) if not isinstance(op, Length) else self._known(v) for v in node.inputs
        ]
        result = op.lower(self, node, *values)
        results = list(result) if isinstance(result, (list, tuple)) else [result]
        for out, value in zip(node.outputs, results, strict=True):
            self._define(out, value)

    def _known(self, variable: Any) -> Any:
        return self.values.get(variable) if variable in self.values else self.value(variable)

    def _define(self, variable: Any, value: Any) -> None:
        buffer = getattr(value, "buffer", None)
        if buffer is not None:
            buffer.users += 1
        self.values[variable] = value

    def _inline(self, node: Apply) -> Array:
        """Write a scalar function in the entry itself."""
        casts, dtype = node.op.dtype(*(v.type.dtype for v in node.inputs))
        if node.op.native is None:
            raise NotImplementedError(f"{node.op.name} has no native form")
        args = [
            self.b.cast(self.register(self.value(v)), d)
            for v, d in zip(node.inputs, casts, strict=True)
        ]
        return Array(dtype, (), register=self.b.cast(node.op.native(self.b, *args), dtype))

    def fold_of(self, node: Apply) -> Fold:
        """Return what a reduction does, for the kernel."""
        op: Reduction = node.op
        acc, out = op.types(node.inputs[0].type.dtype)
        fold = op.fold
        start = STARTS[op.kind](acc) if fold.identity is None else fold.identity(acc)
        return Fold(fold.combine, start, acc, out)

    # -- results ----------------------------------------------------------------------------------

    def _materialise_outputs(self) -> None:
        """Give every result that is ready memory of its own."""
        for out in self.outputs:
            if out in self.values or isinstance(out, Constant) or self._is_scalar_expression(out):
                self._own(out)

    def _is_scalar_expression(self, out: Any) -> bool:
        return (
            out.owner is not None and isinstance(out.owner.op, Elementwise) and out.type.ndim == 0
        )

    def _own(self, out: Any) -> None:
        if out in self._owned:
            return
        value = self.value(out)
        self._owned[out] = value if isinstance(value, Object) else self._owned_array(value)

    def _owned_array(self, value: Array) -> Array:
        buffer = value.buffer
        if (
            buffer is not None
            and not buffer.kept
            and value.data == buffer.start
            and value.contiguous is True
            and not value.stretched
        ):
            buffer.kept = True
            return value
        return self.copied(value)

    def copied(self, value: Array) -> Array:
        """Return a fresh C-contiguous copy."""
        fresh = self.new_array(value.dtype, value.lengths)
        fresh.buffer.users += 1  # type: ignore[union-attr]
        if value.ndim == 0:
            store(self.b, self.register(value), fresh.data)
        else:
            self.copy_into(value, fresh)
        return fresh

    def _results(self) -> list[Output]:
        results = []
        seen: set[int] = set()
        for out in self.outputs:
            self._own(out)
            value = self._owned[out]
            if isinstance(value, Object):
                results.append(Output("object", value.descriptor, -1))
                continue
            if value.buffer is None or value.buffer.slot in seen:
                value = self.copied(value)
                value.buffer.kept = True  # type: ignore[union-attr]
            value.buffer.kept = True
            slot = value.buffer.slot
            seen.add(slot)
            results.append(Output("buffer", self.descriptor(value), slot))
        return results

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

    def _finish(self, input_offsets: tuple[int, ...], results: list[Output]) -> ProgramText:
        b = self.b
        b.perform("ret i32 0")
        text = [
            "define i32 @entry(ptr %call) nounwind {",
            "entry:",
            "  %rt = load ptr, ptr %call, align 8",
            "  %kernels.at = getelementptr ptr, ptr %call, i64 1",
            "  %kernels = load ptr, ptr %kernels.at, align 8",
            "  %frame.at = getelementptr ptr, ptr %call, i64 2",
            "  %frame = load ptr, ptr %frame.at, align 8",
            f"  %facts = alloca [{max(1, self._facts)} x i64], align 8",
            f"  %block = alloca [{self._block_words} x i64], align 8",
            *self.prologue,
            *b.lines,
            *self.cold,
            "}",
            *b.helpers.values(),
            *sorted(b.declarations),
        ]
        return ProgramText(
            "\n".join(text) + "\n",
            tuple(self.kernels),
            self.frame_size,
            tuple(self.buffer_slots),
            input_offsets,
            tuple(self.constants),
            tuple(self.constant_offsets),
            tuple(results),
            tuple(self.callbacks),
            tuple(self.node_numbers),
        )


def step_inputs(step: Step) -> list[Any]:
    """Return the variables that a step reads from elsewhere, each once."""
    own = set(step.nodes)
    found: dict[Any, None] = {}
    for node in step.nodes:
        for variable in node.inputs:
            if variable.owner not in own and not isinstance(variable, Constant):
                found.setdefault(variable)
    return list(found)
