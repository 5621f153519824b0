"""`theano.ifelse`: one branch is computed, whatever is in it."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano import scan
from theano._core.ops.control.branch import Branch
from theano.ifelse import ifelse

MODES = [
    None,
    theano.Mode("llvm", "fast_compile"),
    theano.Mode("llvm", None),
    theano.Mode("py", None),
]
c, i = T.iscalar("c"), T.lscalar("i")
x, y, v = T.dmatrix("x"), T.dmatrix("y"), T.dvector("v")
s = T.dscalar("s")
ONE = T.constant(-1.0, dtype="float64")
X = np.array([[0.5, -1.0], [2.0, 3.0]])
Y = np.arange(9.0).reshape(3, 3)


def functions(inputs, outputs):
    return [theano.function(inputs, outputs, mode=m, on_unused_input="ignore") for m in MODES]


def test_values_of_different_shapes():
    for f in functions([c, x, y], [ifelse(c, T.exp(x), T.dot(y, y)), x + 1]):
        np.testing.assert_allclose(f(1, X, Y)[0], np.exp(X), rtol=1e-15)
        np.testing.assert_allclose(f(0, X, Y)[0], Y @ Y)
        np.testing.assert_array_equal(f(0, X, Y)[1], X + 1)


@pytest.mark.parametrize("kind", [list, tuple])
def test_several_values(kind):
    pair = ifelse(c, kind([x, x * 2]), kind([y, y * 3]))
    assert type(pair) is kind
    a, b = pair
    for f in functions([c, x, y], [a, b, a + b]):
        np.testing.assert_array_equal(f(2, X, Y), [X, 2 * X, 3 * X])
        np.testing.assert_array_equal(f(0, X, Y), [Y, 3 * Y, 4 * Y])


def test_the_other_branch_is_not_computed():
    for f in functions([c, v, i], ifelse(c, v[i] * T.exp(v).sum(), ONE)):
        assert f(0, [1.0, 2.0], 7) == -1
        assert f(1, [0.0, 0.0], 1) == 0
        with pytest.raises(IndexError):
            f(1, [1.0, 2.0], 7)


def test_what_both_need_is_computed_once():
    both = T.tanh(v)
    f = theano.function([c, v], ifelse(c, both.sum(), T.exp(both).sum()))
    (branch,) = [n for n in f.maker.graph.toposort() if isinstance(n.op, Branch)]
    names = [str(n.op) for body in (branch.op.then, branch.op.otherwise) for n in body.nodes]
    assert not any("tanh" in name for name in names) and any("exp" in name for name in names)


def test_equal_conditions_share_a_branch():
    shared = T.exp(v)
    f = theano.function([c, v], [ifelse(c, shared, v), ifelse(c, shared * 2, v)])
    assert sum(isinstance(n.op, Branch) for n in f.maker.graph.toposort()) == 1
    np.testing.assert_allclose(f(1, [0.0, 1.0]), [np.exp([0, 1]), 2 * np.exp([0, 1])])


def test_nested():
    z = ifelse(c, ifelse(i, T.exp(s), T.log(s)), ifelse(i, T.sin(s), T.cos(s)))
    wanted = {(1, 1): np.exp, (1, 0): np.log, (0, 1): np.sin, (0, 0): np.cos}
    for f in functions([c, i, s], z):
        for (a, b), function in wanted.items():
            np.testing.assert_allclose(f(a, b, 2.0), function(2.0), rtol=1e-15)


def test_gradient():
    cost = ifelse(c, T.exp(x).sum(), (y**3).sum())
    for f in functions([c, x, y], T.grad(cost, [x, y])):
        gx, gy = f(1, X, Y)
        np.testing.assert_allclose(gx, np.exp(X), rtol=1e-15)
        np.testing.assert_array_equal(gy, 0 * Y)
        gx, gy = f(0, X, Y)
        np.testing.assert_array_equal(gx, 0 * X)
        np.testing.assert_allclose(gy, 3 * Y**2)


def test_gradient_of_the_other_branch_is_not_computed():
    cost = ifelse(c, v[i] * T.log(v).sum(), (v**2).sum())
    f = theano.function([c, v, i], T.grad(cost, v))
    np.testing.assert_array_equal(f(0, [-1.0, 2.0], 7), [-2.0, 4.0])
    np.testing.assert_allclose(f(1, [1.0, 2.0], 1), [2.0, 1 + np.log(2)])
    with pytest.raises(IndexError):
        f(1, [1.0, 2.0], 7)


def test_switch_by_a_scalar_computes_one_side():
    value = T.switch(c, T.exp(x), T.dot(x, T.log(x)))
    f = theano.function([c, x], [value, T.grad(value.sum(), x)])
    assert any(isinstance(n.op, Branch) for n in f.maker.graph.toposort())
    positive = abs(X)
    np.testing.assert_allclose(f(1, positive), [np.exp(positive)] * 2, rtol=1e-15)
    np.testing.assert_allclose(f(0, positive)[0], positive @ np.log(positive), rtol=1e-14)


def test_switch_of_shapes_that_differ_is_an_error():
    f = theano.function([c, x, y], T.switch(c, T.exp(x), T.exp(y)))
    with pytest.raises(ValueError, match="mis-match"):
        f(1, X, Y)


def test_gradient_by_the_condition_is_zero():
    """As in Theano: next to a condition the same branch is taken."""
    for f in functions([s], T.grad(ifelse(s, s * 2, s), s)):
        assert f(3.0) == 2 and f(0.0) == 1


def test_inside_a_loop():
    out, _ = scan(
        lambda t, h: ifelse(T.eq(t % 2, 0), T.tanh(h), h * 2), sequences=T.arange(6), outputs_info=v
    )
    wanted, h = [], np.array([0.1, 0.2])
    for t in range(6):
        h = np.tanh(h) if t % 2 == 0 else 2 * h
        wanted.append(h)
    results = [f([0.1, 0.2]) for f in functions([v], [out, T.grad(out[-1].sum(), v)])]
    for got, slope in results:
        np.testing.assert_allclose(got, wanted, rtol=1e-14)
        np.testing.assert_allclose(slope, results[-1][1], rtol=1e-13)


def test_errors_inside_a_branch_inside_a_loop_name_the_step():
    out, _ = scan(lambda t: ifelse(T.lt(t, 3), v[t], v[t + i]), sequences=T.arange(6))
    for f in functions([v, i], out)[:3]:
        with pytest.raises(IndexError, match=r"(?s)index 9.*step 4"):
            f(np.arange(9.0), 5)


def test_loop_inside_a_branch():
    out, _ = scan(lambda h: h * 2, outputs_info=v, n_steps=i)
    for f in functions([c, v, i], ifelse(c, out[-1], v)):
        np.testing.assert_array_equal(f(1, [1.0, 2.0], 3), [8.0, 16.0])
        np.testing.assert_array_equal(f(0, [1.0, 2.0], -3), [1.0, 2.0])


def test_shared_variables():
    w = theano.shared(np.ones(3))
    f = theano.function([c], ifelse(c, w, w * 2), updates=[(w, ifelse(c, w + 1, w))])
    np.testing.assert_array_equal(f(1), [1.0, 1, 1])
    np.testing.assert_array_equal(f(0), [4.0, 4, 4])
    np.testing.assert_array_equal(w.get_value(), [2.0, 2, 2])


def test_random_streams():
    rng = T.shared_randomstreams.RandomStreams(1)
    draw = rng.uniform((2,))
    f = theano.function([c], ifelse(c, draw, T.zeros((2,), dtype=draw.dtype)))
    stream = np.random.RandomState(int(np.random.RandomState(1).randint(2**30)))
    np.testing.assert_array_equal(f(1), stream.uniform(size=2).astype(draw.dtype))
    f(0), stream.uniform(size=2)
    np.testing.assert_array_equal(f(1), stream.uniform(size=2).astype(draw.dtype))


def test_memory_comes_back():
    f = theano.function([c, x], ifelse(c, T.exp(x), x))
    import tracemalloc

    data = np.ones((300, 300))
    f(1, data), f(0, data)
    tracemalloc.start()
    for k in range(200):
        f(k % 2, data)
    current, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert current < data.nbytes


def test_errors():
    with pytest.raises(TypeError, match="identical types"):
        ifelse(c, x, v)
    with pytest.raises(ValueError, match="number of values"):
        ifelse(c, [x], [y, y])
    with pytest.raises(TypeError, match="must be a scalar"):
        ifelse(v, x, y)


def test_a_condition_that_needs_what_branches_share():
    x, v = T.dscalar(), T.dvector()
    shared = T.sin(v)
    a = ifelse(T.gt(x, 0), shared, v)
    b = ifelse(T.gt(a[0], 0), shared * 2, v)
    f = theano.function([x, v], [a, b])
    for sign in (1.0, -1.0):
        for value in (np.array([0.5, 2.0]), np.array([-0.5, 2.0])):
            first = np.sin(value) if sign > 0 else value
            second = np.sin(value) * 2 if first[0] > 0 else value
            for got, wanted in zip(f(sign, value), (first, second), strict=True):
                np.testing.assert_allclose(got, wanted, rtol=1e-15)
