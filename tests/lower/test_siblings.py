"""Loops that read the same arrays and do not need each other are one."""

from functools import reduce
from operator import add, mul

import numpy as np
import pytest
from line_count import lines_run

import theano
import theano.tensor as T
from support.loops import agree, small
from theano._core.ir.graph import toposort
from theano._core.lower import schedule, siblings
from theano._core.rewrite.engine import Rewriter


def _steps(outputs, alone=None):
    """Return how many operations each loop of a graph has."""
    shape = schedule.EqualLengths(Rewriter().shape)
    steps = siblings.join_siblings(schedule.group(toposort(outputs), shape), alone or ())
    done = set()
    for step in steps:
        for node in sorted(step.nodes, key=toposort(outputs).index):
            assert all(v.owner is None or v.owner in done for v in node.inputs)
            done.add(node)
    return sorted(len(step.nodes) for step in steps if step.is_loop)


def test_sum_and_difference_of_the_same_are_one_loop():
    x = T.dvector("x")
    even, odd = x[::2], x[1::2]
    assert _steps([even - odd, even + odd]) == [2]
    assert _steps([T.exp(even - odd), (even + odd) * 2]) == [4]


def test_sums_of_the_same_and_of_more_are_one_loop():
    x, y = T.dvectors("x", "y")
    assert _steps([x.sum(), y.sum(), (x * x).sum(), (x * y).sum()]) == [6]


def test_loops_over_columns_of_the_same_matrices_are_one():
    a, b = T.dmatrices("a", "b")
    cross = [a[:, i] * b[:, j] - a[:, j] * b[:, i] for i, j in ((1, 2), (2, 0), (0, 1))]
    assert _steps(cross) == [9]
    assert _steps([a.T[i] * b[:, j] - a[:, j] * b.T[i] for i, j in ((1, 2), (2, 0))]) == [6]
    assert _steps([a.T[:, 0] * 2, a.T[:, 1] * 3]) == [1, 1]
    # Not those of rows, of some of the items, or over whole matrices.
    assert _steps([a[0] * 2, b[1] * 2]) == [1, 1]
    assert _steps([a[:, 0] * 2, a[1:, 0] * 2]) == [1, 1]
    assert _steps([a[:, 0] * 2, a * 2]) == [1, 1]
    assert _steps([a[:, 0] * 2, b[:, 0] * 2]) == [1, 1]
    f = theano.function([a, b], T.stack(cross, axis=1))
    for rows in (0, 1, 7, 100):
        x, y = small((rows, 3)), small((rows, 3), seed=1)
        np.testing.assert_array_equal(f(x, y), np.cross(x, y))
    with pytest.raises(ValueError, match="mis-match"):
        f(np.ones((2, 3)), np.ones((3, 3)))


def test_what_reads_other_arrays_stays_apart():
    x, y, z = T.dvectors("x", "y", "z")
    assert _steps([x + y, x + z]) == [1, 1]
    assert _steps([x[:, None] + y, x[:, None] * z]) == [1, 1]
    assert _steps([x[:, None] + y, x[:, None] * y]) == [1, 1]


def test_what_runs_over_contiguous_arrays_as_over_vectors_still_does():
    m, x = T.dmatrix("m"), T.dvector("x")
    assert _steps([m + x, m * 3]) == [1, 1]
    row = x[None, :]
    assert _steps([m + row, m * row]) == [2]
    assert _steps([(m + x).sum(), m.sum()]) == [1, 2]
    assert _steps([(m + x).sum(axis=0), m.sum(axis=0)]) == [3]


def test_what_needs_the_other_stays_apart():
    x, m = T.dvector("x"), T.dmatrix("m")
    first = T.exp(x)
    assert _steps([first, x + T.dot(m, first)]) == [1, 1]
    # The sum needs the first loop; what it is added to, and the first loop, read the same.
    assert _steps([x * x.sum(), x + 1]) == [1, 1, 1]


def test_other_axes_and_results_that_are_stored_stay_apart_from_sums():
    m = T.dmatrix("m")
    assert _steps([m.sum(axis=0), m.max(axis=1), m + 1]) == [1, 1, 1]
    assert _steps([m.sum(axis=0), m.max(axis=0)]) == [2]


def test_loops_end_at_a_length_and_read_few_arrays():
    x = T.dvector("x")
    assert max(_steps([T.exp(x * float(n)) for n in range(2, 16)])) < 12
    assert _steps([T.exp(x * float(n)) for n in range(2, 20)]) == [2] * 18
    many = T.dvectors(*"abcdefghij")
    assert _steps([reduce(add, many), reduce(mul, many)]) == [9, 9]


def test_new_values_of_shared_variables_stay_alone():
    w = theano.shared(np.arange(5.0))
    before = w.get_value(borrow=True)
    f = theano.function([], w * 2, updates=[(w, w + 1)])
    np.testing.assert_array_equal(f(), 2 * np.arange(5.0))
    assert w.get_value(borrow=True) is before
    np.testing.assert_array_equal(before, np.arange(5.0) + 1)


def test_results_are_those_of_loops_apart():
    shapes = [[shape, shape] for shape in [(0, 3), (1, 1), (1, 7), (5, 1), (37, 41)] * 2]
    agree(lambda m, x, y: [x + y, x - y, abs(x)], "float64", shapes)


def test_all_results_lie_as_the_operands_do():
    x, y = T.dmatrices("x", "y")
    f = theano.function([x, y], [x + y, x - y])
    a = np.asfortranarray(np.arange(12.0).reshape(3, 4))
    for got in f(a, a):
        assert got.flags.f_contiguous
    for got in f(a, np.ascontiguousarray(a)):
        assert got.flags.c_contiguous


def test_lengths_that_differ_are_still_refused():
    x, y = T.dvectors("x", "y")
    with pytest.raises(ValueError, match="3"):
        theano.function([x, y], [x - y, x + y])(np.ones(3), np.ones(4))


def _lines_run(count):
    """Return how many lines of `siblings` run for `count` pairs, one after the other."""
    x = T.dvector("x")
    for _ in range(count):
        even, odd = x[::2], x[1::2]
        x = T.concatenate([even + odd, even - odd])
    shape = schedule.EqualLengths(Rewriter().shape)
    steps = schedule.group(toposort([x]), shape)
    lines, joined = lines_run(siblings, lambda: siblings.join_siblings(steps, ()))
    assert len(joined) == len(steps) - count
    return lines


def test_joining_is_linear_in_the_number_of_loops():
    assert _lines_run(200) <= 2.2 * _lines_run(100)
