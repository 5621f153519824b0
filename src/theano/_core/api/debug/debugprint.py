"""`debugprint` and `min_informative_str`: graphs as trees of text."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from io import StringIO
from typing import TYPE_CHECKING, Any

from theano._core.api.conversion import is_small_number
from theano._core.compile.shared import SharedVariable
from theano._core.ir.function_graph import FunctionGraph
from theano._core.ir.tensor import TensorConstant
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.ops.control.scan import Loop

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike


def letters(number: int) -> str:
    """Return a number as letters: A to Z, then BA, BB and so on."""
    text = ""
    while True:
        number, rest = divmod(number, 26)
        text = chr(ord("A") + rest) + text
        if not number:
            return text


class _Tree:
    """Writes one line per variable; a node already written is not opened again."""

    def __init__(
        self,
        out: Any,
        depth: int,
        print_type: bool,
        ids: str,
        stop_on_name: bool,
        done: dict[Any, Any],
        used_ids: dict[object, str],
    ) -> None:
        self.out = out
        self.depth = depth
        self.print_type = print_type
        self.ids = ids
        self.stop_on_name = stop_on_name
        self.done = done
        self.used_ids = used_ids
        self.order: dict[Any, int] = {}
        self.storage: dict[Any, Any] = {}
        self.clients: dict[Any, list[Any]] = {}
        # A loop's node, by one of its outputs that is in the text.
        self.loops: dict[Any, Any] = {}
        # What the inputs of a loop's body are outside.
        self.outside: dict[Any, Any] = {}

    def identifier(self, obj: Any) -> str:
        """Return the tag of a node or input in the text: equal small numbers have one."""
        if isinstance(obj, TensorConstant) and obj.name is None and is_small_number(obj):
            obj = obj.signature()
        if obj in self.used_ids:
            return self.used_ids[obj]
        count = len(self.used_ids)
        text = {
            "id": f"[id {id(obj):x}]",
            "int": f"[id {count}]",
            "CHAR": f"[id {letters(count)}]",
            "": "",
        }[self.ids]
        self.used_ids[obj] = text
        return text

    def line(self, variable: Variable, prefix: str) -> str:
        """Return the line of one variable."""
        kind = f" <{variable.type}>" if self.print_type else ""
        node = variable.owner
        if node is None:
            text = f"{prefix}{variable} {self.identifier(variable)}{kind}{self.value(variable)}"
            outer = self.outside.get(variable)
            return text if outer is None else f"{text} -> {self.identifier(outer.owner or outer)}"
        # Theano's loops do not say how many steps they took.
        hidden = isinstance(node.op, Loop) and node.op.until
        output = f".{variable.index}" if len(node.outputs) - hidden > 1 else ""
        name = variable.name or ""
        order = self.order.get(node, "")
        users = self.clients.get(variable)
        clients = f" clients:{users}" if users is not None and len(users) > 1 else ""
        return (
            f"{prefix}{node.rules.node_text(node)}{output} {self.identifier(node)}{kind} "
            f"'{name}'   {order}{clients}"
            f"{self.value(variable)}"
        )

    def value(self, variable: TensorLike) -> str:
        """Return the stored value of a variable, if one is known."""
        return f" {self.storage[variable]}" if variable in self.storage else ""

    def write(self, variable: Variable, mark: str = "") -> None:
        """Write the tree of one variable, `mark` before each line."""
        # No recursion: graphs may be deeper than Python's stack.
        stack = [(variable, mark, mark, self.depth)]
        while stack:
            variable, prefix, below, depth = stack.pop()
            if depth == 0:
                continue
            node = variable.owner
            is_done = node is None or node in self.done
            print(self.line(variable, prefix), file=self.out)
            if is_done:
                continue
            self.done[node] = self.identifier(node)
            if isinstance(node.op, Loop):  # pyright: ignore[reportOptionalMemberAccess]
                self.loops[variable] = node
            if self.stop_on_name and variable.name is not None:
                continue
            last = len(node.inputs) - 1  # pyright: ignore[reportOptionalMemberAccess]
            children = [
                (parent, f"{below} |", f"{below}{'  ' if i == last else ' |'}", depth - 1)
                for i, parent in enumerate(node.inputs)  # pyright: ignore[reportOptionalMemberAccess]
            ]
            stack.extend(reversed(children))

    def write_bodies(self) -> None:
        """Write the bodies of the loops that were met, and of those met in bodies."""
        if self.loops:
            print("\nInner graphs of the scan ops:", file=self.out)
        done: set[Any] = set()
        while len(done) < len(self.loops):
            variable, node = next(item for item in self.loops.items() if item[1] not in done)
            done.add(node)
            print(file=self.out)
            print(self.line(variable, ""), file=self.out)
            self.outside.update(node.op.outside(node))
            for out in node.op.body.outputs:
                self.write(out, " >")


def debugprint(
    obj: Any,
    depth: int = -1,
    print_type: bool = False,
    file: Any = None,
    ids: str = "CHAR",
    stop_on_name: bool = False,
    done: dict[Any, Any] | None = None,
    print_storage: bool = False,
    print_clients: bool = False,
    used_ids: dict[object, str] | None = None,
    program: bool = False,
) -> Any:
    """Print graphs as trees, one line per operation and input.

    The bodies of loops follow, marked by ` >`; ` -> ` tells what an input of a body is outside.

    Parameters
    ----------
    obj : variable, Apply, Function, FunctionGraph, or list of them
    depth : int
        Levels to show; negative: all.
    print_type : bool
        Also show types.
    file : file object, 'str' or None
        Where to write: None is the standard output, 'str' returns the text.
    ids : {'CHAR', 'int', 'id', ''}
        How nodes are labelled. A label that occurs twice is the same node.
    stop_on_name : bool
        Do not open what has a name.
    done : dict, optional
        Nodes already opened.
    print_storage : bool
        For a function, also show the values it keeps between calls, each in brackets.
    print_clients : bool
        For a function or graph, also show who uses a result that several nodes use.
    used_ids : dict, optional
        Labels already given.
    program : bool
        Of a function, print what it does instead: its program, between graph and machine code.

    Returns
    -------
    str or file object
        The text if `file` is 'str', else `file`.

    Examples
    --------
    >>> import theano.tensor as T
    >>> debugprint(T.dscalar('x') ** T.dscalar('y'))  # doctest: +NORMALIZE_WHITESPACE
    Elemwise{pow,no_inplace} [id A] ''
     |x [id B]
     |y [id C]
    """
    if not isinstance(depth, int):
        raise TypeError(f"depth must be an int, got {depth!r}")
    if ids not in ("CHAR", "int", "id", ""):
        raise ValueError(f"ids must be 'CHAR', 'int', 'id' or '', got {ids!r}")
    out = StringIO() if file == "str" else sys.stdout if file is None else file
    if program:
        for each in obj if isinstance(obj, (list, tuple, set)) else [obj]:
            out.write(_program_of(each))
        return _written(out, file)
    tree = _Tree(
        out,
        depth,
        print_type,
        ids,
        stop_on_name,
        {} if done is None else done,
        {} if used_ids is None else used_ids,
    )
    for each in obj if isinstance(obj, (list, tuple, set)) else [obj]:
        for variable in _roots(each, tree, print_storage, print_clients):
            tree.write(variable)
    tree.write_bodies()
    return _written(out, file)


def _written(out: Any, file: object) -> Any:
    if file == "str":
        return out.getvalue()
    out.flush()
    return None if file is None else file


def _program_of(obj: object) -> str:
    text = getattr(getattr(obj, "maker", None), "program_text", None)
    if text is None:
        raise TypeError(f"debugprint: only functions have a program, not {type(obj).__name__}", obj)
    from theano._core.lower.text import annotated

    return annotated(text)


def _roots(obj: object, tree: _Tree, print_storage: bool, print_clients: bool) -> Iterable[Any]:
    """Return the variables to show for one object."""
    if isinstance(obj, Variable):
        return [obj]
    if isinstance(obj, Apply):
        return obj.outputs
    graph = obj if isinstance(obj, FunctionGraph) else _graph_of(obj)
    if graph is None:
        raise TypeError(
            f"debugprint cannot print {obj!r} of type {type(obj).__name__}: it takes variables, "
            "Apply nodes, functions, graphs, and lists of these"
        )
    tree.order.update({node: i for i, node in enumerate(graph.toposort())})
    if print_clients:
        tree.clients.update((v, graph.clients(v)) for v in graph.variables)
    if print_storage and graph is not obj:
        tree.storage.update({v: [_kept(v)] for v in graph.variables})
    return graph.outputs


def _kept(variable: Variable) -> Any:
    """Return the value that a function keeps for a variable between calls."""
    if isinstance(variable, SharedVariable):
        return variable.get_value(borrow=True)
    return variable.data if isinstance(variable, Constant) else None


def _graph_of(obj: object) -> Any:
    return getattr(getattr(obj, "maker", None), "graph", None)


def min_informative_str(obj: Any, indent_level: int = 0) -> str:
    """Return a variable as a tree: letters, names, and nothing else.

    Named variables are not opened; a variable that came before is shown by its letter.

    Parameters
    ----------
    obj : variable
    indent_level : int

    Returns
    -------
    str

    Examples
    --------
    >>> import theano.tensor as T
    >>> print(min_informative_str(T.dscalar('x') ** T.dscalar('y')))
    A. Elemwise{pow,no_inplace}
     B. x
     C. y
    """
    seen: dict[Any, str] = {}
    lines = []
    stack = [(obj, indent_level)]
    while stack:
        variable, level = stack.pop()
        if variable in seen:
            lines.append(f"{' ' * level}<{seen[variable]}>")
            continue
        seen[variable] = letters(len(seen))
        opened = variable.name is None and variable.owner is not None
        text = variable.owner.rules.node_text(variable.owner) if opened else str(variable)  # pyright: ignore[reportOptionalMemberAccess]
        lines.append(f"{' ' * level}{seen[variable]}. {text}")
        if opened:
            stack.extend((parent, level + 1) for parent in reversed(variable.owner.inputs))  # pyright: ignore[reportOptionalMemberAccess]
    return "\n".join(lines)
