"""Vectors of items that are side by side, every other one, in reverse, or apart; some, or all."""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Iterator

import numpy as np
import pytest

import theano
import theano.tensor as T

PAGE = mmap.PAGESIZE
DTYPES = ["bool", "int8", "int16", "float16", "float32", "float64", "complex64", "complex128"]
COUNTS = [*range(1, 20), 31, 32, 33, 63, 64, 65, 127, 128, 129]
WIDTHS = [128, 256, 512]


@pytest.fixture(scope="module")
def page() -> Iterator[np.ndarray]:
    """Memory between two pages that cannot be read."""
    memory = mmap.mmap(-1, 3 * PAGE)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    protect = ctypes.CDLL(None).mprotect
    for number in (0, 2):
        if protect(ctypes.c_void_p(address + number * PAGE), PAGE, 0):
            pytest.skip("memory cannot be protected")
    yield np.frombuffer((ctypes.c_ubyte * PAGE).from_address(address + PAGE), "uint8")
    for number in (0, 2):
        protect(ctypes.c_void_p(address + number * PAGE), PAGE, mmap.PROT_READ)
    del memory


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_nothing_behind_the_last_item_is_read(page: np.ndarray, dtype: str, width: int) -> None:
    items = page.view(dtype)
    items[...] = (np.arange(items.size) % 7).astype(dtype)
    if dtype.startswith("complex"):
        items *= 1 - 2j
    x = T.vector("x", dtype=dtype)
    with theano.config.change_flags(vector_width=width):
        f = theano.function([x], T.neq(x, 0) if dtype == "bool" else x + x)
    for count in COUNTS:
        for step in (1, 2, 3, 4, 5, -1, -2, -3, -4, -5):
            reach = abs(step) * (count - 1) + 1
            for part in (items[-reach:], items[:reach]):
                part = part[::step]
                wanted = part != 0 if dtype == "bool" else part + part
                np.testing.assert_array_equal(f(part), wanted)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_nothing_around_the_items_of_a_channel_is_read(
    page: np.ndarray, dtype: str, width: int
) -> None:
    items = page.view(dtype)
    items[...] = (np.arange(items.size) % 7).astype(dtype)
    x = T.matrix("x", dtype=dtype)
    with theano.config.change_flags(vector_width=width):
        f = theano.function([x], [T.neq(x[:, c], 0) for c in (0, -1)])
    first = f.maker.kernels[0]
    assert (first.layout, first.eager, first.spaced) == ("strided", True, (0, 1))
    for channels in (1, 2, 3, 4, 5):
        for count in (count for count in COUNTS if count * channels <= items.size):
            for part in (items[-count * channels :], items[: count * channels]):
                pixels = part.reshape(count, channels)
                for one in (pixels, pixels[::-1], pixels[:, ::-1]):
                    for got, c in zip(f(one), (0, -1), strict=True):
                        np.testing.assert_array_equal(got, one[:, c] != 0)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_nothing_behind_a_row_is_read(page: np.ndarray, dtype: str, width: int) -> None:
    items = page.view(dtype)
    items[...] = (np.arange(items.size) % 7).astype(dtype)
    x, i = T.matrix("x", dtype=dtype), T.lvector("i")
    with theano.config.change_flags(vector_width=width):
        f = theano.function([x, i], [x[i], x.dimshuffle(0, 1)[i, ::-1]])
        where = theano.function([x], x.argmax(axis=1))
    for count in (count for count in COUNTS if 2 * count <= items.size):
        for rows in (items[-2 * count :], items[: 2 * count]):
            table = rows.reshape(2, count)
            for got, wanted in zip(f(table, [1, 0, 1]), (table, table[:, ::-1]), strict=True):
                np.testing.assert_array_equal(got, wanted[[1, 0, 1]])
            np.testing.assert_array_equal(where(table), table.argmax(axis=1))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_nothing_between_items_is_written(dtype: str, width: int) -> None:
    y = T.matrix("y", dtype=dtype)
    old = theano.shared(np.zeros((1, 1), dtype))
    for step in (1, 2, 3, 4, 5):
        with theano.config.change_flags(vector_width=width):
            part = old[:, 1 : -1 if step == 1 else -step : step]
            f = theano.function([y], updates=[(old, T.set_subtensor(part, y))])
        for columns in (1, 3, 7, 12, 17, 33, 65):
            start = (np.arange(3 * (columns * step + 1 + step)) % 5).astype(dtype).reshape(3, -1)
            wanted = start.copy()
            place = wanted[:, 1 : -1 if step == 1 else -step : step]
            new = (np.arange(place.size) % 3).astype(dtype).reshape(place.shape)
            place[...] = new
            old.set_value(start)
            f(new)
            np.testing.assert_array_equal(old.get_value(), wanted)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("dtype", ["int8", "float32", "float64"])
def test_reductions_of_parts_of_vectors(dtype: str, width: int) -> None:
    """Lanes behind the last item change nothing, whatever they hold."""
    x = T.matrix("x", dtype=dtype)
    with theano.config.change_flags(vector_width=width):
        f = theano.function([x], [x.max(axis=1), x.min(axis=0), x.prod(axis=1), T.sum(x - 3)])
    rng = np.random.default_rng(0)
    for columns in (1, 7, 8, 9, 31, 33, 70):
        wide = rng.integers(-1, 2, (6, 2 * columns)).astype(dtype)
        for a in (wide[:, :columns], wide[:, ::2], wide[:, ::-1][:, :columns], wide[::-1, ::2]):
            for one, two in zip(f(a), f(np.array(a)), strict=True):
                np.testing.assert_array_equal(one, two)
            np.testing.assert_array_equal(f(a)[0], a.max(axis=1))
            np.testing.assert_array_equal(f(a)[1], a.min(axis=0))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("dtype", ["int8", "float32", "float64"])
def test_rows_that_are_walked_whole_or_in_tiles(dtype: str, width: int) -> None:
    x, y = T.matrix("x", dtype), T.matrix("y", dtype)
    with theano.config.change_flags(vector_width=width):
        f = theano.function([x, y], [x + y, x * x])
    random = np.random.default_rng(2)
    for rows, columns in (
        (1, 1),
        (3, 127),
        (130, 129),
        (2, 300),
        (300, 2),
        (0, 5),
        (5, 0),
        (1, 400),
    ):
        a = random.integers(-5, 5, (2 * rows, 3 * columns)).astype(dtype)
        views = [
            a[:rows, :columns],
            a[:rows, : 2 * columns : 2],
            a[: 2 * rows : 2, ::3],
            a[rows:, columns : 2 * columns][::-1, ::-1],
            np.asfortranarray(a[:rows, :columns]),
            np.lib.stride_tricks.as_strided(a, (rows, columns), (0, a.itemsize)),
        ]
        for one in views:
            for two in views:
                total, square = f(one, two)
                np.testing.assert_array_equal(total, one + two)
                np.testing.assert_array_equal(square, one * one)
