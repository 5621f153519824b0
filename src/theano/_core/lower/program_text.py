"""A program as the runtime and the cache take it: one text, kernels, and records of plain data.

A function that is found in the cache needs no more of this layer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from theano._core.base.records import Record
from theano._core.ir.variable import Apply

if TYPE_CHECKING:
    from theano._core.lower import program as ir


class CallbackRecord(Record):
    """A Python function that the program calls, with the types of its values."""

    function: Callable[..., Any]
    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]
    # Which inputs are arguments of the program that the function may write into.
    written: tuple[int, ...] = ()
    # Whether its results are read where they are: they show no memory that the program writes.
    lends: bool = False


class Output(Record):
    """Where the runtime finds a result: a buffer slot, or an array that a callback made."""

    kind: str
    descriptor: int
    slot: int


class StepInside(Record):
    """A step of the body of a loop, for profiles.

    Attributes
    ----------
    within : int
        The number of the step that has the loop: of the program, or another one inside.
    nodes : tuple of Apply
    period : int
        It is timed in one of so many steps of the loop.
    """

    within: int
    nodes: tuple[Apply, ...]
    period: int


class ProgramText(Record):
    """A whole program before it is compiled."""

    text: str
    kernels: tuple[Any, ...]  # Kernel: text made when asked for; see launch.py
    frame_size: int
    buffer_slots: tuple[int, ...]
    inputs: tuple[int, ...]  # offset of the descriptor of each input
    constants: tuple[Any, ...]  # arrays and objects, passed as inputs after the others
    constant_offsets: tuple[int, ...]
    outputs: tuple[Output, ...]
    callbacks: tuple[CallbackRecord, ...]
    # For error messages, by number: a node and the loops it is in, outermost first.
    nodes: tuple[tuple[Apply, tuple[Apply, ...]], ...]
    steps: tuple[tuple[Apply, ...], ...]
    program: ir.Program | None = None
    # Where calls are timed: their numbers follow those of `steps`.
    inside: tuple[StepInside, ...] = ()

    def makers_of_slots(self) -> dict[int, int]:
        """Return, by the slot of a buffer, the number of the step that first allocates it."""
        from theano._core.lower import program as ir
        from theano._core.lower.passes.outline import inlined

        makers: dict[int, int] = {}
        number = 0
        for i in ir.walk(inlined(self.program).body) if self.program is not None else ():
            if isinstance(i, ir.Step):
                number = i.index
            elif isinstance(i, ir.Alloc):
                makers.setdefault(i.slot, number)
            elif isinstance(i, ir.Hand):
                makers.setdefault(i.to, number)
        return makers
