"""Rewriting of loops: what a step need not do, and what need not be kept.

One walk over the loops of a graph. Every change is a function of a `MutableLoop`; the list at the
end is the order in which they are tried.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from operator import or_
from typing import Any

from theano._core.base import dtypes
from theano._core.base.errors import InternalError
from theano._core.ir.graph import copied, made_by, toposort
from theano._core.ir.source import at_line
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.ops.array.creation import join
from theano._core.ops.array.dims import as_int64
from theano._core.ops.array.index_form import SYMBOL, Slice
from theano._core.ops.array.indexing import Subtensor, within
from theano._core.ops.array.products import Dot, dot
from theano._core.ops.array.shaping import length, pattern_broadcast, reshape_op
from theano._core.ops.control.scan import Loop
from theano._core.ops.control.scan_state import ALL, NEW, is_rows
from theano._core.ops.core.dimshuffle import DimShuffle, dimshuffle
from theano._core.ops.core.op import python_int
from theano._core.ops.elementwise.arithmetic import add, minimum, mul
from theano._core.rewrite.engine import conform
from theano._core.rewrite.inline import in_loops
from theano._core.rewrite.scan.merge import merge_loops
from theano._core.rewrite.scan.move_out import (
    collect_given,
    measure_before,
    move_out_fixed,
    move_out_last,
    move_out_results,
    move_out_rows,
    sum_at_once,
)
from theano._core.rewrite.scan.mutable_loop import MutableLoop, MutableState, Uses
from theano._core.rewrite.scan.split_states import split_sequences, split_states
from theano._core.rewrite.scan.truncate import run_fewer_steps

# More rounds of changes than this are taken for an endless loop.
MOST_ROUNDS = 500
# Of states, so many of the last rows are kept instead of all.
MOST_LAST = 8


class _Watched(Uses):
    """The uses of variables; those that were looked at are in `seen`."""

    def __init__(self) -> None:
        self.seen: dict[Any, list[Any] | None] = {}

    def get(self, variable: Any, default: Any = None) -> Any:
        uses = self.seen[variable] = super().get(variable)
        return default if uses is None else uses

    def __getitem__(self, variable: Any) -> list[Any]:
        uses = self.seen[variable] = super().__getitem__(variable)
        return uses


# From a loop and the uses of every variable to what replaces variables outside; or True, where the
# loop has changed, to which more may be done before it is built. Else it is left as it is.
Change = Callable[[MutableLoop, Uses], dict[Any, Any] | bool | None]


def rewrite_loops(outputs: Sequence[Variable]) -> list[Any]:
    """Return `outputs` with their loops simplified, those in the bodies of loops too."""
    if not any(isinstance(node.op, Loop) for node in toposort(outputs)):
        return list(outputs)
    return in_loops(_changed(run_fewer_steps(merge_loops(outputs)), CHANGES), rewrite_loops)


def with_fixed_outside(outputs: Sequence[Variable]) -> list[Any]:
    """Return `outputs` with what is the same in all steps of a loop computed before it."""
    return _changed(outputs, (move_out_fixed,))


def _changed(outputs: Sequence[Variable], changes: Sequence[Change]) -> list[Any]:
    done: dict[Apply, dict[Any, Any]] = {}
    for _ in range(MOST_ROUNDS):
        changed = _one_round(outputs, changes, done)
        if changed is None:
            return list(outputs)
        outputs = changed
    raise InternalError("the rewriting of loops does not end")


def _one_round(
    outputs: Sequence[Variable], changes: Sequence[Change], done: dict[Apply, dict[Any, Any]]
) -> list[Any] | None:
    """Return `outputs` after one change of every loop that can be changed; None if none can.

    `done` has the loops that cannot, with the uses that this depends on, from round to round.
    """
    nodes = toposort(outputs)
    loops = [node for node in nodes if isinstance(node.op, Loop) and node.op.watch is None]
    if not loops:
        return None
    uses = _Watched()
    for node in nodes:
        for variable in node.inputs:
            uses.setdefault(variable, []).append(node)
    for variable in outputs:
        uses.setdefault(variable, []).append(None)
    idle = [n for n in loops if n in done and all(uses.get(v) == c for v, c in done[n].items())]
    # What every variable seen so far is now. A loop comes after all that it needs.
    now: dict[Any, Any] = {}
    changed = False
    for node in loops:
        if node in idle:
            continue
        uses.seen = {}
        table = _change(node, uses, changes)
        if table is None:
            done[node] = uses.seen
        elif table:
            changed = True
            now.update(zip(table, copied(list(table.values()), now), strict=True))
    return copied(outputs, now) if changed else None


def _change(node: Apply, uses: Uses, changes: Sequence[Change]) -> dict[Any, Any] | None:
    """Return replacements for variables that one loop makes, or None if nothing is to be done."""
    with at_line(node.source):
        loop, changed = MutableLoop(node), False
        for change in changes:
            table = change(loop, uses)
            if isinstance(table, dict):
                break
            changed = changed or bool(table)
        else:
            if not changed:
                return None
            table = loop.build()
        return {old: _typed(new, old) for old, new in table.items() if old in uses}


def _typed(new: Variable, old: Variable) -> Any:
    """Return a replacement with exactly the pattern of what it replaces."""
    return pattern_broadcast(new, old.type.broadcastable) if is_rows(old) else new


# -- states and inputs ----------------------------------------------------------------------------


def drop_dead_states(loop: MutableLoop, uses: Uses) -> bool:
    """Leave out states that nothing needs; keep no rows of those that only steps need."""
    wanted = [s for s in loop.states if uses.get(s.output)]
    live = wanted if len(wanted) == len(loop.states) else _needed_by(wanted, loop)
    narrowed = False
    for state in live:
        if state not in wanted and is_rows(state.value) and state.keep != 1:
            state.keep, narrowed = 1, True
    fewer = len(live) < len(loop.states) and bool(live or loop.condition is not None)
    if fewer:
        loop.states = live
    return fewer or narrowed


def _needed_by(wanted: Sequence[MutableState], loop: MutableLoop) -> list[MutableState]:
    """Return the states that some states or the condition need, these included, in order."""
    # A bit for each state: those whose taps a variable needs.
    needs: dict[Any, int] = {}
    for number, state in enumerate(loop.states):
        needs.update(dict.fromkeys(state.taps.values(), 1 << number))
    for node in loop.nodes():
        below = reduce(or_, [needs.get(v, 0) for v in node.inputs], 0)
        needs.update(dict.fromkeys(node.outputs, below))
    live = needs.get(loop.condition, 0)
    live |= sum(1 << index for index, s in enumerate(loop.states) if s in wanted)
    previous = 0
    while previous != live:
        previous = live
        for number, state in enumerate(loop.states):
            if live >> number & 1:
                live |= needs.get(state.value, 0)
    return [s for index, s in enumerate(loop.states) if live >> index & 1]


def keep_last_rows(loop: MutableLoop, uses: Uses) -> dict[Any, Any] | None:
    """Keep only the rows that are used: the new ones, or the last."""
    writers: list[Callable[[dict[Any, Any], Any], None]] = []
    for state in loop.states:
        if is_rows(state.value) and state.keep == ALL and uses.get(state.output):
            write = _without_initial_rows(state, uses) or _last_rows(loop, state, uses)
            writers += [] if write is None else [write]
    if not writers:
        return None
    table = loop.build()
    steps = table.get(loop.node.outputs[-1], loop.steps) if loop.op.until else loop.steps
    for write in writers:
        write(table, steps)
    return table


def _without_initial_rows(state: MutableState, uses: Uses) -> Any:
    """Have a state keep the new rows if only they are read; return what writes the replacements."""
    depth = max(state.taps, default=0)
    clients = uses[state.output]
    if not depth or not all(_skips(c, depth) for c in clients):
        return None
    most = _most(state)
    if all(_selects_last(d, most) for c in clients for d in uses.get(c.outputs[0], [None])):
        return None
    state.keep = NEW

    def write(table: dict[Variable, Variable], steps: Variable) -> None:
        rows = table.pop(state.output)
        table.update((c.outputs[0], rows) for c in clients)

    return write


def _skips(client: Apply | None, depth: int) -> bool:
    """Tell whether a node leaves the first `depth` rows out and nothing else."""
    return (
        client is not None
        and isinstance(client.op, Subtensor)
        and client.op.index == (Slice(depth, None, None),)
    )


def _last_rows(loop: MutableLoop, state: MutableState, uses: Uses) -> Any:
    """Have a state keep its last rows if only they are read; return what replaces them."""
    depth = max(state.taps, default=0)
    # As in Theano 1.0.5, the last row after no step is the initial one: `A ** 0` is 1.
    starts = depth == 1 and not loop.sequences
    readers: list[tuple[Apply, bool]] = []
    for client in uses[state.output]:
        if depth and _skips(client, depth) and uses.get(client.outputs[0]):
            readers += [(c, True) for c in uses[client.outputs[0]]]
        else:
            readers.append((client, not depth))
    most = _most(state)
    if not all(_selects_last(c, most if new else max(depth, 1)) for c, new in readers):
        return None
    state.keep = max(_distance(c) for c, _ in readers)
    if state.keep > max(depth, 1):
        _deepen(state, depth)

    def write(table: dict[Variable, Variable], steps: Variable) -> None:
        rows = table.pop(state.output)
        for client, new in readers:
            least = None if starts and client.op.index[0] == -1 else steps
            table[client.outputs[0]] = _read_last(client, rows, least if new else None, state)

    return write


def _most(state: MutableState) -> int:
    """Return how many of the last new rows can be kept instead of all."""
    depth = max(state.taps, default=0)
    # Numbers take little memory as it is.
    return max(depth, MOST_LAST if depth and state.value.type.ndim else 1)


def _deepen(state: MutableState, depth: int) -> None:
    """Have a state keep more rows than its steps read: by a tap that none reads."""
    first = state.initial[:1]
    state.initial = join(0, *[first] * (state.keep - depth), state.initial)
    state.taps = {**state.taps, state.keep: state.value.type()}


def _distance(client: Apply) -> int:
    entry = client.op.index[0]
    return -(entry.start if isinstance(entry, Slice) else entry)


def _selects_last(client: Apply | None, most: int) -> bool:
    """Tell whether a node reads one of the last `most` rows, or all of the last so many."""
    if client is None or not isinstance(client.op, Subtensor):
        return False
    entry = client.op.index[0]
    if isinstance(entry, Slice):
        plain = isinstance(entry.start, int) and entry.stop is None and entry.step is None
        return plain and -most <= entry.start < 0
    return isinstance(entry, int) and -most <= entry < 0


def _read_last(client: Apply, rows: Variable, steps: Variable | None, state: MutableState) -> Any:
    """Return what `client` selects, read from `rows`; with `steps`, checked to exist."""
    entry = client.op.index[0]
    if isinstance(entry, Slice) and steps is not None:
        # The last rows among new ones are fewer when there are fewer steps.
        few = minimum(as_int64(steps), as_int64(_distance(client)))
        index = (Slice(SYMBOL, None, None), *client.op.index[1:])
        return Subtensor(index)(rows, as_int64(state.keep) - few, *client.inputs[1:])
    count = None if steps is None else python_int(steps)
    if steps is None or (count is not None and count >= _distance(client)):
        return Subtensor(client.op.index)(rows, *client.inputs[1:])
    at = within(as_int64(entry), steps)
    return Subtensor((SYMBOL, *client.op.index[1:]))(rows, at, *client.inputs[1:])


def inline_inputs(loop: MutableLoop, uses: Uses) -> bool:
    """Write constants into the body; give the body each value once; leave out what is unused."""
    table: dict[Any, Any] = {}
    for pairs in (loop.fixed, loop.sequences):
        first: dict[Any, Any] = {}
        for inner, outer in pairs.items():
            if pairs is loop.fixed and isinstance(outer, Constant) and outer.type == inner.type:
                table[inner] = outer
            elif first.setdefault((outer, inner.type), inner) is not inner:
                table[inner] = first[outer, inner.type]
    used = {*loop.roots, *(v for node in loop.nodes() for v in node.inputs)}
    unused = any(v not in used for v in (*loop.fixed, *loop.sequences))
    if not table and not unused:
        return False
    loop.substitute(table)
    for inner in table:
        loop.fixed.pop(inner, None)
        loop.sequences.pop(inner, None)
    return True


# -- sums ------------------------------------------------------------------------------------------


def gather_sums(loop: MutableLoop, uses: Uses) -> bool:
    """Of a sum with products in it, have them added to rows that are there only for the loop.

    Such are those of a product that was moved out: BLAS may write its sum over them. What else no
    other step has a part in comes last, along with what is made of the sum.
    """
    if loop.condition is not None:
        return False
    inner = {v for n in loop.nodes() if n.op is add for v in n.inputs}
    for node in loop.nodes():
        root = node.outputs[0]
        if node.op is not add or root in inner or dtypes.is_discrete(root.type.dtype):
            continue
        terms = _terms(root)
        ready = [v for v in terms if v in loop.sequences or v in loop.fixed]
        rows = [v for v in ready if v.type == root.type and _is_for_loop(loop, v, uses)]
        rest = [v for v in terms if v not in ready]
        if not rows or len(ready) < 2 or not any(made_by(v, Dot) for v in rest):
            continue
        ordered = [*rows, *rest, *(v for v in ready if v not in rows)]
        if _is_sum_in_order(root, ordered):
            continue
        loop.substitute({root: reduce(add, ordered)})
        return True
    return False


def _terms(root: Variable) -> list[Any]:
    """Return the terms of a sum."""
    terms, stack = [], [root]
    while stack:
        variable = stack.pop()
        node = variable.owner
        if node is not None and node.op is add and variable.type.dtype == root.type.dtype:
            stack += node.inputs[::-1]
        else:
            terms.append(variable)
    return terms


def _is_sum_in_order(value: Variable, terms: list[Variable]) -> bool:
    """Tell whether a sum adds each of the terms to the sum of those before it."""
    for term in terms[:0:-1]:
        node = value.owner
        if node is None or node.op is not add or node.inputs[1] is not term:
            return False
        value = node.inputs[0]
    return value is terms[0]


def _is_for_loop(loop: MutableLoop, item: Variable, uses: Uses) -> bool:
    rows = loop.sequences.get(item)
    if rows is None:
        return False
    readers = [n for n in uses.get(rows, ()) if not _only_measures(n, uses)]
    return rows.owner is not None and readers == [loop.node]


def _only_measures(node: Apply | None, uses: Uses) -> bool:
    """Tell whether a node only serves to find lengths, which are known without it."""
    if node is None or node.op.measures:
        return node is not None
    views = isinstance(node.op, (Subtensor, DimShuffle))
    return views and all(_only_measures(n, uses) for n in uses.get(node.outputs[0], ()))


def sum_products_at_once(loop: MutableLoop, uses: Uses) -> dict[Any, Any] | None:
    """A sum of products over the steps is one product of all their rows."""
    if loop.condition is not None:
        return None
    for state in loop.states:
        if tuple(state.taps) != (1,) or state.keep != 1 or not is_rows(state.value):
            continue
        factors = _summed_product(loop, state)
        if factors is None:
            continue
        factors = [_without_added_axes(v) for v in factors]
        rows = [(_collected(loop, v), order) for v, order in factors]
        initial = state.initial
        loop.states.remove(state)
        table = loop.build()
        total = _product_of_rows(*(_outside(one, order, table) for one, order in rows))
        total = initial + dimshuffle(total, ["x", *range(total.type.ndim)])
        table[state.output] = conform(total, state.output)
        return table
    return None


def _summed_product(loop: MutableLoop, state: MutableState) -> tuple[Any, Any] | None:
    """Return x and y, both with the summed axis first, if a step adds dot(x.T, y) to a state."""
    node, tap = state.value.owner, state.taps[1]
    if node is None or node.op is not add or tap not in node.inputs:
        return None
    product = made_by(node.inputs[1 - node.inputs.index(tap)], Dot, mul)
    if product is None:
        return None
    x, y = product.inputs
    if product.op is mul:
        # A column times a row, from the gradient of the product of a vector and a matrix.
        x, y = sorted((x, y), key=lambda v: v.type.broadcastable)
        if (x.type.broadcastable, y.type.broadcastable) != ((False, True), (True, False)):
            return None
    dtype = x.type.dtype
    if dtypes.is_discrete(dtype) or {dtype, y.type.dtype} != {state.value.type.dtype}:
        return None
    if x.type.ndim != 2 or y.type.ndim != 2:
        return None
    others = [s.value for s in loop.states if s is not state]
    if not loop.depending_on([tap]).isdisjoint((*others, x, y)) or loop.changing_shapes([x, y]):
        return None
    return dimshuffle(x, (1, 0)), y


def _without_added_axes(value: Variable) -> tuple[Any, list[Any]]:
    """Return what a value shows but for axes that it adds, and which axes of that it has where."""
    own = list(range(value.type.ndim))
    order: list[Any] = own
    inner = value
    while (node := made_by(inner, DimShuffle)) is not None:
        inner, order = node.inputs[0], ["x" if a == "x" else node.op.new_order[a] for a in order]
    if [a for a in order if a != "x"] == list(range(inner.type.ndim)):
        return inner, order
    return dimshuffle(inner, order), own


def _collected(loop: MutableLoop, value: Variable) -> Any:
    """Return the rows of a value of the body, or the new state that collects them."""
    if value in loop.sequences:
        return loop.sequences[value][: loop.steps]
    for state in loop.states:
        if state.value is value and not state.taps and state.keep in (ALL, NEW):
            return state
    fresh = MutableState({}, None, value, ALL, value, f"the rows of {value}")
    loop.states.append(fresh)
    return fresh


def _outside(rows: Variable | MutableState, order: Sequence[Any], table: dict[Any, Any]) -> Any:
    made = table.get(rows.output, rows.output) if isinstance(rows, MutableState) else rows
    return dimshuffle(made, [0, *(a if a == "x" else a + 1 for a in order)])


def _product_of_rows(x: Variable, y: Variable) -> Any:
    """Return the sum over steps and rows of x^T y."""

    def flat(rows: Variable) -> Any:
        sizes = [as_int64(length(rows, a)) for a in range(3)]
        return reshape_op(rows, [sizes[0] * sizes[1], sizes[2]])

    return dot(dimshuffle(flat(x), (1, 0)), flat(y))


CHANGES: tuple[Change, ...] = (
    drop_dead_states,
    keep_last_rows,
    inline_inputs,
    split_states,
    split_sequences,
    measure_before,
    move_out_fixed,
    collect_given,
    sum_products_at_once,
    sum_at_once,
    move_out_rows,
    move_out_results,
    move_out_last,
    gather_sums,
)
