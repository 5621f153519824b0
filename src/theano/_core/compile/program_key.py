"""What a program is made from, as a text: functions with equal texts have the same program.

INVARIANT: the text tells everything that rewriting and lowering may look at. What this module does
not know for certain, such as operations of users, has no text, and then the program no key.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import struct
import sys
from collections.abc import Iterator, Sequence
from functools import lru_cache
from types import CodeType, FunctionType
from typing import Any

import numpy as np

import theano._core
from theano._core.base.records import Record
from theano._core.base.settings import config
from theano._core.compile.modes import Mode
from theano._core.ir.graph import toposort
from theano._core.ir.hooks import place_of
from theano._core.ir.types import ObjectType, TensorType
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.lower.kernel.expression import Emitted
from theano._core.lower.llvm.target import machine
from theano._core.ops.control.body import Body
from theano._core.ops.control.branch import IfElse
from theano._core.ops.control.inner_graph import InnerGraph
from theano._core.ops.control.scan import Loop
from theano._core.ops.core.naming import plain_class
from theano._core.ops.core.op import Op
from theano._core.ops.elementwise.elementwise import Elementwise
from theano._core.rewrite.pipeline import adds_nothing
from theano._core.runtime import native

# Settings that no program depends on: where code is kept, how functions run and what they show.
# Those that choose a mode are in the mode.
APART = {
    *("base_compiledir", "compiledir", "compiledir_format", "cache_limit", "cache_programs"),
    *("mode", "linker", "optimizer", "optimizer_excluding", "optimizer_including"),
    *("optimizer_requiring", "optimizer_verbose", "compile_progress"),
    *("compute_test_value", "print_test_value"),
    *("pickle_test_value", "on_unused_input", "exception_verbosity", "unittests.rseed"),
    *("threads", "unpickle_function", "profile", "print_global_stats"),
    *(f"profiling.{name}" for name in ("time_thunks", "n_apply", "n_ops")),
    *("profiling.output_line_width", "profiling.destination"),
}
# Seconds by which the times of files may lag behind the clock.
_LAG = 0.05
_ENGINE = "theano._core."
_OPERATIONS = (f"{_ENGINE}ops.", f"{_ENGINE}api.graph.op_from_graph")
# Attributes of operations that are shown only.
_SHOWN = {Loop: {"name", "labels"}, IfElse: {"label"}}


# What Python's own text tells from everything else.
_PLAIN = frozenset((type(None), bool, int, str, bytes))


class NoTextError(Exception):
    """Something has no text that tells it from everything else."""


def settings() -> dict[str, Any]:
    """Return the settings that programs depend on."""
    return {
        name: config.get(name)
        for name, setting in config.settings().items()
        if setting.works and setting.convert is None and name not in APART
    }


class ProgramKey(Record):
    """The key of a program, and the data of the constants of its graph, in order.

    Functions with equal digests have the same program, and equal constants one by one. The key is
    made from a text of so many `characters`.
    """

    digest: str
    constants: list[Any]
    characters: int


def program_key(maker: Any) -> ProgramKey | None:
    """Return the key of the program of a `FunctionMaker`; None: it has to be made."""
    mode = maker.mode
    told = config.optimizer_verbose or config.compute_test_value_opt != "off" or maker.profile
    if told or not config.cache_programs or not source_files():
        return None
    if type(mode) is not Mode or mode.backend != "llvm" or not adds_nothing(mode.selection):
        return None
    position = {variable: i for i, variable in enumerate(maker.all_inputs)}
    texts = Texts()
    try:
        parts = [
            source_files(),
            machine.identity(maker.vector_bits),
            texts.value(settings()),
            texts.value((mode.level, mode.passes, mode.included, mode.excluded)),
            texts.value((mode.fuses, mode.overwrites, len(maker.arguments), maker.drawn_in_place)),
            texts.value([position[target] for target, _ in maker.updates]),
            texts.graph(maker.all_inputs, maker.all_results, texts.constants),
        ]
    except NoTextError:
        return None
    text = "\n".join(parts)
    return ProgramKey(_digest(text), texts.constants, len(text))


class Texts:
    """Texts of values; equal texts, equal values.

    Attributes
    ----------
    constants : list
        The data of the constants of a graph, if `graph` is given this list.
    """

    def __init__(self) -> None:
        self.constants: list[Any] = []
        self._types: dict[Any, str] = {}
        # By identity; what has a text is kept, so that no other object gets its identity.
        self._texts: dict[int, tuple[Any, str]] = {}

    def value(self, value: Any) -> str:
        """Return the text of a parameter.

        Raises
        ------
        NoTextError
        """
        cls = type(value)
        if cls in _PLAIN:
            return repr(value)
        memo = self._texts.get(id(value))
        if memo is not None:
            return memo[1]
        if cls is float:
            return f"f{struct.pack('>d', value).hex()}"
        if cls in (tuple, list):
            items = [repr(v) if type(v) in _PLAIN else self.value(v) for v in value]
            return f"{cls.__name__}({','.join(items)})"
        if cls in (set, frozenset):
            return f"set({','.join(sorted(map(self.value, value)))})"
        if cls is dict:
            return f"dict({','.join(f'{self.value(k)}:{self.value(v)}' for k, v in value.items())})"
        if isinstance(value, (np.ndarray, np.generic)):
            return self._array(value)
        if isinstance(value, np.dtype):
            return f"dtype({value.str!r})"
        text = self._object(value)
        self._texts[id(value)] = value, text
        return text

    def _object(self, value: Any) -> str:
        cls = type(value)
        if isinstance(value, ObjectType | TensorType):
            return self.type(value)
        if cls is Body:
            return _digest(self.graph(value.inputs, value.outputs))
        if isinstance(value, Op):
            return self._operation(value)
        if cls is FunctionType:
            return self._function(value)
        if cls is slice:
            return f"slice{self.value((value.start, value.stop, value.step))}"
        if cls is Emitted:
            return f"emitted{self.value((value.name, value.parameters, value.cost))}"
        if isinstance(value, tuple) and place_of(cls)[0].startswith(_ENGINE):
            return _digest(f"{_name(cls)}({','.join(map(self.value, value))})")
        raise NoTextError(f"{value!r} of type {cls}")

    def _array(self, value: Any) -> str:
        if type(value) is not np.ndarray and isinstance(value, np.ndarray):
            raise NoTextError(f"an array of type {type(value)}")
        if value.dtype.kind not in "biufc":
            raise NoTextError(f"items of {value.dtype}")
        # Sums of constants depend on the order in which their items lie.
        order = "" if value.flags.c_contiguous else f" {value.strides}"
        small = value.nbytes <= 64
        data: Any = value.tobytes() if small else np.ascontiguousarray(value).data
        text = data.hex() if small else hashlib.sha256(data).hexdigest()
        return f"{type(value).__name__} {value.dtype.str}{value.shape}{order} {text}"

    def _function(self, value: FunctionType) -> str:
        # One of the engine is known by its place: the text of a program tells the engine's files.
        if not place_of(value)[0].startswith(_ENGINE):
            raise NoTextError(f"{value!r}")
        code = value.__code__
        numbers = [c for c in code.co_consts if type(c) is not CodeType]
        cells = [cell.cell_contents for cell in value.__closure__ or ()]
        place = code.co_firstlineno, code.co_code, code.co_names, numbers
        closure = cells, value.__defaults__, value.__kwdefaults__
        return f"{_name(value)}{self.value((place, closure))}"

    def _operation(self, op: Any) -> str:
        cls = plain_class(type(op))
        if "<" in cls.__qualname__:
            raise NoTextError(f"{op} of a class within a function")
        of_user = isinstance(op, Elementwise) and op.module is not None
        if of_user or not place_of(cls)[0].startswith(_OPERATIONS):
            raise NoTextError(f"{op} of {cls}")
        if isinstance(op, Elementwise):
            return repr(op.name)
        if isinstance(op, InnerGraph):
            # It is written out first of all. Two are equal only if they are one.
            one = f"{len(self._texts)}" if cls.__eq__ is InnerGraph.__eq__ else ""
            return f"{_name(cls)}({self.value(op.body)}){one}"
        own = sorted((k, v) for k, v in vars(op).items() if k not in _SHOWN.get(cls, ()))
        return f"{_name(cls)}({','.join(f'{name}={self.value(v)}' for name, v in own)})"

    def type(self, type_: Any) -> str:
        """Return the text of the type of a variable."""
        own = type(type_)
        # Types of users may not even have a hash.
        if own is not TensorType and (place_of(own)[0] != place_of(ObjectType)[0] or vars(type_)):
            raise NoTextError(f"a type of {own}")
        text = self._types.get((own, type_))
        if text is None:
            text = f"{type_.dtype}{type_.shape}" if own is TensorType else _name(own)
            self._types[own, type_] = text
        return text

    def graph(
        self, inputs: Sequence[Any], outputs: Sequence[Any], constants: list[Variable] | None = None
    ) -> str:
        """Return the text of a graph: it tells which variables are one, but no names.

        The data of constants is added to `constants`.
        """
        names = {v: str(i) for i, v in enumerate(inputs)}
        rows = [self.type(v.type) for v in inputs]
        operations: dict[str, int] = {}

        def named(variable: Variable) -> str:
            name = names.get(variable)
            if name is None:
                if not isinstance(variable, Constant):
                    raise NoTextError(f"{variable} is no input")
                name = names[variable] = f"{len(names)}"
                if isinstance(variable.data, np.integer):
                    # A number of a basic index, which rewriting makes part of the operation.
                    rows.append(f"at {variable.data}")
                    return name
                rows.append(f"{self.type(variable.type)}={self.value(variable.data)}")
                if constants is not None:
                    constants.append(variable.data)
            return name

        for node in toposort(outputs, names):
            if type(node) is not Apply or node.rules is not node.op:
                raise NoTextError(f"{node}")
            values = [names.get(v) or named(v) for v in node.inputs]
            text = self.value(node.op)
            number = operations.setdefault(text, len(operations))
            kinds = []
            for out in node.outputs:
                # An input may be an output of an operation that another one is needed of.
                names.setdefault(out, f"{len(names)}")
                kinds.append(f"{names[out]}:{self.type(out.type)}")
            rows.append(f"{number}({' '.join(values)}){' '.join(kinds)}")
        rows.append(" ".join(map(named, outputs)))
        return "\n".join([*operations, "graph", *rows])


def _name(value: Any) -> str:
    return f"{value.__module__}.{value.__qualname__}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# -- what the engine itself is --------------------------------------------------------------------


@lru_cache(1)
def source_files() -> str:
    """Return what tells the files of this package, and the libraries it asks, from any others.

    Empty: there are none, or one has changed since the package was imported, so that it is not
    known which code runs.
    """
    _compared.update(_new_modules())
    files = _source_files().values()
    if not files or max(file.changed for file in files) > (theano._core.STARTED - _LAG) * 1e9:
        return ""
    return _digest(f"{sys.version} {np.__version__} {sorted(map(tuple, files))}")


def imported_as_told() -> bool:
    """Return whether all modules that are imported by now are those that `source_files` tells."""
    if not source_files():
        return False
    new = _new_modules()
    files = _source_files()
    try:
        for name in filter(_is_told, new):
            path = getattr(sys.modules[name], "__file__", None) or ""
            if path.endswith(".py") and _file(path, files[path].name) != files[path]:
                return False
    except (LookupError, OSError):
        return False
    _compared.update(new)
    return True


# The modules that are known to be what `source_files` tells, and those that it says nothing of.
_compared: set[str] = set()


def _new_modules() -> set[str]:
    # A difference of sets takes microseconds; looking at each name takes longer than all else here.
    return set(sys.modules) - _compared


def _is_told(name: str) -> bool:
    return name.startswith("theano.") or name == "scipy"


@lru_cache(1)
def _source_files() -> dict[str, _File]:
    """Return the files at their paths; empty: they cannot be read."""
    folder = os.path.dirname(os.path.dirname(os.path.abspath(theano._core.__file__)))
    paths = [native.__file__, np.__file__]
    scipy = importlib.util.find_spec("scipy")
    paths += [] if scipy is None or scipy.origin is None else [scipy.origin]
    try:
        return dict([*_files(folder, ""), *((path, _file(path, path)) for path in paths)])
    except OSError:
        return {}


class _File(Record):
    name: str
    size: int
    modified: int
    changed: int
    # Of its content, where the times say too little.
    digest: str


def _file(path: str, name: str) -> _File:
    facts = os.stat(path)
    changed, digest = max(facts.st_mtime_ns, facts.st_ctime_ns), ""
    # The time of a file's entry cannot be set as that of its content can. But images of systems
    # may give all files one time, in whole seconds.
    if os.name != "posix" or facts.st_ctime_ns % 1_000_000_000 == 0:
        with open(path, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
    return _File(name, facts.st_size, facts.st_mtime_ns, changed, digest)


def _files(folder: str, place: str) -> Iterator[tuple[str, _File]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".py"):
                yield entry.path, _file(entry.path, place + entry.name)
            elif entry.is_dir() and entry.name != "__pycache__":
                yield from _files(entry.path, f"{place}{entry.name}/")
