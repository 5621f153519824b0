"""Loops over steps, as machine loops.

The body of a `Loop` is written like a program of its own, in place. Scalar states are in registers.
Rows of other states lie where they are kept: in the output, or in one row more than are read back,
used in turn. What is the same in every step is computed before the loop, and memory that a step
needs is allocated there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from theano._core.ir.graph import inputs as leaves_of
from theano._core.ir.graph import toposort
from theano._core.ir.types import RandomStateType, TensorType
from theano._core.ir.variable import Apply, Constant
from theano._core.lower.arrays import Array, Buffer, Object, Size
from theano._core.lower.builder import copies, libraries, lowering, nest, views
from theano._core.lower.builder.carried import Carried, LateRows, Phi
from theano._core.lower.builder.core import Core
from theano._core.lower.builder.region import Region
from theano._core.lower.builder.scan_registers import RegisterLoop
from theano._core.lower.llvm.emitter import ComplexValue, Value
from theano._core.lower.llvm.items import itemsize, load, store
from theano._core.lower.schedule import group
from theano._core.ops.indexing import AdvancedIncSubtensor, IncSubtensor
from theano._core.ops.loop import Loop
from theano._core.ops.steps import ALL


def loop(p: Core, node: Apply, values: Sequence[Any]) -> list[Any]:
    """Return the outputs of a loop."""
    return LoopWriter(p, node, values).write()


class LoopWriter:
    """Writes one loop.

    Parameters
    ----------
    p : Program
    node : Apply
    values : sequence
        Of the inputs.
    """

    phi = Phi

    def __init__(self, p: Any, node: Apply, values: Sequence[Any]) -> None:
        self.p = p
        self.b = p.b
        self.node = node
        # Equal loops share a body, and what is known of its variables here is of this loop.
        # Its constants are those of the rewriter, which else takes what lengths are computed from
        # for something else.
        self.op: Loop = node.op.replaced(node.op.body.fresh(p.rewriter.leaf))
        given = iter(values)
        self.limit: Size = p.integer(next(given))
        self.sequences = [next(given) for _ in range(self.op.n_sequences)]
        self.scratch = [self._dies(i) for i in range(self.op.n_sequences)]
        self.states = [
            Carried(i, s, v)
            for i, (s, v) in enumerate(zip(self.op.states, self.op.new_values, strict=True))
        ]
        self.initial = [next(given) if c.state.taps else None for c in self.states]
        self.fixed = list(given)

    def _dies(self, number: int) -> bool:
        """Tell whether a sequence is memory that only this loop reads, each row in its step."""
        variable, array = self.node.inputs[1 + number], self.sequences[number]
        buffer = array.buffer
        return (
            buffer is not None
            and buffer.users == 1
            and not buffer.kept
            and self.p.uses.get(variable) == 1
            and self.node.inputs.count(variable) == 1
            and array.contiguous is True
            and not array.stretched
            and array.data == buffer.start
        )

    def write(self) -> list[Any]:
        """Write the loop; return the values of its outputs."""
        self._check()
        self._tell_lengths()
        for carried, start in zip(self.states, self.initial, strict=True):
            self._prepare(carried, start)
        nest.release_for(self.p, self.limit)
        short = RegisterLoop(self)
        return short.write(self._write_general) if short.possible else self._write_general()

    def _write_general(self) -> list[Any]:
        """Write the loop for rows of any length."""
        p, b = self.p, self.b
        known = dict(p.values), dict(p._length_values)
        self._hoist_lengths()
        region = self._enter()
        b.lines, b.block, b._known = [], f"{self.tag}.body", {}
        p.region = region
        self._bind_inputs()
        self._write_body()
        stop = self._advance()
        self._close(region, stop)
        p.region = region.outer
        p.values, p._length_values = known
        return self._outputs()

    # -- before the loop --------------------------------------------------------------------------

    def _check(self) -> None:
        p = self.p
        nest.check_steps(p, self.node, self.limit, [a.lengths[0] for a in self.sequences])
        for carried, start in zip(self.states, self.initial, strict=True):
            if carried.is_object or start is None:
                continue
            wanted, own = carried.state.depth, start.lengths[0]
            p.check_equal(self.node, own, wanted, "scan_initial", (carried.number, wanted, own))

    def _tell_lengths(self) -> None:
        """Have the lengths inside the body be those outside it."""
        lengths = self.p.rewriter.lengths
        inner, outer = self.op.inner, self.op.outer(self.node)
        pairs = [(v, o, 1) for v, o in zip(inner.sequences, outer.sequences, strict=True)]
        for taps, rows in zip(inner.states, outer.states, strict=True):
            pairs += [(tap, rows, 1) for tap in taps]
        pairs += [(v, o, 0) for v, o in zip(inner.fixed, outer.fixed, strict=True)]
        for variable, source, dropped in pairs:
            if isinstance(variable.type, TensorType):
                found = lengths(source)[dropped:]
                ones = variable.type.broadcastable
                self.p.rewriter.lengths_memo[variable] = tuple(
                    1 if one else n for one, n in zip(ones, found, strict=True)
                )

    def _prepare(self, carried: Carried, start: Any) -> None:
        """Make the memory of a state, with its initial rows."""
        p = self.p
        if carried.is_object:
            carried.descriptor = p.reserve(2)
            if isinstance(carried.value.type, RandomStateType):
                outer = self.op.outer(self.node).states[carried.number]
                start = libraries.own_stream(p, outer, start)
                p.own_streams.update(self.op.inner.states[carried.number])
            source = p.frame_load(start.descriptor, "ptr")
            p.frame_store(carried.descriptor, source, "ptr")
            return
        if start is not None:
            carried.lengths = list(start.lengths[1:])
        else:
            found = p.rewriter.lengths(self.node.outputs[carried.number])[1:]
            carried.lengths = [self._row_length(n) for n in found]
        if "" in carried.lengths:
            return
        self._allocate(carried)
        if start is not None:
            self._place_start(carried, start)

    def _row_length(self, length: Any) -> Size:
        """Return a length of a row; '' if only the first step tells."""
        own = isinstance(length, int) or self.node not in {
            v.owner for v in leaves_and_owners(length)
        }
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
        carried.memory = p.new_array(dtype, [rows, *carried.lengths])

    def _row(self, carried: Carried, number: Size) -> str:
        """Return the address of a row of the memory of a state."""
        p, memory = self.p, carried.memory
        step = p.multiply(itemsize(memory.dtype), p.product(carried.lengths))
        return views.moved(p, p.pointer(memory), p.offset(number, step))

    def _row_array(self, carried: Carried, data: str) -> Array:
        return Array(carried.value.type.dtype, tuple(carried.lengths), data)

    def _place_start(self, carried: Carried, start: Array) -> None:
        """Put the initial rows where the first step reads them."""
        p, depth = self.p, carried.state.depth
        kept_in_place = carried.state.keep == ALL or not (carried.keeps_all or carried.is_scalar)
        if carried.is_scalar:
            parts = [self._start_item(start, i) for i in range(depth)]
            if carried.state.keep == ALL:
                for i, part in enumerate(parts):
                    store(self.b, part, self._row(carried, i))
            carried.starts = parts[::-1]
            return
        if kept_in_place:
            lengths = (depth, *carried.lengths)
            view = Array(start.dtype, lengths, p.pointer(carried.memory))
            copies.copy_into(p, start, view)
            rows = [self._row(carried, i) for i in range(depth)]
        else:
            source = start
            if start.stretched or start.contiguous is False:
                source = copies.fresh_copy(p, start)
            elif start.contiguous is not True:
                source = copies.contiguous_at_run_time(p, start)
            step = p.multiply(itemsize(start.dtype), p.product(carried.lengths))
            rows = [views.moved(p, p.pointer(source), p.offset(i, step)) for i in range(depth)]
        carried.starts = rows[::-1]
        if not carried.keeps_all:
            carried.starts.append(self._row(carried, depth))

    def _start_item(self, start: Array, index: int) -> Any:
        data = views.moved(
            self.p, self.p.pointer(start), self.p.offset(index, self.p.strides(start)[0])
        )
        return load(self.b, data, start.dtype, 1)

    def _hoist_lengths(self) -> None:
        """Compute lengths that steps need and that no step changes."""
        p = self.p
        own = set(self.op.body.inputs)
        for node in self.op.body.nodes:
            for out in node.outputs:
                if not isinstance(out.type, TensorType):
                    continue
                for length in p.rewriter.lengths(out):
                    if not isinstance(length, int) and not own & set(leaves_of([length])):
                        p.size(length)

    # -- the loop ---------------------------------------------------------------------------------

    def _enter(self) -> Region:
        """Name what changes from step to step."""
        p, b = self.p, self.b
        self.tag = b.fresh_label("scan")
        first = b.count + 1
        self.step = b.fresh_name()
        self.stopped = b.fresh_name() if self.op.until else ""
        for carried in self.states:
            if carried.is_scalar:
                carried.taps = [self._fresh_value(v) for v in carried.starts]
            else:
                carried.taps = [b.fresh_name() for _ in carried.starts]
            if "" in carried.lengths:
                slot = p.reserve(1)
                p.buffer_slots.append(slot)
                names = [n if n != "" else b.fresh_name() for n in carried.lengths]
                unknown = [i for i, n in enumerate(carried.lengths) if n == ""]
                carried.late = LateRows(slot, b.fresh_name(), names, unknown)
        region = Region(self.node, self.step, first, b.lines, b.block, p.region)
        # Values outside are copied: what is added to them inside is not known after the loop.
        p.values = {k: replace(v) if isinstance(v, Array) else v for k, v in p.values.items()}
        p._length_values = dict(p._length_values)
        self.first_slot = len(p.buffer_slots)
        self.first_callback = len(p.callbacks)
        return region

    def _fresh_value(self, like: Any) -> Any:
        if isinstance(like, ComplexValue):
            return ComplexValue(self._fresh_value(like.real), self._fresh_value(like.imag))
        return Value(self.b.fresh_name(), like.dtype, like.lanes)

    def _bind_inputs(self) -> None:
        p, inner = self.p, self.op.inner
        for variable, array, dies in zip(
            inner.sequences, self.sequences, self.scratch, strict=True
        ):
            p.values[variable] = replace(self._item(array, variable), scratch=dies)
        for variable, value in zip(inner.fixed, self.fixed, strict=True):
            if isinstance(value, Array):
                value = replace(value, buffer=None, steady=p.region)
            p.values[variable] = value
        for taps, carried in zip(inner.states, self.states, strict=True):
            for variable, distance in zip(taps, carried.state.taps, strict=True):
                if carried.is_object:
                    p.values[variable] = Object(carried.descriptor)
                elif carried.is_scalar:
                    tap = carried.taps[distance - 1]
                    p.values[variable] = Array(variable.type.dtype, (), register=tap)
                else:
                    p.values[variable] = self._row_array(carried, carried.taps[distance - 1])

    def _item(self, array: Array, variable: Any) -> Array:
        """Return the item of a sequence at this step."""
        p = self.p
        strides = p.strides(array)
        data = p.pointer(array)
        if 0 not in array.stretched:
            data = views.moved(p, data, p.offset(self.step, strides[0]))
        if array.contiguous is True and not array.stretched:
            p.region.sequences[data] = array
        if variable.type.ndim == 0:
            return Array(array.dtype, (), data)
        stretched = frozenset(i - 1 for i in array.stretched if i > 0)
        rows = array.rows_contiguous if array.contiguous is not True else True
        return Array(array.dtype, array.lengths[1:], data, strides[1:], rows, stretched)

    def _write_body(self) -> None:
        p, op = self.p, self.op
        for carried in self.states:
            if carried.is_object or carried.is_scalar or carried.memory is None:
                continue
            if carried.keeps_all:
                carried.target = self._row(carried, p.position(carried.lead, self.step))
            else:
                carried.target = carried.taps[-1] if carried.taps else self._row(carried, 0)
        nodes = toposort(op.body.outputs, p.values)
        p.number_of.update({node: len(p.number_of) + i for i, node in enumerate(nodes)})
        steps = group(nodes, p.lengths, p.fuse)
        lowering.count_uses(p, steps, op.body.outputs)
        for carried in self.states:
            if carried.target:
                self._place(carried)
        for step in steps:
            lowering.write_step(p, step)

    def _place(self, carried: Carried) -> None:
        """Have a state, and what it is made of by writes to parts, written where its row lies."""

        def check(axis: int, wanted: Size, got: Size) -> None:
            facts = (carried.number, axis, wanted, got)
            self.p.check_equal(self.node, wanted, got, "scan_shape", facts)

        variable = carried.value
        while True:
            self.p.places.setdefault(variable, (carried.target, carried.lengths, check))
            writer = variable.owner
            if writer is None or not isinstance(writer.op, (IncSubtensor, AdvancedIncSubtensor)):
                return
            variable = writer.inputs[0]
            if self.p.uses.get(variable) != 1 or variable.type != carried.value.type:
                return

    def _advance(self) -> str:
        """Write what follows the body's own steps; return the condition that ends the loop."""
        p, b = self.p, self.b
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
        if len(p.callbacks) > self.first_callback:
            self._forget_objects()
        stop = ""
        if self.op.until:
            condition = p.register(p.value(self.op.body.outputs[-1]))
            stop = b.cast(condition, "bool").text
        self._free_step_memory()
        return stop

    def _forget_objects(self) -> None:
        """Let go of what Python returned in the step before this one."""
        p, b, region = self.p, self.b, self.p.region
        count = f"call i64 {p.runtime('kept')}(ptr %call)"

        def start() -> tuple[str, str]:
            place, now = p.stack(8), b.emit(count)
            b.perform(f"store i64 {now}, ptr {place}, align 8")
            return place, now

        # INVARIANT: objects from `first` up to the number at `place` are of earlier steps.
        place, first = region.before(p, start)
        until = b.emit(f"load i64, ptr {place}, align 8")
        b.perform(f"call void {p.runtime('forget')}(ptr %call, i64 {first}, i64 {until})")
        now = b.emit(count)
        b.perform(f"store i64 {now}, ptr {place}, align 8")

    def _advance_scalar(self, carried: Carried, value: Array) -> None:
        new = self.p.register(value)
        carried.nexts = [new, *carried.taps[:-1]] if carried.taps else []
        if carried.keeps_all:
            row = self._row(carried, self.p.position(carried.lead, self.step))
            store(self.b, new, row)
        elif not carried.taps:
            store(self.b, new, self._row(carried, 0))

    def _advance_rows(self, carried: Carried, value: Array) -> None:
        p = self.p
        if carried.memory is None:
            self._allocate_in_first_step(carried, value)
        if value.data != carried.target or not value.data:
            for axis, (wanted, got) in enumerate(zip(carried.lengths, value.lengths, strict=True)):
                p.check_equal(
                    self.node, wanted, got, "scan_shape", (carried.number, axis, wanted, got)
                )
            copies.copy_into(p, value, self._row_array(carried, carried.target))
        if carried.taps:
            carried.nexts = [carried.target, *carried.taps[:-1]]

    def _allocate_in_first_step(self, carried: Carried, value: Array) -> None:
        p, b, late = self.p, self.b, carried.late
        first, go, ready = (b.fresh_label(n) for n in ("first", "go", "ready"))
        before = b.block
        missing = b.emit(f"icmp eq ptr {late.base}, null")
        b.perform(f"br i1 {missing}, label %{first}, label %{ready}")
        b.label(first)
        rows = self.limit if carried.keeps_all else 1
        data = p.allocated(value.dtype, [rows, *value.lengths], late.slot)
        b.perform(f"br label %{go}")
        b.label(go)
        b.perform(f"br label %{ready}")
        b.label(ready)
        late.next_base = b.emit(f"phi ptr [{late.base}, %{before}], [{data}, %{go}]")
        late.next_lengths = [
            known
            if axis not in late.unknown
            else b.emit(f"phi i64 [{known}, %{before}], [{got}, %{go}]")
            for axis, (known, got) in enumerate(zip(late.lengths, value.lengths, strict=True))
        ]
        carried.lengths = late.next_lengths
        size = p.multiply(itemsize(value.dtype), p.product(carried.lengths))
        row = p.offset(self.step, size) if carried.keeps_all else 0
        carried.target = views.moved(p, late.next_base, row)

    def _free_step_memory(self) -> None:
        p = self.p
        late = {c.late.slot for c in self.states if c.late is not None}
        for slot in p.buffer_slots[self.first_slot :]:
            if slot not in p.fixed_slots | p.freed | late:
                p.b.perform(f"call void {p.runtime('free')}(ptr %call, i64 {slot})")

    def _close(self, region: Region, stop: str) -> None:
        """Put the lines before the loop, its head and its body together."""
        p, b = self.p, self.b
        body = b.lines
        following = b.emit(f"add nuw nsw i64 {self.step}, 1")
        latch = b.block
        phis = [Phi(self.step, "i64", "0", following)]
        if stop:
            phis.append(Phi(self.stopped, "i1", "false", stop))
        for carried in self.states:
            phis += self._state_phis(carried)
        b.lines, b.block, b._known = region.lines, region.block, {}
        nest.nest(p, self.tag, phis, self.limit, body, latch, self.stopped)
        for slot in sorted(region.fixed_slots):
            b.perform(f"call void {p.runtime('free')}(ptr %call, i64 {slot})")

    def _state_phis(self, carried: Carried) -> list[Phi]:
        late, found = carried.late, []
        if late is not None:
            found.append(Phi(late.base, "ptr", "null", late.next_base))
            found += [
                Phi(late.lengths[axis], "i64", "0", late.next_lengths[axis])
                for axis in late.unknown
            ]
        if carried.is_object:
            return found
        for name, start, after in zip(carried.taps, carried.starts, carried.nexts, strict=True):
            if not carried.is_scalar:
                found.append(Phi(name, "ptr", start, after))
                continue
            for n, s, a in zip(parts(name), parts(start), parts(after), strict=True):
                found.append(Phi(n.text, n.type, s.text, a.text))
        return found

    # -- after the loop ---------------------------------------------------------------------------

    def _outputs(self) -> list[Any]:
        results: list[Any] = [self._output(carried) for carried in self.states]
        if self.op.until:
            results.append(self.p.scalar(self.step))
        return results

    def _output(self, carried: Carried, stored: bool = False) -> Any:
        """Return the output of a state; scalars that are only kept at the end may be `stored`."""
        p, state = self.p, carried.state
        if carried.is_object:
            return Object(carried.descriptor)
        late = carried.late
        if late is not None:
            carried.lengths = late.lengths
            carried.memory = Array(
                carried.value.type.dtype, (), late.base, buffer=Buffer(late.slot, late.base)
            )
        memory = carried.memory
        done: Size = self.step if self.op.until else self.limit
        if carried.keeps_all:
            return replace(memory, lengths=(p.plus(carried.lead, done), *carried.lengths))
        if not state.taps:
            p.b.declarations["declare i64 @llvm.smin.i64(i64, i64)"] = None
            count = p.b.emit(f"call i64 @llvm.smin.i64(i64 {done}, i64 {state.keep})")
            return replace(memory, lengths=(count, *carried.lengths))
        if carried.is_scalar:
            for i in range(0 if stored else state.keep):
                store(p.b, carried.taps[state.keep - 1 - i], self._row(carried, i))
            return memory
        if state.keep == 1:
            return replace(
                memory, lengths=(1, *carried.lengths), data=carried.taps[0], strides=None
            )
        out = p.new_array(memory.dtype, [state.keep, *carried.lengths])
        size = p.multiply(itemsize(memory.dtype), p.product(carried.lengths))
        for i in range(state.keep):
            to = views.moved(p, out.data, p.offset(i, size))
            source = self._row_array(carried, carried.taps[state.keep - 1 - i])
            copies.copy_into(p, source, self._row_array(carried, to))
        return out


def parts(value: Any) -> list[Value]:
    """Return the registers of a value."""
    return [value.real, value.imag] if isinstance(value, ComplexValue) else [value]


def leaves_and_owners(variable: Any) -> list[Any]:
    """Return all variables that `variable` is made from, itself included."""
    found = [variable]
    for node in toposort([variable]):
        found += node.inputs
    return [v for v in found if not isinstance(v, Constant)]
