"""Branches, as machine branches: one of two bodies is run, and its results are taken over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from theano._core.ir.graph import toposort
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Variable
from theano._core.lower import program as ir
from theano._core.lower.arrays import Array, Buffer, Object
from theano._core.lower.builder import copies, lowering
from theano._core.lower.builder.core import Core
from theano._core.lower.builder.known_values import KnownValues
from theano._core.lower.program import Register
from theano._core.ops.control.body import Body
from theano._core.ops.control.branch import Branch


def branch(p: Core, node: Apply, values: Sequence[object]) -> list[Any]:
    """Return the outputs of a branch."""
    return BranchWriter(p, node, values).write()


class BranchWriter:
    """Writes one branch.

    Parameters
    ----------
    p : Core
    node : Apply
    values : sequence
        Of the inputs.
    """

    def __init__(self, p: Any, node: Apply, values: Sequence[object]) -> None:
        self.p = p
        self.node = node
        self.op: Branch = node.op
        self.condition, *self.values = values

    def write(self) -> list[Any]:
        """Write both bodies; return the values after them."""
        p = self.p
        slots = [self._slot(out) for out in self.node.outputs]
        holds = p.condition(self.condition)
        # What is computed on demand inside one body is not known in the other, nor after it.
        before = p.values, p.length_values
        values, lengths = (k if isinstance(k, KnownValues) else KnownValues(k) for k in before)
        blocks: list[ir.Block] = []
        ends = []
        for body in (self.op.then, self.op.otherwise):
            p.values, p.length_values = values, lengths
            for scope in (values, lengths):
                scope.enter()
            with p.into([]) as block:
                ends.append(self._body(body.fresh(p.rewriter.finished.__getitem__), slots))
            for scope in (values, lengths):
                scope.leave()
            blocks.append(block)
        p.values, p.length_values = before
        merges: list[ir.Merge] = []
        results = [
            self._joined(out, slot, x, y, merges)
            for out, slot, x, y in zip(self.node.outputs, slots, *ends, strict=True)
        ]
        then, otherwise = blocks
        p.do(ir.If(holds, then, otherwise, tuple(merges)))
        return results

    def _slot(self, out: Variable) -> int:
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
        p.rewriter.keep(body.nodes)
        for variable, source, value in zip(
            body.inputs, self.node.inputs[1:], self.values, strict=True
        ):
            p.values[variable] = value.replace(buffer=None) if isinstance(value, Array) else value
            if variable.type.has_shape:
                p.rewriter.tell_shape(variable, p.rewriter.shape(source))
        nodes = toposort(body.outputs, p.values)
        steps = lowering.steps_of(p, nodes, body.outputs)
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
        if not (value.alone and value.buffer.slot in p.buffer_slots[first_slot:]):
            fresh = p.new_array(value.dtype, value.shape)
            copies.copy_into(p, value, fresh)
            value = fresh
        p.do(ir.Hand(value.buffer.slot, value.data, slot))
        value.buffer.kept = True
        return value

    def _joined(self, out: Any, slot: int, x: Any, y: Any, merges: list[ir.Merge]) -> Any:
        """Return one result of both bodies; what it merges is added to `merges`."""
        if not isinstance(out.type, TensorType):
            return Object(slot)

        def merged(type_: str, one: Register | int | str, two: Register | int | str) -> str:
            name = self.p.fresh()
            merges.append(ir.Merge(name, type_, one, two))
            return name

        dtype = out.type.dtype
        if out.type.ndim == 0:
            return Array(dtype, (), register=Register(merged(dtype, x, y), dtype))
        shape = tuple(
            1 if one else a if a == c else merged("int64", a, c)
            for one, a, c in zip(out.type.broadcastable, x.shape, y.shape, strict=True)
        )
        data = merged("ptr", x.data, y.data)
        return Array(dtype, shape, data, buffer=Buffer(slot, data))
