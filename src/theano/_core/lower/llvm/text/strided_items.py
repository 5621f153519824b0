"""Functions that kernels share: they move items between a vector and strided memory.

Items that are side by side, or every other one, are moved in vectors, under masks where there are
not enough for all lanes and the processor has masks; others one by one. What lies between items, or
behind the last one, is never written, and is read only where an item behind it is.

Each is a module of its own, which the names of the function tells all of.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from theano._core.lower.llvm.text.masked import masked

# Of so many items one is moved: those of a channel, where channels lie side by side.
STEPS = (3, 4)
# Bytes of the largest items that are moved so; of wider ones a vector has too few.
WIDEST = 4
# Every other one of so many items in a row is moved.
_REACH = "  %twice = shl i64 %count, 1\n  %reach = sub i64 %twice, 1"
# The parameters of all functions.
_MOVED = "ptr %buffer, ptr %memory, i64 %stride, i64 %count"


_NAME = re.compile(r"@(gathered|scatter)(\d+)x(\d+)(m?)\.(\d+)")


def name_of(kind: str, size: int, lanes: int, under_masks: bool, vector_bits: int) -> str:
    """Return the name of a function for items of a size and vectors of so many.

    Parameters
    ----------
    kind : str
        'gathered': it returns a vector; 'scatter': it moves items from a buffer.
    size, lanes : int
    under_masks : bool
        Whether part of a vector is moved under a mask.
    vector_bits : int
        Of the target, on which it depends how vectors are returned.
    """
    return f"@{kind}{size}x{lanes}{'m' * under_masks}.{vector_bits}"


def declaration(name: str) -> str:
    """Return what a module has that calls a function."""
    kind, size, lanes, _, _ = _parts(name)
    result = f"<{lanes} x i{8 * size}>" if kind == "gathered" else "void"
    return f"declare {result} {name}(ptr, ptr, i64, i64) nounwind"


def module_of(name: str) -> tuple[str, int] | None:
    """Return the module of a function, and for which width of vectors; None: there is none."""
    if _NAME.fullmatch(name) is None:
        return None
    kind, size, lanes, under_masks, vector_bits = _parts(name)
    write = _gathered if kind == "gathered" else _scatter
    lines = [write(kind, name, size, lanes, under_masks)]
    if under_masks:
        lines += [_masked(access, size, lanes)[1] for access in ("load", "store")]
    return "\n".join(lines) + "\n", vector_bits


def modules_for(text: str) -> Iterable[tuple[str, int]]:
    """Return the modules of the functions that a text calls, and for which width of vectors."""
    modules = map(module_of, dict.fromkeys(match[0] for match in _NAME.finditer(text)))
    return [module for module in modules if module is not None]


def _parts(name: str) -> tuple[str, int, int, bool, int]:
    match = _NAME.fullmatch(name)
    assert match is not None
    kind, size, lanes, under_masks, vector_bits = match.groups()
    return kind, int(size), int(lanes), bool(under_masks), int(vector_bits)


def _masked(access: str, size: int, lanes: int) -> tuple[str, str]:
    bits = 8 * size
    return masked(access, f"<{lanes} x i{bits}>", f"v{lanes}i{bits}", f"<{lanes} x i1>")


def near_items(
    b: Any, at: str, stride: str, whole: str, size: int, call: str, spaced: bool = False
) -> str:
    """Write how a vector of items is read: neighbours, and every other item, where they are.

    Others, and vectors that are not `whole`, are read by `call`. If they are likely to be `spaced`,
    one of every few items is read here, too; so are a few wide items, wherever they lie, since a
    call keeps no vector in a register.
    """
    lanes: int = b.lanes
    vector = f"<{lanes} x i{8 * size}>"
    names = ("near", "side", "back", "twice", "far", "read")
    near, side, back, twice, far, read = (b.fresh_label(name) for name in names)
    apart = b.fresh_label("apart") if size > WIDEST else far
    b.perform(f"br i1 {whole}, label %{near}, label %{far}")
    b.label(near)
    cases = f"i64 {size}, label %{side} i64 {-size}, label %{back} i64 {2 * size}, label %{twice}"
    steps = STEPS if spaced and size <= WIDEST else ()
    labels = [b.fresh_label("every") for _ in steps]
    for step, label in zip(steps, labels, strict=True):
        cases += f" i64 {step * size}, label %{label}"
    b.perform(f"switch i64 {stride}, label %{apart} [{cases}]")
    b.label(side)
    neighbours = b.emit(f"load {vector}, ptr {at}, align 1")
    b.perform(f"br label %{read}")
    b.label(back)
    last = b.emit(f"getelementptr i8, ptr {at}, i64 {(1 - lanes) * size}")
    row = b.emit(f"load {vector}, ptr {last}, align 1")
    backwards = _numbers(reversed(range(lanes)), "i32")
    turned = b.emit(f"shufflevector {vector} {row}, {vector} {row}, {backwards}")
    b.perform(f"br label %{read}")
    b.label(twice)
    second = b.emit(f"getelementptr i8, ptr {at}, i64 {(lanes - 1) * size}")
    low = b.emit(f"load {vector}, ptr {at}, align 1")
    high = b.emit(f"load {vector}, ptr {second}, align 1")
    evens = b.emit(f"shufflevector {vector} {low}, {vector} {high}, {_evens(lanes)}")
    b.perform(f"br label %{read}")
    each = f"[{neighbours}, %{side}], [{turned}, %{back}], [{evens}, %{twice}]"
    for step, label in zip(steps, labels, strict=True):
        b.label(label)
        lines, picked = _picked(f"%{label}", at, step, size, lanes)
        for line in (*lines, f"br label %{read}"):
            b.perform(line)
        each += f", [{picked}, %{label}]"
    if apart != far:
        b.label(apart)
        each += f", [{_one_by_one_in_register(b, at, stride, size, lanes)}, %{apart}]"
        b.perform(f"br label %{read}")
    b.label(far)
    called = b.emit(f"call {vector} {call}")
    b.perform(f"br label %{read}")
    b.label(read)
    each += f", [{called}, %{far}]"
    return b.emit(f"phi {vector} {each}")


def _one_by_one_in_register(b: Any, at: str, stride: str, size: int, lanes: int) -> str:
    """Write how items are read one after the other; return the vector of them."""
    item, vector, value = f"i{8 * size}", f"<{lanes} x i{8 * size}>", "poison"
    for lane in range(lanes):
        at = b.emit(f"getelementptr i8, ptr {at}, i64 {stride}") if lane else at
        read = b.emit(f"load {item}, ptr {at}, align 1")
        value = b.emit(f"insertelement {vector} {value}, {item} {read}, i64 {lane}")
    return value


def _gathered(kind: str, name: str, size: int, lanes: int, under_masks: bool) -> str:
    """Return a function that reads a vector of strided items, if not by `near_items`.

    A vector that was just written in parts would have to wait for them all to be read at once, so
    a whole one is gathered in a register. One that is not whole may go through `%buffer`.
    """
    item, vector = f"i{8 * size}", f"<{lanes} x i{8 * size}>"
    apart, pointer, value = [], "%memory", "poison"
    for i in range(lanes):
        apart += [
            f"  %g{i} = load {item}, ptr {pointer}, align 1",
            f"  %v{i} = insertelement {vector} {value}, {item} %g{i}, i64 {i}",
            f"  %m{i} = getelementptr i8, ptr {pointer}, i64 %stride",
        ]
        pointer, value = f"%m{i}", f"%v{i}"
    lines = "\n".join(apart)
    last = (lanes - 1) * size
    backwards = _numbers(reversed(range(lanes)), "i32")
    part = _part_under_masks(size, lanes) if under_masks else "part:\n  br label %some"
    steps = STEPS if size <= WIDEST else ()
    steps = (*steps, *(-step for step in steps))
    cases = "".join(f" i64 {step * size}, label %{_label(step)}" for step in steps)
    every = "\n".join(_each_of(step, size, lanes) for step in steps)
    return f"""define {vector} {name}({_MOVED}) nounwind {{
entry:
  %whole = icmp eq i64 %count, {lanes}
  br i1 %whole, label %vector, label %part
vector:
  %backwards = icmp eq i64 %stride, {-size}
  br i1 %backwards, label %reverse, label %spaced
spaced:
  switch i64 %stride, label %apart [{cases}]
reverse:
  %back = getelementptr i8, ptr %memory, i64 {-last}
  %row = load {vector}, ptr %back, align 1
  %turned = shufflevector {vector} %row, {vector} %row, {backwards}
  ret {vector} %turned
{every}
apart:
{lines}
  ret {vector} {value}
{part}
{_one_by_one("gathered", size)}
  %read = load {vector}, ptr %buffer, align 1
  ret {vector} %read
}}"""


def _label(step: int) -> str:
    return f"{'each' if step > 0 else 'back'}{abs(step)}"


def _each_of(step: int, size: int, lanes: int) -> str:
    """Return a block that picks one of every `step` items from the vectors that they lie in.

    Below 0, the last item comes first.
    """
    vector, label = f"<{lanes} x i{8 * size}>", _label(step)
    at = "%memory"
    before = [f"{label}:"]
    if step < 0:
        at = f"%{label}.first"
        before.append(f"{at} = getelementptr i8, ptr %memory, i64 {(lanes - 1) * step * size}")
    lines, chosen = _picked(f"%{label}", at, abs(step), size, lanes)
    if step < 0:
        order = _numbers(reversed(range(lanes)), "i32")
        turned = f"%{label}.turned"
        lines.append(f"{turned} = shufflevector {vector} {chosen}, {vector} {chosen}, {order}")
        chosen = turned
    return "\n  ".join([*before, *lines, f"ret {vector} {chosen}"])


def _picked(name: str, at: str, step: int, size: int, lanes: int) -> tuple[list[str], str]:
    """Return lines that pick one of every `step` items, and the vector of them."""
    vector, lines = f"<{lanes} x i{8 * size}>", []
    # None goes beyond the last item.
    last = (lanes - 1) * step + 1 - lanes
    firsts = [min(index * lanes, last) for index in range(step)]
    chosen = ""
    for number, first in enumerate(firsts):
        part = f"{name}.{number}"
        lines += [
            f"{part}.at = getelementptr i8, ptr {at}, i64 {first * size}",
            f"{part} = load {vector}, ptr {part}.at, align 1",
        ]
        if number:
            taken = [lane if number > 1 else lane * step % lanes for lane in range(lanes)]
            for lane in range(lanes):
                if lane * step // lanes == number:
                    taken[lane] = lanes + lane * step - first
            pair = f"{vector} {chosen}, {vector} {part}, {_numbers(taken, 'i32')}"
            lines.append(f"{part}.of = shufflevector {pair}")
            part += ".of"
        chosen = part
    return lines, chosen


def _evens(lanes: int) -> str:
    """Return which items of two vectors are every other one; they share an item."""
    return _numbers((n if n < lanes else n + 1 for n in range(0, 2 * lanes, 2)), "i32")


def _scatter(kind: str, name: str, size: int, lanes: int, under_masks: bool) -> str:
    """Return a function that moves `count` items from a buffer to strided memory.

    A whole vector of neighbours is one item.
    """
    vector = f"<{lanes} x i{8 * size}>"
    near = _spread_under_masks(size, lanes) if under_masks else "part:\n  br label %apart"
    return f"""define void {name}({_MOVED}) nounwind {{
entry:
  %whole = icmp eq i64 %count, {lanes}
  %packed = icmp eq i64 %stride, {size}
  %near = and i1 %whole, %packed
  br i1 %near, label %copy, label %part
copy:
  %neighbours = load {vector}, ptr %buffer, align 1
  store {vector} %neighbours, ptr %memory, align 1
  ret void
{near}
{_spread(size, lanes)}
{_one_by_one(kind, size)}
  ret void
}}"""


def _spread(size: int, lanes: int) -> str:
    """Return blocks that write each item of a whole vector where it belongs; others go on."""
    lines, place = ["apart:", "  br i1 %whole, label %spread, label %some", "spread:"], "%memory"
    for i in range(lanes):
        lines += [
            f"  %from{i} = getelementptr i8, ptr %buffer, i64 {i * size}",
            f"  %item{i} = load i{8 * size}, ptr %from{i}, align 1",
            f"  store i{8 * size} %item{i}, ptr {place}, align 1",
            f"  %place{i} = getelementptr i8, ptr {place}, i64 %stride",
        ]
        place = f"%place{i}"
    return "\n".join([*lines, "  ret void"])


def _part_under_masks(size: int, lanes: int) -> str:
    """Return blocks that read some items side by side, or every other one, and go on for others."""
    vector, (load, _) = f"<{lanes} x i{8 * size}>", _masked("load", size, lanes)
    rest, backwards = f"{vector} zeroinitializer", range(lanes - 1, -1, -1)
    cases = f"i64 {size}, label %side i64 {-size}, label %behind i64 {2 * size}, label %sides"
    return f"""part:
  switch i64 %stride, label %some [{cases}]
behind:
{_mask("behind", "%count", backwards)}
  %lowest = getelementptr i8, ptr %memory, i64 {(1 - lanes) * size}
  %before = call {vector} {load}(ptr %lowest, i32 1, <{lanes} x i1> %behind.mask, {rest})
  %swapped = shufflevector {vector} %before, {vector} poison, {_numbers(backwards, "i32")}
  ret {vector} %swapped
side:
{_mask("side", "%count", range(lanes))}
  %few = call {vector} {load}(ptr %memory, i32 1, <{lanes} x i1> %side.mask, {rest})
  ret {vector} %few
sides:
{_REACH}
{_mask("one", "%reach", range(lanes))}
{_mask("two", "%reach", range(lanes - 1, 2 * lanes - 1))}
  %after = getelementptr i8, ptr %memory, i64 {(lanes - 1) * size}
  %one = call {vector} {load}(ptr %memory, i32 1, <{lanes} x i1> %one.mask, {rest})
  %two = call {vector} {load}(ptr %after, i32 1, <{lanes} x i1> %two.mask, {rest})
  %both = shufflevector {vector} %one, {vector} %two, {_evens(lanes)}
  ret {vector} %both"""


def _spread_under_masks(size: int, lanes: int) -> str:
    """Return blocks that write some items side by side, or one of every few; others go on."""
    vector, (store, _) = f"<{lanes} x i{8 * size}>", _masked("store", size, lanes)
    backwards = range(lanes - 1, -1, -1)
    parts = []
    for name, first in (("one", 0), ("two", lanes - 1)):
        places = range(first, first + lanes)
        own = ", ".join(f"i1 {'false' if place % 2 else 'true'}" for place in places)
        wide = _numbers((place // 2 for place in places), "i32")
        parts.append(f"""{_mask(name, "%reach", places)}
  %{name}.own = and <{lanes} x i1> %{name}.mask, <{own}>
  %{name}.at = getelementptr i8, ptr %memory, i64 {first * size}
  %{name} = shufflevector {vector} %items, {vector} %items, {wide}
  call void {store}({vector} %{name}, ptr %{name}.at, i32 1, <{lanes} x i1> %{name}.own)""")
    every_other = "\n".join(parts)
    steps = STEPS if size <= WIDEST else ()
    cases = f"i64 {size}, label %side i64 {-size}, label %behind i64 {2 * size}, label %sides"
    cases += "".join(f" i64 {step * size}, label %whole{step}" for step in steps)
    every = "\n".join(_write_each_of(step, size, lanes, store) for step in steps)
    return f"""part:
  switch i64 %stride, label %apart [{cases}]
behind:
{_mask("behind", "%count", backwards)}
  %row = load {vector}, ptr %buffer, align 1
  %swapped = shufflevector {vector} %row, {vector} poison, {_numbers(backwards, "i32")}
  %lowest = getelementptr i8, ptr %memory, i64 {(1 - lanes) * size}
  call void {store}({vector} %swapped, ptr %lowest, i32 1, <{lanes} x i1> %behind.mask)
  ret void
side:
{_mask("side", "%count", range(lanes))}
  %few = load {vector}, ptr %buffer, align 1
  call void {store}({vector} %few, ptr %memory, i32 1, <{lanes} x i1> %side.mask)
  ret void
sides:
  %items = load {vector}, ptr %buffer, align 1
{_REACH}
{every_other}
  ret void
{every}"""


def _write_each_of(step: int, size: int, lanes: int, store: str) -> str:
    """Return blocks that write the items of a whole vector to one of every `step` places."""
    vector = f"<{lanes} x i{8 * size}>"
    lines = [
        f"whole{step}:",
        f"  br i1 %whole, label %each{step}, label %some",
        f"each{step}:",
        f"  %all{step} = load {vector}, ptr %buffer, align 1",
    ]
    for index in range(step):
        name, places = f"%e{step}.{index}", range(index * lanes, (index + 1) * lanes)
        own = ", ".join(f"i1 {'false' if place % step else 'true'}" for place in places)
        wide = _numbers((place // step for place in places), "i32")
        lines += [
            f"  {name}.at = getelementptr i8, ptr %memory, i64 {places[0] * size}",
            f"  {name} = shufflevector {vector} %all{step}, {vector} poison, {wide}",
            f"  call void {store}({vector} {name}, ptr {name}.at, i32 1, <{lanes} x i1> <{own}>)",
        ]
    return "\n".join([*lines, "  ret void"])


def _mask(name: str, limit: str, places: Sequence[int]) -> str:
    """Return lines for a mask of lanes: of those whose places are below a limit."""
    type_, all_lanes = f"<{len(places)} x i16>", f"<{len(places)} x i32> zeroinitializer"
    numbers = _numbers(places, "i16")
    return f"""  %{name}.limit = trunc i64 {limit} to i16
  %{name}.first = insertelement {type_} poison, i16 %{name}.limit, i64 0
  %{name}.limits = shufflevector {type_} %{name}.first, {type_} poison, {all_lanes}
  %{name}.mask = icmp slt {numbers}, %{name}.limits"""


def _one_by_one(kind: str, size: int) -> str:
    """Return blocks that move `count` items one after the other, the last of them open."""
    item = f"i{8 * size}"
    source, target = ("%s", "%p") if kind == "gathered" else ("%p", "%s")
    return f"""some:
  %any = icmp sgt i64 %count, 0
  br i1 %any, label %loop, label %done
loop:
  %i = phi i64 [0, %some], [%next, %loop]
  %p = phi ptr [%buffer, %some], [%p.next, %loop]
  %s = phi ptr [%memory, %some], [%s.next, %loop]
  %item = load {item}, ptr {source}, align 1
  store {item} %item, ptr {target}, align 1
  %next = add nuw nsw i64 %i, 1
  %p.next = getelementptr i8, ptr %p, i64 {size}
  %s.next = getelementptr i8, ptr %s, i64 %stride
  %more = icmp slt i64 %next, %count
  br i1 %more, label %loop, label %done
done:"""


def _numbers(numbers: Iterable[int], kind: str) -> str:
    """Return a vector of numbers as LLVM reads it, with its type."""
    items = [f"{kind} {n}" for n in numbers]
    return f"<{len(items)} x {kind}> <{', '.join(items)}>"
