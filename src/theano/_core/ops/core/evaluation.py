"""The meaning of a graph: every operation's `compute`, run with NumPy, one node at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np

from theano._core.ir.graph import toposort
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.runtime import native

# What is called for each node of an evaluation, and of those within it.
_watch: ContextVar[Any] = ContextVar("_watch", default=None)


def evaluate(
    outputs: Sequence[Any],
    values: dict[Any, Any],
    watch: Callable[..., None] | None = None,
    failed: Callable[..., Exception] | None = None,
    cells: Mapping[Any, Any] | None = None,
) -> list[Any]:
    """Return the values of `outputs`.

    Parameters
    ----------
    outputs : sequence of variables
    values : dict
        Values of the inputs.
    watch : callable, optional
        Called as `watch(node, inputs, outputs)` after each node, those in the bodies of
        loops and branches too, and before it as `watch.before(node, inputs)` if it has that.
    failed : callable, optional
        Returns, as `failed(error, node, inputs)`, the error to raise for that of a node.
    cells : dict, optional
        Where the values of some inputs are stored: what a node puts there the next ones read.
    """
    if watch is not None:
        token = _watch.set(watch)
        try:
            return evaluate(outputs, values, None, failed, cells)
        finally:
            _watch.reset(token)
    watch = _watch.get()
    before = getattr(watch, "before", None)
    value_of = dict(values)
    cells = cells or {}
    stored = {variable: cell.value for variable, cell in cells.items()}

    def value(variable: Variable) -> Any:
        return variable.data if isinstance(variable, Constant) else value_of[variable]

    with np.errstate(all="ignore"):
        for node in toposort(outputs, value_of):
            inputs = [value(v) for v in node.inputs]
            if before is not None:
                before(node, inputs)
            try:
                results = _results(node, inputs)
            except Exception as error:
                if failed is None:
                    raise
                raise failed(error, node, inputs) from error
            if watch is not None:
                watch(node, inputs, results)
            value_of.update(zip(node.outputs, results, strict=True))
            for variable, cell in cells.items():
                if cell.value is not stored[variable]:
                    value_of[variable] = stored[variable] = cell.value
    return [value(out) for out in outputs]


def apply_values(node: Apply, inputs: Sequence[object]) -> list[Any]:
    """Return the outputs of one node for the values of its inputs."""
    with np.errstate(all="ignore"):
        return _results(node, inputs)


def _results(node: Apply, inputs: Sequence[object]) -> list[Any]:
    if not getattr(type(node.rules), "by_user", False):
        # As in native code, bits do not depend on the number of threads.
        native.one_blas_thread(True)
        try:
            results = node.rules.compute(np, node, *inputs)
        finally:
            native.one_blas_thread(False)
    else:
        results = node.rules.compute(np, node, *inputs)
    return [
        np.asarray(result, dtype=out.type.numpy_dtype)
        if isinstance(out.type, TensorType)
        else result
        for out, result in zip(node.outputs, results, strict=True)
    ]
