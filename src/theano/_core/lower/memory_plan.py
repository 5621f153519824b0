"""What memory a call takes, foretold: its program is walked through with the lengths of arguments.

Nothing is computed but numbers that are made of lengths and of items of the arguments. What follows
from computed items is not known (None), such as how many of them are not zero; of a branch whose
condition is not known, the side that leaves more memory counts. A loop is walked through for its
first step and its last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from theano._core.base.records import Record
from theano._core.lower import program as ir
from theano._core.lower.interpreter import evaluated, failure, memory
from theano._core.lower.passes.outline import inlined
from theano._core.lower.simplify import applied
from theano._core.runtime import native

# Addresses of memory that a program makes begin here, so far apart: nothing is there.
_NOWHERE, _APART = 1 << 61, 1 << 40
_FRAME = _NOWHERE - _APART


class Buffer(Record):
    """Memory that a program allocates.

    Attributes
    ----------
    nbytes : int or None
        None: it depends on items that are computed.
    made, freed : int
        Numbers of the steps in which it is allocated and given back; `freed` is -1 for a result.
    block : int
        Which block of the pool it is: buffers of one block follow one another in the same memory.
    """

    nbytes: int | None
    made: int
    freed: int
    block: int


class MemoryPlan:
    """The memory of one call of a function.

    It is that of the function's own arrays: what BLAS, LAPACK and Python take for a moment is not
    known. As text, it is a table.

    Attributes
    ----------
    buffers : list of Buffer
        In the order of their allocation.
    peak : int
        The most bytes that are allocated at one time, results included. The pool rounds each
        buffer up, by at most a quarter.
    exact : bool
        Whether all sizes are known, and all conditions of branches that allocate.
    steps : list of str
        What each step computes.
    """

    def __init__(self, steps: Sequence[str], buffers: list[Buffer], peak: int, exact: bool) -> None:
        self.steps = list(steps)
        self.buffers, self.peak, self.exact = buffers, peak, exact

    def __str__(self) -> str:
        blocks = len({buffer.block for buffer in self.buffers})
        about = "" if self.exact else ", as far as sizes are known"
        lines = [
            f"{self.peak} bytes at once{about}; buffers: {len(self.buffers)}, blocks: {blocks}",
            "buffer        bytes block  allocated in step                 given back in step",
        ]
        for index, (nbytes, made, freed, block) in enumerate(self.buffers):
            size = "?" if nbytes is None else nbytes
            end = "(result)" if freed < 0 else self._step(freed)
            lines.append(f"{index:>6} {size:>12} {block:>5}  {self._step(made):<34}{end}")
        return "\n".join(line.rstrip() for line in lines)

    def _step(self, number: int) -> str:
        name = self.steps[number] if self.steps else ""
        return f"{number} {name}" if len(name) < 29 else f"{number} {name[:25]}..."


def memory_plan(text: Any, arguments: Sequence[object], overwritable: Sequence[bool]) -> MemoryPlan:
    """Return the memory that a program takes for some arguments.

    Parameters
    ----------
    text : ProgramText
    arguments : sequence
        Arrays and objects, the values of shared variables included.
    overwritable : sequence of bool
        Which of them may be written to, if the program wants to.

    Raises
    ------
    Exception
        What a call raises where arguments do not fit together.
    """
    planner = _Planner(text.program)
    flags = [native.OVERWRITABLE * one for one in overwritable]
    for value, offset, flag in zip(arguments, text.inputs, flags, strict=True):
        planner.describe(value, offset, flag)
    for value, offset in zip(text.constants, text.constant_offsets, strict=True):
        planner.describe(getattr(value, "array", value), offset, 0)
    planner.block(inlined(text.program).body)
    steps = [", ".join(str(node.op) for node in nodes) for nodes in text.steps]
    return MemoryPlan(steps, planner.buffers, planner.peak, planner.exact)


class _Planner:
    """Walks through a program; what is not known is None.

    Attributes
    ----------
    live : dict of int to int
        Slots that own a buffer → its number.
    """

    def __init__(self, program: ir.Program) -> None:
        self.buffers: list[Buffer] = []
        self.live: dict[int, int] = {}
        self.peak, self.exact, self.step = 0, True, 0
        self.values: dict[str, Any] = {"null": 0, "%frame": _FRAME}
        for index, (name, _) in enumerate((*program.stacks, ("%block", 0))):
            self.values[name] = _NOWHERE + index * _APART
        self._places = len(program.stacks) + 1
        self._frame: dict[int, Any] = {}
        self._memory: dict[int, Any] = {}
        # Where items of arguments lie, which are there as long as they are kept here.
        self._readable: list[tuple[int, int]] = []
        self._arguments: list[Any] = []
        self._equal: dict[str, tuple[Any, ...]] = {}
        self._idle: dict[int, list[int]] = {}
        self._blocks = 0

    def describe(self, value: object, offset: int, flags: int) -> None:
        """Note the descriptor of an argument, and that its items may be read."""
        if not isinstance(value, np.ndarray):
            return
        start = value.ctypes.data
        if value.size:
            ends = [(n - 1) * step for n, step in zip(value.shape, value.strides, strict=True)]
            low, high = (start + sum(pick(end, 0) for end in ends) for pick in (min, max))
            self._readable.append((low, high + value.itemsize))
            self._arguments.append(value)
        flags |= native.CONTIGUOUS * value.flags.c_contiguous
        words = (start, flags, *value.shape, *value.strides)
        self._frame.update(zip(range(offset, offset + len(words)), words, strict=True))

    def block(self, block: ir.Block) -> None:
        """Walk through a block."""
        for i in block:
            walk = _WALKS.get(type(i))
            if walk is not None:
                walk(self, i)

    def value(self, x: Any) -> Any:
        """Return a number, or what is known of a register."""
        if isinstance(x, ir.Number):
            return ir.number_of(x)
        return x if isinstance(x, int) else self.values.get(getattr(x, "name", x))

    # -- numbers ---------------------------------------------------------------------------------

    def let(self, i: ir.Let) -> None:
        operands = [self.value(x) for x in i.operands]
        if i.function == "slot":
            result = _FRAME + 8 * operands[0]
        elif i.function == "select" and operands[0] is not None:
            result = operands[1] if operands[0] else operands[2]
        elif i.function == "and" and 0 in operands:
            result = 0
        elif None in operands:
            result = None
            self._equal[i.name] = i.operands if i.function == "eq" else ()
        else:
            result = applied(i.function, i.type, [int(x) for x in operands])
        self.values[i.name] = result

    def compute(self, i: ir.Compute) -> None:
        operands = [self.value(x) for x in i.operands]
        self.values[i.name] = None
        if i.lanes == 1 and None not in operands:
            pairs = zip(operands, i.operands, strict=True)
            try:
                with np.errstate(all="ignore"):
                    items = [np.asarray(v).astype(x.dtype) for v, x in pairs]
                    (result,), _ = evaluated(i.body, items, ())
            except NotImplementedError:
                return
            self.values[i.name] = result.item()

    def frame_load(self, i: ir.FrameLoad) -> None:
        self.values[i.name] = self._frame.get(i.offset)

    def frame_store(self, i: ir.FrameStore) -> None:
        self._frame.update(enumerate(map(self.value, i.values), i.offset))

    def load(self, i: ir.Load) -> None:
        address, loaded = self.value(i.address), None
        if address is not None and address >= _FRAME:
            loaded = self._memory.get(address)
        elif address is not None:
            end = address + np.dtype(i.dtype).itemsize
            if any(low <= address and end <= high for low, high in self._readable):
                loaded = memory(address, i.dtype, (), ())[()]
        self.values[i.name] = loaded

    def store(self, i: ir.Store) -> None:
        address = self.value(i.address)
        if address is not None:
            self._memory[address] = self.value(i.value)

    def words(self, i: ir.Words) -> None:
        address = self.value(i.address)
        for index, word in enumerate(i.words):
            self._memory[address + 8 * index] = self.value(word)

    def check(self, i: ir.Check) -> None:
        holds = self.value(i.condition)
        if holds is None:
            # Of two lengths that must be equal one may be known.
            pair = self._equal.get(str(i.condition), ())
            for one, two in (pair, pair[::-1]) if pair else ():
                if isinstance(one, str) and self.value(one) is None:
                    self.values[one] = self.value(two)
        elif not holds:
            raise failure(i, [int(self.value(fact) or 0) for fact in i.facts])

    # -- memory ----------------------------------------------------------------------------------

    def alloc(self, i: ir.Alloc) -> None:
        self._end(i.slot)
        nbytes = self.value(i.nbytes)
        number = len(self.buffers)
        idle = self._idle.get(_capacity(nbytes)) if nbytes is not None else None
        if idle:
            block = idle.pop()
        else:
            block, self._blocks = self._blocks, self._blocks + 1
        self.buffers.append(Buffer(nbytes, self.step, -1, block))
        self.live[i.slot] = number
        self.exact = self.exact and nbytes is not None
        self.peak = max(self.peak, self._size(self.live))
        self.values[i.name] = _NOWHERE + (self._places + number) * _APART

    def _size(self, live: dict[int, int]) -> int:
        return sum(self.buffers[number].nbytes or 0 for number in live.values())

    def free(self, i: ir.Free) -> None:
        self._end(i.slot)

    def hand(self, i: ir.Hand) -> None:
        self.live[i.to] = self.live.pop(i.slot)

    def _end(self, slot: int) -> None:
        number = self.live.pop(slot, None)
        if number is not None:
            buffer = self.buffers[number] = self.buffers[number].replace(freed=self.step)
            if buffer.nbytes is not None:
                self._idle.setdefault(_capacity(buffer.nbytes), []).append(buffer.block)

    # -- blocks ----------------------------------------------------------------------------------

    def at(self, i: ir.Step) -> None:
        self.step = i.index

    def branch(self, i: ir.If) -> None:
        holds = self.value(i.condition)
        if holds is not None:
            self.block(i.then if holds else i.otherwise)
            for merge in i.merges:
                self.values[merge.name] = self.value(merge.one if holds else merge.two)
            return
        before, made, sides = dict(self.live), len(self.buffers), []
        for block in (i.then, i.otherwise):
            self.live = dict(before)
            self.block(block)
            sides.append(self.live)
        less, self.live = sorted(sides, key=self._size)
        for number in set(less.values()) - set(self.live.values()):
            self.buffers[number] = self.buffers[number].replace(freed=self.step)
        self.exact = self.exact and len(self.buffers) == made
        for merge in i.merges:
            first, second = self.value(merge.one), self.value(merge.two)
            self.values[merge.name] = first if first == second else None

    def loop(self, i: ir.For) -> None:
        carried = i.handed_on
        limit = self.value(i.limit)
        values = [self.value(c.start) for c in carried]
        last = None if limit is None or i.stop is not None else limit - 1
        if limit != 0:
            values = self._walk_step(i, carried, values, 0)
            # INVARIANT: what the last step is given is what the first one left, or not known.
            for _ in range(2 if limit != 1 else 0):
                after = self._walk_step(i, carried, values, last)
                values = [a if a == b else None for a, b in zip(values, after, strict=True)]
        self._bind(carried, values)
        self.values[i.step] = limit if i.stop is None or limit == 0 else None

    def _walk_step(
        self, i: ir.For, carried: Sequence[ir.Carried], values: list[Any], step: int | None
    ) -> list[Any]:
        """Walk through a step that is given some values; return what it hands on."""
        self._bind(carried, values)
        self.values[i.step] = step
        self.block(i.body)
        return [self.value(c.after) for c in carried]

    def _bind(self, carried: Sequence[ir.Carried], values: Sequence[Any]) -> None:
        self.values.update(zip((c.name for c in carried), values, strict=True))


def _capacity(nbytes: int) -> int:
    """Return the size of a block of the pool; see `runtime/pool.cpp`."""
    if nbytes <= 64:
        return 64
    step = 1 << ((nbytes - 1).bit_length() - 3)
    return -(-nbytes // step) * step


_WALKS: dict[type, Callable[[_Planner, Any], None]] = {
    ir.Let: _Planner.let,
    ir.Compute: _Planner.compute,
    ir.FrameLoad: _Planner.frame_load,
    ir.FrameStore: _Planner.frame_store,
    ir.Load: _Planner.load,
    ir.Store: _Planner.store,
    ir.Words: _Planner.words,
    ir.Check: _Planner.check,
    ir.Alloc: _Planner.alloc,
    ir.Free: _Planner.free,
    ir.Hand: _Planner.hand,
    ir.Step: _Planner.at,
    ir.If: _Planner.branch,
    ir.For: _Planner.loop,
}
