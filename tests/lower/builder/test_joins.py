"""Arrays joined item by item along a last axis."""

import itertools

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.comparison import ROUNDING
from support.loops import WIDTHS, agree
from theano._core.lower.kernel.expression import Emitted

DTYPES = ["bool", "int8", "int16", "float16", "float32", "float64", "complex64", "complex128"]
SHAPES = [(0, 3), (3, 0), (1, 1), (3, 5), (1, 4096), (4097, 1), (2, 4100), (100, 133)]


def doubled(x):
    return ~x if x.dtype == "bool" else x + x


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("count", [2, 3, 5, 9, 12, 13, 21, 31, 50])
def test_items_are_in_turn(dtype, count, width):
    agree(
        lambda m, *x: [m.stack(list(map(doubled, x)), axis=2), m.stack(x, axis=-1)],
        dtype,
        [[shape] * count for shape in SHAPES],
        width=width,
    )


def test_vectors_constants_and_one_array_twice():
    def build(m, x):
        y = m.exp(x)
        return [m.stack([y, y, x * 2], axis=1), m.stack([m.zeros_like(x), y], 1)]

    agree(build, "float32", [[(n,)] for n in (0, 1, 7, 5000)], tolerance=ROUNDING)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_repeated_items(dtype, width):
    for times in (2, 3, 5, 8, 12, 13):
        agree(
            lambda m, x, n=times: [m.repeat(x, n, 1), m.repeat(doubled(x), n)],
            dtype,
            [[shape] for shape in SHAPES],
            width=width,
        )


def test_upsampling_by_repeats_and_its_gradient():
    def build(m, x):
        y = m.repeat(m.repeat(x, 2, axis=1), 2, axis=2)
        return [y, T.grad((y**2).sum(), x) if m is T else 8 * x]

    agree(build, "float64", [[(2, 7, 9)], [(1, 1, 1)], [(3, 0, 4)], [(1, 64, 100)]])


@pytest.mark.parametrize("count", [2, 5, 30])
def test_columns_of_numbers_and_columns_apart(count):
    def build(m, x, s):
        columns = [x[i] * i if i % 2 else x[i] for i in range(count)]
        one = m.ones_like(x[0])
        numbers = [one, *columns, T.alloc(s, x.shape[1]) if m is T else one * s, one * 0 + s]
        return [m.stack(numbers, axis=1), m.stack(columns, axis=-1)]

    lengths = (0, 1, 7, 8, 15, 16, 4095, 4096, 4103, 9000)
    agree(build, "float64", [[(count, n), ()] for n in lengths])


@pytest.mark.parametrize("length", [1, 5, 4096, 5000, 9000])
def test_columns_of_known_length(length):
    def build(m, x):
        y = (x + 1).reshape((length,))
        return m.stack([y, -y, y * y], axis=1)

    agree(build, "float64", [[(length,)]] * 3, threads=3)


def test_steps_of_a_loop():
    x = T.dmatrix()
    rows, _ = theano.scan(
        lambda row: [T.stack([row + 1, row * 2, row - 3], axis=1), T.repeat(T.exp(row), 3)], x
    )
    a = np.random.default_rng(6).normal(size=(4, 37))
    stacked, repeated = theano.function([x], rows)(a)
    np.testing.assert_array_equal(stacked, np.stack([a + 1, a * 2, a - 3], axis=2))
    np.testing.assert_allclose(repeated, np.repeat(np.exp(a), 3, axis=1), rtol=1e-15)


def test_colours_are_written_in_vectors():
    x = T.ftensor3()
    red, green, blue = (x[..., i] for i in range(3))
    f = theano.function([x], T.stack([red + green, green + blue, blue + red], axis=2))
    operations = itertools.chain(*(kernel.loop.body.operations for kernel in f.maker.kernels))
    functions = [operation.function for operation in operations]
    assert {each.name for each in functions if isinstance(each, Emitted)} == {"interleave"}
