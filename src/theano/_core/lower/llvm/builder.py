"""The builder that op declarations and the loop emitter write LLVM text with.

Every method takes and gives `Value`s (`ComplexValue`s) of one dtype and lanes; the caller has cast
them. Written for one lane or many, an expression gives the same bits in every lane. float16 is
computed in float32 and rounded after each operation.
"""

import math
from collections.abc import Callable
from typing import Any

from theano._core.lower.llvm.math import (
    complex_arithmetic,
    complex_elementary,
    error_function,
    exponential,
    gamma,
    integer,
    inverse_trigonometric,
    logarithm,
    normal_quantile,
    power,
    quotients,
    real,
    trigonometric,
)
from theano._core.lower.llvm.math.philox import RandomNumbers
from theano._core.lower.llvm.text import convert
from theano._core.lower.llvm.text.emitter import (
    ComplexValue,
    Emitter,
    Number,
    Value,
    is_complex,
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


# NumPy's and Python's names of what has another name here.
_NUMPY_NAMES = {
    "div": "true_div",
    "true_divide": "true_div",
    "subtract": "sub",
    "multiply": "mul",
    "power": "pow",
    "negative": "neg",
    "equal": "eq",
    "not_equal": "neq",
    "less": "lt",
    "less_equal": "le",
    "greater": "gt",
    "greater_equal": "ge",
    "where": "select",
    "square": "sqr",
    "rint": "round_half_even",
    "floor_divide": "int_div",
    "remainder": "mod",
}

# The dtype of the parts of a complex number.
PARTS = {"complex64": "float32", "complex128": "float64"}

Operand = Value | ComplexValue | complex


def _add(b: Emitter, x: Value, y: Value) -> Value:
    return b.bit_or(x, y) if x.dtype == "bool" else Emitter.add(b, x, y)


def _mul(b: Emitter, x: Value, y: Value) -> Value:
    return b.bit_and(x, y) if x.dtype == "bool" else Emitter.mul(b, x, y)


def _divide(b: Emitter, x: Value, y: Value) -> Value:
    return quotients.quotient(b, x, y) or Emitter.divide(b, x, y)


class Builder(RandomNumbers):
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

    def __getattr__(self, name: str) -> Any:
        method = _NUMPY_NAMES.get(name)
        if method is not None:
            return getattr(self, method)
        from difflib import get_close_matches

        near = get_close_matches(name, dir(type(self)), 4, 0.5)
        raise AttributeError(
            f"the instruction builder has no function {name!r}"
            + (f"; similar are {', '.join(near)}" if near else "")
            + ". Without llvm=, the definition is called for whole arrays."
        )

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

    def _either(
        self, real: Callable[..., Value], of_complex: Callable[..., Any], *arguments: Operand
    ) -> Any:
        """`real`, or `of_complex` where an argument is complex; then numbers become complex."""
        like = next((x for x in arguments if isinstance(x, ComplexValue)), None)
        if like is None:
            return self._real(real, *arguments)  # pyright: ignore[reportArgumentType]
        return of_complex(self, *[self._complex(x, like) for x in arguments])

    def _elementary(
        self, real: Callable[..., Value], of_complex: Callable[..., Any], *arguments: Operand
    ) -> Any:
        """`_either` for a long function, apart from what is before and after it."""
        self.fence()
        y = self._either(real, of_complex, *arguments)
        self.fence()
        return y

    def _elementary_real(self, function: Callable[..., Value], *arguments: Number) -> Value:
        self.fence()
        y = self._real(function, *arguments)
        self.fence()
        return y

    def _complex(self, x: Operand, like: ComplexValue) -> ComplexValue:
        if isinstance(x, ComplexValue):
            return x
        if isinstance(x, Value):
            return self.cast(x, like.dtype)
        return complex_arithmetic.constant(self, x, like.real)

    # -- constants and conversions ------------------------------------------------------------

    def cast(self, x: Any, dtype: str) -> Any:
        """`x` as `dtype`, with the result NumPy gives, out of range included.

        A complex number loses its imaginary part in a real dtype; as bool it is whether it is
        not 0.
        """
        if not isinstance(x, ComplexValue):
            if not is_complex(dtype):
                return convert.cast(self, x, dtype)
            part = PARTS[dtype]
            return ComplexValue(convert.cast(self, x, part), self.const(0, part, x.lanes))
        if is_complex(dtype):
            part = PARTS[dtype]
            return ComplexValue(convert.cast(self, x.real, part), convert.cast(self, x.imag, part))
        if dtype == "bool":
            return self.bit_or(self.neq(x.real, 0), self.neq(x.imag, 0))
        return convert.cast(self, x.real, dtype)

    # -- arithmetic ---------------------------------------------------------------------------

    def add(self, x: Operand, y: Operand) -> Any:
        """Sum; integers wrap, booleans or."""
        return self._either(_add, complex_arithmetic.add, x, y)

    def sub(self, x: Operand, y: Operand) -> Any:
        """Difference; integers wrap."""
        return self._either(Emitter.sub, complex_arithmetic.sub, x, y)

    def mul(self, x: Operand, y: Operand) -> Any:
        """Product; integers wrap, booleans and."""
        return self._either(_mul, complex_arithmetic.mul, x, y)

    def neg(self, x: Any) -> Any:
        """Negative; integers wrap."""
        if isinstance(x, ComplexValue):
            return complex_arithmetic.neg(self, x)
        return super().neg(x)

    def true_div(self, x: Operand, y: Operand) -> Any:
        """Quotient of floats."""
        return self._either(_divide, complex_arithmetic.true_div, x, y)

    def reciprocal(self, x: Any) -> Any:
        """1 / x for floats; for integers the truncated quotient, and 0 for 0."""
        if not is_float(x.dtype) and not is_complex(x.dtype):
            return integer.reciprocal(self, x)
        return self._either(lambda b, x: b.divide(1.0, x), complex_arithmetic.reciprocal, x)

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

    def sqr(self, x: Any) -> Any:
        return self.mul(x, x)

    def sqrt(self, x: Any) -> Any:
        """Square root, correctly rounded; NaN below 0."""
        return self._either(Emitter.sqrt, complex_elementary.sqrt, x)

    def abs(self, x: Any) -> Value:
        """Absolute value, real for complex numbers; of the lowest integer, itself."""
        if isinstance(x, ComplexValue):
            return complex_arithmetic.absolute(self, x)
        if is_float(x.dtype):
            return self.absolute(x)
        if is_signed(x.dtype):
            return self.select(self.lt(x, 0), Emitter.neg(self, x), x)
        return x

    def sign(self, x: Any) -> Any:
        """-1, 0 or 1; NaN stays NaN. Of a complex number, x / |x| or 0."""
        return self._either(real.sign, complex_arithmetic.sign, x)

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

    def minimum(self, x: Any, y: Operand) -> Any:
        """The smaller; NaN where either is NaN. Of two zeros, the one NumPy takes."""
        better = "le" if x.dtype == "float16" else "lt"
        return self._either(real.extreme_by(better), complex_arithmetic.extreme_by("le"), x, y)

    def maximum(self, x: Any, y: Operand) -> Any:
        """The larger; NaN where either is NaN. Of two zeros, the one NumPy takes."""
        better = "ge" if x.dtype == "float16" else "gt"
        return self._either(real.extreme_by(better), complex_arithmetic.extreme_by("ge"), x, y)

    # -- comparisons and logic ------------------------------------------------------------------

    def compare(self, name: str, x: Any, y: Operand) -> Value:
        """`eq neq lt le gt ge`, as bool; false for NaN except `neq`."""
        return self._either(
            lambda b, x, y: Emitter.compare(b, name, x, y),
            lambda b, x, y: complex_arithmetic.compare(b, name, x, y),
            x,
            y,
        )

    def select(self, condition: Value, x: Any, y: Any) -> Any:
        """`x` where `condition` holds, else `y`."""
        if not isinstance(x, ComplexValue) and not isinstance(y, ComplexValue):
            return super().select(condition, x, y)
        like = x if isinstance(x, ComplexValue) else y
        x, y = self._complex(x, like), self._complex(y, like)
        return complex_arithmetic.select(self, condition, x, y)

    def and_(self, x: Value, y: Number) -> Value:
        """Bitwise and; logical for booleans."""
        return self._of_complements(x, y, 0) or self.bit_and(x, y)

    def or_(self, x: Value, y: Number) -> Value:
        """Bitwise or; logical for booleans."""
        return self._of_complements(x, y, -1) or self.bit_or(x, y)

    def xor(self, x: Value, y: Number) -> Value:
        """Bitwise exclusive or; logical for booleans."""
        return self._of_complements(x, y, -1) or self.bit_xor(x, y)

    def invert(self, x: Value) -> Value:
        """Bitwise complement; logical not for booleans."""
        y = self.bit_xor(x, 1 if x.dtype == "bool" else -1)
        self.complements[y.text] = x.text
        return y

    def _of_complements(self, x: Value, y: Number, bits: int) -> Value | None:
        """Return what is known of x and ~x: no bits, or all of them; None for others.

        LLVM before version 22 finds that too late to write vectors of it, and ends the process.
        """
        pairs = self.complements.items()
        if not isinstance(y, Value) or not pairs & {(x.text, y.text), (y.text, x.text)}:
            return None
        return self.const(bits & 1 if x.dtype == "bool" else bits, x.dtype, x.lanes)

    def isnan(self, x: Any) -> Value:
        """Whether a number, or either part of a complex one, is NaN."""
        if isinstance(x, ComplexValue):
            return complex_arithmetic.isnan(self, x)
        if not is_float(x.dtype):
            return self.const(0, "bool", x.lanes)
        return self._real(Emitter.isnan, x)

    def isinf(self, x: Any) -> Value:
        """Whether a number, or either part of a complex one, is infinite."""
        if isinstance(x, ComplexValue):
            return self.bit_or(self.isinf(x.real), self.isinf(x.imag))
        if not is_float(x.dtype):
            return self.const(0, "bool", x.lanes)
        return self.eq(self.absolute(x), float("inf"))

    def isfinite(self, x: Any) -> Value:
        """Whether a number, or both parts of a complex one, are finite."""
        if isinstance(x, ComplexValue):
            return self.bit_and(self.isfinite(x.real), self.isfinite(x.imag))
        if not is_float(x.dtype):
            return self.const(1, "bool", x.lanes)
        return self.lt(self.absolute(x), float("inf"))

    # -- complex numbers ------------------------------------------------------------------------

    def complex(self, x: Value, y: Value) -> ComplexValue:
        """X + iy, of two floats of one dtype."""
        return ComplexValue(x, y)

    def real(self, x: Any) -> Value:
        """Real part; a real number is its own."""
        return x.real if isinstance(x, ComplexValue) else x

    def imag(self, x: Any) -> Value:
        """Imaginary part; 0 for a real number."""
        return x.imag if isinstance(x, ComplexValue) else self.const(0, x.dtype, x.lanes)

    def conj(self, x: Any) -> Any:
        """Complex conjugate; a real number is its own."""
        return complex_arithmetic.conj(self, x) if isinstance(x, ComplexValue) else x

    def angle(self, x: Any) -> Value:
        """Angle in radians, within 4 ulp; 0 or pi for a real number."""
        return self._either(real.angle, complex_elementary.angle, x)

    # -- elementary functions -------------------------------------------------------------------

    def exp(self, x: Any) -> Any:
        """e**x, within 1 ulp."""
        return self._elementary(exponential.exp, complex_elementary.exp, x)

    def exp2(self, x: Any) -> Any:
        """2**x, within 2 ulp."""
        return self._elementary(exponential.exp2, complex_elementary.exp2, x)

    def expm1(self, x: Any) -> Any:
        """e**x - 1, within 2 ulp."""
        return self._elementary(exponential.expm1, complex_elementary.expm1, x)

    def log(self, x: Any) -> Any:
        """Natural logarithm, within 1 ulp."""
        return self._elementary(logarithm.log, complex_elementary.log, x)

    def log2(self, x: Any) -> Any:
        """Logarithm to base 2, within 1 ulp."""
        return self._elementary(logarithm.log2, complex_elementary.log2, x)

    def log10(self, x: Any) -> Any:
        """Logarithm to base 10, within 1 ulp."""
        return self._elementary(logarithm.log10, complex_elementary.log10, x)

    def log1p(self, x: Any) -> Any:
        """log(1 + x), within 2 ulp."""
        return self._elementary(logarithm.log1p, complex_elementary.log1p, x)

    def sin(self, x: Any) -> Any:
        """Sine, within 1 ulp for every argument."""
        return self._elementary(trigonometric.sin, complex_elementary.sin, x)

    def cos(self, x: Any) -> Any:
        """Cosine, within 1 ulp for every argument."""
        return self._elementary(trigonometric.cos, complex_elementary.cos, x)

    def tan(self, x: Any) -> Any:
        """Tangent, within 2 ulp for every argument."""
        return self._elementary(trigonometric.tan, complex_elementary.tan, x)

    def sinh(self, x: Any) -> Any:
        """Hyperbolic sine, within 2 ulp."""
        return self._elementary(exponential.sinh, complex_elementary.sinh, x)

    def cosh(self, x: Any) -> Any:
        """Hyperbolic cosine, within 2 ulp."""
        return self._elementary(exponential.cosh, complex_elementary.cosh, x)

    def tanh(self, x: Any) -> Any:
        """Hyperbolic tangent, within 2 ulp."""
        return self._elementary(exponential.tanh, complex_elementary.tanh, x)

    def arcsin(self, x: Any) -> Any:
        """Inverse sine, within 2 ulp."""
        return self._elementary(inverse_trigonometric.arcsin, complex_elementary.arcsin, x)

    def arccos(self, x: Any) -> Any:
        """Inverse cosine, within 2 ulp."""
        return self._elementary(inverse_trigonometric.arccos, complex_elementary.arccos, x)

    def arctan(self, x: Any) -> Any:
        """Inverse tangent, within 2 ulp."""
        return self._elementary(inverse_trigonometric.arctan, complex_elementary.arctan, x)

    def arcsinh(self, x: Any) -> Any:
        """Inverse hyperbolic sine, within 4 ulp."""
        return self._elementary(logarithm.arcsinh, complex_elementary.arcsinh, x)

    def arccosh(self, x: Any) -> Any:
        """Inverse hyperbolic cosine, within 4 ulp."""
        return self._elementary(logarithm.arccosh, complex_elementary.arccosh, x)

    def arctanh(self, x: Any) -> Any:
        """Inverse hyperbolic tangent, within 4 ulp."""
        return self._elementary(logarithm.arctanh, complex_elementary.arctanh, x)

    def sigmoid(self, x: Value) -> Value:
        """1 / (1 + e**-x), within 2 ulp."""
        return self._elementary_real(exponential.sigmoid, x)

    def softplus(self, x: Value) -> Value:
        """log(1 + e**x), within 2 ulp."""
        return self._elementary_real(logarithm.softplus, x)

    def erf(self, x: Value) -> Value:
        """Error function, within 2 ulp."""
        return self._elementary_real(error_function.erf, x)

    def erfc(self, x: Value) -> Value:
        """1 - erf(x), within 4 ulp."""
        return self._elementary_real(error_function.erfc, x)

    def erfinv(self, x: Value) -> Value:
        """Inverse of erf, within 4 ulp."""
        return self._elementary_real(normal_quantile.erfinv, x)

    def erfcinv(self, x: Value) -> Value:
        """Inverse of erfc, within 4 ulp."""
        return self._elementary_real(normal_quantile.erfcinv, x)

    def gammaln(self, x: Value) -> Value:
        """Logarithm of |gamma(x)|, within 4 ulp of the larger of it and 1."""
        return self._elementary_real(gamma.log_gamma, x)

    def psi(self, x: Value) -> Value:
        """Derivative of log(gamma(x)), within 4 ulp of the larger of it and 1."""
        return self._elementary_real(gamma.psi, x)

    def normal_quantile(self, x: Value) -> Value:
        """Inverse of the normal distribution function, within 4 ulp."""
        return self._elementary_real(normal_quantile.quantile, x)

    def normal_distribution(self, x: Value) -> Value:
        """Normal distribution function, within 8 ulp where it is not subnormal."""
        return self._elementary_real(normal_quantile.distribution, x)

    def arctan2(self, y: Value, x: Number) -> Value:
        """Angle of the point (x, y) in radians, within 4 ulp."""
        return self._elementary_real(inverse_trigonometric.arctan2, y, x)

    def pow(self, x: Operand, y: Operand) -> Any:
        """x**y: of floats within 2 ulp; of integers wrapping, and truncated for y < 0."""
        return self._elementary(power.power, complex_elementary.power, x, y)

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
            type_ = llvm_type(memory, lanes)
            x = Value(self.emit(f"load {type_}, ptr {pointer}, align 1"), memory, lanes)
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
