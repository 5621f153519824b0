"""What each step of a program does: the kernels that it runs and the functions that it calls."""

from __future__ import annotations

from theano._core.base.records import Record
from theano._core.lower import program as ir
from theano._core.lower.passes.outline import inlined
from theano._core.lower.program_text import ProgramText

# Functions of the runtime that compute, and what they are to a reader.
LIBRARIES = {
    "matmul": "BLAS",
    "multiply_packed": "BLAS",
    "multiply_pairs": "BLAS",
    "matrix_pass": "two products in one pass",
    "lapack": "LAPACK",
    "convolve": "convolution",
    "transform": "Fourier transform",
    "sparse": "sparse loop",
    "callback": "Python",
    "along": "sort",
    "select": "select",
    "search": "search",
    "extremes": "search for extremes",
    "copy": "copy",
}


class StepWork(Record):
    """What a step does.

    Attributes
    ----------
    kernels : tuple of int
        Numbers of kernels.
    calls : tuple of str
        Values of `LIBRARIES`.
    """

    kernels: tuple[int, ...]
    calls: tuple[str, ...]


def work_of_steps(text: ProgramText) -> list[StepWork]:
    """Return what each step of a program does."""
    kernels: list[dict[int, None]] = [{} for _ in text.steps]
    calls: list[list[str]] = [[] for _ in text.steps]
    number = -1
    for i in ir.walk(inlined(text.program).body) if text.program is not None else ():
        if isinstance(i, ir.Step):
            number = i.index
        elif number < 0:
            continue
        elif isinstance(i, (ir.Launch, ir.Reduce)) and isinstance(i.kernel, int):
            kernels[number].setdefault(i.kernel)
        elif isinstance(i, (ir.Call, ir.Launch)):
            name = i.function if isinstance(i, ir.Call) else i.kernel
            calls[number] += [LIBRARIES[name]] if name in LIBRARIES else []
    return [StepWork(tuple(k), tuple(c)) for k, c in zip(kernels, calls, strict=True)]
