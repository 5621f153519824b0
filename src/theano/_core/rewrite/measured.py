"""Operations of users whose lengths are those of their results, whatever `infer_shape` says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from theano._core.ir.graph import toposort
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.control.branch import IfElse
from theano._core.ops.core.fill import Second

if TYPE_CHECKING:
    from theano._core.ir.annotations import Dims


class Measured:
    """Those whose values are computed. What a user says of others counts, and may be wrong.

    Parameters
    ----------
    outputs : list of variables
    order : list of Apply
        All nodes below them.
    """

    def __init__(self, outputs: Sequence[Any], order: Sequence[Apply]) -> None:
        # Operations; of a finished graph, nodes.
        self._computed: set[Any] = set()
        if any(node.rules.shape_by_user for node in order):
            self._find(outputs, order)

    @property
    def any(self) -> bool:
        """Whether there are such operations."""
        return bool(self._computed)

    def _find(self, outputs: Sequence[Any], order: Sequence[Apply]) -> None:
        values = set(outputs)
        for node in reversed(order):
            if values.isdisjoint(node.outputs):
                continue
            if node.rules.shape_by_user:
                self._computed.add(node.op)
            if isinstance(node.op, IfElse):
                # Which of the others are computed is known when the function runs.
                values.add(node.inputs[0])
            elif not node.op.measures:
                # Only the lengths of what is filled are needed.
                values.update(node.inputs[isinstance(node.op, Second) :])

    def in_graph(self, outputs: list[Variable]) -> list[Variable]:
        """Know only the nodes below `outputs` from now on, and return `outputs`.

        Lowering asks for lengths in bodies, too: there, what users say is checked.
        """
        if self._computed:
            self._computed = {node for node in toposort(outputs) if node.op in self._computed}
        return outputs

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        """Return the lengths of each output of `node`; None for those that are measured."""
        lengths = node.rules.shape(node, shapes)
        if not self._computed or self._computed.isdisjoint((node, node.op)):
            return lengths
        return [(None,) * out.type.ndim for out in node.outputs]
