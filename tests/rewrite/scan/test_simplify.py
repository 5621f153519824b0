"""What is left of loops: fewer states, steps, products and results."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.agreement import agree
from support.comparison import SUMS
from theano import scan
from theano._core.ops.control.scan import Loop

x, m, c3, s = T.dvector("x"), T.dmatrix("m"), T.dtensor3("c3"), T.dscalar("s")
w, u = T.dmatrix("w"), T.dmatrix("u")
X = np.array([0.5, -1.0, 2.0, 0.25, 3.0, -0.5, 1.5])
M = np.arange(12.0).reshape(4, 3) / 7
zero, one = T.zeros(()), T.ones(())


def loops_of(f):
    return [node.op for node in f.maker.graph.toposort() if isinstance(node.op, Loop)]


def body_of(f):
    """Return the names of the operations in the one loop of a function."""
    (loop,) = loops_of(f)
    return [str(node.op) for node in loop.body.nodes]


def rows(*arguments, **options):
    return scan(*arguments, **options)[0]


def network(sequence):
    start = T.dot(sequence[0], w) * 0
    return rows(lambda r, h: T.tanh(T.dot(r, w) + T.dot(h, u)), sequence, start)


def test_an_output_that_is_not_read_costs_nothing():
    first, _ = rows(lambda h, g: [h + 1, T.tanh(g)], outputs_info=[s, x], n_steps=10)
    (loop,) = loops_of(theano.function([s, x], first, on_unused_input="ignore"))
    assert len(loop.states) == 1


def test_work_that_no_step_changes_moves_out():
    out = rows(lambda h: h + T.exp(m).sum(), outputs_info=s, n_steps=10)
    assert body_of(theano.function([s, m], out)) == ["Elemwise{add,no_inplace}"]


def test_products_of_a_sequence_move_out():
    out = rows(lambda r, h: T.tanh(T.dot(r, w) + h), m, T.zeros((3,)))
    assert "dot" not in body_of(agree([m, w], out, (M, M[:3]), tolerance=SUMS))


def test_sums_of_products_leave_the_gradient_loop():
    cost = (network(c3)[-1] ** 2).sum()
    for loop in loops_of(theano.function([c3, w, u], T.grad(cost, [w, u]))):
        assert sum("dot" in str(node.op) for node in loop.body.nodes) <= 1


SUMMANDS = {
    "of a sequence and a state": lambda a, h: a[:, None] * h[None, :],
    "in another order": lambda a, h: T.tanh(a)[None, :] * (a * h)[:, None],
    "of a sum": lambda a, h: (a + h).dimshuffle(0, "x") * a.dimshuffle("x", 0),
    "of states": lambda a, h: T.outer(h, h),
}


@pytest.mark.parametrize("name", [*SUMMANDS, "gradient"])
def test_sums_of_columns_times_rows_leave_the_loop(name):
    if name == "gradient":
        out = T.grad((network(m)[-1] ** 2).sum(), [w, u])
    else:
        step = lambda a, h, total: [a * h, total + SUMMANDS[name](a, h)]
        out = rows(step, m, [m[0], T.dot(m.T, m)])[1][-1]
    f = agree([m, w, u], out, (M, M.T @ M / 9, M.T @ M / 7), tolerance=SUMS)
    for loop in loops_of(f):
        assert max(v.type.ndim for v in loop.body.outputs) == 1


def test_loops_that_compute_the_same_are_one():
    alone = rows(lambda a, h: T.tanh(a + h), x, zero)
    two = rows(lambda a, h, g: [T.tanh(a + h), g + h], x, [zero, one])
    assert len(loops_of(agree([x], [alone, two[1], two[0][-1]], (X,)))) == 1


def test_loops_that_differ_stay_right():
    steps = (lambda a, h: T.tanh(a + h), lambda a, h: T.tanh(a - h), lambda a, h: T.tanh(a + h) * 2)
    agree([x], [rows(step, x, zero) for step in steps], (X,))


def test_independent_steps_need_no_loop():
    assert not loops_of(agree([x], rows(lambda a, b: T.exp(a) * b, [x, x]), (X,)))
