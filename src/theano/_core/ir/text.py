"""Graphs as text: nested calls, or a line for each node."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from theano._core.ir import hooks
from theano._core.ir.graph import toposort
from theano._core.ir.variable import Apply, Variable


def _default_leaf(variable: Variable) -> str:
    return str(variable)


def _default_node(node: Apply, arguments: Sequence[str]) -> str:
    return f"{node.op}({', '.join(arguments)})"


def as_string(
    i: Sequence[Variable],
    o: Sequence[Variable],
    leaf_formatter: Callable[[Variable], str] = _default_leaf,
    node_formatter: Callable[[Any, Sequence[str]], str] = _default_node,
) -> list[str]:
    """Return each of the variables `o` written as nested calls over the variables `i`.

    Parameters
    ----------
    leaf_formatter : callable
        `leaf_formatter(variable)` → text.
    node_formatter : callable
        `node_formatter(node, texts of its inputs)` → text.

    Returns
    -------
    list of str
        What is used more than once is ``*n -> text`` where it first stands, then ``*n``.
    """
    order = toposort(o, set(i))
    uses: dict[Any, int] = {}
    for variable in (*o, *(v for node in order for v in node.inputs)):
        if variable.owner is not None and variable not in i:
            uses[variable.owner] = uses.get(variable.owner, 0) + 1
    repeated = [node for node in order if uses.get(node, 0) > 1]
    numbers = {node: index for index, node in enumerate(repeated, 1)}
    written: set[Apply] = set()

    def reference(variable: Variable) -> str:
        node = variable.owner
        part = "" if len(node.outputs) == 1 else f"::{variable.index}"
        return f"*{numbers[node]}{part}"

    texts = []
    for root in o:
        # Operands are written before the operations they belong to, without recursion.
        done: list[str] = []
        todo: list[tuple[Any, bool]] = [(root, False)]
        while todo:
            variable, ready = todo.pop()
            node = variable.owner
            if ready:
                count = len(node.inputs)
                arguments = done[len(done) - count :]
                del done[len(done) - count :]
                text = node_formatter(node, arguments)
                done.append(f"*{numbers[node]} -> {text}" if node in numbers else text)
            elif node is None or variable in i:
                done.append(leaf_formatter(variable))
            elif node in written:
                done.append(reference(variable))
            else:
                written.add(node)
                todo.append((variable, True))
                todo += [(v, False) for v in reversed(node.inputs)]
        texts.append(done[0])
    return texts


def op_as_string(
    i: Sequence[Variable],
    op: Apply,
    leaf_formatter: Callable[[Any], str] = _default_leaf,
    node_formatter: Callable[[Any, Sequence[str]], str] = _default_node,
) -> str:
    """Return one node written as a call over the variables `i`, as `as_string` does."""
    return node_formatter(op, as_string(i, op.inputs, leaf_formatter, node_formatter))


# An expression of more nodes, or a text of more characters, tells nobody what it is.
LARGEST = 12
LONGEST = 48


def written(variable: Variable) -> str | None:
    """Return a small expression as Python would write it; None for others."""
    if len(toposort([variable])) > LARGEST:
        return None
    text = hooks.pretty(variable)
    return text if len(text) <= LONGEST and "\n" not in text else None


def label(variable: Variable) -> str:
    """Return what messages call a variable: its name, its expression if that is small, its text."""
    if variable.name or getattr(variable, "owner", None) is None:
        return str(variable)
    return written(variable) or str(variable)


def listing(outputs: Sequence[Any]) -> str:
    """Return a graph with one line for each node, in the order that they can run in."""
    names: dict[Any, str] = {}
    lines = []

    def name(variable: Variable) -> str:
        return names.get(variable) or str(variable)

    for node in toposort(outputs):
        arguments = ", ".join(map(name, node.inputs))
        for out in node.outputs:
            names[out] = f"%{len(names)}"
        results = ", ".join(f"{name(out)}: {out.type}" for out in node.outputs)
        lines.append(f"{results} = {node.op}({arguments})")
    return "\n".join([*lines, f"return {', '.join(map(name, outputs))}"])
