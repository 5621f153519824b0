"""The body of a loop while it is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from theano._core.ir.variable import Apply
from theano._core.lower.program import Block


@dataclass(slots=True, eq=False)
class Region:
    """The body of a loop while it is written.

    Attributes
    ----------
    node : Apply
        The loop.
    step : str
        Register of the number of the step.
    before : list of instructions
        The block that the loop stands in, which ends where it will stand.
    outer : Region or None
        The loop around it.
    depth : int
        How many loops there are with it.
    fixed_slots : set of int
        Buffer slots that are allocated before the loop.
    sequences : dict of str to Array
        C-contiguous sequences, by the address of their item of the step.
    """

    node: Apply
    step: str
    before: Block
    outer: Region | None
    depth: int
    fixed_slots: set[int] = field(default_factory=set)
    sequences: dict[str, Any] = field(default_factory=dict)
