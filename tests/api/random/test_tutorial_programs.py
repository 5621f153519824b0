"""What the tutorial of Theano does with random numbers, as whole programs."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.sandbox.rng_mrg import MRG_RandomStreams
from theano.tensor.shared_randomstreams import RandomStreams


def test_two_random_variables_and_three_functions():
    srng = RandomStreams(seed=234)
    rv_u, rv_n = srng.uniform((2, 2)), srng.normal((2, 2))
    f = theano.function([], rv_u)
    g = theano.function([], rv_n, no_default_updates=True)
    nearly_zeros = theano.function([], rv_u + rv_u - 2 * rv_u)
    assert not np.array_equal(f(), f())
    assert np.array_equal(g(), g())
    # A random variable is drawn once in a call, however often it occurs.
    assert nearly_zeros().tolist() == [[0, 0], [0, 0]]


def _two_classes(n):
    numpy = np.random.RandomState(0)
    labels = numpy.randint(2, size=n)
    return numpy.normal(size=(n, 5)) + labels[:, None], labels.astype("float64")


@pytest.mark.parametrize("streams", [RandomStreams, MRG_RandomStreams])
def test_dropout(streams):
    """A hidden layer of which every step leaves half the units out."""
    rng = streams(5)
    numpy = np.random.RandomState(1)
    x, y = T.dmatrix("x"), T.dvector("y")
    w = theano.shared(numpy.normal(scale=0.3, size=(5, 20)), "w")
    v = theano.shared(numpy.normal(scale=0.3, size=20), "v")
    hidden = T.nnet.sigmoid(T.dot(x, w))
    mask = rng.binomial(size=hidden.shape, n=1, p=0.5, ndim=2, dtype="float64")
    noisy = T.nnet.sigmoid(T.dot(hidden * mask / 0.5, v))
    clean = T.nnet.sigmoid(T.dot(hidden, v))
    cost = T.nnet.binary_crossentropy(noisy, y).mean()
    updates = [(p, p - 0.5 * g) for p, g in zip((w, v), T.grad(cost, [w, v]), strict=True)]
    train = theano.function([x, y], cost, updates=updates)
    score = theano.function([x, y], T.nnet.binary_crossentropy(clean, y).mean())
    inputs, labels = _two_classes(300)
    before = score(inputs, labels)
    costs = [train(inputs, labels) for _ in range(100)]
    assert len(set(map(float, costs[:5]))) == 5
    assert score(inputs, labels) < 0.75 * before


def test_contrastive_divergence():
    """A restricted Boltzmann machine learns which of two pictures it sees."""
    rng = MRG_RandomStreams(3)
    numpy = np.random.RandomState(2)
    w = theano.shared(numpy.normal(scale=0.1, size=(8, 4)), "w")
    bias = theano.shared(np.zeros(8), "bias")

    def hidden_given(visible):
        return T.nnet.sigmoid(T.dot(visible, w))

    def draw(mean):
        return rng.binomial(size=mean.shape, n=1, p=mean, ndim=2, dtype="float64")

    visible = T.dmatrix("visible")
    mean = hidden_given(visible)
    dreamt = draw(T.nnet.sigmoid(T.dot(draw(mean), w.T) + bias))
    batch = visible.shape[0].astype("float64")
    gradient = (T.dot(visible.T, mean) - T.dot(dreamt.T, hidden_given(dreamt))) / batch
    error = ((visible - dreamt) ** 2).mean()
    step = theano.function(
        [visible],
        error,
        updates=[(w, w + 0.2 * gradient), (bias, bias + 0.2 * (visible - dreamt).mean(axis=0))],
    )
    pictures = np.array([[1.0, 1, 1, 1, 0, 0, 0, 0], [0, 0, 0, 0, 1, 1, 1, 1]])
    data = pictures[numpy.randint(2, size=60)]
    errors = [float(step(data)) for _ in range(400)]
    assert np.mean(errors[-20:]) < 0.25 * np.mean(errors[:5])


def test_minibatches_in_random_order():
    rng = RandomStreams(9)
    data = theano.shared(np.arange(20.0).reshape(10, 2), "data")
    order = rng.permutation(n=data.shape[0])
    f = theano.function([], data[order])
    one, two = f(), f()
    assert np.sort(one[:, 0]).tolist() == data.get_value()[:, 0].tolist()
    assert one.tolist() != two.tolist()
    assert (one[:, 1] - one[:, 0]).tolist() == [1.0] * 10
