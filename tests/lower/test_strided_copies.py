"""Arrays in any order are copied by the runtime, which finds out how their items lie."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from launches import LAYOUTS, kernels, values

import theano
import theano.tensor as T
from theano._core.runtime import native

DTYPES = ["bool", "uint8", "int16", "float16", "float32", "float64", "complex64", "complex128"]
LENGTHS = (0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 31, 33, 64, 65, 100)


def in_any_order(rng: np.random.Generator, dtype: str, rank: int) -> np.ndarray:
    """Return an array whose axes lie in any order, apart, backwards, or as one item for all."""
    shape = [int(rng.choice(LENGTHS)) for _ in range(rank)]
    while np.prod(shape) > 200_000:
        shape[int(np.argmax(shape))] = 3
    order = rng.permutation(rank)
    around = [shape[i] * int(rng.integers(1, 4)) for i in order]
    x = values(tuple(around), dtype).transpose(np.argsort(order))
    x = x[tuple(slice(None, None, int(rng.choice([1, 1, 1, 2, 3, -1, -1, -2]))) for _ in shape)]
    starts = [
        int(rng.integers(0, n - m + 1)) if n > m else 0 for n, m in zip(x.shape, shape, strict=True)
    ]
    x = x[tuple(slice(s, s + m) for s, m in zip(starts, shape, strict=True))]
    axis = int(rng.integers(0, rank))
    if rng.random() < 0.2 and x.shape[axis]:
        x = np.broadcast_to(x.take([0], axis), x.shape)
    return x


@pytest.mark.parametrize("rank", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("dtype", DTYPES)
def test_any_order(dtype: str, rank: int) -> None:
    rng, before = np.random.default_rng(rank), native.get_threads()
    x = T.TensorType(dtype, (False,) * rank)()
    order = tuple(int(i) for i in rng.permutation(rank))
    turned = x.dimshuffle(order)
    joined = T.concatenate([x, turned[::-1]], axis=rank - 1) if order == tuple(range(rank)) else x
    f = theano.function([theano.In(x, borrow=True)], [x, turned.flatten(), turned[::-1], joined])
    assert kernels(f).count("copy") >= 2
    try:
        for _ in range(40):
            native.set_threads(int(rng.integers(1, 4)))
            a = in_any_order(rng, dtype, rank)
            t = a.transpose(order)
            both = np.concatenate([a, t[::-1]], axis=rank - 1) if joined is not x else a
            for got, wanted in zip(f(a), (a, t.ravel(), t[::-1], both), strict=True):
                assert got.dtype == wanted.dtype
                assert np.array_equal(got, wanted), (a.shape, a.strides)
    finally:
        native.set_threads(before)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64", "complex128"])
def test_large_on_threads(dtype: str) -> None:
    x, y = (T.TensorType(dtype, (False,) * n)() for n in (2, 4))
    before = native.get_threads()
    f = theano.function([x], [x.T.flatten(), x[::-1, ::-1], x[:, ::2], x[1:, 1:]])
    g = theano.function([y], [y.dimshuffle(0, 3, 1, 2), y.dimshuffle(3, 2, 1, 0)])
    many, few, b = (values(n, dtype) for n in ((1025, 771), (3, 200_001), (9, 50, 61, 3)))
    try:
        for threads in (1, 2, 3):
            native.set_threads(threads)
            for a in (many, few):
                wanted = [a.T.ravel(), a[::-1, ::-1], a[:, ::2], a[1:, 1:]]
                assert all(map(np.array_equal, f(a), wanted))
            assert all(map(np.array_equal, g(b), [b.transpose(0, 3, 1, 2), b.T]))
            assert np.array_equal(g(b.transpose(0, 3, 1, 2))[0], b.transpose(0, 2, 3, 1))
    finally:
        native.set_threads(before)


def test_nothing_with_steps_that_lead_anywhere() -> None:
    x = T.dtensor3()
    f = theano.function([x], x.dimshuffle(2, 0, 1).flatten())
    for shape in ((0, 3, 2), (3, 0, 2), (3, 2, 0), (0, 0, 0)):
        empty = np.lib.stride_tricks.as_strided(np.zeros(1), shape, (1 << 40, -(1 << 50), 8))
        assert f(empty).shape == (0,)
    one = np.lib.stride_tricks.as_strided(np.ones(1), (1, 1, 1), (1 << 60, -(1 << 62), 1 << 62))
    assert f(one).tolist() == [1.0]


PARTS = {
    "turned around": lambda x: x[..., ::-1],
    "every second": lambda x: x[..., 1::2],
    "every third, backwards": lambda x: x[::-1, ..., ::-3],
    "two of all": lambda x: x[..., :2],
    "one of all": lambda x: x[..., 1:2],
    "columns": lambda x: x[..., 0],
    "rows turned around": lambda x: x[..., ::-1, :],
    "every second row": lambda x: x[..., ::2, :],
}


@pytest.mark.parametrize("width", [0, 256])
@pytest.mark.parametrize("dtype", ["uint8", "bool", "float16", "float32", "float64", "complex128"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_copies_of_short_rows(dtype: str, layout: str, width: int) -> None:
    x, y = (T.TensorType(dtype, (False,) * n)() for n in (2, 3))
    with theano.config.change_flags(vector_width=width):
        f = theano.function([x, y], [part(v) for part in PARTS.values() for v in (x, y)])
    assert kernels(f).count("copy") >= 2 * len(PARTS) - 1
    for rows, length in itertools.product((0, 1, 2, 50, 131), (1, 2, 3, 8, 17, 40)):
        one, two = (LAYOUTS[layout](values((*n, rows, length), dtype)) for n in ((), (3,)))
        wanted = [part(v) for part in PARTS.values() for v in (one, two)]
        for got, array in zip(f(one, two), wanted, strict=True):
            assert got.dtype == array.dtype
            assert np.array_equal(got, array), (rows, length)


def test_copies_that_wait() -> None:
    array = values((100, 3), "float64")
    shared, i, v = theano.shared(array.copy()), T.lscalar("i"), T.dscalar("v")
    new = T.inc_subtensor(shared[i], v)
    f = theano.function([i, v], [new[:, ::-1], shared[:, ::-1]], updates=[(shared, new)])
    got, before = f(5, 2.0)
    assert np.array_equal(before, array[:, ::-1])
    array[5] += 2
    assert np.array_equal(got, array[:, ::-1])
    assert np.array_equal(shared.get_value(), array)


@pytest.mark.parametrize("dtype", ["uint8", "bool", "int16", "float32", "float64", "complex128"])
def test_small_matrices_column_by_column(dtype: str) -> None:
    x, y = (T.TensorType(dtype, (False,) * 3)() for _ in range(2))
    turned = x.dimshuffle(0, 2, 1)
    f = theano.function([x, y], [T.eq(turned, y), turned.flatten(), T.eq(turned[::-1], x)])
    assert kernels(f).count("copy") >= 3
    for count, n in itertools.product((0, 1, 63, 64, 300), (1, 2, 3, 4, 7, 8, 9)):
        a, b = (values((count, n, n), dtype) for _ in range(2))
        for one, two in (
            (a, b),
            (np.asfortranarray(a), b),
            (a, np.asfortranarray(b)),
            (a[::-1, ::-1], b),
            (a.transpose(0, 2, 1), b),
        ):
            wanted = one.transpose(0, 2, 1)
            for got, array in zip(
                f(one, two), (wanted == two, wanted.ravel(), wanted[::-1] == one), strict=True
            ):
                assert np.array_equal(got, array), (count, n)


def test_rows_of_one_item_are_filled_by_kernels() -> None:
    n, x = T.lscalar(), T.dvector()
    f = theano.function([n, x], [T.zeros((n, 66)), T.alloc(x, n, x.shape[0]).T.copy()])
    assert "copy" not in kernels(f)
    zeros, columns = f(100, np.arange(3.0))
    assert not zeros.any()
    assert np.array_equal(columns, np.repeat(np.arange(3.0)[:, None], 100, 1))
