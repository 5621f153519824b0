"""States that are written over the ones before, and those that may not be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.lower import program as ir

Step = Callable[..., Any]
# What a step makes of two states.
STEPS: dict[str, Step] = {
    "each by itself": lambda m, a, b: (a * 0.5 + 1, m.sin(b)),
    "from both": lambda m, a, b: (a + b, a - b),
    "exchanged": lambda m, a, b: (b * 1.5, a * 0.5),
    "handed on": lambda m, a, b: (a + b, a),
    "read by a product later": lambda m, a, b: (a * 0.5, b + m.dot(a[None], b[:, None])[0]),
    "a sum that is read later": lambda m, a, b: (a + 1, b + a.sum()),
    "a sum that is read before": lambda m, a, b: (a + a.sum(), b * 0.5),
    "backwards": lambda m, a, b: (a[::-1] * 0.5 + b, b + a),
    "moved": lambda m, a, b: (m.concatenate([a[1:], a[:1]]) + b, b * 0.5),
    "one for another": lambda m, a, b: (m.where(a > 0, b, a) - 0.1, m.where(b > a, a, b)),
    "both the same": lambda m, a, b: (a * b + 1, a * b + 1),
}


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("shape", [(0,), (1,), (7,), (40,)])
def test_states(name: str, shape: tuple[int, ...]) -> None:
    random = np.random.default_rng(5)
    start = [random.normal(size=shape) * 0.1, random.normal(size=shape) * 0.1]
    given = [v.copy() for v in start]
    a, b, n = T.dvector(), T.dvector(), T.lscalar()
    step = STEPS[name]
    rows, _ = theano.scan(lambda a, b: step(T, a, b), outputs_info=[a, b], n_steps=n)
    f = theano.function([a, b, n], [rows[0][-1], rows[1][-1]])
    states = start
    for steps in (1, 2, 3):
        states = step(np, *states)
        for got, wanted in zip(f(*given, steps), states, strict=True):
            np.testing.assert_allclose(got, wanted, rtol=1e-13, atol=1e-15)
    # What was given is not what was written over.
    for one, two in zip(given, start, strict=True):
        np.testing.assert_array_equal(one, two)


def test_an_end_and_an_error() -> None:
    x, y = T.dmatrix(), T.dmatrix()

    def step(h: Any) -> Any:
        return h * 2 + y, theano.scan_module.until(T.max(h) > 50)

    rows, _ = theano.scan(step, outputs_info=x, n_steps=100)
    f = theano.function([x, y], rows[-1])
    wanted = np.ones((3, 11))
    while True:
        ends, wanted = wanted.max() > 50, wanted * 2
        if ends:
            break
    np.testing.assert_array_equal(f(np.ones((3, 11)), np.zeros((3, 11))), wanted)
    with pytest.raises(ValueError):
        f(np.ones((3, 11)), np.zeros((3, 1)))


@pytest.mark.parametrize("over", [True, False])
def test_where_rows_lie_does_not_change(over: bool) -> None:
    x = T.dvector()
    rows, _ = theano.scan(
        lambda h: T.tanh(h) + 1 if over else h[::-1] + h, outputs_info=x, n_steps=5
    )
    program = theano.function([x], rows[-1]).maker.program_text.program
    loops = [i for i in ir.walk(program.body) if isinstance(i, ir.For)]
    stays = [c.after == c.name for loop in loops for c in loop.carried if c.kind == "ptr"]
    assert stays and all(stays) == over
