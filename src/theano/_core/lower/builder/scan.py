"""Loops over steps, as machine loops.

The body of a `Loop` is written like a program of its own, in place. Scalar states are in registers.
Rows of other states lie where they are kept: in the output, or in one row more than are read back,
used in turn, or written over the ones before. What is the same in every step is put before the
loop later: see `passes/hoist.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

from theano._core.base.dtypes import itemsize
from theano._core.ir.graph import inputs as leaves_of, toposort
from theano._core.ir.types import RandomStateType, TensorType
from theano._core.ir.variable import Apply, Variable
from theano._core.lower import program as ir
from theano._core.lower.arrays import Array, Buffer, Object, Size
from theano._core.lower.builder import copies, libraries, lowering, views
from theano._core.lower.builder.core import Core
from theano._core.lower.builder.overwritten_states import Readers, writes_of
from theano._core.lower.builder.region import Region, Row
from theano._core.lower.builder.scan_progress import Report
from theano._core.lower.builder.scan_state import Carried, LateRows
from theano._core.lower.program import PATIENCE, Register
from theano._core.ops.control.scan import Loop
from theano._core.ops.control.scan_state import ALL


def loop(p: Core, node: Apply, values: Sequence[Any]) -> list[Any]:
    """Return the outputs of a loop."""
    results = LoopWriter(p, node, values).write()
    for variable, value in zip(node.outputs, results, strict=True):
        if isinstance(value, Array):
            p.tell_shape(variable, value.shape)
    return results


def release_for(p: Core, steps: Size) -> None:
    """Let Python's lock go before a loop of many steps."""
    if isinstance(steps, str):
        p.if_else(p.let("ge", steps, PATIENCE), lambda: p.call("release"))
    elif steps >= PATIENCE:
        p.call("release")


def check_steps(p: Core, node: Apply, steps: Size, shape: Sequence[Size]) -> None:
    """Fail unless there can be so many steps over sequences of these lengths."""
    p.check_least(node, steps, 0, "scan_steps", (steps,))
    for index, own in enumerate(shape):
        if own is not steps and own != steps:
            p.check(node, p.let("ge", own, steps), "scan_sequence", (index, own, steps))


class LoopWriter:
    """Writes one loop.

    Parameters
    ----------
    p : Core
    node : Apply
    values : sequence
        Of the inputs.
    """

    def __init__(self, p: Any, node: Apply, values: Sequence[Any]) -> None:
        self.p = p
        self.node = node
        # Equal loops share a body, and what is known of its variables here is of this loop.
        # Its constants are those of the rewriter, which else takes what lengths are computed from
        # for something else.
        self.op: Loop = node.op.replaced(node.op.body.fresh(p.rewriter.finished.__getitem__))
        remaining = iter(values)
        self.limit: Size = p.integer(next(remaining))
        self.sequences = [next(remaining) for _ in range(self.op.n_sequences)]
        self.scratch = [self._dies(i) for i in range(self.op.n_sequences)]
        self.states = [
            Carried(i, s, v)
            for i, (s, v) in enumerate(zip(self.op.states, self.op.new_values, strict=True))
        ]
        self.initial = [next(remaining) if c.state.taps else None for c in self.states]
        self.fixed = list(remaining)

    def _dies(self, number: int) -> bool:
        """Tell whether a sequence is memory that only this loop reads, each row in its step."""
        variable, array = self.node.inputs[1 + number], self.sequences[number]
        last = self.p.uses.get(variable) == 1 and self.node.inputs.count(variable) == 1
        return last and array.alone

    def row(self, carried: Carried, number: Size) -> str:
        """Return the address of a row of the memory of a state."""
        p, memory = self.p, carried.memory
        step = p.multiply(itemsize(memory.dtype), p.product(carried.shape))
        return views.moved(p, p.pointer(memory), p.offset(number, step))

    def row_array(self, carried: Carried, data: str) -> Array:
        """Return the row of a state that lies at an address."""
        return Array(carried.value.type.dtype, tuple(carried.shape), data)

    def write(self) -> list[Any]:
        """Write the loop; return the values of its outputs."""
        self._check()
        self._tell_shape()
        for carried, start in zip(self.states, self.initial, strict=True):
            self._prepare(carried, start)
        p, rows = self.p, self._length_of_rows()
        release_for(p, self.limit)
        before = p.values.copy(), p.length_values.copy()
        self._hoist_shape()
        report = Report(p, self.op.progress, self.limit)
        region = self._enter()
        with p.into([]) as body:
            told = report.told(self.step)
            self._bind_inputs()
            self._write_body()
            stop = self._advance()
        p.region = region.outer
        if len(p.callbacks) > self.first_callback:
            self._forget_objects(body)
        carried = [c for state in self.states for c in self._carried(state)]
        p.do(ir.For(self.step, self.limit, (*carried, *told), body, stop, rows=rows))
        p.values, p.length_values = before
        report.end(self.step)
        return self._outputs()

    # -- before the loop --------------------------------------------------------------------------

    def _check(self) -> None:
        p = self.p
        check_steps(p, self.node, self.limit, [a.shape[0] for a in self.sequences])
        for carried, start in zip(self.states, self.initial, strict=True):
            if carried.is_object or start is None:
                continue
            wanted, own = carried.state.depth, start.shape[0]
            p.check_equal(self.node, own, wanted, "scan_initial", (carried.index, wanted, own))

    def _tell_shape(self) -> None:
        """Have the lengths inside the body be those outside it."""
        shape = self.p.rewriter.shape
        self.p.rewriter.keep(self.op.body.nodes)
        inner, outer = self.op.inner, self.op.outer(self.node)
        pairs = [(v, o, 1) for v, o in zip(inner.sequences, outer.sequences, strict=True)]
        for taps, rows in zip(inner.states, outer.states, strict=True):
            # An object may have other lengths in each step.
            pairs += [(tap, rows, 1) for tap in taps if isinstance(tap.type, TensorType)]
        pairs += [(v, o, 0) for v, o in zip(inner.fixed, outer.fixed, strict=True)]
        for variable, source, dropped in pairs:
            if variable.type.has_shape:
                self.p.rewriter.tell_shape(variable, shape(source)[dropped:])

    def _prepare(self, carried: Carried, start: Any) -> None:
        """Make the memory of a state, with its initial rows."""
        p = self.p
        if carried.is_object:
            carried.descriptor = p.reserve(2)
            if isinstance(carried.value.type, RandomStateType):
                outer = self.op.outer(self.node).states[carried.index]
                start = libraries.own_stream(p, outer, start)
                p.own_streams.update(self.op.inner.states[carried.index])
            source = p.frame_load(start.descriptor, "ptr")
            p.frame_store(carried.descriptor, source, "ptr")
            return
        if start is not None:
            carried.shape = list(start.shape[1:])
        else:
            lengths = p.rewriter.shape(self.node.outputs[carried.index])[1:]
            carried.shape = [self._row_length(n) for n in lengths]
        if "" in carried.shape:
            return
        self._allocate(carried)
        if start is not None:
            self._place_start(carried, start)

    def _row_length(self, length: Variable | int) -> Size:
        """Return a length of a row; '' if only the first step tells."""
        needed = [] if isinstance(length, int) else toposort([length], self.p.values)
        # No loop is run for it: the rows of one within are there once a step has run.
        own = not any(isinstance(node.op, Loop) for node in needed)
        return self.p.size(length) if own else ""

    def _allocate(self, carried: Carried) -> None:
        p, state = self.p, carried.state
        dtype = carried.value.type.dtype
        if carried.keeps_all:
            rows = p.plus(carried.lead, self.limit)
        elif carried.is_scalar:
            rows = max(state.keep, 1)
        else:
            rows = state.depth + 1
        if carried.is_scalar and not carried.keeps_all:
            carried.memory = Array(dtype, (rows,), p.stack(max(8, rows * itemsize(dtype))))
            return
        carried.memory = p.new_array(dtype, [rows, *carried.shape])

    def _place_start(self, carried: Carried, start: Array) -> None:
        """Put the initial rows where the first step reads them."""
        p, depth = self.p, carried.state.depth
        kept_in_place = carried.state.keep == ALL or not (carried.keeps_all or carried.is_scalar)
        if carried.is_scalar:
            parts = [self._start_item(start, i) for i in range(depth)]
            if carried.state.keep == ALL:
                for i, part in enumerate(parts):
                    p.store(self.row(carried, i), part)
            carried.starts = parts[::-1]
            return
        if kept_in_place:
            shape = (depth, *carried.shape)
            view = Array(start.dtype, shape, p.pointer(carried.memory))
            copies.copy_into(p, start, view)
            rows = [self.row(carried, i) for i in range(depth)]
        else:
            source = start
            if start.broadcast_axes or start.contiguous is False:
                source = copies.fresh_copy(p, start)
            elif start.contiguous is not True:
                source = copies.contiguous_at_run_time(p, start)
            step = p.multiply(itemsize(start.dtype), p.product(carried.shape))
            rows = [views.moved(p, p.pointer(source), p.offset(i, step)) for i in range(depth)]
        carried.starts = rows[::-1]
        if not carried.keeps_all:
            carried.starts.append(self.row(carried, depth))

    def _start_item(self, start: Array, index: int) -> Any:
        data = views.moved(
            self.p, self.p.pointer(start), self.p.offset(index, self.p.strides(start)[0])
        )
        return self.p.load(data, start.dtype)

    def _length_of_rows(self) -> Size:
        """Return the one length of all vectors of the body; 0 if there are several, or none."""
        p, body = self.p, self.op.body
        variables = [*body.inputs, *(out for node in body.nodes for out in node.outputs)]
        lengths = {p.equal_lengths.find(p.rewriter.shape(v)[0]) for v in variables if is_vector(v)}
        kept = [c.shape[0] for c in self.states if is_vector(c.value)]
        return kept[0] if body.nodes and len(lengths) == 1 and kept and kept[0] != "" else 0

    def _hoist_shape(self) -> None:
        """Compute lengths that steps need and that no step changes."""
        p = self.p
        own = set(self.op.body.inputs)
        outputs = [out for node in self.op.body.nodes for out in node.outputs if out.type.has_shape]
        for length in dict.fromkeys(n for out in outputs for n in p.rewriter.shape(out)):
            if not isinstance(length, int) and own.isdisjoint(leaves_of([length])):
                p.size(length)

    # -- the loop ---------------------------------------------------------------------------------

    def _enter(self) -> Region:
        """Name what changes from step to step."""
        p = self.p
        self.step = p.fresh()
        p.region = region = Region(self.node, self.step, self.limit, p.region)
        self.stopped = p.fresh() if self.op.until else ""
        for carried in self.states:
            if carried.is_scalar:
                carried.taps = [Register(p.fresh(), v.dtype) for v in carried.starts]
            else:
                carried.taps = [p.fresh() for _ in carried.starts]
            if "" in carried.shape:
                names = [n if n != "" else p.fresh() for n in carried.shape]
                unknown = [i for i, n in enumerate(carried.shape) if n == ""]
                carried.late = LateRows(p.new_slot(), p.fresh(), names, unknown)
        # Values outside are copied: what is added to them inside is not known after the loop.
        p.values = {k: v.replace() if isinstance(v, Array) else v for k, v in p.values.items()}
        self.sequences = [array.replace() for array in self.sequences]
        p.length_values = dict(p.length_values)
        self.first_callback = len(p.callbacks)
        return region

    def _bind_inputs(self) -> None:
        p, inner = self.p, self.op.inner
        for variable, array, dies in zip(
            inner.sequences, self.sequences, self.scratch, strict=True
        ):
            p.values[variable] = self._item(array, variable).replace(scratch=dies)
        for variable, value in zip(inner.fixed, self.fixed, strict=True):
            if isinstance(value, Array):
                value = value.replace(buffer=None, steady=p.region)
            p.values[variable] = value
        for taps, carried in zip(inner.states, self.states, strict=True):
            for variable, distance in zip(taps, carried.state.taps, strict=True):
                if carried.is_object:
                    p.values[variable] = Object(carried.descriptor)
                elif carried.is_scalar:
                    tap = carried.taps[distance - 1]
                    p.values[variable] = Array(variable.type.dtype, (), register=tap)
                else:
                    p.values[variable] = self.row_array(carried, carried.taps[distance - 1])

    def _item(self, array: Array, variable: Variable) -> Array:
        """Return the item of a sequence at this step."""
        p = self.p
        strides = p.strides(array)
        data = p.pointer(array)
        if 0 not in array.broadcast_axes:
            data = views.moved(p, data, p.offset(self.step, strides[0]))
        if array.contiguous is True and not array.broadcast_axes:
            p.region.sequences[data] = array
        if variable.type.ndim == 0:
            return Array(array.dtype, (), data)
        broadcast_axes = frozenset(i - 1 for i in array.broadcast_axes if i > 0)
        rows = array.rows_contiguous if array.contiguous is not True else True
        return Array(array.dtype, array.shape[1:], data, strides[1:], rows, broadcast_axes)

    def _write_body(self) -> None:
        p, op = self.p, self.op
        for carried in self.states:
            if carried.is_object or carried.is_scalar or carried.memory is None:
                continue
            if carried.keeps_all:
                carried.target = self.row(carried, p.position(carried.lead, self.step))
            else:
                carried.target = carried.taps[-1] if carried.taps else self.row(carried, 0)
        nodes = toposort(op.body.outputs, p.values)
        steps = lowering.steps_of(p, nodes, op.body.outputs)
        readers = Readers(op, steps)
        for carried in self.states:
            if readers.may_overwrite(carried):
                carried.target = carried.taps[0]
            if carried.target:
                self._place(carried, readers)
        timed: Any = nullcontext
        if p.timed:
            from theano._core.lower.builder.step_times import LoopClock

            timed = LoopClock(p, self.step, steps).timed
        for step in steps:
            with timed(step):
                lowering.write_step(p, step)

    def _place(self, carried: Carried, readers: Readers) -> None:
        """Have a state, and what it is made of by writes to parts, written where its row lies."""
        row = Row(self.node, carried.index, carried.target, carried.shape)
        rows = self.p.region.rows
        rows.setdefault(carried.value, row)
        for writer in writes_of(carried.value):
            whole = writer.inputs[0]
            if whole.type == carried.value.type and readers.may_write_over(writer):
                rows.setdefault(whole, row)

    def _advance(self) -> ir.Carried | None:
        """Write what follows the body's own steps; return the condition that ends the loop."""
        p = self.p
        for carried in self.states:
            value = p.value(carried.value)
            if carried.is_object:
                carried.nexts = [p.frame_load(value.descriptor, "ptr")]
            elif carried.is_scalar:
                self._advance_scalar(carried, value)
            else:
                self._advance_rows(carried, value)
        for carried in self.states:
            if carried.is_object:
                p.frame_store(carried.descriptor, carried.nexts[0], "ptr")
        stop = None
        if self.op.until:
            ends = p.condition(p.value(self.op.body.outputs[-1]))
            stop = ir.Carried(self.stopped, "bool", 0, ends)
        return stop

    def _forget_objects(self, body: ir.Block) -> None:
        """Have each step let go of what Python returned in the one before."""
        p = self.p
        # INVARIANT: objects from `first` up to the number at `place` are of earlier steps.
        first = p.call("kept")
        place = p.listed([first])
        with p.into(body):
            p.call("forget", first, p.load(place, "int64").name)
            p.words(place, [p.call("kept")])

    def _advance_scalar(self, carried: Carried, value: Array) -> None:
        new = self.p.register(value)
        carried.nexts = [new, *carried.taps[:-1]] if carried.taps else []
        if carried.keeps_all:
            row = self.row(carried, self.p.position(carried.lead, self.step))
            self.p.store(row, new)
        elif not carried.taps:
            self.p.store(self.row(carried, 0), new)

    def _advance_rows(self, carried: Carried, value: Array) -> None:
        p = self.p
        if carried.memory is None:
            self._allocate_in_first_step(carried, value)
        if value.data != carried.target or not value.data:
            Row(self.node, carried.index, carried.target, carried.shape).check(p, value.shape)
            copies.copy_into(p, value, self.row_array(carried, carried.target))
        if carried.taps:
            over = carried.target == carried.taps[0]
            carried.nexts = carried.taps if over else [carried.target, *carried.taps[:-1]]

    def _allocate_in_first_step(self, carried: Carried, value: Array) -> None:
        p, late = self.p, carried.late
        types = ("ptr", *("int64" for _ in late.unknown))

        def first() -> tuple[Size, ...]:
            rows = self.limit if carried.keeps_all else 1
            data = p.allocated(value.dtype, [rows, *value.shape], late.slot)
            return data, *(value.shape[axis] for axis in late.unknown)

        missing = p.let("eq", late.base, "null", type="ptr")
        existing = (late.base, *(late.shape[axis] for axis in late.unknown))
        late.next_base, *lengths = p.if_else(missing, first, lambda: existing, types)
        late.next_shape = list(late.shape)
        for axis, length in zip(late.unknown, lengths, strict=True):
            late.next_shape[axis] = length
        carried.shape = late.next_shape
        size = p.multiply(itemsize(value.dtype), p.product(carried.shape))
        row = p.offset(self.step, size) if carried.keeps_all else 0
        carried.target = views.moved(p, late.next_base, row)

    def _carried(self, carried: Carried) -> list[ir.Carried]:
        late, registers = carried.late, []
        if late is not None:
            registers.append(ir.Carried(late.base, "ptr", "null", late.next_base))
            registers += [
                ir.Carried(late.shape[axis], "int64", 0, late.next_shape[axis])
                for axis in late.unknown
            ]
        if carried.is_object:
            return registers
        for tap, start, after in zip(carried.taps, carried.starts, carried.nexts, strict=True):
            if carried.is_scalar:
                registers.append(ir.Carried(tap.name, tap.dtype, start, after))
            else:
                registers.append(ir.Carried(tap, "ptr", start, after))
        return registers

    # -- after the loop ---------------------------------------------------------------------------

    def _outputs(self) -> list[Any]:
        results: list[Any] = [self._output(carried) for carried in self.states]
        if self.op.until:
            results.append(self.p.scalar(self.step))
        return results

    def _output(self, carried: Carried) -> Any:
        """Return the output of a state."""
        p, state = self.p, carried.state
        if carried.is_object:
            return Object(carried.descriptor)
        late = carried.late
        if late is not None:
            carried.shape = late.shape
            carried.memory = Array(
                carried.value.type.dtype, (), late.base, buffer=Buffer(late.slot, late.base)
            )
        memory = carried.memory
        done: Size = self.step if self.op.until else self.limit
        if carried.keeps_all:
            return memory.replace(shape=(p.plus(carried.lead, done), *carried.shape))
        if not state.taps:
            count = p.let("minimum", done, state.keep)
            return memory.replace(shape=(count, *carried.shape))
        if carried.is_scalar:
            for i in range(state.keep):
                p.store(self.row(carried, i), carried.taps[state.keep - 1 - i])
            return memory
        if state.keep == 1:
            return memory.replace(shape=(1, *carried.shape), data=carried.taps[0], strides=None)
        out = p.new_array(memory.dtype, [state.keep, *carried.shape])
        size = p.multiply(itemsize(memory.dtype), p.product(carried.shape))
        for i in range(state.keep):
            to = views.moved(p, out.data, p.offset(i, size))
            source = self.row_array(carried, carried.taps[state.keep - 1 - i])
            copies.copy_into(p, source, self.row_array(carried, to))
        return out


def is_vector(variable: Variable) -> bool:
    """Tell whether a value has one axis, not declared to have length 1."""
    return isinstance(variable.type, TensorType) and variable.type.broadcastable == (False,)
