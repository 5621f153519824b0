"""Equal nodes and constants of a graph made one, and chains of operations."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from theano._core.base.errors import InconsistencyError
from theano._core.ir.function_graph import AlreadyThere
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.legacy.optimizers.global_optimizers import Optimizer
from theano._core.legacy.optimizers.toolbox import Feature, ReplaceValidate

if TYPE_CHECKING:
    from theano._core.ir.function_graph import FunctionGraph


class MergeFeature(Feature):
    """Remembers, as `fgraph.merge_feature`, replacements by an equal node that failed."""

    def __init__(self) -> None:
        self.blacklist: set[tuple[Apply, Apply]] = set()

    def on_attach(self, fgraph: Any) -> None:
        if hasattr(fgraph, "merge_feature"):
            raise AlreadyThere("MergeFeature: the graph has merge_feature already")
        fgraph.merge_feature = self

    def on_detach(self, fgraph: Any) -> None:
        del fgraph.merge_feature


class MergeOptimizer(Optimizer):
    """Makes equal nodes one."""

    def add_requirements(self, fgraph: FunctionGraph) -> None:
        fgraph.attach_feature(ReplaceValidate())
        if not hasattr(fgraph, "merge_feature"):
            fgraph.attach_feature(MergeFeature())

    def apply(self, fgraph: Any) -> tuple[Any, ...]:
        """Change the graph; return what Theano 1.0.5 did.

        Replacements that failed, seconds, two times that nobody took and a dict of more, variables
        that were replaced, and constants among these.
        """
        began, refused = time.perf_counter(), len(fgraph.merge_feature.blacklist)
        constants: dict[Any, Any] = {}
        count = 0
        for variable in fgraph.variables:
            if isinstance(variable, Constant):
                kept = constants.setdefault(variable.signature(), variable)
                count += kept is not variable
                fgraph.replace(variable, kept, reason="merge")
        replaced = count
        seen: dict[Any, list[Apply]] = {}
        for node in fgraph.toposort():
            alike = seen.setdefault((node.op, *node.inputs), [])
            if any(self._merge(fgraph, node, kept) for kept in alike):
                replaced += len(node.outputs)
            else:
                alike.append(node)
        failed = len(fgraph.merge_feature.blacklist) - refused
        return failed, time.perf_counter() - began, None, None, {}, replaced, count

    @staticmethod
    def _merge(fgraph: Any, node: Apply, kept: Apply) -> bool:
        """Replace a node by an equal one, unless a feature of the graph forbids it."""
        refused = fgraph.merge_feature.blacklist
        if not getattr(node.op, "pure", True) or (node, kept) in refused:
            return False
        pairs = list(zip(node.outputs, kept.outputs, strict=True))
        try:
            fgraph.replace_all_validate(pairs, reason="merge")
        except InconsistencyError:
            refused.add((node, kept))
            return False
        return True


def pre_constant_merge(vars: Any) -> Any:
    """Make equal constants one in what computes some variables, in place, and return them.

    Nodes that are part of a `FunctionGraph` stay as they are.
    """
    wanted = [vars] if isinstance(vars, Variable) else list(vars)
    kept: dict[Any, Any] = {}

    def merged(variable: Variable | str) -> Any:
        if not isinstance(variable, Constant):
            return variable
        return kept.setdefault(variable.signature(), variable)

    seen, waiting = set(), [v for v in wanted if isinstance(v, Variable)]
    while waiting:
        node = waiting.pop().owner
        if node is None or node in seen or hasattr(node, "fgraph"):
            continue
        seen.add(node)
        node.inputs[:] = [merged(v) for v in node.inputs]
        waiting.extend(node.inputs)
    return [merged(v) for v in wanted]


def check_chain(r: Variable | Apply, *chain: object) -> bool:
    """Tell whether a variable is computed by operations, each of the first input of the last.

    Parameters
    ----------
    r : Variable or Apply
    *chain : Op, Op class, or None for any operation
    """
    node = r if isinstance(r, Apply) else r.owner
    for wanted in chain:
        if node is None:
            return False
        kind = isinstance(wanted, type)
        if wanted and not (isinstance(node.op, wanted) if kind else node.op == wanted):
            return False
        node = node.inputs[0].owner if node.inputs else None
    return True


def merge_dict(d1: dict[Variable, Variable], d2: dict[Variable, Variable]) -> dict[Any, Any]:
    """Return the sums of the values of two dicts."""
    return {**d2, **{key: value + d2[key] if key in d2 else value for key, value in d1.items()}}
