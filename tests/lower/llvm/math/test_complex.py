"""Complex arithmetic and functions: finite values against mpmath, corners against NumPy."""

import itertools

import mpmath
import numpy as np
import pytest
from kernel_jig import Kernel, run

from support.arrays import COMPLEX
from support.comparison import assert_same
from theano._core.ops.elementwise.arithmetic import sgn

PARTS = {"complex64": "float32", "complex128": "float64"}
CORNERS = [0.0, -0.0, 1, -1, 0.5, 2, -3, 25, -800, 100, np.inf, -np.inf, np.nan]
EXACT = {
    **{name: getattr(mpmath, name) for name in ("sqrt", "exp", "expm1", "log", "sin", "cos")},
    **{name: getattr(mpmath, name) for name in ("tan", "sinh", "cosh", "tanh")},
    **{f"arc{name}": getattr(mpmath, f"a{name}") for name in ("sin", "cos", "tan")},
    **{f"arc{name}": getattr(mpmath, f"a{name}") for name in ("sinh", "cosh", "tanh")},
    "exp2": lambda z: mpmath.exp(z * mpmath.log(2)),
    "log2": lambda z: mpmath.log(z) / mpmath.log(2),
    "log10": lambda z: mpmath.log(z) / mpmath.log(10),
    "log1p": lambda z: mpmath.log(1 + z),
}
# exp2 and log2 multiply by a rounded number; the real part of expm1 can cancel.
COMPONENTS = sorted(set(EXACT) - {"exp2", "expm1"})


@pytest.fixture(autouse=True)
def no_floating_point_warnings():
    with np.errstate(all="ignore"):
        yield


def join(real, imag, dtype):
    z = np.empty(len(real), dtype)
    z.real, z.imag = real, imag
    return z


def corners(dtype):
    """All pairs of special parts."""
    return join(*np.array(list(itertools.product(CORNERS, CORNERS))).T, dtype)


def numbers(dtype, n=100):
    """Moderate numbers, numbers on the unit circle and near 1, and sizes of many orders."""
    rng = np.random.default_rng(11)
    angle = rng.uniform(-np.pi, np.pi, n)
    z = [
        rng.standard_normal(n) + 1j * rng.standard_normal(n),
        np.exp(1j * angle),
        (1 + 1e-4 * rng.standard_normal(n)) * np.exp(1e-4j * rng.standard_normal(n)),
        10.0 ** rng.uniform(-15, 1.5, n) * np.exp(1j * angle),
        10.0 ** rng.uniform(-15, 1.5, n) + 1j * 10.0 ** rng.uniform(-15, 1.5, n),
    ]
    return np.concatenate(z).astype(dtype)


def assert_parts(got, wanted, ulp=0.0):
    """Compare complex numbers part by part, or real ones."""
    assert got.dtype == wanted.dtype
    for one, two in zip(parts(got), parts(wanted), strict=True):
        assert_same(one, two, ulp)


def parts(z):
    return [z.real, z.imag] if z.dtype.kind == "c" else [z]


@pytest.mark.parametrize("dtype", COMPLEX)
@pytest.mark.parametrize("name", EXACT)
def test_error_of_a_function(name, dtype):
    z = numbers(dtype)
    info = np.finfo(dtype)
    bound, tiny = 6 * float(info.eps), float(info.tiny)
    # What cancels in log near the unit circle is known to twice the precision of the format.
    double = float(info.eps) ** 2
    with mpmath.workprec(160):
        for g, v in zip(run(name, z).tolist(), z.tolist(), strict=True):
            exact = EXACT[name](mpmath.mpc(v))
            # z*log(2) in exp2 is rounded.
            wider = 1 + abs(v) if name == "exp2" else 1
            assert abs(g - exact) <= bound * wider * abs(exact), (v, g, exact)
            if name in COMPONENTS:
                for part, want in ((g.real, exact.real), (g.imag, exact.imag)):
                    assert abs(part - want) <= bound * abs(want) + double + tiny, (v, g, exact)


@pytest.mark.parametrize("dtype", COMPLEX)
@pytest.mark.parametrize("name", EXACT)
def test_corners_of_a_function_are_those_of_numpy(name, dtype):
    z = corners(dtype)
    wanted = getattr(np, name)(z)
    if name == "arccosh":
        # As C prescribes since 2011; NumPy 1 knows nothing of the imaginary part.
        wanted.imag[(z.real == 0) & np.isnan(z.imag)] = np.pi / 2
    # C leaves the sign of an infinity open where the other part is NaN.
    got, wanted = (
        join(*(np.where(np.isnan(z), abs(p), p) + 0.0 for p in parts(z)), z.dtype)
        for z in (run(name, z), wanted)
    )
    assert_parts(got, wanted, 100)


UNARY = {
    "neg": np.negative,
    "conj": np.conjugate,
    "abs": np.absolute,
    "angle": np.angle,
    "real": np.real,
    "imag": np.imag,
    "isnan": np.isnan,
    "isinf": np.isinf,
    "isfinite": np.isfinite,
    "sign": lambda z: sgn.function(np, z),
    "reciprocal": lambda z: np.true_divide(np.ones((), z.dtype), z),
}
BINARY = {
    "add": np.add,
    "sub": np.subtract,
    "true_div": np.true_divide,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "eq": np.equal,
    "neq": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
}


def quads(dtype):
    """Pairs of numbers of all special parts, and of moderate numbers."""
    special = [0.0, -0.0, 1, -2, np.inf, -np.inf, np.nan]
    a, b, c, d = np.array(list(itertools.product(special, repeat=4))).T
    z = numbers(dtype)
    x, y = join(a, b, dtype), join(c, d, dtype)
    return np.concatenate([x, z, z]), np.concatenate([y, z[::-1], z])


@pytest.mark.parametrize("dtype", COMPLEX)
@pytest.mark.parametrize("name", [*UNARY, *BINARY])
def test_arithmetic_is_that_of_numpy(name, dtype):
    """To the bit, but for sizes, angles and signs."""
    given = quads(dtype) if name in BINARY else (np.concatenate([corners(dtype), numbers(dtype)]),)
    wanted = (UNARY | BINARY)[name](*given)
    for lanes in (1, 8):
        ulp = 3 if name in ("abs", "angle", "sign") else 0
        assert_parts(run(name, *given, lanes=lanes), wanted, ulp)


@pytest.mark.parametrize("dtype", COMPLEX)
def test_absolute_value_neither_overflows_nor_underflows_on_the_way(dtype):
    info = np.finfo(dtype)
    big, little = float(info.max) / 2, float(info.smallest_subnormal)
    z = join([big, 3 * little, big / 1e9, 0], [big, 4 * little, big, little], dtype)
    assert_same(run("abs", z), np.abs(z), 1)
    assert run("abs", z)[1] == np.array(5 * little, PARTS[dtype])


@pytest.mark.parametrize("dtype", COMPLEX)
def test_product(dtype):
    x, y = quads(dtype)
    # The parts, because NumPy's loop may fuse a product and a sum.
    wanted = join(x.real * y.real - x.imag * y.imag, x.real * y.imag + x.imag * y.real, dtype)
    assert_parts(run("mul", x, y), wanted)
    assert_parts(run("sqr", x), run("mul", x, x))


@pytest.mark.parametrize("dtype", COMPLEX)
def test_power(dtype):
    info = np.finfo(dtype)
    z = numbers(dtype, 60)
    w = np.concatenate([numbers(dtype, 30)] * 2)
    w = np.where(np.abs(w) < 5, w, 0.5).astype(dtype)
    w[::3] = np.round(w[::3].real)
    with mpmath.workprec(160):
        for g, v, n in zip(run("pow", z, w).tolist(), z.tolist(), w.tolist(), strict=True):
            exact = mpmath.power(mpmath.mpc(v), mpmath.mpc(n))
            if float(info.tiny) < abs(exact) < float(info.max) / 4:
                assert abs(g - exact) <= 300 * float(info.eps) * abs(exact), (v, n, g, exact)
    z = np.array([0, 0, 0, 0, 2 + 1j, np.nan, np.inf], dtype)
    w = np.array([0, 2, 1 + 1j, -1, 0, 0, 1], dtype)
    assert_parts(run("pow", z, w), np.power(z, w))


REAL = ["bool", "int8", "int64", "uint16", "float16", "float32", "float64"]


@pytest.mark.parametrize("dtype", COMPLEX)
@pytest.mark.parametrize("other", [*REAL, *COMPLEX])
def test_cast(dtype, other):
    def cast(x, to):
        return Kernel(lambda b, x: b.cast(x, to), (x.dtype.name,), 8)(x)

    z = numbers(dtype, 50)
    z = np.where(np.abs(z) < 100, z, 0.5).astype(dtype)
    z[:4] = [0, 1j, -0.0, np.nan]
    if other.startswith(("u", "i")):
        z = np.round(np.abs(z.real) + 1j * z.imag).astype(dtype)[4:]
    assert_parts(cast(z, other), (z if other in ("bool", *COMPLEX) else z.real).astype(other))
    assert_parts(
        cast(np.arange(16).astype(other), dtype), np.arange(16).astype(other).astype(dtype)
    )


@pytest.mark.parametrize("dtype", COMPLEX)
def test_complex_and_select_and_mixed_arguments(dtype):
    x, y = quads(dtype)
    real, imag = x.real.copy(), y.imag.copy()
    assert_parts(run("complex", real, imag), join(real, imag, dtype))
    condition = np.arange(len(x)) % 3 == 0
    assert_parts(run("select", condition, x, y), np.where(condition, x, y))
    z = numbers(dtype)
    got = Kernel(lambda b, x: b.mul(b.add(x, 1.0), 2j), (dtype,), 8)(z)
    assert_parts(got, (z + 1) * np.array(2j, dtype), 2)


@pytest.mark.parametrize("name", [*EXACT, "sign", "abs"])
def test_every_number_of_lanes_gives_the_same_bits(name):
    for dtype in COMPLEX:
        z = np.concatenate([corners(dtype), numbers(dtype)])
        np.testing.assert_array_equal(run(name, z, lanes=1), run(name, z, lanes=8))
