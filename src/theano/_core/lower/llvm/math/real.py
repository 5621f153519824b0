"""Arithmetic of real floats that needs an algorithm: remainders, extremes, signs, rounding."""

import math
from collections.abc import Callable

from theano._core.lower.llvm.text.emitter import FORMATS, Emitter, Value, is_float


def extreme_by(better: str) -> Callable[[Emitter, Value, Value], Value]:
    """The choice of `x` where it compares `better`, else `y`; a NaN wins, as in np.minimum."""

    def extreme(b: Emitter, x: Value, y: Value) -> Value:
        # One instruction of most processors, and exactly what it says of NaN and of zeros.
        chosen = b.select(b.compare(better, x, y), x, y)
        return b.select(b.isnan(x), x, chosen) if is_float(x.dtype) else chosen

    return extreme


def sign(b: Emitter, x: Value) -> Value:
    """-1, 0 or 1 in x's dtype; NaN stays NaN, and -0.0 gives 0.0."""
    zero, one = b.const(0, x.dtype, x.lanes), b.const(1, x.dtype, x.lanes)
    y = b.select(b.gt(x, 0), one, zero)
    if x.dtype.startswith("u"):
        return y
    y = b.select(b.lt(x, 0), b.const(-1, x.dtype, x.lanes), y)
    return b.select(b.isnan(x), x, y) if is_float(x.dtype) else y


def angle(b: Emitter, x: Value) -> Value:
    """0 or, where the sign bit is set, pi; NaN stays NaN."""
    y = b.select(b.lt(b.bits(x), 0), b.const(math.pi, x.dtype, x.lanes), 0.0)
    return b.select(b.isnan(x), x, y)


def round_half_away(b: Emitter, x: Value) -> Value:
    """Nearest integer, ties away from zero; -0.0 keeps its sign."""
    # The largest number below 1/2, not 1/2, which would lift the number just below 1/2 to 1.
    form = FORMATS[x.dtype]
    nudge = 0.5 - 2.0 ** (-form.fraction - 2)
    away = b.intrinsic("llvm.trunc", b.add(b.absolute(x), nudge))
    return b.copysign(away, x)


def fmod(b: Emitter, x: Value, y: Value) -> Value:
    """X - trunc(x/y)*y, exact, with the sign of x, as C's fmod.

    Where the quotient is small, one fused step is exact up to one y. Elsewhere, with infinities
    and NaN, a cold block calls the library, lane by lane.
    """
    a, m = b.absolute(x), b.absolute(y)
    quotient = b.divide(a, m)
    # All false for NaN. A subnormal y may make the product below inexact.
    easy = b.lt(quotient, 2.0 ** FORMATS[x.dtype].fraction)
    easy = b.bit_and(easy, b.ge(m, FORMATS[x.dtype].smallest_normal))
    easy = b.bit_and(easy, b.lt(m, math.inf))
    r = b.fnma(b.intrinsic("llvm.trunc", quotient), m, a)
    # A quotient just below an integer may have been rounded up to it.
    r = b.select(b.lt(r, 0.0), b.add(r, m), r)
    hard = b.bit_xor(easy, 1)
    (r,) = b.when_any(hard, (r,), lambda: (b.select(easy, r, b.binary("frem", a, m)),))
    return b.copysign(r, x)


def _divmod(b: Emitter, x: Value, y: Value) -> tuple[Value, Value]:
    """NumPy's floored quotient and remainder, for y that is not 0."""
    r = fmod(b, x, y)
    quotient = b.divide(b.sub(x, r), y)
    inexact = b.neq(r, 0.0)
    other_sign = b.bit_xor(b.lt(r, 0.0), b.lt(y, 0.0))
    down = b.bit_and(inexact, other_sign)
    quotient = b.select(down, b.sub(quotient, 1.0), quotient)
    return quotient, b.select(
        inexact, b.select(down, b.add(r, y), r), b.copysign(b.const(0.0, y.dtype, y.lanes), y)
    )


def remainder(b: Emitter, x: Value, y: Value) -> Value:
    """X % y with the sign of y, as np.remainder; NaN for y = 0 or an infinite x."""
    r = _divmod(b, x, y)[1]
    return b.select(b.eq(y, 0.0), b.const(float("nan"), x.dtype, x.lanes), r)


def floor_divide(b: Emitter, x: Value, y: Value) -> Value:
    """X // y as np.floor_divide: the floor of the exact quotient, and x / y for y = 0."""
    exact, _ = _divmod(b, x, y)
    floor = b.intrinsic("llvm.floor", exact)
    floor = b.select(b.gt(b.sub(exact, floor), 0.5), b.add(floor, 1.0), floor)
    plain = b.divide(x, y)
    zero = b.copysign(b.const(0.0, x.dtype, x.lanes), plain)
    result = b.select(b.eq(exact, 0.0), zero, floor)
    return b.select(b.eq(y, 0.0), plain, result)
