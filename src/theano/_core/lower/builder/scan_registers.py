"""Loops over steps whose rows are short: every row is one vector register.

Calling a kernel costs more than its work on a handful of numbers, and so does handing a row from
one step to the next through memory. Where the body is made of functions item by item and of
reductions of whole rows, the loop is therefore written a second time, for rows that fit a register;
which of the two runs is decided by the length of the rows when the function is called. Where
registers are as wide as those of AVX-512 there is a third form, for rows that fit half of one:
divisions, and what takes the parts of a register together, take longer the wider it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from theano._core.base import dtypes
from theano._core.base.dtypes import itemsize
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.lower import program as ir
from theano._core.lower.arrays import Size
from theano._core.lower.builder import copies, kernel_choice, views
from theano._core.lower.builder.scan_loop import WrittenLoop
from theano._core.lower.builder.scan_state import Carried
from theano._core.lower.builder.step_times import timed_whole
from theano._core.lower.llvm.target.codegen import lanes_of
from theano._core.lower.program import Number, Register, Scalar, number_of
from theano._core.lower.schedule import weight_of
from theano._core.ops.array.broadcasting import Alloc
from theano._core.ops.array.reductions import Reduction
from theano._core.ops.array.shaping import Rebroadcast
from theano._core.ops.core.dimshuffle import DimShuffle
from theano._core.ops.core.fill import Second
from theano._core.ops.elementwise.elementwise import Elementwise

# Operations that only say how a value is broadcast.
SHAPES = (DimShuffle, Rebroadcast, Alloc, Second)
# Nodes of the largest body: registers run out, and it is compiled more than once.
MOST_NODES = 40
# Bits of the registers that are not best for half as many items.
WIDE = 512


def is_row(variable: Variable) -> bool:
    """Tell whether a variable has an axis that is not declared to have length 1."""
    return variable.type.ndim == 1 and not variable.type.broadcastable[0]


class RegisterLoop:
    """The second form of a loop.

    Parameters
    ----------
    writer : WrittenLoop
        The loop; its states are laid out and in place.
    lanes : int
        Items of a register; 0: as many as fit the widest one.
    """

    def __init__(self, writer: WrittenLoop, lanes: int = 0) -> None:
        self.loop = writer
        self.p, self.op = writer.p, writer.op
        variables = [*self.op.body.inputs, *(o for n in self.op.body.nodes for o in n.outputs)]
        self.rows = [v for v in variables if isinstance(v.type, TensorType) and is_row(v)]
        self.itemsize = max((itemsize(v.type.dtype) for v in self.rows), default=0)
        self.lanes = lanes or self._most_lanes()

    def _most_lanes(self) -> int:
        return lanes_of(self.itemsize, self.p.vector_bits) if self.rows else 1

    # -- whether it can be ------------------------------------------------------------------------

    @property
    def possible(self) -> bool:
        """Whether the loop has this form."""
        op = self.op
        if op.until or op.progress or self.lanes < 2 or not 0 < len(op.body.nodes) <= MOST_NODES:
            return False
        if any(c.is_object or "" in c.shape for c in self.loop.states):
            return False
        if not any(is_row(c.value) and c.taps_exist for c in self.loop.states):
            return False
        values = [*op.body.inputs, *op.body.outputs]
        values += [o for n in op.body.nodes for o in n.outputs]
        if not all(self._is_simple(v) for v in values):
            return False
        return all(self._is_written(n) for n in op.body.nodes) and self._one_length()

    def _is_simple(self, variable: Variable) -> bool:
        type_ = variable.type
        if not isinstance(type_, TensorType) or type_.ndim > 1 or dtypes.is_complex(type_.dtype):
            return False
        if isinstance(variable, Constant):
            return variable.data.size == 1
        in_memory = variable in (*self.op.body.inputs, *self.op.body.outputs)
        return not (in_memory and is_row(variable) and type_.dtype in ("bool", "float16"))

    def _is_written(self, node: Apply) -> bool:
        if isinstance(node.op, Elementwise):
            constants = [v for v in node.inputs if isinstance(v, Constant)]
            return node.op.native is not None and all(v.data.size == 1 for v in constants)
        if isinstance(node.op, Reduction):
            return node.op.reducer.identity is not None and len(node.op.axes(1)) == 1
        return isinstance(node.op, SHAPES)

    def _one_length(self) -> bool:
        find, shape = self.p.equal_lengths.find, self.p.rewriter.shape
        return len({find(shape(v)[0]) for v in self.rows}) == 1

    # -- the loop ---------------------------------------------------------------------------------

    @property
    def length(self) -> Size:
        """Length of the rows."""
        return next(c.shape[0] for c in self.loop.states if is_row(c.value))

    def write(self, general: Callable[[], list[object]]) -> list[Any]:
        """Write this loop and, for longer rows, `general`; return the outputs of either."""
        if 8 * self.lanes * self.itemsize < WIDE:
            return self._either(general)
        half = RegisterLoop(self.loop, self.lanes // 2)
        return half._either(lambda: self._either(general))

    def _either(self, general: Callable[[], list[Any]]) -> list[Any]:
        p = self.p
        # What is computed on demand inside one loop is not known in the other.
        for array in (*self.loop.sequences, *self.loop.fixed):
            if array.ndim:
                p.pointer(array)
                p.strides(array)
        fits = self._fits()
        before = p.values.copy(), p.length_values.copy()
        with p.into([]) as short:
            ends = self._short()
        p.values, p.length_values = before
        with p.into([]) as long:
            results = general()
        merges = []
        # What was computed on the way through one loop is not known after both.
        again = []
        for carried in self.loop.states:
            i = carried.number
            if carried.keeps_all or not carried.state.taps or carried.is_scalar:
                again.append(carried)
                continue
            data = p.fresh()
            merges.append(ir.Merge(data, "ptr", ends[i], results[i].data))
            results[i] = results[i].replace(data=data, strides=None)
        p.do(ir.If(fits, short, long, tuple(merges)))
        for carried in again:
            results[carried.number] = self.loop.output(carried, stored=True)
        return results

    def _fits(self) -> str:
        """Return whether rows fit a register, and those of sequences are packed."""
        p = self.p
        fits = p.let("at_most", self.length, self.lanes)
        for variable, array in zip(self.op.inner.sequences, self.loop.sequences, strict=True):
            if not is_row(variable) or 1 in array.broadcast_axes:
                continue
            if True not in (array.contiguous, array.rows_contiguous):
                packed = p.let("eq", p.strides(array)[1], itemsize(array.dtype))
                fits = p.let("and", fits, packed, kind="bool")
        return fits

    def _short(self) -> dict[int, str]:
        """Write the loop; return where the last rows of states are that keep only these."""
        p, loop = self.p, self.loop
        self.mask = p.fresh()
        p.do(ir.Mask(self.mask, self.length, self.lanes))
        outside = self._fixed_values()
        starts = [[self._start(c, s) for s in c.starts[: c.state.depth]] for c in loop.states]
        step = p.fresh()
        taps = [[Register(p.fresh(), v.dtype, v.lanes) for v in values] for values in starts]
        with p.into([]) as body:
            values = self._body(step, outside, taps)
            self._store_rows(step, values)
        carried = []
        for names, start, new in zip(taps, starts, values, strict=True):
            for tap, first, after in zip(names, start, [new, *names[:-1]], strict=False):
                carried.append(ir.Carried(tap.name, ir.kind_of(tap), first, after))
        items = p.multiply(loop.limit, self.length)
        weight = sum(map(weight_of, self.op.body.nodes))
        with timed_whole(p, loop.number, p.multiply(items, weight)):
            p.do(ir.For(step, loop.limit, tuple(carried), body))
        return self._keep_last(taps)

    def _wide(self, value: Scalar) -> Scalar:
        """Return a scalar in every lane."""
        if value.lanes == self.lanes:
            return value
        row = Register(self.p.fresh(), value.dtype, self.lanes)
        self.p.do(ir.Widen(row.name, value, self.lanes))
        return row

    def _start(self, carried: Carried, start: Any) -> Scalar:
        """Return an initial row in a register."""
        return start if carried.is_scalar else self._load(carried.value, start)

    def _load(self, variable: Variable, pointer: str) -> Register:
        """Return a row, or its only item."""
        p, dtype = self.p, variable.type.dtype
        if not is_row(variable):
            return p.load(pointer, dtype)
        row = Register(p.fresh(), dtype, self.lanes)
        p.do(ir.LoadRow(row.name, dtype, self.lanes, pointer, self.mask))
        return row

    def _store(self, variable: Variable, value: Scalar, pointer: str) -> None:
        if is_row(variable):
            self.p.do(ir.StoreRow(pointer, self._wide(value), self.mask))
        else:
            self.p.store(pointer, value)

    def _fixed_values(self) -> dict[Any, Scalar]:
        """Return what no step changes, in registers."""
        p, scalars = self.p, {}
        for variable, value in zip(self.op.inner.fixed, self.loop.fixed, strict=True):
            if variable.type.ndim == 0:
                scalars[variable] = p.register(value.replace())
                continue
            if is_row(variable) and (value.broadcast_axes or value.contiguous is not True):
                value = copies.fresh_copy(p, value)
            scalars[variable] = self._load(variable, p.pointer(value))
        return scalars

    def _body(
        self, step: str, outside: dict[Any, Scalar], taps: list[list[Register]]
    ) -> list[Scalar]:
        """Write one step; return the new value of each state."""
        p, inner = self.p, self.op.inner
        scalars = dict(outside)
        for variable, array in zip(inner.sequences, self.loop.sequences, strict=True):
            data = p.pointer(array)
            if 0 not in array.broadcast_axes:
                data = views.moved(p, data, p.offset(step, p.strides(array)[0]))
            if is_row(variable) and 1 in array.broadcast_axes:
                scalars[variable] = p.load(data, array.dtype)
            else:
                scalars[variable] = self._load(variable, data)
        for names, values, carried in zip(inner.states, taps, self.loop.states, strict=True):
            for variable, distance in zip(names, carried.state.taps, strict=True):
                scalars[variable] = values[distance - 1]
        for node in self.op.body.nodes:
            scalars[node.outputs[0]] = self._value(node, scalars)
        return [self._new(c.value, scalars) for c in self.loop.states]

    def _new(self, variable: Variable, scalars: dict[Any, Scalar]) -> Scalar:
        value = self._known(variable, scalars)
        if is_row(variable):
            return self._wide(value)
        if value.lanes == 1:
            return value
        number = Register(self.p.fresh(), value.dtype)
        self.p.do(ir.Lane(number.name, value))
        return number

    def _known(self, variable: Any, scalars: dict[Any, Scalar]) -> Scalar:
        if variable in scalars:
            return scalars[variable]
        return self.p.literal(variable.data.item(), variable.type.dtype)

    def _value(self, node: Apply, scalars: dict[Any, Scalar]) -> Scalar:
        """Write one node: on whole rows, or on scalars.

        A scalar that follows from a whole row is in every lane.
        """
        p = self.p
        if isinstance(node.op, Reduction):
            return self._reduction(node, self._known(node.inputs[0], scalars))
        if isinstance(node.op, SHAPES):
            return self._known(node.inputs[1 if isinstance(node.op, Second) else 0], scalars)
        casts, dtype = node.op.dtype(*(v.type.dtype for v in node.inputs))
        args = []
        for variable, kind in zip(node.inputs, casts, strict=True):
            value = self._known(variable, scalars)
            args.append(
                p.literal(number_of(value), kind)
                if isinstance(value, Number)
                else p.cast(value, kind)
            )
        return p.compute(lambda w, *values: w.call(node.op, *values, dtype=dtype), *args)

    def _reduction(self, node: Apply, value: Scalar) -> Scalar:
        p = self.p
        reduction = kernel_choice.reduction_of(p, node)
        value = p.cast(value, reduction.dtype)
        if is_row(node.inputs[0]):
            row = Register(p.fresh(), reduction.dtype, self.lanes)
            start = p.literal(reduction.start, reduction.dtype)
            p.do(ir.ReduceRow(row.name, reduction.combine, start, self._wide(value), self.mask))
            value = row
        return p.cast(value, reduction.out_dtype)

    def _store_rows(self, step: str, values: list[Scalar]) -> None:
        loop = self.loop
        for carried, value in zip(loop.states, values, strict=True):
            if carried.keeps_all:
                row = loop.row(carried, self.p.position(carried.lead, step))
            elif not carried.state.taps:
                row = loop.row(carried, 0)
            else:
                continue
            self._store(carried.value, value, row)

    def _keep_last(self, taps: list[list[Register]]) -> dict[int, str]:
        """Store the last rows of states that keep only these; return where a single one is."""
        ends: dict[int, str] = {}
        for carried, last in zip(self.loop.states, taps, strict=True):
            if carried.keeps_all or not carried.state.taps:
                continue
            count = carried.state.keep
            for i in range(count):
                self._store(carried.value, last[count - 1 - i], self.loop.row(carried, i))
            if not carried.is_scalar:
                ends[carried.number] = self.loop.row(carried, 0)
        return ends
