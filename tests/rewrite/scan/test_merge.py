"""Loops that become one loop."""

import random

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.agreement import agree
from support.comparison import DERIVATIVES
from support.compiling import ops
from theano._core.ops.control.scan import Loop
from theano.scan_module import until

x, s = T.dvector("x"), T.dscalar("s")


def loops_of(run):
    return len(ops(run, Loop))


def test_loops_that_end_by_the_same_condition_are_one():
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


def test_the_gradient_of_a_loop_with_a_condition_runs_forward_once():
    rows, _ = theano.scan(
        lambda a, h, w: (T.tanh(w * a * T.exp(h)), until(h > 0.3)), x, s, non_sequences=s
    )
    run = theano.function([x, s], [rows, *T.grad(rows.sum(), [x, s])])
    assert loops_of(run) == 2
    values, start, gap = np.arange(8.0) / 5, 0.2, 1e-6
    found = run(values, start)
    ends = [run(values, start + e)[0].sum() for e in (gap, -gap)]
    np.testing.assert_allclose(found[2], (ends[0] - ends[1]) / (2 * gap), rtol=1e-8)


@pytest.mark.parametrize("seed", range(6))
def test_loops_that_need_each_other_are_merged_as_far_as_they_can(seed):
    draw = random.Random(seed)
    values = [x * (k + 1) for k in range(2)]
    results = []
    for _ in range(10):
        read, other, factor = draw.choice(values), draw.choice(values), draw.randint(1, 2)
        rows, _ = theano.scan(
            lambda a, b, h, f=factor: [T.tanh(a * f + h), b - h], [read, other], [s, None]
        )
        results += rows
        values.append(draw.choice(rows))
    cost = sum(r.sum() for r in results)
    outputs = [*results, T.grad(cost, x)]
    agree([x, s], outputs, (np.arange(5.0), 0.3), tolerance=DERIVATIVES)
