"""A long entry function written as several: LLVM needs more than linear time for one.

The text is cut where control passes from one line to the next and in no other way: what must stay
in one function is found line by line (`_bound`), and a cut is anywhere else. Each piece becomes a
function; what it computes for later ones goes through an array of words, `%live`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from theano._core.lower.llvm.emitter import FIRST_BLOCK

# Lines of a piece, and of the shortest function that is cut at all.
PIECE = 1500
SHORTEST = 4 * PIECE

_TARGET = re.compile(r"label %([\w.$-]+)")
_NAME = re.compile(r"%([\w.$-]+)")
_DEFINED = re.compile(r"\s*%([\w.$-]+) = (\w+) (.*)$")
_MEMBER = re.compile(r"\{([\w, ]+)\} \S+, (\d+)$")
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
    blocks = _blocks(cold)
    types = _types([*header, *lines])
    cuts = _cuts(len(lines), _bound(lines, blocks, types))
    if not cuts:
        return None
    pieces = _pieces(lines, blocks, cuts)
    needs = _needs(header, pieces)
    return _written(header, pieces, needs, types)


def _blocks(cold: Sequence[str]) -> dict[str, list[str]]:
    """Return the lines of each cold block, by its label."""
    blocks: dict[str, list[str]] = {}
    label = ""
    for line in cold:
        if line.endswith(":"):
            label = line[:-1]
            blocks[label] = []
        blocks[label].append(line)
    return blocks


def _bound(
    lines: Sequence[str], blocks: Mapping[str, list[str]], types: Mapping[str, str]
) -> Iterator[tuple[int, int]]:
    """Yield pairs of lines that must stay in one piece, with all that is between them.

    These are: a branch and where it leads, also by way of cold blocks; the head of a block, its
    phis included; a value that is no word, and its uses; stack memory and all after it, since it
    ends with its function; a return and all after it, since the last piece alone returns for good.
    """
    at = {line[:-1]: i for i, line in enumerate(lines) if line.endswith(":")}
    wide = {name for name, kind in types.items() if kind not in _WORDS}
    place = {name: i for i, line in enumerate(lines) if (name := _defined(line)) in wide}
    last = len(lines) - 1
    for i, line in enumerate(lines):
        if line.endswith(":") or " = phi " in line:
            yield i - 1, i
        elif " = alloca " in line or line.startswith("  ret "):
            yield i, last
        reached = [line, *_reached([line], blocks)] if "label %" in line else [line]
        for text in reached:
            yield from ((i, at[target]) for target in _targets(text) if target in at)
            if place:
                yield from ((i, place[name]) for name in _NAME.findall(text) if name in place)


def _cuts(count: int, bound: Iterator[tuple[int, int]]) -> list[int]:
    """Return the lines, of `count`, before which to cut: no pair of `bound` is parted."""
    reach = list(range(count))
    for one, two in bound:
        low, high = min(one, two), max(one, two)
        reach[low] = max(reach[low], high)
    cuts: list[int] = []
    last, furthest = 0, 0
    for i in range(count - PIECE // 2):
        if furthest < i and i - last >= PIECE:
            cuts.append(i)
            last = i
        furthest = max(furthest, reach[i])
    return cuts


def _pieces(lines: Sequence[str], blocks: Mapping[str, list[str]], cuts: list[int]) -> list[Piece]:
    """Return the pieces between cuts.

    INVARIANT: a piece starts in the block in which the cut before it fell, under that block's
    name; so a phi finds the predecessor that it names, whose end is in the piece of the phi.
    """
    pieces = []
    start = FIRST_BLOCK
    for first, last in zip([0, *cuts], [*cuts, len(lines)], strict=True):
        own = list(lines[first:last])
        pieces.append(Piece(start, own, _reached(own, blocks)))
        for line in own:
            start = line[:-1] if line.endswith(":") else start
    return pieces


def _reached(lines: Sequence[str], blocks: Mapping[str, list[str]]) -> list[str]:
    """Return the cold blocks that lines branch to, and those that these branch to."""
    found: dict[str, None] = {}
    waiting = [target for line in lines for target in _targets(line)]
    while waiting:
        label = waiting.pop()
        if label in blocks and label not in found:
            found[label] = None
            waiting += [target for line in blocks[label] for target in _targets(line)]
    return [line for label in found for line in blocks[label]]


def _targets(line: str) -> list[str]:
    """Return the labels that a line names as those it may branch to."""
    return _TARGET.findall(line) if "label %" in line else []


def _defined(line: str) -> str:
    """Return the name of what a line defines; an empty text if it defines nothing."""
    name, equals, _ = line.partition(" = ")
    return name.lstrip(" %") if equals else ""


def _types(lines: Sequence[str]) -> dict[str, str]:
    """Return the type of what each line defines; an empty text where that is not simple to read."""
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
    if operation == "extractvalue":
        found = _MEMBER.match(rest)
        return found[1].split(", ")[int(found[2])] if found else ""
    if operation in ("extractelement", "insertvalue"):
        return ""
    return words[0].rstrip(",") if words else ""


def _needs(header: Sequence[str], pieces: list[Piece]) -> list[dict[str, int]]:
    """Return, per piece, what it needs of earlier ones, with the number of the one that defines it.

    The header is number 0.
    """
    defined: dict[str, int] = {}
    needs = []
    for number, lines in enumerate((header, *(piece.lines for piece in pieces))):
        text = lines if number == 0 else (*lines, *pieces[number - 1].cold)
        own = set(map(_defined, text))
        used = {name: None for line in text for name in _NAME.findall(line) if name not in own}
        needs.append({name: defined[name] for name in used if name in defined})
        defined.update(dict.fromkeys(map(_defined, lines), number))
    return needs


def _written(
    header: Sequence[str],
    pieces: list[Piece],
    needs: list[dict[str, int]],
    types: Mapping[str, str],
) -> list[str]:
    live: list[dict[str, None]] = [{} for _ in needs]
    for names in needs:
        for name, origin in names.items():
            live[origin][name] = None
    slots, words = _slots(live, needs)

    def moved(names: Iterable[str], verb: str) -> list[str]:
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
        f"{FIRST_BLOCK}:",
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
        functions += [
            f"define internal i32 @piece{number}(ptr %call, ptr %live) nounwind noinline {{",
            f"{piece.start}:",
            *moved(needs[number], "load"),
            *piece.lines,
            *moved(live[number], "store"),
            *(["  ret i32 0"] if number < len(pieces) else ()),
            *piece.cold,
            "}",
        ]
    return [*entry, "  ret i32 0", "failed:", "  ret i32 -1", "}", *functions]


def _slots(
    live: Sequence[Iterable[str]], needs: Sequence[Iterable[str]]
) -> tuple[dict[str, int], int]:
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
