"""Memory is written in place only where nothing else reads it, the same node included."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.compiling import evaluate

N = 5
A = np.random.RandomState(1).randn(N, 3)
B = np.random.RandomState(2).randn(N, N)
ORDER = [1, 0, 3, 2, 4]


def changed(whole, index, part, add):
    result = whole.copy()
    result[index] = result[index] + part if add else part
    return result


# Expressions of a matrix q and another one y, in which one node reads q twice.
CASES = {
    "q y + q": (lambda q, y: 0.2 * T.dot(q, y) - 0.5 * q, lambda q, y: 0.2 * q @ y - 0.5 * q),
    "y q + q": (lambda q, y: 0.2 * T.dot(y, q) - 0.5 * q, lambda q, y: 0.2 * y @ q - 0.5 * q),
    "q q + q": (lambda q, y: 0.2 * T.dot(q, q) + q, lambda q, y: 0.2 * q @ q + q),
    "q.T y + q": (lambda q, y: 0.2 * T.dot(q.T, y) + q, lambda q, y: 0.2 * q.T @ y + q),
    "reversed": (lambda q, y: T.inc_subtensor(q[::-1], q), lambda q, y: q + q[::-1]),
    "next row": (
        lambda q, y: T.inc_subtensor(q[1:], q[:-1]),
        lambda q, y: changed(q, slice(1, None), q[:-1], add=True),
    ),
    "some rows": (
        lambda q, y: T.inc_subtensor(q[ORDER], q),
        lambda q, y: changed(q, ORDER, q, add=True),
    ),
    "column of row": (
        lambda q, y: T.set_subtensor(q[:, 0], q[0]),
        lambda q, y: changed(q, (slice(None), 0), q[0], add=False),
    ),
}


@pytest.mark.parametrize(("expression", "reference"), CASES.values(), ids=CASES)
def test_what_a_node_reads_twice_is_not_overwritten_too_early(expression, reference):
    x, y = T.matrices("x", "y")
    wanted = reference(A @ A.T, B)
    found = evaluate(expression(T.dot(x, x.T), y), {x: A, y: B})
    np.testing.assert_allclose(found, wanted, rtol=1e-12)
    q = theano.shared(A @ A.T)
    theano.function([y], updates=[(q, expression(q, y))], on_unused_input="ignore")(B)
    np.testing.assert_allclose(q.get_value(), wanted, rtol=1e-12)


# New values of a shared matrix that need no memory of their own; `i` is a vector of row numbers.
IN_PLACE = {
    "elementwise": lambda q, i, y: 2 * q + y,
    "gemm": lambda q, i, y: q - 0.1 * T.dot(y, y),
    "a row": lambda q, i, y: T.inc_subtensor(q[i[0]], y[0]),
    "an element": lambda q, i, y: T.set_subtensor(q[i[0], 2], 7.0),
    "rows": lambda q, i, y: T.inc_subtensor(q[i], y[i]),
    "rows read before": lambda q, i, y: T.set_subtensor(q[i], T.tanh(q[i])),
    "a slice": lambda q, i, y: T.set_subtensor(q[1:3], y[:2]),
    "a mask": lambda q, i, y: T.inc_subtensor(q[(q > 0).nonzero()], 1.0),
}


def address(q):
    return q.get_value(borrow=True).ctypes.data


@pytest.mark.parametrize("name", IN_PLACE)
@pytest.mark.parametrize("read_by", ["nothing", "an update before", "an update behind"])
def test_an_update_keeps_the_memory_also_if_another_update_reads_the_new_value(name, read_by):
    q, w, i, y = theano.shared(B), theano.shared(2 * B), T.lvector("i"), T.matrix("y")
    new = IN_PLACE[name](q, i, y)
    updates = [(q, new)] if read_by == "nothing" else [(w, w + new), (q, new)]
    updates = updates[::-1] if read_by == "an update behind" else updates
    f = theano.function([i, y], updates=updates, on_unused_input="ignore")
    wanted = evaluate([w + new, new], {i: [1, 1, 3], y: B})
    before = address(w), address(q)
    f([1, 1, 3], B)
    assert (address(w), address(q)) == before
    np.testing.assert_allclose(q.get_value(), wanted[1], rtol=1e-14)
    if read_by != "nothing":
        np.testing.assert_allclose(w.get_value(), wanted[0], rtol=1e-14)


def test_updates_in_place_that_fail_change_nothing():
    shared = {name: theano.shared(B.copy(), name) for name in IN_PLACE}
    i, y = T.lvector("i"), T.matrix("y")
    updates = [(q, IN_PLACE[name](q, i, y)) for name, q in shared.items()]
    f = theano.function([i, y], updates=updates)
    before = {name: address(q) for name, q in shared.items()}
    f([0, 1], B)
    assert before == {name: address(q) for name, q in shared.items()}
    values = [q.get_value() for q in shared.values()]
    for bad, error in ((([0, N], B), IndexError), (([0], B[:-1]), ValueError)):
        with pytest.raises(error):
            f(*bad)
        np.testing.assert_array_equal([q.get_value() for q in shared.values()], values)


def test_many_new_values_spare_what_another_input_shows():
    memory = np.arange(400.0)
    # Side by side, on both sides of one that is wide, and apart from all; more than fit on a stack.
    parts = [memory[10 * i : 10 * (i + 1)] for i in range(20)]
    parts += [memory[200:300], memory[200:210], memory[290:300], memory[300:310], np.arange(10.0)]
    shared = [theano.shared(p, borrow=True) for p in parts]
    before = [p.copy() for p in parts]
    theano.function([], updates=[(v, v + 1.0) for v in shared])()
    kept = [v.get_value(borrow=True) is p for v, p in zip(shared, parts, strict=True)]
    assert kept == [not 20 <= i <= 22 for i in range(25)]
    for v, old in zip(shared, before, strict=True):
        np.testing.assert_array_equal(v.get_value(), old + 1.0)


@pytest.mark.parametrize("dtype", ["float64", "float16", "complex64", "int8", "uint64", "bool"])
def test_a_new_number_keeps_the_memory(dtype):
    n, y = theano.shared(np.array(1, dtype)), T.vector("y")
    before = address(n)
    new = T.invert(n) if dtype == "bool" else T.cast(n + T.cast(y.sum(), dtype), dtype)
    update = theano.function([y], updates=[(n, new)], on_unused_input="ignore")
    for _ in range(3):
        update([2.0, 1.0])
    assert n.get_value() == (np.invert(np.bool_(1)) if dtype == "bool" else np.array(10, dtype))
    assert address(n) == before


def test_a_number_is_read_before_it_is_overwritten():
    n, m, v, y = theano.shared(1.0), theano.shared(10.0), theano.shared(np.zeros(3)), T.vector("y")
    f = theano.function(
        [y],
        [n * y, T.alloc(n, 3), n.dimshuffle("x") + 0, T.switch(y > n, y, n)],
        updates=[(n, m + 1), (m, n + 1), (v, v + n * y)],
    )
    for old, other in ((1.0, 10.0), (11.0, 2.0), (3.0, 12.0)):
        wanted_v = v.get_value() + old
        for found in f(np.ones(3)):
            np.testing.assert_array_equal(found, np.full(found.shape, old))
        np.testing.assert_array_equal(v.get_value(), wanted_v)
        assert (n.get_value(), m.get_value()) == (other + 1, old + 1)


def test_numbers_that_others_show_stay():
    memory = np.array(5.0)
    one, two = theano.shared(memory, borrow=True), theano.shared(memory, borrow=True)
    theano.function([], updates=[(one, two + 1), (two, one * 2)])()
    assert (memory, one.get_value(), two.get_value()) == (5.0, 6.0, 10.0)
    memory.flags.writeable = False
    fixed = theano.shared(memory, borrow=True)
    theano.function([], updates=[(fixed, fixed + 1)])()
    assert (memory, fixed.get_value()) == (5.0, 6.0)
    out = theano.shared(1.0)
    returned = theano.function([], [out, out.reshape((1,))], updates=[(out, out + 1)])()
    theano.function([], updates=[(out, out + 1)])()
    assert [r.item() for r in returned] == [1.0, 1.0]


def test_a_call_that_fails_keeps_the_number():
    n, i = theano.shared(1.0), T.lscalar("i")
    f = theano.function([i], theano.shared(B)[i], updates=[(n, n + 1)])
    before = address(n)
    with pytest.raises(IndexError):
        f(N)
    assert (n.get_value(), address(n)) == (1.0, before)
