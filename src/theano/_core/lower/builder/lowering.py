"""Steps of a program: nodes, or fused groups, and the memory of what they need."""

from __future__ import annotations

from collections.abc import Sequence

from theano._core.ir.variable import Apply
from theano._core.lower.arrays import Array
from theano._core.lower.builder import kernel_choice, pieces
from theano._core.lower.builder.core import Core
from theano._core.lower.computed_again import step_inputs
from theano._core.lower.gathers import Gathered, join_gathers
from theano._core.lower.joined import Joined
from theano._core.lower.kernel.expression import Value, Writer
from theano._core.lower.live_values import last_readers_first
from theano._core.lower.made_in_place import make_in_place
from theano._core.lower.matrix_passes import in_matrix_passes
from theano._core.lower.program import size_of
from theano._core.lower.row_blocks import in_row_blocks
from theano._core.lower.schedule import Step, group, loop_space, single
from theano._core.lower.siblings import join_siblings
from theano._core.lower.written_parts import in_written_parts
from theano._core.ops.array.shaping import Length
from theano._core.ops.elementwise.elementwise import Elementwise

# Functions that a program has, by operation: of truth values and of integers of 64 bits, and of
# these only, since truth values are numbers of one bit.
_OF_BITS = {"eq": "eq", "neq": "ne", "and_": "and", "or_": "or", "xor": "xor", "switch": "select"}
_OF_INTEGERS = _OF_BITS | {
    name: name for name in ("add", "sub", "mul", "minimum", "maximum", "lt", "le", "gt", "ge")
}


def steps_of(p: Core, nodes: Sequence[Apply], outputs: Sequence[object]) -> list[Step]:
    """Return the steps that `nodes` of the program, or of a body in it, are done in."""
    nodes = last_readers_first(nodes)
    p.number_of |= {node: i for i, node in enumerate(nodes, len(p.number_of))}
    steps = group(nodes, p.equal_lengths, p.fuse)
    # New values of shared variables may be written in place only where nothing else waits.
    updated = frozenset(p.outputs[len(p.outputs) - len(p.updates) :])
    if p.fuse:
        steps = join_siblings(steps, updated)
        if p.region is None:
            steps = join_gathers(steps, p.equal_lengths, updated)
    _count_uses(p, steps, outputs)
    kernel_choice.find_equal_loops(p, steps)
    if p.fuse:
        # In loops, matrices that stay the same are packed before.
        steps = in_row_blocks(steps, p.equal_lengths, p.uses, updated, p.region is None)
        if p.region is None:
            steps = in_matrix_passes(steps, p.uses, updated)
        steps = pieces.read_in_pieces(p, steps)
        steps = in_written_parts(steps, p.uses, updated, p.region is not None)
        if p.region is None:
            steps = make_in_place(steps, p.uses, updated)
    return steps


def _count_uses(p: Core, steps: Sequence[Step], outputs: Sequence[object]) -> None:
    """Count how many steps read each variable; results are read once more."""
    for step in steps:
        for variable in step_inputs(step):
            p.uses[variable] = p.uses.get(variable, 0) + 1
    for out in outputs:
        p.uses[out] = p.uses.get(out, 0) + 1


def write_step(p: Core, step: Step) -> None:
    """Write a step."""
    if isinstance(step, Joined):
        p.write_joined(step)
        return
    outer, p.step = p.step, step
    called = len(p.callbacks)
    if isinstance(step, Gathered):
        from theano._core.lower.builder import gathered_loop

        gathered_loop.write(p, step)
    elif step.is_loop:
        kernel_choice.write_loop(p, step)
    elif step.nodes[0].outputs[0] not in p.values:
        emit_node(p, step.nodes[0])
    p.step = outer
    count_down(p, step)
    if outer is None and len(p.callbacks) > called:
        _see_cells(p)


def _see_cells(p: Core) -> None:
    """Go on with what a call of Python may have stored in variables that the program updates."""
    for number in p.updates:
        value = p.values[p.inputs[number]]
        if isinstance(value, Array):
            value.data, value.register = p.frame_load(p.input_offsets[number], "ptr"), None


def count_down(p: Core, step: Step) -> None:
    """Count what a step has read for the last time, and results that nothing reads."""
    read = step_inputs(step)
    for variable in read:
        p.uses[variable] -= 1
    for variable in (*read, *(out for node in step.nodes for out in node.outputs)):
        buffer = getattr(p.values.get(variable), "buffer", None)
        if buffer is not None and not p.uses.get(variable):
            buffer.users -= 1


def emit_node(p: Core, node: Apply) -> None:
    """Write one node."""
    before, p.node = p.node, node
    _emit(p, node)
    p.node = before


def _emit(p: Core, node: Apply) -> None:
    op = node.op
    if loop_space(node, p.equal_lengths.space) is not None:
        _write_alone(p, node)
        return
    if isinstance(op, Elementwise) and op.native is not None:
        p.define(node.outputs[0], _inline(p, node))
        return
    if isinstance(op, Length) and node.inputs[0] not in p.values:
        # Of a copy that only lengths are made of: what it is made of has them.
        length = p.rewriter.shape(node.inputs[0])[op.axis]
        if length is not node.outputs[0]:
            p.define(node.outputs[0], p.scalar(p.size(length)))
            return
    result = node.rules.emit(p, node, *map(p.value, node.inputs))
    results = list(result) if isinstance(result, (list, tuple)) else [result]
    for out, value in zip(node.outputs, results, strict=True):
        p.define(out, value)


def _write_alone(p: Core, node: Apply) -> None:
    """Write the loop of an array that is in no step: only a length is made of it."""
    (out,) = node.outputs
    p.number_of.setdefault(node, len(p.number_of))
    p.uses[out] = p.uses.get(out, 0) + 1
    step = single(node, p.equal_lengths, {})
    kernel_choice.write_loop(p, step)


def _inline(p: Core, node: Apply) -> Array:
    """Write a scalar function in the program itself."""
    casts, dtype = node.op.dtype(*(v.type.dtype for v in node.inputs))
    values = [p.register(p.value(v)) for v in node.inputs]
    functions = {"int64": _OF_INTEGERS, "bool": _OF_BITS}.get(casts[-1], {})
    if node.op.name in functions and set(casts) <= {"int64", "bool"}:
        sizes = [size_of(p.cast(v, d)) for v, d in zip(values, casts, strict=True)]
        return p.scalar(p.let(functions[node.op.name], *sizes, type=casts[-1]), dtype)

    def body(w: Writer, *values: Value) -> Value:
        args = [w.cast(v, d) for v, d in zip(values, casts, strict=True)]
        return w.call(node.op, *args, dtype=dtype)

    return Array(dtype, (), register=p.compute(body, *values))
