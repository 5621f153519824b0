"""Items of each row at the same positions are copied by the runtime."""

import itertools

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import broadcast, layouts
from support.compiling import kernels
from support.loops import assert_agree, small

RANDOM = np.random.default_rng(7)
COUNTS = (0, 1, 2, 3, 4, 5, 8, 16, 17, 300)


@pytest.mark.parametrize("dtype", ["uint8", "bool", "float16", "float32", "float64", "complex128"])
def test_columns_of_every_layout(dtype):
    x, y, i = T.matrix(dtype=dtype), T.tensor3(dtype=dtype), T.lvector("i")
    f = theano.function([x, y, i], [x[:, i], y[:, :, i]])
    assert "take_columns" in kernels(f)
    for rows, width, count in itertools.product((0, 1, 2, 7, 50), (1, 2, 3, 8, 17, 40), COUNTS):
        at = RANDOM.integers(-width, width, count)
        arrays = small((rows, width), dtype), small((3, rows, width), dtype, 1)
        pairs = [*zip(*map(layouts, arrays), strict=True), map(broadcast, arrays)]
        for one, two in pairs:
            assert_agree(f(one, two, at), [one[:, at], two[:, :, at]])


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64"])
def test_positions_of_every_type(dtype):
    x, i = T.fmatrix("x"), T.TensorType(dtype, (False,))("i")
    f = theano.function([x, i], x[:, i])
    array = small((20, 9), "float32")
    at = RANDOM.integers(-9 if dtype[0] == "i" else 0, 9, 5).astype(dtype)
    assert_agree(f(array, at[::-2]), array[:, at[::-2]])
    for given, wrong in ((array, 9), (array, 100), (array[:0], 9)):
        with pytest.raises(IndexError):
            f(given, np.append(at, wrong).astype(dtype))
