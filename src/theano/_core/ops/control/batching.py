"""Expressions computed for many values at once: each of them with a first axis for the rows.

One walk over the nodes. Every operation says what it is over rows (`Op.batch`); what it
does not say is run row by row, in a loop.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import theano._core.ops.array.indexing_batch  # noqa: F401 - declares what indexing is over rows
from theano._core.ir.graph import ancestors, copy_graph, inputs as leaves_of, toposort
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.ops.array.broadcasting import alloc
from theano._core.ops.array.creation import Join
from theano._core.ops.array.dims import as_int64, as_length, lengths_of
from theano._core.ops.array.index_form import Slice, index_of
from theano._core.ops.array.indexing import Subtensor, subtensor
from theano._core.ops.array.reductions import reduce
from theano._core.ops.array.shaping import length, pattern_broadcast
from theano._core.ops.control.body import Body
from theano._core.ops.control.scan import Loop
from theano._core.ops.control.scan_state import State, is_rows
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.core.op import complete_values, inside_body

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike

# What the results of all rows must have, said where they do not.
ONE_SHAPE = (
    "which must have one shape for all items (a last row, a sum or a fixed number of rows has)"
)


class RaggedRows(Exception):
    """The rows of a value differ in their shape."""


class Batch:
    """Values of a graph, with a first axis for the rows.

    Parameters
    ----------
    size : int or scalar variable
        Number of rows.
    rows : mapping of variable to variable
        The rows of some variables.
    same : mapping of variable to variable
        What others are, which are the same for all rows; by default themselves.
    inputs : collection of variables
        What these depend on does not matter.
    """

    def __init__(
        self,
        size: TensorLike,
        rows: Mapping[Variable, Variable],
        same: Mapping[Variable, Variable],
        inputs: Collection[object] = (),
    ) -> None:
        self.size = as_int64(size)
        self.rows = dict(rows)
        self.same = dict(same)
        self.inputs = {*inputs, *rows, *same}
        self._results: set[Any] = set()
        self._users: dict[Any, list[Apply]] = {}

    def of(self, values: Sequence[TensorLike]) -> list[Any] | None:
        """Return the rows of each value; None if one of them cannot be had."""
        return [self.full(v) for v in values] if self.add(values) else None

    def add(self, values: Sequence[Any]) -> bool:
        """Compute values, of which `value` then tells; False if one of them cannot be had."""
        nodes = toposort(values, self.inputs)
        self._results = set(values)
        self._users = {}
        for node in nodes:
            for v in node.inputs:
                self._users.setdefault(v, []).append(node)
        for node in nodes:
            if node.outputs[0] not in self.same and node.outputs[0] not in self.rows:
                if not self._add(node):
                    return False
        return all(self.value(v) is not None for v in values)

    def value(self, variable: Any) -> Any:
        """Return the rows of a variable, or what it is for all rows; None if it has neither."""
        value = self.rows.get(variable, self.same.get(variable))
        return variable if value is None and variable not in self.inputs else value

    def full(self, variable: TensorLike) -> Any:
        """Return the rows of a variable; equal ones if it is the same for all."""
        value = self.value(variable)
        return value if variable in self.rows else self.broadcast(value)

    def broadcast(self, value: Variable) -> Any:
        """Return a value as equal rows."""
        shape = [as_int64(length(value, a)) for a in range(value.type.ndim)]
        return alloc(dimshuffle(value, ["x", *range(value.type.ndim)]), self.size, *shape)

    def inside(self, size: Variable, table: Mapping[Variable, Variable]) -> Batch:
        """Return the walk of a body whose inputs become those of `table`; some have rows."""
        pairs = list(table.items())
        rows = {v: new for v, new in pairs if is_rows(v) and new.type.ndim > v.type.ndim}
        same = {v: new for v, new in pairs if v not in rows}
        return Batch(size, rows, same)

    def all_of(self, condition: TensorLike) -> Any:
        """Return whether a condition holds in all rows."""
        return reduce("all", condition)

    def give_up(self) -> None:
        """Have the whole expression be computed row by row."""
        raise RaggedRows

    def check_last_row(self, variable: Variable, depth: int) -> None:
        """Raise RaggedRows if more is read of a loop's state than its last row.

        Rows of which each has its own number of steps have that in common, and nothing more.
        """
        if variable in self._results:
            raise RaggedRows
        for node in self._users.get(variable, ()):
            index = index_of(node) if isinstance(node.op, Subtensor) else ()
            if index == (Slice(depth, None, None),):
                self.check_last_row(node.outputs[0], depth)
            elif index[:1] != (-1,):
                raise RaggedRows

    def joined(self, values: Sequence[Variable], axis: int) -> Any:
        """Return arrays one after another along an axis."""
        return Join(axis)(*values)

    def items(self, vector: Variable, count: int) -> list[Any]:
        """Return the `count` items of a vector of integers."""
        numbers = lengths_of(vector, count)
        return [
            as_int64(subtensor(vector, [i]) if n is None else as_length(n))
            for i, n in enumerate(numbers)
        ]

    def _add(self, node: Apply) -> bool:
        """Compute the outputs of a node; False if that is not known."""
        values = [self.value(v) for v in node.inputs]
        if any(v is None for v in values):
            return False
        rows = [v in self.rows for v in node.inputs]
        if not any(rows):
            if any(a is not b for a, b in zip(values, node.inputs, strict=True)):
                outputs = node.clone_with_new_inputs(values, False).outputs
            else:
                outputs = node.outputs
            self.same.update(zip(node.outputs, outputs, strict=True))
            return True
        results = self.apply(node, values, rows)
        if results is None:
            return False
        for out, result in zip(node.outputs, results, strict=True):
            if not isinstance(out.type, TensorType) or result.type.ndim == out.type.ndim:
                self.same[out] = result
            else:
                self.rows[out] = pattern_broadcast(result, (False, *out.type.broadcastable))
        return True

    def apply(self, node: Apply, values: list[Variable], rows: list[bool]) -> list[Any] | None:
        """Return the outputs of a node over rows; None if they cannot be had."""
        with inside_body(node):
            results = node.rules.batch(node, values, rows, self)
        complete_values(results or ())
        return self._one_by_one(node, values, rows) if results is None else results

    def in_one_loop(self, values: Sequence[Variable]) -> list[Any]:
        """Return the rows of values by one loop, in which they may have parts that are ragged."""
        free = [v for v in leaves_of(values, self.inputs) if not isinstance(v, Constant)]
        free = [v for v in free if v not in self.rows]
        inside = {v: v.type(v.name) for v in (*self.rows, *free)}
        body = Body([*inside.values()], copy_graph(values, inside))
        labels = [f"result {k} of vectorize, {ONE_SHAPE}" for k in range(len(values))]
        states = [State(())] * len(values)
        loop = Loop(body.fresh(), states, len(self.rows), name="rows", labels=labels)
        return loop.make_node(
            self.size, *self.rows.values(), *(self.same.get(v, v) for v in free)
        ).outputs

    def _one_by_one(self, node: Apply, values: list[Variable], rows: list[bool]) -> list[Any]:
        """Return the rows of the outputs of a node by a loop over the rows."""
        operands = [v for v in node.inputs if not isinstance(v, Constant)]
        if not all(isinstance(v.type, TensorType) for v in (*operands, *node.outputs)):
            raise NotImplementedError(
                f"vectorize: {node.op} is not a function of arrays, so that there are no rows of "
                f"{node.outputs[0]}"
            )
        lengths = [tuple(length(v, a) for a in range(v.type.ndim)) for v in node.inputs]
        out_lengths = [n for shape in node.rules.shape(node, lengths) for n in shape]
        written = [n for n in out_lengths if isinstance(n, Variable)]
        made_of = ancestors(written, [n for shape in lengths for n in shape])
        with_rows = {v for v, row in zip(node.inputs, rows, strict=True) if row}
        if None in out_lengths or not with_rows.isdisjoint(made_of):
            raise RaggedRows
        inner = [v if isinstance(v, Constant) else v.type() for v in node.inputs]
        free = [i for i, v in enumerate(node.inputs) if not isinstance(v, Constant)]
        order = sorted(free, key=lambda i: not rows[i])
        body = Body([inner[i] for i in order], node.clone_with_new_inputs(inner, False).outputs)
        loop = Loop(body, [State(())] * len(node.outputs), sum(rows), name="rows")
        return loop.make_node(self.size, *(values[i] for i in order)).outputs
