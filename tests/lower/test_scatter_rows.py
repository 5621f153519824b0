"""Rows at positions, which may repeat, are written in vectors; extremes of short rows are found."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.lower import program as ir

LENGTHS = (0, 1, 3, 7, 8, 9, 16, 19, 35)
WIDTHS = [128, 256, 512]


def layouts(a: np.ndarray) -> Any:
    yield a
    yield np.asfortranarray(a)
    yield a[::-1, ::-1]
    yield np.repeat(a, 2, axis=1)[:, ::2]
    record = np.zeros(a.shape, np.dtype({"names": ["x"], "formats": [a.dtype], "itemsize": 19}))
    record["x"] = a
    yield record["x"]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    "dtype",
    ["float64", "float32", "int64", "uint8", "bool", "complex64", "complex128", "float16"],
)
def test_rows_at_positions(dtype: str, width: int) -> None:
    random = np.random.default_rng(2)
    x, y, i = T.matrix(dtype=dtype), T.matrix(dtype=dtype), T.lvector()
    results = [T.inc_subtensor(x[i], y), T.set_subtensor(x[i], y), x[i]]
    with theano.config.change_flags(vector_width=width):
        f = theano.function([x, i, y], results)
        turned = theano.function([x, i, y], T.inc_subtensor(x[:, i], y))
    places = random.integers(-6, 6, 40)
    for length in LENGTHS:
        rows = (random.normal(size=(40, length)) * 5).astype(dtype)
        if dtype.startswith("float") and length:
            rows[3, -1] = np.nan
        for a in layouts((random.normal(size=(6, length)) * 5).astype(dtype)):
            for b in layouts(rows):
                added, changed = a.copy(), a.copy()
                np.add.at(added, places, b)
                changed[places] = b
                for got, wanted in zip(f(a, places, b), (added, changed, a[places]), strict=True):
                    np.testing.assert_array_equal(got, wanted)
                across = a.T.copy()
                np.add.at(across.T, places, b)
                np.testing.assert_array_equal(turned(a.T, places, b.T), across)


def test_one_row_for_all_positions_and_more_axes() -> None:
    random = np.random.default_rng(3)
    x, i, j = T.dtensor4(), T.lmatrix(), T.lvector()
    y = T.dvector()
    f = theano.function([x, i, y], T.inc_subtensor(x[i], y))
    g = theano.function([x, i, j, y], T.inc_subtensor(x[i, :, j], y))
    a, rows, columns = (
        random.normal(size=(4, 3, 5, 9)),
        random.integers(0, 4, (2, 6)),
        np.arange(6) % 5,
    )
    b = random.normal(size=9)
    wanted = a.copy()
    np.add.at(wanted, rows, b)
    np.testing.assert_array_equal(f(a, rows, b), wanted)
    wanted = a.copy()
    np.add.at(wanted, (rows, slice(None), columns), b)
    np.testing.assert_array_equal(g(a, rows, columns, b), wanted)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    "dtype", ["float64", "float32", "int64", "uint64", "uint16", "int8", "uint8", "bool"]
)
def test_extremes_of_short_rows(dtype: str, width: int) -> None:
    random = np.random.default_rng(4)
    x = T.matrix(dtype=dtype)
    with theano.config.change_flags(vector_width=width):
        f = theano.function([x], [T.argmax(x, axis=1), T.argmin(x, axis=1)])
    for length in (1, 2, 3, 8, 12, 13, 15, 16, 17, 31, 32, 33, 64, 100, 127, 128, 129):
        for count in (0, 1, 7, 8, 9, 50):
            a = (random.normal(size=(count, length)) * 3).astype(dtype)
            a[3::7] = a[3::7, :1]
            a[4::7, -1], a[5::7, -1] = np.iinfo("int8").max, 0
            if dtype.startswith("float"):
                a[2::9] = np.inf
                a[4::9] = -np.inf
                a[::5, length // 2] = np.nan
                a[::10, -1] = -np.nan
                a[1::5] = np.where(a[1::5] > 0, 0.0, -0.0)
            for given in layouts(a):
                largest, smallest = f(given)
                np.testing.assert_array_equal(largest, given.argmax(axis=1))
                np.testing.assert_array_equal(smallest, given.argmin(axis=1))


@pytest.mark.parametrize("dtype", ["float64", "float32", "bool", "complex64", "float16"])
def test_positions_that_lie_apart_are_read_where_they_are(dtype: str) -> None:
    random = np.random.default_rng(4)
    x, y, i = T.vector(dtype=dtype), T.vector(dtype=dtype), T.lmatrix()
    f = theano.function([x, y, i], [T.inc_subtensor(x[i[:, 1]], y), T.set_subtensor(x[i[:, 1]], y)])
    places = random.integers(-6, 6, (40, 3))
    items, more = ((random.normal(size=n) * 5).astype(dtype) for n in (6, 120))
    for given in (places, places[::-1, ::-1]):
        for values in (more[:40], more[::3], more[39::-1]):
            added, changed = items.copy(), items.copy()
            np.add.at(added, given[:, 1], values)
            changed[given[:, 1]] = values
            for got, wanted in zip(f(items, values, given), (added, changed), strict=True):
                np.testing.assert_array_equal(got, wanted)
    launched = [i for i in ir.walk(f.maker.program_text.program.body) if isinstance(i, ir.Launch)]
    # In order, and without a copy of the positions.
    assert [i.unit for i in launched if i.kernel == "put"] == [0, 0]


EVERY = slice(None)
PLACES: dict[str, Any] = {
    "rows": lambda i, j: (i,),
    "columns": lambda i, j: (EVERY, i),
    "middle": lambda i, j: (EVERY, i % 3),
    "last": lambda i, j: (EVERY, EVERY, i % 3),
    "pairs": lambda i, j: (i, j % 3),
    "pairs behind": lambda i, j: (EVERY, i % 3, j % 3),
    "pairs apart": lambda i, j: (i, EVERY, j % 3),
    "all": lambda i, j: (i, j % 3, i % 3),
    "table": lambda i, j: (i[:, None], j[None, :] % 3),
    "twice": lambda i, j: (EVERY, (i[:, None] + j[None, :]) % 3),
}
VALUES: dict[str, Any] = {
    "full": lambda shape, make: make(shape),
    "turned": lambda shape, make: make(shape[::-1]).T,
    "one": lambda shape, make: make(()),
    "last": lambda shape, make: make(shape[-1:]),
    "one for each": lambda shape, make: make((*shape[:-1], 1)),
    "first of each": lambda shape, make: make(shape)[..., :1],
    "every second": lambda shape, make: make((*shape[:-1], 2 * shape[-1]))[..., ::2],
}
DTYPES = ["bool", "int8", "uint16", "int32", "uint64", "float16", "float32", "float64"]


@pytest.mark.parametrize("dtype", [*DTYPES, "complex64", "complex128"])
@pytest.mark.parametrize("place", PLACES)
def test_positions_of_any_axes(dtype: str, place: str) -> None:
    random = np.random.default_rng(5)

    def make(shape: tuple[int, ...]) -> np.ndarray:
        return np.asarray(random.normal(size=shape) * 5).astype(dtype)

    at, (i, j) = PLACES[place], T.lvectors("i", "j")
    for kind, change in VALUES.items():
        x, y = T.tensor3(dtype=dtype), None
        f = None
        many = 9 if place in ("table", "twice") else 300
        for shape, count in itertools.product(((3, 3, 3), (4, 3, 13), (40, 3, 3)), (0, 1, 2, many)):
            one, two = (random.integers(-3, 3, count) for _ in range(2))
            array = make(shape)
            where = at(one, two)
            values = change(array[where].shape, make)
            if y is None or f is None:
                one_each = kind in ("one for each", "first of each")
                y = T.TensorType(dtype, [n == 1 and one_each for n in values.shape])()
                written = x[at(i, j)]
                results = [T.inc_subtensor(written, y), T.set_subtensor(written, y)]
                f = theano.function([x, i, j, y], results, on_unused_input="ignore")
            added, changed = array.copy(), array.copy()
            np.add.at(added, where, np.broadcast_to(values, array[where].shape))
            changed[where] = values
            for got, wanted in zip(f(array, one, two, values), (added, changed), strict=True):
                np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64"])
def test_positions_of_any_dtype(dtype: str) -> None:
    random = np.random.default_rng(6)
    x, y, i = T.dmatrix(), T.dmatrix(), T.TensorType(dtype, (False,))()
    f = theano.function([x, i, y], T.inc_subtensor(x[i], y))
    places = random.integers(0 if dtype[0] == "u" else -100, 100, 600).astype(dtype)
    a, b = random.normal(size=(100, 3)), random.normal(size=(600, 3))
    for step in (1, 2, -3):
        wanted = a.copy()
        np.add.at(wanted, places[::step], b[::step])
        np.testing.assert_array_equal(f(a, places[::step], b[::step]), wanted)
    with pytest.raises(IndexError):
        f(a[:-1], np.array([99], dtype), b[:1])
    np.testing.assert_array_equal(f(a[:0], places[:0], b[:0]), a[:0])
