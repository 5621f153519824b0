"""What is known of a loop over steps while it is written, in whichever form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from theano._core.base.dtypes import itemsize
from theano._core.ir.variable import Apply
from theano._core.lower.arrays import Array, Buffer, Object, Size
from theano._core.lower.builder import copies, views
from theano._core.lower.builder.scan_state import Carried
from theano._core.ops.control.scan import Loop


class WrittenLoop:
    """A loop that is written.

    Parameters
    ----------
    p : Core
    node : Apply
    values : sequence
        Of the inputs.
    """

    # Register of the number of the step, where the loop has been entered.
    step: str
    # For profiles, the number of the step that is the whole body in registers.
    number = -1

    def __init__(self, p: Any, node: Apply, values: Sequence[Any]) -> None:
        self.p = p
        self.node = node
        # Equal loops share a body, and what is known of its variables here is of this loop.
        # Its constants are those of the rewriter, which else takes what lengths are computed from
        # for something else.
        self.op: Loop = node.op.replaced(node.op.body.fresh(p.rewriter.leaf))
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

    def output(self, carried: Carried, stored: bool = False) -> Any:
        """Return the output of a state; scalars that are only kept at the end may be `stored`."""
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
            for i in range(0 if stored else state.keep):
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
