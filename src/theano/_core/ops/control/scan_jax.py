"""Loops as XLA runs them: `lax.scan`, or `lax.while_loop` if a condition may end them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from theano._core.ir.variable import Apply
from theano._core.ops.control.scan_state import ALL, NEW, is_rows

if TYPE_CHECKING:
    import numpy as np

    from theano._core.ir.annotations import TensorLike
    from theano._core.ops.core.protocols import Trace


def traced_loop(j: Trace, node: Apply, arrays: Sequence[TensorLike]) -> list[Any]:
    """Return the outputs of a loop for traced arrays, under a trace `j` of the JAX backend.

    Raises
    ------
    ValueError
        There are too few items or initial rows.
    TypeError
        The number of rows depends on values.
    """
    loop = _Loop(j, node, arrays)
    if node.op.until or not j.is_known(arrays[0]):
        return loop.while_going()
    return loop.scan()


class _Loop:
    """One loop. A state that is read back is its last rows, of which there are `depth`."""

    def __init__(self, j: Any, node: Apply, arrays: Sequence[Any]) -> None:
        self.j, self.op = j, node.op
        self.limit = arrays[0]
        operands = self.op.by_role(arrays, None)
        self.fixed = operands.fixed
        self.sequences = [j.numpy.asarray(s) for s in operands.sequences]
        self.arrays = [is_rows(v) for v in self.op.new_values]
        self.starts = [
            j.numpy.asarray(rows)[: state.depth] if is_array and rows is not None else rows
            for rows, state, is_array in zip(
                operands.states, self.op.states, self.arrays, strict=True
            )
        ]
        for rows, state, is_array in zip(self.starts, self.op.states, self.arrays, strict=True):
            if is_array and rows is not None and len(rows) < state.depth:
                raise ValueError("too few initial rows")
        shortest = min((len(s) for s in self.sequences), default=None)
        if shortest is not None and not j.is_known(self.limit):
            j.require(self.limit <= shortest)
        elif shortest is not None and shortest < self.limit:
            raise ValueError("too few items")

    def _step(self, items: list[Any], rows: Sequence[Any]) -> tuple[list[Any], list[Any], Any]:
        """Return new values, the condition and whether all that is required holds."""
        taps = [
            last[len(last) - t] if is_array else last
            for last, state, is_array in zip(rows, self.op.states, self.arrays, strict=True)
            for t in state.taps
        ]
        values, passed = self.j.body(self.op.body, [*items, *taps, *self.fixed])
        return values[: len(self.arrays)], values[len(self.arrays) :], passed

    def _moved(self, rows: Sequence[Any], values: Sequence[Any]) -> list[Any]:
        """Return the last rows of states after a step."""
        return [
            value
            if not is_array
            else None
            if last is None
            else self.j.numpy.concatenate([last[1:], value[None]])
            for last, value, is_array in zip(rows, values, self.arrays, strict=True)
        ]

    def scan(self) -> list[Any]:
        """Run a known number of steps."""
        steps = int(self.limit)
        if steps < 0:
            raise IndexError("a negative number of steps")
        if steps == 0:
            return self._without_steps()

        def step(state: np.ndarray, items: Any) -> Any:
            rows, good = state
            values, _, passed = self._step(items, rows)
            collected = [
                value if is_array and self._collects(index) else None
                for index, (value, is_array) in enumerate(zip(values, self.arrays, strict=True))
            ]
            return (self._moved(rows, values), good & passed), collected

        start = (self.starts, self.j.numpy.asarray(True))
        items = [s[:steps] for s in self.sequences]
        (rows, good), collected = self.j.lax.scan(step, start, items, length=steps)
        self.j.require(good)
        return [self._rows(index, rows[index], new) for index, new in enumerate(collected)]

    def _without_steps(self) -> list[Any]:
        """Return what no step makes: XLA 0.10 crashes on loops of no step."""
        zeros = self.j.numpy.zeros
        items = [zeros(s.shape[1:], s.dtype) for s in self.sequences]
        values, _, _ = self.j.like(self._step, items, self.starts)
        none = [zeros((0, *v.shape), v.dtype) for v in values]
        return [self._rows(index, self.starts[index], new) for index, new in enumerate(none)]

    def _collects(self, number: int) -> bool:
        """Tell whether an output has more rows than are read back."""
        state = self.op.states[number]
        return state.keep in (ALL, NEW) or state.keep > state.depth

    def _rows(self, number: int, last: Any, new: Any) -> Any:
        state = self.op.states[number]
        if not self.arrays[number]:
            return last
        if not self._collects(number):
            return last[len(last) - state.keep :]
        if state.keep == ALL and state.taps:
            return self.j.numpy.concatenate([self.starts[number], new])
        return new if state.keep in (ALL, NEW) else new[max(0, len(new) - state.keep) :]

    def while_going(self) -> list[Any]:
        """Run until the condition holds; only last rows may be asked for."""
        j = self.j
        if any(self.arrays[n] and s.keep in (ALL, NEW) for n, s in enumerate(self.op.states)):
            raise TypeError("the number of rows depends on values")

        def item(number: np.ndarray) -> list[Any]:
            return [j.lax.dynamic_index_in_dim(s, number, keepdims=False) for s in self.sequences]

        def step(state: np.ndarray) -> Any:
            number, _, good, rows, _ = state
            values, condition, passed = self._step(item(number), rows)
            going = condition[0] == 0 if self.op.until else j.numpy.asarray(True)
            kept = [v if self._collects(n) else None for n, v in enumerate(values)]
            return number + 1, going, good & passed, self._moved(rows, values), kept

        def more(state: np.ndarray) -> Any:
            return state[1] & (state[0] < self.limit)

        zero = j.numpy.asarray(0, dtype="int64")
        start = (zero, j.numpy.asarray(True), j.numpy.asarray(True), self.starts)
        # States that are not read back have no value before the first step.
        j.require(self.limit >= 1)
        first = j.like(step, (*start, None))[-1]
        done, _, good, rows, kept = j.lax.while_loop(more, step, (*start, first))
        j.require(good)
        outputs = [
            kept[n][None] if is_array and self._collects(n) else self._rows(n, rows[n], None)
            for n, is_array in enumerate(self.arrays)
        ]
        return [*outputs, done] if self.op.until else outputs
