"""Joins along another axis than the first: the runtime writes rows of all parts side by side."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.lower import program as ir
from theano._core.runtime import native

RANDOM = np.random.default_rng(11)
DTYPES = ["bool", "uint8", "int16", "float16", "float32", "float64", "complex128"]
WIDTHS = (0, 1, 2, 3, 4, 7, 9, 16, 33, 70, 300)
LAYOUTS = {
    "packed": lambda x: x,
    "column by column": np.asfortranarray,
    "backwards": lambda x: x[::-1],
    "every second row": lambda x: np.repeat(x, 2, 0)[::2],
    "every second item": lambda x: np.repeat(x, 2, -1)[..., ::2],
    "beside others": lambda x: np.concatenate([x, x], -1)[..., x.shape[-1] :],
    "one row for all": lambda x: np.broadcast_to(x[:1] if len(x) else x, x.shape),
}


def joined_by_runtime(f: theano.compile.Function) -> int:
    """Return how many joins of a function the runtime does."""
    every = ir.walk(f.maker.program_text.program.body)
    return sum(isinstance(i, ir.Launch) and i.kernel == "join_rows" for i in every)


def values(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    return (RANDOM.random(shape) * 100).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_rows_of_every_layout(dtype: str, layout: str) -> None:
    x, y, z = (T.TensorType(dtype, (False, False))() for _ in range(3))
    given = [x, y], [z, y, x], [x[::-1], y[:, :2], z[:, 1:]], [x, x, y, z, x]
    f = theano.function([x, y, z], [T.concatenate(parts, axis=1) for parts in given])
    assert joined_by_runtime(f) == len(given)
    for rows, width, other in itertools.product((0, 1, 2, 5, 67), WIDTHS, (1, 2, 5, 16)):
        a, b, c = (LAYOUTS[layout](values((rows, n), dtype)) for n in (width, other, 3))
        parts = [a, b], [c, b, a], [a[::-1], b[:, :2], c[:, 1:]], [a, a, b, c, a]
        for found, wanted in zip(f(a, b, c), parts, strict=True):
            assert found.dtype == dtype
            assert np.array_equal(found, np.concatenate(wanted, 1)), (rows, width, other)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("axis", [1, 2])
def test_axes_in_front_and_behind(dtype: str, axis: int) -> None:
    x, y = (T.TensorType(dtype, (False,) * 3)() for _ in range(2))
    f = theano.function(
        [x, y], [T.concatenate(v, axis) for v in ([x, y], [x[::2], y[::2], y[::2]])]
    )
    for n, m, k, length in itertools.product((1, 2, 9), (1, 3), (1, 2, 11), (0, 1, 4)):
        shape = [n, m, k]
        shape[axis] = length
        one, two = values((n, m, k), dtype), values(tuple(shape), dtype)
        for a, b in (
            (one, two),
            (one, np.asfortranarray(two)),
            (one[::-1], two[::-1]),
            (np.repeat(one, 2, 1)[:, ::2], two),
        ):
            both, three = f(a, b)
            assert np.array_equal(both, np.concatenate([a, b], axis))
            assert np.array_equal(three, np.concatenate([a[::2], b[::2], b[::2]], axis))


@pytest.mark.parametrize(
    "dtype", ["uint8", "float32", pytest.param("complex128", marks=pytest.mark.slow)]
)
def test_many_rows_and_numbers_on_threads(dtype: str) -> None:
    x, y, before = T.TensorType(dtype, (False,) * 2)(), T.scalar(dtype=dtype), native.get_threads()
    ones = T.ones((x.shape[0], 1), dtype=dtype)
    many = [x] * 20
    f = theano.function(
        [x, y],
        [
            T.concatenate([ones, x, T.alloc(y, x.shape[0], 2)], axis=1),
            T.concatenate(many, axis=1),
        ],
    )
    try:
        for rows, width in ((300_001, 3), (70_001, 40), (3, 100_001)):
            array = values((rows, width), dtype)
            columns = [np.ones((rows, 1), dtype), array, np.full((rows, 2), 7, dtype)]
            for threads in (1, 2, 3):
                native.set_threads(threads)
                one, two = f(array, 7)
                assert np.array_equal(one, np.concatenate(columns, 1))
                assert np.array_equal(two, np.concatenate([array] * 20, 1))
    finally:
        native.set_threads(before)


def test_one_row_and_one_column_for_all() -> None:
    x, row, column = T.dmatrix(), T.dvector(), T.dvector()
    rows = T.alloc(T.sort(row), x.shape[0], row.shape[0])
    columns = T.alloc(T.sort(column).dimshuffle(0, "x"), column.shape[0], 3)
    f = theano.function(
        [x, row, column],
        [T.concatenate(v, axis=1) for v in ([x, rows], [rows, x], [x, columns], [2 * x, rows])],
    )
    for n, width in itertools.product((0, 1, 2, 70), (1, 2, 40)):
        a, b, c = (values(s, "float64") for s in ((n, 5), (width,), (n,)))
        both, three = np.broadcast_to(np.sort(b), (n, width)), np.repeat(np.sort(c)[:, None], 3, 1)
        for got, parts in zip(
            f(a, b, c), ([a, both], [both, a], [a, three], [2 * a, both]), strict=True
        ):
            assert np.array_equal(got, np.concatenate(parts, 1))


def test_steps_of_a_loop() -> None:
    x, y = T.dtensor3(), T.dmatrix()
    rows, _ = theano.scan(lambda row: T.concatenate([row, y, 2 * y], axis=1), sequences=x)
    f = theano.function([x, y], rows)
    for n in (0, 1, 5):
        a, b = values((n, 4, 3), "float64"), values((4, 2), "float64")
        wanted = [np.concatenate([row, b, 2 * b], axis=1) for row in a]
        assert np.array_equal(f(a, b), np.reshape(wanted, (n, 4, 7)))


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64", "complex128"])
def test_parts_that_loops_make(dtype: str) -> None:
    x, y, z = (T.TensorType(dtype, (False, False))() for _ in range(3))
    f = theano.function(
        [x, y, z],
        [T.concatenate([x + y, z], axis=1), T.concatenate([z[::-1], x * y, x + x], axis=1)],
    )
    assert joined_by_runtime(f) == 2
    for rows, width, other in itertools.product((0, 1, 7, 300), (0, 1, 3, 15, 70), (0, 2, 33)):
        a, b, c = (values((rows, n), dtype) for n in (width, width, other))
        for given in (
            (a, b, c),
            (a[::-1], b, c[::-1]),
            (a, np.asfortranarray(b), np.asfortranarray(c)),
        ):
            one, two = f(*given)
            a, b, c = given
            assert np.array_equal(one, np.concatenate([a + b, c], 1))
            assert np.array_equal(two, np.concatenate([c[::-1], a * b, a + a], 1))
