"""Random graphs: rewritten native code, plain native code and the reference must agree.

`python tests/fuzz/test_random_graphs.py FIRST LAST` tries more seeds and prints those that differ.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.lower.reference import evaluate

DTYPES = ["float64", "float64", "float32", "int32", "int8", "bool"]
# Tanh of an int8 is a float32: its rounding is the tolerance of all.
TOLERANCE = 1e-3


def folded(x: Any, y: Any, rng: np.random.Generator) -> Any:
    axis = int(rng.integers(x.ndim)) if x.ndim else None
    return x.sum(axis=axis, keepdims=bool(rng.integers(2)))


OPERATIONS: list[Callable[[Any, Any, np.random.Generator], Any]] = [
    lambda x, y, rng: x + y,
    lambda x, y, rng: x * y,
    lambda x, y, rng: x - y,
    lambda x, y, rng: x / (1 + T.sqr(y)),
    lambda x, y, rng: -x,
    lambda x, y, rng: T.tanh(x),
    lambda x, y, rng: T.nnet.sigmoid(x),
    lambda x, y, rng: T.exp(-abs(x)),
    lambda x, y, rng: T.log1p(T.exp(x)),
    lambda x, y, rng: T.maximum(x, y),
    lambda x, y, rng: T.switch(x > 0, x, y),
    folded,
    lambda x, y, rng: T.max(x),
    lambda x, y, rng: x.T,
    lambda x, y, rng: x[::-1] if x.ndim else x,
    lambda x, y, rng: x.reshape((-1,)),
    lambda x, y, rng: T.dot(x, y) if x.ndim and y.ndim else x * 2,
    lambda x, y, rng: T.concatenate([x, x], axis=0) if x.ndim else T.stack([x, y]),
    lambda x, y, rng: T.inc_subtensor(x[:1], 2) if x.ndim else x,
]


def inputs_of(rng: np.random.Generator) -> dict[Any, np.ndarray]:
    """Return three inputs with values."""
    n, m = int(rng.integers(0, 6)), int(rng.integers(1, 70))
    values = {}
    for k in range(3):
        dtype = DTYPES[rng.integers(len(DTYPES))]
        shape: tuple[int, ...] = [(), (m,), (n, m), (n, m), (1, m)][rng.integers(5)]
        variable = T.TensorType(dtype, [False] * len(shape))(f"v{k}")
        drawn = np.asarray(rng.normal(size=shape)) * 3
        values[variable] = np.asarray(drawn > 0 if dtype == "bool" else drawn).astype(dtype)
    return values


def graph_of(rng: np.random.Generator, variables: list[Any]) -> list[Any]:
    """Return three expressions that share parts."""
    pool = list(variables)
    for _ in range(int(rng.integers(1, 18))):
        x, y = (pool[i] for i in rng.integers(len(pool), size=2))
        operation = OPERATIONS[rng.integers(len(OPERATIONS))]
        try:
            pool.append(operation(x, y, rng))
        except (TypeError, ValueError, IndexError, NotImplementedError):
            continue  # these operands do not fit
    return [pool[-1], pool[len(pool) // 2], pool[rng.integers(len(pool))]]


def difference(seed: int) -> str | None:
    """Return what is wrong with the graph of a seed, or None."""
    rng = np.random.default_rng(seed)
    values = inputs_of(rng)
    outputs = graph_of(rng, list(values))
    try:
        wanted = evaluate(outputs, values)
    except (ValueError, IndexError):
        wanted = None
    for mode in ("FAST_RUN", "FAST_COMPILE"):
        f = theano.function(list(values), outputs, mode=mode, on_unused_input="ignore")
        try:
            got = f(*values.values())
        except (ValueError, IndexError) as error:
            if wanted is not None:
                return f"{mode} raised {error!r}"
            continue
        for one, two in zip(got, wanted or got, strict=True):
            if (one.dtype, one.shape) != (two.dtype, two.shape):
                return f"{mode}: {one.dtype}{one.shape}, reference {two.dtype}{two.shape}"
            if not np.allclose(one, two, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True):
                return f"{mode}: {one.ravel()[:4]}, reference {two.ravel()[:4]}"
    return None


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("start", range(0, 160, 20))
def test_random_graphs(start: int) -> None:
    found = {seed: difference(seed) for seed in range(start, start + 20)}
    assert {seed: text for seed, text in found.items() if text is not None} == {}


def test_lengths_of_what_does_not_exist_yet() -> None:
    """A loop must not take its length from a value that is computed from it."""
    v, w = T.dvector("v"), T.dmatrix("w")
    flat = (v * w).reshape((-1,))
    f = theano.function([v, w], flat / (1 + T.sqr(w)))
    np.testing.assert_allclose(f(np.ones(3), np.full((1, 3), 2.0)), np.full((1, 3), 0.4))


if __name__ == "__main__":
    first, last = (int(a) for a in sys.argv[1:3])
    for number in range(first, last):
        problem = difference(number)
        if problem is not None:
            print(number, problem)
