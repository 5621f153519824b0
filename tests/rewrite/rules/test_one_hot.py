"""Products with one-hot matrices, and with vectors that have one item, pick and add rows."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.ops.array.products import Dot
from theano._core.ops.array.reductions import Reduction
from theano._core.ops.control.scan import Loop

i, w, x = T.lvector("i"), T.dmatrix("w"), T.dmatrix("x")
FORMS = {
    "to_one_hot": lambda n: T.extra_ops.to_one_hot(i, n),
    "eye": lambda n: T.eye(n)[i],
    "twos": lambda n: T.set_subtensor(T.zeros((i.shape[0], n))[T.arange(i.shape[0]), i], 2.0),
    "eq": lambda n: T.eq(i[:, None], T.arange(n)),
    "cast": lambda n: T.cast(T.eq(T.arange(n)[None, :], i.dimshuffle(0, "x")), "float32"),
}
UNCHECKED = ("eq", "cast")
PLAIN = theano.Mode(optimizer=None)


def names(f):
    return {str(node.op) for node in f.maker.graph.toposort()}


@pytest.mark.parametrize("form", FORMS)
def test_rows_are_picked_and_added(form):
    hot = FORMS[form](4)
    outputs = [T.dot(hot, w), T.dot(hot, w[:, 0])]
    outputs += [T.grad((T.dot(hot, w) * x).sum(), w), (hot * x[:, :4]).sum(axis=1)]
    outputs += [-(hot * T.exp(x[:, :4]) * w[0, 0]).sum()]
    f, g = (theano.function([i, w, x], outputs, mode=mode) for mode in (None, PLAIN))
    picked = theano.function([i, w], outputs[0])
    assert "dot" not in names(picked)
    assert not any("Eye" in name or "Alloc" in name for name in names(picked))
    rng = np.random.RandomState(1)
    for count, columns in ((0, 4), (1, 4), (5, 4), (30, 5)):
        low = -6 if form in UNCHECKED else -4
        positions = rng.randint(low, -low if form in UNCHECKED else 4, count)
        for columns_last in (rng.rand(4, columns), np.asfortranarray(rng.rand(4, columns))):
            values = positions, columns_last, rng.rand(count, columns)
            for one, two in zip(f(*values), g(*values), strict=True):
                assert one.dtype == two.dtype
                np.testing.assert_allclose(one, two, rtol=1e-10)


@pytest.mark.parametrize("form", FORMS)
def test_sums_of_products_with_what_broadcasts(form):
    hot, s = FORMS[form](4), w[0, 0]
    row, column = w[0][None], x[:, 0][:, None]
    products = [hot * s, hot * T.exp(s) * 2, -(hot * s), hot * row, hot * column, hot * row * s]
    products += [hot * column * s, hot * (row + column), hot * w[0]]
    outputs = [p.sum(axis=axis) for p in products for axis in (None, 0, 1)]
    f, g = (theano.function([i, w, x], outputs, mode=mode) for mode in (None, PLAIN))
    values = [3, 0, 1, 3, 3], np.random.rand(1, 4), np.random.rand(5, 1)
    for one, two in zip(f(*values), g(*values), strict=True):
        assert one.shape == two.shape
        np.testing.assert_allclose(one, two, rtol=1e-6)


@pytest.mark.parametrize("form", FORMS)
def test_lengths_that_do_not_fit_are_errors(form):
    hot = FORMS[form](3)
    f = theano.function([i, w], T.dot(hot, w))
    g = theano.function([i, x], (hot * x).sum(axis=1))
    assert f([0, 2], np.ones((3, 2))).shape == (2, 2)
    for rows in (1, 2, 4):
        with pytest.raises(ValueError):
            f([0, 1], np.ones((rows, 2)))
    for shape in ((2, 1), (2, 2), (2, 4), (3, 3), (1, 3)):
        with pytest.raises(ValueError):
            g([0, 1], np.ones(shape))


@pytest.mark.parametrize("form", [form for form in FORMS if form not in UNCHECKED])
def test_positions_beyond_are_errors(form):
    f = theano.function([i, w], T.dot(FORMS[form](3), w))
    for position in (3, -4):
        with pytest.raises(IndexError):
            f([0, position], np.ones((3, 2)))


def test_a_zero_hides_what_is_infinite():
    hot = FORMS["to_one_hot"](3)
    f = theano.function([i, x], -(hot * T.log(x)).sum(axis=1))
    np.testing.assert_allclose(f([1, 2], [[0, 1, 0], [0, 0, 0.5]]), [0, np.log(2)])


def test_added_rows_fit():
    f = theano.function([i, x], T.dot(FORMS["to_one_hot"](3).T, x))
    np.testing.assert_array_equal(f([2, 2], [[1, 2], [3, 4]]), [[0, 0], [0, 0], [4, 6]])
    with pytest.raises(ValueError):
        f([2, 2], [[1, 2]])


@pytest.mark.parametrize(("number", "dtype"), [(0.5, "int32"), (0.5, "bool"), (300.7, "uint8")])
def test_numbers_that_a_cast_changes(number, dtype):
    zeros = T.zeros((i.shape[0], 3))
    hot = T.cast(T.set_subtensor(zeros[T.arange(i.shape[0]), i], number), dtype)
    outputs = [T.dot(hot, w), T.dot(hot.T, x), (hot * x[:, :3]).sum(axis=1)]
    f, g = (theano.function([i, w, x], outputs, mode=mode) for mode in (None, PLAIN))
    values = [2, 0, 1, 2], np.arange(6.0).reshape(3, 2), np.arange(12.0).reshape(4, 3)
    for one, two in zip(f(*values), g(*values), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-12)


p, t = T.dvector("p"), T.dvector("t")
# What is fitted, whose Jacobian has a row for each item of t.
CURVES = {
    "decay": p[0] * T.exp(-p[1] * t) + p[2],
    "line": p[0] * t + p[1],
    "quotient": p[0] / (1 + p[1] * t),
    "relu": T.nnet.relu(p[0] * t - 1) / p[1],
    "maximum": T.maximum(p[0] * t, p[2]) ** 2,
    "choice": T.switch(t > 1, p[0] * t, p[1] - t),
    "product": T.tanh(T.dot(T.outer(t, T.ones(3)) ** T.arange(3), p)),
}


@pytest.mark.parametrize("name", CURVES)
def test_rows_of_jacobians_are_computed_item_by_item(name):
    rows = theano.gradient.jacobian(CURVES[name], p)
    f, g = (theano.function([p, t], rows, mode=mode) for mode in (None, PLAIN))
    (loop,) = [n for n in f.maker.graph.toposort() if isinstance(n.op, Loop)]
    assert not any(isinstance(n.op, (Dot, Reduction)) for n in loop.op.body.nodes)
    for count in (0, 1, 2, 40):
        values = np.array([0.8, 0.5, -0.1]), np.linspace(0, 3, count)
        np.testing.assert_allclose(f(*values), g(*values), rtol=1e-13, atol=1e-14)


def test_one_item_of_a_vector():
    """Of a product with zeros, one of which is increased; the place and the lengths are checked."""
    k, s = T.lscalar("k"), T.dscalar("s")
    hot = T.inc_subtensor(T.zeros(p.shape)[k], s)
    outputs = [hot.sum(), (hot * p).sum(), T.dot(x, -hot * p), T.dot(hot / p, x.T), T.dot(p, hot)]
    outputs += [T.switch(p > 1, p * hot, 0).sum(), (hot * p - 2 * hot).sum()]
    outputs += [T.dot(hot, -(hot * p) - hot * p)]
    f, g = (theano.function([k, s, p, x], outputs, mode=mode) for mode in (None, PLAIN))
    assert not any(name == "dot" or name.startswith("Sum") for name in names(f))
    matrix = np.random.RandomState(2).normal(size=(2, 3))
    for place in (0, 2, -1, -3):
        values = place, 0.3, np.array([0.5, 2.0, 1.5]), matrix
        for got, wanted in zip(f(*values), g(*values), strict=True):
            np.testing.assert_allclose(got, wanted, rtol=1e-15)
    for output in outputs:
        one = theano.function([k, s, p, x], output, on_unused_input="ignore")
        for place in (3, -4):
            with pytest.raises(IndexError):
                one(place, 0.3, np.ones(3), matrix)
    with pytest.raises(ValueError, match=r"mis-match|do not fit|shape"):
        f(0, 0.3, np.ones(2), matrix)
    both = theano.function([s, p, t], (T.inc_subtensor(T.zeros(p.shape)[0], s) * t).sum())
    with pytest.raises(ValueError, match="mis-match"):
        both(0.3, np.ones(3), np.ones(2))


@pytest.mark.parametrize("index", [(), (slice(1, None),), (None, 0)])
def test_vectors_that_are_increased_as_a_whole(index):
    def increased(number):
        return (T.inc_subtensor(T.zeros(p.shape)[index], number) * p).sum()

    numbers, value = np.array([0.3, 0.7]), np.array([0.5])
    for out in (increased(2.0), theano.scan(increased, numbers)[0]):
        f, g = (theano.function([p], out, mode=mode) for mode in (None, PLAIN))
        np.testing.assert_array_equal(f(value), g(value))
