"""Objects from text: errors, features, and the identity that keys the compile cache."""

import ctypes
import os
import time

import llvmlite.binding
import pytest

from support.processes import run_python
from theano._core.lower.llvm.target import codegen, libllvm


def test_unreadable_text_is_an_error_with_its_line():
    with pytest.raises(codegen.CodeGenerationError, match=r"%x = add i32 1, 2\.0"):
        codegen.compile_text("define i32 @f() {\n  %x = add i32 1, 2.0\n  ret i32 %x\n}", 256)


@pytest.mark.parametrize("vector_bits", [128, 256, 512])
def test_an_object_is_elf(vector_bits):
    code = codegen.compile_text("define i32 @f() {\n  ret i32 7\n}", vector_bits)
    assert code.startswith(b"\x7fELF")


def test_narrow_vectors_switch_wide_features_off():
    features = codegen.target_features(256).split(",")
    assert not [name for name in features if name.startswith("+avx512")]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_fork_waits_for_the_library_that_is_loaded_ahead():
    program = """
        import os
        from theano._core.lower.llvm.target import libllvm
        libllvm.load_ahead()
        child = os.fork()
        if not child:
            libllvm.prepare()
            os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        libllvm.prepare()
    """
    for _ in range(3):
        run_python(program, timeout=60)


@pytest.mark.skipif(os.name != "posix", reason="nothing is loaded ahead")
@pytest.mark.parametrize("needed", [False, True])
def test_what_comes_behind_loading_is_left_to_who_needs_the_library(needed):
    program = f"""
        from theano._core.lower.llvm.target import codegen, libllvm
        if {needed}:
            libllvm.library()
        done = []
        libllvm.load_ahead(lambda: done.append(codegen.warm_up()))
        libllvm._loading[0].join()
        assert done == ([] if {needed} else [None])
    """
    run_python(program, timeout=60)


def test_the_functions_of_the_library_are_those_that_llvmlite_calls():
    assert not list(libllvm.different(llvmlite.binding.ffi.lib))


@pytest.mark.parametrize(
    ("name", "prototype", "reason"),
    [
        ("VerifyModule", (ctypes.c_bool, ctypes.c_void_p), "VerifyModule is called in another way"),
        ("ContextCreate", (ctypes.c_int,), "ContextCreate is called in another way"),
        ("NoSuchFunction", (ctypes.c_int,), "LLVMPY_NoSuchFunction"),
    ],
)
def test_an_unknown_version_of_llvmlite_is_compared_first(monkeypatch, name, prototype, reason):
    monkeypatch.setattr(libllvm, "KNOWN", ())
    load = libllvm.library.__wrapped__
    assert load().LLVMPY_ContextCreate()
    monkeypatch.setitem(libllvm.PROTOTYPES, name, prototype)
    with pytest.raises(ImportError, match=rf"llvmlite \S+ cannot be used to compile: .*{reason}"):
        load()


def test_programs_are_compiled_without_the_python_layer_of_llvmlite(tmp_path):
    program = """
        import sys
        import theano
        import theano.tensor as T
        x = T.dvector()
        assert theano.function([x], T.tanh(x) * 2)([0.0]) == [0]
        from theano._core.lower.llvm.target.machine import Statistics
        assert Statistics.compiled
        assert "llvmlite" not in sys.modules
    """
    run_python(program, flags=f"base_compiledir={tmp_path}", timeout=60)


def test_threads_compile_at_once():
    program = """
        import threading
        from theano._core.lower.llvm.target.codegen import compile_text
        objects, start = {}, threading.Barrier(8)
        def work(i):
            start.wait()
            for k in range(20):
                objects[i, k] = compile_text(f"define i32 @f() {{\\n  ret i32 {i}\\n}}", 256)
        threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert len(objects) == 160
        assert len(set(objects.values())) == 8
    """
    run_python(program, timeout=60)


def test_identity_is_quick_and_does_not_import_llvmlite():
    program = """
        import sys
        from theano._core.lower.llvm.target import codegen
        identity = codegen.cpu_identity()
        assert 'llvmlite' not in sys.modules
        print(identity)
    """
    identity = codegen.cpu_identity()
    assert run_python(program) == identity
    assert f"llvmlite {llvmlite.__version__} " in identity
    # Code that other options of LLVM made is not taken from the cache.
    assert all(option in identity for option in libllvm.OPTIONS)
    codegen._cpu_identity.cache_clear()
    start = time.perf_counter()
    codegen.cpu_identity()
    assert time.perf_counter() - start < 0.01


def test_lanes_fill_512_bits_by_default():
    assert [codegen.lanes_of(size, 0) for size in (1, 2, 4, 8, 16)] == [64, 32, 16, 8, 4]
    assert [codegen.lanes_of(size, 128) for size in (4, 16, 32)] == [4, 1, 1]
