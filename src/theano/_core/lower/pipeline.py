"""The passes over a program, in order, from what operations record to what is printed."""

from __future__ import annotations

from collections.abc import Callable

from theano._core.base import developing
from theano._core.base.records import Record
from theano._core.lower.passes.copy_elision import elide_copies
from theano._core.lower.passes.hoist import hoist
from theano._core.lower.passes.lifetimes import lifetimes
from theano._core.lower.passes.outline import outline
from theano._core.lower.passes.registers import registers
from theano._core.lower.program import Program


class Pass(Record):
    """A pass: its name, why it stands where it stands, and the function that does it."""

    name: str
    why: str
    run: Callable[[Program], Program]


PASSES = (
    Pass("registers", "what stays in registers needs none of the memory below", registers),
    Pass("lifetimes", "operations only allocate; what `hoist` moves dies in a step", lifetimes),
    Pass(
        "elide_copies",
        "what is given back right behind a copy is needed by nothing else",
        elide_copies,
    ),
    Pass("hoist", "operations record what they do in every step of a loop", hoist),
    Pass("outline", "LLVM may need too long for a long function; others read it whole", outline),
)


def run(program: Program, watch: Callable[[str, Program], None] | None = None) -> Program:
    """Return what the passes make of a program; it is checked as `THEANO_CHECK` says.

    `watch(name, program)` is called after each pass, and as `recorded` before the first.
    """
    for name, _, change in (Pass("recorded", "", lambda program: program), *PASSES):
        program = change(program)
        if developing.CHECK > 1 or (developing.CHECK and name == PASSES[-1].name):
            from theano._core.lower import spec

            spec.check(program)
        if watch is not None:
            watch(name, program)
    return program
