"""Products added to parts of an array that overlap: one loop, in pieces between the ends of parts.

In a piece, a part has all items or none. Where it has none, zeros are read in its place. So one
kernel does all pieces, whose addresses are chosen when the program runs. Where these would be very
many, what is added is copied once, with zeros around it, and there is one piece.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial, reduce
from typing import Any

import numpy as np

from theano._core.base.dtypes import itemsize
from theano._core.ir.variable import Apply
from theano._core.lower.arrays import Array, Size
from theano._core.lower.builder import copies, kernel_choice, pieces, views
from theano._core.lower.builder.core import Core
from theano._core.lower.kernel.expression import Value, Writer
from theano._core.ops.array.parts import Part
from theano._core.ops.core.op import constant
from theano._core.ops.elementwise.arithmetic import add, mul

# So many zeros are a constant of the program.
MOST_KEPT = 1024
# A part, what is added to it, and the numbers that this is multiplied by, known or to be read.
_Added = tuple[Part, Array, list[Any]]


def sum_of_parts(p: Core, node: Apply, x: Array, values: Sequence[Array]) -> Array:
    """Return `x`, which may be zeros, with products added to parts of it."""
    op = node.op
    overwrites = not op.zeros and _may_overwrite(p, node, x)
    if overwrites:
        result = x = copies.writable(p, node, x)
    else:
        result = p.memory_for(node.outputs[0], x.shape)
    added = list(_of_parts(node, values))
    arrays = [result, *([] if op.zeros else [x]), *(array for _, array, _ in added)]
    # Known before the loop, behind which they may be needed as well.
    for array in (*arrays, *(n for _, _, ns in added for n in ns if isinstance(n, Array))):
        p.pointer(array)
        p.strides(array)
    ends = [_Ends(part) for part in op.parts]
    (out, *read), ends = _joined(p, arrays, ends)
    if op.padded:
        _over_padded(p, node, [out, *read], ends, added)
        return result
    bounds = _bounds(p, out.shape, ends)
    none = _zeros(p, out, ends)
    one = p.pointer(p.pooled(out.dtype, np.ones((), out.dtype).tobytes()))
    numbers = [factors for _, _, factors in added]
    # Rows of pieces at the ends of the last axis are short, and few.
    lanes = p.vector_bits // 8 // itemsize(out.dtype) if out.ndim - 1 in bounds else 0
    with pieces.each_piece(p, out.shape, bounds) as (begin, lengths):
        operands = [(_piece(p, a, begin, lengths), a.broadcast_axes) for a in read[: -len(ends)]]
        for part, array, (_, _, factors) in zip(ends, read[-len(ends) :], added, strict=True):
            inside, start = _inside(p, part, out.shape, begin)
            piece = _read(p, array, start, inside, none, lengths)
            operands.append((piece, array.broadcast_axes))
            for factor in factors:
                if isinstance(factor, Array):
                    data = p.let("select", inside, p.pointer(factor), one, type="ptr")
                    scalar = _scalar(out, data)
                    operands.append((scalar, scalar.broadcast_axes))
        target = _piece(p, out, begin, lengths)
        copies.simple_loop(
            p, target, lengths, operands, lambda w, *v: _body(w, node, numbers, *v), lanes=lanes
        )
    return result


def _over_padded(
    p: Core, node: Apply, arrays: Sequence[Array], ends: Sequence[_Ends], added: Sequence[_Added]
) -> None:
    """Write the sum as one loop, over copies of what is added with zeros around them.

    What is multiplied by numbers that are not known is multiplied before: zeros stay zeros.
    """
    out, *read = arrays
    same: dict[Any, list[int]] = {}
    factors: list[list[Any]] = []
    for k, (_, array, numbers) in enumerate(added):
        scalars = any(isinstance(number, Array) for number in numbers)
        same.setdefault((id(array), *(map(id, numbers) if scalars else ())), []).append(k)
        factors.append([] if scalars else numbers)
    first = len(read) - len(ends)
    for group in same.values():
        k = group[0]
        before = added[k][2] if not factors[k] else []
        views_of = _padded(p, out, read[first + k], before, [ends[k] for k in group])
        for k, view in zip(group, views_of, strict=True):
            read[first + k] = view
    operands = [(a, a.broadcast_axes) for a in read]
    copies.simple_loop(p, out, out.shape, operands, lambda w, *v: _body(w, node, factors, *v))


def _padded(
    p: Core, out: Array, array: Array, factors: Sequence[Any], ends: Sequence[_Ends]
) -> list[Array]:
    """Return an array, times numbers, where it lies at each of some parts, and zeros elsewhere."""
    axes = range(out.ndim)
    most = [reduce(partial(p.let, "maximum"), [e.before[a] for e in ends]) for a in axes]
    least = [reduce(partial(p.let, "minimum"), [e.before[a] for e in ends]) for a in axes]
    shape = [p.plus(out.shape[a], p.let("sub", most[a], least[a])) for a in axes]
    whole = p.new_array(out.dtype, shape)
    copies.simple_loop(p, whole, shape, [], lambda w: w.number(0, out.dtype))

    def view(start: Sequence[Size], lengths: Sequence[Size]) -> Array:
        data, steps = p.pointer(whole), p.strides(whole)
        for at, step in zip(start, steps, strict=True):
            data = views.moved(p, data, p.let("mul", at, step))
        return Array(out.dtype, tuple(lengths), data, steps, False)

    scalars = [_scalar(out, p.pointer(f)) for f in factors if isinstance(f, Array)]
    operands = [(a, a.broadcast_axes) for a in (array, *scalars)]

    def product(w: Writer, value: Value, *numbers: Value) -> Value:
        return _product(w, value, factors, iter(numbers), out.dtype)

    copies.simple_loop(p, view(most, array.shape), array.shape, operands, product)
    starts = ([p.let("sub", most[a], e.before[a]) for a in axes] for e in ends)
    return [view(start, out.shape) for start in starts]


def _scalar(out: Array, data: str) -> Array:
    """Return the number at an address as an array that can be read at every point."""
    everywhere = frozenset(range(out.ndim))
    return Array(out.dtype, (1,) * out.ndim, data, (0,) * out.ndim, True, everywhere)


class _Ends:
    """How many items of each axis are before a part, and behind it."""

    def __init__(self, part: Part) -> None:
        self.before: list[Any] = list(part.before)
        self.behind: list[Any] = list(part.behind)


def _joined(p: Core, arrays: Sequence[Array], ends: list[_Ends]) -> tuple[list[Array], list[_Ends]]:
    """Return arrays whose axes behind the last one that parts end along are part of this one."""
    rank = arrays[0].ndim
    cut = [a for a in range(rank) for end in ends if end.before[a] or end.behind[a]]
    last = max(cut, default=rank - 1)
    if last == rank - 1 or any(a.contiguous is not True or a.broadcast_axes for a in arrays):
        return list(arrays), ends
    items = p.product(arrays[0].shape[last + 1 :])
    for end in ends:
        for counts in (end.before, end.behind):
            counts[last:] = [p.let("mul", items, counts[last])]
    return [
        Array(a.dtype, (*a.shape[:last], p.product(a.shape[last:])), p.pointer(a)) for a in arrays
    ], ends


def _of_parts(node: Apply, values: Sequence[Array]) -> Iterator[_Added]:
    """Return each part, what is added to it, and by what this is multiplied: numbers as such."""
    variables: list[Any] = node.inputs[1:]
    rest = iter(zip(variables, values, strict=True))
    for part in node.op.parts:
        _, array = next(rest)
        factors = [next(rest) for _ in range(part.factors)]
        yield (
            part,
            array,
            [v.data.item() if kernel_choice.is_number(v) else number for v, number in factors],
        )


def _body(w: Writer, node: Apply, factors: Sequence[Sequence[Any]], *read: Value) -> Value:
    """Write the sum at a point."""
    values, dtype = iter(read), node.outputs[0].type.dtype
    # A product with 0 may be -0, which a sum that begins with 0 is not.
    total = w.number(0, dtype) if node.op.zeros else next(values)
    for numbers in factors:
        product = _product(w, next(values), numbers, values, dtype)
        total = w.call(add, total, product, dtype=dtype)
    return total


def _product(
    w: Writer, value: Value, factors: Sequence[Any], read: Iterator[Value], dtype: str
) -> Value:
    """Write a product with numbers that are known, and others, which are read."""
    for factor in factors:
        number = next(read) if isinstance(factor, Array) else w.number(factor, dtype)
        value = w.call(mul, value, number, dtype=dtype)
    return value


def _may_overwrite(p: Core, node: Apply, x: Array) -> bool:
    """Tell whether nothing reads later what is added to, nor asks for the result elsewhere."""
    variable, out = node.inputs[0], node.outputs[0]
    elsewhere = p.row_of(out) is not None or out in p.in_place
    return not elsewhere and x.alone and p.uses.get(variable) == node.inputs.count(variable) == 1


def _bounds(p: Core, shape: Sequence[Size], parts: Sequence[_Ends]) -> dict[int, list[Size]]:
    """Return where pieces begin and end, by axis."""
    bounds: dict[int, list[Size]] = {}
    for axis, n in enumerate(shape):
        places = [p.let("minimum", n, part.before[axis]) for part in parts if part.before[axis]]
        places += [_end(p, n, part.behind[axis]) for part in parts if part.behind[axis]]
        if places:
            bounds[axis] = [0, *pieces.in_order(p, list(dict.fromkeys(places))), n]
    return bounds


def _end(p: Core, n: Size, behind: Size) -> Size:
    """Return where a part ends that leaves out so many items."""
    return n if behind == 0 else p.let("maximum", p.let("sub", n, behind), 0)


def _zeros(p: Core, out: Array, parts: Sequence[_Ends]) -> str:
    """Return the address of as many zeros as there are in a row of a piece without a part."""
    count = out.shape[-1]
    if out.ndim == 1:
        # Those pieces are at the ends, or the axis is so short.
        sides = [part.before[0] for part in parts], [part.behind[0] for part in parts]
        most = [reduce(lambda a, b: p.let("maximum", a, b), side) for side in sides]
        total = p.plus(*most)
        if isinstance(total, int) and total <= MOST_KEPT:
            return p.pointer(p.value(constant(np.zeros(total, out.dtype))))
        count = p.let("minimum", count, total)
    data = p.allocated(out.dtype, (count,), p.new_slot())
    row = Array(out.dtype, (count,), data)
    copies.simple_loop(p, row, row.shape, [], lambda w: w.number(0, out.dtype))
    return data


def _inside(
    p: Core, part: _Ends, shape: Sequence[Size], begin: dict[int, Size]
) -> tuple[Size, dict[int, Size]]:
    """Tell whether a part has the items of a piece, and where it has the first, by axis."""
    start: dict[int, Size] = {}
    inside: Size = 1
    for axis, at in begin.items():
        before, behind = part.before[axis], part.behind[axis]
        start[axis] = p.let("sub", at, before)
        if before:
            inside = p.let("and", inside, p.let("ge", at, before), type="bool")
        if behind:
            end = _end(p, shape[axis], behind)
            inside = p.let("and", inside, p.let("lt", at, end), type="bool")
    return inside, start


def _read(
    p: Core,
    array: Array,
    start: dict[int, Size],
    inside: Size,
    none: str,
    lengths: Sequence[Size],
) -> Array:
    """Return what is read of a part in a piece: its items, or zeros."""
    piece, last = _piece(p, array, start, lengths), array.ndim - 1
    if inside == 1:
        return piece
    steps = []
    for axis, step in enumerate(p.strides(piece)):
        moves = axis == last and axis not in array.broadcast_axes
        own = itemsize(array.dtype) if moves else 0
        steps.append(step if step == own else p.let("select", inside, step, own))
    data = p.let("select", inside, p.pointer(piece), none, type="ptr")
    packed = array.contiguous if array.ndim == 1 else False
    return piece.replace(data=data, strides=tuple(steps), contiguous=packed)


def _piece(p: Core, array: Array, begin: dict[int, Size], lengths: Sequence[Size]) -> Array:
    """Return so many items of an array, from where a piece begins by axis."""
    data, steps = p.pointer(array), p.strides(array)
    for axis, start in begin.items():
        if axis not in array.broadcast_axes:
            data = views.moved(p, data, p.let("mul", start, steps[axis]))
    packed = array.contiguous if set(begin) == {0} else False
    return Array(array.dtype, tuple(lengths), data, steps, packed, array.broadcast_axes)
