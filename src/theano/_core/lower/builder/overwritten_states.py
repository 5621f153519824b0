"""Which values of a step may lie where others lay: what reads those must come first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from theano._core.ir.graph import made_by
from theano._core.ir.variable import Apply, Variable
from theano._core.lower.builder.scan_state import Carried
from theano._core.lower.computed_again import computed
from theano._core.lower.joined import Joined
from theano._core.lower.schedule import Step
from theano._core.ops.array.indexing import AdvancedSubtensor, PartialWrite
from theano._core.ops.array.products import BatchedDot, Dot, Gemm
from theano._core.ops.control.scan import Loop
from theano._core.ops.elementwise.elementwise import Elementwise

# What has read its operands for good when its step is done, beside loops.
DONE = (Elementwise, PartialWrite, AdvancedSubtensor, Dot, BatchedDot, Gemm)


class Readers:
    """What reads each variable of the body of a loop, and when.

    Parameters
    ----------
    op : Loop
    steps : sequence of Step
        In the order in which they run.
    """

    def __init__(self, op: Loop, steps: Sequence[Step]) -> None:
        self.op, self.steps = op, steps
        self.of: dict[Any, list[tuple[int, Apply]]] = {}
        for place, step in enumerate(steps):
            for node in computed(step):
                for variable in dict.fromkeys(node.inputs):
                    self.of.setdefault(variable, []).append((place, node))

    def may_overwrite(self, carried: Carried) -> bool:
        """Tell whether a state may be written over the one before.

        So it may item by item in a loop over items, or in parts, if nothing else reads it later. It
        then takes half of the cache, and what is not written is not copied.
        """
        state, value = carried.state, carried.value
        if not carried.target or carried.keeps_all or list(state.taps) != [1] or state.keep != 1:
            return False
        (tap,) = self.op.inner.states[carried.index]
        if tap in self.op.body.outputs or tap.type != value.type or value.owner is None:
            return False
        chain = writes_of(value)
        if chain:
            return chain[-1].inputs[0] is tap and self.may_write_over(chain[-1])
        return isinstance(value.owner.op, Elementwise) and self._item_by_item(value.owner, tap)

    def _item_by_item(self, owner: Apply, tap: Variable) -> bool:
        own = next((i for i, step in enumerate(self.steps) if owner in step.nodes), None)
        return (
            own is not None
            and self.steps[own].is_loop
            and all(
                isinstance(node.op, Elementwise) if i == own else i < own and self.steps[i].is_loop
                for i, node in self.of.get(tap, ())
            )
        )

    def may_write_over(self, writer: Apply) -> bool:
        """Tell whether a write to a part may be done in the memory of its first input."""
        waiting, place = [writer.inputs[0]], self._index(writer)
        while waiting:
            variable = waiting.pop()
            if variable in self.op.body.outputs:
                return False
            for i, node in self.of.get(variable, ()):
                if node is writer and variable not in node.inputs[1:]:
                    continue
                if node.op.is_view:
                    waiting += node.outputs
                elif i >= place or not self._is_done(i, node):
                    return False
        return True

    def _index(self, node: Apply) -> int:
        return next((i for i, step in enumerate(self.steps) if node in step.nodes), -1)

    def _is_done(self, place: int, node: Apply) -> bool:
        step = self.steps[place]
        return step.is_loop or isinstance(step, Joined) or isinstance(node.op, DONE)


def writes_of(value: Variable) -> list[Apply]:
    """Return the writes to parts that a value is made by, the last one first."""
    chain: list[Apply] = []
    variable = value
    while (writer := made_by(variable, PartialWrite)) and variable.type == value.type:
        chain.append(writer)
        variable = writer.inputs[0]
    return chain
