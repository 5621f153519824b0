"""Walks over expression graphs, and copies of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from theano._core.base.errors import MissingInputError
from theano._core.ir import hooks
from theano._core.ir.variable import Apply, Constant, Variable

if TYPE_CHECKING:
    One = TypeVar("One")
    Two = TypeVar("Two")

    @overload
    def made_by(variable: Variable, op: type[One], /) -> Apply[One] | None: ...
    @overload
    def made_by(
        variable: Variable, op: type[One], two: type[Two], /
    ) -> Apply[One | Two] | None: ...
    @overload
    def made_by(variable: Variable, op: One, /) -> Apply[One] | None: ...
    @overload
    def made_by(variable: Variable, op: object, /, *others: object) -> Apply[Any] | None: ...


def made_by(variable: Variable, op: Any, *others: object) -> Apply[Any] | None:
    """Return what makes `variable` if that is one of some operations, or of a class of them."""
    node = variable.owner
    if node is None:
        return None
    made = node.op
    if made is op or (isinstance(made, op) if op.__class__ is type else made == op):
        return node
    return made_by(variable, *others) if others else None


def constant_data(node: Apply) -> list[Any]:
    """Return the values of the inputs of a node, all of which are constants."""
    return [v.data for v in cast("list[Constant]", node.inputs)]


def toposort(outputs: Iterable[Variable], stop: Collection[Variable] = ()) -> list[Apply]:
    """Return the nodes that `outputs` need, inputs first; `stop` variables are leaves.

    Order is deterministic. No recursion: graphs may be deeper than Python's stack.
    """
    leaves = stop if isinstance(stop, (set, dict)) else set(stop)
    done: set[Apply] = set()
    order: list[Apply] = []
    for output in outputs:
        node = output.owner
        if node is None or node in done or output in leaves:
            continue
        parents = iter(node.inputs)
        # The nodes that wait for `node`, with those of their inputs that are not walked.
        waiting: list[tuple[Apply, Iterator[Variable]]] = []
        while True:
            for parent in parents:
                owner = parent.owner
                if owner is not None and owner not in done and parent not in leaves:
                    waiting.append((node, parents))
                    node, parents = owner, iter(owner.inputs)
                    break
            else:
                done.add(node)
                order.append(node)
                if not waiting:
                    break
                node, parents = waiting.pop()
    return order


def listed(outputs: Iterable[Variable], stop: Collection[Variable] = ()) -> list[Apply]:
    """Return the same nodes in the order in which Theano lists them: last inputs first.

    Programs written for Theano 1.0.5 know nodes of small graphs by their place.
    """
    done: set[Apply] = set()
    leaves = stop if isinstance(stop, (set, dict)) else set(stop)
    order: list[Apply] = []
    stack = [v.owner for v in reversed(list(outputs)) if v.owner is not None and v not in leaves]
    while stack:
        node = stack[-1]
        if node in done:
            stack.pop()
            continue
        owners = [v.owner for v in node.inputs if v.owner is not None and v not in leaves]
        missing = [owner for owner in owners if owner not in done]
        if missing:
            stack += missing
            continue
        stack.pop()
        done.add(node)
        order.append(node)
    return order


def ancestors(variables: Iterable[Variable], stop: Iterable[Variable] = ()) -> list[Variable]:
    """Return every variable that `variables` depend on, themselves included, inputs first."""
    variables = list(variables)
    leaves = set(stop)
    seen: dict[Variable, None] = {}
    for node in toposort(variables, leaves):
        for variable in (*node.inputs, *node.outputs):
            seen.setdefault(variable)
    for variable in variables:
        seen.setdefault(variable)
    return list(seen)


def inputs(variables: Iterable[Variable], stop: Iterable[Variable] = ()) -> list[Variable]:
    """Return the variables without owner that `variables` depend on, constants included."""
    leaves = set(stop)
    return [v for v in ancestors(variables, leaves) if v.owner is None or v in leaves]


def copy_graph(
    outputs: Sequence[Variable],
    replace: dict[Variable, Variable],
    strict: bool = False,
    whole: bool = False,
) -> list[Any]:
    """Return `outputs` with variables replaced by `replace` (whose values are not walked).

    With `strict`, a replacement of another type is converted without loss or refused (TypeError).
    With `whole`, nodes are new also where nothing is replaced.
    """
    memo = dict(replace)
    for node in toposort(outputs, replace):
        new = [memo.get(v, v) for v in node.inputs]
        if not whole and all(a is b for a, b in zip(new, node.inputs, strict=True)):
            continue
        copy = node.clone_with_new_inputs(new, strict)
        for old, fresh in zip(node.outputs, copy.outputs, strict=True):
            memo.setdefault(old, fresh)
    return [memo.get(v, v) for v in outputs]


def copied(values: Sequence[Variable], now: dict[Variable, Variable]) -> list[Variable]:
    """Return `values` with variables replaced as `now` says, to which what is walked is added.

    So replacements can be given one by one, each made of what comes before, and each node is
    walked once.
    """
    if not now:
        return list(values)
    for node in toposort(values, now):
        inputs = [now.get(v, v) for v in node.inputs]
        fresh = node
        if any(a is not b for a, b in zip(inputs, node.inputs, strict=True)):
            fresh = node.clone_with_new_inputs(inputs, strict=False)
        for old, new in zip(node.outputs, fresh.outputs, strict=True):
            now.setdefault(old, new)
    return [now.get(v, v) for v in values]


def check_inputs(
    outputs: Sequence[Variable],
    stated_inputs: Collection[Variable],
    nodes: list[Apply] | None = None,
) -> list[Apply]:
    """Return the `nodes` between `stated_inputs` and `outputs`, as `toposort` does.

    Raises
    ------
    MissingInputError
        `outputs` need a variable that is not in `stated_inputs`.
    """
    ends = stated_inputs if isinstance(stated_inputs, (set, dict)) else set(stated_inputs)
    order = toposort(outputs, ends) if nodes is None else nodes
    for node in order:
        for index, variable in enumerate(node.inputs):
            _check(variable, ends, index, node)
    for index, variable in enumerate(outputs):
        _check(variable, ends, index, None)
    return order


def _check(variable: Variable, ends: Collection[Variable], index: int, node: Apply | None) -> None:
    # The type of a gradient that is not defined.
    why = getattr(variable.type, "why_null", None)
    if why is not None:
        raise TypeError(f"Computation graph contains a NaN. This variable is Null because {why}")
    if variable.owner is None and variable not in ends and not isinstance(variable, Constant):
        raise _missing(variable, index, node)


def _missing(variable: Variable, index: int, node: Apply | None) -> MissingInputError:
    use = "that is itself a result"
    if node is not None:
        small = len(toposort(node.outputs)) <= 12
        use = f"used to compute {hooks.pretty(node.outputs[0]) if small else node}"
    hint = "Put it among the inputs, give it a value with `givens`, or make it a shared variable."
    step = getattr(variable.tag, "step_of", None)
    if step is not None:
        hint = (
            f"It exists in the steps of scan {step!r} only: what a step updates, streams of random "
            "numbers included, gets its new value by the updates that scan returns. Give them to "
            "theano.function."
        )
    made = variable.source and variable.source.quoted()
    return MissingInputError(
        f"Input {index} of the graph (indices start from 0), {use}, was not provided and "
        "not given a value. Use the Theano flag exception_verbosity='high', for more "
        f"information on this error. Variable: {variable} of type {variable.type}. {hint}"
        f"\nBacktrace when that variable is created:\n\n  {made}\n",
        variable=variable,
    )
