"""Parts of what operations make: only the part is computed."""

from __future__ import annotations

from typing import Any

from theano._core.ir.graph import made_by
from theano._core.ir.variable import Apply
from theano._core.ops.array.index_form import Slice, join_index
from theano._core.ops.array.indexing import IncSubtensor, Subtensor, subtensor
from theano._core.ops.array.products import Dot, dot
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.elementwise.elementwise import Elementwise
from theano._core.rewrite.engine import Rewriter, known_value
from theano._core.rewrite.pattern import Rules
from theano._core.rewrite.rules.shapes import fitting

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
    """For numbers that are not negative."""
    inner = made_by(node.inputs[0], Subtensor)
    if inner is None:
        return None
    if len(inner.inputs) > 1 or len(node.inputs) > 1:
        return None
    entries: list[Any] = []
    outer = list(node.op.index)
    for entry in inner.op.index:
        if not isinstance(entry, Slice):
            entries.append(entry)
            continue
        together = _merged(entry, outer.pop(0) if outer else Slice())
        if together is None:
            return None
        entries.append(together)
    entries += [slice(*e) if isinstance(e, Slice) else e for e in outer]
    return subtensor(inner.inputs[0], entries)


def _merged(inner: Slice, outer: Slice | int) -> Any:
    """Return the entry that takes what `outer` takes of what `inner` takes, None if unknown."""
    if inner == Slice():
        return slice(*outer) if isinstance(outer, Slice) else outer
    if outer == Slice():
        return slice(*inner)
    start, stop = inner.start or 0, inner.stop
    if inner.step not in (None, 1) or start < 0 or (stop is not None and stop < start):
        return None
    if not isinstance(outer, Slice):
        at = start + outer
        return at if outer >= 0 and (stop is None or at < stop) else None
    first, last = outer.start or 0, outer.stop
    if first < 0 or (last is not None and last < 0) or (outer.step or 1) < 0:
        return None
    ends = [n for n in (stop, None if last is None else start + last) if n is not None]
    return slice(start + first, min(ends) if ends else None, outer.step)


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
    if not whole.type.ndim:
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


@rule(
    "f(x, row)[i] → f(x[i], row[i])",
    on=Subtensor,
    phase="blas",
    keeps="exact",
    why="f is computed by what uses its parts",
)
def _parts_of_function(rewriter: Rewriter, node: Apply) -> Any:
    """Where only parts of a cheap result are used."""
    whole = node.inputs[0]
    owner, pattern = made_by(whole, Elementwise), whole.type.broadcastable
    if owner is None or owner.op.is_dear(owner):
        return None
    full = [i for i, v in enumerate(owner.inputs) if v.type.broadcastable == pattern]
    if len(full) != 1 or rewriter.uses.get(whole, 0) > rewriter.part_uses.get(whole, 0):
        return None
    entries = join_index(node.op.index, node.inputs[1:])
    parts = []
    for number in range(len(owner.inputs)):
        value = fitting(rewriter, owner, number, full[0])
        ones = [a and not b for a, b in zip(value.type.broadcastable, pattern, strict=True)]
        own = [_of_one(e) if one else e for e, one in zip(entries, ones, strict=False)]
        parts.append(value if all(e == slice(None) for e in own) else subtensor(value, own))
    return owner.op(*parts)


def _of_one(entry: int | slice) -> Any:
    """Return what an entry of an index takes of an axis whose one item is broadcast."""
    return slice(None) if isinstance(entry, slice) else 0


@rule(
    "inc(zeros, y, i) → set(zeros, y, i)", on=IncSubtensor, phase="special", why="nothing is read"
)
def _write_to_zeros(rewriter: Rewriter, node: Apply) -> Any:
    """Where no item is met twice."""
    zeros, y, *values = node.inputs
    if node.op.assign or known_value(zeros) != 0:
        return None
    return IncSubtensor(node.op.index, True)(zeros, y, *values)
