"""The last items of an axis, fewer than a vector: nothing beyond them is read or written."""

import itertools

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import values
from support.loops import WIDTHS, small

DTYPES = ["int8", "float16", "int32", "float32", "float64", "complex64", "complex128"]
LENGTHS = [1, 2, 3, 4, 5, 7, 8, 9, 15, 31, 33, 63, 65]
# In a kernel whose last vectors of rows are never read where they lie.
READ_APART = "br i1 false, label"


def long(x, y=None):
    for _ in range(6):
        x = x * x - (x if y is None else y)
    return x


def at_the_end(page, given, behind=0):
    """Return what is given in the last bytes of the page, or so many before."""
    end = page.size - behind
    inside = page[end - given.nbytes : end].view(given.dtype)
    inside[:] = given
    return inside


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("width", [0, *WIDTHS])
def test_neighbouring_pages_are_not_touched(page, width, dtype):
    x = T.TensorType(dtype, (False,))("x")
    with theano.config.change_flags(vector_width=width):
        f = theano.function([x], [x * x + x, x.sum(dtype=dtype, acc_dtype=dtype)])
    for n in LENGTHS:
        given = small(n, dtype)
        page[: given.nbytes].view(dtype)[:] = given
        for array in (page[: given.nbytes].view(dtype), at_the_end(page, given)):
            elementwise, total = f(array)
            np.testing.assert_array_equal(elementwise, given * given + given)
            assert total == given.sum(dtype=dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("width", [0, *WIDTHS])
def test_rows_write_only_their_own_items(page, width, dtype):
    m = theano.shared(np.zeros((1, 1), dtype), broadcastable=(False, False))
    r = T.TensorType(dtype, (False,))("r")
    with theano.config.change_flags(vector_width=width):
        f = theano.function([r], m.sum(axis=0, dtype=dtype, acc_dtype=dtype), updates=[(m, m + r)])
    for n in LENGTHS:
        given, row = small((3, n), dtype), np.arange(n).astype(dtype)
        m.set_value(at_the_end(page, given.reshape(-1)).reshape(3, n), borrow=True)
        np.testing.assert_array_equal(f(row), given.sum(axis=0, dtype=dtype))
        np.testing.assert_array_equal(m.get_value(borrow=True), given + row)
    m.set_value(np.zeros((1, 1), dtype))


@pytest.mark.parametrize("dtype", ["int8", "int32", "float32", "float64", "complex64"])
@pytest.mark.parametrize("width", [0, *WIDTHS])
def test_what_lies_behind_is_read_within_a_page_only(page, width, dtype):
    """And has no part in results, whatever it is: NaN, or a divisor of 0."""
    x, y = T.TensorType(dtype, (False,))("x"), T.TensorType(dtype, (False,))("y")
    outputs = [long(x, y), long(y, x).sum(dtype=dtype, acc_dtype=dtype)]
    if dtype.startswith("int"):
        outputs.append(long(x, y) // y)
    with theano.config.change_flags(vector_width=width):
        f = theano.function([x, y], outputs)
    rng = np.random.default_rng(2)
    for n, behind in itertools.product((1, 3, 5, 15, 31), range(0, 136, 8)):
        one, two = rng.integers(1, 3, (2, n)).astype(dtype)
        wanted = f(one, two)
        for filling in (0, 255):
            page[:] = filling
            inside = at_the_end(page, one, behind)
            for got in (f(inside, two), f(one.copy(), two)):
                for a, b in zip(got, wanted, strict=True):
                    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_lies_behind_is_not_computed_with_where_lanes_decide_what_is_run(dtype):
    """A large angle there would have every row of a few items take the way of large angles."""
    x = T.TensorType(dtype, (False, False))("x")
    f, g = (theano.function([x], y) for y in (T.sin(x[:, 1:]), long(x[:, 1:])))
    assert READ_APART in f.maker.kernels[0].text
    assert READ_APART not in g.maker.kernels[0].text
    around = np.full((1, 64), 1e30, dtype)
    for n in range(1, 20):
        around[0, 1 : n + 1] = np.arange(n)
        inside = around[:, : n + 1]
        many = np.concatenate([inside, np.tile(inside[:, 1:], 64)], axis=1)
        np.testing.assert_array_equal(f(inside), f(many)[:, :n])


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_what_lies_behind_an_array_of_floats_is_not_computed_with(dtype):
    """Integers there, as floats, are subnormal: each row would take hundreds of cycles more."""
    x, y = T.TensorType(dtype, (False, False))("x"), T.TensorType(dtype, (False,))("y")
    # Behind most rows lie others.
    f = theano.function([x], long(x[:, 1:] * x[:, :-1]))
    assert READ_APART not in f.maker.kernels[0].text
    assert "icmp ule ptr" in f.maker.kernels[0].text
    # All rows are multiplied by one, behind which lies anything.
    g = theano.function([x, y], long(x[:, 1:] * y))
    assert READ_APART in g.maker.kernels[0].text
    rtol = 1e-4 if dtype == "float32" else 1e-12
    for n in (2, 5, 19, 33):
        rows = abs(np.sin(values((4, n)))).astype(dtype)
        one = rows[0, 1:].copy()
        np.testing.assert_allclose(f(rows), long(rows[:, 1:] * rows[:, :-1]), rtol)
        np.testing.assert_allclose(g(rows, one), long(rows[:, 1:] * one), rtol)
