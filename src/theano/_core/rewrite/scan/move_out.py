"""Work that leaves loops: what is the same in all steps, or of all steps at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from theano._core.ir.graph import copied, copy_graph, made_by, toposort
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Constant, Variable
from theano._core.ops.array.assertions import Assert
from theano._core.ops.array.broadcasting import alloc
from theano._core.ops.array.dims import as_int64
from theano._core.ops.array.products import Dot
from theano._core.ops.array.reductions import reduce
from theano._core.ops.array.shaping import Length, length
from theano._core.ops.control.branch import needed_always
from theano._core.ops.control.scan_state import ALL, NEW, checked_steps, is_rows
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.elementwise.arithmetic import add
from theano._core.rewrite.engine import conform
from theano._core.rewrite.scan.batch import StepBatch
from theano._core.rewrite.scan.mutable_loop import MutableLoop, MutableState, Uses
from theano._core.rewrite.scan.truncate import made_by_loop


def move_out_fixed(loop: MutableLoop, uses: Uses) -> bool:
    """Compute before the loop what is the same in every step."""
    varying = loop.depending_on([*loop.sequences, *loop.taps])
    used = (v for n in loop.nodes() if n.outputs[0] in varying for v in n.inputs)
    fixed = [v for v in (*used, *loop.roots) if v.owner is not None and v not in varying]
    fixed = [v for v in fixed if not _is_known_number(v, loop)]
    always = needed_always(loop.roots, loop.inputs) if fixed else ()
    inner = [v for v in dict.fromkeys(fixed) if v in always and not _may_fail(v, loop)]
    if not inner:
        return False
    outside = copy_graph(inner, loop.fixed)
    fresh = {v: v.clone() for v in inner}
    loop.substitute(fresh)
    loop.fixed.update((fresh[v], o) for v, o in zip(inner, outside, strict=True))
    return True


def _is_known_number(value: Variable, loop: MutableLoop) -> bool:
    """Tell whether a value is a number made of constants: it folds, and is part of the body."""
    if not isinstance(value.type, TensorType) or not all(value.type.broadcastable):
        return False
    nodes = toposort([value], set(loop.inputs))
    return all(isinstance(v, Constant) or v.owner is not None for n in nodes for v in n.inputs)


def measure_before(loop: MutableLoop, uses: Uses) -> bool:
    """Take lengths of the items of a sequence from the sequence, which may not be needed then.

    Rows of another loop stay needed: it checks that its steps keep their lengths.
    """
    fresh: dict[Any, Any] = {}
    for node in loop.nodes():
        rows = loop.sequences.get(node.inputs[0]) if isinstance(node.op, Length) else None
        if rows is not None and not made_by_loop(rows):
            (measured,) = node.outputs
            fresh[measured] = measured.clone()
            loop.fixed[fresh[measured]] = as_int64(length(rows, node.op.axis + 1))
    if not fresh:
        return False
    loop.substitute(fresh)
    return True


def _may_fail(variable: Variable, loop: MutableLoop) -> bool:
    """Tell whether a value must not be computed when no step asks for it."""
    nodes = toposort([variable], set(loop.inputs))
    return any(isinstance(n.op, Assert) or not n.rules.pure for n in nodes)


def collect_given(loop: MutableLoop, uses: Uses) -> dict[Any, Any] | None:
    """Rows that are all the same are one row, broadcast; those of a sequence are there already."""
    if loop.condition is not None:
        return None
    for state in loop.states:
        value = state.value
        if state.taps or not is_rows(value):
            continue
        outer = value if isinstance(value, Constant) else loop.fixed.get(value)
        if outer is not None:
            shape = [as_int64(length(outer, a)) for a in range(outer.type.ndim)]
            row = dimshuffle(outer, ["x", *range(outer.type.ndim)])
            rows = alloc(row, checked_steps(loop.steps, ()), *shape)
        elif value in loop.sequences:
            source = loop.sequences[value]
            rows = source[: checked_steps(loop.steps, [as_int64(length(source, 0))])]
        else:
            continue
        if state.keep not in (ALL, NEW):
            rows = rows[-state.keep :]
        return _without(loop, {state.output: rows})
    return None


def move_out_rows(loop: MutableLoop, uses: Uses) -> dict[Any, Any] | bool:
    """Compute for all steps at once what depends on sequences only: results and what is dear.

    A loop none of whose steps needs another becomes a plain expression.
    """
    if loop.condition is not None:
        return False
    dependent, varying = loop.depending_on(loop.taps), loop.depending_on(loop.sequences)
    alone = [s for s in loop.states if not s.taps and s.value not in dependent]
    dear = [n for n in loop.nodes() if n.rules.is_dear(n) and n.outputs[0] not in dependent]
    dear = [n for n in dear if n.outputs[0] in varying]
    batch = StepBatch(loop) if alone or dear else None
    if batch is None:
        return False
    rows_of = {s: batch.of([s.value]) for s in alone}
    made = {s.output: _tail(rows[0], s.keep) for s, rows in rows_of.items() if rows is not None}
    if made:
        return _without(loop, made)
    always = needed_always(loop.roots, loop.inputs)
    items: dict[Any, Any] = {}
    for value in (node.outputs[0] for node in dear):
        rows = batch.of([value]) if value in always else None
        if rows is not None:
            items[value] = value.clone()
            loop.sequences[items[value]] = rows[0]
    if not items:
        return False
    loop.substitute(items)
    return True


def move_out_results(loop: MutableLoop, uses: Uses) -> dict[Any, Any] | None:
    """Compute behind the loop, for all steps at once, products that no step reads.

    They may be made of states whose rows are kept: one product of matrices takes less time than one
    of a vector for each step. No rows are kept for that alone, which may be many and long.
    """
    return _moved_behind(loop, lambda state: state.keep in (ALL, NEW), last=False)


def move_out_last(loop: MutableLoop, uses: Uses) -> dict[Any, Any] | None:
    """Compute behind the loop, once, what is kept of the last step only."""
    return _moved_behind(loop, bool, last=True)


def _moved_behind(
    loop: MutableLoop, read: Callable[[MutableState], bool], last: bool
) -> dict[Any, Any] | None:
    """Compute results behind a loop, of sequences and of the new rows of states that may be `read`.

    Products, for all steps at once; or whatever is kept of the `last` step.
    """
    results = [s for s in loop.states if not s.taps and is_rows(s.value)]
    results = [s for s in results if s.keep == 1] if last else results
    if loop.condition is not None or not results:
        return None
    handed = {s.value: s for s in loop.states if s.taps and is_rows(s.value) and read(s)}
    rows_of = {value: _rows_like(value) for value in handed}
    batch = StepBatch(loop, last)
    batch.inputs.update(handed)
    batch.rows.update(rows_of)
    outside: dict[Any, Any] = {}
    for state in (s for s in results if s.value not in handed):
        nodes = toposort([state.value], batch.inputs)
        worth = last or any(isinstance(n.op, Dot) for n in nodes)
        if not worth or not {v for n in nodes for v in n.inputs}.isdisjoint(loop.taps):
            continue
        rows = batch.of([state.value])
        if rows is not None:
            kept = rows[0] if last else _tail(rows[0], state.keep)
            outside[state.output] = conform(kept, state.output)
    if not outside or len(outside) == len(loop.states):
        return None
    loop.states = [state for state in loop.states if state.output not in outside]
    table = loop.build()
    made = {rows_of[v]: _new_rows(table[s.output], s, batch) for v, s in handed.items()}
    return {**table, **dict(zip(outside, copied(list(outside.values()), made), strict=True))}


def _new_rows(rows: Variable, state: MutableState, batch: StepBatch) -> Any:
    """Return the rows that the steps of a batch made, of what is kept of a state."""
    if state.keep not in (ALL, NEW):
        # Of those that there are, initial ones too; none if there was no step.
        return rows[as_int64(state.keep) - batch.size :]
    new = rows if state.keep == NEW else rows[max(state.taps) :]
    return new[-1:] if batch.last else new


def sum_at_once(loop: MutableLoop, uses: Uses) -> dict[Any, Any] | None:
    """Add up rows after the loop, or without one, where no state has a part in what is added.

    They need no memory then that the rows of sequences do not need: they have no more axes.
    """
    if loop.condition is not None:
        return None
    for state in loop.states:
        term = _added(loop, state)
        if term is None:
            continue
        rows = StepBatch(loop).of([term])
        if rows is None:
            continue
        dtype = state.value.type.dtype
        whole = reduce("sum", rows[0], (0,), dtype)
        total = state.initial + dimshuffle(whole, ["x", *range(whole.type.ndim)])
        return _without(loop, {state.output: total})
    return None


def _added(loop: MutableLoop, state: MutableState) -> Any:
    """Return what each step adds to a state of which only the sum is needed, made of sequences."""
    if tuple(state.taps) != (1,) or state.keep != 1 or not is_rows(state.value):
        return None
    node, tap = made_by(state.value, add), state.taps[1]
    if node is None or tap not in node.inputs or state.value.type.dtype == "bool":
        return None
    term = node.inputs[1 - node.inputs.index(tap)]
    others = [s.value for s in loop.states if s is not state]
    if term in loop.depending_on(loop.taps) or term not in loop.depending_on(loop.sequences):
        return None
    if not loop.depending_on([tap]).isdisjoint(others):
        return None
    most = max(v.type.ndim for v in loop.sequences)
    made = toposort([term], set(loop.inputs))
    small = all(v.type.ndim <= most for n in made for v in n.outputs)
    return term if small and term.type == state.value.type else None


def _without(loop: MutableLoop, made: dict[Any, Any]) -> dict[Any, Any]:
    """Return what replaces the outputs of a loop, some of which are made outside."""
    loop.states = [state for state in loop.states if state.output not in made]
    table = loop.build() if loop.states else {}
    return {**table, **{out: conform(value, out) for out, value in made.items()}}


def _rows_like(value: Variable) -> Any:
    """Return a variable of rows of a value."""
    return TensorType(value.type.dtype, (False, *value.type.broadcastable))()


def _tail(rows: Variable, keep: Any) -> Any:
    return rows if keep in (ALL, NEW) else rows[-keep:]
