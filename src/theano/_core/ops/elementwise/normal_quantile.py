"""The inverse of the normal distribution function, and the polynomials of its definition.

With q the probability of both tails and x = 1 - q of what lies between, z/x is a smooth function of
w = -log(q (2 - q)) near the middle (Giles, Approximating the erfinv function, GPU Computing Gems,
2011), and z/(x sqrt(w)) one of 1/sqrt(w) in the tails. The coefficients are ours, by interpolation
at Chebyshev nodes in 200 bits.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from theano._core.base.records import Record
from theano._core.ir.variable import Variable
from theano._core.ops.core import dtype_rules
from theano._core.ops.core.samples import reals
from theano._core.ops.elementwise.arithmetic import sqr
from theano._core.ops.elementwise.elementwise import DEAR, elementwise
from theano._core.ops.elementwise.transcendental import exp

if TYPE_CHECKING:
    import numpy as np

    from theano._core.ir.annotations import ArrayModule


class Tail(Record):
    """Where sqrt(w) < `end`: z/(x sqrt(w)) is a polynomial in 1/sqrt(w) - `center`."""

    end: float
    center: float
    terms: tuple[float, ...]


class Quantile(Record):
    """Where w < `end`: z/x is a polynomial in w - `center`; beyond it, the `tails`."""

    end: float
    # Near where most numbers are, so that no digits cancel there.
    center: float
    terms: tuple[float, ...]
    tails: tuple[Tail, ...]


# Relative errors: 2**-54.4, and 2**-54.2 in the tails; 2**-30.5 and 2**-28.3 for float32.
QUANTILE = {
    "float64": Quantile(
        6.25,
        1.0,
        (
            1.594348157427451,
            0.35048860636061163,
            0.006011410663735727,
            -0.003360694620397214,
            0.00014159357383683363,
            5.402560618777553e-05,
            -6.04659131962014e-06,
            -7.993491971789087e-07,
            1.7298261112291962e-07,
            8.542035329064238e-09,
            -4.27688008137285e-09,
            2.3489231954815166e-11,
            9.559498628682039e-11,
            -5.300153387698801e-12,
            -1.911433984999085e-12,
            2.1484518704522688e-13,
            2.810286307999468e-14,
            -1.721115798521704e-15,
            -2.7185095465404952e-15,
            8.532710985906676e-16,
            -1.34593298078635e-16,
            1.3216706859891168e-17,
            -8.258162608308599e-19,
            3.043295704901412e-20,
            -5.081556263217504e-22,
        ),
        (
            Tail(
                4.0,
                0.325,
                (
                    1.3375298640446152,
                    -0.2490149837774021,
                    0.32413660729876925,
                    1.378647380322529,
                    4.861249565171091,
                    7.869583661237998,
                    -111.19431168620591,
                    -273.74841452858567,
                    2581.864409895236,
                    4141.474607899684,
                    -64982.95527771254,
                    40159.422570129485,
                    1313823.830226941,
                    -4628132.153791846,
                    -12495333.032021126,
                    140731852.2358403,
                    -279598718.5197629,
                    -1967804206.4742444,
                    13021454718.138863,
                    3649935478.8029275,
                    -179439384821.17325,
                ),
            ),
            Tail(
                7.0,
                0.19642857142857142,
                (
                    1.3727785330528386,
                    -0.2848831574868227,
                    -0.03615079441692169,
                    1.0978447261518771,
                    -1.7701568531702034,
                    2.8907790033738907,
                    -6.744398659005272,
                    36.64288860849926,
                    157.79795514885708,
                    2995.395927334125,
                    17868.36367519029,
                    -6856.498177140476,
                    -1596426.5407259823,
                    -10902851.329263998,
                    55734709.70538875,
                    1043830897.9501253,
                    -337707033.7089416,
                    -63156255765.12391,
                    -90689829281.003,
                    2158300735390.7178,
                    4690747974132.907,
                ),
            ),
            Tail(
                28.0,
                0.08928571428571427,
                (
                    1.4012456918742187,
                    -0.22769571656615345,
                    -0.5735662385902872,
                    2.6009601943622487,
                    -7.415023457749123,
                    32.58228570754723,
                    -185.468213198397,
                    1190.5280602830474,
                    -8328.578768676149,
                    62153.71101186251,
                    -487116.062496377,
                    3971292.852486822,
                    -33359054.076886307,
                    282206339.71999013,
                    -2476933373.809347,
                    26078449382.899647,
                    -240698619502.62057,
                    230477585364.55612,
                    -903863877451.0651,
                    688752021746407.4,
                    -6846043726550979.0,
                    -8.31004008028492e16,
                    8.423508594098304e17,
                    1.063374042789995e19,
                    -1.064560353909066e20,
                ),
            ),
        ),
    ),
    "float32": Quantile(
        6.25,
        1.0,
        (
            1.5943481571149545,
            0.35048861210945614,
            0.006011415684674567,
            -0.003360726597667393,
            0.00014159332489134107,
            5.4073942133076065e-05,
            -6.0716668271194485e-06,
            -8.160529318042758e-07,
            1.932455781324535e-07,
            1.660856636651955e-09,
            -4.020707247018615e-09,
            4.6137866688539376e-10,
            -1.7777816235094596e-11,
        ),
        (
            Tail(
                11.0,
                0.24545454545454548,
                (
                    1.3588448668916724,
                    -0.2812684130980814,
                    0.10299172972201487,
                    0.8183014084511094,
                    -0.9705984986116403,
                    6.343990595829862,
                    47.05748723230491,
                    212.6911266801095,
                    -925.8234136001241,
                    -9525.121584639195,
                    6883.786808763685,
                    199339.27034330746,
                    -10998.69503483958,
                    -1794599.2113439695,
                ),
            ),
        ),
    ),
}


def _polynomial(x: np.ndarray, terms: tuple[float, ...]) -> Any:
    total = x * 0 + terms[-1]
    for term in terms[-2::-1]:
        total = total * x + term
    return total


def upper_quantile(xp: ArrayModule, q: np.ndarray) -> Any:
    """Return the z >= 0 that a normal number exceeds in absolute value with probability `q`.

    Parameters
    ----------
    xp : module
        NumPy, or another array namespace.
    q : array, float64
        Between 0 and 1.
    """
    table = QUANTILE["float64"]
    w = -xp.log(q * (2 - q))
    z = _polynomial(w - table.center, table.terms)
    root = xp.sqrt(w)
    start = math.sqrt(table.end)
    for tail in table.tails:
        z = xp.where(root >= start, root * _polynomial(1 / root - tail.center, tail.terms), z)
        start = tail.end
    return (1 - q) * z


def _quantile(xp: ArrayModule, p: np.ndarray) -> Any:
    if p.dtype != "float64":
        return _quantile(xp, p.astype("float64")).astype(p.dtype)
    q = (2 * xp.minimum(p, 1 - p)).astype(p.dtype)
    inside = (q > 0) & (q <= 1)
    z = upper_quantile(xp, xp.where(inside, q, 1).astype(p.dtype))
    z = xp.where(q == 0, xp.inf, xp.where(inside, z, xp.nan))
    return xp.where(p < 0.5, -z, z).astype(p.dtype)


def exp_of_minus_square(xp: ArrayModule, x: np.ndarray, factor: float) -> Any:
    """Return exp(-factor * x**2) for |x| <= 40, with the digits that a rounded square would lose.

    The square is of a number without rounding, and the rest is small (Cody, Mathematics of
    Computation 23, 1969).
    """
    near = xp.round(x * 16) / 16
    return xp.exp(-factor * near * near) * xp.exp(-factor * (x - near) * (x + near))


def _distribution(xp: ArrayModule, x: np.ndarray) -> Any:
    from scipy.special import erfcx, ndtr

    if x.dtype != "float64":
        return _distribution(xp, x.astype("float64")).astype(x.dtype)
    low = xp.clip(x, -40, -1)
    tail = 0.5 * exp_of_minus_square(xp, low, 0.5) * erfcx(-low * math.sqrt(0.5))
    return xp.where(x < -40, 0, xp.where(x < -1, tail, ndtr(x)))


def _density(x: Variable) -> Any:
    return 1 / math.sqrt(2 * math.pi) * exp(-0.5 * sqr(x))


normal_distribution = elementwise(
    "normal_distribution",
    doc="The probability that a normal number is at most `x`; relatively exact for low `x`.",
    compute=lambda xp, x: _distribution(xp, x),
    dtype=dtype_rules.to_real_float,
    grad=lambda g, x, p: (g * _density(x),),
    llvm=lambda b, x: b.normal_distribution(x),
    samples=(reals(-3, 3),),
    ulp=4,
    cost=DEAR,
)
normal_quantile = elementwise(
    "normal_quantile",
    doc="The number that a normal number stays below with probability `p`; NaN beyond [0, 1].",
    compute=lambda xp, p: _quantile(xp, p),
    dtype=dtype_rules.to_real_float,
    grad=lambda g, p, z: (g / _density(z),),
    llvm=lambda b, p: b.normal_quantile(p),
    samples=(reals(0.01, 0.99),),
    ulp=4,
    cost=DEAR,
)
