"""Copies, arrays made from positions, and parts of arrays written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from theano._core.base import dtypes
from theano._core.ir.variable import Apply, Variable
from theano._core.lower import program as ir
from theano._core.lower.arrays import Array, Size
from theano._core.lower.builder import kernel_choice, strided_copies, views
from theano._core.lower.builder.core import Core
from theano._core.lower.kernel.expression import Value, Writer
from theano._core.lower.kernel.loops import Loop

# What is repeated one after the other, and all its copies: longer ones are rows of a kernel.
FEW_BYTES, FEW_COPIED = 32, 128


def reshape(p: Core, node: Apply, x: Array, vector: Array, ndim: int) -> Array:
    """Return `x` with other lengths: a view of contiguous data, else a copy."""
    views.require_rank(p, node, vector, ndim)
    wanted = views.integers(p, vector, ndim)
    total = p.product(x.shape)
    shape = _without_unknown(p, wanted, total)
    new_total = p.product(shape)
    p.check_equal(node, total, new_total, "reshape", (total, *wanted))
    for length in shape:
        p.check_least(node, length, 0, "reshape", (total, *wanted))
    pattern = node.outputs[0].type.broadcastable
    shape = [1 if one else n for one, n in zip(pattern, shape, strict=True)]
    source = contiguous(p, x)
    return Array(x.dtype, tuple(shape), p.pointer(source), buffer=source.buffer)


def _without_unknown(p: Core, wanted: Sequence[Size], total: Size) -> list[Size]:
    """Return lengths with the -1 among them worked out."""
    unknown = [p.let("eq", n, -1) for n in wanted]
    if not any(unknown):
        return list(wanted)
    pairs = list(zip(unknown, wanted, strict=True))
    product = p.product([p.let("select", flag, 1, n) for flag, n in pairs])
    # Nothing can be worked out beside a length of 0, nor two lengths: it is no length then.
    none = p.let("eq", product, 0)
    rest = p.let("sdiv", total, p.let("select", none, 1, product))
    wrong = p.let("or", none, _more_than_one(p, unknown), type="bool")
    rest = p.let("select", wrong, -1, rest)
    return [p.let("select", flag, rest, n) for flag, n in pairs]


def _more_than_one(p: Core, flags: Sequence[Size]) -> Size:
    """Tell whether several of some conditions hold."""
    one: Size = 0
    two: Size = 0
    for flag in flags:
        two = p.let("or", two, p.let("and", one, flag, type="bool"), type="bool")
        one = p.let("or", one, flag, type="bool")
    return two


def contiguous(p: Core, x: Array) -> Array:
    """Return `x` in C order: itself, or a copy."""
    if x.broadcast_axes or x.contiguous is False:
        return fresh_copy(p, x)
    return x if x.contiguous is True else contiguous_at_run_time(p, x)


def contiguous_at_run_time(p: Core, x: Array) -> Array:
    """Return `x` if it turns out to be contiguous, else a copy."""
    slot = p.new_slot()
    # Known before the branch that needs it.
    p.pointer(x)

    def copy() -> tuple[str]:
        data = p.allocated(x.dtype, x.shape, slot)
        strided_copies.copy(p, x, Array(x.dtype, x.shape, data))
        return (data,)

    assert isinstance(x.contiguous, str)
    (chosen,) = p.if_else(x.contiguous, lambda: (p.pointer(x),), copy, ("ptr",))
    return Array(x.dtype, x.shape, chosen, buffer=x.buffer)


def simple_loop(
    p: Core,
    out: Array | None,
    shape: Sequence[Size],
    operands: Sequence[tuple[Array, frozenset[int]]],
    body: Callable[..., Any],
    indexed: bool = False,
    sequential: bool = False,
    lanes: int = 0,
    eager: bool = True,
) -> None:
    """Write a loop that stores one value per point (none if `out` is None).

    `body(w, *operands)` gives the value; see `Writer`. Its kernel is compiled with the program if
    `eager`, else when it is needed.
    """
    w = Writer([a.dtype for a, _ in operands])
    value = body(w, *w.operands)
    loop = Loop(
        len(shape),
        tuple((a.dtype, broadcast_axes) for a, broadcast_axes in operands),
        () if out is None else (out.dtype,),
        (),
        (),
        w.body([] if out is None else [value]),
    )
    outs = [] if out is None else [out]
    arrays = [a for a, _ in operands]
    kernel_choice.run(p, loop, shape, arrays, outs, [], indexed, sequential, lanes, eager=eager)


def copy_into(p: Core, source: Array, target: Array, eager: bool = True) -> None:
    """Copy an array to memory of the same lengths that it does not overlap; see `simple_loop`."""
    if source.broadcast_axes or (source.contiguous is True and target.contiguous is True):
        operands = [(source, _all_broadcast(source))]
        simple_loop(p, target, target.shape, operands, lambda w, x: x, eager=eager)
    else:
        strided_copies.copy(p, source, target)


def fresh_copy(p: Core, x: Array) -> Array:
    """Return a contiguous copy in memory of its own."""
    out = p.new_array(x.dtype, x.shape)
    if x.ndim:
        short = _repeats_few_bytes(p, x) if p.calls is None else 0
        p.if_else(short, partial(strided_copies.copy, p, x, out), partial(copy_into, p, x, out))
    else:
        value = p.register(x)
        with p.into(p.calls):
            p.store(out.data, value)
    return out


def _repeats_few_bytes(p: Core, x: Array) -> Size:
    """Tell whether what is repeated one after the other is shorter than a vector of a kernel."""
    axis = max(x.broadcast_axes, default=0)
    if axis == 0:
        return 0
    size = p.multiply(p.product(x.shape[axis + 1 :]), dtypes.itemsize(x.dtype))
    several = p.let("gt", x.shape[axis], 1)
    short = p.let("le", size, FEW_BYTES)
    few = p.let("le", p.multiply(x.shape[axis], size), FEW_COPIED)
    return p.let("and", several, p.let("and", short, few, type="bool"), type="bool")


def apart_from_arguments(p: Core, x: object) -> object:
    """Return a value in memory that is no argument's: itself, or a copy."""
    if not isinstance(x, Array) or x.buffer is not None or not x.data:
        return x
    return fresh_copy(p, x)


def generate(p: Core, node: Apply, operands: Sequence[Array], body: Callable[..., Any]) -> Array:
    """Return an array computed from positions: `body(w, *scalars)`; see `Writer`."""
    variable = node.outputs[0]
    shape = [p.size(n) for n in p.rewriter.shape(variable)]
    views.check_shape(p, node, shape)
    out = p.new_array(variable.type.dtype, shape)
    everywhere = frozenset(range(len(shape)))
    simple_loop(p, out, shape, [(a, everywhere) for a in operands], body, indexed=True)
    return out


def arithmetic_sequence(p: Core, node: Apply, dtype: str, start: Array, step: Array) -> Array:
    """Return the numbers of a range, with the bits that NumPy gives them.

    It computes the first two numbers, and goes on by their difference.
    """
    discrete = all(dtypes.is_discrete(v.type.dtype) for v in node.inputs)
    wide = "int64" if discrete else "float64"
    work = "int64" if dtypes.is_discrete(dtype) else "float32" if dtype == "float16" else dtype

    def second(w: Writer, start: Value, step: Value) -> Value:
        return w.cast(w.cast(w.add(w.cast(start, wide), w.cast(step, wide)), dtype), work)

    one, two = p.register(start), p.register(step)
    first = p.cast(p.cast(p.cast(one, wide), dtype), work)
    last = p.compute(second, one, two)
    values = (first, p.compute(lambda w, x, y: w.sub(y, x), first, last), last)

    def body(w: Writer, first: Value, by: Value, second: Value) -> Value:
        at = w.index(0)
        item = w.add(first, w.mul(w.cast(at, work), by))
        if not dtypes.is_discrete(dtype):
            item = w.select(w.eq(at, 1), second, item)
            # Not 0 times the difference, which may be infinite.
            item = w.select(w.eq(at, 0), first, item)
        return w.cast(item, dtype)

    return generate(p, node, [Array(work, (), register=v) for v in values], body)


def cast_scalar(p: Core, array: Array, dtype: str) -> Array:
    """Return a scalar converted to `dtype`."""
    return Array(dtype, (), register=p.cast(p.register(array), dtype))


def overwritten_by(p: Core, x: Array, shape: Sequence[Size], target: Variable) -> Array:
    """Return the values of `x` in the memory of an input if it may be overwritten, else in new.

    Where `x` is that input, nothing is copied.
    """
    out = kernel_choice.overwritten(p, x.dtype, shape, target)
    same = p.let("eq", out.data, p.pointer(x), type="ptr")
    p.if_else(same, None, lambda: strided_copies.copy(p, x, out))
    return out


def overwriting(p: Core, node: Apply) -> ir.Block | None:
    """Return where what changes memory goes: after all that may fail if others can see it."""
    return p.late if node.outputs[0] in p.in_place else None


def write_slice(
    p: Core, node: Apply, x: Array, y: Array, entries: Sequence[object], assign: bool
) -> Array:
    """Return `x` with a slice set to `y`, or increased by it."""
    out = writable(p, node, x)
    _write(p, node, views.basic_slice(p, node, out, entries), y, assign)
    return out


def write_diagonal(
    p: Core, node: Apply, x: Array, y: Array, count: Array, starts: Sequence[int], assign: bool
) -> Array:
    """Return `x` with a diagonal of its first axes set to `y`, or increased by it."""
    out = writable(p, node, x)
    _write(p, node, views.diagonal(p, node, out, count, starts), y, assign)
    return out


def _write(p: Core, node: Apply, part: Array, y: Array, assign: bool) -> None:
    part.buffer = None
    if part.ndim:
        y, pattern = led_by_axes(p, y, node.inputs[1].type.broadcastable, part.ndim)
        y = views.broadcast_to(p, node, y, part.shape, pattern, "write")
    if part.ndim == 0:
        value = p.register(y)
        with p.into(overwriting(p, node)):
            if not assign:
                value = p.compute(lambda w, x, y: w.add(x, y), p.load(part.data, part.dtype), value)
            p.store(part.data, value)
        return
    with p.apart(overwriting(p, node)):
        write_part(p, part, y, assign)


def write_part(p: Core, part: Array, y: Array, assign: bool, eager: bool = True) -> None:
    """Set a part of an array to `y`, or increase it by that."""
    old = [] if assign else [(part, frozenset[int]())]
    operands = [*old, (y, y.broadcast_axes)]

    def body(w: Writer, *values: Value) -> Value:
        return values[0] if assign else w.add(*values)

    simple_loop(p, part, part.shape, operands, body, eager=eager)


def led_by_axes(
    p: Core, x: Array, pattern: tuple[bool, ...], rank: int
) -> tuple[Array, tuple[bool, ...]]:
    """Return `x` with new axes in front up to `rank`, and where it is declared to broadcast."""
    extra = rank - x.ndim
    if extra:
        x = views.permute(p, x, ["x"] * extra + list(range(x.ndim)))
    return x, (True,) * extra + pattern


def writable(p: Core, node: Apply, x: Array) -> Array:
    """Return `x` in memory that may be written: its own if it dies here, else a copy.

    That is the memory of the row of a state if the result is one.
    """
    variable, out = node.inputs[0], node.outputs[0]
    if p.row_of(out) is not None:
        row = p.memory_for(out, x.shape)
        if p.row_of(variable) is None or x.data != row.data:
            copy_into(p, x, row)
        return row
    target = p.in_place.get(out)
    if target is not None and variable in p.in_place:
        return x  # in memory that was chosen for it, and which other parts are written to before
    if target is not None:
        return overwritten_by(p, x, x.shape, target)
    if p.uses.get(variable) != 1 or node.inputs.count(variable) > 1:
        return fresh_copy(p, x)
    if x.scratch:
        return fresh_copy(p, x) if _read_below(p, variable) else x
    return Array(x.dtype, x.shape, x.data, buffer=x.buffer) if x.alone else fresh_copy(p, x)


def _read_below(p: Core, variable: Variable) -> bool:
    """Tell whether something reads later what a variable is a view of."""
    while variable.owner is not None and variable.owner.op.is_view:
        variable = variable.owner.inputs[0]
        if p.uses.get(variable):
            return True
    return False


def _all_broadcast(array: Array) -> frozenset[int]:
    return array.broadcast_axes | frozenset(i for i, n in enumerate(array.shape) if n == 1)
