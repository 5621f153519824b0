"""What several branches share, but not every call needs: computed when one of them needs it.

Under which conditions a value is needed is a set of paths; a path is a set of sides of conditions,
all of which must be taken. Where a value stands is the innermost side of a branch that has all its
uses in it. If a value is not always needed there, it is put into a branch of its own, on the
condition that one of its paths is taken. One that cannot wait for that, as a condition needs it,
counts as needed wherever it is computed: so does what it reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from itertools import combinations
from types import MappingProxyType
from typing import Any

import numpy as np

from theano._core.ir.graph import copied, made_by, toposort
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.broadcasting import alloc, known_value
from theano._core.ops.array.shaping import Length, Rebroadcast
from theano._core.ops.control.branch import IfElse
from theano._core.ops.core.dimshuffle import DimShuffle
from theano._core.ops.core.op import as_variable
from theano._core.ops.elementwise.arithmetic import and_, eq, neq, or_
from theano._core.ops.elementwise.elementwise import Elementwise

Path = frozenset[tuple[Any, int]]
Paths = frozenset[Path]
Place = tuple[tuple[Apply, int], ...]
ALWAYS: Paths = frozenset([frozenset()])
# Values that are needed in more ways than this are computed always.
MOST_PATHS = 16
# Operations that cost nothing and never fail. What branches need is looked at by itself.
FREE = (DimShuffle, IfElse, Length, Rebroadcast)


class Guard(IfElse):
    """A branch around what others share: it stands outside all of them."""


class Cut(Guard):
    """A piece of a nest of branches: it stands outside the piece around it."""


def separate_shared(outputs: list[Variable]) -> tuple[list[Any], bool]:
    """Return `outputs` with values that several branches share in branches of their own.

    And whether there are any: others, which may not wait for the conditions as they stand, or what
    these branches have inside, may then be separated in the body of a branch.
    """
    separated = False
    while True:
        groups, needs, others = _shared(outputs)
        if not groups:
            return outputs, separated or others
        separated = True
        # What every variable is now that a group, or another that is made before it, replaces.
        now: dict[Any, Any] = {}
        for group in groups:
            _guard(group, needs, now)
        outputs = copied(outputs, now)


def paths_to(
    outputs: Sequence[Variable], at_least: Mapping[Apply, Paths] = MappingProxyType({})
) -> dict[Any, Paths]:
    """Return the paths on which each variable, and each node, is needed, some `at_least` on these.

    Nothing, if all branches are on one condition.
    """
    order = toposort(outputs)
    needs: dict[Any, Paths] = dict.fromkeys(outputs, ALWAYS)
    if len({n.inputs[0] for n in order if isinstance(n.op, IfElse)}) < 2:
        return {}

    def add(variable: Variable, paths: Paths) -> None:
        needs[variable] = _simple(needs.get(variable, frozenset()) | paths)

    for node in reversed(order):
        if isinstance(node.op, Guard):
            needs.update(dict.fromkeys(node.outputs, ALWAYS))
        least = at_least.get(node, frozenset[Path]())
        mine = _simple(least.union(*(needs.get(o, ()) for o in node.outputs)))
        needs[node] = mine
        if not isinstance(node.op, IfElse):
            for variable in node.inputs:
                add(variable, mine)
            continue
        condition = node.inputs[0]
        add(condition, mine)
        for side, values in enumerate(node.op.sides(node)):
            when = _when(condition, side)
            for out, value in zip(node.outputs, values, strict=True):
                add(value, _both(needs.get(out, frozenset()), when))
    return needs


def _when(condition: Variable, side: int) -> Paths:
    """Return the paths on which a side of a condition is taken: by its parts, if it has any."""
    node = condition.owner
    if node is not None and isinstance(node.op, Cut) and not side:
        # Each of these is only computed where the one before it holds.
        path = {_last_step(condition)}
        while condition.owner is not None and isinstance(condition.owner.op, Cut):
            condition = condition.owner.inputs[0]
            path.add(_last_step(condition))
        return frozenset([frozenset(path)])
    if node is not None and node.op in (eq, neq) and known_value(node.inputs[1]) == 0:
        return _when(node.inputs[0], side if node.op is neq else 1 - side)
    if node is not None and node.op in (and_, or_) and condition.type.dtype == "bool":
        one, two = (_when(v, side) for v in node.inputs)
        return _simple(one | two) if (node.op is or_) == (side == 0) else _both(one, two)
    return frozenset([frozenset([(condition, side)])])


def _last_step(condition: Variable) -> tuple[Any, int]:
    """Return the side that holds if a condition does, besides that on which it is computed."""
    if condition.owner is not None and isinstance(condition.owner.op, Cut):
        made = made_by(condition.owner.inputs[1], eq)
        if made is not None and known_value(made.inputs[1]) == 0:
            return made.inputs[0], 1
    return condition, 0


def _both(one: Paths, two: Paths) -> Paths:
    """Return the paths on which there are both one of `one` and one of `two`."""
    pairs = (p | q for p in one for q in two if all((c, 1 - side) not in p for c, side in q))
    return _simple(frozenset(pairs))


def _simple(paths: Paths) -> Paths:
    """Return equal paths: without those that others include, and without what both sides need."""
    simpler = set(paths)
    while True:
        for one, two in combinations(simpler, 2):
            differs = one ^ two if len(one) == len(two) else ()
            if len(differs) == 2 and len({condition for condition, _ in differs}) == 1:
                simpler.add(one & two)
                break
        simpler, before = {p for p in simpler if not any(q < p for q in simpler)}, simpler
        if len(before) == len(simpler):
            return frozenset(simpler) if len(simpler) <= MOST_PATHS else ALWAYS


def places_of(outputs: Sequence[Variable]) -> dict[Any, Place]:
    """Return for each node the sides of branches that it stands in, the outermost first."""
    places: dict[Any, Place] = dict.fromkeys(outputs, ())

    def add(variable: Variable | Apply, place: Place) -> None:
        shared = places.get(variable, place)
        same = (n for n, (a, b) in enumerate(zip(shared, place, strict=False)) if a != b)
        places[variable] = shared[: next(same, min(len(shared), len(place)))]

    for node in reversed(toposort(outputs)):
        for out in node.outputs:
            if out in places:
                add(node, () if isinstance(node.op, Guard) else places[out])
        if not isinstance(node.op, IfElse):
            for variable in node.inputs:
                add(variable, places[node])
            continue
        add(node.inputs[0], places[node])
        for side, values in enumerate(node.op.sides(node)):
            for value in values:
                add(value, (*places[node], (node, side)))
    return places


def _shared(outputs: Sequence[Variable]) -> tuple[list[list[Any]], dict[Any, Paths], bool]:
    """Return groups of variables, the paths to all, and whether any group may be made inside.

    What cannot wait for all its conditions may, once groups are made. If none are, it waits for
    those it can wait for.
    """
    needs = paths_to(outputs)
    order = toposort(outputs) if needs else []
    places = places_of(outputs) if needs else {}
    paths: dict[Place, Paths] = {(): ALWAYS}

    def paths_of(place: Place) -> Paths:
        if place not in paths:
            branch, side = place[-1]
            paths[place] = _both(paths_of(place[:-1]), _when(branch.inputs[0], side))
        return paths[place]

    computed = {node: paths_of(places[node]) for node in order}
    others = any(_is_late(node, needs, computed) for node in order if not isinstance(node.op, FREE))
    groups: list[list[Any]] = []
    for some in (False, True):
        at_least: dict[Apply, Paths] = {}
        while True:
            now = paths_to(outputs, at_least) if at_least else needs
            groups, stuck = _groups(order, now, computed)
            if stuck.keys() <= at_least.keys():
                break
            for node, waits in stuck.items():
                at_least[node] = waits if some and node not in at_least else computed[node]
        if groups or not at_least:
            return groups, now, others
    return groups, needs, others


def _is_late(node: Apply, needs: dict[Any, Paths], computed: dict[Apply, Paths]) -> bool:
    """Tell whether a node is needed less often than it is computed where it stands."""
    return not isinstance(node.op, IfElse) and needs[node] not in (ALWAYS, computed[node])


def _groups(
    order: Sequence[Apply], needs: dict[Any, Paths], computed: dict[Apply, Paths]
) -> tuple[list[list[Any]], dict[Apply, Paths]]:
    """Return groups of variables of equal paths, by which all else reads what only these need.

    None needs what a later group has. And nodes that cannot wait, with the paths on which they are
    needed as far as they can.
    """
    late = {node for node in order if _is_late(node, needs, computed)}
    costly = {needs[node] for node in late if not isinstance(node.op, FREE)}
    keys = {node: needs[node] for node in order if node in late and needs[node] in costly}
    runs = _runs(order, keys)
    groups: dict[tuple[int, Paths], dict[Any, None]] = {}
    for node in order:
        for variable in node.inputs:
            run = runs.get(variable.owner)
            if run is not None and run != runs.get(node):
                groups.setdefault(run, {})[variable] = None
    shared_groups: list[list[Any]] = []
    before: set[Any] = set()
    busy = {run for node, run in runs.items() if not isinstance(node.op, FREE)}
    stuck: dict[tuple[int, Paths], Paths] = {}
    for run, group in sorted(groups.items(), key=_first):
        if run not in busy:
            continue
        waits = _waits(group, run[1], needs)
        if waits != run[1]:
            stuck[run] = waits
        elif before.isdisjoint(group):
            shared_groups.append(list(group))
            conditions = [condition for path in run[1] for condition, _ in path]
            before.update(v for node in toposort(conditions) for v in node.inputs)
            before.update(conditions)
    return shared_groups, {node: stuck[run] for node, run in runs.items() if run in stuck}


def _first(group: tuple[tuple[int, Paths], object]) -> tuple[int, int]:
    """Return what sorts groups: by levels, and what fewer conditions decide before others."""
    level, paths = group[0]
    return level, sum(map(len, paths))


def _runs(order: Sequence[Apply], keys: dict[Apply, Paths]) -> dict[Any, tuple[int, Paths]]:
    """Return for each node that has a key the run that it is in: none needs a later one.

    A run is nodes of one key on one level; each way from a run to anything else leads to a higher
    level. Nodes may be as early as can be, or as late: there are to be few runs.
    """
    makers = {node: {v.owner: None for v in node.inputs if v.owner is not None} for node in order}

    def leaves(maker: Apply, node: Apply) -> bool:
        return maker in keys and keys[maker] != keys.get(node)

    early: dict[Apply, int] = {}
    for node in order:
        early[node] = max((early[m] + leaves(m, node) for m in makers[node]), default=0)
    late = dict.fromkeys(order, max(early.values(), default=0))
    for node in reversed(order):
        for maker in makers[node]:
            late[maker] = min(late[maker], late[node] - leaves(maker, node))
    runs = [{node: (levels[node], keys[node]) for node in keys} for levels in (early, late)]
    return min(runs, key=lambda run: len(set(run.values())))


def _waits(group: Iterable[Variable], paths: Paths, needs: dict[object, Paths]) -> Paths:
    """Return `paths` without the conditions that cannot be known before variables are computed."""
    if not all(isinstance(v.type, TensorType) for v in group):
        return ALWAYS
    makers = {v.owner for v in group}
    computable = {
        condition
        for condition in {condition for path in paths for condition, _ in path}
        if _is_harmless(condition, needs) and makers.isdisjoint(toposort([condition]))
    }
    return _simple(frozenset(frozenset(s for s in path if s[0] in computable) for path in paths))


def _is_harmless(condition: Variable, needs: dict[object, Paths]) -> bool:
    """Tell whether a condition is computed in any case, or may be: by arithmetic of numbers."""
    return needs.get(condition, ALWAYS) == ALWAYS or all(
        needs[node] == ALWAYS
        or (isinstance(node.op, Elementwise) and not node.outputs[0].type.ndim)
        for node in toposort([condition])
    )


def _guard(group: Sequence[Any], needs: dict[Any, Paths], now: dict[Any, Any]) -> None:
    """Add to `now`, for each variable, what has its value if one of the paths to it is taken."""
    rank = {v: i for i, v in enumerate(needs)}
    paths = [
        sorted((rank[c], side, c) for c, side in path - _implied(path))
        for path in needs[group[0].owner]
    ]
    ways = [reduce(and_, (_taken(c, side) for _, side, c in path)) for path in sorted(paths)]
    # No way: its branches stand in others that are taken when they are not.
    needed = reduce(or_, ways) if ways else as_variable(np.array(False))
    nothing = [nothing_like(v) for v in group]
    made: Apply = Guard(len(group)).make_node(*copied([needed, *group], now), *nothing)
    made.source = group[0].source
    now.update(zip(group, made.outputs, strict=True))


def _implied(path: Path) -> set[tuple[Any, int]]:
    """Return the steps of a path that one of a cut nest, further down, has after it."""
    cuts = (c.owner for c, side in path if not side)
    return {_last_step(n.inputs[0]) for n in cuts if n is not None and isinstance(n.op, Cut)}


def _taken(condition: Variable, side: int) -> Any:
    return eq(condition, 0) if side else neq(condition, 0)


def nothing_like(variable: Variable) -> Any:
    """Return an array of the type of a variable, as small as can be."""
    zero = as_variable(np.zeros((), dtype=variable.type.dtype))
    shape = [int(one) for one in variable.type.broadcastable]
    return alloc(zero, *shape) if shape else zero
