"""Programs and functions: what they are made of is checked, errors, their life, and memory."""

import gc
import sys
import weakref

import machine as M
import numpy as np
import pytest
from test_results import counter

from theano._core.runtime import native

F8 = M.FLOAT64


def test_the_hook_of_errors_learns_the_facts():
    seen = []

    def hook(*facts):
        seen.append(facts)
        raise LookupError("mine")

    f = M.add_function(1, {"on_error": hook})
    x, y = np.zeros(3), np.zeros(4)
    with pytest.raises(LookupError, match="mine"):
        f(x, y)
    assert seen[0][:4] == (f, 7, 3, (3, 4))
    assert seen[0][4][0] is x and seen[0][4][1] is y and seen[0][5] is None
    np.testing.assert_array_equal(f(x, x), x)
    with pytest.raises(RuntimeError, match=r"error 7 in node 3.*\(3, 4\)"):
        M.add_function(1)(x, y)


def test_numbers_among_the_arguments_of_the_error_hook_are_arrays():
    seen = []
    hooks = {"on_error": lambda *facts: seen.append(facts[4])}
    inputs = (M.array_input("float64", 0, 0), M.object_input(8))
    with pytest.raises(RuntimeError):
        M.function_of(M.FAILS, hooks, inputs=inputs)(2.5, "thing")
    assert type(seen[0][0]) is np.ndarray and seen[0][0] == 2.5 and seen[0][1] == "thing"


@pytest.mark.parametrize("size", [-1, 2**62, 2**46])
def test_memory_error(size):
    text = f" %p = call ptr @rt_alloc(ptr %call, i64 {size}, i64 4)\n %d = ptrtoint ptr %p to i64\n"
    text += " %n = icmp eq i64 %d, 0\n %r = sext i1 %n to i32\n ret i32 %r"
    with pytest.raises(MemoryError, match=str(size)):
        M.function_of(text, buffer_slots=(4,))()


def test_machine_code_that_fails_without_a_reason():
    with pytest.raises(SystemError):
        M.function_of(" ret i32 -1")()


def test_functions_have_attributes_and_weak_references():
    f = M.add_function(0)
    f.note = "hello"
    assert f.note == "hello" and f.__dict__ == {"note": "hello"}
    reference = weakref.ref(f)
    # The compile layer adds methods in this way.
    native.Function.describe = lambda self: "described"
    try:
        assert f.describe() == "described"
        assert f(1.0, 2.0) == 3.0
    finally:
        del native.Function.describe
    with pytest.raises(TypeError):
        type("Sub", (native.Function,), {})
    del f
    gc.collect()
    assert reference() is None


def test_cycles_are_collected():
    def cycles():
        f = M.add_function(0, {"convert": lambda function, index, value: f})
        f.me = f
        cell = native.Cell()
        cell.value = [cell]
        return weakref.ref(f), weakref.ref(cell)

    references = cycles()
    gc.collect()
    assert [reference() for reference in references] == [None, None]


def test_machine_code_lives_as_long_as_a_function_needs_it():
    code = M.code_of(M.ADD[0])
    reference = weakref.ref(code)
    f = native.Function(M.program_of(code, **M.add_fields(0)), ())
    del code
    gc.collect()
    assert reference() is not None and f(1.0, 2.0) == 3.0
    del f
    gc.collect()
    assert reference() is None


BAD_FIELDS = [
    *({"frame_size": -1}, {"frame_size": 8}, {"kernels": ("a",)}, {"result": 5}, {"entry": 0}),
    *({"buffer_slots": (wrong,)} for wrong in (32, -1, "a")),
    {"inputs": (("array", F8, 0, 0, None, 31, -1, 0),)},
    {"inputs": (("array", F8, 40, 0, None, 0, -1, 0),)},
    {"inputs": (("array", F8, -1, 0, None, 0, -1, 0),)},
    {"inputs": (("array", 17, 0, 0, None, 0, -1, 0),)},
    {"inputs": (("array", 999, 0, 0, None, 0, -1, 0),)},
    {"inputs": (("thing", F8, 0, 0, None, 0, -1, 0),)},
    {"inputs": (("array", F8, 0, 0, 3, 0, -1, 0),)},
    {"inputs": (("array", F8, 0, 0, None, 0, -2, 0),)},
    {"inputs": (("array", F8, 0, 0, None, 0, -1, 1),)},
    {"inputs": (("array", F8, 1, 0, None, 0, -1, 0, ()),)},
    {"inputs": (("array", F8, 1, 0, None, 0, -1, 0, ("a",)),)},
    *({"inputs": (3,)}, {"inputs": 3}),
    {"shared": (("array", F8, 0, 0, None, 0, -1, 0),)},
    {"outputs": (("buffer", F8, 0, 16, 32),)},
    {"outputs": (("nothing", F8, 0, 16, 24),)},
    {"outputs": (("alias", F8, 0, 0, 2),)},
    {"updates": ((-1, "buffer", F8, 0, 16, 24),)},
    {"callbacks": ((3, (), ()),)},
    {"callbacks": ((len, (("array", F8),), ()),)},
    *({"timed_steps": 2**60}, {"timed_steps": None}),
]


@pytest.mark.parametrize("fields", BAD_FIELDS)
def test_programs_are_checked(fields):
    code = M.code_of(M.ADD[0])
    M.program_of(code, **M.add_fields(0))
    with pytest.raises((TypeError, ValueError)):
        M.program_of(code, **{**M.add_fields(0), **fields})


def test_functions_are_checked():
    program = M.program_of(M.code_of(M.ADD[0]), **M.add_fields(0))
    for arguments in (
        *((), (program,), (3, ()), (program, 3), (program, (3,)), (program, (native.Cell(),))),
        *((program, (), {"hook": len}), (program, (), {"convert": 3}), (program, (), 3)),
    ):
        with pytest.raises((TypeError, ValueError)):
            native.Function(*arguments)


def memory():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


@pytest.mark.slow
def test_memory_stays_flat():
    f, g = M.add_function(0, {"convert": M.convert}), M.add_function(1)
    h = counter(native.Cell(np.zeros(3000)))
    x, y = np.zeros(3000), np.zeros(5)

    def good_and_bad(count):
        for _ in range(count):
            f(1.0, 2)
            f(np.float32(1.0), y=3.0)
            g(x, x)
            h()
            for call in (
                lambda: g(x, y),
                lambda: f(1.0),
                lambda: f("a", 1.0),
                lambda: f(1.0, 2.0, output_subset=[9]),
            ):
                with pytest.raises((RuntimeError, TypeError, ValueError, IndexError)):
                    call()

    good_and_bad(500)
    gc.collect()
    before, blocks = memory(), sys.getallocatedblocks()
    good_and_bad(12_500)  # 100,000 calls
    gc.collect()
    assert memory() < before + (2 << 20)
    assert sys.getallocatedblocks() < blocks + 1000
