"""`PyDotFormatter`: graphs as objects of the package pydot."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from theano._core.api.debug.picture import graph_outputs
from theano._core.api.viewer.graph_data import bodies_of
from theano._core.ir.graph import toposort
from theano._core.ir.variable import Apply, Constant, Variable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pydot

MISSING = "PyDotFormatter makes graphs of the package pydot: pip install pydot"


class PyDotFormatter:
    """Makes a graph of the package pydot from a function or a graph.

    Parameters
    ----------
    compact : bool
        Leave out results between two operations that have no name.

    Attributes
    ----------
    node_colors, apply_colors, shapes : dict
        Colors of variables by what they are, colors of operations by parts of their names, and
        shapes of both.

    Raises
    ------
    ImportError
        pydot is not installed.

    Examples
    --------
    >>> import theano.tensor as T
    >>> graph = PyDotFormatter()(T.exp(T.dvector("x")))
    >>> [node.get("node_type") for node in graph.get_nodes()]
    ['input', 'apply', 'output']
    """

    def __init__(self, compact: bool = True) -> None:
        try:
            import pydot
        except ImportError as error:
            raise ImportError(MISSING) from error
        self._pydot = pydot
        self.compact = compact
        self.node_colors = {
            "input": "limegreen",
            "constant_input": "SpringGreen",
            "shared_input": "YellowGreen",
            "output": "dodgerblue",
            "unused": "lightgrey",
        }
        self.apply_colors = {
            "Scan": "yellow",
            "Loop": "yellow",
            "Shape": "cyan",
            "IfElse": "magenta",
            "Elemwise": "#FFAABB",
            "Subtensor": "#FFAAFF",
            "Alloc": "#FFAA22",
        }
        self.shapes = {"input": "box", "output": "box", "apply": "ellipse"}
        self._prefix = "n"
        self._names: dict[Any, str] = {}

    @staticmethod
    def check(compact: bool = True) -> None:
        """Raise TypeError for arguments that are none of the class."""

    def __call__(self, fct: object, graph: Any = None) -> Any:
        """Return the graph of a function; it is added to `graph` if there is one.

        Parameters
        ----------
        fct : function, FunctionGraph, variable, Apply or list of variables
        graph : pydot.Graph, optional

        Returns
        -------
        pydot.Dot or `graph`
        """
        graph = self._pydot.Dot() if graph is None else graph
        profile = getattr(fct, "profile", None) or None
        self._names = {}
        self._add(graph, graph_outputs(fct, "PyDotFormatter"), profile)
        return graph

    def _add(
        self,
        graph: pydot.Graph,
        outputs: Sequence[Variable],
        profile: Any,
        inputs: Sequence[Variable] = (),
    ) -> None:
        order = toposort(outputs, set(inputs))
        used = {v for node in order for v in node.inputs}
        for node in order:
            for variable in node.inputs:
                if variable.owner is None or variable in inputs:
                    self._leaf(graph, variable)
            own = self._operation(graph, node, profile)
            for position, variable in enumerate(node.inputs):
                where = f"{position} " if len(node.inputs) > 1 else ""
                made = variable if variable in inputs or not variable.owner else variable.owner
                start = self._names.get(variable, self._name(made))
                self._edge(graph, start, own, f"{where}{variable.type}")
            for variable in node.outputs:
                if variable in outputs or variable not in used:
                    kind = "output" if variable in outputs else "unused"
                    self._variable(graph, variable, "output", self.node_colors[kind])
                    self._edge(graph, own, self._name(variable), str(variable.type))
                elif variable.name or not self.compact:
                    self._variable(graph, variable, "output", self.node_colors["unused"])
                    self._edge(graph, own, self._name(variable), str(variable.type))
        for variable in outputs:
            if variable.owner is None or variable in inputs:
                self._leaf(graph, variable)

    def _operation(self, graph: pydot.Graph, node: Apply, profile: Any) -> str:
        own, kind = self._name(node), type(node.op).__name__
        facts = {"label": kind, "node_type": "apply", "apply_op": kind}
        if profile and profile.fct_call_time:
            facts["profile"] = f"{profile.apply_time.get(node, 0)}\t{profile.fct_call_time}"
        text = f"{kind} {node.op}"
        color = next((c for part, c in self.apply_colors.items() if part in text), None)
        if color:
            facts |= {"style": "filled", "fillcolor": color, "type": "colored"}
        for index, (title, body) in enumerate(bodies_of(node)):
            inside: Any = self._pydot.Cluster(f"{own}_{index}" if index else own, label=title)
            own_names, own_prefix = self._names, self._prefix
            self._names, self._prefix = {}, f"{own}_{index}_"
            self._add(inside, body.outputs, None, body.inputs)
            self._names, self._prefix = own_names, own_prefix
            graph.add_subgraph(inside)
            facts["subg"] = str(inside.get_name())
        self._node(graph, own, shape=self.shapes["apply"], **facts)
        return own

    def _leaf(self, graph: pydot.Graph, variable: Variable) -> None:
        from theano._core.compile.shared import SharedVariable

        if variable in self._names:
            return
        kind = "input"
        if isinstance(variable, Constant):
            kind = "constant_input"
        elif isinstance(variable, SharedVariable):
            kind = "shared_input"
        self._variable(graph, variable, kind, self.node_colors[kind])

    def _variable(self, graph: pydot.Graph, variable: Variable, kind: str, color: str) -> None:
        facts = {"dtype": str(variable.type), "style": "filled", "fillcolor": color}
        source = variable.source
        if source is not None:
            facts["tag"] = f"{os.path.basename(source.file)}\t{source.line}"
        shown = variable.name or (
            str(variable) if isinstance(variable, Constant) else str(variable.type)
        )
        shape = self.shapes["output" if kind == "output" else "input"]
        self._node(graph, self._name(variable), label=shown, node_type=kind, shape=shape, **facts)

    def _name(self, thing: object) -> str:
        return self._names.setdefault(thing, f"{self._prefix}{len(self._names) + 1}")

    def _node(self, graph: pydot.Graph, name: str, **facts: str) -> None:
        attributes: Any = {key: _quoted(value) for key, value in facts.items()}
        graph.add_node(self._pydot.Node(name, **attributes))

    def _edge(self, graph: pydot.Graph, start: str, end: str, text: str) -> None:
        graph.add_edge(self._pydot.Edge(start, end, label=_quoted(text)))


def _quoted(text: str) -> str:
    """Return a text as one of Graphviz's strings where it must be one."""
    if text.replace("_", "").isalnum():
        return text
    inside = text.replace("\\", "\\\\").replace('"', "'").replace("\n", "\\n")
    return f'"{inside}"'
