"""Joins along another axis than the first: the runtime writes rows of all parts side by side."""

import itertools

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.compiling import kernels
from support.loops import agree, small

DTYPES = ["bool", "uint8", "int16", "float16", "float32", "float64", "complex128"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_rows_of_every_layout(dtype):
    def build(m, x, y, z):
        parts = [x, y], [z, y, x], [x[::-1], y[:, :2], z[:, 1:]], [x, x, y, z, x]
        return [m.concatenate(each, axis=1) for each in parts]

    widths = (0, 1, 2, 3, 4, 7, 9, 16, 33, 70, 300)
    sizes = itertools.product((0, 1, 2, 5, 67), widths, (1, 2, 5, 16))
    f = agree(build, dtype, [[(rows, n), (rows, k), (rows, 3)] for rows, n, k in sizes])
    assert kernels(f).count("join_rows") == 4


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("axis", [1, 2])
def test_axes_in_front_and_behind(dtype, axis):
    def build(m, x, y):
        return [m.concatenate(v, axis) for v in ([x, y], [x[::2], y[::2], y[::2]])]

    sizes = itertools.product((1, 2, 9), (1, 3), (1, 2, 11), (0, 1, 4))
    shapes = [[(n, m, k), (n, i, k) if axis == 1 else (n, m, i)] for n, m, k, i in sizes]
    agree(build, dtype, shapes)


def test_one_row_and_one_column_for_all():
    def build(m, x, row, column):
        row, column = m.sort(row), m.sort(column)[:, None]
        if m is T:
            rows = T.alloc(row, x.shape[0], row.shape[0])
            columns = T.alloc(column, column.shape[0], 3)
        else:
            rows, columns = np.tile(row, (len(x), 1)), np.tile(column, 3)
        parts = [x, rows], [rows, x], [x, columns], [2 * x, rows]
        return [m.concatenate(each, axis=1) for each in parts]

    agree(build, "float64", [[(n, 5), (w,), (n,)] for n in (0, 1, 2, 70) for w in (1, 2, 40)])


def test_steps_of_a_loop():
    x, y = T.dtensor3(), T.dmatrix()
    rows, _ = theano.scan(lambda row: T.concatenate([row, y, 2 * y], axis=1), sequences=x)
    f = theano.function([x, y], rows)
    for n in (0, 1, 5):
        a, b = small((n, 4, 3)), small((4, 2))
        wanted = [np.concatenate([row, b, 2 * b], axis=1) for row in a]
        assert np.array_equal(f(a, b), np.reshape(wanted, (n, 4, 7)))


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64", "complex128"])
def test_parts_that_loops_make(dtype):
    def build(m, x, y, z):
        parts = [x + y, z], [z[::-1], x * y, x + x]
        return [m.concatenate(each, axis=1) for each in parts]

    sizes = itertools.product((0, 1, 7, 300), (0, 1, 3, 15, 70), (0, 2, 33))
    f = agree(build, dtype, [[(rows, n), (rows, n), (rows, k)] for rows, n, k in sizes])
    assert kernels(f).count("join_rows") == 2
