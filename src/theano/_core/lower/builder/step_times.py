"""Times for profiles: of steps, and within loops what each step of a body takes, now and then.

Reading the clock takes as long as a short step, so it is read in one of `PERIOD` steps only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from theano._core.ir.variable import Apply
from theano._core.lower import program as ir
from theano._core.lower.builder.core import Core
from theano._core.lower.builder.work import work_of, works
from theano._core.lower.program_text import StepInside
from theano._core.lower.schedule import Step
from theano._core.ops.elementwise.elementwise import Elementwise

PERIOD = 16


def tick(p: Core, number: int, step: Step, written: ir.Block) -> None:
    """Time what was written of a step of the program."""
    # What takes no time of its own, such as a view, goes with what follows.
    if works(written):
        p.call("tick", number, *work_of(p, step))
    elif number == len(p.steps) - 1:
        p.call("tick", number, 0, 0)


class LoopClock:
    """Times the steps of the body of a loop.

    Parameters
    ----------
    p : Core
    step : str
        Register of the number of the loop's step.
    steps : sequence of Step
        Those of the body.
    """

    def __init__(self, p: Core, step: str, steps: Sequence[Step]) -> None:
        self.p = p
        self.runs = any(not _is_scalar(s) for s in steps)
        if self.runs:
            # Not the first one, which finds nothing in the caches.
            self.sampled = p.let("eq", p.let("and", step, PERIOD - 1), 1)
            (self.since,) = self._if_sampled(lambda: p.call("lap", -1, 0, 0, 0))

    def _if_sampled(self, write: Callable[[], str]) -> tuple[str, ...]:
        return self.p.if_else(self.sampled, lambda: (write(),), lambda: (0,), ("int64",))

    @contextmanager
    def timed(self, step: Step) -> Iterator[None]:
        """Time what is written of a step."""
        p = self.p
        if not self.runs:
            yield
            return
        first, outer = len(p.block), p.step_index
        number = p.step_index = add_inside(p, step.nodes, PERIOD)
        yield
        p.step_index = outer
        if not works(p.block[first:]):
            p.inside.pop()
            return

        def lap() -> str:
            nbytes, operations = work_of(p, step)
            counts = p.multiply(nbytes, PERIOD), p.multiply(operations, PERIOD)
            return p.call("lap", number, self.since, *counts)

        (self.since,) = self._if_sampled(lap)


def add_inside(p: Core, nodes: Sequence[Apply], period: int) -> int:
    """Return the number of a new step inside the one that is written now."""
    p.inside.append(StepInside(p.step_index, tuple(nodes), period))
    return len(p.steps) + len(p.inside) - 1


def _is_scalar(step: Step) -> bool:
    return all(
        isinstance(node.op, Elementwise) and not any(out.type.ndim for out in node.outputs)
        for node in step.nodes
    )
