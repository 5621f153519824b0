"""The graph of a function as an object: it can be looked at, and changed in place.

The engine itself rewrites by making new nodes. This object is for programs that look at what a
function computes, and for those that replace parts of a graph, as rewrites written for Theano do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from theano._core.base.errors import BadReplacement, InconsistencyError
from theano._core.base.settings import config
from theano._core.ir.graph import check_inputs, inputs as leaves_of, listed, toposort
from theano._core.ir.text import as_string
from theano._core.ir.variable import Apply, Constant, Variable

# Where a variable is used: (node, index of the input), or ('output', index of the output).
Client = tuple[Any, int]


class FunctionGraph:
    """The graph of one function: `inputs`, `outputs` and the nodes between them.

    Parameters
    ----------
    inputs, outputs : list of Variable
    features : list, optional
        Objects to attach; see `attach_feature`.
    clone : bool
        Whether the graph is a copy, which changes leave the given variables out of.
    update_mapping : dict, optional
        The number of the output that is the new value of an input, for the number of that.
    name : str, optional
        Of the function.

    Raises
    ------
    MissingInputError
        An output depends on a variable that is neither an input nor has a value.
    """

    def __init__(
        self,
        inputs: Sequence[Variable],
        outputs: Sequence[Variable],
        features: Iterable[object] | None = None,
        clone: bool = True,
        update_mapping: Mapping[int, int] | None = None,
        *,
        name: str | None = None,
    ) -> None:
        self.name = name
        self.update_mapping = update_mapping
        inputs, outputs = list(inputs), list(outputs)
        check_inputs(outputs, inputs)
        if clone:
            equal = copy_of(inputs, outputs)
            inputs, outputs = ([equal[v] for v in group] for group in (inputs, outputs))
        self.inputs, self.outputs = inputs, []
        self._features: list[Any] = []
        self._clients: dict[Variable, list[Client]] | None = None
        self._nodes: set[Apply] = set()
        self._order: list[Apply] | None = None
        # They are attached to an empty graph, and told of each node.
        for feature in features or ():
            self.attach_feature(feature)
        self.outputs, self._clients, self._order = outputs, None, None
        # Variables know their uses from the start: programs ask them for `clients`.
        self._index()

    def __reduce__(self) -> Any:
        return type(self), (self.inputs, self.outputs, None, False, self.name)

    # -- looking ----------------------------------------------------------------------------------

    def toposort(self) -> list[Apply]:
        """Return the nodes, inputs first, in an order that the features agree to."""
        if self._order is None:
            self._order = _ordered(listed(self.outputs, self.inputs), self.orderings())
        return list(self._order)

    @property
    def apply_nodes(self) -> set[Apply]:
        """All nodes."""
        self._index()
        return set(self._nodes)

    @property
    def variables(self) -> set[Variable]:
        """All variables."""
        return set(self._index())

    def clients(self, r: Variable) -> list[Client]:
        """Return the uses of a variable: (node, input index), or ('output', output index)."""
        return list(self._index().get(r, ()))

    def _index(self) -> dict[Variable, list[Client]]:
        if self._clients is None:
            self._clients = {}
            for variable in self.inputs:
                self._take_in(variable)
            for index, variable in enumerate(self.outputs):
                self._add_use(variable, ("output", index), "init")
        return self._clients

    def __contains__(self, item: object) -> bool:
        return item in self._index() or item in self._nodes

    def __str__(self) -> str:
        return f"[{', '.join(as_string(self.inputs, self.outputs))}]"

    __repr__ = __str__

    def _repr_svg_(self) -> str | None:
        from theano._core.ir.small_picture import svg

        return svg(self.outputs) or None

    def _repr_html_(self) -> str:
        from html import escape

        return f"<pre>{escape(str(self))}</pre>{self._repr_svg_() or ''}"

    def _take_in(self, variable: Variable) -> list[Client]:
        """Return the list of the uses of a variable, which is part of the graph from now on."""
        clients = self._index()
        if variable not in clients:
            clients[variable] = []
            # Rewrites written for Theano ask the variable itself.
            vars(variable).update(clients=clients[variable], fgraph=self)
        return clients[variable]

    # -- changing ---------------------------------------------------------------------------------

    def _add_use(self, variable: Variable, client: Client, reason: object) -> None:
        """Note a use of a variable; take in the nodes that are new with it."""
        self._order = None
        for node in toposort([variable], self._index()):
            self._nodes.add(node)
            node.fgraph = self
            for index, value in enumerate(node.inputs):
                self._take_in(value).append((node, index))
            for out in node.outputs:
                self._take_in(out)
            self.execute_callbacks("on_import", node, reason)
        self._take_in(variable).append(client)

    def _drop_use(self, variable: Variable, client: Client, reason: object) -> None:
        """Forget a use of a variable, and the nodes that nothing needs then."""
        clients = self._index()
        self._order = None
        stack = [(variable, client)]
        while stack:
            variable, client = stack.pop()
            clients[variable].remove(client)
            node = variable.owner
            if node is None:
                if not clients[variable] and variable not in self.inputs:
                    del clients[variable]
                continue
            if node not in self._nodes or any(clients[v] for v in node.outputs):
                continue
            self._nodes.remove(node)
            for out in node.outputs:
                del clients[out]
            self.execute_callbacks("on_prune", node, reason)
            stack += [(value, (node, index)) for index, value in enumerate(node.inputs)]

    def change_input(self, node: Apply, i: int, new_r: Variable, reason: object = None) -> None:
        """Have a node (or 'output': the graph) use another variable as its `i`-th.

        Raises
        ------
        TypeError
            The variable has another type.
        """
        self._index()
        values = self.outputs if isinstance(node, str) else node.inputs
        old = values[i]
        if old.type != new_r.type:
            raise BadReplacement(
                "The type of the replacement must be the same as the type of the original "
                f"Variable. {old}: {old.type}, {new_r}: {new_r.type}, reason: {reason}"
            )
        if old is new_r:
            return
        check_inputs([new_r], self._index())
        values[i] = new_r
        self._add_use(new_r, (node, i), reason)
        self._drop_use(old, (node, i), reason)
        self.execute_callbacks("on_change_input", node, i, old, new_r, reason=reason)

    def replace(
        self, r: Variable, new_r: Variable, reason: object = None, verbose: bool | None = None
    ) -> None:
        """Use `new_r` wherever `r` is used; nothing happens if `r` is not in the graph.

        With `verbose`, by default `config.optimizer_verbose`, it is printed.

        Raises
        ------
        BadReplacement
            The types differ, and `new_r` cannot be converted without loss.
        """
        if config.optimizer_verbose if verbose is None else verbose:
            print(reason, r, new_r)
        if r not in self._index():
            return
        try:
            new_r = r.type.filter_variable(new_r)
        except TypeError as error:
            raise BadReplacement(f"{reason}: {r} is replaced by {new_r}. {error}") from None
        for node, i in self.clients(r):
            self.change_input(node, i, new_r, reason)

    def replace_all(
        self,
        pairs: Iterable[tuple[Variable, Variable]],
        reason: object = None,
        verbose: bool | None = None,
    ) -> None:
        """Replace several variables, one after another."""
        for r, new_r in pairs:
            self.replace(r, new_r, reason, verbose)

    def add_input(self, input: Variable) -> None:
        """Add an input."""
        if input not in self.inputs:
            self._take_in(input)
            self.inputs.append(input)

    # -- features ---------------------------------------------------------------------------------

    def attach_feature(self, feature: object) -> None:
        """Have an object take part in changes.

        Those of its methods that exist are called: `on_attach(graph)`, `on_detach(graph)`,
        `on_import(graph, node, reason)`, `on_prune(graph, node, reason)`,
        `on_change_input(graph, node, i, old, new, reason)`, `validate(graph)` and
        `orderings(graph)`. An `on_attach` that raises AlreadyThere is not attached.
        """
        if feature in self._features:
            return
        self._index()
        attach = getattr(feature, "on_attach", None)
        if attach is not None:
            try:
                attach(self)
            except AlreadyThere:
                return
        self._features.append(feature)
        # It may ask for another order.
        self._order = None

    def remove_feature(self, feature: object) -> None:
        """Detach an object; nothing happens if it is not attached."""
        if feature in self._features:
            self._features.remove(feature)
            detach = getattr(feature, "on_detach", None)
            if detach is not None:
                detach(self)

    def execute_callbacks(self, name: str, *args: object, **kwargs: object) -> None:
        """Call a method of every feature that has it."""
        for feature in list(self._features):
            method = getattr(feature, name, None)
            if method is not None:
                method(self, *args, **kwargs)

    def collect_callbacks(self, name: str, *args: Variable) -> dict[Any, Any]:
        """Return what a method of every feature that has it returns, by feature."""
        methods = [(f, getattr(f, name, None)) for f in self._features]
        return {feature: method(self, *args) for feature, method in methods if method is not None}

    def orderings(self) -> dict[Apply, list[Apply]]:
        """Return what the features ask for: nodes, and those that must come before each."""
        merged: dict[Apply, list[Apply]] = {}
        for ordering in self.collect_callbacks("orderings").values():
            for node, before in (ordering or {}).items():
                merged.setdefault(node, []).extend(before)
        return merged

    # -- copies and checks ------------------------------------------------------------------------

    def clone(self, check_integrity: bool = True) -> FunctionGraph:
        """Return a copy, with the same features."""
        return self.clone_get_equiv(check_integrity)[0]

    def clone_get_equiv(
        self, check_integrity: bool = True, attach_feature: bool = True
    ) -> tuple[FunctionGraph, dict[Any, Any]]:
        """Return a copy, and the copy of each of its variables and nodes."""
        if check_integrity:
            self.check_integrity()
        equal = copy_of(self.inputs, self.outputs)
        pair = ([equal[v] for v in group] for group in (self.inputs, self.outputs))
        copy = FunctionGraph(*pair, clone=False)
        for feature in self._features if attach_feature else ():
            copy.attach_feature(feature)
        return copy, equal

    def check_integrity(self) -> None:
        """Raise InconsistencyError if what is noted of the graph is not what it is."""
        clients = self._index()
        nodes = set(toposort(self.outputs, self.inputs))
        if nodes != self._nodes:
            raise InconsistencyError("the nodes of the graph are not those noted")
        for node in nodes:
            for index, variable in enumerate(node.inputs):
                if (node, index) not in clients.get(variable, ()):
                    raise InconsistencyError(f"a use of {variable} by {node} is not noted")
        for variable, uses in clients.items():
            for node, index in uses:
                values = self.outputs if isinstance(node, str) else node.inputs
                if values[index] is not variable:
                    raise InconsistencyError(f"{node} does not use {variable} as noted")

    def disown(self) -> None:
        """Detach every feature and forget the graph."""
        for feature in list(self._features):
            self.remove_feature(feature)
        for variable in self._clients or ():
            vars(variable).pop("clients", None)
            vars(variable).pop("fgraph", None)
        self.inputs, self.outputs = [], []
        self._clients, self._nodes, self._order = None, set(), None


def editable(outputs: Sequence[Variable]) -> FunctionGraph:
    """Return a graph over the inputs of `outputs`, whose nodes are copies."""
    equal = copy_of((), outputs)
    free = [v for v in leaves_of(outputs) if not isinstance(v, Constant)]
    return FunctionGraph(free, [equal[v] for v in outputs], clone=False)


class AlreadyThere(Exception):
    """Raised by a feature that is attached to a graph that has its like already."""


def copy_of(inputs: Sequence[Variable], outputs: Sequence[Variable]) -> dict[Any, Any]:
    """Return the copy of each variable and node of a graph; constants stay."""
    equal: dict[Any, Any] = {v: v.clone() for v in inputs}
    for node in toposort(outputs, inputs):
        for v in node.inputs:
            equal.setdefault(v, v)
        copy = equal[node] = node.clone_with_new_inputs([equal[v] for v in node.inputs], False)
        for out, new in zip(node.outputs, copy.outputs, strict=True):
            equal.setdefault(out, new)
    for v in outputs:
        equal.setdefault(v, v)
    return equal


def _ordered(nodes: list[Apply], before: dict[Apply, list[Apply]]) -> list[Apply]:
    """Return nodes in an order in which each comes after those that it must follow."""
    if not before:
        return nodes
    present, done, path = set(nodes), set(), set()
    order: list[Apply] = []
    stack = [(node, False) for node in reversed(nodes)]
    while stack:
        node, finished = stack.pop()
        if finished:
            path.discard(node)
            done.add(node)
            order.append(node)
        elif node in path:
            raise InconsistencyError(f"the features ask for an order that does not exist: {node}")
        elif node not in done:
            path.add(node)
            stack.append((node, True))
            earlier = [v.owner for v in node.inputs] + list(before.get(node, ()))
            stack += [(n, False) for n in earlier if n in present and n not in done]
    return order
