"""Streams of random numbers inside loops: each step draws on."""

import numpy as np

import theano
import theano.tensor as T
from theano import scan
from theano.sandbox.rng_mrg import MRG_RandomStreams

n = T.lscalar("n")


def test_mrg_streams_go_on_from_step_to_step():
    inside, outside = MRG_RandomStreams(5), MRG_RandomStreams(5)
    out, updates = scan(lambda: inside.uniform((3,)), n_steps=n)
    f = theano.function([n], out, updates=updates)
    g = theano.function([], outside.uniform((3,)))
    np.testing.assert_array_equal(f(4), [g() for _ in range(4)])
    np.testing.assert_array_equal(f(2), [g() for _ in range(2)])


def test_gradients_go_past_the_numbers_drawn():
    streams, x = MRG_RandomStreams(5), T.dvector("x")
    out, updates = scan(
        lambda h: h * 2 + streams.normal((3,), dtype="float64"), outputs_info=x, n_steps=n
    )
    f = theano.function([x, n], T.grad(out[-1].sum(), x), updates=updates)
    np.testing.assert_array_equal(f(np.zeros(3), 4), [16.0] * 3)


def test_counter_based_streams_and_keys():
    inside, outside = T.random.Stream(3), T.random.Stream(3)
    out, updates = scan(lambda: inside.normal((3,)), n_steps=n)
    f = theano.function([n], out, updates=updates)
    g = theano.function([], outside.normal((3,)))
    np.testing.assert_array_equal(f(4), [g() for _ in range(4)])
    keys = T.random.split(T.random.key(3), 5)
    rows, _ = scan(lambda key: T.random.uniform(key, (2,)), sequences=keys)
    one = T.random.uniform(keys[4], (2,))
    got, last = theano.function([], [rows, one])()
    np.testing.assert_array_equal(got[4], last)
