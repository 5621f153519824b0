"""Arithmetic, comparisons and powers of complex numbers, with the results NumPy gives.

A product is NumPy's plain one, without C's recovery of infinities; a quotient is Smith's
(Communications of the ACM 5, 1962); order is lexicographic.
"""

import math
from collections.abc import Callable

from theano._core.lower.llvm.text.emitter import FORMATS, ComplexValue, Emitter, Value


def add(b: Emitter, x: ComplexValue, y: ComplexValue) -> ComplexValue:
    return ComplexValue(b.add(x.real, y.real), b.add(x.imag, y.imag))


def sub(b: Emitter, x: ComplexValue, y: ComplexValue) -> ComplexValue:
    return ComplexValue(b.sub(x.real, y.real), b.sub(x.imag, y.imag))


def mul(b: Emitter, x: ComplexValue, y: ComplexValue) -> ComplexValue:
    return ComplexValue(
        b.sub(b.mul(x.real, y.real), b.mul(x.imag, y.imag)),
        b.add(b.mul(x.real, y.imag), b.mul(x.imag, y.real)),
    )


def scale(b: Emitter, x: ComplexValue, factor: float) -> ComplexValue:
    """Both parts times a real number."""
    return ComplexValue(b.mul(x.real, factor), b.mul(x.imag, factor))


def neg(b: Emitter, x: ComplexValue) -> ComplexValue:
    return ComplexValue(b.neg(x.real), b.neg(x.imag))


def conj(b: Emitter, x: ComplexValue) -> ComplexValue:
    return ComplexValue(x.real, b.neg(x.imag))


def select(b: Emitter, condition: Value, x: ComplexValue, y: ComplexValue) -> ComplexValue:
    return ComplexValue(b.select(condition, x.real, y.real), b.select(condition, x.imag, y.imag))


def constant(b: Emitter, value: complex, like: Value) -> ComplexValue:
    """`value` in every lane; `like` is of the dtype of a part."""
    value = complex(value)
    return ComplexValue(
        b.const(value.real, like.dtype, like.lanes), b.const(value.imag, like.dtype, like.lanes)
    )


def true_div(b: Emitter, x: ComplexValue, y: ComplexValue) -> ComplexValue:
    """X / y by the ratio of the smaller part of y to the larger."""
    real_larger = b.ge(b.absolute(y.real), b.absolute(y.imag))
    larger = b.select(real_larger, y.real, y.imag)
    smaller = b.select(real_larger, y.imag, y.real)
    ratio = b.divide(smaller, larger)
    inverse = b.divide(1.0, b.add(larger, b.mul(smaller, ratio)))
    u = b.select(real_larger, x.real, x.imag)
    v = b.select(real_larger, x.imag, x.real)
    real = b.mul(b.add(u, b.mul(v, ratio)), inverse)
    scaled = b.mul(u, ratio)
    imag = b.mul(b.select(real_larger, b.sub(v, scaled), b.sub(scaled, v)), inverse)
    zero = b.bit_and(b.eq(y.real, 0.0), b.eq(y.imag, 0.0))
    positive_zero = b.absolute(y.real)
    return ComplexValue(
        b.select(zero, b.divide(x.real, positive_zero), real),
        b.select(zero, b.divide(x.imag, positive_zero), imag),
    )


def reciprocal(b: Emitter, x: ComplexValue) -> ComplexValue:
    return true_div(b, constant(b, 1.0, x.real), x)


def absolute(b: Emitter, x: ComplexValue) -> Value:
    return hypot(b, x.real, x.imag)


def hypot(b: Emitter, x: Value, y: Value) -> Value:
    """sqrt(x*x + y*y) within 1 ulp, without overflow on the way; infinity with NaN is infinity.

    Both are scaled by the power of two of the larger, which is exact.
    """
    form = FORMATS[x.dtype]
    x, y = b.absolute(x), b.absolute(y)
    # In this order, a NaN is one of the two.
    larger, smaller = b.at_least(y, x), b.at_most(x, y)
    top = 2.0 ** (form.bias - 1)
    bounded = b.at_least(b.at_most(larger, top), form.smallest_normal)
    power = b.bit_and(b.bits(bounded), ((1 << (form.bias.bit_length() + 1)) - 1) << form.fraction)
    inverse = b.from_bits(b.sub(2 * form.bias << form.fraction, power))
    p, q = b.mul(larger, inverse), b.mul(smaller, inverse)
    root = b.mul(b.sqrt(b.fma(p, p, b.mul(q, q))), b.from_bits(power))
    infinite = b.bit_or(b.eq(x, math.inf), b.eq(y, math.inf))
    return b.select(infinite, math.inf, root)


def sign(b: Emitter, x: ComplexValue) -> ComplexValue:
    """X / |x| as NumPy 2; 0 for 0."""
    size = absolute(b, x)
    zero = b.eq(size, 0.0)
    size = b.select(zero, 1.0, size)
    infinite_real = b.eq(b.absolute(x.real), math.inf)
    infinite_imag = b.eq(b.absolute(x.imag), math.inf)
    real, imag = b.divide(x.real, size), b.divide(x.imag, size)
    # One infinite part gives +-1 or +-1j.
    one, none = b.const(1.0, real.dtype, real.lanes), b.const(0.0, real.dtype, real.lanes)
    only_real = b.bit_and(infinite_real, b.bit_xor(infinite_imag, 1))
    only_imag = b.bit_and(infinite_imag, b.bit_xor(infinite_real, 1))
    real = b.select(only_real, b.copysign(one, x.real), b.select(only_imag, none, real))
    imag = b.select(only_imag, b.copysign(one, x.imag), b.select(only_real, none, imag))
    return ComplexValue(b.select(zero, 0.0, real), b.select(zero, 0.0, imag))


def compare(b: Emitter, name: str, x: ComplexValue, y: ComplexValue) -> Value:
    """`eq neq`, and `lt le gt ge` by the real part, then the imaginary one; false for NaN."""
    if name == "eq":
        return b.bit_and(b.eq(x.real, y.real), b.eq(x.imag, y.imag))
    if name == "neq":
        return b.bit_or(b.neq(x.real, y.real), b.neq(x.imag, y.imag))
    strict = b.compare("lt" if name in ("lt", "le") else "gt", x.real, y.real)
    numbers = b.bit_xor(b.bit_or(b.isnan(x.imag), b.isnan(y.imag)), 1)
    equal = b.bit_and(b.eq(x.real, y.real), b.compare(name, x.imag, y.imag))
    return b.bit_or(b.bit_and(strict, numbers), equal)


def isnan(b: Emitter, x: ComplexValue) -> Value:
    return b.bit_or(b.isnan(x.real), b.isnan(x.imag))


def extreme_by(better: str) -> Callable[[Emitter, ComplexValue, ComplexValue], ComplexValue]:
    """The choice of `x` where it compares `better`, else `y`; a NaN in either part wins."""

    def extreme(b: Emitter, x: ComplexValue, y: ComplexValue) -> ComplexValue:
        first = b.bit_or(isnan(b, x), compare(b, better, x, y))
        return select(b, first, x, y)

    return extreme


def integer_power(b: Emitter, x: ComplexValue, count: Value) -> ComplexValue:
    """x**count by squaring, for a signed integer count of x's width that is not negative."""
    one = constant(b, 1.0, x.real)

    def step(
        real: Value, imag: Value, base_real: Value, base_imag: Value, left: Value
    ) -> tuple[tuple[Value, ...], Value]:
        result, base = ComplexValue(real, imag), ComplexValue(base_real, base_imag)
        odd = b.neq(b.bit_and(left, 1), 0)
        # 1 times the base is the base, also where a part of it is infinite.
        unit = b.bit_and(b.eq(real, 1.0), b.eq(imag, 0.0))
        product = select(b, unit, base, mul(b, result, base))
        result = select(b, odd, product, result)
        left = b.shift_right(left, 1)
        return (*result, *mul(b, base, base), left), b.neq(left, 0)

    real, imag, *_ = b.repeat_while_any((*one, *x, count), step)
    return ComplexValue(real, imag)
