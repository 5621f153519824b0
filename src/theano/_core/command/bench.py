"""`python -m theano bench`: NumPy and Theano on this machine, in less than a minute."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from theano._core.api.array import reductions
from theano._core.api.array.products import dot
from theano._core.api.conversion import as_tensor_variable
from theano._core.api.nn.nnet import sigmoid, softmax
from theano._core.api.scan.scan import scan
from theano._core.api.variable.constructors import dmatrix, dvector
from theano._core.api.variable.shared import shared
from theano._core.autodiff.reverse import grad
from theano._core.base.records import Record
from theano._core.compile.function import function
from theano._core.ops.elementwise.transcendental import exp, log, tanh
from theano._core.runtime import native

# Seconds for each case; rounds in which both take turns.
SECONDS, ROUNDS = 4.0, 50


class Case(Record):
    """Two functions that compute the same, and what they are called with."""

    numpy: Callable[..., Any]
    theano: Callable[..., Any]
    arguments: tuple[Any, ...]


def _small() -> Case:
    x = dvector("x")
    return Case(lambda v: np.tanh(v) * 2 + 1, function([x], tanh(x) * 2 + 1), (np.ones(10),))


def _elementwise() -> Case:
    x, y = dvector("x"), dvector("y")
    f = function([x, y], tanh(x) * exp(-(y**2)) + x * y)
    values = tuple(np.random.default_rng(0).normal(size=(2, 1_000_000)))
    return Case(lambda a, b: np.tanh(a) * np.exp(-(b**2)) + a * b, f, values)


def _sums() -> Case:
    x = dmatrix("x")
    f = function([x], reductions.sum((x - reductions.mean(x, 0)) ** 2, 0))
    values = np.random.default_rng(0).normal(size=(10_000, 100))
    return Case(lambda a: ((a - a.mean(0)) ** 2).sum(0), f, (values,))


def _product() -> Case:
    a, b = dmatrix("a"), dmatrix("b")
    values = np.random.default_rng(0).normal(size=(2, 500, 500))
    return Case(np.dot, function([a, b], dot(a, b)), tuple(values))


def _softmax() -> Case:
    def by_hand(a: np.ndarray) -> np.ndarray:
        raised = np.exp(a - a.max(1, keepdims=True))
        return raised / raised.sum(1, keepdims=True)

    x = dmatrix("x")
    values = np.random.default_rng(0).normal(size=(2000, 200))
    return Case(by_hand, function([x], softmax(x)), (values,))


def _descent() -> Case:
    rng = np.random.default_rng(0)
    rows, labels = rng.normal(size=(500, 100)), rng.integers(0, 2, 500).astype(float)
    x, y, w = dmatrix("x"), dvector("y"), shared(np.zeros(100), "w")
    p = sigmoid(dot(x, w))
    cost = -reductions.mean(y * log(p) + (1 - y) * log(1 - p))
    train = function([x, y], cost, updates=[(w, w - 0.1 * grad(cost, w))])
    weights = np.zeros(100)

    def by_hand(a: np.ndarray, b: np.ndarray) -> Any:
        q = 1 / (1 + np.exp(-(a @ weights)))
        loss = -np.mean(b * np.log(q) + (1 - b) * np.log(1 - q))
        weights[...] -= 0.1 * (a.T @ (q - b)) / len(b)
        return loss

    return Case(by_hand, train, (rows, labels))


def _loop() -> Case:
    def by_hand(a: np.ndarray) -> np.ndarray:
        h = np.zeros(20)
        for row in a:
            h = np.tanh(h * 0.5 + row)
        return h

    x = dmatrix("x")
    start = as_tensor_variable(np.zeros(20))
    states, _ = scan(lambda row, h: tanh(h * 0.5 + row), sequences=x, outputs_info=start)
    return Case(
        by_hand, function([x], states[-1]), (np.random.default_rng(0).normal(size=(1000, 20)),)
    )


CASES: dict[str, Callable[[], Case]] = {
    "a call with 10 numbers": _small,
    "elementwise, a million numbers": _elementwise,
    "variances of 100 columns": _sums,
    "product of 500 x 500": _product,
    "softmax of 2000 rows": _softmax,
    "a step of logistic regression": _descent,
    "a loop of 1000 steps": _loop,
}


def measure() -> int:
    """Print how long each case takes, by NumPy and here; return 0 if the results agree."""
    print(f"{native.get_threads()} threads; the shortest of many calls, by turns\n")
    print(f"{'':<32}{'NumPy':>12}{'Theano':>12}{'ratio':>8}")
    wrong = 0
    for name, make in CASES.items():
        case = make()
        agree = np.allclose(case.numpy(*case.arguments), case.theano(*case.arguments), rtol=1e-9)
        wrong += not agree
        one, two = _times(case)
        said = "" if agree else "  THE RESULTS DIFFER"
        print(f"{name:<32}{_duration(one)}{_duration(two)}{one / two:>7.1f}x{said}", flush=True)
    print("\nThe ratio tells how many times faster Theano is.")
    return 1 if wrong else 0


def _times(case: Case) -> tuple[float, float]:
    """Return the shortest times of a call of both, taken by turns."""
    best, end = [np.inf, np.inf], time.perf_counter() + SECONDS
    for _ in range(ROUNDS):
        for index, run in enumerate((case.numpy, case.theano)):
            start = time.perf_counter()
            count = 0
            while count < 1000 and time.perf_counter() - start < 2e-3:
                run(*case.arguments)
                count += 1
            best[index] = min(best[index], (time.perf_counter() - start) / count)
        if time.perf_counter() > end:
            break
    return best[0], best[1]


def _duration(seconds: float) -> str:
    scale, unit = (1e6, "us") if seconds < 1e-3 else (1e3, "ms")
    return f"{seconds * scale:>9.1f} {unit}"
