"""Calls that would run for hours end at an interrupt, and change nothing."""

import _thread
import threading

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.base.settings import change_flags

X, M, N = T.dvector("x"), T.dmatrix("m"), T.lscalar("n")
FOREVER = 10**13
# Elements that take no memory.
WIDE = np.broadcast_to(np.float64(0.5), (10**6, 10**7))


def repeated(step, start):
    return theano.scan(step, outputs_info=start, n_steps=N)[0][-1]


CASES = {
    "rows": ([M], T.tanh(M).sum(axis=1), [WIDE]),
    "columns": ([M], T.tanh(M).sum(axis=0), [WIDE[: 10**5, : 3 * 10**6]]),
    "maximum": ([M], M.max(axis=1), [WIDE]),
    "steps in registers": ([X, N], repeated(lambda h: h * X[0], X[0]), [np.ones(3), FOREVER]),
    "short steps": ([M, N], repeated(lambda h: T.dot(M, h), M[0]), [np.eye(5), FOREVER]),
    "long steps": (
        *([X, N], repeated(lambda h: T.tanh(h + X), T.zeros_like(X))),
        [np.ones(10**6), FOREVER],
    ),
    "loops in loops": (
        *([X, N], repeated(lambda h: repeated(lambda g: g * X[0], h), X[0])),
        [np.ones(3), FOREVER],
    ),
}


def small(value):
    """Return so little of an argument that a call is short."""
    return value[:2, :2] + 0.0 if np.ndim(value) == 2 else value if np.ndim(value) else 2


def interrupted(function, values, seconds, threads):
    """Call a function, and interrupt it after some seconds."""
    timer = threading.Timer(seconds, _thread.interrupt_main)
    timer.start()
    with change_flags(threads=threads), pytest.raises(KeyboardInterrupt):
        function(*values)
    timer.join()


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", CASES)
def test_a_long_call_ends(name, threads):
    inputs, output, values = CASES[name]
    s = theano.shared(np.zeros(3))
    function = theano.function(inputs, output, updates=[(s, s + 1)])
    interrupted(function, values, 0.3, threads)
    np.testing.assert_array_equal(s.get_value(), np.zeros(3))
    # And the function works as before.
    function(*map(small, values))
    np.testing.assert_array_equal(s.get_value(), np.ones(3))


@pytest.mark.parametrize("threads", [1, 2])
def test_a_long_gradient_of_kernels_ends(threads):
    x, w, g = T.ftensor4s("x", "w", "g")
    out = T.grad(None, w, known_grads={T.nnet.conv2d(x, w, border_mode="half"): g})
    s = theano.shared(np.zeros(3))
    inputs = [theano.In(x, borrow=True), w, theano.In(g, borrow=True)]
    updates = [(s, s + 1)]
    function = theano.function(inputs, out, updates=updates, on_unused_input="ignore")
    kernels = np.zeros((512, 512, 3, 3), "float32")
    function(*[kernels[:1, :, :3, :3]] * 3)
    images = np.ones((8, 512, 64, 64), "float32")
    interrupted(function, [images, kernels, images], 0.05, threads)
    np.testing.assert_array_equal(s.get_value(), np.ones(3))
