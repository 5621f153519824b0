"""Bodies of loops are graphs like others: every phase rewrites them too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from theano._core.ir.graph import copy_graph
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.ops.array.broadcasting import alloc, known_value
from theano._core.ops.array.indexing import IncSubtensor
from theano._core.ops.array.shaping import length
from theano._core.ops.control.body import Body
from theano._core.ops.control.scan import Loop
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.pattern import Rules
from theano._core.rewrite.rules.flatten import number
from theano._core.rewrite.rules.one_hot import adds_to_item
from theano._core.rewrite.rules.reversals import any_reversed

RULES = Rules("canonical")


def _rewrite_body(rewriter: Rewriter, node: Apply) -> Any:
    return with_new_body(rewriter, node, lambda outputs, inner: outputs)


def _rewrite_with_constants(rewriter: Rewriter, node: Apply) -> Any:
    return with_new_body(rewriter, node, lambda outputs, inner: _with_constants(node, outputs))


def _with_constants(node: Apply, outputs: Sequence[Variable]) -> Sequence[Any]:
    """Return what a body makes with constants inside, and vectors of zeros that one item adds to.

    Gradients of an item make such; rules then find what is made of them. What zeros are left is
    moved out again with all else that is the same in every step.
    """
    op: Loop = node.op
    writes = (n for n in op.body.nodes if isinstance(n.op, IncSubtensor) and adds_to_item(n))
    written = {n.inputs[0] for n in writes}
    inside: dict[Variable, Any] = {}
    for inner, outer in zip(op.inner.fixed, op.outer(node).fixed, strict=True):
        if isinstance(outer, Constant) and outer.type == inner.type:
            inside[inner] = outer
        elif inner in written and known_value(outer) == 0:
            inside[inner] = alloc(number(0, inner.type.dtype), length(inner, 0))
    return copy_graph(outputs, inside) if inside else outputs


def _reverse_in_body(rewriter: Rewriter, node: Apply) -> Any:
    return _rewrite_body(rewriter, node) if any_reversed(node.op.body.nodes) else None


def with_new_body(
    rewriter: Rewriter, node: Apply, change: Callable[[Sequence[Variable], Rewriter], Sequence[Any]]
) -> Any:
    """Return the outputs of a loop whose body is changed, and then rewritten by the phase."""
    op: Loop = node.op
    # What it found out in the phase before is found faster.
    _, inner = rewriter.bodies.get(id(op)) or (op, Rewriter())
    if inner.rules is rewriter.rules:
        return None
    outputs = inner.run(
        change(op.body.outputs, inner),
        rewriter.rules,
        op.body.inputs,
        _inner_shapes(rewriter, node),
    )
    same = all(new is old for new, old in zip(outputs, op.body.outputs, strict=True))
    loop = op if same else op.replaced(Body(op.body.inputs, outputs))
    rewriter.bodies[id(loop)] = loop, inner
    return None if same else loop.make_node(*node.inputs).outputs


def _inner_shapes(rewriter: Rewriter, node: Apply) -> dict[Any, Any]:
    """Return the lengths of the body's inputs; what is one length outside is one inside.

    As `Rewriter.run` is told them.
    """
    op: Loop = node.op
    inner, outer = op.inner, op.outer(node)
    pairs = [(v, o, 1) for v, o in zip(inner.sequences, outer.sequences, strict=True)]
    for taps, rows in zip(inner.states, outer.states, strict=True):
        pairs += [(tap, rows, 1) for tap in taps]
    pairs += [(v, o, 0) for v, o in zip(inner.fixed, outer.fixed, strict=True)]
    table: dict[Any, Any] = {}
    inside: dict[Any, Any] = {}
    for variable, source, dropped in pairs:
        if not isinstance(variable.type, TensorType):
            continue
        lengths = rewriter.shape(source)[dropped:]
        shape = []
        for axis, (one, n) in enumerate(zip(variable.type.broadcastable, lengths, strict=True)):
            if one or isinstance(n, int):
                shape.append(1 if one else n)
                continue
            if n not in inside:
                inside[n] = variable, axis
            shape.append(inside[n])
        table[variable] = tuple(shape)
    return table


for _phase, _keeps, _rewrite in (
    ("canonical", "nan", _rewrite_with_constants),
    ("reversals", "rounding", _reverse_in_body),
    ("stable", "nan", _rewrite_body),
    ("special", "nan", _rewrite_body),
    ("blas", "nan", _rewrite_body),
):
    RULES.rule(
        f"loop over steps → loop over steps, its body rewritten ({_phase})",
        on=Loop,
        phase=_phase,
        keeps=_keeps,
        why="the body is a graph like any other",
    )(_rewrite)
