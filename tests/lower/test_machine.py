"""Machine code that several threads compile."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from threading import Thread

import pytest

from theano._core.lower.llvm.target import libllvm, machine
from theano._core.lower.llvm.target.codegen import CodeGenerationError, compile_text
from theano._core.runtime import native


def text(number: int) -> str:
    return f"define i32 @f() {{\n  ret i32 {number}\n}}\n"


def test_threads_compile_what_one_thread_does() -> None:
    jobs = [(str(i), text(i)) for i in range(20)]
    one, four = (
        machine._on_threads(lambda job: compile_text(job, 256), jobs, most) for most in (1, 4)
    )
    assert one == four
    assert list(four) == [name for name, _ in jobs]


def test_the_error_is_that_of_the_first_text_that_fails() -> None:
    def work(job: str) -> str:
        if job == "slow":
            time.sleep(0.05)
        if job:
            raise ValueError(job)
        return job

    with pytest.raises(ValueError, match="slow"):
        machine._on_threads(work, [("a", ""), ("b", "slow"), ("c", "quick")], 3)


def test_text_that_cannot_be_made_stops_the_threads() -> None:
    def jobs():
        yield "a", text(1)
        raise KeyError("no text")

    with pytest.raises(KeyError, match="no text"):
        machine._on_threads(lambda job: job, jobs(), 3)


@pytest.mark.parametrize("started", [False, True])
def test_an_interrupt_while_a_thread_starts_is_what_is_raised(monkeypatch, started) -> None:
    class Interrupted(Thread):
        def start(self) -> None:
            if started:
                super().start()
            raise KeyboardInterrupt

    monkeypatch.setattr(machine, "Thread", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        machine._on_threads(lambda job: job, [("a", "a"), ("b", "b")], 3)


@pytest.mark.parametrize("threads", [0, 1])
def test_what_no_thread_can_be_had_for_is_compiled_by_the_caller(monkeypatch, threads) -> None:
    started = []

    class Refused(Thread):
        def start(self) -> None:
            if len(started) == threads:
                raise RuntimeError("can't start new thread")
            started.append(self)
            super().start()

    monkeypatch.setattr(machine, "Thread", Refused)
    jobs = [(str(i), str(i)) for i in range(9)]
    assert machine._on_threads(lambda job: job, jobs, 3) == dict(jobs)
    assert len(started) == threads


def test_no_threads_are_started_where_memory_is_short(monkeypatch) -> None:
    monkeypatch.setattr(libllvm, "has_memory", lambda size: False)
    monkeypatch.setattr(machine, "Thread", None)
    assert machine._on_threads(lambda job: job, [("a", "1"), ("b", "2")], 3) == {"a": "1", "b": "2"}
    with pytest.raises(MemoryError, match=r"takes up to \d+ MB, which cannot be had"):
        compile_text(text(1), 256)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks Linux for its memory")
@pytest.mark.parametrize("loaded", [False, True])
@pytest.mark.parametrize("left", [4, 12, 40, 120])
def test_compiling_without_memory_is_an_error_and_ends_no_process(left, loaded, tmp_path) -> None:
    # A thread has its whole stack before; that of a process could grow no more.
    program = f"""
import resource
import threading
import theano
import theano.tensor as T
x = T.dvector()
if {loaded}:
    theano.function([x], x * 2)
y = x
for k in range(100):
    y = T.tanh(y * (k + 0.37)) + T.exp(-y * y)
gradient = T.grad(y.sum(), x)
def work():
    size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + {left} * 10**6,) * 2)
    try:
        theano.function([x], [y, gradient])
    except MemoryError:
        pass
    ended.append(True)
ended = []
threading.stack_size(64 << 20)
thread = threading.Thread(target=work)
thread.start()
thread.join()
assert ended
"""
    environment = {**os.environ, "THEANO_FLAGS": f"base_compiledir={tmp_path}"}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True, timeout=60)


def test_a_text_that_llvm_refuses_is_an_error_on_threads_as_well() -> None:
    before = native.get_threads()
    native.set_threads(2)
    try:
        with pytest.raises(CodeGenerationError, match="LLVM cannot read"):
            machine._compiled([("0" * 64, "define i32 @f() {")], 256)
    finally:
        native.set_threads(before)
