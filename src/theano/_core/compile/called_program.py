"""A native program whose entry only calls a Python function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from theano._core.ir.types import TensorType
from theano._core.lower.arrays import CallbackRecord
from theano._core.lower.builder.core import RUNTIME
from theano._core.lower.builder.program import Output, ProgramText


def called_program(
    inputs: Sequence[Any], outputs: Sequence[Any], run: Callable[..., Sequence[Any]]
) -> ProgramText:
    """Return a program that passes its inputs to `run` and returns what that gives."""
    offset = 0
    input_offsets = []
    for variable in inputs:
        input_offsets.append(offset)
        offset += _words(variable)
    results, records = [], []
    for variable in outputs:
        kind = "array" if isinstance(variable.type, TensorType) else "object"
        results.append(Output(kind, offset, -1))
        records.append(offset)
        offset += _words(variable)

    def call(*values: Any) -> tuple[Any, ...]:
        return tuple(run(*values))

    record = CallbackRecord(call, tuple(v.type for v in inputs), tuple(v.type for v in outputs))
    return ProgramText(
        _entry(input_offsets, records),
        (),
        offset,
        (),
        tuple(input_offsets),
        (),
        (),
        tuple(results),
        (record,),
        (),
        (),
    )


def _words(variable: Any) -> int:
    return 2 + 2 * (variable.type.ndim if isinstance(variable.type, TensorType) else 0)


def _entry(inputs: Sequence[int], outputs: Sequence[int]) -> str:
    lines = ["define i32 @entry(ptr %call) nounwind {"]
    for name, offsets in (("in", inputs), ("out", outputs)):
        lines.append(f"  %{name} = alloca [{max(1, len(offsets))} x i64], align 8")
        for i, offset in enumerate(offsets):
            lines.append(f"  %{name}{i} = getelementptr i64, ptr %{name}, i64 {i}")
            lines.append(f"  store i64 {offset}, ptr %{name}{i}, align 8")
    lines += [
        "  %rt = load ptr, ptr %call, align 8",
        f"  %at = getelementptr ptr, ptr %rt, i64 {RUNTIME['callback']}",
        "  %callback = load ptr, ptr %at, align 8",
        (
            f"  %result = call i32 %callback(ptr %call, i64 0, i64 {len(inputs)}, ptr %in, i64"
            f" {len(outputs)}, ptr %out)"
        ),
        "  ret i32 %result",
        "}",
    ]
    return "\n".join(lines) + "\n"
