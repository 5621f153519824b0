"""Loops that write to a part of an array: which these are, `lower/written_parts.py` says."""

from __future__ import annotations

from theano._core.ir.variable import Apply
from theano._core.lower.arrays import Array, Buffer, Size
from theano._core.lower.builder import copies, kernel_choice, lowering, views
from theano._core.lower.builder.core import Core
from theano._core.lower.builder.region import Place
from theano._core.lower.schedule import Step
from theano._core.lower.written_parts import WrittenPart
from theano._core.ops.array.index_form import join_index, numbers_of
from theano._core.ops.elementwise.arithmetic import add


def write(p: Core, step: WrittenPart) -> None:
    """Write a loop and the write of what it makes to a part."""
    loop, last = step.parts
    node = last.nodes[0]
    x, y, *numbers = node.inputs
    outer = p.step, p.node
    p.step, p.node = loop, loop.nodes[0]
    shape = kernel_choice.check_loop(p, loop)
    kernel_choice.ready_operands(p, loop)
    p.step, p.node = last, node
    out = copies.writable(p, node, p.value(x))
    index = join_index(node.op.index, numbers_of(node, [p.value(v) for v in numbers]))
    part = views.basic_slice(p, node, out, index).replace(buffer=None)
    same: Size = 1
    for length, wanted in zip(shape, part.shape, strict=True):
        if length is not wanted:
            same = p.let("and", same, p.let("eq", length, wanted), type="bool")
    if same == 1:
        _fill_part(p, loop, node, shape, part)
    else:
        _fill_part_or_copy(p, loop, node, shape, part, same)
    p.values.pop(y, None)
    p.define(node.outputs[0], out)
    p.step, p.node = outer
    lowering.count_down(p, loop)
    lowering.count_down(p, last)


def _fill_part(p: Core, loop: Step, node: Apply, shape: list[Size], part: Array) -> None:
    """Have a loop over all of a part write to it."""
    y = node.inputs[1]
    if node.op.assign:
        _fill(p, loop, y, shape, part)
        return
    old = y.type()
    total = add.make_node(old, y)
    total.source = node.source
    for variable in (old, *total.outputs):
        p.rewriter.tell_shape(variable, p.rewriter.shape(y))
    added = Step(total, 0, loop.space, None, loop.weight)
    added.nodes, added.again = [*loop.nodes, total], loop.again
    p.number_of[total] = len(p.number_of)
    p.values[old] = part
    p.uses[total.outputs[0]], p.uses[y] = 1, 0
    _fill(p, added, total.outputs[0], shape, part)
    p.uses[y] = 1


def _fill(
    p: Core, loop: Step, result: object, shape: list[Size], memory: Array, eager: bool = True
) -> None:
    p.places[result] = Place(memory)
    kernel_choice.fill_loop(p, loop, shape, eager=eager)
    del p.places[result]


def _fill_part_or_copy(
    p: Core, loop: Step, node: Apply, shape: list[Size], part: Array, same: Size
) -> None:
    """As `_fill_part`, unless axes of one item are to be broadcast to the part."""
    y = node.inputs[1]
    dtype, slot = y.type.dtype, p.new_slot()
    rows = p.let("select", same, 0, shape[0])
    data = p.allocated(dtype, [rows, *shape[1:]], slot)
    memory = Array(dtype, tuple(shape), data, buffer=Buffer(slot, data))
    pattern = y.type.broadcastable
    values = views.broadcast_to(p, node, memory, part.shape, pattern, "write")
    p.strides(memory)
    p.strides(values)
    p.strides(part)

    def copy() -> None:
        _fill(p, loop, y, shape, memory, eager=False)
        copies.write_part(p, part, values, node.op.assign, eager=False)

    p.if_else(same, lambda: _fill_part(p, loop, node, shape, part), copy)
