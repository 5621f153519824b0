"""Arrays joined along an axis: copied one after another, or item by item.

One by one, arrays of one item along the last axis would be copied to every third place, as the
colours of an image are. Vectors of a few are mixed, and written whole. Of more, as the columns of a
table are, vectors of so many items as there are lanes are turned: each then has a part of a row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from theano._core.base.dtypes import itemsize
from theano._core.ir.variable import Apply
from theano._core.lower import program as ir
from theano._core.lower.arrays import Array, Size
from theano._core.lower.builder import copies, joined_rows, layouts, views
from theano._core.lower.builder.core import Core
from theano._core.lower.kernel.expression import Emitted
from theano._core.lower.llvm.builder import Builder
from theano._core.lower.llvm.kernels.items import Part, has_masks, store, store_part
from theano._core.lower.llvm.target.codegen import lanes_of, smallest_masked_item
from theano._core.lower.llvm.text.emitter import Value

# More parts are turned: mixing takes a shuffle of each for every vector.
MOST = 12
# So many are turned at once, which have room in registers, and vectors of so many items.
MOST_TURNED, LONGEST = 24, 16
# Items of each part in a row of the loop, which threads share by rows.
ROW = 1 << 12


def join(p: Core, node: Apply, arrays: Sequence[Array], axis: int) -> Array:
    """Return arrays copied one after another along `axis`."""
    shape = views.joint_shape(p, node, arrays, axis)
    out = p.memory_for(node.outputs[0], shape)
    packed = _suit_vectors(p, arrays, out, axis)
    rows = joined_rows.may_join(p, arrays, out, axis) if packed is False else False
    if packed is not False:
        p.if_else(
            packed,
            lambda: _interleave(p, arrays, out),
            lambda: _copy_parts(p, arrays, out, axis),
        )
    elif rows is not False:
        for array in arrays:
            p.pointer(array)
        p.if_else(
            rows,
            lambda: joined_rows.join(p, arrays, out, axis),
            lambda: _copy_parts(p, arrays, out, axis, eager=False),
        )
    else:
        new = out.buffer is not None and isinstance(out.data, str)
        fit = views.agreement(p, arrays, axis) if new else ()
        around = [ir.Parts(str(out.data), tuple(fit))] if new else []
        p.block += around
        _copy_parts(p, arrays, out, axis)
        p.block += around
    return out


def reshape(p: Core, node: Apply, x: Array, vector: Array, ndim: int) -> Array:
    """Return `x` with other lengths; see `copies.reshape`."""
    return copies.reshape(p, node, _repeated(p, x), vector, ndim)


def _repeated(p: Core, x: Array) -> Array:
    """Return an array whose items are repeated along the last axis, in memory, if in vectors.

    That is a column that is joined with itself.
    """
    times = x.shape[-1] if x.ndim else 0
    longer = {i for i, n in enumerate(x.shape) if n != 1}
    if not isinstance(times, int) or not 1 < times <= MOST or x.contiguous is False:
        return x
    if x.ndim == 1 or x.broadcast_axes & longer != {x.ndim - 1}:
        return x
    if not has_masks(x.dtype, smallest_masked_item(p.vector_bits)) or itemsize(x.dtype) > 8:
        return x
    if isinstance(x.contiguous, str) and p.late is not None:
        return x
    out = p.new_array(x.dtype, x.shape)
    column = Array(x.dtype, (*x.shape[:-1], 1), p.pointer(x), contiguous=x.contiguous)
    p.if_else(
        x.contiguous,
        lambda: _interleave(p, [column], out, times),
        lambda: copies.copy_into(p, x, out),
    )
    return out


def _copy_parts(
    p: Core, arrays: Sequence[Array], out: Array, axis: int, eager: bool = True
) -> None:
    """Write a join part by part; see `copies.simple_loop`."""
    # Copies that turn out not to be needed have no kernel: see `copy_elision`.
    offer, p.offer = p.offer, None
    for array, part in zip(arrays, views.parts_of(p, arrays, out, axis), strict=True):
        copies.copy_into(p, array, part, eager)
    p.offer = offer


def _suit_vectors(p: Core, arrays: Sequence[Array], out: Array, axis: int) -> bool | str:
    """Tell whether arrays of one item along the last axis may be joined in vectors: if packed."""
    size = itemsize(out.dtype)
    masks = 0 < smallest_masked_item(p.vector_bits) <= size
    one_item = axis == out.ndim - 1 > 0 and all(a.shape[axis] == 1 for a in arrays)
    if size > 8 or not one_item or len(arrays) < 2 or not (masks or len(arrays) > MOST):
        return False
    if not _are_whole(arrays) or out.contiguous is not True:
        return False
    packed = layouts.all_contiguous(p, arrays)
    # Below a fence, nothing is compiled any more that may not be needed.
    return packed if p.late is None or packed is True else False


def _are_whole(arrays: Sequence[Array]) -> bool:
    ones = ({i for i, n in enumerate(a.shape) if n == 1} for a in arrays)
    return all(
        a.broadcast_axes <= one or _is_number(a) for a, one in zip(arrays, ones, strict=True)
    )


def _is_number(array: Array) -> bool:
    """Tell whether all items are one number, as those of a column of ones are."""
    longer = [i for i, n in enumerate(array.shape) if n != 1]
    return bool(longer) and array.broadcast_axes.issuperset(longer)


def _interleave(p: Core, arrays: Sequence[Array], out: Array, times: int = 1) -> None:
    """Write the join of packed arrays of one item along the last axis, or of one, `times`."""
    total = p.product([*out.shape[:-1], 1])
    count, size = len(arrays) * times, itemsize(out.dtype)
    parts, each, write = [0], count, _write
    if len(arrays) > MOST:
        chunks = -(-count // MOST_TURNED)
        each, write = -(-count // chunks), _write_turned
        # The last ones may be written twice.
        parts = [min(i * each, count - each) for i in range(chunks)]
    # Not as numbers, of which 1 would be no axis: vectors then went beyond what a thread is given.
    rows = p.let("sdiv", total, ROW)
    done = p.let("mul", rows, ROW)
    rest = p.let("sub", total, done)
    for start in parts:
        own, at = arrays[start : start + each], p.offset(start, size)
        target = Array(out.dtype, out.shape, views.moved(p, p.pointer(out), at))
        _join_rows(p, own, target, count, (rows, ROW), 0, write)
        _join_rows(p, own, target, count, (p.let("minimum", rest, 1), rest), done, write)


def _join_rows(
    p: Core,
    arrays: Sequence[Array],
    out: Array,
    count: int,
    shape: tuple[Size, Size],
    start: Size,
    write_vectors: Callable[..., None],
) -> None:
    """Write the loop over some items of arrays that are side by side in rows of `count` items."""
    size = itemsize(out.dtype)
    word, everywhere = f"uint{8 * size}", frozenset({0, 1})
    smallest = smallest_masked_item(p.vector_bits)
    lanes = lanes_of(size, p.vector_bits)
    if write_vectors is _write_turned:
        lanes = min(lanes, LONGEST, 1 << (len(arrays).bit_length() - 1))

    def part(data: str, items: int) -> str:
        return views.moved(p, data, p.offset(start, items * size))

    def write(
        b: Builder, index: Callable[[int], Value], base: Value, length: Value, *values: Value
    ) -> None:
        row, column, length = b.lane(index(0), 0), b.lane(index(1), 0), b.lane(length, 0)
        place = b.mul(b.add(b.mul(row, length), column), count * size)
        address = b.add(b.lane(base, 0), place)
        left = b.sub(length, column)
        write_vectors(b, address, left, values, (count, size, smallest))

    base = p.let("number", part(p.pointer(out), count), type="ptr")
    operands = [(p.scalar(n), everywhere) for n in (base, shape[1])]
    for array in arrays:
        if _is_number(array):
            operands.append((Array(word, (), p.pointer(array)), everywhere))
            continue
        data = part(p.pointer(array), 1)
        operands.append((Array(word, shape, data, contiguous=True), frozenset()))
    name = "interleave" if write_vectors is _write else "turn"
    body = Emitted(name, (count, size, smallest), write, 4 * min(count, MOST_TURNED)).body()
    copies.simple_loop(p, None, shape, operands, body, indexed=True, lanes=lanes)


def _write_turned(
    b: Builder, address: Value, left: Value, values: Sequence[Value], how: tuple[int, int, int]
) -> None:
    """Write vectors of some columns, of which `left` rows are there, row by row."""
    count, size, _ = how
    lanes = b.lanes
    starts = [*range(0, len(values) - lanes + 1, lanes)]
    if len(values) % lanes:
        starts.append(len(values) - lanes)

    def write_row(number: int, place: str, row: Value, done: str) -> None:
        more, following = b.gt(left, number), b.fresh_label("row")
        b.perform(f"br i1 {more.text}, label %{following}, label %{done}")
        b.label(following)
        store(b, row, place)

    for start in starts:
        rows = _turned(b, values[start : start + lanes])
        offsets = [(index * count + start) * size for index in range(lanes)]
        _write_vectors(b, address, offsets, rows, b.ge(left, lanes), write_row)


def _turned(b: Builder, columns: Sequence[Value]) -> list[Value]:
    """Return the rows of a square of columns: its quarters change places, and theirs."""
    result, lanes = list(columns), len(columns)
    half = lanes // 2
    while half:
        low = [lane if not lane & half else lanes + lane - half for lane in range(lanes)]
        high = [lane + half if not lane & half else lanes + lane for lane in range(lanes)]
        for i in range(lanes):
            if not i & half:
                one, two = result[i], result[i + half]
                result[i] = b.shuffle(one, two, low)
                result[i + half] = b.shuffle(one, two, high)
        half //= 2
    return result


def _write(
    b: Builder, address: Value, left: Value, values: Sequence[Value], how: tuple[int, int, int]
) -> None:
    """Write the first `left` of each of the values in turn: the first of each, then the second."""
    lanes, (count, size, smallest) = b.lanes, how
    left = b.mul(left, count)
    mixed = [_mixed(b, values, count, index) for index in range(count)]
    offsets = [index * lanes * size for index in range(count)]

    def write_part(number: int, place: str, value: Value, done: str) -> None:
        # The rest of the items, in the range of a vector.
        rest = b.at_least(b.at_most(b.sub(left, number * lanes), lanes), 0)
        store_part(b, value, place, Part(rest.text, smallest))

    _write_vectors(b, address, offsets, mixed, b.ge(left, count * lanes), write_part)


def _write_vectors(
    b: Builder,
    address: Value,
    offsets: Sequence[int],
    vectors: Sequence[Value],
    full: Value,
    write_some: Callable[[int, str, Value, str], None],
) -> None:
    """Write vectors: whole if `full`, else each by `write_some(number, place, vector, done)`.

    `done` is a label behind all of them.
    """
    places = []
    for offset in offsets:
        at = b.add(address, offset)
        places.append(b.emit(f"inttoptr i64 {at.text} to ptr"))
    whole, some, done = (b.fresh_label(name) for name in ("whole", "some", "written"))
    b.perform(f"br i1 {full.text}, label %{whole}, label %{some}")
    b.label(whole)
    for place, vector in zip(places, vectors, strict=True):
        store(b, vector, place)
    b.perform(f"br label %{done}")
    b.label(some)
    for index, (place, vector) in enumerate(zip(places, vectors, strict=True)):
        write_some(index, place, vector, done)
    b.perform(f"br label %{done}")
    b.label(done)


def _mixed(b: Builder, values: Sequence[Value], count: int, number: int) -> Value:
    """Return the vector of that number of those that `count` values are in turn, or one is."""
    lanes, result = b.lanes, values[0]
    places = range(number * lanes, (number + 1) * lanes)
    if len(values) == 1:
        return b.shuffle(result, result, [place // count for place in places])
    for i, value in enumerate(values[1:], 1):
        order = [
            lanes + place // count if place % count == i else (place // count if i == 1 else lane)
            for lane, place in enumerate(places)
        ]
        result = b.shuffle(result, value, order)
    return result
