"""Deep module paths of Theano 1.0.5: one table, served by one import finder.

Old programs reach engine objects through modules that are not part of the documented surface, such
as `theano.gof.graph` or `theano.tensor.var`. Such a module is made when it is first asked for; it
holds the objects that the table names and nothing else.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from theano._core.base.near_misses import MissingAttribute
from theano._core.base.stubs import LISTED
from theano._core.compile import checking_modes
from theano._core.ir import hooks
from theano._core.legacy import homes, no_gpu, patches
from theano._core.legacy.refused import REFUSED, refused
from theano._core.rewrite.pipeline import LEVELS, Selection

# Modules that are files.
REAL = {
    "theano.gradient",
    "theano.ifelse",
    "theano.sandbox.rng_mrg",
    "theano.sparse",
    "theano.tensor",
    "theano.tensor.fft",
    "theano.tensor.nnet",
    "theano.tensor.inplace",
    "theano.tensor.nlinalg",
    "theano.tensor.raw_random",
    "theano.tensor.sharedvar",
    "theano.tensor.slinalg",
    "theano.tensor.xlogx",
    *(f"theano.tensor.nnet.{name}" for name in ("abstract_conv", "blocksparse", "bn", "conv")),
    *(f"theano.tensor.nnet.{name}" for name in ("conv3d2d", "ctc", "neighbours")),
}


def _read(text: str) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """Return what each section holds, name → place, and where the rest of some is looked up."""
    sections: dict[str, dict[str, str]] = {}
    rest: dict[str, str] = {}
    section, names = "", {}
    for line in filter(None, text.splitlines()):
        if line.startswith("["):
            section = line[1:-1]
            names = sections[section] = {}
        elif line.startswith("+ "):
            names |= sections[line[2:]]
        elif line.startswith("rest: "):
            rest[section.removeprefix("late ")] = line[6:]
        elif not line.startswith("#"):
            module, _, held = line.partition(": ")
            for entry in held.split(" "):
                name, _, other = entry.partition("=")
                place = other or name
                names[name] = place if module == "modules" else f"{module}:{place}"
    return sections, rest


_SECTIONS, SHARED_WITH = _read(Path(__file__).with_suffix(".txt").read_text())
# Module → its names → where the engine has them.
MODULES = {name: names for name, names in _SECTIONS.items() if name.startswith("theano")}
# Modules of which every name is refused.
MODULES |= {
    module: {}
    for modules in REFUSED.values()
    for module in modules
    if module not in MODULES and module not in REAL
}
# What modules imported of others, and programs import from them: `theano.tensor.nnet.nnet.Apply`.
FROM_OTHERS = _SECTIONS["imported"]
LATE = {
    name.removeprefix("late "): names
    for name, names in _SECTIONS.items()
    if name.startswith("late ")
}
for _home in homes.HOMES.keys() & MODULES.keys():
    LATE[_home] = homes.HOMES[_home] | LATE.get(_home, {})

# What nearly every module imported, and programs reach through it: `theano.tensor.gof`.
IMPORTED = {
    **{name: f"theano.{name}" for name in ("compile", "gof", "printing", "scalar", "tensor")},
    "PY3": "legacy.compat:PY3",
    "config": "base.settings:config",
    **{
        f"imported_scipy{part}": "legacy.graphs.gof_utils:imported_scipy"
        for part in ("", "_signal", "_special")
    },
    "integer_types": "legacy.graphs.gof_utils:integer_types",
    "string_types": "legacy.graphs.gof_utils:string_types",
    "scal": "theano.scalar",
    "theano": "theano",
    "basic": "theano.tensor.basic",
    "np": "numpy",
    "utils": "theano.gof.utils",
}


class Unfilled(ModuleType):
    """A module that is filled when it is first looked into, by each thread that does."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__all__":
            # `import` and whoever goes through all modules ask for some.
            raise AttributeError(name)
        OldPaths().exec_module(self)
        return getattr(self, name)

    def __dir__(self) -> list[str]:
        OldPaths().exec_module(self)
        return dir(self)

    def __reduce__(self) -> Any:
        return importlib.import_module, (self.__name__,)


class Unread(ModuleType):
    """A module that is a file, read when it is first looked into."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__all__":
            raise AttributeError(name)
        with _reading:
            if self.__name__ in _being_read:
                raise AttributeError(name)
            if type(self) is Unread:
                _being_read.add(self.__name__)
                try:
                    loader = cast(Loader, self.__loader__)
                    loader.exec_module(self)
                finally:
                    _being_read.discard(self.__name__)
                self.__class__ = ModuleType  # type: ignore[assignment]
        return getattr(self, name)

    def __dir__(self) -> list[str]:
        return dir(self) if self.__all__ else []

    def __reduce__(self) -> Any:
        return importlib.import_module, (self.__name__,)


_reading = threading.RLock()
_being_read: set[str] = set()


class OldPaths(MetaPathFinder, Loader):
    """Finds the modules of the tables."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how to make a module of the table; None for others."""
        if fullname not in MODULES:
            return None
        package = any(name.startswith(f"{fullname}.") for name in MODULES)
        return ModuleSpec(fullname, self, is_package=package)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return a module without its names."""
        return Unfilled(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Fill a module with the objects that the table names."""
        names = MODULES[module.__name__]
        for name in names:
            # Python puts a module into its package when it is first imported: before a function of
            # the same name, not after it.
            if f"{module.__name__}.{name}" in MODULES:
                importlib.import_module(f"{module.__name__}.{name}")
        for name, place in names.items():
            setattr(module, name, _object(place))
        module.__doc__ = f"Names of `{module.__name__}` in Theano 1.0.5."
        exported = {
            *names,
            *LATE.get(module.__name__, ()),
            *_rest(module.__name__),
            *(p.rpartition(".")[2] for p in MODULES if p.rpartition(".")[0] == module.__name__),
        }
        module.__dict__["__all__"] = sorted(n for n in exported if not n.startswith("_"))
        # Its modules are attributes of a package also before they are imported.
        module.__dict__["__getattr__"] = partial(attribute, module.__name__)
        module.__class__ = ModuleType


def _rest(path: str) -> set[str]:
    """Return what `import *` of a module gives of the one in which its other names are looked up.

    Those are the modules that defined them. Others gave what they used themselves, which the table
    names: whoever has an `io` or a `load` of his own keeps it.
    """
    if path not in SHARED_WITH or not path.endswith((".basic", ".nnet.nnet")):
        return set()
    package = importlib.import_module(SHARED_WITH[path])
    return {n for n in package.__all__ if not isinstance(getattr(package, n), ModuleType)}


def _object(place: str) -> Any:
    module, _, name = place.partition(":")
    if not name:
        if place in MODULES:
            # It is filled when it is looked into.
            _have_listed(place)
        return importlib.import_module(place)
    old = module.startswith("theano")
    return getattr(importlib.import_module(module if old else f"theano._core.{module}"), name)


def attribute(package: str, name: str) -> Any:
    """Return `package.name` if one of the tables leads to it, or raise AttributeError."""
    if name in LATE.get(package, ()):
        return _object(LATE[package][name])
    path = f"{package}.{name}"
    if path in MODULES:
        return importlib.import_module(path)
    stands_in = refused(path)
    if stands_in is not None:
        return stands_in
    if package in SHARED_WITH and not name.startswith("__"):
        with suppress(AttributeError):
            return getattr(importlib.import_module(SHARED_WITH[package]), name)
    if name in IMPORTED:
        return _object(IMPORTED[name])
    if package.startswith(("theano.gpuarray", "theano.sandbox.cuda")) and no_gpu.KINDS.match(name):
        return getattr(no_gpu, name)
    if name in FROM_OTHERS and package not in ("theano", "theano.tensor"):
        return _object(FROM_OTHERS[name])
    raise MissingAttribute(sys.modules[package], name)


def old_names(package: str) -> Callable[[str], Any]:
    """Return the `__getattr__` of a module that is a file; its `__all__` gets what the table names.

    `from theano.tensor import *` gave those, `theano` itself and `sys` among them, and no others:
    whoever has a `utils` of his own keeps it.
    """
    for path in [path for path in _waiting if path.rpartition(".")[0] == package]:
        _waiting.discard(path)
        _have_listed(path)
    surface = vars(sys.modules[package])
    names = {name for name in LATE.get(package, ()) if not name.startswith("_")}
    surface["__all__"] = [*surface["__all__"], *sorted(names - {*surface["__all__"]})]
    return partial(attribute, package)


def _have_listed(path: str) -> None:
    """Put a module into `sys.modules`; it is filled, or read, when it is looked into.

    cloudpickle, and so joblib and its like, write a class whose module is not there as a copy of
    all that it consists of.
    """
    if path in sys.modules:
        return
    spec = OldPaths().find_spec(path, None)
    if spec is not None:
        sys.modules[path] = importlib.util.module_from_spec(spec)
        return
    package, _, name = path.rpartition(".")
    if package not in sys.modules:
        # It may be what asks for the class, as it is imported.
        _waiting.add(path)
        return
    spec = importlib.util.find_spec(path)
    if spec is not None:
        module = importlib.util.module_from_spec(spec)
        module.__class__ = Unread
        setattr(sys.modules[package], name, sys.modules.setdefault(path, module))


# Modules of packages that are not there yet.
_waiting: set[str] = set()


@hooks.has_added_rewrites.fill
def _any_by_name(selection: Selection) -> bool:
    """Load the rewrites of Theano's positions when a mode asks for some by name."""
    if selection.included <= LEVELS.keys() and not selection.extra:
        return False
    importlib.import_module("theano._core.legacy.optimizers.optdb")
    return hooks.has_added_rewrites(selection)


def install() -> None:
    """Have `import` look into the table, after everything else."""
    sys.meta_path[:] = [*homes.without_former(OldPaths), OldPaths()]
    patches.install()
    homes.install(_have_listed)
    checking_modes.register()
    no_gpu.warn_of_device()
    for path in MODULES:
        # Python puts a module into its package when it is first imported. It must not hide a
        # function of the same name, such as `theano.tensor.var`.
        package, _, name = path.rpartition(".")
        space = sys.modules.get(package)
        listed = name in LISTED.get(package, ())
        held = getattr(space, name) if listed else vars(space or sys).get(name)
        if held is not None and not isinstance(held, ModuleType):
            importlib.import_module(path)
            setattr(sys.modules[package], name, held)
