"""A shared variable of which several parts are written is overwritten where it lies."""

import numpy as np
import pytest

import theano
import theano.tensor as T

ROWS, COLUMNS = 5_000, 8


def table():
    return np.random.RandomState(3).randn(ROWS, COLUMNS)


def positions(count):
    return np.random.RandomState(4).randint(-ROWS, ROWS, count)


def test_a_step_on_rows_that_are_read_at_two_places_leaves_others_alone():
    w, i, j = theano.shared(table()), T.lvector("i"), T.lvector("j")
    cost = (w[i] ** 2).sum() + T.sin(w[j]).sum()
    f = theano.function([i, j], cost, updates=[(w, w - 0.1 * T.grad(cost, w))])
    at, by, old = positions(30), positions(20), table()
    assert f.memory_plan(at, by).peak < old.nbytes / 10
    np.testing.assert_allclose(f(at, by), (old[at] ** 2).sum() + np.sin(old[by]).sum())
    new = old.copy()
    np.add.at(new, at, -0.2 * old[at])
    np.add.at(new, by, -0.1 * np.cos(old[by]))
    np.testing.assert_allclose(w.get_value(), new, rtol=1e-13)


def written(w, i, j):
    """Return what reads old values, adds to rows, sets others, and adds to a column."""
    once = T.inc_subtensor(w[i], 2 * w[j])
    return T.inc_subtensor(T.set_subtensor(once[j], w[i])[:, 1], 3 * w[:, 0])


def expected(old, i, j):
    new = old.copy()
    np.add.at(new, i, 2 * old[j])
    new[j] = old[i]
    new[:, 1] += 3 * old[:, 0]
    return new


@pytest.mark.parametrize("layout", ["as it is", "every second row", "Fortran", "read elsewhere"])
def test_all_read_the_old_values_in_any_layout(layout):
    old = table()[:40]
    given = {"every second row": table()[:80:2], "Fortran": np.asfortranarray(old)}.get(layout, old)
    old = given.copy()
    w, i, j = theano.shared(given, borrow=True), T.lvector("i"), T.lvector("j")
    x = T.dmatrix("x")
    f = theano.function([i, j, x], w.sum() + x.sum(), updates=[(w, written(w, i, j))])
    at, by = positions(9) % 40, np.arange(9)
    for _ in range(2):
        # What an argument shows as well is not overwritten.
        shown = w.get_value(borrow=True) if layout == "read elsewhere" else old.copy()
        np.testing.assert_allclose(f(at, by, shown), 2 * old.sum())
        assert (shown == old).all()
        old = expected(old, at, by)
        np.testing.assert_allclose(w.get_value(), old, rtol=1e-12)


def test_nothing_is_written_if_a_later_position_is_outside():
    old = table()[:40]
    w, i, j = theano.shared(old), T.lvector("i"), T.lvector("j")
    f = theano.function([i, j], updates=[(w, T.inc_subtensor(T.inc_subtensor(w[i], 1.0)[j], 2.0))])
    with pytest.raises(IndexError):
        f([1, 2], [40])
    assert (w.get_value() == old).all()
    f([1, 2], [2])
    np.testing.assert_allclose(w.get_value()[:4], old[:4] + np.array([[0], [1], [3], [0]]))


def test_what_is_read_between_is_kept():
    old = table()[:40]
    w, v = theano.shared(old), theano.shared(0.0)
    i, j = T.lvector("i"), T.lvector("j")
    once = T.inc_subtensor(w[i], 1.0)
    updates = [(w, T.inc_subtensor(once[j], w[i])), (v, once.sum() - w.sum())]
    theano.function([i, j], updates=updates)([1, 2, 2], [3, 3, 1])
    np.testing.assert_allclose(v.get_value(), 3 * COLUMNS)
    new = old.copy()
    np.add.at(new, [1, 2, 2], 1.0)
    np.add.at(new, [3, 3, 1], old[[1, 2, 2]])
    np.testing.assert_allclose(w.get_value(), new)
