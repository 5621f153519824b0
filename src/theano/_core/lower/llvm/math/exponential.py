"""exp and its relatives, inline, in float32 and float64.

All reduce the argument as x = k*ln 2 + r, |r| <= (ln 2)/2, with ln 2 in two pieces of which the
first has so few bits that k times it is exact (Cody & Waite, Software Manual for the Elementary
Functions, 1980), and end in a minimax polynomial (ours, by Remez exchange in 200 bits).
Bounds in ulp are measured over the whole range by `tools/ulp.py`.
"""

import math

from theano._core.base.records import Record
from theano._core.lower.llvm.math import avx512
from theano._core.lower.llvm.text.emitter import FORMATS, Emitter, Value

_LOG2E = 1.4426950408889634
# ln 2 = high + low; high has 42 (16) bits, so k*high is exact for all k that occur.
_LN2 = {
    "float64": (0.6931471805598903, 5.497923018708371e-14),
    "float32": (0.693145751953125, 1.428606820309417e-06),
}
# (e**r - 1 - r) / r**2 on |r| <= (ln 2)/2, relative to e**r: 2**-58, 2**-28.
_EXP = {
    "float64": (
        0.5000000000000011,
        0.16666666666666413,
        0.04166666666653016,
        0.008333333333494472,
        0.0013888888943629873,
        0.00019841269506556337,
        2.480149309912006e-05,
        2.755758639492761e-06,
        2.7630248311856244e-07,
        2.500005468566504e-08,
    ),
    "float32": (
        0.49999993449128954,
        0.1666652062965818,
        0.04166838776184708,
        0.008368717066680588,
        0.001381461307272903,
    ),
}
# The same, one degree higher, for results relative to r: 2**-64, 2**-34.
_EXPM1 = {
    "float64": (
        0.5,
        0.16666666666666682,
        0.041666666666666095,
        0.008333333333317034,
        0.0013888888889115633,
        0.00019841269896383627,
        2.4801586926620405e-05,
        2.7557234862087873e-06,
        2.755758185992791e-07,
        2.5112036786249107e-08,
        2.0826623274197728e-09,
    ),
    "float32": (
        0.5000000067681991,
        0.16666665868930955,
        0.04166629494776443,
        0.008333497076518823,
        0.0013944659589462485,
        0.00019790340318979742,
    ),
}
# (tanh(h) - h) / h**3 in h**2 on |h| <= (ln 2)/4, relative to h: 2**-58, 2**-33.
_TANH = {
    "float64": (
        -0.3333333333333249,
        0.1333333333278518,
        -0.05396825278420251,
        0.021869370860946265,
        -0.008857313210084759,
        0.0034448879473759977,
    ),
    "float32": (-0.333333227465017, 0.1333118664815832, -0.0527277550111222),
}
# (2**r - 1) / r on |r| <= 1/2, relative to 2**r: 2**-58, 2**-29.
_EXP2 = {
    "float64": (
        0.6931471805599453,
        0.2402265069591013,
        0.055504108664820084,
        0.009618129107594115,
        0.001333355814677463,
        0.00015403530457119228,
        1.5252733493129188e-05,
        1.3215435278486336e-06,
        1.0178199566862765e-07,
        7.0737839466361716e-09,
        4.4347726942603787e-10,
    ),
    "float32": (
        0.6931472028573015,
        0.240226479133234,
        0.0555033246561122,
        0.009618437385203512,
        0.0013398876761044067,
        0.00015353357768103424,
    ),
}
# (sinh(r) - r) / r**3 and (cosh(r) - 1) / r**2 in r**2 on |r| <= (ln 2)/2: 2**-61, 2**-34.
_SINH = {
    "float64": (
        0.16666666666666677,
        0.008333333333321606,
        0.0001984126988618656,
        2.7557244150853304e-06,
        2.5109056630511263e-08,
    ),
    "float32": (0.1666666675460465, 0.008333288936446774, 0.0001990497365693887),
}
_COSH = {
    "float64": (
        0.5,
        0.04166666666666671,
        0.0013888888888863912,
        2.48015873634433e-05,
        2.7557241784164626e-07,
        2.092443761365863e-09,
    ),
    "float32": (0.50000000791863, 0.041666266910340456, 0.0013946241832087285),
}
# Arguments beyond which exp2 is 0 or infinity, and one where sinh and cosh already are.
_RANGE2 = {"float64": (-1076.0, 1025.0), "float32": (-151.0, 129.0)}
_HYPERBOLIC_RANGE = {"float64": 710.5, "float32": 89.5}
# Arguments beyond which exp is 0 or infinity.
_RANGE = {"float64": (-746.0, 710.0), "float32": (-104.0, 89.0)}


def reduce_by_ln2(b: Emitter, x: Value) -> tuple[Value, Value]:
    """`(t, r)` with `x = k*ln2 + r`; `t` holds the integer k in its low bits."""
    rounder = FORMATS[x.dtype].rounder
    high, low = _LN2[x.dtype]
    t = b.fma(x, _LOG2E, rounder)
    k = b.sub(t, rounder)
    return t, b.fma(k, -low, b.fma(k, -high, x))


def power_of_two(b: Emitter, t: Value, extra: int = 0) -> Value:
    """2**(k + extra), for the `t` of `reduce_by_ln2`; the sum must be a normal exponent."""
    form = FORMATS[t.dtype]
    shifted = b.shift_left(b.bits(t), form.fraction)
    return b.from_bits(b.add(shifted, (form.bias + extra) << form.fraction))


def halves_of_power(b: Emitter, t: Value) -> tuple[Value, Value]:
    """Two numbers whose product is 2**k, where 2**k itself may be out of range."""
    form = FORMATS[t.dtype]
    one = form.bias << form.fraction
    bits = b.bits(t)
    half = b.shift_left(b.shift_right(bits, 1), form.fraction)
    rest = b.sub(b.shift_left(bits, form.fraction), half)
    return b.from_bits(b.add(half, one)), b.from_bits(b.add(rest, one))


def scale_by_power(b: Emitter, x: Value, t: Value) -> Value:
    """`x * 2**k` rounded once."""
    if avx512.is_for(b, x):
        return avx512.scaled(b, x, b.sub(t, FORMATS[t.dtype].rounder))
    first, second = halves_of_power(b, t)
    return b.mul(b.mul(x, first), second)


def exp_of_reduced(b: Emitter, r: Value) -> Value:
    """e**r for |r| <= (ln 2)/2."""
    q = b.polynomial(r, _EXP[r.dtype])
    return b.fma(b.fma(r, q, 1.0), r, 1.0)


def expm1_of_reduced(b: Emitter, r: Value) -> Value:
    """e**r - 1 for |r| <= (ln 2)/2, to the last place of 1."""
    q = b.polynomial(r, _EXP[r.dtype])
    return b.mul(b.fma(r, q, 1.0), r)


def exp(b: Emitter, x: Value) -> Value:
    """e**x, within 1 ulp."""
    low, high = _RANGE[x.dtype]
    # Not left to `scale_by_power`: processors take ten times as long where a result underflows.
    moderate = b.at_most(x, high)
    if avx512.is_for(b, x) and avx512.has_mask(x):
        t, r = reduce_by_ln2(b, moderate)
        k = b.sub(t, FORMATS[x.dtype].rounder)
        return avx512.scaled_where(b, b.not_less(x, low), exp_of_reduced(b, r), k)
    vanishes = b.lt(x, low)
    t, r = reduce_by_ln2(b, b.select(vanishes, 0.0, moderate))
    return b.select(vanishes, 0.0, scale_by_power(b, exp_of_reduced(b, r), t))


def exp2_of_reduced(b: Emitter, r: Value) -> Value:
    """2**r for |r| <= 1/2."""
    return b.fma(r, b.polynomial(r, _EXP2[r.dtype]), 1.0)


def exp2(b: Emitter, x: Value) -> Value:
    """2**x, within 2 ulp: the reduction x = k + r is exact."""
    low, high = _RANGE2[x.dtype]
    return exp2_of_moderate(b, b.at_least(b.at_most(x, high), low))


def exp2_of_moderate(b: Emitter, x: Value) -> Value:
    """2**x for what is not far beyond the range of results."""
    rounder = FORMATS[x.dtype].rounder
    t = b.add(x, rounder)
    return scale_by_power(b, exp2_of_reduced(b, b.sub(x, b.sub(t, rounder))), t)


def sigmoid(b: Emitter, x: Value) -> Value:
    """1 / (1 + e**-x), within 2 ulp.

    With e = e**-|x|, it is 1/(1 + e) or e/(1 + e). Numerator and denominator are kept multiplied by
    a power of two, so that a subnormal result is rounded once, by the division, and by 3/2, so
    that they cross powers of two where rounding them costs least.
    """
    extra = 100 if x.dtype == "float64" else 30
    low = _RANGE[x.dtype][0]
    t, r = reduce_by_ln2(b, b.at_least(b.neg(b.absolute(x)), low))
    # In float32 the shorter polynomial's own error would count.
    terms = _EXP[x.dtype] if x.dtype == "float64" else _EXPM1[x.dtype]
    q = b.polynomial(r, tuple(1.5 * c for c in terms))
    significand, power = b.fma(b.fma(r, q, 1.5), r, 1.5), power_of_two(b, t, extra)
    one = b.const(1.5 * 2.0**extra, x.dtype, x.lanes)
    e, denominator = b.mul(significand, power), b.fma(significand, power, one)
    return b.divide(b.select(b.lt(b.bits(x), 0), e, one), denominator)


def tanh(b: Emitter, x: Value) -> Value:
    """Hyperbolic tangent, within 2 ulp.

    With |x| = k*(ln 2)/2 + h, t = tanh(h) and c = 2**-k, the addition theorem gives n/d,
    n = (1 - c) + (1 + c)*t and d = (1 + c) + (1 - c)*t: one division, and a polynomial with odd
    terms only. For k > 1, d is found as n + 2*c*(1 - t): an error of n then hardly changes the
    quotient. n and d are multiplied by 5/4, away from powers of two, where rounding costs most.
    """
    form = FORMATS[x.dtype]
    ln2_high, ln2_low = _LN2[x.dtype]
    a = b.at_most(b.absolute(x), 20.0 if x.dtype == "float64" else 10.0)
    rounded = b.fma(a, 2 * _LOG2E, form.rounder)
    k = b.sub(rounded, form.rounder)
    h_high = b.fma(k, -ln2_high / 2, a)
    h_low = b.mul(k, -ln2_low / 2)
    h = b.add(h_high, h_low)
    z = b.mul(h, h)
    t = b.add(h_high, b.fma(b.mul(h, z), b.polynomial(z, _TANH[x.dtype]), h_low))
    # From here on n, d and c are twice themselves, so that 2*c needs no operation.
    one = 2 * 1.25
    shifted = b.shift_left(b.bits(rounded), form.fraction)
    c = b.from_bits(b.sub(b.bits_of(one, x.dtype), shifted))
    more, less = b.add(c, one), b.sub(one, c)
    n = b.fma(more, t, less)
    far = b.fma(c, b.fma(t, -2.0, 2.0), n)
    d = b.select(b.lt(b.bits(c), b.bits_of(1.0, x.dtype)), far, b.fma(less, t, more))
    return b.with_sign(b.divide(n, d), x)


def expm1(b: Emitter, x: Value) -> Value:
    """e**x - 1, within 2 ulp.

    Evaluated as 2 * (2**(k-1) * (e**r - 1) + (2**(k-1) - 1/2)), which overflows only where the
    result does.
    """
    low = -40.0 if x.dtype == "float64" else -20.0
    t, r = reduce_by_ln2(b, b.at_least(b.at_most(x, _RANGE[x.dtype][1]), low))
    power = power_of_two(b, t, -1)
    rest = b.mul(b.mul(r, r), b.polynomial(r, _EXPM1[x.dtype]))
    half = b.fma(power, rest, b.fma(power, r, b.sub(power, 0.5)))
    # Keeps -0.0 and subnormal numbers, of which the half would lose a bit.
    tiny = b.lt(b.absolute(x), math.ldexp(1.0, -FORMATS[x.dtype].fraction - 2))
    return b.select(tiny, x, b.add(half, half))


class _Hyperbolic(Record):
    """The pieces of sinh(|x|) and cosh(|x|), for |x| = k*ln 2 + r.

    `sinh_k` and `cosh_k` are half of sinh and cosh of k*ln 2, the difference and the sum of
    `power` and `inverse`; sinh(r) = r + `sinh_rest` and cosh(r) = 1 + `cosh_rest`.
    """

    power: Value
    inverse: Value
    sinh_k: Value
    cosh_k: Value
    r: Value
    sinh_rest: Value
    cosh_rest: Value


def _hyperbolic(b: Emitter, x: Value) -> _Hyperbolic:
    form = FORMATS[x.dtype]
    a = b.at_most(b.absolute(x), _HYPERBOLIC_RANGE[x.dtype])
    t, r = reduce_by_ln2(b, a)
    power = power_of_two(b, t, -2)
    # 2**(-k-2) by its exponent; where that leaves the range of the format, it no longer counts.
    inverse = b.from_bits(b.sub((2 * form.bias - 4) << form.fraction, b.bits(power)))
    inverse = b.select(b.gt(a, 40.0 if x.dtype == "float64" else 20.0), 0.0, inverse)
    z = b.mul(r, r)
    sinh_rest = b.mul(b.mul(r, z), b.polynomial(z, _SINH[x.dtype]))
    cosh_rest = b.mul(z, b.polynomial(z, _COSH[x.dtype]))
    sinh_k, cosh_k = b.sub(power, inverse), b.add(power, inverse)
    return _Hyperbolic(power, inverse, sinh_k, cosh_k, r, sinh_rest, cosh_rest)


def _twice_sinh(b: Emitter, x: Value, h: _Hyperbolic) -> Value:
    lost = b.sub(b.sub(h.power, h.sinh_k), h.inverse)
    rest = b.fma(h.cosh_k, h.sinh_rest, b.fma(h.sinh_k, h.cosh_rest, lost))
    half = b.add(b.fma(h.cosh_k, h.r, h.sinh_k), rest)
    # Subnormal numbers would lose a bit by the half.
    tiny = b.lt(b.absolute(x), math.ldexp(1.0, -FORMATS[x.dtype].fraction - 2))
    return b.select(tiny, x, b.with_sign(b.add(half, half), x))


def _twice_cosh(b: Emitter, h: _Hyperbolic) -> Value:
    lost = b.add(b.sub(h.power, h.cosh_k), h.inverse)
    rest = b.fma(h.sinh_k, h.sinh_rest, b.fma(h.cosh_k, h.cosh_rest, lost))
    half = b.add(b.fma(h.sinh_k, h.r, h.cosh_k), rest)
    return b.add(half, half)


def sinh(b: Emitter, x: Value) -> Value:
    """Hyperbolic sine, within 2 ulp, by the addition theorem for k*ln 2 + r."""
    return _twice_sinh(b, x, _hyperbolic(b, x))


def cosh(b: Emitter, x: Value) -> Value:
    """Hyperbolic cosine, within 2 ulp."""
    return _twice_cosh(b, _hyperbolic(b, x))


def sinh_and_cosh(b: Emitter, x: Value) -> tuple[Value, Value]:
    """Both, from one reduction."""
    h = _hyperbolic(b, x)
    return _twice_sinh(b, x, h), _twice_cosh(b, h)
