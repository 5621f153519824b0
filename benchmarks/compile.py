"""Compiling large programs: from their description to the end of the first step.

Two training functions, of a bidirectional LSTM with a CRF layer and of an attention
encoder-decoder with GRUs, and graphs that are wide or deep, float64. Each figure is measured in a
process of its own. A cold compile gets an empty cache folder, a warm one the folder that a first
process has filled. The import is not counted. What takes a framework longer than two minutes is
left out.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np
from figures import Figures, main
from frameworks import WithJax, WithNumPy, WithTheano

LONGEST = 120.0  # seconds
WORDS, TAGS, WIDTH, HIDDEN, STEPS, BATCH = 50, 7, 12, 16, 9, 4
rng = np.random.RandomState(3)


# -- the models, in the words that NumPy, Theano and JAX share -------------------------------------


def weights(**shapes: tuple[int, ...]) -> dict[str, np.ndarray]:
    state = np.random.RandomState(5)
    return {k: 0.2 * state.randn(*s) for k, s in shapes.items()}


def sigmoid(m: Any, x: Any) -> Any:
    return 1 / (1 + m.exp(-x))


def columns(a: Any, count: int) -> list[Any]:
    return [a[:, i * HIDDEN : (i + 1) * HIDDEN] for i in range(count)]


def log_sum(m: Any, x: Any, axis: int) -> Any:
    top = x.max(axis=axis, keepdims=True)
    return m.log(m.exp(x - top).sum(axis=axis)) + top.sum(axis=axis)


def lstm(m: Any, p: dict[str, Any], side: str, x: Any, backwards: bool) -> Any:
    """Return the hidden states (step, sentence, unit) for a batch of sequences."""

    def step(x, h, c):
        pre = m.dot(x, p["w" + side]) + m.dot(h, p["u" + side]) + p["b" + side]
        i, f, o, g = columns(pre, 4)
        c = sigmoid(m, f) * c + sigmoid(m, i) * m.tanh(g)
        return sigmoid(m, o) * m.tanh(c), c

    zero = m.zeros((BATCH, HIDDEN))
    return m.scan(step, [x], [zero, zero], backwards)[0]


def tagger(m: Any, p: dict[str, Any], words: Any, tags: Any) -> Any:
    """Return the mean negative log-likelihood of a bidirectional LSTM with a CRF layer."""
    x = p["embedding"][words]
    ahead, back = lstm(m, p, "1", x, False), lstm(m, p, "2", x, True)
    hidden = m.concatenate([ahead, back[::-1]], axis=2)
    scores = m.dot(hidden, p["out"]) + p["bias"]

    def step(score, alpha):
        return (log_sum(m, alpha[:, :, None] + p["moves"], 1) + score,)

    alpha = m.scan(step, [scores[1:]], [scores[0]], False)[0][-1]
    places = np.arange(STEPS)[:, None], np.arange(BATCH)
    gold = scores[places[0], places[1], tags].sum() + p["moves"][tags[:-1], tags[1:]].sum()
    return (log_sum(m, alpha, 1).sum() - gold) / BATCH


def tagger_data() -> tuple[dict[str, np.ndarray], list[np.ndarray]]:
    lstms = {
        name + side: shape
        for side in "12"
        for name, shape in (
            ("w", (WIDTH, 4 * HIDDEN)),
            ("u", (HIDDEN, 4 * HIDDEN)),
            ("b", (4 * HIDDEN,)),
        )
    }
    p = weights(
        embedding=(WORDS, WIDTH), out=(2 * HIDDEN, TAGS), bias=(TAGS,), moves=(TAGS, TAGS), **lstms
    )
    return p, [rng.randint(0, n, (STEPS, BATCH)) for n in (WORDS, TAGS)]


def gru(m: Any, p: dict[str, Any], side: str, x: Any, h: Any) -> Any:
    pre, rest = m.dot(x, p["w" + side]) + p["b" + side], m.dot(h, p["u" + side])
    r, z, new = columns(pre, 3)
    hidden_r, hidden_z, hidden_new = columns(rest, 3)
    z = sigmoid(m, z + hidden_z)
    return (1 - z) * m.tanh(new + sigmoid(m, r + hidden_r) * hidden_new) + z * h


def translator(m: Any, p: dict[str, Any], source: Any, target: Any) -> Any:
    """Return the cross-entropy of a GRU decoder that looks at all states of a GRU encoder."""
    zero = m.zeros((BATCH, HIDDEN))
    encoded = m.scan(lambda x, h: (gru(m, p, "1", x, h),), [p["source"][source]], [zero], False)[0]
    keys = m.dot(encoded, p["keys"])

    def step(x, h):
        energy = (m.tanh(keys + m.dot(h, p["query"])) * p["energy"]).sum(axis=2)
        share = m.exp(energy - energy.max(axis=0, keepdims=True))
        share = share / share.sum(axis=0, keepdims=True)
        context = (share[:, :, None] * encoded).sum(axis=0)
        return (gru(m, p, "2", m.concatenate([x, context], axis=1), h),)

    states = m.scan(step, [p["target"][target[:-1]]], [encoded[-1]], False)[0]
    scores = m.dot(states, p["out"]) + p["bias"]
    places = np.arange(STEPS - 1)[:, None], np.arange(BATCH)
    right = scores[places[0], places[1], target[1:]]
    return (log_sum(m, scores, 2) - right).sum() / BATCH


def translator_data() -> tuple[dict[str, np.ndarray], list[np.ndarray]]:
    p = weights(
        source=(WORDS, WIDTH),
        target=(WORDS, WIDTH),
        w1=(WIDTH, 3 * HIDDEN),
        w2=(WIDTH + HIDDEN, 3 * HIDDEN),
        u1=(HIDDEN, 3 * HIDDEN),
        u2=(HIDDEN, 3 * HIDDEN),
        b1=(3 * HIDDEN,),
        b2=(3 * HIDDEN,),
        keys=(HIDDEN, HIDDEN),
        query=(HIDDEN, HIDDEN),
        energy=(HIDDEN,),
        out=(HIDDEN, WORDS),
        bias=(WORDS,),
    )
    return p, [rng.randint(0, WORDS, (STEPS, BATCH)) for _ in range(2)]


def adam(m: Any, w: Any, g: Any, mean: Any, square: Any, rate: float = 0.01) -> tuple[Any, ...]:
    """Return the new values of a parameter and of its two running means."""
    mean, square = 0.9 * mean + 0.1 * g, 0.999 * square + 0.001 * g * g
    return w - rate * mean / (m.sqrt(square) + 1e-8), mean, square


# -- graphs that are wide or deep ------------------------------------------------------------------


def nodes(m: Any, x: Any, w: Any) -> Any:
    """400 times five operations, one of them a product."""
    for _ in range(400):
        x = x + m.tanh(m.dot(x, w)) * 0.5 - 0.01
    return x


def chain(m: Any, x: Any) -> Any:
    for _ in range(6250):
        x = m.sin(x) * 1.001
    return x


def outputs(m: Any, x: Any) -> list[Any]:
    return [m.exp(x * (i + 1) / 2000) for i in range(2000)]


def joined(m: Any, *parts: Any) -> Any:
    return m.concatenate(parts)


def moved(m: Any, *ws: Any) -> list[Any]:
    return [w - 0.1 * m.tanh(w) for w in ws]


# Its function, arguments, and whether these are variables to be replaced by the results.
GRAPHS = {
    "2,000 nodes": (nodes, [rng.randn(8, 8), rng.randn(8, 8) / 8], False),
    "join of 5,000": (joined, list(rng.randn(5000, 3)), False),
    "chain of 12,500": (chain, [rng.randn(5)], False),
    "2,000 outputs": (outputs, [rng.randn(5)], False),
    "1,000 updates": (moved, list(rng.randn(1000, 3)), True),
}
MODELS = {"bi-LSTM-CRF": (tagger, tagger_data), "encoder-decoder": (translator, translator_data)}


# -- frameworks ------------------------------------------------------------------------------------


class TheanoModels(WithTheano):
    def train(self, model: Any, p: dict[str, np.ndarray], data: list[np.ndarray]) -> Any:
        t, shared = self.module, {k: self.base.shared(v, name=k) for k, v in p.items()}
        inputs = [t.lmatrix() for _ in data]
        cost = model(self, shared, *inputs)
        updates = []
        for w, g in zip(shared.values(), t.grad(cost, list(shared.values())), strict=True):
            means = [self.base.shared(np.zeros_like(w.get_value())) for _ in range(2)]
            updates += zip((w, *means), adam(self, w, g, *means), strict=True)
        return self.base.function(inputs, cost, updates=updates)(*data)

    def graph(self, build: Any, arrays: list[np.ndarray], updates: bool) -> Any:
        if updates:
            shared = [self.base.shared(a) for a in arrays]
            new = build(self, *shared)
            self.base.function([], updates=list(zip(shared, new, strict=True)))()
            return [w.get_value() for w in shared]
        inputs = [(self.module.dvector, self.module.dmatrix)[a.ndim - 1]() for a in arrays]
        return self.base.function(inputs, build(self, *inputs))(*arrays)


class JaxModels(WithJax):
    def __init__(self) -> None:
        super().__init__()
        self.jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)

    def train(self, model: Any, p: dict[str, np.ndarray], data: list[np.ndarray]) -> Any:
        def step(p, means, squares, *data):
            cost, g = self.jax.value_and_grad(lambda p: model(self, p, *data))(p)
            return cost, {k: adam(self, p[k], g[k], means[k], squares[k]) for k in p}

        zeros = {k: np.zeros_like(w) for k, w in p.items()}
        return self.jax.block_until_ready(self.jax.jit(step)(p, zeros, zeros, *data))[0]

    def graph(self, build: Any, arrays: list[np.ndarray], updates: bool) -> Any:
        return self.jax.block_until_ready(self.jax.jit(partial(build, self))(*arrays))


FRAMEWORKS = {"jax": JaxModels, "theano": TheanoModels}


def clock() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def compile_one(framework: str, name: str) -> None:
    """Compile one program, compare its first results with NumPy's, print the seconds it took."""
    m = FRAMEWORKS[framework]()
    if name in MODELS:
        model, data = MODELS[name]
        p, arrays = data()
        expected, run = model(WithNumPy(), p, *arrays), lambda: m.train(model, p, arrays)
    else:
        build, arrays, updates = GRAPHS[name]
        expected, run = build(np, *arrays), lambda: m.graph(build, arrays, updates)
    before = clock()
    got = run()
    wall, cpu = (after - start for start, after in zip(before, clock(), strict=True))
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-12)
    print(json.dumps({"wall": wall, "cpu": cpu}))


def measure(framework: str, name: str, cache: str) -> dict[str, float]:
    """Return the seconds of one program, in a fresh process whose caches lie in `cache`.

    Raises
    ------
    subprocess.TimeoutExpired
        It takes too long.
    """
    flags = f"base_compiledir={cache}"
    environ = {**os.environ, "THEANO_FLAGS": flags, "JAX_COMPILATION_CACHE_DIR": cache}
    command = [sys.executable, __file__, framework, name]
    done = subprocess.run(
        command, env=environ, capture_output=True, text=True, check=True, timeout=LONGEST
    )
    return json.loads(done.stdout.splitlines()[-1])


def case(framework: str) -> Figures:
    found = {}
    for name in (*MODELS, *GRAPHS):
        with tempfile.TemporaryDirectory() as cache, suppress(subprocess.TimeoutExpired):
            for state in ("cold", "warm"):
                seconds = measure(framework, name, cache)
                for kind, label in (("cpu", "CPU"), ("wall", "wall")):
                    found[f"{name}, {state}, {label}"] = (seconds[kind], "s")
    return found


if __name__ == "__main__":
    if len(sys.argv) > 2:
        compile_one(*sys.argv[1:])
    else:
        main({name: partial(case, name) for name in FRAMEWORKS})
