"""Conversions between dtypes with the results NumPy gives on x86-64, for every input.

LLVM's float-to-integer instructions are undefined (poison) outside the range of the integer; here
the input is first replaced by one inside, and the answer of the hardware is put in its place.
"""

from theano._core.lower.llvm.text.emitter import BITS, FORMATS, Emitter, Value, is_float, is_signed


def cast(b: Emitter, x: Value, dtype: str) -> Value:
    """`x` as `dtype`, for real dtypes and bool.

    Out of range, a float gives what C gives on x86-64: the lowest int64 (int32) for int64 (int32),
    and the low bits of that for narrower types; uint32 takes the low bits of int64. There NumPy
    itself gives several answers, by the length of the array.
    """
    if x.dtype == dtype:
        return x
    if dtype == "bool":
        return b.neq(_widened(b, x), 0)
    if x.dtype == "bool":
        if is_float(dtype):
            return b.select(x, b.const(1, dtype, x.lanes), 0)
        return b.convert("zext", x, dtype)
    if is_float(x.dtype):
        return _from_float(b, x, dtype)
    if is_float(dtype):
        return _integer_to_float(b, x, dtype)
    return _resize(b, x, dtype)


def _widened(b: Emitter, x: Value) -> Value:
    return b.convert("fpext", x, "float32") if x.dtype == "float16" else x


def _resize(b: Emitter, x: Value, dtype: str) -> Value:
    """An integer as another integer: sign extended, zero extended, or cut."""
    have, want = BITS[x.dtype], BITS[dtype]
    if have == want:
        return Value(x.text, dtype, x.lanes)
    if have > want:
        return b.convert("trunc", x, dtype)
    return b.convert("sext" if is_signed(x.dtype) else "zext", x, dtype)


def _integer_to_float(b: Emitter, x: Value, dtype: str) -> Value:
    instruction = "sitofp" if is_signed(x.dtype) else "uitofp"
    if dtype == "float16":
        # NumPy rounds twice as well: 64-bit integers to float64 or float32, then to float16.
        via = "float32" if BITS[x.dtype] <= 16 else "float64"
        return _from_float(b, b.convert(instruction, x, via), dtype)
    converted = b.convert(instruction, x, dtype)
    if BITS[x.dtype] == 8:
        b.of_bytes.add(converted.text)
    return converted


def _from_float(b: Emitter, x: Value, dtype: str) -> Value:
    if is_float(dtype):
        if BITS[dtype] > BITS[x.dtype]:
            return b.convert("fpext", x, dtype)
        if (x.dtype, dtype) == ("float64", "float16"):
            x = b.convert("fptrunc", _round_to_odd(b, x), "float32")
        return b.convert("fptrunc", x, dtype)
    x = _widened(b, x)
    bits = BITS[dtype]
    if dtype == "uint64":
        return _to_uint64(b, x)
    if bits == 64 or dtype == "uint32":
        return _resize(b, _to_signed(b, x, "int64"), dtype)
    return _resize(b, _to_signed(b, x, "int32"), dtype)


def _round_to_odd(b: Emitter, x: Value) -> Value:
    """A float64 cut to 23 bits of fraction, the last of which is set where others were cut.

    Rounding that to float16 gives what rounding x once gives (Boldo & Melquiond, IEEE Transactions
    on Computers 57, 2008); processors have no instruction from float64 to float16.
    """
    cut = FORMATS["float64"].fraction - FORMATS["float32"].fraction
    bits = b.bits(x)
    inexact = b.neq(b.bit_and(bits, (1 << cut) - 1), 0)
    kept = b.bit_and(bits, -1 << cut)
    return b.from_bits(b.select(inexact, b.bit_or(kept, 1 << cut), kept))


def _to_signed(b: Emitter, x: Value, dtype: str) -> Value:
    """Truncated; the lowest integer where that is out of range, and for NaN."""
    bits = BITS[dtype]
    top = 2.0 ** (bits - 1)
    above = b.ge(x, -top)
    if BITS[x.dtype] > bits:
        # Numbers between -2**31 - 1 and -2**31 truncate to -2**31.
        above = b.gt(x, -top - 1)
    inside = b.bit_and(above, b.lt(x, top))
    number = b.convert("fptosi", b.select(inside, x, 0.0), dtype)
    return b.select(inside, number, -1 << (bits - 1))


def _to_uint64(b: Emitter, x: Value) -> Value:
    """As compiled C does it: the upper half is moved down by 2**63 and back."""
    top = 2.0**63
    low = b.lt(x, top)
    number = _to_signed(b, b.select(low, x, b.sub(x, top)), "int64")
    # A NaN gives 2**63, which moving it down and back would turn to 0.
    moved = b.bit_xor(number, -1 << 63)
    unmoved = b.bit_or(low, b.isnan(x))
    return _resize(b, b.select(unmoved, number, moved), "uint64")
