"""Objects from text: errors, features, and the identity that keys the compile cache."""

import os
import subprocess
import sys
import time

import pytest

from theano._core.lower.llvm.target import codegen


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
def test_a_fork_waits_for_the_library_that_is_loaded_ahead() -> None:
    program = """
import os
from theano._core.lower.llvm.target import codegen
codegen.load_ahead()
child = os.fork()
if not child:
    codegen.prepare()
    os._exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
codegen.prepare()
"""
    for _ in range(3):
        subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_identity_is_quick_and_does_not_import_llvmlite():
    program = (
        "import sys\n"
        "from theano._core.lower.llvm.target import codegen\n"
        "identity = codegen.cpu_identity()\n"
        "assert 'llvmlite' not in sys.modules\n"
        "print(identity)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == codegen.cpu_identity()
    import llvmlite

    assert f"llvmlite {llvmlite.__version__} " in codegen.cpu_identity()
    codegen._cpu_identity.cache_clear()
    start = time.perf_counter()
    codegen.cpu_identity()
    assert time.perf_counter() - start < 0.01


def test_lanes_fill_512_bits_by_default():
    assert [codegen.lanes_of(size, 0) for size in (1, 2, 4, 8, 16)] == [64, 32, 16, 8, 4]
    assert [codegen.lanes_of(size, 128) for size in (4, 16, 32)] == [4, 1, 1]
