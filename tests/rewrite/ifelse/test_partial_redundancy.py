"""Branches and loops together: what the side that is not taken needs is not computed."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.agreement import agree
from support.compiling import DEFINITION
from theano.compile.ops import as_op
from theano.gradient import verify_grad
from theano.ifelse import ifelse

x, s, W = T.dvector("x"), T.dscalar("s"), T.dmatrix("W")
calls = []


class Counted(theano.Op):
    """The exponential; writes its tag down whenever it is computed."""

    __props__ = ("tag",)

    def __init__(self, tag):
        self.tag = tag

    def make_node(self, value):
        value = T.as_tensor_variable(value)
        return theano.Apply(self, [value], [value.type()])

    def perform(self, node, inputs, storage):
        calls.append(self.tag)
        storage[0][0] = np.asarray(np.exp(inputs[0]))

    def L_op(self, inputs, outputs, cotangents):
        return [cotangents[0] * outputs[0]]

    def infer_shape(self, node, shapes):
        return shapes


a, b = Counted("a"), Counted("b")


def called(run, *arguments):
    calls.clear()
    run(*arguments)
    return list(calls)


def test_what_no_step_changes_stays_in_its_branch():
    rows, _ = theano.scan(lambda v, h: h + ifelse(v > 1, x[5], v), x, s)
    run = theano.function([x, s], rows)
    np.testing.assert_array_equal(run(np.array([0.0, 1, 0.5]), 2.0), [2, 3, 3.5])
    with pytest.raises(IndexError, match="index 5"):
        run(np.array([0.0, 2]), 2.0)
    rows, _ = theano.scan(lambda v, h: h + ifelse(v > 1, a(x).sum(), v), x, s)
    run = theano.function([x, s], rows)
    assert called(run, np.zeros(3), 1.0) == []
    assert called(run, np.array([0.0, 2, 3]), 1.0) == ["a"] * 2


def test_products_stay_in_their_branch():
    rows, _ = theano.scan(lambda r, h: h + ifelse(r[0] > 1, T.dot(r, W).sum(), r[1]), W.T, s)
    run = theano.function([W, s], rows)
    np.testing.assert_array_equal(run(np.ones((2, 3)), 0.0), [1, 2, 3])


def test_gradients_compute_the_side_that_was_taken():
    values, start, gap = np.array([0.0, 2, 0]), 1.0, 1e-6
    rows, _ = theano.scan(lambda v, h: ifelse(v > 1, a(h) * 0.1, b(h) * 0.2), x, s)
    run = theano.function([x, s], [rows, T.grad(rows[-1], s)])
    # Forwards, and once more backwards.
    assert called(run, values, start) == ["b", "a", "b"] * 2
    high, low = (run(values, start + e)[0][-1] for e in (gap, -gap))
    np.testing.assert_allclose(run(values, start)[1], (high - low) / (2 * gap), rtol=1e-8)


def test_gradients_of_a_product_in_a_branch():
    h0 = T.dvector("h0")
    rows, _ = theano.scan(lambda v, h: ifelse(v > 1, T.tanh(T.dot(h, W)), T.tanh(h * v)), x, h0)
    values, state = np.array([0.5, 2, 2]), np.array([0.1, 0.2])
    cost = theano.clone(rows.sum(), {x: T.constant(values)})
    verify_grad(
        lambda state, weights: theano.clone(cost, {h0: state, W: weights}),
        [state, np.arange(4.0).reshape(2, 2)],
        rng=np.random,
    )
    # The product does not fit, and is not computed.
    unused = theano.function([x, h0, W], T.grad(rows.sum(), h0))
    assert unused(np.array([0.5, 0.5]), state, np.ones((5, 5))).shape == (2,)


def test_numbers_drawn_in_a_branch_are_those_of_the_gradient():
    rng = T.shared_randomstreams.RandomStreams(1)
    rows, updates = theano.scan(lambda v, h: ifelse(v > 1, h * rng.uniform(()), h * v), x, s)
    run = theano.function([x, s], [rows[-1], T.grad(rows[-1], s)], updates=updates)
    last, slope = run(np.array([0.5, 2, 3]), 2.0)
    np.testing.assert_allclose(last, 2 * slope, rtol=1e-14)


i = T.iscalar("i")
shared = a(x)
three = [
    ifelse(i > 0, shared[0], s),
    ifelse(i > 1, b(shared)[0] + shared[1], s),
    ifelse(i > 2, b(shared)[1], s),
]


def within(condition):
    return [ifelse(i > k, ifelse(condition, shared[k - 1], s), s) for k in (1, 2)]


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        # Two conditions; one in the other branch of another; three, where what is shared needs
        # what is shared; a condition that is not always needed itself.
        ([ifelse(i > 0, shared.sum(), s), ifelse(i > 1, shared[0], s)], ["", "a", "a", "a"]),
        ([ifelse(T.eq(i, 0), shared[0], ifelse(T.eq(i, 2), shared[1], s))], ["a", "", "a", ""]),
        (three, ["", "a", "ab", "ab"]),
        ([ifelse(i > 1, shared[0], s), ifelse(i > 1, s, shared[1])], ["a", "a", "a", "a"]),
        (within(b(x).sum() > i), ["", "", "ba", "ba"]),
        (within(b(x).sum() < i), ["", "", "b", "b"]),
        (
            [ifelse(ifelse(i > 0, b(x).sum(), s) > 3, shared[0], s), ifelse(i > 1, shared[1], s)],
            ["", "ba", "ba", "ba"],
        ),
    ],
)
def test_what_branches_share_is_computed_if_one_needs_it(outputs, expected):
    cases = [(np.ones(2), -2.0, choice) for choice in range(len(expected))]
    run = agree([x, s, i], outputs, *cases)
    for case, wanted in zip(cases, expected, strict=True):
        assert sorted(called(run, *case)) == sorted(wanted)


@pytest.mark.parametrize("outer", [(1.0, 1), (1, -1), (-1, 1), (-1, -1)])
@pytest.mark.parametrize("inner", [1.0, -1.0])
@pytest.mark.parametrize("limit", [-100.0, 100.0])
def test_what_a_condition_of_its_own_needs_waits_for_the_others(outer, inner, limit):
    """`whole` cannot wait for `both`: it reads what is needed just as often as the branches."""
    part = a(x)
    whole = b(part + x)
    both = ifelse(W[0, 0] > 0, x, whole).sum() > s
    branches = [
        ifelse(W[0, 1] > 0, ifelse(both, whole, part), x),
        ifelse(W[0, 2] > 0, ifelse(both, whole * 3, part), x),
    ]
    run = theano.function([x, W, s], branches)
    value, choice = np.array([0.5, 2]), np.array([[inner, *outer]])
    first = np.exp(value)
    second = np.exp(first + value)
    chosen = (value if inner > 0 else second).sum() > limit
    taken = [second, second * 3] if chosen else [first, first]
    wanted = [one if way > 0 else value for one, way in zip(taken, outer, strict=True)]
    np.testing.assert_allclose(run(value, choice, limit), wanted, rtol=1e-14)
    assert called(run, value, choice, limit) == (["a", "b"] if max(outer) > 0 else [])


def test_what_is_no_array_and_cannot_wait_reads_what_is_there():
    generic = theano.gof.generic
    doubled = as_op([T.dvector], [T.dvector])(lambda value: value * 2)
    wrapped = as_op([T.dvector], [generic])(lambda value: {"value": value})
    unwrapped = as_op([generic], [T.dvector])(lambda whole: whole["value"])
    negated = as_op([generic], [T.dvector])(lambda whole: -whole["value"])
    part = doubled(x)
    whole = wrapped(part + x)
    branches = [ifelse(i > k, v, x) for k, v in enumerate([part, unwrapped(whole)])]
    branches.append(ifelse(i > 2, negated(whole), x))
    run = theano.function([i, x], branches)
    value = np.array([0.5, 2])
    for choice in range(4):
        wanted = [value * 2, value * 3, value * -3]
        wanted[choice:] = [value] * (3 - choice)
        for got, right in zip(run(choice, value), wanted, strict=True):
            np.testing.assert_array_equal(got, right)


def test_what_branches_share_need_not_be_possible():
    product = T.dot(x, x[:3])
    run = theano.function([x, s], [ifelse(s > 0, product, s), ifelse(s > 1, product + 1, s)])
    assert run(np.ones(5), -1.0) == [-1, -1]
    with pytest.raises(ValueError, match="Shape mismatch"):
        run(np.ones(5), 0.5)


def test_gradients_of_what_branches_share():
    cost = ifelse(s > 0, (shared**2).sum(), x.sum()) + ifelse(s > 1, shared.sum(), x.sum())
    run = theano.function([x, s], T.grad(cost, x))
    for value, wanted in ((-1.0, 2), (0.5, 2 * np.exp(2) + 1), (2.0, 2 * np.exp(2) + np.exp(1))):
        np.testing.assert_allclose(run(np.ones(2), value), [wanted] * 2, rtol=1e-14)


u = T.dvector("u")
both, looped = a(u), theano.scan(lambda v, h: a(h) * v, u, s)[0]
chain = ifelse(T.gt(i, 0), a(u), u)
chain = ifelse(T.gt(i, 1), b(chain), chain)
of_two = ifelse(T.gt(i, 0), (both**2).sum(), u.sum()) + ifelse(T.gt(i, 1), both.sum(), u.sum())
of_six = sum(ifelse(T.eq(i, k), (both * k).sum(), s) for k in range(1, 7))
nested = ifelse(i > 1, ifelse(i > 2, a(u), b(u)), ifelse(i > 0, a(u * 2), b(u * 2)))
listed = ifelse(i > 0, [a(u), b(u)], [u, u * 2])


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        ([T.grad(of_two, u)], ["", "a", "a"]),
        ([of_two, T.grad(of_two, u) * 2], ["", "a", "a"]),
        ([of_six, T.grad(of_six, u)], ["", "a", "a", "a", "a", "a", "a", ""]),
        ([nested, T.grad(nested.sum(), u)], ["b", "a", "b", "a"]),
        ([chain, T.grad(chain.sum(), u)], ["", "a", "ab"]),
        ([ifelse(i > 0, looped[-1], s), T.grad(ifelse(i > 0, looped[-1], s), s)], ["", "aaaa"]),
        ([listed[0], T.grad((listed[0] * listed[1]).sum(), u)], ["", "ab"]),
        ([listed[1]], ["", "b"]),
        ([T.grad(T.grad(of_two, u).sum(), u)], ["", "a", "a"]),
        ([ifelse(i > 0, T.set_subtensor(u[1:], b(u)[1:]), u)[0]], ["", "b"]),
    ],
)
def test_neither_values_nor_gradients_compute_more_than_is_taken(outputs, expected):
    cases = [(np.array([0.1, 0.2]), 0.5, choice) for choice in range(len(expected))]
    run = agree([u, s, i], outputs, *cases)
    for case, wanted in zip(cases, expected, strict=True):
        assert "".join(sorted(called(run, *case))) == wanted


def test_many_branches_are_compiled_in_little_time():
    rewritten = []
    total = sum(ifelse(T.eq(i, k), (both * k).sum(), s) for k in range(40))
    for count in (1, 2):
        run = theano.function([u, s, i], [total, T.grad(total, u)][:count])
        rewritten.append(len(run.maker.graph.toposort()))
    assert rewritten[1] < 10 * rewritten[0]
    value, slopes = run(np.zeros(2), 0.0, 7)
    np.testing.assert_array_equal([value, *slopes], [14, 7, 7])


def test_lengths_that_only_the_other_side_compares():
    """What `x * y` would find equal is not taken for equal where it is not computed."""
    y, choice = T.dvector("y"), T.iscalar("choice")
    both = (x * y).sum()
    first = x[: y.shape[0]]
    rows, _ = theano.scan(lambda v, w: T.exp(v * w), sequences=[x, y], n_steps=y.shape[0])
    values = np.arange(5.0), np.full(3, 0.5)
    for other, wanted in (
        (first.sum(), 3.0),
        ((first * 2).sum(), 6.0),
        (T.inc_subtensor(T.zeros_like(y)[:], first).sum(), 3.0),
        (rows.sum(), np.exp([0, 0.5, 1]).sum()),
    ):
        f = theano.function([choice, x, y], ifelse(choice, both, other))
        assert f(0, *values) == pytest.approx(wanted)
        assert f(1, values[0], values[0]) == pytest.approx(30)
        with pytest.raises(ValueError):
            f(1, *values)
    f = theano.function([choice, x, y], ifelse(choice, both, rows.sum()))
    with pytest.raises(ValueError):
        f(0, values[0][:2], values[1])


@pytest.mark.parametrize(
    "write",
    [
        lambda x, y: T.set_subtensor(x[:], y),
        lambda x, y: T.inc_subtensor(x[:], y),
        lambda x, y: T.zeros_like(x) + T.alloc(y, x.shape[0]),
        T.fill,
    ],
)
def test_one_item_is_stretched_where_only_the_other_side_refuses_it(write):
    y, choice = T.dvector("y"), T.iscalar("choice")
    out = ifelse(choice, (x * y).sum(), write(x, y).sum())
    arguments = 0, np.arange(5.0), np.ones(1)
    wanted = theano.function([choice, x, y], out, mode=DEFINITION)(*arguments)
    assert theano.function([choice, x, y], out)(*arguments) == wanted >= 5
