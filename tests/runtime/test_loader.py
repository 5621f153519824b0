"""The loader of machine code: it loads what LLVM emits, and refuses damage without crashing."""

import ctypes
import gc
import random

import machine as M
import numpy as np
import pytest

from theano._core.runtime import native

DOUBLE, INT = ctypes.c_double, ctypes.c_int64


def call(code, symbol, restype, *arguments):
    """Call a function of floats (double) and integers (64 bits)."""
    kinds = [DOUBLE if isinstance(a, float) else INT for a in arguments]
    return ctypes.CFUNCTYPE(restype, *kinds)(code.address(symbol))(*arguments)


CONSTANTS = """
@table = private constant [4 x double] [double 1.5, double 2.5, double 3.5, double 4.5]
@pointer = internal constant ptr @table
@counter = global i64 40
@zeros = internal global [1000 x i64] zeroinitializer
define double @lookup(i64 %i) {
 %t = load ptr, ptr @pointer
 %p = getelementptr double, ptr %t, i64 %i
 %v = load double, ptr %p
 ret double %v
}
define i64 @count(i64 %i) {
 %p = getelementptr i64, ptr @zeros, i64 %i
 %z = load i64, ptr %p
 %c = load i64, ptr @counter
 %n = add i64 %c, 1
 store i64 %n, ptr @counter
 store i64 %n, ptr %p
 %r = add i64 %n, %z
 ret i64 %r
}
define double @twice(i64 %i) noinline {
 %v = call double @lookup(i64 %i)
 %w = fadd double %v, %v
 ret double %w
}
"""

OUTSIDE = """
declare double @fmod(double, double)
declare double @llvm.exp.f64(double)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
define double @remainder(double %x, double %y) {
 %r = frem double %x, %y
 ret double %r
}
define double @exponential(double %x) {
 %r = call double @llvm.exp.f64(double %x)
 ret double %r
}
define i64 @quotient(i64 %x, i64 %y) {
 %a = sext i64 %x to i128
 %b = sext i64 %y to i128
 %p = mul i128 %a, %a
 %q = sdiv i128 %p, %b
 %r = trunc i128 %q to i64
 ret i64 %r
}
define void @clear(ptr %p, i64 %n) {
 call void @llvm.memset.p0.i64(ptr %p, i8 7, i64 %n, i1 false)
 ret void
}
define double @through_pointer(double %x, double %y) {
 %slot = alloca ptr
 store volatile ptr @fmod, ptr %slot
 %f = load volatile ptr, ptr %slot
 %r = call double %f(double %x, double %y)
 ret double %r
}
"""

HALF = """
define double @round_trip(double %x) {
 %h = fptrunc double %x to half
 %f = fpext half %h to float
 %d = fpext float %f to double
 ret double %d
}
define double @narrow(double %x) {
 %s = fptrunc double %x to float
 %h = fptrunc float %s to half
 %f = fpext half %h to float
 %d = fpext float %f to double
 ret double %d
}
"""


@pytest.fixture(scope="module")
def constants():
    return M.compile_text(CONSTANTS)


def test_constants_variables_and_zeroed_memory(constants):
    code, other = native.load_object(constants), native.load_object(constants)
    assert [call(code, "lookup", DOUBLE, i) for i in range(4)] == [1.5, 2.5, 3.5, 4.5]
    assert call(code, "twice", DOUBLE, 3) == 9.0
    assert [call(code, "count", INT, 5) for _ in range(3)] == [41, 42 + 41, 43 + 42]
    # Every object has variables of its own.
    assert call(other, "count", INT, 0) == 41
    assert set(code.symbols) >= {"lookup", "count", "twice", "counter"}
    assert code.size % 4096 == 0
    with pytest.raises(KeyError, match="nowhere"):
        code.address("nowhere")
    with pytest.raises(TypeError):
        code.address(3)


def test_functions_outside():
    code = native.load_object(M.compile_text(OUTSIDE))
    assert call(code, "remainder", DOUBLE, -7.5, 2.0) == -1.5
    assert call(code, "through_pointer", DOUBLE, -7.5, 2.0) == -1.5
    assert call(code, "exponential", DOUBLE, 1.0) == pytest.approx(np.e, rel=1e-15)
    assert call(code, "quotient", INT, -(10**15), 10**12) == 10**18
    memory = (ctypes.c_char * 1000)()
    call(code, "clear", None, ctypes.addressof(memory), 999)
    assert bytes(memory) == b"\7" * 999 + b"\0"


@pytest.mark.parametrize("features", [None, "-f16c"])
def test_half_precision_is_rounded_once(features):
    code = native.load_object(M.compile_text(HALF, features))
    tie = 1 + 2.0**-11 + 2.0**-30  # rounding to float first would round it down
    for value in (1.0, -2.5, 1e-7, 65519.0, 70000.0, float("inf"), tie, 6e-8, 0.1):
        with np.errstate(over="ignore"):
            expected = np.float64(value).astype("float16")
        assert call(code, "round_trip", DOUBLE, value) == expected
    assert call(code, "narrow", DOUBLE, 0.1) == np.float16(0.1)


def test_symbols_from_python():
    text = """
declare i64 @mine(i64)
define i64 @go(i64 %x) {
 %r = call i64 @mine(i64 %x)
 ret i64 %r
}
"""
    callback = ctypes.CFUNCTYPE(INT, INT)(lambda x: x * 3)
    address = ctypes.cast(callback, ctypes.c_void_p).value
    code = native.load_object(M.compile_text(text), {"mine": address})
    assert call(code, "go", INT, 14) == 42
    with pytest.raises(ImportError, match="'mine'"):
        native.load_object(M.compile_text(text))
    with pytest.raises(TypeError):
        native.load_object(M.compile_text(text), {"mine": "address"})


def test_memory_is_given_back(constants):
    def mappings():
        gc.collect()
        with open("/proc/self/maps") as file:
            return sum(1 for _ in file)

    native.load_object(constants)
    before = mappings()
    for _ in range(200):
        native.load_object(constants)
    assert mappings() <= before + 3


def test_what_is_no_object_is_refused(constants):
    for data in (b"", b"\x7fELF", b"x" * 1000, bytes(4096), constants[:64]):
        with pytest.raises(ValueError):
            native.load_object(data)
    for wrong in (["text"], [3], [None], [[1]], []):
        with pytest.raises(TypeError):
            native.load_object(*wrong)
    other = bytearray(constants)
    other[18] = 3
    with pytest.raises(ValueError, match="processor"):
        native.load_object(bytes(other))


def load_or_refuse(data):
    try:
        native.load_object(data)
    except (ValueError, ImportError, MemoryError):
        return False
    return True


def test_every_truncation_is_refused(constants):
    assert load_or_refuse(constants)
    assert not any(load_or_refuse(constants[:size]) for size in range(0, len(constants) - 1, 7))


@pytest.mark.parametrize("text", [CONSTANTS, OUTSIDE])
def test_damage_never_crashes(text):
    source, chance = M.compile_text(text), random.Random(7)
    for i in range(len(source)):  # every byte once, headers and relocations included
        damaged = bytearray(source)
        damaged[i] ^= 1 << chance.randrange(8)
        load_or_refuse(bytes(damaged))
    for _ in range(3000):
        damaged = bytearray(source)
        for _ in range(chance.randrange(1, 9)):
            damaged[chance.randrange(len(damaged))] = chance.choice((0, 0xFF, 0x7F, 0x80, 1))
        load_or_refuse(bytes(damaged))
