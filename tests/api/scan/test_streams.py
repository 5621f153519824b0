"""Streams of random numbers inside loops: each step draws on."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano import scan
from theano._core.ops.control.scan import Loop
from theano.gradient import NullTypeGradError
from theano.sandbox.rng_mrg import MRG_RandomStreams
from theano.tensor.shared_randomstreams import RandomStreams

n, s, x = T.lscalar("n"), T.dscalar("s"), T.dvector("x")


@pytest.mark.parametrize("streams", [MRG_RandomStreams, T.random.Stream, RandomStreams])
def test_streams_go_on_from_step_to_step(streams):
    inside, outside = streams(5), streams(5)
    out, updates = scan(lambda: inside.uniform((3,)), n_steps=n)
    f, g = theano.function([n], out, updates=updates), theano.function([], outside.uniform((3,)))
    for count in (4, 2):
        np.testing.assert_array_equal(f(count), [g() for _ in range(count)])


def test_numbers_of_a_key_of_each_step():
    keys = T.random.split(T.random.key(3), 5)
    rows, _ = scan(lambda key: T.random.uniform(key, (2,)), sequences=keys)
    got, last = theano.function([], [rows, T.random.uniform(keys[4], (2,))])()
    np.testing.assert_array_equal(got[4], last)


def test_draws_outside_are_drawn_anew_in_each_step():
    """As in Theano, which copies the whole expression into the step unless it is passed in."""
    draw = RandomStreams(3).uniform(())
    inside, updates = scan(lambda: draw * 1, n_steps=3)
    given, _ = scan(lambda q: q * 1, non_sequences=draw, n_steps=3)
    got, same = theano.function([], [inside, given], updates=updates)()
    assert len(set(got)) == 3
    np.testing.assert_array_equal(same, got[:1].repeat(3))


def test_gradients_use_the_numbers_that_were_drawn_once():
    rng, one = RandomStreams(3), T.constant(1.0, dtype="float64")
    out, updates = scan(lambda h: rng.uniform(()) * h * s, outputs_info=one, n_steps=3)
    f = theano.function([s], [out[-1], T.grad(out[-1], s)], updates=updates)
    value, slope = f(2.0)
    np.testing.assert_allclose(slope, 3 * value / 2.0, rtol=1e-13)
    loops = [node.op for node in f.maker.graph.toposort() if isinstance(node.op, Loop)]
    assert sum("RandomFunction" in str(n.op) for op in loops for n in op.body.nodes) == 1


def test_gradients_go_past_the_numbers_drawn():
    streams = MRG_RandomStreams(5)
    out, updates = scan(
        lambda h: h * 2 + streams.normal((3,), dtype="float64"), outputs_info=x, n_steps=n
    )
    f = theano.function([x, n], T.grad(out[-1].sum(), x), updates=updates)
    np.testing.assert_array_equal(f(np.zeros(3), 4), [16.0] * 3)


def test_draws_in_steps_have_no_gradient_by_their_probabilities():
    streams = RandomStreams(3)
    rows, _ = scan(lambda _: x + streams.binomial(n=1, p=x, ndim=1), T.arange(3))
    with pytest.raises(NullTypeGradError):
        T.grad(rows.sum(), x)


def test_gibbs_sampling_of_the_tutorial():
    W, b = theano.shared(np.random.RandomState(0).rand(3, 3)), theano.shared(np.full(3, 0.5))
    streams = RandomStreams(1234)

    def step(visible, W, b):
        mean = T.nnet.sigmoid(T.dot(visible, W) + b / 2)
        hidden = streams.binomial(size=mean.shape, n=1, p=mean)
        mean = T.nnet.sigmoid(T.dot(hidden, W.T) + b)
        return T.cast(streams.binomial(size=mean.shape, n=1, p=mean), theano.config.floatX)

    values, updates = scan(step, None, x, [W, b], n_steps=10, strict=True)
    assert len(updates) == 2
    f = theano.function([x], values[-1], updates=updates)
    drawn = np.array([f(np.zeros(3)) for _ in range(200)])
    assert set(np.unique(drawn)) == {0, 1} and 0.4 < drawn.mean() < 0.95
    with pytest.raises(theano.gof.MissingInputError, match="the updates that scan returns"):
        theano.function([x], values[-1])
