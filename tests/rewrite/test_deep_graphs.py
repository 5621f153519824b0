"""Graphs so deep that what a rule makes is rewritten through all of them."""

import numpy as np
import pytest

import theano
import theano.tensor as T

x, w = T.dmatrices("x", "w")
PLAIN = theano.Mode("py", None)


def gradient(y):
    return T.grad(T.tanh(y).sum(), x)


CHAINS = {
    "slices": (lambda y: T.tanh(y[1:]) * 1.5, lambda y: y),
    "their gradients": (lambda y: T.tanh(y[1:]) * 1.5, gradient),
    "flips": (lambda y: T.tanh(y[::-1]) + x, gradient),
    "rows and columns": (lambda y: T.tanh(y[None, 1:].T)[:, ::-1].sum(2).T, lambda y: y),
    "choices": (lambda y: T.clip(T.maximum(y, w), -1, 1), gradient),
    "rectified": (lambda y: T.nnet.relu(y - 0.01) * 1.1, gradient),
    "quotients": (lambda y: x / (1 + y), gradient),
}


@pytest.mark.parametrize("name", list(CHAINS))
def test_seventy_in_sequence(name):
    step, finish = CHAINS[name]
    y = x
    for _ in range(70):
        y = step(y)
    rng = np.random.RandomState(0)
    values = rng.uniform(0.1, 1, (75, 3)), rng.uniform(0.1, 1, (75, 3))
    found, wanted = (
        theano.function([x, w], finish(y), mode=mode, on_unused_input="ignore")(*values)
        for mode in (None, PLAIN)
    )
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-12)
