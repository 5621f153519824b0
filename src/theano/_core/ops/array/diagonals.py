"""Diagonals of the first axes of an array, read and written where they lie: in native code alone.

Elsewhere they are items at positions, which are arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.creation import iota
from theano._core.ops.array.indexing import (
    AT,
    AdvancedIncSubtensor,
    AdvancedSubtensor,
    PartialWrite,
)
from theano._core.ops.core.op import Structured, shape_of
from theano._core.ops.elementwise.arithmetic import add

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, Dims
    from theano._core.ops.core.protocols import Builder, ProgramValue


class Diagonal(Structured):
    """The items `x[i + starts[0], i + starts[1], …]` for all `i` below a count, as a view."""

    __props__ = ("starts",)
    is_view = True
    not_differentiated = "native code alone has it, which is made of gradients"
    # The inputs before the count.
    operands = 1

    def __init__(self, starts: tuple[int, ...]) -> None:
        self.starts = starts

    def place(self, count: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return the positions along each axis."""
        return tuple(np.arange(int(count)) + start for start in self.starts)

    def make_node(self, x: Variable, count: Variable) -> Apply:
        pattern = False, *x.type.broadcastable[len(self.starts) :]
        return self.one([x, count], x.type.dtype, pattern)

    def compute(self, xp: ArrayModule, node: Apply, *values: np.ndarray) -> tuple[Any, ...]:
        x, count = values
        return (x[self.place(count)],)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [(node.inputs[1], *shapes[0][len(self.starts) :])]

    def as_written(self, node: Apply) -> Apply:
        """Return a node as it was before native code: for messages."""
        steps = iota(node.inputs[-1])
        positions = [add(steps, start) for start in self.starts]
        operands = node.inputs[: self.operands]
        plain = self.at_positions().make_node(*operands, *positions)
        plain.source = node.source
        return plain

    def at_positions(self) -> AdvancedSubtensor:
        """Return the operation on arrays of positions that does the same."""
        return AdvancedSubtensor((AT,) * len(self.starts))

    def emit(self, p: Builder, node: Apply, x: ProgramValue, count: ProgramValue) -> Any:
        return p.diagonal(node, x, count, self.starts)


class WriteDiagonal(PartialWrite, Diagonal):
    """`x` with such items set to `y`, or with `y` added to them."""

    __props__ = ("starts", "assign")
    is_view = False
    shape = shape_of(0)
    operands = 2

    def __init__(self, starts: tuple[int, ...], assign: bool) -> None:
        super().__init__(starts)
        self.assign = assign

    def make_node(self, x: Variable, y: Variable, count: Variable) -> Apply:
        return self.one([x, y, count], x.type.dtype, x.type.broadcastable)

    def compute(self, xp: ArrayModule, node: Apply, *values: np.ndarray) -> tuple[Any, ...]:
        x, y, count = values
        out, place = np.array(x), self.place(count)
        out[place] = y if self.assign else out[place] + y
        return (out,)

    def at_positions(self) -> AdvancedIncSubtensor:
        return AdvancedIncSubtensor((AT,) * len(self.starts), self.assign)

    def emit(self, p: Builder, node: Apply, x: ProgramValue, *rest: ProgramValue) -> Any:
        return p.write_diagonal(node, x, *rest, self.starts, self.assign)
