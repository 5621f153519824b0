"""The normal distribution function, its inverse, and those of erf and erfc, in float32 and float64.

The polynomials are those of the definition, `ops/elementwise/normal_quantile.py`.
"""

import math
from collections.abc import Callable

from theano._core.lower.llvm.math.error_function import erfc
from theano._core.lower.llvm.math.logarithm import log
from theano._core.lower.llvm.text.emitter import FORMATS, Emitter, Value
from theano._core.ops.elementwise.normal_quantile import QUANTILE, Tail

# sqrt(1/2), and what rounding takes from it.
_ROOT_OF_HALF = {
    "float64": (0.7071067811865476, -4.833646656726457e-17),
    "float32": (0.7071067690849304, 1.2101617485882343e-08),
}


def _polynomial(b: Emitter, x: Value, terms: tuple[float, ...]) -> Value:
    """As `b.polynomial`, with the two large first terms added last."""
    first, second, *others = terms
    return b.fma(x, b.fma(x, b.polynomial(x, tuple(others)), second), first)


def upper_quantile(b: Emitter, q: Value, x: Value | None = None) -> Value:
    """The z >= 0 exceeded in absolute value with probability `q`, 0 < q <= 1; within 4 ulp.

    `x` is 1 - q, if that is known better than as a difference.
    """
    table = QUANTILE[q.dtype]
    w = b.neg(log(b, b.mul(q, b.sub(2.0, q))))
    x = b.sub(1.0, q) if x is None else x
    z = b.mul(x, _polynomial(b, b.sub(w, table.center), table.terms))

    def tails() -> tuple[Value]:
        root = b.sqrt(w)
        inverse = b.divide(1.0, root)
        outer = b.mul(x, root)

        def of(tail: Tail) -> Value:
            return b.mul(outer, _polynomial(b, b.sub(inverse, tail.center), tail.terms))

        first, *others = table.tails
        result, start = of(first), first.end

        def far() -> tuple[Value]:
            farther, start = result, first.end
            for tail in others:
                farther = b.select(b.ge(root, start), of(tail), farther)
                start = tail.end
            return (farther,)

        if others:
            (result,) = b.when_any(b.ge(root, start), (result,), far)
        return (b.select(b.ge(w, table.end), result, z),)

    return b.when_any(b.ge(w, table.end), (z,), tails)[0]


def _at_edges(b: Emitter, q: Value, of: Callable[[Value], Value]) -> Value:
    """Return what `of` gives for a probability; infinity for 0, and NaN for what is none."""
    inside = b.bit_and(b.gt(q, 0.0), b.le(q, 1.0))
    edge = b.select(b.eq(q, 0.0), b.const(math.inf, q.dtype, q.lanes), math.nan)
    return b.select(inside, of(b.select(inside, q, 1.0)), edge)


def quantile(b: Emitter, p: Value) -> Value:
    """The number that a normal number stays below with probability `p`; within 4 ulp."""
    rest = b.sub(1.0, p)
    q = b.mul(b.select(b.lt(p, rest), p, rest), 2.0)
    z = _at_edges(b, q, lambda q: upper_quantile(b, q))
    return b.select(b.lt(p, 0.5), b.neg(z), z)


def _inverse_of_erfc(b: Emitter, q: Value, x: Value | None = None) -> Value:
    """The inverse of erfc for 0 <= q <= 1; `x` is 1 - q."""
    high, low = _ROOT_OF_HALF[q.dtype]

    def of(q: Value) -> Value:
        z = upper_quantile(b, q, x)
        return b.fma(z, low, b.mul(z, high))

    return _at_edges(b, q, of)


def erfinv(b: Emitter, x: Value) -> Value:
    """Inverse of erf, within 4 ulp."""
    a = b.absolute(x)
    z = _inverse_of_erfc(b, b.sub(1.0, a), a)
    # SciPy's 0 for -0.0.
    return b.select(b.lt(x, 0.0), b.neg(z), z)


def erfcinv(b: Emitter, y: Value) -> Value:
    """Inverse of erfc, within 4 ulp."""
    rest = b.sub(2.0, y)
    z = _inverse_of_erfc(b, b.select(b.lt(y, rest), y, rest))
    # SciPy's -0.0 for 1.
    return b.select(b.ge(y, 1.0), b.neg(z), z)


def distribution(b: Emitter, x: Value) -> Value:
    """The probability that a normal number is at most `x`; within 4 ulp."""
    high, low = _ROOT_OF_HALF[x.dtype]
    y = b.mul(x, -high)
    # What rounding took from y: in the far tail it is many ulp of the result.
    return b.mul(erfc(b, y, b.fma(x, -low, b.fma(x, -high, b.neg(y)))), 0.5)


def normal(b: Emitter, word: Value, dtype: str) -> Value:
    """A normal number: the sign from the highest bit of `word`, the size from all others."""
    signed = Value(word.text, FORMATS[dtype].integer, word.lanes)
    bits = 63 if dtype == "float64" else 31
    size = b.bit_and(signed, (1 << bits) - 1)
    q = b.mul(b.add(b.convert("sitofp", size, dtype), 0.5), 2.0**-bits)
    return b.with_sign(upper_quantile(b, q), b.from_bits(signed))
