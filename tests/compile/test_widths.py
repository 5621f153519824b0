"""The same program at every vector width and number of threads: results have the same bits."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import values, variables
from support.comparison import SUMS, assert_close, assert_same
from support.compiling import compiled

WIDTHS = [0, 128, 256, 512]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_elementwise_results_have_the_same_bits(dtype):
    x, y = variables(values(1, dtype), values(1, dtype))
    outputs = [
        *(T.exp(x) / (1 + T.sqr(y)), T.tanh(x) * T.log1p(T.sqr(y)), T.sin(x) + T.cos(y)),
        *(T.nnet.sigmoid(x * y), T.switch(x > y, T.sqrt(abs(x)), -y), T.cast(x * 100, "int32")),
        *(x**3, T.minimum(x, y)),
    ]
    functions = []
    for width in WIDTHS:
        with theano.change_flags(vector_width=width):
            functions.append(theano.function([x, y], outputs))
    for n in (1, 7, 64, 1001):
        a, b = values((2, n), dtype) * 3
        plain, *others = [f(a, b) for f in functions]
        for other in others:
            assert_same(other, plain)


@pytest.mark.parametrize("width", WIDTHS)
def test_reductions_have_the_same_values(width):
    a = values((37, 53))
    with theano.change_flags(vector_width=width):
        f = compiled(
            lambda x: [x.sum(0), x.sum(1), x.max(1), T.argmin(x, 0), T.dot(x, x.T), x.sum()], a
        )
    assert_close(f(a), [a.sum(0), a.sum(1), a.max(1), a.argmin(0), a @ a.T, a.sum()], SUMS)


def test_threads_do_not_change_bits():
    a = values((700, 300))
    f = compiled(
        lambda x: [T.exp(x).sum(), x.sum(0), T.tanh(x) * 2, x.mean(axis=1), T.dot(x.T, x)], a
    )
    with theano.change_flags(threads=1):
        alone = f(a)
    for threads in (2, 3):
        with theano.change_flags(threads=threads):
            assert_same(f(a), alone)


@pytest.mark.parametrize("width", [128, 256, 512])
@pytest.mark.parametrize("kind", ["int8", "float32", "float64"])
def test_short_rows_whose_elements_are_far_apart(width, kind):
    with theano.change_flags(vector_width=width):
        f = compiled(lambda m, i: m.T[i], values((1, 1), kind), values(1, "int64"))
    for rows in (1, 2, 3, 5):
        for columns in range(1, 17):
            value, at = values((rows, columns), kind), np.arange(columns)[::-1]
            assert_same(f(value, at), value.T[at])
