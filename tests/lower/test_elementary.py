"""The elementary functions against mpmath: error bounds, special values, equal bits in any lane."""

import math
import os
from collections.abc import Callable
from dataclasses import dataclass

import mpmath
import numpy as np
import pytest
from kernel_jig import Kernel

# A deeper sweep: THEANO_TEST_ULP=100000 draws that many numbers from each region.
DRAWS = int(os.environ.get("THEANO_TEST_ULP", "250"))
PRECISION = 160
FLOATS = ["float32", "float64"]


@dataclass(frozen=True)
class Case:
    """A function, its bound in ulp, and regions where it errs most or changes its method."""

    exact: Callable[[mpmath.mpf], mpmath.mpf]
    ulp: float
    regions: tuple[tuple[float, float], ...]


def _sigmoid(x):
    return 1 / (1 + mpmath.exp(-x))


def _softplus(x):
    return mpmath.log1p(mpmath.exp(x)) if x < 100 else x + mpmath.exp(-x)


CASES = {
    "exp": Case(mpmath.exp, 1, ((-1, 1), (-110, -80), (80, 90), (-746, -700), (700, 711))),
    "expm1": Case(mpmath.expm1, 2, ((-1, 1), (0.3, 0.4), (-45, 45), (80, 90), (700, 711))),
    "tanh": Case(mpmath.tanh, 2, ((-0.3, 0.3), (0.15, 0.6), (-1, 1), (-20, 20))),
    "sigmoid": Case(_sigmoid, 2, ((-1, 1), (-20, 5), (-110, -80), (-746, -700))),
    "softplus": Case(_softplus, 2, ((-1, 1), (-20, 5), (-110, -80), (-746, -700), (30, 50))),
    "log": Case(mpmath.log, 1, ((0.5, 2), (0.68, 0.72), (1.39, 1.43), (0.999, 1.001), (0, 1e3))),
    "log1p": Case(mpmath.log1p, 2, ((-0.5, 1), (-0.31, -0.28), (0.4, 0.5), (-1, -0.9), (0, 1e3))),
    "sqrt": Case(mpmath.sqrt, 0.5, ((0, 4),)),
}
SPECIAL = [0.0, -0.0, 1, -1, 0.5, -0.5, 2, 3, 10, math.inf, -math.inf, math.nan]


def inputs(dtype, regions, draws=DRAWS):
    """Special numbers, edges of the format, random bits, random exponents, and the regions."""
    rng = np.random.default_rng(5)
    info = np.finfo(dtype)
    edges = [info.smallest_subnormal, info.tiny, info.eps, info.max, np.nextafter(info.tiny, 0)]
    edges += [np.nextafter(dtype_number(dtype, 1), 0), np.nextafter(dtype_number(dtype, 1), 2)]
    edges = np.array(edges, dtype)
    unsigned = f"uint{info.bits}"
    bits = rng.integers(0, np.iinfo(unsigned).max, draws, unsigned, endpoint=True)
    sign = rng.choice([-1.0, 1.0], draws)
    parts = [np.array(SPECIAL), edges, -edges, bits.view(dtype)]
    parts.append(sign * 2.0 ** rng.uniform(-info.nmant - 6, 11, draws))
    parts += [rng.uniform(low, high, draws) for low, high in regions]
    return np.concatenate([part.astype(dtype) for part in parts])


def dtype_number(dtype, value):
    return np.dtype(dtype).type(value)


def exact_value(function, x):
    """`function(x)` as an mpf, or a float where the value is special; NaN outside its domain."""
    if math.isnan(x):
        return math.nan
    try:
        y = function(mpmath.mpf(float(x)))
    except (ZeroDivisionError, ValueError):
        y = mpmath.nan
    return mpmath.nan if isinstance(y, mpmath.mpc) else y


def error_in_ulp(got, exact, dtype):
    """The distance in units of the spacing of the correctly rounded result; inf if of a wrong kind.

    A result may overflow, or not, where the exact value is within the bound of the largest number.
    """
    if mpmath.isnan(exact):
        return 0.0 if math.isnan(got) else math.inf
    if math.isnan(got):
        return math.inf
    info = np.finfo(dtype)
    if mpmath.isinf(exact):
        return 0.0 if got == exact else math.inf
    largest, step = mpmath.mpf(float(info.max)), mpmath.mpf(2) ** (info.maxexp - info.nmant - 1)
    if math.isinf(got):
        got_value = mpmath.sign(got) * (largest + step)
        if abs(exact) >= largest + step / 2:
            return 0.0 if (got > 0) == (exact > 0) else math.inf
        return float(abs(got_value - exact) / step)
    exponent = info.minexp
    if exact != 0:
        exponent = max(int(mpmath.floor(mpmath.log(abs(exact), 2))), info.minexp)
    return float(abs(mpmath.mpf(float(got)) - exact) / mpmath.mpf(2) ** (exponent - info.nmant))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", CASES)
def test_error_bound_over_the_whole_range(name, dtype):
    case = CASES[name]
    x = inputs(dtype, case.regions)
    got = Kernel(lambda b, x: getattr(b, name)(x), (dtype,), 8)(x)
    with mpmath.workprec(PRECISION):
        errors = [
            error_in_ulp(g, exact_value(case.exact, v), dtype) for g, v in zip(got, x, strict=True)
        ]
    worst = int(np.argmax(errors))
    assert errors[worst] <= case.ulp, (x[worst], got[worst], errors[worst])


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", CASES)
def test_special_values_are_those_of_numpy(name, dtype):
    references = {
        "sigmoid": lambda x: np.where(x < 0, np.exp(x), 1) / (1 + np.exp(-np.abs(x))),
        "softplus": lambda x: np.logaddexp(0, x),
    }
    x = np.array([0.0, -0.0, math.inf, -math.inf, math.nan], dtype)
    with np.errstate(all="ignore"):
        want = references.get(name, getattr(np, name, None))(x).astype(dtype)
    got = Kernel(lambda b, x: getattr(b, name)(x), (dtype,), 4)(x)
    # -0.0 in every place where the limit is -0.0, and only there.
    exact = np.isin(want, [0.0, 1.0, -1.0]) | ~np.isfinite(want)
    np.testing.assert_array_equal(got[exact], want[exact])
    number = ~np.isnan(want)
    np.testing.assert_array_equal(np.signbit(got[number]), np.signbit(want[number]))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", CASES)
def test_every_number_of_lanes_gives_the_same_bits(name, dtype):
    x = inputs(dtype, CASES[name].regions, draws=4000)
    scalar = Kernel(lambda b, x: getattr(b, name)(x), (dtype,), 1)(x)
    integer = f"int{np.finfo(dtype).bits}"
    for bits in (128, 256, 512):
        lanes = bits // np.finfo(dtype).bits
        vector = Kernel(lambda b, x: getattr(b, name)(x), (dtype,), lanes, bits)(x)
        same = vector.view(integer) == scalar.view(integer)
        same |= np.isnan(vector) & np.isnan(scalar)
        assert same.all(), (bits, x[~same][:3], vector[~same][:3], scalar[~same][:3])


@pytest.mark.parametrize("name", CASES)
def test_float16_is_float32_rounded(name):
    every = np.arange(65536, dtype="uint16").view("float16")
    got = Kernel(lambda b, x: getattr(b, name)(x), ("float16",), 16)(every)
    wide = Kernel(lambda b, x: getattr(b, name)(x), ("float32",), 8)(every.astype("float32"))
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(got, wide.astype("float16"))


def test_the_error_measure_itself():
    with mpmath.workprec(PRECISION):
        one = mpmath.mpf(1)
        assert error_in_ulp(1.0, one, "float64") == 0
        assert error_in_ulp(1 + 2**-52, one, "float64") == 1
        assert error_in_ulp(math.inf, mpmath.mpf(2) ** 1024, "float64") == 0
        assert error_in_ulp(5e-324, mpmath.mpf(2) ** -1075, "float64") == 0.5
        assert error_in_ulp(math.nan, one, "float64") == math.inf
        assert error_in_ulp(1.0, mpmath.nan, "float64") == math.inf
