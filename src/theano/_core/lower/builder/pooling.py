"""Pools: a loop over all windows, or one for each of their items."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from theano._core.ir.variable import Apply
from theano._core.lower.arrays import Array, Size
from theano._core.lower.builder import copies, kernel_choice
from theano._core.lower.builder.core import Core
from theano._core.lower.builder.window_memory import (
    converted,
    copy_converted,
    filled,
    in_dtype,
    part,
    walk,
)
from theano._core.lower.kernel.expression import Value, Writer
from theano._core.lower.kernel.loops import Loop
from theano._core.ops.elementwise.arithmetic import add, maximum
from theano._core.ops.nn.pooling import PoolWindows, lowest, sum_dtype

# Of smaller windows all items are read in one loop.
MOST_VIEWS = 18
# Of the values of some arrays and the one that is written: its new value.
Body = Callable[..., Value]


def pool(p: Core, node: Apply, w: PoolWindows, x: Array) -> Array:
    """Return the maximum, sum or average of each window."""
    mode, input_dtype = node.op.mode, x.dtype
    if mode == "max":
        dtype, first = input_dtype, lowest(input_dtype)
    else:
        dtype, first = sum_dtype(input_dtype, mode), 0
    wide = _padded(p, w, x, dtype, first)

    def larger(b: Writer, old: Value, item: Value) -> Value:
        return b.call(maximum, old, item, dtype=dtype)

    def added(b: Writer, old: Value, item: Value) -> Value:
        return b.call(add, old, item, dtype=dtype)

    out = _reduced(p, w, dtype, first, [wide], [], larger if mode == "max" else added)
    if mode.startswith("average"):
        _divide(p, mode, w, out)
    return in_dtype(p, out, input_dtype)


def spread_average(p: Core, node: Apply, w: PoolWindows, gz: Array) -> Array:
    """Return the gradient of sums or averages with respect to the images."""
    dtype = sum_dtype(gz.dtype)
    source = converted(p, gz, dtype)
    if node.op.mode != "sum":
        _divide(p, node.op.mode, w, source)
    wide = filled(p, dtype, (*_lead(w, gz), *w.padded))
    _spread(p, w, wide, [], [source], lambda b, old, item: b.add(old, item))
    return in_dtype(p, _inside(p, w, wide), gz.dtype)


def spread_maximum(
    p: Core, node: Apply, w: PoolWindows, x: Array, maxout: Array, gz: Array
) -> Array:
    """Return the gradient of maxima with respect to the images."""
    dtype = sum_dtype(gz.dtype)
    images = _padded(p, w, x, x.dtype, lowest(x.dtype))
    wide = filled(p, dtype, (*_lead(w, x), *w.padded))

    def body(b: Writer, old: Value, image: Value, largest: Value, g: Value) -> Value:
        more = b.add(old, b.cast(g, dtype))
        return b.select(b.eq(image, largest), more, old)

    _spread(p, w, wide, [images], [maxout, gz], body)
    return in_dtype(p, _inside(p, w, wide), gz.dtype)


def gather_maximum(
    p: Core, node: Apply, w: PoolWindows, x: Array, maxout: Array, gz: Array
) -> Array:
    """Return the sums of the items of `gz` where images are the maximum of a window."""
    dtype = sum_dtype(gz.dtype)
    images = _padded(p, w, x, x.dtype, lowest(x.dtype))
    source = _padded(p, w, gz, gz.dtype, 0)

    def body(b: Writer, old: Value, image: Value, g: Value, largest: Value) -> Value:
        more = b.add(old, b.cast(g, dtype))
        return b.select(b.eq(image, largest), more, old)

    out = _reduced(p, w, dtype, 0, [images, source], [maxout], body)
    return in_dtype(p, out, gz.dtype)


def _lead(w: PoolWindows, x: Array) -> tuple[Size, ...]:
    return x.shape[: x.ndim - len(w.images)]


def _inside(p: Core, w: PoolWindows, wide: Array) -> Array:
    """Return the part of padded images that is no border."""
    if w.padded == w.images:
        return wide
    lead = _lead(w, wide)
    at = (*(0 for _ in lead), *w.pads)
    view = part(p, wide, at, (*lead, *w.images), p.strides(wide))
    view.buffer = wide.buffer
    return view


def _padded(p: Core, w: PoolWindows, x: Array, dtype: str, number: float | int) -> Array:
    """Return images in which all windows lie."""
    if w.fits and x.dtype == dtype:
        return x
    wide = filled(p, dtype, (*_lead(w, x), *w.padded), number)
    copy_converted(p, x, _inside(p, w, wide))
    return wide


def _ready(p: Core, arrays: Sequence[Array]) -> None:
    """Have addresses and strides computed before the loops that use them."""
    for array in arrays:
        p.pointer(array)
        p.strides(array)


def _item(p: Core, w: PoolWindows, x: Array, item: Sequence[Size]) -> Array:
    """Return the view of an item of each window of padded images."""
    lead, own = _lead(w, x), p.strides(x)
    steps = zip(w.steps, own[len(lead) :], strict=True)
    strides = (*own[: len(lead)], *(p.offset(s, stride) for s, stride in steps))
    view = part(p, x, (*(0 for _ in lead), *item), (*lead, *w.result), strides)
    view.broadcast_axes = x.broadcast_axes
    return view


def _moving(arrays: Sequence[Array]) -> list[tuple[Array, frozenset[int]]]:
    return [(array, array.broadcast_axes) for array in arrays]


def _reduced(
    p: Core,
    w: PoolWindows,
    dtype: str,
    first: float | int,
    wide: Sequence[Array],
    narrow: Sequence[Array],
    body: Body,
) -> Array:
    """Return what `body` makes of `first` and the items of each window, one after the other.

    Of arrays in the lengths of padded images the item is taken; those that are `narrow` have one
    item for each window.
    """
    shape = (*_lead(w, wide[0]), *w.result)
    _ready(p, [*wide, *narrow])
    count = p.product(w.windows)
    if isinstance(count, int) and count * len(wide) <= MOST_VIEWS:
        items = np.ndindex(*map(int, w.windows))
        views = [_item(p, w, array, item) for item in items for array in wide]
        out = p.new_array(dtype, shape)

        def reduction(b: Writer, *values: Value) -> Value:
            total, rest = b.number(first, dtype), values[len(views) :]
            for i in range(0, len(views), len(wide)):
                total = body(b, total, *values[i : i + len(wide)], *rest)
            return total

        copies.simple_loop(p, out, shape, _moving([*views, *narrow]), reduction)
        return out
    out = filled(p, dtype, shape, first)
    _ready(p, [out])
    with walk(p, w.windows) as item:
        views = [_item(p, w, array, item) for array in wide]
        copies.simple_loop(p, out, shape, _moving([out, *views, *narrow]), body)
    return out


def _spread(
    p: Core,
    w: PoolWindows,
    out: Array,
    wide: Sequence[Array],
    narrow: Sequence[Array],
    body: Body,
) -> None:
    """Write what `body` makes of the items of the windows of `out`: shared ones in turn.

    There are zeros in `out`.
    """
    _ready(p, [out, *wide, *narrow])
    if _apart(w):
        _spread_at_once(p, w, out, wide, narrow, body)
        return
    with walk(p, w.windows) as item:
        target, *views = (_item(p, w, array, item) for array in (out, *wide))
        copies.simple_loop(p, target, target.shape, _moving([target, *views, *narrow]), body)


def _apart(w: PoolWindows) -> bool:
    """Tell whether windows are small and share no items."""
    if not all(isinstance(n, int) for n in (*w.windows, *w.steps)):
        return False
    apart = all(window <= step for window, step in zip(w.windows, w.steps, strict=True))
    return apart and math.prod(w.windows) <= MOST_VIEWS


def _spread_at_once(
    p: Core,
    w: PoolWindows,
    out: Array,
    wide: Sequence[Array],
    narrow: Sequence[Array],
    body: Body,
) -> None:
    """Write what `body` makes of zero and the items of windows in one loop over the windows."""
    items = list(np.ndindex(*map(int, w.windows)))
    targets = [_item(p, w, out, item) for item in items]
    operands = _moving([*(_item(p, w, array, item) for item in items for array in wide), *narrow])
    b = Writer([array.dtype for array, _ in operands])
    many, rest = len(wide), b.operands[len(wide) * len(items) :]
    zero = b.number(0, out.dtype)
    values = [
        body(b, zero, *b.operands[i * many : i * many + many], *rest) for i in range(len(items))
    ]
    loop = Loop(
        out.ndim,
        tuple((array.dtype, broadcast_axes) for array, broadcast_axes in operands),
        (out.dtype,) * len(items),
        (),
        (),
        b.body(values),
    )
    kernel_choice.run(p, loop, targets[0].shape, [array for array, _ in operands], targets, [])


def _divide(p: Core, mode: str, w: PoolWindows, out: Array) -> None:
    """Divide sums of windows by how many of their items count."""
    first = len(_lead(w, out))
    axes = list(zip(w.images, w.windows, w.steps, w.pads, strict=True))
    numbers = [p.scalar(n) for axis in axes for n in axis]

    def quotient(b: Writer, old: Value, *window_numbers: Value) -> Value:
        total = b.number(1, "int64")
        for axis in range(len(axes)):
            size, window, step, pad = window_numbers[4 * axis : 4 * axis + 4]
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
    copies.simple_loop(p, out, out.shape, operands, quotient, indexed=True)
