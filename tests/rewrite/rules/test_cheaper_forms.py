"""What users write in a long way is computed in a short one."""

import itertools

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.agreement import agree
from support.arrays import layouts, values
from support.comparison import DERIVATIVES, EXACT
from support.compiling import DEFINITION

x, y = T.dmatrices("x", "y")
v, w = T.dvectors("v", "w")
t, i = T.dtensor3("t"), T.lvector("i")


def names(f):
    return [str(node.op) for node in f.maker.graph.toposort()]


def count(rows, columns, start=0.0):
    return np.arange(start, start + rows * columns).reshape(rows, columns)


def test_all_of_an_array_is_set():
    outputs = [T.set_subtensor(x[:], y), T.inc_subtensor(x[:, :], y), T.set_subtensor(x[:], v)]
    lengths = itertools.product(range(4), range(4))
    cases = [(np.full((own, 2), 7.0), count(rows, 2), np.arange(2.0)) for own, rows in lengths]
    f = agree([x, y, v], outputs, *cases, tolerance=EXACT)
    assert not any("IncSubtensor" in name for name in names(f))


def test_all_of_a_shared_variable_is_set():
    s = theano.shared(np.zeros((2, 3)))
    f = theano.function([x], [s], updates=[(s, T.set_subtensor(s[:], x[::-1]))])
    value = count(2, 3)
    np.testing.assert_array_equal(f(value)[0], 0)
    value_before = s.get_value(borrow=True)
    value[:] = -1
    np.testing.assert_array_equal(value_before, count(2, 3)[::-1])


def test_products_of_all_with_all_are_not_made():
    outputs = []
    for all_with_all in (v[:, None] * w[None, :], T.outer(v, w)):
        outputs += [all_with_all.sum(axis=axis) for axis in (None, 0, 1)]
        outputs += [T.dot(all_with_all, w), T.dot(v, all_with_all)]
    lengths = itertools.product((0, 1, 3), (0, 1, 4))
    cases = [(np.arange(1.0, n + 1), np.arange(2.0, m + 2)) for n, m in lengths]
    agree([v, w], outputs, *cases)
    for output in outputs:
        types = [n.outputs[0].type for n in theano.function([v, w], output).maker.graph.toposort()]
        assert all(each.ndim < 2 or any(each.broadcastable) for each in types)


def test_sums_and_vectors_come_before_products():
    product = T.dot(x, y)
    cases = [
        (count(n, k, 1), count(k, m, 1), np.arange(1.0, m + 1), np.arange(1.0, n + 1))
        for n, k, m in ((0, 2, 3), (2, 0, 3), (2, 3, 0), (1, 1, 1), (2, 3, 4))
    ]
    for output in (*(product.sum(axis=a) for a in (None, 0, 1)), T.dot(product, v)):
        agree([x, y, v, w], output, *cases)
    agree([x, y, v, w], T.dot(w, product), *cases)
    kept = theano.function([x, y, v], [product, T.dot(product, v)])
    assert names(kept).count("dot") == 2


def test_a_chain_runs_through_a_reshape():
    out = T.nnet.relu(t).flatten(2) * 2 + 1
    shapes = (2, 3, 4), (0, 3, 4), (2, 1, 1)
    arrays = [array for shape in shapes for array in layouts(values(shape))]
    f = agree([t], out, *((array,) for array in arrays), tolerance=EXACT)
    assert len({id(k.loop) for k in f.maker.kernels if hasattr(k, "loop")}) == 1
    wrong = theano.function([t], T.exp(t).reshape((4, 5)) * 2)
    with pytest.raises(ValueError):
        wrong(np.ones((2, 3, 4)))


@pytest.mark.parametrize("k", [-1, 0, 2])
def test_an_identity_matrix_is_computed_where_it_is_read(k):
    shapes = (0, 0), (1, 1), (3, 5), (20, 19)
    out = x + 2 * T.eye(x.shape[0], x.shape[1], k)
    agree([x], out, *((np.ones(shape),) for shape in shapes), tolerance=EXACT)
    number = T.lscalar()
    agree([number], T.eye(number) * 2, (3,), (-1,))


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
    cases = []
    for first, second in itertools.product((0, 1, 3), (0, 2)):
        one, two = count(2, first), -np.ones((2, second))
        cases.append((one, two) if axis else (one.T, two.T))
    agree([x, y], joined[index] + 1, *cases, tolerance=EXACT)


def test_parts_of_joins_of_known_lengths():
    parts = [T.specify_shape(y[:, :1], (2, 1)), T.specify_shape(y[:, 1:], (2, 2))]
    whole, ends = T.concatenate(parts, axis=1), list(itertools.product(range(4), range(4)))
    value = count(2, 3)
    found = theano.function([y], [whole[:, start:stop] for start, stop in ends])(value)
    for (start, stop), part in zip(ends, found, strict=True):
        np.testing.assert_array_equal(part, value[:, start:stop])


def test_one_array_of_a_join_is_read_itself():
    outputs = [
        T.join(1, x, y)[:, : x.shape[1]] + 1,
        T.stack([x, y])[1] * 2,
        T.stack([x, y], axis=1)[:, 0],
        T.join(0, x[:2], y)[1:, 1],
    ]
    for number, output in enumerate(outputs):
        f = agree([x, y], output, (count(2, 3), -count(2, 3)), tolerance=EXACT)
        assert number == 3 or not any("Join" in name for name in names(f))
    for output in outputs[:2]:
        agree([x, y], output, (count(2, 3), count(1, 3)))


def test_gradients_of_weights_that_are_multiplied_transposed():
    w = theano.shared(count(3, 2) / 7, "w")
    cost = T.sqr(T.tanh(T.dot(T.dot(x, w), w.T)) - x).sum()
    step = theano.function([x], cost, updates=[(w, w - 0.1 * T.grad(cost, w))])
    # Both are added to the weights, and what is added to is no sum.
    update = step.maker.graph.outputs[1].owner
    assert [str(update.op), str(update.inputs[0].owner.op)] == ["Gemm", "Gemm"]
    assert update.inputs[0].owner.inputs[0].owner is None
    value, before = count(4, 3) / 11, w.get_value()
    wanted = theano.function([x], [cost, w - 0.1 * T.grad(cost, w)], mode=DEFINITION)(value)
    np.testing.assert_allclose(step(value), wanted[0], rtol=1e-13)
    np.testing.assert_allclose(w.get_value(), wanted[1], rtol=1e-13)
    assert not np.array_equal(before, w.get_value())


def test_numbers_beside_positions_are_columns():
    outputs = [x[i, 1], x[1, i], t[i, :, -1], t[:, 1, i], t[1, :, i], t[i, 1, i], t[0, 1, i]]
    given = values((3, 3)), values((3, 2, 3))
    cases = [(*given, np.array(at, "int64")) for at in ([0, 2, -1, 0], [], [3], [-4])]
    f = agree([x, t, i], outputs, *cases, tolerance=EXACT)
    # Of t[1, :, i] the positions come first, of t[1][:, i] last.
    assert sum(name == "AdvancedSubtensor" for name in names(f)) == 3
    slope = T.grad(T.sqr(x[i, 1]).sum(), x)
    agree([x, i], slope, (given[0], np.array([0, 0, 2])), tolerance=DERIVATIVES)
