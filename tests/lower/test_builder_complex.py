"""Complex arithmetic and functions: finite values against mpmath, corners against NumPy."""

import itertools

import mpmath
import numpy as np
import pytest
from kernel_jig import Kernel

from theano._core.ops.elementwise.arithmetic import sgn

COMPLEX = ["complex64", "complex128"]
PARTS = {"complex64": "float32", "complex128": "float64"}
CORNERS = [0.0, -0.0, 1, -1, 0.5, 2, -3, 25, -800, 100, np.inf, -np.inf, np.nan]
EXACT = {
    "sqrt": mpmath.sqrt,
    "exp": mpmath.exp,
    "exp2": lambda z: mpmath.exp(z * mpmath.log(2)),
    "expm1": lambda z: mpmath.expm1(z),
    "log": mpmath.log,
    "log2": lambda z: mpmath.log(z) / mpmath.log(2),
    "log10": lambda z: mpmath.log(z) / mpmath.log(10),
    "log1p": lambda z: mpmath.log(1 + z),
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "tan": mpmath.tan,
    "sinh": mpmath.sinh,
    "cosh": mpmath.cosh,
    "tanh": mpmath.tanh,
    "arcsin": mpmath.asin,
    "arccos": mpmath.acos,
    "arctan": mpmath.atan,
    "arcsinh": mpmath.asinh,
    "arccosh": mpmath.acosh,
    "arctanh": mpmath.atanh,
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


def numbers(dtype, n=150):
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


def run(name, *arrays, lanes=8):
    dtypes = tuple(a.dtype.name for a in arrays)
    return Kernel(lambda b, *x: getattr(b, name)(*x), dtypes, lanes)(*arrays)


def same_part(got, want, tolerance):
    """Equal with equal signs of zero, or both NaN, or finite and near."""
    equal = (got == want) & (np.signbit(got) == np.signbit(want))
    near = np.isfinite(got) & np.isfinite(want) & (np.abs(got - want) <= tolerance * np.abs(want))
    return equal | near | (np.isnan(got) & np.isnan(want))


def assert_same(got, want, inputs, tolerance=0.0, unsigned=False):
    assert got.dtype == want.dtype
    if unsigned:
        # C leaves the sign of an infinity or zero open where the other part is NaN.
        got, want = (
            join(*(np.where(np.isnan(z), abs(p), p) for p in (z.real, z.imag)), z.dtype)
            for z in (got, want)
        )
    if want.dtype.kind == "c":
        same = same_part(got.real, want.real, tolerance)
        same &= same_part(got.imag, want.imag, tolerance)
    elif want.dtype.kind == "f":
        same = same_part(got, want, tolerance)
    else:
        same = got == want
    where = np.flatnonzero(~same)[:5]
    shown = [(*(x[i] for x in inputs), got[i], want[i]) for i in where]
    assert not len(where), f"(inputs..., got, want): {shown}"


def epsilon(dtype, ulp):
    return ulp * float(np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", COMPLEX)
@pytest.mark.parametrize("name", EXACT)
def test_error_of_a_function(name, dtype):
    z = numbers(dtype)
    got = run(name, z)
    info = np.finfo(dtype)
    bound, tiny = epsilon(dtype, 6), float(info.tiny)
    # What cancels in log near the unit circle is known to twice the precision of the format.
    double = float(info.eps) ** 2
    with mpmath.workprec(160):
        for g, v in zip(got.tolist(), z.tolist(), strict=True):
            exact = EXACT[name](mpmath.mpc(v))
            # z*log(2) in exp2 is rounded.
            broadcast = 1 + abs(v) if name == "exp2" else 1
            assert abs(g - exact) <= bound * broadcast * abs(exact), (v, g, exact)
            if name in COMPONENTS:
                for part, want in ((g.real, exact.real), (g.imag, exact.imag)):
                    assert abs(part - want) <= bound * abs(want) + double + tiny, (v, g, exact)


@pytest.mark.parametrize("dtype", COMPLEX)
@pytest.mark.parametrize("name", sorted(set(EXACT) - {"log1p"}))
def test_corners_of_a_function_are_those_of_numpy(name, dtype):
    z = corners(dtype)
    want = getattr(np, name)(z)
    if name == "arccosh":
        # As C prescribes since 2011; NumPy 1 knows nothing of the imaginary part.
        want.imag[(z.real == 0) & np.isnan(z.imag)] = np.pi / 2
    assert_same(run(name, z), want, (z,), epsilon(dtype, 100), unsigned=True)


@pytest.mark.parametrize("dtype", COMPLEX)
def test_log1p_is_the_logarithm_of_one_more_in_the_corners(dtype):
    z = corners(dtype)
    want = np.log1p(z)
    assert_same(run("log1p", z), want, (z,), epsilon(dtype, 100), unsigned=True)


@pytest.mark.parametrize("dtype", COMPLEX)
@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("neg", np.negative),
        ("conj", np.conjugate),
        ("abs", np.absolute),
        ("angle", np.angle),
        ("sign", lambda z: sgn.function(np, z)),
        ("real", np.real),
        ("imag", np.imag),
        ("reciprocal", lambda z: np.true_divide(np.ones((), z.dtype), z)),
        ("isnan", np.isnan),
        ("isinf", np.isinf),
        ("isfinite", np.isfinite),
    ],
)
def test_unary(name, reference, dtype):
    z = np.concatenate([corners(dtype), numbers(dtype)])
    want = reference(z)
    exact = name in ("neg", "conj", "real", "imag", "reciprocal")
    for lanes in (1, 8):
        assert_same(run(name, z, lanes=lanes), want, (z,), 0.0 if exact else epsilon(dtype, 3))


@pytest.mark.parametrize("dtype", COMPLEX)
def test_absolute_value_neither_overflows_nor_underflows_on_the_way(dtype):
    info = np.finfo(dtype)
    big, small = float(info.max) / 2, float(info.smallest_subnormal)
    z = join([big, 3 * small, big / 1e9, 0], [big, 4 * small, big, small], dtype)
    assert_same(run("abs", z), np.abs(z), (z,), epsilon(dtype, 1))
    assert run("abs", z)[1] == np.array(5 * small, PARTS[dtype])


def quads(dtype):
    """Pairs of numbers of all special parts, and of moderate numbers."""
    parts = [0.0, -0.0, 1, -2, np.inf, -np.inf, np.nan]
    a, b, c, d = np.array(list(itertools.product(parts, repeat=4))).T
    z = numbers(dtype)
    x, y = join(a, b, dtype), join(c, d, dtype)
    return np.concatenate([x, z, z]), np.concatenate([y, z[::-1], z])


@pytest.mark.parametrize("dtype", COMPLEX)
@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("add", np.add),
        ("sub", np.subtract),
        ("true_div", np.true_divide),
        ("maximum", np.maximum),
        ("minimum", np.minimum),
        ("eq", np.equal),
        ("neq", np.not_equal),
        ("lt", np.less),
        ("le", np.less_equal),
        ("gt", np.greater),
        ("ge", np.greater_equal),
    ],
)
def test_binary_is_that_of_numpy_to_the_bit(name, reference, dtype):
    x, y = quads(dtype)
    want = reference(x, y)
    for lanes in (1, 8):
        assert_same(run(name, x, y, lanes=lanes), want, (x, y))


@pytest.mark.parametrize("dtype", COMPLEX)
def test_product(dtype):
    x, y = quads(dtype)
    # The parts, because NumPy's loop may fuse a product and a sum.
    want = join(x.real * y.real - x.imag * y.imag, x.real * y.imag + x.imag * y.real, dtype)
    assert_same(run("mul", x, y), want, (x, y))
    assert_same(Kernel(lambda b, x: b.sqr(x), (dtype,), 8)(x), run("mul", x, x), (x,))


@pytest.mark.parametrize("dtype", COMPLEX)
def test_power(dtype):
    z = numbers(dtype, 60)
    w = np.concatenate([numbers(dtype, 30)] * 2)
    w = np.where(np.abs(w) < 5, w, 0.5).astype(dtype)
    w[::3] = np.round(w[::3].real)
    got = run("pow", z, w)
    with mpmath.workprec(160):
        for g, v, n in zip(got.tolist(), z.tolist(), w.tolist(), strict=True):
            exact = mpmath.power(mpmath.mpc(v), mpmath.mpc(n))
            if float(np.finfo(dtype).tiny) < abs(exact) < float(np.finfo(dtype).max) / 4:
                assert abs(g - exact) <= epsilon(dtype, 300) * abs(exact), (v, n, g, exact)


@pytest.mark.parametrize("dtype", COMPLEX)
def test_power_of_zero_and_to_zero(dtype):
    z = np.array([0, 0, 0, 0, 2 + 1j, np.nan, np.inf], dtype)
    w = np.array([0, 2, 1 + 1j, -1, 0, 0, 1], dtype)
    want = np.power(z, w)
    assert_same(run("pow", z, w), want, (z, w))


REAL_DTYPES = ["bool", "int8", "int64", "uint16", "float16", "float32", "float64"]


@pytest.mark.parametrize("dtype", COMPLEX)
@pytest.mark.parametrize("other", [*REAL_DTYPES, *COMPLEX])
def test_cast(dtype, other):
    z = numbers(dtype, 50)
    z = np.where(np.abs(z) < 100, z, 0.5).astype(dtype)
    z[:4] = [0, 1j, -0.0, np.nan]
    if other not in ("bool", *COMPLEX) and other.startswith(("u", "i")):
        z = np.round(np.abs(z.real) + 1j * z.imag).astype(dtype)[4:]
    want = z.astype(bool) if other == "bool" else join(z.real, z.imag, dtype)
    want = want if other == "bool" else (z if other in COMPLEX else z.real).astype(other)
    assert_same(Kernel(lambda b, x: b.cast(x, other), (dtype,), 8)(z), want, (z,))


@pytest.mark.parametrize("dtype", COMPLEX)
@pytest.mark.parametrize("other", REAL_DTYPES)
def test_cast_from_real(dtype, other):
    x = np.arange(16).astype(other)
    got = Kernel(lambda b, x: b.cast(x, dtype), (other,), 8)(x)
    assert_same(got, x.astype(dtype), (x,))


@pytest.mark.parametrize("dtype", COMPLEX)
def test_complex_and_select_and_mixed_arguments(dtype):
    x, y = quads(dtype)
    part = PARTS[dtype]
    got = Kernel(lambda b, x, y: b.complex(x, y), (part, part), 8)(x.real, y.imag)
    assert_same(got, join(x.real, y.imag, dtype), (x, y))
    condition = np.arange(len(x)) % 3 == 0
    kernel = Kernel(lambda b, c, x, y: b.select(c, x, y), ("bool", dtype, dtype), 8)
    assert_same(kernel(condition, x, y), np.where(condition, x, y), (x, y))
    z = numbers(dtype)
    got = Kernel(lambda b, x: b.mul(b.add(x, 1.0), 2j), (dtype,), 8)(z)
    assert_same(got, (z + 1) * np.array(2j, dtype), (z,), epsilon(dtype, 2))


@pytest.mark.parametrize("name", [*EXACT, "sign", "abs"])
def test_every_number_of_lanes_gives_the_same_bits(name):
    for dtype in COMPLEX:
        z = np.concatenate([corners(dtype), numbers(dtype)])
        np.testing.assert_array_equal(run(name, z, lanes=1), run(name, z, lanes=8))
