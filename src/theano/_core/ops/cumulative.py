"""Sums and products of all items up to each position."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.broadcasting import alloc
from theano._core.ops.array.dims import as_int64
from theano._core.ops.array.indexing import subtensor
from theano._core.ops.array.shaping import length
from theano._core.ops.control.body import Body
from theano._core.ops.control.scan import Loop
from theano._core.ops.control.scan_state import NEW, State
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.core.naming import hashed_as, known_as
from theano._core.ops.core.op import Structured, shape_of, tensor_operand
from theano._core.ops.elementwise.arithmetic import eq, neq, sub, switch
from theano._core.ops.elementwise.elementwise import cast, conjugate

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, TensorLike
    from theano._core.ops.core.protocols import Batching, Builder, Forward, ProgramValue

MODES = {"add": "cumsum", "mul": "cumprod"}


@known_as("CumOp")
@hashed_as("CumOp")
class Cumulative(Structured):
    """Sum ('add') or product ('mul') of the items of `x` along `axis` up to each position.

    The dtype stays, unlike NumPy's; bool gives int64.
    """

    __props__ = ("axis", "mode")
    through_integers = True
    shape = shape_of(0)

    def __init__(self, axis: int, mode: str) -> None:
        self.axis = int(axis)
        self.mode = mode
        self.long_rule = mode == "mul"

    def __str__(self) -> str:
        return f"CumOp{{{self.axis}, {self.mode}}}"

    def make_node(self, x: Variable) -> Apply:
        x = tensor_operand(MODES[self.mode], x)
        if not 0 <= self.axis < x.type.ndim:
            raise ValueError(f"Invalid axis {self.axis} of {MODES[self.mode]} for {x.type}")
        if x.type.dtype == "bool":
            x = cast(x, "int64")
        return self.one([x], x.type.dtype, x.type.broadcastable)

    def compute(self, xp: ArrayModule, node: Apply, x: np.ndarray) -> tuple[Any, ...]:
        function = getattr(xp, MODES[self.mode])
        return (function(x, axis=self.axis, dtype=x.dtype),)

    def linear(self, node: Apply) -> list[list[int]]:
        return [[0]] if self.mode == "add" else []

    def batch(
        self, node: Apply, values: list[Variable], rows: list[bool], batching: Batching
    ) -> list[Any] | None:
        return [Cumulative(self.axis + 1, self.mode)(values[0])]

    def emit(self, p: Builder, node: Apply, x: ProgramValue) -> Any:
        return p.along(node, MODES[self.mode], x, self.axis)

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        x, out, g = node.inputs[0], node.outputs[0], cotangents[0]
        if self.mode == "add":
            return [self._from_behind(g)]
        zero = eq(x, np.asarray(0, x.type.dtype))
        seen = Cumulative(self.axis, "add")(cast(zero, "int64"))
        first = zero & eq(seen, 1)
        # Up to the first zero by division; at it, with 1 in its place; behind it nothing counts.
        one = np.asarray(1, x.type.dtype)
        without = self(switch(first, one, x))
        behind = self._from_behind(g * conjugate(out)) / conjugate(x)
        at_zero = switch(first, self._from_behind(g * conjugate(without)), 0)
        return [switch(eq(seen, 0), behind, at_zero)]

    def jvp(
        self, node: Apply, tangents: Sequence[Variable | None], forward: Forward
    ) -> list[Any] | None:
        if self.mode == "add":
            return None
        # Of p = p' x: dp = dp' x + p' dx, item after item. Zeros are items as others are.
        x = node.inputs[0]
        order = [self.axis, *(a for a in range(x.type.ndim) if a != self.axis)]
        rows = [dimshuffle(v, order) for v in (x, tangents[0])]
        type_ = TensorType(x.type.dtype, rows[0].type.broadcastable[1:])
        item, slope, product, tangent = (type_() for _ in range(4))
        values = [product * item, tangent * item + product * slope]
        body = Body([item, slope, product, tangent], values)
        loop = Loop(body, [State((1,), NEW)] * 2, 2, name=MODES[self.mode])
        shape = [length(v, a) for v in rows[:1] for a in range(v.type.ndim)]
        one, zero = (alloc(np.asarray(n, x.type.dtype), as_int64(1), *shape[1:]) for n in (1, 0))
        sums = loop.make_node(shape[0], *rows, one, zero).outputs[1]
        return [dimshuffle(sums, np.argsort(order).tolist())]

    def _from_behind(self, g: Variable) -> Any:
        """Return the sums of `g` from each position to the end."""
        back = [slice(None)] * self.axis + [slice(None, None, -1)]
        return subtensor(Cumulative(self.axis, "add")(subtensor(g, back)), back)


def difference(x: TensorLike, axis: int) -> Any:
    """Return the differences of neighbouring items along `axis`; of bools whether they differ."""
    before = [slice(None)] * axis
    later, earlier = (subtensor(x, [*before, s]) for s in (slice(1, None), slice(None, -1)))
    return (neq if later.type.dtype == "bool" else sub)(later, earlier)
