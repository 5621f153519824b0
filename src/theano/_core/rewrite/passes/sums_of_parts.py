"""Additions to parts of an array that overlap, as one operation.

The gradient of `x[1:] - x[:-1]` is added to two parts of zeros, one item apart. Each addition would
walk nearly all of the array. What is added is often a multiple of the same array: numbers that it
is multiplied by are part of the operation, so that this array alone is in memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from theano._core.base import dtypes
from theano._core.ir.graph import copied, made_by, toposort
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.broadcasting import known_value
from theano._core.ops.array.index_form import Slice
from theano._core.ops.array.indexing import IncSubtensor, Subtensor
from theano._core.ops.array.parts import Part, SumOfParts
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.core.op import constant
from theano._core.ops.elementwise.arithmetic import add, mul, neg
from theano._core.rewrite.engine import Rewriter

# Pieces between the ends of parts, each of which a kernel is called for. Where there would be more,
# what is added is copied, with zeros around it.
MOST_PIECES = 25
# Read in one loop: more addresses than registers take longer.
MOST_PARTS = 12
# Numbers that these are multiplied by are not rounded as each product is.
NOT_MULTIPLIED = ("float16", "bool", "complex64", "complex128")

# What is added, the numbers that it is multiplied by, and where.
Added = tuple[Variable, list[Any], Part]


def in_sums_of_parts(outputs: Sequence[Variable], rewriter: Rewriter) -> list[Any]:
    """Return `outputs` with additions to parts that overlap as sums of parts."""
    nodes = toposort(outputs)
    writes = [node for node in nodes if _index_of_ends(node) is not None]
    if len(writes) < 2:
        return list(outputs)
    uses = _uses(nodes, outputs)
    table: dict[Any, Any] = {}
    sums: dict[Apply, list[Apply]] = {}
    done: set[Apply] = set()
    for node in reversed(writes):
        if node in done:
            continue
        chain = _chain(rewriter, node, uses)
        done.update(chain)
        if len(chain) > 1:
            sums[node] = chain
    for node in writes:
        if node in sums:
            table[node.outputs[0]] = _sum_of(sums[node], uses, table)
    return copied(outputs, table) if table else list(outputs)


def _uses(nodes: Sequence[Apply], outputs: Sequence[Variable]) -> Mapping[Any, int]:
    uses = dict.fromkeys(outputs, 1)
    for node in nodes:
        for value in node.inputs:
            uses[value] = uses.get(value, 0) + 1
    return uses


def _index_of_ends(node: Apply) -> list[tuple[int, int]] | None:
    """Return how many items an addition to a part leaves out before and behind, by axis."""
    if not isinstance(node.op, IncSubtensor) or len(node.inputs) > 2:
        return None
    x = node.inputs[0]
    if x.type.dtype in NOT_MULTIPLIED or (node.op.assign and known_value(x) != 0):
        return None
    ends = []
    for entry in node.op.index:
        if not isinstance(entry, Slice) or entry.step not in (None, 1):
            return None
        start, stop = entry.start or 0, entry.stop
        if not isinstance(start, int) or start < 0 or (stop is not None and not _is_end(stop)):
            return None
        ends.append((start, -(stop or 0)))
    return ends + [(0, 0)] * (x.type.ndim - len(ends))


def _is_end(stop: object) -> bool:
    return isinstance(stop, int) and stop < 0


def _part(node: Apply, factors: int = 0) -> Part:
    before, behind = zip(*_index_of_ends(node) or (), strict=True)
    return Part(before, behind, factors)


def _chain(rewriter: Rewriter, node: Apply, uses: Mapping[Any, int]) -> list[Apply]:
    """Return the additions that follow each other up to a node, from the first on."""
    chain: list[Apply] = []
    while len(chain) < MOST_PARTS and _fits(rewriter, node):
        chain.append(node)
        inner = made_by(node.inputs[0], IncSubtensor)
        if inner is None or uses[node.inputs[0]] > 1 or _index_of_ends(inner) is None:
            break
        node = inner
    return chain[::-1]


def _fits(rewriter: Rewriter, node: Apply) -> bool:
    """Tell whether what is added certainly has the lengths of the part."""
    x, y = node.inputs
    part = Subtensor(node.op.index).make_node(x).outputs[0]
    return part.type == y.type and rewriter.same_shape(part, y)


def _pieces(parts: Sequence[Part]) -> int:
    """Return how many pieces there are between the ends of parts."""
    sides = [part.before for part in parts], [part.behind for part in parts]
    cuts = [[len({*ends} - {0}) for ends in zip(*side, strict=True)] for side in sides]
    return prod(1 + front + back for front, back in zip(*cuts, strict=True))


def _sum_of(chain: Sequence[Apply], uses: Mapping[Any, int], table: dict[Any, Any]) -> Any:
    """Return additions as one operation."""
    (x,) = copied([chain[0].inputs[0]], table)
    products = [_products(node.inputs[1]) for node in chain]
    # What this sum alone reads, many times perhaps, need not be in memory.
    here = Counter(node.inputs[1] for node in chain)
    read = {_least(several, uses, here) for several in products}
    parts, values = [], []
    for node, several in zip(chain, products, strict=True):
        value, factors = next((v, f) for v, f in reversed(several) if v in read)
        parts.append(_part(node, len(factors)))
        values += copied([value, *factors], table)
    op = SumOfParts(tuple(parts), known_value(x) == 0, _pieces(parts) > MOST_PIECES)
    result = op(x, *values)
    result.owner.source = result.source = chain[-1].source
    return result


def _least(
    products: Sequence[tuple[Any, Any]], uses: Mapping[Any, int], here: Mapping[Any, int]
) -> Any:
    """Return what is read of products of each other: the first that others need as well."""
    for value, _ in products[:-1]:
        if uses[value] > max(here.get(value, 0), 1):
            return value
    return products[-1][0]


def _products(value: Variable) -> list[tuple[Any, list[Any]]]:
    """Return what a value is a multiple of, itself at first, and the numbers of each product."""
    products: list[tuple[Any, list[Any]]] = [(value, [])]
    dtype = value.type.dtype
    while (node := made_by(value, mul, add, neg)) is not None:
        one, *others = node.inputs
        if node.op is neg and not dtypes.is_discrete(dtype):
            factor: Any = constant(np.asarray(-1, dtype))
        elif node.op is add and others[0] is one and not dtypes.is_discrete(dtype):
            factor = constant(np.asarray(2, dtype))
        elif node.op is mul:
            if all(one.type.broadcastable):
                one, others = others[0], [one]
            factor = others[0]
        else:
            break
        scale = known_value(factor)
        if not all(factor.type.broadcastable) or one.type != value.type:
            break
        if factor.type.dtype != dtype or (scale is not None and not np.isfinite(scale)):
            break
        factor = dimshuffle(factor, ()) if factor.type.ndim else factor
        products.append((one, [factor, *products[-1][1]]))
        value = one
    return products
