"""Orders of nodes as old programs make them: `theano.gof.sched`."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import cache
from graphlib import CycleError, TopologicalSorter
from typing import Any

from theano._core.ir.variable import Apply, Variable
from theano._core.legacy.compat import cmp
from theano._core.legacy.graphs.walks import list_of_nodes

memodict = cache
Comparison = Callable[[Any, Any], int]


def make_depends() -> Callable[[tuple[Any, Any]], bool]:
    """Return a function that tells whether the first of a pair of nodes needs the second."""

    @cache
    def depends(pair: tuple[Any, Any]) -> bool:
        a, b = pair
        if not all(isinstance(each, Apply) for each in pair):
            return False
        direct = {v.owner for v in a.inputs} - {None}
        return b in direct or any(depends((each, b)) for each in direct)

    return depends


def make_dependence_cmp() -> Comparison:
    """Return a comparison by which a node comes after those that it needs."""
    depends = make_depends()
    return lambda a, b: int(depends((a, b))) - int(depends((b, a)))


def reverse_dict(d: Mapping[object, Sequence[object]]) -> dict[Any, tuple[Any, ...]]:
    """Return, for each item of the values, the keys whose value has it."""
    result: dict[Any, tuple[Any, ...]] = {}
    for key, items in d.items():
        for item in items:
            result[item] = (*result.get(item, ()), key)
    return result


def _toposort(edges: Mapping[Variable, Iterable[Hashable]]) -> list[Any]:
    """Return the keys and values so that each key comes before its values."""
    before = reverse_dict({key: tuple(values) for key, values in edges.items()})
    sorter = TopologicalSorter({**dict.fromkeys(edges, ()), **before})
    try:
        return list(sorter.static_order())
    except CycleError as error:
        raise ValueError("Input has cycles.") from error


def posort(l: Iterable[object], *cmps: Comparison) -> list[Any]:
    """Return items in an order that agrees with comparisons; earlier ones count more.

    Parameters
    ----------
    l : iterable
    *cmps : callable
        Return a negative number if the first of two comes first, zero if that is open.
    """
    items = list(l)
    after: dict[Any, set[Any]] = {item: set() for item in items}
    before: dict[Any, set[Any]] = {item: set() for item in items}
    for compare in cmps:
        for a in items:
            for b in items:
                if compare(a, b) < 0 and a not in after[b]:
                    # Links are kept closed, so that a contradiction is seen at once.
                    later, earlier = {b, *after[b]}, {a, *before[a]}
                    for each in earlier:
                        after[each] |= later
                    for each in later:
                        before[each] |= earlier
    return _toposort(after)


def sort_apply_nodes(inputs: Any, outputs: Any, cmps: Sequence[Comparison]) -> list[Apply]:
    """Return the nodes between inputs and outputs in an order of comparisons only."""
    return posort(list_of_nodes(inputs, outputs), *cmps)


def sort_schedule_fn(*cmps: Comparison) -> Callable[[Any], list[Apply]]:
    """Return a function that gives the nodes of a `FunctionGraph` in an order.

    What a node needs comes before it; comparisons decide the rest.
    """
    every = (make_dependence_cmp(), *cmps)
    return lambda fgraph: sort_apply_nodes(fgraph.inputs, fgraph.outputs, every)


def key_to_cmp(key: Callable[[Variable], Variable]) -> Comparison:
    """Return the comparison by a key."""
    return lambda a, b: cmp(key(a), key(b))
