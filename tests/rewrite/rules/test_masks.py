"""What masks pick and write is chosen of all, with the results and errors of positions."""

import itertools

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.agreement import agree
from support.comparison import EXACT, SUMS
from support.errors import refused

X = np.array([[1.0, np.nan, -2.0], [np.inf, 0.5, -0.0]])
x, y, s, t = T.dmatrix("x"), T.dmatrix("y"), T.dscalar("s"), T.dtensor3("t")
v, n = T.dvector("v"), T.lscalar("n")
positive, positions = T.gt(x, 0), T.gt(x, y).nonzero()
cost = (1 / (x[positions] * s - y[positions])).sum()
other = T.gt(y, x / 8).nonzero()


def has(f, name):
    return name in theano.printing.debugprint(f, file="str")


@pytest.mark.parametrize("at", [positive, positive.nonzero()], ids=["mask", "nonzero"])
@pytest.mark.parametrize(
    "build",
    [
        lambda at: x[at].sum(),
        lambda at: x[at].mean(),
        lambda at: x[at].shape[0],
        lambda at: T.set_subtensor(x[at], 7),
        lambda at: T.inc_subtensor(x[at], 0.5),
        lambda at: T.grad(x[at].sum(), x),
    ],
    ids=["sum", "mean", "count", "set", "increase", "gradient"],
)
def test_no_positions_are_computed(build, at):
    arrays = (X, X[:0], X[:, :0], X.T[1:2], -np.abs(X), np.asfortranarray(X))
    assert not has(agree([x], build(at), *((a,) for a in arrays)), "Nonzero")


@pytest.mark.parametrize(
    "output",
    [
        cost,
        T.sqr(x[positions]).mean(),
        T.set_subtensor(y[positions], x[positions] * 2 + s),
        *T.grad(cost, [x, y]),
    ],
)
def test_functions_of_what_is_picked_are_computed_of_all(output):
    cases = [(a, a / 4, 3) for a in (X, X[:0], np.abs(X[:, ::-1]))]
    assert not has(agree([x, y, s], output, *cases, tolerance=SUMS), "Nonzero")


@pytest.mark.parametrize(
    "output",
    [
        (x[positions] + y[other]).sum(),
        T.set_subtensor(x[positions], x[positions][::-1]),
        T.log(x[positions]).sum(),
        T.set_subtensor(x[positions], T.erfinv(x[positions] / 2)),
    ],
    ids=["of other positions", "in another order", "a dear sum", "a dear value"],
)
def test_others_are_computed_where_they_are_needed(output):
    assert has(agree([x, y, s], output, (X, X / 4, 3)), "Nonzero")


def test_masks_of_the_first_axes():
    mask = T.TensorType("bool", (False, False))("mask")
    outputs = [*(t[mask].sum(axis=a) for a in (None, 0, 1)), T.set_subtensor(t[mask], 1)]
    f = agree([t, mask], outputs, (np.arange(24.0).reshape(2, 3, 4), X > 0))
    with refused(IndexError, "boolean index did not match"):
        f(np.ones((2, 3, 4)), X[:, :2] > 0)


def test_shorter_masks_pick_positions():
    mask = T.dvector("mask")
    at = mask.nonzero()
    outputs = [v[at].sum(), T.set_subtensor(v[at], 0)]
    value = np.arange(1.0, 6)
    f = agree([v, mask], outputs, (value, [0, np.nan]), (value, np.ones(6)))
    assert has(f, "Nonzero")


def test_updates_of_shared_variables():
    shared = theano.shared(X.copy())
    update = T.set_subtensor(shared[T.isnan(shared)], 0)
    f = theano.function([], shared.sum(), updates=[(shared, update)])
    assert np.isnan(f())
    np.testing.assert_array_equal(shared.get_value(), np.nan_to_num(X, posinf=np.inf))
    assert f() == np.inf


def test_diagonals_and_first_rows():
    outputs = [T.diag(T.dot(x, y)), x[T.arange(x.shape[0])], x[T.arange(T.minimum(n, x.shape[0]))]]
    arrays = ((X, X.T), (X, X.T[:, :1]), (X[:1], X.T), (X[:0], X.T), (X, X.T[:, :0]))
    cases = [(a, b, count) for (a, b), count in itertools.product(arrays, (-1, 0, 1, 5))]
    assert not has(agree([x, y, n], outputs, *cases), "ARange")
    # Positions of int8 are negative from 128 on.
    wrapped = x[T.arange(T.minimum(x.shape[0], 200), dtype="int8")]
    agree([x], wrapped, (np.arange(150.0)[:, None],), tolerance=EXACT)


def test_identity_matrices_pick_the_diagonal():
    f = theano.function([x], (T.eye(x.shape[0]) * x).sum())
    assert not has(f, "Eye")
    value = np.arange(9.0).reshape(3, 3)
    assert f(value) == 12 and f(value[:0, :0]) == 0
    with refused(ValueError, "mis-match"):
        f(value[:2])
