"""Which inputs the gradient of a loop knows of: integers, states without effect, what is undefined.

The expected numbers are those of Theano 1.0.5.
"""

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano import scan
from theano.gradient import DisconnectedInputError, NullTypeGradError
from theano.ifelse import ifelse


@pytest.mark.parametrize("checkpoint", [None, 2])
def test_gradients_by_integers(checkpoint):
    i, w, n = T.ivector(), T.dscalar(), T.iscalar()
    rows, _ = scan(lambda a, w, n: a * w * n, i, non_sequences=[w, n], checkpoint=checkpoint)
    run = theano.function([i, w, n], T.grad(rows.sum(), [i, w, n]))
    by_i, by_w, by_n = run([1, 2, 3], 2.5, 2)
    assert by_i.dtype == "float64" and by_i.tolist() == [0, 0, 0]
    assert by_w == 12
    assert by_n.dtype == "float64" and by_n == 15


def test_gradients_by_an_integer_state():
    start, w = T.iscalar(), T.dscalar()
    (_, products), _ = scan(lambda a, w: (a + 1, a * w), None, [start, None], w, n_steps=3)
    by_start, by_w = theano.function([start, w], T.grad(products.sum(), [start, w]))(2, 2.5)
    assert by_start == 0 and by_w == 2 + 3 + 4


def test_powers_of_an_integer_in_second_order():
    x, n = T.dscalar(), T.lscalar()
    rows, _ = scan(lambda p, x, n: p * x**n, None, T.ones(()), [x, n], n_steps=2)
    slope = T.grad(rows[-1], x)
    # x**(2n), twice differentiated.
    assert theano.function([x, n], T.grad(slope, x))(1.5, 2) == pytest.approx(12 * 1.5**2)


def test_an_initial_value_that_no_step_reads_is_disconnected():
    x0, y0, z0 = T.dvectors(3)
    (x, y, z), _ = scan(lambda x, y, z: (x**2, y, x + 1), None, [x0, y0, z0], n_steps=3)
    cost = (x + y + z).sum()
    run = theano.function([x0, y0, z0], T.grad(cost, [x0, y0]))
    by_x, by_y = run([0.5], [7.0], [9.0])
    # x0**2 + x0**4 + x0**8, and x0 + x0**2 + x0**4 in the last state.
    assert by_x == pytest.approx(1 + 4 * 0.5 + 8 * 0.5**3 + 8 * 0.5**7) and by_y == 3
    for target, output in ((z0, cost), (y0, x.sum())):
        with pytest.raises(DisconnectedInputError):
            T.grad(output, target)


def test_what_the_user_gives_counts_as_used():
    x, spare = T.dvector(), T.dmatrix()
    rows, _ = scan(lambda a, _: a + 1, x, non_sequences=spare)
    assert theano.function([x, spare], rows)([1, 2], np.zeros((1, 1))).tolist() == [2, 3]


def test_draws_in_steps_have_no_gradient():
    streams = T.shared_randomstreams.RandomStreams(3)
    p = T.dvector()

    def step(_):
        return p + streams.binomial(n=1, p=p, ndim=1)

    rows, _ = scan(step, T.arange(3))
    with pytest.raises(NullTypeGradError):
        T.grad(rows.sum(), p)


def test_states_after_an_undefined_gradient_have_none():
    start, other = T.dscalars(2)

    def step(a, b):
        return theano.gradient.undefined_grad(a) * 2, b * 3

    (a, b), _ = scan(step, None, [start, other], n_steps=2)
    for cost in (b.sum(), (a + b).sum()):
        assert theano.function([start, other], T.grad(cost, other))(0.0, 1.0) == 12
    with pytest.raises(NullTypeGradError):
        T.grad((a + b).sum(), start)


def test_an_intermediate_variable_as_input():
    rows = T.dmatrix()
    weights = T.dmatrix() + 2
    sums, _ = scan(lambda r, w: r + w.sum(), rows, non_sequences=weights)
    run = theano.function([rows, weights], sums.sum())
    assert run(np.ones((2, 2)), np.ones((2, 2))) == 4 * 5


@pytest.mark.parametrize("checkpoint", [None, 2])
def test_a_gradient_without_steps_has_the_lengths_of_its_sequence(checkpoint):
    rows, start = T.dmatrix(), T.dvector()

    def step(row, x):
        return ifelse(T.gt(row.sum(), 0), x * row, T.tanh(x) + T.concatenate([row[1:], x[:1]]))

    results, _ = scan(step, rows, start, checkpoint=checkpoint)
    run = theano.function([rows, start], T.grad((results**2).sum(), [rows, start]))
    assert [g.shape for g in run(np.zeros((0, 3)), np.ones(3))] == [(0, 3), (3,)]
    assert [g.shape for g in run(np.ones((5, 3)), np.ones(3))] == [(5, 3), (3,)]
