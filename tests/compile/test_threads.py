"""Shared variables that several threads read and update."""

from __future__ import annotations

import _thread
import gc
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.runtime import native

PATIENCE = 60


def together(*works: Callable[[], object]) -> list[BaseException]:
    """Run each in a thread of its own; return what they raised."""
    raised: list[BaseException] = []

    def guarded(work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=guarded, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive(), "a thread hangs"
    return raised


def calling(python: Callable[[], object], x: Any) -> Any:
    """Return `x`, a float64 scalar, for which `python` is called when it is computed."""

    @theano.as_op(itypes=[T.dscalar], otypes=[T.dscalar])
    def step(value: Any) -> Any:
        python()
        return value

    return step(x)


@pytest.mark.parametrize("length", [1, 1000, 200_000])
def test_no_update_is_lost_and_no_value_is_torn(length: int) -> None:
    s = theano.shared(np.zeros(length))
    v = T.dscalar()
    add = theano.function([v], updates=[(s, s + v)])
    ends = theano.function([], [s.min(), s.max()])
    rounds = 20_000 // length + 100
    done = threading.Event()
    torn = []

    def update() -> None:
        for _ in range(rounds):
            add(1.0)

    def read() -> None:
        while not done.is_set():
            value = s.get_value()
            torn.append(value.min() != value.max())
            low, high = ends()
            torn.append(low != high)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        assert not together(*[update] * 8)
    finally:
        done.set()
        reader.join()
    np.testing.assert_array_equal(s.get_value(), np.full(length, 8.0 * rounds))
    assert torn and not any(torn)


def test_a_call_with_several_updates_is_one_step() -> None:
    a, b = theano.shared(np.full(50_000, 3.0)), theano.shared(np.full(50_000, 4.0))
    v = T.dscalar()
    move = theano.function([v], updates=[(a, a + v), (b, b - v)])
    swap = theano.function([], updates=[(a, b), (b, a)])
    total = theano.function([], [(a + b).min(), (a + b).max()])

    def check() -> None:
        for _ in range(200):
            assert total() == [7.0, 7.0]

    def update() -> None:
        for i in range(100):
            move(float(i))
            swap()

    assert not together(update, update, update, check, check)


def test_a_value_that_is_set_meanwhile_is_not_lost() -> None:
    s = theano.shared(np.zeros(100_000))
    add = theano.function([], updates=[(s, s + 1)])
    started = threading.Event()

    def update() -> None:
        for _ in range(300):
            add()
            started.set()

    def replace() -> None:
        started.wait(PATIENCE)
        s.set_value(np.full(100_000, 1e6))

    assert not together(update, replace)
    value = s.get_value()
    assert value.min() == value.max() and 1e6 <= value[0] <= 1e6 + 300


def test_different_variables_are_updated_at_once() -> None:
    barrier = threading.Barrier(2)
    functions = []
    for _ in range(2):
        s = theano.shared(1.0)
        step = calling(lambda: barrier.wait(PATIENCE), s + 1)
        functions.append(theano.function([], updates=[(s, step)]))
    assert not together(*functions)


def test_readers_do_not_wait_for_each_other_nor_writers_for_readers() -> None:
    s = theano.shared(np.arange(3.0))
    barrier = threading.Barrier(3)
    read = theano.function([], s * calling(lambda: barrier.wait(PATIENCE), theano.shared(1.0)))
    add = theano.function([], updates=[(s, s + 1)])

    def write() -> None:
        # Both readers have begun, and neither is done.
        while barrier.n_waiting < 2:
            pass
        add()
        barrier.wait(PATIENCE)

    results: list[Any] = []
    assert not together(lambda: results.append(read()), lambda: results.append(read()), write)
    # They began before, so they see the values from before.
    np.testing.assert_array_equal(results, [np.arange(3.0)] * 2)
    np.testing.assert_array_equal(s.get_value(), np.arange(3.0) + 1)


def in_thread(work: Callable[[], object]) -> list[Any]:
    """Return what `work` returned or raised in a thread of its own, for which this one waits."""
    results: list[Any] = []
    results += together(lambda: results.append(work()))
    return results


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
def test_a_python_operation_may_wait_for_those_who_read_what_its_call_updates(mode: str) -> None:
    s, t = theano.shared(np.zeros(3)), theano.shared(1.0)
    total = theano.function([], [s.sum(), t + s[0]], mode=mode)
    count = theano.shared(0)
    counted = theano.function([], s * 2, updates=[(count, count + 1)], mode=mode)
    seen: list[Any] = []

    def use() -> None:
        seen.extend(in_thread(s.get_value))
        seen.extend(in_thread(total))
        seen.extend(in_thread(lambda: s.get_value(borrow=True).tolist()))
        seen.extend(in_thread(counted))

    one = calling(use, theano.shared(1.0))
    add = theano.function([], updates=[(s, s + one), (t, t + one)], mode=mode)
    add()
    np.testing.assert_array_equal(seen[0], np.zeros(3))
    assert seen[1] == [0.0, 1.0] and seen[2] == [0.0] * 3
    np.testing.assert_array_equal(seen[3], np.zeros(3))
    assert int(count.get_value()) == 1
    assert total() == [3.0, 3.0]


def test_what_is_read_during_a_python_operation_of_an_update_is_not_overwritten() -> None:
    s = theano.shared(np.zeros(3))
    inside, reading, done = threading.Event(), threading.Event(), threading.Event()

    def pause() -> None:
        inside.set()
        reading.wait(PATIENCE)

    def hold() -> None:
        reading.set()
        done.wait(PATIENCE)

    add = theano.function([], updates=[(s, s + calling(pause, theano.shared(1.0)))])
    read = theano.function([], s * calling(hold, theano.shared(1.0)))
    seen: list[Any] = []

    def update() -> None:
        add()
        done.set()

    def look() -> None:
        inside.wait(PATIENCE)
        seen.append(read())

    assert not together(update, look)
    # It began before the new value was there.
    np.testing.assert_array_equal(seen, [np.zeros(3)])
    np.testing.assert_array_equal(s.get_value(), np.ones(3))


def test_nobody_waits_behind_who_waits_for_a_python_operation() -> None:
    s, t = theano.shared(np.zeros(3)), theano.shared(np.zeros(3))
    both = theano.function([], updates=[(s, s + 1), (t, t + 1)])
    other = theano.function([], updates=[(t, t + 1)])
    threads = [threading.Thread(target=both, daemon=True) for _ in range(2)]
    seen: list[Any] = []

    def use() -> None:
        for thread in threads:
            thread.start()
        # Both are in the queue, for want of `s`.
        threads[0].join(0.2)
        seen.extend(in_thread(t.get_value))
        seen.extend(in_thread(s.get_value))
        seen.extend(in_thread(other))

    theano.function([], updates=[(s, s + calling(use, theano.shared(1.0)))])()
    for thread in threads:
        thread.join(PATIENCE)
    np.testing.assert_array_equal(seen[:2], np.zeros((2, 3)))
    assert len(seen) == 3 and not seen[2]
    np.testing.assert_array_equal(s.get_value(), np.full(3, 3.0))
    np.testing.assert_array_equal(t.get_value(), np.full(3, 3.0))


def test_a_python_operation_that_waits_for_who_changes_what_its_call_updates_is_told() -> None:
    s = theano.shared(np.zeros(3))
    raised: list[BaseException] = []

    def use() -> None:
        raised.extend(
            together(
                lambda: s.set_value(np.ones(3)),
                theano.function([], updates=[(s, s + 1)]),
            )
        )

    outer = theano.function([], updates=[(s, s + calling(use, theano.shared(1.0)))])
    native.set_patience(1)
    try:
        outer()
    finally:
        native.set_patience(60)
    assert [type(error) for error in raised] == [RuntimeError] * 2
    assert "seems to wait for this thread" in str(raised[0])
    # Nobody else changed it.
    np.testing.assert_array_equal(s.get_value(), np.ones(3))


def test_a_python_operation_that_works_is_waited_for() -> None:
    s = theano.shared(np.zeros(3))
    inside = threading.Event()

    def work() -> None:
        inside.set()
        began = time.thread_time()
        while time.thread_time() - began < 0.9:
            pass

    slow = theano.function([], updates=[(s, s + calling(work, theano.shared(1.0)))])
    quick = theano.function([], updates=[(s, s + 1)])

    def wait() -> None:
        inside.wait(PATIENCE)
        quick()

    native.set_patience(0.3)
    try:
        assert not together(slow, wait)
    finally:
        native.set_patience(60)
    np.testing.assert_array_equal(s.get_value(), np.full(3, 2.0))


def test_calls_within_a_call_do_not_wait_for_it() -> None:
    s = theano.shared(np.zeros(3))
    t = theano.shared(np.zeros(3))
    seen: list[Any] = []
    inner = theano.function([], s.sum(), updates=[(t, t + 1), (s, s + 5)])

    def use() -> None:
        seen.append(s.get_value())
        seen.append(inner())
        s.set_value(np.full(3, 7.0))

    outer = theano.function([], s.sum(), updates=[(s, s + calling(use, theano.shared(1.0)))])
    assert outer() == 0.0
    # The call around ends last, and adds to what it finds then.
    np.testing.assert_array_equal(s.get_value(), np.full(3, 8.0))
    np.testing.assert_array_equal(t.get_value(), np.ones(3))
    np.testing.assert_array_equal(seen[0], np.zeros(3))


@pytest.mark.parametrize("before", range(3))
@pytest.mark.parametrize("outputs", [None, "list", "dictionary"])
def test_garbage_that_calls_the_function_when_it_is_collected(
    outputs: str | None, before: int
) -> None:
    # A collection starts where Python makes a list, also the one that a call returns.
    total = theano.shared(0)
    given = {None: None, "list": [total + 0, total + 1], "dictionary": {"a": total + 0}}[outputs]
    add = theano.function([], given, updates=[(total, total + 1)])
    called = 0

    class Caller:
        def __init__(self) -> None:
            self.cycle = self

        def __del__(self) -> None:
            nonlocal called
            called += 1
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
    assert len(shift) == before
    assert called == 300
    assert int(total.get_value()) == 600


def test_threads_that_wait_for_each_other_are_told() -> None:
    a, b = theano.shared(0.0), theano.shared(0.0)
    barrier = threading.Barrier(2)

    def crossing(mine: Any, other: Any) -> Any:
        inner = theano.function([], updates=[(other, other + 1)])

        def use() -> None:
            barrier.wait(PATIENCE)
            inner()

        return theano.function([], updates=[(mine, mine + calling(use, theano.shared(1.0)))])

    raised = together(crossing(a, b), crossing(b, a))
    assert len(raised) == 1
    assert isinstance(raised[0], RuntimeError) and "wait for each other" in str(raised[0])
    # The other call, and the one within it, went through.
    assert sorted([float(a.get_value()), float(b.get_value())]) in ([0.0, 1.0], [1.0, 1.0])


def test_waiting_can_be_interrupted() -> None:
    s = theano.shared(np.zeros(3))
    inside, go = threading.Event(), threading.Event()

    def pause() -> None:
        inside.set()
        go.wait(PATIENCE)

    slow = theano.function([], updates=[(s, s + calling(pause, theano.shared(1.0)))])
    quick = theano.function([], updates=[(s, s + 1)])
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
    np.testing.assert_array_equal(s.get_value(), np.ones(3))
    quick()
    np.testing.assert_array_equal(s.get_value(), np.ones(3) + 1)


FORK = """
import os, threading
import numpy as np, theano, theano.tensor as T
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
"""


def test_what_a_thread_held_is_free_in_a_child() -> None:
    subprocess.run([sys.executable, "-W", "ignore", "-c", FORK], check=True, timeout=PATIENCE)
