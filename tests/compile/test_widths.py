"""The same program at every vector width: elementwise results have the same bits."""

import numpy as np
import pytest

import theano
import theano.tensor as T

WIDTHS = [0, 128, 256, 512]


def compiled(width, inputs, outputs):
    with theano.config.change_flags(vector_width=width):
        return theano.function(inputs, outputs)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_same_bits(dtype):
    x, y = (T.TensorType(dtype, (False,))(n) for n in "xy")
    outputs = [
        T.exp(x) / (1 + T.sqr(y)),
        T.tanh(x) * T.log1p(T.sqr(y)),
        T.sin(x) + T.cos(y),
        T.nnet.sigmoid(x * y),
        T.switch(x > y, T.sqrt(abs(x)), -y),
        T.cast(x * 100, "int32"),
        x**3,
        T.minimum(x, y),
    ]
    rng = np.random.default_rng(0)
    for n in (1, 7, 64, 1001):
        a, b = rng.normal(size=(2, n)).astype(dtype) * 3
        results = [compiled(width, [x, y], outputs)(a, b) for width in WIDTHS]
        for other in results[1:]:
            for one, two in zip(results[0], other, strict=True):
                np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("width", WIDTHS)
def test_reductions(width):
    x = T.dmatrix("x")
    f = compiled(
        width,
        [x],
        [x.sum(), x.sum(axis=0), x.sum(axis=1), x.max(axis=1), T.argmin(x, axis=0), T.dot(x, x.T)],
    )
    a = np.random.default_rng(1).normal(size=(37, 53))
    wanted = [a.sum(), a.sum(0), a.sum(1), a.max(1), a.argmin(0), a @ a.T]
    for got, value in zip(f(a), wanted, strict=True):
        np.testing.assert_allclose(got, value, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_do_not_change_bits(threads):
    from theano._core.runtime import native

    x = T.dmatrix("x")
    f = theano.function(
        [x], [T.exp(x).sum(), x.sum(axis=0), T.tanh(x) * 2, x.mean(axis=1), T.dot(x.T, x)]
    )
    a = np.random.default_rng(2).normal(size=(700, 300))
    before = native.get_threads()
    try:
        native.set_threads(1)
        alone = f(a)
        native.set_threads(threads)
        for one, two in zip(alone, f(a), strict=True):
            np.testing.assert_array_equal(one, two)
    finally:
        native.set_threads(before)


@pytest.mark.parametrize("width", [128, 256, 512])
@pytest.mark.parametrize("kind", ["int8", "float32", "float64"])
def test_short_rows_whose_items_are_far_apart(width, kind):
    m, i = T.TensorType(kind, (False, False))(), T.lvector()
    with theano.config.change_flags(vector_width=width):
        f = theano.function([m, i], m.T[i])
    for rows in (1, 2, 3, 5):
        for columns in range(1, 17):
            value = np.arange(rows * columns).reshape(rows, columns).astype(kind)
            at = np.arange(columns)[::-1]
            np.testing.assert_array_equal(f(value, at), value.T[at])
