"""Forward derivatives of matrix functions that have operations of their own."""

import numpy as np
import pytest
import scipy.linalg

import theano
import theano.tensor as T
from support.arrays import values
from support.compiling import DEFINITION, compiled
from theano._core.ops.linalg.matrices import Part
from theano._core.ops.linalg.systems import cholesky_cotangent
from theano.gradient import jvp, verify_grad
from theano.tensor import slinalg

AXES = [0, 1, None, (0, 2)]


def matrix(*shape, dtype="float64", seed=1):
    return values(shape, dtype, seed)


def positive(*shape, dtype="float64"):
    a = matrix(*shape, dtype=dtype)
    return (a @ np.conj(np.swapaxes(a, -1, -2)) + shape[-1] * np.eye(shape[-1])).astype(dtype)


def run(build, *arrays, mode=None):
    return compiled(build, *arrays, mode=mode)(*arrays)


def differences(f, x, t, h=1e-6):
    return (f(x + h * t) - f(x - h * t)) / (2 * h)


def of_cholesky(lower=True):
    return lambda x, t: jvp(slinalg.Cholesky(lower)(x), x, t)


# Lengths on both sides of those of a block and of two.
@pytest.mark.parametrize("n", [0, 1, 2, 23, 24, 25, 49, 70])
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("lower", [True, False])
def test_cholesky(n, dtype, lower):
    x, t = positive(n, n, dtype=dtype), matrix(n, n, dtype=dtype)
    got = run(of_cholesky(lower), x, t)
    wanted = run(of_cholesky(lower), x, t, mode=theano.Mode(linker="py"))
    assert got.dtype == dtype
    np.testing.assert_allclose(got, wanted, rtol=0, atol=300 * np.finfo(dtype).eps)
    if dtype == "float64" and n:
        part = np.tril(t) if lower else np.triu(t)
        wanted = differences(np.linalg.cholesky, x, part + part.T - np.diag(np.diag(t)), 1e-4)
        np.testing.assert_allclose(got, wanted if lower else wanted.T, rtol=0, atol=1e-6)


def test_cholesky_of_stacks_and_of_any_layout():
    x, t = positive(3, 30, 30), matrix(3, 30, 30)
    whole = run(of_cholesky(), x, t)
    for i in range(3):
        np.testing.assert_allclose(whole[i], run(of_cholesky(), x[i], t[i]), atol=1e-13)
    backwards = t[::-1, ::-1, ::-1]
    np.testing.assert_array_equal(
        run(of_cholesky(), np.asfortranarray(x[0]), backwards[0]),
        run(of_cholesky(), x[0], backwards[0].copy()),
    )
    # Rows of directions, for one factor.
    a, rows = T.dmatrix(), T.dtensor3()
    factor = slinalg.cholesky(a)
    out = theano.vectorize(lambda r: jvp(factor, a, r))(rows)
    found = out.eval({a: x[0], rows: t})
    for i in range(3):
        np.testing.assert_allclose(found[i], run(of_cholesky(), x[0], t[i]), atol=1e-13)


def test_the_tangent_of_cholesky_is_one_operation():
    x, t = T.dmatrices("x", "t")
    f = theano.function([x, t], jvp(slinalg.cholesky(x), x, t))
    names = [type(node.op).__name__ for node in f.maker.graph.toposort()]
    assert names == ["Cholesky", "CholeskyTangent"]


def cotangent_by_expression(factor, g):
    """Return the cotangent of L L^H as the formula has it."""

    def half(x):
        return np.tril(x, -1) + np.diag(np.diag(x)) / 2

    inverse = np.linalg.inv(factor)
    s = inverse.conj().T @ half(factor.conj().T @ np.tril(g)) @ inverse
    return half(s + s.conj().T)


# Lengths on both sides of those of a block, and of halves.
@pytest.mark.parametrize("n", [0, 1, 2, 31, 32, 33, 65, 100, 130])
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
def test_cotangent_of_cholesky(n, dtype):
    x, g = positive(n, n, dtype=dtype), matrix(n, n, dtype=dtype)
    factor = np.linalg.cholesky(x).astype(dtype)
    got = run(cholesky_cotangent, factor, g)
    assert got.dtype == dtype
    scale = np.finfo(dtype).eps * (1 + n)
    if n:
        wanted = cotangent_by_expression(factor, g)
        np.testing.assert_allclose(got, wanted, rtol=0, atol=20 * scale)
        reference = run(cholesky_cotangent, factor, g, mode=theano.Mode(linker="py"))
        np.testing.assert_allclose(got, reference, rtol=0, atol=20 * scale)
        np.testing.assert_array_equal(np.triu(got, 1), 0)
        # What is above the diagonal is not read.
        np.testing.assert_array_equal(got, run(cholesky_cotangent, factor, np.tril(g)))


def test_cotangents_of_stacks_and_of_any_layout():
    factor, g = np.linalg.cholesky(positive(3, 40, 40)), matrix(3, 40, 40)
    whole = run(cholesky_cotangent, factor, g)
    for i in range(3):
        np.testing.assert_array_equal(whole[i], run(cholesky_cotangent, factor[i], g[i]))
    np.testing.assert_array_equal(
        run(cholesky_cotangent, np.asfortranarray(factor[0]), g[::-1, ::-1, ::-1][0]),
        run(cholesky_cotangent, factor[0], g[2, ::-1, ::-1].copy()),
    )
    # One factor, and a stack of cotangents.
    np.testing.assert_array_equal(
        run(lambda f, g: cholesky_cotangent(T.addbroadcast(f, 0), g), factor[:1], g)[1],
        run(cholesky_cotangent, factor[0], g[1]),
    )


def test_cotangents_that_are_not_numbers():
    factor, g = np.linalg.cholesky(positive(70, 70)), matrix(70, 70)
    g[40, 20] = np.nan
    got = run(cholesky_cotangent, factor, g)
    # Rows and columns after those of an item do not depend on it.
    assert np.isnan(got[20, 20])
    assert np.isfinite(np.tril(got)[41:]).all()
    with pytest.raises(np.linalg.LinAlgError):
        run(cholesky_cotangent, np.zeros((3, 3)), matrix(3, 3))


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_the_cotangent_of_cholesky_is_one_operation_with_derivatives(dtype):
    x = T.TensorType(dtype, (False, False))("x")
    out = (abs(slinalg.cholesky(x)) ** 3).sum()
    f = theano.function([x], theano.grad(out, x))
    names = [type(node.op).__name__ for node in f.maker.graph.toposort()]
    assert names.count("CholeskyCotangent") == 1
    assert "Solve" not in names
    if dtype == "float64":
        verify_grad(
            lambda a: theano.grad((slinalg.cholesky(a) ** 3).sum(), a),
            [positive(4, 4)],
            rng=np.random.RandomState(3),
        )


@pytest.mark.parametrize(
    "f, shape, text",
    [
        (slinalg.cholesky, (3, 2), "3"),
        (slinalg.cholesky, (2, 2), "3"),
        (slinalg.expm, (2, 2), "ExpmT"),
    ],
)
def test_a_direction_of_another_shape(f, shape, text):
    with pytest.raises(ValueError, match=text):
        run(lambda x, t: jvp(f(x), x, t), positive(3, 3), matrix(*shape))


@pytest.mark.parametrize("scale", [0.0, 1e-9, 0.1, 3.0, 30.0])
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_exponential(scale, dtype):
    for n in (0, 1, 6):
        x, t = (scale * matrix(n, n, dtype=dtype)).astype(dtype), matrix(n, n, dtype=dtype)
        got = run(lambda x, t: jvp(slinalg.expm(x), x, t), x, t)
        assert got.dtype == dtype
        if n:
            wanted = scipy.linalg.expm_frechet(x, t, compute_expm=False)
            size = float(abs(wanted).max())
            atol = max(1e-12, 100 * float(np.finfo(dtype).eps) * (1 + scale)) * size
            np.testing.assert_allclose(got, wanted, rtol=0, atol=atol)


def test_exponential_of_stacks_and_of_what_is_not_a_number():
    x, t = matrix(2, 4, 4), matrix(2, 4, 4)
    whole = run(lambda x, t: jvp(slinalg.expm(x), x, t), x, t)
    for i in range(2):
        wanted = scipy.linalg.expm_frechet(x[i], t[i], compute_expm=False)
        np.testing.assert_allclose(whole[i], wanted, rtol=1e-11)
    x[0, 0, 0] = np.nan
    assert np.isnan(run(lambda x, t: jvp(slinalg.expm(x), x, t), x, t)[0]).all()


@pytest.mark.parametrize("f", [slinalg.cholesky, slinalg.expm, slinalg.Cholesky(False)])
def test_derivatives_of_tangents(f):
    """Forward over forward, reverse over forward and forward over reverse agree."""
    w = T.constant(matrix(4, 4))

    def derivatives(x, u, v):
        cost = (f(x) * w).sum()
        along, gradient = jvp(cost, x, u), T.grad(cost, x)
        found = [jvp(along, x, v), (T.grad(along, x) * v).sum(), (jvp(gradient, x, v) * u).sum()]
        return [*found, (T.grad((gradient * u).sum(), x) * v).sum()]

    found = run(derivatives, positive(4, 4) / 6, matrix(4, 4, seed=2), matrix(4, 4, seed=3))
    np.testing.assert_allclose(found, found[0], rtol=1e-9)


@pytest.mark.parametrize(
    "product, axis", [("cumprod", k) for k in range(3)] + [("prod", k) for k in AXES]
)
@pytest.mark.parametrize("zeros", [0, 1, 2, 9])
def test_products(product, axis, zeros):
    x, t = matrix(3, 4, 2), matrix(3, 4, 2, seed=2)
    x.flat[np.random.default_rng(1).choice(24, zeros, replace=False)] = 0.0
    got = run(lambda x, t: jvp(getattr(T, product)(x, axis=axis), x, t), x, t)
    wanted = differences(lambda x: getattr(np, product)(x, axis=axis), x, t)
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-7 if product == "cumprod" else 1e-6)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (1, 3), (3, 1)])
@pytest.mark.parametrize("axis", [0, 1])
def test_products_of_few_elements(shape, axis):
    x, t = matrix(*shape), matrix(*shape, seed=2)
    got = run(lambda x, t: jvp(T.cumprod(x, axis=axis), x, t), x, t)
    assert got.shape == shape
    if shape[axis] == 1:
        np.testing.assert_array_equal(got, t)


def test_products_of_broadcastable_axes():
    row, u = T.drow("r"), T.drow("u")
    out = jvp(T.cumprod(row, axis=1), row, u)
    assert out.type == row.type
    np.testing.assert_allclose(out.eval({row: [[2.0, 3.0]], u: [[1.0, 10.0]]}), [[1, 3 + 20]])


def test_product_of_complex_numbers_and_of_small_floats():
    def build(x, t):
        return jvp(T.prod(x, axis=0), x, t)

    x, t = matrix(3, 4, dtype="complex128"), matrix(3, 4, dtype="complex128", seed=2)
    wanted = differences(lambda x: np.prod(x, axis=0), x, t)
    np.testing.assert_allclose(run(build, x, t), wanted, rtol=0, atol=1e-7)
    small = x.real.astype("float16")
    got = run(build, small, small)
    assert got.dtype == "float16"
    np.testing.assert_allclose(got, 3 * np.prod(small, axis=0), rtol=2e-2)


@pytest.mark.parametrize(
    "weights", [(1, 0, 0), (0, 1, 0), (1, 0.5, 0), (0, 1, 1), (1, 0, 1), (2, 3, 4)]
)
@pytest.mark.parametrize("dtype", ["float32", "complex128"])
@pytest.mark.parametrize("shape", [(3, 3), (2, 4, 3), (0, 2), (1, 1)])
def test_parts_of_matrices(weights, dtype, shape):
    """An element that has no weight does not count, NaN or not."""
    x = matrix(*shape, dtype=dtype)
    i, j = np.arange(shape[-2])[:, None], np.arange(shape[-1])
    scale = np.select([i > j, i == j], weights[:2], weights[2])
    x[..., scale == 0] = np.nan
    wanted = np.where(scale == 0, 0, scale * x).astype(dtype)
    for mode in (None, "FAST_COMPILE", DEFINITION):
        np.testing.assert_array_equal(run(Part(*weights), x, mode=mode), wanted)


def test_a_part_is_known_to_be_a_triangle():
    x, b = T.dmatrices("x", "b")
    for part, text in (((1, 1, 0), "lower"), ((0, 1, 1), "upper"), ((0, 2, 0), "lower")):
        f = theano.function([x, b], slinalg.solve(Part(*part)(x), b))
        (node,) = (n for n in f.maker.graph.toposort() if isinstance(n.op, slinalg.Solve))
        assert node.op.A_structure == f"{text}_triangular"
        a = positive(3, 3)
        np.testing.assert_allclose(
            f(a, a), np.linalg.solve(Part(*part).compute(np, node, a)[0], a), atol=1e-12
        )
