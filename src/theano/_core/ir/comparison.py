"""Whether two graphs compute the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from theano._core.ir.graph import copy_graph, toposort
from theano._core.ir.variable import Apply, Constant, Variable


def equal_computations(
    xs: Sequence[Variable],
    ys: Sequence[Variable],
    in_xs: Sequence[Variable] | None = None,
    in_ys: Sequence[Variable] | None = None,
) -> bool:
    """Tell whether pairs of variables are made by the same operations from the same inputs.

    Parameters
    ----------
    xs, ys : sequence of variables
        As many of each.
    in_xs, in_ys : sequence of variables, optional
        Pair by pair taken to be equal, given the same type.

    Returns
    -------
    bool
        Equal constants count as the same; expressions that are only equal in value do not.
    """
    if len(xs) != len(ys):
        raise AssertionError(f"{len(xs)} graphs are to be compared with {len(ys)}")
    inputs, partners = list(in_xs or ()), list(in_ys or ())
    if len(inputs) != len(partners):
        return False
    if any(a.type != b.type for a, b in zip(inputs, partners, strict=True)):
        return False
    equal: set[tuple[Any, Any]] = set(zip(inputs, partners, strict=True))
    for x, y in zip(xs, ys, strict=True):
        if x.type != y.type or not _same_nodes(x, y, equal):
            return False
    return True


def _same_nodes(x: Variable, y: Variable, equal: set[tuple[Variable, Variable]]) -> bool:
    """Compare two graphs; `equal` holds and receives pairs of variables known to be equal."""
    if x.owner is None or y.owner is None:
        return _same(x, y, equal)
    # No recursion: graphs may be deeper than Python's stack.
    stack: list[tuple[Apply, Apply, bool]] = [(x.owner, y.owner, False)]
    while stack:
        one, two, opened = stack.pop()
        if all(pair in equal for pair in zip(one.outputs, two.outputs, strict=False)):
            continue
        if one.op != two.op or len(one.inputs) != len(two.inputs):
            return False
        pairs = list(zip(one.inputs, two.inputs, strict=True))
        if opened:
            if not all(_same(a, b, equal) for a, b in pairs):
                return False
            equal.update(zip(one.outputs, two.outputs, strict=True))
            continue
        stack.append((one, two, True))
        stack.extend(
            (a.owner, b.owner, False)
            for a, b in pairs
            if a.owner is not None and b.owner is not None and not _same(a, b, equal)
        )
    return _same(x, y, equal)


def _same(x: Variable, y: Variable, equal: set[tuple[Variable, Variable]]) -> bool:
    return x is y or (x, y) in equal or (isinstance(x, Constant) and x.equals(y))


def is_same_graph(
    var1: Variable,
    var2: Variable,
    givens: Mapping[Variable, Variable] | Sequence[tuple[Variable, Variable]] | None = None,
    debug: bool = False,
) -> bool:
    """Tell whether two variables are made by the same operations from the same inputs.

    Parameters
    ----------
    var1, var2 : variable
    givens : dict or list of pairs, optional
        Replacements, made in both graphs first.
    debug : bool
        Accepted for old programs.

    Examples
    --------
    >>> import theano.tensor as T
    >>> x, y = T.dvectors('x', 'y')
    >>> is_same_graph(x + 1, y + 1), is_same_graph(x + 1, y + 1, givens={x: y})
    (False, True)
    """
    one, two = copy_graph([var1, var2], dict(givens or {}))
    return equal_computations([one], [two])


def io_connection_pattern(
    inputs: Sequence[Variable], outputs: Sequence[Variable]
) -> list[list[bool]]:
    """Return, per input, which outputs depend on its values."""
    reach: dict[Variable, set[int]] = {v: {i} for i, v in enumerate(inputs)}
    for node in toposort(outputs, inputs):
        pattern = node.rules.connection(node)
        for index, out in enumerate(node.outputs):
            used = [v for v, uses in zip(node.inputs, pattern, strict=True) if uses[index]]
            reach.setdefault(out, set().union(*(reach.get(v, set()) for v in used)))
    return [[i in reach.get(out, ()) for out in outputs] for i in range(len(inputs))]
