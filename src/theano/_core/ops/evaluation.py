"""The meaning of a graph: every operation's `compute`, run with NumPy, one node at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from theano._core.ir.graph import toposort
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Constant


def evaluate(
    outputs: Sequence[Any], values: dict[Any, Any], watch: Callable[..., None] | None = None
) -> list[Any]:
    """Return the values of `outputs`.

    Parameters
    ----------
    outputs : sequence of variables
    values : dict
        Values of the inputs.
    watch : callable, optional
        Called as `watch(node, inputs, outputs)` after each application.
    """
    known = dict(values)

    def value(variable: Any) -> Any:
        return variable.data if isinstance(variable, Constant) else known[variable]

    with np.errstate(all="ignore"):
        for node in toposort(outputs, known):
            inputs = [value(v) for v in node.inputs]
            results = [
                np.asarray(result, dtype=out.type.numpy_dtype)
                if isinstance(out.type, TensorType)
                else result
                for out, result in zip(node.outputs, _computed(node, inputs), strict=True)
            ]
            if watch is not None:
                watch(node, inputs, results)
            known.update(zip(node.outputs, results, strict=True))
    return [value(out) for out in outputs]


def _computed(node: Apply, inputs: Sequence[Any]) -> Sequence[Any]:
    """Return what an application gives; an error tells which one it was, and with which values."""
    try:
        return node.op.compute(np, node, *inputs)
    except Exception as error:
        # Of a loop within a loop, the innermost.
        if failed_application(error) is None:
            error.application = (node, inputs)  # type: ignore[attr-defined]
        raise


def failed_application(error: Exception) -> tuple[Apply, Sequence[Any]] | None:
    """Return the application that an error of `evaluate` comes from, and its inputs."""
    return getattr(error, "application", None)
