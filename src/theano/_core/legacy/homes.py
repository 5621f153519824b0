"""The public modules of what the engine defines: what `type(x)` prints, and what pickles name.

`homes.txt` is all of them. Where a class is defined may change then, and pickles load on.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

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


# Modules of the engine → what they define → its home.
_HELD: dict[str, dict[str, tuple[str, str]]] = {}
for _place, _home in _HOME_OF.items():
    _module, _, _name = _place.partition(":")
    _HELD.setdefault(f"{_ENGINE}{_module}", {})[_name] = _home


def _settle_all(module: str) -> None:
    """Have what a module of the engine defines name its public module, if it is there."""
    space = vars(sys.modules.get(module, object))
    for name in _HELD[module].keys() & space.keys():
        _settle(space[name], *_HELD[module][name])


class _Settling(MetaPathFinder, Loader):
    """Finds modules of the table as other finders do, and settles what they define."""

    def __init__(self, loader: Any = None) -> None:
        self.loader = loader

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how to make a module of the table; None for others."""
        if fullname not in _HELD:
            return None
        for finder in [finder for finder in sys.meta_path if finder is not self]:
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                spec.loader = _Settling(spec.loader)
                return spec
        return None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Return a module, or None for one of the usual kind."""
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Fill a module, and have its classes name their public one."""
        self.loader.exec_module(module)
        _settle_all(module.__name__)


def without_former(kind: type) -> list[Any]:
    """Return the finders of modules, without those of a class of this name.

    A program may take all modules of the package out of `sys.modules` and import it once more: the
    finders of the first time would find what was made then, and ask those of the second time.
    """
    return [finder for finder in sys.meta_path if repr(type(finder)) != repr(kind)]


def install(have_listed: Callable[[str], None]) -> None:
    """Have classes and functions of the table name their public module, now or when they are made.

    `have_listed` puts a module into `sys.modules`.
    """
    _have_listed[:] = [have_listed]
    for module in _HELD:
        _settle_all(module)
    sys.meta_path[:] = [_Settling(), *without_former(_Settling)]
