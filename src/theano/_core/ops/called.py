"""Operations whose native form is a call of their definition, back in Python."""

from __future__ import annotations

from typing import Any

import numpy as np

from theano._core.ir.variable import Apply
from theano._core.ops.op import Structured


class Called(Structured):
    """Base of operations that NumPy computes."""

    def lower(self, p: Any, node: Apply, *values: Any) -> Any:
        return p.call_python(node, NumPyCall(node), values)


class NumPyCall:
    """What computes one application; an error of it names the line that made the application."""

    def __init__(self, node: Apply) -> None:
        self.node = node

    def __call__(self, *arrays: Any) -> tuple[Any, ...]:
        return self.node.op.compute(np, self.node, *arrays)
