"""7. LLVM: the text of a loop, and machine code for it.

LLVM's language is assembly for a machine with endless registers. A loop becomes one function of it:
load the items, compute, store. Each operation says how with a builder `b`: `b("fadd", x, y)` writes
an instruction and returns the name of its result, `b.call("exp", x)` calls a C function.

The real one: `src/theano/_core/lower/llvm/builder.py` and its neighbours. It writes instructions
for vectors of numbers, and has polynomials where this chapter calls C's `exp`: several times faster
than a call for each number. A cache on disk keeps the code.
"""

import ctypes

import llvmlite.binding as llvm
import numpy as np
from graph import Constant, Variable
from loops import schedule
from op import Sum, exp, log, total

llvm.initialize_native_target()
llvm.initialize_native_asmprinter()


class Builder:
    """Lines of text, and fresh names."""

    def __init__(self):
        self.lines = []
        self.count = 0
        self.called = {}

    def emit(self, text):
        """Write a line that defines a name, and return the name."""
        self.count += 1
        self.lines.append(f"  %v{self.count} = {text}")
        return f"%v{self.count}"

    def __call__(self, instruction, *names):
        return self.emit(f"{instruction} double {', '.join(names)}")

    def call(self, function, *names):
        """Write the call of a C function of doubles."""
        self.called[function] = f"declare double @{function}({', '.join(['double'] * len(names))})"
        return self.emit(f"call double @{function}({', '.join(f'double {n}' for n in names)})")


def literal(value):
    """Return a number as LLVM reads it, to the last bit."""
    return f"0x{np.float64(value).view('uint64'):016X}"


def text_of(loop):
    """Return a function `void loop(double **arrays, int64_t steps)`: first loads, then stores."""
    b = Builder()
    place = {v: k for k, v in enumerate([*loop.loads, *loop.stores])}

    def address(v):
        at = b.emit(f"getelementptr ptr, ptr %arrays, i64 {place[v]}")
        array = b.emit(f"load ptr, ptr {at}")
        return b.emit(f"getelementptr double, ptr {array}, i64 %i") if v.ndim else array

    known = {v: b.emit(f"load double, ptr {address(v)}") for v in loop.loads}
    for node in loop.nodes:
        names = [literal(v.value) if isinstance(v, Constant) else known[v] for v in node.inputs]
        known[node.output] = names[0] if isinstance(node.op, Sum) else node.op.llvm(b, *names)
    for v in loop.stores:
        at = address(v)
        result = known[v]
        if v in loop.sums:
            result = b("fadd", b.emit(f"load double, ptr {at}"), result)
        b.lines.append(f"  store double {result}, ptr {at}")
    return "\n".join(
        [
            *b.called.values(),
            "define void @loop(ptr %arrays, i64 %steps) {",
            "entry:\n  %some = icmp sgt i64 %steps, 0\n  br i1 %some, label %step, label %end",
            "step:\n  %i = phi i64 [ 0, %entry ], [ %next, %step ]",
            *b.lines,
            "  %next = add i64 %i, 1\n  %more = icmp slt i64 %next, %steps",
            "  br i1 %more, label %step, label %end",
            "end:\n  ret void\n}",
        ]
    )


def compiled(text):
    """Return machine code as a function that Python can call; it keeps its memory alive."""
    machine = llvm.Target.from_default_triple().create_target_machine(opt=2)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(text), machine)
    engine.finalize_object()
    kind = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)
    function = kind(engine.get_function_address("loop"))
    function.engine = engine
    return function


if __name__ == "__main__":
    x = Variable(1, name="x")
    (loop,) = schedule([total(log(1 + exp(x)))])
    run = compiled(text_of(loop))
    given, result = np.linspace(-1, 1, 1000), np.zeros(1)
    arrays = (ctypes.c_void_p * 2)(given.ctypes.data, result.ctypes.data)
    run(arrays, given.size)
    np.testing.assert_allclose(result[0], np.log(1 + np.exp(given)).sum(), rtol=1e-12)
