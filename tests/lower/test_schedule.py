"""Which nodes share a loop."""

from functools import reduce
from operator import add

import numpy as np
from line_count import lines_run

import theano
import theano.tensor as T
from support.arrays import values
from support.comparison import SUMS
from support.loops import agree
from theano._core.ir.graph import toposort
from theano._core.lower import live_values, schedule
from theano._core.lower.computed_again import computed
from theano._core.rewrite.engine import Rewriter


def grouped(*outputs):
    """Return the steps that make the outputs."""
    return schedule.group(toposort(outputs), schedule.EqualLengths(Rewriter().shape))


def _lines_run(count):
    """Return how many lines of `schedule` run to group a chain of `count` nodes."""
    x = T.dvector("x")
    y = x
    for _ in range(count):
        y = T.tanh(y)
    nodes, shape = toposort([y]), schedule.EqualLengths(Rewriter().shape)
    lines, steps = lines_run(schedule, lambda: schedule.group(nodes, shape))
    assert sum(len(step.nodes) for step in steps) == count
    return lines


def test_grouping_is_linear_in_the_number_of_applications():
    assert _lines_run(2000) <= 2.2 * _lines_run(1000)


def test_steps_in_between_are_not_jumped_over():
    x, m = T.dvector("x"), T.dmatrix("m")
    first = T.exp(x)
    assert [len(step.nodes) for step in grouped(first * T.dot(m, first))] == [1, 1, 1]


def test_what_small_arrays_make_is_computed_again_and_not_stored():
    x, y = T.dmatrix("x"), T.dmatrix("y")
    d = x[:, None, :] - y
    tripled = 3 * d
    steps = grouped((d * d).sum(axis=2), tripled.sum(axis=0))
    (made_by,) = [step for step in steps if d.owner in step.nodes]
    (other,) = [step for step in steps if d.owner in step.again]
    assert other is not made_by
    assert list(other.again) == [d.owner, tripled.owner]
    assert computed(other) == [d.owner, tripled.owner, *other.nodes]


def test_what_large_arrays_make_or_takes_long_is_stored():
    x, y = T.dmatrix("x"), T.dmatrix("y")
    long, large = T.exp(x[:, None, :] - y), T.dtensor3("z") - y
    for d in (long, large):
        steps = grouped((d * d).sum(axis=2), (3 * d).sum(axis=0))
        assert not any(step.again for step in steps)


def test_values_and_memory_of_what_is_computed_again():
    def build(m, x, y, s):
        d = x[:, None, :] - y
        weighted = d * s[:, :, None]
        sums = [(d * d).sum(axis=2), weighted.sum(axis=0), weighted.sum(axis=1)]
        return [*sums, m.exp(d).sum(), m.tensordot(d, s, [[0, 1], [0, 1]])]

    sizes = [(5, 7, 3), (1, 1, 1), (0, 4, 3), (4, 0, 2), (9, 40, 17)] * 3
    shapes = [[(n, k), (m, k), (n, m)] for n, m, k in sizes]
    agree(build, "float64", shapes, make=values, tolerance=SUMS)
    x, y, s = T.dmatrices("x", "y", "s")
    plan = theano.function([x, y, s], build(T, x, y, s)[:3]).memory_plan(
        np.ones((50, 9)), np.ones((60, 9)), np.ones((50, 60))
    )
    assert plan.peak < 50 * 60 * 9 * 8


def test_a_state_that_is_read_again_is_not_overwritten_before():
    x, w = T.dvector("x"), theano.shared(np.arange(4.0))
    d = x[:, None] - w
    f = theano.function([x], [(d * d).sum(axis=1), d.sum(axis=0)], updates=[(w, w + 1)])
    given = np.array([1.0, 5.0, -2.0])
    for start in range(3):
        away = given[:, None] - (np.arange(4.0) + start)
        one, two = f(given)
        np.testing.assert_array_equal(one, (away**2).sum(1))
        np.testing.assert_array_equal(two, away.sum(0))


def _weights(formula):
    """Return the weights of the loops of a formula, in order."""
    x = T.dvectors(4)
    return [step.weight for step in grouped(formula(x)) if step.is_loop]


def test_long_formulas_are_cut_where_they_hand_on_little():
    def narrow(x):
        y, z = x[0], x[1]
        for _ in range(150):
            y, z = y * z + x[2], z - y * x[3]
        return y + z

    def wide(x):
        values = [x[i % 4] * (i + 2.0) for i in range(16)]
        for _ in range(240):
            values.append(values[-16] * values[-1] - values[-7])
        return sum(values[-16:])

    cut, whole = _weights(narrow), _weights(wide)
    assert len(cut) > 4 and max(cut) <= live_values.HEAVIEST_GROUP
    assert 1 < len(whole) < 4 and live_values.HEAVIEST_GROUP < max(whole) <= live_values.MOST


def _handed_on(nodes):
    """Return how many values each loop of the nodes makes that others read."""
    steps = schedule.group(nodes, schedule.EqualLengths(Rewriter().shape))
    step_of = {node: step for step in steps for node in step.nodes}
    found = []
    for step in steps:
        reads = {v for node in nodes if step_of[node] is not step for v in node.inputs}
        found.append(len(reads.intersection(*[[n.outputs[0] for n in step.nodes]])))
    return found


def test_a_long_sum_is_cut_between_its_terms():
    x = T.dvector("x")
    handed_on = _handed_on(toposort([sum(T.exp(x - 0.1 * i) for i in range(40))]))
    assert len(handed_on) > 4
    assert handed_on == [1] * (len(handed_on) - 1) + [0]


def test_two_sums_of_the_same_terms_go_on_together():
    x = T.dvector("x")
    terms = [T.exp(x - 0.1 * i) for i in range(40)]
    ratio = reduce(add, [t * (x - i) for i, t in enumerate(terms)]) / reduce(add, terms)
    nodes = toposort([ratio])
    together = live_values.last_readers_first(nodes)
    assert len(nodes) == len(together) == len(set(together))
    done = set()
    for node in together:
        assert done.issuperset(v.owner for v in node.inputs if v.owner in nodes)
        done.add(node)
    assert max(_handed_on(together)) <= 2 < 5 <= max(_handed_on(nodes))
    f = theano.function([x], ratio)
    given = np.linspace(-1, 1, 1000)
    exact = [np.exp(given - 0.1 * i) for i in range(40)]
    wanted = sum(t * (given - i) for i, t in enumerate(exact)) / sum(exact)
    np.testing.assert_allclose(f(given), wanted, rtol=1e-12)


def test_what_makes_more_than_it_reads_waits():
    """A sum of a column and a row is larger than both."""
    x, y = T.dcol("x"), T.drow("y")
    column, row = T.exp(x), T.exp(y)
    other = T.tanh(y)
    nodes = toposort([column, row, other, column + row])
    assert live_values.last_readers_first(nodes) == nodes
