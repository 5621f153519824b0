"""The state of a program that is built, and the words that need no other: frame, sizes, memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from theano._core.base import dtypes
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Constant
from theano._core.lower import program as ir
from theano._core.lower.arrays import Array, Buffer, CallbackRecord, Object, Size
from theano._core.lower.builder.region import Region
from theano._core.lower.expression import Writer
from theano._core.lower.program import Number, Register, Scalar, number_of
from theano._core.lower.schedule import Lengths, Step
from theano._core.ops.lengths import LARGEST
from theano._core.ops.shaping import Length


class Scope:
    """A block, and what is known where its instructions go."""

    __slots__ = ("block", "lets", "outer")

    def __init__(self, block: ir.Block, outer: Scope | None) -> None:
        self.block = block
        self.lets: dict[tuple[Any, ...], str] = {}
        self.outer = outer


class Core:
    """What every part of a program is built with.

    Parameters
    ----------
    inputs : sequence of variables
        Arguments and shared variables, in the order of the runtime's records.
    outputs : sequence of variables
        Rewritten results; the last `len(updates)` of them are new values of inputs.
    updates : sequence of int
        Which input each of these last results replaces.
    overwritable : set of int
        Inputs that may be overwritten in place.
    rewriter
        Knows the lengths of the graph: `lengths(variable)`, equal lengths being equal objects.
    fuse : bool
        Whether elementwise operations and reductions share loops.
    vector_bits : int
        Width of vectors; 0: the default of the target.
    timed : bool
        Whether each step tells the runtime when it is done.
    """

    def __init__(
        self,
        inputs: Sequence[Any],
        outputs: Sequence[Any],
        updates: Sequence[int],
        overwritable: set[int],
        rewriter: Any,
        fuse: bool = True,
        vector_bits: int = 0,
        timed: bool = False,
    ) -> None:
        self.inputs = list(inputs)
        self.outputs = list(outputs)
        self.updates = list(updates)
        self.overwritable = overwritable
        self.rewriter = rewriter
        self.fuse = fuse
        self.timed = timed
        self.vector_bits = vector_bits
        # The block that receives instructions.
        self.block: ir.Block = []
        # Those of all blocks, by the identity of the block.
        self._scope = Scope(self.block, None)
        self._scopes = {id(self.block): self._scope}
        # The block that receives calls of kernels, if that is another one: see `apart`.
        self.calls: ir.Block | None = None
        # What comes after the fence, while steps are written that overwrite shared variables.
        self.late: ir.Block | None = None
        self.stacks: list[tuple[str, int]] = []
        self.block_words = 1
        self.values: dict[Any, Any] = {}
        self.uses: dict[Any, int] = {}
        self.readers: dict[Any, Step] = {}  # the last step that reads each variable
        # Products that are made along with the next one: by the address of the result, a condition
        # and the arguments of the kernel.
        self.postponed: dict[str, tuple[str, str]] = {}
        self.frame_size = 0
        self.buffer_slots: list[int] = []
        self.constants: list[Any] = []
        self.constant_offsets: list[int] = []
        self.kernels: list[Any] = []
        self.callbacks: list[CallbackRecord] = []
        self.node_numbers: dict[tuple[Apply, tuple[Apply, ...]], int] = {}
        self.length_values: dict[Any, Size] = {}
        self.owned: dict[Any, Any] = {}
        self.number_of: dict[Apply, int] = {}
        self.lengths = Lengths(rewriter.lengths)
        self.input_offsets: list[int] = []
        # The applications of each step.
        self.steps: tuple[tuple[Apply, ...], ...] = ()
        # New values of shared variables that may be written in place → the variable.
        self.in_place: dict[Any, Any] = {}
        # Descriptors of arrays that a callback made and that nothing else keeps.
        self.given: set[int] = set()
        # Operands whose memory a result has taken over.
        self.taken: set[Any] = set()
        # Values that a step of a loop leaves in a row of a state → that row.
        self.places: dict[Any, Any] = {}
        self.region: Region | None = None
        # The application that is written now.
        self.node: Apply | None = None
        # Streams of random numbers that nothing outside this call can see.
        self.own_streams: set[Any] = set()
        # Buffer slots whose memory serves all steps of some loop, which gives it back.
        self.fixed_slots: set[int] = set()
        # Buffer slots whose memory was given back.
        self.freed: set[int] = set()
        self._count = 0
        # Registers that are defined within loops: in how many.
        self._depths: dict[str, int] = {}

    def emit_node(self, node: Apply) -> None:
        """Write one application; `Builder` does."""
        raise NotImplementedError

    # -- instructions -----------------------------------------------------------------------------

    def fresh(self) -> str:
        """Return the name of a new register."""
        self._count += 1
        name = f"%m{self._count}"
        if self.region is not None:
            self._depths[name] = self.region.depth
        return name

    def do(self, instruction: Any) -> None:
        """Add an instruction."""
        self.block.append(instruction)

    def let(self, function: str, *operands: Size, kind: str = "int64") -> str:
        """Return the register of a function of `ir.FUNCTIONS`: that of an equal one if known."""
        key = (function, operands, kind)
        scope: Scope | None = self._scope
        while scope is not None:
            name = scope.lets.get(key)
            if name is not None:
                return name
            scope = scope.outer
        name = self.fresh()
        self.block.append(ir.Let(name, function, operands, kind))
        if function not in ir.READS:
            self._scope.lets[key] = name
        return name

    def sized(self, function: str, *operands: Size, kind: str = "int64") -> str:
        """Return that of a function that cannot fail: before the loop if its operands are fixed."""
        region = self.region
        if region is None or not all(map(self.fixed, operands)):
            return self.let(function, *operands, kind=kind)
        with self.before(region):
            return self.sized(function, *operands, kind=kind)

    def compute(self, body: Callable[..., Any], *operands: Scalar) -> Scalar:
        """Return the value `body(w, *operands)` of scalars; see `Writer`."""
        w = Writer([x.dtype for x in operands])
        value = body(w, *w.operands)
        if value.number < len(operands):
            return operands[value.number]
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
        self.or_fail(self.let("eq", self.call(function, *operands), 0, kind="int32"))

    def words(self, address: str, words: Sequence[Size], kinds: Sequence[str] = ()) -> None:
        """Write words to memory, from an address on; int64 without `kinds`."""
        kinds = tuple(kinds) or ("int64",) * len(words)
        self.block.append(ir.Words(address, tuple(words), kinds))

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
    def before(self, region: Region) -> Iterator[None]:
        """Have instructions go before a loop."""
        inner, self.region = self.region, region.outer
        try:
            with self.into(region.before):
                yield
        finally:
            self.region = inner

    def fixed(self, size: Size) -> bool:
        """Tell whether a size or an address is the same in every step of the loop around."""
        assert self.region is not None
        return isinstance(size, int) or self._depths.get(size, 0) < self.region.depth

    def if_else(
        self,
        condition: Size,
        then: Callable[[], Any] | None,
        otherwise: Callable[[], Any] | None = None,
        kinds: Sequence[str] = (),
    ) -> tuple[str, ...]:
        """Write an `If`; return registers of what the two functions return, one for each kind."""
        found = []
        blocks: list[ir.Block] = []
        for write in (then, otherwise):
            with self.into([]) as block:
                found.append(write() if write is not None else ())
            blocks.append(block)
        names = tuple(self.fresh() for _ in kinds)
        merges = tuple(map(ir.Merge, names, kinds, *found)) if kinds else ()
        one, two = blocks
        self.block.append(ir.If(condition, one, two, merges))
        return names

    @contextmanager
    def counted(self, limit: Size) -> Iterator[str]:
        """Have instructions go to the body of a short loop; gives the number of the step."""
        step = self.fresh()
        with self.into([]) as body:
            yield step
        self.block.append(ir.For(step, limit, (), body, polls=False))

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

    def frame_load(self, offset: int, kind: str = "int64") -> str:
        """Return what a frame slot holds."""
        name = self.fresh()
        self.block.append(ir.FrameLoad(name, offset, kind))
        return name

    def frame_store(self, offset: int, value: Size, kind: str = "int64") -> None:
        """Write to a frame slot."""
        self.block.append(ir.FrameStore(offset, value, kind))

    def stack(self, nbytes: int) -> str:
        """Return memory that lives as long as the call."""
        name = f"%stack{len(self.stacks)}"
        self.stacks.append((name, nbytes))
        return name

    # -- sizes ------------------------------------------------------------------------------------

    def multiply(self, one: Size, two: Size) -> Size:
        """Return the product of two sizes, `LARGEST` if it does not fit."""
        if isinstance(one, int) and isinstance(two, int):
            return within_int64(one * two)
        if 1 in (one, two):
            return two if one == 1 else one
        return self.sized("times", one, two)

    def plus(self, one: Size, two: Size) -> Size:
        """Return the sum of two sizes, `LARGEST` if it does not fit."""
        if isinstance(one, int) and isinstance(two, int):
            return within_int64(one + two)
        if 0 in (one, two):
            return two if one == 0 else one
        return self.sized("plus", one, two)

    def parts(self, length: Size, size: int) -> Size:
        """Return how many parts of a size make up a length."""
        up = self.plus(length, size - 1)
        return up // size if isinstance(up, int) else self.sized("sdiv", up, size)

    def unless_zero(self, condition: Size, size: Size) -> Size:
        """Return a size, but 0 where another one is 0."""
        if isinstance(condition, int):
            return size if condition else 0
        nothing = self.sized("eq", condition, 0)
        return self.sized("select", nothing, 0, size)

    def position(self, one: Size, two: Size) -> Size:
        """Return the sum of two positions along an axis: unlike a size it needs no care."""
        if isinstance(one, int) and isinstance(two, int):
            return within_int64(one + two)
        if 0 in (one, two):
            return two if one == 0 else one
        return self.sized("add", one, two)

    def offset(self, position: Size, stride: Size) -> Size:
        """Return where in the memory of an array something is, in bytes.

        Unlike a size it needs no care: what exists has an address. Where nothing is, at a second
        item of an axis that has one, the number has no meaning and is not read.
        """
        if isinstance(position, int) and isinstance(stride, int):
            return within_int64(position * stride)
        if 1 in (position, stride):
            return stride if position == 1 else position
        return self.sized("mul", position, stride)

    def product(self, sizes: Sequence[Size]) -> Size:
        """Return the product of sizes, `LARGEST` if it does not fit."""
        total: Size = 1
        for size in sizes:
            total = self.multiply(total, size)
        return 0 if 0 in sizes else total

    def both(self, one: bool | str, two: bool | str) -> bool | str:
        """Return whether two conditions hold."""
        if isinstance(one, bool):
            return two if one else False
        if isinstance(two, bool):
            return one if two else False
        return self.let("and", one, two, kind="bool")

    def size(self, length: Any) -> Size:
        """Return a length of the graph as a number or a register."""
        if isinstance(length, int):
            return length
        found = self.length_values.get(length)
        if found is None:
            found = self.length_values[length] = self.integer(self.value(length))
        return found

    def integer(self, array: Array) -> Size:
        """Return an integer scalar as a size."""
        value = self.cast(self.register(array), "int64")
        return int(number_of(value)) if isinstance(value, Number) else value.name

    # -- values -----------------------------------------------------------------------------------

    def value(self, variable: Any) -> Any:
        """Return the value of a variable; scalars are computed when first asked for."""
        found = self.values.get(variable)
        if found is not None:
            return found
        if isinstance(variable, Constant):
            found = self._constant(variable)
        else:
            stack = [variable]
            while stack:
                node = stack[-1].owner
                missing = [
                    v for v in node.inputs if v not in self.values and not isinstance(v, Constant)
                ]
                if isinstance(node.op, Length) and missing:
                    missing = []
                if missing:
                    stack += missing
                    continue
                stack.pop()
                if node.outputs[0] not in self.values:
                    self.emit_node(node)
            return self.values[variable]
        self.values[variable] = found
        return found

    def _constant(self, variable: Constant) -> Any:
        if not isinstance(variable.type, TensorType):
            offset = self.reserve(2)
            self.constants.append(variable.data)
            self.constant_offsets.append(offset)
            return Object(offset)
        data = np.ascontiguousarray(variable.data).reshape(variable.data.shape)
        dtype = variable.type.dtype
        if data.ndim == 0:
            return Array(dtype, (), register=Number(dtype, data.astype(dtype).tobytes()))
        offset = self.reserve(2 + 2 * data.ndim)
        self.constants.append(data)
        self.constant_offsets.append(offset)
        return Array(dtype, tuple(data.shape), self.frame_load(offset, "ptr"), descriptor=offset)

    def literal(self, number: Any, dtype: str) -> Number:
        """Return a number as a scalar."""
        return Number(dtype, np.asarray(number).astype(dtype).tobytes())

    def register(self, array: Array) -> Scalar:
        """Return a scalar's value in a register."""
        if array.register is None:
            array.register = self.load(array.data, array.dtype)
        return array.register

    def condition(self, array: Array) -> Size:
        """Return a scalar as a condition."""
        value = self.cast(self.register(array), "bool")
        return int(number_of(value)) if isinstance(value, Number) else value.name

    def pointer(self, array: Array) -> str:
        """Return the address of an array's first item; a register is written to the stack."""
        if not array.data:
            if array.items is None:
                array.data = self.stack(max(dtypes.itemsize(array.dtype), 8))
                self.store(array.data, array.register)
            else:
                array.data = self.listed(array.items)
        return array.data

    def scalar(self, size: Size) -> Array:
        """Return a size as an int64 scalar value."""
        value = self.literal(size, "int64") if isinstance(size, int) else Register(size, "int64")
        return Array("int64", (), register=value)

    def strides(self, array: Array) -> tuple[Size, ...]:
        """Return the strides of an array in bytes."""
        if array.strides is None:
            result: list[Size] = []
            step: Size = dtypes.itemsize(array.dtype)
            for length in reversed(array.lengths):
                result.append(step)
                step = self.multiply(step, length)
            array.strides = tuple(reversed(result))
        return array.strides

    def define(self, variable: Any, value: Any) -> None:
        """Note the value of a variable."""
        buffer = getattr(value, "buffer", None)
        if buffer is not None:
            buffer.users += 1
        self.values[variable] = value

    def descriptor(self, array: Array) -> int:
        """Return the frame offset of a descriptor of an array, written if there is none."""
        if array.descriptor is not None:
            return array.descriptor
        n = array.ndim
        offset = self.reserve(2 + 2 * n)
        self.frame_store(offset, self.pointer(array), "ptr")
        self.frame_store(offset + 1, 1 if array.contiguous is True else 0)
        for i, (length, stride) in enumerate(zip(array.lengths, self.strides(array), strict=True)):
            self.frame_store(offset + 2 + i, length)
            self.frame_store(offset + 2 + n + i, stride)
        array.descriptor = offset
        return offset

    # -- memory -----------------------------------------------------------------------------------

    def new_array(self, dtype: str, lengths: Sequence[Size], hoist: bool = True) -> Array:
        """Return a fresh C-contiguous array; the call fails if there is no memory.

        Memory of one size for all steps of a loop is allocated before the loop, if it may `hoist`.
        """
        region = self.region
        if hoist and region is not None and all(map(self.fixed, lengths)):
            with self.before(region):
                array = self.new_array(dtype, lengths)
            self.keep_for_loop(region, array.buffer)
            slot = array.buffer.slot  # type: ignore[union-attr]
            return replace(array, buffer=Buffer(slot, array.data, fixed=True))
        slot = self.new_slot()
        data = self.allocated(dtype, lengths, slot)
        return Array(dtype, tuple(lengths), data, buffer=Buffer(slot, data))

    def allocated(self, dtype: str, lengths: Sequence[Size], slot: int) -> str:
        """Return memory for an array, owned by a slot; the call fails if there is none."""
        nbytes = self.multiply(self.product(lengths), dtypes.itemsize(dtype))
        data = self.fresh()
        self.block.append(ir.Alloc(data, slot, nbytes))
        self.check(self.node, self.let("ne", data, "null", kind="ptr"), "too_large", lengths)
        return data

    def keep_for_loop(self, region: Region, buffer: Any) -> None:
        """Have memory that was allocated before a loop be given back after it."""
        # Memory that serves the loop around this one too is given back after that one.
        if not buffer.fixed:
            region.fixed_slots.add(buffer.slot)
            self.fixed_slots.add(buffer.slot)

    def free(self, slot: int) -> None:
        """Give back what a slot owns."""
        self.block.append(ir.Free(slot))

    def release(self, array: Any) -> None:
        """Count one user less of the memory of a value; give it back after the last."""
        buffer = getattr(array, "buffer", None)
        if buffer is None:
            return
        buffer.users -= 1
        if buffer.users == 0 and not buffer.kept and not buffer.fixed:
            self.freed.add(buffer.slot)
            self.free(buffer.slot)

    # -- what may fail ----------------------------------------------------------------------------

    def or_fail(self, condition: str) -> None:
        """Leave the function unless `condition`; the error is already recorded."""
        self.block.append(ir.Guard(condition))

    def or_no_memory(self, condition: Size) -> None:
        """Leave the function unless `condition`; there was no memory, or the error is recorded."""
        self.check(self.node, condition, "no_memory", ())

    def check(self, node: Apply | None, condition: Size, fault: str, facts: Sequence[Size]) -> None:
        """Fail with `fault` and `facts` unless the condition holds."""
        loops = self.loops() if node is not None else []
        facts = (*facts, *(region.step for region in loops))
        number = -1
        if node is not None:
            place = (node, tuple(region.node for region in loops))
            number = self.node_numbers.setdefault(place, len(self.node_numbers))
        self.block.append(ir.Check(condition, fault, facts, number))

    def loops(self) -> list[Region]:
        """Return the loops around what is written now, the outermost first."""
        found: list[Region] = []
        region = self.region
        while region is not None:
            found.insert(0, region)
            region = region.outer
        return found

    def check_equal(
        self, node: Apply, one: Size, two: Size, fault: str, facts: Sequence[Size]
    ) -> None:
        """Fail with `fault` unless two sizes are equal."""
        if one != two:
            self.check(node, self.let("eq", one, two), fault, facts)

    def check_size(self, node: Apply | None, size: Size, fault: str, facts: Sequence[Size]) -> None:
        """Fail with `fault` if a size is so large that it stopped at `LARGEST`."""
        if size == LARGEST:
            self.check(node, 0, fault, facts)
        elif not isinstance(size, int):
            self.check(node, self.let("ne", size, LARGEST), fault, facts)

    def check_least(
        self, node: Apply, one: Size, least: int, fault: str, facts: Sequence[Size]
    ) -> None:
        """Fail with `fault` unless a size is at least `least`."""
        if not isinstance(one, int):
            self.check(node, self.let("ge", one, least), fault, facts)
        elif one < least:
            self.check(node, 0, fault, facts)

    def check_operands(self, node: Apply) -> None:
        """Check that the operands of an elementwise application agree in their lengths."""
        for axis in range(node.outputs[0].type.ndim):
            first = None
            for i, variable in enumerate(node.inputs):
                if variable.type.broadcastable[axis]:
                    continue
                length = self.rewriter.lengths(variable)[axis]
                if first is None:
                    first = (i, length)
                elif length is not first[1] and length != first[1]:
                    one, two = self.size(first[1]), self.size(length)
                    self.check_equal(node, one, two, "elementwise", (first[0], axis, one, i, two))


def within_int64(number: int) -> int:
    """Return the number of an int64 that is nearest to `number`."""
    return max(-LARGEST - 1, min(LARGEST, number))
