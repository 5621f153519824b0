"""Functions where their formulas overflow, cancel or lose digits: against mpmath."""

from __future__ import annotations

import itertools
import math
from typing import Any

import mpmath
import numpy as np
import pytest
from registry import OPS

from theano._core.api.debug.checks import tensor
from theano._core.base.settings import config
from theano._core.compile.function import function
from theano._core.lower.reference import evaluate
from theano._core.ops.special import tetra_gamma, tri_gamma

EXACT: dict[str, Any] = {
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "sinh": mpmath.sinh,
    "cosh": mpmath.cosh,
    "arcsin": mpmath.asin,
    "arccos": mpmath.acos,
    "arctan": mpmath.atan,
    "arcsinh": mpmath.asinh,
    "arccosh": mpmath.acosh,
    "arctanh": mpmath.atanh,
}


def native(name: str, *arrays: np.ndarray) -> np.ndarray:
    inputs = [tensor(str(a.dtype), a.shape, f"x{k}") for k, a in enumerate(arrays)]
    return function(inputs, OPS[name](*inputs))(*arrays)


def rounded(exact: Any, info: np.finfo) -> float:
    """Return a part of an mpmath number as a float, infinite beyond the range of the format."""
    return math.copysign(math.inf, exact) if abs(exact) > float(info.max) else float(exact)


@pytest.mark.parametrize("kind", ["complex64", "complex128"])
@pytest.mark.parametrize("name", list(EXACT))
def test_complex_numbers_of_extreme_parts(name: str, kind: str) -> None:
    info = np.finfo(kind)
    huge, tiny = float(info.max), float(info.tiny)
    size = [tiny, 0.5, 7.0, 200.0 if kind == "complex64" else 1430.0]
    if name.startswith("arc"):
        size = [tiny, 0.5, 1.0, huge**0.3, huge**0.51, huge / 2, huge]
    pairs = [*itertools.product(size, size), *((-x, -y) for x in size for y in size[::2])]
    z = np.array([complex(*p) for p in pairs]).astype(kind)
    with np.errstate(all="ignore"):
        got = native(name, z)
    with mpmath.workprec(5000):
        for value, result in zip(z.tolist(), got.tolist(), strict=True):
            exact = EXACT[name](mpmath.mpc(value))
            for one, two in ((result.real, exact.real), (result.imag, exact.imag)):
                wanted = rounded(two, info)
                if np.isinf(wanted):
                    assert one == wanted, (value, result, exact)
                else:
                    near = 6 * float(info.eps) * abs(wanted) + 4 * float(info.smallest_subnormal)
                    assert abs(one - wanted) <= near, (value, result, exact)


@pytest.mark.parametrize("name", ["sin", "cos", "sinh", "cosh"])
def test_signs_of_zero_parts(name: str) -> None:
    """sinh(0 + iy) is 0 times cos(y): negative where one of the two is."""
    turned = [0.0, -0.0, 0.5, 2.5, 4.0, -2.5, -4.0, 30.0]
    pairs = [*itertools.product([0.0, -0.0], turned), *itertools.product(turned, [0.0, -0.0])]
    z = np.array([complex(*p) for p in pairs])
    got, wanted = native(name, z), getattr(np, name)(z)
    np.testing.assert_array_equal(np.signbit(got.real), np.signbit(wanted.real))
    np.testing.assert_array_equal(np.signbit(got.imag), np.signbit(wanted.imag))


def test_nan_beside_a_huge_part() -> None:
    assert np.isnan(native("arctanh", np.array([complex(np.nan, 1e308)])).imag).all()


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_parts_of_a_complex_number_stay_as_they_are(kind: str) -> None:
    parts = np.array([0.0, -0.0, 1.0, -1.5, np.inf, -np.inf, np.nan], kind)
    x, y = (g.ravel().copy() for g in np.meshgrid(parts, parts))
    inputs = [tensor(kind, x.shape, "x"), tensor(kind, y.shape, "y")]
    out = OPS["complex"](*inputs)
    for z in (evaluate([out], dict(zip(inputs, (x, y), strict=True)))[0], native("complex", x, y)):
        assert z.dtype == {"float32": "complex64", "float64": "complex128"}[kind]
        for got, wanted in ((z.real, x), (z.imag, y)):
            np.testing.assert_array_equal(got, wanted)
            np.testing.assert_array_equal(np.signbit(got), np.signbit(wanted))


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_tails_of_the_normal_distribution(kind: str) -> None:
    low = -14.0 if kind == "float32" else -38.0
    x = np.concatenate([np.linspace(low, 9, 400), [-np.inf, np.inf, np.nan, 0.0]]).astype(kind)
    variable = tensor(kind, x.shape)
    out = OPS["normal_distribution"](variable)
    info = np.finfo(kind)
    for got in (native("normal_distribution", x), evaluate([out], {variable: x})[0]):
        np.testing.assert_array_equal(got[-4:], np.array([0, 1, np.nan, 0.5], kind))
        with mpmath.workprec(120):
            for value, result in zip(x[:-4].tolist(), got[:-4].tolist(), strict=True):
                exact = mpmath.erfc(-mpmath.mpf(value) / mpmath.sqrt(2)) / 2
                assert (
                    abs(result - exact)
                    <= OPS["normal_distribution"].ulp
                    * max(info.eps * exact / 2 if exact > info.tiny else 0, info.smallest_subnormal)
                    * 2
                ), (value, result, exact)


def test_second_derivative_of_psi_halfway_between_its_poles() -> None:
    x = np.array([-0.5, -1.5, -2.5, -25.5])
    with mpmath.workdps(30):
        wanted = [float(mpmath.polygamma(2, mpmath.mpf(v))) for v in x]
    np.testing.assert_allclose(native("tetra_gamma", x), wanted, rtol=1e-14)


@pytest.mark.parametrize("op", [tri_gamma, tetra_gamma], ids=str)
def test_no_limit_where_poles_accumulate(op: Any) -> None:
    x = tensor("float64", (1,))
    given = np.array([-np.inf])
    with np.errstate(all="ignore"):
        assert np.isnan(evaluate([op(x)], {x: given})[0]).all()
    assert np.isnan(function([x], op(x))(given)).all()


@pytest.mark.parametrize("width", [128, 256, 512])
@pytest.mark.parametrize("sign", ["", "u"])
@pytest.mark.parametrize("bits", [8, 16, 32, 64])
def test_integers_divided_by_constants(bits: int, sign: str, width: int) -> None:
    dtype = f"{sign}int{bits}"
    info = np.iinfo(dtype)
    ends = [info.min, info.min + 1, info.max - 1, info.max]
    near = np.arange(-20, 20) if info.min else np.arange(40)
    drawn = np.random.default_rng(1).integers(info.min, info.max, 99, dtype)
    x = np.concatenate([np.asarray(ends, dtype), near.astype(dtype), drawn])
    n = tensor(dtype, (2,), "n")
    divisors = [*ends, 0, 1, 2, 3, 7, 10, 64, 100] + ([-1, -2, -7, -64, -100] if info.min else [])
    constants = [np.asarray(d, dtype=dtype) for d in divisors]
    with config.change_flags(vector_width=width):
        f = function([n], [r for c in constants for r in (n // c, n % c)])
    results = f(x)
    for c, quotient, rest in zip(constants, results[::2], results[1::2], strict=True):
        with np.errstate(all="ignore"):
            wanted, left = np.divmod(x, c)
        assert quotient.dtype == wanted.dtype
        np.testing.assert_array_equal(quotient, wanted)
        np.testing.assert_array_equal(rest, left)
