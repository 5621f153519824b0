"""`vectorize` over loops whose number of steps differs from item to item."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.gradient import jvp

n, x, X = T.lvector("n"), T.dvector("x"), T.dmatrix("X")


def powers(k, a):
    return theano.scan(lambda h: h * a, outputs_info=[a], n_steps=k)[0]


def fibonacci(k, row):
    start = {"initial": row, "taps": [-2, -1]}
    return theano.scan(lambda p, q: T.sin(p) + q, outputs_info=[start], n_steps=k)[0]


def halvings(a, limit):
    def step(h):
        return h / 2, theano.scan_module.until(h / 2 < limit)

    return theano.scan(step, outputs_info=[a], n_steps=50)[0]


def both(k, a):
    def step(h):
        return h * 2, theano.scan_module.until(h * 2 > 20)

    return theano.scan(step, outputs_info=[a], n_steps=k)[0]


def item_by_item(f, inputs, *values):
    """Return what `f` gives for each item alone."""
    items = [v.type.clone(broadcastable=v.broadcastable[1:])() for v in inputs]
    one = theano.function(items, f(*items), on_unused_input="ignore")
    return [one(*row) for row in zip(*values, strict=True)]


def check(f, inputs, *values):
    arrays = [np.asarray(v) for v in values]
    wanted = item_by_item(f, inputs, *arrays)
    many = theano.vectorize(f)(*inputs)
    np.testing.assert_allclose(theano.function(inputs, many)(*arrays), wanted, rtol=1e-13)
    for place, v in enumerate(inputs):
        if v.dtype == "float64":
            _check_derivatives(f, inputs, arrays, place)


def _check_derivatives(f, inputs, arrays, place):
    many, by = theano.vectorize(f)(*inputs), inputs[place]

    def slope(*items):
        return T.grad(f(*items).sum(), items[place])

    def pushed(*items):
        return jvp(f(*items), items[place], T.ones_like(items[place]))

    for out, alone in ((T.grad(many.sum(), by), slope), (jvp(many, by, T.ones_like(by)), pushed)):
        got = theano.function(inputs, out, on_unused_input="ignore")(*arrays)
        np.testing.assert_allclose(got, item_by_item(alone, inputs, *arrays), rtol=1e-13)


COUNTS, STARTS = [1, 5, 3, 2], [0.5, 1.5, -1.0, 2.0]
ROWS = np.arange(8.0).reshape(4, 2) / 4


def test_last_values():
    check(lambda k, a: powers(k, a)[-1], [n, x], COUNTS, STARTS)
    check(lambda k, a: T.exp(powers(k, a)[-1]) + k, [n, x], COUNTS, STARTS)
    check(lambda k, row: fibonacci(k, row)[-1], [n, X], COUNTS, ROWS)
    check(lambda k, row: powers(k, row)[-1] * row, [n, X], COUNTS, ROWS)


def test_last_values_are_one_loop():
    f = theano.function([n, x], theano.vectorize(lambda k, a: powers(k, a)[-1])(n, x))
    assert sum("do_while{" in str(node.op) for node in f.maker.graph.toposort()) == 1


def test_what_is_made_of_whole_sequences():
    """A sum over steps is that of the steps of the item, whatever others do."""
    check(lambda k, a: powers(k, a).sum(), [n, x], COUNTS, STARTS)
    check(lambda k, a: powers(k, a)[0] + powers(k, a).shape[0], [n, x], COUNTS, STARTS)
    check(lambda k, a: powers(k, a)[::-1][-1], [n, x], COUNTS, STARTS)
    check(lambda k, row: T.dot(fibonacci(k, row), fibonacci(k, row)), [n, X], COUNTS, ROWS)


def test_conditions():
    limits = [1.0, 0.5, 3.0, 0.25]
    y = T.dvector("y")
    starts = [3.0, 1.0, 40.0, 7.0]
    check(lambda a, b: halvings(a, b)[-1] * b, [x, y], starts, limits)
    check(lambda a, b: halvings(a, b).sum() * b, [x, y], starts, limits)
    check(lambda a, b: halvings(a, b)[-1] * halvings(a, b).shape[0] * b, [x, y], starts, limits)


def test_conditions_and_numbers_of_steps():
    check(lambda k, a: both(k, a)[-1], [n, x], [1, 9, 9, 3], [1.0, 1.0, 9.0, 5.0])
    check(lambda k, a: both(k, a).prod(), [n, x], [1, 9, 9, 3], [1.0, 1.0, 9.0, 5.0])


def test_sequences_of_which_items_read_a_part():
    def mean(k, row):
        total, _ = theano.reduce(lambda a, s: a + s, [row[:k]], [T.zeros((), "float64")])
        return total / k

    check(mean, [n, X], [1, 2, 2, 1], ROWS)
    check(
        lambda k, row: theano.scan(lambda a: a * a, [row], n_steps=k)[0][-1],
        [n, X],
        [1, 2, 2, 1],
        ROWS,
    )


def test_equal_numbers_of_steps_give_sequences():
    f = theano.function([n, x], theano.vectorize(powers)(n, x))
    np.testing.assert_allclose(f([2, 2], [2.0, 3.0]), [[4.0, 8.0], [9.0, 27.0]])


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
def test_results_of_several_shapes(mode):
    f = theano.function([n, x], theano.vectorize(powers)(n, x), mode=mode)
    with pytest.raises(ValueError, match="result 0 of vectorize, which must have one shape"):
        f([2, 3], [2.0, 3.0])


def test_an_item_without_a_step():
    f = theano.function([n, x], theano.vectorize(lambda k, a: powers(k, a)[-1])(n, x))
    with pytest.raises(ValueError, match="an item asks for no step"):
        f([2, 0], [2.0, 3.0])
    assert f(np.zeros(0, "int64"), np.zeros(0)).shape == (0,)


def test_nested():
    m = T.lmatrix("m")
    once = theano.vectorize(lambda k, a: powers(k, a)[-1])
    counts, starts = np.array([[1, 2], [3, 1]]), np.array([[2.0, 3.0], [4.0, 5.0]])
    got = theano.vectorize(once)(m, X).eval({m: counts, X: starts})
    np.testing.assert_allclose(got, starts ** (counts + 1))
    shared = theano.vectorize(lambda row: once(n, row))(X)
    np.testing.assert_allclose(
        shared.eval({n: np.array([1, 3]), X: starts}), starts ** np.array([2, 4])
    )
