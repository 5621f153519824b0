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
from theano._core.rewrite.scan.editor import Draft, DraftState, Uses
from theano._core.rewrite.scan.truncate import made_by_loop


def move_out_fixed(draft: Draft, uses: Uses) -> bool:
    """Compute before the loop what is the same in every step."""
    varying = draft.depending_on([*draft.sequences, *draft.taps])
    used = (v for n in draft.nodes() if n.outputs[0] in varying for v in n.inputs)
    fixed = [v for v in (*used, *draft.roots) if v.owner is not None and v not in varying]
    fixed = [v for v in fixed if not _is_known_number(v, draft)]
    always = needed_always(draft.roots, draft.inputs) if fixed else ()
    inner = [v for v in dict.fromkeys(fixed) if v in always and not _may_fail(v, draft)]
    if not inner:
        return False
    outside = copy_graph(inner, draft.fixed)
    fresh = {v: v.clone() for v in inner}
    draft.substitute(fresh)
    draft.fixed.update((fresh[v], o) for v, o in zip(inner, outside, strict=True))
    return True


def _is_known_number(value: Variable, draft: Draft) -> bool:
    """Tell whether a value is a number made of constants: it folds, and is part of the body."""
    if not isinstance(value.type, TensorType) or not all(value.type.broadcastable):
        return False
    nodes = toposort([value], set(draft.inputs))
    return all(isinstance(v, Constant) or v.owner is not None for n in nodes for v in n.inputs)


def measure_before(draft: Draft, uses: Uses) -> bool:
    """Take lengths of the items of a sequence from the sequence, which may not be needed then.

    Rows of another loop stay needed: it checks that its steps keep their lengths.
    """
    fresh: dict[Any, Any] = {}
    for node in draft.nodes():
        rows = draft.sequences.get(node.inputs[0]) if isinstance(node.op, Length) else None
        if rows is not None and not made_by_loop(rows):
            (measured,) = node.outputs
            fresh[measured] = measured.clone()
            draft.fixed[fresh[measured]] = as_int64(length(rows, node.op.axis + 1))
    if not fresh:
        return False
    draft.substitute(fresh)
    return True


def _may_fail(variable: Variable, draft: Draft) -> bool:
    """Tell whether a value must not be computed when no step asks for it."""
    nodes = toposort([variable], set(draft.inputs))
    return any(isinstance(n.op, Assert) or not n.rules.pure for n in nodes)


def collect_given(draft: Draft, uses: Uses) -> dict[Any, Any] | None:
    """Rows that are all the same are one row, broadcast; those of a sequence are there already."""
    if draft.condition is not None:
        return None
    for state in draft.states:
        value = state.value
        if state.taps or not is_rows(value):
            continue
        outer = value if isinstance(value, Constant) else draft.fixed.get(value)
        if outer is not None:
            shape = [as_int64(length(outer, a)) for a in range(outer.type.ndim)]
            row = dimshuffle(outer, ["x", *range(outer.type.ndim)])
            rows = alloc(row, checked_steps(draft.steps, ()), *shape)
        elif value in draft.sequences:
            source = draft.sequences[value]
            rows = source[: checked_steps(draft.steps, [as_int64(length(source, 0))])]
        else:
            continue
        if state.keep not in (ALL, NEW):
            rows = rows[-state.keep :]
        return _without(draft, {state.output: rows})
    return None


def move_out_rows(draft: Draft, uses: Uses) -> dict[Any, Any] | bool:
    """Compute for all steps at once what depends on sequences only: results and what is dear.

    A loop none of whose steps needs another becomes a plain expression.
    """
    if draft.condition is not None:
        return False
    dependent, varying = draft.depending_on(draft.taps), draft.depending_on(draft.sequences)
    alone = [s for s in draft.states if not s.taps and s.value not in dependent]
    dear = [n for n in draft.nodes() if n.rules.is_dear(n) and n.outputs[0] not in dependent]
    dear = [n for n in dear if n.outputs[0] in varying]
    batch = StepBatch(draft) if alone or dear else None
    if batch is None:
        return False
    rows_of = {s: batch.of([s.value]) for s in alone}
    made = {s.output: _tail(rows[0], s.keep) for s, rows in rows_of.items() if rows is not None}
    if made:
        return _without(draft, made)
    always = needed_always(draft.roots, draft.inputs)
    items: dict[Any, Any] = {}
    for value in (node.outputs[0] for node in dear):
        rows = batch.of([value]) if value in always else None
        if rows is not None:
            items[value] = value.clone()
            draft.sequences[items[value]] = rows[0]
    if not items:
        return False
    draft.substitute(items)
    return True


def move_out_results(draft: Draft, uses: Uses) -> dict[Any, Any] | None:
    """Compute behind the loop, for all steps at once, products that no step reads.

    They may be made of states whose rows are kept: one product of matrices takes less time than one
    of a vector for each step. No rows are kept for that alone, which may be many and long.
    """
    return _moved_behind(draft, lambda state: state.keep in (ALL, NEW), last=False)


def move_out_last(draft: Draft, uses: Uses) -> dict[Any, Any] | None:
    """Compute behind the loop, once, what is kept of the last step only."""
    return _moved_behind(draft, bool, last=True)


def _moved_behind(
    draft: Draft, read: Callable[[DraftState], bool], last: bool
) -> dict[Any, Any] | None:
    """Compute results behind a loop, of sequences and of the new rows of states that may be `read`.

    Products, for all steps at once; or whatever is kept of the `last` step.
    """
    results = [s for s in draft.states if not s.taps and is_rows(s.value)]
    results = [s for s in results if s.keep == 1] if last else results
    if draft.condition is not None or not results:
        return None
    handed = {s.value: s for s in draft.states if s.taps and is_rows(s.value) and read(s)}
    rows_of = {value: _rows_like(value) for value in handed}
    batch = StepBatch(draft, last)
    batch.inputs.update(handed)
    batch.rows.update(rows_of)
    outside: dict[Any, Any] = {}
    for state in (s for s in results if s.value not in handed):
        nodes = toposort([state.value], batch.inputs)
        worth = last or any(isinstance(n.op, Dot) for n in nodes)
        if not worth or not {v for n in nodes for v in n.inputs}.isdisjoint(draft.taps):
            continue
        rows = batch.of([state.value])
        if rows is not None:
            kept = rows[0] if last else _tail(rows[0], state.keep)
            outside[state.output] = conform(kept, state.output)
    if not outside or len(outside) == len(draft.states):
        return None
    draft.states = [state for state in draft.states if state.output not in outside]
    table = draft.build()
    made = {rows_of[v]: _new_rows(table[s.output], s, batch) for v, s in handed.items()}
    return {**table, **dict(zip(outside, copied(list(outside.values()), made), strict=True))}


def _new_rows(rows: Variable, state: DraftState, batch: StepBatch) -> Any:
    """Return the rows that the steps of a batch made, of what is kept of a state."""
    if state.keep not in (ALL, NEW):
        # Of those that there are, initial ones too; none if there was no step.
        return rows[as_int64(state.keep) - batch.size :]
    new = rows if state.keep == NEW else rows[max(state.taps) :]
    return new[-1:] if batch.last else new


def sum_at_once(draft: Draft, uses: Uses) -> dict[Any, Any] | None:
    """Add up rows after the loop, or without one, where no state has a part in what is added.

    They need no memory then that the rows of sequences do not need: they have no more axes.
    """
    if draft.condition is not None:
        return None
    for state in draft.states:
        term = _added(draft, state)
        if term is None:
            continue
        rows = StepBatch(draft).of([term])
        if rows is None:
            continue
        dtype = state.value.type.dtype
        whole = reduce("sum", rows[0], (0,), dtype)
        total = state.initial + dimshuffle(whole, ["x", *range(whole.type.ndim)])
        return _without(draft, {state.output: total})
    return None


def _added(draft: Draft, state: DraftState) -> Any:
    """Return what each step adds to a state of which only the sum is needed, made of sequences."""
    if tuple(state.taps) != (1,) or state.keep != 1 or not is_rows(state.value):
        return None
    node, tap = made_by(state.value, add), state.taps[1]
    if node is None or tap not in node.inputs or state.value.type.dtype == "bool":
        return None
    term = node.inputs[1 - node.inputs.index(tap)]
    others = [s.value for s in draft.states if s is not state]
    if term in draft.depending_on(draft.taps) or term not in draft.depending_on(draft.sequences):
        return None
    if not draft.depending_on([tap]).isdisjoint(others):
        return None
    most = max(v.type.ndim for v in draft.sequences)
    made = toposort([term], set(draft.inputs))
    small = all(v.type.ndim <= most for n in made for v in n.outputs)
    return term if small and term.type == state.value.type else None


def _without(draft: Draft, made: dict[Any, Any]) -> dict[Any, Any]:
    """Return what replaces the outputs of a loop, some of which are made outside."""
    draft.states = [state for state in draft.states if state.output not in made]
    table = draft.build() if draft.states else {}
    return {**table, **{out: conform(value, out) for out, value in made.items()}}


def _rows_like(value: Variable) -> Any:
    """Return a variable of rows of a value."""
    return TensorType(value.type.dtype, (False, *value.type.broadcastable))()


def _tail(rows: Variable, keep: Any) -> Any:
    return rows if keep in (ALL, NEW) else rows[-keep:]
