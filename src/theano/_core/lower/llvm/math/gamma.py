"""log |gamma(x)| and its derivative psi, inline, in float32 and float64.

From about 3 on both are Stirling's series, whose rest is a polynomial in 1/x**2. Below it,
gamma(x) = gamma(2 + s) / x(x + 1)..., with as many factors as leave a small s, and polynomials in
s. So each takes one logarithm and one division. The coefficients are ours, by interpolation at
Chebyshev nodes in 300 bits. Bounds in ulp of the larger of the result and 1 are measured by
`tools/ulp.py`.
"""

import math
from collections.abc import Callable

from theano._core.lower.llvm.math.logarithm import log
from theano._core.lower.llvm.math.trigonometric import quarter_turn
from theano._core.lower.llvm.text.emitter import FIRST_BLOCK, Emitter, Value
from theano._core.ops.special import LOG_GAMMA_FROM_TWO

# Stirling's series from here on, of each.
_LOG_FAR = 2.5
_PSI_FAR = 3.0
# Below this, reflection; above it, a loop of factors, near whose zeros no digits cancel.
_REFLECTED = -24.0
# log(gamma(2 + s)) / s on |s| <= 1/2, relative to it: 2**-27.7 in float32.
_LOG_GAMMA = {
    "float64": LOG_GAMMA_FROM_TWO,
    "float32": (
        0.42278432846069336,
        0.32246702909469604,
        -0.067352294921875,
        0.020581625401973724,
        -0.007385920733213425,
        0.002878868719562888,
        -0.001187484827823937,
        0.0005702512571588159,
        -0.0002505620359443128,
    ),
}
# (log(gamma(x)) - (x - 1/2)*log(x) + x - log(2*pi)/2) * x in 1/x**2 on x >= 5/2: 2**-58, 2**-34.
_LOG_REST = {
    "float64": (
        0.08333333333333331,
        -0.0027777777777425704,
        0.0007936507810740789,
        -0.0005952362987525512,
        0.0008416146468954755,
        -0.0019112061273278312,
        0.00621416883593992,
        -0.025211948545317147,
        0.10689474701340294,
        -0.39730201679484567,
        1.1113197941746704,
        -1.9839544447221413,
        1.6579126428005446,
    ),
    "float32": (
        0.0833333358168602,
        -0.0027777303475886583,
        0.0007911751745268703,
        -0.0005477085360325873,
        0.0004225167795084417,
    ),
}
# psi(2 + s) on 0 <= s <= 1: 2**-54.5, 2**-25.8.
_PSI = {
    "float64": (
        0.42278433509846713,
        0.6449340668482195,
        -0.20205690315893007,
        0.08232323368569754,
        -0.03692775462848259,
        0.017343055634114733,
        -0.00834922546436843,
        0.004077059215496567,
        -0.0020071602688786724,
        0.0009907705327987428,
        -0.0004853059100248594,
        0.0002302235232010975,
        -0.00010087859642024692,
        3.792682600423984e-05,
        -1.1054367242419849e-05,
        2.1509179170421095e-06,
        -2.047891022197242e-07,
    ),
    "float32": (
        0.42278432846069336,
        0.6449338793754578,
        -0.20205192267894745,
        0.0822705402970314,
        -0.036643385887145996,
        0.016456183046102524,
        -0.006644199602305889,
        0.001981060951948166,
        -0.00030216603772714734,
    ),
}
# (log(x) - 1/(2*x) - psi(x)) * x**2 in 1/x**2 on x >= 3: 2**-57.7, 2**-30.9.
_PSI_REST = {
    "float64": (
        0.08333333333333326,
        -0.008333333333142599,
        0.003968253884920039,
        -0.004166652178650307,
        0.00757443060881869,
        -0.02101916489697652,
        0.08064047398067098,
        -0.37430045081725144,
        1.7458633558768843,
        -6.706334097588544,
        17.261883761190983,
        -21.29861333701341,
    ),
    "float32": (
        0.0833333283662796,
        -0.008331742137670517,
        0.0038935132324695587,
        -0.0029663487803190947,
    ),
}


def _from_two(b: Emitter, x: Value, first: float) -> Value:
    """S, where 2 + s is x plus 2 below `first`, 1 up to 1 more, or x itself."""
    steps = b.select(b.lt(x, first + 1), b.const(1.0, x.dtype, x.lanes), 2.0)
    return b.sub(x, b.select(b.lt(x, first), 0.0, steps))


def _lifted(b: Emitter, x: Value) -> tuple[Value, Value]:
    """A number y >= 0 for any x, and the product of x, x + 1, ... below y; -x far below 0."""
    one = b.const(1.0, x.dtype, x.lanes)

    def step(y: Value, product: Value) -> tuple[tuple[Value, Value], Value]:
        below = b.lt(y, 0.0)
        product = b.select(below, b.mul(product, y), product)
        y = b.select(below, b.add(y, one), y)
        return (y, product), b.lt(y, 0.0)

    y, product = b.repeat_while_any((b.select(b.lt(x, _REFLECTED), b.neg(x), x), one), step)
    return y, product


def _called(b: Emitter, name: str, function: Callable[[Emitter, Value], Value], x: Value) -> Value:
    """`function` of x, written once in a module, since it is long."""
    own = f"@{name}.{x.dtype}.{x.lanes}"
    if own not in b.helpers:
        inside = Emitter(x.lanes)
        inside.fenced, inside.scales = b.fenced, b.scales
        y = function(inside, Value("%x", x.dtype, x.lanes))
        b.helpers.update(inside.helpers)
        b.declarations.update(inside.declarations)
        head = f"define internal {y.type} {own}({x.type} %x) nounwind {{\n{FIRST_BLOCK}:"
        b.helpers[own] = "\n".join([head, *inside.lines, f"  ret {y.type} {y.text}", "}"])
    return b.pure(f"call {x.type} {own}({x.type} {x.text})", x.dtype, x.lanes)


def log_gamma(b: Emitter, x: Value) -> Value:
    """The logarithm of |gamma(x)|, within 4 ulp of the larger of it and 1."""
    return _called(b, "log_gamma", _log_gamma, x)


def psi(b: Emitter, x: Value) -> Value:
    """The derivative of log(gamma(x)), within 4 ulp of the larger of it and 1."""
    return _called(b, "psi", _psi, x)


def _log_gamma(b: Emitter, x: Value) -> Value:
    one = b.const(1.0, x.dtype, x.lanes)
    y, product = b.when_any(b.lt(x, 0.0), (x, one), lambda: _lifted(b, x))
    far = b.ge(y, _LOG_FAR)
    # Of numbers nearest to 1 the factor x alone: near it and near 2 nothing cancels.
    product = b.mul(product, b.select(b.lt(y, 1.5), y, 1.0))
    product = b.mul(product, b.select(b.lt(y, 0.5), b.add(y, 1.0), 1.0))
    logarithm = log(b, b.select(far, y, b.absolute(product)))
    s = _from_two(b, y, 0.5)
    near = b.fma(s, b.polynomial(s, _LOG_GAMMA[x.dtype]), b.neg(logarithm))
    inverse = b.divide(1.0, y)
    rest = b.polynomial(b.mul(inverse, inverse), _LOG_REST[x.dtype])
    rest = b.fma(inverse, rest, 0.5 * math.log(2 * math.pi) - 0.5)
    series = b.fma(b.sub(y, 0.5), b.sub(logarithm, 1.0), rest)
    result = b.select(far, series, near)
    reflected = b.lt(x, _REFLECTED)

    def reflect() -> tuple[Value]:
        turn = b.absolute(b.sub(x, b.intrinsic("llvm.rint", x)))
        sine, cosine = quarter_turn(b, turn)
        height = b.mul(b.mul(b.mul(sine, cosine), 2.0), y)
        value = b.sub(b.sub(math.log(math.pi), log(b, height)), result)
        # A pole at each whole number; SciPy's function ends at -infinity.
        end = b.select(b.lt(y, math.inf), b.const(math.inf, x.dtype, x.lanes), -math.inf)
        value = b.select(b.gt(turn, 0.0), value, end)
        return (b.select(reflected, value, result),)

    return b.when_any(reflected, (result,), reflect)[0]


def _psi(b: Emitter, x: Value) -> Value:
    negative = b.lt(x, 0.0)
    y = b.select(negative, b.sub(1.0, x), x)
    far, low = b.ge(y, _PSI_FAR), b.lt(y, 1.0)
    # What the factors add, 1/y + 1/(y + 1), and 1/y of the series: one division.
    above = b.select(low, b.fma(y, 2.0, 1.0), b.const(1.0, x.dtype, x.lanes))
    quotient = b.divide(above, b.mul(y, b.select(low, b.add(y, 1.0), 1.0)))
    s = _from_two(b, y, 1.0)
    lack = b.select(b.lt(y, 2.0), quotient, 0.0)
    near = b.sub(b.polynomial(s, _PSI[x.dtype]), lack)
    rest = b.polynomial(b.mul(quotient, quotient), _PSI_REST[x.dtype])
    series = b.fnma(quotient, b.fma(quotient, rest, 0.5), log(b, y))
    result = b.select(far, series, near)

    def reflect() -> tuple[Value]:
        turn = b.sub(x, b.intrinsic("llvm.rint", x))
        sine, cosine = quarter_turn(b, turn)
        across = b.mul(b.sub(cosine, sine), b.add(cosine, sine))
        value = b.fnma(b.divide(across, b.mul(sine, cosine)), 0.5 * math.pi, result)
        value = b.select(b.gt(b.absolute(turn), 0.0), value, math.nan)
        return (b.select(negative, value, result),)

    return b.when_any(negative, (result,), reflect)[0]
