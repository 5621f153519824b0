"""A long entry function written as several: LLVM needs more than linear time for one.

The text is cut where control passes a single point: no branch before it leads behind it, and none
behind it leads back. Each piece becomes a function; what it computes for later ones goes through
an array of words, `%live`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

# Lines of a piece, and of the shortest function that is cut at all.
PIECE = 1500
SHORTEST = 4 * PIECE

_LABEL = re.compile(r"([\w.$-]+):$")
_TARGET = re.compile(r"label %([\w.$-]+)")
_NAME = re.compile(r"%([\w.$-]+)")
_DEFINED = re.compile(r"\s*%([\w.$-]+) = (\w+) (.*)$")
_WORDS = ("i1", "i8", "i16", "i32", "i64", "ptr", "half", "float", "double")
# Words that may stand between an operation and its type.
_FLAGS = frozenset(("nsw", "nuw", "exact", "fast", "nnan", "ninf", "nsz", "contract", "afn"))
_CONVERSIONS = frozenset(
    (
        *("trunc", "zext", "sext", "fptrunc", "fpext", "fptoui", "fptosi", "uitofp", "sitofp"),
        *("ptrtoint", "inttoptr", "bitcast"),
    )
)


class Piece(NamedTuple):
    """Lines of one function, the label they start in, and the cold blocks they branch to."""

    start: str
    lines: list[str]
    cold: list[str]


def split(header: Sequence[str], lines: Sequence[str], cold: Sequence[str]) -> list[str] | None:
    """Return the text of an entry function and of its pieces; None if it is better left whole.

    Parameters
    ----------
    header : sequence of str
        What stands before `lines` in the first block: what it defines is used everywhere.
    lines : sequence of str
        The body, in order, the return at its end included.
    cold : sequence of str
        Blocks that end in a failure, after the body.
    """
    if len(lines) < SHORTEST:
        return None
    cuts = _cuts(lines)
    if not cuts:
        return None
    pieces = _pieces(lines, cold, cuts)
    types = _types([*header, *lines])
    live = _live(header, pieces)
    if any(types.get(name) not in _WORDS for names in live for name in names):
        return None
    return _written(header, pieces, live, types)


def _cuts(lines: Sequence[str]) -> list[int]:
    """Return the lines before which to cut."""
    at = {found[1]: i for i, line in enumerate(lines) if (found := _LABEL.match(line))}
    # How far branches reach from before each line, and back from behind it.
    reach, furthest = 0, [0] * (len(lines) + 1)
    back = [len(lines)] * (len(lines) + 1)
    for i, line in enumerate(lines):
        furthest[i] = reach
        for target in _TARGET.findall(line):
            reach = max(reach, at.get(target, 0))
    for i in range(len(lines) - 1, -1, -1):
        back[i] = min([back[i + 1], *(at[t] for t in _TARGET.findall(lines[i]) if t in at)])
    cuts: list[int] = []
    last = 0
    for i in range(PIECE, len(lines) - PIECE // 2):
        if i - last < PIECE or furthest[i] >= i or back[i] < i:
            continue
        if _LABEL.match(lines[i]) or " = phi " in lines[i]:
            continue
        cuts.append(i)
        last = i
    return cuts


def _pieces(lines: Sequence[str], cold: Sequence[str], cuts: list[int]) -> list[Piece]:
    blocks: dict[str, list[str]] = {}
    label = ""
    for line in cold:
        found = _LABEL.match(line)
        if found:
            label = found[1]
            blocks[label] = []
        blocks[label].append(line)
    pieces = []
    start = "begin"
    for first, last in zip([0, *cuts], [*cuts, len(lines)], strict=True):
        own = list(lines[first:last])
        pieces.append(Piece(start, own, _reached(own, blocks)))
        for line in own:
            found = _LABEL.match(line)
            start = found[1] if found else start
    return pieces


def _reached(lines: list[str], blocks: dict[str, list[str]]) -> list[str]:
    """Return the cold blocks that lines branch to, and those that these branch to."""
    found: dict[str, None] = {}
    waiting = [t for line in lines for t in _TARGET.findall(line)]
    while waiting:
        label = waiting.pop()
        if label in blocks and label not in found:
            found[label] = None
            waiting += [t for line in blocks[label] for t in _TARGET.findall(line)]
    return [line for label in found for line in blocks[label]]


def _types(lines: Sequence[str]) -> dict[str, str]:
    """Return the type of what each line defines, where that is simple to read."""
    types = {}
    for line in lines:
        found = _DEFINED.match(line)
        if found:
            types[found[1]] = _type(found[2], found[3])
    return types


def _type(operation: str, rest: str) -> str:
    if operation in ("getelementptr", "alloca"):
        return "ptr"
    if operation in ("icmp", "fcmp"):
        return "" if "<" in rest else "i1"
    if operation in _CONVERSIONS:
        return rest.rsplit(" to ", 1)[-1].strip()
    words = rest.split()
    while words and words[0] in _FLAGS:
        words.pop(0)
    if operation == "select":
        return rest.split(", ", 1)[1].split()[0]
    if operation in ("extractvalue", "extractelement", "insertvalue"):
        return ""
    return words[0].rstrip(",") if words else ""


def _live(header: Sequence[str], pieces: list[Piece]) -> list[list[str]]:
    """Return, per piece (the header first), what it defines and a later one needs."""
    defined: dict[str, int] = {}
    parts = [list(header), *([*p.lines, *p.cold] for p in pieces)]
    for number, part in enumerate(parts):
        for line in part:
            found = _DEFINED.match(line)
            if found:
                defined.setdefault(found[1], number)
    live: list[dict[str, None]] = [{} for _ in parts]
    for number, part in enumerate(parts):
        for line in part:
            for name in _NAME.findall(line):
                if defined.get(name, number) < number:
                    live[defined[name]].setdefault(name)
    return [list(names) for names in live]


def _needs(piece: Piece) -> set[str]:
    own = {f[1] for line in (*piece.lines, *piece.cold) if (f := _DEFINED.match(line))}
    used = {n for line in (*piece.lines, *piece.cold) for n in _NAME.findall(line)}
    return used - own


def _written(
    header: Sequence[str], pieces: list[Piece], live: list[list[str]], types: dict[str, str]
) -> list[str]:
    needs = [set[str](), *(_needs(piece) for piece in pieces)]
    slots, words = _slots(live, needs)

    def moved(names: Sequence[str], verb: str) -> list[str]:
        text = []
        for name in names:
            place, kind = f"%live.{name}", types[name]
            text.append(f"  {place} = getelementptr i64, ptr %live, i64 {slots[name]}")
            if verb == "store":
                text.append(f"  store {kind} %{name}, ptr {place}, align 8")
            else:
                text.append(f"  %{name} = load {kind}, ptr {place}, align 8")
        return text

    entry = [
        "define i32 @entry(ptr %call) nounwind {",
        "entry:",
        f"  %live = alloca [{max(words, 1)} x i64], align 8",
        *header,
        *moved(live[0], "store"),
    ]
    functions: list[str] = []
    for number, piece in enumerate(pieces, 1):
        entry += [
            f"  %piece{number} = call i32 @piece{number}(ptr %call, ptr %live)",
            f"  %good{number} = icmp eq i32 %piece{number}, 0",
            f"  br i1 %good{number}, label %after{number}, label %failed",
            f"after{number}:",
        ]
        taken = sorted(needs[number] & slots.keys())
        kept = [name for name in live[number] if name not in taken]
        functions += [
            f"define internal i32 @piece{number}(ptr %call, ptr %live) nounwind noinline {{",
            f"{piece.start}:",
            *moved(taken, "load"),
            *piece.lines,
            *(moved(kept, "store") if number < len(pieces) else ()),
            *(["  ret i32 0"] if number < len(pieces) else ()),
            *piece.cold,
            "}",
        ]
    return [*entry, "  ret i32 0", "failed:", "  ret i32 -1", "}", *functions]


def _slots(live: list[list[str]], needs: list[set[str]]) -> tuple[dict[str, int], int]:
    """Return a word of `%live` for each value, used again when it is not needed any more."""
    last: dict[str, int] = {}
    for number, names in enumerate(needs):
        for name in names:
            last[name] = number
    slots: dict[str, int] = {}
    free: list[int] = []
    ending: dict[int, list[int]] = {}
    count = 0
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
