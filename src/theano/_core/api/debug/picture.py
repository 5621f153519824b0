"""`pydotprint`: a graph as a picture, laid out by Graphviz."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from theano._core.base.settings import config
from theano._core.compile.shared import SharedVariable
from theano._core.ir.function_graph import FunctionGraph
from theano._core.ir.graph import toposort
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.ops.control.branch import Branch, IfElse
from theano._core.ops.control.scan import Loop

MISSING = (
    "pydotprint draws by Graphviz: pip install graphviz, and the program `dot` "
    "(Debian: apt-get install graphviz)"
)
# What operations are filled with, by parts of their names.
COLORS = {
    "GpuFromHost": "red",
    "HostFromGpu": "red",
    "Scan": "yellow",
    "for{": "yellow",
    "do_while{": "yellow",
    "Shape": "brown",
    "IfElse": "magenta",
    "Elemwise": "#FFAABB",
    "Subtensor": "#FFAAFF",
    "Alloc": "#FFAA22",
    "Output": "blue",
}


def pydotprint(
    fct: object,
    outfile: str | None = None,
    compact: bool = True,
    format: str = "png",
    with_ids: bool = False,
    high_contrast: bool = True,
    cond_highlight: Variable | None = None,
    colorCodes: Mapping[str, str] | None = None,
    max_label_size: int = 70,
    scan_graphs: bool = False,
    var_with_name_simple: bool = False,
    print_output_file: bool = True,
    return_image: bool = False,
) -> Any:
    """Draw a graph or a compiled function.

    Operations are ellipses, inputs are green boxes, constants are grey, shared variables cyan, and
    results are blue. An arrow says which input it is, if there are several, and the type.

    Parameters
    ----------
    fct : function, FunctionGraph, variable, Apply or list of variables
    outfile : str, optional
        By default in `config.compiledir`, with the name ``theano.pydotprint`` and the format.
    compact : bool
        Leave out variables between two operations that have no name.
    format : str
        Of the picture: 'png', 'svg', 'pdf', … or 'dot', which takes no program to draw.
    with_ids : bool
        Number operations, and variables without a name.
    high_contrast : bool
        Fill shapes with their color instead of drawing their outline in it.
    cond_highlight
        Accepted for old programs: says on the log if there is no branch.
    colorCodes : mapping of str to str, optional
        Colors of operations by parts of their names, instead of the usual ones.
    max_label_size : int
        Longer texts are cut.
    scan_graphs : bool
        Draw the bodies of loops too, in files with a number behind the name.
    var_with_name_simple : bool
        Show only the name of variables that have one, not the type.
    print_output_file : bool
        Print where the picture is.
    return_image : bool
        Return the picture as bytes (as text for 'svg' and 'dot') instead of writing it.

    Returns
    -------
    None, or an image
        With `return_image`, an image that notebooks show.

    Raises
    ------
    RuntimeError
        Graphviz is not installed.
    ValueError
        `fct` is no graph.

    Examples
    --------
    >>> import os, tempfile
    >>> x = T.dvector("x")
    >>> path = os.path.join(tempfile.mkdtemp(), "tanh.dot")
    >>> theano.printing.pydotprint(T.tanh(x), path, format="dot", print_output_file=False)
    >>> os.path.exists(path)
    True
    """
    outputs = graph_outputs(fct, "pydotprint")
    if cond_highlight is not None and not any(
        isinstance(node.op, (Branch, IfElse)) for node in toposort(outputs)
    ):
        import logging  # takes a thirtieth of the import of everything

        logging.getLogger("theano.printing").warning(
            "pydotprint: cond_highlight is set but there is no IfElse node in the graph"
        )
    colors = COLORS if colorCodes is None else colorCodes
    picture = _Picture(outputs, compact, with_ids, high_contrast, colors, max_label_size)
    picture.simple_names = var_with_name_simple
    image = _rendered(picture.drawn(), format)
    if return_image:
        return image
    if outfile is None:
        outfile = os.path.join(config.compiledir, f"theano.pydotprint.{format}")
    elif not outfile.endswith(f".{format}"):
        outfile = f"{outfile}.{format}"
    mode = "w" if isinstance(image, str) else "wb"
    with open(outfile, mode) as file:
        file.write(image)
    if print_output_file:
        print("The output file is available at", outfile)
    if scan_graphs:
        loops = [node for node in toposort(outputs) if isinstance(node.op, Loop)]
        root = outfile[: -len(format) - 1]
        for index, node in enumerate(loops):
            body = list(node.op.body.outputs)
            options = (compact, format, with_ids, high_contrast, cond_highlight, colors)
            name = f"{root}_{getattr(node.op, 'name', None) or 'scan'}_{index}"
            pydotprint(body, name, *options, max_label_size, False, var_with_name_simple)
    return None


def node_of_pydot() -> Any:
    """Return the class of pydot's nodes; None: pydot is not imported."""
    return getattr(sys.modules.get("pydot"), "Node", None)


def can_draw() -> bool:
    """Tell whether Graphviz is there, and the package that calls it."""
    return importlib.util.find_spec("graphviz") is not None and shutil.which("dot") is not None


def graph_outputs(fct: object, what: str) -> list[Any]:
    """Return the variables that a function or a graph computes; `what` asks for them."""
    maker = getattr(fct, "maker", None)
    if maker is not None:
        fct = maker.graph
    if isinstance(fct, FunctionGraph):
        return list(fct.outputs)
    if isinstance(fct, Apply):
        return list(fct.outputs)
    if isinstance(fct, Variable):
        return [fct]
    if isinstance(fct, (list, tuple)) and all(isinstance(v, Variable) for v in fct):
        return list(fct)
    raise ValueError(
        f"{what} expects as input a theano.function, a FunctionGraph, a Variable, an Apply or "
        f"a list of Variables, got {type(fct).__name__}"
    )


def _rendered(graph: Any, format: str) -> Any:
    if format == "dot":
        return graph.source
    import graphviz

    try:
        return graph.pipe(format, encoding="utf-8" if format == "svg" else None)
    except graphviz.ExecutableNotFound as error:
        raise RuntimeError(MISSING) from error


class _Picture:
    """A picture while it is drawn."""

    def __init__(
        self,
        outputs: Sequence[Any],
        compact: bool,
        with_ids: bool,
        fills: bool,
        colors: Mapping[str, str],
        longest: int,
    ) -> None:
        try:
            import graphviz
        except ImportError as error:
            raise RuntimeError(MISSING) from error
        self.outputs = outputs
        self.compact = compact
        self.with_ids = with_ids
        self.colors = colors
        self.longest = longest
        self.simple_names = False
        style = "filled" if fills else "solid"
        self.graph = graphviz.Digraph(node_attr={"style": style, "fontname": "sans-serif"})
        self.ids: dict[Any, str] = {}

    def drawn(self) -> Any:
        """Return the whole picture."""
        results = set(self.outputs)
        for index, node in enumerate(toposort(self.outputs)):
            own = self._id(node)
            self._shape(own, self._node_text(node, index), self._color(node), "ellipse")
            for position, variable in enumerate(node.inputs):
                where = str(position) if len(node.inputs) > 1 else ""
                self._arrow(variable, own, where)
            for position, out in enumerate(node.outputs):
                if out in results or not self.compact or out.name:
                    where = str(position) if len(node.outputs) > 1 else ""
                    color = "dodgerblue" if out in results else "lightgrey"
                    self._shape(self._id(out), self._text(out), color, "box")
                    self.graph.edge(own, self._id(out), where)
        for variable in self.outputs:
            if variable.owner is None:
                self._leaf(variable)
        return self.graph

    def _arrow(self, variable: Variable, to: str, where: str) -> None:
        """Draw an arrow from what makes a variable, or from its box."""
        node = variable.owner
        boxed = node is None or not self.compact or variable.name or variable in self.outputs
        if node is None:
            self._leaf(variable)
        label = " ".join(filter(None, (where, "" if boxed else str(variable.type))))
        self.graph.edge(self._id(variable if boxed else node), to, label)

    def _leaf(self, variable: Variable) -> None:
        if isinstance(variable, Constant):
            color = "lightgrey"
        else:
            color = "cyan" if isinstance(variable, SharedVariable) else "lightgreen"
        self._shape(self._id(variable), self._text(variable), color, "box")

    def _shape(self, own: str, text: str, color: str, shape: str) -> None:
        if len(text) > self.longest:
            text = text[: self.longest - 3] + "..."
        # A backslash would be one of Graphviz's own signs.
        self.graph.node(own, text.replace("\\", "\\\\"), shape=shape, color=color)

    def _id(self, thing: object) -> str:
        return self.ids.setdefault(thing, f"n{len(self.ids)}")

    def _node_text(self, node: Apply, number: int) -> str:
        text = str(node.op)
        return f"{text} id={number}" if self.with_ids else text

    def _text(self, variable: Variable) -> str:
        if variable.name is not None and self.simple_names:
            return variable.name
        shown = variable.name or (str(variable) if isinstance(variable, Constant) else "")
        if not shown and self.with_ids:
            shown = f"id={self._id(variable)}"
        return f"{shown} {variable.type}".strip()

    def _color(self, node: Apply) -> str:
        text = str(node.op)
        return next((c for part, c in self.colors.items() if part in text), "white")
