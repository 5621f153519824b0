"""What can be attached to a `FunctionGraph`: undoing, checking, finding, watching."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from theano._core.base.errors import InconsistencyError
from theano._core.ir.function_graph import AlreadyThere
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.core.op import Op

if TYPE_CHECKING:
    from theano._core.ir.function_graph import FunctionGraph


class ReplacementDidntRemovedError(Exception):
    """A replacement left in the graph what it was to remove."""


class Feature:
    """Base of what takes part in the changes of a graph; its methods do nothing."""

    def on_attach(self, fgraph: FunctionGraph) -> None:
        """Called when it is attached; raises AlreadyThere if the graph has its like."""

    def on_detach(self, fgraph: FunctionGraph) -> None:
        """Called when it is detached."""

    def on_import(self, fgraph: FunctionGraph, node: Apply, reason: object) -> None:
        """Called for a node that is new in the graph."""

    def on_prune(self, fgraph: FunctionGraph, node: Apply, reason: object) -> None:
        """Called for a node that is no longer in the graph."""

    def on_change_input(
        self,
        fgraph: FunctionGraph,
        node: Apply,
        i: int,
        r: Variable,
        new_r: Variable,
        reason: object = None,
    ) -> None:
        """Called when the `i`-th input of `node` (or output, if that is 'output') has changed."""

    def orderings(self, fgraph: FunctionGraph) -> dict[Any, list[Any]]:
        """Return nodes, and those that must come before each."""
        return {}


class _Offers(Feature):
    """A feature that gives the graph methods."""

    methods: tuple[str, ...] = ()

    def on_attach(self, fgraph: FunctionGraph) -> None:
        for name in self.methods:
            if name in vars(fgraph):
                raise AlreadyThere(f"{type(self).__name__}: the graph has {name} already")
        for name in self.methods:
            own = name if hasattr(self, name) else f"{name}_"
            setattr(fgraph, name, partial(getattr(self, own), fgraph))

    def on_detach(self, fgraph: FunctionGraph) -> None:
        for name in self.methods:
            delattr(fgraph, name)


class Bookkeeper(Feature):
    """Base of features that are told of the nodes that are there when they are attached."""

    def on_attach(self, fgraph: FunctionGraph) -> None:
        for node in fgraph.toposort():
            self.on_import(fgraph, node, "on_attach")

    def on_detach(self, fgraph: FunctionGraph) -> None:
        for node in fgraph.toposort():
            self.on_prune(fgraph, node, "Bookkeeper.detach")


class History(_Offers):
    """Gives the graph `checkpoint()`, and `revert(checkpoint)`, which undoes changes since then."""

    methods = ("checkpoint", "revert")

    def __init__(self) -> None:
        self.changes: dict[Any, list[Any]] = {}

    def on_attach(self, fgraph: FunctionGraph) -> None:
        super().on_attach(fgraph)
        self.changes[fgraph] = []

    def on_detach(self, fgraph: FunctionGraph) -> None:
        super().on_detach(fgraph)
        del self.changes[fgraph]

    def on_change_input(
        self,
        fgraph: FunctionGraph,
        node: Apply,
        i: int,
        r: Variable,
        new_r: Variable,
        reason: object = None,
    ) -> None:
        self.changes[fgraph].append((node, i, r, reason))

    def checkpoint(self, fgraph: FunctionGraph) -> int:
        """Return where the graph is now."""
        return len(self.changes[fgraph])

    def revert(self, fgraph: FunctionGraph, checkpoint: int) -> None:
        """Undo the changes since a checkpoint."""
        changes = self.changes[fgraph]
        undone = changes[checkpoint:]
        for node, i, old, reason in reversed(undone):
            fgraph.change_input(node, i, old, reason=("Revert", reason))
        del changes[checkpoint:]


class Validator(_Offers):
    """Gives the graph `validate()`, which asks every feature, and `consistent()`."""

    methods = ("validate", "consistent")

    def validate_(self, fgraph: FunctionGraph) -> Any:
        """Call the `validate` of every other feature; what it raises leaves the graph invalid."""
        for feature in list(fgraph._features):
            check = getattr(feature, "validate", None)
            if check is not None and feature is not self:
                check(fgraph)

    def consistent_(self, fgraph: FunctionGraph) -> bool:
        """Tell whether every feature agrees."""
        try:
            self.validate_(fgraph)
        except Exception:
            return False
        return True


class ReplaceValidate(History):
    """Gives the graph replacements that are undone if a feature does not agree."""

    methods = (
        *History.methods,
        *Validator.methods,
        "replace_validate",
        "replace_all_validate",
        "replace_all_validate_remove",
    )

    def validate_(self, fgraph: FunctionGraph) -> None:
        """Call the `validate` of every feature."""
        for feature in list(fgraph._features):
            check = getattr(feature, "validate", None)
            if check is not None and feature is not self:
                check(fgraph)

    def consistent_(self, fgraph: FunctionGraph) -> bool:
        """Tell whether every feature agrees."""
        return Validator.consistent_(self, fgraph)  # type: ignore[arg-type]

    def replace_validate(
        self,
        fgraph: FunctionGraph,
        r: Variable,
        new_r: Variable,
        reason: object = None,
        verbose: bool | None = None,
    ) -> None:
        """Replace a variable."""
        self.replace_all_validate(fgraph, [(r, new_r)], reason, verbose)

    def replace_all_validate(
        self,
        fgraph: FunctionGraph,
        replacements: Iterable[tuple[Variable, Variable]],
        reason: object = None,
        verbose: bool | None = None,
    ) -> int:
        """Replace variables, all or none; return where the graph was before."""
        before = self.checkpoint(fgraph)
        try:
            fgraph.replace_all(replacements, reason, verbose)
            self.validate_(fgraph)
        except Exception:
            self.revert(fgraph, before)
            raise
        return before

    def replace_all_validate_remove(
        self,
        fgraph: FunctionGraph,
        replacements: Iterable[tuple[Variable, Variable]],
        remove: Iterable[object],
        reason: object = None,
        warn: bool = True,
    ) -> None:
        """Replace variables; raise if something of `remove` is still in the graph then.

        Raises
        ------
        ReplacementDidntRemovedError
            With nothing changed.
        """
        before = self.replace_all_validate(fgraph, replacements, reason)
        left = [item for item in remove if item in fgraph]
        if left:
            self.revert(fgraph, before)
            raise ReplacementDidntRemovedError(f"{reason}: {left} would still be in the graph")


class NodeFinder(Bookkeeper):
    """Gives the graph `get_nodes(op)`: the nodes of an operation."""

    def __init__(self) -> None:
        self.nodes_of: dict[Any, list[Any]] = {}

    def on_attach(self, fgraph: Any) -> None:
        if hasattr(fgraph, "get_nodes"):
            raise AlreadyThere("NodeFinder is already present")
        fgraph.get_nodes = partial(self.query, fgraph)
        super().on_attach(fgraph)

    def on_detach(self, fgraph: Any) -> None:
        self.nodes_of = {}
        del fgraph.get_nodes

    def on_import(self, fgraph: FunctionGraph, node: Apply, reason: object) -> None:
        self.nodes_of.setdefault(node.op, []).append(node)

    def on_prune(self, fgraph: FunctionGraph, node: Apply, reason: object) -> None:
        self.nodes_of[node.op].remove(node)

    def query(self, fgraph: FunctionGraph, op: Op) -> list[Any]:
        """Return the nodes of an operation, inputs first."""
        order = {node: k for k, node in enumerate(fgraph.toposort())}
        return sorted(self.nodes_of.get(op, ()), key=order.__getitem__)


class PrintListener(Feature):
    """Prints every change."""

    def __init__(self, active: bool = True) -> None:
        self.active = active

    def _print(self, *parts: object) -> None:
        if self.active:
            print(*parts)

    def on_attach(self, fgraph: FunctionGraph) -> None:
        self._print("-- attaching to:", fgraph)

    def on_detach(self, fgraph: FunctionGraph) -> None:
        self._print("-- detaching from:", fgraph)

    def on_import(self, fgraph: FunctionGraph, node: Apply, reason: object) -> None:
        self._print(f"-- importing: {node}, reason: {reason}")

    def on_prune(self, fgraph: FunctionGraph, node: Apply, reason: object) -> None:
        self._print(f"-- pruning: {node}, reason: {reason}")

    def on_change_input(
        self,
        fgraph: FunctionGraph,
        node: Apply,
        i: int,
        r: Variable,
        new_r: Variable,
        reason: object = None,
    ) -> None:
        self._print(f"-- changing ({node}.inputs[{i}]) from {r} to {new_r}")


class PreserveNames(Feature):
    """Gives a replacement without a name that of what it replaces."""

    def on_change_input(
        self,
        fgraph: FunctionGraph,
        node: Apply,
        i: int,
        r: Variable,
        new_r: Variable,
        reason: object = None,
    ) -> None:
        if r.name is not None and new_r.name is None:
            new_r.name = r.name


class PreserveVariableAttributes(PreserveNames):
    """Does so, and passes the attributes of the tag on."""

    def on_change_input(
        self,
        fgraph: FunctionGraph,
        node: Apply,
        i: int,
        r: Variable,
        new_r: Variable,
        reason: object = None,
    ) -> None:
        super().on_change_input(fgraph, node, i, r, new_r, reason)
        for name, value in vars(r.tag).items():
            if not hasattr(new_r.tag, name):
                setattr(new_r.tag, name, value)


class NoOutputFromInplace(Feature):
    """Does not agree to outputs that an operation makes by overwriting an input.

    Parameters
    ----------
    first_output_idx, last_output_idx : int, optional
        Which outputs, as in a slice.
    """

    def __init__(self, first_output_idx: int = 0, last_output_idx: int | None = None) -> None:
        self.first_idx = first_output_idx
        self.last_idx = last_output_idx

    def validate(self, fgraph: FunctionGraph) -> None:
        """Raise InconsistencyError for such an output."""
        for out in fgraph.outputs[self.first_idx : self.last_idx]:
            node = out.owner
            if node is not None and out.index in (getattr(node.op, "destroy_map", None) or {}):
                raise InconsistencyError(f"Trying to destroy a protected output: {out} of {node}")


Validate = Callable[[Any], None]
