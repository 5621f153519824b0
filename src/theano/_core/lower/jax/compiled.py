"""Functions that XLA compiles."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from theano._core.base import dtypes
from theano._core.ir.graph import ancestors
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Variable
from theano._core.lower.jax.trace import LengthUnknown, Objects, Trace
from theano._core.lower.reference import reference

# So many programs are kept for values that code depends on.
MOST_PROGRAMS = 64


class CompiledByXLA:
    """Computes outputs from the values of inputs.

    XLA compiles anew for other shapes, and for other values of integers that lengths depend on.
    What it cannot compile, and every call that fails, is computed by NumPy, whose errors name the
    node.

    Attributes
    ----------
    reason : str or None
        Why NumPy computes everything.
    """

    def __init__(self, inputs: Sequence[Variable], outputs: Sequence[Variable]) -> None:
        self._inputs = tuple(inputs)
        self._outputs = tuple(outputs)
        self._by_numpy = reference(self._inputs, self._outputs)
        self._objects = Objects()
        self._one_at_a_time = threading.Lock()
        # Inputs that lengths depend on: a program is made for each of their values.
        self._fixed: set[Any] = set()
        self._programs: dict[Any, Callable[..., Any]] = {}
        self.reason: str | None = None

    def __call__(self, *values: np.ndarray) -> list[Any]:
        while self.reason is None:
            try:
                with self._one_at_a_time:
                    results = self._by_xla(values)
                return self._by_numpy(*values) if results is None else results
            except LengthUnknown as error:
                if self._fix_what_decides(error):
                    continue
                reason = str(error)
            except Exception as error:
                reason = f"{type(error).__name__}: {error}"
            # With bad arguments, this raises what says so.
            results = self._by_numpy(*values)
            self.reason = reason
            warnings.warn(f"NumPy computes this function, XLA cannot: {reason}", stacklevel=3)
            return results
        return self._by_numpy(*values)

    def _fix_what_decides(self, error: LengthUnknown) -> bool:
        """Note the integers that an unknown length depends on; False if all are noted."""
        before = ancestors(error.node.inputs)
        decide = {
            v
            for v in self._inputs
            if v in before
            and isinstance(v.type, TensorType)
            and v.type.ndim <= 1
            and dtypes.is_discrete(v.type.dtype)
        }
        more = bool(decide - self._fixed)
        self._fixed |= decide
        self._programs.clear()
        return more

    def _by_xla(self, values: Sequence[Any]) -> list[Any] | None:
        """Return the results; None if NumPy must compute them, for it fails."""
        pairs = list(zip(self._inputs, values, strict=True))
        fixed = {v: x for v, x in pairs if v in self._fixed}
        key = tuple((x.shape, x.tobytes()) for x in fixed.values())
        if key not in self._programs:
            if len(self._programs) == MOST_PROGRAMS:
                self._programs.clear()
            self._programs[key] = self._program(fixed)
        arguments = [
            x if isinstance(v.type, TensorType) else self._objects.add(x)
            for v, x in pairs
            if v not in fixed
        ]
        try:
            with jax.enable_x64(True):
                results, passed = jax.block_until_ready(self._programs[key](*arguments))
                if not passed:
                    return None
                return [
                    # Users may write to results; those of JAX cannot be written to.
                    np.array(x) if isinstance(v.type, TensorType) else self._objects.get(x)
                    for v, x in zip(self._outputs, results, strict=True)
                ]
        except jax.errors.JaxRuntimeError:
            # From what was called on the host.
            return None
        finally:
            self._objects.clear()

    def _program(self, fixed: dict[Any, Any]) -> Callable[..., Any]:
        moving = [v for v in self._inputs if v not in fixed]

        def run(*arrays: np.ndarray) -> tuple[list[Any], Any]:
            trace = Trace(self._objects)
            value_of = {**fixed, **dict(zip(moving, arrays, strict=True))}
            return trace.run(self._outputs, value_of), trace.passed()

        return jax.jit(run)
