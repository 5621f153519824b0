"""Memory: reuse, limits, arrays that own blocks of the pool, threads and forks."""

import gc
import os

import machine as M
import numpy as np
import pytest

import theano
from support.threads import in_threads
from theano._core.runtime import native

ADD = M.add_function(1)


def add(size):
    """Make a result of so many elements, and let it go."""
    x = np.ones(size)
    return ADD(x, x).ctypes.data


def allocations():
    return native.pool_stats()["system_allocations"]


@pytest.fixture
def limit():
    before = native.pool_stats()["limit"]
    native.trim_pool()
    yield native.set_pool_limit
    native.set_pool_limit(before)


def test_results_reuse_memory():
    for size in (1, 100, 5000, 100_000, 3_000_000):
        add(size)
        before = allocations()
        assert len({add(size) for _ in range(50)}) == 1
        assert allocations() == before


def test_results_own_their_memory():
    x = np.arange(1000.0)
    results = [ADD(x, x) for _ in range(20)]
    assert len({result.ctypes.data for result in results}) == 20
    for result in results:
        assert result.flags.owndata and result.flags.writeable and result.base is None
        assert result.ctypes.data % 64 == 0
        np.testing.assert_array_equal(result, 2 * x)


@pytest.mark.parametrize("size", [0, 1, 9, 1000, 100_000])
def test_resize(size):
    x = np.arange(float(size))
    for new in (0, 1, 5, size, size + 1, 3 * size + 10, 200_000):
        result, wanted = ADD(x, x), 2 * x
        result.resize(new, refcheck=False)
        wanted.resize(new, refcheck=False)
        np.testing.assert_array_equal(result, wanted)


def test_arrays_may_die_in_other_threads():
    x = np.ones(1000)
    results = [ADD(x, x) for _ in range(1000)]
    halves = [results[:500], results[500:]]
    del results

    def drop(part):
        part.clear()
        ADD(x, x)

    assert not in_threads(*[lambda part=part: drop(part) for part in halves])
    # The caches of the threads that ended may have kept a few blocks.
    results = [ADD(x, x) for _ in range(1000)]
    del results
    before = native.pool_stats()["system_bytes"]
    for _ in range(20):
        results = [ADD(x, x) for _ in range(1000)]
        del results
    assert native.pool_stats()["system_bytes"] <= before + 10_000


def test_no_more_is_kept_than_the_limit(limit):
    assert native.pool_stats()["kept_bytes"] == 0
    limit(1 << 20)
    x = np.ones(100_000)
    results = [ADD(x, x) for _ in range(5)]
    held = native.pool_stats()["system_bytes"]
    del results
    gc.collect()
    now = native.pool_stats()
    assert 0 < now["kept_bytes"] <= 1 << 20
    assert now["system_bytes"] < held
    limit(0)
    assert native.pool_stats()["kept_bytes"] == 0
    np.testing.assert_array_equal(ADD(x, x), 2 * x)


def test_the_oldest_memory_goes_first(limit):
    limit(4 << 20)
    small, large = 50_000, 300_000
    add(small)
    add(large)  # both are kept, within the limit
    count = allocations()
    add(small)
    assert allocations() == count
    add(200_000)  # no room: what was given back longest ago is the large one
    count = allocations()
    add(small)
    assert allocations() == count
    add(large)
    assert allocations() == count + 1


def test_wrong_settings():
    for wrong in (-1, "a", None, 1.5):
        with pytest.raises((TypeError, OverflowError, ValueError)):
            native.set_pool_limit(wrong)
    for wrong in (0, -3, 10**6, "a", None, 1.5):
        with pytest.raises((TypeError, OverflowError, ValueError)):
            native.set_threads(wrong)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
# Python warns, and JAX where another test has loaded it.
@pytest.mark.filterwarnings("ignore:.*fork.*")
def test_fork_after_threads_have_worked():
    f, x = M.add_one(), np.zeros(100_000)
    with theano.change_flags(threads=4):
        f(x)
        child = os.fork()
        if child == 0:
            f(x)
            np.testing.assert_array_equal(ADD(x, x), np.full(x.size, 4.0))
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        f(x)
        np.testing.assert_array_equal(x, np.full(x.size, 2.0))


def test_arrays_of_a_function_of_numpy():
    """They have memory of the pool, which is used again, and what comes after has its own."""
    handler = np._core.multiarray.get_handler_name
    made = native.pooled(np.multiply, np.ones(100_000), 2.0, dtype="float32")
    assert (handler(made), handler(np.ones(9))) == ("theano", "default_allocator")
    assert made.flags.owndata and (made == 2).all()
    address = made.ctypes.data
    del made
    assert native.pooled(np.full, 100_000, 3.0, "float32").ctypes.data == address
    with pytest.raises(ZeroDivisionError):
        native.pooled(lambda: 1 // 0)
    with pytest.raises(TypeError, match="needs a function"):
        native.pooled()
    assert handler(np.ones(9)) == "default_allocator"
    assert native.pooled(lambda: handler(np.ones(9))) == "theano"
