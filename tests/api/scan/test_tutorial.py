"""The programs of Theano's tutorials on `scan`, against NumPy."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.scan_module import until

rng = np.random.RandomState(0)
X, W, b = T.matrix("X"), T.matrix("W"), T.vector("b")
x = rng.rand(4, 3)
w, bias = rng.rand(3, 3), rng.rand(3)


def test_rows_through_a_layer():
    rows, updates = theano.scan(lambda v: T.tanh(T.dot(v, W) + b), sequences=X)
    assert not updates
    f = theano.function(inputs=[X, W, b], outputs=rows)
    np.testing.assert_allclose(f(x, w, bias), np.tanh(x @ w + bias))


def test_a_power_item_by_item():
    k, A = T.iscalar("k"), T.vector("A")
    powers, updates = theano.scan(
        fn=lambda prior, A: prior * A, outputs_info=T.ones_like(A), non_sequences=A, n_steps=k
    )
    f = theano.function(inputs=[A, k], outputs=powers[-1], updates=updates)
    np.testing.assert_array_equal(f(range(10), 2), np.arange(10.0) ** 2)
    np.testing.assert_array_equal(f(range(10), 4), np.arange(10.0) ** 4)


def test_a_polynomial():
    coefficients, point = T.vector("coefficients"), T.scalar("point")
    terms, _ = theano.scan(
        fn=lambda c, power, v: c * (v**power),
        outputs_info=None,
        sequences=[coefficients, T.arange(10000)],
        non_sequences=point,
    )
    f = theano.function([coefficients, point], terms.sum())
    assert f([1, 0, 2], 3) == 19
    # The same without keeping the terms.
    total, _ = theano.scan(
        fn=lambda c, power, so_far, v: so_far + c * (v**power),
        outputs_info=T.as_tensor_variable(np.asarray(0, "float64")),
        sequences=[coefficients, T.arange(10000)],
        non_sequences=point,
    )
    assert theano.function([coefficients, point], total[-1])([1, 0, 2], 3) == 19


def test_sums_up_to_a_number():
    end = T.iscalar("end")
    start = T.as_tensor_variable(np.asarray(0, T.arange(end).dtype))
    sums, updates = theano.scan(
        fn=lambda value, so_far: so_far + value, outputs_info=start, sequences=T.arange(end)
    )
    f = theano.function(inputs=[end], outputs=sums, updates=updates)
    assert f(15).tolist() == np.cumsum(np.arange(15)).tolist()
    assert f(0).tolist() == []
    # A zero that is known takes the dtype of the sums; an int8 variable cannot hold them.
    plain, _ = theano.scan(lambda value, so_far: so_far + value, T.arange(end), 0)
    np.testing.assert_array_equal(plain.eval({end: 15}), np.cumsum(np.arange(15)))
    with pytest.raises(ValueError, match="dtype int8 against int64"):
        theano.scan(
            lambda value, so_far: so_far + value, outputs_info=T.bscalar(), sequences=T.arange(end)
        )


def test_values_written_at_places():
    places, values, model = T.imatrix("places"), T.vector("values"), T.matrix("model")

    def write(place, value, model):
        return T.set_subtensor(T.zeros_like(model)[place[0], place[1]], value)

    rows, updates = theano.scan(
        fn=write, outputs_info=None, sequences=[places, values], non_sequences=model
    )
    f = theano.function([places, values, model], rows, updates=updates)
    found = f(np.asarray([[1, 1], [2, 3]], "int32"), [42, 50], np.zeros((5, 5)))
    wanted = np.zeros((2, 5, 5))
    wanted[0, 1, 1], wanted[1, 2, 3] = 42, 50
    np.testing.assert_array_equal(found, wanted)


def test_a_recurrence_over_two_sequences():
    Y, U, V, P = T.matrix("Y"), T.matrix("U"), T.matrix("V"), T.matrix("P")
    states, _ = theano.scan(
        lambda y, p, h: T.tanh(T.dot(h, W) + T.dot(y, U) + T.dot(p, V)),
        sequences=[Y, P[::-1]],
        outputs_info=[b],
    )
    f = theano.function([b, W, Y, U, P, V], states)
    y, u, p, v = rng.rand(5, 2), rng.rand(2, 3), rng.rand(5, 4), rng.rand(4, 3)
    h, wanted = bias, []
    for one, two in zip(y, p[::-1], strict=True):
        h = np.tanh(h @ w + one @ u + two @ v)
        wanted.append(h)
    np.testing.assert_allclose(f(bias, w, y, u, p, v), wanted)


def test_norms_of_rows_and_columns_and_a_trace():
    rows, _ = theano.scan(lambda v: T.sqrt((v**2).sum()), sequences=[X])
    columns, _ = theano.scan(lambda v: T.sqrt((v**2).sum()), sequences=[X.T])
    f = theano.function([X], [rows, columns])
    for found, axis in zip(f(x), (1, 0), strict=True):
        np.testing.assert_allclose(found, np.linalg.norm(x, axis=axis))
    items, _ = theano.scan(
        lambda i, j, so_far: T.cast(X[i, j] + so_far, "float32"),
        sequences=[T.arange(X.shape[0]), T.arange(X.shape[1])],
        outputs_info=np.asarray(0.0, dtype="float32"),
    )
    assert theano.function([X], items[-1])(np.eye(5)) == 5


def test_two_steps_back():
    U, V, n = T.matrix("U"), T.matrix("V"), T.iscalar("n")
    states, _ = theano.scan(
        lambda two, one: T.dot(two, U) + T.dot(one, V) + T.tanh(T.dot(one, W) + b),
        n_steps=n,
        outputs_info=[{"initial": X, "taps": [-2, -1]}],
    )
    f = theano.function([X, U, V, W, b, n], states)
    u, v = rng.rand(3, 3) / 3, rng.rand(3, 3) / 3
    history = [x[0], x[1]]
    for _ in range(4):
        two, one = history[-2:]
        history.append(two @ u + one @ v + np.tanh(one @ w + bias))
    np.testing.assert_allclose(f(x[:2], u, v, w, bias, 4), history[2:])


def test_a_network_with_many_taps():
    u, y0, x0 = T.matrix("u"), T.vector("y0"), T.matrix("x0")
    a, feed, back, out = (T.matrix(name) for name in ("a", "feed", "back", "out"))

    def step(u_far, u_now, x_far, x_one, y_one, *weights):
        one, two, three, four = weights
        x_now = T.tanh(T.dot(x_one, one) + T.dot(u_now, two) + T.dot(u_far, two) + y_one * three)
        return [x_now, T.dot(x_far, four).sum()]

    (states, outputs), _ = theano.scan(
        fn=step,
        sequences={"input": u, "taps": [-4, -0]},
        outputs_info=[{"initial": x0, "taps": [-3, -1]}, y0[0]],
        non_sequences=[a, feed, back[0], out],
        strict=True,
    )
    f = theano.function([u, y0, x0, a, feed, back, out], [states, outputs])
    given = rng.rand(7, 2), np.zeros(1), rng.rand(3, 3), w, rng.rand(2, 3), rng.rand(1, 3), w
    found = f(*given)
    history, y, wanted = list(given[2]), 0.0, []
    for t in range(4, 7):
        inside = history[-1] @ w + (given[0][t] + given[0][t - 4]) @ given[4] + y * given[5][0]
        y = (history[-3] @ w).sum()
        history.append(np.tanh(inside))
        wanted.append(y)
    np.testing.assert_allclose(found[0], history[3:])
    np.testing.assert_allclose(found[1], wanted)


def test_a_jacobian():
    v, A = T.vector("v"), T.matrix("A")
    y = T.tanh(T.dot(v, A))
    rows, _ = theano.scan(lambda i: T.grad(y[i], v), sequences=[T.arange(y.shape[0])])
    f = theano.function([v, A], rows, allow_input_downcast=True)
    point, matrix = np.eye(1, 5)[0], rng.rand(5, 3)
    slopes = 1 - np.tanh(point @ matrix) ** 2
    np.testing.assert_allclose(f(point, matrix), (slopes * matrix).T)


def test_a_count_of_steps():
    k, n = theano.shared(0), T.iscalar("n")
    _, updates = theano.scan(lambda: {k: (k + 1)}, n_steps=n)
    f = theano.function([n], [], updates=updates, allow_input_downcast=True)
    f(5)
    f(2)
    assert k.get_value() == 7


def test_masks_drawn_in_each_step():
    streams = T.shared_randomstreams.RandomStreams(1234)
    mask = streams.binomial(size=b.shape)
    rows, updates = theano.scan(lambda v: T.tanh(T.dot(v, W) + b) * mask, sequences=X)
    f = theano.function([X, W, b], rows, updates=updates)
    full = np.tanh(x @ w + bias)
    for _ in range(2):
        found = f(x, w, bias)
        assert np.all((found == 0) | np.isclose(found, full))


def test_gibbs_sampling():
    weights, of_visible, of_hidden = (theano.shared(v) for v in (w, bias, bias / 2))
    streams, sample = T.shared_randomstreams.RandomStreams(1234), T.vector("sample")

    def step(visible, W, b_visible, b_hidden):
        mean = T.nnet.sigmoid(T.dot(visible, W) + b_hidden)
        hidden = streams.binomial(size=mean.shape, n=1, p=mean)
        mean = T.nnet.sigmoid(T.dot(hidden, W.T) + b_visible)
        return T.cast(streams.binomial(size=mean.shape, n=1, p=mean), theano.config.floatX)

    values, updates = theano.scan(
        fn=step,
        outputs_info=sample,
        non_sequences=[weights, of_visible, of_hidden],
        n_steps=10,
        strict=True,
    )
    assert len(updates) == 2
    f = theano.function([sample], values[-1], updates=updates)
    drawn = np.array([f(np.zeros(3)) for _ in range(200)])
    assert set(np.unique(drawn)) == {0, 1} and 0.4 < drawn.mean() < 0.95
    with pytest.raises(theano.gof.MissingInputError, match="the updates that scan returns"):
        theano.function([sample], values[-1])


def test_powers_of_two_until_a_number_is_exceeded():
    most = T.scalar("most")
    values, _ = theano.scan(
        lambda before, most: (before * 2, until(before * 2 > most)),
        outputs_info=T.constant(1.0, dtype="float64"),
        non_sequences=most,
        n_steps=1024,
    )
    f = theano.function([most], values)
    assert f(45).tolist() == [2, 4, 8, 16, 32, 64]
