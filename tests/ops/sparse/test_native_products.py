"""Products of sparse and dense matrices by the runtime: SciPy's bits, and nothing read outside."""

import numpy as np
import pytest
import scipy.sparse as sp

import theano
from theano import sparse
from theano._core.runtime import native

rng = np.random.default_rng(0)


def drawn(rows, columns, format, dtype, items):
    if not rows * columns:
        items = 0
    places = [rng.integers(0, max(n, 1), items) for n in (rows, columns)]
    return sp.coo_matrix((rng.normal(size=items).astype(dtype), places), (rows, columns)).asformat(
        format
    )


@pytest.mark.parametrize("format", ["csr", "csc"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "complex64"])
@pytest.mark.parametrize("shape", [(5, 7), (0, 4), (4, 0), (200, 300), (1, 1)])
def test_bits_of_scipy(format, dtype, shape):
    x = sparse.matrix(format, "x", dtype)
    y, z = theano.tensor.TensorType(dtype, (False, False))("y"), theano.tensor.matrix("z", dtype)
    f = theano.function([x, y], sparse.dot(x, y))
    g = theano.function([z, x], sparse.dot(z, x))
    a = drawn(*shape, format, dtype, 3 * sum(shape))
    for columns in (0, 1, 3, 4, 17, 64, 200):
        b = (rng.normal(size=(columns, 2 * shape[1])) * 4).astype(dtype)
        for given in (np.ascontiguousarray(b.T[: shape[1]]), b.T[::2], b.T[: shape[1]][::-1]):
            np.testing.assert_array_equal(f(a, given), a @ given)
        c = (rng.normal(size=(columns, shape[0])) * 4).astype(dtype)
        np.testing.assert_array_equal(g(c, a), c @ a)


@pytest.mark.parametrize("by_rows", [True, False])
@pytest.mark.parametrize("index", ["int32", "int64"])
def test_what_lies_outside_is_refused(by_rows, index):
    data, dense = np.ones(3), np.ones((4, 5))
    for indices, starts in (
        ([0, 1, 4], [0, 1, 2, 3, 3]),
        ([0, -1, 2], [0, 1, 2, 3, 3]),
        ([0, 1, 2], [0, 2, 1, 3, 3]),
        ([0, 1, 2], [0, 1, 2, 3, 4]),
        ([0, 1, 2], [1, 1, 2, 3, 3]),
        ([0, 1, 2], [-1, 1, 2, 3, 3]),
    ):
        arrays = np.array(indices, index), np.array(starts, index)
        assert not native.sparse_fit(*arrays, 3, 4)
        with pytest.raises(ValueError, match="out of range"):
            native.sparse_matmul(by_rows, data, *arrays, dense, 4)
    good = np.array([0, 1, 2], index), np.array([0, 1, 2, 3, 3], index)
    assert native.sparse_fit(*good, 3, 4)
    for bad in (dense.T, dense[:, ::2], dense.astype("float32")):
        with pytest.raises(TypeError, match="fit"):
            native.sparse_matmul(by_rows, data, *good, bad, 4)
    for rows in (-1, 3 if by_rows else -4):
        with pytest.raises(TypeError, match="fit"):
            native.sparse_matmul(by_rows, data, *good, dense, rows)
    with pytest.raises(TypeError, match="fit"):
        native.sparse_fit(good[0], good[1].astype("int16"), 3, 4)
    with pytest.raises(MemoryError):
        native.sparse_matmul(False, data, *good, dense, 1 << 60)
    assert native.sparse_matmul(by_rows, data, *good, dense, 4).sum() == 15


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rows", [1, 5, 3000, 70_000])
def test_products_are_added_in_the_order_of_columns(dtype, rows):
    # In each row, items keep the order of columns: these sums depend on it.
    a = drawn(rows, 4000, "csc", dtype, 100_000)
    a.data *= 10.0 ** rng.integers(-8, 8, a.nnz)
    a.indices = a.indices.copy()
    for column in range(0, 4000, 7):
        part = slice(a.indptr[column], a.indptr[column + 1])
        a.indices[part] = a.indices[part][::-1]  # not sorted
    for columns in (1, 3, 4, 5, 20):
        b = rng.normal(size=(4000, columns)).astype(dtype)
        for threads in (1, 2):
            native.set_threads(threads)
            found = native.sparse_matmul(False, a.data, a.indices, a.indptr, b, rows)
            np.testing.assert_array_equal(found, a @ b)


def test_memory_that_ends_is_an_error():
    a, b = drawn(300, 300, "csc", "float64", 3000), np.ones((300, 8))
    for after in range(4):
        native.trim_pool()
        native.fail_allocations(after, 1)
        try:
            with pytest.raises(MemoryError):
                native.sparse_matmul(False, a.data, a.indices, a.indptr, b, 300)
        finally:
            assert native.fail_allocations(0, 0) == 0
