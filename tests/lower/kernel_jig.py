"""Compiles a builder expression to a loop over arrays, for tests and `tools/ulp.py`."""

import ctypes
import functools
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from theano._core.lower.llvm.builder import Builder, ComplexValue, Value
from theano._core.lower.llvm.kernels.items import load as load_items, store as store_items
from theano._core.lower.llvm.target.codegen import compile_text


def _memory_size(dtype: str) -> int:
    return np.dtype(dtype).itemsize


def module_text(
    build: Callable[..., Any], dtypes: tuple[str, ...], lanes: int, vector_bits: int
) -> tuple[str, str]:
    """The text of `kernel(out, in0, in1, ..., n)`, n a multiple of `lanes`; and the dtype out."""
    b = Builder(lanes, vector_bits)
    arguments = []
    for i, dtype in enumerate(dtypes):
        pointer = b.emit(f"getelementptr i8, ptr %a{i}, i64 %o{i}")
        arguments.append(load_items(b, pointer, dtype, lanes))
    y = build(b, *arguments)
    pointer = b.emit("getelementptr i8, ptr %out, i64 %oo")
    store_items(b, y, pointer)
    offsets = [f"  %o{i} = mul i64 %i, {_memory_size(dtype)}" for i, dtype in enumerate(dtypes)] + [
        f"  %oo = mul i64 %i, {_memory_size(y.dtype)}"
    ]
    parameters = ", ".join(f"ptr noalias %a{i}" for i in range(len(dtypes)))
    text = "\n".join(
        [
            f"define void @kernel(ptr noalias %out, {parameters}, i64 %n) nounwind {{",
            "start:",
            "  %some = icmp sgt i64 %n, 0",
            "  br i1 %some, label %entry, label %exit",
            "entry:",
            f"  %i = phi i64 [0, %start], [%next, %{b.block}]",
            *offsets,
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
    )
    return text, y.dtype


@functools.cache
def _jit() -> Any:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.create_lljit_compiler()


_kept: list[Any] = []
_numbers = itertools.count()


def load(code: bytes) -> int:
    """The address of `kernel` in an object file."""
    import llvmlite.binding as llvm

    name = f"jig{next(_numbers)}"
    linker = llvm.JITLibraryBuilder().add_object_img(code).add_current_process()
    library = linker.export_symbol("kernel").link(_jit(), name)
    _kept.append(library)
    return library["kernel"]


class Kernel:
    """`build(b, *values)` as a function of arrays of one length."""

    def __init__(
        self, build: Callable[..., Any], dtypes: tuple[str, ...], lanes: int, vector_bits: int = 256
    ) -> None:
        text, self.dtype = module_text(build, dtypes, lanes, vector_bits)
        self.text, self.dtypes, self.lanes = text, dtypes, lanes
        self.code = compile_text(text, vector_bits)
        prototype = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * (len(dtypes) + 1), ctypes.c_int64)
        self.address = load(self.code)
        self.raw = prototype(self.address)

    def __call__(self, *arrays: Any) -> Any:
        n = len(arrays[0])
        padded = -(-n // self.lanes) * self.lanes
        inputs = []
        for array, dtype in zip(arrays, self.dtypes, strict=True):
            full = np.ones(padded, dtype)
            full[:n] = array
            inputs.append(full)
        out = np.empty(padded, self.dtype)
        self.raw(*[a.ctypes.data for a in (out, *inputs)], padded)
        return out[:n]


__all__ = ["ComplexValue", "Kernel", "Value", "module_text"]
