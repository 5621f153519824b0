"""A program as the runtime and the cache take it: one text, kernels, and records of plain data.

A function that is found in the cache needs no more of this layer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from theano._core.ir.variable import Apply

if TYPE_CHECKING:
    from theano._core.lower import program as ir


class CallbackRecord(NamedTuple):
    """A Python function that the program calls, with the types of its values."""

    function: Callable[..., Any]
    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]
    # Which inputs are arguments of the program that the function may write into.
    written: tuple[int, ...] = ()


class Output(NamedTuple):
    """Where the runtime finds a result: a buffer slot, or an array that a callback made."""

    kind: str
    descriptor: int
    slot: int


class ProgramText(NamedTuple):
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
