"""Parts of what operations make: only the part is computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from theano._core.ir.graph import made_by
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.assertions import Require
from theano._core.ops.array.index_form import Slice, join_index, split_index
from theano._core.ops.array.indexing import IncSubtensor, Subtensor, subtensor
from theano._core.ops.array.products import Dot, dot
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.elementwise.elementwise import Elementwise
from theano._core.rewrite.engine import Rewriter, known_value
from theano._core.rewrite.pattern import Rules
from theano._core.rewrite.rules.shapes import fitting

RULES = Rules("canonical")
# Instructions that are sooner repeated for each point than their result is stored and read again.
MOST_AGAIN = 4
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
    return None if len(node.inputs) > 1 else _part_of_part(node.inputs[0], node.op.index)


def _part_of_part(x: Variable, index: Sequence[object]) -> Any:
    """Return a part of what is a part itself as one view, None if it is none or that is unknown."""
    inner = made_by(x, Subtensor)
    if inner is None or len(inner.inputs) > 1:
        return None
    entries: list[Any] = []
    outer: list[Any] = list(index)
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
    """Where only parts of a cheap result are used, and little is computed more than once."""
    whole = node.inputs[0]
    owner, times = made_by(whole, Elementwise), rewriter.part_uses.get(whole, 0)
    if owner is None or owner.op.is_dear(owner) or rewriter.uses.get(whole, 0) > times:
        return None
    if not _has_parts(owner):
        return None
    if len(_full(owner)) != 1:
        again = MOST_AGAIN // max(times - 1, 1)
        if _leaves_gaps(node) or _left_after(rewriter, owner, again) < 0:
            return None
    return _parted(rewriter, owner, join_index(node.op.index, node.inputs[1:]), times)


@rule(
    "checked(f(x))[i] → checked(f(x)[i])",
    on=Subtensor,
    phase="blas",
    keeps="exact",
    why="f is computed by what uses its parts",
)
def _part_of_checked(rewriter: Rewriter, node: Apply) -> Any:
    """Where only parts of what is checked are used, for a function that nothing else needs."""
    whole = node.inputs[0]
    owner, times = made_by(whole, Require), rewriter.part_uses.get(whole, 0)
    if owner is None or rewriter.uses.get(whole, 0) > times:
        return None
    value, *conditions = owner.inputs
    once = rewriter.uses.get(value, 0) == 1 or rewriter.part_uses.get(value, 0) == times
    if not made_by(value, Elementwise) or not once:
        return None
    # Its one use becomes so many.
    rewriter.uses[value] = rewriter.part_uses[value] = times
    return owner.op(subtensor(value, join_index(node.op.index, node.inputs[1:])), *conditions)


def _leaves_gaps(node: Apply) -> bool:
    """Tell whether a part is not read in whole vectors where an item is added to another."""
    return any(isinstance(e, Slice) and e.step not in (None, 1) for e in node.op.index)


def _full(node: Apply) -> list[int]:
    """Return the numbers of the operands that are not broadcast."""
    pattern = node.outputs[0].type.broadcastable
    return [i for i, v in enumerate(node.inputs) if v.type.broadcastable == pattern]


def _has_parts(node: Apply) -> bool:
    """Tell whether parts of the result are of operands that one of them can be compared with."""
    return bool(_full(node)) or len(node.inputs) == 2


def _left_after(rewriter: Rewriter, node: Apply, left: int) -> int:
    """Return what is left of so many instructions after those of a node and of what it is made of.

    Parts that operands are count for what they are parts of, which may be taken apart as well.
    """
    left -= node.op.cost
    for number in _full(node):
        value = node.inputs[number]
        while made_by(value, Subtensor):
            value = value.owner.inputs[0]
        inner = made_by(value, Elementwise)
        if inner is None or left < 0:
            continue
        if not inner.op.is_dear(inner):
            left = _left_after(rewriter, inner, left)
        elif rewriter.uses.get(value, 0) == 1:
            # It shares a loop with what it is an operand of, and is not stored itself.
            return -1
    return left


def _parted(rewriter: Rewriter, owner: Apply, entries: Sequence[object], times: int) -> Any:
    """Return one of so many parts of what an elementwise node makes, of parts of its operands."""
    pattern, full = owner.outputs[0].type.broadcastable, _full(owner)
    if not _has_parts(owner):
        return subtensor(owner.outputs[0], entries)
    parts = []
    for number, operand in enumerate(owner.inputs):
        value = fitting(rewriter, owner, number, full[0] if full else 0)
        inner = made_by(value, Elementwise)
        if number in full and value is operand and rewriter.uses.get(value, 0) == 1:
            if len(full) > 1 and inner is not None and not inner.op.is_dear(inner):
                parts.append(_parted(rewriter, inner, entries, times))
                continue
            # Its one use becomes so many.
            rewriter.uses[value] = rewriter.part_uses[value] = times
        ones = [a and not b for a, b in zip(value.type.broadcastable, pattern, strict=True)]
        own = [_of_one(e) if one else e for e, one in zip(entries, ones, strict=False)]
        parts.append(value if all(e == slice(None) for e in own) else _part(value, own))
    return owner.op(*parts)


def _part(value: Variable, entries: Sequence[object]) -> Any:
    """Return a part of a value, which may be a part itself."""
    form, values = split_index(entries)
    merged = None if values else _part_of_part(value, form)
    return subtensor(value, entries) if merged is None else merged


def _of_one(entry: object) -> Any:
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
