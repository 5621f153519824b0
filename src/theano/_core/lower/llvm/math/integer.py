"""Integer division, remainder and powers, none of which ever trap; products of words."""

from theano._core.lower.llvm.text.emitter import (
    BITS,
    FORMATS,
    Emitter,
    Number,
    Value,
    is_signed,
)

# The lower half of a word.
LOW = (1 << 32) - 1
# The bits of this float plus an integer n are those of the float plus n, for n near 0.
ROUNDER = FORMATS["float64"].rounder
# Numbers of that many bits are near, and so are their quotients, also that of the lowest by -1.
NEAR_BITS = 50


def wide_product(b: Emitter, x: Value, y: Number) -> tuple[Value, Value]:
    """The (upper, lower) words of a product of two words."""
    y = b.same(y, x)
    if x.lanes == 1:
        wide = [b.emit(f"zext i64 {v.text} to i128") for v in (x, y)]
        product = b.emit(f"mul i128 {wide[0]}, {wide[1]}")
        upper = b.emit(f"lshr i128 {product}, 64")
        halves = [b.emit(f"trunc i128 {v} to i64") for v in (upper, product)]
        return Value(halves[0], "uint64", 1), Value(halves[1], "uint64", 1)
    # Processors multiply vectors of 32-bit halves.
    x0, x1 = b.bit_and(x, LOW), b.shift_right(x, 32)
    y0, y1 = b.bit_and(y, LOW), b.shift_right(y, 32)
    least = b.mul(x0, y0)
    middle = b.add(b.mul(x1, y0), b.shift_right(least, 32))
    other = b.add(b.mul(x0, y1), b.bit_and(middle, LOW))
    upper = b.add(b.mul(x1, y1), b.shift_right(middle, 32))
    # A product of whole words would be three instructions more.
    lower = b.bit_or(b.shift_left(other, 32), b.bit_and(least, LOW))
    return b.add(upper, b.shift_right(other, 32)), lower


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
        # Two at once are sooner divided by LLVM, one after the other.
        if BITS[x.dtype] == 64 and x.lanes > 2:
            return _by_multiplying(b, x, int(y.number))  # type: ignore[arg-type]
        return _floored(b, x, y, _truncated_quotient(b, x, y))
    zero = b.eq(y, 0)
    safe = b.select(zero, 1, y)
    if BITS[x.dtype] == 64 and x.lanes > 1:
        q, r = _as_floats(b, x, safe)
    else:
        q, r = _by_dividing(b, x, safe)
    return b.select(zero, 0, q), b.select(zero, 0, r)


def _by_dividing(b: Emitter, x: Value, y: Value) -> tuple[Value, Value]:
    """`(quotient, remainder)` of floored division by a number that is not 0."""
    if not is_signed(x.dtype):
        return _floored(b, x, y, _truncated_quotient(b, x, y))
    # -x wraps for the lowest x, where the division instruction would trap.
    minus = b.eq(y, -1)
    q = b.select(minus, b.neg(x), _truncated_quotient(b, x, b.select(minus, 1, y)))
    return _floored(b, x, y, q)


def _as_floats(b: Emitter, x: Value, y: Value) -> tuple[Value, Value]:
    """`(quotient, remainder)` of floored division of words by a number that is not 0.

    Words that are all near 0 are divided as float64. Their quotient is farther from the next
    integer above than a rounding error, so that its floor is right, and what is left is exact.
    Others are divided in a cold block, one after the other.
    """
    dividend, divisor = _near_to_float(b, x), _near_to_float(b, y)
    quotient = b.intrinsic("llvm.floor", b.divide(dividend, divisor))
    rest = b.sub(dividend, b.mul(quotient, divisor))
    near = _near_to_integer(b, quotient, x.dtype), _near_to_integer(b, rest, x.dtype)
    q, r = b.when_any(_some_is_far(b, x, y), near, lambda: _by_dividing(b, x, y))
    return q, r


def _some_is_far(b: Emitter, x: Value, y: Value) -> Value:
    """Whether one of two words is not near 0."""
    bits = NEAR_BITS
    if is_signed(x.dtype):
        # Numbers below 0 have one bit more.
        x, y, bits = b.add(x, 1 << bits), b.add(y, 1 << bits), bits + 1
    return b.neq(b.binary("lshr", b.bit_or(x, y), bits), 0)


def _near_to_float(b: Emitter, x: Value) -> Value:
    bits = b.add(Value(x.text, "int64", x.lanes), b.bits_of(ROUNDER, "float64"))
    return b.sub(b.from_bits(bits), ROUNDER)


def _near_to_integer(b: Emitter, x: Value, dtype: str) -> Value:
    bits = b.sub(b.bits(b.add(x, ROUNDER)), b.bits_of(ROUNDER, "float64"))
    return Value(bits.text, dtype, x.lanes)


def _by_multiplying(b: Emitter, x: Value, y: int) -> tuple[Value, Value]:
    """`(quotient, remainder)` of floored division of words by a constant, not 0, 1 or -1.

    Granlund & Montgomery, Division by invariant integers using multiplication (PLDI 1994): for
    0 <= x < 2**n and 2**(bits - 1) < y <= 2**bits, x // y is x m >> n + bits, where m is the least
    number above 2**(n + bits) / y.
    """
    divisor = abs(y)
    bits = (divisor - 1).bit_length()
    if is_signed(x.dtype):
        # Numbers below 0 are turned around, as ~x // y is ~(x // y): n is 63, and m fits a word.
        sign = b.binary("ashr", x, 63)
        upper = _upper_word(b, b.bit_xor(x, sign), (1 << 63 + bits) // divisor + 1)
        q = b.bit_xor(b.binary("lshr", upper, bits - 1), sign)
    else:
        # Where n is 64, m has a bit more than a word.
        upper = _upper_word(b, x, (1 << 64 + bits) // divisor + 1 - (1 << 64))
        half = b.binary("lshr", b.sub(x, upper), 1)
        q = b.binary("lshr", b.add(upper, half), bits - 1)
    r = b.sub(x, b.mul(q, divisor))
    if y > 0:
        return q, r
    # -x // y is the next number above, but where nothing remains.
    some = b.neq(r, 0)
    up = b.bit_xor(q, -1)
    return b.select(some, up, b.add(up, 1)), b.select(some, b.sub(r, divisor), r)


def _upper_word(b: Emitter, x: Value, y: int) -> Value:
    """The upper word of the product of a word and a constant."""
    upper, _ = wide_product(b, Value(x.text, "uint64", x.lanes), y)
    return Value(upper.text, x.dtype, x.lanes)


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
