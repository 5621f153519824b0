"""Typed lines of LLVM text: values, constants, and the instructions that need no algorithm.

The text is what the back end sees: no pass cleans it up. Equal pure instructions are therefore
emitted once, and a floating-point constant is written as its bits.
"""

import math
import struct
from collections.abc import Callable

from theano._core.base.records import Record

_TYPES = {
    "bool": "i1",
    "int8": "i8",
    "int16": "i16",
    "int32": "i32",
    "int64": "i64",
    "uint8": "i8",
    "uint16": "i16",
    "uint32": "i32",
    "uint64": "i64",
    "float16": "half",
    "float32": "float",
    "float64": "double",
}
# The letters LLVM appends to the name of an overloaded intrinsic.
_SUFFIXES = {"half": "f16", "float": "f32", "double": "f64"}
# The label of the block in which a function starts.
FIRST_BLOCK = "entry"
BITS = {dtype: 8 if dtype == "bool" else int(dtype.lstrip("uintfloa")) for dtype in _TYPES}
_VECTOR_TYPES: dict[tuple[str, int], str] = {}


def llvm_type(dtype: str, lanes: int = 1) -> str:
    """LLVM's name of `lanes` numbers of `dtype` in a register."""
    try:
        return _VECTOR_TYPES[dtype, lanes]
    except KeyError:
        scalar = _TYPES[dtype]
        text = scalar if lanes == 1 else f"<{lanes} x {scalar}>"
        return _VECTOR_TYPES.setdefault((dtype, lanes), text)


def is_float(dtype: str) -> bool:
    return dtype[0] == "f"


def is_signed(dtype: str) -> bool:
    return dtype[0] == "i"


def is_complex(dtype: str) -> bool:
    return dtype[0] == "c"


class Value(Record):
    """An SSA name or a constant, with its type.

    Parameters
    ----------
    text : str
        The operand as LLVM reads it, without its type.
    dtype : str
        NumPy's name; `bool` is `i1` in registers and one byte in memory.
    lanes : int
        Numbers held: 1 is a scalar.
    number : float or None
        What a constant has in every lane; None: it is known when the function runs.
    """

    text: str
    dtype: str
    lanes: int
    number: float | None = None

    @property
    def type(self) -> str:
        return llvm_type(self.dtype, self.lanes)


class ComplexValue(Record):
    """A complex number as two registers of the same lanes."""

    real: Value
    imag: Value

    @property
    def dtype(self) -> str:
        return "complex64" if self.real.dtype == "float32" else "complex128"

    @property
    def lanes(self) -> int:
        return self.real.lanes


Number = Value | float


class FloatFormat(Record):
    """The layout of a binary floating-point format.

    Attributes
    ----------
    integer : str
        The signed integer type of the same width.
    fraction : int
        Bits of the stored fraction.
    bias : int
        What is added to the exponent.
    rounder : float
        1.5 * 2**fraction: adding it rounds to an integer, which the low bits of the sum hold.
    """

    dtype: str
    integer: str
    fraction: int
    bias: int
    rounder: float
    smallest_normal: float


FORMATS = {
    "float32": FloatFormat("float32", "int32", 23, 127, 1.5 * 2.0**23, 2.0**-126),
    "float64": FloatFormat("float64", "int64", 52, 1023, 1.5 * 2.0**52, 2.0**-1022),
}

_BINARY = {
    "add": ("fadd", "add"),
    "sub": ("fsub", "sub"),
    "mul": ("fmul", "mul"),
}
_ORDERED = {"eq": "oeq", "neq": "une", "lt": "olt", "le": "ole", "gt": "ogt", "ge": "oge"}


def rounded(value: float, dtype: str) -> float:
    """`value` as a number of `dtype`."""
    if dtype == "float32":
        return struct.unpack("<f", struct.pack("<I", _pack("<f", value, "<I")))[0]
    if dtype == "float16":
        return struct.unpack("<e", struct.pack("<H", _pack("<e", value, "<H")))[0]
    return value


def float_text(value: float, dtype: str) -> str:
    """`value` rounded to `dtype`, as the bits LLVM reads exactly."""
    if dtype == "float16":
        return f"0xH{_pack('<e', value, '<H'):04X}"
    # LLVM writes a float constant as the double of the same value.
    return f"0x{_pack('<d', rounded(value, dtype), '<Q'):016X}"


def _pack(layout: str, value: float, bits: str) -> int:
    try:
        data = struct.pack(layout, value)
    except OverflowError:
        data = struct.pack(layout, math.copysign(math.inf, value))
    return struct.unpack(bits, data)[0]


class Emitter:
    """Collects the body of one function, one instruction a line.

    Parameters
    ----------
    lanes : int
        Numbers a vector of the body holds; 1 writes scalar code with the same bits.
    prefix : str
        Starts every SSA name, so that two emitters can share a function.

    Attributes
    ----------
    lines : list of str
        The body so far.
    declarations : dict of str to None
        The `declare` lines the module needs, in order of first use.
    helpers : dict of str to str
        Text of the internal functions and constants the module needs, by name.
    block : str
        Label of the block that receives lines, for `phi`; the caller sets the first one.
    """

    def __init__(self, lanes: int, prefix: str = "v") -> None:
        self.lanes = lanes
        self.prefix = prefix
        self.lines: list[str] = []
        self.declarations: dict[str, None] = {}
        self.helpers: dict[str, str] = {}
        self.block = FIRST_BLOCK
        self.count = 0
        self._values: dict[str, Value] = {}
        # The first lanes of vectors, by the name of the vector, where they were scalars before.
        self.firsts: dict[str, Value] = {}
        # Floats that were numbers of 8 bits.
        self.of_bytes: set[str] = set()
        # Names of values, and the text of what each is the bitwise complement of.
        self.complements: dict[str, str] = {}
        # Whether `fence` does something.
        self.fenced = True
        # Whether the processor multiplies vectors by powers of two in one instruction (AVX-512).
        self.scales = False
        # Whether the processor reads items at a vector of addresses sooner than one by one.
        self.gathers = False
        # Bytes of the smallest item that is read and written under a mask; 0: none is.
        self.smallest_masked = 0
        # Whether what is run depends on the values of lanes.
        self.branches = False

    # -- lines ------------------------------------------------------------------------------

    def emit(self, text: str) -> str:
        """Append `name = text` under a fresh SSA name, and return the name."""
        name = self.fresh_name()
        self.lines.append(f"  {name} = {text}")
        return name

    def fresh_name(self) -> str:
        """A new SSA name; names are numbered in the order they are made."""
        self.count += 1
        return f"%{self.prefix}{self.count}"

    def perform(self, text: str) -> None:
        """Append an instruction without a result."""
        self.lines.append(f"  {text}")

    def pure(self, text: str, dtype: str, lanes: int) -> Value:
        """The result of an instruction without effects; an equal one is not emitted again."""
        value = self._values.get(text)
        if value is None:
            value = self._values[text] = Value(self.emit(text), dtype, lanes, None)
        return value

    def fresh_label(self, hint: str) -> str:
        self.count += 1
        return f"{self.prefix}.{hint}{self.count}"

    def fence(self) -> None:
        """Keep the instructions before and after apart in the machine code.

        LLVM's scheduler would mix the instructions of functions that follow each other, as if the
        processor ran them in the order written, and spill registers to do so. It moves nothing
        over the label that this annotation becomes. With 32 registers the mixture is faster.
        """
        line = '  call void @llvm.codeview.annotation(metadata !{!"fence"})'
        if self.fenced and self.lanes > 1 and self.lines and self.lines[-1] != line:
            self.declarations["declare void @llvm.codeview.annotation(metadata)"] = None
            self.lines.append(line)

    def label(self, name: str) -> None:
        """Start a block. What was computed before need not dominate it, so it is forgotten."""
        self.lines.append(f"{name}:")
        self.block = name
        self._values = {}

    def when_any(
        self, condition: Value, otherwise: tuple[Value, ...], rare: Callable[[], tuple[Value, ...]]
    ) -> tuple[Value, ...]:
        """`rare()` where `condition` holds in any lane, else the values of `otherwise`.

        The block of `rare` is a cold branch, so that what is seldom needed costs one test. `rare`
        must give the values of `otherwise` in the lanes where `condition` is false.
        """
        before, values_before = self.block, self._values
        cold, join = self.fresh_label("rare"), self.fresh_label("join")
        self.perform(f"br i1 {self.any(condition).text}, label %{cold}, label %{join}")
        self.label(cold)
        self._values = dict(values_before)
        values = rare()
        cold_end = self.block
        self.perform(f"br label %{join}")
        self.label(join)
        # INVARIANT: all of these values were computed before the branch, so it dominates the join.
        self._values = values_before
        return tuple(
            Value(
                self.emit(f"phi {y.type} [{y.text}, %{before}], [{x.text}, %{cold_end}]"),
                y.dtype,
                y.lanes,
            )
            for x, y in zip(values, otherwise, strict=True)
        )

    def repeat_while_any(
        self,
        state: tuple[Value, ...],
        step: Callable[..., tuple[tuple[Value, ...], Value]],
    ) -> tuple[Value, ...]:
        """Run `step(*state)`, which gives a new state and whether to go on, at least once.

        It runs again while the condition holds in any lane, on all lanes.
        """
        before, values_before = self.block, self._values
        loop, end = self.fresh_label("loop"), self.fresh_label("end")
        names = [f"%{loop}.{i}" for i in range(len(state))]
        self.perform(f"br label %{loop}")
        self.label(loop)
        self._values = dict(values_before)
        at = len(self.lines)
        inside = [Value(n, x.dtype, x.lanes) for n, x in zip(names, state, strict=True)]
        new, condition = step(*inside)
        again = self.any(condition).text
        self.lines[at:at] = [
            f"  {n.text} = phi {n.type} [{x.text}, %{before}], [{y.text}, %{self.block}]"
            for n, x, y in zip(inside, state, new, strict=True)
        ]
        self.perform(f"br i1 {again}, label %{loop}, label %{end}")
        self.label(end)
        self._values = values_before
        return new

    def any(self, condition: Value) -> Value:
        """Whether a bool holds in any lane, as a scalar."""
        if condition.lanes == 1:
            return condition
        self.branches = True
        return self.intrinsic("llvm.vector.reduce.or", condition, result=("bool", 1))

    def intrinsic(
        self, name: str, *arguments: Value, result: tuple[str, int] | None = None
    ) -> Value:
        """Call an LLVM intrinsic overloaded on the type of its first argument."""
        x = arguments[0]
        scalar = _TYPES[x.dtype]
        suffix = _SUFFIXES.get(scalar, scalar)
        if x.lanes > 1:
            suffix = f"v{x.lanes}{suffix}"
        dtype, lanes = result or (x.dtype, x.lanes)
        out = llvm_type(dtype, lanes)
        types = ", ".join([a.type for a in arguments])
        self.declarations[f"declare {out} @{name}.{suffix}({types})"] = None
        operands = ", ".join([f"{a.type} {a.text}" for a in arguments])
        return self.pure(f"call {out} @{name}.{suffix}({operands})", dtype, lanes)

    # -- constants --------------------------------------------------------------------------

    def const(self, value: float, dtype: str, lanes: int | None = None) -> Value:
        """`value` in every lane, rounded or wrapped to `dtype`."""
        lanes = self.lanes if lanes is None else lanes
        if is_float(dtype):
            number = rounded(float(value), dtype)
            text = float_text(number, dtype)
        elif dtype == "bool":
            number = bool(value)
            text = "true" if number else "false"
        else:
            bits = BITS[dtype]
            number = int(value) & ((1 << bits) - 1)
            if is_signed(dtype) and number >> (bits - 1):
                number -= 1 << bits
            text = str(number)
        if lanes > 1:
            text = f"splat ({_TYPES[dtype]} {text})"
        return Value(text, dtype, lanes, number)

    def stored(self, value: float, dtype: str, lanes: int) -> Value:
        """A constant that a vector instruction reads from memory where it needs it.

        LLVM would fill a register with a repeated constant first, which takes an instruction and,
        while it waits, one of the registers the processor renames to: what most limits how far it
        runs ahead in long vector code.
        """
        if lanes == 1:
            return self.const(value, dtype, lanes)
        type_, text = llvm_type(dtype, lanes), self.const(value, dtype, lanes).text
        name = f"@constant.{dtype}.{lanes}.{float_text(value, dtype)}"
        self.helpers[name] = f"{name} = private unnamed_addr constant {type_} {text}, align 32"
        return self.pure(f"load {type_}, ptr {name}, align 32", dtype, lanes)

    def broadcast(self, x: Value) -> Value:
        """A scalar in every lane."""
        if x.lanes == self.lanes:
            return x
        if not x.text.startswith("%"):
            return Value(f"splat ({x.type} {x.text})", x.dtype, self.lanes, x.number)
        type_ = llvm_type(x.dtype, self.lanes)
        first = self.pure(
            f"insertelement {type_} poison, {x.type} {x.text}, i64 0", x.dtype, self.lanes
        )
        everywhere = self.shuffle(first, first, [0] * self.lanes)
        self.firsts[everywhere.text] = x
        return everywhere

    def shuffle(self, x: Value, y: Value, order: list[int]) -> Value:
        """Lanes picked from `x` followed by `y`."""
        mask = ", ".join([f"i32 {i}" for i in order])
        text = f"shufflevector {x.type} {x.text}, {x.type} {y.text}, <{len(order)} x i32> <{mask}>"
        return self.pure(text, x.dtype, len(order))

    def lane(self, x: Value, index: int) -> Value:
        """One lane, as a scalar."""
        if x.lanes == 1:
            return x
        if index == 0 and x.text in self.firsts:
            return self.firsts[x.text]
        return self.pure(f"extractelement {x.type} {x.text}, i64 {index}", x.dtype, 1)

    def same(self, x: Number, like: Value) -> Value:
        """`x` as it is, or a Python number as a constant of `like`'s type."""
        if isinstance(x, Value):
            return x
        return self.const(x, like.dtype, like.lanes)

    def pair(self, x: Number, y: Number) -> tuple[Value, Value]:
        """Both operands as values of one type; at least one of them is a `Value`."""
        if isinstance(x, Value):
            return x, self.same(y, x)
        assert isinstance(y, Value), "one operand must have a type"
        return self.same(x, y), y

    # -- instructions -----------------------------------------------------------------------

    def binary(self, instruction: str, x: Number, y: Number) -> Value:
        """A two-operand instruction by LLVM's name. At least one operand is a `Value`."""
        x, y = self.pair(x, y)
        return self.pure(f"{instruction} {x.type} {x.text}, {y.text}", x.dtype, x.lanes)

    def _arithmetic(self, name: str, x: Number, y: Number) -> Value:
        x, y = self.pair(x, y)
        floating, integer = _BINARY[name]
        return self.binary(floating if is_float(x.dtype) else integer, x, y)

    def add(self, x: Number, y: Number) -> Value:
        return self._arithmetic("add", x, y)

    def sub(self, x: Number, y: Number) -> Value:
        return self._arithmetic("sub", x, y)

    def mul(self, x: Number, y: Number) -> Value:
        return self._arithmetic("mul", x, y)

    def divide(self, x: Number, y: Number) -> Value:
        """The quotient of two floats."""
        return self.binary("fdiv", x, y)

    def neg(self, x: Value) -> Value:
        if is_float(x.dtype):
            return self.pure(f"fneg {x.type} {x.text}", x.dtype, x.lanes)
        return self.binary("sub", 0, x)

    def fma(self, x: Value, y: Number, z: Number) -> Value:
        """`x*y + z` with one rounding."""
        return self.intrinsic("llvm.fma", x, self.same(y, x), self.same(z, x))

    def fnma(self, x: Value, y: Number, z: Number) -> Value:
        """`z - x*y` with one rounding."""
        if not isinstance(y, Value):
            return self.fma(x, -y, z)
        return self.fma(self.neg(x), y, z)

    def compare(self, name: str, x: Value, y: Number) -> Value:
        """`eq neq lt le gt ge`; false for NaN except `neq`."""
        y = self.same(y, x)
        if is_float(x.dtype):
            text = f"fcmp {_ORDERED[name]}"
        elif name in ("eq", "neq"):
            text = "icmp eq" if name == "eq" else "icmp ne"
        else:
            text = f"icmp {'s' if is_signed(x.dtype) else 'u'}{name}"
        return self.pure(f"{text} {x.type} {x.text}, {y.text}", "bool", x.lanes)

    def eq(self, x: Value, y: Number) -> Value:
        return self.compare("eq", x, y)

    def neq(self, x: Value, y: Number) -> Value:
        return self.compare("neq", x, y)

    def lt(self, x: Value, y: Number) -> Value:
        return self.compare("lt", x, y)

    def le(self, x: Value, y: Number) -> Value:
        return self.compare("le", x, y)

    def gt(self, x: Value, y: Number) -> Value:
        return self.compare("gt", x, y)

    def ge(self, x: Value, y: Number) -> Value:
        return self.compare("ge", x, y)

    def not_less(self, x: Value, y: Number) -> Value:
        """Whether a float is at least another one, or one of them is NaN."""
        return self.pure(f"fcmp uge {x.type} {x.text}, {self.same(y, x).text}", "bool", x.lanes)

    def isnan(self, x: Value) -> Value:
        return self.pure(f"fcmp uno {x.type} {x.text}, {x.text}", "bool", x.lanes)

    def select(self, condition: Value, x: Number, y: Number) -> Value:
        """`x` where `condition` holds, else `y`. At least one of the two is a `Value`."""
        x, y = self.pair(x, y)
        if x == y:
            return x
        type_ = x.type
        return self.pure(
            f"select {condition.type} {condition.text}, {type_} {x.text}, {type_} {y.text}",
            x.dtype,
            x.lanes,
        )

    def at_most(self, x: Value, bound: Number) -> Value:
        """The smaller of `x` and `bound`; NaN stays NaN. One instruction on every target."""
        bound = self.same(bound, x)
        return self.select(self.lt(bound, x), bound, x)

    def at_least(self, x: Value, bound: Number) -> Value:
        """The larger of `x` and `bound`; NaN stays NaN."""
        bound = self.same(bound, x)
        return self.select(self.gt(bound, x), bound, x)

    # -- bits -------------------------------------------------------------------------------

    def bits(self, x: Value) -> Value:
        """The bits of a float as a signed integer of its width."""
        dtype = f"int{BITS[x.dtype]}"
        return self.pure(
            f"bitcast {x.type} {x.text} to {llvm_type(dtype, x.lanes)}", dtype, x.lanes
        )

    def bits_of(self, value: float, dtype: str) -> int:
        """The bits of a constant rounded to `dtype`, as a signed integer."""
        if dtype == "float32":
            return _pack("<f", value, "<i")
        return _pack("<d", value, "<q")

    def from_bits(self, x: Value) -> Value:
        """The float with these bits."""
        dtype = f"float{BITS[x.dtype]}"
        return self.pure(
            f"bitcast {x.type} {x.text} to {llvm_type(dtype, x.lanes)}", dtype, x.lanes
        )

    def bit_and(self, x: Value, y: Number) -> Value:
        return self.binary("and", x, y)

    def bit_or(self, x: Value, y: Number) -> Value:
        return self.binary("or", x, y)

    def bit_xor(self, x: Value, y: Number) -> Value:
        return self.binary("xor", x, y)

    def shift_left(self, x: Value, count: int) -> Value:
        return self.binary("shl", x, count)

    def shift_right(self, x: Value, count: int) -> Value:
        """Shift in zeros (64-bit lanes have no arithmetic shift before AVX-512)."""
        return self.binary("lshr", x, count)

    def sign_bit(self, x: Value) -> Value:
        """The sign bit of a float, alone, as an integer."""
        return self.bit_and(self.bits(x), -1 << (BITS[x.dtype] - 1))

    def absolute(self, x: Value) -> Value:
        """The absolute value of a float."""
        return self.intrinsic("llvm.fabs", x)

    def copysign(self, x: Value, sign: Value) -> Value:
        return self.intrinsic("llvm.copysign", x, sign)

    def with_sign(self, x: Value, sign: Value) -> Value:
        """`x`, whose sign bit is clear or right already, with the sign bit of `sign` set."""
        return self.from_bits(self.bit_or(self.bits(x), self.sign_bit(sign)))

    def sqrt(self, x: Value) -> Value:
        return self.intrinsic("llvm.sqrt", x)

    # -- conversions without an algorithm ------------------------------------------------------

    def convert(self, instruction: str, x: Value, dtype: str) -> Value:
        """A conversion instruction by LLVM's name."""
        type_ = llvm_type(dtype, x.lanes)
        return self.pure(f"{instruction} {x.type} {x.text} to {type_}", dtype, x.lanes)

    def polynomial(self, x: Value, coefficients: tuple[float, ...]) -> Value:
        """`c[0] + c[1]*x + c[2]*x**2 + ...`, with fma.

        Short ones by Horner's rule; others with even and odd terms apart, two sums that do not wait
        for each other. Estrin's scheme waits less still, but takes more registers and instructions,
        and was slower between other functions.
        """
        terms = [self.stored(c, x.dtype, x.lanes) for c in coefficients]
        if len(terms) < 6:
            return self._horner(x, terms)
        square = self.mul(x, x)
        odd = self._horner(square, terms[1::2])
        return self.fma(x, odd, self._horner(square, terms[::2]))

    def _horner(self, x: Value, terms: list[Value]) -> Value:
        p = terms[-1]
        for term in terms[-2::-1]:
            p = self.fma(x, p, term)
        return p
