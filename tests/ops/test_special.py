"""Special functions: against mpmath and SciPy, at the ends of their ranges, and in loops."""

import math
import pickle

import mpmath
import numpy as np
import pytest
import scipy.special

import theano
import theano.tensor as T
from theano._core.ops import special

EDGES = np.array(
    [0.0, -0.0, 1.0, -1.0, -2.5, 0.5, 1e-300, 30.0, 200.0, 1e10, np.inf, -np.inf, np.nan]
)
ONE = ["erf", "erfc", "erfcx", "erfinv", "erfcinv", "gamma", "gammaln", "psi"]
ONE += ["j0", "j1", "i0", "i1"]
TWO = ["gammainc", "gammaincc", "jv", "iv", "chdtrc"]


@pytest.mark.parametrize("name", ONE)
@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_edges_of_functions_of_one(name, kind):
    x = T.vector("x", dtype=kind)
    given = np.concatenate([EDGES, np.linspace(-3, 9, 50)]).astype(kind)
    with np.errstate(all="ignore"):
        # That of SciPy is off by 10 ulp.
        exact = np.vectorize(math.erfc) if name == "erfc" else getattr(scipy.special, name)
        wanted = exact(given.astype("float64")).astype(kind)
    got = theano.function([x], getattr(special, name)(x))(given)
    eps = np.finfo(kind).eps
    # These two have zeros that are no floats: their errors are relative to 1 there.
    least = 4 * eps if name in ("gammaln", "psi") else 4 * np.finfo(kind).tiny
    np.testing.assert_allclose(got, wanted, rtol=8 * eps, atol=least)


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_log_gamma_near_its_zeros_1_and_2(kind):
    x = T.vector("x", dtype=kind)
    steps = 2.0 ** -np.arange(2, 20)
    given = np.concatenate([at + sign * steps for at in (1, 2) for sign in (-1, 1)]).astype(kind)
    got = theano.function([x], T.gammaln(x))(given)
    with mpmath.workdps(40):
        wanted = np.array([float(mpmath.loggamma(mpmath.mpf(float(v)))) for v in given])
    np.testing.assert_allclose(got, wanted.astype(kind), rtol=8 * np.finfo(kind).eps)


@pytest.mark.parametrize("name", TWO)
def test_edges_of_functions_of_two(name):
    x, y = T.dcol("x"), T.drow("y")
    one, two = EDGES[:, None], np.concatenate([EDGES, [1.5, 4.0]])[None, :]
    with np.errstate(all="ignore"):
        wanted = getattr(scipy.special, name)(one, two)
    got = theano.function([x, y], getattr(special, name)(x, y))(one, two)
    np.testing.assert_array_equal(got, wanted)


def test_polygamma_at_poles_and_ends():
    x = T.dvector("x")
    f = theano.function([x], [special.tri_gamma(x), special.tetra_gamma(x)])
    one, two = f([0.0, -1.0, np.inf, np.nan])
    assert one[0] == np.inf and one[2] == 0 and np.isnan(one[3])
    assert two[0] == -np.inf and two[2] == 0 and np.isnan(two[3])


def test_products_with_logarithms():
    x, y = T.dvectors("x", "y")
    f = theano.function([x, y], [special.xlogx(x), special.xlogy0(x, y)])
    one, two = f([0.0, 2.0, 0.0, 1.0], [0.0, 3.0, -1.0, 0.0])
    np.testing.assert_allclose(one, [0, 2 * np.log(2), 0, 0])
    np.testing.assert_allclose(two, [0, 2 * np.log(3), 0, -np.inf])


def test_inside_a_loop_and_of_scalars():
    x = T.dvector("x")
    rows, _ = theano.scan(lambda v: special.gammainc(v, v + 1) + special.gammaln(x).sum(), [x])
    value = np.array([0.5, 2.0, 7.0])
    wanted = scipy.special.gammainc(value, value + 1) + scipy.special.gammaln(value).sum()
    np.testing.assert_allclose(theano.function([x], rows)(value), wanted, rtol=1e-14)


def test_in_several_threads():
    x = T.dvector("x")
    given = np.random.default_rng(6).uniform(0.1, 9, 300_000)
    wanted = scipy.special.gamma(given)
    np.testing.assert_array_equal(theano.function([x], T.gamma(x))(given), wanted)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_log_gamma_and_psi_at_poles_and_ends(dtype):
    tiny = np.finfo(dtype).smallest_subnormal
    given = [0.0, -0.0, -1, -23, -24, -30, -1e10, np.inf, -np.inf, np.nan, tiny, -tiny, 1e38]
    x = T.vector("x", dtype=dtype)
    f = theano.function([x], [T.gammaln(x), T.psi(x)])
    values = np.array(given, dtype)
    for count in range(1, len(values) + 1):  # of each number of lanes
        log_gamma, psi = f(values[:count])
        wanted = scipy.special.gammaln(values.astype("float64"))[:count]
        wanted[10:12] = -np.log(float(tiny))
        with np.errstate(over="ignore"):
            np.testing.assert_allclose(log_gamma, wanted.astype(dtype), rtol=1e-6)
        with np.errstate(all="ignore"):
            wanted = scipy.special.psi(values.astype("float64"))[:count].astype(dtype)
        np.testing.assert_allclose(psi, wanted, rtol=1e-6)


def test_strided_arguments_and_fusion():
    x = T.dmatrix("x")
    f = theano.function([x], T.exp(-T.gammaln(x.T[::2] + 1)) * 2)
    given = np.random.default_rng(7).uniform(0.1, 9, (5, 7))
    wanted = np.exp(-scipy.special.gammaln(given.T[::2] + 1)) * 2
    np.testing.assert_allclose(f(given), wanted, rtol=1e-14)
    np.testing.assert_allclose(f(np.asfortranarray(given)), wanted, rtol=1e-14)


NAMES = {
    "gammau": lambda k, x: scipy.special.gammaincc(k, x) * scipy.special.gamma(k),
    "gammal": lambda k, x: scipy.special.gammainc(k, x) * scipy.special.gamma(k),
    "chi2sf": lambda x, k: scipy.special.chdtrc(k, x),
}


@pytest.mark.parametrize("name", list(NAMES))
def test_functions_made_of_others(name):
    x, y = T.dvectors("x", "y")
    one, two = np.array([0.5, 2.0, 3.0]), np.array([1.0, 0.25, 6.0])
    got = theano.function([x, y], getattr(T, name)(x, y))(one, two)
    np.testing.assert_allclose(got, NAMES[name](one, two), rtol=1e-14)


def test_complex_numbers_are_refused_where_scipy_has_no_function():
    with pytest.raises(TypeError, match="complex"):
        T.gammaln(T.zvector("z"))


@pytest.mark.parametrize("name", ["erf", "gamma", "psi"])
@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_functions_of_complex_numbers_are_those_of_scipy(name, dtype):
    z = T.vector("z", dtype=dtype)
    out = getattr(T, name)(z)
    value = np.array([0.3 + 0.4j, -1.2 + 0.5j, 2 - 1j, 0.5, -2]).astype(dtype)
    wanted = getattr(scipy.special, name)(value.astype("complex128")).astype(dtype)
    for mode in (None, "FAST_COMPILE", theano.Mode("py"), "JAX"):
        got = theano.function([z], out * 1, mode=mode)(value)
        assert got.dtype == dtype
        np.testing.assert_array_equal(got, wanted)
    steps, _ = theano.scan(getattr(T, name), z)
    np.testing.assert_array_equal(theano.function([z], steps)(value), wanted)
    if name == "psi":
        with pytest.raises(theano.gradient.NullTypeGradError, match="trigamma"):
            T.grad(abs(out).sum(), z)
    elif dtype == "complex128":
        theano.gradient.verify_grad(
            lambda x, y: T.real(getattr(T, name)(T.complex(x, y))),
            [value[:3].real, value[:3].imag],
            rng=np.random.RandomState(2),
        )


@pytest.mark.parametrize("name", ["chi2sf", "gammau", "gammal", "complex_from_polar"])
def test_functions_of_others_are_one_operation_until_rewriting(name):
    x, y = T.dvectors("x", "y")
    op = getattr(T, name)
    assert isinstance(op, T.Elemwise)
    assert op(x, y).owner.op == op == T.Elemwise(getattr(theano.scalar, name))
    assert str(op) == f"Elemwise{{{name},no_inplace}}"
    assert pickle.loads(pickle.dumps(op)) == op
    assert T.pprint(op(x, y)) == f"{name}(x, y)"
