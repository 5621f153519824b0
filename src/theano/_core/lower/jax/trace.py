"""Graphs walked with traced arrays, so that XLA compiles what their operations mean.

An operation is traced by its `jax` rule, which is its definition with `jax.numpy` if it has no
other. What cannot be traced is called on the host, in the middle of the compiled function.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.core
import jax.scipy.linalg
import jax.scipy.special
import numpy as np
from jax.experimental import io_callback

from theano._core.ir.graph import toposort
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.ops.core.evaluation import apply_values, evaluate
from theano._core.ops.core.op import Op

# What a definition raises that needs values while only their shapes are known: JAX's errors are
# TypeErrors and IndexErrors, and traced arrays lack some attributes of NumPy's.
NEEDS_VALUES = (TypeError, IndexError, AttributeError, NotImplementedError)


class LengthUnknown(Exception):
    """A length depends on values, and XLA must know all lengths when it compiles.

    Attributes
    ----------
    node : Apply
    """

    def __init__(self, node: Apply) -> None:
        super().__init__(f"the lengths of what {node} computes depend on values")
        self.node = node


class Objects:
    """Values that are no arrays, by the numbers that stand for them in compiled code."""

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self._values: dict[int, Any] = {}

    def add(self, value: object) -> np.ndarray:
        """Return the number of a value."""
        number = next(self._numbers)
        self._values[number] = value
        return np.asarray(number, dtype="int64")

    def get(self, number: np.ndarray) -> Any:
        """Return the value of a number."""
        return self._values[int(number)]

    def clear(self) -> None:
        """Forget all values."""
        self._values.clear()


class Trace:
    """What the rules of operations are given, and one walk through a graph.

    Attributes
    ----------
    numpy, lax, special, linalg : module
        `jax.numpy`, `jax.lax`, `jax.scipy.special`, `jax.scipy.linalg`.
    """

    def __init__(self, objects: Objects) -> None:
        self.numpy, self.lax = jax.numpy, jax.lax
        self.special, self.linalg = jax.scipy.special, jax.scipy.linalg
        self._objects = objects
        self._checks: list[Any] = []

    # -- for rules --------------------------------------------------------------------------------

    def is_known(self, value: object) -> bool:
        """Tell whether a value is there while code is made: lengths are."""
        return not isinstance(value, jax.core.Tracer)

    def require(self, condition: Any) -> None:
        """Have the function computed by NumPy, which raises the error, unless a condition holds."""
        self._checks.append(jax.numpy.all(condition))

    def passed(self) -> Any:
        """Return whether all that was required held."""
        if not self._checks:
            return jax.numpy.asarray(True)
        return jax.numpy.stack(self._checks).all()

    def body(self, body: Any, values: Sequence[Any]) -> tuple[list[Any], Any]:
        """Return the outputs of a body, and whether all that it requires holds."""
        inner = Trace(self._objects)
        outputs = inner.run(body.outputs, dict(zip(body.inputs, values, strict=True)))
        return [jax.numpy.asarray(v) for v in outputs], inner.passed()

    def like(self, function: Callable[..., object], *arguments: object) -> Any:
        """Return zeros in the shapes of what a function returns."""
        types = jax.eval_shape(function, *arguments)
        return jax.tree.map(lambda t: jax.numpy.zeros(t.shape, t.dtype), types)

    def on_host(self, node: Apply, values: Sequence[object], effect: bool = False) -> list[Any]:
        """Return the outputs of a node that NumPy computes when the function runs.

        With `effect` it is called once for each time that it is reached, in order.
        """
        constants: dict[Variable, Any] = {v: v.data for v in node.inputs if isinstance(v, Constant)}
        objects = self._objects
        moving = {v: x for v, x in zip(node.inputs, values, strict=True) if v not in constants}

        def call(*arrays: np.ndarray) -> tuple[np.ndarray, ...]:
            value_of = dict(constants)
            for v, x in zip(moving, arrays, strict=True):
                value_of[v] = np.asarray(x) if isinstance(v.type, TensorType) else objects.get(x)
            results = apply_values(node, [value_of[v] for v in node.inputs])
            return tuple(
                result if isinstance(out.type, TensorType) else objects.add(result)
                for out, result in zip(node.outputs, results, strict=True)
            )

        types = tuple(
            jax.ShapeDtypeStruct(shape, np.dtype(getattr(out.type, "dtype", "int64")))
            for out, shape in zip(node.outputs, self._shapes(node, values), strict=True)
        )
        if effect:
            return list(io_callback(call, types, *moving.values(), ordered=True))
        return list(jax.pure_callback(call, types, *moving.values()))

    def _shapes(self, node: Apply, values: Sequence[Any]) -> list[tuple[int, ...]]:
        """Return the shapes of the outputs; raises LengthUnknown."""
        value_of = dict(zip(node.inputs, values, strict=True))
        shapes = node.rules.shape(node, [np.shape(v) for v in values])
        return [tuple(self._length(node, n, value_of) for n in shape) for shape in shapes]

    def _length(self, node: Apply, length: Variable | int, value_of: dict[Any, Any]) -> int:
        if length is None:
            raise LengthUnknown(node)
        if isinstance(length, int):
            return length
        try:
            return int(evaluate([length], value_of)[0])
        except NEEDS_VALUES:
            raise LengthUnknown(node) from None

    # -- the walk ---------------------------------------------------------------------------------

    def run(self, outputs: Sequence[Any], value_of: dict[Any, Any]) -> list[Any]:
        """Return the values of `outputs`, given those of the inputs."""
        value_of = dict(value_of)

        def value(variable: Variable) -> Any:
            return variable.data if isinstance(variable, Constant) else value_of[variable]

        for node in toposort(outputs, value_of):
            results = self._apply(node, [value(v) for v in node.inputs])
            value_of.update(zip(node.outputs, results, strict=True))
        return [value(out) for out in outputs]

    def _apply(self, node: Apply, values: Sequence[object]) -> list[Any]:
        # Of a graph that was not rewritten, an index has its numbers among the inputs.
        inputs = [v for v, x in zip(node.inputs, values, strict=True) if type(x) is not np.int64]
        arrays = all(isinstance(v.type, TensorType) for v in (*inputs, *node.outputs))
        if arrays and all(self.is_known(v) for v in values) and _is_length(node):
            return apply_values(node, values)
        checks = len(self._checks)
        try:
            # A rule of its own takes numbers for values that are no arrays.
            if arrays or type(node.rules).jax is not Op.jax:
                return self._typed(node, node.rules.jax(self, node, *values))
        except LengthUnknown:
            raise LengthUnknown(node) from None
        except NEEDS_VALUES:
            del self._checks[checks:]
        return self.on_host(node, values)

    def _typed(self, node: Apply, results: Sequence[Any]) -> list[Any]:
        typed = []
        for out, result in zip(node.outputs, results, strict=True):
            dtype = getattr(out.type, "dtype", "int64")
            if 0 in np.shape(result):
                # What has no items is known. XLA 0.10 crashes on some ways to make it.
                typed.append(np.zeros(np.shape(result), dtype))
            elif isinstance(result, np.ndarray):
                # Lengths stay arrays of NumPy: their values are known.
                typed.append(np.asarray(result, dtype))
            else:
                typed.append(jax.numpy.asarray(result, dtype))
        return typed


def _is_length(node: Apply) -> bool:
    """Tell whether a node makes numbers that lengths may depend on."""
    types = [out.type for out in node.outputs]
    return all(k.ndim == 0 or (k.ndim == 1 and k.numpy_dtype.kind in "iu") for k in types)
