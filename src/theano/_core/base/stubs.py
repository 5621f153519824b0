"""Public names stand in one place: a stub, which type checkers, editors and the module read.

In a stub of ours, as in any, `from module import name as name` gives a name, and `name` alone is
for a line `other = name` only. What stands below the line `# Not in __all__` is no part of
`import *`. Nothing else is understood here.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from theano._core.base.near_misses import MissingAttribute

_LINE = re.compile(r"^(?:from (\S+) import (\([^)]*\)|.*)|(\w+) = (\w+))$", re.M)
# Where a name comes from: a module, and its name there.
Place = tuple[str, str]
# Of each module that has a stub, the names.
LISTED: dict[str, dict[str, Place]] = {}


def _names(text: str, imported: dict[str, Place]) -> Iterator[tuple[str, Place]]:
    for module, names, other, own in _LINE.findall(text):
        if other:
            yield other, imported[own]
        for entry in filter(str.strip, names.strip("()").split(",")):
            name, *public = entry.split()
            imported[name] = (module, name)
            if public:
                yield name, imported[name]


def listed_in_stub(
    module: str,
    otherwise: Callable[[str], Callable[[str], Any]] | None = None,
    at_once: bool = False,
) -> Callable[[str], Any]:
    """Have a module hold what its stub lists; return its `__getattr__`.

    A name is imported when it is first asked for: few programs need many, and `import theano` is
    to be instant.

    Parameters
    ----------
    module : str
    otherwise : callable, optional
        From the module to its `__getattr__` for all other names.
    at_once : bool
        Import the names in `__all__` now.
    """
    space = vars(sys.modules[module])
    first, _, second = Path(space["__file__"]).with_suffix(".pyi").read_text().partition("# Not in")
    imported: dict[str, Place] = {}
    exported, rest = dict(_names(first, imported)), dict(_names(second, imported))
    places = LISTED[module] = exported | rest
    resolved: set[str] = set()
    space["__all__"] = sorted(exported)
    space["__dir__"] = lambda: sorted({n for n in space if n[0] != "_"} | places.keys())

    def attribute(name: str) -> Any:
        if name not in places:
            return other(name)
        # What the user has deleted is gone, as from any module.
        if name in resolved and name not in space:
            return missing(name)
        source, original = places[name]
        if source == module:
            return import_module(f"{module}.{name}")
        # What the user has put there meanwhile stays.
        value = space.setdefault(name, getattr(import_module(source), original))
        resolved.add(name)
        return value

    def missing(name: str) -> Any:
        raise MissingAttribute(sys.modules[module], name)

    if at_once:
        for name in exported:
            attribute(name)
    other = missing if otherwise is None else otherwise(module)
    return attribute
