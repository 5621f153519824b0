"""The body of a loop while it is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from theano._core.ir.variable import Apply


@dataclass(slots=True, eq=False)
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
    """

    node: Apply
    step: str
    outer: Region | None
    sequences: dict[str, Any] = field(default_factory=dict)
