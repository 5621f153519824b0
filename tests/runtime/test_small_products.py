"""Products of stacks of small matrices against NumPy, in all layouts, beside memory of others."""

import itertools

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import variable

SIDES = (1, 2, 3, 4, 7, 8, 9, 16, 17, 31, 33, 64, 65)
LAYOUTS = ["packed", "turned", "apart", "backwards", "broadcast"]
in_dtypes = pytest.mark.parametrize("dtype", ["float32", "float64"])
in_layouts = pytest.mark.parametrize("layout", LAYOUTS)
rng = np.random.default_rng(3)


def stack(shape, dtype, layout):
    """Return a stack of matrices, all around which are NaN."""
    count, rows, columns = shape
    if layout == "broadcast":
        return np.broadcast_to(stack((1, rows, columns), dtype, "packed"), shape)
    if layout == "turned":
        return stack((count, columns, rows), dtype, "packed").swapaxes(1, 2)
    if layout == "backwards":
        return stack(shape, dtype, "packed")[::-1, ::-1, ::-1]
    wide = np.full((count + 2, rows, columns + (3 if layout == "apart" else 0)), np.nan, dtype)
    inner = wide[1:-1, :, :columns]
    inner[...] = rng.normal(size=shape)
    return inner


def products(ndim, dtype):
    x, y = variable(dtype, ndim), variable(dtype, ndim)
    return theano.function([x, y], x @ y)


def check(found, a, b):
    """Compare with a product in double precision, relative to that of the absolute values."""
    a, b = a.astype("float64"), b.astype("float64")
    close = 1e-5 if found.dtype == "float32" else 1e-13
    assert (abs(found - a @ b) <= close * (abs(a) @ abs(b))).all(), (a.shape, b.shape)


def on_threads(count, f, *arguments):
    with theano.change_flags(threads=count):
        return f(*arguments)


@in_dtypes
@in_layouts
def test_any_layout(layout, dtype):
    f = products(3, dtype)
    sides = itertools.product(SIDES[:9], SIDES, SIDES)
    for (rows, terms, columns), count in zip(sides, itertools.cycle((1, 2, 5)), strict=False):
        a, b = (stack((count, *s), dtype, layout) for s in ((rows, terms), (terms, columns)))
        check(f(a, b), a, b)


@in_dtypes
def test_bits_depend_neither_on_threads_nor_on_the_stack(dtype):
    f, one = products(3, dtype), products(2, dtype)
    for side in (2, 3, 4, 6, 8, 11, 16, 20):
        a, b = (rng.normal(size=(700, side, side)).astype(dtype) for _ in range(2))
        alone = on_threads(1, f, a, b)
        for i in (0, 350, 698, 699):
            assert np.array_equal(one(a[i], b[i]), alone[i])
            assert np.array_equal(f(a[i:], b[i:])[0], alone[i])
        assert np.array_equal(on_threads(4, f, a, b), alone)


@in_dtypes
@in_layouts
def test_many_that_fit_a_vector(layout, dtype):
    f, around = products(3, dtype), variable(dtype, 3)
    w = theano.shared(np.zeros((3, 1, 1), dtype))
    g = theano.function([around], updates=[(w, around @ around)])
    for rows, terms, columns in itertools.product((1, 2, 3, 4, 5), (1, 2, 3, 4, 5), (1, 2, 3, 4)):
        a, b = (stack((3001, *s), dtype, layout) for s in ((rows, terms), (terms, columns)))
        found = on_threads(1, f, a, b)
        check(found, a, b)
        for part in (slice(0, 3), slice(7, 40), slice(2990, 3001)):
            assert np.array_equal(f(a[part], b[part]), found[part])
        assert np.array_equal(on_threads(3, f, a, b), found)
        if rows == terms == columns:
            g(a)
            assert np.array_equal(w.get_value(), f(a, a))


@in_dtypes
@in_layouts
def test_bits_of_stacks_of_matrices_and_vectors(layout, dtype):
    f = products(3, dtype)
    for terms, length, right in itertools.product((2, 3, 5, 8, 10, 17, 33), SIDES[1:], (0, 1)):
        a, b = stack((301, 1, terms), dtype, layout), stack((301, terms, length), dtype, layout)
        if right:
            a, b = b.swapaxes(1, 2), a.swapaxes(1, 2)
        found = on_threads(1, f, a, b)
        if length <= 8:
            # Of short ones, the sums are in order, whichever of the loops makes them.
            turned = f(b.swapaxes(1, 2).copy(), a.swapaxes(1, 2).copy()).swapaxes(1, 2)
            assert np.array_equal(turned, found), (terms, length, right)
        for part in (slice(0, 2), slice(7, 30), slice(300, 301)):
            assert np.array_equal(f(a[part], b[part]), found[part]), (terms, length, right)
        assert np.array_equal(on_threads(2, f, a, b), found)


@pytest.mark.parametrize("columns", [2, 3, 4, 5, 8, 16])
@in_dtypes
@pytest.mark.parametrize("layout", LAYOUTS[:-1])
def test_many_rows_of_some_or_of_one_vector(layout, dtype, columns):
    x, y, z = (T.matrix(dtype=dtype) for _ in range(3))
    half = np.asarray(0.5, dtype)
    f = theano.function([x, y, z], [T.dot(x, y), z * half - half * T.dot(x, y)])
    close = 1e-5 if dtype == "float32" else 1e-13
    for rows, terms in itertools.product((255, 256, 384, 1001), (1, 2, 3, 4, 5, 8, 32, 33)):
        a, b = (stack((1, *s), dtype, layout)[0] for s in ((rows, terms), (terms, columns)))
        c = stack((1, rows, columns), dtype, "packed")[0]
        alone, shared = (on_threads(threads, f, a, b, c) for threads in (1, 3))
        wide = [m.astype("float64") for m in (a, b, c)]
        product, scale = wide[0] @ wide[1], abs(wide[0]) @ abs(wide[1]) + abs(wide[2])
        for got, right in zip(alone, (product, (wide[2] - product) / 2), strict=True):
            assert (abs(got - right) <= close * scale).all(), (rows, terms)
        assert all(map(np.array_equal, alone, shared))


@pytest.mark.parametrize(
    "shape", [(0, 3, 3), (4, 0, 3), (4, 3, 0), (2, 0, 0), (20, 1, 1), (3, 0, 1)]
)
@pytest.mark.parametrize("columns", [0, 1, 2])
def test_nothing_times_something_is_zero(shape, columns):
    count, rows, terms = shape
    result = products(3, "float64")(np.zeros(shape), np.ones((count, terms, columns)))
    assert result.shape == (count, rows, columns) and not result.any()


def test_what_is_infinite_stays_in_its_row():
    f, a, b = products(3, "float64"), np.ones((3, 3, 3)), np.ones((3, 3, 3))
    a[1, 2, 0], b[2, 0, 1] = np.inf, np.nan
    with np.errstate(invalid="ignore"):
        assert np.array_equal(f(a, b), a @ b, equal_nan=True)
