"""Loops in whose steps values have other shapes than in the step before, and their gradients.

The expected numbers are those of the same steps written one after the other.
"""

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano import scan
from theano.ifelse import ifelse


def _product(rows, n, w):
    return T.exp(T.tanh(T.dot(rows[:n], w))).sum()


def _two_products(rows, n, w):
    hidden = T.tanh(T.dot(rows[:n], w))
    return T.tanh(T.dot(hidden, hidden.T)).sum()


def _inner_loop(rows, n, w):
    values = T.log(1 + T.dot(rows[:n], w) ** 2)
    sums, _ = scan(lambda a, b: a + T.tanh(b), values, T.zeros_like(values[0]))
    return T.exp(sums - T.max(sums)).sum()


def _inner_while(rows, n, w):
    steps, _ = scan(
        lambda a, b, w: (T.tanh(T.dot(b, w)) + a, theano.scan_module.until(T.sum(b) > n)),
        rows,
        T.ones_like(rows[0]),
        w,
    )
    return T.sin(T.dot(steps, w)).sum()


def _mask(rows, n, w):
    return T.exp(T.dot(rows[(rows[:, 0] * n > 1.5).nonzero()], w)).sum()


def _window(rows, n, w):
    return T.tanh(T.dot(T.arange(n) * 0.1, T.exp(T.dot(rows[:n], w)))).sum()


def _branch(rows, n, w):
    chosen = ifelse(T.gt(n, 3), T.dot(rows[:n], w), T.dot(rows[n:], w * w))
    return T.exp(T.tanh(chosen)).sum()


def _flat(rows, n, w):
    flat = T.exp(T.dot(rows[:n], w)).reshape((-1,))
    return T.tanh(flat[1:] * flat[:-1]).sum()


BODIES = [_product, _two_products, _inner_loop, _inner_while, _mask, _window, _branch, _flat]
LENGTHS = [6, 5, 2, 6]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("mode", [None, "FAST_COMPILE", "UNREWRITTEN"])
@pytest.mark.parametrize("checkpoint", [None, 2])
def test_gradients(body, mode, checkpoint):
    x, n, w = T.dtensor3(), T.lvector(), T.dmatrix()
    compiled = theano.Mode(optimizer=None) if mode == "UNREWRITTEN" else mode
    costs, _ = scan(body, [x, n], non_sequences=w, checkpoint=checkpoint)
    written = sum(body(x[i], length, w) for i, length in enumerate(LENGTHS))
    rng = np.random.default_rng(1)
    values = [rng.random((4, 6, 3)), LENGTHS, rng.random((3, 3)) * 0.5]
    run = theano.function([x, n, w], [costs.sum(), *T.grad(costs.sum(), [x, w])], mode=compiled)
    expected = theano.function(
        [x, n, w], [written, *T.grad(written, [x, w])], on_unused_input="ignore"
    )
    for a, b in zip(run(*values), expected(*values), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10)


def test_second_derivative():
    x, n, w = T.dtensor3(), T.lvector(), T.dmatrix()
    costs, _ = scan(_two_products, [x, n], non_sequences=w)
    written = sum(_two_products(x[i], length, w) for i, length in enumerate(LENGTHS))

    def second(cost):
        return T.grad((T.grad(cost, w) ** 2).sum(), w)

    rng = np.random.default_rng(2)
    values = [rng.random((4, 6, 3)), LENGTHS, rng.random((3, 3)) * 0.5]
    run = theano.function([x, n, w], second(costs.sum()))
    expected = theano.function([x, n, w], second(written), on_unused_input="ignore")
    np.testing.assert_allclose(run(*values), expected(*values), rtol=1e-9)
