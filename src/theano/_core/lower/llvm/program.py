"""From a rewritten graph to the text of one entry function and its kernels.

The entry function holds everything that is not a loop: the arithmetic of shapes, checks, memory,
scalars, the calls of kernels and libraries, in straight-line code. Scalars stay in registers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from theano._core.ir.graph import toposort
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Constant
from theano._core.lower.arrays import Array, CallbackRecord, Object
from theano._core.lower.llvm.branch import Branches
from theano._core.lower.llvm.emitter import FIRST_BLOCK
from theano._core.lower.llvm.items import store
from theano._core.lower.llvm.split import is_long, split, way_of_cutting
from theano._core.lower.llvm.updates import plan_updates
from theano._core.lower.schedule import Step, group
from theano._core.ops.op import Elementwise
from theano._core.ops.shaping import Length
from theano._core.runtime import native


class Output(NamedTuple):
    """Where the runtime finds a result: a buffer slot, or an array that a callback made."""

    kind: str
    descriptor: int
    slot: int


class ProgramText(NamedTuple):
    """A whole program before it is compiled."""

    text: str
    kernels: tuple[Any, ...]  # Kernel: text made when asked for; see launch.py
    frame_size: int
    buffer_slots: tuple[int, ...]
    inputs: tuple[int, ...]  # offset of the descriptor of each input
    constants: tuple[Any, ...]  # arrays and objects, passed as inputs after the others
    constant_offsets: tuple[int, ...]
    outputs: tuple[Output, ...]
    callbacks: tuple[CallbackRecord, ...]
    # For error messages, by number: an application and the loops it is in, outermost first.
    nodes: tuple[tuple[Apply, tuple[Apply, ...]], ...]
    steps: tuple[tuple[Apply, ...], ...]
    # Makes what LLVM reads in place of a text that is too long for it.
    cut: Callable[[], str] | None = None


class Program(Branches):
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
    rewriter
        Knows the lengths of the graph: `lengths(variable)`, equal lengths being equal objects.
    fuse : bool
        Whether elementwise operations and reductions share loops.
    vector_bits : int
        Width of vectors; 0: the default of the target.
    timed : bool
        Whether each step tells the runtime when it is done.
    """

    def write(self) -> ProgramText:
        """Return the text of the program."""
        for number, variable in enumerate(self.inputs):
            self.starts.append(len(self.b.lines))
            self._input(number, variable)
        input_offsets = tuple(self.input_offsets)
        nodes = self._nodes()
        self.number_of = {node: i for i, node in enumerate(nodes)}
        steps = group(nodes, self.lengths, self.fuse)
        self.count_uses(steps, self.outputs)
        early, late = plan_updates(self, steps)
        for number, step in enumerate(early):
            self.starts.append(len(self.b.lines))
            self.write_step(step)
            self._tick(number)
        self._materialise_outputs()
        self.late = bool(late)
        runs = []
        for step in late:
            self.starts.append(len(self.b.lines))
            runs.append(self._prepare(step))
        copies: list[Callable[[], None]] = []
        results = self._results(copies)
        if late:
            # INVARIANT: nothing fails from here on, and until here no input was written to.
            done = self.b.emit(f"call i32 {self.runtime('commit')}(ptr %call)")
            self.or_fail(self.b.emit(f"icmp eq i32 {done}, 0"))
        for number, run in enumerate(runs, len(early)):
            self.starts.append(len(self.b.lines))
            run()
            self._tick(number)
        for copy in copies:
            self.starts.append(len(self.b.lines))
            copy()
        self.steps = tuple(tuple(step.nodes) for step in (*early, *late))
        return self._finish(input_offsets, results)

    def _tick(self, number: int) -> None:
        if self.timed:
            self.b.perform(f"call void {self.runtime('tick')}(ptr %call, i64 {number})")

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
            bit = self.b.emit(f"and i64 {flags}, {native.CONTIGUOUS}")
            array.contiguous = self.b.emit(f"icmp ne i64 {bit}, 0")
            array.stretched = frozenset()
        self.values[variable] = array

    def _nodes(self) -> list[Apply]:
        """Return the applications that need a step: scalars of sizes are computed on demand."""
        return toposort(self.outputs, self.values)

    def count_uses(self, steps: Sequence[Step], outputs: Sequence[Any]) -> None:
        """Count how many steps read each variable; results are read once more."""
        for step in steps:
            for variable in step_inputs(step):
                self.uses[variable] = self.uses.get(variable, 0) + 1
                self.readers[variable] = step
        for out in outputs:
            self.uses[out] = self.uses.get(out, 0) + 1

    def write_step(self, step: Step) -> None:
        """Write a step."""
        self._prepare(step)()

    def _prepare(self, step: Step) -> Callable[[], None]:
        """Write what may fail in a step; return what writes the rest."""
        if step.is_loop:
            run = self.prepare_loop(step)
        else:
            node = step.nodes[0]

            def run() -> None:
                if node.outputs[0] not in self.values:
                    self.emit_node(node)

            if node.outputs[0] in self.in_place:
                run()
                run = self.overwrites.pop(node)

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

    def emit_node(self, node: Apply) -> None:
        before, self.node = self.node, node
        self._emit(node)
        self.node = before

    def _emit(self, node: Apply) -> None:
        op = node.op
        if isinstance(op, Elementwise) and op.native is not None:
            self._define(node.outputs[0], self._inline(node))
            return
        if isinstance(op, Length) and node.inputs[0] not in self.values:
            # Of a copy that only lengths are made of: what it is made of has them.
            known = self.rewriter.lengths(node.inputs[0])[op.axis]
            if known is not node.outputs[0]:
                self._define(node.outputs[0], self.scalar(self.size(known)))
                return
        values = [
            self.value(v) if not isinstance(op, Length) else self._known(v) for v in node.inputs
        ]
        result = node.rules.lower(self, node, *values)
        results = list(result) if isinstance(result, (list, tuple)) else [result]
        for out, value in zip(node.outputs, results, strict=True):
            self._define(out, value)

    def _known(self, variable: Any) -> Any:
        return self.values.get(variable) if variable in self.values else self.value(variable)

    def _inline(self, node: Apply) -> Array:
        """Write a scalar function in the entry itself."""
        casts, dtype = node.op.dtype(*(v.type.dtype for v in node.inputs))
        args = [
            self.b.cast(self.register(self.value(v)), d)
            for v, d in zip(node.inputs, casts, strict=True)
        ]
        return Array(dtype, (), register=self.b.cast(node.op.native(self.b, *args), dtype))

    def _materialise_outputs(self) -> None:
        """Give every result that is ready memory of its own."""
        for out in self.outputs:
            if out in self.values or isinstance(out, Constant) or self._is_scalar_expression(out):
                self._own(out, None)

    def _is_scalar_expression(self, out: Any) -> bool:
        return (
            out.owner is not None and isinstance(out.owner.op, Elementwise) and out.type.ndim == 0
        )

    def _own(self, out: Any, later: list[Callable[[], None]] | None) -> None:
        if out in self._owned:
            return
        value = self.value(out)
        self.node = out.owner
        if not isinstance(value, Object) and out not in self.in_place:
            value = self._owned_array(value, later)
        self._owned[out] = value

    def _owned_array(self, value: Array, later: list[Callable[[], None]] | None) -> Array:
        buffer = value.buffer
        if value.descriptor in self.given:
            return value
        if (
            buffer is not None
            and not buffer.kept
            and value.data == buffer.start
            and value.contiguous is True
            and not value.stretched
        ):
            buffer.kept = True
            return value
        return self._copied(value, later)

    def _copied(self, value: Array, later: list[Callable[[], None]] | None) -> Array:
        """Return a fresh C-contiguous copy; what writes its items is added to `later`, if given."""
        fresh = self.new_array(value.dtype, value.lengths)
        fresh.buffer.users += 1  # type: ignore[union-attr]

        def write_item() -> None:
            store(self.b, self.register(value), fresh.data)

        write = self.prepare_copy(value, fresh) if value.ndim else write_item
        if later is None:
            write()
        else:
            later.append(write)
        return fresh

    def _results(self, later: list[Callable[[], None]]) -> list[Output]:
        """Return where the results are; what writes those that are copies is added to `later`."""
        results = []
        seen: set[int] = set()
        for out in self.outputs:
            self.starts.append(len(self.b.lines))
            self._own(out, later)
            value = self._owned[out]
            if isinstance(value, Object):
                results.append(Output("object", value.descriptor, -1))
                continue
            if value.descriptor in self.given:
                self.given.remove(value.descriptor)
                results.append(Output("array", value.descriptor, -1))
                continue
            if value.buffer is None or value.buffer.slot in seen:
                self.node = out.owner
                value = self._copied(value, later)
            buffer: Any = value.buffer
            buffer.kept = True
            slot = buffer.slot
            seen.add(slot)
            results.append(Output("buffer", self.descriptor(value), slot))
        return results

    def _finish(self, input_offsets: tuple[int, ...], results: list[Output]) -> ProgramText:
        b = self.b
        b.perform("ret i32 0")
        header = [
            "  %rt = load ptr, ptr %call, align 8",
            "  %kernels.at = getelementptr ptr, ptr %call, i64 1",
            "  %kernels = load ptr, ptr %kernels.at, align 8",
            "  %frame.at = getelementptr ptr, ptr %call, i64 2",
            "  %frame = load ptr, ptr %frame.at, align 8",
            f"  %facts = alloca [{max(1, self._facts)} x i64], align 8",
            f"  %block = alloca [{self._block_words} x i64], align 8",
            *self.prologue,
        ]
        whole = [
            "define i32 @entry(ptr %call) nounwind {",
            f"{FIRST_BLOCK}:",
            *header,
            *b.lines,
            *self.cold,
            "}",
        ]
        rest = [*b.helpers.values(), *sorted(b.declarations)]
        if self.fold_facts:
            words = ", ".join(f"i64 {fact}" for fact in self.fold_facts)
            rest.append(f"@folds = internal constant [{len(self.fold_facts)} x i64] [{words}]")
        long = is_long(b.lines)
        if long:
            rest.append(way_of_cutting())

        def cut() -> str:
            return _text([*(split(header, b.lines, self.cold, self.starts) or whole), *rest])

        return ProgramText(
            _text([*whole, *rest]),
            tuple(self.kernels),
            self.frame_size,
            tuple(self.buffer_slots),
            input_offsets,
            tuple(self.constants),
            tuple(self.constant_offsets),
            tuple(results),
            tuple(self.callbacks),
            tuple(self.node_numbers),
            self.steps,
            cut if long else None,
        )


def _text(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"


def step_inputs(step: Step) -> list[Any]:
    """Return the variables that a step reads from elsewhere, each once.

    A length of an array is known without it.
    """
    own = set(step.nodes)
    found: dict[Any, None] = {}
    for node in step.nodes:
        for variable in () if isinstance(node.op, Length) else node.inputs:
            if variable.owner not in own and not isinstance(variable, Constant):
                found.setdefault(variable)
    return list(found)
