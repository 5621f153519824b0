"""erf and erfc, inline, in float32 and float64.

erfc(a) = e**(-a*a) * g(t) / (1 + 2*a) for a >= 0, with g a polynomial in t = (a - c)/(a + c)
(Shepherd & Laframboise, Mathematics of Computation 36, 1981); erf by a polynomial of its own where
|x| < 1. The coefficients are ours, by Remez exchange. Bounds in ulp are measured by `tools/ulp.py`.
"""

from theano._core.lower.llvm.math.exponential import expm1_of_reduced, reduce_by_ln2, scale_by_power
from theano._core.lower.llvm.text.emitter import Emitter, Value

# erf(x)/x - 1 in x**2 on |x| <= 1, relative to erf(x)/x: 2**-62, 2**-34.
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
        0.12837916705802022,
        -0.3761263843466709,
        0.11283781974465944,
        -0.026865400065351902,
        0.005220945498908068,
        -0.0008482829793950979,
        0.0001125695466900204,
        -9.641535154811148e-06,
    ),
}
# (1 + 2*a) * e**(a*a) * erfc(a) in (a - c)/(a + c) on 0 <= a <= 28 (10.1): 2**-56, 2**-29.
_CENTER = {"float64": 4.0, "float32": 3.0}
_ERFC = {
    "float64": (
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
    ),
    "float32": (
        1.2530080591231556,
        -0.13562113929820874,
        -0.047562399464996734,
        0.12964641445683542,
        -0.11927097529817411,
        0.06829576784993337,
        -0.023797529095307284,
        0.002567377771456422,
        0.002001809202351786,
        -0.0007775875335521035,
        -0.00026812937334535396,
    ),
}
# Where erfc is 0.
_TOP = {"float64": 28.0, "float32": 10.1}


def _erfc_of_large(b: Emitter, a: Value, low: Value | None = None) -> Value:
    """erfc(a + low) for a >= 1/2 and |low| below the spacing of a."""
    c, top = _CENTER[a.dtype], _TOP[a.dtype]
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
    first, *others = _ERFC[a.dtype]
    g = b.fma(t, b.polynomial(t, tuple(others)), first)
    twice_inverse = b.mul(inverse, far)
    scaled = b.mul(g, twice_inverse)
    # The same for g / (1 + 2*a), with what 1 + 2*a lost.
    twice_lost = b.sub(1.0, b.sub(twice, b.add(a, a)))
    lacks = b.fnma(scaled, twice_lost, b.fnma(scaled, twice, g))
    scaled = b.fma(lacks, twice_inverse, scaled)
    square = b.mul(a, a)
    lost = b.fma(a, a, b.neg(square))
    if low is not None:
        # Only e**(-a*a) is steep.
        lost = b.fma(b.add(a, a), low, lost)
    turns, r = reduce_by_ln2(b, b.neg(square))
    rise = expm1_of_reduced(b, b.sub(r, lost))
    return scale_by_power(b, b.fma(scaled, rise, scaled), turns)


def _erf_of_small(b: Emitter, x: Value) -> Value:
    """erf(x) for |x| <= 1."""
    return b.fma(x, b.polynomial(b.mul(x, x), _ERF[x.dtype]), x)


def erf(b: Emitter, x: Value) -> Value:
    """Error function, within 2 ulp."""
    a = b.absolute(x)
    large = b.sub(1.0, _erfc_of_large(b, a))
    return b.with_sign(b.select(b.lt(a, 1.0), _erf_of_small(b, a), large), x)


def erfc(b: Emitter, x: Value, low: Value | None = None) -> Value:
    """Complement of the error function, 1 - erf(x + low), within 4 ulp."""
    a = b.absolute(x)
    # What is added to x counts the other way for the absolute value of a negative x.
    low = low if low is None else b.select(b.lt(x, 0.0), b.neg(low), low)
    tail = _erfc_of_large(b, a, low)
    y = b.select(b.lt(x, 0.0), b.sub(2.0, tail), tail)
    return b.select(b.lt(a, 0.5), b.sub(1.0, _erf_of_small(b, x)), y)
