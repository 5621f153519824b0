"""How long the body of a loop may get, until it hands on few values; an order with few of them.

Of long iterations processors see no two at once, so a loop of many instructions in a row takes a
fifth longer than two that hand on a few values. What hands on many, through memory, takes up to
two and a half times as long as one loop. (Measured on random formulas of 100 to 1,000 operations.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from theano._core.ir.variable import Apply, Variable
from theano._core.ops.elementwise.elementwise import Elementwise

# A group of so many instructions ends where it hands on at most FEW values, else at MOST.
HEAVIEST_GROUP, FEW, MOST = 96, 10, 400


class LiveValues:
    """Counts, while groups are made, the values of each that nodes to come read."""

    def __init__(self, nodes: Sequence[Apply]) -> None:
        self.readers = Counter(value for node in nodes for value in dict.fromkeys(node.inputs))
        self.of: Counter[object] = Counter()

    def read_by(self, node: Apply, step: object, step_of: Mapping[Apply, object]) -> None:
        """Count what a node reads, and what it makes, in a step of its own."""
        self.of[step] = sum(self.readers[out] > 0 for out in node.outputs)
        for value in dict.fromkeys(node.inputs):
            self.readers[value] -= 1
            if not self.readers[value] and value.owner in step_of:
                self.of[step_of[value.owner]] -= 1

    def merge(self, step: object, other: object) -> None:
        """Count those of a step as those of another."""
        self.of[other] += self.of.pop(step)

    def end(self, group: object, weight: int) -> bool:
        """Tell whether a group ends before what would make it one of some weight."""
        return weight > MOST or (weight > HEAVIEST_GROUP and self.of[group] <= FEW)


def last_readers_first(nodes: Sequence[Apply]) -> list[Apply]:
    """Return nodes in an order in which the last reader of a value comes as soon as it may.

    In topological order, which follows one result to its end before the next one, what a second sum
    adds up would wait until all of it is there.
    """
    readers: dict[Variable, dict[Apply, None]] = {}
    for node in nodes:
        for value in node.inputs:
            readers.setdefault(value, {})[node] = None
    made = {out for node in nodes for out in node.outputs}
    done: dict[Apply, None] = {}

    def due(value: Variable) -> list[Apply]:
        """Return the last reader of a value if it may come now, and makes no more than it frees.

        Results wait: what they are written to may still be read.
        """
        (node,) = readers[value] if len(readers.get(value, ())) == 1 else (None,)
        if node is None or value not in made or value.type != node.outputs[0].type:
            return []
        moves = isinstance(node.op, Elementwise) and node.op.native and node.outputs[0] in readers
        return [node] if moves and all(v.owner in done for v in node.inputs if v in made) else []

    for first in nodes:
        waiting = [first]
        while waiting:
            node = waiting.pop()
            if node in done:
                continue
            done[node] = None
            for value in node.inputs:
                readers[value].pop(node, None)
            for value in (*node.inputs, *node.outputs):
                waiting += due(value)
    return list(done)
