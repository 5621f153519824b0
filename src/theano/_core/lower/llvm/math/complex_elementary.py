"""Elementary functions of complex numbers, with C's conventions for zeros, infinities and NaN.

The inverse functions follow Kahan (Branch Cuts for Complex Elementary Functions, 1987), whose
formulas do not cancel. The circular functions are the hyperbolic ones turned by a right angle.
"""

import math
from collections.abc import Callable

from theano._core.lower.llvm.math import complex_arithmetic as arithmetic
from theano._core.lower.llvm.math.complex_arithmetic import constant, hypot, select
from theano._core.lower.llvm.math.exponential import (
    exp as real_exp,
    exp_of_reduced,
    expm1 as real_expm1,
    halves_of_power,
    reduce_by_ln2,
    sinh_and_cosh,
)
from theano._core.lower.llvm.math.inverse_trigonometric import arctan2
from theano._core.lower.llvm.math.logarithm import (
    arcsinh as real_arcsinh,
    log as real_log,
    log1p as real_log1p,
)
from theano._core.lower.llvm.math.trigonometric import sin as real_sin, sin_and_cos, tan as real_tan
from theano._core.lower.llvm.text.emitter import ComplexValue, Emitter, Value

Function = Callable[[Emitter, ComplexValue], ComplexValue]


def _not(b: Emitter, condition: Value) -> Value:
    return b.bit_xor(condition, 1)


def _finite(b: Emitter, x: Value) -> Value:
    return b.lt(b.absolute(x), math.inf)


def _infinite(b: Emitter, x: Value) -> Value:
    return b.eq(b.absolute(x), math.inf)


def _like(b: Emitter, value: float, x: Value) -> Value:
    return b.const(value, x.dtype, x.lanes)


def _double(x: Value) -> bool:
    return x.dtype == "float64"


# -- square root ----------------------------------------------------------------------------------


def sqrt(b: Emitter, z: ComplexValue) -> ComplexValue:
    """Square root with a real part that is not negative; the cut is the negative real axis."""
    x, y = z
    size = b.at_least(b.absolute(x), b.absolute(y))
    large = b.gt(size, 2.0**1020 if _double(x) else 2.0**124)
    small = b.lt(size, 2.0**-900 if _double(x) else 2.0**-60)
    up = 108 if _double(x) else 48
    factor = b.select(large, 2.0**-4, b.select(small, _like(b, 2.0**up, x), 1.0))
    back = b.select(large, 4.0, b.select(small, _like(b, 2.0 ** (-up // 2), x), 1.0))
    a, c = b.mul(b.absolute(x), factor), b.mul(b.absolute(y), factor)
    root = b.sqrt(b.mul(b.add(a, hypot(b, a, c)), 0.5))
    other = b.mul(b.divide(c, b.add(root, root)), back)
    root = b.mul(root, back)
    left = b.lt(x, 0.0)
    real, imag = b.select(left, other, root), b.select(left, root, other)
    zero = b.bit_and(b.eq(x, 0.0), b.eq(y, 0.0))
    real, imag = b.select(zero, 0.0, real), b.select(zero, y, imag)
    infinite = _infinite(b, y)
    real, imag = (b.select(infinite, math.inf, part) for part in (real, imag))
    return ComplexValue(real, b.copysign(imag, y))


# -- exponential and hyperbolic functions ---------------------------------------------------------


def exp(b: Emitter, z: ComplexValue) -> ComplexValue:
    """e**z; a part overflows only where the result does."""
    x, y = z
    low, high, lift, steps = (-1400.0, 2100.0, 700.0, 1000) if _double(x) else (-170, 230, 60, 100)
    sine, cosine = sin_and_cos(b, y)
    turns, r = reduce_by_ln2(b, b.at_least(b.at_most(x, high), low))
    lifted = b.gt(x, lift)
    turns = b.sub(turns, b.select(lifted, _like(b, steps, x), 0.0))
    factor = b.select(lifted, _like(b, 2.0**steps, x), 1.0)
    first, second = halves_of_power(b, turns)
    e = exp_of_reduced(b, r)
    cosine, sine = (
        b.mul(b.mul(b.mul(b.mul(part, factor), first), e), second) for part in (cosine, sine)
    )
    # A zero imaginary part stays; infinity with an undefined angle has only a size.
    sine = b.select(b.eq(y, 0.0), y, sine)
    sizes = b.bit_and(_infinite(b, x), _not(b, _finite(b, y)))
    up, down = b.bit_and(sizes, b.gt(x, 0.0)), b.bit_and(sizes, b.lt(x, 0.0))
    cosine = b.select(up, math.inf, b.select(down, 0.0, cosine))
    return ComplexValue(cosine, b.select(down, 0.0, sine))


def exp2(b: Emitter, z: ComplexValue) -> ComplexValue:
    """2**z."""
    return exp(b, arithmetic.scale(b, z, math.log(2)))


def expm1(b: Emitter, z: ComplexValue) -> ComplexValue:
    """e**z - 1, exact near 0: the real part is expm1(x)*cos(y) - 2*sin(y/2)**2."""
    x, y = z
    half = real_sin(b, b.mul(y, 0.5))
    sine, cosine = sin_and_cos(b, y)
    real = b.sub(b.mul(real_expm1(b, x), cosine), b.mul(b.mul(half, 2.0), half))
    return ComplexValue(real, b.mul(real_exp(b, x), sine))


def _sinh_cosh_factors(b: Emitter, x: Value) -> tuple[Value, Value, Value]:
    """`(s, c, f)` with sinh(x) = s*f*f and cosh(x) = c*f*f, each finite.

    Beyond three times the largest exponent even the smallest number times these overflows.
    """
    top = 709.0 if _double(x) else 88.0
    a = b.absolute(x)
    sine, cosine = sinh_and_cosh(b, b.copysign(b.at_most(a, top), x))
    rest = b.at_most(b.at_least(b.sub(a, top), 0.0), 2 * top)
    return sine, cosine, real_exp(b, b.mul(rest, 0.5))


def _product(b: Emitter, x: Value, y: Value, factor: Value) -> Value:
    """x*y*factor*factor, without overflow on the way."""
    return b.mul(b.mul(b.mul(x, y), factor), factor)


def sinh(b: Emitter, z: ComplexValue) -> ComplexValue:
    """sinh(x)*cos(y) + i*cosh(x)*sin(y)."""
    x, y = z
    s, c, factor = _sinh_cosh_factors(b, x)
    sine, cosine = sin_and_cos(b, y)
    real = _product(b, s, cosine, factor)
    imag = _product(b, c, sine, factor)
    exact = b.bit_or(b.eq(x, 0.0), _infinite(b, x))
    real = b.select(b.bit_and(exact, _not(b, _finite(b, y))), x, real)
    return ComplexValue(real, b.select(b.eq(y, 0.0), y, imag))


def cosh(b: Emitter, z: ComplexValue) -> ComplexValue:
    """cosh(x)*cos(y) + i*sinh(x)*sin(y)."""
    x, y = z
    s, c, factor = _sinh_cosh_factors(b, x)
    sine, cosine = sin_and_cos(b, y)
    real = _product(b, c, cosine, factor)
    imag = _product(b, s, sine, factor)
    undefined = _not(b, _finite(b, y))
    real = b.select(b.bit_and(_infinite(b, x), undefined), math.inf, real)
    flat = b.bit_or(b.bit_and(b.eq(x, 0.0), undefined), b.eq(y, 0.0))
    zero = b.from_bits(b.bit_xor(b.sign_bit(x), b.sign_bit(y)))
    return ComplexValue(real, b.select(flat, zero, imag))


def tanh(b: Emitter, z: ComplexValue) -> ComplexValue:
    """Hyperbolic tangent, from tan(y), sinh(x) and cosh(x) (Kahan); far out, from e**(-2*|x|)."""
    x, y = z
    top = 22.0 if _double(x) else 11.0
    a = b.absolute(x)
    far = b.bit_and(b.gt(a, top), b.bit_or(_finite(b, y), _infinite(b, x)))
    s, c = sinh_and_cosh(b, b.copysign(b.at_most(a, top), x))
    t = real_tan(b, y)
    beta = b.fma(t, t, 1.0)
    scaled = b.mul(beta, s)
    inverse = b.divide(1.0, b.fma(scaled, s, 1.0))
    real = b.mul(b.mul(scaled, c), inverse)
    imag = b.mul(t, inverse)
    sine, cosine = sin_and_cos(b, y)
    decay = real_exp(b, b.mul(a, -2.0))
    tail = b.mul(b.mul(b.mul(sine, cosine), 4.0), decay)
    tail = b.select(_finite(b, y), tail, b.copysign(_like(b, 0.0, y), y))
    real = b.select(far, b.copysign(_like(b, 1.0, x), x), real)
    real = b.select(b.eq(x, 0.0), x, real)
    imag = b.select(b.eq(y, 0.0), y, b.select(far, tail, imag))
    return ComplexValue(real, imag)


def _turned(function: Function) -> Function:
    """`-i * function(i*z)` for an odd function: swap the parts before and after."""

    def turned(b: Emitter, z: ComplexValue) -> ComplexValue:
        w = function(b, ComplexValue(z.imag, z.real))
        return ComplexValue(w.imag, w.real)

    return turned


sin = _turned(sinh)
tan = _turned(tanh)


def cos(b: Emitter, z: ComplexValue) -> ComplexValue:
    """cosh(i*z)."""
    return cosh(b, ComplexValue(b.neg(z.imag), z.real))


# -- logarithms ----------------------------------------------------------------------------------


def angle(b: Emitter, z: ComplexValue) -> Value:
    return arctan2(b, z.imag, z.real)


def _two_sum(b: Emitter, x: Value, y: Value) -> tuple[Value, Value]:
    """`x + y` and what it loses (Knuth)."""
    total = b.add(x, y)
    back = b.sub(total, x)
    return total, b.add(b.sub(x, b.sub(total, back)), b.sub(y, back))


def _log_of_size(b: Emitter, x: Value, y: Value, start: Value, p: Value, q: Value) -> Value:
    """log|x + iy|; where that is small, by |x + iy|**2 - 1 = start + p**2 + q**2."""
    p2, q2 = b.mul(p, p), b.mul(q, q)
    lost = b.add(b.fma(p, p, b.neg(p2)), b.fma(q, q, b.neg(q2)))
    total, lost_p = _two_sum(b, start, p2)
    total, lost_q = _two_sum(b, total, q2)
    excess = b.add(total, b.add(b.add(lost_p, lost_q), lost))
    near = b.lt(b.absolute(b.sub(excess, 1.0)), 1.75)
    size = b.at_least(b.absolute(x), b.absolute(y))
    large = b.gt(size, 2.0**1020 if _double(x) else 2.0**124)
    small = b.lt(size, 2.0**-900 if _double(x) else 2.0**-60)
    factor = b.select(large, 0.25, b.select(small, _like(b, 2.0**60, x), 1.0))
    shift = b.select(large, math.log(4), b.select(small, _like(b, -60 * math.log(2), x), 0.0))
    far = b.add(real_log(b, hypot(b, b.mul(x, factor), b.mul(y, factor))), shift)
    return b.select(near, b.mul(real_log1p(b, excess), 0.5), far)


def log(b: Emitter, z: ComplexValue) -> ComplexValue:
    """Natural logarithm; the cut is the negative real axis."""
    a, c = b.absolute(z.real), b.absolute(z.imag)
    # In this order, a NaN is one of the two.
    larger, smaller = b.at_least(c, a), b.at_most(a, c)
    size = _log_of_size(b, z.real, z.imag, _like(b, -1.0, a), larger, smaller)
    return ComplexValue(size, angle(b, z))


def log2(b: Emitter, z: ComplexValue) -> ComplexValue:
    return arithmetic.scale(b, log(b, z), 1 / math.log(2))


def log10(b: Emitter, z: ComplexValue) -> ComplexValue:
    return arithmetic.scale(b, log(b, z), 1 / math.log(10))


def log1p(b: Emitter, z: ComplexValue) -> ComplexValue:
    """log(1 + z), exact near 0: |1 + z|**2 - 1 = 2*x + x**2 + y**2."""
    x, y = z
    one_more = b.add(x, 1.0)
    size = _log_of_size(b, one_more, y, b.add(x, x), x, y)
    return ComplexValue(size, arctan2(b, y, one_more))


# -- inverse functions ---------------------------------------------------------------------------


def _roots(b: Emitter, z: ComplexValue) -> tuple[ComplexValue, ComplexValue]:
    """sqrt(1 - z) and sqrt(1 + z)."""
    x, y = z
    return (
        sqrt(b, ComplexValue(b.sub(1.0, x), b.neg(y))),
        sqrt(b, ComplexValue(b.add(x, 1.0), y)),
    )


def _is_far(b: Emitter, z: ComplexValue) -> Value:
    """Whether 1 is nothing beside z: products of the roots lose nothing, and might overflow."""
    limit = 2.0**60 if _double(z.real) else 2.0**30
    return b.bit_or(b.gt(b.absolute(z.real), limit), b.gt(b.absolute(z.imag), limit))


def _log_of_twice(b: Emitter, far: Value, z: ComplexValue, near: Value) -> Value:
    """log(2*|z|) where it is `far`, else `near`."""

    def rare() -> tuple[Value]:
        eighth = hypot(b, b.mul(z.real, 0.125), b.mul(z.imag, 0.125))
        return (b.select(far, b.add(real_log(b, eighth), math.log(16)), near),)

    return b.when_any(far, (near,), rare)[0]


def arcsin(b: Emitter, z: ComplexValue) -> ComplexValue:
    """Inverse sine; the cuts are the real axis beyond 1 and -1."""
    x, y = z
    minus, plus = _roots(b, z)
    far = _is_far(b, z)
    across = b.sub(b.mul(minus.real, plus.real), b.mul(minus.imag, plus.imag))
    real = arctan2(b, x, b.select(far, b.absolute(y), across))
    real = b.select(b.eq(x, 0.0), x, real)
    size = b.sub(b.mul(minus.real, plus.imag), b.mul(minus.imag, plus.real))
    imag = _log_of_twice(b, far, z, real_arcsinh(b, size))
    return ComplexValue(real, b.copysign(imag, y))


def arccos(b: Emitter, z: ComplexValue) -> ComplexValue:
    """Inverse cosine; the cuts are the real axis beyond 1 and -1."""
    x, y = z
    minus, plus = _roots(b, z)
    far = _is_far(b, z)
    half = arctan2(b, minus.real, plus.real)
    real = b.select(far, arctan2(b, b.absolute(y), x), b.add(half, half))
    real = b.select(b.eq(x, 0.0), math.pi / 2, real)
    size = b.sub(b.mul(plus.real, minus.imag), b.mul(plus.imag, minus.real))
    imag = _log_of_twice(b, far, z, real_arcsinh(b, size))
    return ComplexValue(real, b.copysign(imag, b.neg(y)))


def arctanh(b: Emitter, z: ComplexValue) -> ComplexValue:
    """Inverse hyperbolic tangent; the cuts are the real axis beyond 1 and -1."""
    x, y = z
    a, c = b.absolute(x), b.absolute(y)
    less, more = b.sub(1.0, a), b.add(a, 1.0)
    distance = b.fma(less, less, b.mul(y, y))
    real = b.mul(real_log1p(b, b.divide(b.mul(a, 4.0), distance)), 0.25)
    # At 1 + iy the square of a small y underflows.
    at_pole = b.bit_and(b.eq(a, 1.0), b.lt(c, 2.0**-100 if _double(x) else 2.0**-30))
    pole = b.mul(b.sub(math.log(2), real_log(b, c)), 0.5)
    real = b.select(at_pole, pole, real)
    imag = b.mul(arctan2(b, b.add(y, y), b.fma(less, more, b.neg(b.mul(y, y)))), 0.5)
    # Far out it is 1/z and a right angle, by squares that do not overflow.
    larger, smaller = b.at_least(c, a), b.at_most(a, c)  # in this order, a NaN is one of them
    far = b.gt(larger, 2.0**500 if _double(x) else 2.0**60)
    ratio = b.divide(smaller, larger)
    inverse = b.divide(b.divide(b.divide(a, larger), larger), b.fma(ratio, ratio, 1.0))
    infinite = b.bit_or(_infinite(b, x), _infinite(b, y))
    real = b.select(far, inverse, real)
    real = b.select(b.bit_or(infinite, b.eq(x, 0.0)), 0.0, real)
    right = b.bit_and(b.bit_or(b.bit_and(far, b.eq(x, x)), infinite), b.eq(y, y))
    imag = b.select(right, math.pi / 2, imag)
    return ComplexValue(b.copysign(real, x), b.copysign(imag, y))


def arccosh(b: Emitter, z: ComplexValue) -> ComplexValue:
    """Inverse hyperbolic cosine; the cut is the real axis below 1."""
    w = arccos(b, z)
    return ComplexValue(b.absolute(w.imag), b.copysign(w.real, z.imag))


arcsinh = _turned(arcsin)
arctan = _turned(arctanh)


# -- powers ---------------------------------------------------------------------------------------


def power(b: Emitter, z: ComplexValue, w: ComplexValue) -> ComplexValue:
    """z**w as NumPy: by squaring for integers between -100 and 100, else e**(w*log(z))."""
    one, undefined = constant(b, 1.0, z.real), constant(b, complex(math.nan, math.nan), z.real)
    n = b.absolute(w.real)
    real_exponent = b.eq(w.imag, 0.0)
    integer = b.bit_and(b.eq(b.intrinsic("llvm.trunc", n), n), b.lt(n, 100.0))
    integer = b.bit_and(integer, real_exponent)
    count = b.convert("fptosi", b.select(integer, n, 0.0), "int64" if _double(n) else "int32")
    by_squaring = arithmetic.integer_power(b, z, count)
    inverse = arithmetic.true_div(b, one, by_squaring)
    by_squaring = select(b, b.lt(w.real, 0.0), inverse, by_squaring)
    result = exp(b, arithmetic.mul(b, w, log(b, z)))
    result = select(b, integer, by_squaring, result)
    base_zero = b.bit_and(b.eq(z.real, 0.0), b.eq(z.imag, 0.0))
    of_zero = select(b, b.gt(w.real, 0.0), constant(b, 0.0, z.real), undefined)
    result = select(b, base_zero, of_zero, result)
    return select(b, b.bit_and(real_exponent, b.eq(w.real, 0.0)), one, result)
