"""Work that leaves loops: what is the same in all steps, or of all steps at once."""

from __future__ import annotations

from typing import Any

from theano._core.ir.graph import copied, copy_graph, toposort
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Constant, Variable
from theano._core.ops.array.assertions import Assert
from theano._core.ops.array.broadcasting import alloc
from theano._core.ops.array.dims import as_int64
from theano._core.ops.array.products import Dot
from theano._core.ops.array.shaping import Length, length
from theano._core.ops.control.branch import needed_always
from theano._core.ops.control.scan_state import ALL, NEW, checked_steps, is_rows
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.rewrite.engine import conform
from theano._core.rewrite.scan.batch import StepBatch
from theano._core.rewrite.scan.editor import Draft, Uses
from theano._core.rewrite.scan.truncate import made_by_loop


def move_out_fixed(draft: Draft, uses: Uses) -> bool:
    """Compute before the loop what is the same in every step."""
    varying = draft.depending_on([*draft.sequences, *draft.taps])
    used = (v for n in draft.nodes() if n.outputs[0] in varying for v in n.inputs)
    fixed = [v for v in (*used, *draft.roots) if v.owner is not None and v not in varying]
    always = needed_always(draft.roots, draft.inputs) if fixed else ()
    inner = [v for v in dict.fromkeys(fixed) if v in always and not _may_fail(v, draft)]
    if not inner:
        return False
    outside = copy_graph(inner, draft.fixed)
    fresh = {v: v.clone() for v in inner}
    draft.substitute(fresh)
    draft.fixed.update((fresh[v], o) for v, o in zip(inner, outside, strict=True))
    return True


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
            rows = alloc(dimshuffle(outer, ["x", *range(outer.type.ndim)]), draft.steps, *shape)
        elif value in draft.sequences:
            source = draft.sequences[value]
            rows = source[: checked_steps(draft.steps, [as_int64(length(source, 0))])]
        else:
            continue
        if state.keep not in (ALL, NEW):
            rows = rows[-state.keep :]
        draft.states.remove(state)
        table = draft.build() if draft.states else {}
        return {**table, state.output: conform(rows, state.output)}
    return None


def move_out_rows(draft: Draft, uses: Uses) -> dict[Any, Any] | bool:
    """Compute for all steps at once what depends on sequences only: products, long functions.

    A loop none of whose steps needs another becomes a plain expression.
    """
    if draft.condition is not None:
        return False
    dependent, varying = draft.depending_on(draft.taps), draft.depending_on(draft.sequences)
    alone = not any(s.taps for s in draft.states)
    dear = [n for n in draft.nodes() if n.rules.is_dear(n) and n.outputs[0] not in dependent]
    dear = [n for n in dear if n.outputs[0] in varying]
    if not (alone or dear):
        return False
    batch = StepBatch(draft)
    if alone:
        rows = batch.of([s.value for s in draft.states])
        if rows is not None:
            return {
                s.output: conform(_tail(r, s.keep), s.output)
                for s, r in zip(draft.states, rows, strict=True)
            }
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
    if draft.condition is not None:
        return None
    kept = [s for s in draft.states if is_rows(s.value) and s.keep in (ALL, NEW)]
    handed = {s.value: s for s in kept if s.taps}
    rows_of = {value: _rows_like(value) for value in handed}
    batch = StepBatch(draft)
    batch.inputs.update(handed)
    batch.rows.update(rows_of)
    outside: dict[Any, Any] = {}
    for state in kept:
        if state.taps or state.value in handed:
            continue
        nodes = toposort([state.value], batch.inputs)
        read = {v for n in nodes for v in n.inputs}
        if not any(isinstance(n.op, Dot) for n in nodes) or not read.isdisjoint(draft.taps):
            continue
        rows = batch.of([state.value])
        if rows is not None:
            outside[state.output] = conform(rows[0], state.output)
    if not outside or len(outside) == len(draft.states):
        return None
    draft.states = [state for state in draft.states if state.output not in outside]
    table = draft.build()
    made = {}
    for value, state in handed.items():
        rows = table[state.output]
        made[rows_of[value]] = rows if state.keep == NEW else rows[max(state.taps) :]
    return {**table, **dict(zip(outside, copied(list(outside.values()), made), strict=True))}


def _rows_like(value: Variable) -> Any:
    """Return a variable of rows of a value."""
    return TensorType(value.type.dtype, (False, *value.type.broadcastable))()


def _tail(rows: Variable, keep: Any) -> Any:
    return rows if keep in (ALL, NEW) else rows[-keep:]
