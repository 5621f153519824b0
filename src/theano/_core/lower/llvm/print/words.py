"""What a function does at level 0: words written near each other, LLVM's own functions.

A call is one line of text in place of two for each word, of which LLVM's level 0 takes half of its
time to read them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from theano._core.lower.llvm.builder import Builder

# So many words take as long by a call as by themselves.
FEW = 3
# The runtime has functions for as many places, and words of these types (runtime/symbols.cpp).
PLACES, TYPES = 64, ("i64", "ptr")


def write(
    b: Builder, address: str, words: Sequence[tuple[int, str, str]], briefly: bool = False
) -> None:
    """Write words at `address`.

    Parameters
    ----------
    b : Builder
    address : str
    words : sequence of (place, LLVM's type, value)
    briefly : bool
        Whether the text should be short.
    """
    alike = briefly and all(type_ in TYPES for _, type_, _ in words)
    for start in range(0, words[-1][0] + 1, PLACES) if words and alike else ():
        own = [word for word in words if start <= word[0] < start + PLACES]
        if len(own) >= FEW:
            words = [word for word in words if word not in own]
            _call(b, address, start, own)
    for place, type_, value in words:
        b.perform(f"store {type_} {value}, ptr {_at(b, address, place)}, align 8")


def _at(b: Builder, address: str, place: int) -> str:
    return b.emit(f"getelementptr i64, ptr {address}, i64 {place}") if place else address


def _call(b: Builder, address: str, start: int, words: Sequence[tuple[int, str, str]]) -> None:
    """Have the runtime write words to places from `start` on."""
    name = f"@words{len(words)}"
    # It is called with words of either type.
    b.declarations[f"declare void {name}()"] = None
    places = sum([1 << (place - start) for place, _, _ in words])
    operands = "".join([f", {type_} {value}" for _, type_, value in words])
    at = _at(b, address, start)
    b.perform(f"call void {name}(ptr {at}, i64 {places}{operands})")


def called(b: Builder, name: str, text: Callable[..., str]) -> Callable[..., str]:
    """Return what writes a call of a function that does what `text` writes, of two numbers.

    Level 0 takes another way, three times as long, for each of LLVM's functions of integers.
    """
    if name not in b.helpers:
        lines = [f"define internal i64 @{name}(i64 %x, i64 %y) nounwind noinline {{"]
        lines += [f"  %r = {text('%x', '%y')}", "  ret i64 %r", "}"]
        b.helpers[name] = "\n".join(lines)
    return f"call i64 @{name}(i64 {{}}, i64 {{}})".format


def failure(b: Builder, count: int) -> str:
    """Return the function that reports a failure with so many facts, and returns -1.

    It is given the call, the function of the runtime, the fault, its place and the facts.
    """
    name = f"@fail{count}"
    if name not in b.helpers:
        facts = [(n, "i64", f"%f{n}") for n in range(count)]
        parameters = "".join([f", i64 {value}" for _, _, value in facts])
        own = Builder(1)
        write(own, "%facts", facts)
        signature = f"ptr %call, ptr %rt.fail, i64 %fault, i64 %place{parameters}"
        operands = f"ptr %call, i64 %fault, i64 %place, i64 {count}, ptr %facts"
        lines = [
            f"define internal i32 {name}({signature}) nounwind noinline cold {{",
            f"  %facts = alloca [{max(count, 1)} x i64], align 8",
            *own.lines,
            f"  %reported = call i32 %rt.fail({operands})",
            "  ret i32 -1",
            "}",
        ]
        b.helpers[name] = "\n".join(lines)
    return name
