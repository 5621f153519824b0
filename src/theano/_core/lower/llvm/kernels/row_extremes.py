"""Where the extreme item of a short row is: the row in vectors, the last of them under a mask."""

from __future__ import annotations

from typing import Any

from theano._core.base.dtypes import is_discrete
from theano._core.lower.llvm.builder import Builder
from theano._core.lower.llvm.kernels.items import Part, has_masks, itemsize, load, load_part
from theano._core.lower.llvm.target.codegen import lanes_of, smallest_masked_item
from theano._core.lower.llvm.text.emitter import Value, is_signed

# How many items rows have, at least and at most, that are searched faster here. Of shorter ones
# the runtime searches as many as vectors have lanes; longer ones are as fast in NumPy's functions.
LENGTHS = 9, 128


def suit(dtype: str, bits: int) -> bool:
    """Tell whether rows of items may be searched here: real ones, if the processor has masks."""
    plain = dtype not in ("bool", "float16") and not dtype.startswith("complex")
    return plain and has_masks(dtype, smallest_masked_item(bits))


def place_of_extreme(
    b: Builder, dtype: str, bits: int, largest: bool, row: str, length: Value
) -> Any:
    """Return where the first extreme item, or the first NaN, of a row of some length is.

    The length is at least 1 and at most 128: positions are integers of the size of an item.
    """
    b.lanes, lanes = lanes_of(itemsize(dtype), bits), b.lanes
    kind = f"int{8 * itemsize(dtype)}"
    first = load(b, row, dtype, 1)
    start, zero = b.broadcast(first), b.const(0, kind)
    numbers = ", ".join(f"i{kind[3:]} {i}" for i in range(b.lanes))
    no = b.const(0, "bool")
    state = [start, zero, Value(f"<{numbers}>", kind, b.lanes), no]
    before, loop, end = b.block, b.fresh_label("row"), b.fresh_label("found")
    b.perform(f"br label %{loop}")
    b.label(loop)
    done = Value(f"%{loop}.done", "int64", 1)
    names = [Value(f"%{loop}.{i}", v.dtype, b.lanes) for i, v in enumerate(state)]
    for name, value in zip([done, *names], [b.const(0, "int64", 1), *state], strict=True):
        text = f"[{value.text}, %{before}], [{name.text}.next, %{loop}]"
        b.perform(f"{name.text} = phi {name.type} {text}")
    best, at, here, odd = names
    left = b.sub(length, done)
    count = b.select(b.lt(left, b.lanes), left, b.const(b.lanes, "int64", 1))
    offset = b.emit(f"getelementptr i8, ptr {row}, i64 {b.mul(done, itemsize(dtype)).text}")
    part = Part(count.text, smallest_masked_item(bits))
    words: Any = load_part(b, offset, dtype, part, start)
    items = Value(b.emit(f"bitcast {words.type} {words.text} to {start.type}"), dtype, b.lanes)
    better = b.gt(items, best) if largest else b.lt(items, best)
    new = [b.select(better, items, best), b.select(better, here, at), b.add(here, b.lanes)]
    new.append(odd if is_discrete(dtype) else b.bit_or(odd, b.isnan(items)))
    for name, value in zip([done, *names], [b.add(done, b.lanes), *new], strict=True):
        b.perform(f"{name.text}.next = bitcast {value.type} {value.text} to {value.type}")
    more = b.lt(b.add(done, b.lanes), length)
    b.perform(f"br i1 {more.text}, label %{loop}, label %{end}")
    b.label(end)
    nexts = (Value(f"{v.text}.next", v.dtype, v.lanes) for v in names[:2])
    where = _place(b, dtype, largest, *nexts)
    if not is_discrete(dtype):
        odd = Value(f"{odd.text}.next", "bool", b.lanes)
        where = _first_nan(b, dtype, row, odd, where)
    b.lanes = lanes
    return where


def _place(b: Builder, dtype: str, largest: bool, best: Value, at: Value) -> Value:
    """Return the least of the positions that lanes with the extreme item have."""
    end = "max" if largest else "min"
    name, flags = f"llvm.vector.reduce.{'s' if is_signed(dtype) else 'u'}{end}", ""
    if not is_discrete(dtype):
        # Lanes hold no NaN, since none is better than what was there, but for the first item.
        name, flags = f"llvm.vector.reduce.f{end}", "nnan "
    extreme = _reduced(b, name, best, flags)
    hit = b.eq(best, b.broadcast(extreme))
    place = b.select(hit, at, b.const(-1, at.dtype))
    return b.cast(_reduced(b, "llvm.vector.reduce.umin", place), "int64")


def _reduced(b: Builder, name: str, value: Value, flags: str = "") -> Value:
    """Return what an intrinsic makes of all lanes."""
    suffix = f"v{value.lanes}{'f' if value.dtype.startswith('float') else 'i'}"
    function = f"{name}.{suffix}{8 * itemsize(value.dtype)}"
    item = Value("", value.dtype, 1)
    b.declarations[f"declare {item.type} @{function}({value.type})"] = None
    return item.replace(
        text=b.emit(f"call {flags}{item.type} @{function}({value.type} {value.text})")
    )


def _first_nan(b: Builder, dtype: str, row: str, odd: Value, where: Value) -> Value:
    """Return the position of the first NaN if there is one, else `where`."""
    before, search, next_, done = b.block, *(b.fresh_label(n) for n in ("nan", "next", "done"))
    b.perform(f"br i1 {b.any(odd).text}, label %{search}, label %{done}")
    b.label(search)
    i = Value(f"%{search}.i", "int64", 1)
    b.perform(f"{i.text} = phi i64 [0, %{before}], [{i.text}.next, %{next_}]")
    at = b.emit(f"getelementptr i8, ptr {row}, i64 {b.mul(i, itemsize(dtype)).text}")
    is_nan = b.isnan(load(b, at, dtype, 1))
    b.perform(f"br i1 {is_nan.text}, label %{done}, label %{next_}")
    b.label(next_)
    b.perform(f"{i.text}.next = add i64 {i.text}, 1")
    b.perform(f"br label %{search}")
    b.label(done)
    return Value(b.emit(f"phi i64 [{where.text}, %{before}], [{i.text}, %{search}]"), "int64", 1)
