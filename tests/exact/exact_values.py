"""Values of graphs without rounding: floats of 320 digits, whose exponents have no end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import mpmath
import numpy as np
from mpmath import mpf

from theano._core.ir.graph import toposort
from theano._core.ir.variable import Apply
from theano._core.ops.array.reductions import Reduction
from theano._core.ops.elementwise.elementwise import Elementwise
from theano._core.rewrite.inline import inlined

DIGITS = 320
# Operations whose result is an operand.
UNCHANGED = ("Assert", "DisconnectedGrad", "Require", "ViewOp")


def log(x: Any) -> Any:
    if x == 0:
        return -mpmath.inf
    return mpmath.log(x) if x > 0 else mpmath.nan


def divided(x: Any, y: Any) -> Any:
    if y == 0:
        return mpmath.nan if x == 0 else mpmath.inf * mpmath.sign(x)
    return x / y


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs_": abs,
    "add": lambda x, y: x + y,
    "cosh": mpmath.cosh,
    "eq": lambda x, y: x == y,
    "erf": mpmath.erf,
    "erfc": mpmath.erfc,
    "exp": mpmath.exp,
    "expm1": mpmath.expm1,
    "ge": lambda x, y: x >= y,
    "gt": lambda x, y: x > y,
    "inv": lambda x: divided(mpf(1), x),
    "le": lambda x, y: x <= y,
    "log": log,
    "log10": lambda x: log(x) / mpmath.log(10),
    "log1p": lambda x: log(1 + x),
    "lt": lambda x, y: x < y,
    "maximum": max,
    "minimum": min,
    "mul": lambda x, y: x * y,
    "neg": lambda x: -x,
    "neq": lambda x, y: x != y,
    "pow": mpmath.power,
    "second": lambda x, y: y,
    "sgn": mpmath.sign,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "sinh": mpmath.sinh,
    "softplus": lambda x: mpmath.log(1 + mpmath.exp(x)),
    "sqr": lambda x: x * x,
    "sqrt": mpmath.sqrt,
    "sub": lambda x, y: x - y,
    "switch": lambda c, x, y: x if c else y,
    "tanh": mpmath.tanh,
    "true_div": divided,
}
REDUCED: dict[str, Callable[..., Any]] = {
    "sum": np.add.reduce,
    "max": np.maximum.reduce,
    "supremum": np.maximum.reduce,
}


def exact_values(outputs: Sequence[Any], values: Mapping[Any, Any]) -> list[np.ndarray]:
    """Return the values of variables, rounded to float64 at the end."""
    with mpmath.workdps(DIGITS):
        outputs = inlined(outputs)
        known = {v: numbers(a) for v, a in values.items()}
        for node in toposort(outputs):
            arrays = [known[v] if v in known else numbers(v.data) for v in node.inputs]
            known.update(zip(node.outputs, computed(node, arrays), strict=True))
        return [np.asarray(known[v], dtype="float64") for v in outputs]


def numbers(array: Any) -> np.ndarray:
    """Return an array with its floats as numbers of many digits."""
    array = np.asarray(array)
    if array.dtype.kind != "f":
        return array
    return np.asarray(np.frompyfunc(lambda x: mpf(float(x)), 1, 1)(array), dtype=object)


def computed(node: Apply, arrays: list[np.ndarray]) -> Sequence[np.ndarray]:
    op, dtype = node.op, getattr(node.outputs[0].type, "dtype", None)
    floats = [a for a in arrays if a.dtype == object]
    if isinstance(op, Elementwise) and (floats or str(dtype).startswith("float")):
        if op.is_cast:
            result = arrays[0] if floats else numbers(arrays[0].astype("float64"))
        else:
            result = np.asarray(np.frompyfunc(FUNCTIONS[op.name], len(arrays), 1)(*arrays))
        return [result.astype(object if str(dtype).startswith("float") else dtype)]
    if isinstance(op, Reduction) and floats:
        return [np.asarray(REDUCED[op.kind](arrays[0], axis=op.axes(arrays[0].ndim)), object)]
    if type(op).__name__ in UNCHANGED:
        return arrays[:1]
    return [np.asarray(a) for a in node.rules.compute(np, node, *arrays)]
