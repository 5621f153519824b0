"""Where the lines of a program go while the body of a loop is written."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from theano._core.ir.variable import Apply
from theano._core.lower.arrays import Size

_NUMBERED = re.compile(r"%m(\d+)")
# Names that exist from the start of the function.
_GLOBAL = ("%rt", "%stack", "%block", "%kernels", "%frame", "%call", "%facts")


@dataclass(slots=True, eq=False)
class Region:
    """The body of a loop while it is written, and the lines before the loop.

    Attributes
    ----------
    node : Apply
        The loop.
    step : str
        Register of the number of the step.
    first : int
        Names numbered from here on belong to the body, apart from those in `hoisted`.
    lines, block
        The lines before the loop and the block that receives more.
    fixed_slots : set of int
        Buffer slots that are allocated before the loop.
    sequences : dict of str to Array
        C-contiguous sequences, by the address of their item of the step.
    """

    node: Apply
    step: str
    first: int
    lines: list[str]
    block: str
    outer: Region | None
    hoisted: list[tuple[int, int]] = field(default_factory=list)
    fixed_slots: set[int] = field(default_factory=set)
    sequences: dict[str, Any] = field(default_factory=dict)

    def fixed(self, size: Size) -> bool:
        """Tell whether a size or address is the same in every step."""
        if isinstance(size, int) or not size.startswith("%"):
            return True
        found = _NUMBERED.fullmatch(size)
        if found is None:
            return size.startswith(_GLOBAL)
        number = int(found[1])
        # INVARIANT: the ranges ascend and do not overlap.
        near = bisect_right(self.hoisted, (number, math.inf)) - 1
        return number < self.first or (near >= 0 and number < self.hoisted[near][1])

    def before(self, p: Any, write: Callable[[], Any]) -> Any:
        """Run `write` with its lines going before the loop; return what it returns."""
        b = p.b
        body = b.lines, b.block, b._known
        b.lines, b.block, b._known = self.lines, self.block, {}
        start = b.count
        p.region = self.outer
        try:
            return write()
        finally:
            p.region = self
            self.block = b.block
            while self.hoisted and self.hoisted[-1][0] > start:
                self.hoisted.pop()
            self.hoisted.append((start + 1, b.count + 1))
            b.lines, b.block, b._known = body
