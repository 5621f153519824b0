"""Views: other lengths and strides over the same memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from theano._core.base import dtypes
from theano._core.ir.variable import Apply
from theano._core.lower.arrays import Array, Size
from theano._core.lower.builder.core import Core
from theano._core.lower.llvm.emitter import Value, is_signed
from theano._core.lower.llvm.items import itemsize, load, store
from theano._core.ops.lengths import LARGEST


def length(p: Core, array: Array, axis: int) -> Size:
    """Return the length of an axis."""
    return array.lengths[axis]


def vector_of(p: Core, values: Sequence[Any], dtype: str = "int64") -> Array:
    """Return scalars as a vector."""
    if dtype == "int64":
        items = tuple(v if isinstance(v, (int, str)) else p.integer(v) for v in values)
        return Array("int64", (len(items),), items=items)
    data = p.stack(max(8, itemsize(dtype) * len(values)))
    for i, value in enumerate(values):
        at = p.b.emit(f"getelementptr i8, ptr {data}, i64 {i * itemsize(dtype)}")
        store(p.b, p.register(value), at)
    return Array(dtype, (len(values),), data)


def integers(p: Core, vector: Array, count: int | None = None) -> list[Size]:
    """Return the items of a vector of integers."""
    if vector.items is not None:
        return list(vector.items)
    known = vector.lengths[0]
    n = known if isinstance(known, int) else count
    assert n is not None
    result: list[Size] = []
    step = p.strides(vector)[0]
    for i in range(n):
        offset = p.offset(i, step)
        at = p.b.emit(f"getelementptr i8, ptr {p.pointer(vector)}, i64 {offset}")
        item = p.b.cast(load(p.b, at, vector.dtype, 1), "int64")
        result.append(item.text)
    return result


def require(p: Core, node: Apply, condition: Array, fault: str, facts: Sequence[Size] = ()) -> None:
    """Fail unless a scalar holds."""
    p.check(node, p.b.cast(p.register(condition), "bool").text, fault, facts)


def require_index(p: Core, node: Apply, index: Array, length: Array) -> None:
    """Fail unless a scalar is an index of an axis of the length that another scalar has."""
    checked_index(p, node, index, 0, p.integer(length))


def require_rank(
    p: Core, node: Apply, vector: Array, rank: int, fault: str = "reshape_rank"
) -> None:
    """Fail unless a vector of lengths has `rank` items."""
    p.check_equal(node, vector.lengths[0], rank, fault, (vector.lengths[0], rank))


def require_length(p: Core, node: Apply, array: Array, axis: int, wanted: Size, fault: str) -> None:
    """Fail unless an axis has the length `wanted`."""
    own = array.lengths[axis]
    p.check_equal(node, own, wanted, fault, (axis, own, wanted))


def check_lengths(p: Core, node: Apply, lengths: Sequence[Size]) -> None:
    """Fail if a length is negative."""
    for length in lengths:
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
    b = p.b
    # Differences of any two integers of 64 bits fit, and the count of a valid range.
    first, last, by = (
        b.emit(f"{'sext' if is_signed(v.dtype) else 'zext'} i64 {v.text} to i128")
        for v in _wide_integers(p, names, start, stop, step)
    )
    p.check(node, b.emit(f"icmp ne i128 {by}, 0"), "arange_step", ())
    down = b.emit(f"icmp slt i128 {by}, 0")
    low = b.emit(f"select i1 {down}, i128 {last}, i128 {first}")
    high = b.emit(f"select i1 {down}, i128 {first}, i128 {last}")
    size = b.emit(f"select i1 {down}, i128 {b.emit(f'sub i128 0, {by}')}, i128 {by}")
    none = b.emit(f"icmp sge i128 {low}, {high}")
    span = b.emit(f"sub i128 {high}, {low}")
    span = b.emit(f"select i1 {none}, i128 1, i128 {span}")
    fits = b.emit(f"icmp ult i128 {span}, {1 << 64}")
    p.check(node, fits, "range_length", ())
    whole, each = (b.emit(f"trunc i128 {n} to i64") for n in (b.emit(f"sub i128 {span}, 1"), size))
    more = b.emit(f"udiv i64 {whole}, {each}")
    fits = b.emit(f"icmp ult i64 {more}, {LARGEST - 1}")
    p.check(node, fits, "range_length", ())
    count = b.emit(f"add i64 {more}, 1")
    return p.scalar(b.emit(f"select i1 {none}, i64 0, i64 {count}"))


def _wide_integers(p: Core, names: Sequence[str], *values: Array) -> list[Value]:
    """Return integers in 64 bits, with their sign or without one."""
    return [
        p.b.cast(p.register(v), "uint64" if name == "uint64" else "int64")
        for v, name in zip(values, names, strict=True)
    ]


def _count_of_floats(p: Core, node: Apply, start: Array, stop: Array, step: Array) -> Array:
    b = p.b
    first, last, by = (b.cast(p.register(v), "float64") for v in (start, stop, step))
    span = b.sub(last, first)
    count = b.divide(span, by)
    most = b.const(float(LARGEST), "float64")
    fits = b.bit_and(b.lt(count, most), b.le(b.neg(most), count))
    p.check(node, fits.text, "range", ())
    whole = b.cast(b.ceil(b.select(fits, count, 0.0)), "int64")
    # The step is beyond all bounds: there is the first number, or none.
    one = b.bit_and(b.eq(count, 0.0), b.neq(span, 0.0))
    one = b.bit_and(one, b.gt(b.copysign(b.const(1.0, "float64"), count), 0.0))
    return p.scalar(b.select(one, 1, b.maximum(whole, b.const(0, "int64"))).text)


def with_lengths(p: Core, array: Array, known: dict[int, int]) -> Array:
    """Return an array whose lengths along some axes are now known."""
    if not known:
        return array
    lengths = tuple(known.get(i, n) for i, n in enumerate(array.lengths))
    return replace(array, lengths=lengths)


def permute(p: Core, x: Array, order: Sequence[Any]) -> Array:
    """Return a view with axes reordered, dropped, and added ('x')."""
    if not order:
        if x.register is not None or not x.lengths:
            return replace(x, lengths=(), strides=None, stretched=frozenset())
        return Array(x.dtype, (), p.pointer(x), buffer=x.buffer)
    strides: Any = p.strides(x) if x.lengths else ()
    kept = [a for a in order if a != "x"]
    lengths = tuple(1 if a == "x" else x.lengths[a] for a in order)
    moved = [a for a in kept if x.lengths[a] != 1 and a not in x.stretched]
    return Array(
        x.dtype,
        lengths,
        p.pointer(x),
        tuple(0 if a == "x" else strides[a] for a in order),
        x.contiguous if moved == sorted(moved) else False,
        frozenset(i for i, a in enumerate(order) if a == "x" or a in x.stretched),
        buffer=x.buffer,
        steady=x.steady,
    )


def broadcast(p: Core, node: Apply, x: Array, lengths: Sequence[Size]) -> Array:
    """Return a view of `x` stretched to `lengths`."""
    fills = len(node.inputs) == 2 and type(node.op).__name__ == "Second"
    pattern = node.inputs[1 if fills else 0].type.broadcastable
    check_lengths(p, node, lengths)
    if not lengths:
        return x
    if fills:
        for axis, (one, length) in enumerate(zip(pattern, lengths, strict=True)):
            if not one:
                own = x.lengths[axis]
                p.check_equal(node, own, length, "broadcast", (axis, own, length))
    return stretched_to(p, node, x, lengths, pattern, "broadcast")


def stretched_to(
    p: Core,
    node: Apply,
    x: Array,
    lengths: Sequence[Size],
    pattern: Sequence[bool],
    fault: str,
) -> Array:
    """Return a view of `x` stretched to `lengths` along the axes where it has one item.

    `pattern` says for which that is declared; of the others it is found at run time, as NumPy
    does. Other lengths that differ are the `fault`: axis, own length, wanted length.
    """
    strides = list(p.strides(x))
    stretched = x.stretched | {axis for axis, one in enumerate(pattern) if one}
    packed = x.contiguous
    for axis, (own, wanted) in enumerate(zip(x.lengths, lengths, strict=True)):
        if axis in stretched or own == wanted:
            continue
        if isinstance(own, int):
            if own == 1:
                stretched |= {axis}
            else:
                p.check_equal(node, own, wanted, fault, (axis, own, wanted))
            continue
        one = p.sized(f"icmp eq i64 {own}, 1", own)
        same = p.sized(f"icmp eq i64 {own}, {wanted}", own, wanted)
        p.check(node, p.b.emit(f"or i1 {same}, {one}"), fault, (axis, own, wanted))
        step = strides[axis]
        strides[axis] = p.sized(f"select i1 {same}, i64 {step}, i64 0", same, step)
        if packed is True:
            packed = same
        elif packed is not False:
            packed = p.b.emit(f"and i1 {packed}, {same}")
    return Array(
        x.dtype,
        tuple(lengths),
        p.pointer(x),
        tuple(0 if a in stretched else step for a, step in enumerate(strides)),
        packed,
        frozenset(stretched),
        buffer=x.buffer,
    )


def basic_slice(
    p: Core, node: Apply, x: Array, entries: Sequence[Any], pattern: Sequence[bool] = ()
) -> Array:
    """Return the view of `x` that a basic index names.

    `pattern` says which of its axes have a declared length of 1.
    """
    data = p.pointer(x)
    steps = p.strides(x)
    lengths: list[Size] = []
    strides: list[Size] = []
    stretched: set[int] = set()
    packed, rows = True, True
    for axis in range(x.ndim):
        entry = entries[axis] if axis < len(entries) else slice(None)
        if isinstance(entry, slice):
            first, count, step = _slice_parts(p, node, entry, x.lengths[axis])
            if axis and (count is not x.lengths[axis] or step != 1):
                rows = False
            if count is not x.lengths[axis] and lengths:
                packed = packed and all(n == 1 for n in lengths)
            packed = packed and step == 1
            if axis in x.stretched:
                stretched.add(len(lengths))
            lengths.append(count)
            strides.append(p.offset(steps[axis], step))
        else:
            first = checked_index(p, node, entry, axis, x.lengths[axis])
            packed = packed and all(n == 1 for n in lengths)
            rows = False
        data = moved(p, data, p.offset(first, steps[axis]))
    lengths = [1 if i < len(pattern) and pattern[i] else n for i, n in enumerate(lengths)]
    if not lengths:
        return Array(x.dtype, (), data, buffer=x.buffer)
    return Array(
        x.dtype,
        tuple(lengths),
        data,
        tuple(strides),
        x.contiguous if packed else False,
        frozenset(stretched),
        buffer=x.buffer,
        rows_contiguous=(x.rows_contiguous or x.contiguous) if rows else False,
    )


def moved(p: Core, data: str, offset: Size) -> str:
    return data if offset == 0 else p.b.emit(f"getelementptr i8, ptr {data}, i64 {offset}")


def _entry(p: Core, value: Any) -> Size:
    return value if isinstance(value, int) else p.integer(value)


def checked_index(p: Core, node: Apply, entry: Any, axis: int, length: Size) -> Size:
    b = p.b
    index = _entry(p, entry)
    if isinstance(index, int) and isinstance(length, int):
        if not -length <= index < length:
            p.check(node, "false", "index", (index, axis, length))
        return index % length if length else 0
    if isinstance(index, int):
        at: Size = index if index >= 0 else p.position(length, index)
    else:
        negative = b.emit(f"icmp slt i64 {index}, 0")
        at = b.emit(f"select i1 {negative}, i64 {p.position(index, length)}, i64 {index}")
    inside = b.emit(f"icmp ult i64 {at}, {length}")
    p.check(node, inside, "index", (index, axis, length))
    return at


def _slice_parts(p: Core, node: Apply, entry: slice, length: Size) -> tuple[Size, Size, Size]:
    """Return (first index, count, step) of a slice, as Python defines them."""
    step = 1 if entry.step is None else _entry(p, entry.step)
    start = None if entry.start is None else _entry(p, entry.start)
    stop = None if entry.stop is None else _entry(p, entry.stop)
    if all(v is None or isinstance(v, int) for v in (start, stop, step)):
        if step == 0:
            p.check(node, "false", "slice_step", ())
            return 0, 0, 1
        if isinstance(length, int):
            known = range(*slice(start, stop, step).indices(length))
            return known.start if len(known) else 0, len(known), step
        if start in (None, 0) and stop is None and step == 1:
            return 0, length, 1
    return _slice_registers(p, node, start, stop, step, length)


def _slice_registers(
    p: Core, node: Apply, start: Any, stop: Any, step: Size, length: Size
) -> tuple[Size, Size, Size]:
    b = p.b
    if not isinstance(step, int):
        p.check(node, b.emit(f"icmp ne i64 {step}, 0"), "slice_step", ())
    down = "true" if isinstance(step, int) and step < 0 else "false"
    if not isinstance(step, int):
        down = b.emit(f"icmp slt i64 {step}, 0")
    last = b.emit(f"sub i64 {length}, 1")
    low = b.emit(f"select i1 {down}, i64 -1, i64 0")
    high = b.emit(f"select i1 {down}, i64 {last}, i64 {length}")

    def bound(value: Any, default: str) -> str:
        if value is None:
            return default
        negative = b.emit(f"icmp slt i64 {value}, 0")
        at = b.emit(f"select i1 {negative}, i64 {p.position(value, length)}, i64 {value}")
        b.declarations["declare i64 @llvm.smax.i64(i64, i64)"] = None
        b.declarations["declare i64 @llvm.smin.i64(i64, i64)"] = None
        at = b.emit(f"call i64 @llvm.smax.i64(i64 {at}, i64 {low})")
        return b.emit(f"call i64 @llvm.smin.i64(i64 {at}, i64 {high})")

    first = bound(start, b.emit(f"select i1 {down}, i64 {high}, i64 {low}"))
    end = bound(stop, b.emit(f"select i1 {down}, i64 {low}, i64 {high}"))
    span = b.emit(f"sub i64 {end}, {first}")
    b.declarations["declare i64 @llvm.smax.i64(i64, i64)"] = None
    if step == 1:
        count = b.emit(f"call i64 @llvm.smax.i64(i64 {span}, i64 0)")
    else:
        # Counted in whole steps after the first, which cannot exceed an int64.
        none = b.emit(f"icmp eq i64 {span}, 0")
        wrong = b.emit(f"xor i64 {span}, {step}")
        wrong = b.emit(f"icmp slt i64 {wrong}, 0")
        none = b.emit(f"or i1 {none}, {wrong}")
        up = b.emit(f"select i1 {down}, i64 1, i64 -1")
        whole = b.emit(f"sdiv i64 {b.emit(f'add i64 {span}, {up}')}, {step}")
        count = b.emit(f"add i64 {whole}, 1")
        count = b.emit(f"select i1 {none}, i64 0, i64 {count}")
    return _safe_start(p, first, count), count, step


def _safe_start(p: Core, first: str, count: str) -> str:
    """Return `first`, or 0 if nothing is taken: no address outside the array is formed."""
    empty = p.b.emit(f"icmp eq i64 {count}, 0")
    return p.b.emit(f"select i1 {empty}, i64 0, i64 {first}")
