"""The steps and states of loops: how they are described, and how many there can be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from theano._core.base.records import Record
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.core.op import (
    Structured,
    as_variable,
    connected,
    no_cotangents,
    python_int,
    scalar_shape,
)
from theano._core.ops.elementwise.arithmetic import minimum

if TYPE_CHECKING:
    import numpy as np

    from theano._core.ir.annotations import ArrayModule, Dims, TensorLike
    from theano._core.ops.core.protocols import Builder, ProgramValue

# What a state's output holds: initial rows and new rows; only new rows; or the last rows.
ALL = "all"
NEW = "new"


class State(Record):
    """How a state of a loop is read and kept.

    Attributes
    ----------
    taps : tuple of int
        How many steps back the body reads it, each at least 1; () if it is never read.
    keep : 'all', 'new' or int
        The rows of the output: all `depth` initial ones and then the new ones; the new ones; or
        the last so many of all (at most `max(depth, 1)`).
    """

    taps: tuple[int, ...]
    keep: Any = ALL

    @property
    def depth(self) -> int:
        """Number of initial rows."""
        return max(self.taps, default=0)


class Operands(Record):
    """The inputs of a loop, or of its body, by role; `taps` and `inits` by state."""

    sequences: list[Any]
    states: list[Any]
    fixed: list[Any]


def steps_done(node: Apply) -> Any:
    """Return the number of steps of a loop as a variable: with a condition, those it ran."""
    return node.outputs[-1] if node.op.until else node.inputs[0]


def is_rows(variable: Variable) -> bool:
    """Tell whether a state's value is an array."""
    return isinstance(variable.type, TensorType)


class CheckedSteps(Structured):
    """A number of steps, after checking that it is not negative and that no length is smaller."""

    shape = scalar_shape
    connection = connected()
    vjp = no_cotangents

    def make_node(self, steps: Variable, *shape: TensorLike) -> Apply:
        return self.one([as_variable(v) for v in (steps, *shape)], "int64", ())

    def compute(
        self, xp: ArrayModule, node: Apply, steps: np.ndarray, *shape: np.ndarray
    ) -> tuple[Any, ...]:
        if steps < 0:
            raise IndexError(f"Scan was asked to run for negative number of step {steps}")
        if any(steps > n for n in shape):
            raise ValueError(f"scan: sequences of {shape} items for {steps} steps")
        return (steps,)

    def emit(self, p: Builder, node: Apply, steps: ProgramValue, *shape: ProgramValue) -> Any:
        p.check_steps(node, p.integer(steps), [p.integer(n) for n in shape])
        return steps


def checked_steps(steps: Variable, shape: Dims) -> Any:
    """Return a number of steps, checked against lengths of sequences where that needs doing."""
    unchecked = [n for n in shape if not _is_least(steps, n)]
    if not unchecked and (shape or _is_count(steps)):
        return steps
    return CheckedSteps()(steps, *unchecked)


def _is_count(steps: Any) -> bool:
    """Tell whether a number of steps is never negative: lengths, and what is checked already."""
    count = python_int(steps)
    if count is not None or steps.owner is None:
        return count is not None and count >= 0
    op = steps.owner.op
    if op is minimum:
        return all(_is_count(v) for v in steps.owner.inputs)
    return isinstance(op, CheckedSteps) or steps.owner.rules.measures


def _is_least(steps: Any, length: Any) -> bool:
    """Tell whether `steps` is `length`, or the least of several of which that is one."""
    if steps is length:
        return True
    count, most = python_int(steps), python_int(length)
    if count is not None and most is not None:
        return 0 <= count <= most
    node, other = steps.owner, length.owner
    if node is not None and other is not None and node.op == other.op:
        if node.inputs == other.inputs:
            return True
    return (
        node is not None and node.op is minimum and any(_is_least(v, length) for v in node.inputs)
    )
