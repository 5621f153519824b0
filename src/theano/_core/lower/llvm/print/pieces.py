"""Pieces of a long entry function, as functions: those that are equal but for numbers are one.

A wide or deep program does the same again and again, with other values at other places. So a piece
is read as a pattern: its text with names by the order in which they appear, and without the
numbers that are operands. Pieces of one pattern are written once, as a function of a *row* of
words: the numbers that differ, and where in `%live` its values are. The entry function walks
through the rows of all pieces, in order. So LLVM's work grows with the number of patterns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from operator import contains
from typing import NamedTuple

from theano._core.lower.llvm.text.emitter import FIRST_BLOCK

# What names consist of; each letter, since such a set is searched faster than classes of letters.
LETTERS = "a-zA-Z0-9_.$-"
# A name, a number that may as well be computed, or a label, and what stands before it. That comes
# first, since a search for one of three characters is quick.
_TOKEN = re.compile(rf"(%| (?=[-0-9])(?<=\bi64 )|\n(?! )(?=[{LETTERS}]+:(?:\n|\Z)))([{LETTERS}]+)")
_NUMBER = re.compile(rf" (?=[-0-9])(?<=\bi64 )[{LETTERS}]+")
_NAME = re.compile(rf"%([{LETTERS}]+)")
_TARGET = re.compile(rf"label %([{LETTERS}]+)")
_DIGITS = "-0123456789"
_DEFINITION = re.compile(rf"^ *%([{LETTERS}]+) = (.*)", re.MULTILINE)
# Code that runs so many times in a call, and no more, is not worth improving.
FEW = 4
# The word of `%live` that no one reads.
_NOWHERE = 0


class Piece:
    """Lines of one function, the label they start in, and the cold blocks they branch to."""

    def __init__(self, start: str, lines: list[str], cold: list[str]) -> None:
        self.start = start
        self.lines = lines
        self.cold = cold

    @cached_property
    def parts(self) -> list[str]:
        """The text, cut into what stands between tokens, what introduces a token, and tokens."""
        return _TOKEN.split("\n".join(("", *self.lines, *self.cold)))

    @cached_property
    def names(self) -> list[str]:
        """The names, in the order in which they appear first."""
        return [t for t in dict.fromkeys(self.parts[2::3]) if t[0] not in _DIGITS]

    @cached_property
    def numbers(self) -> list[str]:
        """The numbers that are operands."""
        return [t for t in self.parts[2::3] if t[0] in _DIGITS]

    @cached_property
    def definitions(self) -> dict[str, str]:
        """How each value is defined that is defined outside of cold blocks, by its name."""
        return definitions(self.lines)


def definitions(lines: Sequence[str]) -> dict[str, str]:
    """Return how each value is defined that lines define, by its name."""
    return dict(_DEFINITION.findall("\n".join(lines)))


def grouped(pieces: Sequence[Piece]) -> list[list[int]]:
    """Return the numbers of the pieces of each pattern, in order of the first."""
    found: dict[object, list[int]] = {}
    for number, piece in enumerate(pieces):
        found.setdefault(_pattern(piece), []).append(number)
    return list(found.values())


def _pattern(piece: Piece) -> object:
    """Return how a piece reads without its names and numbers."""
    parts = piece.parts
    # One text of all is compared faster than many; no part has the character between them.
    text, kinds = "\0".join(parts[0::3]), "".join(parts[1::3])
    place = dict(zip(piece.names, range(len(piece.names)), strict=True))
    order = tuple(map(place.get, parts[2::3]))
    # The numbers of the cases of a switch are no operands.
    numbers = tuple(piece.numbers) if "switch " in text else ()
    return text, kinds, order, numbers


def written(
    header: Sequence[str],
    pieces: Sequence[Piece],
    groups: Sequence[Sequence[int]],
    kind_of: Callable[[str], str],
) -> list[str]:
    """Return the text of an entry function that runs pieces, and of the pieces.

    Parameters
    ----------
    header : sequence of str
        What stands in the entry function itself, before the pieces.
    pieces : sequence of Piece
    groups : sequence of sequence of int
        The numbers of pieces of one pattern; each piece is in one group.
    kind_of : callable
        The type of what has a name.
    """
    flow = _flow(header, pieces)
    rows: list[list[int]] = [[] for _ in pieces]
    functions: list[str] = []
    sizes: list[int] = []
    for kind, members in enumerate(groups):
        function = _Function([pieces[m] for m in members], members, flow)
        functions += function.text(kind, kind_of)
        sizes.append(1 + len(function.columns))
        for at, number in enumerate(members):
            rows[number] = [kind, *(column[at] for column in function.columns)]
    stored = [(name, flow.slots[name]) for name in flow.live[0]]
    return [*_entry(header, stored, kind_of, flow.words, rows, sizes), *functions]


class _Flow(NamedTuple):
    """Which values go from piece to piece; the header is number 0, the first piece 1."""

    needs: list[dict[str, int]]  # name → number of the one that defines it
    live: list[dict[str, None]]
    slots: dict[str, int]
    words: int


def _flow(header: Sequence[str], pieces: Sequence[Piece]) -> _Flow:
    defined = dict.fromkeys(definitions(header), 0)
    needs: list[dict[str, int]] = [{}]
    for number, piece in enumerate(pieces, 1):
        needs.append({name: defined[name] for name in piece.names if name in defined})
        defined.update(dict.fromkeys(piece.definitions, number))
    live: list[dict[str, None]] = [{} for _ in needs]
    for names in needs:
        for name, origin in names.items():
            live[origin][name] = None
    slots, words = _slots(live, needs)
    return _Flow(needs, live, slots, words)


def _slots(
    live: Sequence[Mapping[str, None]], needs: Sequence[Mapping[str, int]]
) -> tuple[dict[str, int], int]:
    """Return a word of `%live` for each value, used again when it is not needed any more."""
    last: dict[str, int] = {}
    for number, names in enumerate(needs):
        for name in names:
            last[name] = number
    slots: dict[str, int] = {}
    free: list[int] = []
    ending: dict[int, list[int]] = {}
    count = _NOWHERE + 1
    for number, names in enumerate(live):
        free += ending.pop(number, ())
        for name in names:
            if free:
                slots[name] = free.pop()
            else:
                slots[name] = count
                count += 1
            ending.setdefault(last[name], []).append(slots[name])
    return slots, count


class _Function:
    """The function of all pieces of one pattern, and the words of a row of it."""

    def __init__(self, pieces: Sequence[Piece], members: Sequence[int], flow: _Flow) -> None:
        self.piece = pieces[0]
        self.rare = len(members) <= FEW
        self.columns: list[tuple[int, ...]] = []
        self._column_of: dict[tuple[int, ...], str] = {}
        numbers = (map(int, piece.numbers) for piece in pieces)
        self.numbers = [self._operand(column) for column in zip(*numbers, strict=True)]
        self.loaded: list[tuple[str, str]] = []
        self.stored: list[tuple[str, str]] = []
        needed = flow.needs[members[0] + 1]
        live = [flow.live[m + 1] for m in members]
        for same in zip(*(piece.names for piece in pieces), strict=True):
            if same[0] in needed:
                self.loaded.append((same[0], self._operand([flow.slots[n] for n in same])))
            elif any(map(contains, live, same)):
                slots = [
                    flow.slots[n] if n in kept else _NOWHERE
                    for n, kept in zip(same, live, strict=True)
                ]
                self.stored.append((same[0], self._operand(slots)))

    def _operand(self, column: Sequence[int]) -> str:
        """Return what stands for a number of each piece: itself if it is the same in all."""
        key = tuple(column)
        found = self._column_of.get(key)
        if found is None:
            if key.count(key[0]) == len(key):
                found = str(key[0])
            else:
                found = f"%row.{len(self.columns)}"
                self.columns.append(key)
            self._column_of[key] = found
        return found

    def text(self, kind: int, kind_of: Callable[[str], str]) -> list[str]:
        """Return the lines of the function, which is given its number."""
        # LLVM needs half the time then.
        unimproved = " optnone" if self.rare and not _has_loop(self.piece) else ""
        head = [
            f"define internal i32 @piece{kind}(ptr %call, ptr %live, ptr %row)"
            f" nounwind noinline{unimproved} {{",
            f"{self.piece.start}:",
        ]
        for number in range(len(self.columns)):
            at = f"%row.{number}.at"
            head.append(f"  {at} = getelementptr i64, ptr %row, i64 {number + 1}")
            head.append(f"  %row.{number} = load i64, ptr {at}, align 8")
        block_of = _only_blocks(self.piece)
        loads: dict[str, list[str]] = {}
        for name, slot in self.loaded:
            loads.setdefault(block_of.get(name, ""), []).extend(
                (
                    f"  %live.{name} = getelementptr i64, ptr %live, i64 {slot}",
                    f"  %{name} = load {kind_of(name)}, ptr %live.{name}, align 8",
                )
            )
        numbers = iter(self.numbers)
        body = _with_numbers(self.piece.lines, numbers)
        kept = _stores(self.stored, kind_of)
        leave = [] if self.piece.lines[-1] == "  ret i32 0" else ["  ret i32 0"]
        cold = []
        for line in _with_numbers(self.piece.cold, numbers):
            cold.append(line)
            cold += loads.get(line[:-1], ()) if line.endswith(":") else ()
        return [*head, *loads.get("", ()), *body, *kept, *leave, *cold, "}"]


def _has_loop(piece: Piece) -> bool:
    """Tell whether a piece may branch back: to a block that begins before, or out of a cold one."""
    begun = {piece.start}
    for line in piece.lines:
        if line.endswith(":"):
            begun.add(line[:-1])
        elif not begun.isdisjoint(_TARGET.findall(line)):
            return True
    return not begun.isdisjoint(_TARGET.findall("\n".join(piece.cold)))


def _only_blocks(piece: Piece) -> dict[str, str]:
    """Return the label of the cold block that alone reads a value, by the name of the value.

    The report of a failure may have thousands of numbers; in a call that goes well none is read.
    """
    elsewhere = set(_NAME.findall("\n".join(piece.lines)))
    found: dict[str, str] = {}
    label = ""
    for line in piece.cold:
        if line.endswith(":"):
            label = line[:-1]
            continue
        # A phi reads at the end of the block before.
        elsewhere.update(_NAME.findall(line) if " = phi " in line else ())
        for name in _NAME.findall(line):
            if found.setdefault(name, label) != label:
                elsewhere.add(name)
    return {name: block for name, block in found.items() if name not in elsewhere}


def _with_numbers(lines: Sequence[str], numbers: Iterator[str]) -> list[str]:
    """Return lines with other operands in place of their numbers."""
    text = _NUMBER.sub(lambda _: f" {next(numbers)}", "\n".join(lines))
    return text.split("\n") if lines else []


def _stores(named: Sequence[tuple[str, object]], kind_of: Callable[[str], str]) -> list[str]:
    text = []
    for name, slot in named:
        text.append(f"  %live.{name} = getelementptr i64, ptr %live, i64 {slot}")
        text.append(f"  store {kind_of(name)} %{name}, ptr %live.{name}, align 8")
    return text


def _entry(
    header: Sequence[str],
    stored: Sequence[tuple[str, int]],
    kind_of: Callable[[str], str],
    words: int,
    rows: Sequence[Sequence[int]],
    sizes: Sequence[int],
) -> list[str]:
    """Return the entry function: it walks through the rows, each that of the kind it begins with.

    A table of jumps would need addresses in the data; a search by comparisons is short.
    """
    table = ", ".join(f"i64 {word}" for row in (*rows, [len(sizes)]) for word in row)
    count = sum(map(len, rows)) + 1
    kinds = range(len(sizes))
    cases = " ".join(f"i64 {kind}, label %kind{kind}" for kind in kinds)
    text = [
        f"@rows = private unnamed_addr constant [{count} x i64] [{table}], align 8",
        'define i32 @entry(ptr %call) nounwind "no-jump-tables"="true" {',
        f"{FIRST_BLOCK}:",
        f"  %live = alloca [{words} x i64], align 8",
        *header,
        *_stores(stored, kind_of),
        "  br label %walk",
        "walk:",
        f"  %row = phi ptr [@rows, %{FIRST_BLOCK}], [%row.next, %ran]",
        "  %row.kind = load i64, ptr %row, align 8",
        f"  switch i64 %row.kind, label %end [{cases}]",
    ]
    for kind in kinds:
        text += [
            f"kind{kind}:",
            f"  %result{kind} = call i32 @piece{kind}(ptr %call, ptr %live, ptr %row)",
            "  br label %ran",
        ]
    results = ", ".join(f"[%result{kind}, %kind{kind}]" for kind in kinds)
    lengths = ", ".join(f"[{sizes[kind]}, %kind{kind}]" for kind in kinds)
    return [
        *text,
        "ran:",
        f"  %result = phi i32 {results}",
        f"  %row.size = phi i64 {lengths}",
        "  %row.next = getelementptr i64, ptr %row, i64 %row.size",
        "  %good = icmp eq i32 %result, 0",
        "  br i1 %good, label %walk, label %failed",
        "end:",
        "  ret i32 0",
        "failed:",
        "  ret i32 -1",
        "}",
    ]
