"""Inner graphs, written out where they are used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from theano._core.ir.graph import copy_graph, toposort
from theano._core.ops.body import Body
from theano._core.ops.inner_graph import InnerGraph
from theano._core.ops.loop import Loop


def inlined(outputs: Sequence[Any]) -> list[Any]:
    """Return `outputs` without inner graphs, in the bodies of loops too."""
    table: dict[Any, Any] = {}
    for node in toposort(outputs):
        op = node.op
        if isinstance(op, InnerGraph):
            body = Body(op.body.inputs, inlined(op.body.outputs))
            values = body.apply(copy_graph(node.inputs, table))
            table.update(zip(node.outputs, values, strict=True))
        elif isinstance(op, Loop):
            inside = inlined(op.body.outputs)
            if any(a is not b for a, b in zip(inside, op.body.outputs, strict=True)):
                loop = op.replaced(Body(op.body.inputs, inside))
                inputs = copy_graph(node.inputs, table)
                table.update(zip(node.outputs, loop.make_node(*inputs).outputs, strict=True))
    return copy_graph(outputs, table) if table else list(outputs)
