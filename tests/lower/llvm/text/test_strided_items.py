"""Vectors of items that are side by side, every other one, in reverse, or apart; some, or all."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import layouts
from support.loops import WIDTHS, agree, small

DTYPES = ["bool", "int8", "int16", "float16", "float32", "float64", "complex64", "complex128"]
COUNTS = [*range(1, 20), 31, 32, 33, 63, 64, 65, 127, 128, 129]


def filled(page, dtype):
    items = page.view(dtype)
    items[...] = small(items.size, dtype)
    return items


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_nothing_behind_the_last_item_is_read(page, dtype, width):
    items, x = filled(page, dtype), T.vector("x", dtype=dtype)
    with theano.config.change_flags(vector_width=width):
        f = theano.function([x], T.neq(x, 0) if dtype == "bool" else x + x)
    for count in COUNTS:
        for step in (1, 2, 3, 4, 5, -1, -2, -3, -4, -5):
            reach = abs(step) * (count - 1) + 1
            for part in (items[-reach:][::step], items[:reach][::step]):
                wanted = part != 0 if dtype == "bool" else part + part
                np.testing.assert_array_equal(f(part), wanted)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_nothing_around_the_items_of_a_channel_is_read(page, dtype, width):
    items, x = filled(page, dtype), T.matrix("x", dtype=dtype)
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
def test_nothing_behind_a_row_is_read(page, dtype, width):
    items, x, i = filled(page, dtype), T.matrix("x", dtype=dtype), T.lvector("i")
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
def test_nothing_between_items_is_written(dtype, width):
    y, old = T.matrix("y", dtype=dtype), theano.shared(np.zeros((1, 1), dtype))
    for step in (1, 2, 3, 4, 5):
        inside = np.s_[:, 1:-step:step]
        with theano.config.change_flags(vector_width=width):
            f = theano.function([y], updates=[(old, T.set_subtensor(old[inside], y))])
        for columns in (1, 3, 7, 12, 17, 33, 65):
            wanted = small((3, columns * step + 1 + step), dtype)
            old.set_value(wanted)
            new = wanted[inside] = small(wanted[inside].shape, dtype, 1)
            f(new)
            np.testing.assert_array_equal(old.get_value(), wanted)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("dtype", ["int8", "float32", "float64"])
def test_lanes_behind_the_last_item_change_no_reduction(dtype, width):
    agree(
        lambda m, x: [x.max(axis=1), x.min(axis=0), x.prod(axis=1), (x - 3).sum()],
        dtype,
        [[(6, columns)] for columns in (1, 7, 8, 9, 31, 33, 70)],
        width=width,
    )


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("dtype", ["int8", "float32", "float64"])
def test_rows_that_are_walked_whole_or_in_tiles(dtype, width):
    x, y = T.matrix("x", dtype), T.matrix("y", dtype)
    with theano.config.change_flags(vector_width=width):
        f = theano.function([x, y], [x + y, x * x])
    for shape in ((1, 1), (3, 127), (130, 129), (2, 300), (300, 2), (0, 5), (5, 0), (1, 400)):
        a = small(shape, dtype)
        views = [*layouts(a), np.lib.stride_tricks.as_strided(a, shape, (0, a.itemsize))]
        for one in views:
            for two in views:
                total, square = f(one, two)
                np.testing.assert_array_equal(total, one + two)
                np.testing.assert_array_equal(square, one * one)
