"""Items of each row at the same positions are copied by the runtime."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from launches import LAYOUTS, RANDOM, kernels, values

import theano
import theano.tensor as T
from theano._core.runtime import native

WIDTHS = (1, 2, 3, 8, 17, 40)
COUNTS = (0, 1, 2, 3, 4, 5, 8, 16, 17, 300)


@pytest.mark.parametrize("dtype", ["uint8", "bool", "float16", "float32", "float64", "complex128"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_columns_of_every_layout(dtype: str, layout: str) -> None:
    x, y = (T.TensorType(dtype, (False,) * n)() for n in (2, 3))
    i = T.lvector("i")
    f = theano.function([x, y, i], [x[:, i], y[:, :, i]])
    assert "take_columns" in kernels(f)
    for rows, width, count in itertools.product((0, 1, 2, 7, 50), WIDTHS, COUNTS):
        at = RANDOM.integers(-width, width, count)
        one, two = (LAYOUTS[layout](values((*n, rows, width), dtype)) for n in ((), (3,)))
        for found, wanted in zip(f(one, two, at), (one[:, at], two[:, :, at]), strict=True):
            assert found.dtype == wanted.dtype
            assert np.array_equal(found, wanted), (rows, width, count)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64"])
def test_positions_of_every_type(dtype: str) -> None:
    x, i = T.fmatrix("x"), T.TensorType(dtype, (False,))("i")
    f = theano.function([x, i], x[:, i])
    array = values((20, 9), "float32")
    at = RANDOM.integers(-9 if dtype[0] == "i" else 0, 9, 5).astype(dtype)
    assert np.array_equal(f(array, at[::-2]), array[:, at[::-2]])
    for wrong in (9, 100):
        with pytest.raises(IndexError):
            f(array, np.append(at, wrong).astype(dtype))
    with pytest.raises(IndexError):
        f(array[:0], np.append(at, 9).astype(dtype))


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_columns_of_many_rows_on_threads(dtype: str) -> None:
    x, before = T.TensorType(dtype, (False,) * 2)(), native.get_threads()
    array, wide = values((300_001, 3), dtype), values((19, 3000), dtype)
    i, at = T.ivector("i"), RANDOM.integers(-3000, 3000, 70_000).astype("int32")
    f, g = theano.function([x], x[:, [2, 0, 0, 1]]), theano.function([x, i], x[:, i])
    try:
        for threads in (1, 2, 3):
            native.set_threads(threads)
            assert np.array_equal(f(array), array[:, [2, 0, 0, 1]])
            assert np.array_equal(g(wide, at), wide[:, at])
    finally:
        native.set_threads(before)
