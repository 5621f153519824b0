"""Products with one-hot matrices, and with vectors that have one element, pick and add rows."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.agreement import agree
from support.comparison import SUMS
from support.compiling import ops
from support.errors import refused
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
every_form = pytest.mark.parametrize("form", FORMS)


def names(f):
    return {str(node.op) for node in f.maker.graph.toposort()}


@every_form
def test_rows_are_picked_and_added(form):
    hot = FORMS[form](4)
    outputs = [T.dot(hot, w), T.dot(hot, w[:, 0])]
    outputs += [T.grad((T.dot(hot, w) * x).sum(), w), (hot * x[:, :4]).sum(axis=1)]
    outputs += [-(hot * T.exp(x[:, :4]) * w[0, 0]).sum()]
    picked = names(theano.function([i, w], outputs[0]))
    assert not any("Eye" in name or "Alloc" in name or name == "dot" for name in picked)
    rng, most, cases = np.random.RandomState(1), 6 if form in UNCHECKED else 4, []
    for count, columns in ((0, 4), (1, 4), (5, 4), (30, 5)):
        positions = rng.randint(-most, most, count)
        for rows in (rng.rand(4, columns), np.asfortranarray(rng.rand(4, columns))):
            cases.append((positions, rows, rng.rand(count, columns)))
    agree([i, w, x], outputs, *cases, tolerance=SUMS)


@every_form
def test_sums_of_products_with_what_broadcasts(form):
    hot, s = FORMS[form](4), w[0, 0]
    row, column = w[0][None], x[:, 0][:, None]
    products = [hot * s, hot * T.exp(s) * 2, -(hot * s), hot * row, hot * column, hot * row * s]
    products += [hot * column * s, hot * (row + column), hot * w[0]]
    outputs = [p.sum(axis=axis) for p in products for axis in (None, 0, 1)]
    agree([i, w, x], outputs, ([3, 0, 1, 3, 3], np.random.rand(1, 4), np.random.rand(5, 1)))


@every_form
def test_lengths_and_positions_that_do_not_fit_are_errors(form):
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
    for position in (3, -4) if form not in UNCHECKED else ():
        with pytest.raises(IndexError):
            f([0, position], np.ones((3, 2)))


def test_a_zero_hides_what_is_infinite():
    f = theano.function([i, x], -(FORMS["to_one_hot"](3) * T.log(x)).sum(axis=1))
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
    agree([i, w, x], outputs, ([2, 0, 1, 2], np.arange(6.0).reshape(3, 2), np.eye(4, 3) + 1))


p, t = T.dvector("p"), T.dvector("t")
# What is fitted, whose Jacobian has a row for each element of t.
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
def test_rows_of_jacobians_are_computed_element_by_element(name):
    cases = [(np.array([0.8, 0.5, -0.1]), np.linspace(0, 3, count)) for count in (0, 1, 2, 40)]
    rows = theano.gradient.jacobian(CURVES[name], p)
    (loop,) = ops(agree([p, t], rows, *cases, tolerance=SUMS), Loop)
    assert not any(isinstance(n.op, (Dot, Reduction)) for n in loop.body.nodes)


def test_one_element_of_a_vector():
    """Of a product with zeros, one of which is increased; the place and the lengths are checked."""
    k, s = T.lscalar("k"), T.dscalar("s")
    hot = T.inc_subtensor(T.zeros(p.shape)[k], s)
    outputs = [hot.sum(), (hot * p).sum(), T.dot(x, -hot * p), T.dot(hot / p, x.T), T.dot(p, hot)]
    outputs += [T.switch(p > 1, p * hot, 0).sum(), (hot * p - 2 * hot).sum()]
    outputs += [T.dot(hot, -(hot * p) - hot * p)]
    matrix = np.random.RandomState(2).normal(size=(2, 3))
    cases = [(place, 0.3, np.array([0.5, 2.0, 1.5]), matrix) for place in (0, 2, -1, -3)]
    f = agree([k, s, p, x], outputs, *cases)
    assert not any(name == "dot" or name.startswith("Sum") for name in names(f))
    for output in outputs:
        one = theano.function([k, s, p, x], output, on_unused_input="ignore")
        for place in (3, -4):
            with pytest.raises(IndexError):
                one(place, 0.3, np.ones(3), matrix)
    with pytest.raises(ValueError, match=r"mis-match|do not fit|shape"):
        f(0, 0.3, np.ones(2), matrix)
    both = theano.function([s, p, t], (T.inc_subtensor(T.zeros(p.shape)[0], s) * t).sum())
    with refused(ValueError, "mis-match"):
        both(0.3, np.ones(3), np.ones(2))


@pytest.mark.parametrize("index", [(), (slice(1, None),), (None, 0)])
def test_vectors_that_are_increased_as_a_whole(index):
    def increased(number):
        return (T.inc_subtensor(T.zeros(p.shape)[index], number) * p).sum()

    looped = theano.scan(increased, np.array([0.3, 0.7]))[0]
    agree([p], [increased(2.0), looped], [np.array([0.5])])
