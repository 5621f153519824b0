"""Sums of products with an array in common are computed as one product with it."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.agreement import agree
from support.comparison import DERIVATIVES
from support.errors import refused
from support.tables import case
from theano._core.ops.elementwise.elementwise import Elementwise
from theano._core.rewrite.passes.common_factors import MOST_WITHIN

RANDOM = np.random.default_rng(6)


def on_large(f):
    """Return how many operations a function has on whole matrices."""
    return sum(
        isinstance(node.op, Elementwise) and node.outputs[0].type.broadcastable == (False, False)
        for node in f.maker.graph.toposort()
    )


def chain(x, a, steps):
    for _ in range(steps):
        x = x * a - x / (a + 2)
    return x


# Of a matrix, a row of numbers, a column and a number; and the operations on the matrix.
SUMS = {
    "rows": (lambda m, x, a, c, n: x * a + x / (a + 3) - x * m.exp(a) / a, 1),
    "alone, too": (lambda m, x, a, c, n: x - (x * a + -x / (a + 3)) * a, 1),
    "columns": (lambda m, x, a, c, n: x * c - (x * c * c - x / (c + 3)), 1),
    "numbers": (lambda m, x, a, c, n: x * n - x / (n + 3) * n + x * m.exp(n), 1),
    "rows and numbers": (lambda m, x, a, c, n: x * a * n - (x * n / (a + 3) - x * n), 1),
    "many products": (lambda m, x, a, c, n: x * m.exp(a) / (a + 3) * n * m.cos(a), 1),
    "of what is computed": case(
        lambda m, x, a, c, n: (lambda z: z * a + z / (a + 3) - z * m.sin(a))(m.exp(x)), 2
    ),
    "read otherwise": case(
        lambda m, x, a, c, n: (lambda z: m.exp(z) + (z * a - x * a * a))(x * a + x / (a + 3)), 6
    ),
    "rows and columns": (lambda m, x, a, c, n: x * a + x * c - x / (a + 3), 5),
    "two matrices": (lambda m, x, a, c, n: x * a + (x + 1) * a * a - x / (a + 3), 7),
    "of squares": (lambda m, x, a, c, n: x * x * a + x * a + x / (a + 3), 6),
    "long": (lambda m, x, a, c, n: chain(x, a, 4), 1),
    "too long": (lambda m, x, a, c, n: chain(x, a, MOST_WITHIN), 0),
}


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
@pytest.mark.parametrize("name", SUMS)
def test_values_and_operations(name, dtype):
    build, operations = SUMS[name]
    x, n = T.matrix(dtype=dtype), T.scalar(dtype=dtype)
    a, c = T.row(dtype=dtype), T.col(dtype=dtype)
    with theano.config.change_flags(floatX="float32" if dtype == "float32" else "float64"):
        f = theano.function([x, a, c, n], build(T, x, a, c, n), on_unused_input="ignore")
    if operations:
        assert on_large(f) == operations
    for shape in ((3, 5), (1, 1), (40, 33), (0, 4)):
        given = [
            (RANDOM.random(s) + 0.5).astype(dtype)
            for s in (shape, (1, shape[1]), (shape[0], 1), ())
        ]
        found, wanted = f(*given), build(np, *given)
        assert found.dtype == wanted.dtype
        close = 1e-4 if dtype == "float32" else 1e-11
        np.testing.assert_allclose(found, wanted, rtol=close, atol=close)
    if name.startswith("rows"):
        with refused(ValueError, "mis-match"):
            f(np.ones((3, 5), dtype), np.ones((1, 4), dtype), np.ones((3, 1), dtype), 1)


@pytest.mark.parametrize("dtype", ["int64", "float16"])
def test_other_numbers_are_left(dtype):
    x, a = T.matrix(dtype=dtype), T.row(dtype=dtype)
    f = theano.function([x, a], x * a + x * a * a - x * (a + 1))
    given = np.arange(12).reshape(3, 4).astype(dtype), np.arange(4).reshape(1, 4).astype(dtype)
    np.testing.assert_array_equal(f(*given), given[0] * (given[1] ** 2 - 1))


def test_second_derivatives_are_one_product():
    x, w, y = T.dmatrix(), T.dvector(), T.dvector()
    e = T.dot(x, w)
    cost = (T.gammaln(y + 1.5) - 1.5 * T.log(1.5 + T.exp(e)) + y * T.log(T.tanh(e) + 2)).sum()
    given = RANDOM.normal(size=(50, 4)), RANDOM.normal(size=4), RANDOM.random(50)
    hessian = theano.gradient.hessian(cost, w)
    assert on_large(agree([x, w, y], hessian, given, tolerance=DERIVATIVES)) == 1
