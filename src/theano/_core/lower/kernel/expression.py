"""What a loop computes at one point, as data: scalar operations in a row, each of values before it.

A `Body` can be compared, hashed, printed and counted; two loops with equal bodies are one kernel. A
value is named by a number: the operands of the loop come first, then the results of operations, in
order. Equal operations are one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from theano._core.base.records import Record
from theano._core.ops.core.op import Op

# Functions that bodies are written with besides those of `ops`: methods of the builder.
# True where the result is a bool; else it has the dtype of the last operand.
PRIMITIVES = {
    **dict.fromkeys(("add", "sub", "mul", "divide", "neg", "ceil", "copysign"), False),
    **dict.fromkeys(("minimum", "maximum", "select", "or_"), False),
    **dict.fromkeys(("eq", "neq", "lt", "le", "gt", "isnan"), True),
}


class Emitted(Record):
    """A function that is written straight with the builder: reads and writes of memory, samplers.

    Attributes
    ----------
    name : str
    parameters : tuple
        All that `emit` depends on: functions with equal parameters are one.
    emit : callable
        `emit(b, index, *values)`, with the positions `index(axis)`; what it returns is the result.
    cost : int
        Rough number of instructions.
    """

    name: str
    parameters: tuple[Any, ...]
    emit: Callable[..., Any]
    cost: int = 8

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Emitted) and self[:2] == other[:2]

    def __hash__(self) -> int:
        return hash(self[:2])

    def body(self, dtype: str = "") -> Callable[..., Value]:
        """Return what writes a call of it on all operands, with a result of `dtype`."""
        return lambda w, *values: w.call(self, *values, dtype=dtype)


class Operation(Record):
    """A node of a function to earlier values.

    Attributes
    ----------
    function : Elementwise, Emitted or str
        As text: one of `PRIMITIVES`; 'cast'; 'index', the position along the axis `parameter`; or
        'number', whose bytes `parameter` has.
    operands : tuple of int
    dtype : str
        Of the result; '' where there is none.
    """

    function: Any
    operands: tuple[int, ...]
    dtype: str
    parameter: Any = None

    @property
    def cost(self) -> int:
        """A rough number of instructions."""
        if isinstance(self.function, str):
            return int(self.function in PRIMITIVES)
        return self.function.cost

    @property
    def number(self) -> Any:
        """The number that it is."""
        return np.frombuffer(self.parameter, self.dtype)[0]

    def __str__(self) -> str:
        if self.function == "number":
            return f"{self.number}: {self.dtype}"
        operands = [f"%{i}" for i in self.operands]
        if self.function == "index":
            operands = [str(self.parameter)]
        name = getattr(self.function, "name", self.function)
        return f"{name}({', '.join(operands)})" + (f": {self.dtype}" if self.dtype else "")


class Body(Record):
    """What is computed at a point.

    Attributes
    ----------
    operands : tuple of str
        Dtypes of what is read.
    operations : tuple of Operation
    stores, reductions : tuple of int
        The values that are stored, and that are reduced.
    """

    operands: tuple[str, ...]
    operations: tuple[Operation, ...]
    stores: tuple[int, ...]
    reductions: tuple[int, ...]

    @property
    def cost(self) -> int:
        """A rough number of instructions: of the operations, and one for each reduction."""
        return sum(operation.cost for operation in self.operations) + len(self.reductions)

    def __str__(self) -> str:
        lines = [f"%{i} = read: {dtype}" for i, dtype in enumerate(self.operands)]
        for i, operation in enumerate(self.operations, len(lines)):
            lines.append(f"%{i} = {operation}" if operation.dtype else str(operation))
        lines += [f"store %{i}" for i in self.stores]
        lines += [f"reduce %{i}" for i in self.reductions]
        return "\n".join(lines)


def without_numbers(body: Body) -> tuple[Body, list[Operation]]:
    """Return a body that reads its numbers, as operands behind the others, and these numbers."""
    count = len(body.operands)
    numbers = [i for i, o in enumerate(body.operations) if o.function == "number"]
    rest = [i for i, o in enumerate(body.operations) if o.function != "number"]
    place = {i: i for i in range(count)}
    place.update({count + i: n for n, i in enumerate([*numbers, *rest], count)})
    operations = [body.operations[i] for i in rest]
    taken = [body.operations[i] for i in numbers]
    return Body(
        body.operands + tuple(o.dtype for o in taken),
        tuple(o.replace(operands=tuple(place[i] for i in o.operands)) for o in operations),
        tuple(place[i] for i in body.stores),
        tuple(place[i] for i in body.reductions),
    ), taken


class Value(Record):
    """A value of a body that is being written."""

    index: int
    dtype: str


class Writer:
    """Writes a body: its methods are those of the builder that bodies need.

    Parameters
    ----------
    operands : sequence of str
        Dtypes of what is read.
    """

    def __init__(self, operands: Sequence[str]) -> None:
        self.operands = [Value(i, dtype) for i, dtype in enumerate(operands)]
        self._indices: dict[Operation, int] = {}

    def call(
        self, function: Emitted | Op | str, *operands: Value, dtype: str, parameter: object = None
    ) -> Value:
        """Return the result of an operation: that of an equal one if there is one."""
        operation = Operation(function, tuple(v.index for v in operands), dtype, parameter)
        index = self._indices.setdefault(operation, len(self.operands) + len(self._indices))
        return Value(index, dtype)

    def number(self, value: object, dtype: str) -> Value:
        """Return a number."""
        data = np.asarray(value).astype(dtype).tobytes()
        return self.call("number", dtype=dtype, parameter=data)

    def index(self, axis: int) -> Value:
        """Return the position along an axis, an int64."""
        return self.call("index", dtype="int64", parameter=axis)

    def cast(self, value: Value, dtype: str) -> Value:
        """Return a value converted to `dtype`."""
        return value if value.dtype == dtype else self.call("cast", value, dtype=dtype)

    def __getattr__(self, name: str) -> Callable[..., Value]:
        if name not in PRIMITIVES:
            raise AttributeError(name)

        def primitive(*operands: object) -> Value:
            like = next(v.dtype for v in reversed(operands) if isinstance(v, Value))
            values = [v if isinstance(v, Value) else self.number(v, like) for v in operands]
            return self.call(name, *values, dtype="bool" if PRIMITIVES[name] else like)

        return primitive

    def body(self, stores: Sequence[Value] = (), reductions: Sequence[Value] = ()) -> Body:
        """Return what was written."""
        return Body(
            tuple(v.dtype for v in self.operands),
            tuple(self._indices),
            tuple(v.index for v in stores),
            tuple(v.index for v in reductions),
        )
