"""Reductions of rows of some items, of which kernels reduce several at once."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import values
from support.comparison import SUMS
from support.loops import agree
from theano._core.lower.llvm.kernels import rows_at_once
from theano._core.lower.llvm.target.codegen import smallest_masked_item

KINDS = ["int8", "uint16", "int32", "int64", "float32", "float64", "complex64", "complex128"]
LENGTHS = [1, 4, 5, 6, 8, 9, 15, 16, 17, 31, 33, 64, 100, 255, 256, 257, 513]


@pytest.mark.parametrize("width", [0, 256, 128])
@pytest.mark.parametrize("kind", KINDS)
def test_sums_and_largest_items_alone_and_together(kind, width):
    builds = [lambda m, x: x.sum(axis=1), lambda m, x: (x * x).sum(axis=1)]
    builds.append(lambda m, x: [x.sum(axis=1), (x * x).sum(axis=1)])
    if kind[0] != "c":
        builds.append(lambda m, x: x.max(axis=1))
    for build in builds:
        shapes = [[(rows, n)] for rows in (1, 7, 8, 9, 16, 33) for n in LENGTHS]
        agree(build, kind, shapes, width=width)


@pytest.mark.parametrize("kind", ["float32", "float64", "int32"])
def test_what_is_the_same_for_rows_or_columns(kind):
    agree(
        lambda m, x, rows, columns: [(x - rows[..., None]).sum(axis=2), (x * columns).max(axis=2)],
        kind,
        [[(3, 17, n), (3, 17), (n,)] for n in LENGTHS],
    )


@pytest.mark.parametrize("kind", ["int16", "float32", "float64", "complex128"])
def test_rows_of_parts(kind):
    def build(m, x, y):
        return [(x[:, 1:] - x[:, :-1]).sum(axis=1), (x[::2, 2:] * y[:, 1:-1]).sum(axis=1)]

    agree(build, kind, [[(41, n), (21, n)] for n in (5, 7, 10, 18, 35, 130)])


def test_results_that_lie_apart():
    agree(
        lambda m, x: m.stack([x[:, 1:].sum(axis=1), x.max(axis=1)], axis=1),
        "float64",
        [[(40, n)] for n in (6, 12, 50)],
    )


def test_items_that_are_no_numbers():
    def special(shape, dtype, seed):
        a = values(shape, dtype)
        a[range(4), shape[1] // 2] = [np.nan, np.inf, -np.inf, -0.0]
        a[4] = -0.0
        return a

    def build(m, x):
        return [x.max(axis=1), x.sum(axis=1)]

    agree(build, "float32", [[(20, n)] for n in LENGTHS], make=special, tolerance=SUMS)


def test_which_kernel_runs():
    x = T.matrix("x", dtype="float32")
    kernels = theano.function([x], x.sum(axis=1)).maker.kernels
    at_once = [k for k in kernels if getattr(k, "flat", False)]
    # Only processors that have masks run it.
    assert [k.eager for k in at_once] == [True] * (0 < smallest_masked_item(0) <= 4)
    for slow in (T.exp(x), T.sqrt(x), 1 / x, T.cast(x, "int64") % 3):
        kernels = theano.function([x], slow.sum(axis=1)).maker.kernels
        assert not any(getattr(k, "flat", False) for k in kernels)


@pytest.mark.parametrize("size", [2, 4, 8])
@pytest.mark.parametrize("lanes", [2, 4, 8, 16])
def test_the_order_of_rows(lanes, size):
    count = min(rows_at_once.MOST, lanes)
    order = rows_at_once._order(count, lanes, size)
    vectors = [[(order.index(row), lane) for lane in range(lanes)] for row in range(count)]
    part = lanes
    while len(vectors) > 1:
        part //= 2
        one, two = rows_at_once._halves([lanes // (2 * part)] * 2, part, size)
        pairs = zip(vectors[::2], vectors[1::2], strict=True)
        joined = [(x + y, x + y) for x, y in pairs]
        for low, high in joined:
            assert [low[i][0] for i in one] == [high[j][0] for j in two]
        vectors = [[low[i] for i in one] for low, _ in joined]
    assert [row for row, _ in vectors[0]] == sorted([*range(count)] * (lanes // count))
