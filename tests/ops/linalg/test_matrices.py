"""Products with the sum of a matrix and its transpose, as gradients of Gram matrices have them."""

import numpy as np
import pytest

import theano
import theano.tensor as T

rng = np.random.default_rng(5)


def matrix(*shape, dtype="float64"):
    values = rng.normal(size=shape)
    if dtype.startswith("complex"):
        values = values + 1j * rng.normal(size=shape)
    return values.astype(dtype)


def function(dtype, on_right):
    x, y = (T.TensorType(dtype, (False, False))() for _ in "xy")
    out = T.dot(y, x) + T.dot(y, x.T) if on_right else T.dot(x, y) + T.dot(x.T, y)
    f = theano.function([x, y], out)
    names = [type(node.op).__name__ for node in f.maker.graph.toposort()]
    assert names == ["SymmetricProduct"]
    return f


def close(got, wanted):
    assert got.dtype == wanted.dtype
    assert got.shape == wanted.shape
    scale = np.abs(wanted).max(initial=1) * np.finfo(wanted.dtype).eps
    np.testing.assert_allclose(got, wanted, rtol=0, atol=50 * scale)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("on_right", [False, True])
# Numbers of columns on both sides of where two products become one, and blocks on both of theirs.
@pytest.mark.parametrize("n", [0, 1, 2, 31, 33, 70])
@pytest.mark.parametrize("k", [0, 1, 31, 32, 40])
def test_products(dtype, on_right, n, k):
    x, y = matrix(n, n, dtype=dtype), matrix(*((k, n) if on_right else (n, k)), dtype=dtype)
    f = function(dtype, on_right)
    for a in (x, np.asfortranarray(x), x[::-1, ::-1]):
        for b in (y, np.asfortranarray(y), y[::-1, ::-1]):
            whole = a + a.T
            close(f(a, b), b @ whole if on_right else whole @ b)


def test_lengths_that_do_not_fit():
    for shapes in [((3, 3), (4, 2)), ((3, 4), (4, 2)), ((3, 4), (3, 2))]:
        with pytest.raises(ValueError, match="3"):
            function("float64", False)(*(matrix(*shape) for shape in shapes))


def test_gradients_of_gram_matrices():
    x = T.dmatrix("x")
    weights = matrix(50, 50)
    g = theano.function([x], theano.grad((T.dot(x, x.T) * weights).sum(), x))
    for k in (3, 80):
        value = matrix(50, k)
        close(g(value), (weights + weights.T) @ value)
    h = theano.function([x], theano.grad((T.dot(x.T, x) * weights).sum(), x))
    for k in (3, 80):
        value = matrix(k, 50)
        close(h(value), value @ (weights + weights.T))


def test_widths_that_are_known():
    x = T.dmatrix("x")
    for width, symmetric, products in ((3, 0, 2), (60, 0, 1)):
        y = T.specify_shape(T.dmatrix(), (None, width))
        f = theano.function([x, y], T.dot(x, y) + T.dot(x.T, y), on_unused_input="ignore")
        names = [type(node.op).__name__ for node in f.maker.graph.toposort()]
        assert names.count("SymmetricProduct") == symmetric
        assert names.count("Dot") + names.count("Gemm") == products
