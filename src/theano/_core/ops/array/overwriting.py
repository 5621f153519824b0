"""Results that are written into the memory of arguments, as old programs ask for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.ir.variable import Apply, Variable
from theano._core.ops.core.op import Structured

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, Dims
    from theano._core.ops.core.protocols import Builder, ProgramValue


def over(target: Any, result: Any) -> Any:
    """Return a result with a note of the variable that it may overwrite, if there is one.

    The note is a path, so that it holds for copies of the graph, too: which input of the node, then
    which of the node of that, and so on.
    """
    if target is not None:
        result.tag.overwrites = _path(result, target)
    return result


def _path(result: Variable, target: Variable) -> tuple[int, ...] | None:
    waiting: list[tuple[Any, tuple[int, ...]]] = [(result, ())]
    seen = {result}
    for variable, path in waiting:
        if variable is target:
            return path
        for k, v in enumerate(() if variable.owner is None else variable.owner.inputs):
            if v not in seen:
                seen.add(v)
                waiting.append((v, (*path, k)))
    return None


def overwritten(node: Apply) -> Any:
    """Return the variable that the first output of a node may overwrite, or None."""
    first = vars(node.op).get("overwrites")
    path = vars(node.outputs[0].tag).get("overwrites") if first is None else (first,)
    variable: Any = None if path is None else node.outputs[0]
    for k in path or ():
        variable = variable.owner.inputs[k]
    return variable


class Overwrite(Structured):
    """Its inputs after the targets; before it hands them on, it writes some into the targets.

    Parameters
    ----------
    written : sequence of int
        For each target, which of the other inputs is written.
    """

    __props__ = ("written",)
    pure = False
    not_differentiated = "made when a function is compiled"

    def __init__(self, written: Sequence[int]) -> None:
        self.written = tuple(written)

    def make_node(self, *inputs: Variable) -> Apply:
        values = inputs[len(self.written) :]
        return Apply(self, list(inputs), [v.type.output() for v in values])

    def _write(self, *arrays: Any) -> tuple[()]:
        values = arrays[len(self.written) :]
        for target, k in zip(arrays, self.written, strict=False):
            if target.flags.writeable:
                np.copyto(target, values[k])
        return ()

    def compute(self, xp: ArrayModule, node: Apply, *arrays: object) -> tuple[Any, ...]:
        first = len(self.written)
        # What shows a target keeps the items from before.
        values = [np.array(v) if isinstance(v, np.ndarray) else v for v in arrays[first:]]
        self._write(*arrays[:first], *values)
        return tuple(values)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return list(shapes[len(self.written) :])

    def emit(self, p: Builder, node: Apply, *values: ProgramValue) -> Any:
        first = len(self.written)
        # What shows a target keeps the items from before.
        kept = list(map(p.apart_from_arguments, values[first:]))
        inputs = [*values[:first], *kept]
        p.call_python(Apply(self, node.inputs, []), self._write, inputs, written=range(first))
        return kept
