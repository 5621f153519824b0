"""Nodes of a graph that compute the same as others, before any rewriting."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from theano._core.ir.graph import toposort
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.ops.array.sigmoids import as_sigmoid


def through_others(
    order: Sequence[Apply], apart: Collection[object]
) -> tuple[list[Apply], dict[Apply, Apply]]:
    """Return nodes in order, and others through which the cotangents of some go: they are equal.

    Programs write an expression twice, or call the function that makes it: all of them go through
    the first. They write out sigmoids, whose own gradient is exact; that node is added. Values of
    which the gradient is asked for, or given, stay `apart`: other expressions of the same are not
    meant.
    """
    nodes: list[Apply] = []
    instead: dict[Apply, Apply] = {}
    leaders: dict[Any, Apply] = {}
    now: dict[Any, Any] = {}

    def same(variable: Variable) -> Variable:
        return now.get(variable, variable)

    for node in order:
        # The gradient of a sparse matrix may be dense or not, by what reads it.
        dense = all(isinstance(out.type, TensorType) for out in node.outputs)
        merges = dense and node.rules.pure and node.rules.additive
        if merges and all(out not in apart for out in node.outputs):
            key = node.op, *(_value_or_itself(same(v)) for v in node.inputs)
            first = leaders.setdefault(key, node)
            if first is not node and _types(first) == _types(node):
                instead[node] = first
                now.update(zip(node.outputs, first.outputs, strict=True))
            elif (form := as_sigmoid(node.outputs[0], same)) is not None:
                whole, arguments = form[0], set(form[1])
                inside = toposort([node.outputs[0]], arguments)
                if all(n is node or out not in apart for n in inside for out in n.outputs):
                    nodes += toposort([whole], arguments)
                    instead[node] = whole.owner
        nodes.append(node)
    return nodes, instead


def _types(node: Apply) -> list[Any]:
    return [out.type for out in node.outputs]


def _value_or_itself(variable: Variable) -> object:
    """Return what is equal for equal constants, steps of slices included; else a variable."""
    return variable.signature() if isinstance(variable, Constant) else variable
