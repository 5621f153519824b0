"""Walks over graphs under the names, arguments and orders of `theano.gof.graph`."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from theano._core.ir.graph import listed, toposort
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.core.op import Op


class CachedConstantError(Exception):
    """Constants that Theano keeps for all graphs are inputs of one; here none is kept."""


def stack_search(
    start: deque[object],
    expand: Callable[[Any], Sequence[Any] | None],
    mode: str = "bfs",
    build_inv: bool = False,
) -> Any:
    """Return everything that is reached from `start`, each once, in the order of the search.

    Parameters
    ----------
    start : deque
        Is emptied.
    expand : callable
        Returns what lies next to something, or None.
    mode : {'bfs', 'dfs'}
        Breadth first or depth first.
    build_inv : bool
        Also return, as a dict, from where each was reached.
    """
    if mode not in ("bfs", "dfs"):
        raise ValueError("mode should be bfs or dfs", mode)

    def following(current: Any) -> list[Any]:
        return list(expand(current) or ())

    pairs = list(walk(start, following, mode == "bfs", return_children=True))
    start.clear()
    order = [current for current, _ in pairs]
    if not build_inv:
        return order
    users: dict[Any, list[Any]] = {}
    for current, after in pairs:
        for item in after:
            users.setdefault(item, []).append(current)
    return order, users


def walk(
    nodes: Iterable[object],
    expand: Callable[[object], Sequence[object] | None],
    bfs: bool = True,
    return_children: bool = False,
    hash_fn: Callable[[Any], Any] = id,
) -> Iterator[Any]:
    """Yield what is reached from `nodes`, each once, in the order of the search.

    Parameters
    ----------
    nodes : iterable
        Where the search begins.
    expand : callable
        Returns what lies next to something, or None.
    bfs : bool
        Breadth first, else depth first.
    return_children : bool
        Yield pairs: something, and what `expand` says of it.
    hash_fn : callable
        Tells what is the same.
    """
    waiting, seen = deque(nodes), set()
    while waiting:
        current = waiting.popleft() if bfs else waiting.pop()
        if hash_fn(current) in seen:
            continue
        seen.add(hash_fn(current))
        after = expand(current)
        yield (current, after) if return_children else current
        waiting.extend(after or ())


def ancestors(
    variable_list: Sequence[Variable], blockers: Collection[Variable] | None = None
) -> list[Variable]:
    """Return what variables depend on, themselves included, depth first; not past `blockers`."""

    def expand(variable: Variable) -> list[Variable] | None:
        if variable.owner is None or (blockers and variable in blockers):
            return None
        return list(reversed(variable.owner.inputs))

    return stack_search(deque(variable_list), expand, "dfs")


def inputs(
    variable_list: Sequence[Variable], blockers: Collection[Variable] | None = None
) -> list[Variable]:
    """Return the variables without owner among the `ancestors`."""
    return [v for v in ancestors(variable_list, blockers) if v.owner is None]


def variables(i: Sequence[Variable], o: Sequence[Variable]) -> list[Variable]:
    """Return all variables of the graph from inputs `i` to outputs `o`, depth first."""

    def expand(variable: Variable) -> list[Variable] | None:
        if variable.owner is None or variable in i:
            return None
        return [*variable.owner.inputs, *variable.owner.outputs][::-1]

    return stack_search(deque(o), expand, "dfs")


def orphans(i: Sequence[Variable], o: Sequence[Variable]) -> list[Variable]:
    """Return what outputs `o` need besides inputs `i`."""
    return [v for v in variables(i, o) if v.owner is None and v not in i]


def ops(i: Sequence[Variable], o: Sequence[Variable]) -> set[Apply]:
    """Return the nodes between inputs `i` and outputs `o`."""
    return set(toposort(o, i))


def io_toposort(
    inputs: Sequence[Variable],
    outputs: Sequence[Variable],
    orderings: dict[Any, list[Any]] | None = None,
    clients: dict[object, list[object]] | None = None,
) -> list[Apply]:
    """Return the nodes between inputs and outputs, inputs first.

    Parameters
    ----------
    inputs, outputs : sequence of variables
    orderings : dict, optional
        For nodes, a list of others that come before them.
    clients : dict, optional
        Is filled with what uses each node and variable.
    """
    if not orderings and clients is None:
        return listed(outputs, inputs)
    ends, before = set(inputs), orderings or {}

    def needs(item: Any) -> list[Any]:
        if item in ends:
            return []
        own = list(item.inputs) if isinstance(item, Apply) else [item.owner] if item.owner else []
        return [*own, *before.get(item, ())]

    order = general_toposort(outputs, needs, clients=clients)
    return [item for item in order if isinstance(item, Apply)]


def list_of_nodes(inputs: Sequence[Variable], outputs: Sequence[Variable]) -> list[Apply]:
    """Return the nodes between inputs and outputs, outputs first."""

    def expand(node: Apply) -> list[Apply]:
        owners = [v.owner for v in node.inputs if v.owner is not None]
        return [n for n in owners if not any(v in n.outputs for v in inputs)]

    return stack_search(deque(out.owner for out in outputs), expand)


def clone_get_equiv(
    inputs: Sequence[Variable],
    outputs: Sequence[Variable],
    copy_inputs: bool = True,
    copy_orphans: bool = True,
    memo: dict[Any, Any] | None = None,
) -> dict[Any, Any]:
    """Copy a graph; return, for each of its variables and nodes, the copy.

    Parameters
    ----------
    inputs, outputs : sequence of variables
    copy_inputs : bool
        Whether the copy has new inputs.
    copy_orphans : bool
        Whether it has new variables for what is needed besides the inputs.
    memo : dict, optional
        Copies already made; is filled and returned.
    """
    memo = {} if memo is None else memo
    for v in inputs:
        memo.setdefault(v, v.clone() if copy_inputs else v)
    for node in toposort(outputs, inputs):
        for v in node.inputs:
            if v not in memo:
                memo[v] = v.clone() if copy_orphans else v
        copy = memo.setdefault(node, node.clone_with_new_inputs([memo[v] for v in node.inputs]))
        for old, new in zip(node.outputs, copy.outputs, strict=True):
            memo.setdefault(old, new)
    for v in outputs:
        if v not in memo:
            memo[v] = v.clone()
    return memo


def clone(
    i: Sequence[Variable],
    o: Sequence[Variable],
    copy_inputs: bool = True,
    copy_orphans: bool | None = None,
) -> tuple[list[Variable], list[Variable]]:
    """Return the inputs and outputs of a copy of a graph; see `clone_get_equiv`."""
    memo = clone_get_equiv(i, o, copy_inputs, copy_inputs if copy_orphans is None else copy_orphans)
    return [memo[v] for v in i], [memo[v] for v in o]


def general_toposort(
    outputs: Sequence[object],
    deps: Callable[[object], Sequence[object]] | None,
    debug_print: bool = False,
    compute_deps_cache: Callable[[object], Sequence[object]] | None = None,
    deps_cache: dict[object, object] | None = None,
    clients: dict[object, list[object]] | None = None,
) -> list[Any]:
    """Return what is reached from `outputs`, dependencies first.

    Parameters
    ----------
    outputs : sequence of hashable
    deps : callable
        Returns what something depends on.
    debug_print : bool
        Accepted for old programs.
    compute_deps_cache, deps_cache : callable and dict, optional
        In place of `deps`: a function that also keeps what it returns in the dict.
    clients : dict, optional
        Is filled with what depends on each.

    Raises
    ------
    ValueError
        Something depends on itself.
    """
    expand = deps if compute_deps_cache is None else compute_deps_cache
    if expand is None:
        raise ValueError("general_toposort needs deps or compute_deps_cache")
    users = {} if clients is None else clients
    waiting, needed = list(outputs), {}
    while waiting:
        item = waiting.pop()
        if item in needed:
            continue
        needed[item] = list(expand(item) or ())
        waiting.extend(needed[item])
        for other in needed[item]:
            users.setdefault(other, []).append(item)
    # First what needs nothing, in the order of the search; then what needs nothing else any more.
    missing = {item: len(others) for item, others in needed.items()}
    ready = deque(item for item, count in missing.items() if not count)
    order = []
    while ready:
        item = ready.popleft()
        order.append(item)
        for user in users.get(item, ()):
            missing[user] -= 1
            if not missing[user]:
                ready.append(user)
    if len(order) != len(needed):
        raise ValueError("graph contains cycles")
    return order


def is_in_ancestors(l_node: Apply, f_node: Apply) -> bool:
    """Tell whether the node `l_node` is or needs the node `f_node`."""
    return f_node in toposort(l_node.outputs)


def variables_and_orphans(
    i: Sequence[Variable], o: Sequence[Variable]
) -> tuple[list[Any], list[Any]]:
    """Return the variables between `i` and `o`, and those of them that nothing in `i` gives."""
    return variables(i, o), orphans(i, o)


def view_roots(r: Variable) -> list[Any]:
    """Return the variables whose memory `r` may show, itself if it is no view."""
    roots: list[Any] = []
    todo: list[Any] = [r]
    while todo:
        variable = todo.pop()
        node = variable.owner
        shown = [] if node is None else _shown(node.op).get(variable.index, [])
        if node is not None and shown:
            todo += [node.inputs[k] for k in reversed(shown)]
        else:
            roots.append(variable)
    return roots


def _shown(op: Op) -> dict[int, list[int]]:
    """Return which inputs each output of an operation may show."""
    return getattr(op, "view_map", None) or {}


@contextmanager
def nodes_constructed() -> Iterator[list[Any]]:
    """Yield a list to which every variable is added that is made meanwhile."""
    made: list[Any] = []
    Variable.append_construction_observer(made.append)
    try:
        yield made
    finally:
        Variable.remove_construction_observer(made.append)
