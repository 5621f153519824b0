"""Loops that become one loop."""

from __future__ import annotations

from typing import Any

import numpy as np

import theano
import theano.tensor as T
from theano._core.ops.control.scan import Loop
from theano.scan_module import until

x, s = T.dvector("x"), T.dscalar("s")


def loops_of(run: Any) -> int:
    return sum(isinstance(node.op, Loop) for node in run.maker.graph.toposort())


def test_loops_that_end_by_the_same_condition_are_one() -> None:
    first, _ = theano.scan(lambda a: (a + 1, until(a > 3)), x)
    second, _ = theano.scan(lambda a: (a * 2, until(a > 3)), x)
    other, _ = theano.scan(lambda a: (a * 2, until(a > 4)), x)
    run = theano.function([x], [first, second, second.shape[0]])
    assert loops_of(run) == 1
    values = np.array([0.0, 5, 1])
    assert [r.tolist() for r in run(values)] == [[1, 6], [0, 10], 2]
    run = theano.function([x], [first, other])
    assert loops_of(run) == 2
    assert [r.tolist() for r in run(np.array([3.5, 4.5, 1]))] == [[4.5], [7, 9]]


def test_the_gradient_of_a_loop_with_a_condition_runs_forward_once() -> None:
    rows, _ = theano.scan(
        lambda a, h, w: (T.tanh(w * a * T.exp(h)), until(h > 0.3)), x, s, non_sequences=s
    )
    run = theano.function([x, s], [rows, *T.grad(rows.sum(), [x, s])])
    assert loops_of(run) == 2
    values, start, gap = np.arange(8.0) / 5, 0.2, 1e-6
    found = run(values, start)
    ends = [run(values, start + e)[0].sum() for e in (gap, -gap)]
    np.testing.assert_allclose(found[2], (ends[0] - ends[1]) / (2 * gap), rtol=1e-8)
