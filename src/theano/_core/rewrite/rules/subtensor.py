"""Parts of what operations make: only the part is computed."""

from __future__ import annotations

from typing import Any

from theano._core.ir.graph import made_by
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.index_form import Slice, join_index, merged_index
from theano._core.ops.array.indexing import IncSubtensor, Subtensor, subtensor
from theano._core.ops.array.products import Dot, dot
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.elementwise.elementwise import Elementwise
from theano._core.rewrite.engine import Rewriter, known_value
from theano._core.rewrite.pattern import Rules
from theano._core.rewrite.rules.inc_subtensor import MOST_BETWEEN, lie_apart

# Elementwise operations in sequence through which a slice is taken at once.
FEW_LEVELS = 8

RULES = Rules("canonical")
rule = RULES.rule


@rule("set(x, y, i)[i] → y", on=Subtensor, phase="shape", keeps="exact", why="no work")
def _part_of_written(rewriter: Rewriter, node: Apply) -> Any:
    """For slices."""
    written = made_by(node.inputs[0], IncSubtensor)
    if written is None or not written.op.assign:
        return None
    y, values = written.inputs[1], written.inputs[2:]
    if written.op.index != node.op.index or values != node.inputs[1:]:
        return None
    if not all(isinstance(e, Slice) for e in node.op.index):
        return None
    part = node.outputs[0]
    if y.type != part.type or rewriter.shape(y) != rewriter.shape(part):
        return None
    return y


@rule("x[a:][b:] → x[a + b:]", on=Subtensor, phase="shape", keeps="exact", why="one view")
def _merged_parts(rewriter: Rewriter, node: Apply) -> Any:
    """For numbers, from the same end."""
    inner = made_by(node.inputs[0], Subtensor)
    if inner is None or len(inner.inputs) + len(node.inputs) > 2:
        return None
    entries = merged_index(inner.op.index, node.op.index)
    return None if entries is None else subtensor(inner.inputs[0], entries)


@rule("dot(x, y)[i, j] → dot(x[i], y[:, j])", on=Subtensor, why="only what is needed is multiplied")
def _part_of_product(rewriter: Rewriter, node: Apply) -> Any:
    whole = node.inputs[0]
    product = made_by(whole, Dot)
    if product is None or rewriter.uses.get(whole, 0) > 1:
        return None
    x, y = product.inputs
    entries = join_index(node.op.index, node.inputs[1:])
    rows = entries[: x.type.ndim - 1]
    columns = entries[x.type.ndim - 1 :]
    if rows:
        x = subtensor(x, rows)
    if columns:
        y = subtensor(y, [slice(None), *columns])
    return dot(x, y)


@rule("f(x)[i] → f(x[i])", on=Subtensor, keeps="exact", why="f is computed where it is needed")
def _part_of_function(rewriter: Rewriter, node: Apply) -> Any:
    whole = node.inputs[0]
    owner = made_by(whole, Elementwise)
    if owner is None or rewriter.uses.get(whole, 0) > 1:
        return None
    # Slices of slices would go through all of a deep graph, each by itself: the pass of slices.
    if all(isinstance(entry, Slice) for entry in node.op.index) and _deep(whole):
        return None
    entries = join_index(node.op.index, node.inputs[1:])
    parts = []
    full = [v for v in owner.inputs if not all(v.type.broadcastable)]
    # Lengths that only the operation itself checks must still be checked.
    if not full or any(
        v.type.broadcastable != whole.type.broadcastable
        or rewriter.shape(v) != rewriter.shape(full[0])
        for v in full
    ):
        return None
    for value in owner.inputs:
        if any(value is v for v in full):
            parts.append(subtensor(value, entries))
        else:
            parts.append(dimshuffle(value, ()) if value.type.ndim else value)
    return owner.op(*parts)


def _deep(x: Variable) -> bool:
    """Tell whether more than a few elementwise operations in sequence make `x`."""
    level = {x}
    for _ in range(FEW_LEVELS):
        level = {v for out in level if made_by(out, Elementwise) for v in out.owner.inputs}
    return any(made_by(v, Elementwise) for v in level)


@rule(
    "inc(zeros, y, i) → set(zeros, y, i)", on=IncSubtensor, phase="special", why="nothing is read"
)
def _write_to_zeros(rewriter: Rewriter, node: Apply) -> Any:
    """Where no item is met twice; also if other parts of the zeros, apart, were written before."""
    x, y, *values = node.inputs
    zeros, left = x, 0 if values else MOST_BETWEEN
    while made_by(zeros, IncSubtensor) and left and len(zeros.owner.inputs) == node.op.operands:
        if not lie_apart(zeros.owner.op.index, node.op.index):
            break
        zeros, left = zeros.owner.inputs[0], left - 1
    if node.op.assign or known_value(zeros) != 0:
        return None
    return IncSubtensor(node.op.index, True)(x, y, *values)
