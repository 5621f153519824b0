"""Arguments that a function overwrites: those given as mutable, and those of `*_inplace` functions.

The memory planner does not write into arguments. Where an old program expects that of an operation,
the result is copied there when everything is computed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from theano._core.compile.inputs import In
from theano._core.ir.graph import toposort
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.indexing import PartialWrite
from theano._core.ops.array.overwriting import Overwrite, overwritten
from theano._core.ops.core.fill import Second
from theano._core.ops.core.op import shown
from theano._core.ops.elementwise.elementwise import Elementwise

# What writes its result over its first input if it can.
_OVER_FIRST = (PartialWrite, Second)


def refuse_overwriting(nodes: Iterable[Apply]) -> None:
    """Raise TypeError if an operation says that it overwrites an input."""
    # Most operations have many nodes, and are slow to say that they lack an attribute.
    harmless: set[int] = set()
    for node in nodes:
        if overwritten(node) is None:
            if id(node.op) in harmless or not getattr(node.op, "destroy_map", None):
                harmless.add(id(node.op))
                continue
        raise TypeError(
            "Graph must not contain inplace operations, unless "
            "theano.function(..., accept_inplace=True) lets them overwrite their inputs",
            node,
            node.op,
        )


def _overwrites(node: Apply) -> dict[int, Variable]:
    """Return which input, or input of one, each output of a node says that it overwrites."""
    variable = overwritten(node)
    if variable is not None:
        return {0: variable}
    listed = getattr(node.op, "destroy_map", None) or {}
    return {out: node.inputs[places[0]] for out, places in listed.items() if places}


def with_overwriting(
    specs: Sequence[In],
    results: Sequence[Variable],
    updates: Sequence[tuple[Variable, Variable]],
    accept_inplace: bool,
    shared: Sequence[Any] = (),
) -> tuple[list[Any], list[tuple[Any, Any]]]:
    """Return results and updates that, when they are computed, are also written into arguments.

    What an operation writes over a shared variable becomes its update.
    """
    if accept_inplace:
        own = {old for old, _ in updates}
        kept = [v for v in shared if v not in own and isinstance(v.type, TensorType)]
        updates = [*updates, *_asked(results, kept).items()]
    targets = {
        spec.variable: spec
        for spec in specs
        if isinstance(spec.variable.type, TensorType)
        if spec.update is None and (spec.mutable or accept_inplace)
    }
    if not targets:
        return list(results), list(updates)
    written = _asked(results, targets)
    for variable, spec in targets.items():
        if spec.mutable and variable not in written:
            target = next((out for out in results if _could_overwrite(out, variable)), None)
            if target is not None and not any(shown(out) is variable for out in results):
                written[variable] = target
    if not written:
        return list(results), list(updates)
    # Everything is computed before.
    values = list(dict.fromkeys([*results, *(new for _, new in updates), *written.values()]))
    number = {value: k for k, value in enumerate(values)}
    op = Overwrite([number[value] for value in written.values()])
    node = op.make_node(*written, *values)
    after = dict(zip(values, node.outputs, strict=True))
    return [after[out] for out in results], [(old, after[new]) for old, new in updates]


def _asked(results: Sequence[Any], targets: Iterable[Any]) -> dict[Any, Any]:
    """Return what operations, or tags of their outputs, say that they write: target → value."""
    memory: dict[Any, Any] = {variable: variable for variable in targets}
    written: dict[Any, Any] = {}
    for node in toposort(results):
        for k, variable in _overwrites(node).items():
            target, out = memory.get(variable), node.outputs[k]
            if target is not None and out.type == target.type:
                memory[out] = target
                written[target] = out
    return written


def _could_overwrite(out: Variable, target: Any) -> bool:
    """Tell whether elementwise operations and writes to parts lead from `target` to `out`."""
    seen, waiting = set(), [out]
    while waiting:
        variable = waiting.pop()
        node = variable.owner
        if node is None or variable in seen or variable.type != target.type:
            continue
        seen.add(variable)
        inputs = node.inputs if isinstance(node.op, Elementwise) else node.inputs[:1]
        if isinstance(node.op, (Elementwise, *_OVER_FIRST)):
            if target in inputs:
                return True
            waiting += inputs
    return False
