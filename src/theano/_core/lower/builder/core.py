"""The state of a program that is built, and the words that need no other: frame, sizes, memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from theano._core.base import dtypes
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.lower import program as ir
from theano._core.lower.arrays import Array, Buffer, Object, Size
from theano._core.lower.builder.recorder import Recorder
from theano._core.lower.builder.region import Place, Region, Row
from theano._core.lower.computed_again import inputs_read
from theano._core.lower.equal_lengths import EqualLengths
from theano._core.lower.joined import Joined
from theano._core.lower.program import Number, Register, Scalar, size_of
from theano._core.lower.program_text import CallbackRecord, StepInside
from theano._core.lower.schedule import Step
from theano._core.ops.array.dims import LARGEST

# Items of the longest constant vector whose items are known: of as many axes as NumPy has, a shape.
LONGEST_SHAPE = 64


class Core(Recorder):
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

    # The index of the step that is written.
    step_index = -1

    def __init__(
        self,
        inputs: Sequence[object],
        outputs: Sequence[Variable],
        updates: Sequence[int],
        overwritable: set[int],
        rewriter: Any,
        fuse: bool = True,
        vector_bits: int = 0,
        timed: bool = False,
    ) -> None:
        super().__init__()
        self.inputs = list(inputs)
        self.outputs = list(outputs)
        self.updates = list(updates)
        self.overwritable = overwritable
        self.rewriter = rewriter
        self.fuse = fuse
        self.timed = timed
        self.vector_bits = vector_bits
        # What comes after the fence, while steps are written that overwrite shared variables.
        self.late: ir.Block | None = None
        self.values: dict[Any, Any] = {}
        self.uses: dict[Any, int] = {}
        self.constants: list[Any] = []
        self.constant_offsets: list[int] = []
        self.kernels: list[Any] = []
        # Numbers that kernels read, by dtype: which constant they are, its address, their bytes.
        self._pools: dict[str, tuple[int, int, dict[bytes, int]]] = {}
        self.groups: dict[Step, Any] = {}  # what is known before of fused steps
        # What a product that is made already is the product of, in short: see `matrix_pass`.
        self.multiplied: dict[Apply, tuple[Array, Array]] = {}
        self.callbacks: list[CallbackRecord] = []
        self.node_numbers: dict[tuple[Apply, tuple[Apply, ...]], int] = {}
        self.length_values: dict[Any, Size] = {}
        self.owned: dict[Any, Any] = {}
        self.number_of: dict[Apply, int] = {}
        self.equal_lengths = EqualLengths(rewriter.shape)
        self.input_offsets: list[int] = []
        # The nodes of each step.
        self.steps: tuple[tuple[Apply, ...], ...] = ()
        # While a block of rows is written, where its part of each result goes.
        self.places: dict[Any, Place] = {}
        self.inside: list[StepInside] = []  # where calls are timed, steps within loops
        # Where rows are repeated, by all loops in turn: see `tiled_rows`.
        self.tiles: list[str] = []
        # New values of shared variables that may be written in place → the variable.
        self.in_place: dict[Any, Any] = {}
        # Descriptors of arrays that a callback made and that nothing else keeps.
        self.callback_arrays: set[int] = set()
        # The step and the node that are written now.
        self.step: Step | None = None
        self.node: Apply | None = None
        # Is told of each pass over the program, if anybody wants to look: see `pipeline.run`.
        self.watch: Callable[[str, ir.Program], None] | None = None
        self.shared: Mapping[Variable, Any] = {}  # those that inputs stand for
        # Is told of kernels that the program probably runs, while the rest is written.
        self.offer: Callable[[Any], None] | None = None
        # Streams of random numbers that nothing outside this call can see.
        self.own_streams: set[Any] = set()

    def emit_node(self, node: Apply) -> None:
        """Write one node; `Builder` does."""
        raise NotImplementedError

    def write_joined(self, step: Joined) -> None:
        """Write steps that run for some rows at a time; `Builder` does."""
        raise NotImplementedError

    # -- sizes ------------------------------------------------------------------------------------

    def multiply(self, one: Size, two: Size) -> Size:
        """Return the product of two sizes, `LARGEST` if it does not fit."""
        return self.let("times", one, two)

    def plus(self, one: Size, two: Size) -> Size:
        """Return the sum of two sizes, `LARGEST` if it does not fit."""
        return self.let("plus", one, two)

    def parts(self, length: Size, size: int) -> Size:
        """Return how many parts of a size make up a length."""
        return self.let("sdiv", self.plus(length, size - 1), size)

    def unless_zero(self, condition: Size, size: Size) -> Size:
        """Return a size, but 0 where another one is 0."""
        return size if size == 0 else self.let("select", self.let("eq", condition, 0), 0, size)

    def position(self, one: Size, two: Size) -> Size:
        """Return the sum of two positions along an axis: unlike a size it needs no care."""
        return self.let("add", one, two)

    def offset(self, position: Size, stride: Size) -> Size:
        """Return where in the memory of an array something is, in bytes.

        Unlike a size it needs no care: what exists has an address. Where nothing is, at a second
        item of an axis that has one, the number has no meaning and is not read.
        """
        return self.let("mul", position, stride)

    def product(self, sizes: Sequence[Size]) -> Size:
        """Return the product of sizes, `LARGEST` if it does not fit."""
        total: Size = 1
        for size in sizes:
            total = self.multiply(total, size)
        return 0 if 0 in sizes else total

    def both(self, one: Size, two: Size) -> bool | str:
        """Return whether two conditions hold."""
        return truth(self.let("and", one, two, type="bool"))

    def size(self, length: Variable | int) -> Size:
        """Return a length of the graph as a number or a register."""
        if isinstance(length, int):
            return length
        size = self.length_values.get(length)
        if size is None:
            size = self.length_values[length] = self.integer(self.value(length))
        return size

    def tell_shape(self, variable: Variable, shape: Sequence[Size]) -> None:
        """Have lengths that nobody has asked for yet be those of an array that is there."""
        for length, size in zip(self.rewriter.shape(variable), shape, strict=True):
            if isinstance(length, Variable):
                self.length_values.setdefault(length, size)

    def integer(self, array: Array) -> Size:
        """Return an integer scalar as a size."""
        return size_of(self.cast(self.register(array), "int64"))

    # -- values -----------------------------------------------------------------------------------

    def value(self, variable: Variable) -> Any:
        """Return the value of a variable; scalars are computed when first asked for."""
        value = self.values.get(variable)
        if value is not None:
            return value
        if isinstance(variable, Constant):
            value = self._constant(variable)
        else:
            stack = [variable]
            while stack:
                node = stack[-1].owner
                read = (v for v in inputs_read(node) if not isinstance(v, Constant))
                missing = [v for v in read if v not in self.values]
                if missing:
                    stack += missing
                    continue
                stack.pop()
                if node.outputs[0] not in self.values:
                    self.emit_node(node)
            return self.values[variable]
        self.values[variable] = value
        return value

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
        items = None
        if data.ndim == 1 and data.size <= LONGEST_SHAPE and dtypes.is_discrete(dtype):
            items = tuple(data.astype("int64").tolist())
        pointer = self.frame_load(offset, "ptr")
        return Array(dtype, tuple(data.shape), pointer, descriptor=offset, items=items)

    def pooled(self, dtype: str, data: bytes) -> Array:
        """Return a number as a scalar in memory: that of a constant of the program."""
        pool = self._pools.get(dtype)
        if pool is None:
            offset = self.reserve(4)
            pool = len(self.constants), offset, {}
            self._pools[dtype] = pool
            self.constants.append(None)
            self.constant_offsets.append(offset)
        _, offset, numbers = pool
        # Not kept: a register of one block is none of another.
        start = self.frame_load(offset, "ptr")
        place = numbers.setdefault(data, len(numbers))
        at = self.let("moved", start, place * len(data)) if place else start
        return Array(dtype, (), at)

    def finish_constants(self) -> None:
        """Make the arrays of pooled numbers."""
        for dtype, (number, _, numbers) in self._pools.items():
            self.constants[number] = np.frombuffer(b"".join(numbers), dtype)

    def register(self, array: Array) -> Scalar:
        """Return a scalar's value in a register."""
        if array.register is None:
            array.register = self.load(array.data, array.dtype)
        return array.register

    def condition(self, array: Array) -> Size:
        """Return a scalar as a condition."""
        return size_of(self.cast(self.register(array), "bool"))

    def pointer(self, array: Array) -> str:
        """Return the address of an array's first item; a register is written to the stack."""
        if not array.data:
            if array.items is None:
                array.data = self.stack(max(dtypes.itemsize(array.dtype), 8))
                self.store(array.data, array.register)
            else:
                array.data = self.listed(array.items)
        return array.data

    def scalar(self, size: Size, dtype: str = "int64") -> Array:
        """Return a size, or a condition, as a scalar value."""
        value = self.literal(size, dtype) if isinstance(size, int) else Register(size, dtype)
        return Array(dtype, (), register=value)

    def strides(self, array: Array) -> tuple[Size, ...]:
        """Return the strides of an array in bytes."""
        if array.strides is not None:
            return array.strides
        # Not kept: only `let` knows in which blocks these registers are there.
        steps: list[Size] = [dtypes.itemsize(array.dtype)]
        for length in array.shape[:0:-1]:
            steps.append(self.multiply(steps[-1], length))
        return tuple(reversed(steps[: array.ndim]))

    def define(self, variable: Variable, value: Array | Object) -> None:
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
        flags = 1 if array.contiguous is True else 0
        words = (self.pointer(array), flags, *array.shape, *self.strides(array))
        self.do(ir.FrameStore(offset, words, ("ptr", *["int64"] * (1 + 2 * n))))
        array.descriptor = offset
        return offset

    def has_flag(self, descriptor: int, bit: int) -> bool | str:
        """Return whether a descriptor has a flag."""
        return truth(self.let("ne", self.let("and", self.frame_load(descriptor + 1), bit), 0))

    # -- memory -----------------------------------------------------------------------------------

    def new_array(self, dtype: str, shape: Sequence[Size]) -> Array:
        """Return a fresh C-contiguous array; the call fails if there is no memory."""
        slot = self.new_slot()
        data = self.allocated(dtype, shape, slot)
        return Array(dtype, tuple(shape), data, buffer=Buffer(slot, data))

    def result(self, dtype: str, shape: Sequence[Size]) -> Array:
        """Return fresh memory for a result: that of a number is on the stack."""
        if shape:
            return self.new_array(dtype, shape)
        return Array(dtype, (), self.stack(max(8, dtypes.itemsize(dtype))))

    def row_of(self, variable: Variable) -> Place | Row | None:
        """Return where a loop around has a result written to, such as the row of a state."""
        own = self.places.get(variable)
        return self.region.rows.get(variable) if own is None and self.region is not None else own

    def memory_for(self, variable: Variable, shape: Sequence[Size]) -> Array:
        """Return memory for the value of a variable: a row of a state, or fresh."""
        row, dtype = self.row_of(variable), variable.type.dtype
        return self.result(dtype, shape) if row is None else row.array(self, dtype, shape)

    def allocated(self, dtype: str, shape: Sequence[Size], slot: int) -> str:
        """Return memory for an array, owned by a slot; the call fails if there is none."""
        nbytes = self.multiply(self.product(shape), dtypes.itemsize(dtype))
        data = self.fresh()
        self.block.append(ir.Alloc(data, slot, nbytes))
        self.check(self.node, self.let("ne", data, "null", type="ptr"), "too_large", shape)
        return data

    # -- what may fail ----------------------------------------------------------------------------

    def or_no_memory(self, condition: Size) -> None:
        """Leave the function unless `condition`; there was no memory, or the error is recorded."""
        self.check(self.node, condition, "no_memory", ())

    def call_or_no_memory(self, function: str, *operands: Size) -> None:
        """Call a function that returns 0, or another number where there was no memory."""
        self.or_no_memory(self.let("eq", self.call(function, *operands), 0, type="int32"))

    def check(self, node: Apply | None, condition: Size, fault: str, facts: Sequence[Size]) -> None:
        """Fail with `fault` and `facts` unless the condition holds."""
        if condition == 1 or self.is_checked(condition):
            return
        loops = self.loops() if node is not None else []
        facts = (*facts, *(region.step for region in loops))
        number = -1
        if node is not None:
            place = (node, tuple(region.node for region in loops))
            number = self.node_numbers.setdefault(place, len(self.node_numbers))
        self.block.append(ir.Check(condition, fault, facts, number))

    def loops(self) -> list[Region]:
        """Return the loops around what is written now, the outermost first."""
        regions: list[Region] = []
        region = self.region
        while region is not None:
            regions.insert(0, region)
            region = region.outer
        return regions

    def check_equal(
        self, node: Apply, one: Size, two: Size, fault: str, facts: Sequence[Size]
    ) -> None:
        """Fail with `fault` unless two sizes are equal."""
        self.check(node, self.let("eq", one, two), fault, facts)

    def check_size(self, node: Apply | None, size: Size, fault: str, facts: Sequence[Size]) -> None:
        """Fail with `fault` if a size is so large that it stopped at `LARGEST`."""
        self.check(node, self.let("ne", size, LARGEST), fault, facts)

    def check_least(
        self, node: Apply, one: Size, least: int, fault: str, facts: Sequence[Size]
    ) -> None:
        """Fail with `fault` unless a size is at least `least`."""
        self.check(node, self.let("ge", one, least), fault, facts)

    def check_operands(self, node: Apply) -> None:
        """Check that the operands of an elementwise node agree in their lengths."""
        for axis in range(node.outputs[0].type.ndim):
            first = None
            for i, variable in enumerate(node.inputs):
                if variable.type.broadcastable[axis]:
                    continue
                length = self.rewriter.shape(variable)[axis]
                if first is None:
                    first = (i, length)
                elif length is not first[1] and length != first[1]:
                    one, two = self.size(first[1]), self.size(length)
                    self.check_equal(node, one, two, "elementwise", (first[0], axis, one, i, two))


def truth(condition: Size) -> bool | str:
    """Return a condition as arrays have it: known, or a register."""
    return condition if isinstance(condition, str) else bool(condition)
