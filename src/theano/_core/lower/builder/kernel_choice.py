"""Loops of a program: their operands and results, and the choice of their kernels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from theano._core.base.dtypes import itemsize
from theano._core.base.records import Record
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.lower.arrays import Array, Buffer, Size
from theano._core.lower.builder import (
    kernel_call,
    laid_out,
    layouts,
    orders,
    pieces,
    short_rows,
    tiled_rows,
)
from theano._core.lower.builder.core import Core, truth
from theano._core.lower.builder.likely import likely_call
from theano._core.lower.builder.parted_loops import parted
from theano._core.lower.computed_again import computed
from theano._core.lower.faults import EXTREMES
from theano._core.lower.kernel.expression import Body, Operation, without_numbers
from theano._core.lower.kernel.loops import KernelReduction, Loop
from theano._core.lower.llvm.kernels import rows_at_once as at_once
from theano._core.lower.llvm.kernels.flat_columns import is_flat
from theano._core.lower.llvm.kernels.fused_body import group_body
from theano._core.lower.llvm.kernels.lanes import choose_lanes
from theano._core.lower.llvm.print.calls import Call, Kernel
from theano._core.lower.schedule import Step
from theano._core.ops.array.creation import Join
from theano._core.ops.array.reductions import STARTS, Reduction
from theano._core.ops.elementwise.elementwise import Elementwise
from theano._core.runtime import native

# So many loops that are equal but for numbers share a kernel.
MANY = 32


class Group(Record):
    """The nodes of a fused step, and what they compute at a point.

    `numbers` are read behind the `operands`.
    """

    nodes: list[Apply]
    operands: list[Any]
    stored: list[Any]
    reductions: list[Apply]
    body: Body
    numbers: Sequence[Operation] = ()


def find_equal_loops(p: Core, steps: Sequence[Step]) -> None:
    """Have loops read their numbers where many of them are equal but for these: one kernel then.

    In a kernel of its own a number costs nothing, but a kernel costs milliseconds of LLVM.
    """
    loops = [step for step in steps if step.is_loop]
    if len(loops) < MANY:
        return
    p.groups |= {step: _group(p, step) for step in loops}
    plain = {step: without_numbers(p.groups[step].body) for step in loops}
    different: dict[Body, set[Body]] = {}
    for step, (body, _) in plain.items():
        different.setdefault(body, set()).add(p.groups[step].body)
    for step, (body, numbers) in plain.items():
        if len(different[body]) >= MANY:
            p.groups[step] = p.groups[step].replace(body=body, numbers=numbers)


def _group(p: Core, step: Step) -> Group:
    # Joins are read part by part.
    every = (node for node in computed(step) if not isinstance(node.op, Join))
    nodes = sorted(every, key=lambda n: p.number_of[n])
    own = set(nodes)
    operands: dict[Any, None] = {}
    for node in nodes:
        for variable in node.inputs:
            if variable.owner not in own and not is_number(variable):
                operands.setdefault(variable)
    made = [n for n in nodes if isinstance(n.op, Elementwise) and n not in step.again]
    stored = [n.outputs[0] for n in made if _leaves(p, n, own)]
    reductions = [n for n in nodes if not isinstance(n.op, Elementwise)]
    body = group_body(nodes, list(operands), stored, reductions)
    return Group(nodes, list(operands), stored, reductions, body)


def write_loop(p: Core, step: Step) -> None:
    """Write a fused step."""
    fill_loop(p, step, check_loop(p, step))


def check_loop(p: Core, step: Step) -> list[Size]:
    """Check what a fused step reads; return the shape of its loop."""
    own = [node for node in (p.groups.get(step) or _group(p, step)).nodes if node not in step.again]
    for node in step.again:
        if isinstance(node.op, Join) and node.outputs[0] not in p.values:
            pieces.check(p, node)
    for node in own:
        if isinstance(node.op, Elementwise):
            p.check_operands(node)
    example = own[0]
    shaped = example.outputs[0] if isinstance(example.op, Elementwise) else example.inputs[0]
    shape = loop_shape(p, shaped)
    for node in own:
        if isinstance(node.op, Reduction) and node.op.reducer.identity is None:
            check_not_empty(p, node, shape, node.op.axes(len(shape)))
    return shape


def ready_operands(p: Core, step: Step) -> None:
    """Have addresses and strides of what a step reads known before branches that need them."""
    nodes = computed(step)
    own = set(nodes)
    for variable in dict.fromkeys(v for node in nodes for v in node.inputs):
        if variable.owner not in own and not is_number(variable):
            array = p.value(variable)
            p.pointer(array)
            p.strides(array)


def fill_loop(
    p: Core,
    step: Step,
    shape: Sequence[Size],
    in_part: bool = False,
    launch: Callable[[dict[Any, Array], Call, str], None] | None = None,
    eager: bool = True,
) -> None:
    """Write the loop of a fused step over a shape, `in_part` of all its points.

    What has its kernel run in another way, `launch`, is given what is stored, the call and the
    address of its arguments. `eager`: a kernel is compiled with the program.
    """
    nodes, operands, stored, reductions, body, numbers = p.groups.get(step) or _group(p, step)
    reduced = tuple(reductions[0].op.axes(len(shape))) if reductions else ()
    joined = {} if in_part else _read_in_pieces(p, step)
    arrays: list[Any] = [joined[v] if v in joined else p.value(v) for v in operands]
    everywhere = frozenset(range(len(shape)))
    p.node = next(node for node in nodes if node not in step.again)
    loop = Loop(
        len(shape),
        (
            *(
                (v.type.dtype, frozenset() if v in joined else broadcast_axes_of(v, a))
                for v, a in zip(operands, arrays, strict=True)
            ),
            *((number.dtype, everywhere) for number in numbers),
        ),
        tuple(v.type.dtype for v in stored),
        tuple(reduction_of(p, n) for n in reductions),
        reduced,
        body,
    )
    taken: set[Any] = set()
    outs = [store_array(p, v, shape, operands, taken) for v in stored]
    alone = p.region is None and p.late is None and not (reductions or joined)
    if alone and any(a.contiguous is False for a in arrays):
        arrays = laid_out.side_by_side(p, loop, arrays, outs)
        arrays = laid_out.turned_planes(p, loop, arrays, outs)
    kept = [n for axis, n in enumerate(shape) if axis not in reduced]
    reduction_outs = [p.memory_for(node.outputs[0], kept) for node in reductions]
    arrays += [p.pooled(number.dtype, number.parameter) for number in numbers]
    whole = not numbers and not in_part
    turned = None
    if joined:
        pieces.run(p, partial(run, p, loop, row=shape[-1]), shape, arrays, outs)
    else:
        turned = orders.order_of_results(p, loop, operands, arrays, stored) if whole else None
        with p.apart(p.late):
            own = launch and partial(launch, dict(zip(stored, outs, strict=True)))
            arguments = p, shape, arrays, outs, reduction_outs
            whole_loop = partial(
                run, p, loop, *arguments[1:], turned=turned, launch=own, eager=eager
            )
            parts = parted(p, loop, shape, arrays) if whole and own is None else None
            if parts is None:
                whole_loop()
            else:
                p.if_else(parts.condition, partial(parts.run, run, *arguments), whole_loop)
    if turned is not None:
        outs = [orders.ordered(p, out, turned) for out in outs]
    for variable, array in zip(stored, outs, strict=True):
        p.define(variable, array)
    for node, array in zip(reductions, reduction_outs, strict=True):
        p.define(node.outputs[0], array)


def _read_in_pieces(p: Core, step: Step) -> dict[Any, Apply]:
    """Return the joins that a step reads part by part; others are made."""
    joined = {}
    for node in step.again:
        out = node.outputs[0]
        if not isinstance(node.op, Join) or out in p.values:
            continue
        if p.late is None:
            joined[out] = node
        else:
            p.emit_node(node)
    return joined


def loop_shape(p: Core, variable: Variable) -> list[Size]:
    """Return the shape of the loop that makes a variable."""
    return [_loop_length(p, n) for n in p.rewriter.shape(variable)]


def _loop_length(p: Core, length: Variable | int) -> Size:
    """Return a length as a size: a number if an equal one is known."""
    # Any other length that is equal may belong to a value that does not exist yet.
    representative = p.equal_lengths.find(length)
    return representative if isinstance(representative, int) else p.size(length)


def _leaves(p: Core, node: Apply, own: set[Apply]) -> bool:
    """Tell whether something outside a group needs the output of one of its nodes."""
    return p.uses.get(node.outputs[0], 0) > 0


def check_not_empty(p: Core, node: Apply, shape: Sequence[Size], reduced: Sequence[int]) -> None:
    count = p.product([shape[a] for a in reduced])
    p.check_least(node, count, 1, "empty_reduction", (EXTREMES.index(node.op.kind),))


def store_array(
    p: Core,
    variable: Variable,
    shape: Sequence[Size],
    operands: Sequence[Variable],
    taken: set[Variable],
) -> Array:
    """Return memory for a result: that of a shared variable or of a dying operand, or other.

    Other results of the loop have `taken` the memory of some operands.
    """
    target = p.in_place.get(variable)
    if target is not None:
        return overwritten(p, variable.type.dtype, shape, target)
    for operand in operands if p.row_of(variable) is None else ():
        array: Any = p.values.get(operand)
        if (
            p.uses.get(operand) == 1
            and array is not None
            and array.alone
            and itemsize(array.dtype) == itemsize(variable.type.dtype)
            and operand.type.broadcastable == variable.type.broadcastable
            and operand not in taken
        ):
            taken.add(operand)
            return Array(variable.type.dtype, tuple(shape), array.data, buffer=array.buffer)
    return p.memory_for(variable, shape)


def overwritten(p: Core, dtype: str, shape: Sequence[Size], target: Variable) -> Array:
    """Return the memory of an input if it may be overwritten, else new memory.

    The choice is made at run time: the input may be read-only, or not contiguous, or have
    other lengths than its new value.
    """
    array = p.values[target]
    slot = p.new_slot()
    allowed = p.has_flag(array.descriptor, native.OVERWRITABLE)
    for own, new in zip(array.shape, shape, strict=True):
        if own != new:
            allowed = p.let("and", allowed, p.let("eq", own, new), type="bool")
    (chosen,) = p.if_else(
        allowed, lambda: (array.data,), lambda: (p.allocated(dtype, shape, slot),), ("ptr",)
    )
    return Array(dtype, tuple(shape), chosen, buffer=Buffer(slot, chosen, kept=True))


def run(
    p: Core,
    loop: Loop,
    shape: Sequence[Size],
    arrays: Sequence[Array],
    outs: Sequence[Array],
    reduction_outs: Sequence[Array],
    indexed: bool = False,
    sequential: bool = False,
    lanes: int = 0,
    turned: orders.Order | None = None,
    row: Size = 0,
    launch: Callable[[Call, str], None] | None = None,
    eager: bool = True,
) -> None:
    """Write a loop: what may fail of it, and then, where memory may be written, its call.

    Parameters
    ----------
    indexed : bool
        The body uses positions: axes are not collapsed.
    sequential : bool
        Points must run in order, in one thread.
    lanes : int
        Items of a vector; 0: chosen from the dtypes.
    turned : Order or None
        Another order than that of rows, in which all data may lie.
    row : int or str
        The length of the rows that the loop runs over a piece of, if not over all of them.
    launch : function or None
        What has the kernel run, given its call and the address of its arguments.
    eager : bool
        Whether the kernel that probably runs is compiled with the program.
    """
    every = [*arrays, *outs, *reduction_outs]
    flag, name = layouts.all_contiguous(p, every), "packed"
    if flag is False and not indexed:
        moving = [s for _, s in loop.operands] + [frozenset()] * (len(every) - len(arrays))
        flag, name = layouts.all_side_by_side(p, loop.rank, shape, every, moving), "rows"
    elif isinstance(flag, str) and turned and len(orders.packed_axes(loop, turned.axes)) == 1:
        flag, turned = truth(p.let("or", flag, turned.holds, type="bool")), None
    freely = not (indexed or sequential or lanes)
    lanes = lanes or choose_lanes(loop, p.vector_bits)
    list(map(p.pointer, every))
    total = _points(p, loop, shape, bool(outs))
    calls = [
        kernel_call.prepare_call(p, kernel, shape, total, sequential)
        for kernel in layouts.kernels_of(p, loop, shape, flag, name, lanes, indexed, every)
    ]
    for one in calls if freely else ():
        layouts.join_last_axes(p, one, every)
    kernel_call.ready_layouts(p, flag, calls, eager)
    in_order = [] if turned is None else [_packed_variant(p, loop, shape, total, lanes, turned)]
    tiling = tiled_rows.plan(p, calls[0], flag) if freely else None
    narrow, variants = _for_short_rows(p, calls, shape, flag, freely, row, arrays, outs)
    if eager:
        ahead = likely_call(p, calls, flag, narrow, variants) if tiling is None else calls[0]
        kernel_call.compile_ahead(p, ahead)
    if any((*narrow.values(), *variants.values())) or flag is not True or name == "rows":
        # Known before the branches in which they are needed.
        list(map(p.strides, every))
    partials = kernel_call.partials_of(p, calls)

    def call(chosen: Call, arrays: Sequence[Array] = arrays) -> None:
        kernel_call.call_kernel(p, chosen, arrays, outs, reduction_outs, partials, launch)

    def best(chosen: Call) -> None:
        if tiling is not None and chosen is calls[0]:
            p.if_else(
                tiling.condition,
                partial(tiled_rows.call_tiled, p, tiling, chosen, arrays, outs),
                lambda: call(chosen),
            )
        else:
            _by_lengths(p, chosen, narrow[chosen], variants[chosen], call)

    by_rows = partial(p.if_else, flag, lambda: best(calls[0]), lambda: best(calls[-1]))
    with p.into(p.calls):
        p.if_else(turned.holds if turned else False, lambda: call(in_order[0]), by_rows)


def _for_short_rows(
    p: Core,
    calls: Sequence[Call],
    shape: Sequence[Size],
    flag: bool | str,
    freely: bool,
    row: Size,
    arrays: Sequence[Array],
    outs: Sequence[Array],
) -> tuple[dict[Call, tuple[Size, Call] | None], dict[Call, list[Any]]]:
    """Return the calls whose vectors run over rows, and other ways to run each kernel."""
    others = {c: orders.reduces_by_columns(p, c, shape, arrays) if freely else [] for c in calls}
    flat = _flat(p, calls[0], flag, shape, arrays) if freely else []
    alone = bool(flat) and len(calls[0].layout) == 2
    narrow = {
        c: short_rows.many_short_rows(p, c, shape, flag, freely, row, arrays, outs)
        for c in calls
        if not alone or c is not calls[0]
    }
    if alone:
        return {**narrow, calls[0]: None}, {**others, calls[0]: flat}
    variants = _laid_out(p, calls[0], narrow[calls[0]], flag, shape, arrays, outs, freely)
    many = short_rows.many_small_matrices(p, calls[0], shape, flag, arrays) if freely else []
    columns = _flat_columns(p, calls[0], flag, shape, arrays) if freely else []
    several = _rows_at_once(p, calls[0], flag, shape, arrays) if freely else []
    first = [*others[calls[0]], *variants, *many, *columns, *flat, *several]
    return narrow, {**others, calls[0]: first}


def _by_lengths(
    p: Core,
    chosen: Call,
    narrow: tuple[Size, Call] | None,
    variants: Sequence[Any],
    call: Callable[..., object],
) -> None:
    """Write the call of a kernel, or of another one that suits the lengths better."""
    short, other = narrow or (True, chosen)
    write = partial(p.if_else, short, partial(call, other), partial(call, chosen))
    for one in variants:
        write = partial(p.if_else, one.condition, partial(call, one.call, one.arrays), write)
    write()


def _flat(
    p: Core, call: Call, flag: bool | str, shape: Sequence[Size], arrays: Sequence[Array]
) -> list[Any]:
    """Return how a packed kernel walks short rows as one, if it may: see `flat_rows.py`."""
    kernel, axes = call.kernel, [group[0] for group in call.layout][-2:]
    if kernel.layout != "packed" or kernel.loop.reductions or len(axes) != 2:
        return []
    # One row for all is repeated instead: see `tiled_rows.py`.
    if not any(axes[1] in fixed and axes[0] not in fixed for _, fixed in kernel.loop.operands):
        return []
    variant = laid_out.flat(p, call, flag, shape, arrays)
    return [] if variant is None else [variant]


def _flat_columns(
    p: Core, call: Call, flag: bool | str, shape: Sequence[Size], arrays: Sequence[Array]
) -> list[Any]:
    """Return how a packed kernel reduces many short rows, if it may: see `flat_columns.py`."""
    if call.kernel.layout != "packed" or not is_flat(call.kernel.loop, call.layout):
        return []
    variant = laid_out.flat_columns(p, call, flag, shape, arrays)
    return [] if variant is None else [variant]


def _rows_at_once(
    p: Core, call: Call, flag: bool | str, shape: Sequence[Size], arrays: Sequence[Array]
) -> list[Any]:
    """Return how a kernel reduces several rows at once, if it may: see `rows_at_once.py`."""
    kernel, reduced = call.kernel, [group[0] in call.kernel.loop.reduced for group in call.layout]
    if kernel.layout == "strided" or reduced[-2:] != [False, True] or sum(reduced) > 1:
        return []
    if not at_once.suits(kernel.loop, p.vector_bits):
        return []
    variant = laid_out.several_rows(p, call, flag, shape, arrays)
    return [] if variant is None else [variant]


def _laid_out(
    p: Core,
    call: Call,
    narrow: tuple[Size, Call] | None,
    flag: bool | str,
    shape: Sequence[Size],
    arrays: Sequence[Array],
    outs: Sequence[Array],
    freely: bool,
) -> list[Any]:
    """Return other ways to run the first kernel of a loop of many axes, if there may be any."""
    # What copies may fail, which nothing may any more below a fence.
    layout = call.kernel.layout
    if not freely or p.late is not None or layout == "strided" or len(call.layout) < 3:
        return []
    variants = [laid_out.together(p, call, flag, shape, arrays, outs)]
    if narrow is not None and layout == "packed":
        variants.append(laid_out.across(p, narrow[1], narrow[0], shape, arrays))
    return [one for one in variants if one is not None]


def _packed_variant(
    p: Core, loop: Loop, shape: Sequence[Size], total: Size, lanes: int, order: orders.Order
) -> Call:
    """Return the call of the packed kernel of a loop, which is compiled where `flag` holds."""
    axes = orders.packed_axes(loop, order.axes)
    whole = Kernel(loop, axes, "packed", lanes, p.vector_bits)
    call = kernel_call.prepare_call(p, whole, shape, total, False)
    kernel_call.ready_variant(p, order.holds, call)
    return call


def _points(p: Core, loop: Loop, shape: Sequence[Size], stores: bool) -> Size:
    """Return how many points a loop has, after checking that they can be walked through."""
    total = p.product(shape)
    if loop.rank > 1 and not stores and all(broadcast_axes for _, broadcast_axes in loop.operands):
        # Nothing is there for every point, whose size would have been looked at.
        p.check_size(p.node, p.multiply(total, 8), "too_large", shape)
    return total


def reduction_of(p: Core, node: Apply) -> KernelReduction:
    """Return what a reduction does, for the kernel."""
    op: Reduction = node.op
    acc, out = op.types(node.inputs[0].type.dtype)
    reducer = op.reducer
    start = STARTS[op.kind](acc) if reducer.identity is None else reducer.identity(acc)
    return KernelReduction(reducer.combine, start, acc, out)


def is_number(variable: Variable) -> bool:
    """Tell whether a variable is a constant of one item, which bodies of loops hold."""
    return isinstance(variable, Constant) and variable.data.size == 1


def broadcast_axes_of(variable: Variable, array: Array) -> frozenset[int]:
    """Return the axes along which the one item of an array stands for all."""
    return (
        frozenset(i for i, one in enumerate(variable.type.broadcastable) if one)
        | array.broadcast_axes
    )
