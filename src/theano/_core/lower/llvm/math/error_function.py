"""erf and erfc, inline, in float32 and float64.

erfc(a) = e**(-a*a) * g(t) / (1 + 2*a) for a >= 0, with g a polynomial in t = (a - c)/(a + c)
(Shepherd & Laframboise, Mathematics of Computation 36, 1981); erf by a polynomial of its own where
|x| < 1, and where |x| >= 1, 1 less two to the power of a polynomial, which takes two thirds of the
time of erfc. In float32, erfc is e**(-a*a) / (sqrt(pi)*a + p(a)/q(a)), in half the time. The
coefficients are ours, by Remez exchange. Bounds in ulp are measured by `tools/ulp.py`.
"""

from theano._core.lower.llvm.math.exponential import (
    exp2_of_moderate,
    expm1_of_reduced,
    reduce_by_ln2,
    scale_by_power,
)
from theano._core.lower.llvm.text.emitter import Emitter, Value

# erf(x)/x - 1 in x**2 on |x| <= 1, relative to erf(x)/x: 2**-62, 2**-29.
_ERF = {
    "float64": (
        0.1283791670955126,
        -0.3761263890318375,
        0.11283791670954857,
        -0.026866170645072896,
        0.005223977624780873,
        -0.0008548326978743011,
        0.00012055331036939961,
        -1.4925593508053549e-05,
        1.6460972838078572e-06,
        -1.6350025466077538e-07,
        1.4657881591654912e-08,
        -1.1365673091881691e-09,
        5.945274352181227e-11,
    ),
    "float32": (
        0.12837916572655136,
        -0.3761262582363798,
        0.11283585143011418,
        -0.026853811721690886,
        0.005188327301923097,
        -0.0008010190377054128,
        7.853850911905354e-05,
    ),
}
# (1 + 2*a) * e**(a*a) * erfc(a) in (a - c)/(a + c) on 0 <= a <= 28: 2**-56.
_CENTER = 4.0
_ERFC = (
    1.2329951186255526,
    -0.1396211168405629,
    0.015379652102619764,
    0.0680970542547366,
    -0.10103906603630118,
    0.09373283499682383,
    -0.06633036581256284,
    0.03716751556185244,
    -0.01619773404843693,
    0.0050319697635666585,
    -0.0007577734047793201,
    -0.00019925556122589138,
    0.00015062247124093597,
    -2.4402941734410076e-05,
    -1.12252822280969e-05,
    5.717295982375618e-06,
    3.0195525277706307e-07,
    -8.342417396393135e-07,
    6.23898620659941e-08,
    1.1456259599581785e-07,
    -7.778902712863633e-09,
    -1.3386774287797488e-08,
    -1.7177961587069337e-09,
)
# e**(-a*a) / erfc(a) - sqrt(pi)*a on 0 <= a <= 10.1 in float32, a quotient of these: 2**-29 of the
# whole. What rounding changes in it counts little where a is large; near 0, all that is rounded is
# above 3/2, where it costs less.
_SINGLE_REST = (
    (
        1.600000023841858,
        1.4391745328903198,
        0.6744874715805054,
        0.17207668721675873,
        0.020405830815434456,
    ),
    (
        1.600000023841858,
        2.469694137573242,
        1.8279707431793213,
        0.7831128835678101,
        0.19422030448913574,
        0.023024819791316986,
    ),
)
_ROOT_OF_PI = 1.7724538509055159
# log2(erfc(a)) in a - start from 1 to where erf becomes 1, relative to erf(a): 2**-59, 2**-29. In
# float64, rounding would count, but for a polynomial that is short where erfc is largest.
_START_OF_LOG2_ERFC = {"float64": 1.0, "float32": 0.0}
_LOG2_ERFC = {
    "float64": (
        -2.6684166967815997,
        -3.8072253458536043,
        -1.216346657686137,
        -0.05995999003936084,
        0.01447575011468449,
        -0.0028535102639433794,
        0.0003423841251220239,
        3.791050831706579e-05,
        -3.918139928180476e-05,
        1.3861357362937492e-05,
        -2.9701420131750283e-06,
        2.049199113993865e-07,
        1.4146329718470466e-07,
        -7.540416493889778e-08,
        2.162063988786707e-08,
        -4.156938221820093e-09,
        5.351376377318789e-10,
        -4.1930110149617796e-11,
        1.514074928903689e-12,
    ),
    "float32": (
        -0.0004927311789543416,
        -1.6260459156754627,
        -0.9206484978092542,
        -0.14875150922733935,
        0.0315056230533454,
        -0.0042525615011510245,
        0.00026888730227677516,
    ),
}
_ONE_FROM = {"float64": 5.95, "float32": 3.95}
# Where erfc is 0.
_TOP = {"float64": 28.0, "float32": 10.1}


def _double_erfc_of_large(b: Emitter, a: Value, low: Value | None = None) -> Value:
    """erfc(a + low) in float64 for a >= 1/2 and |low| below the spacing of a."""
    c, top = _CENTER, _TOP[a.dtype]
    if low is not None:
        low = b.select(b.lt(a, top), low, 0.0)
    a = b.at_most(a, top)
    far, twice = b.add(a, c), b.fma(a, 2.0, 1.0)
    # One division for both quotients.
    inverse = b.divide(1.0, b.mul(far, twice))
    near_inverse = b.mul(inverse, twice)
    t = b.mul(b.sub(a, c), near_inverse)
    # What the quotient lacks: (a - c) - t*(a + c).
    t = b.fma(b.fnma(t, a, b.fma(b.add(t, 1.0), -c, a)), near_inverse, t)
    # The large first term last: Estrin's scheme would round it at every level.
    first, *others = _ERFC
    g = b.fma(t, b.polynomial(t, tuple(others)), first)
    twice_inverse = b.mul(inverse, far)
    scaled = b.mul(g, twice_inverse)
    # The same for g / (1 + 2*a), with what 1 + 2*a lost.
    twice_lost = b.sub(1.0, b.sub(twice, b.add(a, a)))
    lacks = b.fnma(scaled, twice_lost, b.fnma(scaled, twice, g))
    scaled = b.fma(lacks, twice_inverse, scaled)
    return _times_normal_density(b, scaled, a, low)


def _times_normal_density(b: Emitter, x: Value, a: Value, low: Value | None) -> Value:
    """X * e**(-(a + low)**2)."""
    square = b.mul(a, a)
    lost = b.fma(a, a, b.neg(square))
    if low is not None:
        # Only this factor is steep.
        lost = b.fma(b.add(a, a), low, lost)
    turns, r = reduce_by_ln2(b, b.neg(square))
    rise = expm1_of_reduced(b, b.sub(r, lost))
    return scale_by_power(b, b.fma(x, rise, x), turns)


def _single_erfc(b: Emitter, a: Value, low: Value | None = None) -> Value:
    """erfc(a + low) in float32 for a >= 0 and |low| below the spacing of a."""
    top = _TOP[a.dtype]
    if low is not None:
        low = b.select(b.lt(a, top), low, 0.0)
    a = b.at_most(a, top)
    above, below = (b.polynomial(a, terms) for terms in _SINGLE_REST)
    scaled = b.divide(below, b.fma(b.mul(a, _ROOT_OF_PI), below, above))
    return _times_normal_density(b, scaled, a, low)


def _erf_of_large(b: Emitter, a: Value) -> Value:
    """erf(a) for a >= 1."""
    start, top = _START_OF_LOG2_ERFC[a.dtype], _ONE_FROM[a.dtype]
    moved = b.at_most(a, top)
    moved = b.sub(moved, start) if start else moved
    return b.sub(1.0, exp2_of_moderate(b, b.polynomial(moved, _LOG2_ERFC[a.dtype])))


def _erf_of_small(b: Emitter, x: Value) -> Value:
    """erf(x) for |x| <= 1."""
    return b.fma(x, b.polynomial(b.mul(x, x), _ERF[x.dtype]), x)


def erf(b: Emitter, x: Value) -> Value:
    """Error function, within 2 ulp."""
    a = b.absolute(x)
    large = _erf_of_large(b, a)
    return b.with_sign(b.select(b.lt(a, 1.0), _erf_of_small(b, a), large), x)


def erfc(b: Emitter, x: Value, low: Value | None = None) -> Value:
    """Complement of the error function, 1 - erf(x + low), within 4 ulp."""
    a = b.absolute(x)
    # What is added to x counts the other way for the absolute value of a negative x.
    low = low if low is None else b.select(b.lt(x, 0.0), b.neg(low), low)
    single = x.dtype == "float32"
    tail = (_single_erfc if single else _double_erfc_of_large)(b, a, low)
    y = b.select(b.lt(x, 0.0), b.sub(2.0, tail), tail)
    return y if single else b.select(b.lt(a, 0.5), b.sub(1.0, _erf_of_small(b, x)), y)
