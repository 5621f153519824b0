"""Where items at arrays of positions are, and how vectors of them are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from theano._core.base.records import Record
from theano._core.lower.llvm.kernels.items import itemsize, load, store
from theano._core.lower.llvm.text.emitter import ComplexValue, Value, llvm_type


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
    """

    rank: int
    at: tuple[int, ...]
    walked: tuple[tuple[int, int], ...]

    def write(self, b: Any, index: Callable[..., object], values: Sequence[Any]) -> Any:
        """Write it, of the positions, the array's address, strides and lengths, and the loop's."""
        count, n = len(self.at), self.rank
        base, rest = values[count], values[count + 1 :]
        steps, own, extents = rest[:n], rest[n : 2 * n], rest[2 * n :]
        for place, axis in zip(values, self.at, strict=False):
            where = b.cast(place, "int64")
            if not never_negative(place.dtype):
                where = b.select(b.lt(where, 0), b.add(where, own[axis]), where)
            base = b.add(base, b.mul(where, steps[axis]))
        for axis, source in self.walked:
            # Lanes past the end of a row must not leave the array.
            where = b.minimum(index(axis), b.sub(extents[axis], 1))
            base = b.add(base, b.mul(where, steps[source]))
        return base

    def write_each(self, b: Any, index: Callable[..., Any], values: Sequence[Any]) -> list[Any]:
        """Write it for each lane alone; see `write`."""
        count = len(self.at)
        same = [b.lane(value, 0) for value in values[count:]]

        def of_lane(i: int) -> Any:
            places = [b.lane(value, i) for value in values[:count]]
            return self.write(b, lambda axis: b.lane(index(axis), i), [*places, *same])

        return [of_lane(i) for i in range(values[0].lanes)]


def never_negative(dtype: str) -> bool:
    """Tell whether positions of a dtype are positions as int64, too, without a look at them."""
    return dtype.startswith("uint") and itemsize(dtype) < 8


def gathered(
    b: Any,
    address: Address,
    index: Callable[..., Any],
    values: Sequence[Any],
    dtype: str,
    rows: bool,
) -> Any:
    """Return the items at an address in each lane.

    Where `rows`, the lanes run along an axis of the array, and may be neighbours in memory.
    """
    lanes, size = values[0].lanes, itemsize(dtype)
    if lanes == 1:
        (at,) = address.write_each(b, index, values)
        return load(b, b.emit(f"inttoptr i64 {at.text} to ptr"), dtype, 1)
    item = f"i{8 * size}"
    type_ = f"<{lanes} x {item}>"
    if rows:
        packed = _neighbours(b, address.write(b, index, values), item)
    elif all(never_negative(value.dtype) for value in values[: len(address.at)]):
        # Numbers leave vectors one by one: narrow ones do so faster than addresses.
        packed = _apart(b, address.write_each(b, index, values), item)
    else:
        addresses = address.write(b, index, values)
        packed = _apart(b, [b.lane(addresses, i) for i in range(lanes)], item)
    if dtype.startswith("complex"):
        part = "float32" if dtype == "complex64" else "float64"
        wide = llvm_type(part, 2 * lanes)
        both = Value(b.emit(f"bitcast {type_} {packed} to {wide}"), part, 2 * lanes)
        real, imag = list(range(0, 2 * lanes, 2)), list(range(1, 2 * lanes, 2))
        return ComplexValue(b.shuffle(both, both, real), b.shuffle(both, both, imag))
    memory = "int8" if dtype == "bool" else dtype
    value = Value(b.emit(f"bitcast {type_} {packed} to {llvm_type(memory, lanes)}"), memory, lanes)
    return b.neq(value, 0) if dtype == "bool" else value


def _apart(b: Any, addresses: Sequence[Any], item: str) -> str:
    """Read one item at each address."""
    packed, type_ = "poison", f"<{len(addresses)} x {item}>"
    for i, address in enumerate(addresses):
        at = b.emit(f"inttoptr i64 {address.text} to ptr")
        bits = b.emit(f"load {item}, ptr {at}, align 1")
        packed = b.emit(f"insertelement {type_} {packed}, {item} {bits}, i64 {i}")
    return packed


def _are_neighbours(b: Any, addresses: Any, size: int) -> Any:
    """Tell whether items at evenly spaced addresses are neighbours in memory."""
    first, second, last = (b.lane(addresses, i) for i in (0, 1, addresses.lanes - 1))
    # Not so where the addresses of lanes past the end of a row were held back: the last may then be
    # as far from the first by chance.
    return b.bit_and(
        b.eq(b.sub(second, first), size),
        b.eq(b.sub(last, first), (addresses.lanes - 1) * size),
    )


def _neighbours(b: Any, addresses: Any, item: str) -> str:
    """Read items at evenly spaced addresses, at once if they are neighbours."""
    type_, size = f"<{addresses.lanes} x {item}>", int(item[1:]) // 8
    near, first = _are_neighbours(b, addresses, size), b.lane(addresses, 0)
    together, apart, join = (b.fresh_label(n) for n in ("together", "apart", "read"))
    b.perform(f"br i1 {near.text}, label %{together}, label %{apart}")
    b.label(together)
    at = b.emit(f"inttoptr i64 {first.text} to ptr")
    one = b.emit(f"load {type_}, ptr {at}, align 1")
    b.perform(f"br label %{join}")
    b.label(apart)
    two = _apart(b, [b.lane(addresses, i) for i in range(addresses.lanes)], item)
    b.perform(f"br label %{join}")
    b.label(join)
    return b.emit(f"phi {type_} [{one}, %{together}], [{two}, %{apart}]")


def write_lanes(b: Any, addresses: Any, value: Any, inside: Any, add: bool) -> None:
    """Write the items in the lanes of a value to the addresses, or add them to what is there.

    The lanes run along an axis of the array, so that no two of them meet. Those that are not
    `inside` are past the end of a row.
    """

    def change(at: str, item: Any) -> None:
        store(b, b.add(load(b, at, item.dtype, item.lanes), item) if add else item, at)

    def pointer(address: Any) -> str:
        return b.emit(f"inttoptr i64 {address.text} to ptr")

    lanes = addresses.lanes
    if lanes == 1:
        change(pointer(addresses), value)
        return
    places = [b.lane(addresses, i) for i in range(lanes)]
    near = _are_neighbours(b, addresses, itemsize(value.dtype))
    together, apart, done = (b.fresh_label(n) for n in ("together", "apart", "written"))
    b.perform(f"br i1 {near.text}, label %{together}, label %{apart}")
    b.label(together)
    change(pointer(places[0]), value)
    b.perform(f"br label %{done}")
    b.label(apart)
    for i, place in enumerate(places):
        # Lanes past the end are the last ones.
        more = b.fresh_label("lane")
        b.perform(f"br i1 {b.lane(inside, i).text}, label %{more}, label %{done}")
        b.label(more)
        change(pointer(place), b.lane(value, i))
    b.perform(f"br label %{done}")
    b.label(done)
