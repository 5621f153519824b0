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
# Items that take no memory.
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
        [X, N],
        repeated(lambda h: T.tanh(h + X), T.zeros_like(X)),
        [np.ones(10**6), FOREVER],
    ),
    "loops in loops": (
        [X, N],
        repeated(lambda h: theano.scan(lambda g: g * X[0], outputs_info=h, n_steps=N)[0][-1], X[0]),
        [np.ones(3), FOREVER],
    ),
}


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", CASES)
def test_a_long_call_ends(name, threads):
    inputs, output, values = CASES[name]
    s = theano.shared(np.zeros(3))
    function = theano.function(inputs, output, updates=[(s, s + 1)])
    timer = threading.Timer(0.3, _thread.interrupt_main)
    timer.start()
    with change_flags(threads=threads), pytest.raises(KeyboardInterrupt):
        function(*values)
    timer.join()
    np.testing.assert_array_equal(s.get_value(), np.zeros(3))
    # And the function works as before.
    small = [
        np.float64(v[:2, :2]) if np.ndim(v) == 2 else 2 if np.ndim(v) == 0 else v for v in values
    ]
    function(*small)
    np.testing.assert_array_equal(s.get_value(), np.ones(3))


@pytest.mark.parametrize("threads", [1, 2])
def test_a_long_gradient_of_kernels_ends(threads):
    x, w, g = T.ftensor4s("x", "w", "g")
    y = T.nnet.conv2d(x, w, border_mode="half")
    s = theano.shared(np.zeros(3))
    inputs = [theano.In(x, borrow=True), w, theano.In(g, borrow=True)]
    function = theano.function(
        inputs, T.grad(None, w, known_grads={y: g}), updates=[(s, s + 1)], on_unused_input="ignore"
    )
    kernels = np.zeros((512, 512, 3, 3), "float32")
    function(*[kernels[:1, :, :3, :3]] * 3)
    images = np.ones((8, 512, 64, 64), "float32")
    timer = threading.Timer(0.05, _thread.interrupt_main)
    timer.start()
    with change_flags(threads=threads), pytest.raises(KeyboardInterrupt):
        function(images, kernels, images)
    timer.join()
    np.testing.assert_array_equal(s.get_value(), np.ones(3))
