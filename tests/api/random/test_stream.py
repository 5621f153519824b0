"""`Stream`: draws anew at each call, from one shared variable."""

import inspect
import pickle

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.tensor import random


def test_every_call_draws_anew():
    stream = random.Stream(1)
    f = theano.function([], [stream.uniform((4,)), stream.normal((4,))])
    drawn = [np.concatenate(f()) for _ in range(3)]
    assert len({tuple(d) for d in drawn}) == 3
    assert stream.state.get_value().tolist() == [1, 0, 3]
    stream.seed(1)
    np.testing.assert_array_equal(np.concatenate(f()), drawn[0])


def test_numbers_are_those_of_the_functions():
    stream = random.Stream(3)
    stream.uniform((2,))
    f = theano.function([], stream.normal((5,), 1.0, 2.0))
    for call in range(2):
        key = random.fold_in(random.fold_in(random.key(3), 1), call)
        np.testing.assert_array_equal(f(), random.normal(key, (5,), 1.0, 2.0).eval())


def test_one_variable_does_not_disturb_another():
    def second(size):
        stream = random.Stream(5)
        return theano.function([], [stream.uniform((size,)), stream.normal((3,))])()[1]

    np.testing.assert_array_equal(second(1), second(1000))


def test_calls_can_be_repeated():
    stream = random.Stream(7)
    f = theano.function([], stream.gamma((3,), 2.0))
    before = stream.state.get_value()
    first = f()
    stream.state.set_value(before)
    np.testing.assert_array_equal(f(), first)
    fixed = theano.function([], stream.uniform((3,)), no_default_updates=True)
    np.testing.assert_array_equal(fixed(), fixed())


def test_failed_call_draws_nothing():
    stream, n = random.Stream(8), T.lscalar()
    f = theano.function([n], stream.uniform((n,)))
    with pytest.raises(ValueError, match="negative"):
        f(-1)
    assert stream.state.get_value().tolist() == [8, 0, 0]


def test_methods_are_the_functions():
    for name in random.__all__:
        function = getattr(random, name)
        if name in ("Stream", "key", "split", "fold_in"):
            continue
        method = getattr(random.Stream, name)
        wanted = list(inspect.signature(function).parameters)[1:]
        assert list(inspect.signature(method).parameters)[1:] == wanted
        assert function.__doc__


def test_functions_survive_pickling():
    f = theano.function([], random.Stream(9).poisson((4,), 3.0))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(f))(), f())


def test_no_seed_is_unpredictable():
    states = [random.Stream().state.get_value().tolist() for _ in range(2)]
    assert states[0] != states[1]
