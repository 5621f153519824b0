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


x, y, z = T.dvectors("x", "y", "z")
a, b, m = T.dmatrices("a", "b", "m")
even, odd, row, first = x[::2], x[1::2], x[None, :], T.exp(x)
PAIRS = ((1, 2), (2, 0), (0, 1))
CROSS = [a[:, i] * b[:, j] - a[:, j] * b[:, i] for i, j in PAIRS]
TURNED = [a.T[i] * b[:, j] - a[:, j] * b.T[i] for i, j in PAIRS[:2]]
MANY = T.dvectors(*"abcdefghij")
# What is computed, and how many operations each loop has.
LOOPS = {
    "a sum and a difference of the same are one": ([even - odd, even + odd], [2]),
    "more of the same is one": ([T.exp(even - odd), (even + odd) * 2], [4]),
    "sums of the same and of more": ([x.sum(), y.sum(), (x * x).sum(), (x * y).sum()], [6]),
    "columns of the same matrices": (CROSS, [9]),
    "columns and rows of transposes": (TURNED, [6]),
    "columns of a transpose are rows": ([a.T[:, 0] * 2, a.T[:, 1] * 3], [1, 1]),
    "not rows of two": ([a[0] * 2, b[1] * 2], [1, 1]),
    "not some of the items": ([a[:, 0] * 2, a[1:, 0] * 2], [1, 1]),
    "not a whole matrix": ([a[:, 0] * 2, a * 2], [1, 1]),
    "not columns of two": ([a[:, 0] * 2, b[:, 0] * 2], [1, 1]),
    "what reads another array is apart": ([x + y, x + z], [1, 1]),
    "a row of another array": ([x[:, None] + y, x[:, None] * z], [1, 1]),
    "two that are not side by side": ([x[:, None] + y, x[:, None] * y], [1, 1]),
    "what runs over contiguous arrays as over vectors": ([m + x, m * 3], [1, 1]),
    "both have a row": ([m + row, m * row], [2]),
    "sums as over vectors": ([(m + x).sum(), m.sum()], [1, 2]),
    "sums of columns": ([(m + x).sum(axis=0), m.sum(axis=0)], [3]),
    "what needs the other is apart": ([first, x + T.dot(m, first)], [1, 1]),
    # The sum needs the first loop; what it is added to, and the first loop, read the same.
    "what a sum is between": ([x * x.sum(), x + 1], [1, 1, 1]),
    "other axes and what is stored": ([m.sum(axis=0), m.max(axis=1), m + 1], [1, 1, 1]),
    "reductions along one axis": ([m.sum(axis=0), m.max(axis=0)], [2]),
    "loops end at a length": ([T.exp(x * float(n)) for n in range(2, 20)], [2] * 18),
    "loops read few arrays": ([reduce(add, MANY), reduce(mul, MANY)], [9, 9]),
}


@pytest.mark.parametrize("name", LOOPS)
def test_which_loops_are_one(name):
    outputs, wanted = LOOPS[name]
    assert _steps(outputs) == wanted


def test_loops_end_at_a_length():
    assert max(_steps([T.exp(x * float(n)) for n in range(2, 16)])) < 12


def test_cross_products_are_those_of_numpy():
    f = theano.function([a, b], T.stack(CROSS, axis=1))
    for rows in (0, 1, 7, 100):
        one, two = small((rows, 3)), small((rows, 3), seed=1)
        np.testing.assert_array_equal(f(one, two), np.cross(one, two))
    with pytest.raises(ValueError, match="mis-match"):
        f(np.ones((2, 3)), np.ones((3, 3)))


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
    f = theano.function([a, b], [a + b, a - b])
    value = np.asfortranarray(np.arange(12.0).reshape(3, 4))
    for got in f(value, value):
        assert got.flags.f_contiguous
    for got in f(value, np.ascontiguousarray(value)):
        assert got.flags.c_contiguous


def test_lengths_that_differ_are_still_refused():
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
