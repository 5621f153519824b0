"""The largest items of an array whose positions are looked for as well: one search finds both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from theano._core.base import dtypes
from theano._core.ir.graph import copied, toposort
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.reductions import ArgExtreme, Reduction


def in_shared_searches(outputs: Sequence[Variable]) -> list[Any]:
    """Return `outputs` with the items that searches have found in the place of reductions."""
    nodes = toposort(outputs)
    searches = {_search(node): node for node in nodes if isinstance(node.op, ArgExtreme)}
    searches.pop(None, None)
    places = {node: i for i, node in enumerate(nodes)}
    pairs = [
        (searches[_search(node)], node)
        for node in nodes
        if isinstance(node.op, Reduction) and _search(node) in searches
    ]
    if not pairs:
        return list(outputs)
    table: dict[Any, Any] = {}
    # INVARIANT: what an operand is made of is in the table before, by one of its two nodes.
    for search, reduction in sorted(pairs, key=lambda pair: min(map(places.__getitem__, pair))):
        (operand,) = copied(search.inputs, table)
        where, item = ArgExtreme(search.op.kind, search.op.axis, True).make_node(operand).outputs
        where.owner.source = search.source
        where.source, item.source = search.outputs[0].source, reduction.outputs[0].source
        table |= {search.outputs[0]: where, reduction.outputs[0]: item}
    return copied(outputs, table)


def _search(node: Apply) -> tuple[Any, ...] | None:
    """Return what is looked for where; None: nothing that native code finds with its position."""
    (x,) = node.inputs
    axes = node.op.axes(x.type.ndim)
    kind = node.op.kind.removeprefix("arg")
    plain = kind in ("max", "min") and not dtypes.is_complex(x.type.dtype)
    together = axes and axes[-1] - axes[0] == len(axes) - 1
    return (x, kind, axes) if plain and together else None
