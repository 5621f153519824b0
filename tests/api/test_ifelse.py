"""`theano.ifelse`: one branch is computed, whatever is in it."""

import tracemalloc

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.compiling import DEFINITION, ops
from support.errors import refused
from theano import scan
from theano._core.ops.control.branch import Branch
from theano.ifelse import ifelse

MODES = [None, theano.Mode("llvm", "fast_compile"), theano.Mode("llvm", None), DEFINITION]
c, i = T.iscalar("c"), T.lscalar("i")
x, y, v = T.dmatrix("x"), T.dmatrix("y"), T.dvector("v")
s = T.dscalar("s")
ONE = T.constant(-1.0, dtype="float64")
X = np.array([[0.5, -1.0], [2.0, 3.0]])
Y = np.arange(9.0).reshape(3, 3)
pair = ifelse(c, [x, x * 2], [y, y * 3])
four = ifelse(c, ifelse(i, T.exp(s), T.log(s)), ifelse(i, T.sin(s), T.cos(s)))
out, _ = scan(lambda t, h: ifelse(T.eq(t % 2, 0), T.tanh(h), h * 2), T.arange(3), v)
last = scan(lambda h: h * 2, outputs_info=v, n_steps=i)[0][-1]
H = np.array([0.1, 0.2])
# Inputs, results, and pairs of values and what must come out.
CASES = {
    "shapes that differ": (
        [c, x, y],
        [ifelse(c, T.exp(x), T.dot(y, y)), x + 1],
        [((1, X, Y), [np.exp(X), X + 1]), ((0, X, Y), [Y @ Y, X + 1])],
    ),
    "several values": (
        [c, x, y],
        [*pair, pair[0] + pair[1]],
        [((2, X, Y), [X, 2 * X, 3 * X]), ((0, X, Y), [Y, 3 * Y, 4 * Y])],
    ),
    "a branch in a branch": (
        [c, i, s],
        [four],
        [
            ((a, b, 2.0), [function(2.0)])
            for a, b, function in ((1, 1, np.exp), (1, 0, np.log), (0, 1, np.sin), (0, 0, np.cos))
        ],
    ),
    "gradients": (
        [c, x, y],
        T.grad(ifelse(c, T.exp(x).sum(), (y**3).sum()), [x, y]),
        [((1, X, Y), [np.exp(X), 0 * Y]), ((0, X, Y), [0 * X, 3 * Y**2])],
    ),
    # As in Theano: next to a condition the same branch is taken.
    "the gradient by the condition is zero": (
        [s],
        [T.grad(ifelse(s, s * 2, s), s)],
        [((3.0,), [2.0]), ((0.0,), [1.0])],
    ),
    "inside a loop": (
        [v],
        [out, T.grad(out[-1].sum(), v)],
        [
            (
                (H,),
                [
                    [np.tanh(H), 2 * np.tanh(H), np.tanh(2 * np.tanh(H))],
                    2 * (1 - np.tanh(2 * np.tanh(H)) ** 2) * (1 - np.tanh(H) ** 2),
                ],
            )
        ],
    ),
    "around a loop": ([c, v, i], [ifelse(c, last, v)], [((1, H, 3), [8 * H]), ((0, H, -3), [H])]),
}


@pytest.mark.parametrize("mode", MODES, ids=range(len(MODES)))
@pytest.mark.parametrize("name", CASES)
def test_results_are_those_of_the_branch_that_is_taken(name, mode):
    inputs, outputs, cases = CASES[name]
    f = theano.function(inputs, outputs, mode=mode, on_unused_input="ignore")
    for values, wanted in cases:
        for got, want in zip(f(*values), wanted, strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-14)


@pytest.mark.parametrize("mode", MODES, ids=range(len(MODES)))
def test_the_other_branch_and_its_gradient_are_not_computed(mode):
    f = theano.function([c, v, i], ifelse(c, v[i] * T.exp(v).sum(), ONE), mode=mode)
    assert f(0, [1.0, 2.0], 7) == -1
    assert f(1, [0.0, 0.0], 1) == 0
    cost = ifelse(c, v[i] * T.log(v).sum(), (v**2).sum())
    g = theano.function([c, v, i], T.grad(cost, v))
    np.testing.assert_array_equal(g(0, [-1.0, 2.0], 7), [-2.0, 4.0])
    np.testing.assert_allclose(g(1, [1.0, 2.0], 1), [2.0, 1 + np.log(2)])
    for function in (f, g):
        with pytest.raises(IndexError):
            function(1, [1.0, 2.0], 7)


@pytest.mark.parametrize("kind", [list, tuple])
def test_several_values_come_in_the_kind_of_sequence_that_is_given(kind):
    assert type(ifelse(c, kind([x, x * 2]), kind([y, y * 3]))) is kind


def test_what_both_branches_need_is_computed_once_before_them():
    both = T.tanh(v)
    f = theano.function([c, v], ifelse(c, both.sum(), T.exp(both).sum()))
    (branch,) = ops(f, Branch)
    names = [str(n.op) for body in (branch.then, branch.otherwise) for n in body.nodes]
    assert not any("tanh" in name for name in names) and any("exp" in name for name in names)


def test_equal_conditions_share_a_branch():
    shared = T.exp(v)
    f = theano.function([c, v], [ifelse(c, shared, v), ifelse(c, shared * 2, v)])
    assert len(ops(f, Branch)) == 1
    np.testing.assert_allclose(f(1, [0.0, 1.0]), [np.exp([0, 1]), 2 * np.exp([0, 1])])


def test_switch_by_a_scalar_computes_one_side():
    value = T.switch(c, T.exp(x), T.dot(x, T.log(x)))
    f = theano.function([c, x], [value, T.grad(value.sum(), x)])
    assert ops(f, Branch)
    positive = abs(X)
    np.testing.assert_allclose(f(1, positive), [np.exp(positive)] * 2, rtol=1e-15)
    np.testing.assert_allclose(f(0, positive)[0], positive @ np.log(positive), rtol=1e-14)
    g = theano.function([c, x, y], T.switch(c, T.exp(x), T.exp(y)))
    with refused(ValueError, "mis-match"):
        g(1, X, Y)


@pytest.mark.parametrize("mode", MODES[:3], ids=range(3))
def test_errors_inside_a_branch_inside_a_loop_name_the_step(mode):
    out, _ = scan(lambda t: ifelse(T.lt(t, 3), v[t], v[t + i]), sequences=T.arange(6))
    f = theano.function([v, i], out, mode=mode)
    with pytest.raises(IndexError, match=r"(?s)index 9.*step 4"):
        f(np.arange(9.0), 5)


def test_shared_variables_and_their_updates():
    w = theano.shared(np.ones(3))
    f = theano.function([c], ifelse(c, w, w * 2), updates=[(w, ifelse(c, w + 1, w))])
    np.testing.assert_array_equal([f(1), f(0), w.get_value()], [[1] * 3, [4] * 3, [2] * 3])


def test_random_streams_go_on_whichever_branch_is_taken():
    rng = T.shared_randomstreams.RandomStreams(1)
    draw = rng.uniform((2,))
    f = theano.function([c], ifelse(c, draw, T.zeros((2,), dtype=draw.dtype)))
    stream = np.random.RandomState(int(np.random.RandomState(1).randint(2**30)))
    for taken in (1, 0, 1):
        got, wanted = f(taken), stream.uniform(size=2).astype(draw.dtype)
        np.testing.assert_array_equal(got, wanted * taken)


def test_memory_comes_back():
    f = theano.function([c, x], ifelse(c, T.exp(x), x))
    data = np.ones((300, 300))
    f(1, data), f(0, data)
    tracemalloc.start()
    for k in range(200):
        f(k % 2, data)
    current, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert current < data.nbytes


def test_branches_that_do_not_fit_are_refused():
    with refused(TypeError, "identical types"):
        ifelse(c, x, v)
    with refused(ValueError, "number of values"):
        ifelse(c, [x], [y, y])
    with refused(TypeError, "must be a scalar"):
        ifelse(v, x, y)


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("value", [[0.5, 2.0], [-0.5, 2.0]])
def test_a_condition_that_needs_what_branches_share(sign, value):
    shared = T.sin(v)
    a = ifelse(T.gt(s, 0), shared, v)
    b = ifelse(T.gt(a[0], 0), shared * 2, v)
    first = np.sin(value) if sign > 0 else value
    second = np.sin(value) * 2 if first[0] > 0 else value
    found = theano.function([s, v], [a, b])(sign, value)
    np.testing.assert_allclose(found, [first, second], rtol=1e-15)
