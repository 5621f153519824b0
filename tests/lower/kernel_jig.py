"""Compiles a builder expression to a loop over arrays, for tests and `tools/ulp.py`."""

import ctypes
import functools
import itertools

import llvmlite.binding as llvm
import numpy as np

from theano._core.lower.llvm.builder import Builder
from theano._core.lower.llvm.kernels.items import load as load_items, store as store_items
from theano._core.lower.llvm.target.codegen import compile_text


def module_text(build, dtypes, lanes, vector_bits):
    """The text of `kernel(out, in0, in1, ..., n)`, n a multiple of `lanes`; and the dtype out."""
    b = Builder(lanes, vector_bits)
    arguments = []
    for i, dtype in enumerate(dtypes):
        pointer = b.emit(f"getelementptr i8, ptr %a{i}, i64 %o{i}")
        arguments.append(load_items(b, pointer, dtype, lanes))
    y = build(b, *arguments)
    store_items(b, y, b.emit("getelementptr i8, ptr %out, i64 %oo"))
    sizes = {f"%o{i}": dtype for i, dtype in enumerate(dtypes)} | {"%oo": y.dtype}
    parameters = ", ".join(f"ptr noalias %a{i}" for i in range(len(dtypes)))
    lines = [
        f"define void @kernel(ptr noalias %out, {parameters}, i64 %n) nounwind {{",
        "start:",
        "  %some = icmp sgt i64 %n, 0",
        "  br i1 %some, label %entry, label %exit",
        "entry:",
        f"  %i = phi i64 [0, %start], [%next, %{b.block}]",
        *(f"  {name} = mul i64 %i, {np.dtype(dtype).itemsize}" for name, dtype in sizes.items()),
        *b.lines,
        f"  %next = add nuw nsw i64 %i, {lanes}",
        "  %more = icmp slt i64 %next, %n",
        "  br i1 %more, label %entry, label %exit",
        "exit:",
        "  ret void",
        "}",
        *b.helpers.values(),
        *b.declarations,
    ]
    return "\n".join(lines), y.dtype


@functools.cache
def _jit():
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.create_lljit_compiler()


_kept = []
_numbers = itertools.count()


def load(code):
    """The address of `kernel` in an object file."""
    name = f"jig{next(_numbers)}"
    linker = llvm.JITLibraryBuilder().add_object_img(code).add_current_process()
    library = linker.export_symbol("kernel").link(_jit(), name)
    _kept.append(library)
    return library["kernel"]


class Kernel:
    """`build(b, *values)` as a function of arrays of one length."""

    def __init__(self, build, dtypes, lanes, vector_bits=256):
        self.text, self.dtype = module_text(build, dtypes, lanes, vector_bits)
        self.dtypes, self.lanes = dtypes, lanes
        prototype = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * (len(dtypes) + 1), ctypes.c_int64)
        self.raw = prototype(load(compile_text(self.text, vector_bits)))

    def __call__(self, *arrays):
        n = len(arrays[0])
        padded = -(-n // self.lanes) * self.lanes
        inputs = [np.ones(padded, dtype) for dtype in self.dtypes]
        for full, array in zip(inputs, arrays, strict=True):
            full[:n] = array
        out = np.empty(padded, self.dtype)
        self.raw(*[a.ctypes.data for a in (out, *inputs)], padded)
        return out[:n]


def run(name, *arrays, lanes=8, bits=256):
    """The results of one function of the builder, by vectors of some lanes."""
    dtypes = tuple(array.dtype.name for array in arrays)
    return Kernel(lambda b, *x: getattr(b, name)(*x), dtypes, lanes, bits)(*arrays)
