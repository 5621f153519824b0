"""What masks pick and write is chosen item by item, with the values and errors of positions."""

import numpy as np
import pytest

import theano
import theano.tensor as T

X = np.array([[1.0, np.nan, -2.0], [np.inf, 0.5, -0.0]])
WHERE = X > 0


def both(outputs, *inputs):
    plain = theano.Mode(optimizer=None)
    more = {"on_unused_input": "ignore"}
    return theano.function(inputs, outputs, **more), theano.function(
        inputs, outputs, mode=plain, **more
    )


def positions(f):
    return "Nonzero" in theano.printing.debugprint(f, file="str")


@pytest.mark.parametrize("index", ["mask", "nonzero"])
def test_sums_means_and_writes(index):
    x = T.dmatrix("x")
    mask = T.gt(x, 0)
    at = mask if index == "mask" else mask.nonzero()
    outputs = [
        x[at].sum(),
        x[at].mean(),
        x[at].shape[0],
        T.set_subtensor(x[at], 7),
        T.inc_subtensor(x[at], 0.5),
        T.grad(x[at].sum(), x),
    ]
    for output in outputs:
        f, g = both(output, x)
        assert not positions(f)
        for value in (X, X[:0], X[:, :0], X.T[1:2], -np.abs(X), np.asfortranarray(X)):
            np.testing.assert_array_equal(f(value), g(value))


def test_functions_of_what_is_picked():
    x, y, s = T.dmatrix("x"), T.dmatrix("y"), T.dscalar("s")
    at = T.gt(x, y).nonzero()
    cost = (1 / (x[at] * s - y[at])).sum()
    outputs = [
        cost,
        T.sqr(x[at]).mean(),
        T.set_subtensor(y[at], x[at] * 2 + s),
        *T.grad(cost, [x, y]),
    ]
    for output in outputs:
        f, g = both(output, x, y, s)
        assert not positions(f)
        for value in (X, X[:0], np.abs(X[:, ::-1])):
            np.testing.assert_allclose(f(value, value / 4, 3), g(value, value / 4, 3))
    # Of other positions, or of what has another order, nothing is known.
    other = T.gt(y, x / 8).nonzero()
    others = [(x[at] + y[other]).sum(), T.set_subtensor(x[at], x[at][::-1])]
    # What is dear is computed where it is needed.
    others += [T.log(x[at]).sum(), T.set_subtensor(x[at], T.erfinv(x[at] / 2))]
    for output in others:
        f, g = both(output, x, y, s)
        assert positions(f)
        np.testing.assert_array_equal(f(X, X / 4, 3), g(X, X / 4, 3))


def test_masks_of_the_first_axes():
    x, mask = T.dtensor3("x"), T.TensorType("bool", (False, False))("mask")
    outputs = [x[mask].sum(), x[mask].sum(axis=0), x[mask].sum(axis=1), T.set_subtensor(x[mask], 1)]
    f, g = both(outputs, x, mask)
    value = np.arange(24.0).reshape(2, 3, 4)
    for one, two in zip(f(value, WHERE), g(value, WHERE), strict=True):
        np.testing.assert_array_equal(one, two)
    with pytest.raises(IndexError, match="boolean index did not match"):
        f(value, WHERE[:, :2])


def test_shorter_masks_pick_positions():
    x, mask = T.dvectors("x", "mask")
    f, g = both([x[mask.nonzero()].sum(), T.set_subtensor(x[mask.nonzero()], 0)], x, mask)
    assert positions(f)
    value = np.arange(1.0, 6)
    for one, two in zip(f(value, [0, np.nan]), g(value, [0, np.nan]), strict=True):
        np.testing.assert_array_equal(one, two)
    with pytest.raises(IndexError):
        f(value, np.ones(6))


def test_updates_of_shared_variables():
    x = theano.shared(X.copy())
    f = theano.function([], x.sum(), updates=[(x, T.set_subtensor(x[T.isnan(x)], 0))])
    assert np.isnan(f())
    np.testing.assert_array_equal(x.get_value(), np.nan_to_num(X, posinf=np.inf))
    assert f() == np.inf


def test_diagonals_and_first_rows():
    x, y, n = T.dmatrix("x"), T.dmatrix("y"), T.lscalar("n")
    outputs = [T.diag(T.dot(x, y)), x[T.arange(x.shape[0])], x[T.arange(T.minimum(n, x.shape[0]))]]
    f, g = both(outputs, x, y, n)
    assert "ARange" not in theano.printing.debugprint(f, file="str")
    for a, b in ((X, X.T), (X, X.T[:, :1]), (X[:1], X.T), (X[:0], X.T), (X, X.T[:, :0])):
        for count in (-1, 0, 1, 5):
            for one, two in zip(f(a, b, count), g(a, b, count), strict=True):
                np.testing.assert_allclose(one, two)
    wrapped = both(x[T.arange(T.minimum(x.shape[0], 200), dtype="int8")], x)
    column = np.arange(150.0)[:, None]
    np.testing.assert_array_equal(*(one(column) for one in wrapped))


def test_identity_matrices_pick_the_diagonal():
    x = T.dmatrix("x")
    f = theano.function([x], (T.eye(x.shape[0]) * x).sum())
    assert "Eye" not in theano.printing.debugprint(f, file="str")
    value = np.arange(9.0).reshape(3, 3)
    assert f(value) == 12
    assert f(value[:0, :0]) == 0
    with pytest.raises(ValueError, match="mis-match"):
        f(value[:2])
