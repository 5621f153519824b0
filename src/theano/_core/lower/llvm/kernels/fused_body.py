"""Bodies of loops: of fused groups, and how any of them is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.ir.variable import Apply, Variable
from theano._core.lower.kernel.expression import Body, Emitted, Operation, Value, Writer
from theano._core.lower.llvm.text.emitter import ComplexValue
from theano._core.ops.elementwise.elementwise import Elementwise

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike


def group_body(
    nodes: Sequence[Apply],
    operands: Sequence[Variable],
    stored: Sequence[Variable],
    reductions: Sequence[Apply],
) -> Body:
    """Return the body of a fused group."""
    w = Writer([v.type.dtype for v in operands])
    value_of = dict(zip(operands, w.operands, strict=True))

    def read(variable: Any, dtype: str) -> Value:
        if variable in value_of:
            return w.cast(value_of[variable], dtype)
        # In two steps: that of a number of another type may lose digits.
        return w.number(np.asarray(variable.data.item(), variable.type.dtype), dtype)

    for node in nodes:
        if isinstance(node.op, Elementwise):
            casts, dtype = node.op.dtype(*(v.type.dtype for v in node.inputs))
            args = [read(v, d) for v, d in zip(node.inputs, casts, strict=True)]
            value_of[node.outputs[0]] = w.call(node.op, *args, dtype=dtype)
    reduced = [
        read(node.inputs[0], node.op.types(node.inputs[0].type.dtype)[0]) for node in reductions
    ]
    return w.body([value_of[v] for v in stored], reduced)


def write_body(
    b: object, body: Body, index: Callable[[int], object], values: Sequence[object]
) -> tuple[list[Any], list[Any]]:
    """Write a body with the builder `b`; return the values to store and those to reduce."""
    computed = list(values)
    for operation in body.operations:
        computed.append(_written(b, operation, index, [computed[i] for i in operation.operands]))
    return [computed[i] for i in body.stores], [computed[i] for i in body.reductions]


def _written(
    b: Any, operation: Operation, index: Callable[[int], object], values: Sequence[object]
) -> Any:
    function, dtype = operation.function, operation.dtype
    if isinstance(function, Elementwise):
        native: Any = function.native
        return b.cast(native(b, *values), dtype)
    if isinstance(function, Emitted):
        return function.emit(b, index, *values)
    if function == "cast":
        return b.cast(values[0], dtype)
    if function == "index":
        return index(operation.parameter)
    if function == "number":
        return number(b, operation.number.item(), dtype, dtype)
    return getattr(b, function)(*values)


def number(b: Any, value: TensorLike, dtype: str, target: str) -> Any:
    """Return a constant of `dtype`, converted to `target`, in every lane."""
    converted = np.asarray(value, dtype=dtype).astype(target).item()
    if target.startswith("complex"):
        part = "float32" if target == "complex64" else "float64"
        return ComplexValue(b.const(converted.real, part), b.const(converted.imag, part))
    return b.const(converted, target)
