"""Loops over arrays in bodies, equal but for numbers, are one kernel where there are many."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.ifelse import ifelse


def unrolled(h, count):
    for i in range(count):
        h = T.tanh(h * (1 + i * 0.01)) + h.sum() * 0.001
    return h


@pytest.mark.parametrize("where", ["loop", "branch"])
def test_numbers_of_equal_loops_are_read(where):
    x, n = T.dvector("x"), T.lscalar("n")
    if where == "loop":
        rows, _ = theano.scan(lambda h: unrolled(h, 50), outputs_info=x, n_steps=3)
        out = rows[-1]
    else:
        out = ifelse(T.gt(n, 0), unrolled(x, 50), x)
    f = theano.function([x, n], out, on_unused_input="ignore")
    assert len({kernel.key for kernel in f.maker.kernels}) < 12
    values = np.linspace(-1, 1, 40)
    wanted = values
    for _ in range(3 if where == "loop" else 1):
        for i in range(50):
            wanted = np.tanh(wanted * (1 + i * 0.01)) + wanted.sum() * 0.001
    np.testing.assert_allclose(f(values, 1), wanted, rtol=1e-10)
