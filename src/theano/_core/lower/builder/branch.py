"""Branches, as machine branches: one of two bodies is run, and its results are taken over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from theano._core.ir.graph import toposort
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply
from theano._core.lower.arrays import Array, Buffer, Object
from theano._core.lower.builder import copies, lowering
from theano._core.lower.builder.core import Core
from theano._core.lower.builder.scan import parts
from theano._core.lower.llvm.emitter import ComplexValue, Value
from theano._core.lower.schedule import group
from theano._core.ops.body import Body
from theano._core.ops.branch import Branch


def branch(p: Core, node: Apply, values: Sequence[Any]) -> list[Any]:
    """Return the outputs of a branch."""
    return BranchWriter(p, node, values).write()


class BranchWriter:
    """Writes one branch.

    Parameters
    ----------
    p : Program
    node : Apply
    values : sequence
        Of the inputs.
    """

    def __init__(self, p: Any, node: Apply, values: Sequence[Any]) -> None:
        self.p = p
        self.node = node
        self.op: Branch = node.op
        self.condition, *self.values = values

    def write(self) -> list[Any]:
        """Write both bodies; return the values after them."""
        p, b = self.p, self.p.b
        names = [b.fresh_label(n) for n in ("then", "else", "chosen")]
        slots = [self._slot(out) for out in self.node.outputs]
        holds = b.cast(p.register(self.condition), "bool").text
        # What is computed on demand inside one body is not known in the other, nor after it.
        known, lengths = p.values, p._length_values
        b.perform(f"br i1 {holds}, label %{names[0]}, label %{names[1]}")
        ends = []
        for name, body in zip(names, (self.op.then, self.op.otherwise), strict=False):
            p.values = {k: replace(v) if isinstance(v, Array) else v for k, v in known.items()}
            p._length_values = dict(lengths)
            b.label(name)
            results = self._body(body.fresh(p.rewriter.leaf), slots)
            ends.append((b.block, results))
            b.perform(f"br label %{names[2]}")
        p.values, p._length_values = known, lengths
        b.label(names[2])
        (one, first), (two, second) = ends
        return [
            self._joined(out, slot, (one, x), (two, y))
            for out, slot, x, y in zip(self.node.outputs, slots, first, second, strict=True)
        ]

    def _slot(self, out: Any) -> int:
        """Return where the result lies: a buffer slot, or the descriptor of an object."""
        p = self.p
        if not isinstance(out.type, TensorType):
            return p.reserve(2)
        slot = p.reserve(1)
        if out.type.ndim:
            p.buffer_slots.append(slot)
        return slot

    def _body(self, body: Body, slots: Sequence[int]) -> list[Any]:
        p = self.p
        for variable, source, value in zip(
            body.inputs, self.node.inputs[1:], self.values, strict=True
        ):
            p.values[variable] = replace(value, buffer=None) if isinstance(value, Array) else value
            if isinstance(variable.type, TensorType):
                p.rewriter.lengths_memo[variable] = p.rewriter.lengths(source)
        nodes = toposort(body.outputs, p.values)
        p.number_of.update({node: len(p.number_of) + i for i, node in enumerate(nodes)})
        steps = group(nodes, p.lengths, p.fuse)
        lowering.count_uses(p, steps, body.outputs)
        first_slot = len(p.buffer_slots)
        for step in steps:
            lowering.write_step(p, step)
        results: list[Any] = []
        for out, slot in zip(body.outputs, slots, strict=True):
            results.append(self._settled(p.value(out), slot, first_slot))
        return results

    def _settled(self, value: Any, slot: int, first_slot: int) -> Any:
        """Return a result in memory that the slot owns."""
        p = self.p
        if isinstance(value, Object):
            p.frame_store(slot, p.frame_load(value.descriptor, "ptr"), "ptr")
            return value
        if value.ndim == 0:
            return p.register(value)
        buffer = value.buffer
        owned = (
            buffer is not None
            and not buffer.kept
            and not buffer.fixed
            and buffer.users == 1
            and buffer.slot in p.buffer_slots[first_slot:]
            and value.data == buffer.start
            and value.contiguous is True
            and not value.stretched
        )
        if not owned:
            with_room = p.region
            p.region = None
            value = copies.fresh_copy(p, value)
            p.region = with_room
        data, own = value.data, value.buffer.slot
        p.frame_store(own, "null", "ptr")
        p.frame_store(slot, data, "ptr")
        value.buffer.kept = True
        return value

    def _joined(self, out: Any, slot: int, one: tuple[str, Any], two: tuple[str, Any]) -> Any:
        b = self.p.b
        (end, x), (other_end, y) = one, two
        if not isinstance(out.type, TensorType):
            return Object(slot)

        def phi(kind: str, a: Any, c: Any) -> str:
            return b.emit(f"phi {kind} [{a}, %{end}], [{c}, %{other_end}]")

        if out.type.ndim == 0:
            merged = [
                Value(phi(v.type, v.text, w.text), v.dtype, 1)
                for v, w in zip(parts(x), parts(y), strict=True)
            ]
            register = merged[0] if len(merged) == 1 else ComplexValue(*merged)
            return Array(out.type.dtype, (), register=register)
        lengths = tuple(
            1 if one else a if a == c else phi("i64", a, c)
            for one, a, c in zip(out.type.broadcastable, x.lengths, y.lengths, strict=True)
        )
        data = phi("ptr", x.data, y.data)
        return Array(out.type.dtype, lengths, data, buffer=Buffer(slot, data))
