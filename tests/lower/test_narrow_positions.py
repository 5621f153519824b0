"""Arrays are read at positions of every type as NumPy reads them."""

from __future__ import annotations

import numpy as np
import pytest

import theano
import theano.tensor as T

POSITIONS = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64"]


def _positions(dtype: str, length: int, shape: tuple[int, ...]) -> np.ndarray:
    lowest = 0 if dtype.startswith("u") else -length
    return np.random.RandomState(3).randint(lowest, length, shape).astype(dtype)


@pytest.mark.parametrize("dtype", POSITIONS)
@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 67, 4200])
def test_items(dtype: str, count: int) -> None:
    x, i = T.dvector("x"), T.TensorType(dtype, (False,))("i")
    f = theano.function([x, i], x[i])
    table = np.linspace(0, 1, 100)
    table[::9] = np.nan
    at = _positions(dtype, 100, (2 * count,))
    for values in (table, table[::-1], np.repeat(table, 3)[::3]):
        for places in (at[:count], at[::2], at[count:][::-1]):
            np.testing.assert_array_equal(f(values, places), values[places])


@pytest.mark.parametrize("item", ["bool", "int8", "float16", "float32", "complex64", "complex128"])
@pytest.mark.parametrize("dtype", ["uint8", "int8"])
def test_items_of_every_size(item: str, dtype: str) -> None:
    x, i = T.TensorType(item, (False,))("x"), T.TensorType(dtype, (False,))("i")
    f = theano.function([x, i], x[i])
    table = (np.arange(120) % 7).astype(item)
    at = _positions(dtype, 120, (133,))
    np.testing.assert_array_equal(f(table, at), table[at])


@pytest.mark.parametrize("dtypes", [("uint8", "uint16"), ("uint8", "int8"), ("int64", "uint8")])
def test_two_positions(dtypes: tuple[str, str]) -> None:
    m = T.dmatrix("m")
    i, j = (T.TensorType(dtype, (False, False))(dtype) for dtype in dtypes)
    f = theano.function([m, i, j], [m[i, j], m[j[0], :], m[:, i[:, 0]]])
    table = np.random.RandomState(1).randn(40, 60)
    a, b = (_positions(dtype, 40, (19, 1 + 12 * n)) for n, dtype in enumerate(dtypes))
    wanted = table[a, b], table[b[0]], table[:, a[:, 0]]
    for one, two in ((a, b), (a[::-1], np.asfortranarray(b))):
        for got, right in zip(f(table, one, two), wanted, strict=True):
            if one is a:
                np.testing.assert_array_equal(got, right)
        np.testing.assert_array_equal(f(table, one, two)[0], table[one, two])


@pytest.mark.parametrize("dtype", POSITIONS)
def test_the_largest_positions_are_refused(dtype: str) -> None:
    x, i = T.dvector("x"), T.TensorType(dtype, (False,))("i")
    f = theano.function([x, i], x[i])
    most = np.iinfo(dtype).max
    at = np.zeros(300, dtype)
    at[177] = most
    with pytest.raises(IndexError, match=f"{most}"):
        f(np.ones(100), at)
    assert f(np.ones(100), at[:177]).tolist() == [1.0] * 177
    with pytest.raises(IndexError, match="0"):
        f(np.ones(0), at[:5])
    assert f(np.ones(0), at[:0]).shape == (0,)
    if dtype.startswith("i"):
        at[177] = np.iinfo(dtype).min
        with pytest.raises(IndexError, match=f"{np.iinfo(dtype).min}"):
            f(np.ones(100), at)
