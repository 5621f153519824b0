"""Nodes of a graph that compute the same as others, before any rewriting."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Constant, Variable


def first_of_equal(order: Sequence[Apply], apart: Collection[object]) -> dict[Apply, Apply]:
    """Return the first of equal nodes for the others: one cotangent is sent through them all.

    Programs write an expression twice, or call the function that makes it. Values of which the
    gradient is asked for, or given, stay `apart`: another expression of the same is not meant.
    """
    first: dict[Apply, Apply] = {}
    known: dict[Any, Apply] = {}
    now: dict[Any, Any] = {}
    for node in order:
        # The gradient of a sparse matrix may be dense or not, by what reads it.
        dense = all(isinstance(out.type, TensorType) for out in node.outputs)
        if not dense or not node.rules.pure or any(out in apart for out in node.outputs):
            continue
        inputs = [now[v] if v in now else _number_or_itself(v) for v in node.inputs]
        same = known.setdefault((node.op, *inputs), node)
        if same is not node and [v.type for v in same.outputs] == [v.type for v in node.outputs]:
            first[node] = same
            now.update(zip(node.outputs, same.outputs, strict=True))
    return first


def _number_or_itself(variable: Variable) -> object:
    """Return what is equal for equal numbers, and a variable itself else."""
    if isinstance(variable, Constant) and isinstance(variable.type, TensorType):
        if variable.data.size == 1:
            return variable.type, variable.data.tobytes()
    return variable
