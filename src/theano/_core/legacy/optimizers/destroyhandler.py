"""What operations of users overwrite, in a `FunctionGraph`: whether an order exists that allows it.

Operations say with `destroy_map` which inputs an output overwrites, with `view_map` which inputs it
shares memory with: output → list of inputs. Those of the engine say neither.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from theano._core.base.errors import InconsistencyError
from theano._core.ir.function_graph import AlreadyThere
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.legacy.optimizers.toolbox import Bookkeeper

if TYPE_CHECKING:
    from theano._core.ir.function_graph import FunctionGraph


def _map(node: Apply, name: str) -> dict[int, list[int]]:
    return getattr(node.op, name, None) or {}


def _destroyed(node: Apply) -> list[int]:
    """Return which inputs a node overwrites."""
    return [i for inputs in _map(node, "destroy_map").values() for i in inputs]


def _root(variable: Any) -> Any:
    """Return the variable whose memory a variable shares."""
    while variable.owner is not None:
        inputs = _map(variable.owner, "view_map").get(variable.index)
        if not inputs:
            break
        variable = variable.owner.inputs[inputs[0]]
    return variable


class DestroyHandler(Bookkeeper):
    """Agrees to a graph if what is overwritten can be read before, and is not protected.

    Gives the graph `destroyers(variable)`: the nodes that overwrite its memory.

    Parameters
    ----------
    do_imports_on_attach, algo
        Of no effect.
    """

    def __init__(self, do_imports_on_attach: bool = True, algo: object = None) -> None:
        # INVARIANT: the nodes of the graph that overwrite an input, in the order they came.
        self.destroyers: dict[Apply, None] = {}

    def on_attach(self, fgraph: Any) -> None:
        if hasattr(fgraph, "destroy_handler"):
            raise AlreadyThere("DestroyHandler: the graph has one already")
        fgraph.destroy_handler = self
        fgraph.destroyers = partial(self._destroyers_of, fgraph)
        super().on_attach(fgraph)

    def on_detach(self, fgraph: Any) -> None:
        super().on_detach(fgraph)
        del fgraph.destroy_handler, fgraph.destroyers

    def on_import(self, fgraph: FunctionGraph, node: Apply, reason: object) -> None:
        if _destroyed(node):
            self.destroyers[node] = None

    def on_prune(self, fgraph: FunctionGraph, node: Apply, reason: object) -> None:
        self.destroyers.pop(node, None)

    def _destroyers_of(self, fgraph: FunctionGraph, variable: Variable) -> list[Apply]:
        root = _root(variable)
        return [
            node
            for node in self.destroyers
            if any(_root(node.inputs[i]) is root for i in _destroyed(node))
        ]

    def validate(self, fgraph: FunctionGraph) -> None:
        """Raise InconsistencyError if something is overwritten that is still needed."""
        if self.destroyers:
            # Raises if there is no order.
            fgraph.toposort()

    def orderings(self, fgraph: FunctionGraph) -> dict[Any, list[Any]]:
        """Return, for each node that overwrites, those that read the memory before it."""
        if not self.destroyers:
            return {}
        by: dict[Any, Apply] = {}
        for node in self.destroyers:
            for i in _destroyed(node):
                root = _root(node.inputs[i])
                if isinstance(root, Constant) or getattr(root.tag, "indestructible", False):
                    raise InconsistencyError(
                        f"Attempting to destroy indestructible variables: {root}"
                    )
                if by.setdefault(root, node) is not node:
                    raise InconsistencyError(f"Multiple destroyers of {root}")
        alike: dict[Any, list[Any]] = {root: [] for root in by}
        for variable in fgraph.variables:
            root = _root(variable)
            if root in alike:
                alike[root].append(variable)
        before: dict[Any, list[Any]] = {}
        for root, node in by.items():
            _check_other_inputs(node, root)
            users = [n for v in alike[root] for n, _ in fgraph.clients(v)]
            before.setdefault(node, []).extend(n for n in users if n is not node and n != "output")
        return before


def _check_other_inputs(node: Apply, root: object) -> None:
    """Raise InconsistencyError if a node reads elsewhere what it overwrites."""
    for destroyed in _destroyed(node):
        overwritten = node.inputs[destroyed]
        if _root(overwritten) is not root:
            continue
        for i, other in enumerate(node.inputs):
            pair = (destroyed, i)
            same = pair in getattr(node.op, "destroyhandler_tolerate_same", ())
            aliased = pair in getattr(node.op, "destroyhandler_tolerate_aliased", ())
            if i == destroyed or aliased or (same and other is overwritten):
                continue
            if _root(other) is root:
                raise InconsistencyError(f"Input aliasing: input {i} of {node} is overwritten")
