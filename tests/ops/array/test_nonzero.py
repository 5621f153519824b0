"""Where items are not zero: native code against NumPy, over dtypes, shapes and layouts."""

import numpy as np
import pytest

from theano._core.api.debug.checks import layouts, tensor
from theano._core.compile.function import function
from theano._core.lower.reference import evaluate
from theano._core.ops.array.nonzero import nonzero

KINDS = ["bool", "int8", "uint64", "float16", "float32", "float64", "complex64", "complex128"]
SHAPES = [(0,), (1,), (37,), (3, 4), (1, 9), (40, 70), (2, 0, 3), (2, 3, 5)]


@pytest.mark.parametrize("kind", KINDS)
def test_nonzero(kind):
    rng = np.random.default_rng(3)
    for rank in (1, 2, 3):
        x = tensor(kind, (2,) * rank)
        out = nonzero(x)
        f = function([x], out)
        for shape in [s for s in SHAPES if len(s) == rank]:
            array = np.asarray(rng.integers(0, 3, shape)).astype(kind)
            if kind[0] == "f" and array.size:
                array.flat[0] = -0.0
                array.flat[-1] = np.nan
            wanted = np.array(np.nonzero(array))
            np.testing.assert_array_equal(evaluate([out], {x: array})[0], wanted)
            for given in layouts(array).values():
                np.testing.assert_array_equal(f(given), wanted)


def test_of_more_elements_than_one_thread_takes():
    x, array = tensor("float64", (2,)), np.random.default_rng(4).standard_normal(200_000)
    np.testing.assert_array_equal(
        function([x], nonzero(x > 0))(array)[0], np.flatnonzero(array > 0)
    )
