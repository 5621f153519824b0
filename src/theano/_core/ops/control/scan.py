"""Loops: a body run step after step, over sequences, with states carried from step to step.

One operation stands for every loop. Per step the body gets one item of each sequence, earlier
values of each state, and what does not change; it returns the new value of each state. A state
that is never read back is a mere collected output. Everything else that users know of loops
(taps into the future, sequences read backwards, shared variables that are updated) is views of
sequences and more states; `api/scan/scan.py` makes them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.dims import as_length, total as sum_of_lengths
from theano._core.ops.array.shaping import pattern_broadcast
from theano._core.ops.control.body import Body
from theano._core.ops.control.scan_batch import batched_loop
from theano._core.ops.control.scan_jax import traced_loop
from theano._core.ops.control.scan_jvp import push_forward
from theano._core.ops.control.scan_state import ALL, NEW, Operands, State
from theano._core.ops.control.scan_vjp import pull_back
from theano._core.ops.core.evaluation import evaluate
from theano._core.ops.core.naming import known_as
from theano._core.ops.core.op import Structured, as_variable
from theano._core.ops.elementwise.elementwise import cast

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, Dims
    from theano._core.ops.core.protocols import Batching, Builder, ProgramValue, Trace


@known_as("Scan")
class Loop(Structured):
    """A loop of `n_steps` steps.

    Inputs: the number of steps (int64), the sequences (first axis: steps; at least so many), the
    initial rows of every state that is read (first axis: its depth; a stream of random numbers has
    no rows), and the values that do not change. Outputs: one per state, and with `until` the
    number of steps that were run.

    Parameters
    ----------
    body : Body
        From items of the sequences, taps of the states (state by state) and fixed values to the
        new values of the states, and with `until` a condition that ends the loop after its step.
    states : sequence of State
    n_sequences : int
    until : bool
    truncate : int
        Steps through which gradients flow back; -1: all.
    name : str or None
    checkpoint : int, 'auto' or None
        Of how many steps the gradient keeps the state of one, and computes the others again; None:
        it keeps all.
    labels : sequence of str
        What the user knows the first states as, for messages.
    watch : callable, optional
        Returns, for each run, what is called for each node of each step (see `evaluate`). Such a
        loop runs with NumPy, step by step.
    progress : callable, optional
        Called as `progress(done, n_steps)` at the start, now and then, and at the end, when both
        numbers are the steps that were run. Not under XLA, which runs loops as a whole.
    """

    __props__ = ("body", "states", "n_sequences", "until", "truncate", "checkpoint")
    __props__ += ("watch", "progress")
    # Gradients of the body are its business: `vjp` is given the reverse walk.
    differentiates = True

    def __init__(
        self,
        body: Body,
        states: Sequence[State],
        n_sequences: int,
        until: bool = False,
        truncate: int = -1,
        name: str | None = None,
        checkpoint: object = None,
        labels: Sequence[str] = (),
        watch: Callable[[], Any] | None = None,
        progress: Callable[[int, int], object] | None = None,
    ) -> None:
        self.body = body
        self.states = tuple(states)
        self.n_sequences = n_sequences
        self.until = until
        self.truncate = truncate
        self.name = name or "scan"
        self.checkpoint = checkpoint
        self.labels = tuple(labels)
        self.watch = watch
        self.progress = progress

    @property
    def additive(self) -> bool:  # type: ignore[override]
        """Whether the operations of its body are."""
        return self.body.additive

    def replaced(self, body: Body, **fields: object) -> Loop:
        """Return this loop with another body, and other `states`, `n_sequences` and so on."""
        kept = ("states", "n_sequences", "until", "truncate", "name", "checkpoint", "labels")
        kept += ("watch", "progress")
        return type(self)(body, **{**{k: getattr(self, k) for k in kept}, **fields})

    def label(self, number: int) -> str:
        """Return what messages call a state."""
        return self.labels[number] if number < len(self.labels) else f"state {number}"

    def foldable(self) -> bool:
        """Tell whether its results for constants may be computed before the function runs."""
        return self.body.foldable()

    @property
    def inputs(self) -> list[Any]:
        """The inputs of the body, for who walks through graphs."""
        return list(self.body.inputs)

    @property
    def outputs(self) -> list[Any]:
        """The outputs of the body."""
        return list(self.body.outputs)

    # -- roles ------------------------------------------------------------------------------------

    def outer(self, node: Apply) -> Operands:
        """Return the inputs of a node; a state that is never read has None."""
        return self.by_role(node.inputs, None)

    def by_role(self, values: Sequence[object], missing: object) -> Operands:
        """Return something for each input by role; `missing` for a state that is never read."""
        rest = iter(values[1:])
        sequences = [next(rest) for _ in range(self.n_sequences)]
        states = [next(rest) if s.taps else missing for s in self.states]
        return Operands(sequences, states, list(rest))

    @property
    def inner(self) -> Operands:
        """The inputs of the body; `states` holds a list of taps per state."""
        remaining = iter(self.body.inputs)
        sequences = [next(remaining) for _ in range(self.n_sequences)]
        states = [[next(remaining) for _ in s.taps] for s in self.states]
        return Operands(sequences, states, list(remaining))

    def outside(self, node: Apply) -> dict[Any, Any]:
        """Return, for each input of the body, the input of a node that it reads."""
        inner, outer = self.inner, self.outer(node)
        table = dict(zip(inner.sequences, outer.sequences, strict=True))
        table.update(zip(inner.fixed, outer.fixed, strict=True))
        for taps, start in zip(inner.states, outer.states, strict=True):
            table.update((tap, start) for tap in taps)
        return table

    @property
    def new_values(self) -> tuple[Any, ...]:
        """The body's outputs that are new values of states."""
        return self.body.outputs[: len(self.states)]

    # -- declaration ------------------------------------------------------------------------------

    def make_node(self, n_steps: Any, *values: Variable) -> Apply:
        n_steps = cast(as_variable(n_steps), "int64")
        inner = self.inner
        count = self.n_sequences + sum(bool(s.taps) for s in self.states) + len(inner.fixed)
        if len(values) != count:
            raise TypeError(f"{self} takes {count} values besides its steps, got {len(values)}")
        remaining = iter(values)
        inputs = [n_steps]
        inputs += [
            _rows_like(next(remaining), item, f"{self}: sequence") for item in inner.sequences
        ]
        for state, taps in zip(self.states, inner.states, strict=True):
            if state.taps:
                inputs.append(_rows_like(next(remaining), taps[0], f"{self}: initial value"))
        inputs += [_like(next(remaining), v, f"{self}: value") for v in inner.fixed]
        outputs = []
        for state, value in zip(self.states, self.new_values, strict=True):
            type_ = value.type
            if isinstance(type_, TensorType):
                single = state.keep == 1 and state.depth > 0
                type_ = TensorType(type_.dtype, (single, *type_.broadcastable))
            outputs.append(type_.output())
        if self.until:
            type_ = TensorType("int64", ())
            outputs.append(type_.output())
        return Apply(self, inputs, outputs)

    def compute(self, xp: ArrayModule, node: Apply, *arrays: np.ndarray) -> tuple[Any, ...]:
        limit, remaining = int(arrays[0]), iter(arrays[1:])
        if limit < 0:
            raise IndexError(f"Scan was asked to run for negative number of step {limit}")
        sequences = [next(remaining) for _ in range(self.n_sequences)]
        rows: list[list[Any]] = []
        for index, state in enumerate(self.states):
            tensor = isinstance(self.new_values[index].type, TensorType)
            start = next(remaining) if state.taps else ()
            if tensor and len(start) < state.depth:
                raise ValueError(
                    f"scan: {self.label(index)} needs {state.depth} initial values, "
                    f"got {len(start)}"
                )
            rows.append(list(start[: state.depth]) if tensor else [start])
        fixed = list(remaining)
        for index, sequence in enumerate(sequences):
            if len(sequence) < limit:
                raise ValueError(
                    f"{self}: sequence {index} has {len(sequence)} items for {limit} steps"
                )
        done, watch = 0, None if self.watch is None else self.watch()
        tell = Told(self.progress, limit)
        while done < limit:
            tell(done)
            items = [s[done] for s in sequences]
            taps = [r[-t] for s, r in zip(self.states, rows, strict=True) for t in s.taps]
            value_of = dict(zip(self.body.inputs, (*items, *taps, *fixed), strict=True))
            results = self._step(done, value_of, watch)
            for index, value in enumerate(results[: len(self.states)]):
                if rows[index] and np.shape(rows[index][-1]) != np.shape(value):
                    raise ValueError(
                        f"scan: step {done} changes the shape of {self.label(index)} from "
                        f"{np.shape(rows[index][-1])} to {np.shape(value)}"
                    )
                rows[index].append(value)
            done += 1
            if self.until and bool(results[-1]):
                break
        tell.end(done)
        lengths = self._known_shape(node, arrays)
        outputs = [
            self._kept(state, value, kept, shape)
            for state, value, kept, shape in zip(
                self.states, node.outputs, rows, lengths, strict=False
            )
        ]
        return (*outputs, np.asarray(done, dtype="int64")) if self.until else tuple(outputs)

    def _step(self, number: int, value_of: dict[Variable, Any], watch: Any) -> list[Any]:
        try:
            return evaluate(self.body.outputs, value_of, watch)
        except Exception as error:
            error.add_note(f"This was in step {number} (0-based) of {self}.")
            raise

    def jax(self, j: Trace, node: Apply, *arrays: np.ndarray) -> list[Any]:
        if self.watch is not None:
            raise TypeError("a watched loop runs on the host")
        return traced_loop(j, node, arrays)

    def _known_shape(self, node: Apply, arrays: Sequence[Any]) -> list[tuple[int, ...]]:
        """Return the lengths of a row of each output as they are without steps; 0 if unknown."""
        values = dict(zip(node.inputs, arrays, strict=True))
        result = []
        for shape in self.shape(node, [np.shape(a) for a in arrays]):
            lengths = []
            for n in shape[1:]:
                n = 0 if n is None else n
                lengths.append(n if isinstance(n, int) else int(evaluate([n], values)[0]))
            result.append(tuple(lengths))
        return result

    def _kept(self, state: State, out: Variable, rows: list[Any], shape: Sequence[int]) -> Any:
        if not isinstance(out.type, TensorType):
            return rows[-1]
        if state.keep == NEW:
            rows = rows[state.depth :]
        elif state.keep != ALL:
            rows = rows[len(rows) - min(state.keep, len(rows)) :]
        if rows:
            return np.stack(rows).astype(out.type.dtype, copy=False)
        return np.zeros((0, *shape), dtype=out.type.dtype)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        operand_shapes = self.by_role(shapes, ())
        inner, outer = self.inner, self.outer(node)
        shape_of: dict[Any, Any] = {}
        for variables, shape in (
            (inner.sequences, [s[1:] for s in operand_shapes.sequences]),
            (inner.fixed, operand_shapes.fixed),
        ):
            shape_of.update(zip(variables, shape, strict=True))
        for taps, shape in zip(inner.states, operand_shapes.states, strict=True):
            shape_of.update((tap, shape[1:]) for tap in taps)
        inner_shapes = None
        results: list[Any] = []
        steps = as_length(node.outputs[-1] if self.until else node.inputs[0])
        for index, state in enumerate(self.states):
            type_ = node.outputs[index].type
            if not isinstance(type_, TensorType):
                results.append((None,) * type_.ndim)
                continue
            if state.taps:
                row = operand_shapes.states[index][1:]
            else:
                fixed = dict(zip(inner.fixed, outer.fixed, strict=True))
                shapes_inside = [shape_of[v] for v in self.body.inputs]
                inner_shapes = inner_shapes or self.body.shape(shapes_inside, fixed)
                row = inner_shapes[index]
            results.append((self._row_count(state, steps), *row))
        return [*results, ()] if self.until else results

    def _row_count(self, state: State, steps: Variable | int) -> Any:
        if state.keep == ALL:
            return sum_of_lengths([state.depth, steps])
        if state.keep == NEW:
            return steps
        # More rows than there are steps can only be wanted of a state without initial rows.
        return state.keep if state.depth else None

    def connection(self, node: Apply) -> list[list[bool]]:
        inner = self.inner
        reach = self.reach()
        columns = [*inner.sequences, *inner.states, *inner.fixed]
        table = [[False] * len(node.outputs)]
        for entry in columns:
            variables = entry if isinstance(entry, list) else [entry]
            if not variables:
                continue
            row = [any(v in reach[j] for v in variables) for j in range(len(self.states))]
            if isinstance(entry, list):
                row[inner.states.index(entry)] = True
            table.append(row + [False] * self.until)
        return table

    def reach(self) -> list[set[Any]]:
        """Return, per state, the inputs of the body that its value depends on over all steps."""
        direct: dict[Any, set[Any]] = {v: {v} for v in self.body.inputs}
        for node in self.body.nodes:
            pattern = node.rules.connection(node)
            for index, out in enumerate(node.outputs):
                sets = [
                    direct.get(v, set())
                    for v, uses in zip(node.inputs, pattern, strict=True)
                    if uses[index]
                ]
                direct[out] = set().union(*sets)
        reach = [set(direct.get(v, ())) for v in self.new_values]
        of_tap = {tap: j for j, taps in enumerate(self.inner.states) for tap in taps}
        changed = True
        while changed:
            changed = False
            for reached in reach:
                more = set().union(*(reach[of_tap[v]] for v in reached if v in of_tap))
                if not more <= reached:
                    reached |= more
                    changed = True
        return reach

    def vjp(
        self, node: Apply, cotangents: Sequence[Variable | None], reverse: Any = None
    ) -> list[Any]:
        return pull_back(node, cotangents, reverse)

    def jvp(self, node: Apply, tangents: Sequence[Variable | None], forward: Any) -> list[Any]:
        return push_forward(node, self.by_role(tangents, None), forward)

    def batch(
        self, node: Apply, values: list[Variable], rows: list[bool], batching: Batching
    ) -> list[Any] | None:
        operands, of_rows = (
            self.by_role(v, missing) for v, missing in ((values, None), (rows, False))
        )
        return batched_loop(node, operands, of_rows, batching)

    def emit(self, p: Builder, node: Apply, *values: ProgramValue) -> Any:
        return p.loop(node, values) if self.watch is None else p.call_compute(node, values)

    def __str__(self) -> str:
        return f"{'do_while' if self.until else 'for'}{{cpu,{self.name}}}"


class Told:
    """Tells a loop that runs in Python how far it is, as often as machine code does."""

    def __init__(self, progress: Callable[[int, int], object] | None, n_steps: int) -> None:
        self.progress = progress
        self.n_steps = n_steps
        self.due = -inf

    def __call__(self, done: int) -> None:
        if self.progress is not None and time.monotonic() >= self.due:
            self.progress(done, self.n_steps)
            self.due = time.monotonic() + 0.01

    def end(self, done: int) -> None:
        """Tell that the loop is over after so many steps."""
        if self.progress is not None:
            self.progress(done, done)


def _rows_like(value: Variable, item: Variable, what: str) -> Any:
    """Return `value`, whose rows the body takes as `item`."""
    if not isinstance(item.type, TensorType):
        return _like(value, item, what)
    value = as_variable(value)
    type_ = item.type
    if value.type.dtype != type_.dtype or value.type.ndim != type_.ndim + 1:
        raise TypeError(f"{what} {value} of type {value.type} does not consist of rows {type_}")
    pattern = (
        value.type.broadcastable[0],
        *(a or b for a, b in zip(value.type.broadcastable[1:], type_.broadcastable, strict=True)),
    )
    return pattern_broadcast(value, pattern)


def _like(value: Variable, variable: Variable, what: str) -> Any:
    """Return `value`, which the body takes as `variable`."""
    type_ = variable.type
    if not isinstance(type_, TensorType):
        if value.type != type_:
            raise TypeError(f"{what} {value} of type {value.type} is not of type {type_}")
        return value
    value = as_variable(value)
    if value.type.dtype != type_.dtype or value.type.ndim != type_.ndim:
        raise TypeError(f"{what} {value} of type {value.type} is not of type {type_}")
    pairs = zip(value.type.broadcastable, type_.broadcastable, strict=True)
    return pattern_broadcast(value, [a or b for a, b in pairs])


def in_bodies(nodes: Iterable[Apply]) -> Iterator[Apply]:
    """Yield nodes, and in the place of loops those of their bodies."""
    for node in nodes:
        if isinstance(node.op, Loop):
            yield from in_bodies(node.op.body.nodes)
        else:
            yield node
