"""Functions against mpmath, over their whole range, within the bound that their docstring states.

Most bounds are in units in the last place of the result. Near a zero that no float is, and where a
series cancels, they are in units of a size that the docstring names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import mpmath
import numpy as np
import pytest
import test_elementary as elementary
from registry import OPS

import theano
from theano._core.api.debug.checks import tensor
from theano._core.compile.function import function
from theano._core.ops.elementwise.elementwise import Elementwise

FLOATS = ["float32", "float64"]
WIDTHS = [128, 256, 512]
Region = tuple[float, float]


class Exact(NamedTuple):
    """A function for mpmath, where it is tested, and the size that its error is relative to."""

    function: Callable[..., Any]
    regions: tuple[Region, ...]
    size: Callable[[Any, Any], Any] = lambda x, y: abs(y)


def erfcx(x: Any) -> Any:
    if x < 1e3:
        return mpmath.exp(x * x) * mpmath.erfc(x)
    return (1 - 1 / (2 * x * x)) / (x * mpmath.sqrt(mpmath.pi))


def at_least_one(x: Any, y: Any) -> Any:
    return max(abs(y), 1)


def by_square(x: Any, y: Any) -> Any:
    return abs(y) * (max(1, x * x) if x < 0 else 1)


def by_phase(x: Any, y: Any) -> Any:
    return max(abs(y), mpmath.sqrt(abs(x)) / 4 + 0.1)


SPECIAL: dict[str, Exact] = {
    "erfcx": Exact(erfcx, ((-26, 26), (-1, 1), (1e3, 1e8)), by_square),
    "erfinv": Exact(mpmath.erfinv, ((-1, 1), (0.9, 1), (0.999, 1), (-1e-3, 1e-3))),
    "erfcinv": Exact(lambda x: mpmath.erfinv(1 - x), ((0, 2), (0, 1e-3), (1e-3, 0.1), (1.9, 2))),
    "gamma": Exact(mpmath.gamma, ((0, 10), (10, 34), (-10, 0), (1e-3, 1), (-1e-3, 1e-3))),
    "gammaln": Exact(
        lambda x: mpmath.log(abs(mpmath.gamma(x))),
        ((0, 10), (0.9, 1.1), (1.9, 2.1), (10, 1e3), (-10, 0), (-3, -2), (-40, -10)),
        at_least_one,
    ),
    "psi": Exact(
        mpmath.digamma,
        ((0, 10), (1.4, 1.5), (10, 1e3), (1e-3, 1), (-1, 0), (-40, -1)),
        lambda x, y: max(at_least_one(x, y), abs(x * mpmath.polygamma(1, x)) if x < 0 else 0),
    ),
    "tri_gamma": Exact(lambda x: mpmath.polygamma(1, x), ((0, 10), (9, 11), (10, 1e3), (-10, 0))),
    "tetra_gamma": Exact(lambda x: mpmath.polygamma(2, x), ((0, 10), (9, 11), (10, 1e3))),
    "j0": Exact(lambda x: mpmath.besselj(0, x), ((-9, 9), (2.4, 2.41), (30, 1e3)), by_phase),
    "j1": Exact(lambda x: mpmath.besselj(1, x), ((-9, 9), (3.8, 3.84), (30, 1e3)), by_phase),
    "i0": Exact(lambda x: mpmath.besseli(0, x), ((-9, 9), (9, 80))),
    "i1": Exact(lambda x: mpmath.besseli(1, x), ((-9, 9), (7, 9), (9, 80))),
    "normal_distribution": Exact(
        lambda x: mpmath.erfc(-x / mpmath.sqrt(2)) / 2, ((-12, 0), (-5, 5), (-1, 1))
    ),
    "normal_quantile": Exact(
        lambda p: mpmath.sqrt(2) * mpmath.erfinv(2 * p - 1), ((0, 1), (0, 1e-3), (0.999, 1))
    ),
    "deg2rad": Exact(lambda x: x * mpmath.pi / 180, ((-360, 360), (-1e9, 1e9))),
    "rad2deg": Exact(lambda x: x * 180 / mpmath.pi, ((-7, 7), (-1e9, 1e9))),
    "xlogx": Exact(lambda x: x * mpmath.log(x), ((0, 3), (0.9, 1.1), (1e3, 1e9))),
}


def gamma_p(k: Any, x: Any) -> Any:
    return mpmath.gammainc(k, 0, x, regularized=True)


def gamma_q(k: Any, x: Any) -> Any:
    return mpmath.gammainc(k, x, mpmath.inf, regularized=True)


# Both arguments' regions; the bound of float64 is SciPy's, of float32 1 ulp.
OF_TWO: dict[str, tuple[Any, list[tuple[Region, Region]]]] = {
    "gammainc": (gamma_p, [((0.1, 6), (0.1, 8)), ((6, 60), (5, 80))]),
    "gammaincc": (gamma_q, [((0.1, 6), (0.1, 8)), ((6, 60), (5, 80))]),
    "chdtrc": (lambda k, x: gamma_q(k / 2, x / 2), [((0.5, 7), (0.2, 9)), ((7, 100), (5, 150))]),
    "jv": (mpmath.besselj, [((0, 4), (0.5, 9)), ((0, 20), (0, 40))]),
    "iv": (mpmath.besseli, [((0, 4), (0.5, 5)), ((0, 20), (0, 40))]),
}


def binades(dtype: str, step: int) -> np.ndarray:
    """Return a number of every `step`-th binade, of both signs, subnormal ones included."""
    info = np.finfo(dtype)
    exponents = np.arange(info.minexp - info.nmant, info.maxexp, step)
    numbers = np.random.default_rng(8).uniform(1, 2, len(exponents)) * 2.0**exponents
    return np.concatenate([numbers, -numbers]).astype(dtype)


def at_every_width(name: str, *arrays: np.ndarray) -> np.ndarray:
    """Return what a function gives: the same bits at every width of vectors."""
    inputs = [tensor(str(a.dtype), a.shape, f"x{k}") for k, a in enumerate(arrays)]
    results = []
    for width in WIDTHS:
        with theano.config.change_flags(vector_width=width):
            results.append(function(inputs, OPS[name](*inputs))(*arrays))
    for other in results[1:]:
        np.testing.assert_array_equal(other, results[0])
    return results[0]


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", list(elementary.CASES))
def test_elementary_functions(name: str, dtype: str) -> None:
    check_elementary(name, dtype, 40, 24)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", list(elementary.CASES))
def test_elementary_functions_at_length(name: str, dtype: str) -> None:
    check_elementary(name, dtype, 4000, 1)


def check_elementary(name: str, dtype: str, draws: int, step: int) -> None:
    case = elementary.CASES[name]
    x = np.concatenate([elementary.inputs(dtype, case.regions, draws), binades(dtype, step)])
    got = at_every_width(name, x)
    with mpmath.workprec(elementary.PRECISION):
        for given, result in zip(x, got, strict=True):
            exact = elementary.exact_value(case.exact, given)
            error = elementary.error_in_ulp(result, exact, dtype)
            assert error <= OPS[name].ulp, (given, result, error)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", list(SPECIAL))
def test_special_functions(name: str, dtype: str) -> None:
    check_special(name, dtype, 25)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", list(SPECIAL))
def test_special_functions_at_length(name: str, dtype: str) -> None:
    check_special(name, dtype, 2000)


def check_special(name: str, dtype: str, draws: int) -> None:
    x, errors = errors_of(name, dtype, draws)
    worst = int(np.argmax(errors))
    assert errors[worst] <= OPS[name].ulp, (x[worst], errors[worst])


def errors_of(name: str, dtype: str, draws: int) -> tuple[np.ndarray, list[float]]:
    """Return arguments, and the errors there in the units that the docstring names."""
    case = SPECIAL[name]
    rng = np.random.default_rng(9)
    x = np.concatenate([rng.uniform(*region, draws) for region in case.regions]).astype(dtype)
    got = at_every_width(name, x)
    info = np.finfo(dtype)
    errors = []
    with mpmath.workprec(220):
        for given, result in zip(x.tolist(), got.tolist(), strict=True):
            exact = case.function(mpmath.mpf(given))
            if np.isinf(result) and abs(exact) > info.max:
                errors.append(0.0)
                continue
            unit = max(float(info.eps) * case.size(given, exact), float(info.smallest_subnormal))
            errors.append(float(abs(result - exact) / unit))
    return x, errors


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", list(OF_TWO))
def test_special_functions_of_two(name: str, dtype: str) -> None:
    exact_of, regions = OF_TWO[name]
    rng = np.random.default_rng(10)
    one, two = (
        np.concatenate([rng.uniform(*r[i], 20) for r in regions]).astype(dtype) for i in (0, 1)
    )
    got = at_every_width(name, one, two)
    bound = 1.01 if dtype == "float32" else 4096
    eps = float(np.finfo(dtype).eps)
    with mpmath.workprec(220):
        for v, x, result in zip(one.tolist(), two.tolist(), got.tolist(), strict=True):
            exact = exact_of(mpmath.mpf(v), mpmath.mpf(x))
            # A Bessel function has zeros; how far from them the result is counts.
            size = max(abs(exact), 0.1) if name == "jv" else abs(exact)
            assert abs(result - exact) <= bound * eps * size, (v, x, result, exact)


@pytest.mark.parametrize("name", ["pow", "arctan2"])
@pytest.mark.parametrize("dtype", FLOATS)
def test_functions_of_two_have_the_same_bits_at_every_width(name: str, dtype: str) -> None:
    """Their errors are measured in tests/lower."""
    at_every_width(name, *elementary.power_arguments(dtype, 500))


def test_docstrings_state_the_bound() -> None:
    for name, op in OPS.items():
        if name in {**elementary.CASES, **SPECIAL, **OF_TWO, "pow": 0, "arctan2": 0}:
            assert isinstance(op, Elementwise)
            assert "in the last place" in op.__doc__ or "orrectly rounded" in op.__doc__, name


# Exponents of the positive numbers where a special function is tried at one number of a binade.
BINADES = {
    "erfcx": (-1074, 25),
    "erfinv": (-1074, -1),
    "erfcinv": (-300, 0),
    "gamma": (-1020, 7),
    "gammaln": (-1074, 300),
    "psi": (-1020, 300),
    "tri_gamma": (-500, 300),
    "tetra_gamma": (-300, 100),
    "j0": (-1074, 9),
    "j1": (-1074, 9),
    "i0": (-1074, 9),
    "i1": (-1074, 9),
    "normal_quantile": (-300, -1),
}


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", list(BINADES))
def test_special_functions_in_each_binade(name: str, dtype: str) -> None:
    case, info = SPECIAL[name], np.finfo(dtype)
    low, high = BINADES[name]
    step = 23 if dtype == "float64" else 5
    exponents = np.arange(max(low, info.minexp - info.nmant), min(high, info.maxexp), step)
    x = (np.random.default_rng(11).uniform(1, 2, len(exponents)) * 2.0**exponents).astype(dtype)
    got = at_every_width(name, x)
    # 1 - x must keep the digits of x.
    with mpmath.workprec(450 if name in ("erfcinv", "normal_quantile") else 200):
        for given, result in zip(x.tolist(), got.tolist(), strict=True):
            exact = loggamma(given) if name == "gammaln" else case.function(mpmath.mpf(given))
            if abs(exact) > info.max * (1 - info.eps):
                assert np.isinf(result) and (result > 0) == (exact > 0)
                continue
            unit = max(float(info.eps) * case.size(given, exact), float(info.smallest_subnormal))
            assert abs(result - exact) <= OPS[name].ulp * unit, (given, result, exact)


def loggamma(x: float) -> Any:
    return mpmath.loggamma(mpmath.mpf(x))
