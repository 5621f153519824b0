"""Cross-entropies of softmax with class numbers: the numbers must not count from the end.

Theano 1.0.5 computed ``log(softmax(x))[arange(y.shape[0]), y]`` by an operation that refused
negative numbers: a label that stands for "none", often -1, is an error and not the last class.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from theano._core.ir.graph import copy_graph, made_by, toposort
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.assertions import Require
from theano._core.ops.array.creation import ARange
from theano._core.ops.array.indexing import AT, AdvancedIncSubtensor, AdvancedSubtensor, Subtensor
from theano._core.ops.array.reductions import Reduction, reduce
from theano._core.ops.array.shaping import Length, ShapeOf, length
from theano._core.ops.control.inner_graph import Softmax
from theano._core.ops.core.dimshuffle import DimShuffle
from theano._core.ops.elementwise.arithmetic import true_div
from theano._core.ops.elementwise.transcendental import exp, log

IN_BOUNDS = Require(
    "y_i value out of bounds: class numbers count from 0 to one less than the columns of x"
)


def in_bounds(y: Variable, x: object) -> Any:
    """Return the condition that all class numbers are those of a column of `x`."""
    return reduce("all", (y >= 0) & (y < length(x, 1)), (0,))


def is_softmax(variable: Variable) -> bool:
    """Tell whether a matrix is exp(a) / sum(exp(a)) of every row."""
    if made_by(variable, Softmax):
        return True
    if not made_by(variable, true_div) or variable.type.ndim != 2:
        return False
    above, below = variable.owner.inputs
    total = below.owner.inputs[0] if made_by(below, DimShuffle) else below
    node = made_by(total, Reduction("sum", (1,)))
    return node is not None and node.inputs[0] is above and made_by(above, exp) is not None


def _of_class(node: Apply) -> bool:
    """Tell whether a part is taken or written at [arange(y.shape[0]), y]."""
    if not isinstance(node.op, (AdvancedSubtensor, AdvancedIncSubtensor)):
        return False
    if node.op.axes != (AT, AT):
        return False
    count, y = node.inputs[-2:]
    if y.type.ndim != 1 or not made_by(count, ARange):
        return False
    counted = _of_length(count.owner.inputs[1])
    return counted is y or (y.owner is not None and y.owner.inputs == [counted])


def _of_length(count: Variable) -> Any:
    """Return the vector whose length `count` is, as users write it or as an operation, or None."""
    part = made_by(count, Subtensor)
    node = made_by(count, Length) if part is None else made_by(part.inputs[0], ShapeOf)
    return None if node is None else node.inputs[0]


def _chosen(value: Variable) -> Apply | None:
    """Return what makes a variable, if that takes the classes from a softmax."""
    node = value.owner
    return node if node is not None and _of_class(node) and is_softmax(node.inputs[0]) else None


def _class_numbers(nodes: Sequence[Apply]) -> Iterator[tuple[Any, Any]]:
    """Find the class numbers, each with the softmax: in cross-entropies and their gradients."""
    for node in nodes:
        if not node.inputs:
            continue
        source, inside = node.inputs[0], None
        if node.op == log:
            inside = _chosen(source)
        elif node.op == true_div:
            above, below = node.inputs
            inside = _chosen(below)
            if is_softmax(below) and above.owner is not None and _of_class(above.owner):
                yield above.owner.inputs[-1], below
        elif _of_class(node) and made_by(source, log) and is_softmax(source.owner.inputs[0]):
            yield node.inputs[-1], source
        if inside is not None:
            yield inside.inputs[-1], inside.inputs[0]


def check_class_numbers(outputs: list[Variable]) -> list[Any]:
    """Return `outputs` with the numbers checked that choose from a softmax under a logarithm."""
    table = {y: IN_BOUNDS(y, in_bounds(y, p)) for y, p in _class_numbers(toposort(outputs))}
    return copy_graph(outputs, table) if table else outputs
