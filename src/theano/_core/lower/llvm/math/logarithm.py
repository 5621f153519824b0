"""Logarithms, inline, in float32 and float64.

x = 2**k * (1 + f) with 1 + f between sqrt(1/2) and sqrt(2), s = f / (2 + f), and
log(1 + f) = f - (f*f/2 - s*(f*f/2 + R(s*s))): f is exact, so the error is that of a small
correction (the method of Tang, ACM TOMS 16, 1990, in the form without a table).
Bounds in ulp are measured over the whole range by `tools/ulp.py`.
"""

import math

from theano._core.lower.llvm.math import avx512
from theano._core.lower.llvm.math.exponential import exp
from theano._core.lower.llvm.text.emitter import FORMATS, Emitter, Value, rounded

# ln 2 = high + low; high has so few bits that k*high is exact.
_LN2 = {
    "float64": (0.6931471805598903, 5.497923018708371e-14),
    "float32": (0.693145751953125, 1.428606820309417e-06),
}
# 1/ln b = high + low, for the bases 2 and 10.
_INVERSE_LN = {
    2: (1.4426950408889634, 2.0355273740931033e-17),
    10: (0.4342944819032518, 1.098319650216765e-17),
}
# log10(2) = high + low; high has so few bits that k*high is exact.
_LOG10_2 = {
    "float64": (0.30102999566395283, 2.8363394551044964e-14),
    "float32": (0.301025390625, 4.605038981195214e-06),
}
# (log(1 + f) - f) / f**2 in f, relative to log(1 + f): 2**-27.8. With as many operations as below,
# and without the time a division takes.
_LOG_WITHOUT_DIVISION = (
    -0.4999998816664123,
    0.33333324234271694,
    -0.25001598488182386,
    0.2000208762462859,
    -0.16608795559494874,
    0.14179259793453913,
    -0.13242725518339424,
    0.12921914848155444,
    -0.07644933702151362,
)
# A multiple of f that is exact, and what is left divided by f, in f, relative to the logarithm:
# 2**-27.7. What is left is so small beside the multiple that its own rounding hardly counts.
_NARROW_IN_BASE = {
    2: (
        1.5,
        (
            -0.05730495974421501,
            -0.7213473320007324,
            0.4808984696865082,
            -0.3606985516765961,
            0.2885544380779959,
            -0.2395618426638453,
            0.2048240312901297,
            -0.1917453705341723,
            0.18499189848131925,
            -0.10682934041665,
        ),
    ),
    10: (
        0.375,
        (
            0.059294480830430984,
            -0.21714720129966736,
            0.1447649598121643,
            -0.1085796585813803,
            0.08686131751604206,
            -0.07214621787592759,
            0.06168138049994358,
            -0.05748471614984468,
            0.05557679386667986,
            -0.032669842069468116,
        ),
    ),
}
# (log(1 + f)/s - 2) / s**2 in s**2, relative to log(1 + f): 2**-59.
_LOG = (
    0.6666666666666734,
    0.39999999999413965,
    0.2857142874256213,
    0.2222219855376909,
    0.18183565408297184,
    0.1531402109494192,
    0.14796261345021877,
)


def _planted(b: Emitter, shifted: Value) -> Value:
    """2**fraction plus the exponent field of the bits of a positive number."""
    form = FORMATS["float64" if shifted.dtype == "int64" else "float32"]
    field = b.shift_right(shifted, form.fraction)
    # An integer below 2**fraction becomes a float by planting it in the fraction of 2**fraction.
    return b.from_bits(b.bit_or(field, (form.bias + form.fraction) << form.fraction))


def split_any(b: Emitter, x: Value) -> tuple[Value, Value]:
    """`(k, f)` with `x = 2**k * (1 + f)` for a positive x.

    k is -infinity for 0, infinity for infinity, and NaN for what has no logarithm.
    """
    root = rounded(math.sqrt(0.5), x.dtype)
    if avx512.is_for(b, x):
        k, significand = avx512.exponent(b, x), avx512.significand(b, x)
        large = b.ge(significand, 2 * root)
        significand = b.select(large, b.mul(significand, 0.5), significand)
        return b.select(large, b.add(k, 1.0), k), b.sub(significand, 1.0)
    form = FORMATS[x.dtype]
    scale = form.fraction + 2
    subnormal = b.lt(x, form.smallest_normal)
    one, lowest = form.bias << form.fraction, b.bits_of(root, x.dtype)
    shifted = b.add(b.bits(b.select(subnormal, b.mul(x, 2.0**scale), x)), one - lowest)
    k = b.sub(_planted(b, shifted), 2.0**form.fraction + form.bias)
    k = b.sub(k, b.select(subnormal, b.const(scale, x.dtype, x.lanes), 0.0))
    pole = b.select(b.eq(x, 0.0), b.const(-math.inf, x.dtype, x.lanes), math.nan)
    k = b.select(b.gt(x, 0.0), b.select(b.eq(x, math.inf), x, k), pole)
    fraction = b.bit_and(shifted, (1 << form.fraction) - 1)
    return k, b.sub(b.from_bits(b.add(fraction, lowest)), 1.0)


def _log1p_of_reduced(
    b: Emitter, multiple: Value, minus_k: Value, scale: int, squared: Value | None = None
) -> Value:
    """k*ln 2 + log(1 + f), for a `multiple` of f, scale*f. Where k is 0, -0.0 gives -0.0.

    What is `squared` may be 0 where the square of f is too small to matter.
    """
    squared = multiple if squared is None else squared
    high, low = _LN2[multiple.dtype]
    if multiple.dtype == "float32":
        # ln 2 rounded to float32 differs from it by 2**-28 only.
        high += low
        terms = tuple(c / scale ** (i + 2) for i, c in enumerate(_LOG_WITHOUT_DIVISION))
        square = b.mul(squared, squared)
        log1p_f = b.fma(square, b.polynomial(squared, terms), b.mul(multiple, 1 / scale))
    else:
        s = b.divide(squared, b.add(multiple, 2.0 * scale))
        z = b.mul(s, s)
        half_square = b.mul(b.mul(squared, 0.5 / scale**2), squared)
        # Taken off at last: a sum of zeros would be 0, which taken off leaves -0.0 as it is.
        rest = b.fma(half_square, b.sub(1.0, s), b.mul(minus_k, low))
        rest = b.fma(b.mul(s, z), b.polynomial(z, tuple(-c for c in _LOG)), rest)
        log1p_f = b.fma(multiple, 1 / scale, b.neg(rest))
    return b.fnma(minus_k, high, log1p_f)


def _log_in_base(b: Emitter, x: Value, base: int) -> Value:
    k, f = split_any(b, x)
    whole, rest = k, None
    if base == 10:
        high, low = _LOG10_2[x.dtype]
        whole, rest = b.mul(k, high), b.mul(k, low)
    if x.dtype == "float32":
        part, terms = _NARROW_IN_BASE[base]
        less = b.fma(f, b.polynomial(f, terms[2:]), terms[1])
        reduced = b.fma(f, b.fma(f, less, terms[0]), b.mul(f, part))
        return b.add(whole, reduced if rest is None else b.add(reduced, rest))
    s = b.divide(f, b.add(f, 2.0))
    z = b.mul(s, s)
    half_square = b.mul(b.mul(f, 0.5), f)
    tail = b.fma(z, b.polynomial(z, _LOG), half_square)
    large = b.sub(f, half_square)
    small = b.fma(s, tail, b.sub(b.sub(f, large), half_square))
    high, low = _INVERSE_LN[base]
    product = b.mul(large, high)
    lost = b.fma(large, low, b.fma(large, high, b.neg(product)))
    small = b.fma(small, high, lost if rest is None else b.add(lost, rest))
    return b.add(whole, b.add(product, small))


def log(b: Emitter, x: Value) -> Value:
    """Natural logarithm, within 1 ulp."""
    k, f = split_any(b, x)
    return _log1p_of_reduced(b, f, b.neg(k), 1)


def log2(b: Emitter, x: Value) -> Value:
    """Logarithm to base 2, within 1 ulp; exact for powers of 2."""
    return _log_in_base(b, x, 2)


def log10(b: Emitter, x: Value) -> Value:
    """Logarithm to base 10, within 1 ulp; exact for powers of 10."""
    return _log_in_base(b, x, 10)


def log1p(b: Emitter, x: Value, doubled: Value | None = None) -> Value:
    """log(1 + x), within 2 ulp; log(2*(1 + x)) where `doubled`.

    1 + x serves only to find k: f = x*2**-k + (2**-k - 1) is rounded once.
    """
    form = FORMATS[x.dtype]
    u = b.add(x, 1.0)
    bits = b.bits(u)
    shifted = b.add(bits, (form.bias << form.fraction) - b.bits_of(math.sqrt(0.5), x.dtype))
    field = b.bit_and(shifted, -1 << form.fraction)
    # 4 * 2**-k, which no x makes leave the range, as 2**-k would.
    scale = b.from_bits(b.sub((2 * form.bias + 2) << form.fraction, field))
    # The differences are this way round for -0.0.
    multiple = b.fma(x, scale, b.neg(b.sub(4.0, scale)))
    minus_k = b.sub(2.0**form.fraction + form.bias, _planted(b, shifted))
    if doubled is not None:
        minus_k = b.sub(minus_k, b.select(doubled, b.const(1.0, x.dtype, x.lanes), 0.0))
    # Squares of tiny numbers are subnormal, which takes processors a hundred times as long. Where x
    # adds nothing to 1, half of its square adds nothing to x.
    squared = b.select(b.eq(u, 1.0), 0.0, multiple)
    result = _log1p_of_reduced(b, multiple, minus_k, 4, squared)
    # Above the logarithm where that is a number, and what it is at the edges: u, never subnormal,
    # plus its half by the exponent, which is -infinity for 0; for u < 0 every bit of a NaN.
    edge = b.bits(b.add(u, b.from_bits(b.sub(bits, 1 << form.fraction))))
    edge = b.from_bits(b.bit_or(edge, b.convert("sext", b.lt(bits, 0), bits.dtype)))
    return b.select(b.lt(result, edge), result, edge)


def softplus(b: Emitter, x: Value) -> Value:
    """log(1 + e**x), within 2 ulp: max(x, 0) + log1p(e**-|x|)."""
    e = exp(b, b.neg(b.absolute(x)))
    return b.add(b.at_least(x, 0.0), log1p(b, e))


# Numbers whose square is far from overflow, and to which 1 adds nothing.
_LARGE = {"float64": 2.0**500, "float32": 2.0**60}


def arcsinh(b: Emitter, x: Value) -> Value:
    """Inverse hyperbolic sine, within 4 ulp: log1p(a + a**2/(1 + sqrt(1 + a**2))), a = |x|."""
    a = b.absolute(x)
    large = b.gt(a, _LARGE[x.dtype])
    square = b.mul(a, a)
    root = b.sqrt(b.add(square, 1.0))
    w = b.add(a, b.divide(square, b.add(root, 1.0)))
    return b.with_sign(log1p(b, b.select(large, a, w), large), x)


def arccosh(b: Emitter, x: Value) -> Value:
    """Inverse hyperbolic cosine, within 4 ulp: log1p(t + sqrt(2*t + t**2)), t = x - 1."""
    large = b.gt(x, _LARGE[x.dtype])
    t = b.sub(x, 1.0)
    w = b.add(t, b.sqrt(b.mul(t, b.add(t, 2.0))))
    result = log1p(b, b.select(large, x, w), large)
    return b.select(b.lt(x, 1.0), b.const(math.nan, x.dtype, x.lanes), result)


def arctanh(b: Emitter, x: Value) -> Value:
    """Inverse hyperbolic tangent, within 4 ulp: log1p(2*a/(1 - a)) / 2, a = |x|."""
    a = b.absolute(x)
    quotient = b.divide(b.add(a, a), b.sub(1.0, a))
    return b.with_sign(b.mul(log1p(b, quotient), 0.5), x)
