"""Why loops are not one: what fusion notes for those who ask."""

from __future__ import annotations

from theano._core.base.records import Record
from theano._core.ir.variable import Apply


class Apart(Record):
    """Two nodes, one of which makes what the other reads, whose loops are not one, and why."""

    made_by: Apply
    read_by: Apply
    why: str


# Why loops are not one.
SHAPES = "their shapes are not known to be equal"
HEAVY = "together they would be so long that processors see no two iterations at once"
AXES = "they sum over different axes"
BETWEEN = "the second needs what follows from all of the first, too"
POSITIONS = "items at positions are picked and written by loops of their own"
REDUCED = "a sum is known only when its whole loop has run"
