"""Memory is written in place only where nothing else reads it, the same node included."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T

N = 5
A = np.random.RandomState(1).randn(N, 3)
B = np.random.RandomState(2).randn(N, N)
ORDER = [1, 0, 3, 2, 4]


def changed(whole: Any, index: Any, part: Any, add: bool) -> Any:
    result = whole.copy()
    result[index] = result[index] + part if add else part
    return result


# Expressions of a matrix q and another one y, in which one node reads q twice.
CASES: dict[str, tuple[Any, Any]] = {
    "q y + q": (lambda q, y: 0.2 * T.dot(q, y) - 0.5 * q, lambda q, y: 0.2 * q @ y - 0.5 * q),
    "y q + q": (lambda q, y: 0.2 * T.dot(y, q) - 0.5 * q, lambda q, y: 0.2 * y @ q - 0.5 * q),
    "q q + q": (lambda q, y: 0.2 * T.dot(q, q) + q, lambda q, y: 0.2 * q @ q + q),
    "q.T y + q": (lambda q, y: 0.2 * T.dot(q.T, y) + q, lambda q, y: 0.2 * q.T @ y + q),
    "reversed": (
        lambda q, y: T.inc_subtensor(q[::-1], q),
        lambda q, y: q + q[::-1],
    ),
    "next row": (
        lambda q, y: T.inc_subtensor(q[1:], q[:-1]),
        lambda q, y: changed(q, slice(1, None), q[:-1], add=True),
    ),
    "some rows": (
        lambda q, y: T.inc_subtensor(q[ORDER], q),
        lambda q, y: changed(q, ORDER, q, add=True),
    ),
    "column of row": (
        lambda q, y: T.set_subtensor(q[:, 0], q[0]),
        lambda q, y: changed(q, (slice(None), 0), q[0], add=False),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_intermediate(name: str) -> None:
    expression, wanted = CASES[name]
    x, y = T.matrices("x", "y")
    f = theano.function([x, y], expression(T.dot(x, x.T), y), on_unused_input="ignore")
    np.testing.assert_allclose(f(A, B), wanted(A @ A.T, B), rtol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_shared_variable(name: str) -> None:
    expression, wanted = CASES[name]
    q, y = theano.shared(A @ A.T), T.matrix("y")
    f = theano.function([y], updates=[(q, expression(q, y))], on_unused_input="ignore")
    f(B)
    np.testing.assert_allclose(q.get_value(), wanted(A @ A.T, B), rtol=1e-12)
