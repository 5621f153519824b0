"""Connectionist temporal classification against a sum over all ways, and its derivatives."""

import itertools

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.gradient import verify_grad
from theano.tensor.nnet.ctc import (
    ConnectionistTemporalClassification,
    ctc,
    ctc_available,
    ctc_present,
)

rng = np.random.default_rng(0)


def by_counting(activations, labels, steps):
    """Return the cost of one example: the sum over all ways that collapse to its labels."""
    p = np.exp(activations[:steps] - activations[:steps].max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    wanted, found = [k for k in labels if k >= 0], 0.0
    for way in itertools.product(range(p.shape[1]), repeat=steps):
        if [k for k, _ in itertools.groupby(way) if k] == wanted:
            found += np.prod([p[t, k] for t, k in enumerate(way)])
    return -np.log(found) if found else 0.0


def compiled(dtype="float64"):
    x, labels, steps = T.tensor3(dtype=dtype), T.imatrix(), T.ivector()
    costs = ctc(x, labels, steps)
    assert costs.type == T.TensorType(dtype, (False,))
    return theano.function([x, labels, steps], [costs, T.grad(costs.sum(), x)])


def run(f, x, labels, steps):
    return f(np.asarray(x), np.asarray(labels, "int32"), np.asarray(steps, "int32"))


@pytest.mark.parametrize(("dtype", "rtol"), [("float64", 1e-12), ("float32", 1e-5)])
def test_sum_over_all_ways(dtype, rtol):
    f = compiled(dtype)
    for symbols, width in itertools.product((2, 3), (0, 1, 3)):
        x = rng.normal(size=(6, 40, symbols)).astype(dtype)
        labels = rng.integers(-1, symbols, (40, width))
        # A blank among the labels is none of the ways of a blank between them.
        labels[labels == 0] = -1
        steps = rng.integers(0, 7, 40)
        costs, gradient = run(f, x, labels, steps)
        wanted = [by_counting(x[:, i], labels[i], steps[i]) for i in range(40)]
        np.testing.assert_allclose(costs, wanted, rtol=rtol, atol=rtol)
        late = np.arange(6)[:, None] >= steps
        assert not gradient[late].any()
        # Softmax does not see what is added to all symbols.
        np.testing.assert_allclose(gradient.sum(2), 0, atol=10 * rtol)


def test_published_values():
    # The example of warp-ctc's tutorial.
    x = np.array([[0] * 5, [1, 2, 3, 4, 5], [-5, -4, -3, -2, -1]], "float32")
    x = (x + np.array([0, 5, 10])[:, None, None] * np.array([[0], [1], [-1]])).astype("float32")
    costs, gradient = run(compiled("float32"), x, [[1, -1], [3, 3], [2, 3]], [1, 3, 3])
    np.testing.assert_allclose(costs, [1.609437943, 7.355742931, 4.938849926], rtol=1e-6)
    np.testing.assert_allclose(gradient[0, 0], [0.2, -0.8, 0.2, 0.2, 0.2], rtol=1e-6)
    wanted = [-0.02115798369, 0.03168492019, -0.1891518533, -0.4577836394, 0.636408627]
    np.testing.assert_allclose(gradient[1, 2], wanted, rtol=1e-5)


def test_too_few_steps():
    x = rng.normal(size=(3, 3, 4))
    # Two equal labels need a blank between them.
    costs, gradient = run(compiled(), x, [[1, 1], [1, 2], [1, -1]], [2, 1, 0])
    assert not costs.any()
    assert not gradient.any()
    costs, _ = run(compiled(), x, [[1, 1], [1, 2], [1, -1]], [3, 2, 1])
    assert costs.all()


def test_labels_that_are_none():
    x = rng.normal(size=(4, 3, 4))
    costs, _ = run(compiled(), x, [[1, 2, -1], [-1, 1, 2], [1, -5, 2]], [4, 4, 4])
    rest, _ = run(compiled(), x, [[1, 2]] * 3, [4, 4, 4])
    np.testing.assert_array_equal(costs, rest)


def test_activations_far_apart():
    x = rng.choice([-1e4, 0, 1e4], (50, 8, 6)).astype("float32")
    x[20:, 0] = np.nan
    x[:, 1, 5] = -np.inf
    labels = rng.integers(1, 5, (8, 7))
    costs, gradient = run(compiled("float32"), x, labels, [20, *[50] * 7])
    assert np.isfinite(costs).all()
    assert np.isfinite(gradient).all()
    exact, _ = run(compiled(), x.astype("float64"), labels, [20, *[50] * 7])
    np.testing.assert_allclose(costs, exact, rtol=1e-6)


def test_derivatives():
    labels, steps = np.array([[1, 2], [2, 2], [1, -1]]), np.array([3, 4, 2])
    value = rng.normal(size=(4, 3, 3))
    verify_grad(lambda x: ctc(x, labels, steps), [value], rng=np.random.RandomState(0))

    def slope(x):
        return T.grad((ctc(x, labels, steps) ** 2).sum(), x)

    verify_grad(slope, [value], rng=np.random.RandomState(1))
    x, v = T.dtensor3(), T.dtensor3()
    costs = ctc(x, labels, steps)
    forward = theano.function([x, v], T.Rop(costs, x, v))(value, value[::-1])
    tiny = 1e-6 * value[::-1]
    f = theano.function([x], costs)
    np.testing.assert_allclose(forward, (f(value + tiny) - f(value - tiny)) / 2e-6, rtol=1e-6)


def test_arguments_that_are_refused():
    x, labels, steps = T.dtensor3(), T.imatrix(), T.ivector()
    for wrong in ((T.ltensor3(), labels, steps), (x, T.dmatrix(), steps), (x, labels, T.dvector())):
        with pytest.raises(TypeError, match=r"ctc: .* must be"):
            ctc(*wrong)
    for wrong in ((T.dmatrix(), labels, steps), (x, T.ivector(), steps), (x, labels, T.imatrix())):
        with pytest.raises(ValueError, match=r"ctc: .* must have"):
            ctc(*wrong)
    f, value = compiled(), rng.normal(size=(3, 2, 4))
    for given, message in (
        (([[1]], [3, 3]), "activations of 2 examples, labels of 1, input lengths of 2"),
        (([[1], [2]], [3]), "labels of 2, input lengths of 1"),
        (([[1], [4]], [3, 3]), "a label is not one of the 4 symbols"),
        (([[1], [2]], [3, 4]), "more than the 3 time steps"),
        (([[1], [2]], [3, -1]), "an input length is negative"),
    ):
        with pytest.raises(ValueError, match=message):
            run(f, value, *given)


def test_as_an_operation():
    assert ctc_available() and ctc_present()
    assert ctc_available.msg is None
    x, labels, steps = rng.normal(size=(3, 2, 4)), np.array([[1, 2], [3, -1]]), np.array([3, 2])
    for op in (ConnectionistTemporalClassification(), ConnectionistTemporalClassification(False)):
        np.testing.assert_array_equal(op(x, labels, steps).eval(), ctc(x, labels, steps).eval())
