"""Arrays joined along an axis: copied one after another, or item by item.

One by one, arrays of one item along the last axis would be copied to every third place, as the
colours of an image are. Vectors of each are mixed, and written whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from theano._core.base.dtypes import itemsize
from theano._core.ir.variable import Apply
from theano._core.lower import program as ir
from theano._core.lower.arrays import Array, Size
from theano._core.lower.builder import copies, views
from theano._core.lower.builder.core import Core
from theano._core.lower.kernel.expression import Emitted
from theano._core.lower.llvm.builder import Builder
from theano._core.lower.llvm.kernels.items import Part, store, store_part
from theano._core.lower.llvm.target.codegen import lanes_of, smallest_masked_item
from theano._core.lower.llvm.text.emitter import Value

# Of more parts the shuffles are too many to compile.
MOST = 12
# Items of each part in a row of the loop, which threads share by rows.
ROW = 1 << 12


def join(p: Core, node: Apply, arrays: Sequence[Array], axis: int) -> Array:
    """Return arrays copied one after another along `axis`."""
    shape = views.joint_shape(p, node, arrays, axis)
    out = p.memory_for(node.outputs[0], shape)
    if _suit_vectors(p, arrays, out, axis):
        _interleave(p, arrays, out)
        return out
    if out.buffer is not None and isinstance(out.data, str):
        p.block.append(ir.Parts(out.data))
    start: Size = 0
    # Copies that turn out not to be needed have no kernel: see `copy_elision`.
    offer, p.offer = p.offer, None
    steps = p.strides(out)
    for array in arrays:
        part = Array(
            out.dtype,
            tuple(array.shape),
            views.moved(p, out.data, p.offset(start, steps[axis])),
            steps,
            axis == 0 or all(n == 1 for n in shape[:axis]),
        )
        copies.copy_into(p, array, part)
        start = p.plus(start, array.shape[axis])
    p.offer = offer
    return out


def _suit_vectors(p: Core, arrays: Sequence[Array], out: Array, axis: int) -> bool:
    """Tell whether arrays of one item along the last axis may be joined in vectors."""
    size = itemsize(out.dtype)
    masks = 0 < smallest_masked_item(p.vector_bits) <= size <= 8
    one_item = axis == out.ndim - 1 > 0 and all(a.shape[axis] == 1 for a in arrays)
    packed = all(a.contiguous is True for a in (*arrays, out))
    return 1 < len(arrays) <= MOST and masks and one_item and packed and _are_whole(arrays)


def _are_whole(arrays: Sequence[Array]) -> bool:
    return all(a.broadcast_axes <= {i for i, n in enumerate(a.shape) if n == 1} for a in arrays)


def _interleave(p: Core, arrays: Sequence[Array], out: Array) -> None:
    """Write the join of packed arrays of one item along the last axis."""
    total = p.product(arrays[0].shape)
    # Not as numbers, of which 1 would be no axis: vectors then went beyond what a thread is given.
    rows = p.let("sdiv", total, ROW)
    done = p.let("mul", rows, ROW)
    rest = p.let("sub", total, done)
    _join_rows(p, arrays, out, (rows, ROW), 0)
    _join_rows(p, arrays, out, (p.let("minimum", rest, 1), rest), done)


def _join_rows(
    p: Core, arrays: Sequence[Array], out: Array, shape: tuple[Size, Size], start: Size
) -> None:
    size, count = itemsize(out.dtype), len(arrays)
    word, everywhere = f"uint{8 * size}", frozenset({0, 1})
    smallest = smallest_masked_item(p.vector_bits)

    def part(data: str, items: int) -> str:
        return views.moved(p, data, p.offset(start, items * size))

    def write(
        b: Builder, index: Callable[[int], Value], base: Value, length: Value, *values: Value
    ) -> None:
        row, column, length = b.lane(index(0), 0), b.lane(index(1), 0), b.lane(length, 0)
        place = b.mul(b.add(b.mul(row, length), column), count * size)
        address = b.add(b.lane(base, 0), place)
        left = b.mul(b.sub(length, column), count)
        _write(b, address, left, values, size, smallest)

    base = p.let("number", part(p.pointer(out), count), kind="ptr")
    operands = [(p.scalar(n), everywhere) for n in (base, shape[1])]
    for array in arrays:
        data = part(p.pointer(array), 1)
        operands.append((Array(word, shape, data, contiguous=True), frozenset()))
    body = Emitted("interleave", (count, size, smallest), write, 4 * count).body()
    lanes = lanes_of(size, p.vector_bits)
    copies.simple_loop(p, None, shape, operands, body, indexed=True, lanes=lanes)


def _write(
    b: Builder, address: Value, left: Value, values: Sequence[Value], size: int, smallest: int
) -> None:
    """Write the first `left` items of the values in turn: the first of each, then the second."""
    lanes, count = b.lanes, len(values)
    whole, some, done = (b.fresh_label(name) for name in ("whole", "some", "written"))
    mixed = [_mixed(b, values, number) for number in range(count)]
    places = []
    for number in range(count):
        at = b.add(address, number * lanes * size)
        places.append(b.emit(f"inttoptr i64 {at.text} to ptr"))
    full = b.ge(left, count * lanes)
    b.perform(f"br i1 {full.text}, label %{whole}, label %{some}")
    b.label(whole)
    for place, value in zip(places, mixed, strict=True):
        store(b, value, place)
    b.perform(f"br label %{done}")
    b.label(some)
    for number, (place, value) in enumerate(zip(places, mixed, strict=True)):
        # The rest of the items, in the range of a vector.
        rest = b.at_least(b.at_most(b.sub(left, number * lanes), lanes), 0)
        store_part(b, value, place, Part(rest.text, smallest))
    b.perform(f"br label %{done}")
    b.label(done)


def _mixed(b: Builder, values: Sequence[Value], number: int) -> Value:
    """Return the vector of that number of those that the values are in turn."""
    lanes, count = b.lanes, len(values)
    places = range(number * lanes, (number + 1) * lanes)
    result = values[0]
    for i, value in enumerate(values[1:], 1):
        order = [
            lanes + place // count if place % count == i else (place // count if i == 1 else lane)
            for lane, place in enumerate(places)
        ]
        result = b.shuffle(result, value, order)
    return result
