"""The kernel IR: one loop nest over an iteration space.

A `Loop` has axes, operands read at each point of the space, a body that computes values from what
was read, stores of such values, and reductions of such values over the reduced axes.

INVARIANTS
- An operand or store has one address per point: `broadcast` axes are walked with stride 0. A view
  (transpose, slice, broadcast) is nothing but other strides.
- A store covers every axis. A reduction covers exactly the kept axes; all reductions of a loop are
  over the same axes.
- Within one point, reads come before stores. A store may therefore write over an operand that is
  read with the same strides.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from theano._core.base.records import Record
from theano._core.lower.kernel.expression import Body

# Items of one block of a long reduction: sums of blocks are then added pairwise.
REDUCTION_BLOCK = 2048


class KernelReduction(Record):
    """A reduction: `combine` is the builder's method, `start` the first accumulator."""

    combine: str
    start: Any
    dtype: str
    out_dtype: str


class Loop(Record):
    """A loop nest before it is laid out.

    Attributes
    ----------
    rank : int
        Number of axes.
    operands : tuple of (dtype, broadcast axes)
    stores : tuple of dtype
    reductions : tuple of KernelReduction
    reduced : tuple of int
        Axes that the reductions are over.
    body : Body
    """

    rank: int
    operands: tuple[tuple[str, frozenset[int]], ...]
    stores: tuple[str, ...]
    reductions: tuple[KernelReduction, ...]
    reduced: tuple[int, ...]
    body: Body

    @property
    def weight(self) -> int:
        """Rough number of instructions of the body: light bodies get longer vectors."""
        return self.body.cost


def collapse(loop: Loop, single: frozenset[int], order: Sequence[int] = ()) -> list[list[int]]:
    """Return the axes of a loop over contiguous data in as few groups as possible.

    Neighbouring axes join where every operand walks both or broadcasts over both, and where both
    are reduced or both kept. `single` axes have length 1. The `order` is that of rows, or another.
    """
    groups: list[list[int]] = []
    signatures: list[Any] = []
    for axis in order or range(loop.rank):
        if axis in single:
            continue
        signature = (
            axis in loop.reduced,
            tuple(axis in broadcast_axes for _, broadcast_axes in loop.operands),
        )
        if groups and signatures[-1] == signature:
            groups[-1].append(axis)
        else:
            groups.append([axis])
            signatures.append(signature)
    return groups
