"""`pp`: expressions in one line, as one would write them, and one for each part used again."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from theano._core.ir import hooks
from theano._core.ir.function_graph import FunctionGraph
from theano._core.ir.graph import toposort
from theano._core.ir.variable import Constant, Variable
from theano._core.ops.array.broadcasting import Alloc
from theano._core.ops.array.creation import Join
from theano._core.ops.array.index_form import index_of, join_index
from theano._core.ops.array.indexing import Subtensor
from theano._core.ops.array.products import Dot
from theano._core.ops.array.shaping import MakeVector, ShapeOf
from theano._core.ops.core.dimshuffle import DimShuffle
from theano._core.ops.core.fill import Second
from theano._core.ops.core.op import Op
from theano._core.ops.elementwise import arithmetic as a, transcendental as t
from theano._core.ops.elementwise.elementwise import Elementwise

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike

Parts = list[str]
# Characters up to which a text is written again where it is used again.
SHORT = 40

Printer = Callable[[Any, Parts], str]

_OPERATORS = {
    a.add: " + ",
    a.mul: " * ",
    a.sub: " - ",
    a.true_div: " / ",
    a.int_div: " // ",
    t.pow: " ** ",
}


class PPrinter:
    """Writes expressions; `assign` adds how an operation of one's own is written.

    Examples
    --------
    >>> import theano.tensor as T
    >>> x, y = T.dscalars('x', 'y')
    >>> pp(x * (y - x))
    '(x * (y - x))'
    """

    def __init__(self, printers: Any = None) -> None:
        self.printers = list(printers or [])

    def assign(self, condition: Any, printer: Any) -> None:
        """Say how what `condition` describes is written.

        Parameters
        ----------
        condition : Op, Op class, or callable
            A callable takes (printer state, variable) and returns a bool.
        printer : callable or object with `process`
            Takes (variable, printer state) and returns text; `state.process(variable)` is the text
            of an operand.
        """
        self.printers.insert(0, (condition, printer))

    def clone_assign(self, condition: Op, printer: object) -> PPrinter:
        """Return a copy with one more rule; see `assign`."""
        fresh = PPrinter(self.printers)
        fresh.assign(condition, printer)
        return fresh

    def process(self, variable: TensorLike, pstate: _Page | None = None) -> str:
        """Return a variable as text.

        What is used more than once, and is long, has a name: the line that says what the name means
        stands before the text.
        """
        if isinstance(pstate, _Page):
            return pstate.process(variable)
        return self._written([variable])

    def _written(self, outputs: Any) -> str:
        page = _Page(self, outputs)
        texts = [page.process(out) for out in outputs]
        return "\n".join([*page.definitions, *texts])

    def _text(self, variable: Variable, parts: Parts, page: _Page) -> str:
        for condition, printer in self.printers:
            if _applies(condition, variable):
                process = getattr(printer, "process", printer)
                return process(variable, page)
        op = variable.owner.op
        for cls in type(op).__mro__:
            if cls in _WRITERS:
                return _WRITERS[cls](variable, parts)
        return f"{variable.owner.rules.node_text(variable.owner)}({', '.join(parts)})"

    def __call__(self, *args: object) -> str:
        if len(args) == 1 and isinstance(args[0], Variable):
            return self.process(args[0])
        if len(args) == 1:
            graph = getattr(getattr(args[0], "maker", None), "graph", args[0])
            if isinstance(graph, FunctionGraph):
                return self.process_graph(graph.inputs, graph.outputs)
            if isinstance(graph, (list, tuple)):
                return self.process_graph([], graph)
        if len(args) == 2 and all(isinstance(each, (list, tuple)) for each in args):
            return self.process_graph(*args)
        type_names = ", ".join(type(each).__name__ for each in args)
        raise TypeError(
            "pp takes a variable, a function or graph, a list of variables, or a list of inputs "
            f"and one of outputs; got {type_names or 'nothing'}"
        )

    def process_graph(self, inputs: Any, outputs: object) -> str:
        """Return several outputs as text, one line each."""
        head = f"inputs: {', '.join(map(str, inputs))}\n" if inputs else ""
        return head + self._written(outputs)


class _Page:
    """The texts of what some outputs depend on, each written once: the state of a printer.

    INVARIANT: the length of all that is written grows as the graph does, not as its paths do.
    """

    def __init__(self, printer: PPrinter, outputs: Any) -> None:
        self.pprinter = printer
        self.definitions: list[str] = []
        # A text in which a mark stands for what belongs in its place: a text is copied once.
        self.texts: list[str] = []
        self.memo: dict[Any, str] = {}
        nodes = toposort(list(outputs))
        used = {*outputs, *(v for node in nodes for v in node.inputs)}
        # How often each variable is written: operands once for each output that is.
        written = Counter(v.owner for v in used)
        self.uses = Counter(outputs)
        for node in nodes:
            for v in node.inputs:
                self.uses[v] += written[node]
        # Names that something in the text has already.
        self.taken = {str(v) for v in used if v.owner is None}
        named = Counter(v.name for v in self.uses if v.owner is not None)
        self.own_names = {name for name, count in named.items() if name and count == 1}

    def process(self, variable: Any, pstate: Any = None) -> str:
        """Return the text of a variable, names in it for what is used elsewhere too."""
        # Depth first, without recursion: graphs may be deeper than Python's stack.
        stack = [variable]
        while stack:
            current = stack[-1]
            if current in self.memo:
                stack.pop()
                continue
            missing = [] if current.owner is None else current.owner.inputs
            missing = [v for v in missing if v not in self.memo]
            if missing:
                stack.extend(reversed(missing))
            else:
                self.memo[current] = self._entry(current)
        return self._written_out(self.memo[variable])

    def _entry(self, variable: Any) -> str:
        if variable.owner is None:
            return str(variable)
        text = self.pprinter._text(variable, [self.memo[v] for v in variable.owner.inputs], self)
        if self.uses[variable] < 2:
            self.texts.append(text)
            return f"\0{len(self.texts) - 1}\0"
        text = self._written_out(text)
        if len(text) <= SHORT:
            return text
        name = self._name(variable)
        self.definitions.append(f"{name} = {text}")
        return name

    def _name(self, variable: Any) -> str:
        own = variable.name
        if own not in self.own_names or own in self.taken:
            numbers = itertools.count(len(self.definitions) + 1)
            own = next(name for n in numbers if (name := f"v{n}") not in self.taken)
        self.taken.add(own)
        return own

    def _written_out(self, text: str) -> str:
        """Return `text` with each mark replaced by the text that it stands for, marks in it too."""
        done: list[str] = []
        todo = [text]
        while todo:
            # Every other part is the number of a text.
            head, *rest = todo.pop().split("\0", 2)
            done.append(head)
            if rest:
                todo += [rest[1], self.texts[int(rest[0])]]
        return "".join(done)


def _applies(condition: Any, variable: Variable) -> bool:
    if isinstance(condition, type):
        return isinstance(variable.owner.op, condition)
    if hasattr(condition, "make_node"):
        return variable.owner.op == condition
    return bool(condition(None, variable))


def _elementwise(variable: Variable, parts: Parts) -> str:
    op = variable.owner.op
    if op in _OPERATORS:
        return f"({_OPERATORS[op].join(parts)})"
    if op == a.neg:
        return f"(-{parts[0]})"
    if op == a.abs_:
        return f"|{parts[0]}|"
    if op == a.copy:
        return parts[0]
    if op.is_cast:
        return f"{variable.type.dtype}({parts[0]})"
    return f"{op.name}({', '.join(parts)})"


def _axes(variable: Variable, parts: Parts) -> str:
    order = variable.owner.op.new_order
    rank = len(variable.owner.op.input_broadcastable)
    if order == tuple(reversed(range(rank))):
        return f"{parts[0]}.T"
    if order[len(order) - rank :] == tuple(range(rank)):
        # Axes added on the left: what broadcasting does anyway.
        return parts[0]
    return f"DimShuffle{{{', '.join(map(str, order))}}}({parts[0]})"


def _index(variable: Variable, parts: Parts) -> str:
    entries = []
    inputs = variable.owner.inputs[1:]
    shown = [part for v, part in zip(inputs, parts[1:], strict=True) if not isinstance(v, Constant)]
    for entry in join_index(index_of(variable.owner), shown):
        if isinstance(entry, slice):
            bounds = ["" if v is None else str(v) for v in (entry.start, entry.stop)]
            step = "" if entry.step is None else f":{entry.step}"
            entries.append(":".join(bounds) + step)
        else:
            entries.append(f"Constant{{{entry}}}" if isinstance(entry, int) else str(entry))
    return f"{parts[0]}[{', '.join(entries)}]"


def _calls(name: str) -> Callable[[Any, Parts], str]:
    return lambda variable, parts: f"{name}({', '.join(parts)})"


def _axis(variable: Variable) -> list[str]:
    axis = variable.owner.op.axis
    return [] if axis is None else [f"TensorConstant{{{axis}}}"]


_WRITERS: dict[type, Callable[[Any, Parts], str]] = {
    Elementwise: _elementwise,
    DimShuffle: _axes,
    Subtensor: _index,
    Dot: lambda variable, parts: f"({parts[0]} \\dot {parts[1]})",
    Second: _calls("fill"),
    Alloc: _calls("alloc"),
    ShapeOf: _calls("Shape"),
    MakeVector: lambda variable, parts: f"[{', '.join(parts)}]",
    Join: lambda variable, parts: _calls("join")(variable, [*_axis(variable), *parts]),
}

pprint = PPrinter()
pp = pprint


@hooks.pretty.fill
def as_written(variable: Variable) -> str:
    """Return an expression as Python would write it, for messages."""
    text = re.sub(r"(?:Tensor)?Constant\{([^{}]*)\}", r"\1", pprint(variable))
    return re.sub(r"Shape\((\w+)\)", r"\1.shape", text)
