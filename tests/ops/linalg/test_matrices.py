"""Products with the sum of a matrix and its transpose, as gradients of Gram matrices have them."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import values, variable


def function(dtype, on_right):
    x, y = variable(dtype, 2), variable(dtype, 2)
    out = T.dot(y, x) + T.dot(y, x.T) if on_right else T.dot(x, y) + T.dot(x.T, y)
    f = theano.function([x, y], out)
    assert [type(node.op).__name__ for node in f.maker.graph.toposort()] == ["SymmetricProduct"]
    return f


def close(got, wanted):
    assert (got.dtype, got.shape) == (wanted.dtype, wanted.shape)
    scale = np.abs(wanted).max(initial=1) * np.finfo(wanted.dtype).eps
    np.testing.assert_allclose(got, wanted, rtol=0, atol=50 * scale)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("on_right", [False, True])
# Numbers of columns on both sides of where two products become one, and blocks on both of theirs.
@pytest.mark.parametrize("n", [0, 1, 2, 31, 33, 70])
@pytest.mark.parametrize("k", [0, 1, 31, 32, 40])
def test_products(dtype, on_right, n, k):
    x, y = values((n, n), dtype), values((k, n) if on_right else (n, k), dtype, 1)
    f = function(dtype, on_right)
    for a in (x, np.asfortranarray(x), x[::-1, ::-1]):
        for b in (y, np.asfortranarray(y), y[::-1, ::-1]):
            close(f(a, b), b @ (a + a.T) if on_right else (a + a.T) @ b)


@pytest.mark.parametrize("shapes", [((3, 3), (4, 2)), ((3, 4), (4, 2)), ((3, 4), (3, 2))])
def test_lengths_that_do_not_fit(shapes):
    with pytest.raises(ValueError, match="3"):
        function("float64", False)(*map(values, shapes))


@pytest.mark.parametrize("k", [3, 80])
def test_gradients_of_gram_matrices(k):
    x, weights, a = T.dmatrix("x"), values((50, 50)), values((50, k), seed=1)
    for product, given, wanted in (
        (T.dot(x, x.T), a, (weights + weights.T) @ a),
        (T.dot(x.T, x), a.T, a.T @ (weights + weights.T)),
    ):
        close(theano.function([x], theano.grad((product * weights).sum(), x))(given), wanted)


def test_widths_that_are_known():
    x = T.dmatrix("x")
    for width, symmetric, products in ((3, 0, 2), (60, 0, 1)):
        y = T.specify_shape(T.dmatrix(), (None, width))
        f = theano.function([x, y], T.dot(x, y) + T.dot(x.T, y), on_unused_input="ignore")
        names = [type(node.op).__name__ for node in f.maker.graph.toposort()]
        assert names.count("SymmetricProduct") == symmetric
        assert names.count("Dot") + names.count("Gemm") == products
