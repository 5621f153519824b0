"""Quotients of small whole numbers by a constant, from two products: divisions take much longer.

With the reciprocal 1/c as a sum of two floats, h + l, `fma(x, h, x l)` is x/c to twice the digits
of a float, rounded once (Brisebarre, Muller and Raina, 2004). That is the quotient, unless x/c lies
too close to the middle between two floats, which is looked at for every x that there may be.
"""

from __future__ import annotations

import math
from functools import cache

from theano._core.lower.llvm.text.emitter import Emitter, Value, rounded

# Magnitudes of numbers of 8 bits.
_LARGEST = 255
# Bits of the significands.
_DIGITS = {"float32": 24, "float64": 53}
# Of constants between its reciprocal and itself, nothing here is too small or too large.
_REACH = 2.0**60


def quotient(b: Emitter, x: Value, y: object) -> Value | None:
    """Return x / y if `x` was a number of 8 bits and `y` is a constant that allows it."""
    if not isinstance(y, Value) or y.number is None:
        return None
    if x.text not in b.of_bytes or x.dtype not in _DIGITS:
        return None
    parts = reciprocal(y.number, x.dtype)
    if parts is None:
        return None
    return b.fma(x, b.const(parts[0], x.dtype, x.lanes), Emitter.mul(b, x, parts[1]))


@cache
def reciprocal(c: float, dtype: str) -> tuple[float, float] | None:
    """Return 1/c as the sum of two floats if quotients by `c` follow from it, else None.

    Below 0, that of 0 would have the wrong sign.
    """
    if not 1 / _REACH < c < _REACH:
        return None
    digits = _DIGITS[dtype]
    mantissa = int(math.frexp(c)[0] * 2**digits)
    # An even number has the significand of its half.
    for x in range(1, _LARGEST + 1, 2):
        shift = digits + 1 + mantissa.bit_length() - x.bit_length()
        whole, rest = divmod(x << shift, mantissa)
        if whole >> (digits + 1):
            whole, rest = whole >> 1, rest + mantissa * (whole & 1)
            wide = 2 * mantissa
        else:
            wide = mantissa
        # Odd numbers of a digit more than there is room for are in the middle of two floats.
        off = rest if whole & 1 else wide - rest
        if off << (digits - 4) <= wide:
            return None
    high = rounded(1 / c, dtype)
    (p, q), (over, under) = c.as_integer_ratio(), high.as_integer_ratio()
    # Of integers, Python rounds once.
    return high, rounded((q * under - over * p) / (p * under), dtype)
