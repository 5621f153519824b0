"""Diagonals that are read and written where they lie."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.comparison import ROUNDING
from support.errors import refused
from support.loops import agree
from theano._core.lower import program as ir

RANDOM = np.random.default_rng(3)
m, n = T.dmatrix("m"), T.lscalar("n")


@pytest.mark.parametrize("axes", [(0, 1), (1, 2), (2, 0), (1, 0)])
@pytest.mark.parametrize("offset", [-7, -4, -1, 0, 2, 6])
def test_a_diagonal_is_a_view(axes, offset):
    def build(m, x):
        diagonal = m.diagonal(x, offset, *axes)
        return [diagonal, diagonal.sum(axis=-1), m.exp(diagonal)]

    agree(build, "float64", [[(5, 4, 6)], [(1, 4, 1)], [(5, 0, 6)]], tolerance=ROUNDING)


def test_a_diagonal_takes_no_memory():
    f = theano.function([m], T.log(T.diag(m)).sum())
    blocks = [i for i in ir.walk(f.maker.program_text.program.body) if isinstance(i, ir.Alloc)]
    # That of the result.
    assert [block.nbytes for block in blocks] == [8]
    data = RANDOM.random((7, 5))
    np.testing.assert_allclose(f(data), np.log(np.diag(data)).sum(), rtol=1e-14)


@pytest.mark.parametrize("assign", [True, False])
@pytest.mark.parametrize("rest", [(), (3,)])
def test_a_diagonal_is_written(rest, assign):
    w = theano.shared(RANDOM.random((5, 7, *rest)))
    wanted = w.get_value()
    y = T.TensorType("float64", (False,) * (1 + len(rest)))("y")
    write = T.set_subtensor if assign else T.inc_subtensor
    f = theano.function([y, n], [], updates=[(w, write(w[T.arange(n), T.arange(n) + 2], y))])
    values, at = RANDOM.random((4, *rest)), np.arange(4)
    f(values, 4)
    wanted[at, at + 2] = values if assign else wanted[at, at + 2] + values
    np.testing.assert_array_equal(w.get_value(), wanted)
    for count, given, error in ((6, np.ones((6, *rest)), IndexError), (3, values, ValueError)):
        with pytest.raises(error):
            f(given, count)
        np.testing.assert_array_equal(w.get_value(), wanted)
    for none in (0, -1):
        f(values[:0], none)
    np.testing.assert_array_equal(w.get_value(), wanted)


def test_a_diagonal_is_moved_along_another():
    w = theano.shared(RANDOM.random((5, 7)))
    start, at = w.get_value(), np.arange(5)
    i = T.arange(5)
    theano.function([], [], updates=[(w, T.inc_subtensor(w[i, i], w[i, i + 1]))])()
    wanted = start.copy()
    wanted[at, at] += start[at, at + 1]
    np.testing.assert_array_equal(w.get_value(), wanted)
    # What is read lies where is written.
    theano.function([], [], updates=[(w, T.set_subtensor(w[i, i], w[i[::-1], i[::-1]]))])()
    wanted[at, at] = wanted[at[::-1], at[::-1]]
    np.testing.assert_array_equal(w.get_value(), wanted)


@pytest.mark.parametrize("count", [5, 6, 2**31, 2**40, 2**62])
def test_a_diagonal_that_is_too_long_is_named_as_it_was_written(count):
    f = theano.function([m, n], m[T.arange(n), T.arange(n) + 2])
    told = f"index {count - 1} is out of bounds for axis 0", "AdvancedSubtensor", "test_views.py"
    with refused(IndexError, *told):
        f(np.ones((4, 9)), count)


def test_positions_that_count_apart_are_no_diagonal():
    i, j = T.arange(n), T.arange(1, 2 * n + 1, 2)
    f = theano.function([m, n], [m[i, j], m[i, i - 1], m[i, n - 1 - i]])
    data, at = RANDOM.random((4, 9)), np.arange(4)
    wanted = data[at, 1 + 2 * at], data[at, at - 1], data[at, 3 - at]
    np.testing.assert_array_equal(f(data, 4), wanted)


def test_positions_that_meet_an_array_of_one_number_are_no_diagonal():
    i = T.arange(n)
    alike, rows = (T.constant(np.ones(shape, "int64")) for shape in ((3,), (2, 3)))
    f = theano.function([m, n], m[i + rows, i + rows])
    data, at = RANDOM.random((5, 6)), np.arange(3) + np.ones((2, 3), "int64")
    np.testing.assert_array_equal(f(data, 3), data[at, at])
    g = theano.function([m, n], m[i + alike, i + alike])
    np.testing.assert_array_equal(g(data, 3), data[at[0], at[0]])
    with pytest.raises(ValueError, match="mis-match"):
        g(data, 2)


@pytest.mark.parametrize("offset", [0, 1])
def test_gradients_of_diagonals(offset):
    theano.gradient.verify_grad(
        lambda y: (T.diagonal(y, offset, 1, 2) ** 2).sum(),
        [RANDOM.random((5, 4, 6))],
        rng=np.random.RandomState(0),
    )
