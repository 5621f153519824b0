"""The reference backend: NumPy, one node at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from theano._core.ops.core.evaluation import evaluate
from theano._core.ops.core.python_call import CallError

__all__ = ["evaluate", "reference"]


def reference(
    inputs: Sequence[object],
    outputs: Sequence[object],
    cells: Callable[[], Mapping[Any, Any]] = dict,
) -> Callable[..., list[Any]]:
    """Return a function of the values of `inputs` that gives those of `outputs`.

    It raises CallError, which carries the error of a node. `cells` returns, for each call, those
    of `evaluate`.
    """

    def run(*values: object) -> list[Any]:
        value_of = dict(zip(inputs, values, strict=True))
        return evaluate(outputs, value_of, failed=CallError, cells=cells())

    return run
