"""Loops that tell how far they are.

A step that is due calls Python, and asks the runtime how many steps later the next one is: it looks
at the time as it does for signals. All others compare two numbers.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from theano._core.ir.types import TensorType
from theano._core.lower import program as ir
from theano._core.lower.arrays import Size
from theano._core.lower.builder.core import Core
from theano._core.lower.program_text import CallbackRecord

_NUMBER = TensorType("int64", ())


class Report:
    """What a loop tells of its steps.

    Parameters
    ----------
    p : Core
    progress : callable or None
        Called as `progress(done, n_steps)`; None: nothing is told.
    limit : Size
        The number of steps.
    """

    def __init__(self, p: Core, progress: Callable[[int, int], object] | None, limit: Size) -> None:
        self.p = p
        self.progress = progress
        self.limit = limit

    def told(self, step: str) -> list[ir.Carried]:
        """Write into the body that a step which is due tells; return what the loop carries."""
        p = self.p
        if self.progress is None:
            return []
        due, size = p.fresh(), p.fresh()

        def tell() -> tuple[Size, ...]:
            self._call(step, self.limit)
            next_size = p.call("poll", size)
            p.or_fail(p.let("gt", next_size, 0))
            return p.plus(step, next_size), next_size

        late = p.let("ge", step, due)
        nexts = p.if_else(late, tell, lambda: (due, size), ("int64", "int64"))
        starts = zip((due, size), (0, 1), nexts, strict=True)
        return [ir.Carried(name, "int64", start, after) for name, start, after in starts]

    def end(self, done: Size) -> None:
        """Write that the loop is over after so many steps."""
        if self.progress is not None:
            self._call(done, done)

    def _call(self, *numbers: Size) -> None:
        p, progress = self.p, self.progress
        assert progress is not None
        places = [p.descriptor(p.scalar(n)) for n in numbers]

        def tell(done: np.ndarray, n_steps: np.ndarray) -> tuple[()]:
            progress(int(done), int(n_steps))
            return ()

        types = (_NUMBER,) * len(numbers)
        p.callbacks.append(CallbackRecord(tell, types, (), ()))
        arguments, made = p.listed(places), p.listed(())
        p.call_or_fail("callback", len(p.callbacks) - 1, len(numbers), arguments, 0, made)
