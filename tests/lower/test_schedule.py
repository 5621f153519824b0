"""Which nodes share a loop."""

from __future__ import annotations

import sys
from typing import Any

import theano.tensor as T
from theano._core.ir.graph import toposort
from theano._core.lower import schedule
from theano._core.rewrite.engine import Rewriter


def _lines_run(count: int) -> int:
    """Return how many lines of `schedule` run to group a chain of `count` nodes."""
    x = T.dvector("x")
    y = x
    for _ in range(count):
        y = T.tanh(y)
    nodes = toposort([y])
    rewriter = Rewriter()
    shape = schedule.EqualLengths(rewriter.shape)
    lines = 0

    def trace(frame: Any, event: str, argument: Any) -> Any:
        nonlocal lines
        if frame.f_code.co_filename != schedule.__file__:
            return None
        lines += event == "line"
        return trace

    sys.settrace(trace)
    try:
        steps = schedule.group(nodes, shape)
    finally:
        sys.settrace(None)
    assert sum(len(step.nodes) for step in steps) == count
    return lines


def test_grouping_is_linear_in_the_number_of_applications() -> None:
    assert _lines_run(2000) <= 2.2 * _lines_run(1000)


def test_steps_in_between_are_not_jumped_over() -> None:
    x, m = T.dvector("x"), T.dmatrix("m")
    first = T.exp(x)
    between = T.dot(m, first)
    nodes = toposort([first * between])
    steps = schedule.group(nodes, schedule.EqualLengths(Rewriter().shape))
    assert [len(step.nodes) for step in steps] == [1, 1, 1]
