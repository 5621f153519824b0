"""Functions and shared variables that several threads compile, call, read and update."""

import _thread
import gc
import threading
import time

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.processes import run_python
from support.threads import PATIENCE, in_threads
from theano import function, shared
from theano._core.runtime import native


def calling(python, x=None):
    """Return `x`, a float64 scalar (1), for which `python` is called when it is computed."""

    @theano.as_op(itypes=[T.dscalar], otypes=[T.dscalar])
    def step(value):
        python()
        return value

    return step(shared(1.0) if x is None else x)


def in_thread(work):
    """Return what `work` returned or raised in a thread of its own, for which this one waits."""
    results = []
    results += in_threads(lambda: results.append(work()))
    return results


def telling(event, other):
    """Return what sets one event and waits for another."""

    def work():
        event.set()
        other.wait(PATIENCE)

    return work


@pytest.fixture
def patience():
    """Return what sets how many seconds a call waits for another."""
    yield native.set_patience
    native.set_patience(60)


def all_are(s, number):
    np.testing.assert_array_equal(s.get_value(), np.full(s.get_value().shape, number))


@pytest.mark.parametrize("length", [1, 1000, 200_000])
def test_no_update_is_lost_and_no_value_is_torn(length):
    s, v = shared(np.zeros(length)), T.dscalar()
    add = function([v], updates=[(s, s + v)])
    ends = function([], [s.min(), s.max()])
    rounds = 20_000 // length + 100
    done = threading.Event()
    torn = []

    def update():
        for _ in range(rounds):
            add(1.0)

    def read():
        while not done.is_set():
            value = s.get_value()
            torn.append(value.min() != value.max())
            low, high = ends()
            torn.append(low != high)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        assert not in_threads(*[update] * 8)
    finally:
        done.set()
        reader.join()
    all_are(s, 8.0 * rounds)
    assert torn and not any(torn)


def test_eight_threads_call_one_function():
    v, x = T.dvector(), T.dscalar()
    f = function([v, x], (v * x).sum())

    def work(number):
        given = np.full(5000, float(number))
        for k in range(100):
            assert f(given, k) == 5000.0 * number * k
            if k % 10 == 0:
                with pytest.raises(ValueError, match="no"):
                    f("no", k)

    assert not in_threads(*[lambda k=k: work(k) for k in range(8)])


def test_eight_threads_compile():
    def work(number):
        w = T.dvector("w")
        f = function([w], (w * number).sum() + T.exp(w)[0])
        wanted = 3 * number**2 + np.exp(number)
        np.testing.assert_allclose(f(np.full(3, float(number))), wanted, rtol=1e-9)

    assert not in_threads(*[lambda k=k: work(k) for k in range(8)])


def test_a_call_with_several_updates_is_one_step():
    a, b, v = shared(np.full(50_000, 3.0)), shared(np.full(50_000, 4.0)), T.dscalar()
    move = function([v], updates=[(a, a + v), (b, b - v)])
    swap = function([], updates=[(a, b), (b, a)])
    total = function([], [(a + b).min(), (a + b).max()])

    def check():
        for _ in range(200):
            assert total() == [7.0, 7.0]

    def update():
        for i in range(100):
            move(float(i))
            swap()

    assert not in_threads(update, update, update, check, check)


def test_a_value_that_is_set_meanwhile_is_not_lost():
    s = shared(np.zeros(100_000))
    add = function([], updates=[(s, s + 1)])
    started = threading.Event()

    def update():
        for _ in range(300):
            add()
            started.set()

    def replace():
        started.wait(PATIENCE)
        s.set_value(np.full(100_000, 1e6))

    assert not in_threads(update, replace)
    value = s.get_value()
    assert value.min() == value.max() and 1e6 <= value[0] <= 1e6 + 300


def test_different_variables_are_updated_at_once():
    barrier = threading.Barrier(2)
    states = shared(1.0), shared(1.0)
    steps = [calling(lambda: barrier.wait(PATIENCE), s + 1) for s in states]
    assert not in_threads(*[function([], updates=[p]) for p in zip(states, steps, strict=True)])


def test_readers_do_not_wait_for_each_other_nor_writers_for_readers():
    s, barrier, results = shared(np.arange(3.0)), threading.Barrier(3), []
    read = function([], s * calling(lambda: barrier.wait(PATIENCE)))
    add = function([], updates=[(s, s + 1)])

    def write():
        # Both readers have begun, and neither is done.
        while barrier.n_waiting < 2:
            pass
        add()
        barrier.wait(PATIENCE)

    assert not in_threads(*[lambda: results.append(read())] * 2, write)
    # They began before, so they see the values from before.
    np.testing.assert_array_equal(results, [np.arange(3.0)] * 2)
    np.testing.assert_array_equal(s.get_value(), np.arange(3.0) + 1)


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
def test_a_python_operation_may_wait_for_those_who_read_what_its_call_updates(mode):
    s, t, count = shared(np.zeros(3)), shared(1.0), shared(0)
    total = function([], [s.sum(), t + s[0]], mode=mode)
    counted = function([], s * 2, updates=[(count, count + 1)], mode=mode)
    seen = []

    def use():
        for work in (s.get_value, total, lambda: s.get_value(borrow=True).tolist(), counted):
            seen.extend(in_thread(work))

    one = calling(use)
    function([], updates=[(s, s + one), (t, t + one)], mode=mode)()
    np.testing.assert_array_equal([seen[0], seen[2], seen[3]], np.zeros((3, 3)))
    assert seen[1] == [0.0, 1.0]
    assert int(count.get_value()) == 1
    assert total() == [3.0, 3.0]


def test_what_is_read_during_a_python_operation_of_an_update_is_not_overwritten():
    s, seen = shared(np.zeros(3)), []
    inside, reading, done = threading.Event(), threading.Event(), threading.Event()
    add = function([], updates=[(s, s + calling(telling(inside, reading)))])
    read = function([], s * calling(telling(reading, done)))

    def update():
        add()
        done.set()

    def look():
        inside.wait(PATIENCE)
        seen.append(read())

    assert not in_threads(update, look)
    # It began before the new value was there.
    np.testing.assert_array_equal(seen, [np.zeros(3)])
    all_are(s, 1.0)


def test_nobody_waits_behind_who_waits_for_a_python_operation():
    s, t, seen = shared(np.zeros(3)), shared(np.zeros(3)), []
    both = function([], updates=[(s, s + 1), (t, t + 1)])
    other = function([], updates=[(t, t + 1)])
    threads = [threading.Thread(target=both, daemon=True) for _ in range(2)]

    def use():
        for thread in threads:
            thread.start()
        # Both are in the queue, for want of `s`.
        threads[0].join(0.2)
        for work in (t.get_value, s.get_value, other):
            seen.extend(in_thread(work))

    function([], updates=[(s, s + calling(use))])()
    for thread in threads:
        thread.join(PATIENCE)
    np.testing.assert_array_equal(seen[:2], np.zeros((2, 3)))
    assert len(seen) == 3 and not seen[2]
    all_are(s, 3.0)
    all_are(t, 3.0)


def test_a_python_operation_that_waits_for_who_changes_what_its_call_updates_is_told(patience):
    s, raised = shared(np.zeros(3)), []
    change = function([], updates=[(s, s + 1)])
    use = lambda: raised.extend(in_threads(lambda: s.set_value(np.ones(3)), change))
    outer = function([], updates=[(s, s + calling(use))])
    patience(1)
    outer()
    assert [type(error) for error in raised] == [RuntimeError] * 2
    assert "seems to wait for this thread" in str(raised[0])
    # Nobody else changed it.
    all_are(s, 1.0)


def test_a_python_operation_that_works_is_waited_for(patience):
    s, inside = shared(np.zeros(3)), threading.Event()

    def work():
        inside.set()
        began = time.thread_time()
        while time.thread_time() - began < 0.9:
            pass

    slow = function([], updates=[(s, s + calling(work))])
    quick = function([], updates=[(s, s + 1)])

    def wait():
        inside.wait(PATIENCE)
        quick()

    patience(0.3)
    assert not in_threads(slow, wait)
    all_are(s, 2.0)


def test_calls_within_a_call_do_not_wait_for_it():
    s, t, seen = shared(np.zeros(3)), shared(np.zeros(3)), []
    inner = function([], s.sum(), updates=[(t, t + 1), (s, s + 5)])

    def use():
        seen.append(s.get_value())
        seen.append(inner())
        s.set_value(np.full(3, 7.0))

    assert function([], s.sum(), updates=[(s, s + calling(use))])() == 0.0
    # The call around ends last, and adds to what it finds then.
    all_are(s, 8.0)
    all_are(t, 1.0)
    np.testing.assert_array_equal(seen[0], np.zeros(3))


@pytest.mark.parametrize("before", range(3))
@pytest.mark.parametrize("outputs", [None, "list", "dictionary"])
def test_garbage_that_calls_the_function_when_it_is_collected(outputs, before):
    # A collection starts where Python makes a list, also the one that a call returns.
    total, called = shared(0), []
    given = {None: None, "list": [total + 0, total + 1], "dictionary": {"a": total + 0}}[outputs]
    add = function([], given, updates=[(total, total + 1)])

    class Caller:
        def __init__(self):
            self.cycle = self

        def __del__(self):
            called.append(1)
            add()

    thresholds = gc.get_threshold()
    kept = []
    gc.collect()
    gc.set_threshold(2, 1, 1)
    # What is made before decides which object is the third, at which a collection starts.
    shift = [[] for _ in range(before)]
    try:
        for _ in range(300):
            Caller()
            kept.append(add())
    finally:
        gc.set_threshold(*thresholds)
    gc.collect()
    assert (len(shift), len(called), int(total.get_value())) == (before, 300, 600)


class Asking:
    """An argument that calls the function again while it is converted to an array."""

    def __init__(self, f, depth):
        self.f, self.depth = f, depth

    def __array__(self, dtype=None, copy=None):
        return self.f(Asking(self.f, self.depth - 1) if self.depth else np.ones(3))


def test_a_function_that_is_called_while_it_is_called():
    count, v = shared(0, "count"), T.dvector()
    f = function([v], v * 2, updates=[(count, count + 1)])
    assert f(Asking(f, 4)).tolist() == [64, 64, 64]
    with pytest.raises(RecursionError):
        f(Asking(f, 10**6))
    before = count.get_value()
    assert f(np.ones(1)).tolist() == [2]
    assert count.get_value() == before + 1


def test_threads_that_wait_for_each_other_are_told():
    a, b, barrier = shared(0.0), shared(0.0), threading.Barrier(2)

    def crossing(mine, other):
        inner = function([], updates=[(other, other + 1)])

        def use():
            barrier.wait(PATIENCE)
            inner()

        return function([], updates=[(mine, mine + calling(use))])

    (raised,) = in_threads(crossing(a, b), crossing(b, a))
    assert isinstance(raised, RuntimeError) and "wait for each other" in str(raised)
    # The other call, and the one within it, went through.
    assert sorted([float(a.get_value()), float(b.get_value())]) in ([0.0, 1.0], [1.0, 1.0])


def test_waiting_can_be_interrupted():
    s, inside, go = shared(np.zeros(3)), threading.Event(), threading.Event()
    slow = function([], updates=[(s, s + calling(telling(inside, go)))])
    quick = function([], updates=[(s, s + 1)])
    thread = threading.Thread(target=slow)
    thread.start()
    inside.wait(PATIENCE)
    timer = threading.Timer(0.2, _thread.interrupt_main)
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            quick()
    finally:
        go.set()
        thread.join()
    all_are(s, 1.0)
    quick()
    all_are(s, 2.0)


def test_what_a_thread_held_is_free_in_a_child():
    run_python("""
        import os, threading, warnings
        import numpy as np, theano, theano.tensor as T
        warnings.simplefilter("ignore")
        s = theano.shared(np.zeros(1000))
        inside, go = threading.Event(), threading.Event()

        @theano.as_op(itypes=[T.dscalar], otypes=[T.dscalar])
        def pause(x):
            inside.set()
            go.wait(60)
            return x

        slow = theano.function([], updates=[(s, s + pause(theano.shared(1.0)))])
        add = theano.function([], updates=[(s, s + 1)])
        thread = threading.Thread(target=slow)
        thread.start()
        inside.wait(60)
        child = os.fork()
        if child == 0:
            add()
            os._exit(0 if (s.get_value() == 1).all() else 1)
        status = os.waitpid(child, 0)[1]
        go.set()
        thread.join()
        add()
        assert (s.get_value() == 2).all() and status == 0, status
    """)
