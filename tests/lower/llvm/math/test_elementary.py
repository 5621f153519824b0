"""The elementary functions against mpmath: error bounds, special values, equal bits in any lane."""

import itertools
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass

import mpmath
import numpy as np
import pytest
from kernel_jig import Kernel, run

from support.comparison import assert_same
from theano._core.lower.llvm.target.codegen import has_avx512

# A deeper sweep: THEANO_TEST_ULP=100000 draws that many numbers from each region.
DRAWS = int(os.environ.get("THEANO_TEST_ULP", "120"))
PRECISION = 160
FLOATS = ["float32", "float64"]


@dataclass(frozen=True)
class Case:
    """A function, its bound in ulp, and regions where it errs most or changes its method."""

    exact: Callable[[mpmath.mpf], mpmath.mpf]
    ulp: float
    regions: tuple[tuple[float, float], ...]


def _softplus(x):
    return mpmath.log1p(mpmath.exp(x)) if x < 100 else x + mpmath.exp(-x)


def _inside(function):
    """NaN where mpmath fails with an infinite argument."""
    return lambda x: mpmath.nan if mpmath.isinf(x) else function(x)


# Near multiples of pi/2, and up to the largest numbers.
ANGLES = ((-0.8, 0.8), (-7, 7), (1.57, 1.571), (3.1415, 3.1416), (0, 1e5), (8e3, 9e3), (5e8, 6e8))
HYPERBOLIC = ((-1, 1), (0.3, 0.4), (7.5, 9.5), (17, 20), (80, 90), (700, 711))
LOGS = ((0.5, 2), (0.68, 0.72), (1.39, 1.43), (0.999, 1.001))
VANISHING = ((-1, 1), (-20, 5), (-110, -80), (-746, -700))
CASES = {
    "exp": Case(mpmath.exp, 1, ((-1, 1), (-110, -80), (80, 90), (-746, -700), (700, 711))),
    "exp2": Case(
        lambda x: mpmath.mpf(2) ** x,
        2,
        ((-1, 1), (-150, -120), (120, 130), (-1076, -1000), (1000, 1026)),
    ),
    "expm1": Case(mpmath.expm1, 2, ((-1, 1), (0.3, 0.4), (-45, 45), (80, 90), (700, 711))),
    "tanh": Case(mpmath.tanh, 2, ((-0.3, 0.3), (0.15, 0.6), (-1, 1), (-20, 20))),
    "sinh": Case(mpmath.sinh, 2, HYPERBOLIC),
    "cosh": Case(mpmath.cosh, 2, HYPERBOLIC),
    "sigmoid": Case(lambda x: 1 / (1 + mpmath.exp(-x)), 2, VANISHING),
    "softplus": Case(_softplus, 2, (*VANISHING, (30, 50))),
    "log": Case(mpmath.log, 1, (*LOGS, (0, 1e3))),
    "log2": Case(lambda x: mpmath.log(x, 2), 1, LOGS),
    "log10": Case(mpmath.log10, 1, LOGS),
    "log1p": Case(mpmath.log1p, 2, ((-0.5, 1), (-0.31, -0.28), (0.4, 0.5), (-1, -0.9), (0, 1e3))),
    "sqrt": Case(mpmath.sqrt, 0.5, ((0, 4),)),
    "sin": Case(_inside(mpmath.sin), 1, ANGLES),
    "cos": Case(_inside(mpmath.cos), 1, ANGLES),
    "tan": Case(_inside(mpmath.tan), 2, ANGLES),
    "arcsin": Case(mpmath.asin, 2, ((-1, 1), (0.45, 0.55), (0.999, 1))),
    "arccos": Case(mpmath.acos, 2, ((-1, 1), (0.45, 0.55), (0.999, 1))),
    "arctan": Case(mpmath.atan, 2, ((-1, 1), (0.4, 0.5), (2.3, 2.5), (-30, 30))),
    "arcsinh": Case(mpmath.asinh, 4, ((-1, 1), (-30, 30), (0.1, 0.7))),
    "arccosh": Case(mpmath.acosh, 4, ((1, 1.1), (1, 3), (1, 1e3))),
    "arctanh": Case(mpmath.atanh, 4, ((-1, 1), (-0.3, 0.3), (0.99, 1))),
    "erf": Case(mpmath.erf, 2, ((-1, 1), (0.9, 1.1), (-6, 6))),
    "erfc": Case(
        # mpmath cannot take huge arguments.
        lambda x: mpmath.mpf(0) if x > 1e4 else mpmath.erfc(x),
        4,
        ((-1, 1), (0.4, 0.6), (-6, 10), (9, 27.5)),
    ),
}
SPECIAL = [0.0, -0.0, 1, -1, 0.5, -0.5, 2, 3, 10, math.inf, -math.inf, math.nan]


def inputs(dtype, regions, draws=DRAWS):
    """Special numbers, edges of the format, random bits, random exponents, and the regions."""
    rng = np.random.default_rng(5)
    info = np.finfo(dtype)
    edges = [info.smallest_subnormal, info.tiny, info.eps, info.max, np.nextafter(info.tiny, 0)]
    edges = np.array([*edges, 1 - info.epsneg, 1 + info.eps], dtype)
    unsigned = f"uint{info.bits}"
    bits = rng.integers(0, np.iinfo(unsigned).max, draws, unsigned, endpoint=True)
    sign = rng.choice([-1.0, 1.0], draws)
    parts = [np.array(SPECIAL), edges, -edges, bits.view(dtype)]
    parts.append(sign * 2.0 ** rng.uniform(-info.nmant - 6, 11, draws))
    parts += [rng.uniform(low, high, draws) for low, high in regions]
    return np.concatenate([part.astype(dtype) for part in parts])


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
    got = run(name, x)
    with mpmath.workprec(PRECISION):
        exact = [exact_value(case.exact, v) for v in x]
        errors = [error_in_ulp(g, e, dtype) for g, e in zip(got, exact, strict=True)]
    worst = int(np.argmax(errors))
    assert errors[worst] <= case.ulp, (x[worst], got[worst], errors[worst])


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", [*CASES, "pow", "arctan2"])
def test_every_number_of_lanes_gives_the_same_bits(name, dtype):
    two = name in ("pow", "arctan2")
    given = power_arguments(dtype, 1000) if two else (inputs(dtype, CASES[name].regions, 1000),)
    scalar = run(name, *given, lanes=1)
    integer = f"int{np.finfo(dtype).bits}"
    for bits in (128, 256, 512):
        vector = run(name, *given, lanes=bits // np.finfo(dtype).bits, bits=bits)
        same = vector.view(integer) == scalar.view(integer)
        same |= np.isnan(vector) & np.isnan(scalar)
        assert same.all(), (bits, vector[~same][:3], scalar[~same][:3])


def _quickest(kernel, number, dtype):
    x, times = np.full(1 << 16, number, dtype), []
    for _ in range(25):
        start = time.process_time_ns()
        kernel(x)
        times.append(time.process_time_ns() - start)
    return min(times)


@pytest.mark.parametrize("dtype", FLOATS)
def test_exp_takes_no_longer_where_the_result_vanishes(dtype):
    kernel = Kernel(lambda b, x: b.exp(x), (dtype,), 64 // np.dtype(dtype).itemsize)
    ordinary, *rest = (_quickest(kernel, number, dtype) for number in (1.0, -1e30, -math.inf))
    # Where processors are left to find that it underflows, it is ten times as long.
    assert max(rest) < 4 * ordinary


@pytest.mark.parametrize(("dtype", "tiny"), [("float32", 1e-21), ("float64", 1e-104)])
def test_log1p_takes_no_longer_where_squares_or_cubes_are_subnormal(dtype, tiny):
    kernel = Kernel(lambda b, x: b.log1p(x), (dtype,), 64 // np.dtype(dtype).itemsize)
    assert _quickest(kernel, tiny, dtype) < 4 * _quickest(kernel, 1.0, dtype)


@pytest.mark.parametrize("name", CASES)
def test_float16_is_float32_rounded(name):
    every = np.arange(65536, dtype="uint16").view("float16")
    with np.errstate(over="ignore"):
        wanted = run(name, every.astype("float32")).astype("float16")
    np.testing.assert_array_equal(run(name, every, lanes=16), wanted)


POWER_SPECIAL = [*SPECIAL, -2, -3, 2.5, 1e20, -1e20, 1e-30, 1 - 2.0**-20, 1 + 2.0**-20, 7e5 + 1]


def power_arguments(dtype, draws=DRAWS):
    """Pairs of special numbers, of random bits, of moderate numbers, and with moderate results."""
    rng = np.random.default_rng(6)
    info = np.finfo(dtype)
    x, y = np.array(list(itertools.product(POWER_SPECIAL, POWER_SPECIAL))).T
    unsigned = f"uint{info.bits}"
    bits = rng.integers(0, np.iinfo(unsigned).max, (2, draws), unsigned, endpoint=True).view(dtype)
    logs = rng.uniform(info.minexp, info.maxexp, draws)
    near = 1 + rng.uniform(-1, 1, draws) * 2.0 ** rng.uniform(-info.nmant, -1, draws)
    near = near.astype(dtype).astype("float64")
    near = near[near != 1]
    of_near = rng.uniform(info.minexp - info.nmant, info.maxexp, len(near)) / np.log2(near)
    plain = rng.uniform(0, 10, draws), rng.uniform(-50, 50, draws)
    of_logs = rng.uniform(info.minexp - info.nmant, info.maxexp, draws) / logs
    integers = rng.integers(-20, 21, (2, draws))
    pairs = [(x, y), bits, plain, (2.0**logs, of_logs), (near, of_near), integers]
    return tuple(np.concatenate([p[i].astype(dtype) for p in pairs]) for i in (0, 1))


def exact_power(x, y):
    """The power of ordinary numbers; None where a special case of IEEE 754 applies."""
    ordinary = x != 0 and math.isfinite(x) and math.isfinite(y)
    if not ordinary or (x < 0 and y != math.floor(y)):
        return None
    size = y * mpmath.log(abs(mpmath.mpf(x)))
    if abs(size) > 1000:
        return None
    negative = x < 0 and y % 2 == 1
    return mpmath.exp(size) * (-1 if negative else 1)


@pytest.mark.parametrize("dtype", FLOATS)
def test_power_of_floats(dtype):
    x, y = power_arguments(dtype)
    got = run("pow", x, y)
    with np.errstate(all="ignore"):
        numpy = np.power(x, y)
    with mpmath.workprec(PRECISION):
        for g, v, w, n in zip(got, x.tolist(), y.tolist(), numpy, strict=True):
            exact = exact_power(v, w)
            if exact is None:
                assert (g == n and np.signbit(g) == np.signbit(n)) or np.isnan([g, n]).all(), (v, w)
            else:
                assert error_in_ulp(g, exact, dtype) <= 2, (v, w, g)


INTEGERS = [1, -1, 2, 3, -3, 5, 6, -6, 7, -7, 12, 20, 63, 64, -64, 65]
HALVES = [-0.5, 1.5, -1.5, 2.5, -2.5, -3.5, 7.5, 20.5, 63.5, -63.5, 64.5]


@pytest.mark.parametrize("exponent", [*INTEGERS, *HALVES])
@pytest.mark.parametrize("dtype", FLOATS)
def test_powers_that_are_known(dtype, exponent):
    info = np.finfo(dtype)
    ends = np.array([info.max, info.tiny, info.smallest_subnormal], dtype)
    logs = np.linspace(np.log2(float(info.tiny)), info.maxexp - 1, 200) / max(abs(exponent), 1)
    ordinary = [np.exp2(logs), np.linspace(0.5, 2, 100)]
    x = np.concatenate([power_arguments(dtype, 100)[0], ends, -ends, *ordinary, -ordinary[0]])
    x = x.astype(dtype)
    kernel = Kernel(lambda b, x: b.pow(x, b.const(exponent, dtype)), (dtype,), 8)
    with np.errstate(all="ignore"):
        numpy = np.power(x, np.asarray(exponent, dtype))
    with mpmath.workprec(PRECISION):
        for g, v, n in zip(kernel(x), x.tolist(), numpy, strict=True):
            assert np.isnan(g) == np.isnan(n), v
            assert np.isnan(n) or np.signbit(g) == np.signbit(n), v
            if exact_power(v, float(exponent)) is None or not np.isfinite(n):
                assert g == n or np.isnan(n), v
            else:
                error = error_in_ulp(g, mpmath.mpf(v) ** exponent, dtype)
                # What a product loses is rounded, too, if it is very small.
                sharp = exponent in range(-64, 65) and abs(n) > info.tiny * 2.0**info.nmant
                assert error <= (0.51 if sharp else 2), (v, g)


@pytest.mark.parametrize("dtype", FLOATS)
def test_arctan2(dtype):
    y, x = power_arguments(dtype)
    got = run("arctan2", y, x)
    with np.errstate(all="ignore"):
        numpy = np.arctan2(y, x)
    with mpmath.workprec(PRECISION):
        for g, v, w, n in zip(got, y.tolist(), x.tolist(), numpy, strict=True):
            assert np.isnan(n) == np.isnan(g), (v, w)
            assert np.isnan(n) or np.signbit(n) == np.signbit(g), (v, w)
            if v != 0 and w != 0 and math.isfinite(v) and math.isfinite(w):
                assert error_in_ulp(g, mpmath.atan2(v, w), dtype) <= 2, (v, w, g)
            elif not np.isnan(n):
                np.testing.assert_array_max_ulp(g, n, 1)


@pytest.mark.parametrize("dtype", FLOATS)
def test_sine_where_a_number_comes_nearest_to_a_multiple_of_a_right_angle(dtype):
    # Of all numbers of the format, these are next to a multiple of pi/2 (Muller, Elementary
    # Functions, 2016, for float64; by search for float32).
    x = [6381956970095103.0 * 2.0**797, 1e308, 1e22] if dtype == "float64" else []
    x = np.array([*x, 16367173.0 * 2.0**72], dtype)
    got = run("cos", x)
    with mpmath.workprec(2000):
        for g, v in zip(got, x, strict=True):
            assert error_in_ulp(g, mpmath.cos(mpmath.mpf(float(v))), dtype) <= 1


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("edge", [-1.0, -2.0, math.inf, math.nan])
def test_an_edge_of_log1p_leaves_the_other_lanes_alone(dtype, edge):
    x = np.linspace(-0.9, 3, 16).astype(dtype)
    kernel = Kernel(lambda b, x: b.log1p(x), (dtype,), 16)
    ordinary = kernel(x)
    for lane in range(16):
        changed = x.copy()
        changed[lane] = edge
        with np.errstate(all="ignore"):
            want = np.log1p(np.array(edge, dtype))
        got = kernel(changed)
        np.testing.assert_array_equal(got[lane], want)
        np.testing.assert_array_equal(np.delete(got, lane), np.delete(ordinary, lane))


def test_the_error_measure_itself():
    with mpmath.workprec(PRECISION):
        one = mpmath.mpf(1)
        assert error_in_ulp(1.0, one, "float64") == 0
        assert error_in_ulp(1 + 2**-52, one, "float64") == 1
        assert error_in_ulp(math.inf, mpmath.mpf(2) ** 1024, "float64") == 0
        assert error_in_ulp(5e-324, mpmath.mpf(2) ** -1075, "float64") == 0.5
        assert error_in_ulp(math.nan, one, "float64") == math.inf
        assert error_in_ulp(1.0, mpmath.nan, "float64") == math.inf


@pytest.mark.skipif(not has_avx512(0), reason="has no instructions for it")
@pytest.mark.parametrize("name", ["exp", "log", "log2", "log10", "pow"])
@pytest.mark.parametrize("dtype", FLOATS)
def test_floats_are_taken_apart_and_scaled_alike_by_single_instructions(name, dtype):
    def with_them(b, *arguments):
        b.scales = True
        return getattr(b, name)(*arguments)

    if name == "exp":
        x = np.random.default_rng(5).uniform(-800, 800, 20_000).astype(dtype)
        x[:8] = np.nan, np.inf, -np.inf, 0.0, -745.1, -103.9, -87.4, 709.7
        arguments = (x,)
    else:
        arguments = power_arguments(dtype, 5000)[: 2 if name == "pow" else 1]
    dtypes = (dtype,) * len(arguments)
    wanted = Kernel(lambda b, *v: getattr(b, name)(*v), dtypes, 1)(*arguments)
    for lanes in (2, 4, 8, 32):
        found = Kernel(with_them, dtypes, lanes, 512)(*arguments)
        assert_same(found, wanted)


@pytest.mark.slow
def test_logarithms_of_every_significand_of_float32_are_within_an_ulp():
    x = np.arange(2**23)
    for name in ("log", "log2", "log10"):
        kernel = Kernel(lambda b, x, name=name: getattr(b, name)(x), ("float32",), 8)
        for exponent in (-2, -1, 0, 3):
            v = (x + ((127 + exponent) << 23)).astype("uint32").view("float32")
            exact = getattr(np, name)(v.astype("float64"))
            unit = np.exp2(np.floor(np.log2(np.maximum(np.abs(exact), 2.0**-126))) - 23)
            assert (np.abs(kernel(v) - exact) <= unit).all(), (name, exponent)
