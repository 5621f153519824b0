"""Losses of probabilities as programs write them: finite and right where these are 0 in float32.

Values and gradients of the functions are compared with those of the graphs as written, which are
computed with as many digits as that takes.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from exact_values import exact_values

import theano
import theano.tensor as T

N, K = 4, 5
z, t = T.fmatrix("z"), T.fmatrix("t")
y = T.ivector("y")
mask, p = T.fvector("mask"), T.fvector("p")
rng = np.random.default_rng(11)
classes = rng.integers(0, K, N).astype("int32")
VALUES: dict[Any, Any] = {
    z: (60 * rng.standard_normal((N, K))).astype("float32"),
    t: np.eye(K, dtype="float32")[classes],
    y: classes,
    mask: np.array([1, 0, 1, 1], "float32"),
    p: np.array([1, 0, 0, 1], "float32"),
}
rows = T.arange(y.shape[0])
u = 1.5 * z[:, 0]
ROOT = np.float32(np.sqrt(2))

SOFTMAXES: dict[str, Any] = {
    "softmax": T.nnet.softmax(z),
    "keepdims": T.exp(z) / T.exp(z).sum(axis=1, keepdims=True),
    "dimshuffle": T.exp(z) / T.exp(z).sum(axis=1).dimshuffle(0, "x"),
    "largest": T.exp(z - z.max(axis=1, keepdims=True))
    / T.exp(z - z.max(axis=1, keepdims=True)).sum(axis=1, keepdims=True),
    "transposed": (T.exp(z).T / T.exp(z).sum(axis=1)).T,
    "logarithm": T.exp(z - T.log(T.exp(z).sum(axis=1, keepdims=True))),
    "logsoftmax": T.exp(T.nnet.logsoftmax(z)),
    "reciprocal": T.exp(z) * (1.0 / T.exp(z).sum(axis=1))[:, None],
    "inv": T.exp(z) * T.inv(T.sum(T.exp(z), axis=1, keepdims=True)),
}
LOSSES: dict[str, Callable[[Any], Any]] = {
    "indexed": lambda q: -T.log(q)[rows, y],
    "indexed first": lambda q: -T.log(q[rows, y]),
    "one-hot": lambda q: -(t * T.log(q)).sum(axis=1),
    "crossentropy": lambda q: T.nnet.categorical_crossentropy(q, y),
    "focal": lambda q: -((1 - q[rows, y]) ** 2) * T.log(q[rows, y]),
    "entropy": lambda q: -(q * T.log(q)).sum(axis=1),
    "squared": lambda q: ((q - t) ** 2).sum(axis=1),
    "margin": lambda q: T.log(q)[rows, y] - T.log(q)[:, 0],
    "ratio": lambda q: T.log(q[rows, y] / q[:, 0]),
    "mixture": lambda q: -T.log((q * T.exp(-0.5 * T.sqr(z))).sum(axis=1)),
}
# Their gradients still overflow.
LEFT = {
    *itertools.product(("dimshuffle", "keepdims", "transposed"), ("ratio",)),
    *itertools.product(("inv", "reciprocal"), ("mixture", "one-hot", "ratio")),
    *itertools.product(("exponential",), ("log-odds", "variance")),
}
SIGMOIDS: dict[str, Any] = {
    "sigmoid": T.nnet.sigmoid(u),
    "reciprocal": 1 / (1 + T.exp(-u)),
    "power": (1 + T.exp(-u)) ** -1,
    "quotient": T.exp(u) / (1 + T.exp(u)),
    "tanh": 0.5 * (T.tanh(u / 2) + 1),
    "complement": 1 - T.nnet.sigmoid(-u),
    "exponential": T.exp(-T.nnet.softplus(-u)),
}
BINARY: dict[str, Callable[[Any], Any]] = {
    "crossentropy": lambda s: T.nnet.binary_crossentropy(s, p),
    "written": lambda s: -p * T.log(s) - (1 - p) * T.log(1 - s),
    "log1p": lambda s: -(p * T.log(s) + (1 - p) * T.log1p(-s)),
    "chosen": lambda s: -T.log(T.switch(T.eq(p, 1), s, 1 - s)),
    "powers": lambda s: -T.log(s**p * (1 - s) ** (1 - p)),
    "log-odds": lambda s: T.log(s / (1 - s)),
    "entropy": lambda s: -s * T.log(s) - (1 - s) * T.log(1 - s),
    "focal": lambda s: -p * (1 - s) ** 2 * T.log(s) - (1 - p) * s**2 * T.log(1 - s),
    "variance": lambda s: T.log(s * (1 - s)),
}
v = z[:, 0] / 4
NORMAL: dict[str, Any] = {
    "log(erfc / 2)": T.log(0.5 * T.erfc(-v / ROOT)),
    "log((1 + erf) / 2)": T.log(0.5 * (1 + T.erf(v / ROOT))),
    "log(1 / 2 + erf / 2)": T.log(0.5 + 0.5 * T.erf(v / T.sqrt(np.float32(2)))),
    "log(1 - (1 + erf) / 2)": T.log(1 - 0.5 * (1 + T.erf(v / ROOT))),
    "log(1 - erfc / 2)": T.log(1 - 0.5 * T.erfc(-v / ROOT)),
    "log(erfc)": T.log(T.erfc(v)),
    "log(3 erfc)": T.log(3 * T.erfc(-v)),
    "hazard": T.exp(-(v**2) / 2) / (0.5 * T.erfc(v / ROOT)),
    "hazard of erf": T.exp(-0.5 * v**2) / (1 - 0.5 * (1 + T.erf(v / ROOT))),
}
# Exponentials of these are finite, their squares are not.
near = z[:, 0] * np.float32(0.8)
q, scale = abs(u) + np.float32(0.01), p + np.float32(0.5)
EXPONENTIALS: dict[str, Any] = {
    "log(2 cosh)": T.log(2 * T.cosh(u)),
    "log(scale cosh)": T.log(scale * T.cosh(u)),
    "log(cosh²)": T.log(T.cosh(u) ** 2),
    "log(cosh⁻²)": T.log(T.cosh(u) ** -2),
    "log(1 / (4 scale cosh²))": T.log(1 / (4 * scale * T.cosh(u / (2 * scale)) ** 2)),
    "log(scale (1 - tanh²))": T.log(scale * (1 - T.tanh(u) ** 2)),
    "log(1.0 - tanh²)": T.log(1.0 - T.tanh(u) ** 2),
    "log1p(-tanh²)": T.log1p(-(T.tanh(u) ** 2)),
    "log(exp - 1)": T.log(T.exp(q) - 1),
    "log(expm1)": T.log(T.expm1(q)),
    "complementary log-log": p * T.log(1 - T.exp(-T.exp(u / 9))) - T.exp(u / 9) * (1 - p),
    "tail by expm1": T.log(1 - (-T.expm1(-T.exp(u / 40)))),
    "log1p(expm1)": T.log1p(T.expm1(-q)),
    "exp / (exp - 1)": T.exp(q) / (T.exp(q) - 1),
    "log(1 / (exp + exp))": T.log(1 / (T.exp(u) + T.exp(z[:, 1]))),
    "log10(1 / (exp + exp))": T.log10(1 / (T.exp(u) + T.exp(z[:, 1]))),
    "log1p(1e-8 exp)": T.log1p(np.float32(1e-8) * T.exp(u / 8)),
    "log1p(weights exp)": T.log1p(np.float32([1e-8, 1e-20, 1e3, 1e12]) * T.exp(abs(u) / 4)),
    "log1p(exp / scale)": T.log1p(T.exp(u) / T.exp(scale * 20)),
    "log1p(exp²)": T.log1p(T.exp(u) ** 2),
    "log1p(1e-8 exp³)": T.log1p(np.float32(1e-8) * T.exp(u) ** 3),
    "log(2 + exp⁻³)": T.log(2 + T.exp(u) ** -3),
    "exp / (scale + expm1)": T.exp(near) / (scale + T.expm1(near)),
    "heat capacity": T.sqr(q) * T.exp(q) / T.sqr(T.exp(q) - 1),
}
MEANS: dict[str, Any] = {
    "mean": (T.exp(z) * t).sum(axis=1) / T.exp(z).sum(axis=1),
    "mean by reciprocal": (t * T.exp(z)).sum(axis=1) * (1 / T.exp(z).sum(axis=1)),
}


def check(values: Any) -> None:
    """Compare values, and the gradients of two means of them, with the exact ones."""
    for mean in values.mean(), (mask * values).sum() / mask.sum():
        outputs = [values, T.grad(mean, z)]
        wanted = exact_values(outputs, VALUES)
        f = theano.function(list(VALUES), outputs, on_unused_input="ignore")
        for got, exact in zip(f(*VALUES.values()), wanted, strict=True):
            scale = max(1, abs(exact).max())
            np.testing.assert_allclose(got, exact, rtol=1e-4, atol=1e-6 * scale)


@pytest.mark.parametrize("softmax, loss", sorted({*itertools.product(SOFTMAXES, LOSSES)} - LEFT))
def test_softmax(softmax: str, loss: str) -> None:
    check(LOSSES[loss](SOFTMAXES[softmax]))


@pytest.mark.parametrize("sigmoid, loss", sorted({*itertools.product(SIGMOIDS, BINARY)} - LEFT))
def test_sigmoid(sigmoid: str, loss: str) -> None:
    check(BINARY[loss](SIGMOIDS[sigmoid]))


@pytest.mark.parametrize("name", NORMAL)
def test_normal_distribution(name: str) -> None:
    check(NORMAL[name])


@pytest.mark.parametrize("name", EXPONENTIALS)
def test_exponentials(name: str) -> None:
    check(EXPONENTIALS[name])


@pytest.mark.parametrize("name", MEANS)
def test_weighted_mean(name: str) -> None:
    check(MEANS[name])
