"""Powers: of floats with all special cases of IEEE 754, of integers by squaring.

Where y is a small integer that is known, x**y is a product of squares, in two numbers as below; of
halves of odd numbers, times a square root.

x**y = 2**(y*log2(x)). In float64 the logarithm and the product are unrounded sums of two numbers
(Dekker, Numerische Mathematik 18, 1971), because an error in the product is one of the result, 1000
times as large; of float32, the logarithm and the product are float64. Bounds in ulp are measured by
`tools/ulp.py`.
"""

import math

from theano._core.lower.llvm.math.exponential import exp2_of_reduced, scale_by_power
from theano._core.lower.llvm.math.logarithm import split_any
from theano._core.lower.llvm.text.emitter import FORMATS, Emitter, Value, is_float, is_signed

# log2((1 + s)/(1 - s)) = s * (c1 + c3*z + z**2 * P(z)), z = s**2; c1 and c3 = high + low.
_C1 = (2.8853900817779268, 4.0710547481862066e-17)
_C3 = (0.9617966939259756, 5.0577616648125906e-17)
_P = (
    0.5770780163555851,
    0.4121985831113712,
    0.3205988979076854,
    0.262308199190233,
    0.22195223871088857,
    0.1924024028185333,
    0.16843176672773247,
    0.1729670824482813,
)
# log2(1 + f) / f in f for 1 + f between sqrt(1/2) and sqrt(2), relative to it: 2**-35.8, of
# which the product of results that float32 has makes 2**-28.
_NARROW_LOG2 = (
    1.4426950408687056,
    -0.7213475208687299,
    0.48089836139529796,
    -0.3606736748322617,
    0.2885372934908735,
    -0.24045316538920591,
    0.2061753586569559,
    -0.18030060497952252,
    0.15876981573892202,
    -0.14315643535105851,
    0.14474834710352588,
    -0.14283937148826548,
    0.07737058766838703,
)
# Larger ones take as long by squares as by the logarithm.
_LARGEST_EXPONENT = 64
# Of lower ones, what four roundings lose is more than 2 ulp.
_LOWEST_HALF = -1.5


def _sum(b: Emitter, x: Value, y: Value) -> tuple[Value, Value]:
    """`x + y` and what it loses, for |x| >= |y| or x = 0."""
    total = b.add(x, y)
    return total, b.add(b.sub(x, total), y)


def _product(b: Emitter, x: Value, y: Value) -> tuple[Value, Value]:
    """`x * y` and what it loses."""
    product = b.mul(x, y)
    return product, b.fma(x, y, b.neg(product))


def _log2_in_two(b: Emitter, x: Value) -> tuple[Value, Value]:
    """log2(x) as an unrounded sum of float64, relative error 2**-66, for positive finite x."""
    k, f = split_any(b, x)
    divisor = b.add(f, 2.0)
    divisor_rest = b.sub(f, b.sub(divisor, 2.0))
    inverse = b.divide(1.0, divisor)
    s = b.mul(f, inverse)
    s_rest = b.mul(b.fnma(s, divisor_rest, b.fnma(s, divisor, f)), inverse)
    z, z_rest = _product(b, s, s)
    z_rest = b.fma(b.add(s, s), s_rest, z_rest)
    p = b.polynomial(z, _P)
    v = b.fma(z, p, _C3[0])
    v_rest = b.add(b.fma(z, p, b.sub(_C3[0], v)), _C3[1])
    w, w_rest = _product(b, z, v)
    w_rest = b.fma(z, v_rest, b.fma(z_rest, v, w_rest))
    u, u_rest = _sum(b, b.const(_C1[0], x.dtype, x.lanes), w)
    u_rest = b.add(b.add(u_rest, w_rest), _C1[1])
    high, low = _product(b, s, u)
    low = b.fma(s, u_rest, b.fma(s_rest, u, low))
    total, lost = _sum(b, k, high)
    return total, b.add(lost, low)


def _exp2_of_product(b: Emitter, a: Value, y: Value) -> Value:
    """`a**y` in float64 for a >= 0 (infinity and NaN included), but for a = 1 or y = 0."""
    high, low = _log2_in_two(b, a)
    product = b.mul(y, high)
    rest = b.fma(y, low, b.fma(y, high, b.neg(product)))
    # Beyond these the result is 0 or infinity; there the rest may be a NaN that means nothing.
    rest = b.select(b.lt(b.absolute(product), 1100.0), rest, 0.0)
    product = b.at_least(b.at_most(product, 1100.0), -1100.0)
    rounder = FORMATS["float64"].rounder
    t = b.add(product, rounder)
    r = b.add(b.sub(product, b.sub(t, rounder)), rest)
    return scale_by_power(b, exp2_of_reduced(b, r), t)


def _narrow_power(b: Emitter, a: Value, y: Value) -> Value:
    """`a**y` in float32 for a >= 0 (infinity and NaN included), but for a = 1 or y = 0."""
    k, f = (b.convert("fpext", v, "float64") for v in split_any(b, a))
    log = b.fma(f, b.polynomial(f, _NARROW_LOG2), k)
    product = b.mul(b.convert("fpext", y, "float64"), log)
    product = b.at_least(b.at_most(product, 200.0), -200.0)
    rounder = FORMATS["float64"].rounder
    whole = b.sub(b.add(product, rounder), rounder)
    rest, t = (b.convert("fptrunc", v, "float32") for v in (b.sub(product, whole), whole))
    return scale_by_power(b, exp2_of_reduced(b, rest), b.add(t, FORMATS["float32"].rounder))


def _known_exponent(y: Value) -> float:
    """Return a small multiple of 1/2 that is a constant; 0: it is another number, or not known."""
    number = y.number
    if number is None or not abs(number) <= _LARGEST_EXPONENT or 2 * number != int(2 * number):
        return 0
    return number if number == int(number) or number >= _LOWEST_HALF else 0


def _known_power(b: Emitter, x: Value, exponent: int) -> Value:
    """`x**exponent` by squares and products, the most significant bit first: none is too large."""
    if x.dtype == "float32":
        wide = b.convert("fpext", x, "float64")
        result = wide
        for bit in f"{abs(exponent):b}"[1:]:
            result = b.mul(result, result)
            result = b.mul(result, wide) if bit == "1" else result
        return b.convert("fptrunc", b.divide(1.0, result) if exponent < 0 else result, "float32")
    zero = b.const(0.0, x.dtype, x.lanes)
    base, rest = x, zero
    if exponent < 0:
        base = b.divide(1.0, x)
        rest = b.mul(base, b.fnma(x, base, 1.0))
    high, low = base, rest
    for bit in f"{abs(exponent):b}"[1:]:
        square, lost = _product(b, high, high)
        high, low = square, b.fma(b.add(high, high), low, lost)
        if bit == "1":
            product, lost = _product(b, high, base)
            high, low = product, b.fma(low, base, b.fma(high, rest, lost))
    total = b.add(high, low)
    # What infinity has lost is no number, and what -0 has lost is 0.
    return b.copysign(b.select(b.eq(total, total), total, high), high)


def _power_of_root(b: Emitter, x: Value, exponent: float) -> Value:
    """`x**exponent` for half of an odd number: a square root times what `_known_power` gives."""
    # IEEE 754 has a root of -infinity here, and no negative zeros.
    root = b.sqrt(b.select(b.eq(x, -math.inf), math.inf, x))
    whole = int(exponent)
    rest = _known_power(b, x, whole) if whole else b.const(1.0, x.dtype, x.lanes)
    return b.absolute(b.divide(rest, root) if exponent < 0 else b.mul(rest, root))


def power(b: Emitter, x: Value, y: Value) -> Value:
    """x**y; of floats within 2 ulp, with the special cases of IEEE 754's pow."""
    if not is_float(x.dtype):
        return integer_power(b, x, y)
    exponent = _known_exponent(y)
    if exponent:
        whole = exponent == int(exponent)
        return _known_power(b, x, int(exponent)) if whole else _power_of_root(b, x, exponent)
    positive = _narrow_power if x.dtype == "float32" else _exp2_of_product
    result = positive(b, b.absolute(x), y)
    # Of what follows, ordinary positive numbers need nothing.
    special = b.bit_xor(b.bit_and(b.gt(x, 0.0), b.lt(x, math.inf)), 1)
    if y.number is None or not math.isfinite(y.number):
        special = b.bit_or(special, b.bit_xor(b.lt(b.absolute(y), math.inf), 1))
    return b.when_any(special, (result,), lambda: (_special_power(b, x, y, result),))[0]


def _special_power(b: Emitter, x: Value, y: Value, result: Value) -> Value:
    """`x**y` by IEEE 754, for the `result` of |x|**y, which need not hold at 1 and at y = 0."""
    infinite = b.eq(b.absolute(y), math.inf)
    one = b.bit_or(b.eq(x, 1.0), b.bit_and(b.eq(b.absolute(x), 1.0), infinite))
    one = b.bit_or(one, b.eq(y, 0.0))
    # An infinite or a very large y is an even integer.
    half = b.mul(y, 0.5)
    integer = b.eq(b.intrinsic("llvm.trunc", y), y)
    odd = b.bit_and(integer, b.neq(b.intrinsic("llvm.trunc", half), half))
    result = b.select(odd, b.copysign(result, x), result)
    undefined = b.bit_and(b.lt(x, 0.0), b.gt(x, -math.inf))
    undefined = b.bit_and(undefined, b.bit_xor(integer, 1))
    result = b.select(undefined, b.const(math.nan, x.dtype, x.lanes), result)
    return b.select(one, 1.0, result)


def integer_power(b: Emitter, x: Value, y: Value) -> Value:
    """x**y of integers, wrapping as NumPy's product; for y < 0, 0 unless x is 1 or -1."""
    odd = b.bit_and(y, 1)
    count = b.select(b.lt(y, 0), 0, y) if is_signed(y.dtype) else y
    one = b.const(1, x.dtype, x.lanes)

    def step(result: Value, base: Value, left: Value) -> tuple[tuple[Value, ...], Value]:
        factor = b.select(b.neq(b.bit_and(left, 1), 0), base, 1)
        left = b.shift_right(left, 1)
        return (b.mul(result, factor), b.mul(base, base), left), b.neq(left, 0)

    result = b.repeat_while_any((one, x, count), step)[0]
    if not is_signed(y.dtype):
        return result
    unit = b.select(b.eq(x, -1), b.select(b.neq(odd, 0), x, 1), 0)
    unit = b.select(b.eq(x, 1), 1, unit)
    return b.select(b.lt(y, 0), unit, result)
