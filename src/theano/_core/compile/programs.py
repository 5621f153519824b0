"""Finished programs: what a function needs besides its graph, kept in memory and on disk.

An entry of the compile cache has what lowering said of a program as plain data, and the keys of its
modules. It tells no nodes: whoever asks for these has the graph rewritten and lowered again.
"""

from __future__ import annotations

import hashlib
import json
from binascii import a2b_base64, b2a_base64
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from theano._core.base.records import Record
from theano._core.compile.program_key import (
    NoTextError,
    ProgramKey,
    Texts,
    imported_as_told,
)
from theano._core.ir.variable import Variable
from theano._core.lower.function_address import FunctionAddress
from theano._core.lower.llvm.target import machine
from theano._core.lower.program_text import Output, ProgramText

# Where rewriting has made more constants (in characters of base64), a file is not worth it.
MOST_CHARACTERS = 1 << 20
MOST_PROGRAMS = 1024
CHANGED = "The graph of the function has been changed since the function was compiled from"

# The latest used last.
_programs: OrderedDict[str, Finished] = OrderedDict()
# The mark of each kernel, which does not change: a text of all that it is takes a while.
_marks: WeakKeyDictionary[Any, str] = WeakKeyDictionary()


class Finished(Record):
    """A program that is ready to be loaded. Each field is a number, a text, or a list of such.

    Attributes
    ----------
    key : str
        Of the entry.
    kernels : list of [symbol, mark]
        Kernels with equal marks have equal code.
    modules : list of str or None
        Keys of the modules of the entry function and of the kernels; None: not compiled with the
        program. Entries of their own tell the modules of these.
    constants : list of int, [dtype, shape, base64] or [name, count]
        A number counts the constants of the graph that the function is asked for; a name is that
        of a C function.
    """

    key: str
    kernels: list[list[str]]
    modules: list[str | None]
    frame_size: int
    buffer_slots: list[int]
    inputs: list[int]
    constants: list[Any]
    constant_offsets: list[int]
    outputs: list[list[Any]]

    def text(self, constants: Sequence[object]) -> ProgramText:
        """Return the program, without what is told of nodes, for a graph of these constants."""
        return ProgramText(
            text="",
            kernels=(),
            frame_size=self.frame_size,
            buffer_slots=tuple(self.buffer_slots),
            inputs=tuple(self.inputs),
            constants=tuple(_restored(c, constants) for c in self.constants),
            constant_offsets=tuple(self.constant_offsets),
            outputs=tuple(Output(*output) for output in self.outputs),
            callbacks=(),
            nodes=(),
            steps=(),
        )

    def code(self) -> machine.MachineProgram | None:
        """Return the machine code; None: a module is kept no more."""
        modules = [None if key is None else machine.kept(key) for key in self.modules]
        lost = [m is None and key for m, key in zip(modules, self.modules, strict=True)]
        if modules[0] is None or any(lost):
            return None
        return machine.linked(modules, [symbol for symbol, _ in self.kernels])

    def is_made_from(self, text: ProgramText, vector_bits: int) -> bool:
        """Tell whether a text is that of this program."""
        same = machine.key_of(text.text, vector_bits) == self.modules[0]
        return same and _marked(text.kernels) == self.kernels

    def variant(
        self, number: int, kernels: Callable[[], Sequence[Variable]], vector_bits: int
    ) -> tuple[int, Any]:
        """Return where a kernel is that was not needed before, and the machine code that it is in.

        Parameters
        ----------
        number : int
        kernels : callable
            Returns the kernels of the graph, which may have been changed since.
        vector_bits : int
        """
        symbol, mark = self.kernels[number]
        entry = hashlib.sha256(f"{self.key} {number}".encode()).hexdigest()
        module = _module_at(entry)
        if module is None:
            own_kernels = kernels()
            marks = _marked(own_kernels)
            if [symbol, mark] not in marks:
                raise RuntimeError(f"{CHANGED} it: compile it again.")
            module = machine.load_kernel(own_kernels[marks.index([symbol, mark])], vector_bits)
            _put(entry, module.key)
        return module.address(symbol), module.code


def ready(key: ProgramKey) -> tuple[Finished, ProgramText, machine.MachineProgram] | None:
    """Return the program that is kept for a key, as the runtime needs it; None: there is none."""
    program = _programs.get(key.digest)
    try:
        if program is None:
            program = _read(key.digest)
        else:
            _programs.move_to_end(key.digest)
        code = program.code()
        return None if code is None else (program, program.text(key.constants), code)
    except (LookupError, ValueError, TypeError, AttributeError):
        # No entry, or one that is none of ours.
        return None


def keep(key: ProgramKey, text: ProgramText, code: machine.MachineProgram) -> Finished | None:
    """Keep a program for functions with its key; None: it has parts that are no plain data."""
    places = {_place(value): i for i, value in enumerate(key.constants)}
    constants = [_constant(value, places) for value in text.constants]
    large = sum(len(c[-1]) for c in constants if isinstance(c, list) and len(c) == 3)
    if text.callbacks or large > MOST_CHARACTERS or None in constants:
        return None
    try:
        kernels = _marked(text.kernels)
    except NoTextError:
        return None
    program = Finished(
        key.digest,
        kernels,
        list(code.keys),
        text.frame_size,
        list(text.buffer_slots),
        list(text.inputs),
        constants,
        list(text.constant_offsets),
        [list(output) for output in text.outputs],
    )
    _remember(program)
    _put(program.key, json.dumps(program.asdict()))
    return program


def _marked(kernels: Sequence[Any]) -> list[list[str]]:
    """Return the symbol and the mark of each kernel."""
    texts, new = Texts(), {}
    for kernel in kernels:
        if kernel in _marks:
            continue
        key = kernel.key
        if key not in new:
            new[key] = hashlib.sha256(texts.value(key).encode()).hexdigest()
        _marks[kernel] = new[key]
    return [[kernel.symbol, _marks[kernel]] for kernel in kernels]


def _read(key: str) -> Finished:
    data = machine.cache().get(key)
    if data is None:
        raise LookupError(key)
    program = Finished(**json.loads(data))
    if program.key != key:
        raise LookupError(key)
    return _remember(program)


def _module_at(entry: str) -> machine.Module | None:
    """Return the module whose key an entry tells, if both are there."""
    key = machine.cache().get(entry)
    with suppress(ValueError):
        return None if key is None else machine.kept(key.decode())
    return None


def _put(key: str, text: str) -> None:
    # What was imported meanwhile may not be what the key tells.
    if imported_as_told():
        machine.cache().put(key, text.encode())


def _remember(program: Finished) -> Finished:
    _programs[program.key] = program
    if len(_programs) > MOST_PROGRAMS:
        _programs.popitem(last=False)
    return program


def _place(value: object) -> Any:
    """Return what two constants have in common whose items lie in one place."""
    if not isinstance(value, np.ndarray):
        return id(value)
    return value.__array_interface__["data"][0], value.dtype, value.shape, value.strides


def _constant(value: FunctionAddress | np.ndarray | str, places: dict[Variable, int]) -> Any:
    if isinstance(value, FunctionAddress):
        return list(value)
    number = places.get(_place(value))
    if number is not None:
        return number
    if type(value) is not np.ndarray or value.dtype.kind not in "biufc":
        return None
    return [value.dtype.str, value.shape, b2a_base64(value.tobytes(), newline=False).decode()]


def _restored(facts: Any, constants: Sequence[object]) -> Any:
    if type(facts) is int:
        return constants[facts]
    if len(facts) == 2:
        return FunctionAddress(*facts)
    dtype, shape, data = facts
    # A copy has the alignment that code relies on.
    array = np.frombuffer(a2b_base64(data), dtype).reshape(shape).copy()
    array.flags.writeable = False
    return array
