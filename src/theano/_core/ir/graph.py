"""Walks over expression graphs, copies of them, and the graph object of a function."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from theano._core.base.errors import MissingInputError
from theano._core.ir.variable import Apply, Constant, Variable


def toposort(outputs: Iterable[Variable], stop: Collection[Variable] = ()) -> list[Apply]:
    """Return the applications that `outputs` need, inputs first; `stop` variables are leaves.

    Order is deterministic. No recursion: graphs may be deeper than Python's stack.
    """
    leaves = stop if isinstance(stop, (set, dict)) else set(stop)
    done: set[Apply] = set()
    order: list[Apply] = []
    for output in outputs:
        if output in leaves or output.owner is None:
            continue
        stack: list[tuple[Apply, int]] = [(output.owner, 0)]
        while stack:
            node, position = stack.pop()
            if node in done:
                continue
            inputs = node.inputs
            while position < len(inputs):
                parent = inputs[position]
                position += 1
                owner = parent.owner
                if owner is not None and owner not in done and parent not in leaves:
                    stack.append((node, position))
                    stack.append((owner, 0))
                    break
            else:
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
    outputs: Sequence[Variable], replace: dict[Variable, Variable], strict: bool = False
) -> list[Any]:
    """Return `outputs` with variables replaced by `replace` (whose values are not walked).

    With `strict`, a replacement of another type is converted without loss or refused (TypeError).
    """
    memo = dict(replace)
    for node in toposort(outputs, replace):
        new = [memo.get(v, v) for v in node.inputs]
        if all(a is b for a, b in zip(new, node.inputs, strict=True)):
            continue
        copy = node.clone_with_new_inputs(new, strict)
        for old, fresh in zip(node.outputs, copy.outputs, strict=True):
            memo.setdefault(old, fresh)
    return [memo.get(v, v) for v in outputs]


class FunctionGraph:
    """The graph of one function: `inputs`, `outputs` and the applications between them.

    Parameters
    ----------
    inputs, outputs : list of Variable

    Raises
    ------
    MissingInputError
        An output depends on a variable that is neither an input nor has a value.
    """

    def __init__(self, inputs: Sequence[Variable], outputs: Sequence[Variable]) -> None:
        self.inputs = list(inputs)
        self.outputs = list(outputs)
        check_inputs(self.outputs, self.inputs)

    def __reduce__(self) -> Any:
        return type(self), (self.inputs, self.outputs)

    def toposort(self) -> list[Apply]:
        """Return the applications, inputs first."""
        return toposort(self.outputs, self.inputs)

    @property
    def apply_nodes(self) -> set[Apply]:
        """All applications."""
        return set(self.toposort())

    @property
    def variables(self) -> set[Variable]:
        """All variables."""
        return {*self.inputs, *ancestors(self.outputs, self.inputs)}

    @property
    def clients(self) -> dict[Variable, list[tuple[Any, int]]]:
        """Uses of each variable: (node, input index), or ('output', output index)."""
        table: dict[Variable, list[tuple[Any, int]]] = {v: [] for v in self.variables}
        for node in self.toposort():
            for index, variable in enumerate(node.inputs):
                table[variable].append((node, index))
        for index, variable in enumerate(self.outputs):
            table[variable].append(("output", index))
        return table

    def __str__(self) -> str:
        return f"[{', '.join(expression_text(out) for out in self.outputs)}]"


def expression_text(variable: Variable) -> str:
    """Return `variable` written as nested calls (each input named, shared parts repeated)."""
    memo: dict[Variable, str] = {}
    for node in toposort([variable]):
        text = f"{node.op}({', '.join(memo.get(v, str(v)) for v in node.inputs)})"
        for index, output in enumerate(node.outputs):
            memo[output] = text if len(node.outputs) == 1 else f"{text}.{index}"
    return memo.get(variable, str(variable))


def check_inputs(outputs: Sequence[Variable], given: Sequence[Variable]) -> None:
    """Raise MissingInputError if `outputs` need a variable that is not in `given`."""
    known = set(given)
    order = toposort(outputs, known)
    loose: list[tuple[Variable, int, Apply | None]] = [
        (variable, index, node) for node in order for index, variable in enumerate(node.inputs)
    ]
    loose += [(variable, index, None) for index, variable in enumerate(outputs)]
    for variable, index, node in loose:
        # The type of a gradient that is not defined.
        why = getattr(variable.type, "why_null", None)
        if why is not None:
            raise TypeError(
                f"Computation graph contains a NaN. This variable is Null because {why}"
            )
        if variable.owner is None and variable not in known and not isinstance(variable, Constant):
            use = f"used to compute {node}" if node is not None else "that is itself a result"
            made = f"\nBacktrace when that variable is created:\n\n  {variable.source}\n"
            raise MissingInputError(
                f"Input {index} of the graph (indices start from 0), {use}, was not provided and "
                "not given a value. Use the Theano flag exception_verbosity='high', for more "
                f"information on this error. Variable: {variable} of type {variable.type}. Put it "
                "among the inputs, give it a value with `givens`, or make it a shared variable."
                f"{made}",
                variable=variable,
            )
