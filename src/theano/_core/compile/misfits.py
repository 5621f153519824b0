"""The user's expression whose operands do not fit, with their names and shapes.

What fails is a node of the graph that rewriting left, fused or in a canonical form. The graph as it
was written is walked with the shapes of the arguments instead, until operands do not fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from theano._core.base.records import Record
from theano._core.ir.graph import toposort
from theano._core.ir.source import SourceLine
from theano._core.ir.text import LONGEST, written
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.lower.reference import evaluate
from theano._core.ops.array.products import BatchedDot, Dot
from theano._core.ops.control.scan import Loop
from theano._core.ops.core.dimshuffle import DimShuffle
from theano._core.ops.elementwise.elementwise import Elementwise

Shape = tuple[Any, ...]

# Two axes, each as (operand, axis of it).
Pair = tuple[tuple[int, int], tuple[int, int]]
# Operations whose operands are told apart.
NAMED = (Dot, BatchedDot, Elementwise)


class Operand(Record):
    """An operand as the user knows it; `axes` are those of the node's, None: a new one."""

    variable: Variable
    shape: Shape
    axes: tuple[int | None, ...]


class Misfit(Record):
    """A node whose operands do not fit, as it was written.

    Attributes
    ----------
    node : Apply
    shapes : dict
        Of all variables that are known.
    names : dict
        What the user calls inputs of the body of a loop.
    in_loop : bool
    """

    node: Apply
    shapes: dict[Variable, Shape]
    names: dict[Variable, str]
    in_loop: bool

    @property
    def shape(self) -> list[Shape]:
        """The shapes of the operands."""
        return [_shape(v, self.shapes) for v in self.node.inputs]


def find(outputs: Sequence[Variable], values: dict[Variable, Any], failed: Apply) -> Misfit | None:
    """Return the user's node whose operands do not fit.

    Parameters
    ----------
    outputs : sequence of Variable
        The graph as it was written.
    values : dict
        Of its inputs.
    failed : Apply
        The node that failed, after rewriting.

    Returns
    -------
    Misfit or None
        None: by the shapes alone, all fit.
    """
    shapes = {v: np.shape(x) for v, x in values.items() if isinstance(v.type, TensorType)}
    misfits = list(_misfits(outputs, shapes, values))
    same = [one for one in misfits if failed.source and one.node.source == failed.source]
    return next(iter(same or misfits), None)


def _misfits(
    outputs: Sequence[Variable],
    shape_of: dict[Variable, Shape],
    values: dict[Variable, Any],
    names: dict[Variable, str] | None = None,
) -> Iterator[Misfit]:
    """Yield the nodes whose operands do not fit, those in loops included."""
    shapes = dict(shape_of)
    for node in toposort(outputs, set(shape_of)):
        here = Misfit(node, shapes, names or {}, names is not None)
        shape = here.shape
        if isinstance(node.op, NAMED) and node.op.misfit(node, shape) is not None:
            yield here
        elif isinstance(node.op, Loop):
            outside = node.op.outside(node)
            called = {v: outside[v].name for v in node.op.inner.fixed if outside[v].name}
            body = node.op.body.outputs
            yield from _misfits(body, _inside(node.op, shape), {}, called)
        if all(isinstance(v.type, TensorType) for v in node.inputs):
            for out, lengths in zip(node.outputs, node.op.shape(node, shape), strict=False):
                shapes[out] = tuple(_number(n, values) for n in lengths)


def _shape(variable: Variable, shapes: dict[Variable, Shape]) -> Shape:
    if isinstance(variable, Constant):
        return np.shape(variable.data)
    return shapes.get(variable) or (None,) * getattr(variable.type, "ndim", 0)


def _inside(loop: Loop, shape: Sequence[Shape]) -> dict[Variable, Shape]:
    """Return the shapes of what the body of a loop takes."""
    operands, inner = loop.by_role(shape, ()), loop.inner
    shape_of = dict(zip(inner.fixed, operands.fixed, strict=True))
    rows = zip(inner.sequences, operands.sequences, strict=True)
    shape_of.update((item, shape[1:]) for item, shape in rows)
    for taps, start in zip(inner.states, operands.states, strict=True):
        shape_of.update((tap, start[1:]) for tap in taps)
    return shape_of


def _number(length: object, values: dict[Variable, Any]) -> int | None:
    """Return a length as a number; None if it is not known."""
    if isinstance(length, int | np.integer | None):
        return None if length is None else int(length)
    try:
        return int(evaluate([length], values)[0])
    except Exception:
        return None


def described(misfit: Misfit) -> str:
    """Say which operands of a node do not fit: the expression, their names and shapes."""
    node = misfit.node
    source = node.source
    used = [
        (index, _operand(v, shape))
        for index, (v, shape) in enumerate(zip(node.inputs, misfit.shape, strict=True))
        if not (isinstance(v, Constant) and v.ndim == 0)
    ]
    operands = [operand for _, operand in used]
    inner = source is not None and any(
        v.owner is not None and v.source == source for v, _, _ in operands
    )
    text = f"{_kind(node)}: in {_expression(node, source)}"
    around = _around(node)
    pair = _pair(node, operands)
    if inner and all(v in misfit.shapes for v in around):
        # What a function of ours is made of says nothing to who called it.
        names = [_name(v, source, misfit, k) for k, v in enumerate(around)]
        if pair is not None:
            one, two = (operands[i].shape[axis] for i, axis in pair)
            text += f", {one} items meet {two}"
        return f"{text}. Shapes: {_listed(names, [misfit.shapes[v] for v in around])}."
    names = [_name(operand.variable, source, misfit, k) for k, operand in used]
    shapes = f"Shapes: {_listed(names, [operand.shape for operand in operands])}."
    if pair is None:
        return f"{text}: {node.op.misfit(node, misfit.shape)}. {shapes}"
    (i, axis), (j, other) = pair
    return (
        f"{text}, axis {axis} of {names[i]} has {operands[i].shape[axis]} items, "
        f"axis {other} of {names[j]} has {operands[j].shape[other]}. {shapes}"
        f"{_hint(node, operands, names, pair)}"
    )


def _listed(names: Sequence[str], shapes: Sequence[Shape]) -> str:
    return ", ".join(f"{name} {shape}" for name, shape in zip(names, shapes, strict=True))


def _around(node: Apply) -> list[Any]:
    """Return what the user's expression of a node is made of: arrays that other lines gave."""
    variables: dict[Any, None] = {}
    todo = list(reversed(node.inputs))
    while todo:
        v = todo.pop()
        if v.owner is not None and v.source == node.source:
            todo += reversed(v.owner.inputs)
        elif not isinstance(v, Constant) and getattr(v.type, "ndim", 0):
            variables.setdefault(v)
    return list(variables)


def _kind(node: Apply) -> str:
    # Theano's texts: programs look for them.
    if isinstance(node.op, Elementwise):
        return "Input dimension mis-match"
    return "Shape mismatch"


def _operand(variable: Variable, shape: Shape) -> Operand:
    """Return what the user gave, of which the operand is a view with new axes or another dtype."""
    axes: tuple[int | None, ...] = tuple(range(len(shape)))
    while variable.owner is not None:
        op = variable.owner.op
        if isinstance(op, DimShuffle) and _only_pads(op):
            kept = [axis for axis, old in enumerate(op.new_order) if old != "x"]
            lift = {axis: index for index, axis in enumerate(kept)}
            axes = tuple(None if axis is None else lift.get(axis) for axis in axes)
            shape = tuple(shape[axis] for axis in kept)
        elif not (isinstance(op, Elementwise) and op.is_cast):
            break
        variable = variable.owner.inputs[0]
    return Operand(variable, shape, axes)


def _only_pads(op: DimShuffle) -> bool:
    """Tell whether it only puts axes before those that are there, as broadcasting does."""
    count = len(op.input_broadcastable)
    return op.new_order[len(op.new_order) - count :] == tuple(range(count))


def _pair(node: Apply, operands: Sequence[Operand]) -> Pair | None:
    """Return the two axes that differ."""
    if isinstance(node.op, Dot):
        return (0, len(operands[0].shape) - 1), (1, 0)
    if isinstance(node.op, BatchedDot):
        x, y = (operand.shape for operand in operands)
        if x[-1] != y[-2]:
            return (0, len(x) - 1), (1, len(y) - 2)
        return next(((0, k), (1, k)) for k in node.op.paired(node) if x[k] != y[k])
    if not isinstance(node.op, Elementwise):
        return None
    for axis in range(node.outputs[0].ndim):
        own = [(i, operand.axes[axis]) for i, operand in enumerate(operands)]
        axes = [
            (i, k)
            for i, k in own
            if k is not None
            and operands[i].shape[k] is not None
            and not operands[i].variable.type.broadcastable[k]
        ]
        for i, k in axes[1:]:
            if operands[i].shape[k] != operands[axes[0][0]].shape[axes[0][1]]:
                return axes[0], (i, k)
    return None


def _hint(node: Apply, operands: Sequence[Operand], names: Sequence[str], pair: Pair) -> str:
    """Say what would fit, after a blank; '' if nothing is near."""
    (i, axis), (j, other) = pair
    x, y = operands[i].shape, operands[j].shape
    if isinstance(node.op, Dot):
        if len(y) == 2 and y[1] == x[-1]:
            return f" {_whole(names[j])}.T would fit."
        if len(x) == 2 and x[0] == y[0]:
            return f" {_whole(names[i])}.T would fit."
        return ""
    if not isinstance(node.op, Elementwise):
        return ""
    for k, where in ((i, axis), (j, other)):
        if operands[k].shape[where] == 1:
            return (
                " A length of 1 is broadcast only where the variable declares it broadcastable: "
                f"theano.tensor.addbroadcast({names[k]}, {where})."
            )
    for shape, name, whole in ((y, names[j], x), (x, names[i], y)):
        if len(shape) == 1 and len(whole) == 2 and shape[0] == whole[0]:
            return f" {_whole(name)}[:, None] is a column, one item for each row."
    return ""


def _whole(name: str) -> str:
    """Return a text that can be followed by a point."""
    simple = name.isidentifier() or (name.endswith((")", "]")) and "(" in name)
    return name if simple and " " not in name.partition("(")[0] else f"({name})"


def _expression(node: Apply, source: SourceLine | None) -> str:
    text = source.expression() if source is not None else None
    return text or written(node.outputs[0]) or str(node)


def _name(variable: Variable, source: SourceLine | None, misfit: Misfit, number: int) -> str:
    """Return what the user calls an operand of an expression that stands at `source`."""
    if variable.owner is None:
        name = misfit.names.get(variable) or variable.name
        return name or f"operand {number} (0-based)"
    text = None
    if variable.source is not None and variable.source != source:
        text = variable.source.expression()
    if text is None or len(text) > LONGEST:
        text = variable.name or written(variable)
    return text or f"operand {number} (0-based)"
