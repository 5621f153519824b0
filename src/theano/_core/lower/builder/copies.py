"""Copies, arrays made from positions, and parts of arrays written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from theano._core.base import dtypes
from theano._core.ir.variable import Apply
from theano._core.lower.arrays import Array, Size
from theano._core.lower.builder import launch, views
from theano._core.lower.builder.core import Core
from theano._core.lower.expression import Value, Writer
from theano._core.lower.llvm.items import load, store
from theano._core.lower.loops import Loop


def reshape(p: Core, node: Apply, x: Array, vector: Array, ndim: int) -> Array:
    """Return `x` with other lengths: a view of contiguous data, else a copy."""
    views.require_rank(p, node, vector, ndim)
    wanted = views.integers(p, vector, ndim)
    total = p.product(x.lengths)
    lengths = _without_unknown(p, wanted, total)
    new_total = p.product(lengths)
    p.check_equal(node, total, new_total, "reshape", (total, *wanted))
    for length in lengths:
        p.check_least(node, length, 0, "reshape", (total, *wanted))
    pattern = node.outputs[0].type.broadcastable
    lengths = [1 if one else n for one, n in zip(pattern, lengths, strict=True)]
    source = contiguous(p, x)
    return Array(x.dtype, tuple(lengths), p.pointer(source), buffer=source.buffer)


def _without_unknown(p: Core, wanted: Sequence[Size], total: Size) -> list[Size]:
    """Return lengths with the -1 among them worked out."""
    b = p.b
    if all(isinstance(n, int) for n in wanted) and -1 not in wanted:
        return list(wanted)
    known: Size = 1
    for n in wanted:
        known = p.multiply(
            known,
            (
                1
                if n == -1
                else (
                    n
                    if isinstance(n, int)
                    else b.emit(f"select i1 {b.emit(f'icmp eq i64 {n}, -1')}, i64 1, i64 {n}")
                )
            ),
        )
    # Nothing can be worked out beside a length of 0, nor two lengths: it is no length then.
    twice = _more_than_one(p, [n for n in wanted if not isinstance(n, int) or n == -1])
    if isinstance(known, int) and isinstance(total, int) and isinstance(twice, bool):
        rest: Size = -1 if twice or not known else total // known
    else:
        none = b.emit(f"icmp eq i64 {known}, 0")
        divisor = b.emit(f"select i1 {none}, i64 1, i64 {known}")
        rest = b.emit(f"sdiv i64 {total}, {divisor}")
        none = b.emit(f"or i1 {none}, {str(twice).lower()}")
        rest = b.emit(f"select i1 {none}, i64 -1, i64 {rest}")
    result: list[Size] = []
    for n in wanted:
        if isinstance(n, int):
            result.append(rest if n == -1 else n)
        else:
            result.append(
                b.emit(f"select i1 {b.emit(f'icmp eq i64 {n}, -1')}, i64 {rest}, i64 {n}")
            )
    return result


def _more_than_one(p: Core, lengths: Sequence[Size]) -> bool | str:
    """Tell whether several of some lengths are -1."""
    b = p.b
    if all(isinstance(n, int) for n in lengths):
        return len(lengths) > 1
    one, two = "false", "false"
    for n in lengths:
        here = b.emit(f"icmp eq i64 {n}, -1")
        two = b.emit(f"or i1 {two}, {b.emit(f'and i1 {one}, {here}')}")
        one = b.emit(f"or i1 {one}, {here}")
    return two if len(lengths) > 1 else False


def contiguous(p: Core, x: Array) -> Array:
    """Return `x` in C order: itself, or a copy."""
    if x.stretched or x.contiguous is False:
        return fresh_copy(p, x)
    return x if x.contiguous is True else contiguous_at_run_time(p, x)


def contiguous_at_run_time(p: Core, x: Array) -> Array:
    """Return `x` if it turns out to be contiguous, else a copy."""
    b = p.b
    slot = p.reserve(1)
    p.buffer_slots.append(slot)
    descriptor = p.descriptor(x)
    copy = p.runtime("copy")
    make, join = b.fresh_label("copy"), b.fresh_label("flat")
    before = b.block
    b.perform(f"br i1 {x.contiguous}, label %{join}, label %{make}")
    b.label(make)
    data = p.allocated(x.dtype, x.lengths, slot)
    at = p.frame_pointer(descriptor)
    done = b.emit(
        f"call i32 {copy}(ptr %call, i64 {typenum(x.dtype)}, i64 {x.ndim}, ptr {data}, ptr {at})"
    )
    p.or_fail(b.emit(f"icmp eq i32 {done}, 0"))
    end = b.block
    b.perform(f"br label %{join}")
    b.label(join)
    chosen = b.emit(f"phi ptr [{x.data}, %{before}], [{data}, %{end}]")
    return Array(x.dtype, x.lengths, chosen, buffer=x.buffer)


def simple_loop(p: Core, *args: Any, **kwargs: Any) -> None:
    """Run what `prepare_simple_loop` prepares."""
    prepare_simple_loop(p, *args, **kwargs)()


def prepare_simple_loop(
    p: Core,
    out: Array | None,
    lengths: Sequence[Size],
    operands: Sequence[tuple[Array, frozenset[int]]],
    body: Callable[..., Any],
    indexed: bool = False,
    sequential: bool = False,
    lanes: int = 0,
) -> Callable[[], None]:
    """Return what writes a loop that stores one value per point (none if `out` is None).

    `body(w, *operands)` gives the value; see `Writer`.
    """
    w = Writer([a.dtype for a, _ in operands])
    value = body(w, *w.operands)
    loop = Loop(
        len(lengths),
        tuple((a.dtype, stretched) for a, stretched in operands),
        () if out is None else (out.dtype,),
        (),
        (),
        w.body([] if out is None else [value]),
    )
    outs = [] if out is None else [out]
    return launch.prepare_run(
        p, loop, lengths, [a for a, _ in operands], outs, [], indexed, sequential, lanes
    )


def copy_into(p: Core, source: Array, target: Array) -> None:
    """Copy an array to memory of the same lengths."""
    prepare_copy(p, source, target)()


def prepare_copy(p: Core, source: Array, target: Array) -> Callable[[], None]:
    """Write what may fail of a copy to memory of the same lengths; return what writes it."""
    return prepare_simple_loop(
        p, target, target.lengths, [(source, _all_stretched(source))], lambda w, x: x
    )


def fresh_copy(p: Core, x: Array) -> Array:
    """Return a contiguous copy in memory of its own."""
    out = p.new_array(x.dtype, x.lengths)
    if x.ndim:
        copy_into(p, x, out)
    else:
        store(p.b, p.register(x), out.data)
    return out


def generate(p: Core, node: Apply, operands: Sequence[Array], body: Callable[..., Any]) -> Array:
    """Return an array computed from positions: `body(w, *scalars)`; see `Writer`."""
    variable = node.outputs[0]
    lengths = [p.size(n) for n in p.rewriter.lengths(variable)]
    views.check_lengths(p, node, lengths)
    out = p.new_array(variable.type.dtype, lengths)
    everywhere = frozenset(range(len(lengths)))
    simple_loop(p, out, lengths, [(a, everywhere) for a in operands], body, indexed=True)
    return out


def arithmetic_sequence(p: Core, node: Apply, dtype: str, start: Array, step: Array) -> Array:
    """Return the numbers of a range, with the bits that NumPy gives them.

    It computes the first two numbers, and goes on by their difference.
    """
    b = p.b
    discrete = all(dtypes.is_discrete(v.type.dtype) for v in node.inputs)
    wide = "int64" if discrete else "float64"
    work = "int64" if dtypes.is_discrete(dtype) else "float32" if dtype == "float16" else dtype
    first = b.cast(p.register(start), wide)
    second = b.add(first, b.cast(p.register(step), wide))
    first, second = (b.cast(b.cast(v, dtype), work) for v in (first, second))
    values = (first, b.sub(second, first), second)

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
    return Array(dtype, (), register=p.b.cast(p.register(array), dtype))


def join(p: Core, node: Apply, arrays: Sequence[Array], axis: int) -> Array:
    """Return arrays copied one after another along `axis`."""
    first = arrays[0]
    total: Size = 0
    for number, array in enumerate(arrays):
        for i in range(array.ndim):
            if i != axis:
                one, two = first.lengths[i], array.lengths[i]
                p.check_equal(node, one, two, "join", (number, i, one, two))
        total = p.plus(total, array.lengths[axis])
    lengths = [total if i == axis else n for i, n in enumerate(first.lengths)]
    placed = node.outputs[0] in p.places
    out = (
        launch.placed(p, node.outputs[0], lengths) if placed else p.new_array(first.dtype, lengths)
    )
    start: Size = 0
    steps = p.strides(out)
    for array in arrays:
        part = Array(
            out.dtype,
            tuple(array.lengths),
            views.moved(p, out.data, p.offset(start, steps[axis])),
            steps,
            axis == 0 or all(n == 1 for n in lengths[:axis]),
        )
        copy_into(p, array, part)
        start = p.plus(start, array.lengths[axis])
    return out


def overwritten_by(p: Core, x: Array, lengths: Sequence[Size], target: Any) -> Array:
    """Return the values of `x` in the memory of an input if it may be overwritten, else in new.

    Where `x` is that input, nothing is copied.
    """
    out = launch.overwritten(p, x.dtype, lengths, target)
    b = p.b
    same = b.emit(f"icmp eq ptr {out.data}, {x.data}")
    copy, done = b.fresh_label("keep"), b.fresh_label("kept")
    at = p.frame_pointer(p.descriptor(x))
    function = p.runtime("copy")
    b.perform(f"br i1 {same}, label %{done}, label %{copy}")
    b.label(copy)
    got = b.emit(
        f"call i32 {function}(ptr %call, i64 {typenum(x.dtype)}, i64 {x.ndim}, ptr {out.data},"
        f" ptr {at})"
    )
    p.or_fail(b.emit(f"icmp eq i32 {got}, 0"))
    b.perform(f"br label %{done}")
    b.label(done)
    return out


def overwrite(p: Core, node: Apply, work: Callable[[], None]) -> None:
    """Write what changes memory: now, or after all that may fail if others can see it."""
    if node.outputs[0] in p.in_place:
        p.overwrites[node] = work
    else:
        work()


def write_slice(
    p: Core, node: Apply, x: Array, y: Array, entries: Sequence[Any], assign: bool
) -> Array:
    """Return `x` with a slice set to `y`, or increased by it."""
    out = writable(p, node, x)
    part = views.basic_slice(p, node, out, entries)
    part.buffer = None
    if part.ndim:
        y, pattern = led_by_axes(p, y, node.inputs[1].type.broadcastable, part.ndim)
        y = views.stretched_to(p, node, y, part.lengths, pattern, "write")
    if part.ndim == 0:

        def write_item() -> None:
            value = p.register(y)
            if not assign:
                value = p.b.add(load(p.b, part.data, part.dtype, 1), value)
            store(p.b, value, part.data)

        overwrite(p, node, write_item)
        return out
    old = [] if assign else [(part, frozenset[int]())]
    run = prepare_simple_loop(
        p,
        part,
        part.lengths,
        [*old, (y, y.stretched)],
        lambda w, *values: values[0] if assign else w.add(*values),
    )
    overwrite(p, node, run)
    return out


def led_by_axes(
    p: Core, x: Array, pattern: tuple[bool, ...], rank: int
) -> tuple[Array, tuple[bool, ...]]:
    """Return `x` with new axes in front up to `rank`, and where it is declared to stretch."""
    extra = rank - x.ndim
    if extra:
        x = views.permute(p, x, ["x"] * extra + list(range(x.ndim)))
    return x, (True,) * extra + pattern


def writable(p: Core, node: Apply, x: Array) -> Array:
    """Return `x` in memory that may be written: its own if it dies here, else a copy.

    That is the memory of the row of a state if the result is one.
    """
    variable, out = node.inputs[0], node.outputs[0]
    buffer = x.buffer
    if out in p.places:
        row = launch.placed(p, out, x.lengths)
        if variable not in p.places or x.data != row.data:
            copy_into(p, x, row)
        return row
    target = p.in_place.get(out)
    if target is not None:
        return overwritten_by(p, x, x.lengths, target)
    if p.uses.get(variable) != 1 or node.inputs.count(variable) > 1:
        return fresh_copy(p, x)
    if x.scratch:
        return x
    if (
        buffer is not None
        and buffer.users == 1
        and not buffer.kept
        and x.contiguous is True
        and not x.stretched
        and x.data == buffer.start
    ):
        return Array(x.dtype, x.lengths, x.data, buffer=buffer)
    return fresh_copy(p, x)


def typenum(dtype: str) -> int:
    """Return NumPy's number of an item type."""
    return np.dtype(dtype).num


def _all_stretched(array: Array) -> frozenset[int]:
    return array.stretched | frozenset(i for i, n in enumerate(array.lengths) if n == 1)
