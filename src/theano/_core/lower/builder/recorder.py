"""Records the instructions of a program, in blocks; it knows nothing of graphs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, overload

import numpy as np

from theano._core.base import dtypes
from theano._core.lower import program as ir
from theano._core.lower.arrays import Size
from theano._core.lower.builder.region import Region
from theano._core.lower.kernel.expression import Value, Writer
from theano._core.lower.program import Number, Register, Scalar, number_of
from theano._core.lower.simplify import COMMUTATIVE, is_length, simplest


class Scope:
    """A block, and what is known where its instructions go."""

    __slots__ = ("block", "holds", "lets", "outer")

    def __init__(self, block: ir.Block, outer: Scope | None) -> None:
        self.block = block
        self.lets: dict[tuple[Any, ...], str] = {}
        # Conditions that were checked.
        self.holds: set[Size] = set()
        self.outer = outer


class Recorder:
    """A program while it is recorded."""

    def __init__(self) -> None:
        # The block that receives instructions.
        self.block: ir.Block = []
        # Those of all blocks, by the identity of the block.
        self._scope = Scope(self.block, None)
        self._scopes = {id(self.block): self._scope}
        # The block that receives calls of kernels, if that is another one: see `apart`.
        self.calls: ir.Block | None = None
        self.stacks: list[tuple[str, int]] = []
        self.block_words = 1
        self.frame_size = 0
        self.buffer_slots: list[int] = []
        self.region: Region | None = None
        # Registers of integers that are not negative.
        self.lengths: set[Size] = set()
        # What `let` made registers of.
        self.made: dict[Size, tuple[str, tuple[Size, ...], str]] = {}
        # What registers probably hold in a call, in two cases: see `likely`.
        self.expected: tuple[dict[Size, Any], ...] = ({}, {})
        self._count = 0

    # -- instructions -----------------------------------------------------------------------------

    def fresh(self) -> str:
        """Return the name of a new register."""
        self._count += 1
        return f"%m{self._count}"

    def do(self, instruction: object) -> None:
        """Add an instruction."""
        self.block.append(instruction)

    @overload
    def let(self, function: Literal["moved", "word", "slot"], *operands: Size) -> str: ...
    @overload
    def let(self, function: Literal["select"], *operands: Size, type: Literal["ptr"]) -> str: ...
    @overload
    def let(self, function: str, *operands: Size, type: str = "int64") -> Size: ...
    def let(self, function: str, *operands: Size, type: str = "int64") -> Size:
        """Return the value of a function of `ir.FUNCTIONS`: a register, or what is known of it."""
        operands = _in_order(function, operands)
        available = self._available(function, operands, type)
        if available is not None:
            return available
        name = self.fresh()
        self.block.append(ir.Let(name, function, operands, type))
        self._scope.lets[function, operands, type] = name
        if type == "int64" and is_length(function, operands, self.lengths):
            self.lengths.add(name)
        self.made[name] = function, operands, type
        return name

    def available(self, function: str, *operands: Size, type: str = "int64") -> Size | None:
        """Return what `let` does if it need not write an instruction for it."""
        return self._available(function, _in_order(function, operands), type)

    def _available(self, function: str, operands: tuple[Size, ...], type: str) -> Size | None:
        folded = simplest(function, operands, type, self.lengths)
        if folded is not None:
            return folded
        key = (function, operands, type)
        scope: Scope | None = self._scope
        while scope is not None:
            name = scope.lets.get(key)
            if name is not None:
                return name
            scope = scope.outer
        return None

    def compute(self, body: Callable[..., Any], *operands: Scalar) -> Scalar:
        """Return the value `body(w, *operands)` of scalars; see `Writer`."""
        w = Writer([x.dtype for x in operands])
        value: Value = body(w, *w.operands)
        if value.index < len(operands):
            return operands[value.index]
        lanes = max([x.lanes for x in operands], default=1)
        result = Register(self.fresh(), value.dtype, lanes)
        self.block.append(ir.Compute(result.name, value.dtype, w.body([value]), operands, lanes))
        return result

    def cast(self, x: Scalar, dtype: str) -> Scalar:
        """Return a scalar converted to `dtype`."""
        if x.dtype == dtype:
            return x
        if isinstance(x, Number) and dtypes.is_discrete(x.dtype) and dtypes.is_discrete(dtype):
            return self.literal(number_of(x), dtype)
        return self.compute(lambda w, x: w.cast(x, dtype), x)

    def call(self, function: str, *operands: Size) -> str:
        """Call a function of the runtime; return the register of what it returns, or ''."""
        name = self.fresh() if ir.RUNTIME[function].result else ""
        self.block.append(ir.Call(name, function, operands))
        return name

    def call_or_fail(self, function: str, *operands: Size) -> None:
        """Call a function that returns 0, or another number after recording an error."""
        self.or_fail(self.let("eq", self.call(function, *operands), 0, type="int32"))

    def words(self, address: str, words: Sequence[Size], types: Sequence[str] = ()) -> None:
        """Write words to memory, from an address on; int64 without `types`."""
        types = tuple(types) or ("int64",) * len(words)
        self.block.append(ir.Words(address, tuple(words), types))

    def listed(self, words: Sequence[Size]) -> str:
        """Return the address of words on the stack."""
        place = self.stack(max(8, 8 * len(words)))
        self.words(place, words)
        return place

    def load(self, address: str, dtype: str) -> Register:
        """Return an item in memory."""
        item = Register(self.fresh(), dtype)
        self.block.append(ir.Load(item.name, dtype, address))
        return item

    def store(self, address: str, value: Scalar) -> None:
        """Write an item to memory."""
        self.block.append(ir.Store(address, value))

    # -- blocks -----------------------------------------------------------------------------------

    @contextmanager
    def into(self, block: ir.Block | None) -> Iterator[ir.Block]:
        """Have instructions go to a block; None: to the one that they go to already."""
        outer, scope, calls = self.block, self._scope, self.calls
        self.calls = None
        if block is not None:
            self.block = block
            self._scope = self._scopes.setdefault(id(block), Scope(block, scope))
        try:
            yield self.block
        finally:
            self.block, self._scope, self.calls = outer, scope, calls

    @contextmanager
    def apart(self, block: ir.Block | None) -> Iterator[None]:
        """Have the calls of kernels go to another block than what prepares them."""
        calls, self.calls = self.calls, block
        try:
            yield
        finally:
            self.calls = calls

    @contextmanager
    def once(self) -> Iterator[None]:
        """Have instructions be done once, before the loop around: they read what no step changes.

        What they allocate serves all steps.
        """
        region, block = self.region, self.block
        assert region is not None
        self.region, self.block = region.outer, []
        block.append(ir.Once(region.step, self.block))
        try:
            with self.apart(None):
                yield
        finally:
            self.region, self.block = region, block

    def if_else(
        self,
        condition: Size,
        then: Callable[[], Any] | None,
        otherwise: Callable[[], Any] | None = None,
        types: Sequence[str] = (),
    ) -> tuple[Any, ...]:
        """Write an `If`; return what the two functions return, addresses or sizes by `types`.

        Where the condition is known, there is no `If`.
        """
        if isinstance(condition, int):
            write = then if condition else otherwise
            returned = write() if write is not None else ()
            return returned if types else ()
        results = []
        blocks: list[ir.Block] = []
        for write in (then, otherwise):
            with self.into([]) as block:
                results.append(write() if write is not None else ())
            blocks.append(block)
        names = tuple(self.fresh() for _ in types)
        merges = tuple(map(ir.Merge, names, types, *results)) if types else ()
        one, two = blocks
        self.block.append(ir.If(condition, one, two, merges))
        return names

    @contextmanager
    def counted(self, limit: Size, polls: bool = False) -> Iterator[str]:
        """Have instructions go to the body of a loop; gives the number of the step.

        One that may take long `polls`: signals are handled between its steps.
        """
        step = self.fresh()
        with self.into([]) as body:
            yield step
        self.block.append(ir.For(step, limit, (), body, polls=polls))

    # -- the frame and the stack ------------------------------------------------------------------

    def reserve(self, slots: int) -> int:
        """Return the offset of new frame slots."""
        offset = self.frame_size
        self.frame_size += slots
        return offset

    def new_slot(self) -> int:
        """Return a slot that owns memory."""
        slot = self.reserve(1)
        self.buffer_slots.append(slot)
        return slot

    def frame_pointer(self, offset: int) -> str:
        """Return the address of a frame slot."""
        return self.let("slot", offset)

    def frame_load(self, offset: int, type: str = "int64") -> str:
        """Return what a frame slot holds."""
        name = self.fresh()
        self.block.append(ir.FrameLoad(name, offset, type))
        return name

    def frame_store(self, offset: int, value: Size, type: str = "int64") -> None:
        """Write to a frame slot."""
        self.block.append(ir.FrameStore(offset, (value,), (type,)))

    def stack(self, nbytes: int, name: str = "%stack") -> str:
        """Return memory that lives as long as the call."""
        name = f"{name}{len(self.stacks)}"
        self.stacks.append((name, nbytes))
        return name

    def or_fail(self, condition: Size) -> None:
        """Leave the function unless `condition`; the error is already recorded."""
        if condition != 1:
            self.block.append(ir.Guard(condition))

    def is_checked(self, condition: Size) -> bool:
        """Tell whether a condition is known to hold; note that it is checked now if it is not."""
        # What is done once before a loop comes before the checks of its steps.
        if self._scope.block is not self.block:
            return condition == 1
        holds, scope = condition == 1, self._scope
        while not holds and scope is not None:
            holds, scope = condition in scope.holds, scope.outer
        self._scope.holds.add(condition)
        return holds

    def literal(self, number: float | int, dtype: str) -> Number:
        """Return a number as a scalar."""
        return Number(dtype, np.asarray(number).astype(dtype).tobytes())


def _in_order(function: str, operands: tuple[Size, ...]) -> tuple[Size, ...]:
    """Return operands in the one order in which they are written if theirs does not matter."""
    if function not in COMMUTATIVE:
        return operands
    one, two = operands
    swap = isinstance(one, int) or (isinstance(two, str) and two < one)
    return (two, one) if swap else operands
