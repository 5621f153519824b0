"""Print how many public names of Theano 1.0.5 exist here, by section.

    .venv/bin/python tools/surface.py [--missing]

The names are in `tests/golden/surface_theano105.json`: section → priority (1: nearly all programs
need it, 3: rare) → dotted names that the original resolves. `--missing` lists those that do not.
"""

from __future__ import annotations

import importlib
import json
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

NAMES = Path(__file__).resolve().parent.parent / "tests" / "golden" / "surface_theano105.json"


@cache
def _module(dotted: str) -> Any:
    with suppress(ImportError):
        return importlib.import_module(dotted)
    return None


@cache
def found(dotted: str) -> tuple[Any, ...]:
    """Return what a dotted name leads to, alone in a tuple; () if there is nothing."""
    head, _, last = dotted.rpartition(".")
    parents = found(head) if head else ()
    for parent in parents:
        if hasattr(parent, last):
            return (getattr(parent, last),)
    if parents and not isinstance(parents[0], ModuleType):
        # The module `theano.tensor.var` and the function are two.
        module = None if isinstance(parents[0], type) else _module(head)
        return (getattr(module, last),) if hasattr(module, last) else ()
    module = _module(dotted) if parents or not head else None
    return () if module is None else (module,)


def resolves(dotted: str) -> bool:
    """Tell whether a dotted name leads to an object: through modules, then attributes."""
    return bool(found(dotted))


def names() -> dict[str, dict[str, list[str]]]:
    """Return the names by section and priority."""
    return json.loads(NAMES.read_text())


def missing(section: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return the names of a section that do not resolve, by priority."""
    return {p: [n for n in listed if not resolves(n)] for p, listed in section.items()}


def counts() -> dict[str, tuple[int, int]]:
    """Return, per section, how many names resolve and how many there are."""
    result = {}
    for title, section in names().items():
        total = sum(map(len, section.values()))
        result[title] = (total - sum(map(len, missing(section).values())), total)
    return result


def main() -> None:
    """Print the table."""
    table = counts()
    for title, (have, total) in table.items():
        print(f"{have:5d} of {total:4d}  {title}")
        if "--missing" in sys.argv:
            for priority, absent in missing(names()[title]).items():
                for name in absent:
                    print(f"{'':16}{priority}  {name}")
    have, total = (sum(column) for column in zip(*table.values(), strict=True))
    print(f"{have:5d} of {total:4d}  all")


if __name__ == "__main__":
    main()
