"""Values that the reverse walk computes again instead of having them kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.ops.array.gradient import After, GradientFilter

after = After()


def is_checkpoint(node: Apply) -> bool:
    """Tell whether a node marks a value to be computed again."""
    return isinstance(node.op, GradientFilter) and node.op.kind == "checkpoint"


class Recomputation:
    """What a reverse walk uses in place of the values that are marked.

    Parameters
    ----------
    order : iterable of Apply
        The nodes of the walk.
    """

    def __init__(self, order: Iterable[Apply]) -> None:
        # A mark and what is marked are one array.
        self.marked = {
            v for node in order if is_checkpoint(node) for v in (*node.inputs, *node.outputs)
        }

    def stand_in(self, node: Apply, cotangents: Iterable[object]) -> Apply:
        """Return `node` over values that are computed once a cotangent of it is there."""
        if self.marked.isdisjoint((*node.inputs, *node.outputs)) or is_checkpoint(node):
            return node
        token = next(g for g in cotangents if g is not None)
        again: dict[Any, Any] = {}
        result = Apply(node.op, [self._of(v, token, again) for v in node.inputs], [])
        result.source = node.source
        result.outputs = [self._of(v, token, again) for v in node.outputs]
        return result

    def _of(self, variable: Variable, token: object, again: dict[Variable, Variable]) -> Any:
        """Return a marked variable, computed again from what is not marked; others as they are."""
        if variable not in self.marked:
            return variable
        stack = [variable]
        while stack:
            last = stack[-1]
            if last in again or last not in self.marked or last.owner is None:
                again.setdefault(last, last if isinstance(last, Constant) else after(last, token))
                stack.pop()
                continue
            missing = [v for v in last.owner.inputs if v not in again]
            if missing:
                stack += missing
                continue
            node = last.owner
            inputs = [again[v] for v in node.inputs]
            copies = inputs if is_checkpoint(node) else node.clone_with_new_inputs(inputs).outputs
            again.update(zip(node.outputs, copies, strict=True))
            stack.pop()
        return again[variable]
