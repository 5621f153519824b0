"""Where items at arrays of positions are, and how vectors of them are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from theano._core.base.records import Record
from theano._core.lower.llvm.builder import Builder
from theano._core.lower.llvm.kernels.items import Part, has_masks, itemsize, load, load_part
from theano._core.lower.llvm.text.emitter import ComplexValue, Value, llvm_type

# Bytes of the items that processors gather, and the lanes from which on that is sooner done.
GATHERED = (4, 8)
FEWEST_GATHERED = 4


class Address(Record):
    """Where an item is, of an array that is read or written at arrays of positions.

    Attributes
    ----------
    rank : int
        Of the array.
    at : tuple of int
        Axes that have a position each.
    walked : tuple of (int, int)
        (axis of the loop, axis of the array) for the other ones.
    clamped : bool
        Whether positions beyond an axis are those of its ends.
    """

    rank: int
    at: tuple[int, ...]
    walked: tuple[tuple[int, int], ...]
    clamped: bool = False

    def write(self, b: Any, index: Callable[..., object], values: Sequence[Any]) -> Any:
        """Write it, of the positions, the array's address, strides and lengths, and the loop's."""
        count, n = len(self.at), self.rank
        base, rest = values[count], values[count + 1 :]
        steps, own, extents = rest[:n], rest[n : 2 * n], rest[2 * n :]
        for place, axis in zip(values, self.at, strict=False):
            where = b.cast(place, "int64")
            if not never_negative(place.dtype):
                where = b.select(b.lt(where, 0), b.add(where, own[axis]), where)
            if self.clamped:
                # As a number without sign, one before the first is far behind the last.
                where = b.intrinsic("llvm.umin", where, b.sub(own[axis], 1))
            base = b.add(base, b.mul(where, steps[axis]))
        for axis, source in self.walked:
            # Lanes past the end of a row must not leave the array.
            where = b.minimum(index(axis), b.sub(extents[axis], 1))
            base = b.add(base, b.mul(where, steps[source]))
        return base

    def write_row(
        self, b: Any, index: Callable[..., Any], values: Sequence[Any], last: int
    ) -> tuple[Any, Any, Any]:
        """Write it for the first lane of some that run along `last`, an axis of the loop.

        The other results: the bytes from a lane to the next, and the lanes up to the row's end.
        """
        firsts, count = [b.lane(value, 0) for value in values], len(self.at)
        address = self.write(b, lambda axis: b.lane(index(axis), 0), firsts)
        steps, extents = firsts[count + 1 :], firsts[count + 1 + 2 * self.rank :]
        left = b.sub(extents[last], b.lane(index(last), 0))
        return address, steps[dict(self.walked)[last]], left

    def write_each(self, b: Any, index: Callable[..., Any], values: Sequence[Any]) -> list[Any]:
        """Write it for each lane alone; see `write`."""
        count = len(self.at)
        same = [b.lane(value, 0) for value in values[count:]]

        def of_lane(i: int) -> Any:
            places = [b.lane(value, i) for value in values[:count]]
            return self.write(b, lambda axis: b.lane(index(axis), i), [*places, *same])

        return [of_lane(i) for i in range(values[0].lanes)]


def _are_narrow(places: Sequence[Any]) -> bool:
    return all(never_negative(place.dtype) for place in places)


def never_negative(dtype: str) -> bool:
    """Tell whether positions of a dtype are positions as int64, too, without a look at them."""
    return dtype.startswith("uint") and itemsize(dtype) < 8


def gathered(
    b: Any,
    address: Address,
    index: Callable[..., Any],
    values: Sequence[Any],
    dtype: str,
    last: int,
) -> Any:
    """Return the items at an address in each lane.

    If not -1, `last` is the axis of the loop that lanes run along, and one of the array: they may
    be neighbours in memory.
    """
    lanes, size = values[0].lanes, itemsize(dtype)
    if lanes == 1:
        (at,) = address.write_each(b, index, values)
        return load(b, b.emit(f"inttoptr i64 {at.text} to ptr"), dtype, 1)
    type_ = f"<{lanes} x i{8 * size}>"
    if last >= 0:
        packed = _of_row(b, address, index, values, last, size)
    elif not _has_gather(b, lanes, size) and _are_narrow(values[: len(address.at)]):
        # Numbers leave vectors one by one: narrow ones do so faster than addresses.
        packed = _each(b, address.write_each(b, index, values), size)
    else:
        packed = _maybe_neighbours(b, address.write(b, index, values), size)
    if dtype.startswith("complex"):
        part = "float32" if dtype == "complex64" else "float64"
        wide = llvm_type(part, 2 * lanes)
        both = Value(b.emit(f"bitcast {type_} {packed} to {wide}"), part, 2 * lanes)
        real, imag = list(range(0, 2 * lanes, 2)), list(range(1, 2 * lanes, 2))
        return ComplexValue(b.shuffle(both, both, real), b.shuffle(both, both, imag))
    memory = "int8" if dtype == "bool" else dtype
    value = Value(b.emit(f"bitcast {type_} {packed} to {llvm_type(memory, lanes)}"), memory, lanes)
    return b.neq(value, 0) if dtype == "bool" else value


def _maybe_neighbours(b: Any, addresses: Value, size: int) -> str:
    """Read the items at some addresses, at once if they lie side by side.

    Positions of windows and of parts do. To find that out takes little beside reading each.
    """
    lanes, type_ = addresses.lanes, f"<{addresses.lanes} x i{8 * size}>"
    first = b.lane(addresses, 0)
    steps = Value(f"<{', '.join(f'i64 {i * size}' for i in range(lanes))}>", "int64", lanes)
    apart_somewhere = b.any(b.neq(b.sub(addresses, b.broadcast(first)), steps))
    beside, apart, join = (b.fresh_label(name) for name in ("beside", "apart", "read"))
    b.perform(f"br i1 {apart_somewhere.text}, label %{apart}, label %{beside}")
    b.label(beside)
    together = b.emit(f"load {type_}, ptr {_pointer(b, first)}, align 1")
    b.perform(f"br label %{join}")
    b.label(apart)
    each = _apart(b, addresses, size)
    b.perform(f"br label %{join}")
    b.label(join)
    return b.emit(f"phi {type_} [{together}, %{beside}], [{each}, %{apart}]")


def _has_gather(b: Any, lanes: int, size: int) -> bool:
    """Tell whether items at some addresses are best read by one instruction."""
    return b.gathers and lanes >= FEWEST_GATHERED and size in GATHERED


def _apart(b: Any, addresses: Value, size: int) -> str:
    """Read one item at each address of a vector."""
    lanes = addresses.lanes
    if not _has_gather(b, lanes, size):
        return _each(b, [b.lane(addresses, i) for i in range(lanes)], size)
    pointers, mask = f"<{lanes} x ptr>", f"<{lanes} x i1>"
    suffix, type_ = f"v{lanes}i{8 * size}", f"<{lanes} x i{8 * size}>"
    name = f"@llvm.masked.gather.{suffix}.v{lanes}p0"
    b.declarations[f"declare {type_} {name}({pointers}, i32, {mask}, {type_})"] = None
    at = b.emit(f"inttoptr {addresses.type} {addresses.text} to {pointers}")
    arguments = f"{pointers} {at}, i32 1, {mask} splat (i1 true), {type_} poison"
    return b.emit(f"call {type_} {name}({arguments})")


def _each(b: Any, addresses: Sequence[Any], size: int) -> str:
    """Read one item at each address, one after the other."""
    packed, item = "poison", f"i{8 * size}"
    type_ = f"<{len(addresses)} x {item}>"
    for i, address in enumerate(addresses):
        at = b.emit(f"inttoptr i64 {address.text} to ptr")
        bits = b.emit(f"load {item}, ptr {at}, align 1")
        packed = b.emit(f"insertelement {type_} {packed}, {item} {bits}, i64 {i}")
    return packed


def _of_row(
    b: Builder,
    address: Address,
    index: Callable[..., Value],
    values: Sequence[Value],
    last: int,
    size: int,
) -> str:
    """Read items of a row, at once if they are neighbours; lanes past its end get any number."""
    lanes = values[0].lanes
    type_ = f"<{lanes} x i{8 * size}>"
    # In vectors, of which there are more registers than of scalars: so few of these are stored
    # between the stores of rows, which then go to memory together.
    addresses = address.write(b, index, values)
    _, step, left = address.write_row(b, index, values, last)
    part, near, full = _part_of_row(b, left, size, lanes), b.eq(step, size), b.ge(left, lanes)
    names = ("beside", "together", "some", "apart", "read")
    beside, together, some, apart, join = (b.fresh_label(n) for n in names)
    pointer = _pointer(b, b.lane(addresses, 0))
    incoming = []
    b.perform(f"br i1 {near.text}, label %{beside}, label %{apart}")
    b.label(beside)
    b.perform(f"br i1 {full.text}, label %{together}, label %{apart if part is None else some}")
    b.label(together)
    incoming.append((b.emit(f"load {type_}, ptr {pointer}, align 1"), together))
    b.perform(f"br label %{join}")
    if part is not None:
        b.label(some)
        words: Any = load_part(b, pointer, f"int{8 * size}", part)
        incoming.append((words.text, some))
        b.perform(f"br label %{join}")
    b.label(apart)
    incoming.append((_apart(b, addresses, size), apart))
    b.perform(f"br label %{join}")
    b.label(join)
    return b.emit(f"phi {type_} " + ", ".join(f"[{text}, %{block}]" for text, block in incoming))


def _pointer(b: Builder, address: Value) -> str:
    return b.emit(f"inttoptr i64 {address.text} to ptr")


def _part_of_row(b: Builder, left: Value, size: int, lanes: int) -> Part | None:
    """Return which lanes are not past the end of a row, if the processor has masks for them."""
    if size > 8 or not has_masks(f"int{8 * size}", b.smallest_masked):
        return None
    return Part(b.select(b.lt(left, lanes), left, lanes).text, b.smallest_masked)
