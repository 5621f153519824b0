"""The body of a loop while it is written."""

from __future__ import annotations

from typing import Any

from theano._core.ir.variable import Apply


class Region:
    """The body of a loop while it is written.

    Attributes
    ----------
    node : Apply
        The loop.
    step : str
        Register of the number of the step.
    outer : Region or None
        The loop around it.
    sequences : dict of str to Array
        C-contiguous sequences, by the address of their item of the step.
    packed : dict of tuple to Array
        Matrices in C order that all steps multiply by, by the address and strides of what they
        were made of.
    """

    __slots__ = ("node", "outer", "packed", "sequences", "step")

    def __init__(self, node: Apply, step: str, outer: Region | None) -> None:
        self.node = node
        self.step = step
        self.outer = outer
        self.sequences: dict[str, Any] = {}
        self.packed: dict[tuple[Any, ...], Any] = {}
