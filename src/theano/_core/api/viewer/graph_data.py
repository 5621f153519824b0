"""Graphs as plain data, for pages that show them.

Every node has a number, the same in all stages of a function: a stage is nothing but its results.
"""

from __future__ import annotations

import linecache
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from theano._core.api.debug.names import short_name
from theano._core.compile.shared import SharedVariable
from theano._core.ir.graph import toposort
from theano._core.ir.hooks import place_of
from theano._core.ir.source import SourceLine
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.ops.control.branch import Branch
from theano._core.ops.control.inner_graph import InnerGraph
from theano._core.ops.control.scan import Loop

# Lines of a file that are shown before and behind one that made something.
AROUND = 12
LONGEST_LABEL = 40
# What operations are, by the module of the engine that has them; the first that fits.
KINDS = {
    "ops.elementwise": "elementwise",
    "ops.array.reductions": "reduction",
    "ops.array.products": "product",
    "ops.array.dot": "product",
    "ops.linalg": "product",
    "ops.nn": "product",
    "ops.array": "array",
    "ops.core": "array",
    "ops.control": "control",
    "ops.random": "random",
    "ops.sparse": "sparse",
}


class GraphData:
    """Collects nodes, and the lines of code that made them.

    Attributes
    ----------
    nodes : list of dict
        Operations and variables that are results of none. A variable is written as the number of
        its node, or as [number, output] if it is another than the first output.
    sources : list of list
        File, line, first and last column (or -1), function.
    """

    def __init__(self) -> None:
        self.nodes: list[dict[str, Any]] = []
        self.sources: list[list[Any]] = []
        self._numbers: dict[Any, int] = {}
        self._source_numbers: dict[SourceLine, int] = {}
        self._files: dict[str, int] = {}

    def add(self, outputs: Iterable[Variable], inputs: Sequence[Variable] = ()) -> list[Any]:
        """Add a graph and the graphs within; return how its results are written.

        Parameters
        ----------
        outputs : iterable of Variable
        inputs : sequence of Variable, optional
            Of the body of a loop or branch: they are leaves.
        """
        outputs = list(outputs)
        for variable in inputs:
            self._leaf(variable, "argument")
        for node in toposort(outputs, set(inputs)):
            if node not in self._numbers:
                self._operation(node)
        return [self.reference(v) for v in outputs]

    def reference(self, variable: Variable) -> Any:
        """Return how a variable is written; it is added if it is the result of no operation."""
        if variable in self._numbers:
            return self._numbers[variable]
        node = variable.owner
        if node is None or node not in self._numbers:
            return self._leaf(variable, "input")
        number = self._numbers[node]
        return [number, variable.index] if variable.index else number

    def number_of(self, node: Apply) -> int:
        """Return the number of an operation; -1: it was not added."""
        return self._numbers.get(node, -1)

    def files(self) -> list[dict[str, Any]]:
        """Return the files with the lines that made something, and those around them."""
        wanted: list[set[int]] = [set() for _ in self._files]
        for file, line, *_ in self.sources:
            wanted[file].update(range(line - AROUND, line + AROUND + 1))
        files = []
        for (name, _), numbers in zip(self._files.items(), wanted, strict=True):
            lines = linecache.getlines(name)
            near = [n for n in sorted(numbers) if 0 < n <= len(lines)]
            files.append({"name": name, "lines": {n: lines[n - 1].rstrip() for n in near}})
        return files

    def _operation(self, node: Apply) -> None:
        inputs = [self.reference(v) for v in node.inputs]
        number = self._numbers[node] = len(self.nodes)
        record: dict[str, Any] = {
            "label": _shortened(short_name(node)),
            "text": str(node.op),
            "kind": _kind_of(node),
            "inputs": inputs,
            "types": [type_text(v) for v in node.outputs],
            "source": self._source(node.source),
        }
        names = [v.name or "" for v in node.outputs]
        if any(names):
            record["names"] = names
        self.nodes.append(record)
        bodies = self._bodies(node)
        if bodies:
            self.nodes[number]["bodies"] = bodies

    def _bodies(self, node: Apply) -> list[dict[str, Any]]:
        return [
            {"title": title, "outputs": self.add(body.outputs, body.inputs)}
            for title, body in bodies_of(node)
        ]

    def _leaf(self, variable: Variable, kind: str) -> int:
        if variable in self._numbers:
            return self._numbers[variable]
        number = self._numbers[variable] = len(self.nodes)
        text = variable.name or kind
        if isinstance(variable, Constant):
            kind, text = "constant", _constant_text(variable)
        elif isinstance(variable, SharedVariable):
            kind, text = "shared", str(variable)
        self.nodes.append(
            {
                "label": _shortened(text),
                "text": text,
                "kind": kind,
                "inputs": [],
                "types": [type_text(variable)],
                "source": self._source(variable.source),
            }
        )
        return number

    def _source(self, source: SourceLine | None) -> int:
        if source is None:
            return -1
        number = self._source_numbers.get(source)
        if number is None:
            number = self._source_numbers[source] = len(self.sources)
            file = self._files.setdefault(source.file, len(self._files))
            start, end = source.columns() or (-1, -1)
            self.sources.append([file, source.line, start, end, source.function])
        return number


def bodies_of(node: Apply) -> list[tuple[str, Any]]:
    """Return the graphs within an operation, each with what it is."""
    op = node.op
    if isinstance(op, Loop):
        return [("each step", op.body)]
    if isinstance(op, Branch):
        return [("if true", op.then), ("if false", op.otherwise)]
    return [("what it is", op.body)] if isinstance(op, InnerGraph) else []


def type_text(variable: Variable) -> str:
    """Return a type in few words: dtype, and lengths where they are declared."""
    type_ = variable.type
    if not isinstance(type_, TensorType):
        return str(type_)
    shape = type_.shape if type_.sized else [1 if b else None for b in type_.broadcastable]
    inside = ", ".join("?" if n is None else str(n) for n in shape)
    return f"{type_.dtype} ({inside}{',' * (type_.ndim == 1)})" if type_.ndim else type_.dtype


def _constant_text(variable: Variable) -> str:
    data = getattr(variable, "data", None)
    if variable.name is None and isinstance(data, np.ndarray) and data.size == 1:
        return str(data.item())
    return str(variable)


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_LABEL else f"{text[: LONGEST_LABEL - 1]}…"


def _kind_of(node: Apply) -> str:
    module = place_of(type(node.rules))[0].removeprefix("theano._core.")
    return next((kind for start, kind in KINDS.items() if module.startswith(start)), "call")
