"""What users write in a long way is computed in a short one."""

import numpy as np
import pytest

import theano
import theano.tensor as T

x, y = T.dmatrices("x", "y")
v, w = T.dvectors("v", "w")
t = T.dtensor3("t")
PLAIN = theano.Mode(optimizer=None)


def names(f):
    return [str(node.op) for node in f.maker.graph.toposort()]


def kernels(f):
    return len({id(k.loop) for k in f.maker.kernels if hasattr(k, "loop")})


@pytest.mark.parametrize("rows", [0, 1, 2, 3])
@pytest.mark.parametrize("own", [0, 1, 2, 3])
def test_all_of_an_array_is_set(rows, own):
    outputs = [T.set_subtensor(x[:], y), T.inc_subtensor(x[:, :], y), T.set_subtensor(x[:], v)]
    f, g = (theano.function([x, y, v], outputs, mode=mode) for mode in (None, PLAIN))
    assert not any("IncSubtensor" in name for name in names(f))
    values = np.full((own, 2), 7.0), np.arange(2.0 * rows).reshape(rows, 2), np.arange(2.0)
    if rows in (1, own):
        for one, two in zip(f(*values), g(*values), strict=True):
            np.testing.assert_array_equal(one, two)
    else:
        for function in (f, g):
            with pytest.raises(ValueError):
                function(*values)


def test_all_of_a_shared_variable_is_set():
    s = theano.shared(np.zeros((2, 3)))
    f = theano.function([x], [s], updates=[(s, T.set_subtensor(s[:], x[::-1]))])
    value = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(f(value)[0], 0)
    value_before = s.get_value(borrow=True)
    value[:] = -1
    np.testing.assert_array_equal(value_before, np.arange(6.0).reshape(2, 3)[::-1])


@pytest.mark.parametrize("n", [0, 1, 3])
@pytest.mark.parametrize("m", [0, 1, 4])
def test_products_of_all_with_all_are_not_made(n, m):
    outer = v[:, None] * w[None, :]
    outputs = [outer.sum(), outer.sum(axis=0), outer.sum(axis=1), T.dot(outer, w), T.dot(v, outer)]
    outer = T.outer(v, w)
    outputs += [outer.sum(), outer.sum(axis=0), outer.sum(axis=1), T.dot(outer, w), T.dot(v, outer)]
    f, g = (theano.function([v, w], outputs, mode=mode) for mode in (None, PLAIN))
    values = np.arange(1.0, n + 1), np.arange(2.0, m + 2)
    for one, two in zip(f(*values), g(*values), strict=True):
        assert one.shape == two.shape
        np.testing.assert_allclose(one, two)
    for output in outputs:
        alone = theano.function([v, w], output)
        assert all(
            node.outputs[0].type.ndim < 2 or node.outputs[0].type.broadcastable != (False, False)
            for node in alone.maker.graph.toposort()
        )


@pytest.mark.parametrize("shape", [(0, 2, 3), (2, 0, 3), (2, 3, 0), (1, 1, 1), (2, 3, 4)])
def test_sums_and_vectors_come_before_products(shape):
    n, k, m = shape
    a, b = np.arange(1.0, n * k + 1).reshape(n, k), np.arange(1.0, k * m + 1).reshape(k, m)
    product = T.dot(x, y)
    outputs = [product.sum(), product.sum(axis=0), product.sum(axis=1)]
    outputs += [T.dot(product, v), T.dot(w, product)]
    for output in outputs:
        f, g = (
            theano.function([x, y, v, w], output, mode=mode, on_unused_input="ignore")
            for mode in (None, PLAIN)
        )
        values = a, b, np.arange(1.0, m + 1), np.arange(1.0, n + 1)
        np.testing.assert_allclose(f(*values), g(*values))
    kept = theano.function([x, y, v], [product, T.dot(product, v)])
    assert names(kept).count("dot") == 2


@pytest.mark.parametrize("shape", [(2, 3, 4), (0, 3, 4), (2, 1, 1)])
def test_a_chain_runs_through_a_reshape(shape):
    out = T.nnet.relu(t).flatten(2) * 2 + 1
    f, g = (theano.function([t], out, mode=mode) for mode in (None, PLAIN))
    assert kernels(f) == 1
    value = np.random.RandomState(1).randn(*shape)
    for array in (value, np.asfortranarray(value), np.repeat(value, 2, axis=2)[:, :, ::2]):
        np.testing.assert_array_equal(f(array), g(array))
    wrong = theano.function([t], T.exp(t).reshape((4, 5)) * 2)
    with pytest.raises(ValueError):
        wrong(np.ones((2, 3, 4)))


@pytest.mark.parametrize("k", [-1, 0, 2])
def test_an_identity_matrix_is_computed_where_it_is_read(k):
    out = x + 2 * T.eye(x.shape[0], x.shape[1], k)
    f, g = (theano.function([x], out, mode=mode) for mode in (None, PLAIN))
    for shape in ((0, 0), (1, 1), (3, 5), (20, 19)):
        value = np.ones(shape)
        np.testing.assert_array_equal(f(value), g(value))
    number = T.lscalar()
    of_any_length = theano.function([number], T.eye(number) * 2)
    np.testing.assert_array_equal(of_any_length(3), 2 * np.eye(3))
    with pytest.raises(ValueError):
        of_any_length(-1)


ENTRIES = (
    *(slice(None, stop) for stop in (0, 1, 3, 20, -1)),
    *(slice(start, None) for start in (1, -1, -3, -20)),
    *(slice(1, 4), slice(2, 1), slice(0, 3, 2), 0, 2, 4, -1, -4),
)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("entry", ENTRIES, ids=str)
def test_parts_of_joins(entry, axis):
    index = (slice(None), entry) if axis else (entry,)
    joined = T.join(axis, x, y * 2, x[:, 1:] if axis else x[1:])
    f, g = (theano.function([x, y], joined[index] + 1, mode=mode) for mode in (None, PLAIN))
    for first in (0, 1, 3):
        for second in (0, 2):
            one, two = np.arange(2.0 * first).reshape(2, -1), -np.ones((2, second))
            if not axis:
                one, two = one.T, two.T
            try:
                expected = g(one, two)
            except IndexError:
                with pytest.raises(IndexError):
                    f(one, two)
                continue
            np.testing.assert_array_equal(f(one, two), expected)


@pytest.mark.parametrize("start", range(4))
@pytest.mark.parametrize("stop", range(4))
def test_parts_of_joins_of_known_lengths(start, stop):
    parts = [T.specify_shape(y[:, :1], (2, 1)), T.specify_shape(y[:, 1:], (2, 2))]
    f = theano.function([y], T.concatenate(parts, axis=1)[:, start:stop])
    value = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(f(value), value[:, start:stop])


def test_one_array_of_a_join_is_read_itself():
    outputs = [
        T.join(1, x, y)[:, : x.shape[1]] + 1,
        T.stack([x, y])[1] * 2,
        T.stack([x, y], axis=1)[:, 0],
        T.join(0, x[:2], y)[1:, 1],
    ]
    assert [sum("Join" in n for n in names(theano.function([x, y], o))) for o in outputs][:3] == [
        0,
        0,
        0,
    ]
    f, g = (theano.function([x, y], outputs, mode=mode) for mode in (None, PLAIN))
    a, b = np.arange(6.0).reshape(2, 3), -np.arange(6.0).reshape(2, 3)
    for one, two in zip(f(a, b), g(a, b), strict=True):
        np.testing.assert_array_equal(one, two)
    for output in outputs[:2]:
        function = theano.function([x, y], output)
        with pytest.raises(ValueError):
            function(a, b[:1])


def test_gradients_of_weights_that_are_multiplied_transposed():
    w = theano.shared(np.arange(6.0).reshape(3, 2) / 7, "w")
    cost = T.sqr(T.tanh(T.dot(T.dot(x, w), w.T)) - x).sum()
    step = theano.function([x], cost, updates=[(w, w - 0.1 * T.grad(cost, w))])
    # Both are added to the weights, and what is added to is no sum.
    update = step.maker.graph.outputs[1].owner
    assert [str(update.op), str(update.inputs[0].owner.op)] == ["Gemm", "Gemm"]
    assert update.inputs[0].owner.inputs[0].owner is None
    value, before = np.arange(12.0).reshape(4, 3) / 11, w.get_value()
    plain = theano.function([x], [cost, w - 0.1 * T.grad(cost, w)], mode=PLAIN)
    wanted = plain(value)
    np.testing.assert_allclose(step(value), wanted[0], rtol=1e-13)
    np.testing.assert_allclose(w.get_value(), wanted[1], rtol=1e-13)
    assert not np.array_equal(before, w.get_value())


def test_numbers_beside_positions_are_columns():
    i = T.lvector("i")
    outputs = [x[i, 1], x[1, i], t[i, :, -1], t[:, 1, i], t[1, :, i], t[i, 1, i], t[0, 1, i]]
    f, g = (theano.function([x, t, i], outputs, mode=mode) for mode in (None, PLAIN))
    # Of t[1, :, i] the positions come first, of t[1][:, i] last.
    assert sum(name == "AdvancedSubtensor" for name in names(f)) == 3
    random = np.random.RandomState(3)
    values = random.randn(3, 3), random.randn(3, 2, 3)
    for positions in ([0, 2, -1, 0], []):
        for one, two in zip(f(*values, positions), g(*values, positions), strict=True):
            np.testing.assert_array_equal(one, two)
    for outside in ([3], [-4]):
        with pytest.raises(IndexError):
            f(*values, outside)
    slope = theano.function([x, i], T.grad(T.sqr(x[i, 1]).sum(), x))
    np.testing.assert_array_equal(
        slope(values[0], [0, 0, 2]), values[0] * [[0, 4, 0], [0, 0, 0], [0, 2, 0]]
    )
