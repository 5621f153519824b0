"""Running totals and the order of items along an axis, of short lines above all."""

from __future__ import annotations

import numpy as np
import pytest

import theano
import theano.tensor as T

DTYPES = ["int8", "uint16", "int32", "uint64", "bool", "float16", "float32", "float64", "complex64"]
SHAPES = [(20, n, 1) for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 17)]
SHAPES += [(3, 40, n) for n in (2, 3, 5, 8, 9, 33)]
SHAPES += [(2, 70_000, 3), (1, 300_000, 1), (3, 1, 4), (0, 3, 2), (2, 0, 3), (2, 3, 0)]


def layouts(a: np.ndarray) -> list[np.ndarray]:
    wide = np.repeat(np.repeat(a, 2, 2), 2, 1)
    return [
        a,
        np.asfortranarray(a),
        a.transpose(1, 0, 2).copy().transpose(1, 0, 2),
        wide[:, ::-2, ::2],
    ]


@pytest.mark.parametrize("dtype", DTYPES)
def test_running_totals_are_those_of_numpy(dtype: str) -> None:
    generator = np.random.default_rng(1)
    x = T.tensor3(dtype=dtype)
    f = theano.function([x], [T.cumsum(x, axis=1), T.cumprod(x, axis=1), T.cumsum(x, axis=0)])
    for shape in SHAPES:
        a = (generator.normal(size=shape) * 3).astype(dtype)
        if dtype.startswith("float"):
            a[generator.random(shape) < 0.01] = np.nan
            a[generator.random(shape) < 0.01] = -0.0
        for given in layouts(a):
            one, two, three = f(given)
            with np.errstate(all="ignore"):
                wanted = given.cumsum(1, one.dtype), given.cumprod(1, two.dtype)
                np.testing.assert_array_equal(one, wanted[0])
                np.testing.assert_array_equal(three, given.cumsum(0, three.dtype))
                if "complex" in dtype or dtype == "float16":
                    np.testing.assert_allclose(two, wanted[1], 1e-3)
                else:
                    np.testing.assert_array_equal(two, wanted[1])


@pytest.mark.parametrize("dtype", DTYPES)
def test_items_are_sorted(dtype: str) -> None:
    generator = np.random.default_rng(2)
    x = T.tensor3(dtype=dtype)
    sorts = [T.sort(x, axis=1), T.sort(x, axis=1, kind="mergesort"), T.sort(x, axis=2)]
    f = theano.function([x], [*sorts, T.argsort(x, axis=1, kind="mergesort")])
    for shape in SHAPES[:-6] + SHAPES[-4:]:
        a = (generator.normal(size=shape) * 3).astype(dtype)
        if dtype.startswith("float"):
            a[generator.random(shape) < 0.1] = np.nan
            a[generator.random(shape) < 0.1] = np.inf
            a[generator.random(shape) < 0.1] = -0.0
        for given in layouts(a):
            one, two, three, order = f(given)
            np.testing.assert_array_equal(one, np.sort(given, 1))
            np.testing.assert_array_equal(two, np.sort(given, 1))
            np.testing.assert_array_equal(three, np.sort(given, 2))
            np.testing.assert_array_equal(order, given.argsort(1, kind="stable"))
