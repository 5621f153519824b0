"""Machine code that several threads compile."""

import ctypes
import os
import sys
from collections import OrderedDict
from types import SimpleNamespace

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.processes import run_python
from theano._core.lower.llvm.target import codegen, libllvm, machine
from theano._core.lower.llvm.target.assembler import Assembler
from theano._core.lower.llvm.target.codegen import CodeGenerationError, compile_text
from theano._core.runtime import native
from theano._core.runtime.cache import CompileCache


def written(text):
    """Return a kernel of a text, or of a number that it returns, as an assembler knows kernels."""
    if isinstance(text, int):
        text = f"define i32 @f() {{\n  ret i32 {text}\n}}\n"
    return SimpleNamespace(eager=True, symbol="f", text=text, key=text)


def program(kernels):
    return SimpleNamespace(text="define i32 @entry() {\n  ret i32 0\n}\n", kernels=kernels)


@pytest.fixture
def threads(monkeypatch, tmp_path):
    """What sets the number of threads; nothing is known in memory or on disk."""
    before = native.get_threads()
    monkeypatch.setattr(machine, "_modules", OrderedDict())
    monkeypatch.setattr(machine, "cache", lambda: CompileCache(str(tmp_path), 1 << 20))
    yield native.set_threads
    native.set_threads(before)


@pytest.mark.parametrize("count", [1, 2])
def test_what_kernels_call_is_compiled_beside_them(threads, count, monkeypatch):
    """Not one after the other, when kernels are loaded that need it."""
    threads(count)
    alone, compile_module = [], machine._compiled
    noted = lambda key, text, bits: alone.append(text) or compile_module(key, text, bits)
    monkeypatch.setattr(machine, "_compiled", noted)
    monkeypatch.setattr(machine, "_shared", machine._Shared())
    x = T.dmatrix("x")
    f = theano.function([x], [T.exp(x).T, T.sin(x[:, ::3])], mode="FAST_RUN")
    assert machine._shared
    assert len(alone) == 1 and "@entry" in alone[0]
    np.testing.assert_array_equal(f(np.zeros((2, 4)))[1], np.zeros((2, 2)))


@pytest.mark.parametrize("offered", [0, 5, 20])
@pytest.mark.parametrize("count", [1, 2, 4])
def test_threads_compile_what_one_thread_does(threads, count, offered):
    threads(count)
    kernels = [written(i) for i in range(20)]
    with Assembler(256) as assembler:
        for kernel in kernels[:offered] * 2:
            assembler.offer(kernel)
        made = assembler.assemble(program(kernels))
    results = [ctypes.CFUNCTYPE(ctypes.c_int)(address)() for address in made.kernels]
    assert results == list(range(20))
    assert all(machine.on_disk(machine.key_of(kernel.text, 256)) for kernel in kernels)


@pytest.mark.parametrize("count", [1, 3])
def test_the_error_is_that_of_the_first_text_that_fails(threads, count):
    threads(count)
    kernels = [written(0), *(written(f"define i32 @f() {{ {x}") for x in ("a", "slow", "quick"))]
    with Assembler(256) as assembler:
        for kernel in kernels[:2]:
            assembler.offer(kernel)
        with pytest.raises(CodeGenerationError, match=r"LLVM cannot read(.|\n)*\{ a"):
            assembler.assemble(program(kernels))
    # What follows is compiled as ever.
    assert compile_text(written(1).text, 256)


def test_a_program_that_is_given_up_ends_its_threads(threads):
    threads(4)
    before = len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else 0
    with Assembler(256) as assembler:
        for i in range(20):
            assembler.offer(written(i))
    assert not before or len(os.listdir("/proc/self/task")) == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_child_waits_for_no_threads_of_its_parent(tmp_path):
    # A process of its own: other libraries warn of forks.
    program = """
        import os
        import theano
        from theano._core.lower.llvm.target.assembler import Assembler
        from theano._core.runtime import native

        class Written:
            eager, key, text = True, "f", "define i32 @f() { ret i32 0 }"

        native.set_threads(2)
        with Assembler(256) as assembler:
            assembler.offer(Written)
            assert assembler._compiler is not None
            child = os.fork()
            if not child:
                del assembler._compiler
                os._exit(7)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    """
    run_python(program, flags=f"base_compiledir={tmp_path}", timeout=60)


def test_no_threads_are_started_where_memory_is_short(monkeypatch, threads):
    threads(3)
    monkeypatch.setattr(libllvm, "has_memory", lambda size: False)
    started = []
    monkeypatch.setattr(codegen, "take_target", lambda *_: started.append(1))
    with Assembler(256) as assembler, pytest.raises(MemoryError, match=r"takes up to \d+ MB"):
        assembler.offer(written(1))
    assert not started


@pytest.mark.parametrize(
    ("functions", "error"), [((), "9 functions"), ((0,) * 9, "no address"), (("x",) * 9, "int")]
)
def test_a_compiler_needs_its_functions(functions, error):
    with pytest.raises((TypeError, ValueError), match=error):
        native.Compiler(functions, "x86_64")
    with pytest.raises((TypeError, ValueError), match=error):
        native.compile_module(functions, 0, 0, "x86_64", "", True)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks Linux for its memory")
@pytest.mark.parametrize("loaded", [False, True])
@pytest.mark.parametrize("left", [4, 12, 40, 120])
def test_compiling_without_memory_is_an_error_and_ends_no_process(left, loaded, tmp_path):
    # A thread has its whole stack before; that of a process could grow no more.
    program = f"""
        import resource
        import threading
        import theano
        import theano.tensor as T
        x = y = T.dvector()
        if {loaded}:
            theano.function([x], x * 2)
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
    run_python(program, flags=f"base_compiledir={tmp_path}", timeout=60)


MOVES = """
declare void @scatter8x4.256(ptr, ptr, i64, i64) nounwind
define void @f(ptr %from, ptr %to, i64 %stride, i64 %count) {
  call void @scatter8x4.256(ptr %from, ptr %to, i64 %stride, i64 %count)
  ret void
}
"""


def test_functions_that_kernels_share_are_compiled_once(monkeypatch):
    monkeypatch.setattr(machine, "_shared", machine._Shared())
    loads, original = [], machine.load
    monkeypatch.setattr(machine, "load", lambda *a: loads.append(a) or original(*a))
    for number in range(2):
        module = native.load_object(compile_text(f"; {number}{MOVES}", 256), machine._shared)
        prototype = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_char_p, *[ctypes.c_int64] * 2)
        target = ctypes.create_string_buffer(b"-" * 24, 24)
        prototype(module.address("f"))(b"12345678abcdefgh", target, 16, 2)
        assert target.raw == b"12345678--------abcdefgh"
    assert len(loads) == 1
    assert list(machine._shared) == ["scatter8x4.256"]


def test_a_shared_function_that_cannot_be_compiled(monkeypatch):
    def refuse(*_):
        raise MemoryError("too little")

    monkeypatch.setattr(machine, "load", refuse)
    data = compile_text(MOVES, 256)
    with pytest.raises(MemoryError, match="too little"):
        native.load_object(data, machine._Shared())
    unknown = compile_text(MOVES.replace("scatter8x4.256", "scattered8x4.256"), 256)
    with pytest.raises(ImportError, match=r"scattered8x4\.256"):
        native.load_object(unknown, machine._Shared())
