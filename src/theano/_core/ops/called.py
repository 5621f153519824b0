"""Operations whose native form is a call of their definition, back in Python."""

from __future__ import annotations

from typing import Any

import numpy as np

from theano._core.ir.variable import Apply
from theano._core.ops.op import Structured


class Called(Structured):
    """Base of operations that NumPy computes."""

    def lower(self, p: Any, node: Apply, *values: Any) -> Any:
        return p.call_compute(node, values)


class NumPyCall:
    """What computes one application; an error of it names the line that made the application."""

    def __init__(self, node: Apply) -> None:
        self.node = node

    def __call__(self, *values: Any) -> tuple[Any, ...]:
        try:
            return self.run(values)
        except Exception as error:
            raise CallError(error, values) from error

    def run(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the outputs."""
        results = self.node.op.compute(np, self.node, *values)
        return tuple(np.asarray(v) if isinstance(v, np.generic) else v for v in results)


class CallError(Exception):
    """Carries an error out of a call, with the values that it was called with."""

    def __init__(self, error: Exception, values: tuple[Any, ...]) -> None:
        super().__init__(error)
        self.error = error
        self.values = values
