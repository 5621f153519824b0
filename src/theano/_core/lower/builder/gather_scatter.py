"""Arrays of positions: gathering, scattering, and where extremes are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from theano._core.base.dtypes import is_uint, itemsize, typenum
from theano._core.base.records import Record
from theano._core.ir.variable import Apply
from theano._core.lower import program as ir
from theano._core.lower.arrays import Array, Size
from theano._core.lower.builder import copies, kernel_call, kernel_choice, taken_columns, views
from theano._core.lower.builder.core import Core
from theano._core.lower.kernel.expression import Emitted, Writer
from theano._core.lower.kernel.loops import KernelReduction, Loop
from theano._core.lower.llvm.kernels.addresses import Address, gathered
from theano._core.lower.llvm.kernels.items import load, store

# The axes that positions address, those taken whole, and where the axes of positions come to stand.
Place = tuple[list[int], list[int], int]


class GatherWork(Record):
    """The arguments of the runtime: `Work` of `gather.h`, and its `Positions` and `Axis`."""

    arrays: Size
    axes: Size
    itemsize: Size
    row: Size
    count: Size
    x: str
    out: str
    bounds: str


class Positions(Record):
    """An array of positions, for the runtime."""

    items: str
    type: Size
    length: Size
    stride: Size


def _index_loop(
    p: Core, node: Apply, x: Array, index: Sequence[Array], place: Place
) -> tuple[list[Size], list[tuple[Array, frozenset[int]]], Address]:
    """Return lengths, operands and address computation of a loop over array positions."""
    at, full, position = place
    shape, axis_of = _result_shape(p, node.op.indices(node), x, index[: len(at)], place)
    total = len(shape)
    operands = []
    for positions in _spread_positions(p, node, x, index, place, shape):
        placed = _placed(p, positions, total, position)
        operands.append((placed, placed.broadcast_axes))
    everywhere = frozenset(range(total))
    numbers = [
        p.let("number", p.pointer(x), type="ptr"),
        *p.strides(x),
        *x.shape,
    ]
    scalars = [(p.scalar(n), everywhere) for n in numbers]
    operands += scalars
    sizes = [p.scalar(n) for n in shape]
    operands += [(s, everywhere) for s in sizes]
    walked = tuple(zip(axis_of, full, strict=True))
    return shape, operands, Address(x.ndim, tuple(at), walked)


def _spread_positions(
    p: Core, node: Apply, x: Array, index: Sequence[Array], place: Place, shape: Sequence[Size]
) -> list[Array]:
    """Return arrays of positions, broadcast to each other, once all of them are in their axes."""
    at, _, position = place
    variables, bounds = node.op.indices(node), index[len(at) :]
    rank = variables[0].type.ndim
    wanted, spread = shape[position : position + rank], []
    for number, (positions, variable) in enumerate(zip(index, variables, strict=False)):
        axis, length = at[number], x.shape[at[number]]
        if rank:
            check_range(p, node, bounds[2 * number : 2 * number + 2], axis, length)
            pattern = variable.type.broadcastable
            positions = views.broadcast_to(p, node, positions, wanted, pattern, "index_shapes")
        else:
            views.checked_index(p, node, positions, axis, length)
        spread.append(positions)
    return spread


def _result_shape(
    p: Core, variables: Sequence[Any], x: Array, indices: Sequence[Array], place: Place
) -> tuple[list[Size], list[int]]:
    """Return the lengths of an array at positions, and its axes that are taken whole."""
    _, full, position = place
    rank = variables[0].type.ndim
    total = len(full) + rank
    axis_of = [a for a in range(total) if a < position or a >= position + rank]
    shape: list[Size] = [1] * total
    for axis, source in zip(axis_of, full, strict=True):
        shape[axis] = x.shape[source]
    for axis in range(position, position + rank):
        shape[axis] = _joint_length(
            p,
            [
                index.shape[axis - position]
                for index, variable in zip(indices, variables, strict=True)
                if not variable.type.broadcastable[axis - position]
            ],
        )
    return shape, axis_of


def _joint_length(p: Core, shape: Sequence[Size]) -> Size:
    """Return the length of an axis along which several arrays are broadcast, as in NumPy."""
    result: Size = 1
    for length in dict.fromkeys(shape):
        if isinstance(result, int):
            result = length if result == 1 else result
        elif isinstance(length, int):
            result = length if length != 1 else result
        else:
            one = p.let("eq", result, 1)
            result = p.let("select", one, length, result)
    return result


def _placed(p: Core, index: Array, total: int, position: int) -> Array:
    """Return an index array as an operand of a loop of `total` axes."""
    order: list[Any] = ["x"] * total
    for i in range(index.ndim):
        order[position + i] = i
    return views.permute(p, index, order)


def check_range(p: Core, node: Apply, bounds: Sequence[Array], axis: int, length: Size) -> None:
    """Fail if the smallest or the largest position lies outside an axis of `length`."""
    small, large = map(p.integer, bounds)
    # Of no position at all, the smallest is the highest number, and the largest the lowest.
    none = p.let("gt", small, large)
    low = p.let("ge", small, p.let("sub", 0, length))
    p.check(node, p.let("or", none, low, type="bool"), "index", (small, axis, length))
    high = p.let("lt", large, length)
    p.check(node, p.let("or", none, high, type="bool"), "index", (large, axis, length))


def gather(p: Core, node: Apply, x: Array, index: Sequence[Array], place: Place) -> Array:
    """Return the items of `x` at arrays of positions; their bounds stand behind them, or none."""
    if node.op.is_checked_after(node):
        return _taken(p, node, x, index, place)
    if _is_of_columns(node, x.ndim, place):
        return _taken_columns(p, node, x, index)
    shape, operands, address = _index_loop(p, node, x, index, place)
    out = p.new_array(x.dtype, shape)
    _, full, position = place
    last = _last_of_rows(shape, full, position + node.inputs[1].type.ndim)

    def read(b: object, index: Callable[..., object], *values: object) -> Any:
        return gathered(b, address, index, values, x.dtype, last)

    gather = Emitted("gather", (address, x.dtype, last), read)
    copies.simple_loop(p, out, shape, operands, gather.body(x.dtype), indexed=True)
    return out


def _taken(p: Core, node: Apply, x: Array, index: Sequence[Array], place: Place) -> Array:
    """Return rows of `x`, which the runtime copies as far as positions are within their axes."""
    at, full, _ = place
    variables = node.op.indices(node)
    rank = variables[0].type.ndim
    shape, _ = _result_shape(p, variables, x, index, place)
    patterns = [v.type.broadcastable for v in variables]
    spread = (
        views.broadcast_to(p, node, i, shape[:rank], pattern, "index_shapes")
        for i, pattern in zip(index, patterns, strict=True)
    )
    plain = [copies.contiguous(p, i) for i in spread]
    out = p.new_array(x.dtype, shape)
    steps, size = p.strides(x), itemsize(x.dtype)
    count, row = p.product(shape[:rank]), p.product(shape[rank:])
    bounds = p.listed((0, -1) * len(at))
    work = GatherWork(
        arrays=len(at),
        axes=len(full),
        itemsize=size,
        row=p.multiply(row, size),
        count=count,
        x=p.pointer(x),
        out=out.data,
        bounds=bounds,
    )
    words, types = [*work], kernel_call.types_of(5, len(work))
    for axis, i in zip(at, plain, strict=True):
        width = itemsize(i.dtype) * (-1 if is_uint(i.dtype) else 1)
        words += Positions(p.pointer(i), width, x.shape[axis], steps[axis])
        types += ["ptr", "int64", "int64", "int64"]
    for axis in full:
        words += x.shape[axis], steps[axis]
        types += ["int64", "int64"]
    block = kernel_call.arguments(p, words, types)
    p.do(ir.Launch("take", block, count, p.product(shape), kernel_call.POINT + 1, 1))
    for number, axis in enumerate(at):
        ends = [p.let("moved", bounds, 8 * n) for n in (2 * number, 2 * number + 1)]
        check_range(p, node, [Array("int64", (), end) for end in ends], axis, x.shape[axis])
    return out


def _is_of_columns(node: Apply, rank: int, place: Place) -> bool:
    """Tell whether one array holds positions along the last axis, the same for every row."""
    patterns = [v.type.broadcastable for v in node.op.indices(node)]
    return patterns == [(False,)] and place == ([rank - 1], [*range(rank - 1)], rank - 1)


def _taken_columns(p: Core, node: Apply, x: Array, index: Sequence[Array]) -> Array:
    """Return items of each row of `x` at the same positions, which the runtime copies."""
    positions = copies.contiguous(p, index[0])
    check_range(p, node, index[1:], x.ndim - 1, x.shape[-1])
    out = p.new_array(x.dtype, [*x.shape[:-1], positions.shape[0]])
    width = itemsize(positions.dtype) * (-1 if is_uint(positions.dtype) else 1)
    taken_columns.copy(p, x, out, width, p.pointer(positions))
    return out


def _last_of_rows(shape: Sequence[Size], full: Sequence[int], end: int) -> int:
    """Return the axis that lanes run along, if one of the array behind the positions; else -1."""
    # The last one that has a loop, being longer than 1.
    last = max((a for a, length in enumerate(shape) if length != 1), default=-1)
    return last if full and end <= last else -1


def scatter(
    p: Core,
    node: Apply,
    x: Array,
    y: Array,
    index: Sequence[Array],
    place: Place,
    assign: bool,
) -> Array:
    """Return `x` with the items at arrays of positions set to `y`, or increased by it."""
    out = copies.writable(p, node, x)
    variables, (at, full, position) = node.op.indices(node), place
    shape, axis_of = _result_shape(p, variables, out, index[: len(at)], place)
    positions = _spread_positions(p, node, out, index, place, shape)
    y, pattern = copies.led_by_axes(p, y, node.inputs[1].type.broadcastable, len(shape))
    if shape:
        y = views.broadcast_to(p, node, y, shape, pattern, "write")
    steps, moves = p.strides(out), p.strides(y)
    rank = variables[0].type.ndim
    numbers = (len(at), rank, position, len(full), typenum(x.dtype), int(not assign))
    words = [*numbers, p.pointer(out), p.pointer(y)]
    types = kernel_call.types_of(len(numbers), len(words))
    for axis, i in zip(at, positions, strict=True):
        width = itemsize(i.dtype) * (-1 if is_uint(i.dtype) else 1)
        words += Positions(p.pointer(i), width, out.shape[axis], steps[axis])
        types += ["ptr", "int64", "int64", "int64"]
    for axis, source in zip(axis_of, full, strict=True):
        words += out.shape[source], steps[source], moves[axis]
    for axis in range(rank):
        own = position + axis
        words += shape[own], moves[own], *(p.strides(i)[axis] for i in positions)
    types += ["int64"] * (len(words) - len(types))
    total = p.product(shape)
    count = p.unless_zero(total, p.product(shape[position : position + rank]))
    with p.into(copies.overwriting(p, node)):
        block = kernel_call.arguments(p, words, types)
        # Positions may repeat: in order.
        p.do(ir.Launch("put", block, count, total, kernel_call.POINT + 1, 0))
    return out


def nonzero(p: Core, x: Array) -> Array:
    """Return where items are not zero, one row per axis: they are counted, then written."""
    rank, broadcast_axes = x.ndim, x.broadcast_axes
    counted = Array("int64", (), p.stack(8))
    w = Writer([x.dtype])
    loop = Loop(
        rank,
        ((x.dtype, broadcast_axes),),
        (),
        (KernelReduction("add", 0, "int64", "int64"),),
        tuple(range(rank)),
        w.body(reductions=[w.cast(w.cast(w.operands[0], "bool"), "int64")]),
    )
    kernel_choice.run(p, loop, x.shape, [x], [], [counted])
    count = p.integer(counted)
    out = p.new_array("int64", (rank, count))
    done, aside = p.stack(8), p.stack(8)
    p.words(done, (0,))
    everywhere = frozenset(range(rank))
    addresses = [p.let("number", at, type="ptr") for at in (out.data, done, aside)]
    row = p.multiply(count, 8)
    operands = [(p.scalar(n), everywhere) for n in (*addresses, row)]

    def note(
        b: Any, index: Callable[..., object], item: Any, start: Any, done: Any, aside: Any, row: Any
    ) -> None:
        # Without branches, which would be guessed wrongly: what is zero is written aside.
        holds = b.cast(item, "bool")
        counter = b.emit(f"inttoptr i64 {done.text} to ptr")
        before = load(b, counter, "int64", 1)
        at = b.add(start, b.mul(before, 8))
        for axis in range(rank):
            where = b.select(holds, b.add(at, b.mul(row, axis)), aside)
            store(b, index(axis), b.emit(f"inttoptr i64 {where.text} to ptr"))
        store(b, b.add(before, b.cast(holds, "int64")), counter)

    source = [(x, broadcast_axes), *operands]
    place = Emitted("note place", (rank,), note)
    copies.simple_loop(
        p,
        None,
        x.shape,
        source,
        place.body(),
        indexed=True,
        sequential=True,
        lanes=1,
    )
    return out
