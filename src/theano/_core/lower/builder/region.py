"""The body of a loop while it is written, and where its results go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from theano._core.base.records import Record
from theano._core.ir.variable import Apply
from theano._core.lower.arrays import Array, Size


class Row(Record):
    """Where a step of a loop leaves the new value of a state."""

    node: Apply  # the loop
    index: int  # of the state
    address: str
    shape: list[Size]

    def check(self, p: Any, got: Sequence[Size]) -> None:
        """Fail unless the value has the lengths of the row."""
        for axis, (wanted, length) in enumerate(zip(self.shape, got, strict=True)):
            facts = (self.index, axis, wanted, length)
            p.check_equal(self.node, wanted, length, "scan_shape", facts)

    def array(self, p: Any, dtype: str, shape: Sequence[Size]) -> Array:
        """Return the row as memory for a value of such lengths."""
        self.check(p, shape)
        return Array(dtype, tuple(self.shape), self.address)


class Place(Record):
    """Where a block of rows leaves its part of a result."""

    part: Array

    def array(self, p: Any, dtype: str, shape: Sequence[Size]) -> Array:
        """Return the part as memory for a value."""
        return self.part


class Region:
    """The body of a loop while it is written.

    Attributes
    ----------
    node : Apply
        The loop.
    step : str
        Register of the number of the step.
    steps : int or str
        How many there are at most.
    outer : Region or None
        The loop around it.
    sequences : dict of str to Array
        C-contiguous sequences, by the address of their item of the step.
    packed : dict of tuple to Array
        Matrices in C order that all steps multiply by, by the address and strides of what they
        were made of.
    rows : dict of Variable to Row
        Results that are written where a row of a state lies.
    """

    __slots__ = ("node", "outer", "packed", "rows", "sequences", "step", "steps")

    def __init__(self, node: Apply, step: str, steps: Size, outer: Region | None) -> None:
        self.node = node
        self.step = step
        self.steps = steps
        self.outer = outer
        self.sequences: dict[str, Any] = {}
        self.packed: dict[tuple[Any, ...], Any] = {}
        self.rows: dict[Any, Row] = {}
