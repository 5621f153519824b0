"""Derivatives in both directions, the identities that change them, and their check."""

import pickle

import numpy as np
import pytest
from scipy import sparse

import theano
import theano.sparse
import theano.tensor as T
from theano import gradient
from theano.gradient import DisconnectedInputError, GradientError, NullTypeGradError


def at(expression, variable, value):
    return expression.eval({variable: value}, on_unused_input="ignore").tolist()


POINTS = [
    ("relu at 0", T.nnet.relu, 0, 0.5),
    ("abs at 0", abs, 0, 0),
    ("maximum at a tie", lambda x: T.maximum(x, 0 * x), 0, 1),
    ("clip at its edge", lambda x: T.clip(x, 0, 1), 1, 1),
    ("clip at its other edge", lambda x: T.clip(x, 0, 1), 0, 1),
    ("sqrt at 0", T.sqrt, 0, np.inf),
    ("x**0", lambda x: x**0, 2, 0),
    ("floor", T.floor, 1.5, 0),
    ("comparison", lambda x: (x > 1) * x, 2, 1),
    ("comparison alone", lambda x: T.cast(x > 0, "float64"), 0.5, 0),
    ("cast to int", lambda x: T.cast(x, "int32") * 1.0, 0.5, 0),
    ("x**0 at 0", lambda x: x**0, 0, 0),
    ("norm at 0", lambda x: T.stack([x, x]).norm(2), 0, np.nan),
    ("round", T.round, 0.4, 0),
]


@pytest.mark.parametrize(("name", "f", "point", "slope"), POINTS)
def test_derivative(name, f, point, slope):
    x = T.dscalar("x")
    np.testing.assert_equal(at(T.grad(f(x), x, disconnected_inputs="ignore"), x, point), slope)


def test_ties_and_zeros_of_reductions():
    v = T.dvector("v")
    assert at(T.grad(v.max(), v), v, [1, 3, 3]) == [0, 1, 1]
    assert at(T.grad(v.prod(), v), v, [2, 0, 5]) == [0, 10, 0]
    assert at(T.grad(v.prod(), v), v, [0, 0, 5]) == [0, 0, 0]
    assert np.isnan(at(T.grad(v.std(), v), v, [1, 1])).all()
    assert at(T.grad(T.argmax(v) * 1.0, v, disconnected_inputs="ignore"), v, [1, 2]) == [0, 0]
    x, y = T.dscalars("x", "y")
    assert theano.function([x, y], T.grad(T.maximum(x, y), [x, y]))(1, 1) == [1, 0]


def test_filters():
    x = T.dscalar("x")
    assert at(T.grad(gradient.zero_grad(x) * x, x), x, 3) == 3
    assert at(T.grad(gradient.disconnected_grad(x) * x, x), x, 3) == 3
    assert at(T.grad(gradient.grad_scale(x, -2) ** 2, x), x, 3) == -12
    assert at(T.grad(gradient.grad_clip(x, -1, 1) ** 2, x), x, 3) == 1
    # What arrays say is not hashed; PyMC3 has those of one item.
    assert at(T.grad(gradient.grad_scale(x, np.array(-2)) ** 2, x), x, 3) == -12
    assert at(T.grad(gradient.grad_clip(x, np.array(-1), np.array(1)) ** 2, x), x, 3) == 1
    v = T.dvector("v")
    assert at(T.grad(gradient.grad_scale(v, [1, 2]).sum(), v), v, [3, 4]) == [1, 2]
    assert at(T.grad(gradient.grad_scale(x, theano.shared(-2)) ** 2, x), x, 3) == -12
    with pytest.raises(DisconnectedInputError):
        T.grad(gradient.disconnected_grad(x), x)
    assert at(T.grad(gradient.zero_grad(x), x), x, 3) == 0
    with pytest.raises(NullTypeGradError, match="undefined"):
        T.grad(gradient.undefined_grad(x), x)
    with pytest.warns(DeprecationWarning, match="zero_grad"):
        assert at(T.grad(T.consider_constant(x) * x, x), x, 3) == 3


def test_kind_of_result():
    x, y = T.dscalars("x", "y")
    assert isinstance(T.grad(x * y, [x, y]), list)
    assert isinstance(T.grad(x * y, (x, y)), tuple)
    cost = x * y
    cost.name = "cost"
    assert T.grad(cost, x).name == "(dcost/dx)"
    with pytest.raises(DisconnectedInputError):
        T.grad(x, y)
    assert T.grad(x, y, disconnected_inputs="ignore").eval({y: 1.0}) == 0


MAPS = [
    lambda v: v**2,
    lambda v: T.exp(v).sum(),
    lambda v: T.dot(np.arange(12.0).reshape(4, 3), v),
    lambda v: v[::-1] * v,
    lambda v: T.nnet.softmax(v),
    lambda v: T.concatenate([v, v * 2]),
    lambda v: v.reshape((3, 1)) * v,
    lambda v: T.set_subtensor(v[0], v[1]),
    lambda v: v[np.array([0, 0, 2])],
    lambda v: v.max() * v,
    lambda v: T.tile(v, 2),
]


@pytest.mark.parametrize("number", range(len(MAPS)))
def test_forward_mode_is_the_directional_derivative(number):
    v, u = T.dvectors("v", "u")
    out = MAPS[number](v)
    rng = np.random.RandomState(3)
    point, direction = rng.randn(3), rng.randn(3)
    got = T.Rop(out, v, u).eval({v: point, u: direction}, on_unused_input="ignore")
    step = 1e-6
    f = theano.function([v], out)
    wanted = (f(point + step * direction) - f(point - step * direction)) / (2 * step)
    np.testing.assert_allclose(got, wanted, atol=1e-7)


def test_transposed_jacobian():
    v, u = T.dvectors("v", "u")
    matrix = np.arange(12.0).reshape(4, 3)
    back = T.Lop(T.dot(matrix, v), v, u)
    given = {u: np.ones(4)}
    np.testing.assert_allclose(back.eval(given), matrix.sum(0))
    assert isinstance(T.Lop([v, v * 2], [v], [u, u]), list)


def test_forward_mode_of_what_is_disconnected():
    v, u, w = T.dvectors("v", "u", "w")
    for out in (w, gradient.disconnected_grad(w), v.shape[0]):
        with pytest.raises(DisconnectedInputError):
            T.Rop(out, v, u)
    # What other variables make stands still, as in Theano 1.0.5.
    for zeros in (T.Rop(w * 2, v, u), T.Rop(w * 2, v, u, disconnected_outputs="ignore")):
        assert zeros.eval({w: [1.0, 2.0]}).tolist() == [0, 0]
    with pytest.raises(ValueError, match="dimensions"):
        T.Rop(v, v, T.dmatrix())


def _wrong(x):
    return gradient.grad_scale(x, 2.0) ** 2


def test_verify_grad():
    rng = np.random.RandomState(0)
    points = [rng.rand(2, 3), rng.rand(3)]
    gradient.verify_grad(lambda a, b: T.tanh(T.dot(a, b)), points, rng=rng)
    gradient.verify_grad(T.exp, [rng.rand(3).astype("float32")], rng=rng)
    with pytest.raises(GradientError) as caught:
        gradient.verify_grad(_wrong, [rng.rand(3)], rng=rng)
    assert caught.value.arg == 0
    assert caught.value.rel_err > caught.value.rel_tol
    with pytest.raises(TypeError, match="rng"):
        gradient.verify_grad(T.exp, [np.ones(2)])
    with pytest.raises(TypeError, match="floating point"):
        gradient.verify_grad(T.exp, [np.ones(2, "int64")], rng=rng)


def test_verify_grad_sees_infinity():
    rng = np.random.RandomState(0)
    with pytest.raises(GradientError), np.errstate(all="ignore"):
        gradient.verify_grad(T.sqrt, [np.zeros(2)], rng=rng)


def test_numeric_gradient():
    measured = gradient.numeric_grad(lambda a, b: (a * b).sum(), [np.ones(2), np.arange(2.0)])
    np.testing.assert_allclose(measured.gf[0], [0, 1], atol=1e-6)
    assert measured.max_err([np.array([0.0, 1.0]), np.array([1.0, 3.0])], 1e-4, 1e-4)[:2] == (1, 1)
    with pytest.raises(ValueError, match="number of elements"):
        measured.max_err([np.ones(2)], 1e-4, 1e-4)


@pytest.mark.parametrize("vectorized", [False, True])
def test_jacobian(vectorized):
    v, w, k = T.dvector("v"), T.dmatrix("w"), T.dscalar("k")
    y = T.tanh(T.dot(v, w)) * k
    rows = T.jacobian(y, [v, w, k], vectorized=vectorized)
    f = theano.function([v, w, k], [y, *rows])
    loops = sum("for" in str(n.op) for n in f.maker.graph.toposort())
    assert loops == (not vectorized)
    a, b, c = np.array([0.1, 0.2]), np.array([[0.3, 0.1, 0.7], [0.2, 0.5, 0.4]]), 1.5
    y_, by_v, by_w, by_k = f(a, b, c)
    slope = (1 - np.tanh(a @ b) ** 2) * c
    np.testing.assert_allclose(by_v, slope[:, None] * b.T)
    wanted = np.zeros((3, 2, 3))
    for i in range(3):
        wanted[i, :, i] = slope[i] * a
    np.testing.assert_allclose(by_w, wanted)
    np.testing.assert_allclose(by_k, y_ / c)
    assert isinstance(T.jacobian(y, (v,)), tuple)
    assert T.jacobian(y.sum(), v).ndim == 1
    with pytest.raises(AssertionError, match="flatten"):
        T.jacobian(w, v)
    with pytest.raises(AssertionError, match="variable"):
        T.jacobian(3.0, v)


def test_hessian():
    v = T.dvector("v")
    f = theano.function([v], T.hessian((v**3).sum() + v[0] * v[1], v))
    np.testing.assert_allclose(f([1.0, 2.0]), [[6.0, 1.0], [1.0, 12.0]])
    assert not any("for" in str(n.op) for n in f.maker.graph.toposort())
    np.testing.assert_array_equal(
        theano.function([v], T.hessian(v.sum(), v))([1.0, 2.0]), np.zeros((2, 2))
    )
    square = v**2
    held = T.hessian((square * v).sum(), v, consider_constant=[square])
    np.testing.assert_array_equal(theano.function([v], held)([1.0, 2.0]), np.zeros((2, 2)))
    with pytest.raises(AssertionError, match="vectors"):
        T.hessian(v.sum(), T.dmatrix())
    with pytest.raises(AssertionError, match="scalar"):
        T.hessian(v, v)


def test_jacobian_by_what_it_does_not_depend_on():
    v, w = T.dvectors(2)
    zeros = T.jacobian(1 + v, w, disconnected_inputs="ignore")
    assert theano.function([v, w], zeros)(np.ones(2), np.ones(3)).tolist() == [[0] * 3] * 2
    s, t = T.dscalars(2)
    zero = T.jacobian(1 + s, t, disconnected_inputs="ignore")
    assert theano.function([t], zero)(1.0) == 0


def test_classes_of_identities_with_other_gradients():
    x = T.dvector("x")
    assert isinstance(gradient.grad_clip(x, -1, 1).owner.op, gradient.GradClip)
    assert isinstance(gradient.grad_scale(x, 2).owner.op, gradient.GradScale)
    assert isinstance(gradient.zero_grad(x).owner.op, gradient.ZeroGrad)
    assert isinstance(gradient.undefined_grad(x).owner.op, gradient.UndefinedGrad)
    stopped = gradient.disconnected_grad(x)
    assert isinstance(stopped.owner.op, gradient.DisconnectedGrad)
    assert stopped.owner.op.connection_pattern(stopped.owner) == [[False]]
    assert gradient.GradClip(-1, 1) == gradient.GradClip(-1, 1) != gradient.GradClip(-1, 2)
    assert pickle.loads(pickle.dumps(gradient.GradScale(3))) == gradient.GradScale(3)
    assert gradient.GradScale(np.array(2)).multiplier == 2
    assert isinstance(gradient.disconnected_type().type, gradient.DisconnectedType)
    f = theano.function([x], gradient.grad_clip(gradient.grad_scale(x, 2), -1, 1) * 2)
    kinds = (gradient.GradClip, gradient.GradScale)
    assert not any(isinstance(node.op, kinds) for node in f.maker.graph.toposort())


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE", theano.Mode(linker="py")])
@pytest.mark.parametrize("axis", [0, -1])
def test_of_a_join_whose_axis_is_an_argument_and_whose_lengths_fit_along_that_alone(mode, axis):
    x, y, weights, along = T.dmatrix("x"), T.dmatrix("y"), T.dmatrix("w"), T.bscalar("axis")
    cost = (T.join(along, x, y) * weights).sum()
    f = theano.function([x, y, weights, along], T.grad(cost, [x, y]), mode=mode)
    whole = np.arange(12.0).reshape((4, 3) if axis == 0 else (3, 4))
    parts = np.split(whole, [3], axis)
    for got, part in zip(f(*parts, whole, axis), parts, strict=True):
        np.testing.assert_array_equal(got, part)


def test_a_sparse_gradient_of_a_row_stays_sparse():
    s, row = theano.sparse.csc_matrix("s", dtype="float64"), T.drow("row")
    product = theano.sparse.true_dot(s, row, grad_preserves_dense=False)
    (g,) = T.grad(theano.sparse.sp_sum(product), [row])
    value = sparse.csc_matrix(np.array([[3.0], [0.75]]))
    assert theano.function([s, row], g)(value, np.ones((1, 2))).toarray().tolist() == [[3.75, 3.75]]
