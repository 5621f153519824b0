"""One training step of the tutorial's logistic regression: 400 samples of 784 features, float64.

All frameworks compute the same: the prediction, the cross-entropy of each sample, and the updates
of weights and bias. The result after three steps is checked against NumPy.
"""

from __future__ import annotations

import numpy as np
from figures import Figures, best_time, main

rng = np.random.RandomState(7)
X, Y = rng.randn(400, 784), rng.randint(size=400, low=0, high=2).astype("float64")
W = 0.01 * rng.randn(784)


def by_hand(w, b):
    """Return prediction, cross-entropy, new w, new b."""
    score = X @ w + b
    p = 1 / (1 + np.exp(-score))
    xent = np.logaddexp(0, score) - Y * score
    g = (p - Y) / len(Y)
    return p > 0.5, xent, w - 0.1 * (X.T @ g + 0.02 * w), b - 0.1 * g.sum()


def reference():
    w, b = W, 0.0
    for _ in range(3):
        prediction, xent, w, b = by_hand(w, b)
    return prediction, xent, w, b


def check(prediction, xent, w, b) -> None:
    for got, expected in zip((prediction, xent, w, b), reference(), strict=True):
        np.testing.assert_allclose(np.asarray(got), expected, rtol=1e-9, atol=1e-12)


def figures(step) -> Figures:
    return {"training step": (1e6 * best_time(step, 0.6), "µs")}


def numpy_case() -> Figures:
    state = [W, 0.0]

    def step():
        prediction, xent, *state[:] = by_hand(*state)
        return prediction, xent

    return figures(step)


def symbolic(module, tensor) -> Figures:
    x, y = tensor.dmatrix("x"), tensor.dvector("y")
    w, b = module.shared(W.copy(), name="w"), module.shared(0.0, name="b")
    p_1 = 1 / (1 + tensor.exp(-tensor.dot(x, w) - b))
    prediction = p_1 > 0.5
    xent = -y * tensor.log(p_1) - (1 - y) * tensor.log(1 - p_1)
    cost = xent.mean() + 0.01 * (w**2).sum()
    gw, gb = tensor.grad(cost, [w, b])
    train = module.function(
        [x, y], [prediction, xent], updates=((w, w - 0.1 * gw), (b, b - 0.1 * gb))
    )
    for _ in range(3):
        prediction, xent = train(X, Y)
    check(prediction, xent, w.get_value(), b.get_value())
    return figures(lambda: train(X, Y))


def theano_case() -> Figures:
    import theano
    import theano.tensor

    return symbolic(theano, theano.tensor)


def pytensor_case() -> Figures:
    import pytensor
    import pytensor.tensor

    return symbolic(pytensor, pytensor.tensor)


def jax_case() -> Figures:
    import jax
    import jax.numpy as jnp

    x, y = jnp.asarray(X), jnp.asarray(Y)

    def cost(w, b):
        score = x @ w + b
        xent = jnp.logaddexp(0, score) - y * score
        return xent.mean() + 0.01 * (w**2).sum(), (score > 0, xent)

    @jax.jit
    def train(w, b):
        (gw, gb), out = jax.grad(cost, (0, 1), has_aux=True)(w, b)
        return out, (w - 0.1 * gw, b - 0.1 * gb)

    state = jnp.asarray(W), jnp.asarray(0.0)
    for _ in range(3):
        out, state = train(*state)
    check(*out, *state)

    def step():
        nonlocal state
        out, state = train(*state)
        jax.block_until_ready((out, state))

    return figures(step)


def torch_case() -> Figures:
    import torch

    x, y = torch.from_numpy(X), torch.from_numpy(Y)
    w, b = torch.from_numpy(W.copy()), torch.tensor(0.0).double()

    @torch.compile
    def train(w, b):
        # The gradient by hand: the fastest way to say it to torch.compile.
        score = x @ w + b
        xent = torch.nn.functional.softplus(score, threshold=1e9) - y * score
        g = (torch.sigmoid(score) - y) / len(y)
        return score > 0, xent, w - 0.1 * (x.T @ g + 0.02 * w), b - 0.1 * g.sum()

    for _ in range(3):
        prediction, xent, w, b = train(w, b)
    check(prediction, xent, w, b)

    def step():
        nonlocal w, b
        _, _, w, b = train(w, b)

    return figures(step)


if __name__ == "__main__":
    main(
        {
            "numpy": numpy_case,
            "theano": theano_case,
            "pytensor": pytensor_case,
            "jax": jax_case,
            "torch": torch_case,
        }
    )
