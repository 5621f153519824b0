"""The program: what one call of a function does, as data, from the graph to machine code.

Operations say what they do through a builder (`lower/builder`), which records instructions; a
printer (`lower/llvm/print/printer.py`) writes each of them as LLVM text and decides nothing. In
between a program can be read (`str`), read back (`text.py`), checked (`spec.py`) and run
(`interpreter.py`).

VALUES
- A *register* has a name (`%m7`) and a type: a dtype; `ptr`, an address; `int128`; or `float64x8`,
  a row of numbers in the lanes of one register. Lengths, strides and addresses are registers too,
  or Python's ints. Lengths are added and multiplied by functions that stop at the largest int64.
- Memory is a *slot* of the frame that owns a block (`Alloc` to `Free`, or to the end of the call),
  an argument, or a place on the stack, which keeps what was written last, behind a loop too. An
  array is a description at hand of the builder: a dtype, an address, lengths and strides; views are
  other descriptions of the same memory.
- The *frame* is an array of words that the runtime fills with descriptors of the arguments, and
  that gives it those of the results.

THE CONTRACT, which `spec` proves, but for the last sentence of 5
1. A register is defined once, before its uses, in its block or one around it.
2. Below the `Fence` nothing can fail that is not done already, and above it nothing is written to
   memory of arguments and shared variables: what may overwrite them is told by their descriptors.
3. A kernel reads all it reads of a point before it writes there. It writes no memory that it reads,
   except at the same strides.
4. A slot is given back at most once on each way through the program, behind all that reads or
   writes its block; that of a result never. What an iteration of a `For` allocates, it gives back,
   or the slot is that of a value carried.
5. What a `For` carries has one type in all its steps; a block reads of what is around it only what
   does not change while it runs. Rows that a step writes overlap none that have another address.
6. Nothing depends on the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from theano._core.base.records import Record
from theano._core.lower.kernel.expression import Body

# Steps after which a loop first looks at the time, to handle signals; one of more steps lets
# Python's lock go.
PATIENCE = 1024

# Points of which a loop is certainly not shared with other threads.
FEW = 64

# What names of places on the stack begin with that hold arguments of one kernel: each of their
# words is written by one instruction.
ARGUMENTS = "%arguments"

# A number of the program itself, or the name of a register.
Size = int | str


class Register(Record):
    """A value in a register: a number, or `lanes` of them."""

    name: str
    dtype: str
    lanes: int = 1


class Number(Record):
    """A constant; `data` are its bytes, since numbers that differ may be equal."""

    dtype: str
    data: bytes
    lanes: int = 1


Scalar = Register | Number


def number_of(x: Number) -> Any:
    """Return the Python number that a constant is."""
    return np.frombuffer(x.data, x.dtype)[0].item()


def size_of(x: Scalar) -> Size:
    """Return an integer or a truth value as a number, or the name of its register."""
    return int(number_of(x)) if isinstance(x, Number) else x.name


def type_of(x: Scalar) -> str:
    """Return the type of a value in a register."""
    return x.dtype if x.lanes == 1 else f"{x.dtype}x{x.lanes}"


class Let(Record):
    """A number that follows from others by one of `FUNCTIONS`; `type` is that of the operands."""

    name: str
    function: str
    operands: tuple[Size, ...]
    type: str = "int64"


class Compute(Record):
    """The one value that a body stores, of scalars or of rows: see `expression.py`."""

    name: str
    dtype: str
    body: Body
    operands: tuple[Scalar, ...]
    lanes: int = 1


class FrameLoad(Record):
    """A word of the frame."""

    name: str
    offset: int
    type: str


class FrameStore(Record):
    """Writes words of the frame side by side, from one on; a type for each."""

    offset: int
    values: tuple[Size, ...]
    types: tuple[str, ...]


class Load(Record):
    """An item in memory."""

    name: str
    dtype: str
    address: str


class Store(Record):
    """Writes an item to memory."""

    address: str
    value: Scalar


class Words(Record):
    """Writes words side by side from `address` on, but those that are empty; a type for each."""

    address: str
    words: tuple[Size, ...]
    types: tuple[str, ...]


class Check(Record):
    """Fails with a fault and the facts for its message unless the condition holds.

    `place` is the number of the node that is to blame; -1: of none.
    """

    condition: Size
    fault: str
    facts: tuple[Size, ...]
    place: int


class Guard(Record):
    """Leaves the function unless the condition holds: the error is recorded already."""

    condition: Size


class Alloc(Record):
    """The address of a new block of `nbytes`, which the slot owns; nullptr if there is none."""

    name: str
    slot: int
    nbytes: Size


class Parts(Record):
    """Stands around copies to parts of a new block that lie apart, if `fit`: for `elide_copies`."""

    address: str
    fit: tuple[Size, ...]


class Free(Record):
    """Gives the block of a slot back, if it owns one; only `passes/lifetimes.py` says where."""

    slot: int


class Hand(Record):
    """Hands the block of a slot, which is at `address`, over to another slot."""

    slot: int
    address: str
    to: int


class Call(Record):
    """A function of the runtime, a row of `RUNTIME`; `name` is empty if it returns nothing."""

    name: str
    function: str
    operands: tuple[Size, ...]


class Launch(Record):
    """Runs a kernel over `count` steps, on several threads if that pays.

    A kernel that is not compiled yet is compiled first, unless it runs `at_once`.

    Attributes
    ----------
    kernel : int or str
        Its number, or the name of the runtime's.
    arguments : str
        Address of its words.
    count, total : Size
        Length of its range, and points of all of it.
    weight : int
        Instructions of a point.
    unit : Size
        Threads take whole multiples of it; 0: it runs in order.
    """

    kernel: Size
    arguments: str
    count: Size
    total: Size
    weight: int
    unit: Size

    @property
    def at_once(self) -> bool:
        """Whether the entry function itself calls the kernel, since there is little to do."""
        few = isinstance(self.total, int) and self.total <= FEW
        return few and self.kernel not in RUNTIME


class Reduce(Record):
    """Has the runtime run a kernel that reduces in parts; `facts` are its `th_reduction`."""

    kernel: int
    arguments: str
    facts: tuple[int, ...]


class Merge(Record):
    """What an `If` gives: one value of its first block, or the other of the second."""

    name: str
    type: str
    one: Size | Scalar
    two: Size | Scalar


class If(Record):
    """Runs one of two blocks."""

    condition: Size
    then: list[Any]
    otherwise: list[Any]
    merges: tuple[Merge, ...] = ()


class Carried(Record):
    """A value that a loop hands from step to step: what it is at first, and after each."""

    name: str
    type: str
    start: Size | Scalar
    after: Size | Scalar


class For(Record):
    """Runs a block for the steps 0 to `limit` - 1, in order.

    Attributes
    ----------
    step : str
        Register of the number of the step: after the loop, how many were run.
    limit : Size
    carried : tuple of Carried
        After the loop they are what the last step left.
    body : list of instructions
    stop : Carried or None
        A condition that ends the loop when a step has made it true.
    polls : bool
        Whether signals are handled between pieces of the loop.
    rows : Size
        The length of all vectors of the body; 0: they have several, or there are none.
    """

    step: str
    limit: Size
    carried: tuple[Carried, ...]
    body: list[Any]
    stop: Carried | None = None
    polls: bool = True
    rows: Size = 0

    @property
    def handed_on(self) -> list[Carried]:
        """What a step hands to the next one: what is carried, and whether to stop."""
        return [*self.carried, *([self.stop] if self.stop is not None else [])]


class Once(Record):
    """What is done before the first step of a loop around, whose number is in the register `step`.

    What its body allocates serves all steps. Only `passes/hoist.py` reads it, which puts the body
    before the loop, and gives such memory back behind the loop.
    """

    step: str
    body: list[Any]


class Mask(Record):
    """Which of `lanes` lanes are items of a row of `length`."""

    name: str
    length: Size
    lanes: int


class LoadRow(Record):
    """The items of a row, and 0 in the other lanes."""

    name: str
    dtype: str
    lanes: int
    address: str
    mask: str


class StoreRow(Record):
    """Writes the items of a row."""

    address: str
    value: Scalar
    mask: str


class Widen(Record):
    """A number in all lanes of a row."""

    name: str
    value: Scalar
    lanes: int


class ReduceRow(Record):
    """The items of a row taken together, in the order in which kernels do it."""

    name: str
    combine: str
    start: Number
    value: Scalar
    mask: str


class Step(Record):
    """Says that a step of the program begins: its index, and those of its nodes."""

    index: int


class Fence(Record):
    """Makes the results; from here on nothing may fail, and shared variables may be written."""


class LiveLoad(Record):
    """A value that a routine is handed by another: a word of theirs.

    `late`: only reports of failures read it.
    """

    name: str
    word: Size
    type: str
    late: bool = False


class LiveStore(Record):
    """Hands a value on to routines that run later."""

    word: Size
    value: str
    type: str


class Run(Record):
    """Runs a routine with a row of words, which it reads as `%row.0`, `%row.1` and so on."""

    routine: int
    row: tuple[int, ...]


Instruction = Any
Block = list[Instruction]


class Function(Record):
    """A function of `Let`: type of the result ('' for that of the operands), and LLVM's text."""

    result: str
    text: str


# {0}, {1} … are operands, {k} is LLVM's name of their type.
FUNCTIONS = {
    **{
        name: Function("", f"{name} {{k}} {{0}}, {{1}}")
        for name in ("add", "sub", "mul", "sdiv", "udiv", "and", "or", "xor")
    },
    **{
        name: Function("bool", f"icmp {llvm} {{k}} {{0}}, {{1}}")
        for name, llvm in (
            *(("eq", "eq"), ("ne", "ne"), ("lt", "slt"), ("le", "sle"), ("gt", "sgt")),
            *(("ge", "sge"), ("below", "ult"), ("at_most", "ule")),
        )
    },
    "not": Function("", "xor {k} {0}, true"),
    "select": Function("", "select i1 {0}, {k} {1}, {k} {2}"),
    "minimum": Function("", "call i64 @llvm.smin.i64(i64 {0}, i64 {1})"),
    "maximum": Function("", "call i64 @llvm.smax.i64(i64 {0}, i64 {1})"),
    # Of lengths: the largest int64 where the result does not fit.
    "plus": Function("", "call i64 @llvm.sadd.sat.i64(i64 {0}, i64 {1})"),
    "times": Function("", "call i64 @llvm.smul.fix.sat.i64(i64 {0}, i64 {1}, i32 0)"),
    "signed": Function("int128", "sext i64 {0} to i128"),
    "unsigned": Function("int128", "zext i64 {0} to i128"),
    "low": Function("int64", "trunc i128 {0} to i64"),
    "moved": Function("ptr", "getelementptr i8, ptr {0}, i64 {1}"),
    "word": Function("ptr", "getelementptr i64, ptr {0}, i64 {1}"),
    "slot": Function("ptr", "getelementptr i64, ptr %frame, i64 {0}"),
    "number": Function("int64", "ptrtoint ptr {0} to i64"),
}
DECLARATIONS = {
    "minimum": "declare i64 @llvm.smin.i64(i64, i64)",
    "maximum": "declare i64 @llvm.smax.i64(i64, i64)",
    "plus": "declare i64 @llvm.sadd.sat.i64(i64, i64)",
    "times": "declare i64 @llvm.smul.fix.sat.i64(i64, i64, i32)",
}


class Runtime(Record):
    """A function of the runtime: types of what it returns and is given, besides the call."""

    result: str
    operands: str


# In the order of its table (runtime/include/theano_runtime.h); i: int64, p: address.
RUNTIME = {
    "alloc": Runtime("ptr", "ii"),
    "free": Runtime("", "i"),
    "fail": Runtime("int32", "iiip"),
    "matmul": Runtime("int32", "iiippppp"),
    "parallel": Runtime("int32", "ppiiii"),
    "callback": Runtime("int32", "iipip"),
    "launch": Runtime("int32", "ipiiii"),
    "release": Runtime("", ""),
    "copy": Runtime("", ""),
    "kept": Runtime("int64", ""),
    "forget": Runtime("", "ii"),
    "lapack": Runtime("int32", "iiiipp"),
    "poll": Runtime("int64", "i"),
    "along": Runtime("int32", "iiiipp"),
    "tick": Runtime("", "iii"),
    "search": Runtime("int32", "iiiipipp"),
    "pack": Runtime("", ""),
    "multiply_packed": Runtime("int32", "p"),
    "commit": Runtime("int32", ""),
    "reduce": Runtime("int32", "ipp"),
    "convolve": Runtime("int32", "p"),
    "select": Runtime("int32", "iiiiipp"),
    "lap": Runtime("int64", "iiii"),
    "sparse": Runtime("int32", "p"),
    "multiply_pairs": Runtime("int32", "p"),
    "take": Runtime("", ""),
    "matrix_pass": Runtime("int32", "ipip"),
    "transform": Runtime("int32", "p"),
    "extremes": Runtime("int32", "p"),
    "take_columns": Runtime("", ""),
    "put": Runtime("", ""),
    "join_rows": Runtime("", ""),
}


# What has blocks.
NESTS = frozenset((If, For, Once))


def blocks_of(instruction: Instruction) -> tuple[Block, ...]:
    """Return the blocks within an instruction."""
    cls = type(instruction)
    if cls not in NESTS:
        return ()
    return (instruction.then, instruction.otherwise) if cls is If else (instruction.body,)


def with_blocks(instruction: Instruction, change: Callable[[Block], Block]) -> Instruction:
    """Return an instruction with what `change` makes of the blocks within."""
    cls = type(instruction)
    if cls not in NESTS:
        return instruction
    if cls is If:
        then, otherwise = change(instruction.then), change(instruction.otherwise)
        return instruction.replace(then=then, otherwise=otherwise)
    return instruction.replace(body=change(instruction.body))


def defined(i: Instruction) -> list[tuple[str, str]]:
    """Return the registers that an instruction defines for those behind it, with their types."""
    cls = type(i)
    if cls is If:
        return [(merge.name, merge.type) for merge in i.merges]
    if cls is For:
        return [(i.step, "int64"), *((c.name, c.type) for c in i.handed_on)]
    return [(i.name, _type_of_result(i))] if getattr(i, "name", "") else []


def _type_of_result(i: Instruction) -> str:
    if isinstance(i, Let):
        return FUNCTIONS[i.function].result or i.type
    if isinstance(i, Call):
        return RUNTIME[i.function].result
    if isinstance(i, (FrameLoad, LiveLoad)):
        return i.type
    if isinstance(i, (Alloc, Mask)):
        return "ptr" if isinstance(i, Alloc) else f"boolx{i.lanes}"
    if isinstance(i, Widen):
        return type_of(Register("", i.value.dtype, i.lanes))
    if isinstance(i, ReduceRow):
        return i.value.dtype
    return type_of(Register("", i.dtype, getattr(i, "lanes", 1)))


def walk(block: Block) -> Iterator[Instruction]:
    """Yield all instructions of a block and of the blocks within, in order."""
    for instruction in block:
        yield instruction
        if type(instruction) in NESTS:
            for inner in blocks_of(instruction):
                yield from walk(inner)


# All places on the stack, side by side: what routines find them in.
STACKS = "%stacks"
# How many times a routine runs that stands in a loop.
MANY = 1 << 20


class Routine(Record):
    """Instructions that stand at several places of a long program, but for numbers and names.

    In place of its numbers, those of slots included, it may have the names of words of its row. It
    reads these and what others hand it; see `passes/outline.py`.
    """

    body: Block
    # The dtype of each word of a row; what is shorter than a word is at its beginning.
    words: tuple[str, ...]
    runs: int  # how many times a call runs it


class Program(Record):
    """A whole program.

    Attributes
    ----------
    body : list of instructions
        With routines, it hands them `STACKS`, and runs them one after the other; so do routines
        with their loops and branches.
    stacks : tuple of (str, int)
        Places on the stack that live as long as the call, with their bytes.
    block_words : int
        Words of the place `%block`, where kernels find their arguments.
    results : tuple of int
        Slots whose blocks are there after the call: those of results.
    """

    body: Block
    stacks: tuple[tuple[str, int], ...]
    block_words: int
    results: tuple[int, ...] = ()
    routines: tuple[Routine, ...] = ()
    live_words: int = 0  # through which routines hand values on
    # What `Launch` and `Reduction` run, by number: a `Kernel`, or one that is written as LLVM text.
    kernels: tuple[Any, ...] = ()

    def places(self) -> tuple[dict[str, int], int]:
        """Return where each place on the stack begins in `STACKS`, and the bytes of that."""
        offsets, end = {}, 0
        for name, nbytes in (("%block", 8 * self.block_words), *self.stacks):
            offsets[name] = end
            end += -(-max(nbytes, 1) // 16) * 16
        return offsets, end
