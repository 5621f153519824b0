"""sin, cos and tan, inline, in float32 and float64, for every argument.

The argument is reduced to x = k*pi/2 + r, |r| <= pi/4, with r in two pieces. Moderate arguments
take three pieces of pi/2 (Cody & Waite, Software Manual for the Elementary Functions, 1980): with
fma the first step is exact. Huge ones are multiplied by as many bits of 2/pi as count (Payne &
Hanek, ACM SIGNUM Newsletter 18, 1983), in a function of its own behind a cold branch.
Bounds in ulp are measured over the whole range by `tools/ulp.py`.
"""

import math

from theano._core.base.records import Record
from theano._core.lower.llvm.text.emitter import FORMATS, Emitter, Value, llvm_type

_HALF_PI = {
    "float64": (1.5707963267948966, 6.123233995736766e-17, -1.4973849048591698e-33),
    "float32": (1.5707963705062866, -4.371138828673793e-08, -1.7151245100058819e-15),
}
# Up to here the three pieces leave r more bits than the format has, at the nearest approach.
_MODERATE = {"float64": 2.0**29, "float32": 2.0**13}
# (sin(r) - r) / r**3 and (cos(r) - 1 + r**2/2) / r**4 in r**2 on |r| <= pi/4: 2**-58, 2**-28.
_SIN = {
    "float64": (
        -0.16666666666666632,
        0.008333333333322403,
        -0.00019841269829798456,
        2.7557313688554664e-06,
        -2.5050757570649004e-08,
        1.5896763079139133e-10,
    ),
    "float32": (-0.16666654929541277, 0.008332177221856774, -0.0001951716999943584),
}
_COS = {
    "float64": (
        0.0416666666666666,
        -0.001388888888887411,
        2.480158728947258e-05,
        -2.755731434943582e-07,
        2.0875722863806035e-09,
        -1.1359625838861529e-11,
    ),
    "float32": (0.04166664684280168, -0.0013887366305801304, 2.4438307540476428e-05),
}
# The bits of 2/pi after the point, 64 in a word, after one word of zeros.
_TWO_OVER_PI = (
    0,
    11743562013128004905,
    18169587780923219392,
    15808362127397457985,
    18325537948574664033,
    13196794004601950944,
    452944820249399836,
    18311050168422213438,
    16754012890938950788,
    16833452818741296705,
    4148332274289687028,
    11278244420634880059,
    2303758334597371919,
    17235013589178936607,
    7869616827067468215,
    5712322887342352941,
    8441921394348257659,
    4397547296490951402,
    7780917995555872008,
    6197850593633725355,
    17352294737506481693,
    12241788059513133832,
)


# For a finite x >= 2**13: x = m * 2**(e - 1075). Of m * 2/pi * 2**(e - 1075) only what is below 4
# counts, so the bits of 2/pi are taken from the one whose product with m's last bit is 2: 192 of
# them, of which the products fill the upper 128 (`turns`). Their first two bits, rounded, are the
# quadrant, and the rest is a fraction of a quarter turn, which four pieces of 32 bits carry over
# exactly to two numbers.
_HUGE = (
    "@two_over_pi = internal constant [22 x i64] ["
    + ", ".join(f"i64 {word}" for word in _TWO_OVER_PI)
    + """]
define internal {double, double, i64} @quarter_turns(double %x) nounwind {
  %bits = bitcast double %x to i64
  %e = lshr i64 %bits, 52
  %fraction = and i64 %bits, 4503599627370495
  %m64 = or i64 %fraction, 4503599627370496
  %m = zext i64 %m64 to i128
  %first = sub i64 %e, 1013
  %word = lshr i64 %first, 6
  %shift = and i64 %first, 63
  %p0 = getelementptr i64, ptr @two_over_pi, i64 %word
  %p1 = getelementptr i64, ptr %p0, i64 1
  %p2 = getelementptr i64, ptr %p0, i64 2
  %p3 = getelementptr i64, ptr %p0, i64 3
  %a0 = load i64, ptr %p0
  %a1 = load i64, ptr %p1
  %a2 = load i64, ptr %p2
  %a3 = load i64, ptr %p3
  %w0 = call i64 @llvm.fshl.i64(i64 %a0, i64 %a1, i64 %shift)
  %w1 = call i64 @llvm.fshl.i64(i64 %a1, i64 %a2, i64 %shift)
  %w2 = call i64 @llvm.fshl.i64(i64 %a2, i64 %a3, i64 %shift)
  %w1w = zext i64 %w1 to i128
  %w2w = zext i64 %w2 to i128
  %t2 = mul i128 %m, %w2w
  %carry = lshr i128 %t2, 64
  %t1 = mul i128 %m, %w1w
  %t0 = mul i64 %m64, %w0
  %t0w = zext i64 %t0 to i128
  %t0s = shl i128 %t0w, 64
  %t01 = add i128 %t0s, %t1
  %turns = add i128 %t01, %carry
  %rounded = add i128 %turns, 42535295865117307932921825928971026432
  %quadrant = lshr i128 %rounded, 126
  %k = trunc i128 %quadrant to i64
  %f = shl i128 %turns, 2
  %f3 = ashr i128 %f, 96
  %f2 = lshr i128 %f, 64
  %f1 = lshr i128 %f, 32
  %i3 = trunc i128 %f3 to i64
  %i2 = trunc i128 %f2 to i64
  %i1 = trunc i128 %f1 to i64
  %i0 = trunc i128 %f to i64
  %j2 = and i64 %i2, 4294967295
  %j1 = and i64 %i1, 4294967295
  %j0 = and i64 %i0, 4294967295
  %d3 = sitofp i64 %i3 to double
  %d2 = sitofp i64 %j2 to double
  %d1 = sitofp i64 %j1 to double
  %d0 = sitofp i64 %j0 to double
  %q3 = fmul double %d3, 0x3DF0000000000000
  %q2 = fmul double %d2, 0x3BF0000000000000
  %q1 = fmul double %d1, 0x39F0000000000000
  %q0 = fmul double %d0, 0x37F0000000000000
  %h = fadd double %q3, %q2
  %h.back = fsub double %h, %q3
  %h.rest = fsub double %h, %h.back
  %l2 = fsub double %q2, %h.back
  %l3 = fsub double %q3, %h.rest
  %l = fadd double %l3, %l2
  %g = fadd double %h, %q1
  %g.back = fsub double %g, %h
  %g.rest = fsub double %g, %g.back
  %g2 = fsub double %q1, %g.back
  %g3 = fsub double %h, %g.rest
  %gl = fadd double %g3, %g2
  %s1 = fadd double %l, %gl
  %s = fadd double %s1, %q0
  %high = fadd double %g, %s
  %high.back = fsub double %high, %g
  %low = fsub double %s, %high.back
  %r = fmul double %high, 0x3FF921FB54442D18
  %r.neg = fneg double %r
  %r.err = call double @llvm.fma.f64(double %high, double 0x3FF921FB54442D18, double %r.neg)
  %r.low = fmul double %low, 0x3FF921FB54442D18
  %r.low2 = call double @llvm.fma.f64(double %high, double 0x3C91A62633145C07, double %r.low)
  %rest = fadd double %r.err, %r.low2
  %infinite = icmp eq i64 %e, 2047
  %number = select i1 %infinite, double 0x7FF8000000000000, double %r
  %out0 = insertvalue {double, double, i64} poison, double %number, 0
  %out1 = insertvalue {double, double, i64} %out0, double %rest, 1
  %out2 = insertvalue {double, double, i64} %out1, i64 %k, 2
  ret {double, double, i64} %out2
}"""
)


def _huge_vector(lanes: int) -> str:
    """`quarter_turns` of every lane."""
    number, integer = llvm_type("float64", lanes), llvm_type("int64", lanes)
    out = f"{{{number}, {number}, {integer}}}"
    return f"""\
define internal {out} @quarter_turns{lanes}({number} %x) nounwind {{
entry:
  br label %loop
loop:
  %i = phi i64 [0, %entry], [%next, %loop]
  %result = phi {out} [poison, %entry], [%out, %loop]
  %item = extractelement {number} %x, i64 %i
  %turns = call {{double, double, i64}} @quarter_turns(double %item)
  %r = extractvalue {{double, double, i64}} %turns, 0
  %rest = extractvalue {{double, double, i64}} %turns, 1
  %k = extractvalue {{double, double, i64}} %turns, 2
  %rs = extractvalue {out} %result, 0
  %rests = extractvalue {out} %result, 1
  %ks = extractvalue {out} %result, 2
  %new.r = insertelement {number} %rs, double %r, i64 %i
  %new.rest = insertelement {number} %rests, double %rest, i64 %i
  %new.k = insertelement {integer} %ks, i64 %k, i64 %i
  %out0 = insertvalue {out} %result, {number} %new.r, 0
  %out1 = insertvalue {out} %out0, {number} %new.rest, 1
  %out = insertvalue {out} %out1, {integer} %new.k, 2
  %next = add nuw nsw i64 %i, 1
  %more = icmp slt i64 %next, {lanes}
  br i1 %more, label %loop, label %done
done:
  ret {out} %out
}}"""


class _Reduced(Record):
    """|x| = k*pi/2 + high + low; the last two bits of the integer `k` tell the quadrant."""

    k: Value
    high: Value
    low: Value


def _reduce_huge(b: Emitter, a: Value) -> _Reduced:
    """The reduction for finite `a` from 2**13 up, and infinity."""
    wide = b.convert("fpext", a, "float64") if a.dtype == "float32" else a
    b.helpers.setdefault("quarter_turns", _HUGE)
    name = "quarter_turns"
    if a.lanes > 1:
        name = f"quarter_turns{a.lanes}"
        b.helpers.setdefault(name, _huge_vector(a.lanes))
    b.declarations["declare i64 @llvm.fshl.i64(i64, i64, i64)"] = None
    b.declarations["declare double @llvm.fma.f64(double, double, double)"] = None
    integer = llvm_type("int64", a.lanes)
    out = f"{{{wide.type}, {wide.type}, {integer}}}"
    result = b.emit(f"call {out} @{name}({wide.type} {wide.text})")
    high, low, k = (
        Value(b.emit(f"extractvalue {out} {result}, {i}"), dtype, a.lanes)
        for i, dtype in enumerate(("float64", "float64", "int64"))
    )
    if a.dtype == "float64":
        return _Reduced(k, high, low)
    narrow = b.convert("fptrunc", high, "float32")
    rest = b.add(b.sub(high, b.convert("fpext", narrow, "float64")), low)
    return _Reduced(b.convert("trunc", k, "int32"), narrow, b.convert("fptrunc", rest, "float32"))


def _reduce(b: Emitter, x: Value) -> _Reduced:
    form, limit = FORMATS[x.dtype], _MODERATE[x.dtype]
    first, second, third = _HALF_PI[x.dtype]
    a = b.absolute(x)
    t = b.fma(a, 2 / math.pi, form.rounder)
    count = b.sub(t, form.rounder)
    # Exact: a multiple of the last place of `first`, or of `a`, and below 1.
    remainder = b.fma(count, -first, a)
    product = b.mul(count, second)
    error = b.fma(count, second, b.neg(product))
    high = b.sub(remainder, product)
    # What the difference loses, whichever of the two is larger (Knuth's two-sum).
    back = b.sub(high, remainder)
    lost = b.sub(b.sub(remainder, b.sub(high, back)), b.add(product, back))
    moderate = _Reduced(b.bits(t), high, b.sub(lost, b.fma(count, third, error)))
    huge = b.gt(a, limit)

    def exactly() -> tuple[Value, ...]:
        # The other lanes get a number that the function can take.
        turned = _reduce_huge(b, b.select(huge, a, 2 * limit))
        pairs = zip(turned, moderate, strict=True)
        return tuple(b.select(huge, new, old) for new, old in pairs)

    return _Reduced(*b.when_any(huge, tuple(moderate), exactly))


class _Terms(Record):
    """sin(r) and cos(r), each as an unrounded sum of a large and a small part."""

    sin: tuple[Value, Value]
    cos: tuple[Value, Value]


def _terms(b: Emitter, r: _Reduced) -> _Terms:
    high, low = r.high, r.low
    z = b.mul(high, high)
    half = b.mul(z, 0.5)
    sin_low = b.fnma(low, half, low)
    sin_rest = b.fma(b.mul(high, z), b.polynomial(z, _SIN[z.dtype]), sin_low)
    cos = b.sub(1.0, half)
    lost = b.sub(b.sub(1.0, cos), half)
    cos_rest = b.fma(b.mul(z, z), b.polynomial(z, _COS[z.dtype]), b.fnma(high, low, lost))
    return _Terms((high, sin_rest), (cos, cos_rest))


def quarter_turn(b: Emitter, x: Value) -> tuple[Value, Value]:
    """Sin and cos of x*pi/2, for |x| <= 1/2."""
    first, second, _ = _HALF_PI[x.dtype]
    high = b.mul(x, first)
    low = b.fma(x, second, b.fma(x, first, b.neg(high)))
    terms = _terms(b, _Reduced(high, high, low))
    return b.add(*terms.sin), b.add(*terms.cos)


def _flip(b: Emitter, y: Value, sign: Value) -> Value:
    """`y` with its sign changed where the bit of weight 2 of `sign` is set."""
    form = FORMATS[y.dtype]
    width = form.fraction + (11 if y.dtype == "float64" else 8)
    return b.from_bits(b.bit_xor(b.bits(y), b.shift_left(b.bit_and(sign, 2), width - 1)))


def _odd(b: Emitter, k: Value) -> Value:
    return b.neq(b.bit_and(k, 1), 0)


def _from_quadrant(b: Emitter, terms: _Terms, k: Value) -> Value:
    """sin(k*pi/2 + r)."""
    odd = _odd(b, k)
    large, small = (b.select(odd, c, s) for s, c in zip(terms.sin, terms.cos, strict=True))
    return _flip(b, b.add(large, small), k)


def _sin_of(b: Emitter, x: Value, r: _Reduced, terms: _Terms) -> Value:
    # The reduced argument is that of |x|; sin and tan take the sign of x.
    y = _from_quadrant(b, terms, r.k)
    return b.from_bits(b.bit_xor(b.bits(y), b.sign_bit(x)))


def sin(b: Emitter, x: Value) -> Value:
    """Sine, within 1 ulp for every argument."""
    r = _reduce(b, x)
    return _sin_of(b, x, r, _terms(b, r))


def cos(b: Emitter, x: Value) -> Value:
    """Cosine, within 1 ulp for every argument."""
    r = _reduce(b, x)
    return _from_quadrant(b, _terms(b, r), b.add(r.k, 1))


def sin_and_cos(b: Emitter, x: Value) -> tuple[Value, Value]:
    """Both, from one reduction."""
    r = _reduce(b, x)
    terms = _terms(b, r)
    return _sin_of(b, x, r, terms), _from_quadrant(b, terms, b.add(r.k, 1))


def tan(b: Emitter, x: Value) -> Value:
    """Tangent, within 2 ulp for every argument.

    sin/cos, or -cos/sin in odd quadrants, of the unrounded sums: what a first quotient lacks is
    found before either is rounded.
    """
    r = _reduce(b, x)
    terms = _terms(b, r)
    odd = _odd(b, r.k)
    pairs = list(zip(terms.sin, terms.cos, strict=True))
    top, top_rest = (b.select(odd, c, s) for s, c in pairs)
    bottom, bottom_rest = (b.select(odd, s, c) for s, c in pairs)
    inverse = b.divide(1.0, b.add(bottom, bottom_rest))
    quotient = b.mul(b.add(top, top_rest), inverse)
    lacks = b.fnma(quotient, bottom_rest, top_rest)
    lacks = b.add(b.fnma(quotient, bottom, top), lacks)
    y = b.fma(lacks, inverse, quotient)
    y = _flip(b, y, b.shift_left(r.k, 1))
    return b.from_bits(b.bit_xor(b.bits(y), b.sign_bit(x)))
