"""Arrays joined item by item along a last axis."""

from __future__ import annotations

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.lower.kernel.expression import Emitted
from theano._core.runtime import native

DTYPES = ["bool", "int8", "int16", "float16", "float32", "float64", "complex64", "complex128"]
SHAPES = [(0, 3), (3, 0), (1, 1), (3, 5), (1, 4096), (4097, 1), (2, 4100), (100, 133)]


@pytest.mark.parametrize("width", [128, 256, 512])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("count", [2, 3, 5, 9, 12, 13, 21, 31, 50])
def test_items_are_in_turn(dtype: str, count: int, width: int) -> None:
    rng = np.random.default_rng(5)
    inputs = [T.matrix(dtype=dtype) for _ in range(count)]
    made = [~x if dtype == "bool" else x + x for x in inputs]
    with theano.config.change_flags(vector_width=width):
        f = theano.function(inputs, [T.stack(made, axis=2), T.stack(inputs, axis=-1)])
    for shape in SHAPES:
        arrays = [(rng.random(shape) * 50).astype(dtype) for _ in range(count)]
        for given in (arrays, [a[::-1, ::-1] for a in arrays], [a.T.copy().T for a in arrays]):
            results = [~a if dtype == "bool" else a + a for a in given]
            for got, parts in zip(f(*given), (results, given), strict=True):
                np.testing.assert_array_equal(got, np.stack(parts, axis=-1))


def test_vectors_constants_and_one_array_twice() -> None:
    x = T.fvector()
    y = T.exp(x)
    f = theano.function([x], [T.stack([y, y, x * 2], axis=1), T.stack([T.zeros_like(x), y], 1)])
    for length in (0, 1, 7, 5000):
        a = np.linspace(-1, 1, length, dtype="float32")
        first, second = f(a)
        e = theano.function([x], y)(a)
        np.testing.assert_array_equal(first, np.stack([e, e, a * 2], axis=1))
        np.testing.assert_array_equal(second, np.stack([0 * a, e], axis=1))


@pytest.mark.parametrize("width", [128, 256, 512])
@pytest.mark.parametrize("dtype", DTYPES)
def test_repeated_items(dtype: str, width: int) -> None:
    x, rng = T.matrix(dtype=dtype), np.random.default_rng(8)
    made = ~x if dtype == "bool" else x + x
    for times in (2, 3, 5, 8, 12, 13):
        with theano.config.change_flags(vector_width=width):
            f = theano.function([x], [T.repeat(x, times, 1), T.repeat(made, times)])
        for shape in SHAPES:
            a = (rng.random(shape) * 50).astype(dtype)
            for given in (a, a[::-1, ::-1], a.T.copy().T):
                b = ~given if dtype == "bool" else given + given
                first, second = f(given)
                np.testing.assert_array_equal(first, np.repeat(given, times, 1))
                np.testing.assert_array_equal(second, np.repeat(b, times))


def test_upsampling_by_repeats_and_its_gradient() -> None:
    x = T.dtensor3()
    y = T.repeat(T.repeat(x, 2, axis=1), 2, axis=2)
    f = theano.function([x], [y, T.grad(T.sqr(y).sum(), x)])
    for shape in ((2, 7, 9), (1, 1, 1), (3, 0, 4), (1, 64, 100)):
        a = np.random.default_rng(9).normal(size=shape)
        up, gradient = f(a)
        np.testing.assert_array_equal(up, np.repeat(np.repeat(a, 2, axis=1), 2, axis=2))
        np.testing.assert_allclose(gradient, 8 * a, rtol=1e-14)
    rows, _ = theano.scan(lambda row: T.repeat(T.exp(row), 3), sequences=x[0])
    steps = theano.function([x], rows)
    np.testing.assert_allclose(steps(np.ones((1, 4, 5))), np.full((4, 15), np.e), rtol=1e-15)


@pytest.mark.parametrize("count", [2, 5, 30])
def test_columns_of_numbers_and_columns_apart(count: int) -> None:
    x, s = T.dmatrix("x"), T.dscalar("s")
    columns = [x[i] * i if i % 2 else x[i] for i in range(count)]
    with_numbers = [T.ones_like(x[0]), *columns, T.alloc(s, x.shape[1]), T.zeros_like(x[0]) + s]
    f = theano.function([x, s], [T.stack(with_numbers, axis=1), T.stack(columns, axis=-1)])
    for length in (0, 1, 7, 8, 15, 16, 4095, 4096, 4103, 9000):
        for a in (
            np.arange(1.0 * count * length).reshape(count, length),
            np.ones((length, count)).T,
        ):
            own = [a[i] * i if i % 2 else a[i] for i in range(count)]
            one = np.ones(length)
            first, second = f(a, 3.0)
            np.testing.assert_array_equal(first, np.stack([one, *own, 3 * one, 3 * one], axis=1))
            np.testing.assert_array_equal(second, np.stack(own, axis=1))
            if length:
                # Nothing is written beside the rows of columns that do not lie side by side.
                np.testing.assert_array_equal(f(a[:, ::-1], 3.0)[1], np.stack(own, axis=1)[::-1])


@pytest.mark.parametrize("length", [1, 5, 4096, 5000, 9000, 400_000])
def test_known_lengths_on_any_number_of_threads(length: int) -> None:
    x = T.dvector()
    y = (x + 1).reshape((length,))
    f = theano.function([x], T.stack([y, -y, y * y], axis=1))
    a = np.random.default_rng(7).normal(size=length)
    wanted = np.stack([a + 1, -(a + 1), (a + 1) ** 2], axis=1)
    before = native.get_threads()
    try:
        for threads in (1, 2, 3):
            native.set_threads(threads)
            for _ in range(5):
                np.testing.assert_array_equal(f(a), wanted)
    finally:
        native.set_threads(before)


def test_steps_of_a_loop() -> None:
    x = T.dmatrix()
    rows, _ = theano.scan(lambda row: T.stack([row + 1, row * 2, row - 3], axis=1), sequences=x)
    f = theano.function([x], rows)
    a = np.random.default_rng(6).normal(size=(4, 37))
    np.testing.assert_array_equal(f(a), np.stack([a + 1, a * 2, a - 3], axis=2))


def test_colours_are_written_in_vectors() -> None:
    x = T.ftensor3()
    red, green, blue = (x[..., i] for i in range(3))
    f = theano.function([x], T.stack([red + green, green + blue, blue + red], axis=2))
    names = {
        operation.function.name
        for kernel in f.maker.kernels
        for operation in kernel.loop.body.operations
        if isinstance(operation.function, Emitted)
    }
    assert names == {"interleave"}
