"""What `program.py` promises of programs, checked: see its contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from theano._core.lower import program as ir
from theano._core.lower.aliases import USES, Aliases
from theano._core.lower.faults import FAULTS
from theano._core.lower.passes.outline import inlined

# Types of the operands of functions, where they are not all of the type that `Let` names.
_OPERANDS = {
    "select": ("bool", "", ""),
    "moved": ("ptr", "int64"),
    "word": ("ptr", "int64"),
    "slot": ("int64",),
    "number": ("ptr",),
    "low": ("int128",),
}
# Registers that are there from the start.
_GIVEN = {"%frame": "ptr", "%block": "ptr", "null": "ptr"}
_LETTERS = {"i": "int64", "p": "ptr"}
# Calls that do not fail once results are made.
_SAFE = ("free", "matmul", "multiply_packed", "multiply_pairs", "tick", "lap", "release")


Operands = list[tuple[Any, str]]


class ProgramError(AssertionError):
    """A program that breaks its contract: a mistake of the compiler's own."""


def check(program: ir.Program) -> None:
    """Raise `ProgramError` if a program breaks the contract."""
    if program.routines:
        _check_routines(program)
        program = inlined(program)
    types = dict(_GIVEN) | {name: "ptr" for name, _ in program.stacks}
    _Checker(program).block(program.body, types, set())


def _check_routines(program: ir.Program) -> None:
    """Check what routines are handed: the rest is checked where they are run."""
    written: set[ir.Size] = set()

    def check_block(block: ir.Block, row: Mapping[str, int]) -> None:
        for i in ir.walk(block):
            if isinstance(i, ir.Run):
                routine = program.routines[i.routine]
                if len(i.row) != len(routine.words):
                    raise ProgramError(f"a row of {len(routine.words)} words is needed: {i}")
                check_block(routine.body, {f"%row.{n}": word for n, word in enumerate(i.row)})
            elif isinstance(i, (ir.LiveLoad, ir.LiveStore)):
                word = row.get(str(i.word), i.word)
                if word not in range(program.live_words):
                    raise ProgramError(f"there is no such word: {i}")
                if isinstance(i, ir.LiveStore):
                    written.add(word)
                elif word not in written:
                    raise ProgramError(f"nothing was handed on: {i}")

    check_block(program.body, {})


class _Checker:
    def __init__(self, program: ir.Program) -> None:
        self.program = program
        self.defined: set[str] = set()
        self.below = False
        self.ready: set[ir.Size] = set()
        self.aliases = Aliases()

    def block(self, block: ir.Block, types: dict[str, str], freed: set[int | None]) -> None:
        """Check a block, with the types of registers that are there, and slots that own nothing."""
        for i in block:
            self._instruction(i, types, freed)

    def _instruction(self, i: object, types: dict[str, str], freed: set[int | None]) -> None:
        if isinstance(i, ir.If):
            self._branch(i, types, freed)
        elif isinstance(i, ir.For):
            self._loop(i, types, freed)
        elif isinstance(i, ir.Once):
            self.block(i.body, types, freed)
        else:
            self._operands(i, types)
            self._effects(i, freed)
            for name, type_ in ir.defined(i):
                self._define(name, type_, types)

    def _define(self, name: str, type_: str, types: dict[str, str]) -> None:
        if name in self.defined:
            raise ProgramError(f"{name} is defined twice")
        self.defined.add(name)
        types[name] = type_

    def _branch(self, i: ir.If, types: dict[str, str], freed: set[int | None]) -> None:
        self._is(i.condition, "bool", types, i)
        ends = []
        for block, side in ((i.then, "one"), (i.otherwise, "two")):
            inner, own = dict(types), set(freed)
            self.block(block, inner, own)
            for merge in i.merges:
                self._is(getattr(merge, side), merge.type, inner, merge)
            ends.append(own)
        freed &= ends[0] & ends[1]
        freed |= ends[0] & ends[1]
        self.aliases.merge(i)
        for name, type_ in ir.defined(i):
            self._define(name, type_, types)

    def _loop(self, i: ir.For, types: dict[str, str], freed: set[int | None]) -> None:
        carried = i.handed_on
        self._is(i.limit, "int64", types, i)
        self._is(i.rows, "int64", types, i)
        for c in carried:
            self._is(c.start, c.type, types, c)
        for name, type_ in ir.defined(i):
            self._define(name, type_, types)
        inner, own = dict(types), set(freed)
        self.aliases.begin(i)
        self.block(i.body, inner, own)
        self.aliases.end(i)
        for c in carried:
            self._is(c.after, c.type, inner, c)
        lost = {f.slot for f in ir.walk(i.body) if isinstance(f, ir.Free)}
        lost -= {slot for slot in map(_filled, ir.walk(i.body)) if slot is not None}
        if lost:
            raise ProgramError(f"a step gives back memory of all steps: slots {sorted(lost)}")

    def _effects(self, i: object, freed: set[int | None]) -> None:
        used = USES[type(i)](self.aliases, i) if type(i) in USES else ()
        freed.discard(_filled(i))
        lost = self.aliases.owned(used) & freed
        if lost:
            raise ProgramError(f"memory of slots {lost} was given back before: {i}")
        if isinstance(i, (ir.Free, ir.Hand)):
            if i.slot in freed:
                raise ProgramError(f"slot {i.slot} is given back twice")
            if i.slot in self.program.results:
                raise ProgramError(f"the result in slot {i.slot} is given back")
            freed.add(i.slot)
        elif isinstance(i, ir.Fence):
            self.below = True
        if self.below and _may_fail(i):
            raise ProgramError(f"this may fail below the fence: {i}")

    def _operands(self, i: object, types: Mapping[str, str]) -> None:
        for value, type_ in _OPERANDS_OF[type(i)](i):
            self._is(value, type_, types, i)
        if isinstance(i, ir.Compute) and i.body.operands != tuple(x.dtype for x in i.operands):
            raise ProgramError(f"operands are not of the dtypes {i.body.operands}: {i}")
        if isinstance(i, ir.Check) and i.fault not in FAULTS:
            raise ProgramError(f"there is no fault {i.fault!r}")
        if isinstance(i, ir.Call) and i.function == "launch":
            self.ready.add(i.operands[0])
        if isinstance(i, (ir.Launch, ir.Reduce)) and isinstance(i.kernel, int):
            self._kernel(i, i.kernel)

    def _kernel(self, i: ir.Launch | ir.Reduce, number: int) -> None:
        kernels = self.program.kernels
        if number not in range(len(kernels)):
            raise ProgramError(f"there is no kernel {number}: {i}")
        needed = self.below or (isinstance(i, ir.Launch) and i.at_once)
        if needed and not kernels[number].eager and number not in self.ready:
            raise ProgramError(f"kernel {number} may not be compiled here yet: {i}")

    def _is(self, value: Any, type_: str, types: Mapping[str, str], where: Any) -> None:
        """Check that a value is there, and of a type; '' of any."""
        if isinstance(value, ir.Number):
            actual = value.dtype
        elif isinstance(value, int):
            actual = type_ if type_ in ("int64", "uint64", "int32", "int128", "bool") else "int64"
        else:
            name = value.name if isinstance(value, ir.Register) else value
            if name not in types:
                raise ProgramError(f"{name} is not defined here: {where}")
            actual = types[name]
            if isinstance(value, ir.Register) and ir.type_of(value) != actual:
                raise ProgramError(f"{name} is {actual}, not {ir.type_of(value)}: {where}")
        if type_ and actual != type_:
            raise ProgramError(f"{value} is {actual}, not {type_}: {where}")


def _of_let(i: ir.Let) -> Operands:
    types = _OPERANDS.get(i.function, (i.type,) * len(i.operands))
    return [(x, type_ or i.type) for x, type_ in zip(i.operands, types, strict=True)]


def _of_call(i: ir.Call) -> Operands:
    letters = ir.RUNTIME[i.function].operands
    return [(x, _LETTERS[c]) for x, c in zip(i.operands, letters, strict=True)]


def _of_words(i: ir.Words) -> Operands:
    return [(x, type_) for x, type_ in zip(i.words, i.types, strict=True) if x != ""]


# What instructions read, with the type that it must have; '': any.
_OPERANDS_OF: dict[type, Callable[[Any], Operands]] = {
    ir.Let: _of_let,
    ir.Call: _of_call,
    ir.Words: _of_words,
    ir.Compute: lambda i: [(x, "") for x in i.operands],
    ir.Check: lambda i: [(i.condition, "bool"), *((fact, "int64") for fact in i.facts)],
    ir.FrameLoad: lambda i: [],
    ir.FrameStore: lambda i: [*zip(i.values, i.types, strict=True)],
    ir.Load: lambda i: [(i.address, "ptr")],
    ir.Store: lambda i: [(i.address, "ptr"), (i.value, "")],
    ir.Guard: lambda i: [(i.condition, "bool")],
    ir.Alloc: lambda i: [(i.nbytes, "int64")],
    ir.Free: lambda i: [],
    ir.Parts: lambda i: [(i.address, "ptr"), *((n, "bool") for n in i.fit)],
    ir.Hand: lambda i: [(i.address, "ptr")],
    ir.Launch: lambda i: [(i.arguments, "ptr"), (i.count, "int64"), (i.total, "int64")],
    ir.Reduce: lambda i: [(i.arguments, "ptr")],
    ir.Mask: lambda i: [(i.length, "int64")],
    ir.LoadRow: lambda i: [(i.address, "ptr"), (i.mask, f"boolx{i.lanes}")],
    ir.StoreRow: lambda i: [(i.address, "ptr"), (i.value, ""), (i.mask, "")],
    ir.Widen: lambda i: [(i.value, "")],
    ir.ReduceRow: lambda i: [(i.value, ""), (i.mask, "")],
    ir.Step: lambda i: [],
    ir.Fence: lambda i: [],
}


def _filled(i: object) -> int | None:
    """Return the slot that an instruction gives memory to."""
    if isinstance(i, ir.Alloc):
        return i.slot
    return i.to if isinstance(i, ir.Hand) else None


def _may_fail(i: object) -> bool:
    if isinstance(i, ir.Call):
        return i.function not in _SAFE
    if isinstance(i, ir.Check):
        return i.fault != "no_memory"
    return isinstance(i, ir.Alloc)
