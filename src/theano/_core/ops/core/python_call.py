"""Operations whose native form is a call of their definition, back in Python."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.ir.variable import Apply
from theano._core.ops.core.op import Structured

if TYPE_CHECKING:
    from theano._core.ops.core.protocols import Builder, ProgramValue, Trace


class Called(Structured):
    """Base of operations that NumPy computes."""

    def emit(self, p: Builder, node: Apply, *values: ProgramValue) -> Any:
        return p.call_compute(node, values)


class Composed(Called):
    """Base of operations that rewriting replaces by an expression of others, which are native."""

    def expression(self, node: Apply) -> list[Any] | None:
        """Return a variable for each output of `node`, made of its inputs; None: there is none."""
        raise NotImplementedError

    def jax(self, j: Trace, node: Apply, *arrays: np.ndarray) -> Sequence[Any]:
        expressions = self.expression(node)
        if expressions is None:
            return self.compute(j.numpy, node, *arrays)
        return j.run(expressions, dict(zip(node.inputs, arrays, strict=True)))


class NumPyCall:
    """What computes one node; an error of it names the line that made the node.

    It is called with the values of the inputs, and the step of each of the `loops` around it.

    Attributes
    ----------
    hands_back : set of int, or None
        Which outputs may be anything, since they are nothing but results; None: none ever.
    """

    hands_back: Collection[int] | None = None

    def __init__(self, node: Apply) -> None:
        self.node = node
        self.loops: Sequence[Apply] = ()

    def __call__(self, *values: Any) -> tuple[Any, ...]:
        inputs, steps = values[: len(self.node.inputs)], values[len(self.node.inputs) :]
        try:
            return owned(self.run(inputs))
        except Exception as error:
            places = [(loop, int(step)) for loop, step in zip(self.loops, steps, strict=True)]
            raise CallError(error, self.node, inputs, places) from error

    def run(self, values: tuple[object, ...]) -> tuple[Any, ...]:
        """Return the outputs."""
        results = self.node.rules.compute(np, self.node, *values)
        return tuple(np.asarray(v) if isinstance(v, np.generic) else v for v in results)


def shared(values: Sequence[object]) -> list[bool]:
    """Tell which values are arrays that something else refers to, or that show other memory."""
    return [
        isinstance(value, np.ndarray)
        and (count > _ALONE or _shows_other(value) or not value.flags.writeable)
        for value, count in zip(values, _references(values), strict=True)
    ]


def _shows_other(value: np.ndarray) -> bool:
    """Tell whether an array shows memory that something else may show, too."""
    if value.base is None:
        return False
    alone = isinstance(value.base, np.ndarray) and value.base.flags.owndata
    return not alone or sys.getrefcount(value.base) > _ALONE_BASE


def _references(values: Sequence[object]) -> list[int]:
    return [sys.getrefcount(value) for value in values]


# What is counted for a value that only one sequence refers to: it depends on the interpreter.
_ALONE = _references([np.empty(0)])[0]
# The same for the base that only one view refers to.
_VIEW = np.empty(1).reshape(1, 1)
_ALONE_BASE = sys.getrefcount(_VIEW.base)


def owned(results: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return results, with copies of those that are `shared`."""
    flags = shared(results)
    if True not in flags:
        return results
    return tuple(v.copy() if flag else v for v, flag in zip(results, flags, strict=True))


class CallError(Exception):
    """Carries an error out of a call.

    Attributes
    ----------
    error : Exception
    node : Apply
        What was computed.
    values : sequence
        Of its inputs.
    steps : sequence of (Apply, int)
        Loops around it, the outermost first, and their steps.
    """

    def __init__(
        self,
        error: Exception,
        node: Apply,
        values: Sequence[object],
        steps: Sequence[tuple[Apply, int]] = (),
    ) -> None:
        super().__init__(error)
        self.error = error
        self.node = node
        self.values = values
        self.steps = steps
