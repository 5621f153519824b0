"""Branches that rewriting makes, and those in gradients: only what is taken is computed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.base.records import Record
from theano._core.ir.graph import made_by
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.broadcasting import Alloc, alloc, known_value
from theano._core.ops.array.creation import Join
from theano._core.ops.array.dims import as_int64
from theano._core.ops.array.indexing import (
    AdvancedIncSubtensor,
    AdvancedSubtensor,
    IncSubtensor,
    Subtensor,
)
from theano._core.ops.array.products import BatchedDot, Dot
from theano._core.ops.array.reductions import Reduction
from theano._core.ops.array.shaping import MakeVector, Rebroadcast, Reshape
from theano._core.ops.control.branch import IfElse, if_else
from theano._core.ops.control.scan import Loop
from theano._core.ops.core.dimshuffle import DimShuffle, dimshuffle
from theano._core.ops.core.fill import Second
from theano._core.ops.core.op import as_variable
from theano._core.ops.cumulative import Cumulative
from theano._core.ops.elementwise.arithmetic import (
    add,
    eq,
    mul,
    neg,
    neq,
    or_,
    sub,
    switch,
    true_div,
)
from theano._core.ops.elementwise.elementwise import Elementwise, cast_op
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.pattern import Rules

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike

RULES = Rules("canonical")
rule = RULES.rule
# Of a sum of values that may be zero, so many have a branch of their own.
MOST_NESTED = 4
MOST_TERMS = 16
# Variables looked at to see whether something is long to compute.
MOST_SEEN = 50
# Elementwise operations that are linear in some of their inputs → groups of those.
ELEMENTWISE: dict[Any, list[list[int]]] = {
    mul: [[0], [1]],
    true_div: [[0]],
    neg: [[0]],
    **{cast_op(dtype): [[0]] for dtype in ("float32", "float64", "complex64", "complex128")},
}
# Classes of operations that declare this themselves.
LINEAR = (
    Dot,
    BatchedDot,
    DimShuffle,
    Rebroadcast,
    Reshape,
    Alloc,
    Second,
    Reduction,
    Cumulative,
    Join,
    MakeVector,
    Subtensor,
    IncSubtensor,
    AdvancedSubtensor,
    AdvancedIncSubtensor,
)


def _sides(variable: Variable) -> tuple[Any, Any, Any] | None:
    """Return (condition, one, other) of a branch with a single value."""
    node = made_by(variable, IfElse)
    if node is None or node.op.n_outs != 1:
        return None
    return node.inputs[0], node.inputs[1], node.inputs[2]


class _Part(Record):
    """A value that is zero unless a condition holds, or does not hold."""

    condition: Any
    holds: bool
    value: Any

    def choose(self, one: Variable, other: TensorLike) -> Any:
        """Return `one` where this value need not be zero, else `other`."""
        return if_else(self.condition, *((one, other) if self.holds else (other, one)))

    @property
    def needed(self) -> Any:
        """When the value need not be zero, as a truth value."""
        if self.holds and self.condition.type.dtype == "bool":
            return self.condition
        return (neq if self.holds else eq)(self.condition, 0)


def _part(variable: Variable) -> _Part | None:
    """Return what a branch with zeros on one side, and only on one, consists of."""
    sides = _sides(variable)
    if sides is None:
        return None
    condition, one, other = sides
    zero = [known_value(v) == 0 for v in (one, other)]
    value = other if zero[0] else one
    if zero[0] == zero[1] or value.type != variable.type:
        return None
    return _Part(condition, zero[1], value)


def _joint(inputs: Sequence[Variable], places: Iterable[int]) -> tuple[_Part, list[Any]] | None:
    """Return when inputs in some places are not all zero, and the inputs as they are then.

    None if that is always, or hangs on several conditions.
    """
    inputs, first = list(inputs), None
    for place in places:
        if known_value(inputs[place]) == 0:
            continue
        part = _part(inputs[place])
        if part is None or (first is not None and part[:2] != first[:2]):
            return None
        first, inputs[place] = first or part, part.value
    return None if first is None else (first, inputs)


@rule(
    "if(c, [x, u], [y, v]) → [if(c, x, y), if(c, u, v)]",
    on=IfElse,
    keeps="exact",
    why="each value is computed only where it is used; what is used together meets again at last",
)
def _apart(rewriter: Rewriter, node: Apply) -> Any:
    if node.op.n_outs == 1:
        return None
    one = IfElse(1, name=node.op.label)
    return [one(node.inputs[0], *pair) for pair in zip(*node.op.sides(node), strict=True)]


@rule("if(1, x, y) → x", on=IfElse, keeps="exact", why="the other side is not compiled")
def _decided(rewriter: Rewriter, node: Apply) -> Any:
    condition = known_value(node.inputs[0])
    if condition is None:
        return None
    taken = node.op.sides(node)[not condition]
    pairs = zip(taken, node.outputs, strict=True)
    return list(taken) if all(v.type == out.type for v, out in pairs) else None


@rule(
    "f(if(c, x, 0)) → if(c, f(x), 0)",
    on=(*ELEMENTWISE, *LINEAR),
    needs=(IfElse,),
    keeps="nan",
    why="f is not computed when the other side is taken",
)
def _into_branch(rewriter: Rewriter, node: Apply) -> Any:
    """For linear f."""
    if all(_sides(v) is None for v in node.inputs):
        return None
    for places in _linear_places(node):
        joint = _joint(node.inputs, places)
        if joint is not None and not _is_deep(joint[0]):
            part, inputs = joint
            value = node.op.make_node(*inputs).outputs[0]
            return part.choose(value, _zeros(rewriter, node.outputs[0]))
    return None


def _is_deep(part: _Part) -> bool:
    """Tell whether more branches of zeros are in a value than operations move through."""
    inner: _Part | None = part
    for _ in range(MOST_NESTED):
        inner = _part(inner.value)
        if inner is None:
            return False
    return True


def _linear_places(node: Apply) -> list[list[int]]:
    """Return groups of inputs: the output is zero if all inputs of one are."""
    linear = ELEMENTWISE.get(node.op)
    return node.rules.linear(node) if linear is None else linear


@rule(
    "if(c, x, y) + if(c, u, v) → if(c, x + u, y + v)",
    on=(add, sub),
    needs=(IfElse,),
    keeps="exact",
    why="one branch instead of two",
)
def _together(rewriter: Rewriter, node: Apply) -> Any:
    first, second = (_sides(v) for v in node.inputs)
    if first is None or second is None or first[0] is not second[0]:
        return None
    return if_else(first[0], node.op(first[1], second[1]), node.op(first[2], second[2]))


@rule(
    "if(c, x, 0) + if(d, y, 0) → if(c or d, if(c, if(d, x + y, x), y), 0)",
    on=(add, sub),
    needs=(IfElse,),
    keeps="nan",
    why="what is linear in the sum is not computed when both are zero",
)
def _one_of_two(rewriter: Rewriter, node: Apply) -> Any:
    out, (one, two) = node.outputs[0], (_part(v) for v in node.inputs)
    if one is None or two is None:
        return None
    x, y = one.value, two.value
    # The sum does not broadcast them: each alone has its shape.
    if any(v.type != out.type or not rewriter.same_shape(v, out) for v in (x, y)):
        return None
    only_two = -y if node.op is sub else y
    needed = one.needed | two.needed
    if _terms(needed) > MOST_TERMS:
        return None
    either = one.choose(two.choose(node.op(x, y), x), only_two)
    return if_else(needed, either, _zeros(rewriter, out))


def _terms(condition: Variable) -> int:
    node = condition.owner
    return sum(_terms(v) for v in node.inputs) if node is not None and node.op is or_ else 1


@rule(
    "loop(if(c, x, 0)) → if(c, loop(x), 0)",
    on=Loop,
    needs=(IfElse,),
    keeps="nan",
    why="gradients through a loop are not computed when the other side is taken",
)
def _loop_into_branch(rewriter: Rewriter, node: Apply) -> Any:
    """For a loop that makes zeros of zeros."""
    if node.op.until or not all(isinstance(v.type, TensorType) for v in node.outputs):
        return None
    places = [i for i, v in enumerate(node.inputs) if known_value(v) == 0 or _part(v) is not None]
    joint = _joint(node.inputs, (i for i in places if i))
    if joint is None or not _makes_zeros(node, {node.inputs[i] for i in places if i}):
        return None
    part, inputs = joint
    results = node.op.make_node(*inputs).outputs
    zeros = [_zeros(rewriter, out) for out in node.outputs]
    return [part.choose(v, w) for v, w in zip(results, zeros, strict=True)]


def _makes_zeros(node: Apply, zeros: set[Variable]) -> bool:
    """Tell whether all outputs of a loop are zero if the inputs `zeros` are."""
    op = node.op
    outside = op.outside(node)
    zero = {v for v, o in outside.items() if o in zeros}
    while True:
        inside = set(zero)
        for step in op.body.nodes:
            if _is_zero_of(step, inside):
                inside.update(step.outputs)
        lost = {
            tap
            for taps, new in zip(op.inner.states, op.new_values, strict=True)
            for tap in taps
            if tap in zero and new not in inside and known_value(new) != 0
        }
        if not lost:
            break
        zero -= lost
    return all(
        (new in inside or known_value(new) == 0) and all(tap in zero for tap in taps)
        for taps, new in zip(op.inner.states, op.new_values, strict=True)
    )


def _is_zero_of(node: Apply, zero: set[Variable]) -> bool:
    """Tell whether the outputs of a node are zero if variables in `zero` are."""

    def all_zero(places: Iterable[int]) -> bool:
        return all(node.inputs[i] in zero or known_value(node.inputs[i]) == 0 for i in places)

    if node.op in (add, sub):
        return all_zero(range(len(node.inputs)))
    linear = node.op in ELEMENTWISE or isinstance(node.op, (*LINEAR, IfElse))
    return linear and any(all_zero(places) for places in _linear_places(node))


def _zeros(rewriter: Rewriter, out: Variable) -> Any:
    zero = as_variable(np.zeros((), dtype=out.type.dtype))
    if not out.type.ndim:
        return zero
    return alloc(zero, *(as_int64(n) for n in rewriter.shape(out)))


@rule(
    "switch(scalar, x, y) → if(scalar, x, y)",
    on=switch,
    phase="special",
    keeps="exact",
    why="one side is computed instead of both",
)
def _switch_to_branch(rewriter: Rewriter, node: Apply) -> Any:
    """Where x or y is long to compute."""
    condition, out = node.inputs[0], node.outputs[0]
    if not out.type.ndim or not all(condition.type.broadcastable):
        return None
    sides = node.inputs[1:]
    # That their lengths agree must be certain, since a branch does not check it.
    if any(v.type != out.type for v in sides):
        return None
    if rewriter.shape(sides[0]) != rewriter.shape(sides[1]):
        return None
    if not any(_is_long(rewriter, side) for side in sides):
        return None
    return if_else(dimshuffle(condition, ()), *sides)


def _is_long(rewriter: Rewriter, value: Variable) -> bool:
    """Tell whether what only `value` needs has a product or a long function in it."""
    stack = [value]
    for _ in range(MOST_SEEN):
        if not stack:
            break
        variable = stack.pop()
        node = variable.owner
        if node is None or rewriter.uses.get(variable, 0) > 1:
            continue
        if isinstance(node.op, (Dot, Loop)) or (
            isinstance(node.op, Elementwise) and node.op.is_dear(node)
        ):
            return True
        stack += node.inputs
    return False
