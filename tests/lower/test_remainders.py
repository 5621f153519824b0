"""The last items of an axis, fewer than a vector: nothing beyond them is read or written."""

from __future__ import annotations

import ctypes
import itertools
import mmap
from collections.abc import Iterator

import numpy as np
import pytest

import theano
import theano.tensor as T

WIDTHS = [0, 128, 256, 512]
DTYPES = ["int8", "float16", "int32", "float32", "float64", "complex64", "complex128"]
LENGTHS = [1, 2, 3, 4, 5, 7, 8, 9, 15, 31, 33, 63, 65]
NO_ACCESS, READ_WRITE = 0, 3
# In a kernel whose last vectors of rows are never read where they lie.
READ_APART = "br i1 false, label"


@pytest.fixture
def page() -> Iterator[np.ndarray]:
    """The bytes of a page between two that fault when they are touched."""
    size = mmap.PAGESIZE
    memory = mmap.mmap(-1, 3 * size)
    whole = np.frombuffer(memory, "uint8")
    protect = ctypes.CDLL(None, use_errno=True).mprotect
    protect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    for start in (0, 2 * size):
        assert protect(whole.ctypes.data + start, size, NO_ACCESS) == 0
    yield whole[size : 2 * size]
    assert protect(whole.ctypes.data, 3 * size, READ_WRITE) == 0


def at_the_end(page: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return `values` in the last bytes of the page."""
    inside = page[page.size - values.nbytes :].view(values.dtype)
    inside[:] = values
    return inside


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("width", WIDTHS)
def test_neighbouring_pages_are_not_touched(page: np.ndarray, width: int, dtype: str) -> None:
    x = T.TensorType(dtype, (False,))("x")
    with theano.config.change_flags(vector_width=width):
        f = theano.function([x], [x * x + x, x.sum(dtype=dtype, acc_dtype=dtype)])
    rng = np.random.default_rng(0)
    for n in LENGTHS:
        values = rng.integers(0, 5, n).astype(dtype)
        at_start = page[: values.nbytes].view(dtype)
        at_start[:] = values
        for array in (at_start, at_the_end(page, values)):
            elementwise, total = f(array)
            np.testing.assert_array_equal(elementwise, values * values + values)
            assert total == values.sum(dtype=dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("width", WIDTHS)
def test_rows_write_only_their_own_items(page: np.ndarray, width: int, dtype: str) -> None:
    m = theano.shared(np.zeros((1, 1), dtype), broadcastable=(False, False))
    r = T.TensorType(dtype, (False,))("r")
    with theano.config.change_flags(vector_width=width):
        f = theano.function([r], m.sum(axis=0, dtype=dtype, acc_dtype=dtype), updates=[(m, m + r)])
    rng = np.random.default_rng(1)
    for n in LENGTHS:
        values = rng.integers(0, 5, (3, n)).astype(dtype)
        inside = at_the_end(page, values.reshape(-1)).reshape(3, n)
        m.set_value(inside, borrow=True)
        row = np.arange(n).astype(dtype)
        np.testing.assert_array_equal(f(row), values.sum(axis=0, dtype=dtype))
        np.testing.assert_array_equal(m.get_value(borrow=True), values + row)
    m.set_value(np.zeros((1, 1), dtype))


@pytest.mark.parametrize("dtype", ["int8", "int32", "float32", "float64", "complex64"])
@pytest.mark.parametrize("width", WIDTHS)
def test_what_lies_behind_is_read_within_a_page_only(
    page: np.ndarray, width: int, dtype: str
) -> None:
    """And has no part in results, whatever it is: NaN, or a divisor of 0."""
    x, y = T.TensorType(dtype, (False,))("x"), T.TensorType(dtype, (False,))("y")

    def long(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        for _ in range(6):
            x = x * x - y
        return x

    outputs = [long(x, y), long(y, x).sum(dtype=dtype, acc_dtype=dtype)]
    if dtype.startswith("int"):
        outputs.append(long(x, y) // y)
    with theano.config.change_flags(vector_width=width):
        f = theano.function([x, y], outputs)
    rng = np.random.default_rng(2)
    for n, behind in itertools.product((1, 3, 5, 15, 31), range(0, 136, 8)):
        values = rng.integers(1, 3, (2, n)).astype(dtype)
        wanted = f(*values)
        for filling in (0, 255):
            page[:] = filling
            end = page.size - behind
            inside = page[end - values[0].nbytes : end].view(dtype)
            inside[:] = values[0]
            for got in (f(inside, values[1]), f(values[0].copy(), values[1])):
                for one, two in zip(got, wanted, strict=True):
                    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_lies_behind_is_not_computed_with_where_lanes_decide_what_is_run(dtype: str) -> None:
    """A large angle there would have every row of a few items take the way of large angles."""
    x = T.TensorType(dtype, (False, False))("x")

    def long(x: T.TensorVariable) -> T.TensorVariable:
        for _ in range(6):
            x = x * x - x
        return x

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
def test_what_lies_behind_an_array_of_floats_is_not_computed_with(dtype: str) -> None:
    """Integers there, as floats, are subnormal: each row would take hundreds of cycles more."""
    x, y = T.TensorType(dtype, (False, False))("x"), T.TensorType(dtype, (False,))("y")

    def long(x: T.TensorVariable) -> T.TensorVariable:
        for _ in range(6):
            x = x * x - x
        return x

    # Behind most rows lie others.
    f = theano.function([x], long(x[:, 1:] * x[:, :-1]))
    text = f.maker.kernels[0].text
    assert READ_APART not in text
    assert "icmp ule ptr" in text
    # All rows are multiplied by one, behind which lies anything.
    g = theano.function([x, y], long(x[:, 1:] * y))
    assert READ_APART in g.maker.kernels[0].text
    rng, rtol = np.random.default_rng(0), 1e-4 if dtype == "float32" else 1e-12
    for n in (2, 5, 19, 33):
        rows = rng.uniform(size=(4, n)).astype(dtype)
        one = rows[0, 1:].copy()
        np.testing.assert_allclose(f(rows), long(rows[:, 1:] * rows[:, :-1]), rtol)
        np.testing.assert_allclose(g(rows, one), long(rows[:, 1:] * one), rtol)
