"""A native program whose entry only calls a Python function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from theano._core.ir.types import TensorType
from theano._core.ir.variable import Variable
from theano._core.lower import program as ir
from theano._core.lower.llvm.print.printer import printed
from theano._core.lower.program_text import CallbackRecord, Output, ProgramText
from theano._core.ops.array.overwriting import Overwrite


def called_program(
    inputs: Sequence[Variable], outputs: Sequence[Variable], run: Callable[..., Sequence[Variable]]
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

    def call(*values: object) -> tuple[Any, ...]:
        return tuple(run(*values))

    nodes = {v.owner for v in outputs if v.owner is not None}
    over = {t for n in nodes if isinstance(n.op, Overwrite) for t in n.inputs[: len(n.op.written)]}
    written = tuple(k for k, variable in enumerate(inputs) if variable in over)
    kinds = tuple(v.type for v in inputs), tuple(v.type for v in outputs)
    record = CallbackRecord(call, kinds[0], kinds[1], written)
    program = _program(input_offsets, records)
    return ProgramText(
        printed(program),
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
        program,
    )


def _words(variable: Variable) -> int:
    return 2 + 2 * (variable.type.ndim if isinstance(variable.type, TensorType) else 0)


def _program(inputs: Sequence[int], outputs: Sequence[int]) -> ir.Program:
    places = []
    body: ir.Block = []
    for name, offsets in (("%in", inputs), ("%out", outputs)):
        places.append((name, 8 * max(1, len(offsets))))
        body.append(ir.Words(name, tuple(offsets), ("int64",) * len(offsets)))
    operands = (0, len(inputs), "%in", len(outputs), "%out")
    body += [
        ir.Call("%done", "callback", operands),
        ir.Let("%good", "eq", ("%done", 0), "int32"),
        ir.Guard("%good"),
    ]
    return ir.Program(body, tuple(places), 1)
