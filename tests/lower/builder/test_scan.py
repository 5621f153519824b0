"""How loops are lowered: rows that only the program knows, and matrices that steps multiply by."""

import numpy as np
import pytest

import theano
import theano.tensor as T


def test_rows_of_a_matrix_that_only_the_program_knows():
    """Its strides are needed by the loop over short rows and by the one over long rows."""
    x = T.dmatrix("x")
    at = np.zeros((2, 2), "int64")
    rows = T.tril(T.set_subtensor(x[:4:2, at], 2.0), 1)
    last = theano.foldl(lambda r, s: T.tanh(s + r), rows, T.zeros_like(rows[0]))[0]
    for length in (3, 40):
        value = np.ones((3, length))
        wanted = value.copy()
        wanted[:4:2, 0] = 2
        state = np.zeros(length)
        for row in np.tril(wanted, 1):
            state = np.tanh(state + row)
        np.testing.assert_allclose(last.eval({x: value}), state, rtol=1e-14)


@pytest.mark.parametrize("backwards", [False, True])
def test_short_rows_of_one_number(backwards):
    """A row that `alloc` makes of a number is one item in memory, read for every position."""
    x = T.fscalar("x")
    rows = T.alloc(x, 2, 3)
    states, _ = theano.scan(
        lambda r, s: T.tanh(r + 0.5 * s), rows, T.zeros_like(rows[0]), go_backwards=backwards
    )
    value = np.float32(0.8)
    first = np.tanh(value)
    wanted = [[first] * 3, [np.tanh(value + 0.5 * first)] * 3]
    np.testing.assert_allclose(states.eval({x: value}), wanted, rtol=1e-6)


def test_short_rows_of_a_column():
    x = T.fcol("x")
    rows = T.alloc(x, 4, 3)
    states, _ = theano.scan(lambda r, s: r + 0.5 * s, rows, T.zeros_like(rows[0]))
    value = np.arange(4, dtype="float32")[:, None]
    state, wanted = np.zeros(3, "float32"), []
    for row in np.broadcast_to(value, (4, 3)):
        state = row + np.float32(0.5) * state
        wanted.append(state)
    np.testing.assert_allclose(states.eval({x: value}), wanted, rtol=1e-6)


@pytest.mark.parametrize(("count", "copies", "turned"), [(3, 0, 1), (16, 2, 2)])
def test_a_matrix_that_steps_multiply_vectors_by_is_copied_once_or_packed(count, copies, turned):
    a, v = T.dmatrix("a"), T.dvector("v")
    steps, _ = theano.scan(lambda v: T.dot(T.dot(a, v), a), outputs_info=v, n_steps=count)
    f = theano.function([a, v], steps[-1])
    given, start = np.random.default_rng(4).normal(size=(200, 100)) / 10, np.ones(100)
    wanted = start
    for _ in range(count):
        wanted = given @ wanted @ given
    for matrix, times in ((given, copies), (np.asfortranarray(given), turned)):
        np.testing.assert_allclose(f(matrix, start), wanted, rtol=1e-10)
        peak = f.memory_plan(matrix, start).peak
        assert times * given.nbytes <= peak < (times + 0.5) * given.nbytes
