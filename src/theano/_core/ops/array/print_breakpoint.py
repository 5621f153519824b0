"""Values that are shown while a function runs, and breakpoints in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.ir.text import label
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.core.op import Structured, as_variable

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, Dims, TensorLike
    from theano._core.ops.core.protocols import Batching, Builder, Forward, ProgramValue, Trace


def print_attributes(op: Print, value: np.ndarray) -> None:
    """Print the message of `op` and each of its attributes of `value`, called where it can be."""
    for name in op.attrs:
        attribute = getattr(value, name)
        print(op.message, name, "=", attribute() if callable(attribute) else attribute)


class Print(Structured):
    """Its input, which is printed when it is computed, also for its shape alone.

    Parameters
    ----------
    message : str
        Printed in front.
    attrs : sequence of str
        Attributes of the array to print; those that can be called are.
    global_fn : callable
        `global_fn(op, value)` does the printing.
    """

    __props__ = ("message", "attrs", "global_fn")
    pure = False
    is_view = True

    def __init__(
        self,
        message: str = "",
        attrs: Sequence[str] = ("__str__",),
        global_fn: Callable[[Any, Any], Any] = print_attributes,
    ) -> None:
        if isinstance(message, Variable):
            raise TypeError(f"Print takes a text first: Print('a name')({label(message)})")
        self.message = message
        self.attrs = tuple(attrs)
        self.global_fn = global_fn

    def make_node(self, x: TensorLike) -> Apply:
        x = as_variable(x)
        return Apply(self, [x], [x.type.output()])

    def compute(self, xp: ArrayModule, node: Apply, x: np.ndarray) -> tuple[Any, ...]:
        self.global_fn(self, x)
        # A node without outputs only shows.
        return (x,)[: len(node.outputs)]

    def jax(self, j: Trace, node: Apply, x: np.ndarray) -> list[Any]:
        j.on_host(Apply(self, node.inputs, []), [x], effect=True)
        return [x]

    def jvp(self, node: Apply, tangents: Sequence[Variable | None], forward: Forward) -> list[Any]:
        return list(tangents)

    def batch(
        self, node: Apply, values: list[Variable], rows: list[bool], batching: Batching
    ) -> list[Any] | None:
        return [self(values[0])]

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        return list(cotangents)

    def _show(self, x: TensorLike) -> tuple[()]:
        self.global_fn(self, x)
        return ()

    def emit(self, p: Builder, node: Apply, x: ProgramValue) -> Any:
        p.call_python(Apply(self, node.inputs, []), self._show, [x])
        return x

    def __str__(self) -> str:
        return (
            f"Print{{message='{self.message}', attrs={self.attrs}, "
            f"global_fn={getattr(self.global_fn, '__name__', self.global_fn)}}}"
        )


class PdbBreakpoint(Structured):
    """Its inputs after the condition; where that holds, a debugger starts first.

    In the debugger, the list `monitored` holds the values as arrays; what it holds at the end is
    used from there on.

    Parameters
    ----------
    name : str
        Shown when the debugger starts.
    """

    __props__ = ("name",)
    pure = False

    def __init__(self, name: str) -> None:
        self.name = name

    def make_node(self, condition: TensorLike, *monitored_vars: TensorLike) -> Apply:
        condition = as_variable(condition)
        if condition.type.ndim:
            raise TypeError(f"the condition of a breakpoint must be a scalar, got {condition.type}")
        values = [as_variable(v) for v in monitored_vars]
        outputs = [v.type.output() for v in values]
        return Apply(self, [condition, *values], outputs)

    def compute(
        self, xp: ArrayModule, node: Apply, condition: np.ndarray, *values: np.ndarray
    ) -> tuple[Any, ...]:
        if not condition:
            return values
        monitored = [np.array(v) for v in values]
        print(f"\nConditional breakpoint '{self.name}' activated.")
        print("The list `monitored` holds the values; what it holds afterwards is used.\n")
        breakpoint()
        types = [v.type for v in node.inputs[1:]]
        return tuple(type_.filter(v) for type_, v in zip(types, monitored, strict=True))

    def jax(self, j: Trace, node: Apply, *values: np.ndarray) -> list[Any]:
        return j.on_host(node, values, effect=True)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return list(shapes[1:])

    def connection(self, node: Apply) -> list[list[bool]]:
        count = len(node.outputs)
        return [[i == j + 1 for j in range(count)] for i in range(count + 1)]

    def jvp(self, node: Apply, tangents: Sequence[Variable | None], forward: Forward) -> list[Any]:
        return list(tangents[1:])

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        return [None, *cotangents]

    def emit(self, p: Builder, node: Apply, *values: ProgramValue) -> Any:
        return p.call_python(node, lambda *arrays: self.compute(np, node, *arrays), values)

    def __str__(self) -> str:
        return f"PdbBreakpoint{{{self.name}}}"
