"""The threads of the runtime: work of every size, from many callers, asleep or awake."""

import time

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import values
from support.threads import in_threads

# Below and above what is shared, and what wakes threads.
SIZES = [1, 100, 2_000, 7_001, 20_000, 60_001, 200_000]


@pytest.fixture
def chain():
    before = theano.config.threads
    x = T.dvector("x")
    one = T.tanh(x).cumsum()
    yield theano.function([x], [T.exp(one / 100), one.sum(), T.sqr(x) - 1])
    theano.config.threads = before


def test_every_size_gives_the_same_bits_with_threads_asleep_and_awake(chain):
    given = [values(n) for n in SIZES]
    theano.config.threads = 1
    wanted = [chain(x) for x in given]
    for count in (2, 3, 8):
        theano.config.threads = count
        for pause in (0.0, 0.005):
            for _ in range(20 if pause else 100):
                time.sleep(pause)
                for x, results in zip(given, wanted, strict=True):
                    assert all(map(np.array_equal, chain(x), results))


def test_many_callers_at_once(chain):
    x = values(60_001)
    theano.config.threads = 4
    wanted = chain(x)

    def call():
        for _ in range(30):
            assert all(map(np.array_equal, chain(x), wanted))

    assert not in_threads(*[call] * 6)


def test_the_number_of_threads_may_change_between_calls(chain):
    x = values(200_000)
    wanted = chain(x)
    for count in [1, 8, 2, 5, 1, 3] * 5:
        theano.config.threads = count
        assert all(map(np.array_equal, chain(x), wanted))
