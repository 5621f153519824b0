"""Rows that fit a vector register stay in one from step to step of a loop.

Calling a kernel costs more than its work on a handful of numbers, and so does handing a row from
one step to the next through memory. Where the body of a loop does nothing but run kernels over rows
of one length, the loop is therefore written once more, for rows that fit a register: kernels are
arithmetic of registers there, and an address that is carried has its row carried beside it. Which
of the two runs is decided by the length when the function is called. Where registers are as wide as
those of AVX-512 there is a third form, for rows that fit half of one: divisions, and what takes the
parts of a register together, take longer the wider it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from theano._core.base import dtypes
from theano._core.base.dtypes import itemsize
from theano._core.base.records import Record
from theano._core.lower import program as ir
from theano._core.lower.aliases import USES, Aliases
from theano._core.lower.kernel.expression import Body, Emitted, Operation
from theano._core.lower.passes.hoist import stays_put
from theano._core.lower.program import Number, Register, Scalar, Size

# Operations of the largest body: registers run out, and it is compiled more than once.
MOST = 40
# Bits of the registers that are not best for half as many items.
WIDE = 512


class Unfit(Exception):
    """A loop has no such form; says why."""


def registers(program: ir.Program) -> ir.Program:
    """Return a program whose loops over short rows keep them in registers."""
    if not any(isinstance(i, ir.For) and i.rows != 0 for i in ir.walk(program.body)):
        return program
    return program.replace(body=_Writer(program).block(program.body))


def _renamed(x: Any, name_of: Callable[[str], str]) -> Any:
    """Return an instruction, or a part of one, with other names of registers."""
    if isinstance(x, str):
        return name_of(x) if x[:1] == "%" else x
    cls: Any = type(x)
    if cls in (tuple, list):
        return cls([_renamed(part, name_of) for part in x])
    if issubclass(cls, Record) and cls not in (Body, Number):
        return cls(*(_renamed(part, name_of) for part in x))
    return x


def _mentions(x: Any, names: set[str], counts: Counter[str]) -> Counter[str]:
    """Count how often each of some names stands in instructions, or a part of one."""
    for part in x:
        if type(part) is str:
            if part in names:
                counts[part] += 1
        elif isinstance(part, (tuple, list)):
            _mentions(part, names, counts)
    return counts


class _Writer:
    """Looks for loops in the order of the program, which tells what addresses point to."""

    def __init__(self, program: ir.Program) -> None:
        self.kernels = program.kernels
        self.stacks = {name for name, _ in program.stacks}
        self._body = program.body
        self.aliases = Aliases()
        self._count = 0
        # Of the loop that is looked at: its arithmetic, what differs from step to step, and what
        # is to hold, or not, for its other forms.
        self.lets: dict[Any, ir.Let] = {}
        self.varies: set[Any] = set()
        self.conditions: dict[Size, bool] = {}

    @cached_property
    def _everywhere(self) -> Counter[str]:
        return _mentions(self._body, self.stacks, Counter())

    def is_left(self, place: str, loop: ir.For) -> bool:
        """Tell whether anything but a loop uses a place on the stack."""
        within = _mentions(loop.body, {place}, Counter())
        return self._everywhere[place] > within[place]

    def fresh(self) -> str:
        """Return the name of a new register."""
        self._count += 1
        return f"%r{self._count}"

    def block(self, block: ir.Block) -> ir.Block:
        out: ir.Block = []
        for i in block:
            if type(i) in USES:
                USES[type(i)](self.aliases, i)
            elif isinstance(i, ir.If):
                i = i.replace(then=self.block(i.then), otherwise=self.block(i.otherwise))
                self.aliases.merge(i)
            elif isinstance(i, ir.For):
                self.aliases.begin(i)
                i = i.replace(body=self.block(i.body))
                self.aliases.end(i)
                out += self._forms(i)
                continue
            out.append(i)
        return out

    def _forms(self, loop: ir.For) -> ir.Block:
        """Return a loop, with its other forms if it has them."""
        kernels = [self.kernels[i.kernel] for i in ir.walk(loop.body) if _runs(i)]
        if loop.rows == 0 or loop.stop or not kernels or not all(map(_is_loop, kernels)):
            return [loop]
        size = _widest(kernels)
        lanes = kernels[0].lanes_of(size)
        counts = [lanes, lanes // 2] if 8 * lanes * size >= WIDE else [lanes]
        original, before = loop, []
        self.lets = {i.name: i for i in ir.walk(loop.body) if isinstance(i, ir.Let)}
        self.varies, self.conditions = _varying(loop), {}
        loop = loop.replace(body=_without_steady(loop.body, self.varies, before))
        # Lengths of kernels are that of the rows, which may have several names.
        words = [i for i in ir.walk(loop.body) if isinstance(i, ir.Words)]
        for length in {i.words[0]: i for i in words if i.address.startswith(ir.ARGUMENTS)}:
            if length in self.varies:
                return [original]
            if length not in (1, loop.rows):
                self.conditions[self._let(before, "eq", length, loop.rows)] = True
        try:
            forms = [_Form(self, loop, n) for n in counts if n > 1]
        except Unfit:
            return [original]
        fits = ""
        for name, wanted in self.conditions.items():
            held = str(name) if wanted else self._let(before, "not", name, type="bool")
            fits = self._let(before, "and", fits, held, type="bool") if fits else held
        return self._either(loop, forms, before, fits)

    def _let(self, block: ir.Block, function: str, *operands: Size, type: str = "int64") -> str:
        name = self.fresh()
        block.append(ir.Let(name, function, operands, type))
        return name

    def _either(self, loop: ir.For, forms: list[_Form], before: ir.Block, holds: str) -> ir.Block:
        types = dict(ir.defined(loop))
        names = {name: self.fresh() for name in types}
        block: ir.Block = [_renamed(loop, lambda name: names.get(name, name))]
        for form in forms:
            fits = self._let(before, "at_most", loop.rows, form.lanes)
            if holds:
                fits = self._let(before, "and", fits, holds, type="bool")
            after = {name: name if form is forms[-1] else self.fresh() for name in types}
            merges = tuple(
                ir.Merge(after[name], type_, _value(form.names[name], type_), _value(old, type_))
                for (name, type_), old in zip(types.items(), names.values(), strict=True)
            )
            block, names = [ir.If(fits, form.block, block, merges)], after
        return [*before, *block]


def _value(name: str, type_: str) -> Size | Scalar:
    return name if type_ in ("ptr", "int64") else Register(name, type_)


def _runs(i: object) -> bool:
    """Tell whether an instruction runs a kernel of the program."""
    return isinstance(i, (ir.Launch, ir.Reduce)) and isinstance(i.kernel, int)


def _is_loop(kernel: Any) -> bool:
    """Tell whether a kernel is a loop over the items of vectors."""
    return hasattr(kernel, "loop") and kernel.loop.rank == 1


def _widest(kernels: Sequence[Any]) -> int:
    """Return the bytes of the largest item that kernels read or compute."""
    bodies = [kernel.loop.body for kernel in kernels]
    item_types = [
        d for body in bodies for d in (*body.operands, *(o.dtype for o in body.operations))
    ]
    return max(itemsize(dtype) for dtype in item_types if dtype)


class _Form:
    """A loop for rows that `lanes` items hold.

    Memory holds what it holds in the loop itself, but for that which a step allocates, and rows at
    addresses that are carried, which are there in the end.

    Attributes
    ----------
    block : list of instructions
    names : dict of str to str
        What is defined, by what it is in place of.
    """

    def __init__(self, writer: _Writer, loop: ir.For, lanes: int) -> None:
        self.writer, self.loop, self.lanes = writer, loop, lanes
        self._lets, self._varies = writer.lets, writer.varies
        self.fresh = writer.fresh
        self.mask = self.fresh()
        self.names = {name: self.fresh() for name, _ in ir.defined(loop)}
        # Addresses that are carried, and the rows there when a step begins, if it reads them.
        self._carried = {c.name: c for c in loop.carried if c.type == "ptr"}
        self._rows: dict[str, Register] = {}
        # What lies at an address, and whether it is a row.
        self._items: dict[str, tuple[Scalar, bool]] = {}
        self._steady_items: set[str] = set()
        self._written: set[str] = set()
        self._allocated: set[str] = set()
        self._words: dict[str, tuple[Size, ...]] = {}
        self._operations = 0
        self._before: ir.Block = []
        self._body: ir.Block = []
        self._choose(loop.body)
        self._run(loop.body)
        self._check_memory()
        self.block = self._written_loop()

    # -- names -------------------------------------------------------------------------------------

    def _name(self, name: str) -> str:
        """Return the name in this form of a register of the body; arithmetic is added by need."""
        if name not in self.names and name in self._lets and name in self._varies:
            self.names[name] = self.fresh()
            self._body.append(_renamed(self._lets[name], self._name))
        if name not in self.names and name in self._varies:
            raise Unfit(f"{name} is not there")
        return self.names.get(name, name)

    def _copied(self, i: Any) -> None:
        """Add an instruction with the names of this form."""
        own = {name: self.fresh() for inner in ir.walk([i]) for name, _ in ir.defined(inner)}
        self.names |= own
        self._body.append(_renamed(i, self._name))

    def _address(self, at: Any) -> str:
        """Return the one name of an address that may have several."""
        while at in self._lets and self._lets[at].function == "moved":
            base, by = self._lets[at].operands
            if by != 0:
                break
            at = base
        return at

    # -- instructions ------------------------------------------------------------------------------

    def _choose(self, block: ir.Block) -> None:
        """Demand what chooses the kernels of rows without gaps."""
        for i in block:
            if not isinstance(i, ir.If):
                continue
            for held, part in ((True, i.then), (False, i.otherwise)):
                layouts = [self.writer.kernels[x.kernel].layout for x in part if _runs(x)]
                if layouts and "strided" not in layouts:
                    self._demand(i.condition, held)
            self._choose(i.then)
            self._choose(i.otherwise)

    def _demand(self, condition: Size, held: bool) -> None:
        if (
            condition in self._varies
            or self.writer.conditions.setdefault(condition, held) is not held
        ):
            raise Unfit("steps differ in what they do")

    def _run(self, block: ir.Block) -> None:
        for i in block:
            if type(i) not in _RULES:
                raise Unfit(f"no rows: {i}")
            _RULES[type(i)](self, i)

    def _note_words(self, i: ir.Words) -> None:
        self._words[i.address] = i.words

    def _branch(self, i: ir.If) -> None:
        if i.condition in self.writer.conditions:
            self._run(i.then if self.writer.conditions[i.condition] else i.otherwise)
            return
        # Reads of the clock, for profiles.
        inner = [x for x in ir.walk([*i.then, *i.otherwise]) if not isinstance(x, ir.Let)]
        if not all(isinstance(x, ir.Call) and x.function == "lap" for x in inner):
            raise Unfit("steps differ in what they do")
        then, otherwise = ([x for x in b if x in inner] for b in (i.then, i.otherwise))
        self._copied(i.replace(then=then, otherwise=otherwise))

    def _check(self, i: ir.Check) -> None:
        let = self._lets.get(str(i.condition))
        if let is None or self._allocated.isdisjoint(let.operands):
            self._demand(i.condition, True)

    def _load(self, i: ir.Load) -> None:
        value = self._item(i.address, i.dtype, False)
        if isinstance(value, Number):
            raise Unfit("a number that is known")
        self.names[i.name] = value.name

    def _store(self, i: ir.Store) -> None:
        self._put(i.address, _renamed(i.value, self._name), False)

    def _kernel(self, i: ir.Launch | ir.Reduce) -> None:
        """Do what a kernel does, in registers."""
        kernel = self.writer.kernels[i.kernel] if isinstance(i.kernel, int) else None
        if kernel is None or kernel.layout == "strided":
            raise Unfit("no kernel of rows without gaps")
        loop, body = kernel.loop, kernel.loop.body
        count, *at = self._words[i.arguments]
        # Of one item, all are numbers.
        rows = count != 1
        values = [
            self._item(address, dtype, rows and not axes)
            for address, (dtype, axes) in zip(at, loop.operands, strict=False)
        ]
        for operation in body.operations:
            values.append(self._result(operation, [values[n] for n in operation.operands]))
        # Words of memory for partial results may be empty.
        results = [address for address in at[len(loop.operands) :] if address != ""]
        for address, number in zip(results, body.stores, strict=False):
            self._put(address, values[number], rows)
        for address, number, reduction in zip(
            results[len(body.stores) :], body.reductions, loop.reductions, strict=False
        ):
            if not rows or reduction.combine in ("maximum", "minimum"):
                raise Unfit("a reduction of one item, or without an identity")
            value = self._wide(self._cast(values[number], reduction.dtype))
            start = Number(
                reduction.dtype, np.asarray(reduction.start).astype(reduction.dtype).tobytes()
            )
            number = Register(self.fresh(), reduction.dtype)
            self._body.append(ir.ReduceRow(number.name, reduction.combine, start, value, self.mask))
            self._put(address, self._cast(number, reduction.out_dtype), False)

    def _result(self, operation: Operation, operands: list[Scalar]) -> Scalar:
        function, dtype = operation.function, operation.dtype
        if function == "number":
            return Number(dtype, operation.parameter)
        if isinstance(function, Emitted) or function == "index" or dtypes.is_complex(dtype):
            raise Unfit("not of items alone")
        self._operations += 1
        if self._operations > MOST:
            raise Unfit("too much for the registers")
        count = len(operands)
        here = operation.replace(operands=tuple(range(count)))
        body = Body(tuple(x.dtype for x in operands), (here,), (count,), ())
        result = Register(self.fresh(), dtype, max((x.lanes for x in operands), default=1))
        self._body.append(ir.Compute(result.name, dtype, body, tuple(operands), result.lanes))
        return result

    def _cast(self, value: Scalar, dtype: str) -> Scalar:
        if value.dtype == dtype:
            return value
        return self._result(Operation("cast", (0,), dtype), [value])

    def _wide(self, value: Scalar) -> Scalar:
        """Return a number in all lanes."""
        if value.lanes == self.lanes:
            return value
        row = Register(self.fresh(), value.dtype, self.lanes)
        self._body.append(ir.Widen(row.name, value, self.lanes))
        return row

    # -- memory ------------------------------------------------------------------------------------

    def _item(self, at: Size, dtype: str, row: bool) -> Scalar:
        """Return the row, or the number, at an address."""
        at = self._address(at)
        if at not in self._items:
            self._items[at] = self._loaded(at, dtype, row), row
        value, is_row = self._items[at]
        if is_row is not row or value.dtype != dtype:
            raise Unfit("memory is read in another way than it is written")
        return value

    def _loaded(self, at: str, dtype: str, row: bool) -> Scalar:
        if row and at in self._carried:
            return self._row(at, dtype)
        steady = at not in self._varies
        block = self._before if steady else self._body
        if steady:
            self._steady_items.add(at)
        name = self._name(at)
        if row:
            return self._load_row(block, dtype, name)
        number = Register(self.fresh(), dtype)
        block.append(ir.Load(number.name, dtype, name))
        return number

    def _load_row(self, block: ir.Block, dtype: str, name: Any) -> Register:
        row = Register(self.fresh(), _in_memory(dtype), self.lanes)
        block.append(ir.LoadRow(row.name, dtype, self.lanes, name, self.mask))
        return row

    def _row(self, at: str, dtype: str) -> Register:
        """Return the row at an address that is carried, when a step begins."""
        if at not in self._rows:
            self._rows[at] = Register(self.fresh(), dtype, self.lanes)
        return self._rows[at]

    def _put(self, at: Size, value: Scalar, row: bool) -> None:
        """Write a row, or a number, to an address."""
        at = self._address(at)
        self._written.add(at)
        if row:
            value = self._wide(value)
            self._items[at] = value, row
            if at not in self._allocated:
                _in_memory(value.dtype)
                if at not in self._carried:
                    self._body.append(ir.StoreRow(self._name(at), value, self.mask))
            return
        self._items[at] = value, row
        if at not in self.writer.stacks or self.writer.is_left(at, self.loop):
            self._body.append(ir.Store(self._name(at), value))

    def _check_memory(self) -> None:
        """Fail if what is written may be part of what lies at another address.

        Rows of one block are apart: see the contract of programs, 5.
        """
        for at in self._words:
            listed = self._memory(at) if not at.startswith(ir.ARGUMENTS) else set()
            if any(not listed.isdisjoint(self._memory(other)) for other in self._items):
                raise Unfit("numbers that a step lists")
        for at in self._written:
            memory = self._memory(at)
            if not memory or at in self._steady_items:
                raise Unfit("a step reads what the one before wrote at a place that stays")
            for other in (*self._items, *self._rows):
                if other != at and not memory.isdisjoint(self._memory(other)):
                    if not (self._is_row(at) and self._is_row(other)):
                        raise Unfit("parts of what is written")

    def _memory(self, at: str) -> set[Any]:
        """Return the slots of memory, or the place on the stack, where an address is."""
        roots = self.writer.aliases.roots
        slots: set[Any] = {at} & self.writer.stacks
        for root in roots.get(at, ()):
            slots |= roots.get(root, {root})
        return slots

    def _is_row(self, at: str) -> bool:
        """Tell whether an address is carried, or follows from the number of the step."""
        let = self._lets.get(at)
        return at in self._carried or (let is not None and let.operands[0] not in self._varies)

    # -- the loop ----------------------------------------------------------------------------------

    def _written_loop(self) -> ir.Block:
        loop = self.loop
        carried = [_renamed(c, self._name).replace(start=c.start) for c in loop.carried]
        # Rows that are written where others of the last steps were are written behind the loop.
        written = {at for at in self._written & self._carried.keys() if self._items[at][1]}
        kept = [at for at in self._carried if not written.isdisjoint(self._turns(at))]
        if not written.issubset(kept):
            raise Unfit("what a step leaves where it is not in the end")
        for at in kept:
            to = next(to for to in self._turns(at) if to in written)
            self._row(at, self._items[to][0].dtype)
        done = 0
        while done < len(self._rows):
            at, row = list(self._rows.items())[done]
            c, done = self._carried[at], done + 1
            # Before the loop, where there are other names than in it.
            start = self._load_row(self._before, row.dtype, c.start)
            after = self._address(c.after)
            if after in self._carried and after not in self._items:
                self._items[after] = self._row(after, row.dtype), True
            value, is_row = self._items.get(after, (row, False))
            if not is_row or value.dtype != row.dtype:
                raise Unfit("what is handed on is no row of the step")
            carried.append(ir.Carried(row.name, ir.type_of(row), start, value))
        mask = ir.Mask(self.mask, loop.rows, self.lanes)
        step = self.names[loop.step]
        form = ir.For(step, loop.limit, tuple(carried), self._body, polls=loop.polls)
        behind = [ir.StoreRow(self.names[at], self._rows[at], self.mask) for at in kept]
        return [mask, *self._before, form, *behind]

    def _turns(self, at: str) -> list[str]:
        """Return the addresses that a carried one is in turn, if that is always one of them."""
        turns: list[str] = []
        while at in self._carried and at not in turns:
            turns.append(at)
            at = self._address(self._carried[at].after)
        return turns if at in turns[:1] else []


def _in_memory(dtype: str) -> str:
    """Return the dtype of a row that is read or written."""
    if dtype in ("bool", "float16") or dtypes.is_complex(dtype):
        raise Unfit(f"rows of {dtype}")
    return dtype


def _without_steady(block: ir.Block, varies: set[Any], before: ir.Block) -> ir.Block:
    """Return a block without the arithmetic that no step changes, which is added to `before`."""
    kept: ir.Block = []
    for i in block:
        if isinstance(i, ir.If):
            then = _without_steady(i.then, varies, before)
            i = i.replace(then=then, otherwise=_without_steady(i.otherwise, varies, before))
        steady = isinstance(i, ir.Let) and i.name not in varies
        (before if steady else kept).append(i)
    return kept


def _varying(loop: ir.For) -> set[Any]:
    """Return the registers of a body whose values differ from step to step, or may."""
    varies = {name for name, _ in ir.defined(loop)}
    for i in ir.walk(loop.body):
        if not isinstance(i, ir.Let) or stays_put(i) or not varies.isdisjoint(i.operands):
            varies |= {name for name, _ in ir.defined(i)}
    return varies


_RULES: dict[type, Callable[[_Form, Any], object]] = {
    ir.Let: lambda form, i: None,
    ir.Parts: lambda form, i: None,
    ir.Words: _Form._note_words,
    ir.If: _Form._branch,
    ir.Check: _Form._check,
    ir.Alloc: lambda form, i: form._allocated.add(i.name),
    ir.FrameLoad: _Form._copied,
    ir.Compute: _Form._copied,
    ir.Load: _Form._load,
    ir.Store: _Form._store,
    ir.Launch: _Form._kernel,
    ir.Reduce: _Form._kernel,
}
