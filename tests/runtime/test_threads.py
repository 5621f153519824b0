"""The threads of the runtime: work of every size, from many callers, asleep or awake."""

import threading
import time

import numpy as np
import pytest

import theano
import theano.tensor as T

# Below and above what is shared, and what wakes threads.
SIZES = [1, 100, 2_000, 7_001, 20_000, 60_001, 200_000]


@pytest.fixture(autouse=True)
def threads():
    before = theano.config.threads
    yield
    theano.config.threads = before


def chain():
    x = T.dvector("x")
    one = T.tanh(x).cumsum()
    return theano.function([x], [T.exp(one / 100), one.sum(), T.sqr(x) - 1])


def test_every_size_gives_the_same_bits_with_threads_asleep_and_awake():
    f = chain()
    values = [np.random.RandomState(n).randn(n) for n in SIZES]
    theano.config.threads = 1
    wanted = [f(x) for x in values]
    for count in (2, 3, 8):
        theano.config.threads = count
        for pause in (0.0, 0.005):
            for _ in range(20 if pause else 100):
                time.sleep(pause)
                for x, results in zip(values, wanted, strict=True):
                    for one, two in zip(f(x), results, strict=True):
                        np.testing.assert_array_equal(one, two)


def test_many_callers_at_once():
    f, x = chain(), np.random.RandomState(0).randn(60_001)
    theano.config.threads = 4
    wanted = f(x)
    different = []

    def call():
        for _ in range(30):
            results = zip(f(x), wanted, strict=True)
            different.append(any((a != b).any() for a, b in results))

    callers = [threading.Thread(target=call) for _ in range(6)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(different) == 180
    assert not any(different)


def test_the_number_of_threads_may_change_between_calls():
    f, x = chain(), np.random.RandomState(1).randn(200_000)
    wanted = f(x)
    for count in [1, 8, 2, 5, 1, 3] * 5:
        theano.config.threads = count
        for one, two in zip(f(x), wanted, strict=True):
            np.testing.assert_array_equal(one, two)
