"""A loop over many rows at once: the same steps, with rows of states."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.assertions import Require
from theano._core.ops.array.broadcasting import alloc
from theano._core.ops.array.reductions import reduce
from theano._core.ops.control.body import Body
from theano._core.ops.control.scan_state import Operands, State, is_rows
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.core.op import constant
from theano._core.ops.elementwise.arithmetic import maximum, switch
from theano._core.ops.elementwise.elementwise import cast

if TYPE_CHECKING:
    from theano._core.ops.core.protocols import Batching


def batched_loop(
    node: Apply, operands: Operands, rows: Operands, batching: Any
) -> list[Any] | None:
    """Return the outputs of a loop for many rows; None if that is not known.

    A row whose condition holds, or which has run its steps, keeps its states while others go on.

    Parameters
    ----------
    node : Apply
    operands, rows : Operands
        The inputs by role, and which of them have rows.
    batching : Batch
    """
    op, count = node.op, len(node.op.states)
    size = batching.size.type("rows")
    batched = {j for j, row in enumerate(rows.states) if row}
    steps = batching.value(node.inputs[0])
    counts = steps if steps.type.ndim else None
    # A state has rows if its value has; that may give rows to others.
    while True:
        table = _inputs(node, rows, batched)
        body = batching.inside(size, table)
        body.add(op.body.outputs)
        ends_apart = counts is not None or (op.until and op.body.outputs[-1] in body.rows)
        more = {j for j, v in enumerate(op.new_values) if ends_apart or v in body.rows} - batched
        if not more:
            break
        batched |= more
    if any(not is_rows(op.new_values[j]) for j in batched):
        return None
    if ends_apart:
        for out, state in zip(node.outputs, op.states, strict=False):
            batching.check_last_row(out, state.depth)
    if ends_apart and any(1 not in s.taps for s in op.states):
        batching.give_up()
    values = [body.full(v) if j in batched else body.value(v) for j, v in enumerate(op.new_values)]
    sequences = [
        _exchanged(v) if row else v
        for v, row in zip(operands.sequences, rows.sequences, strict=True)
    ]
    starts = [
        _exchanged(batching.full(v)) if j in batched else batching.value(v)
        for j, v in enumerate(op.outer(node).states)
        if v is not None
    ]
    condition = [body.value(v) for v in op.body.outputs[count:]]
    parts = _Parts(list(table.values()), values, list(op.states), starts, condition)
    if ends_apart:
        before = [
            table[t[s.taps.index(1)]] for s, t in zip(op.states, op.inner.states, strict=True)
        ]
        _end_apart(parts, before, len(operands.fixed), batching, counts)
    more = [] if counts is None else [counts]
    loop = op.replaced(
        Body([*parts.inputs, size], [*parts.values, *parts.condition]).fresh(),
        states=parts.states,
        until=op.until or ends_apart,
    )
    results = loop.make_node(
        *(steps if counts is None else _most(counts), *sequences, *parts.starts),
        *(*more, *operands.fixed, batching.size),
    ).outputs
    exchanged = [_exchanged(r) if j in batched else r for j, r in enumerate(results[:count])]
    if not op.until:
        return exchanged
    return [*exchanged, results[count + 1][-1]] if ends_apart else [*exchanged, *results[count:]]


class _Parts:
    """What the loop over rows is made of."""

    def __init__(
        self,
        inputs: list[Any],
        values: list[Any],
        states: list[State],
        starts: list[Any],
        condition: list[Any],
    ) -> None:
        self.inputs = inputs
        self.values = values
        self.states = states
        self.starts = starts
        self.condition = condition


def _most(counts: Any) -> Any:
    """Return the largest number of steps, after checking that all rows have some."""
    positive = reduce("all", counts > 0)
    text = "vectorize: an item asks for no step of a loop of which the last row is read"
    # One where there are no rows: the last of no steps could not be read.
    most = maximum(reduce("supremum", counts), constant(np.asarray(1)))
    return Require(text)(most, positive)


def _end_apart(
    parts: _Parts, before: list[object], fixed: int, batching: Batching, counts: object = None
) -> None:
    """Have each row keep its states once its condition held, and count its steps.

    `counts` are the most steps of the rows, if these differ.
    """
    done, steps = (TensorType(dtype, (False,))() for dtype in ("bool", "int64"))
    kept = [_kept(done, old, new) for old, new in zip(before, parts.values, strict=True)]
    now = steps + cast(~done, "int64")
    ended = done
    if parts.condition:
        ended = ended | cast(parts.condition[0], "bool")
    more = []
    if counts is not None:
        more = [TensorType("int64", (False,))()]
        ended = ended | (now >= more[0])
    parts.values = [*kept, ended, now]
    parts.condition = [batching.all_of(ended)]
    # All rows: the derivative reads which rows had ended before each step.
    parts.states += [State((1,))] * 2
    parts.starts += [
        alloc(constant(np.zeros((), v.dtype)), 1, batching.size) for v in (done, steps)
    ]
    place = len(parts.inputs) - fixed
    parts.inputs[place:place] = [done, steps, *more]


def _inputs(node: Apply, rows: Operands, batched: set[int]) -> dict[Any, Any]:
    """Return, for each input of the body, what it is over rows, in the same order."""
    inner = node.op.inner
    table = {v: _over_rows(v, row) for v, row in zip(inner.sequences, rows.sequences, strict=True)}
    for j, taps in enumerate(inner.states):
        table.update((tap, _over_rows(tap, j in batched)) for tap in taps)
    fixed = zip(inner.fixed, rows.fixed, strict=True)
    return {**table, **{v: _over_rows(v, row) for v, row in fixed}}


def _over_rows(variable: Any, rows: bool) -> Any:
    type_ = variable.type
    if not rows:
        return variable.clone()
    return type_.clone(broadcastable=(False, *type_.broadcastable))(variable.name)


def _kept(done: Any, old: Any, new: Any) -> Any:
    """Return the old rows where all is done, elsewhere the new."""
    return switch(dimshuffle(done, [0, *["x"] * (new.type.ndim - 1)]), old, new)


def _exchanged(x: Variable) -> Any:
    """Return an array with its first two axes exchanged: the steps, and the rows."""
    return dimshuffle(x, [1, 0, *range(2, x.type.ndim)])
