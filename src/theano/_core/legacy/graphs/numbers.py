"""Numbers that operations of rewritten graphs hold, as inputs: so users write them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from theano._core.ir import hooks
from theano._core.ir.graph import copied, toposort
from theano._core.ir.variable import Variable
from theano._core.ops.array.creation import Join
from theano._core.ops.array.index_form import join_index, split_index
from theano._core.ops.array.indexing import IncSubtensor, Subtensor


def numbers_as_inputs(outputs: Sequence[Variable]) -> list[Any]:
    """Return a graph in which axes of joins and numbers of indices are inputs of their nodes.

    Not to be called while a function is made: then they are parts of operations.
    """
    now: dict[Any, Any] = {}
    for node in toposort(outputs):
        op: Any = node.op
        if isinstance(op, Join) and op.axis is not None:
            made = Join().make_node(op.axis, *copied(node.inputs, now))
        elif isinstance(op, (Subtensor, IncSubtensor)):
            inputs = copied(node.inputs, now)
            entries = join_index(op.index, inputs[op.operands :])
            form, values = split_index(entries, hooks.index_constant)
            same = op.indexed(form)
            # What it may overwrite, too.
            vars(same).update(vars(op), index=form)
            made = same.make_node(*inputs[: op.operands], *values)
        else:
            continue
        made.take_over(node)
        now[node.outputs[0]] = made.outputs[0]
    return copied(outputs, now)
