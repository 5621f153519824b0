"""Bodies of loops and branches, rewritten; inner graphs, written out; assertions, left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from theano._core.ir.graph import copied, toposort
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.assertions import Assert
from theano._core.ops.array.creation import Join
from theano._core.ops.array.index_form import has_numbers, with_numbers_in_index
from theano._core.ops.array.indexing import IncSubtensor, Subtensor
from theano._core.ops.control.body import Body
from theano._core.ops.control.branch import Branch
from theano._core.ops.control.inner_graph import InnerGraph
from theano._core.ops.control.scan import Loop


def classes_in(nodes: Sequence[Apply]) -> set[type]:
    """Return the classes of the operations of some nodes, in loops and branches too."""
    classes: set[type] = set()
    waiting = [nodes]
    while waiting:
        for node in waiting.pop():
            op = node.op
            classes.add(type(op))
            if isinstance(op, (Loop, InnerGraph)):
                waiting.append(op.body.nodes)
            elif isinstance(op, Branch):
                waiting += op.then.nodes, op.otherwise.nodes
    return classes


def hold(present: Iterable[type], classes: tuple[type, ...]) -> bool:
    """Tell whether one of the operations that are `present` is of one of some classes."""
    return any(issubclass(cls, classes) for cls in present)


def in_loops(
    outputs: Sequence[Any], rewrite: Callable[[list[Variable]], list[Variable]]
) -> list[Any]:
    """Return `outputs` with what the bodies of their loops compute rewritten.

    And those of branches, which the last pass makes.
    """
    table: dict[Any, Any] = {}
    for node in toposort(outputs):
        op = node.op
        if not isinstance(op, (Loop, Branch)):
            continue
        bodies = [op.body] if isinstance(op, Loop) else [op.then, op.otherwise]
        changed = [_changed(body, rewrite) for body in bodies]
        if all(a is b for a, b in zip(changed, bodies, strict=True)):
            continue
        op = op.replaced(*changed) if isinstance(op, Loop) else Branch(*changed, name=op.label)
        made = op.make_node(*copied(node.inputs, table))
        made.source = node.source
        table.update(zip(node.outputs, made.outputs, strict=True))
    return copied(outputs, table)


def _changed(body: Body, rewrite: Callable[[list[Variable]], list[Variable]]) -> Body:
    inside = rewrite(list(body.outputs))
    same = all(a is b for a, b in zip(inside, body.outputs, strict=True))
    return body if same else Body(body.inputs, inside)


def inlined(outputs: Sequence[object]) -> list[Any]:
    """Return `outputs` without inner graphs, in the bodies of loops too.

    The numbers of basic indices and the axes of joins are part of the operations from here on.
    """
    outputs = in_loops(outputs, inlined)
    now: dict[Any, Any] = {}
    for node in toposort(outputs):
        inputs = [now.get(v, v) for v in node.inputs] if now else node.inputs
        if isinstance(node.op, InnerGraph):
            body = Body(node.op.body.inputs, inlined(node.op.body.outputs))
            values = body.apply(inputs)
        elif isinstance(node.op, (Subtensor, IncSubtensor)) and has_numbers(node):
            values = with_numbers_in_index(node, inputs).outputs
        elif isinstance(node.op, Join) and node.op.axis is None:
            values = node.op.along_known(node, inputs).outputs
        elif all(a is b for a, b in zip(inputs, node.inputs, strict=True)):
            continue
        else:
            values = node.clone_with_new_inputs(inputs, strict=False).outputs
        now.update(zip(node.outputs, values, strict=True))
    return [now.get(v, v) for v in outputs]


def without_assertions(outputs: Sequence[Variable]) -> list[Any]:
    """Return `outputs` with no condition that users have asserted, in the bodies of loops too."""
    outputs = in_loops(outputs, without_assertions)
    table: dict[Any, Any] = {}
    for node in toposort(outputs):
        # What operations require of their own inputs, a subclass of it, is kept.
        if type(node.op) is Assert:
            table[node.outputs[0]] = copied(node.inputs[:1], table)[0]
    return copied(outputs, table)
