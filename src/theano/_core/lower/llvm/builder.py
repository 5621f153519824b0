"""The builder that op declarations and the loop emitter write LLVM text with.

Every method takes and gives `Value`s (`ComplexValue`s) of one dtype and lanes; the caller has cast
them. Written for one lane or many, an expression gives the same bits in every lane. float16 is
computed in float32 and rounded after each operation.
"""

import math
from collections.abc import Callable

from theano._core.lower.llvm import (
    convert,
    error_function,
    exponential,
    integer,
    inverse_trigonometric,
    logarithm,
    power,
    real,
    trigonometric,
)
from theano._core.lower.llvm.emitter import (
    ComplexValue,
    Emitter,
    Number,
    Value,
    is_float,
    is_signed,
    llvm_type,
)

__all__ = ["Builder", "ComplexValue", "Value", "llvm_type"]

_REDUCTIONS = {
    "sum": "add",
    "prod": "mul",
    "min": "minimum",
    "max": "maximum",
    "and": "and_",
    "or": "or_",
}


class Builder(Emitter):
    """The arithmetic of NumPy's dtypes in LLVM text.

    Parameters
    ----------
    lanes : int
        Numbers in a vector; 1 writes scalar code.
    vector_bits : int
        The widest register the target may use, in bits.
    prefix : str
        Starts every SSA name.
    """

    def __init__(self, lanes: int, vector_bits: int = 256, prefix: str = "v") -> None:
        super().__init__(lanes, prefix)
        self.vector_bits = vector_bits

    # -- dispatch ---------------------------------------------------------------------------

    def _real(self, function: Callable[..., Value], *arguments: Number) -> Value:
        """`function` of real arguments; float16 is computed in float32."""
        like = next(x for x in arguments if isinstance(x, Value))
        values = [self.same(x, like) for x in arguments]
        if like.dtype != "float16":
            return function(self, *values)
        wide = [self.convert("fpext", x, "float32") for x in values]
        y = function(self, *wide)
        return self.convert("fptrunc", y, "float16") if y.dtype == "float32" else y

    # -- constants and conversions ------------------------------------------------------------

    def cast(self, x: Value, dtype: str) -> Value:
        """`x` as `dtype`, with the result NumPy gives, out of range included."""
        return convert.cast(self, x, dtype)

    # -- arithmetic ---------------------------------------------------------------------------

    def add(self, x: Number, y: Number) -> Value:
        """Sum; integers wrap, booleans or."""
        x, y = self.pair(x, y)
        if x.dtype == "bool":
            return self.bit_or(x, y)
        return self._real(Emitter.add, x, y)

    def sub(self, x: Number, y: Number) -> Value:
        """Difference; integers wrap."""
        return self._real(Emitter.sub, x, y)

    def mul(self, x: Number, y: Number) -> Value:
        """Product; integers wrap, booleans and."""
        x, y = self.pair(x, y)
        if x.dtype == "bool":
            return self.bit_and(x, y)
        return self._real(Emitter.mul, x, y)

    def true_div(self, x: Value, y: Number) -> Value:
        """Quotient of floats."""
        return self._real(Emitter.divide, x, y)

    def reciprocal(self, x: Value) -> Value:
        """1 / x for floats; for integers the truncated quotient, and 0 for 0."""
        if not is_float(x.dtype):
            return integer.reciprocal(self, x)
        return self._real(lambda b, x: b.divide(b.const(1.0, x.dtype, x.lanes), x), x)

    def int_div(self, x: Value, y: Number) -> Value:
        """Floored quotient; an integer divided by 0 gives 0, and the lowest by -1 itself."""
        if is_float(x.dtype):
            return self._real(real.floor_divide, x, y)
        return integer.floor_divide(self, x, self.same(y, x))

    def mod(self, x: Value, y: Number) -> Value:
        """Remainder with the sign of `y`; 0 for an integer divided by 0."""
        if is_float(x.dtype):
            return self._real(real.remainder, x, y)
        return integer.remainder(self, x, self.same(y, x))

    def fma(self, x: Value, y: Number, z: Number) -> Value:
        """`x*y + z` with one rounding."""
        return self._real(Emitter.fma, x, y, z)

    def sqr(self, x: Value) -> Value:
        return self.mul(x, x)

    def sqrt(self, x: Value) -> Value:
        """Square root, correctly rounded; NaN below 0."""
        return self._real(Emitter.sqrt, x)

    def abs(self, x: Value) -> Value:
        """Absolute value; of the lowest integer, itself."""
        if is_float(x.dtype):
            return self.absolute(x)
        if is_signed(x.dtype):
            return self.select(self.lt(x, 0), Emitter.neg(self, x), x)
        return x

    def sign(self, x: Value) -> Value:
        """-1, 0 or 1; NaN stays NaN."""
        return self._real(real.sign, x)

    def floor(self, x: Value) -> Value:
        return self._rounded("llvm.floor", x)

    def ceil(self, x: Value) -> Value:
        return self._rounded("llvm.ceil", x)

    def trunc(self, x: Value) -> Value:
        return self._rounded("llvm.trunc", x)

    def round_half_even(self, x: Value) -> Value:
        """Nearest integer, ties to the even one."""
        return self._rounded("llvm.rint", x)

    def round_half_away(self, x: Value) -> Value:
        """Nearest integer, ties away from zero."""
        if not is_float(x.dtype):
            return x
        return self._real(real.round_half_away, x)

    def _rounded(self, name: str, x: Value) -> Value:
        if not is_float(x.dtype):
            return x
        return self._real(lambda b, x: b.intrinsic(name, x), x)

    def minimum(self, x: Value, y: Number) -> Value:
        """The smaller; NaN where either is NaN. Of two zeros, the one NumPy takes."""
        return self._real(real.extreme_by("lt" if x.dtype != "float16" else "le"), x, y)

    def maximum(self, x: Value, y: Number) -> Value:
        """The larger; NaN where either is NaN. Of two zeros, the one NumPy takes."""
        return self._real(real.extreme_by("gt" if x.dtype != "float16" else "ge"), x, y)

    # -- comparisons and logic ------------------------------------------------------------------

    def compare(self, name: str, x: Value, y: Number) -> Value:
        """`eq neq lt le gt ge`, as bool; false for NaN except `neq`."""
        return self._real(lambda b, x, y: Emitter.compare(b, name, x, y), x, y)

    def and_(self, x: Value, y: Number) -> Value:
        """Bitwise and; logical for booleans."""
        return self.bit_and(x, y)

    def or_(self, x: Value, y: Number) -> Value:
        """Bitwise or; logical for booleans."""
        return self.bit_or(x, y)

    def xor(self, x: Value, y: Number) -> Value:
        """Bitwise exclusive or; logical for booleans."""
        return self.bit_xor(x, y)

    def invert(self, x: Value) -> Value:
        """Bitwise complement; logical not for booleans."""
        return self.bit_xor(x, 1 if x.dtype == "bool" else -1)

    def isnan(self, x: Value) -> Value:
        if not is_float(x.dtype):
            return self.const(0, "bool", x.lanes)
        return self._real(Emitter.isnan, x)

    def isinf(self, x: Value) -> Value:
        if not is_float(x.dtype):
            return self.const(0, "bool", x.lanes)
        return self.eq(self.absolute(x), float("inf"))

    def isfinite(self, x: Value) -> Value:
        if not is_float(x.dtype):
            return self.const(1, "bool", x.lanes)
        return self.lt(self.absolute(x), float("inf"))

    # -- elementary functions -------------------------------------------------------------------

    def exp(self, x: Value) -> Value:
        """e**x, within 1 ulp."""
        return self._real(exponential.exp, x)

    def exp2(self, x: Value) -> Value:
        """2**x, within 2 ulp."""
        return self._real(exponential.exp2, x)

    def expm1(self, x: Value) -> Value:
        """e**x - 1, within 2 ulp."""
        return self._real(exponential.expm1, x)

    def log(self, x: Value) -> Value:
        """Natural logarithm, within 1 ulp."""
        return self._real(logarithm.log, x)

    def log2(self, x: Value) -> Value:
        """Logarithm to base 2, within 1 ulp."""
        return self._real(logarithm.log2, x)

    def log10(self, x: Value) -> Value:
        """Logarithm to base 10, within 1 ulp."""
        return self._real(logarithm.log10, x)

    def log1p(self, x: Value) -> Value:
        """log(1 + x), within 2 ulp."""
        return self._real(logarithm.log1p, x)

    def sin(self, x: Value) -> Value:
        """Sine, within 1 ulp for every argument."""
        return self._real(trigonometric.sin, x)

    def cos(self, x: Value) -> Value:
        """Cosine, within 1 ulp for every argument."""
        return self._real(trigonometric.cos, x)

    def tan(self, x: Value) -> Value:
        """Tangent, within 2 ulp for every argument."""
        return self._real(trigonometric.tan, x)

    def sinh(self, x: Value) -> Value:
        """Hyperbolic sine, within 2 ulp."""
        return self._real(exponential.sinh, x)

    def cosh(self, x: Value) -> Value:
        """Hyperbolic cosine, within 2 ulp."""
        return self._real(exponential.cosh, x)

    def tanh(self, x: Value) -> Value:
        """Hyperbolic tangent, within 2 ulp."""
        return self._real(exponential.tanh, x)

    def arcsin(self, x: Value) -> Value:
        """Inverse sine, within 2 ulp."""
        return self._real(inverse_trigonometric.arcsin, x)

    def arccos(self, x: Value) -> Value:
        """Inverse cosine, within 2 ulp."""
        return self._real(inverse_trigonometric.arccos, x)

    def arctan(self, x: Value) -> Value:
        """Inverse tangent, within 2 ulp."""
        return self._real(inverse_trigonometric.arctan, x)

    def arcsinh(self, x: Value) -> Value:
        """Inverse hyperbolic sine, within 4 ulp."""
        return self._real(logarithm.arcsinh, x)

    def arccosh(self, x: Value) -> Value:
        """Inverse hyperbolic cosine, within 4 ulp."""
        return self._real(logarithm.arccosh, x)

    def arctanh(self, x: Value) -> Value:
        """Inverse hyperbolic tangent, within 4 ulp."""
        return self._real(logarithm.arctanh, x)

    def sigmoid(self, x: Value) -> Value:
        """1 / (1 + e**-x), within 2 ulp."""
        return self._real(exponential.sigmoid, x)

    def softplus(self, x: Value) -> Value:
        """log(1 + e**x), within 2 ulp."""
        return self._real(logarithm.softplus, x)

    def erf(self, x: Value) -> Value:
        """Error function, within 2 ulp."""
        return self._real(error_function.erf, x)

    def erfc(self, x: Value) -> Value:
        """1 - erf(x), within 4 ulp."""
        return self._real(error_function.erfc, x)

    def arctan2(self, y: Value, x: Number) -> Value:
        """Angle of the point (x, y) in radians, within 4 ulp."""
        return self._real(inverse_trigonometric.arctan2, y, x)

    def pow(self, x: Value, y: Number) -> Value:
        """x**y: of floats within 2 ulp; of integers wrapping, and truncated for y < 0."""
        if is_float(x.dtype):
            return self._real(power.power, x, y)
        return power.integer_power(self, x, self.same(y, x))

    def deg2rad(self, x: Value) -> Value:
        """Degrees to radians."""
        return self._real(lambda b, x: b.mul(x, math.pi / 180), x)

    def rad2deg(self, x: Value) -> Value:
        """Radians to degrees."""
        return self._real(lambda b, x: b.mul(x, 180 / math.pi), x)

    # -- memory -----------------------------------------------------------------------------------

    def load(self, pointer: str, dtype: str, lanes: int, stride: int | None = None) -> Value:
        """`lanes` numbers from memory of any alignment.

        Parameters
        ----------
        pointer : str
            SSA name of the address of the first.
        stride : int, optional
            Distance between neighbours in bytes, where they are not packed.
        """
        memory = "int8" if dtype == "bool" else dtype
        if stride is None or lanes == 1:
            kind = llvm_type(memory, lanes)
            x = Value(self.emit(f"load {kind}, ptr {pointer}, align 1"), memory, lanes)
        else:
            x = self._gather(pointer, memory, lanes, stride)
        return self.neq(x, 0) if dtype == "bool" else x

    def _gather(self, pointer: str, dtype: str, lanes: int, stride: int) -> Value:
        scalar, text = llvm_type(dtype), "poison"
        for i in range(lanes):
            address = self.emit(f"getelementptr i8, ptr {pointer}, i64 {i * stride}")
            item = self.emit(f"load {scalar}, ptr {address}, align 1")
            text = self.emit(
                f"insertelement {llvm_type(dtype, lanes)} {text}, {scalar} {item}, i64 {i}"
            )
        return Value(text, dtype, lanes)

    def store(self, x: Value, pointer: str, stride: int | None = None) -> None:
        """Write to memory of any alignment; `stride` as in `load`."""
        if x.dtype == "bool":
            x = self.convert("zext", x, "int8")
        if stride is None or x.lanes == 1:
            self.perform(f"store {x.type} {x.text}, ptr {pointer}, align 1")
            return
        for i in range(x.lanes):
            item = self.lane(x, i)
            address = self.emit(f"getelementptr i8, ptr {pointer}, i64 {i * stride}")
            self.perform(f"store {item.type} {item.text}, ptr {address}, align 1")

    def reduce(self, kind: str, x: Value) -> Value:
        """All lanes combined by `sum prod min max and or`, lane i with lane i + half each time.

        The order is fixed, so the same lanes give the same bits.
        """
        combine = getattr(self, _REDUCTIONS[kind])
        while x.lanes > 2:
            half = x.lanes // 2
            low = self.shuffle(x, x, list(range(half)))
            x = combine(low, self.shuffle(x, x, list(range(half, x.lanes))))
        return combine(self.lane(x, 0), self.lane(x, 1)) if x.lanes == 2 else x
