"""A long entry function written as several: LLVM needs more than linear time for one.

The text is cut where control passes from one line to the next and in no other way: what must stay
in one function is found line by line (`_bound`), and a cut is anywhere else. Each piece becomes a
function, and equal pieces one (`pieces.py`); what it computes for later ones goes through an array
of words, `%live`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from theano._core.lower.llvm.emitter import FIRST_BLOCK
from theano._core.lower.llvm.pieces import Piece, grouped, written

# Lines of a piece, and of the shortest function that is cut at all.
PIECE = 1500
SHORTEST = 4 * PIECE
# To be raised when pieces are written in another way: machine code on disk is found by the text of
# the whole function.
FORM = 3

_TARGET = re.compile(r"label %([\w.$-]+)")
_NAME = re.compile(r"%([\w.$-]+)")
_DEFINED = re.compile(r"\s*%([\w.$-]+) = (\w+) (.*)$")
_DEFINITION = re.compile(r"^ *%([\w.$-]+) = (.*)", re.MULTILINE)
_MEMBER = re.compile(r"\{([\w, ]+)\} \S+, (\d+)$")
# What may have a type that is no word.
_COMPOSED = re.compile(r" = .*(?:[<{\[]|\bi(?!1\b|8\b|16\b|32\b|64\b)\d+\b)")
_INTEGER = re.compile(r"i(\d+)")
_INTEGERS = frozenset(("1", "8", "16", "32", "64"))
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
    where = dict(_DEFINITION.findall("\n".join((*header, *lines))))
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
    at = {line[:-1]: i for i, line in enumerate(lines) if line[-1:] == ":"}
    # Most lines have none of these: a look at each is quicker than a search.
    odd = not _INTEGERS.issuperset(_INTEGER.findall("\n".join(lines)))
    composed = [
        i for i, line in enumerate(lines) if odd or "<" in line or "{" in line or "[" in line
    ]
    composed = [i for i in composed if _COMPOSED.search(lines[i])]
    place = {_defined(lines[i]): i for i in composed if _kind(lines[i]) not in _WORDS}
    last = len(lines) - 1
    away = _ways_back(blocks, at, place)
    for i, line in enumerate(lines):
        if line[-1:] == ":" or " = phi " in line:
            yield i - 1, i
        elif " = alloca " in line or line.startswith("  ret "):
            yield i, last
        if "label %" in line:
            for target in _TARGET.findall(line):
                yield from ((i, back) for back in away.get(target, ()))
                if target in at:
                    yield i, at[target]
        if place:
            yield from ((i, place[name]) for name in _NAME.findall(line) if name in place)


def _ways_back(
    blocks: Mapping[str, list[str]], at: Mapping[str, int], place: Mapping[str, int]
) -> dict[str, list[int]]:
    """Return, by the label of a cold block, the lines of the body that it leads to or reads."""
    ways = {}
    for label in blocks:
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
    count = len(lines)
    reach = list(range(count))
    for one, two in bound:
        low, high = min(one, two), max(one, two)
        reach[low] = max(reach[low], high)
    good = {i + 1 for i, line in enumerate(lines) if line[-1:] == ":"}
    good.update(starts)
    shortest, longest = max(1, PIECE // 40), max(1, PIECE // 6)
    cuts: list[int] = []
    last, furthest = 0, 0
    for i in range(count - longest):
        if furthest < i and (i - last >= longest or (i in good and i - last >= shortest)):
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
