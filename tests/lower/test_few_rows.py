"""Columns of few rows are reduced in registers: the same results as of many, by any vectors."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.runtime import native

RANDOM = np.random.default_rng(3)
DTYPES = ["bool", "uint8", "int16", "int64", "float16", "float32", "float64", "complex64"]
ROWS = (1, 2, 3, 8, 16, 17)
COLUMNS = (0, 1, 3, 8, 10, 17, 33, 64, 100, 1100)


@pytest.mark.parametrize("width", [128, 256, 512])
@pytest.mark.parametrize("dtype", DTYPES)
def test_columns_of_few_rows(dtype: str, width: int) -> None:
    x, y = (T.TensorType(dtype, (False,) * n)() for n in (2, 3))
    ordered = not dtype.startswith("complex")
    build = [T.sum, T.max, T.min] if ordered and dtype != "bool" else [T.sum]
    with theano.config.change_flags(vector_width=width):
        f = theano.function([x, y], [g(v, axis=v.ndim - 2) for g in build for v in (x, y)])
    for rows, columns in itertools.product(ROWS, COLUMNS):
        one, two = (
            (RANDOM.standard_normal((*n, rows, columns)) * 4).astype(dtype) for n in ((), (9,))
        )
        for a, b in ((one, two), (one[:, ::-1], two[::-1]), map(np.asfortranarray, (one, two))):
            results = iter(f(a, b))
            for g in build:
                for v in (a, b):
                    wide = v.astype("float64") if dtype == "float16" else v
                    wanted = getattr(np, g.__name__)(wide, axis=v.ndim - 2)
                    got = next(results)
                    if dtype[0] in "fc":
                        rtol = 2e-3 if dtype == "float16" else 1e-5
                        np.testing.assert_allclose(got, wanted.astype(got.dtype), rtol, 10 * rtol)
                    else:
                        assert np.array_equal(got, wanted), (rows, columns)


def test_nothing_and_what_is_no_number() -> None:
    x = T.dmatrix()
    f = theano.function([x], [T.sum(x, axis=0), T.prod(x, axis=0)])
    for array in (np.empty((0, 5)), np.array([[np.nan, np.inf, -np.inf, -0.0, 1.0]] * 3)):
        with np.errstate(invalid="ignore"):
            wanted = array.sum(axis=0), array.prod(axis=0)
        for got, one in zip(f(array), wanted, strict=True):
            assert np.array_equal(got, one, equal_nan=True)


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
def test_long_rows_on_threads(dtype: str) -> None:
    x, before = T.TensorType(dtype, (False,) * 2)(), native.get_threads()
    f = theano.function([x], [T.sum(x, axis=0), T.max(x, axis=0)])
    try:
        for rows in (3, 16):
            array = (RANDOM.standard_normal((rows, 300_001)) * 9).astype(dtype)
            native.set_threads(1)
            wanted = f(array)
            for threads in (2, 3):
                native.set_threads(threads)
                for got, one in zip(f(array), wanted, strict=True):
                    assert got.tobytes() == one.tobytes()
    finally:
        native.set_threads(before)
