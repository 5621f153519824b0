"""Values that are handed on once conditions hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from numpy.exceptions import AxisError

from theano._core.base import dtypes
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.core.op import (
    Guard,
    Structured,
    as_variable,
    connected,
    linear_in,
    python_int,
    shape_of,
)
from theano._core.ops.elementwise.arithmetic import eq, ge, lt, mod
from theano._core.ops.elementwise.elementwise import cast

if TYPE_CHECKING:
    import numpy as np

    from theano._core.ir.annotations import ArrayModule, Dims, TensorLike
    from theano._core.ops.core.protocols import Batching, Builder, ProgramValue, Trace


class Assert(Structured):
    """`value`, after checking that every condition holds (AssertionError with `msg` if not)."""

    __props__ = ("msg",)
    # What native code reports of a condition that does not hold.
    fault = "assert"
    is_view = True
    shape = shape_of(0)
    connection = connected(0)
    linear = linear_in(0)

    def __init__(self, msg: str = "Theano Assert failed!") -> None:
        self.msg = msg

    def text(self, facts: Sequence[int]) -> str:
        """Return the message of a failure."""
        return self.msg

    def make_node(self, value: TensorLike, *conditions: TensorLike) -> Apply:
        value = as_variable(value)
        flags = [as_variable(c) for c in conditions]
        if any(c.type.ndim for c in flags):
            raise TypeError(
                f"the conditions of Assert must be scalars, got {[str(c.type) for c in flags]}"
            )
        return Apply(self, [value, *flags], [value.type.output()])

    def compute(
        self, xp: ArrayModule, node: Apply, value: np.ndarray, *conditions: TensorLike
    ) -> tuple[Any, ...]:
        assert all(conditions), self.msg
        return (value,)

    def jax(
        self, j: Trace, node: Apply, value: np.ndarray, *conditions: np.ndarray
    ) -> tuple[Any, ...]:
        for condition in conditions:
            j.require(condition)
        return (value,)

    def may_fail(self, node: Apply) -> bool:
        return bool(self.open_conditions(node))

    def open_conditions(self, node: Apply) -> list[Any]:
        """Return the conditions that are not known to hold."""
        conditions = node.inputs[1 + getattr(self, "facts", 0) :]
        return [v for v in conditions if not (python_int(v) or _says_nothing(v))]

    def guards(self, node: Apply, shapes: Sequence[Dims]) -> list[Guard]:
        facts = getattr(self, "facts", 0)
        return [(self, lambda: [*node.inputs[1 : 1 + facts], *self.open_conditions(node)])]

    def batch(
        self, node: Apply, values: list[Variable], rows: list[bool], batching: Batching
    ) -> list[Any] | None:
        value, *conditions = values
        together = [
            batching.all_of(c) if row else c for c, row in zip(conditions, rows[1:], strict=True)
        ]
        return [self(value, *together)]

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        return [cotangents[0]] + [None] * (len(node.inputs) - 1)

    def emit(self, p: Builder, node: Apply, value: ProgramValue, *conditions: ProgramValue) -> Any:
        for condition in conditions:
            p.require(node, condition, self.fault)
        return value


assert_op = Assert()


def _says_nothing(condition: Variable) -> bool:
    """Tell whether a condition is that a whole number equals itself."""
    node = condition.owner
    if node is None or node.op is not eq or node.inputs[0] is not node.inputs[1]:
        return False
    return dtypes.is_discrete(node.inputs[0].type.dtype)


class Require(Assert):
    """`value`, after checking that every condition holds (ValueError with `msg` if not).

    The first `facts` inputs after `value` are integers that `msg` has places for, as in `{0}`.
    """

    __props__ = ("facts", "msg")
    error: type[Exception] = ValueError
    fault = "parameter"

    def __init__(self, msg: str, facts: int = 0) -> None:
        super().__init__(msg)
        self.facts = facts

    def __str__(self) -> str:
        # Errors say the text already.
        return "Require"

    def text(self, facts: Sequence[int]) -> str:
        return self.msg.format(*facts) if self.facts else self.msg

    def compute(
        self, xp: ArrayModule, node: Apply, value: np.ndarray, *rest: np.ndarray
    ) -> tuple[Any, ...]:
        if not all(rest[self.facts :]):
            raise self.error(self.text([int(f) for f in rest[: self.facts]]))
        return (value,)

    def jax(self, j: Trace, node: Apply, value: np.ndarray, *rest: np.ndarray) -> tuple[Any, ...]:
        return super().jax(j, node, value, *rest[self.facts :])

    def batch(
        self, node: Apply, values: list[Variable], rows: list[bool], batching: Batching
    ) -> list[Any] | None:
        if any(rows[1 : 1 + self.facts]):
            return None
        return super().batch(node, values, rows, batching)

    def emit(self, p: Builder, node: Apply, value: ProgramValue, *rest: ProgramValue) -> Any:
        facts = [p.integer(f) for f in rest[: self.facts]]
        for condition in rest[self.facts :]:
            p.require(node, condition, self.fault, facts)
        return value


class RequireAxis(Require):
    """The same for the number of an axis: NumPy's error for it."""

    error = AxisError
    fault = "axis"


def axis_counted(name: str, axis: Variable, rank: int) -> Any:
    """Return the number of an axis that is known at run time, counted from 0."""
    check = RequireAxis(f"{name}: axis {{0}} is out of bounds for {rank} dimensions", facts=1)
    axis = cast(axis, "int64")
    return mod(check(axis, axis, ge(axis, -rank), lt(axis, rank)), rank)
