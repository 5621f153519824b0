"""Integer division, remainder and powers, none of which ever trap."""

from theano._core.lower.llvm.text.emitter import BITS, Emitter, Value, is_signed


def _is_plain_constant(y: Value) -> bool:
    """Tell whether a divisor is known, and neither 0 nor -1."""
    return y.number not in (None, 0, -1)


def _truncated_quotient(b: Emitter, x: Value, y: Value) -> Value:
    """X / y without its fraction, for a `y` that is not 0, and not -1 if x may be the lowest.

    LLVM divides by constants by multiplying. No processor divides vectors of integers, but the
    quotient of two integers of 32 bits, rounded to float64 and truncated, is exact: it is farther
    from the next integer than a rounding error.
    """
    if BITS[x.dtype] == 64 or _is_plain_constant(y):
        return b.binary("sdiv" if is_signed(x.dtype) else "udiv", x, y)
    to, back = ("sitofp", "fptosi") if is_signed(x.dtype) else ("uitofp", "fptoui")
    wide = "float64" if BITS[x.dtype] == 32 else "float32"
    return b.convert(back, b.divide(b.convert(to, x, wide), b.convert(to, y, wide)), x.dtype)


def _divide(b: Emitter, x: Value, y: Value) -> tuple[Value, Value]:
    """`(quotient, remainder)` of floored division; both 0 for a divisor of 0."""
    if _is_plain_constant(y):
        power = int(y.number).bit_length() - 1  # type: ignore[arg-type]
        if y.number == 1 << power:
            # What is shifted out is the remainder, also of what is below 0.
            shift = "ashr" if is_signed(x.dtype) else "lshr"
            return b.binary(shift, x, power), b.bit_and(x, (1 << power) - 1)
        return _floored(b, x, y, _truncated_quotient(b, x, y))
    zero = b.eq(y, 0)
    safe = b.select(zero, 1, y)
    if not is_signed(x.dtype):
        q, r = _floored(b, x, safe, _truncated_quotient(b, x, safe))
        return b.select(zero, 0, q), b.select(zero, 0, r)
    # -x wraps for the lowest x, where the division instruction would trap.
    minus = b.eq(safe, -1)
    q = b.select(minus, b.neg(x), _truncated_quotient(b, x, b.select(minus, 1, safe)))
    q, r = _floored(b, x, safe, q)
    return b.select(zero, 0, q), b.select(zero, 0, r)


def _floored(b: Emitter, x: Value, y: Value, q: Value) -> tuple[Value, Value]:
    """`(quotient, remainder)` of floored division, of the truncated quotient."""
    r = b.sub(x, b.mul(q, y))
    if not is_signed(x.dtype):
        return q, r
    if y.number is not None:
        down = b.lt(r, 0) if y.number > 0 else b.gt(r, 0)
    else:
        down = b.bit_and(b.neq(r, 0), b.lt(b.bit_xor(r, y), 0))
    return b.select(down, b.sub(q, 1), q), b.select(down, b.add(r, y), r)


def floor_divide(b: Emitter, x: Value, y: Value) -> Value:
    """X // y as NumPy: 0 for y = 0; the lowest divided by -1 is itself."""
    return _divide(b, x, y)[0]


def remainder(b: Emitter, x: Value, y: Value) -> Value:
    """X % y with the sign of y, as NumPy; 0 for y = 0."""
    return _divide(b, x, y)[1]


def reciprocal(b: Emitter, x: Value) -> Value:
    """1 / x truncated: x itself for 1 and -1, else 0."""
    unit = b.eq(x, 1)
    if is_signed(x.dtype):
        unit = b.bit_or(unit, b.eq(x, -1))
    return b.select(unit, x, 0)
