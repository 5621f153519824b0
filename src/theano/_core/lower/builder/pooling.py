"""Pools: one loop over all windows for each of their items."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from theano._core.ir.variable import Apply
from theano._core.lower.arrays import Array, Size
from theano._core.lower.builder import copies
from theano._core.lower.builder.core import Core
from theano._core.lower.builder.window_memory import (
    converted,
    copy_converted,
    discard,
    filled,
    part,
    walk,
)
from theano._core.lower.expression import Value, Writer
from theano._core.ops.arithmetic import add, maximum
from theano._core.ops.pooling import PoolWindows, lowest, sum_dtype

# Of the values of some arrays and the one that is written: its new value.
Body = Callable[..., Value]


def pool(p: Core, node: Apply, w: PoolWindows, x: Array) -> Array:
    """Return the maximum, sum or average of each window."""
    mode, given = node.op.mode, x.dtype
    if mode == "max":
        dtype, first = given, lowest(given)
    else:
        dtype, first = sum_dtype(given, mode), 0
    wide, temporary = _padded(p, w, x, dtype, first)
    out = filled(p, dtype, (*_lead(w, x), *w.result), first)

    def larger(b: Writer, old: Value, item: Value) -> Value:
        return b.call(maximum, old, item, dtype=dtype)

    def added(b: Writer, old: Value, item: Value) -> Value:
        return b.call(add, old, item, dtype=dtype)

    _over_items(p, w, out, [wide], [], larger if mode == "max" else added)
    if mode.startswith("average"):
        _divide(p, mode, w, out)
    return _finished(p, out, given, temporary)


def spread_average(p: Core, node: Apply, w: PoolWindows, gz: Array) -> Array:
    """Return the gradient of sums or averages with respect to the images."""
    dtype = sum_dtype(gz.dtype)
    source = converted(p, gz, dtype)
    if node.op.mode != "sum":
        _divide(p, node.op.mode, w, source)
    wide = filled(p, dtype, (*_lead(w, gz), *w.padded))
    _over_items(p, w, wide, [], [source], lambda b, old, item: b.add(old, item), spread=True)
    return _finished(p, _inside(p, w, wide), gz.dtype, [source])


def spread_maximum(
    p: Core, node: Apply, w: PoolWindows, x: Array, maxout: Array, gz: Array
) -> Array:
    """Return the gradient of maxima with respect to the images."""
    dtype = sum_dtype(gz.dtype)
    images, temporary = _padded(p, w, x, x.dtype, lowest(x.dtype))
    wide = filled(p, dtype, (*_lead(w, x), *w.padded))

    def body(b: Writer, old: Value, image: Value, largest: Value, g: Value) -> Value:
        more = b.add(old, b.cast(g, dtype))
        return b.select(b.eq(image, largest), more, old)

    _over_items(p, w, wide, [images], [maxout, gz], body, spread=True)
    return _finished(p, _inside(p, w, wide), gz.dtype, temporary)


def gather_maximum(
    p: Core, node: Apply, w: PoolWindows, x: Array, maxout: Array, gz: Array
) -> Array:
    """Return the sums of the items of `gz` where images are the maximum of a window."""
    dtype = sum_dtype(gz.dtype)
    images, one = _padded(p, w, x, x.dtype, lowest(x.dtype))
    source, two = _padded(p, w, gz, gz.dtype, 0)
    out = filled(p, dtype, (*_lead(w, x), *w.result))

    def body(b: Writer, old: Value, image: Value, g: Value, largest: Value) -> Value:
        more = b.add(old, b.cast(g, dtype))
        return b.select(b.eq(image, largest), more, old)

    _over_items(p, w, out, [images, source], [maxout], body)
    return _finished(p, out, gz.dtype, [*one, *two])


def _lead(w: PoolWindows, x: Array) -> tuple[Size, ...]:
    return x.lengths[: x.ndim - len(w.images)]


def _inside(p: Core, w: PoolWindows, wide: Array) -> Array:
    """Return the part of padded images that is no border."""
    if w.padded == w.images:
        return wide
    lead = _lead(w, wide)
    at = (*(0 for _ in lead), *w.pads)
    view = part(p, wide, at, (*lead, *w.images), p.strides(wide))
    view.buffer = wide.buffer
    return view


def _padded(
    p: Core, w: PoolWindows, x: Array, dtype: str, number: Any
) -> tuple[Array, list[Array]]:
    """Return images in which all windows lie, and what is to be given back of them."""
    if w.fits and x.dtype == dtype:
        return x, []
    wide = filled(p, dtype, (*_lead(w, x), *w.padded), number)
    copy_converted(p, x, _inside(p, w, wide))
    return wide, [wide]


def _over_items(
    p: Core,
    w: PoolWindows,
    out: Array,
    wide: Sequence[Array],
    narrow: Sequence[Array],
    body: Body,
    spread: bool = False,
) -> None:
    """Write a loop over all windows for each of their items.

    Of arrays in the lengths of padded images the item is taken; those that are `narrow` have one
    item for each window. What is written is `out`, or with `spread` its item.
    """
    lead = _lead(w, out)
    lengths = (*lead, *w.result)
    for array in (out, *wide, *narrow):
        p.pointer(array)
        p.strides(array)

    def item_of(array: Array, item: Sequence[Size]) -> Array:
        own = p.strides(array)
        steps = zip(w.steps, own[len(lead) :], strict=True)
        strides = (*own[: len(lead)], *(p.offset(s, stride) for s, stride in steps))
        view = part(p, array, (*(0 for _ in lead), *item), lengths, strides)
        view.stretched = array.stretched
        return view

    with walk(p, w.windows) as item:
        target = item_of(out, item) if spread else out
        operands = [target, *(item_of(array, item) for array in wide), *narrow]
        moving = [(array, array.stretched) for array in operands]
        copies.simple_loop(p, target, lengths, moving, body)


def _divide(p: Core, mode: str, w: PoolWindows, out: Array) -> None:
    """Divide sums of windows by how many of their items count."""
    first = len(_lead(w, out))
    axes = list(zip(w.images, w.windows, w.steps, w.pads, strict=True))
    numbers = [p.scalar(n) for axis in axes for n in axis]

    def quotient(b: Writer, old: Value, *given: Value) -> Value:
        total = b.number(1, "int64")
        for axis in range(len(axes)):
            size, window, step, pad = given[4 * axis : 4 * axis + 4]
            start = b.mul(b.index(first + axis), step)
            end = b.add(size, pad)
            if mode == "average_inc_pad":
                end = b.add(end, pad)
            end = b.minimum(b.add(start, window), end)
            if mode == "average_exc_pad":
                start = b.maximum(start, pad)
            total = b.mul(total, b.maximum(b.sub(end, start), b.number(1, "int64")))
        return b.divide(old, b.cast(total, out.dtype))

    everywhere = frozenset(range(out.ndim))
    operands = [(out, frozenset[int]()), *((n, everywhere) for n in numbers)]
    copies.simple_loop(p, out, out.lengths, operands, quotient, indexed=True)


def _finished(p: Core, result: Array, dtype: str, temporary: list[Array]) -> Array:
    """Return the result in a dtype, and give other memory back."""
    if result.dtype != dtype:
        temporary = [*temporary, result]
        result = converted(p, result, dtype)
    for array in temporary:
        discard(p, array)
    return result
