"""Which lengths are equal, while loops are fused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from theano._core.ir.variable import Apply, Variable


class EqualLengths:
    """Lengths up to the equalities that the program checks: a union-find over their variables."""

    def __init__(self, shape: Callable[[Variable], tuple[Variable, ...]]) -> None:
        self._lengths = shape
        self._parent: dict[Any, Any] = {}
        # By lengths as they were found.
        self._spaces: dict[tuple[Any, ...], tuple[Any, ...]] = {}

    def find(self, length: Variable | int) -> Any:
        """Return the representative of a length: an int if one is known to be equal."""
        while length in self._parent:
            length = self._parent[length]
        return length

    def join(self, one: Variable | int, two: Variable | int) -> bool:
        """Take two lengths as equal; False if they were already."""
        one, two = self.find(one), self.find(two)
        if one is two or (isinstance(one, int) and one == two):
            return False
        if isinstance(two, int) and not isinstance(one, int):
            one, two = two, one
        if not isinstance(two, int):
            self._parent[two] = one
            self._spaces.clear()
        return True

    def unify(self, node: Apply) -> None:
        """Take the lengths of what an elementwise operation reads and makes as equal."""
        out = self.of(node.outputs[0])
        for value in node.inputs:
            own = self.of(value)
            if own is out:
                continue
            for axis, one in enumerate(value.type.broadcastable):
                if not one:
                    self.join(out[axis], own[axis])

    def of(self, variable: Variable) -> tuple[Any, ...]:
        """Return the lengths of a variable as they were found."""
        return self._lengths(variable)

    def space(self, variable: Variable) -> tuple[Any, ...]:
        """Return the representatives of the lengths of a variable."""
        lengths = self._lengths(variable)
        space = self._spaces.get(lengths)
        if space is None:
            space = self._spaces[lengths] = tuple(map(self.find, lengths))
        return space
