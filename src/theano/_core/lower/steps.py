"""What each step of a program does: the kernels that it runs and the functions that it calls."""

from __future__ import annotations

from typing import Any, NamedTuple

from theano._core.lower import program as ir
from theano._core.lower.passes.outline import inlined
from theano._core.lower.program_text import ProgramText

# Functions of the runtime that compute, and what they are to a reader.
LIBRARIES = {
    "matmul": "BLAS",
    "multiply_packed": "BLAS",
    "lapack": "LAPACK",
    "convolve": "convolution",
    "callback": "Python",
    "along": "sort",
    "select": "select",
    "search": "search",
    "copy": "copy",
}


class StepWork(NamedTuple):
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
            number = i.number
        elif number < 0:
            continue
        elif isinstance(i, (ir.Launch, ir.Fold)) and isinstance(i.kernel, int):
            kernels[number].setdefault(i.kernel)
        elif isinstance(i, ir.Call) and i.function in LIBRARIES:
            calls[number].append(LIBRARIES[i.function])
    return [StepWork(tuple(k), tuple(c)) for k, c in zip(kernels, calls, strict=True)]


def kernel_loop_text(kernel: Any) -> str:
    """Return the loop of a kernel as text: its axes, what it reads, computes, and writes."""
    kernel = getattr(kernel, "kernel", kernel)
    loop = getattr(kernel, "loop", None)
    if loop is None:
        return f"{type(kernel).__name__}: written straight as LLVM text"
    lines = [f"loop over {loop.rank} axes, as {len(kernel.groups)} nested loops {kernel.groups}"]
    lines.append(f"layout {kernel.layout}, {kernel.lanes} lanes, weight {loop.weight}")
    for number, (dtype, axes) in enumerate(loop.operands):
        same = f", the same along axes {sorted(axes)}" if axes else ""
        lines.append(f"read %{number}: {dtype}{same}")
    lines += [f"write: {dtype}" for dtype in loop.stores]
    for fold in loop.folds:
        axes = ", ".join(map(str, loop.reduced))
        lines.append(f"fold by {fold.combine} from {fold.start} in {fold.dtype} over axes {axes}")
    return "\n".join([*lines, "at each point:", *(f"  {x}" for x in str(loop.body).split("\n"))])
