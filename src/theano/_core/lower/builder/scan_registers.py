"""Loops over steps whose rows are short: every row is one vector register.

Calling a kernel costs more than its work on a handful of numbers, and so does handing a row from
one step to the next through memory. Where the body is made of functions item by item and of folds
of whole rows, the loop is therefore written a second time, for rows that fit a register; which of
the two runs is decided by the length of the rows when the function is called. Where registers are
as wide as those of AVX-512 there is a third form, for rows that fit half of one: divisions, and
what takes the parts of a register together, take longer the wider it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from theano._core.base import dtypes
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Constant
from theano._core.lower.arrays import Size
from theano._core.lower.builder import copies, launch, nest, views
from theano._core.lower.builder.carried import Carried
from theano._core.lower.llvm.bodies import number
from theano._core.lower.llvm.emitter import Value
from theano._core.lower.llvm.items import itemsize, load, store
from theano._core.lower.llvm.target import lanes_of
from theano._core.ops.broadcasting import Alloc, Second
from theano._core.ops.op import Elementwise
from theano._core.ops.reductions import Reduction
from theano._core.ops.shaping import DimShuffle, Rebroadcast

if TYPE_CHECKING:
    from theano._core.lower.builder.scan import LoopWriter

# Operations that only say how a value is stretched.
SHAPES = (DimShuffle, Rebroadcast, Alloc, Second)
# Nodes of the largest body: registers run out, and it is compiled more than once.
MOST_NODES = 40
# Bits of the registers that are not best for half as many items.
WIDE = 512


def is_row(variable: Any) -> bool:
    """Tell whether a variable has an axis that is not declared to have length 1."""
    return variable.type.ndim == 1 and not variable.type.broadcastable[0]


class RegisterLoop:
    """The second form of a loop.

    Parameters
    ----------
    writer : LoopWriter
        The loop; its states are laid out and in place.
    lanes : int
        Items of a register; 0: as many as fit the widest one.
    """

    def __init__(self, writer: LoopWriter, lanes: int = 0) -> None:
        self.loop = writer
        self.p, self.b, self.op = writer.p, writer.b, writer.op
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
        if op.until or self.lanes < 2 or not 0 < len(op.body.nodes) <= MOST_NODES:
            return False
        if any(c.is_object or "" in c.lengths for c in self.loop.states):
            return False
        if not any(is_row(c.value) and c.taps_exist for c in self.loop.states):
            return False
        values = [*op.body.inputs, *op.body.outputs]
        values += [o for n in op.body.nodes for o in n.outputs]
        if not all(self._is_simple(v) for v in values):
            return False
        return all(self._is_written(n) for n in op.body.nodes) and self._one_length()

    def _is_simple(self, variable: Any) -> bool:
        kind = variable.type
        if not isinstance(kind, TensorType) or kind.ndim > 1 or dtypes.is_complex(kind.dtype):
            return False
        if isinstance(variable, Constant):
            return variable.data.size == 1
        in_memory = variable in (*self.op.body.inputs, *self.op.body.outputs)
        return not (in_memory and is_row(variable) and kind.dtype in ("bool", "float16"))

    def _is_written(self, node: Apply) -> bool:
        if isinstance(node.op, Elementwise):
            constants = [v for v in node.inputs if isinstance(v, Constant)]
            return node.op.native is not None and all(v.data.size == 1 for v in constants)
        if isinstance(node.op, Reduction):
            return node.op.fold.identity is not None and len(node.op.axes(1)) == 1
        return isinstance(node.op, SHAPES)

    def _one_length(self) -> bool:
        find, lengths = self.p.lengths.find, self.p.rewriter.lengths
        return len({find(lengths(v)[0]) for v in self.rows}) == 1

    # -- the loop ---------------------------------------------------------------------------------

    @property
    def length(self) -> Size:
        """Length of the rows."""
        return next(c.lengths[0] for c in self.loop.states if is_row(c.value))

    def write(self, general: Callable[[], list[Any]]) -> list[Any]:
        """Write this loop and, for longer rows, `general`; return the outputs of either."""
        if 8 * self.lanes * self.itemsize < WIDE:
            return self._either(general)
        half = RegisterLoop(self.loop, self.lanes // 2)
        return half._either(lambda: self._either(general))

    def _either(self, general: Callable[[], list[Any]]) -> list[Any]:
        p, b = self.p, self.b
        short, long, done = (b.fresh_label(n) for n in ("short", "long", "either"))
        # What is computed on demand inside one loop is not known in the other.
        for array in (*self.loop.sequences, *self.loop.fixed):
            if array.ndim:
                p.pointer(array)
                p.strides(array)
        fits = self._fits()
        b.perform(f"br i1 {fits}, label %{short}, label %{long}")
        known = dict(p.values), dict(p._length_values)
        b.label(short)
        ends = self._short()
        first = b.block
        b.perform(f"br label %{done}")
        p.values, p._length_values = known
        b.label(long)
        results = general()
        second = b.block
        b.perform(f"br label %{done}")
        b.label(done)
        for carried in self.loop.states:
            i = carried.number
            if carried.keeps_all or not carried.state.taps or carried.is_scalar:
                # What was computed on the way through one loop is not known after both.
                results[i] = self.loop._output(carried, stored=True)
                continue
            data = b.emit(f"phi ptr [{ends[i]}, %{first}], [{results[i].data}, %{second}]")
            results[i] = replace(results[i], data=data, strides=None)
        return results

    def _fits(self) -> str:
        """Return whether rows fit a register, and those of sequences are packed."""
        p, b = self.p, self.b
        fits = b.emit(f"icmp ule i64 {self.length}, {self.lanes}")
        for variable, array in zip(self.op.inner.sequences, self.loop.sequences, strict=True):
            if not is_row(variable) or 1 in array.stretched:
                continue
            if True not in (array.contiguous, array.rows_contiguous):
                packed = f"icmp eq i64 {p.strides(array)[1]}, {itemsize(array.dtype)}"
                fits = b.emit(f"and i1 {fits}, {b.emit(packed)}")
        return fits

    def _short(self) -> dict[int, str]:
        """Write the loop; return where the last rows of states are that keep only these."""
        b, loop = self.b, self.loop
        lane_numbers = ", ".join(f"i64 {i}" for i in range(self.lanes))
        self.mask = b.lt(
            Value(f"<{lane_numbers}>", "int64", self.lanes),
            self._wide(Value(str(self.length), "int64", 1)),
        )
        outside = self._fixed_values()
        starts = [[self._start(c, s) for s in c.starts[: c.state.depth]] for c in loop.states]
        tag, step = b.fresh_label("steps"), b.fresh_name()
        taps = [[self._fresh(v) for v in values] for values in starts]
        before, lines = b.block, b.lines
        b.lines = []
        b.block, b._known = f"{tag}.body", {}
        values = self._body(step, outside, taps)
        self._store_rows(step, values)
        nexts = [[new, *old[:-1]] if old else [] for new, old in zip(values, taps, strict=True)]
        phis = [loop.phi(step, "i64", "0", b.emit(f"add nuw nsw i64 {step}, 1"))]
        for names, start, after in zip(taps, starts, nexts, strict=True):
            for n, s, a in zip(names, start, after, strict=True):
                phis.append(loop.phi(n.text, n.type, s.text, a.text))
        body, latch = b.lines, b.block
        b.lines, b.block, b._known = lines, before, {}
        nest.nest(self.p, tag, phis, loop.limit, body, latch)
        return self._keep_last(taps)

    def _wide(self, value: Value) -> Value:
        """Return a scalar in every lane."""
        if value.lanes == self.lanes:
            return value
        scalar, self.b.lanes = self.b.lanes, self.lanes
        try:
            return self.b.broadcast(value)
        finally:
            self.b.lanes = scalar

    def _fresh(self, like: Value) -> Value:
        return Value(self.b.fresh_name(), like.dtype, like.lanes)

    def _start(self, carried: Carried, start: Any) -> Value:
        """Return an initial row in a register."""
        return start if carried.is_scalar else self._load(carried.value, start)

    def _load(self, variable: Any, pointer: str) -> Value:
        """Return a row, or its only item."""
        b, dtype = self.b, variable.type.dtype
        if not is_row(variable):
            return load(b, pointer, dtype, 1)
        kind = Value("", dtype, self.lanes).type
        name = f"@llvm.masked.load.{_suffix(dtype, self.lanes)}.p0"
        b.declarations[f"declare {kind} {name}(ptr, i32, {self.mask.type}, {kind})"] = None
        rest = f"{self.mask.type} {self.mask.text}, {kind} zeroinitializer"
        text = b.emit(f"call {kind} {name}(ptr {pointer}, i32 1, {rest})")
        return Value(text, dtype, self.lanes)

    def _store(self, variable: Any, value: Value, pointer: str) -> None:
        b = self.b
        if not is_row(variable):
            store(b, value, pointer)
            return
        value = self._wide(value)
        name = f"@llvm.masked.store.{_suffix(value.dtype, self.lanes)}.p0"
        b.declarations[f"declare void {name}({value.type}, ptr, i32, {self.mask.type})"] = None
        rest = f"ptr {pointer}, i32 1, {self.mask.type} {self.mask.text}"
        b.perform(f"call void {name}({value.type} {value.text}, {rest})")

    def _fixed_values(self) -> dict[Any, Value]:
        """Return what no step changes, in registers."""
        p, found = self.p, {}
        for variable, value in zip(self.op.inner.fixed, self.loop.fixed, strict=True):
            if variable.type.ndim == 0:
                found[variable] = p.register(replace(value))
                continue
            if is_row(variable) and (value.stretched or value.contiguous is not True):
                value = copies.fresh_copy(p, value)
            found[variable] = self._load(variable, p.pointer(value))
        return found

    def _body(self, step: str, outside: dict[Any, Value], taps: list[list[Value]]) -> list[Value]:
        """Write one step; return the new value of each state."""
        p, inner = self.p, self.op.inner
        known = dict(outside)
        for variable, array in zip(inner.sequences, self.loop.sequences, strict=True):
            data = p.pointer(array)
            if 0 not in array.stretched:
                data = views.moved(p, data, p.offset(step, p.strides(array)[0]))
            if is_row(variable) and 1 in array.stretched:
                known[variable] = self._wide(load(self.b, data, array.dtype, 1))
            else:
                known[variable] = self._load(variable, data)
        for names, values, carried in zip(inner.states, taps, self.loop.states, strict=True):
            for variable, distance in zip(names, carried.state.taps, strict=True):
                known[variable] = values[distance - 1]
        for node in self.op.body.nodes:
            known[node.outputs[0]] = self._value(node, known)
        return [self._new(c.value, known) for c in self.loop.states]

    def _new(self, variable: Any, known: dict[Any, Value]) -> Value:
        value = self._known(variable, known)
        return self._wide(value) if is_row(variable) else self.b.lane(value, 0)

    def _known(self, variable: Any, known: dict[Any, Value]) -> Value:
        if variable in known:
            return known[variable]
        return self._number(variable, variable.type.dtype)

    def _number(self, variable: Any, dtype: str) -> Value:
        return number(self.b, variable.data.item(), variable.type.dtype, dtype)

    def _value(self, node: Apply, known: dict[Any, Value]) -> Value:
        """Write one application: on whole rows, or on scalars.

        A scalar that follows from a whole row is in every lane.
        """
        b, out = self.b, node.outputs[0]
        if isinstance(node.op, Reduction):
            return self._fold(node, self._known(node.inputs[0], known))
        if isinstance(node.op, SHAPES):
            return self._known(node.inputs[1 if isinstance(node.op, Second) else 0], known)
        casts, dtype = node.op.dtype(*(v.type.dtype for v in node.inputs))
        rows = is_row(out) or any(known[v].lanes > 1 for v in node.inputs if v in known)
        b.lanes = self.lanes if rows else 1
        try:
            args = []
            for variable, cast in zip(node.inputs, casts, strict=True):
                if variable in known:
                    value = b.cast(known[variable], cast)
                    args.append(b.broadcast(value) if rows else value)
                else:
                    args.append(self._number(variable, cast))
            return b.cast(node.op.native(b, *args), dtype)
        finally:
            b.lanes = 1

    def _fold(self, node: Apply, value: Value) -> Value:
        b = self.b
        fold = launch.fold_of(self.p, node)
        value = b.cast(value, fold.dtype)
        if is_row(node.inputs[0]):
            start = b.const(fold.start, fold.dtype, self.lanes)
            value = self._folded(fold, b.select(self.mask, self._wide(value), start))
        return b.cast(value, fold.out_dtype)

    def _folded(self, fold: Any, value: Value) -> Value:
        """Return the fold of a row in every lane, its lanes taken together as by `reduce_lanes`."""
        half = self.lanes // 2
        while half:
            low = [i % half for i in range(self.lanes)]
            parts = [self.b.shuffle(value, value, [i + start for i in low]) for start in (0, half)]
            value = getattr(self.b, fold.combine)(*parts)
            half //= 2
        return value

    def _store_rows(self, step: str, values: list[Value]) -> None:
        loop = self.loop
        for carried, value in zip(loop.states, values, strict=True):
            if carried.keeps_all:
                row = loop._row(carried, self.p.position(carried.lead, step))
            elif not carried.state.taps:
                row = loop._row(carried, 0)
            else:
                continue
            self._store(carried.value, value, row)

    def _keep_last(self, taps: list[list[Value]]) -> dict[int, str]:
        """Store the last rows of states that keep only these; return where a single one is."""
        ends: dict[int, str] = {}
        for carried, last in zip(self.loop.states, taps, strict=True):
            if carried.keeps_all or not carried.state.taps:
                continue
            count = carried.state.keep
            for i in range(count):
                self._store(carried.value, last[count - 1 - i], self.loop._row(carried, i))
            if not carried.is_scalar:
                ends[carried.number] = self.loop._row(carried, 0)
        return ends


def _suffix(dtype: str, lanes: int) -> str:
    letter = "f" if dtypes.is_float(dtype) else "i"
    return f"v{lanes}{letter}{8 * itemsize(dtype)}"
