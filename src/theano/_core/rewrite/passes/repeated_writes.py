"""`x[i]` set to `x[i] + v`: where a position repeats, every `v` is added, as in Theano 1.0.5.

NumPy keeps the last. Programs train by this: only sums that are written so, of two terms, count.
"""

from __future__ import annotations

from typing import Any

from theano._core.ir.comparison import equal_computations
from theano._core.ir.graph import copied, made_by, toposort
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.indexing import AT, AdvancedIncSubtensor, AdvancedSubtensor
from theano._core.ops.elementwise.arithmetic import add
from theano._core.rewrite.inline import in_loops


def add_repeated(outputs: list[Variable]) -> list[Any]:
    """Return `outputs` with such assignments as additions."""
    outputs = in_loops(outputs, add_repeated)
    table: dict[Any, Any] = {}
    for node in toposort(outputs):
        term = _added_term(node)
        if term is not None:
            x, _, *index = node.inputs
            operands = copied([x, term, *index], table)
            table[node.outputs[0]] = AdvancedIncSubtensor(node.op.axes, False)(*operands)
    return copied(outputs, table)


def _added_term(node: Apply) -> Any:
    """Return what an assignment adds to the items that are there, None if it is no sum of these."""
    op = node.op
    if not isinstance(op, AdvancedIncSubtensor) or not op.assign or op.axes.count(AT) != 1:
        return None
    x, y, index = node.inputs
    if index.type.ndim != 1 or not made_by(y, add):
        return None
    for part, other in (y.owner.inputs, reversed(y.owner.inputs)):
        read = part.owner
        if read is None or read.op != AdvancedSubtensor(op.axes):
            continue
        if equal_computations(read.inputs, [x, index]):
            return other
    return None
