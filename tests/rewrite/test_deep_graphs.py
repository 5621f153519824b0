"""Graphs so deep that what a rule makes is rewritten through all of them."""

import numpy as np
import pytest

import theano.tensor as T
from support.agreement import agree
from support.comparison import DERIVATIVES

x, w = T.dmatrices("x", "w")


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
    agree([x, w], finish(y), values, tolerance=DERIVATIVES)
