"""Operands that loops over short last axes read again and again are laid out anew before."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import unaligned
from support.comparison import ROUNDING
from support.compiling import program_text
from support.loops import agree, assert_agree, small
from theano._core.lower.builder import laid_out

KINDS = ["bool", "int8", "int64", "float16", "float32", "float64", "complex64", "complex128"]
# Read so often, in so many rows, of such a length.
SHAPES = [
    (outer, rows, length)
    for outer in (1, laid_out.FEWEST - 1, laid_out.FEWEST, 40)
    for rows, length in [(1, 3), (5, 2), (8, 3), (31, 4), (33, 12), (70, 13), (9, 40), (64, 1)]
]
EMPTY = [(0, 9, 3), (9, 0, 3), (9, 9, 0)]


def with_nan(shape, dtype, seed):
    found = small(shape, dtype, seed)
    if dtype.startswith("float") and found.size:
        found.flat[found.size // 2] = np.nan
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_reductions_of_rows_that_are_the_same_for_all(kind):
    def build(m, x, y, w):
        both = x[:, None, :] * y
        largest = [] if kind.startswith("complex") else [both.max(axis=2)]
        return [both.sum(axis=2), (both * w[:, :, None]).sum(axis=2), *largest]

    shapes = [[(o, n), (rows, n), (o, rows)] for o, rows, n in SHAPES + EMPTY[:2]]
    agree(build, kind, shapes, make=with_nan)
    agree(
        lambda m, x, y: (x[:, None, :] * y).prod(axis=2),
        kind,
        [shape[:2] for shape in shapes],
        tolerance=ROUNDING,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_parts_that_are_the_same_along_a_short_axis(kind):
    def build(m, x, by_row, by_column):
        product = x * by_row[:, None]
        return [product, product + by_column, product.sum(axis=0)]

    shapes = [[(o, rows, n), (rows,), (n,)] for o, rows, n in SHAPES + EMPTY]
    f = agree(build, kind, shapes, make=with_nan)
    arrays = [small(shape, kind) for shape in shapes[20]]
    assert_agree(f(*map(unaligned, arrays)), build(np, *arrays))


@pytest.mark.parametrize("kind", ["bool", "int8", "float16", "float32", "float64", "complex128"])
def test_parts_of_images_whose_channels_are_last(kind):
    def build(m, x, w, by_column):
        inside = x[:, 1:-1, 1:-1]
        terms = [x[:, i : x.shape[1] - 2 + i, 1:-1] * w[i] for i in range(3)]
        terms += [x[:, 1:-1, i : x.shape[2] - 2 + i] * w[i + 3] for i in range(3)]
        return [inside * w[0] + w[1], inside * by_column[:, None], sum(terms[1:], terms[0])]

    sizes = [(5, 3), (4, 16), (31, 17), (3, 40), (20, 1), (2, 3), (7, 0)]
    shapes = [(outer, rows, n) for outer in (1, laid_out.FEWEST) for rows, n in sizes]
    f = agree(build, kind, [[(o, 9, r + 2, n), (6, n), (r,)] for o, r, n in shapes], make=with_nan)
    assert "kernel copy" in program_text(f)


@pytest.mark.parametrize("kind", ["uint8", "float32", "complex128"])
def test_parts_that_lie_backwards_or_apart(kind):
    def build(m, x, w, v):
        # Rows are one after the other, and the whole is not.
        by_row = [x[::2] * part[:, None] for part in (w[::-1, 1], w[:, 0], w.T[1, ::-1])]
        return by_row + [x[::2] * part for part in (v[0, ::-1], v[1], v.T[::-1, 0])]

    sizes = [(7, 5), (9, 3), (33, 7), (5, 40)]
    agree(build, kind, [[(40, r, n), (r, 2), (2, n)] for r, n in sizes * 2])


def test_new_values_of_variables_and_loops_over_steps():
    def moved(at):
        return at + 0.01 * (at[:, None, :] - at).prod(axis=2).sum(axis=1)[:, None]

    x, w = T.dmatrix("x"), theano.shared(np.arange(60.0).reshape(20, 3))
    d = x[:, None, :] - w
    f = theano.function([x], (d * d).sum(axis=2), updates=[(w, w + d.sum(axis=0))])
    at = given = np.random.default_rng(8).normal(size=(9, 3))
    state = w.get_value()
    for _ in range(3):
        away = given[:, None] - state
        np.testing.assert_allclose(f(given), (away**2).sum(2), rtol=1e-12)
        state = state + away.sum(0)
    for row in theano.scan(moved, outputs_info=x, n_steps=4)[0].eval({x: given}):
        at = moved(at)
        np.testing.assert_allclose(row, at, rtol=1e-10, atol=1e-10)
