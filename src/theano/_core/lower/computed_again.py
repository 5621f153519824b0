"""What a loop computes again instead of reading it: what is cheap, and made of smaller arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from theano._core.ir.variable import Apply, Constant
from theano._core.ops.array.shaping import Length
from theano._core.ops.elementwise.elementwise import Elementwise

# What takes so few instructions is sooner computed from smaller arrays than read from memory.
CHEAP = 4


def compute_again(node: Apply, step: Any, producer: Any, step_of: Mapping[Any, Any]) -> None:
    """Have a step compute what `node` reads of a step that it cannot join, where that is cheap.

    The other step still makes it for those who read it from memory, if there are any.
    """
    for value in node.inputs:
        nodes: dict[Apply, None] = {}
        if step_of.get(value.owner) is producer and _left(value.owner, step_of, nodes, CHEAP) >= 0:
            step.weight += len(nodes)
            step.again |= nodes


def computed(step: Any) -> list[Apply]:
    """Return all nodes that a step computes."""
    return [*(node for node in step.again if node not in step.nodes), *step.nodes]


def inputs_read(node: Apply) -> list[Any]:
    """Return the inputs whose values a node reads: a length of an array is known without it."""
    return [] if isinstance(node.op, Length) else node.inputs


def step_inputs(step: Any) -> list[Any]:
    """Return the variables that a step reads from elsewhere, each once."""
    nodes = computed(step)
    own = set(nodes)
    variables: dict[Any, None] = {}
    for node in nodes:
        for variable in inputs_read(node):
            if variable.owner not in own and not isinstance(variable, Constant):
                variables.setdefault(variable)
    return list(variables)


def _left(node: Any, step_of: Mapping[Any, Any], nodes: dict[Apply, None], left: int) -> int:
    """Return what is left of the instructions that a node and what it is made of may take."""
    step = step_of.get(node)
    if step is None or not step.is_loop or not isinstance(node.op, Elementwise):
        return -1
    left -= node.op.cost
    whole = node.outputs[0].type.broadcastable
    for value in node.inputs:
        if left >= 0 and value.owner not in nodes and value.type.broadcastable == whole:
            left = _left(value.owner, step_of, nodes, left)
    nodes[node] = None
    return left
