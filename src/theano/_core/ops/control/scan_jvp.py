"""The forward derivative of a loop: the same loop, with a tangent beside what has one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from theano._core.base import dtypes
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.control.body import Body
from theano._core.ops.control.scan_state import Operands, is_rows
from theano._core.ops.core.fill import zeros_like_float

# From outputs of a graph and tangents of some of its variables to tangents of the outputs.
Forward = Callable[[Sequence[Any], Mapping[Any, Any]], list[Any]]


def push_forward(node: Apply, input_tangents: Operands, forward: Forward) -> list[Any]:
    """Return the tangent of each output of a loop, None where it has none.

    Parameters
    ----------
    node : Apply
    input_tangents : Operands
        The tangents of the inputs by role, None for none.
    forward : callable
        `forward(outputs, tangents)` differentiates a graph.
    """
    op, inner, outer = node.op, node.op.inner, node.op.outer(node)
    items = _beside(inner.sequences, input_tangents.sequences)
    fixed = _beside(inner.fixed, input_tangents.fixed)
    active = _active(node, input_tangents, {*items, *fixed})
    taps = {
        tap: _tangent_of(tap, zeros_like_float(tap).type) for j in active for tap in inner.states[j]
    }
    values = [op.new_values[j] for j in active]
    pushed = forward(values, {**items, **fixed, **taps})
    tangents = [
        zeros_like_float(v) if t is None else t for v, t in zip(values, pushed, strict=True)
    ]
    count = len(op.states)
    body = Body(
        [
            *(*inner.sequences, *items.values()),
            *(tap for j in range(count) for tap in inner.states[j]),
            *(taps[tap] for j in active for tap in inner.states[j]),
            *(*inner.fixed, *fixed.values()),
        ],
        [*op.new_values, *tangents, *op.body.outputs[count:]],
    )
    loop = op.replaced(
        body.fresh(),
        states=[*op.states, *(op.states[j] for j in active)],
        n_sequences=op.n_sequences + len(items),
    )
    results = loop.make_node(
        node.inputs[0],
        *(*outer.sequences, *(t for t in input_tangents.sequences if t is not None)),
        *(v for v in outer.states if v is not None),
        *(_start(outer, input_tangents, j) for j in active if op.states[j].taps),
        *(*outer.fixed, *(t for t in input_tangents.fixed if t is not None)),
    ).outputs
    table = dict(zip(active, results[count:], strict=False))
    return [table.get(j) for j in range(len(node.outputs))]


def _beside(variables: Sequence[Variable], tangents: Sequence[Variable | None]) -> dict[Any, Any]:
    """Return a variable of the body for the tangent of each variable that has one."""
    return {
        v: _tangent_of(v, t.type) for v, t in zip(variables, tangents, strict=True) if t is not None
    }


def _tangent_of(variable: Variable, type_: Any) -> Any:
    name = None if variable.name is None else f"d{variable.name}"
    return TensorType(type_.dtype, variable.type.broadcastable)(name)


def _active(node: Apply, input_tangents: Operands, seeds: set[Variable]) -> list[int]:
    """Return the states that have tangents."""
    op = node.op
    started = [j for j, t in enumerate(input_tangents.states) if t is not None]
    seeds = seeds.union(*(op.inner.states[j] for j in started))
    reach = op.reach()
    return [
        j
        for j, value in enumerate(op.new_values)
        if is_rows(value)
        and not dtypes.is_discrete(value.type.dtype)
        and (j in started or not seeds.isdisjoint(reach[j]))
    ]


def _start(outer: Operands, input_tangents: Operands, j: int) -> Any:
    return (
        zeros_like_float(outer.states[j])
        if input_tangents.states[j] is None
        else input_tangents.states[j]
    )
