"""Products added to parts of an array that overlap, as one operation: native code alone has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.base.records import Record
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.core.op import Structured, shape_of

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule
    from theano._core.ops.core.protocols import Builder, ProgramValue


class Part(Record):
    """Where something is added: how many items of each axis are before and behind.

    `factors` is how many numbers it is multiplied by, one after the other.
    """

    before: tuple[int, ...]
    behind: tuple[int, ...]
    factors: int

    @property
    def place(self) -> tuple[slice, ...]:
        """The part as an index."""
        pairs = zip(self.before, self.behind, strict=True)
        return tuple(slice(b, -e if e else None) for b, e in pairs)


class SumOfParts(Structured):
    """`x` with products added to parts of it, in their order.

    Inputs are `x`, and for each part an array of its lengths and the numbers that it is multiplied
    by. Of an `x` of `zeros` only the lengths are read. What is added is copied, with zeros around
    it, where it is `padded`.
    """

    __props__ = ("parts", "zeros", "padded")
    not_differentiated = "native code alone has it, which is made of gradients"
    shape = shape_of(0)

    def __init__(self, parts: tuple[Part, ...], zeros: bool, padded: bool) -> None:
        self.parts = parts
        self.zeros = zeros
        self.padded = padded

    def make_node(self, x: Variable, *values: Variable) -> Apply:
        return self.one([x, *values], x.type.dtype, x.type.broadcastable)

    def compute(
        self, xp: ArrayModule, node: Apply, x: np.ndarray, *values: np.ndarray
    ) -> tuple[Any, ...]:
        out, rest = np.array(x), iter(values)
        for part in self.parts:
            value = next(rest)
            for _ in range(part.factors):
                value = value * next(rest)
            out[part.place] += value
        return (out,)

    def emit(self, p: Builder, node: Apply, x: ProgramValue, *values: ProgramValue) -> Any:
        return p.sum_of_parts(node, x, values)
