"""Recurrent networks: 100 steps, 32 sequences, 64 inputs, 128 hidden units, float32.

The cost is the sum of the squares of the last state; timed are the cost alone, and the cost with
its gradients by both weight matrices and the bias. Torch runs its own fused layers.
"""

from __future__ import annotations

import numpy as np
from figures import Figures, best_time, main

STEPS, BATCH, INPUTS, HIDDEN = 100, 32, 64, 128
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
rng = np.random.RandomState(0)
X = rng.randn(STEPS, BATCH, INPUTS).astype("float32")


def parameters(kind: str) -> list[np.ndarray]:
    gates, state = GATES[kind], np.random.RandomState(1)
    shapes = ((INPUTS, gates * HIDDEN), (HIDDEN, gates * HIDDEN), (gates * HIDDEN,))
    return [(0.1 * state.randn(*shape)).astype("float32") for shape in shapes]


def split(a, count: int) -> list:
    """Return the gates of a row of pre-activations."""
    return [a[:, i * HIDDEN : (i + 1) * HIDDEN] for i in range(count)]


def next_state(kind: str, x, state, w, u, b, dot, tanh, sigmoid):
    """Return the state after one step; the first of it is the hidden one."""
    h = state[0]
    if kind == "RNN":
        return [tanh(dot(x, w) + dot(h, u) + b)]
    if kind == "LSTM":
        i, f, o, g = split(dot(x, w) + dot(h, u) + b, 4)
        c = sigmoid(f) * state[1] + sigmoid(i) * tanh(g)
        return [sigmoid(o) * tanh(c), c]
    reset, update, new = split(dot(x, w) + b, 3)
    hidden_reset, hidden_update = split(dot(h, u[:, : 2 * HIDDEN]), 2)
    reset, update = sigmoid(reset + hidden_reset), sigmoid(update + hidden_update)
    new = tanh(new + dot(reset * h, u[:, 2 * HIDDEN :]))
    return [(1 - update) * new + update * h]


def expected(kind: str) -> float:
    """Return the cost, computed with NumPy in float64."""
    w, u, b = (p.astype("float64") for p in parameters(kind))
    state = [np.zeros((BATCH, HIDDEN))] * (2 if kind == "LSTM" else 1)
    for x in X.astype("float64"):
        state = next_state(kind, x, state, w, u, b, np.dot, np.tanh, lambda v: 1 / (1 + np.exp(-v)))
    return float((state[0] ** 2).sum())


def figures(cases) -> Figures:
    """Time `cases`: kind → (cost, cost and gradients)."""
    found = {}
    for kind, (cost, both) in cases.items():
        np.testing.assert_allclose(float(cost()), expected(kind), rtol=1e-4)
        found[f"{kind}, cost"] = (1e3 * best_time(cost, 0.4), "ms")
        found[f"{kind}, cost and gradients"] = (1e3 * best_time(both, 0.8), "ms")
    return found


def symbolic(module, tensor, sigmoid) -> Figures:
    cases = {}
    for kind in GATES:
        x = tensor.tensor3("x", dtype="float32")
        weights = [module.shared(p) for p in parameters(kind)]
        zero = tensor.zeros((BATCH, HIDDEN), dtype="float32")
        starts = [zero] * (2 if kind == "LSTM" else 1)

        def step(x, *state, kind=kind, weights=weights):
            return next_state(kind, x, state, *weights, tensor.dot, tensor.tanh, sigmoid)

        rows, _ = module.scan(step, sequences=x, outputs_info=starts)
        hidden = rows[0] if isinstance(rows, (list, tuple)) else rows
        cost = (hidden[-1] ** 2).sum()
        f = module.function([x], cost)
        g = module.function([x], [cost, *tensor.grad(cost, weights)])
        cases[kind] = (lambda f=f: f(X), lambda g=g: g(X))
    return figures(cases)


def theano_case() -> Figures:
    import theano
    import theano.tensor

    return symbolic(theano, theano.tensor, theano.tensor.nnet.sigmoid)


def pytensor_case() -> Figures:
    import pytensor
    import pytensor.tensor

    return symbolic(pytensor, pytensor.tensor, pytensor.tensor.sigmoid)


def jax_case() -> Figures:
    import jax
    import jax.numpy as jnp

    cases = {}
    for kind in GATES:

        def cost(w, u, b, x, kind=kind):
            def step(state, x):
                new = next_state(kind, x, state, w, u, b, jnp.dot, jnp.tanh, jax.nn.sigmoid)
                return new, None

            starts = [jnp.zeros((BATCH, HIDDEN), "float32")] * (2 if kind == "LSTM" else 1)
            return (jax.lax.scan(step, starts, x)[0][0] ** 2).sum()

        arguments = [jnp.asarray(p) for p in (*parameters(kind), X)]
        f, g = jax.jit(cost), jax.jit(jax.value_and_grad(cost, (0, 1, 2)))
        cases[kind] = (
            lambda f=f, a=arguments: jax.block_until_ready(f(*a)),
            lambda g=g, a=arguments: jax.block_until_ready(g(*a)),
        )
    return figures(cases)


def torch_case() -> Figures:
    import torch

    x = torch.from_numpy(X)
    found = {}
    for kind in GATES:
        layer = getattr(torch.nn, kind)(INPUTS, HIDDEN)

        def cost(layer=layer):
            return (layer(x)[0][-1] ** 2).sum()

        def alone(cost=cost):
            with torch.no_grad():
                return cost()

        def both(layer=layer, cost=cost):
            layer.zero_grad()
            cost().backward()

        # Its gates have biases of their own and another order: the same work, other numbers.
        found[f"{kind}, cost"] = (1e3 * best_time(alone, 0.4), "ms")
        found[f"{kind}, cost and gradients"] = (1e3 * best_time(both, 0.8), "ms")
    return found


if __name__ == "__main__":
    main(
        {
            "theano": theano_case,
            "pytensor": pytensor_case,
            "jax": jax_case,
            "torch": torch_case,
        }
    )
