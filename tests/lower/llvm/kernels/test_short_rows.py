"""Loops over many short rows, whose vectors run over the rows."""

import itertools

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import values
from support.comparison import ROUNDING, SUMS
from support.loops import WIDTHS, agree, small
from theano._core.lower.llvm.kernels.kernel import REDUCTION_BLOCK
from theano._core.lower.llvm.kernels.lanes import SHORT

REAL = ["bool", "int8", "int16", "int64", "float16", "float32", "float64"]
KINDS = [*REAL, "complex128"]
LENGTHS = [1, 2, 3, 4, 5, SHORT, SHORT + 1]
ROWS = [3, 4, 7, 8, 31, 32, 199]
MATRICES = list(itertools.product(ROWS, LENGTHS))


@pytest.mark.parametrize("kind", KINDS)
def test_reductions_of_rows_and_of_columns(kind):
    ordered = ["sum", "max", "min", "any", "all", "argmax", "argmin"]
    names = ["sum", "prod"] if kind[0] == "c" else ordered
    agree(
        lambda m, x: [getattr(x, name)(axis=axis) for name in names for axis in (0, 1)],
        kind,
        [[shape] for shape in MATRICES],
        tolerance=SUMS if kind[0] == "c" else None,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_everything_in_short_rows_is_reduced(kind):
    def build(m, x, row):
        kept, top = (x, x) if kind == "bool" else (x + x, x * row)
        ordered = [] if kind[0] == "c" else [x.max(), kept.min()]
        sums = [x.sum(), m.not_equal(x, 0).all(), top.sum(), kept, kept.sum(), top.sum(axis=0)]
        return sums + ordered

    lengths = [1, 2, 3, 5, 7, SHORT, SHORT + 1, 31, 33]
    shapes = [[(rows, n), (n,)] for rows in (3, 8, 300) for n in lengths]
    shapes += [[(REDUCTION_BLOCK + 1, n), (n,)] for n in (1, 3, SHORT, 33)]
    agree(build, kind, shapes)


@pytest.mark.parametrize("kind", KINDS)
def test_stores_of_what_lies_apart(kind):
    def build(m, x, y, row):
        stacked = m.stack([x, y], 2)[:, :, 0] + row
        return [x[:, ::-1] + row, x + y, stacked, m.equal(x, row), x.T + y.T]

    lengths = [1, 2, 3, 7, 15, 16, 17, 63, 64]
    agree(build, kind, [[(r, n), (r, n), (n,)] for r in ROWS for n in lengths])


@pytest.mark.parametrize("kind", KINDS)
def test_parts_of_rows_and_rolled_rows(kind):
    for wide in range(5):
        agree(
            lambda m, x, n=wide: [m.equal(x[:, :n], x[:, 1 : n + 1]), m.equal(m.roll(x, 1, 1), x)],
            kind,
            [[(rows, n)] for rows in ROWS for n in (1, 2, 3, 16, 17, 40) if n > wide],
        )


@pytest.mark.parametrize("kind", ["int16", "float32", "float64"])
def test_rows_that_are_stored_reduced_and_overwritten(kind):
    def build(m, x, v):
        product = x * v[:, None]
        e = m.exp(x - x.max(axis=1, keepdims=True).astype("float64"))
        return [product, product.max(1), product.sum(1), e / e.sum(axis=1, keepdims=True)]

    # Up to three quarters of a vector, and more.
    lengths = (2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 24, 25, 49)
    agree(build, kind, [[(r, n), (r,)] for r in ROWS for n in lengths], tolerance=ROUNDING)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", [*REAL, "uint8"])
def test_operands_of_an_item_a_row_one_row_for_all_and_places(kind, width):
    def build(m, x, row, column):
        number = m.arange(x.shape[2], dtype="int8")
        whole = x * row + column[:, :, None]
        return [whole.max(axis=2), (x * number).sum(axis=2), (x * row).min(axis=(0, 2))]

    shapes = [[(3, r, n), (n,), (3, r)] for n in (1, 2, 3, 4, 5) for r in (1, 7, 70, 200)]
    agree(build, kind, shapes, width=width)


def test_vectors_run_across_rows_of_two_items_of_wider_arrays():
    x, n = T.dmatrix("x"), T.lscalar("n")
    f = theano.function([x, n], T.sort(x, axis=1)[:, :n] * 2)
    layouts = [(kernel.layout, kernel.groups) for kernel in f.maker.kernels]
    assert ("strided", [[1], [0]]) in layouts and ("strided", [[0], [1]]) not in layouts
    a = small((50, 20))
    for wide in range(5):
        np.testing.assert_array_equal(f(a, wide), np.sort(a, 1)[:, :wide] * 2)


def test_stores_of_short_rows_of_more_axes():
    def build(m, x, y):
        return [x * 2 - y, m.transpose(x, (3, 1, 2, 0)) + m.transpose(y, (3, 1, 2, 0))]

    shapes = [(3, 2, 70, 4), (70, 1, 1, 5), (2, 80, 1, 3), (0, 70, 70, 3), (2, 70, 0, 3)]
    agree(build, "float32", [[shape] * 2 for shape in shapes * 7])


def test_expressions_of_short_rows():
    def build(m, x, c):
        d = x - c
        sums = [m.log(m.exp(d / 4).sum(axis=2)), (d**2).sum(axis=(1, 2)), x.sum(axis=1)]
        return [*sums, (x * m.arange(x.shape[2])).max(axis=2)]

    shapes = [(70, 3, 2), (2, 100, 3), (65, 1, 4), (0, 70, 3), (9, 70, 1)]
    agree(build, "float64", [[shape, shape[-1:]] for shape in shapes], tolerance=SUMS)


CUTS = [
    lambda a: a[:, ::-1],
    lambda a: a[:, :, ::-1],
    lambda a: a[..., ::-1],
    lambda a: a[::-1, 1:-1, 2:-1],
    lambda a: a[:, :, ::2],
    lambda a: a[:, ::-2, 1:, :1],
]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", ["bool", "uint8", "int16", "float32", "float64", "complex64"])
def test_parts_of_images_however_they_are_cut(kind, width):
    def build(m, x, y, v):
        sums = [cut(x) + cut(y) for cut in CUTS]
        return [*sums, *(cut(x).flatten() for cut in CUTS), x[:, ::-1] + v]

    shapes = [(2, 7, 9, 3), (1, 20, 70, 4), (2, 3, 130, 1), (3, 1, 1, 5), (2, 5, 0, 3)]
    agree(build, kind, [[shape, shape, shape[-1:]] for shape in shapes * 2], width=width)


def test_strided_complex_numbers_beside_integers_of_their_size():
    def build(m, z, i, x):
        return [z.T + x, m.where(m.equal(i.T, 1), z.T, x), (z.T * i.T).sum(axis=1)]

    agree(build, ["complex64", "int64", "float32"], [[(20, 9), (20, 9), (9, 20)]] * 7)


@pytest.mark.parametrize("kind", ["float32", "float64", "int64", "complex64"])
def test_many_small_matrices(kind):
    def build(m, a, x):
        turned, sums = a * x[:, None, :], a + x[:, :, None]
        return [turned.sum(2), sums.prod(1), turned - x[:, :, None], turned.sum((1, 2))]

    shapes = [(n, k) for n in (0, 1, 5, 8, 9, 64, 300) for k in (1, 2, 3, 4, 7)]
    agree(build, kind, [[(n, k, k), (n, k)] for n, k in shapes], tolerance=SUMS)


def test_vectors_run_over_points_of_small_matrices():
    a, x = T.dtensor3("a"), T.dmatrix("x")
    f = theano.function([a, x], (a * x[:, None, :]).sum(axis=2))
    layouts = [(k.layout, k.groups) for k in f.maker.kernels if hasattr(k, "layout")]
    assert ("strided", [[1], [2], [0]]) in layouts
    one, two = values((50_000, 3, 3)), values((50_000, 3))
    # Terms are added from the first one on.
    first, second, third = (one[:, :, i] * two[:, i : i + 1] for i in range(3))
    np.testing.assert_array_equal(f(one, two), first + second + third)


def test_matrices_that_are_known_to_be_without_gaps():
    table, i = T.dmatrix("table"), T.lmatrix("i")
    f = theano.function([table, i], [table[i].max(axis=1), table[i].sum(axis=2)])
    items = small((9, 3))
    for shape in ((40, 3), (40, 12), (2, 5)):
        at = np.arange(shape[0] * shape[1]).reshape(shape) % 9
        for got, wanted in zip(f(items, at), (items[at].max(1), items[at].sum(2)), strict=True):
            np.testing.assert_array_equal(got, wanted)
