"""The bodies of loops that several applications share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from theano._core.ir.variable import Apply
from theano._core.lower.llvm.emitter import ComplexValue
from theano._core.ops.op import Elementwise


def group_body(
    nodes: Sequence[Apply], operands: Sequence[Any], stored: Sequence[Any], folded: Sequence[Apply]
) -> Any:
    """Return the body of a fused group."""

    def body(b: Any, index: Any, values: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any]]:
        known = dict(zip(operands, values, strict=True))

        def read(variable: Any, dtype: str) -> Any:
            if variable in known:
                return b.cast(known[variable], dtype)
            return number(b, variable.data.item(), variable.type.dtype, dtype)

        for node in nodes:
            if isinstance(node.op, Elementwise):
                casts, dtype = node.op.dtype(*(v.type.dtype for v in node.inputs))
                args = [read(v, d) for v, d in zip(node.inputs, casts, strict=True)]
                native: Any = node.op.native
                known[node.outputs[0]] = b.cast(native(b, *args), dtype)
        folds = []
        for node in folded:
            acc, _ = node.op.types(node.inputs[0].type.dtype)
            folds.append(read(node.inputs[0], acc))
        return [known[v] for v in stored], folds

    return body


def number(b: Any, value: Any, dtype: str, target: str) -> Any:
    """Return a constant of `dtype`, converted to `target`, in every lane."""
    converted = np.asarray(value, dtype=dtype).astype(target).item()
    if target.startswith("complex"):
        part = "float32" if target == "complex64" else "float64"
        return ComplexValue(b.const(converted.real, part), b.const(converted.imag, part))
    return b.const(converted, target)
