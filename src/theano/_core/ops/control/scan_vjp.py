"""The derivative of a loop: another loop, over the same steps from the last to the first.

Its body is the pullback of the body. What it needs of the forward steps is read from the kept rows
of the states; it carries what each state's value still has to receive from later steps, and the
sums for values that do not change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from theano._core.base import dtypes
from theano._core.ir.graph import copy_graph, inputs as leaves_of, made_by, toposort
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.ops.array.creation import join
from theano._core.ops.array.dims import as_int64
from theano._core.ops.array.gradient import NullType
from theano._core.ops.array.index_form import SYMBOL, Slice, index_of
from theano._core.ops.array.indexing import IncSubtensor
from theano._core.ops.array.shaping import Length, length, pattern_broadcast, reshape_op
from theano._core.ops.control.body import Body, changing_shapes
from theano._core.ops.control.branch import needed_always
from theano._core.ops.control.scan_checkpoint import in_chunks
from theano._core.ops.control.scan_state import State, is_rows, steps_done
from theano._core.ops.core.dimshuffle import DimShuffle, dimshuffle
from theano._core.ops.core.fill import Second, zeros_like_float
from theano._core.ops.elementwise.arithmetic import add, maximum, minimum, switch
from theano._core.ops.elementwise.elementwise import cast

# From cotangents of some variables to those of targets.
Reverse = Callable[[Mapping[Any, Any], Sequence[Any]], dict[Any, Any]]


def pull_back(node: Apply, cotangents: Sequence[Variable | None], reverse: Reverse) -> list[Any]:
    """Return the cotangent of each input of a loop, None where there is none.

    Parameters
    ----------
    node : Apply
    cotangents : sequence of variable or None
        One per output.
    reverse : callable
        `reverse(cotangents, targets)` differentiates a graph.
    """
    if node.op.truncate == 0:
        raise NotImplementedError(
            f"{node.op}: truncate_gradient=0 lets no gradient through; theano.gradient."
            "disconnected_grad says that, and -1 means all steps"
        )
    if node.op.checkpoint is not None:
        return _pull_back_in_chunks(node, cotangents, reverse)
    return _Pullback(node, cotangents, reverse).run()


def _pull_back_in_chunks(
    node: Apply, cotangents: Sequence[Variable | None], reverse: Reverse
) -> list[Any]:
    """Return the cotangents by way of the same loop in chunks."""
    # Inputs may depend on each other: the walk back must end at each of them.
    original, node = node, node.op.make_node(*(v.clone() for v in node.inputs))
    chunked = in_chunks(node)
    seeds: dict[Any, Any] = {}
    direct: dict[Any, Any] = {}
    starts = node.op.outer(node).states
    for j, (state, g) in enumerate(zip(node.op.states, cotangents, strict=False)):
        if g is None or not _continuous(node.op.new_values[j]):
            continue
        last = _only_last_row(g, state.depth)
        if last is not None:
            end = chunked.ends[j]
            seeds[end] = last if state.depth == 1 else _at_end(last, end)
            continue
        seeds[chunked.rows[j]] = g[state.depth :]
        if state.depth:
            direct[starts[j]] = g[: state.depth]
    targets = [v for v in node.inputs[1:] if is_rows(v)]
    gradients = reverse(seeds, targets)
    result: list[Any] = []
    for variable in node.inputs:
        terms = [t[variable] for t in (gradients, direct) if t.get(variable) is not None]
        total = next((t for t in terms if isinstance(t.type, NullType)), None)
        if total is None and terms:
            total = terms[0] if len(terms) == 1 else add(*terms)
        if total is not None and not isinstance(total.type, NullType):
            total = pattern_broadcast(total, variable.type.broadcastable)
        result.append(total if variable is not node.inputs[0] else None)
    there = [g for g in result if g is not None]
    replaced = iter(copy_graph(there, dict(zip(node.inputs, original.inputs, strict=True))))
    return [None if g is None else next(replaced) for g in result]


def _at_end(last: Variable, rows: Variable) -> Any:
    """Return zeros like `rows` with their last row set."""
    return IncSubtensor((-1,), True)(zeros_like_float(rows), last[0])


def _continuous(variable: Variable) -> bool:
    return is_rows(variable) and not dtypes.is_discrete(variable.type.dtype)


def _is_constant(value: Variable) -> bool:
    """Tell whether a value is a constant, broadcast perhaps."""
    while made_by(value, DimShuffle):
        value = value.owner.inputs[0]
    return isinstance(value, Constant)


class _Pullback:
    def __init__(self, node: Apply, cotangents: Sequence[Any], reverse: Reverse) -> None:
        self.node = node
        self.op = node.op
        self.inner, self.outer = self.op.inner, self.op.outer(node)
        self.cotangents = cotangents
        self.steps = steps_done(node)
        self.back = self.steps
        if self.op.truncate > 0:
            self.back = minimum(self.steps, self.op.truncate)
        self.reach = self.op.reach()
        self.active = self._active()
        self.totals = {j: self.op.new_values[j].clone() for j in self.active}
        for total in self.totals.values():
            # What it depends on is not seen in the body.
            total.tag.from_outside = True
        # Gradients in the body that are not defined, and the others.
        self.undefined: dict[Any, Any] = {}
        self.gradients = self._inner_gradients(reverse)
        # What the backward body may read at each step → the rows it comes from, last step first.
        self._kept: list[Any] = []
        self.readable = self._readable()

    def _active(self) -> list[int]:
        """Return the states through which gradients flow."""
        seeded = [j for j, _ in enumerate(self.op.states) if self._has_cotangent(j)]
        result = []
        for j, value in enumerate(self.op.new_values):
            needed = any(tap in self.reach[i] for i in seeded for tap in self.inner.states[j])
            if _continuous(value) and (j in seeded or needed):
                result.append(j)
        return result

    def _has_cotangent(self, j: int) -> bool:
        return self.cotangents[j] is not None and _continuous(self.op.new_values[j])

    def _inner_gradients(self, reverse: Reverse) -> dict[Any, Any]:
        seeds: dict[Any, Any] = {}
        for j in self.active:
            value, total = self.op.new_values[j], self.totals[j]
            seeds[value] = seeds[value] + total if value in seeds else total
        items = set(self.inner.sequences)
        of_states = {tap for taps in self.inner.states for tap in taps}
        pairs = zip(self.inner.fixed, self.outer.fixed, strict=True)
        constant = {v for v, o in pairs if _is_constant(o)}
        targets = [
            v
            for v in self.op.body.inputs
            if is_rows(v) and (_continuous(v) or v not in items | of_states) and v not in constant
        ]
        gradients = {
            v: g for v, g in reverse(seeds, targets).items() if v in targets and g is not None
        }
        self.undefined = {v: g for v, g in gradients.items() if isinstance(g.type, NullType)}
        return {v: gradients[v] for v in targets if v in gradients and v not in self.undefined}

    def _reversed(self, rows: Variable, start: int, after: int | None = 0) -> Any:
        """Return the rows `start` … of all steps, last step first, as far as gradients go.

        `after` is how many rows follow these; None: any number.
        """
        if after is None:
            rows = rows if _is_length_of(self.steps, rows) else rows[: self.steps]
        elif start or after:
            rows = rows[start : -after or None]
        rows = rows[::-1]
        return rows if self.op.truncate <= 0 else rows[: self.back]

    def _readable(self) -> dict[Any, Callable[[], Any]]:
        table: dict[Any, Callable[[], Any]] = {}
        for item, rows in zip(self.inner.sequences, self.outer.sequences, strict=True):
            table[item] = partial(self._reversed, rows, 0, None)
        for j, state in enumerate(self.op.states):
            value, history = self.op.new_values[j], self.node.outputs[j]
            if not is_rows(value):
                continue
            for tap, distance in zip(self.inner.states[j], state.taps, strict=True):
                table[tap] = partial(self._reversed, history, state.depth - distance, distance)
            if value.owner is not None:
                table.setdefault(value, partial(self._reversed, history, state.depth))
        # Values that are costly to compute again, or cannot be: they are kept too.
        more = self._costly(table)
        for index, variable in enumerate(more):
            table[variable] = partial(self._reversed_rows, more, index)
        return table

    def _costly(self, readable: Mapping[Any, Any]) -> list[Any]:
        """Return what the gradient needs of products, long functions and streams of numbers.

        Rows have one shape: what may have another one in each step is computed again.
        """
        varying = set(self.op.body.inputs) - set(self.inner.fixed)
        for node in self.op.body.nodes:
            if any(v in varying for v in node.inputs):
                varying.update(node.outputs)
        # What one side of a branch computes is computed again, in the steps that take that side.
        always = needed_always(self.op.body.outputs, self.op.body.inputs)
        nodes = self.op.body.nodes
        drawn = {out for node in nodes if _is_drawn(node) for out in node.outputs}
        dear = {
            out
            for node in nodes
            if node.rules.is_dear(node) and not always.isdisjoint(node.outputs)
            for out in node.outputs
        }
        kept = {v for v in (drawn | dear) & varying if is_rows(v) and v not in readable}
        rows = dict(zip(self.inner.sequences, self.outer.sequences, strict=True))
        for taps, start in zip(self.inner.states, self.outer.states, strict=True):
            rows.update((tap, start) for tap in taps)
        fixed = dict(zip(self.inner.fixed, self.outer.fixed, strict=True))
        while True:
            costly: dict[Any, None] = {}
            for node in toposort(self.gradients.values(), kept | set(readable)):
                for variable in node.inputs:
                    if variable in kept:
                        costly.setdefault(variable)
            others = changing_shapes(list(costly), rows, fixed) - drawn
            if not others:
                return list(costly)
            kept -= others

    def _reversed_rows(self, variables: list[Variable], index: int) -> Any:
        """Return the rows of one of some values of the body, last step first.

        They come from a second copy of the loop that returns them; equal loops merge later.
        """
        if not self._kept:
            op, count = self.op, len(self.op.states)
            outputs = [*op.new_values, *variables, *op.body.outputs[count:]]
            states = [*op.states, *(State(()) for _ in variables)]
            copy = op.replaced(Body(op.body.inputs, outputs).fresh(), states=states)
            self._kept = copy.make_node(*self.node.inputs).outputs[count:]
        return self._reversed(self._kept[index], 0)

    # -- the backward loop --------------------------------------------------------------------

    def run(self) -> list[Any]:
        """Write the loop; return the cotangents."""
        pending = {
            j: [self.op.new_values[j].clone() for _ in range(self.op.states[j].depth)]
            for j in self.active
        }
        last = {j: _only_last_row(self.cotangents[j], self.op.states[j].depth) for j in self.active}
        received = {
            j: self.op.new_values[j].clone()
            for j in self.active
            if self._has_cotangent(j) and last[j] is None
        }
        # Cotangents that come at each step from outside.
        self.received = {
            item: partial(self._reversed, self.cotangents[j], self.op.states[j].depth)
            for j, item in received.items()
        }
        totals = {}
        for j in self.active:
            terms = [*pending[j][:1], *([received[j]] if j in received else [])]
            totals[self.totals[j]] = terms[0] if len(terms) == 1 else add(*terms)
        wanted = list(self.gradients)
        gradients = copy_graph([self.gradients[v] for v in wanted], totals)
        values = dict(zip(wanted, gradients, strict=True))
        fixed = [v for v in self.inner.fixed if v in values]
        # Those of integers are floats.
        sums = [TensorType(values[v].type.dtype, v.type.broadcastable)(v.name) for v in fixed]
        items = [v for v in self.inner.sequences if v in values]
        outputs = [v for j in self.active for v in self._shifted(j, pending[j], values)]
        outputs += [s + values[v] for s, v in zip(sums, fixed, strict=True)]
        outputs += [values[v] for v in items]
        states = [State((1,))] * (len(outputs) - len(items)) + [State(())] * len(items)
        carried = [v for j in self.active for v in pending[j]] + sums
        starts = []
        for j in self.active:
            if pending[j]:
                first = self.outer.states[j]
                row = zeros_like_float(first if len(pending[j]) == 1 else first[:1])
                row = pattern_broadcast(row, (True, *row.type.broadcastable[1:]))
                starts += [row] * len(pending[j])
                if last[j] is not None:
                    starts[-len(pending[j])] = pattern_broadcast(last[j], row.type.broadcastable)
        starts += [
            cast(dimshuffle(zeros_like_float(o), ["x", *range(o.type.ndim)]), values[v].type.dtype)
            for v, o in zip(self.inner.fixed, self.outer.fixed, strict=True)
            if v in values
        ]
        results = self._loop(outputs, states, carried, starts)
        return self._collect(results, pending, fixed, items)

    def _shifted(
        self, j: int, pending: list[Variable], values: Mapping[Variable, Variable]
    ) -> list[Any]:
        """Return what the values before this step's still have to receive, nearest first."""
        taps = dict(zip(self.op.states[j].taps, self.inner.states[j], strict=True))
        result = []
        for distance in range(1, len(pending) + 1):
            terms = list(pending[distance : distance + 1])
            if distance in taps and taps[distance] in values:
                terms.append(values[taps[distance]])
            if not terms:
                result.append(zeros_like_float(pending[0]))
            else:
                result.append(terms[0] if len(terms) == 1 else add(*terms))
        return result

    def _loop(
        self,
        outputs: list[Variable],
        states: list[State],
        carried: list[Variable],
        starts: list[Variable],
    ) -> list[Any]:
        """Return the outputs of the backward loop."""
        # Values of the forward steps that were kept need not be computed again.
        saved = {v: v.clone() for v in self.readable if v.owner is not None}
        outputs = copy_graph(outputs, saved)
        rows = {saved.get(v, v): make for v, make in self.readable.items()}
        rows.update(self.received)
        needed = set(leaves_of(outputs, rows))
        items = [v for v in rows if v in needed]
        pairs = zip(self.inner.fixed, self.outer.fixed, strict=True)
        fixed = [(v, o) for v, o in pairs if v in needed]
        body = Body([*items, *carried, *(v for v, _ in fixed)], outputs).fresh()
        loop = self.op.replaced(
            body,
            states=states,
            n_sequences=len(items),
            until=False,
            truncate=-1,
            checkpoint=None,
            name=f"grad_of_{self.op.name}",
            labels=(),
        )
        values = [rows[v]() for v in items] + starts + [o for _, o in fixed]
        return list(loop.make_node(self.back, *values).outputs)

    # -- the cotangents -----------------------------------------------------------------------

    def _collect(
        self,
        results: list[Variable],
        pending: dict[int, list[Variable]],
        fixed: list[Variable],
        items: list[Variable],
    ) -> list[Any]:
        rest = iter(results)
        received = {j: [next(rest)[-1:] for _ in pending[j]] for j in self.active}
        sums = {v: next(rest)[-1] for v in fixed}
        table = dict(zip(self.inner.sequences, self.outer.sequences, strict=True))
        rows = {v: self._of_shape(next(rest), table[v])[::-1] for v in items}
        cotangents: list[Any] = [None]
        for item, sequence in zip(self.inner.sequences, self.outer.sequences, strict=True):
            if self._undefined_for([item]) is not None:
                cotangents.append(self._undefined_for([item]))
            elif item in rows:
                cotangents.append(self._padded(rows[item], sequence))
            else:
                cotangents.append(None if _continuous(item) else _zeros(sequence))
        for j, state in enumerate(self.op.states):
            if state.taps:
                cotangents.append(self._received(j, received))
        for v in self.inner.fixed:
            null = self._undefined_for([v])
            cotangents.append(sums.get(v) if null is None else null)
        return [
            g
            if g is None or isinstance(g.type, NullType)
            else pattern_broadcast(g, v.type.broadcastable)
            for g, v in zip(cotangents, self.node.inputs, strict=True)
        ]

    def _of_shape(self, rows: Variable, sequence: Variable) -> Any:
        """Return `rows` with the lengths that the rows of a sequence have, also if there are none.

        Without a step, a loop may not know the lengths of what its body computes.
        """
        if sequence.type.ndim == 1:
            return rows
        shape = [as_int64(length(sequence, axis)) for axis in range(1, sequence.type.ndim)]
        return reshape_op(rows, [self.back, *shape])

    def _undefined_for(self, variables: list[Variable]) -> Any:
        """Return the gradient that is not defined which makes that of body inputs undefined."""
        for v in variables:
            if v in self.undefined:
                return self.undefined[v]
        for j in self.active:
            nulls = [self.undefined[t] for t in self.inner.states[j] if t in self.undefined]
            if nulls and any(v in self.reach[j] for v in variables):
                return nulls[0]
        return None

    def _received(self, j: int, received: dict[int, list[Any]]) -> Any:
        """Return the cotangent of the initial rows of a state."""
        taps = self.inner.states[j]
        null = self._undefined_for(taps)
        if null is not None:
            return null
        if j not in received:
            return None if _continuous(self.op.new_values[j]) else _zeros(self.outer.states[j])
        rows = self._has_cotangent(j) and not _only_new_rows(
            self.cotangents[j], self.op.states[j].depth
        )
        if not rows and not any(tap in self.gradients for tap in taps):
            # What comes out does not depend on what the state was before the first step.
            return None
        return self._initial(j, received[j])

    def _padded(self, rows: Variable, sequence: Variable) -> Any:
        """Return the cotangent of a sequence: zero at items that no step read."""
        steps = self.steps
        if self.op.truncate <= 0 and _is_length_of(steps, sequence):
            return rows
        write = IncSubtensor((Slice(SYMBOL, SYMBOL),), True)
        return write(zeros_like_float(sequence), rows, steps - self.back, steps)

    def _initial(self, j: int, received: list[Any]) -> Any:
        rows = received[0] if len(received) == 1 else join(0, *reversed(received))
        depth = self.op.states[j].depth
        if self.op.truncate > 0:
            rows = self._read_by_last_steps(rows, depth)
        if self._has_cotangent(j) and not _only_new_rows(self.cotangents[j], depth):
            rows = self.cotangents[j][:depth] + rows
        return rows

    def _read_by_last_steps(self, rows: Variable, depth: int) -> Any:
        """Return the cotangent of initial rows, from that of the rows before the last steps."""
        zeros = zeros_like_float(rows)
        if depth == 1:
            return switch(self.steps <= self.op.truncate, rows, zeros)
        skipped = self.steps - self.back
        common = rows[: maximum(as_int64(depth) - skipped, as_int64(0))]
        return IncSubtensor((Slice(SYMBOL, depth),), True)(zeros, common, skipped)


def _is_drawn(node: Apply) -> bool:
    """Tell whether a node reads a stream of random numbers, or what else is no array."""
    return any(not is_rows(v) and not isinstance(v, Constant) for v in node.inputs)


def _only_last_row(cotangent: Variable | None, depth: int) -> Any:
    """Return the last row, as the only one, of a cotangent all of whose other rows are zero."""
    if cotangent is None or not depth:
        return None
    node = cotangent.owner
    if node is not None and _adds_to_zeros(node, (Slice(depth, None, None),)):
        node = node.inputs[1].owner
    if node is None or not _adds_to_zeros(node, (-1,)):
        return None
    row = node.inputs[1]
    return dimshuffle(row, ["x", *range(row.type.ndim)])


def _only_new_rows(cotangent: Variable, depth: int) -> bool:
    """Tell whether a cotangent is zero at the initial rows, of which there are `depth`."""
    node = cotangent.owner
    return _only_last_row(cotangent, depth) is not None or (
        node is not None and _adds_to_zeros(node, (Slice(depth, None, None),))
    )


def _zeros(variable: Variable) -> Any:
    """Return the cotangent of integers."""
    return zeros_like_float(variable) if is_rows(variable) else None


def _adds_to_zeros(node: Apply, index: Sequence[Slice] | Sequence[int]) -> bool:
    if not isinstance(node.op, IncSubtensor) or node.op.assign or index_of(node) != index:
        return False
    if node.inputs[1].type.ndim != node.outputs[0].type.ndim - (index == (-1,)):
        return False
    start = node.inputs[0].owner
    filling = start.inputs[-1] if start is not None and isinstance(start.op, Second) else None
    while filling is not None and filling.owner is not None:
        filling = filling.owner.inputs[0] if isinstance(filling.owner.op, DimShuffle) else None
    return isinstance(filling, Constant) and not filling.data.any()


def _is_length_of(steps: Variable, sequence: Variable) -> bool:
    node = steps.owner
    return node is not None and node.inputs[0] is sequence and node.op == Length(0)
