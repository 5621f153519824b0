"""What several branches share, but not every call needs: computed when one of them needs it.

Under which conditions a value is needed is a set of paths; a path is a set of sides of conditions,
all of which must be taken. A value with one path moves into the body of its branch. One with
several is put into a branch of its own, on the condition that one of its paths is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np

from theano._core.ir.graph import copy_graph, toposort
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply
from theano._core.ops.arithmetic import and_, eq, neq, or_
from theano._core.ops.branch import IfElse
from theano._core.ops.broadcasting import alloc
from theano._core.ops.op import Elementwise, as_variable
from theano._core.ops.shaping import DimShuffle, Length, Rebroadcast

Path = frozenset[tuple[Any, int]]
Paths = frozenset[Path]
ALWAYS: Paths = frozenset([frozenset()])
# Values that are needed in more ways than this are computed always.
MOST_PATHS = 4
# Operations that cost nothing and never fail. What branches need is looked at by itself.
FREE = (DimShuffle, IfElse, Length, Rebroadcast)


class Guard(IfElse):
    """A branch around what others share: it stands outside all of them."""


def separate_shared(outputs: list[Any]) -> list[Any]:
    """Return `outputs` with values that several branches share in branches of their own."""
    while True:
        needs = _needs(outputs)
        shared = _shared(outputs, needs)
        if not shared:
            return outputs
        outputs = copy_graph(outputs, _guarded(shared, needs))


def _needs(outputs: Sequence[Any]) -> dict[Any, Paths]:
    """Return the paths on which each variable, and each application, is needed."""
    order = toposort(outputs)
    needs: dict[Any, Paths] = dict.fromkeys(outputs, ALWAYS)
    if len({n.inputs[0] for n in order if isinstance(n.op, IfElse)}) < 2:
        return {}

    def add(variable: Any, paths: Paths) -> None:
        needs[variable] = _simple(needs.get(variable, frozenset()) | paths)

    for node in reversed(order):
        if isinstance(node.op, Guard):
            needs.update(dict.fromkeys(node.outputs, ALWAYS))
        mine = _simple(frozenset[Path]().union(*(needs.get(o, ()) for o in node.outputs)))
        needs[node] = mine
        if not isinstance(node.op, IfElse):
            for variable in node.inputs:
                add(variable, mine)
            continue
        condition = node.inputs[0]
        add(condition, mine)
        for side, values in enumerate(node.op.sides(node)):
            for out, value in zip(node.outputs, values, strict=True):
                paths = needs.get(out, frozenset())
                taken = (p | {(condition, side)} for p in paths if (condition, 1 - side) not in p)
                add(value, frozenset(taken))
    return needs


def _simple(paths: Paths) -> Paths:
    """Return equal paths: without those that others include, and without what both sides need."""
    found = set(paths)
    while True:
        for path in found:
            both = next((p for p in path if path ^ {p, (p[0], 1 - p[1])} in found), None)
            if both is not None:
                found.add(path - {both})
                break
        found, before = {p for p in found if not any(q < p for q in found)}, found
        if len(before) == len(found):
            return frozenset(found) if len(found) <= MOST_PATHS else ALWAYS


def _shared(outputs: Sequence[Any], needs: dict[Any, Paths]) -> list[Any]:
    """Return variables of equal paths, several, by which all else reads what only these need."""
    groups: dict[Paths, dict[Any, None]] = {}
    costly: set[Paths] = set()
    for node in toposort(outputs) if needs else ():
        mine = needs[node]
        if len(mine) > 1 and not isinstance(node.op, FREE):
            costly.add(mine)
        for variable in node.inputs:
            maker = variable.owner
            if maker is None or isinstance(maker.op, IfElse):
                continue
            paths = needs[maker]
            if len(paths) > 1 and paths != mine:
                groups.setdefault(paths, {})[variable] = None
    for paths, variables in groups.items():
        conditions = {condition for path in paths for condition, _ in path}
        if (
            paths in costly
            and all(isinstance(v.type, TensorType) for v in variables)
            and all(_is_harmless(c, needs) for c in conditions)
            # A value that a condition is computed from cannot wait for it.
            and not {v.owner for v in variables} & set(toposort(list(conditions)))
        ):
            return list(variables)
    return []


def _is_harmless(condition: Any, needs: dict[Any, Paths]) -> bool:
    """Tell whether a condition is computed in any case, or may be: by arithmetic of numbers."""
    return needs.get(condition, ALWAYS) == ALWAYS or all(
        needs[node] == ALWAYS
        or (isinstance(node.op, Elementwise) and not node.outputs[0].type.ndim)
        for node in toposort([condition])
    )


def _guarded(variables: Sequence[Any], needs: dict[Any, Paths]) -> dict[Any, Any]:
    """Return, for each variable, what has its value if one of the paths to it is taken."""
    rank = {v: i for i, v in enumerate(needs)}
    paths = [sorted((rank[c], side, c) for c, side in path) for path in needs[variables[0].owner]]
    ways = [reduce(and_, (_taken(c, side) for _, side, c in path)) for path in sorted(paths)]
    nothing = [_nothing(v) for v in variables]
    made: Apply = Guard(len(nothing)).make_node(reduce(or_, ways), *variables, *nothing)
    made.source = variables[0].source
    return dict(zip(variables, made.outputs, strict=True))


def _taken(condition: Any, side: int) -> Any:
    return eq(condition, 0) if side else neq(condition, 0)


def _nothing(variable: Any) -> Any:
    """Return an array of the type of a variable, as small as can be."""
    zero = as_variable(np.zeros((), dtype=variable.type.dtype))
    lengths = [int(one) for one in variable.type.broadcastable]
    return alloc(zero, *lengths) if lengths else zero
