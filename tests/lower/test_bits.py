"""Results have the same bits on any number of threads, and with vectors of any width."""

import numpy as np
import pytest

import theano.tensor as T
from support.arrays import values
from support.comparison import Tolerance
from support.loops import WIDTHS, assert_agree, same_bits
from theano._core.lower.llvm.kernels.rows_together import CACHED


def everything(m, x, v, w):
    e, g = m.exp(x - v), m.exp(x - w[:, None])
    return [e, e.sum(), g.sum(), (g * g).sum(axis=0), e.sum(axis=0), g]


def softmax(m, x):
    e = m.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def distances(m, x, y):
    d = x[:, None, :] - y
    return [(d * d).sum(axis=2), m.exp(-(d * d)).sum(axis=2)]


def turned_products(m, x, v, c):
    x = m.transpose(x, (3, 0, 1, 2))
    mixed = x * v[:, None]
    return [mixed.sum(3), (x * c[..., None]).sum(1), (x - v[:, None]).max(3), mixed.sum((1, 3))]


def around(m, u):
    return m.tanh(m.roll(u, 1, 0) + m.roll(u, -1, 0) + m.roll(u, 1, 1) + m.roll(u, -1, 1) - 4 * u)


def logistic(m, x, w, y):
    # The matrix is read once, for both products.
    p = 1 / (1 + m.exp(-m.dot(x, w)))
    return [m.dot(x.T, p - y), p]


def reduced_before_others(m, x, v):
    y = x * v
    return [y.sum(axis=(0, 2)), x.max(axis=(0, 2)), y.min(axis=(0, 2))]


def columns_in_turn(m, x):
    y = x[:, 0] + 1
    return m.stack([y, -y, y * y], axis=1)


def of_short_rows(m, x):
    return [m.exp(x).sum(axis=1), x.sum(axis=0), x.var(axis=1), x.argmax(axis=1)]


def of_columns(m, x):
    return [m.tanh(x).sum(axis=-2), (x * x).sum(axis=-2)]


def of_rows(m, x):
    return [x.sum(axis=1), (1 + x / 100).prod(axis=1)]


def of_few(m, x):
    return [x.sum(axis=0), x.max(axis=0)]


def of_exponentials(m, x):
    return m.exp(x).sum(axis=0)


def of_means(m, x):
    return [x.sum(axis=1), (x * x).mean(axis=1)]


EVERY = (0, 128, 256)
CLOSE = Tolerance(800, "errors of elementary functions, and of sums", floor=800)
TURNED = [(60, 10, 16, 64), (64, 10, 16), (64, 60, 10)]
# What is computed, of arrays of which shapes and dtypes, with vectors of which widths.
CASES = {
    "reductions of short rows": (of_short_rows, [(50_000, 3)], "f8", EVERY),
    "reductions of short rows of float32": (of_short_rows, [(50_000, 3)], "f4", EVERY),
    "columns of many short rows": (of_columns, [(300_001, 3)], "f4", (0,)),
    "columns of several arrays of short rows": (of_columns, [(5, 60_001, 3)], "f4", (0,)),
    "rows of 5 items at once": (of_rows, [(100_003, 5)], "f8", (0,)),
    "rows of 13 items at once": (of_rows, [(100_003, 13)], "f8", (0,)),
    "rows of 100 items at once": (of_rows, [(30_003, 100)], "f8", (0,)),
    "columns of few rows": (of_few, [(3, 300_001)], "f4", (0,)),
    "columns of some rows": (of_few, [(16, 300_001)], "f8", (0,)),
    "columns of bytes": (of_few, [(16, 300_001)], "u1", (0,)),
    "rows from memory": (of_exponentials, [(250_040, 9)], "f8", (0,)),
    "rows of 37 items from memory": (of_exponentials, [(113_400, 37)], "f4", (0,)),
    "rows that no cache holds": (of_few, [(CACHED // 24 + 5, 3)], "f8", WIDTHS),
    "rows of 11 items that no cache holds": (of_few, [(CACHED // 88 + 5, 11)], "f8", WIDTHS),
    "rows of 30 items that no cache holds": (of_few, [(CACHED // 120 + 5, 30)], "f4", WIDTHS),
    "few rows of 3 items": (of_means, [(40, 33, 3)], "f4", WIDTHS),
    "few rows of 5 items": (of_means, [(300, 100, 5)], "f8", WIDTHS),
    "few rows of 11 items": (of_means, [(9, 130, 11)], "c8", WIDTHS),
    "few rows of one array": (of_means, [(1, 64, 3)], "f8", WIDTHS),
    "repeated rows": (lambda m, x, y: m.exp(-((x - y) ** 2)), [(100_003, 3), 3], "f8", (0,)),
    "operands laid out anew": (distances, [(600, 3), (600, 3)], "f8", EVERY),
    "rows stored and reduced": (softmax, [(100_003, 10)], "f4", (0,)),
    "longer rows stored and reduced": (softmax, [(50_001, 20)], "f4", (0,)),
    "short rows in turn": (everything, [(60_003, 3), 3, 60_003], "f8", (0,)),
    "rows of 12 items in turn": (everything, [(60_003, 12), 12, 60_003], "f4", (0,)),
    "rows of 31 items in turn": (everything, [(60_003, 31), 31, 60_003], "f8", (0,)),
    "rows of 100 items in turn": (everything, [(20_003, 100), 100, 20_003], "f4", (0,)),
    "rows reduced before other axes": (reduced_before_others, [(300, 4, 100), 100], "f4", EVERY),
    "short rows reduced before others": (reduced_before_others, [(70, 3, 2), 2], "f8", EVERY),
    "sums along another axis": (turned_products, TURNED, "f4", (0,)),
    "neighbours": (around, [(600, 700)], "f8", (0,)),
    "columns side by side": (columns_in_turn, [(400_000, 1)], "f8", (0,)),
    "few columns side by side": (columns_in_turn, [(5000, 1)], "f8", (0,)),
    "matrix pass": (logistic, [(400, 784), 784, 400], "f8", (0,)),
    "matrix pass over many rows": (logistic, [(9001, 100), 100, 9001], "f4", (0,)),
    "matrix pass over more rows": (logistic, [(70_001, 64), 64, 70_001], "f8", (0,)),
}


@pytest.mark.parametrize("name", CASES)
def test_bits_depend_on_neither_threads_nor_vectors(name):
    build, shapes, dtype, widths = CASES[name]
    arrays = [values(shape, np.dtype(dtype).name, i) / 2 for i, shape in enumerate(shapes)]
    arrays = [array.astype(dtype) for array in arrays]
    found = same_bits(build, *arrays, widths=widths)
    wanted = build(np, *(a.astype({"f4": "f8", "c8": "c16"}.get(dtype, dtype)) for a in arrays))
    assert_agree(found, wanted, CLOSE)


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64", "complex128"])
def test_copies_and_joins_on_threads_are_those_of_numpy(dtype):
    def build(m, x, few, cube):
        ones = m.ones((x.shape[0], 1), dtype)
        copies = [x.T.flatten(), x[::-1, ::-1], x[:, ::2], x[1:, 1:], few.T.flatten(), few[:, ::2]]
        joins = [m.concatenate([ones, x, ones + ones], axis=1), m.concatenate([few] * 5, axis=1)]
        taken = [few.T[:, [2, 0, 0, 1]], x[:, [-700, 1, 5] * 500]]
        return (
            copies
            + joins
            + taken
            + [m.transpose(cube, axes) for axes in ((0, 3, 1, 2), (3, 2, 1, 0))]
        )

    arrays = [values(s, dtype) for s in ((1025, 771), (3, 70_001), (9, 50, 61, 3))]
    for one, two in zip(same_bits(build, *arrays), build(np, *arrays), strict=True):
        assert one.dtype == two.dtype and np.array_equal(one, two)


def test_interpolation_and_its_gradient_on_threads():
    def interpolated(y, x):
        i = T.cast(x, "int64")
        return y[i] * (1 - x + i) + y[i + 1] * (x - i)

    def build(m, x, y):
        out = interpolated(y, x)
        return [out, *T.grad((out**2).sum(), [x, y])]

    given, knots = np.random.default_rng(8).random(300_000) * 90, values(100)
    value, by_x, by_y = same_bits(build, given, knots)
    i = given.astype(int)
    t, wanted = given - i, np.zeros(100)
    np.testing.assert_allclose(value, knots[i] * (1 - t) + knots[i + 1] * t, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(by_x, 2 * value * (knots[i + 1] - knots[i]), rtol=1e-9, atol=1e-12)
    np.add.at(wanted, i, 2 * value * (1 - t))
    np.add.at(wanted, i + 1, 2 * value * t)
    np.testing.assert_allclose(by_y, wanted, rtol=1e-9)


def test_sums_of_blocks_round_less():
    x = np.full((1_000_000, 2), np.float32(0.1))
    sums = same_bits(lambda m, x: x.sum(axis=0), x)
    np.testing.assert_allclose(sums, x.sum(0, dtype="float64"), rtol=1e-4)
