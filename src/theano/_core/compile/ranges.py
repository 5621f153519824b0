"""Between which numbers the results of operations lie, if their operands lie between others.

A range is a pair of numbers, which may be infinite; None: nothing is known, it may be a NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from theano._core.base import dtypes
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.ops.array.creation import Join
from theano._core.ops.elementwise.elementwise import Elementwise

Range: TypeAlias = tuple[float, float] | None

# Where results of functions lie whatever their arguments are; of two of them, if these are finite.
_FIXED = {
    "cos": (-1.0, 1.0),
    "sin": (-1.0, 1.0),
    "arctan": (-2.0, 2.0),
    "arctan2": (-4.0, 4.0),
    "erf": (-1.0, 1.0),
    "erfc": (0.0, 2.0),
    "sgn": (-1.0, 1.0),
    "sigmoid": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
}


def _around(numbers: Sequence[float]) -> tuple[float, float]:
    return min(numbers), max(numbers)


def _abs(x: tuple[float, float]) -> tuple[float, float]:
    return max(x[0], -x[1], 0.0), max(-x[0], x[1])


def _sqr(x: tuple[float, float]) -> tuple[float, float]:
    low, high = _abs(x)
    return low * low, high * high


def _exp(x: tuple[float, float]) -> tuple[float, float]:
    with np.errstate(over="ignore"):
        return float(np.exp(x[0])), float(np.exp(x[1]))


# Those that are numbers for infinite arguments, too.
_CHOOSE: dict[str, Callable[..., tuple[float, float]]] = {
    "abs_": _abs,
    "exp": _exp,
    "clip": lambda x, low, high: _around((*low, *high)),
    "identity": lambda x: x,
    "maximum": lambda x, y: (max(x[0], y[0]), max(x[1], y[1])),
    "minimum": lambda x, y: (min(x[0], y[0]), min(x[1], y[1])),
    "neg": lambda x: (-x[1], -x[0]),
    "switch": lambda condition, x, y: _around((*x, *y)),
}
_COMPUTE: dict[str, Callable[..., tuple[float, float]]] = {
    "add": lambda x, y: (x[0] + y[0], x[1] + y[1]),
    "mul": lambda x, y: _around([a * b for a in x for b in y]),
    "sqr": _sqr,
    "sub": lambda x, y: (x[0] - y[1], x[1] - y[0]),
}


def hull(ranges: Sequence[Range]) -> Range:
    """Return the range of what is in one of `ranges`."""
    bounded = [range_ for range_ in ranges if range_ is not None]
    if len(bounded) < len(ranges) or not bounded:
        return None
    return min(low for low, _ in bounded), max(high for _, high in bounded)


def of_leaf(variable: Variable) -> Range:
    """Return the range of a constant, or of what has integers or booleans."""
    type_ = variable.type
    if not isinstance(type_, TensorType) or dtypes.is_complex(type_.dtype):
        return None
    if isinstance(variable, Constant) and variable.data.size:
        low, high = float(variable.data.min()), float(variable.data.max())
        return None if np.isnan(low) else (low, high)
    if type_.dtype == "bool":
        return 0.0, 1.0
    if dtypes.is_discrete(type_.dtype):
        limits = np.iinfo(type_.dtype)
        return float(limits.min), float(limits.max)
    return None


def of_result(node: Apply, ranges: Sequence[Range]) -> Range:
    """Return the range of the first output of a node, whose inputs have `ranges`."""
    op = node.op
    if op.is_view:
        return ranges[0]
    if isinstance(op, Join):
        return hull(ranges[-len(op.parts(node)[1]) :])
    bounded = [range_ for range_ in ranges if range_ is not None]
    if not isinstance(op, Elementwise) or op.module is not None or len(bounded) < len(ranges):
        return None
    if any(dtypes.is_complex(v.type.dtype) for v in (*node.inputs, *node.outputs)):
        return None
    name = "identity" if op.is_cast else op.name
    finite = bool(np.isfinite(bounded).all())
    if name in _FIXED:
        return _FIXED[name] if finite or name not in ("cos", "sin") else None
    function = _CHOOSE.get(name) or (_COMPUTE.get(name) if finite else None)
    return function(*bounded) if function is not None else None
