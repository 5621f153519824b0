"""Products of sparse and dense matrices by the runtime: SciPy's bits, and nothing read outside."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

import theano
from theano import sparse
from theano._core.runtime import native

rng = np.random.default_rng(0)


def drawn(rows: int, columns: int, format: str, dtype: str, items: int) -> sp.spmatrix:
    if not rows * columns:
        items = 0
    places = [rng.integers(0, max(n, 1), items) for n in (rows, columns)]
    return sp.coo_matrix((rng.normal(size=items).astype(dtype), places), (rows, columns)).asformat(
        format
    )


@pytest.mark.parametrize("format", ["csr", "csc"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "complex64"])
@pytest.mark.parametrize("shape", [(5, 7), (0, 4), (4, 0), (200, 300), (1, 1)])
def test_bits_of_scipy(format: str, dtype: str, shape: tuple[int, int]) -> None:
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


def test_threads_have_the_same_bits() -> None:
    x, y = sparse.csr_matrix("x", "float64"), theano.tensor.dmatrix("y")
    a, b = drawn(20_000, 500, "csr", "float64", 100_000), rng.normal(size=(500, 33))
    for threads in (1, 2, 8):
        with theano.config.change_flags(threads=threads):
            np.testing.assert_array_equal(theano.function([x, y], sparse.dot(x, y))(a, b), a @ b)


@pytest.mark.parametrize("by_rows", [True, False])
@pytest.mark.parametrize("index", ["int32", "int64"])
def test_what_lies_outside_is_refused(by_rows: bool, index: str) -> None:
    data, dense, out = np.ones(3), np.ones((4, 5)), np.empty((4, 5))
    for indices, starts in (
        ([0, 1, 4], [0, 1, 2, 3, 3]),
        ([0, -1, 2], [0, 1, 2, 3, 3]),
        ([0, 1, 2], [0, 2, 1, 3, 3]),
        ([0, 1, 2], [0, 1, 2, 3, 4]),
        ([0, 1, 2], [1, 1, 2, 3, 3]),
        ([0, 1, 2], [-1, 1, 2, 3, 3]),
    ):
        arrays = np.array(indices, index), np.array(starts, index)
        with pytest.raises(ValueError, match="out of range"):
            native.sparse_matmul(by_rows, data, *arrays, dense, out)
    good = np.array([0, 1, 2], index), np.array([0, 1, 2, 3, 3], index)
    for bad in (dense.T, dense[:, ::2], dense.astype("float32"), dense[:, :4]):
        with pytest.raises(TypeError, match="fit"):
            native.sparse_matmul(by_rows, data, *good, bad, out)
    native.sparse_matmul(by_rows, data, *good, dense, out)
    assert out.sum() == 15
