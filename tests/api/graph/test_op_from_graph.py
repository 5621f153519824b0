"""Expressions as operations: values, derivatives, overrides, and what they may stand in."""

import pickle

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.gradient import DisconnectedType, NullTypeGradError, grad_undefined, jvp, verify_grad
from theano.ifelse import ifelse

x, y, z = T.dmatrices("x", "y", "z")
A, B, C = (np.arange(4.0).reshape(2, 2) + k for k in range(3))


def at(out):
    return theano.function([x, y, z], out, on_unused_input="ignore")(A, B, C)


@pytest.mark.parametrize("inline", [False, True])
def test_values(inline):
    op = theano.OpFromGraph([x, y, z], [x + y * z, x - y], inline=inline)
    first, second = op(x, y, z)
    swapped, _ = op(y, z, x)
    np.testing.assert_array_equal(at(first), A + B * C)
    np.testing.assert_array_equal(at(second), A - B)
    np.testing.assert_array_equal(at(first - swapped), A + B * C - (B + C * A))
    f = theano.function([x, y, z], first)
    assert not any(isinstance(n.op, theano.OpFromGraph) for n in f.maker.graph.toposort())


def test_it_is_fused_with_what_stands_around_it():
    op = theano.OpFromGraph([x], [T.exp(x)])
    f = theano.function([x], op(x) * 2 + 1)
    assert len(f.maker.program_nodes) == len(
        theano.function([x], T.exp(x) * 2 + 1).maker.program_nodes
    )


def test_nested_and_repeated():
    inner = theano.OpFromGraph([x, y], [T.dot(x, y)])
    outer = theano.OpFromGraph([x, y], [inner(x, y) + inner(y, x)])
    out = outer(outer(x, y), y)
    one = A @ B + B @ A
    np.testing.assert_allclose(at(out), one @ B + B @ one)


def test_shared_variables_and_constants():
    w = theano.shared(B)
    op = theano.OpFromGraph([x], [T.dot(x, w) + 1])
    out = op(x)
    np.testing.assert_allclose(at(out), A @ B + 1)
    w.set_value(C)
    np.testing.assert_allclose(at(out), A @ C + 1)
    np.testing.assert_allclose(at(T.grad(out.sum(), w)), A.T @ np.ones((2, 2)))
    f = theano.function([x], out, updates=[(w, w * 0)])
    f(A)
    assert w.get_value().sum() == 0


def test_gradients_to_order_two():
    op = theano.OpFromGraph([x, y], [T.tanh(x * y), T.exp(x)])

    def cost(a, b):
        one, two = op(a, b)
        return (one * two).sum()

    rng = np.random.RandomState(0)
    points = [rng.rand(2, 2), rng.rand(2, 2)]
    verify_grad(cost, points, rng=rng)
    verify_grad(lambda a, b: (T.grad(cost(a, b), a) ** 2).sum(), points, rng=rng)
    slope = T.grad(T.grad(cost(x, y), x).sum(), y)
    inlined = T.grad(T.grad((T.tanh(x * y) * T.exp(x)).sum(), x).sum(), y)
    np.testing.assert_allclose(at(slope), at(inlined))


def test_forward_mode_and_vectorize():
    op = theano.OpFromGraph([x, y], [T.dot(x, T.sin(y))])
    got = at(jvp(op(x, y), [x, y], [z, x]))
    np.testing.assert_allclose(got, C @ np.sin(B) + A @ (np.cos(B) * A))
    stack = T.dtensor3()
    rows = theano.vectorize(op, (0, None))(stack, y)
    given = np.stack([A, C])
    got = theano.function([stack, y], rows)(given, B)
    np.testing.assert_allclose(got, given @ np.sin(B))


def test_inside_loops_and_branches():
    v = T.dvector("v")
    op = theano.OpFromGraph([v], [T.tanh(v) * 2])
    rows, _ = theano.scan(lambda h: op(h), outputs_info=v, n_steps=3)
    value = np.array([0.1, 0.2])
    want = value
    for _ in range(3):
        want = np.tanh(want) * 2
    np.testing.assert_allclose(rows[-1].eval({v: value}), want)
    slope = T.grad(rows[-1].sum(), v)
    plain, _ = theano.scan(lambda h: T.tanh(h) * 2, outputs_info=v, n_steps=3)
    np.testing.assert_allclose(slope.eval({v: value}), T.grad(plain[-1].sum(), v).eval({v: value}))
    out = ifelse(v[0] > 0, op(v), v)
    np.testing.assert_allclose(out.eval({v: value}), np.tanh(value) * 2)
    # And the other way round.
    loop = theano.OpFromGraph([v], [rows[-1], out])
    np.testing.assert_allclose(loop(v)[0].eval({v: value}), want)


def test_gradient_overrides():
    def ten(inputs, g):
        a, b = inputs
        return [10 * g[0] * b, 20 * g[0] * a]

    op = theano.OpFromGraph([x, y], [x * y], grad_overrides=ten)
    one, two = T.grad(op(x, y).sum(), [x, y])
    np.testing.assert_allclose(at(one), 10 * B)
    np.testing.assert_allclose(at(two), 20 * A)
    part = theano.OpFromGraph(
        [x, y], [x * y], grad_overrides=["default", lambda inputs, g: 3 * g[0]]
    )
    one, two = T.grad(part(x, y).sum(), [x, y])
    np.testing.assert_allclose(at(one), B)
    np.testing.assert_allclose(at(two), np.full((2, 2), 3.0))


def test_lop_overrides():
    op = theano.OpFromGraph([x], [T.exp(x)], lop_overrides=lambda i, o, g: [g[0] * o[0] * 2])
    np.testing.assert_allclose(at(T.grad(op(x).sum(), x)), 2 * np.exp(A))
    rule = theano.OpFromGraph([x, y, z], [z * y * 5])
    op = theano.OpFromGraph([x], [T.exp(x)], lop_overrides=rule)
    np.testing.assert_allclose(at(T.grad(op(x).sum(), x)), 5 * np.exp(A))
    cut = theano.OpFromGraph([x, y], [x * y], lop_overrides=["default", DisconnectedType()()])
    one, two = T.grad(cut(x, y).sum(), [x, y], disconnected_inputs="ignore")
    np.testing.assert_allclose(at(one), B)
    assert at(two).sum() == 0
    null = grad_undefined(cut, 0, x)
    undefined = theano.OpFromGraph([x], [x * 2], lop_overrides=null)
    with pytest.raises(NullTypeGradError):
        T.grad(undefined(x).sum(), x)


def test_rop_overrides():
    op = theano.OpFromGraph([x, y], [x * y], rop_overrides=lambda i, t: [7 * t[0] + i[0] * t[1]])
    np.testing.assert_allclose(at(T.Rop(op(x, y), [x, y], [z, x])), 7 * C + A * A)
    op.set_rop_overrides("default")
    np.testing.assert_allclose(at(T.Rop(op(x, y), x, z)), C * B)


def test_connections():
    op = theano.OpFromGraph([x, y], [x * 2, y * 3])
    node = op.make_node(x, y)
    assert op.connection_pattern(node) == [[True, False], [False, True]]
    cut = theano.OpFromGraph([x, y], [x * y], connection_pattern=[[True], [False]])
    with pytest.raises(theano.gradient.DisconnectedInputError):
        T.grad(cut(x, y).sum(), y)


def test_shapes_are_known_without_values():
    op = theano.OpFromGraph([x, y], [T.dot(x, y)])
    f = theano.function([x, y], op(x, y).shape)
    assert f(np.ones((2, 3)), np.ones((3, 5))).tolist() == [2, 5]
    assert not any("dot" in str(n.op) for n in f.maker.graph.toposort())


def test_copies_and_pickles():
    op = theano.OpFromGraph([x, y], [x + y], name="plus")
    assert str(op) == "plus{inline=False}"
    out = theano.clone(op(x, y), replace={x: z})
    np.testing.assert_array_equal(at(out), C + B)
    f = pickle.loads(pickle.dumps(theano.function([x, y], op(x, y))))
    np.testing.assert_array_equal(f(A, B), A + B)


def test_errors():
    with pytest.raises(TypeError, match="outputs must be list"):
        theano.OpFromGraph([x], x)
    with pytest.raises(TypeError, match="variables"):
        theano.OpFromGraph([1], [x])
    with pytest.raises(TypeError, match="updates are not allowed"):
        theano.OpFromGraph([x], [x], updates=[])
    theano.OpFromGraph([x], [x], on_unused_input="ignore")
    with pytest.raises(theano.gof.MissingInputError, match="y"):
        theano.OpFromGraph([x], [x + y])
    with pytest.raises(ValueError, match="mutually exclusive"):
        theano.OpFromGraph([x], [x], lop_overrides=len, grad_overrides=len)
    with pytest.raises(ValueError, match="override 1 gradients, got 2"):
        theano.OpFromGraph([x], [x], grad_overrides=[len, len])
    with pytest.raises(TypeError, match="override must be"):
        theano.OpFromGraph([x], [x], grad_overrides=3)
    with pytest.raises(ValueError, match="takes 1 inputs, got 2"):
        theano.OpFromGraph([x], [x + 1])(x, y)
    with pytest.raises(TypeError, match="Cannot convert"):
        theano.OpFromGraph([x], [x + 1])(T.dvector())
    short = theano.OpFromGraph([x], [x * 2], grad_overrides=lambda i, g: [])
    with pytest.raises(ValueError, match="list of 1 variables"):
        T.grad(short(x).sum(), x)
