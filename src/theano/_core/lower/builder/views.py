"""Views: other lengths and strides over the same memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from theano._core.base import dtypes
from theano._core.base.dtypes import itemsize
from theano._core.ir.variable import Apply
from theano._core.lower.arrays import Array, Size
from theano._core.lower.builder.core import Core
from theano._core.lower.kernel.expression import Value, Writer
from theano._core.lower.program import Number
from theano._core.ops.array.dims import LARGEST


def length(p: Core, array: Array, axis: int) -> Size:
    """Return the length of an axis."""
    return array.shape[axis]


def vector_of(p: Core, values: Sequence[Any], dtype: str = "int64") -> Array:
    """Return scalars as a vector."""
    if dtype == "int64":
        items = tuple(v if isinstance(v, (int, str)) else p.integer(v) for v in values)
        return Array("int64", (len(items),), items=items)
    data = p.stack(max(8, itemsize(dtype) * len(values)))
    for i, value in enumerate(values):
        p.store(p.let("moved", data, i * itemsize(dtype)), p.cast(p.register(value), dtype))
    return Array(dtype, (len(values),), data)


def integers(p: Core, vector: Array, count: int | None = None) -> list[Size]:
    """Return the items of a vector of integers."""
    if vector.items is not None:
        return list(vector.items)
    axis_length = vector.shape[0]
    n = axis_length if isinstance(axis_length, int) else count
    assert n is not None
    result: list[Size] = []
    step = p.strides(vector)[0]
    for i in range(n):
        at = p.let("moved", p.pointer(vector), p.offset(i, step))
        result.append(p.integer(Array(vector.dtype, (), at)))
    return result


def require(p: Core, node: Apply, condition: Array, fault: str, facts: Sequence[Size] = ()) -> None:
    """Fail unless a scalar holds."""
    p.check(node, p.condition(condition), fault, facts)


def require_index(p: Core, node: Apply, index: Array, length: Array) -> None:
    """Fail unless a scalar is an index of an axis of the length that another scalar has."""
    checked_index(p, node, index, 0, p.integer(length))


def require_rank(
    p: Core, node: Apply, vector: Array, rank: int, fault: str = "reshape_rank"
) -> None:
    """Fail unless a vector of lengths has `rank` items."""
    p.check_equal(node, vector.shape[0], rank, fault, (vector.shape[0], rank))


def require_length(p: Core, node: Apply, array: Array, axis: int, wanted: Size, fault: str) -> None:
    """Fail unless an axis has the length `wanted`."""
    own = array.shape[axis]
    p.check_equal(node, own, wanted, fault, (axis, own, wanted))


def check_shape(p: Core, node: Apply, shape: Sequence[Size]) -> None:
    """Fail if a length is negative."""
    for length in shape:
        p.check_least(node, length, 0, "negative_length", (length,))


def checked_size(p: Core, node: Apply, total: Size, fault: str, sizes: Sequence[Size]) -> Array:
    """Return a size as a scalar; fail if it is so large that it stopped."""
    p.check_size(node, total, fault, sizes)
    return p.scalar(total)


def count_of_range(p: Core, node: Apply, start: Array, stop: Array, step: Array) -> Array:
    """Return how many numbers a range has; fail if that is not a length."""
    names = [v.type.dtype for v in node.inputs]
    if not all(map(dtypes.is_discrete, names)):
        return _count_of_floats(p, node, start, stop, step)
    # Differences of any two integers of 64 bits fit in 128, and the count of a valid range in 64.
    first, last, by = (
        _widest(p, v, name) for v, name in zip((start, stop, step), names, strict=True)
    )
    p.check(node, p.let("ne", by, 0, type="int128"), "arange_step", ())
    down = p.let("lt", by, 0, type="int128")
    low = p.let("select", down, last, first, type="int128")
    high = p.let("select", down, first, last, type="int128")
    size = p.let("select", down, p.let("sub", 0, by, type="int128"), by, type="int128")
    none = p.let("ge", low, high, type="int128")
    span = p.let("sub", high, low, type="int128")
    span = p.let("select", none, 1, span, type="int128")
    p.check(node, p.let("below", span, 1 << 64, type="int128"), "range_length", ())
    whole = p.let("low", p.let("sub", span, 1, type="int128"), type="int128")
    more = p.let("udiv", whole, p.let("low", size, type="int128"))
    p.check(node, p.let("below", more, LARGEST - 1), "range_length", ())
    return p.scalar(p.let("select", none, 0, p.let("add", more, 1)))


def _widest(p: Core, array: Array, dtype: str) -> Size:
    """Return an integer in 128 bits."""
    signed = dtype != "uint64"
    value = p.cast(p.register(array), "int64" if signed else "uint64")
    size = (
        int.from_bytes(value.data, "little", signed=True)
        if isinstance(value, Number)
        else value.name
    )
    return p.let("signed", size) if signed else p.let("unsigned", size, type="uint64")


def _count_of_floats(p: Core, node: Apply, start: Array, stop: Array, step: Array) -> Array:
    def fits(w: Writer, first: Value, last: Value, by: Value) -> Value:
        most = w.number(float(LARGEST), "float64")
        count = _count(w, first, last, by)
        return w.mul(w.lt(count, most), w.le(w.neg(most), count))

    def count(w: Writer, first: Value, last: Value, by: Value) -> Value:
        span, count = w.sub(last, first), _count(w, first, last, by)
        # The step is beyond all bounds: there is the first number, or none.
        one = w.mul(w.eq(count, 0.0), w.neq(span, 0.0))
        one = w.mul(one, w.gt(w.copysign(w.number(1.0, "float64"), count), 0.0))
        whole = w.cast(w.ceil(count), "int64")
        return w.select(one, w.number(1, "int64"), w.maximum(whole, w.number(0, "int64")))

    values = [p.cast(p.register(v), "float64") for v in (start, stop, step)]
    p.check(node, p.condition(Array("bool", (), register=p.compute(fits, *values))), "range", ())
    return Array("int64", (), register=p.compute(count, *values))


def _count(w: Writer, first: Value, last: Value, by: Value) -> Value:
    return w.divide(w.sub(last, first), by)


def with_shape(p: Core, array: Array, lengths: dict[int, int]) -> Array:
    """Return an array whose lengths along some axes are now known."""
    if not lengths:
        return array
    shape = tuple(lengths.get(i, n) for i, n in enumerate(array.shape))
    return array.replace(shape=shape)


def permute(p: Core, x: Array, order: Sequence[Any]) -> Array:
    """Return a view with axes reordered, dropped, and added ('x')."""
    if not order:
        if x.register is not None or not x.shape:
            return x.replace(shape=(), strides=None, broadcast_axes=frozenset())
        return Array(x.dtype, (), p.pointer(x), buffer=x.buffer)
    strides: Any = p.strides(x) if x.shape else ()
    kept = [a for a in order if a != "x"]
    shape = tuple(1 if a == "x" else x.shape[a] for a in order)
    moved = [a for a in kept if x.shape[a] != 1 and a not in x.broadcast_axes]
    every = len(order) == len(kept) == x.ndim and not x.broadcast_axes
    # Channels were last: there are a few of them.
    spaced = every and x.ndim > 2 and order[-1] == x.ndim - 2
    return Array(
        x.dtype,
        shape,
        p.pointer(x),
        tuple(0 if a == "x" else strides[a] for a in order),
        x.contiguous if moved == sorted(moved) else False,
        frozenset(i for i, a in enumerate(order) if a == "x" or a in x.broadcast_axes),
        buffer=x.buffer,
        steady=x.steady,
        whole=every and moved != sorted(moved) and (x.fills or x.whole),
        spaced=spaced,
    )


def broadcast(p: Core, node: Apply, x: Array, shape: Sequence[Size]) -> Array:
    """Return a view of `x` broadcast to `lengths`."""
    fills = len(node.inputs) == 2 and type(node.op).__qualname__ == "Second"
    pattern = node.inputs[1 if fills else 0].type.broadcastable
    check_shape(p, node, shape)
    if not shape:
        return x
    if fills:
        for axis, (one, length) in enumerate(zip(pattern, shape, strict=True)):
            if not one:
                own = x.shape[axis]
                p.check_equal(node, own, length, "broadcast", (axis, own, length))
    return broadcast_to(p, node, x, shape, pattern, "broadcast")


def broadcast_to(
    p: Core,
    node: Apply,
    x: Array,
    shape: Sequence[Size],
    pattern: Sequence[bool],
    fault: str,
) -> Array:
    """Return a view of `x` broadcast to `lengths` along the axes where it has one item.

    `pattern` says for which that is declared; of the others it is found at run time, as NumPy
    does. Other lengths that differ are the `fault`: axis, own length, wanted length.
    """
    strides = list(p.strides(x))
    ones = {axis for axis, one in enumerate(pattern) if one}
    # An axis of stride 0 may have any length.
    broadcast_axes = x.broadcast_axes | ones
    packed = x.contiguous
    for axis, (own, wanted) in enumerate(zip(x.shape, shape, strict=True)):
        if axis in ones or own == wanted:
            continue
        if isinstance(own, int):
            if own == 1:
                broadcast_axes |= {axis}
            else:
                p.check_equal(node, own, wanted, fault, (axis, own, wanted))
            continue
        one, same = p.let("eq", own, 1), p.let("eq", own, wanted)
        p.check(node, p.let("or", same, one, type="bool"), fault, (axis, own, wanted))
        if axis in broadcast_axes:
            continue
        strides[axis] = p.let("select", same, strides[axis], 0)
        packed = p.both(packed, same)
    return Array(
        x.dtype,
        tuple(shape),
        p.pointer(x),
        tuple(0 if a in broadcast_axes else step for a, step in enumerate(strides)),
        packed,
        frozenset(broadcast_axes),
        buffer=x.buffer,
    )


def basic_slice(
    p: Core, node: Apply, x: Array, entries: Sequence[object], pattern: Sequence[bool] = ()
) -> Array:
    """Return the view of `x` that a basic index names.

    `pattern` says which of its axes have a declared length of 1.
    """
    data = p.pointer(x)
    steps = p.strides(x)
    shape: list[Size] = []
    strides: list[Size] = []
    broadcast_axes: set[int] = set()
    packed, rows, spaced = True, True, False
    for axis in range(x.ndim):
        entry = entries[axis] if axis < len(entries) else slice(None)
        if isinstance(entry, slice):
            first, count, step = _slice_parts(p, node, entry, x.shape[axis])
            if axis and (count is not x.shape[axis] or step != 1):
                rows = False
            if count is not x.shape[axis] and shape:
                packed = packed and all(n == 1 for n in shape)
            packed = packed and step == 1
            if axis in x.broadcast_axes:
                broadcast_axes.add(len(shape))
            shape.append(count)
            strides.append(p.offset(steps[axis], step))
        else:
            first = checked_index(p, node, entry, axis, x.shape[axis])
            packed = packed and all(n == 1 for n in shape)
            rows, spaced = False, axis == x.ndim - 1
        data = moved(p, data, p.offset(first, steps[axis]))
    shape = [1 if i < len(pattern) and pattern[i] else n for i, n in enumerate(shape)]
    if not shape:
        return Array(x.dtype, (), data, buffer=x.buffer)
    return Array(
        x.dtype,
        tuple(shape),
        data,
        tuple(strides),
        x.contiguous if packed else False,
        frozenset(broadcast_axes),
        buffer=x.buffer,
        rows_contiguous=(x.rows_contiguous or x.contiguous) if rows else False,
        spaced=spaced,
    )


def diagonal(p: Core, node: Apply, x: Array, count: Array, starts: Sequence[int]) -> Array:
    """Return the view of `x` that begins at `starts` and goes along all these axes at once."""
    length, rank, data = p.integer(count), len(starts), p.pointer(x)
    none = p.let("eq", length, 0)
    steps, step = p.strides(x), 0
    for axis, start in enumerate(starts):
        end, own = p.plus(length, start), x.shape[axis]
        inside = p.let("or", none, p.let("le", end, own), type="bool")
        p.check(node, inside, "index", (p.let("sub", end, 1), axis, own))
        data = moved(p, data, p.offset(start, steps[axis]))
        step = p.let("add", step, steps[axis])
    kept = frozenset(axis - rank + 1 for axis in x.broadcast_axes if axis >= rank)
    shape, strides = (length, *x.shape[rank:]), (step, *steps[rank:])
    return Array(x.dtype, shape, data, strides, False, kept, buffer=x.buffer)


def moved(p: Core, data: str, offset: Size) -> str:
    return data if offset == 0 else p.let("moved", data, offset)


def parts_of(p: Core, arrays: Iterable[Array], out: Array, axis: int) -> list[Array]:
    """Return where in the join of some arrays along an axis each of them is."""
    steps, parts = p.strides(out), []
    side_by_side = axis == 0 or all(n == 1 for n in out.shape[:axis])
    start: Size = 0
    for array in arrays:
        data = moved(p, p.pointer(out), p.offset(start, steps[axis]))
        parts.append(Array(out.dtype, tuple(array.shape), data, steps, side_by_side))
        start = p.plus(start, array.shape[axis])
    return parts


def _entry(p: Core, value: Any) -> Size:
    return value if isinstance(value, int) else p.integer(value)


def checked_index(p: Core, node: Apply, entry: object, axis: int, length: Size) -> Size:
    index = _entry(p, entry)
    if isinstance(index, int) and isinstance(length, int):
        if not -length <= index < length:
            p.check(node, 0, "index", (index, axis, length))
        return index % length if length else 0
    if isinstance(index, int):
        at: Size = index if index >= 0 else p.position(length, index)
    else:
        at = p.let("select", p.let("lt", index, 0), p.position(index, length), index)
    p.check(node, p.let("below", at, length), "index", (index, axis, length))
    return at


def _slice_parts(p: Core, node: Apply, entry: slice, length: Size) -> tuple[Size, Size, Size]:
    """Return (first index, count, step) of a slice, as Python defines them."""
    step = 1 if entry.step is None else _entry(p, entry.step)
    start = None if entry.start is None else _entry(p, entry.start)
    stop = None if entry.stop is None else _entry(p, entry.stop)
    if step == 0:
        # No division by it is written, whatever the bounds are: LLVM promises nothing of one.
        p.check(node, 0, "slice_step", ())
        return 0, 0, 1
    if all(v is None or isinstance(v, int) for v in (start, stop, step)):
        if isinstance(length, int):
            positions = range(*slice(start, stop, step).indices(length))
            return positions.start if len(positions) else 0, len(positions), step
        if start in (None, 0) and stop is None and step == 1:
            return 0, length, 1
    return _slice_registers(p, node, start, stop, step, length)


def _slice_registers(
    p: Core, node: Apply, start: int | str | None, stop: int | str | None, step: Size, length: Size
) -> tuple[Size, Size, Size]:
    if not isinstance(step, int):
        p.check(node, p.let("ne", step, 0), "slice_step", ())
    down = int(step < 0) if isinstance(step, int) else p.let("lt", step, 0)
    low = p.let("select", down, -1, 0)
    high = length if down == 0 else p.let("select", down, p.let("sub", length, 1), length)

    def bound(value: Size | None, default: Size) -> Size:
        if value is None:
            return default
        below = p.let("lt", value, 0)
        at = value if below == 0 else p.let("select", below, p.position(value, length), value)
        return p.let("minimum", p.let("maximum", at, low), high)

    first = bound(start, p.let("select", down, high, low))
    end = bound(stop, p.let("select", down, low, high))
    span = p.let("sub", end, first)
    if step == 1:
        count = p.let("maximum", span, 0)
    else:
        # Counted in whole steps after the first, which cannot exceed an int64.
        wrong = p.let("lt", p.let("xor", span, step), 0)
        none = p.let("or", p.let("eq", span, 0), wrong, type="bool")
        up = p.let("select", down, 1, -1)
        whole = p.let("sdiv", p.let("add", span, up), step)
        count = p.let("select", none, 0, p.let("add", whole, 1))
    # No address outside the array is formed where nothing is taken.
    return p.unless_zero(count, first), count, step


def joint_shape(p: Core, node: Apply, arrays: Sequence[Array], axis: int) -> list[Size]:
    """Return the lengths of arrays joined along an axis, along the others of which they agree."""
    first = arrays[0]
    total: Size = 0
    for index, array in enumerate(arrays):
        for i in range(array.ndim):
            if i != axis:
                one, two = first.shape[i], array.shape[i]
                p.check_equal(node, one, two, "join", (index, i, one, two))
        total = p.plus(total, array.shape[axis])
    return [total if i == axis else n for i, n in enumerate(first.shape)]


def agreement(p: Core, arrays: Sequence[Array], axis: int) -> list[Size]:
    """Return the conditions that `joint_shape` has checked."""
    lengths = [[n for i, n in enumerate(array.shape) if i != axis] for array in arrays]
    pairs = [pair for own in lengths[1:] for pair in zip(lengths[0], own, strict=True)]
    return [p.let("eq", one, two) for one, two in pairs]


def follow_each_other(
    p: Core, arrays: Sequence[Array], outer: int, inner: int, length: Size
) -> Size:
    """Return whether two axes of arrays, the inner one of some length, can be walked as one."""
    one: Size = True
    for array in arrays:
        steps = p.strides(array)
        follows = p.let("eq", steps[outer], p.let("mul", length, steps[inner]))
        one = p.let("and", one, follows, type="bool")
    return one
