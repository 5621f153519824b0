"""From a rewritten graph to the text of one entry function and its kernels.

The entry function holds everything that is not a loop: the arithmetic of shapes, checks, memory,
scalars, the calls of kernels and libraries, in straight-line code. Scalars stay in registers.
"""

from __future__ import annotations

from typing import Any

from theano._core.ir.graph import toposort
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Constant, Variable
from theano._core.lower import pipeline, program as ir
from theano._core.lower.arrays import Array, Object
from theano._core.lower.builder import copies, kernel_choice, likely, lowering, orders
from theano._core.lower.builder.core import Core
from theano._core.lower.builder.updates import is_scalar_expression, plan_updates
from theano._core.lower.llvm.print.printer import printed
from theano._core.lower.program_text import Output, ProgramText
from theano._core.lower.schedule import Step
from theano._core.runtime import native


def write(p: Core) -> ProgramText:
    """Return the text of a program that nothing has been written of yet."""
    for index, variable in enumerate(p.inputs):
        _input(p, index, variable)
    input_offsets = tuple(p.input_offsets)
    # Scalars of sizes are computed on demand.
    steps = lowering.steps_of(p, toposort(p.outputs, p.values), p.outputs)
    early, late = plan_updates(p, steps)
    p.steps = tuple(tuple(step.nodes) for step in (*early, *late))
    for index, step in enumerate(early):
        p.step_index = index
        p.do(ir.Step(index))
        first = len(p.block)
        lowering.write_step(p, step)
        if p.timed:
            _tick(p, index, step, p.block[first:])
    copied: ir.Block = []
    _materialise_outputs(p, copied)
    after: ir.Block = []
    if late:
        p.late = after
    for index, step in enumerate(late, len(early)):
        p.step_index = index
        p.do(ir.Step(index))
        after.append(ir.Step(index))
        first, first_after = len(p.block), len(after)
        lowering.write_step(p, step)
        if p.timed:
            written = p.block[first:] + after[first_after:]
            with p.into(after):
                _tick(p, index, step, written)
    p.late = None
    results = _results(p, copied)
    if p.in_place:
        p.do(ir.Fence())
    p.block += after + copied
    p.finish_constants()
    return _finish(p, input_offsets, results)


def _tick(p: Core, number: int, step: Step, written: ir.Block) -> None:
    from theano._core.lower.builder.step_times import tick

    tick(p, number, step, written)


def _input(p: Core, number: int, variable: Any) -> None:
    type_ = variable.type
    if not isinstance(type_, TensorType):
        offset = p.reserve(2)
        p.input_offsets.append(offset)
        p.values[variable] = Object(offset)
        return
    offset = p.reserve(2 + 2 * type_.ndim)
    p.input_offsets.append(offset)
    shape = tuple(
        1 if one else p.frame_load(offset + 2 + i) for i, one in enumerate(type_.broadcastable)
    )
    p.lengths.update(shape)
    array = Array(type_.dtype, shape, p.frame_load(offset, "ptr"), descriptor=offset)
    if type_.ndim:
        array.strides = tuple(p.frame_load(offset + 2 + type_.ndim + i) for i in range(type_.ndim))
        array.contiguous = p.has_flag(offset, native.CONTIGUOUS)
        array.broadcast_axes = frozenset()
    likely.expect_input(p, variable, array)
    p.values[variable] = array


def _materialise_outputs(p: Core, copied: ir.Block) -> None:
    """Give every result that is ready memory of its own.

    What writes numbers over old ones is added to `copied`: others may read those until then.
    """
    for out in p.outputs:
        if is_scalar_expression(out) and out in p.in_place:
            p.owned[out] = _overwriting(p, out, copied)
        elif out in p.values or isinstance(out, Constant) or is_scalar_expression(out):
            _own(p, out, None)


def _overwriting(p: Core, out: Any, copied: ir.Block) -> Array:
    value = p.register(p.value(out))
    p.node = out.owner
    array = kernel_choice.overwritten(p, out.type.dtype, (), p.in_place[out])
    with p.into(copied):
        p.store(p.pointer(array), value)
    return array


def _own(p: Core, out: Variable, copied: ir.Block | None) -> None:
    if out in p.owned:
        return
    value = p.value(out)
    p.node = out.owner
    if not isinstance(value, Object) and out not in p.in_place:
        value = _owned_array(p, orders.of_result(p, out, value), copied)
    p.owned[out] = value


def _owned_array(p: Core, value: Array, copied: ir.Block | None) -> Array:
    if value.descriptor in p.callback_arrays:
        return value
    if not value.returnable:
        return _copied(p, value, copied)
    value.buffer.kept = True  # type: ignore[union-attr]
    return value


def _copied(p: Core, value: Array, copied: ir.Block | None) -> Array:
    """Return a fresh C-contiguous copy; what writes its items is added to `copied`, if given."""
    with p.apart(copied):
        return copies.fresh_copy(p, value)


def _results(p: Core, copied: ir.Block) -> list[Output]:
    """Return where the results are; what writes those that are copies is added to `copied`."""
    results = []
    seen: set[int] = set()
    for out in p.outputs:
        _own(p, out, copied)
        value = p.owned[out]
        if isinstance(value, Object):
            results.append(Output("object", value.descriptor, -1))
            continue
        if value.descriptor in p.callback_arrays:
            p.callback_arrays.remove(value.descriptor)
            results.append(Output("array", value.descriptor, -1))
            continue
        if value.buffer is None or value.buffer.slot in seen:
            p.node = out.owner
            value = _copied(p, value, copied)
        buffer: Any = value.buffer
        buffer.kept = True
        slot = buffer.slot
        seen.add(slot)
        results.append(Output("turned" if value.whole else "buffer", p.descriptor(value), slot))
    return results


def _finish(p: Core, input_offsets: tuple[int, ...], results: list[Output]) -> ProgramText:
    slots = tuple(result.slot for result in results if result.slot >= 0)
    recorded = ir.Program(p.block, tuple(p.stacks), p.block_words, slots, kernels=tuple(p.kernels))
    program = pipeline.run(recorded, p.watch)
    return ProgramText(
        printed(program),
        program.kernels,
        p.frame_size,
        tuple(p.buffer_slots),
        input_offsets,
        tuple(p.constants),
        tuple(p.constant_offsets),
        tuple(results),
        tuple(p.callbacks),
        tuple(p.node_numbers),
        p.steps,
        program,
        tuple(p.inside),
    )
