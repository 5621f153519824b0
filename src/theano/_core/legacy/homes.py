"""The public modules of what the engine defines: what `type(x)` prints, and what pickles name.

`homes.txt` is all of them. Where a class is defined may change then, and pickles load on.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FunctionType

# Nothing is told of a function when it is made: this one has to be there.
import theano._core.ops.array.print_breakpoint  # noqa: F401
from theano._core.ir.hooks import extend, place_of

_ENGINE = "theano._core."


def _read(text: str) -> dict[str, dict[str, str]]:
    sections: dict[str, dict[str, str]] = {}
    names: dict[str, str] = {}
    for line in filter(None, text.splitlines()):
        if line.startswith("["):
            names = sections[line[1:-1]] = {}
        elif not line.startswith("#"):
            module, _, held = line.partition(": ")
            for entry in held.split(" "):
                name, _, own = entry.partition("=")
                names[name] = f"{module}:{own or name}"
    return sections


# Module → its names → where the engine has them.
HOMES = _read(Path(__file__).with_suffix(".txt").read_text())
_HOME_OF = {place: (home, name) for home, names in HOMES.items() for name, place in names.items()}


_have_listed: list[Callable[[str], None]] = []


def _settle(thing: type | FunctionType, home: str, name: str) -> None:
    extend(thing, _place=place_of(thing), __module__=home, __qualname__=name)
    for have_listed in _have_listed:
        have_listed(home)


def settled(cls: type) -> bool:
    """Have a class that was just made name its public module; tell whether it is the engine's."""
    if not cls.__module__.startswith(_ENGINE):
        return False
    home = _HOME_OF.get(f"{cls.__module__.removeprefix(_ENGINE)}:{cls.__qualname__}")
    if home is not None:
        _settle(cls, *home)
    return True


def install(have_listed: Callable[[str], None]) -> None:
    """Have what is there already name its public module.

    `have_listed` puts a module into `sys.modules`.
    """
    _have_listed[:] = [have_listed]
    for place, home in _HOME_OF.items():
        module, _, name = place.partition(":")
        loaded = vars(sys.modules.get(f"{_ENGINE}{module}", object))
        if name in loaded:
            _settle(loaded[name], *home)
