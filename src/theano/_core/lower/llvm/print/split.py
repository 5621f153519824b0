"""A long entry function written as several: LLVM needs more than linear time for one.

The text is cut where control passes from one line to the next and in no other way: what must stay
in one function is found line by line (`_bound`), and a cut is anywhere else. Each piece becomes a
function, and equal pieces one (`pieces.py`); what it computes for later ones goes through an array
of words, `%live`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, chain

from theano._core.lower.llvm.print.pieces import LETTERS, Piece, definitions, grouped, written
from theano._core.lower.llvm.text.emitter import FIRST_BLOCK

# Lines of a piece, and of the shortest function that is cut at all.
PIECE = 1500
SHORTEST = 4 * PIECE
# To be raised when pieces are written in another way: machine code on disk is found by the text of
# the whole function.
FORM = 3

_TARGET = re.compile(rf"label %([{LETTERS}]+)")
_NAME = re.compile(rf"%([{LETTERS}]+)")
_DEFINED = re.compile(rf"\s*%([{LETTERS}]+) = (\w+) (.*)$")
_MEMBER = re.compile(r"\{([\w, ]+)\} \S+, (\d+)$")
# What may have a type that is no word.
_COMPOSED = re.compile(r" = .*(?:[<{\[]|\bi(?!1\b|8\b|16\b|32\b|64\b)\d+\b)")
_ODD_INTEGER = re.compile(r"i(?!(?:1|8|16|32|64)(?!\d))\d")
_WORDS = ("i1", "i8", "i16", "i32", "i64", "ptr", "half", "float", "double")
# Words that may stand between an operation and its type.
_FLAGS = frozenset(("nsw", "nuw", "exact", "fast", "nnan", "ninf", "nsz", "contract", "afn"))
_CONVERSIONS = frozenset(
    (
        *("trunc", "zext", "sext", "fptrunc", "fpext", "fptoui", "fptosi", "uitofp", "sitofp"),
        *("ptrtoint", "inttoptr", "bitcast"),
    )
)


def is_long(lines: Sequence[str]) -> bool:
    """Tell whether a body is so long that it may be cut."""
    return len(lines) >= SHORTEST


def way_of_cutting() -> str:
    """Return what the code of a cut function depends on besides its text: part of the key."""
    return f"; cut {FORM} {PIECE}"


def split(
    header: Sequence[str], lines: Sequence[str], cold: Sequence[str], starts: Iterable[int] = ()
) -> list[str] | None:
    """Return the text of an entry function and of its pieces; None if it cannot be cut.

    Parameters
    ----------
    header : sequence of str
        What stands before `lines` in the first block: what it defines is used everywhere.
    lines : sequence of str
        The body, in order, the return at its end included.
    cold : sequence of str
        Blocks that end in a failure, after the body.
    starts : iterable of int
        Lines with which steps of the program begin: good places to cut, since equal steps are
        then equal pieces.
    """
    blocks = _blocks(cold)
    cuts = _cuts(lines, _bound(lines, blocks), starts)
    if not cuts:
        return None
    pieces, groups = _merged(_pieces(lines, blocks, cuts))
    if len(pieces) == 1:
        return None
    where = definitions(header)
    for piece in pieces:
        where.update(piece.definitions)
    return written(header, pieces, groups, lambda name: _kind(f"  %{name} = {where[name]}"))


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


def _bound(lines: Sequence[str], blocks: Mapping[str, list[str]]) -> Iterator[tuple[int, int]]:
    """Yield pairs of lines that must stay in one piece, with all that is between them.

    These are: a branch and where it leads, also by way of cold blocks; the head of a block, its
    phis included; a value that is no word, and its uses; stack memory and all after it, since it
    ends with its function; a return and all after it, since the last piece alone returns for good.
    """
    text, ends = "\n".join(lines), list(accumulate(map(len, lines), lambda end, n: end + 1 + n))

    def having(mark: str) -> Iterator[int]:
        # A search in the whole text is quicker than a look at each line.
        at = text.find(mark)
        while at >= 0:
            line = bisect_left(ends, at)
            yield line
            at = text.find(mark, ends[line] + 1)

    at = {lines[i][:-1]: i for i in having(":\n")}
    composed = range(len(lines)) if _ODD_INTEGER.search(text) else {*chain(*map(having, "<{["))}
    composed = [i for i in sorted(composed) if _COMPOSED.search(lines[i])]
    place = {_defined(lines[i]): i for i in composed if _kind(lines[i]) not in _WORDS}
    last = len(lines) - 1
    away = _ways_back(blocks, at, place)
    yield from ((i - 1, i) for i in chain(at.values(), having(" = phi ")))
    yield from ((i, last) for i in chain(having(" = alloca "), having("  ret ")))
    for i in having("label %"):
        for target in _TARGET.findall(lines[i]):
            yield from ((i, back) for back in away.get(target, ()))
            if target in at:
                yield i, at[target]
    for i, line in enumerate(lines) if place else ():
        yield from ((i, place[name]) for name in _NAME.findall(line) if name in place)


def _ways_back(
    blocks: Mapping[str, list[str]], at: Mapping[str, int], place: Mapping[str, int]
) -> dict[str, list[int]]:
    """Return, by the label of a cold block, the lines of the body that it leads to or reads."""
    ways = {}
    # Most blocks just end.
    leading = [label for label, block in blocks.items() if place or any(map(_targets, block))]
    for label in leading:
        text = _reached([label], blocks)
        found = [at[target] for line in text for target in _targets(line) if target in at]
        if place:
            found += [place[n] for line in text for n in _NAME.findall(line) if n in place]
        ways[label] = found
    return ways


def _cuts(
    lines: Sequence[str], bound: Iterator[tuple[int, int]], starts: Iterable[int]
) -> list[int]:
    """Return the lines before which to cut: no pair of `bound` is parted.

    Equal code is cut at equal places: where steps begin, behind labels, and after so many lines.
    """
    lows: list[int] = []
    highs: list[int] = []
    for low, high in sorted((min(pair), max(pair)) for pair in bound):
        if highs and low <= highs[-1]:
            highs[-1] = max(highs[-1], high)
        else:
            lows.append(low)
            highs.append(high)

    def free(line: int) -> int:
        """Return the first line from here before which to cut."""
        at = bisect_left(highs, line)
        return highs[at] + 1 if at < len(highs) and lows[at] < line else line

    good = {i + 1 for i, line in enumerate(lines) if line[-1:] == ":"}
    good.update(starts)
    places = sorted(i for i in good if free(i) == i)
    shortest, longest = max(1, PIECE // 40), max(1, PIECE // 6)
    end = len(lines) - longest
    cuts: list[int] = []
    last = 0
    while True:
        at = bisect_left(places, last + shortest)
        last = min([free(last + longest), *places[at : at + 1]])
        if last >= end:
            return cuts
        cuts.append(last)


def _pieces(lines: Sequence[str], blocks: Mapping[str, list[str]], cuts: list[int]) -> list[Piece]:
    """Return the pieces between cuts.

    INVARIANT: a piece starts in the block in which the cut before it fell, under that block's
    name; so a phi finds the predecessor that it names, whose end is in the piece of the phi.
    """
    pieces = []
    start = FIRST_BLOCK
    for first, last in zip([0, *cuts], [*cuts, len(lines)], strict=True):
        own = list(lines[first:last])
        targets = _TARGET.findall("\n".join(own))
        pieces.append(Piece(start, own, _reached(targets, blocks)))
        start = next((line[:-1] for line in reversed(own) if line.endswith(":")), start)
    return pieces


def _merged(pieces: list[Piece]) -> tuple[list[Piece], list[list[int]]]:
    """Return pieces, those that equal no other joined to their neighbours, and groups of equals."""
    found: list[Piece] = []
    groups: list[list[int]] = []
    group_of = {}
    for group in grouped(pieces):
        if len(group) > 1:
            groups.append([])
            group_of.update(dict.fromkeys(group, groups[-1]))
    joinable = False
    for number, piece in enumerate(pieces):
        group = group_of.get(number)
        if group is not None:
            group.append(len(found))
            found.append(piece)
        elif joinable and len(found[-1].lines) + len(piece.lines) <= PIECE:
            found[-1] = _joined(found[-1], piece)
        else:
            groups.append([len(found)])
            found.append(piece)
        joinable = group is None
    return found, groups


def _joined(one: Piece, two: Piece) -> Piece:
    # A block that both lead to stands in the text of both.
    known = _blocks(one.cold)
    more = [
        line for label, block in _blocks(two.cold).items() if label not in known for line in block
    ]
    return Piece(one.start, one.lines + two.lines, one.cold + more)


def _reached(targets: Iterable[str], blocks: Mapping[str, list[str]]) -> list[str]:
    """Return the cold blocks among the targets of branches, and those that these branch to."""
    found: dict[str, None] = {}
    waiting = list(targets)
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


def _kind(line: str) -> str:
    """Return the type of what a line defines; an empty text where that is not simple to read."""
    found = _DEFINED.match(line)
    return _type(found[2], found[3]) if found else ""


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
