"""From inputs, outputs and updates to a native function."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.base import developing
from theano._core.base.gc_pause import paused_collector
from theano._core.base.records import Record
from theano._core.base.settings import change_flags, config
from theano._core.compile import messages, programs
from theano._core.compile.containers import Container, ForOneCall, as_stored
from theano._core.compile.inputs import In, Out
from theano._core.compile.modes import Mode
from theano._core.compile.profiling import profile_of
from theano._core.compile.program_key import program_key, settings
from theano._core.ir.function_graph import FunctionGraph
from theano._core.ir.graph import ancestors, toposort
from theano._core.ir.source import at_line, user_line
from theano._core.ir.text import listing
from theano._core.ir.types import Generic, RandomStateType, TensorType, generic
from theano._core.ir.variable import Variable
from theano._core.lower.function_address import FunctionAddress
from theano._core.lower.llvm.target import machine
from theano._core.lower.program_text import ProgramText
from theano._core.ops.array.dims import unchanged_graphs
from theano._core.ops.array.index_form import numbers_in_operations
from theano._core.ops.array.static_shape import unsized_inputs, without_sizes
from theano._core.ops.core.op import complete_values
from theano._core.ops.core.python_call import CallError, NumPyCall
from theano._core.ops.random.numpy_streams import Draw
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.native_form import native_form
from theano._core.rewrite.pipeline import rewrite
from theano._core.runtime import native

if TYPE_CHECKING:
    from theano._core.compile.watch import Watch
    from theano._core.lower.llvm.target.machine import MachineProgram
    from theano._core.lower.program_text import CallbackRecord, Output
    from theano._core.ops.sparse.type import SparseType

# Characters of the key of a program that takes longer to rewrite than LLVM to load.
LARGE = 10_000


class Lowered(Record):
    """The rewritten graph of a function, and what lowering tells of it besides its program."""

    rewritten: Sequence[Any]
    kernels: Sequence[Any]
    # By number, for errors; empty if the program that runs was made from another graph.
    nodes: Sequence[Any]


class FunctionMaker:
    """Everything a function was made from, and the steps that make it.

    Attributes
    ----------
    arguments : list of In
        What is passed, and what the function keeps by itself (`implicit`).
    shared : list of SharedVariable
        Shared variables that are read or updated.
    results : list of Variable
    inputs, outputs
        The same as users look at them: `In` also for shared variables, and `Out`.
    updates : list of (Variable, Variable)
        New values, by the variable they belong to: a shared variable or an input, in their order.
    result : 'single', 'list', 'none' or tuple of str
    graph : FunctionGraph
        The rewritten graph.
    """

    def __init__(
        self,
        inputs: Sequence[In],
        shared: Sequence[Any],
        outputs: Sequence[Any],
        updates: Sequence[tuple[Any, Any]],
        result: Any,
        mode: Mode,
        name: str,
        profile: Any = None,
    ) -> None:
        self.arguments, self.shared, self.results = list(inputs), list(shared), list(outputs)
        self.result = result
        self.mode = mode
        self.name = name
        self.source = user_line()
        self.profile = profile_of(profile, name)
        self.all_inputs = [s.variable for s in self.arguments] + self.shared
        place = {v: k for k, v in enumerate(self.all_inputs)}
        self.updates = sorted(updates, key=lambda pair: place[pair[0]])
        # An input may be the result of an operation, which then does not matter.
        self.leaves = unsized_inputs([v if v.owner is None else v.clone() for v in self.all_inputs])
        self.callbacks: Sequence[Any] = ()
        self.compile_seconds = 0.0
        self.vector_bits = config.vector_width
        # The program as it is kept for other functions, and the settings that it was made with.
        self._kept: programs.Finished | None = None
        self._settings: dict[str, Any] = {}

    def __reduce__(self) -> Any:
        results = (self.results, self.updates, self.result, self.mode, self.name)
        return type(self), (self.arguments, self.shared, *results)

    @cached_property
    def graph(self) -> FunctionGraph:
        """What the function computes, as a graph object; few programs ask for it."""
        return FunctionGraph(self.leaves, self.lowered.rewritten, clone=False, name=self.name)

    @cached_property
    def lowered(self) -> Lowered:
        """The graph rewritten and lowered: now, if the program was kept."""
        rewritten, text = self.lowered_again()
        kept = self._kept
        same = kept is None or kept.is_made_from(text, self.vector_bits)
        return Lowered(rewritten, text.kernels, text.nodes if same else ())

    @property
    def program_text(self) -> ProgramText:
        """The program of the graph, lowered again."""
        return self.lowered_again()[1]

    def lowered_again(
        self, rewriter: Rewriter | None = None, watch: Watch | None = None
    ) -> tuple[Sequence[Any], ProgramText]:
        """Return the rewritten graph and the program, made once more; `watch` is told of passes."""
        with self.making():
            rewriter = rewriter or self.rewriter(config.optimizer_verbose)
            rewritten = self._rewritten(rewriter, watch)
            return rewritten, self._lowered(rewritten, rewriter, watch)

    @property
    def all_results(self) -> list[Any]:
        """What is computed: the results, then the new values."""
        return [*self.results, *(value for _, value in self.updates)]

    @cached_property
    def needed(self) -> set[Any]:
        """What the results are made of, the inputs among it."""
        return set(ancestors(self.all_results, self.all_inputs))

    @property
    def kernels(self) -> Sequence[Any]:
        """The kernels of the program."""
        return self.lowered.kernels

    @property
    def program_nodes(self) -> Sequence[Any]:
        """The nodes that errors name by number, with the loops around each.

        Empty if the graph is not any more the one that the program was made from.
        """
        return self.lowered.nodes

    @property
    def drawn_in_place(self) -> list[int]:
        """Streams given as mutable arguments, which are drawn from in place."""
        return [
            i
            for i, spec in enumerate(self.arguments)
            if spec.mutable and isinstance(spec.variable.type, RandomStateType)
        ]

    @property
    def inputs(self) -> list[In]:
        """Every input, one for each shared variable included."""
        updates = dict(self.updates)
        return self.arguments + [
            In(v, v.name, v.container, updates.get(v), implicit=True, shared=True)
            for v in self.shared
        ]

    # Old programs find the streams of a function among these, to seed them anew.
    expanded_inputs = inputs

    @property
    def outputs(self) -> list[Out]:
        """Every output; updates are not among them."""
        return [Out(v) for v in self.results]

    @contextmanager
    def making(self) -> Iterator[None]:
        """Know what holds while graphs are rewritten and lowered."""
        changed = {k: v for k, v in self._settings.items() if config.get(k) != v}
        # Finding the line of the user's program takes time, and here it is always one.
        flags, line = change_flags(changed, compute_test_value="off"), at_line(self.source)
        with flags, paused_collector(), numbers_in_operations(), unchanged_graphs(), line:
            yield

    def create(self, containers: Sequence[Container | None] | None = None) -> Any:
        """Return the native function."""
        with self.making():
            if config.compile_progress:
                from theano._core.compile.compile_progress import told

                return told(self.name, self._create, containers)
            return self._create(containers)

    def _create(
        self, containers: Sequence[Container | None] | None, progress: Watch | None = None
    ) -> Any:
        start = time.perf_counter()
        # What is shown is made anew.
        key = None if developing.DEBUG >= developing.COUNTS else program_key(self)
        kept = None if key is None else programs.ready(key)
        if kept is not None:
            self._kept, text, code = kept
            self._settings = settings()
            function = self._function(text, code, containers)
            self.compile_seconds = time.perf_counter() - start
            return function
        if key is not None:
            machine.load_ahead(warm=key.characters > LARGE)
        rewriter = self.rewriter(config.optimizer_verbose)
        rewritten = self._rewritten(rewriter, progress)
        rewriting_seconds = time.perf_counter() - start
        for rule, before, _ in rewriter.log or ():
            print(f"{rule.phase}: {rule.name} on {before}")
        from theano._core.lower.llvm.target.assembler import Assembler

        with Assembler(self.vector_bits) as assembler:
            text = self._lowered(rewritten, rewriter, progress, assembler.offer)
            self.lowered = Lowered(rewritten, text.kernels, text.nodes)
            if developing.DEBUG >= developing.PROGRAMS:
                from theano._core.lower.text import annotated

                print(annotated(text))
                if developing.DEBUG >= developing.LLVM:
                    print(text.text)
            code = assembler.assemble(text)
        if key is not None:
            self._kept = programs.keep(key, text, code)
        function = self._function(text, code, containers)
        self.compile_seconds = time.perf_counter() - start
        if self.profile:
            self.profile.compile_time += self.compile_seconds
            self.profile.optimizer_time += rewriting_seconds
            self.profile.linker_time += self.compile_seconds - rewriting_seconds
            self.profile.nb_nodes += len(self.graph.apply_nodes)
            self.profile.add(function.program, text, self)
        return function

    def rewriter(self, keep_log: bool) -> Rewriter:
        """Return what rewrites the graph."""
        sizes = {
            leaf: v.type.shape
            for v, leaf in zip(self.all_inputs, self.leaves, strict=True)
            if v.type.sized
        }
        return Rewriter(keep_log, sizes)

    def written(self) -> list[Any]:
        """Return the results as functions of `leaves`, before rewriting."""
        pairs = zip(self.all_inputs, self.leaves, strict=True)
        results = [v.type.own(v) for v in self.all_results]
        return without_sizes(results, {v: leaf for v, leaf in pairs if v is not leaf})

    def _rewritten(self, rewriter: Rewriter, watch: Watch | None = None) -> Sequence[Any]:
        graph = self.written()
        with change_flags(compute_test_value=config.compute_test_value_opt):
            show = watch.graph if watch is not None else _show_graph
            rewritten = rewrite(graph, self.mode.passes, rewriter, self.mode.selection, show)
            complete_values(rewritten)
        return rewritten

    # -- backends ---------------------------------------------------------------------------------

    def _lowered(
        self,
        rewritten: Sequence[Variable],
        rewriter: Rewriter,
        watch: Watch | None = None,
        offer: Callable[[Any], None] | None = None,
    ) -> ProgramText:
        native = self.mode.native(self, rewritten)
        if native is not None:
            return self._native_program(native, rewriter, watch, offer)
        # A program that only calls another backend: the entry is one callback.
        from theano._core.compile.backends import runner_of
        from theano._core.compile.callback_program import called_program

        return called_program(self.leaves, rewritten, runner_of(self, rewritten))

    def _native_program(
        self,
        rewritten: Sequence[Variable],
        rewriter: Rewriter,
        watch: Watch | None,
        offer: Callable[[Any], None] | None,
    ) -> ProgramText:
        # Functions that are found in the cache do without.
        from theano._core.lower.builder.program import write
        from theano._core.lower.builder.vocabulary import Builder

        position = {variable: i for i, variable in enumerate(self.all_inputs)}
        in_place = range(len(self.arguments), len(self.all_inputs))
        overwritable = {*(in_place if self.mode.overwrites else ()), *self.drawn_in_place}
        final = native_form(rewritten, rewriter)
        program = Builder(
            self.leaves,
            final,
            [position[target] for target, _ in self.updates],
            overwritable,
            rewriter,
            self.mode.fuses,
            self.vector_bits,
            bool(self.profile) and self.profile.flag_time_thunks,
        )
        program.offer = offer
        program.shared = dict(zip(self.leaves[len(self.arguments) :], self.shared, strict=True))
        if watch is not None:
            watch.graph("native_form", final)
            program.watch = watch.program
        return write(program)

    def variant(self, number: int) -> tuple[int, Any]:
        """Return where a kernel is that was not needed before, and the code that it is in."""
        kept = self._kept
        if kept is not None:
            return kept.variant(number, lambda: self.kernels, self.vector_bits)
        kernel = self.kernels[number]
        module = machine.load_kernel(kernel, self.vector_bits)
        return module.address(kernel.symbol), module.code

    # -- the function object ----------------------------------------------------------------------

    def _function(
        self, text: ProgramText, code: MachineProgram, containers: Sequence[Container | None] | None
    ) -> Any:
        self.callbacks = text.callbacks
        self.containers: list[Container] = []
        cells: list[Any] = []
        records = self._argument_records(text, containers, cells)
        shared_records = self._shared_records(text, cells)
        program = native.Program(
            entry=code.entry,
            code=code.owners,
            kernels=code.kernels,
            frame_size=text.frame_size,
            buffer_slots=text.buffer_slots,
            inputs=records,
            shared=shared_records,
            outputs=[
                _output_record(v.type, o) for v, o in zip(self.results, text.outputs, strict=False)
            ],
            updates=self._update_records(text),
            callbacks=[_callback_record(c) for c in text.callbacks],
            result=self.result,
            timed_steps=len(text.steps) + len(text.inside) if self.profile else -1,
        )
        function = native.Function(program, cells, HOOKS)
        function.maker = self
        function.trust_input = False
        function.profile = self.profile
        function.output_storage = [Container(v.type, name=v.name) for v in self.results]
        return function

    def _argument_records(
        self, text: ProgramText, containers: Sequence[Container | None] | None, cells: list[Any]
    ) -> list[Any]:
        """Return what the runtime knows of the arguments; cells of their values are added."""
        records = []
        for i, spec in enumerate(self.arguments):
            container = containers[i] if containers is not None else None
            container = container or self._container(spec)
            self.containers.append(container)
            type_, cell = spec.variable.type, -1
            if spec.value is not None or spec.update is not None:
                cell = len(cells)
                cells.append(container.cell)
            flags = native.IMPLICIT * bool(spec.implicit) | native.STRICT * bool(spec.strict)
            if not isinstance(type_, TensorType | Generic):
                flags |= native.FILTERED
            records.append(_input_record(type_, spec.name, text.inputs[i], cell, flags))
        return records

    def _shared_records(self, text: ProgramText, cells: list[Any]) -> list[Any]:
        """Return what it knows of shared variables and constants; their cells are added."""
        records = []
        for variable, offset in zip(self.shared, text.inputs[len(self.arguments) :], strict=True):
            self.containers.append(variable.container)
            record = _input_record(variable.type, None, offset, len(cells), native.MUTABLE)
            records.append(record)
            cells.append(variable.container.cell)
        for offset, value in zip(text.constant_offsets, text.constants, strict=True):
            type_: Any = generic
            if isinstance(value, FunctionAddress):
                value = value.array
            if isinstance(value, np.ndarray):
                type_ = TensorType(str(value.dtype), (False,) * value.ndim)
            records.append(_input_record(type_, None, offset, len(cells), 0))
            cells.append(native.Cell(value))
        return records

    def _container(self, spec: In) -> Container:
        if isinstance(spec.value, Container):
            return spec.value
        if spec.implicit and spec.value is None:
            raise TypeError(f"An implicit input must be given a default value: {spec.variable}")
        container = Container(
            spec.variable.type, None, spec.name, False, spec.strict, spec.allow_downcast
        )
        container.is_default = spec.value is not None and spec.update is None and not spec.implicit
        container.cell.value = spec.value
        return container

    def _update_records(self, text: ProgramText) -> list[Any]:
        records = []
        cell_of: dict[Any, int] = {}
        number = 0
        for spec in self.arguments:
            if spec.value is not None or spec.update is not None:
                cell_of[spec.variable] = number
                number += 1
        for variable in self.shared:
            cell_of[variable] = number
            number += 1
        outputs = text.outputs[len(self.results) :]
        for (target, value), output in zip(self.updates, outputs, strict=True):
            records.append((cell_of[target], *_output_record(value.type, output)))
        return records


def _show_graph(name: str, outputs: Sequence[Variable]) -> None:
    """Print what a pass of rewriting leaves."""
    if developing.DEBUG >= developing.COUNTS:
        print(f"after {name}: {len(toposort(outputs))} nodes")
    if developing.DEBUG >= developing.GRAPHS:
        print(listing(outputs))


def _input_record(type_: object, name: str | None, offset: int, cell: int, flags: int) -> Any:
    if not isinstance(type_, TensorType):
        return ("object", 0, 0, 0, name, offset, cell, flags)
    mask = sum(1 << i for i, one in enumerate(type_.broadcastable) if one)
    shape = (tuple(-1 if n is None else n for n in type_.shape),) if type_.sized else ()
    return ("array", type_.numpy_dtype.num, type_.ndim, mask, name, offset, cell, flags, *shape)


def _output_record(type_: RandomStateType | SparseType | TensorType, output: Output) -> Any:
    if not isinstance(type_, TensorType) or output.kind == "object":
        return ("object", 0, 0, output.descriptor, -1)
    return (output.kind, type_.numpy_dtype.num, type_.ndim, output.descriptor, output.slot)


def _callback_record(record: CallbackRecord) -> Any:
    def values(kinds: Sequence[object]) -> list[Any]:
        return [
            ("array", k.numpy_dtype.num, k.ndim) if isinstance(k, TensorType) else ("object", 0, 0)
            for k in kinds
        ]

    inputs, outputs = values(record.inputs), values(record.outputs)
    for k in record.written:
        inputs[k] = ("memory", *inputs[k][1:])
    if record.lends:
        outputs = [("memory", *rest) for _, *rest in outputs]
    return (record.function, inputs, outputs)


# -- what native code asks of Python, off the path of a good call ---------------------------------


def _convert(function: Any, index: int, value: object) -> Any:
    maker = function.maker
    if index >= len(maker.arguments):
        return as_stored(maker.shared[index - len(maker.arguments)], value)
    spec = maker.arguments[index]
    type_ = spec.variable.type
    if type(value) is ForOneCall:
        maker.containers[index].cell.value = spec.value
        return value.view(np.ndarray)
    # What no result needs may be None.
    if value is None and isinstance(type_, TensorType) and spec.variable not in maker.needed:
        value = type_.value_zeros([n or 0 for n in type_.shape])
    try:
        array = type_.filter(value, strict=spec.strict, allow_downcast=spec.allow_downcast)
    except (TypeError, ValueError, OverflowError) as error:
        raise messages.bad_input(maker, index, error) from None
    if isinstance(type_, TensorType) and type(array) is not np.ndarray:
        array = np.array(array, dtype=type_.numpy_dtype)
    return array


def _bad_arguments(function: Any, args: Any, kwargs: Any) -> Any:
    raise messages.bad_arguments(function.maker, args, kwargs)


def _on_error(
    function: Any, code: int, node: int, facts: Any, arguments: Any, subset: Sequence[int] | None
) -> Any:
    maker = function.maker
    if node >= 0 and maker.program_nodes:
        try:
            values = maker.mode.again(maker, maker.program_nodes[node][0].op, arguments)
        except CallError as error:
            raise _told(maker, error) from None
        if values is not None:
            return _result(maker, values, subset)
    raise messages.run_time_error(maker, code, node, facts, arguments) from None


def _result(maker: FunctionMaker, values: Sequence[object], subset: Sequence[int] | None) -> Any:
    """Return the result of a call that Python computed, after the updates."""
    count = len(maker.results)
    own = dict(zip((s.variable for s in maker.arguments), maker.containers, strict=False))
    for (target, _), value in zip(maker.updates, values[count:], strict=True):
        (own.get(target) or target.container).cell.value = value
    chosen = range(count) if subset is None else subset
    if isinstance(maker.result, tuple):
        return {maker.result[i]: values[i] for i in chosen}
    if maker.result == "single" and subset is None:
        return values[0]
    return [values[i] for i in chosen]


def _on_callback_error(function: Any, index: int, error: CallError) -> Any:
    maker = function.maker
    call = maker.callbacks[index].function
    if isinstance(error, CallError):
        raise _told(maker, error) from None
    if isinstance(call, (Draw, NumPyCall)):
        raise messages.explained(error, messages.node_report(maker, call.node, None)) from None
    raise error


def _told(maker: FunctionMaker, error: CallError) -> Exception:
    report = messages.node_report(maker, error.node, error.values)
    cause = messages.named(error.error, error.node, error.values)
    return messages.explained(cause, messages.step_report(error.steps) + report)


def _on_failure(function: Any, ran: bytes) -> None:
    """Put the random streams back that a failed call drew from."""
    for record, did in zip(function.maker.callbacks, ran, strict=True):
        if did and isinstance(record.function, Draw):
            record.function.undo()


def _on_variant(function: Any, number: int) -> Any:
    return function.maker.variant(number)


HOOKS: Any = {
    "convert": _convert,
    "bad_arguments": _bad_arguments,
    "on_error": _on_error,
    "on_callback_error": _on_callback_error,
    "on_failure": _on_failure,
    "on_variant": _on_variant,
}
