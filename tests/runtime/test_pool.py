"""Memory: reuse, limits, arrays that own blocks of the pool, threads and forks."""

import gc
import os
import threading

import machine as M
import numpy as np
import pytest

from theano._core.runtime import native

ADD = M.add_function(1)


def test_results_reuse_memory():
    for size in (1, 100, 5000, 100_000, 3_000_000):
        x = np.ones(size)
        ADD(x, x)
        before = native.pool_stats()["system_allocations"]
        addresses = {ADD(x, x).ctypes.data for _ in range(50)}
        assert len(addresses) == 1
        assert native.pool_stats()["system_allocations"] == before


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
        result = ADD(x, x)
        result.resize(new, refcheck=False)
        wanted = 2 * x
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

    threads = [threading.Thread(target=drop, args=(part,)) for part in halves]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # The caches of the threads that ended may have kept a few blocks.
    results = [ADD(x, x) for _ in range(1000)]
    del results
    before = native.pool_stats()["system_bytes"]
    for _ in range(20):
        results = [ADD(x, x) for _ in range(1000)]
        del results
    assert native.pool_stats()["system_bytes"] <= before + 10_000


def test_limit():
    before = native.pool_stats()["limit"]
    try:
        native.trim_pool()
        assert native.pool_stats()["kept_bytes"] == 0
        native.set_pool_limit(1 << 20)
        x = np.ones(100_000)
        results = [ADD(x, x) for _ in range(5)]
        held = native.pool_stats()["system_bytes"]
        del results
        gc.collect()
        now = native.pool_stats()
        assert 0 < now["kept_bytes"] <= 1 << 20
        assert now["system_bytes"] < held
        native.set_pool_limit(0)
        assert native.pool_stats()["kept_bytes"] == 0
        np.testing.assert_array_equal(ADD(x, x), 2 * x)
    finally:
        native.set_pool_limit(before)


def test_the_oldest_memory_goes_first():
    before = native.pool_stats()["limit"]
    try:
        native.trim_pool()
        native.set_pool_limit(4 << 20)
        small, large = np.ones(50_000), np.ones(300_000)
        ADD(small, small)
        ADD(large, large)  # both are kept, within the limit
        count = native.pool_stats()["system_allocations"]
        ADD(small, small)
        assert native.pool_stats()["system_allocations"] == count
        other = np.ones(200_000)
        ADD(other, other)  # no room: what was given back longest ago is the large one
        count = native.pool_stats()["system_allocations"]
        ADD(small, small)
        assert native.pool_stats()["system_allocations"] == count
        ADD(large, large)
        assert native.pool_stats()["system_allocations"] == count + 1
    finally:
        native.set_pool_limit(before)


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
    from test_callbacks import ADD_ONE, kernel_function

    code = native.load_object(M.compile_text(ADD_ONE))
    f = kernel_function(lambda function, kernel: (code.address("kernel"), code))
    before = native.get_threads()
    native.set_threads(4)
    try:
        x = np.zeros(100_000)
        f(x)
        child = os.fork()
        if child == 0:
            f(x)
            np.testing.assert_array_equal(ADD(x, x), np.full(x.size, 4.0))
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        f(x)
        np.testing.assert_array_equal(x, np.full(x.size, 2.0))
    finally:
        native.set_threads(before)


def test_arrays_of_a_function_of_numpy():
    """They have memory of the pool, which is used again, and what comes after has its own."""
    handler = np._core.multiarray.get_handler_name
    made = native.pooled(np.multiply, np.ones(100_000), 2.0, dtype="float32")
    assert (handler(made), handler(np.ones(9))) == ("theano", "default_allocator")
    assert made.flags.owndata
    assert (made == 2).all()
    address = made.ctypes.data
    del made
    assert native.pooled(np.full, 100_000, 3.0, "float32").ctypes.data == address
    with pytest.raises(ZeroDivisionError):
        native.pooled(lambda: 1 // 0)
    with pytest.raises(TypeError, match="needs a function"):
        native.pooled()
    assert handler(np.ones(9)) == "default_allocator"
    assert native.pooled(lambda: handler(np.ones(9))) == "theano"
