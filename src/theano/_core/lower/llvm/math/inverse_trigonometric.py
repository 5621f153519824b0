"""arcsin, arccos, arctan and arctan2, inline, in float32 and float64.

arcsin near 1 by pi/2 - 2*arcsin(sqrt((1 - x)/2)); arctan by the addition theorem at pi/4, so that
the polynomials run over |t| <= 1/2 and |t| <= tan(pi/8) (Muller, Elementary Functions, 2016).
Bounds in ulp are measured over the whole range by `tools/ulp.py`.
"""

import math

from theano._core.lower.llvm.text.emitter import Emitter, Value

# pi/2 = high + low.
_HALF_PI = {
    "float64": (1.5707963267948966, 6.123233995736766e-17),
    "float32": (1.5707963705062866, -4.371138828673793e-08),
}
# pi/4 = high + low; four times, and three times, high are exact.
_QUARTER_PI = {
    "float64": (0.7853981633974483, 3.061616997868383e-17),
    "float32": (0.785398006439209, 1.5695823932524066e-07),
}
# (arcsin(s) - s) / s**3 in s**2 on |s| <= 1/2: 2**-59, 2**-31.
_ARCSIN = {
    "float64": (
        0.16666666666666763,
        0.07499999999970262,
        0.04464285717512065,
        0.03038194268362338,
        0.022372215660146074,
        0.017351600094445797,
        0.013980961422653745,
        0.011397776198047528,
        0.010786528040226267,
        0.0036830451357443427,
        0.021763493037547918,
        -0.021077285495233723,
        0.032676886496299816,
    ),
    "float32": (
        0.16666659871967898,
        0.07500510917841992,
        0.04451572012388509,
        0.03181761217808808,
        0.014402606853096364,
        0.037565195856447284,
    ),
}
# (arctan(t) - t) / t**3 in t**2 on |t| <= tan(pi/8): 2**-59, 2**-30.
_ARCTAN = {
    "float64": (
        -0.333333333333332,
        0.1999999999995404,
        -0.1428571428024417,
        0.11111110785910777,
        -0.09090897829656094,
        0.07692061511989189,
        -0.06663118916723976,
        0.05847997939667869,
        -0.05039794794326084,
        0.03807700256733684,
        -0.017920804881020394,
    ),
    "float32": (
        -0.3333331549662869,
        0.19998488874698872,
        -0.14243837485430727,
        0.10595913867655259,
        -0.06083220458335656,
    ),
}


def _arcsin_core(b: Emitter, x: Value) -> tuple[Value, Value, Value]:
    """`(near one, s, s**2 times the polynomial)` for s = |x|, or sqrt((1 - |x|)/2) near one."""
    a = b.absolute(x)
    near_one = b.gt(a, 0.5)
    z = b.select(near_one, b.fnma(a, 0.5, 0.5), b.mul(a, a))
    s = b.select(near_one, b.sqrt(z), a)
    return near_one, s, b.mul(z, b.polynomial(z, _ARCSIN[x.dtype]))


def arcsin(b: Emitter, x: Value) -> Value:
    """Inverse sine, within 4 ulp; NaN outside [-1, 1]."""
    high, low = _HALF_PI[x.dtype]
    near_one, s, v = _arcsin_core(b, x)
    twice = b.add(s, s)
    far = b.sub(high, b.sub(twice, b.fnma(twice, v, low)))
    # NaN comparisons are false, so that NaN takes the way of small numbers, and stays.
    return b.with_sign(b.select(near_one, far, b.fma(s, v, s)), x)


def arccos(b: Emitter, x: Value) -> Value:
    """Inverse cosine, within 4 ulp; NaN outside [-1, 1]."""
    high, low = _HALF_PI[x.dtype]
    near_one, s, v = _arcsin_core(b, x)
    s = b.select(near_one, s, x)
    y = b.sub(high, b.sub(s, b.fnma(s, v, low)))
    y = b.select(b.gt(x, 0.5), b.fma(s, v, s), y)
    return b.select(near_one, b.add(y, y), y)


def _arctan_of_quotient(b: Emitter, y: Value, x: Value) -> tuple[Value, Value, Value]:
    """`(j, t, rest)`: the angle arctan(y / x) of positive numbers is j*pi/4 + t + rest."""
    flat = b.le(y, b.mul(x, math.tan(math.pi / 8)))
    steep = b.ge(y, b.mul(x, math.tan(3 * math.pi / 8)))
    top = b.select(flat, y, b.select(steep, b.neg(x), b.sub(y, x)))
    bottom = b.select(flat, x, b.select(steep, y, b.add(y, x)))
    # 0 / 0 must give 0.
    bottom = b.select(b.eq(bottom, 0.0), 1.0, bottom)
    j = b.select(flat, 0.0, b.select(steep, b.const(2.0, y.dtype, y.lanes), 1.0))
    t = b.divide(top, bottom)
    z = b.mul(t, t)
    return j, t, b.mul(b.mul(t, z), b.polynomial(z, _ARCTAN[y.dtype]))


def arctan(b: Emitter, x: Value) -> Value:
    """Inverse tangent, within 4 ulp."""
    high, low = _QUARTER_PI[x.dtype]
    j, t, rest = _arctan_of_quotient(b, b.absolute(x), b.const(1.0, x.dtype, x.lanes))
    y = b.fma(j, high, b.add(t, b.fma(j, low, rest)))
    return b.with_sign(y, x)


def arctan2(b: Emitter, y: Value, x: Value) -> Value:
    """Angle of the point (x, y), within 4 ulp, with the conventions of C for zeros and infinity."""
    high, low = _QUARTER_PI[x.dtype]
    a, c = b.absolute(y), b.absolute(x)
    # Their sum must not overflow; a number that scaling rounds is too small to count.
    limit = 2.0**1020 if x.dtype == "float64" else 2.0**124
    one = b.const(1.0, x.dtype, x.lanes)
    scale = b.select(b.bit_or(b.gt(a, limit), b.gt(c, limit)), b.const(0.25, x.dtype, x.lanes), one)
    diagonal = b.bit_and(b.eq(a, math.inf), b.eq(c, math.inf))
    a, c = (b.select(diagonal, one, b.mul(v, scale)) for v in (a, c))
    j, t, rest = _arctan_of_quotient(b, a, c)
    # Left of the y axis the angle is pi less that.
    sign = b.sign_bit(x)
    t, rest = (b.from_bits(b.bit_xor(b.bits(v), sign)) for v in (t, rest))
    left = b.lt(b.bits(x), 0)
    j = b.select(left, b.sub(4.0, j), j)
    angle = b.fma(j, high, b.add(t, b.fma(j, low, rest)))
    return b.with_sign(b.absolute(angle), y)
