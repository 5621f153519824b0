"""Several kernels as one module: LLVM takes a millisecond for each module, whatever is in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

MOST_KERNELS = 6
_DEFINE, _END = "define ", "\n}\n"
# What a part defines or declares is the first name in it.
_NAME = re.compile(r"@[^\s(]+")


def size_of_groups(kernels: int, threads: int) -> int:
    """Return how many kernels a module has, so that each of several threads gets four or more."""
    return MOST_KERNELS if threads == 1 else max(1, min(MOST_KERNELS, kernels // (4 * threads)))


def in_groups(
    modules: Iterator[tuple[str, str]],
    size: int,
    key_of: Callable[[str], str],
    places: dict[str, tuple[str, int]],
) -> Iterator[tuple[str, str]]:
    """Yield the keys and texts of modules, several of them as one.

    `places` is told the key of the module that a text is in, and its number there.
    """
    while group := list(islice(modules, size)):
        text = joined([text for _, text in group]) if len(group) > 1 else None
        if text is None:
            yield from group
            continue
        whole = key_of(text)
        places.update((key, (whole, index)) for index, (key, _) in enumerate(group))
        yield whole, text


def joined(texts: Sequence[str]) -> str | None:
    """Return one module with what modules of kernels define; None: they cannot be joined.

    Their functions are told apart by the number of their text, written behind the name.
    """
    parts: dict[str, str] = {}
    for index, text in enumerate(texts):
        head, place, rest = text.partition("(")
        body, end, others = rest.partition(_END)
        if not head.startswith(f"{_DEFINE}void @") or not place or not end:
            return None
        parts[str(index)] = f"{head}{index}({body}\n}}"
        for part in _parts(others):
            name = _NAME.search(part)
            if name is None or part[0] not in "d@" or parts.setdefault(name[0], part) != part:
                return None
    return "\n".join(parts.values()) + "\n"


def _parts(text: str) -> Iterator[str]:
    """Yield the functions, declarations and constants of a text."""
    while text:
        function = text.startswith(_DEFINE)
        part, _, text = text.partition(_END if function else "\n")
        yield f"{part}\n}}" if function else part
