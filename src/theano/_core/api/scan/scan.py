"""`theano.scan`: loops as expressions.

`scan` reads what the user says of one step, finds out what the step needs from outside, and makes
one `Loop` operation of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.api.conversion import as_tensor_variable
from theano._core.api.scan.progress import ProgressBar
from theano._core.api.scan.step import (
    as_list,
    as_taps,
    check_step,
    checked_checkpoint,
    conversion,
    holds,
    label,
    order_of_states,
    read_step,
)
from theano._core.api.scan.updates import OrderedUpdates
from theano._core.base import dtypes
from theano._core.base.errors import MissingInputError
from theano._core.base.near_misses import explain_functions
from theano._core.base.records import Record
from theano._core.compile.checking_modes import WatchedMode
from theano._core.compile.shared import SharedVariable
from theano._core.compile.test_values import transfer_test_value
from theano._core.ir.graph import inputs as leaves_of, toposort
from theano._core.ir.source import made_at
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Constant, Variable
from theano._core.ops.array.dims import as_int64
from theano._core.ops.array.shaping import length, pattern_broadcast
from theano._core.ops.array.static_shape import unsized_inputs, without_sizes
from theano._core.ops.control.body import Body
from theano._core.ops.control.branch import needed_always
from theano._core.ops.control.scan import Loop
from theano._core.ops.control.scan_checkpoint import in_chunks
from theano._core.ops.control.scan_state import State
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.core.op import complete, python_int
from theano._core.ops.elementwise.arithmetic import minimum

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike


def scan(
    fn: Callable[..., object],
    sequences: object = None,
    outputs_info: object = None,
    non_sequences: object = None,
    n_steps: TensorLike | None = None,
    truncate_gradient: int = -1,
    go_backwards: bool = False,
    mode: object = None,
    name: str | None = None,
    profile: bool = False,
    allow_gc: bool | None = None,
    strict: bool = False,
    return_list: bool = False,
    checkpoint: object = None,
    progress: bool | Callable[[int, int], object] = False,
) -> tuple[Any, OrderedUpdates]:
    """Run a function of variables step after step; return what it returns at every step.

    Parameters
    ----------
    fn : callable
        One step. It is called once, with variables: the items of the sequences (each with its
        taps), the earlier values of the outputs (each with its taps), then `non_sequences`. It
        returns outputs, or outputs and updates of shared variables (a dict or list of pairs), and
        last, if the loop may end early, `until(condition)`.
    sequences : variable, dict, or list of them, optional
        What is read along its first axis, one item a step. A dict has `input` and `taps`: a list
        of positions relative to the step, such as [-1, 0, 2].
    outputs_info : variable, dict, None, or list of them, optional
        For each output its initial value, if the step reads the one before; None if it does not. A
        dict has `initial` and `taps`: a list of negative ints; with taps other than [-1], `initial`
        has a first axis with the values that come before the first step.
    non_sequences : variable or list of variables, optional
        What else `fn` takes. Variables that `fn` uses without being given them are found.
    n_steps : int or integer scalar variable, optional
        By default what the shortest sequence has.
    truncate_gradient : int
        Through how many steps gradients flow back; -1: all.
    go_backwards : bool
        Read the sequences from their ends.
    mode : Mode, optional
        A `MonitorMode` or `NanGuardMode` looks at every node of every step. Other modes are
        accepted for old programs: the step is compiled with the function around it.
    profile, allow_gc
        Accepted for old programs.
    name : str, optional
        For messages and printed graphs.
    strict : bool
        Only shared variables among `non_sequences` may be used.
    return_list : bool
        Return a list even for a single output.
    checkpoint : int or 'auto', optional
        Keep the state only at every so many steps ('auto': the square root of the number of
        steps), and compute the steps between again for the gradient.
    progress : bool or callable
        True: show on the standard error how far a long loop is, with `tqdm` if it is installed. A
        function is called as `progress(done, n_steps)`: before the first step, then about a hundred
        times a second, and at the end, when both numbers are the steps that were run. What it
        raises ends the call. The loop of a gradient tells, too. Loops that JAX runs do not.

    Returns
    -------
    outputs : variable or list of variables
        Each with a first axis for the steps.
    updates : OrderedUpdates
        New values of the shared variables that the steps update, for `theano.function`.

    Raises
    ------
    ValueError
        The number of steps is not known, taps or outputs do not fit, or a step changes the dtype or
        rank of a value that it hands on.
    TypeError
        A step gives up a declared length of 1 of such a value, or `n_steps` is no whole scalar.
    IndexError
        A sequence, or an initial value with several taps, has no axis.
    MissingInputError
        With `strict`, a shared variable that is not among `non_sequences`.

    Examples
    --------
    >>> x = T.dvector("x")
    >>> sums, _ = theano.scan(lambda item, sum: sum + item, sequences=x, outputs_info=[0.0])
    >>> sums.eval({x: [1.0, 2.0, 3.0]})
    array([1., 3., 6.])
    """
    builder = _Builder(name or "scan_fn", truncate_gradient, go_backwards, strict)
    shown = ProgressBar(builder.name) if progress else None
    builder.progress = progress if callable(progress) else shown
    builder.watch = mode.watch if isinstance(mode, WatchedMode) else None
    builder.read(sequences, outputs_info, non_sequences, n_steps)
    outputs, updates = builder.run(fn, checkpoint)
    if return_list:
        return outputs, updates
    return (outputs if len(outputs) > 1 else outputs[0] if outputs else None), updates


class _Sequence(Record):
    item: Any  # in the step
    rows: Any  # outside


class _Recurrence(Record):
    taps: tuple[int, ...]  # steps back
    items: list[Any]
    rows: Any
    first: list[Any]  # what the items are in the first step
    initial: Any  # what the user gave


class _Builder:
    """One call of `scan`, from its arguments to its results."""

    def __init__(self, name: str, truncate: int, go_backwards: bool, strict: bool) -> None:
        self.name = name
        self.truncate = truncate
        self.go_backwards = go_backwards
        self.strict = strict
        self.watch: Callable[[], Any] | None = None
        self.progress: Callable[[int, int], object] | None = None
        self.sequences: list[_Sequence] = []
        self.recurrences: list[_Recurrence | None] = []
        self.non_sequences: list[Any] = []
        # Numbers of the outputs whose initial values took the dtype of the step.
        self.retyped: set[int] = set()
        self.node: Any = None

    # -- arguments ------------------------------------------------------------------------------

    def read(
        self,
        sequences: object,
        outputs_info: object,
        non_sequences: object,
        n_steps: TensorLike | None,
    ) -> None:
        """Read the arguments of `scan`."""
        self.non_sequences = [
            v if isinstance(v, Variable) else as_tensor_variable(v) for v in as_list(non_sequences)
        ]
        self._read_steps(n_steps)
        first_items = []
        for entry in as_list(sequences):
            first_items += self._read_sequence(entry)
        self.first_items = first_items
        if self.steps is None:
            if not self.sequences:
                raise ValueError(
                    "No information about the number of steps provided. Either provide a value "
                    "for n_steps argument of scan or provide an input sequence: n_steps=10, or "
                    "sequences=theano.tensor.arange(n)"
                )
            shape = [as_int64(length(s.rows, 0)) for s in self.sequences]
            self.steps = shape[0]
            for other in shape[1:]:
                self.steps = minimum(self.steps, other)
        infos = as_list(outputs_info)
        self.outputs_known = bool(infos)
        self.recurrences = [self._read_output(info) for info in infos]

    def _read_steps(self, n_steps: TensorLike | None) -> None:
        if isinstance(n_steps, float):
            if np.isfinite(n_steps) and n_steps != int(n_steps):
                raise TypeError(f"n_steps must be an int, got {n_steps}")
            n_steps = int(n_steps) if np.isfinite(n_steps) else None
        dtype = getattr(n_steps, "dtype", "int64")
        if n_steps is not None and not dtypes.is_discrete(str(dtype)):
            raise ValueError(f" n_steps must be an int. dtype provided is {dtype}")
        self.steps = None if n_steps is None else as_tensor_variable(n_steps)
        if self.steps is not None and self.steps.ndim:
            raise TypeError(f"n_steps must be a scalar, got {self.steps} of type {self.steps.type}")
        count = None if n_steps is None else python_int(self.steps)
        self.single = count in (1, -1)

    def _read_sequence(self, entry: object) -> list[Any]:
        """Add one sequence for each of its taps; return the items of the first step."""
        entry = dict(entry) if isinstance(entry, Mapping) else {"input": entry}
        source = as_tensor_variable(entry["input"])
        if source.ndim == 0:
            # As indexing says of either.
            raise (IndexError if isinstance(entry["input"], Variable) else TypeError)(
                f"a sequence of scan needs at least one axis, got the scalar {source}. An initial "
                "value is outputs_info=..., a value that stays the same non_sequences=..."
            )
        taps = as_taps(entry.get("taps"), 0)
        if not taps:
            return []
        low, high = min([*taps, 0]), max([*taps, 0])
        first = []
        for tap in taps:
            start, end = tap - low, high - tap
            rows = source[start:-end] if end else source[start:] if start else source
            if self.go_backwards:
                rows = rows[::-1]
            item = TensorType(source.type.dtype, shape=source.type.shape[1:])()
            if source.name is not None:
                item.name = f"{source.name}[t{tap:+d}]" if tap else f"{source.name}[t]"
            self.sequences.append(_Sequence(item, rows))
            first.append(source[start])
            transfer_test_value(first[-1], item)
        return first

    def _read_output(self, info: object) -> _Recurrence | None:
        if info is None:
            return None
        info = dict(info) if isinstance(info, Mapping) else {"initial": info}
        if "return_steps" in info and info["return_steps"] is not None:
            raise ValueError(
                "Using `return_steps` has been deprecated. Simply select the entries you need "
                "using a subtensor; only what is needed is kept."
            )
        initial, taps = info.get("initial"), info.get("taps")
        if initial is None:
            if taps is not None:
                raise ValueError(
                    "If you are using slices of an output you need to provide a initial state for "
                    f"it: dict(initial=..., taps={taps}), got the keys {list(info)}"
                )
            return None
        taps = as_taps(taps, -1)
        if not taps:
            return None
        if len(taps) > len(set(taps)):
            raise ValueError("All the taps must be different in `outputs_info`", info)
        if any(t >= 0 for t in taps):
            raise ValueError("All the tap values must be smaller than 0.", info)
        if not isinstance(initial, Variable):
            initial = as_tensor_variable(initial)
        return self._recurrence(initial, [-t for t in taps])

    def _recurrence(self, initial: Variable, back: list[int]) -> _Recurrence:
        if not isinstance(initial.type, TensorType):
            item = initial.type.make_variable()
            return _Recurrence((1,), [item], initial, [initial], initial)
        depth = max(back)
        if back == [1]:
            rows = dimshuffle(initial, ["x", *range(initial.ndim)])
            type_, first = initial.type, None
        else:
            if initial.ndim == 0:
                raise IndexError(
                    f"the initial value {initial} of an output with taps {[-t for t in back]} "
                    "needs a first axis that holds the values before the first step"
                )
            rows = initial[:depth]
            type_ = TensorType(initial.type.dtype, shape=initial.type.shape[1:])
            first = [initial[depth - t] for t in back]
        items = []
        for t in back:
            item = type_()
            item.name = None if initial.name is None else f"{initial.name}[t-{t}]"
            items.append(item)
        first = first or [initial]
        for source, item in zip(first, items, strict=True):
            transfer_test_value(source, item)
        return _Recurrence(tuple(back), items, rows, first, initial)

    # -- the step -------------------------------------------------------------------------------

    def run(
        self, fn: Callable[..., object], checkpoint: object
    ) -> tuple[list[Any], OrderedUpdates]:
        """Call the step and return the results of `scan`."""
        condition, outputs, updates = self._called(fn)
        while self._retyped(outputs):
            condition, outputs, updates = self._called(fn)
        if self.single:
            rows = [
                pattern_broadcast(dimshuffle(v, ["x", *range(v.ndim)]), (False, *v.broadcastable))
                if isinstance(v.type, TensorType)
                else v
                for v in outputs
            ]
            return rows, OrderedUpdates(updates)
        if not self.outputs_known:
            self.recurrences = [None] * len(outputs)
        if len(outputs) != len(self.recurrences):
            raise ValueError(
                "Please provide None as outputs_info for any output that does not feed back into "
                f"scan (i.e. it behaves like a map): {len(outputs)} outputs, "
                f"{len(self.recurrences)} entries of outputs_info. For two results of which the "
                "first is carried on: outputs_info=[initial, None]"
            )
        outputs = [
            v if r is None else self._fitting(i, v, r)
            for i, (v, r) in enumerate(zip(outputs, self.recurrences, strict=True))
        ]
        changed = self._updates([*outputs, *([] if condition is None else [condition])], updates)
        return self._loop(outputs, changed, condition, checkpoint)

    def _called(self, fn: Callable[..., Any]) -> tuple[Any, list[Any], dict[Any, Any]]:
        """Call the step; return the condition that ends the loop, the outputs, and updates."""
        recurrences = [r for r in self.recurrences if r is not None]
        for item in [*(q.item for q in self.sequences), *(v for r in recurrences for v in r.items)]:
            item.tag.step_of = self.name
        if self.single:
            items = [*self.first_items, *(v for r in recurrences for v in r.first)]
        else:
            items = [s.item for s in self.sequences] + [v for r in recurrences for v in r.items]
        try:
            result = fn(*items, *self.non_sequences)
        except TypeError:
            n_states = len(items) - len(self.sequences)
            check_step(self.name, fn, (len(self.sequences), n_states, len(self.non_sequences)))
            raise
        return read_step(result)

    def _retyped(self, outputs: list[Any]) -> bool:
        """Give initial values that are constants the dtype of what a step returns, if it has them.

        `outputs_info=[0.0]` is a number, and which dtype holds it is for the step to say. Each is
        changed once; returns whether one was, so that the step is to be called again.
        """
        changed = False
        for index, (value, r) in enumerate(zip(outputs, self.recurrences, strict=False)):
            if r is None or self.single or index in self.retyped:
                continue
            initial, new = r.initial, value.type
            if not isinstance(initial, Constant) or not isinstance(new, TensorType):
                continue
            rank = r.items[0].type.ndim
            if new.dtype == initial.type.dtype or new.ndim != rank or not holds(new, initial.data):
                continue
            self.retyped.add(index)
            self.recurrences[index] = self._recurrence(
                as_tensor_variable(initial.data.astype(new.dtype), name=initial.name), list(r.taps)
            )
            changed = True
        return changed

    def _fitting(self, index: int, value: Variable, recurrence: _Recurrence) -> Any:
        """Return an output in the type in which the next step reads it."""
        type_, new = recurrence.items[0].type, value.type
        if type_.accepts(new):
            return value
        what = (
            f"scan {self.name!r}: the initial value of {label(index, value)} in `outputs_info` "
            f"has type "
            f"{type_}, while the result of a step has type {new}"
        )
        made = made_at(value)
        if not isinstance(type_, TensorType) or not isinstance(new, TensorType):
            raise TypeError(f"{what}.{made}")
        if new.ndim != type_.ndim:
            raise ValueError(
                f"{what}: {type_.ndim} dimension(s) against {new.ndim}.{made} The initial value "
                "must have the rank that a step returns, and with taps other than [-1] one more: "
                "theano.tensor.zeros_like(one value) has."
            )
        if new.dtype != type_.dtype:
            raise ValueError(
                f"{what}: dtype {type_.dtype} against {new.dtype}.{made} "
                f"{conversion(recurrence.initial, type_, new)}"
            )
        if any(a and not b for a, b in zip(type_.broadcastable, new.broadcastable, strict=True)):
            raise TypeError(
                f"{what}.{made} An initial length of 1 is declared that the step does not keep: "
                "use theano.tensor.unbroadcast on the initial value."
            )
        if any(None not in (a, b) and a != b for a, b in zip(type_.shape, new.shape, strict=True)):
            raise ValueError(f"{what}: a step changes a declared length.{made}")
        return pattern_broadcast(value, type_.broadcastable)

    def _updates(
        self, roots: list[Variable], updates: Mapping[Variable, Variable]
    ) -> dict[Any, Any]:
        """Return the new value of each shared variable that a step changes."""
        changed = {}
        for variable, value in updates.items():
            if not isinstance(variable, SharedVariable):
                raise TypeError(
                    "the updates of a step must be for shared variables, got "
                    f"{variable} of type {variable.type}"
                )
            changed[variable] = variable.type.filter_variable(value)
        inside = {s.item for s in self.sequences}
        inside.update(v for r in self.recurrences if r is not None for v in r.items)
        inside.update(v for v in self.non_sequences if not isinstance(v, SharedVariable))
        while True:
            leaves = leaves_of([*roots, *changed.values()], inside)
            more = [
                v
                for v in leaves
                if isinstance(v, SharedVariable)
                and v not in changed
                and hasattr(v, "default_update")
            ]
            if not more:
                break
            changed.update((v, v.default_update) for v in more)
        if self.strict:
            for v in leaves:
                if (
                    isinstance(v, SharedVariable)
                    and v not in changed
                    and v not in self.non_sequences
                ):
                    raise MissingInputError(f"ScanOp is missing an input: {v}", variable=v)
        return changed

    # -- the loop -------------------------------------------------------------------------------

    def _loop(
        self,
        outputs: list[Variable],
        changed: dict[Variable, Variable],
        condition: object,
        checkpoint: object,
    ) -> tuple[list[Any], OrderedUpdates]:
        kept = [self._recurrence(v, [1]) for v in changed]
        carried, new = [*self.recurrences, *kept], [*outputs, *changed.values()]
        labels = [label(i, v) for i, v in enumerate(outputs)] + [f"the new {v}" for v in changed]
        order = order_of_states([() if r is None else r.taps for r in carried], new)
        carried, new = [carried[i] for i in order], [new[i] for i in order]
        items = [s.item for s in self.sequences]
        items += [v for r in carried if r is not None for v in r.items]
        roots = [*new, *([] if condition is None else [condition])]
        copies = dict(zip(changed, (r.items[0] for r in kept), strict=True))
        outside = self._outside(roots, {*items, *copies})
        names = {v: None if v.name is None else f"{v.name}_copy" for v in outside}
        fixed = {v: v.type.variable_class(v.type, name=name) for v, name in names.items()}
        inner = [*items, *fixed.values()]
        plain = unsized_inputs(inner)
        table = {**copies, **fixed, **dict(zip(inner, plain, strict=True))}
        table = {v: table.get(new, new) for v, new in table.items()}
        body = Body(plain, without_sizes(roots, table))
        states = [State(() if r is None else r.taps) for r in carried]
        until_some = condition is not None
        loop = Loop(
            body,
            states,
            len(self.sequences),
            until_some,
            self.truncate,
            self.name,
            checked_checkpoint(checkpoint, until_some or self.truncate > 0),
            [labels[i] for i in order],
            self.watch,
            self.progress,
        )
        values = [s.rows for s in self.sequences]
        values += [r.rows for r in carried if r is not None] + list(fixed)
        made = self.node = loop.make_node(self.steps, *values)
        complete(made)
        out_of = dict(zip(order, zip(states, made.outputs, strict=False), strict=True))
        rows, last = [], []
        for i in range(len(order)):
            state, out = out_of[i]
            of_rows = isinstance(out.type, TensorType)
            if i >= len(outputs):
                last.append(out[-1] if of_rows else out)
            else:
                rows.append(out[state.depth :] if state.taps and of_rows else out)
        return rows, OrderedUpdates(zip(changed, last, strict=True))

    def _outside(self, roots: list[Variable], inside: set[Variable]) -> list[Any]:
        """Return what the step needs from outside: the last values that no step changes.

        What the user gives is among it, needed or not: a function over it counts as using it.
        """
        explicit = [
            v
            for v in self.non_sequences
            if v not in inside and not isinstance(v, (Constant, SharedVariable))
        ]
        ends = inside | set(explicit)
        order = toposort(roots, ends)
        dependent = set(inside)
        for node in order:
            if any(v in dependent for v in node.inputs):
                dependent.update(node.outputs)
        # What only one side of a branch needs is computed in the step that takes that side.
        always = needed_always(roots, ends)
        needed, step = {*roots, *explicit}, set(inside)
        for node in reversed(order):
            if not needed.isdisjoint(node.outputs):
                late = always.isdisjoint(node.outputs)
                if late or not dependent.isdisjoint(node.outputs):
                    step.update(node.outputs)
                    needed.update(node.inputs)
        variables: dict[Any, None] = {}
        for v in (*(v for n in order if n.outputs[0] in step for v in n.inputs), *roots, *explicit):
            if v not in step and not isinstance(v, Constant):
                variables.setdefault(v)
        return list(variables)


def scan_checkpoints(
    fn: Callable[..., object],
    sequences: object = None,
    outputs_info: object = None,
    non_sequences: object = None,
    name: str = "checkpointscan_fn",
    n_steps: TensorLike | None = None,
    save_every_N: int = 10,
    padding: bool = True,
) -> tuple[Any, OrderedUpdates]:
    """Run a loop of which the gradient keeps the state of only one in `save_every_N` steps.

    Parameters
    ----------
    fn, sequences, outputs_info, non_sequences, name, n_steps
        As of `scan`; outputs may be read one step back only.
    save_every_N : int
        The gradient computes the steps between again.
    padding : bool
        Accepted for old programs: any number of steps will do.

    Returns
    -------
    outputs : variable or list of variables
        The outputs after every `save_every_N` steps, and after the last.
    updates : OrderedUpdates

    Raises
    ------
    RuntimeError
        `outputs_info` has taps.

    Examples
    --------
    >>> x = T.dvector("x")
    >>> h = T.tanh(x)
    >>> last, _ = theano.scan_checkpoints(
    ...     lambda h: T.tanh(h * 2), outputs_info=[h], n_steps=100, save_every_N=10
    ... )
    >>> theano.function([x], last[-1])([0.5]).shape
    (1,)
    """
    for info in as_list(outputs_info):
        if isinstance(info, Mapping) and "taps" in info:
            raise RuntimeError("scan_checkpoints doesn't work with taps.")
    builder = _Builder(name, -1, False, False)
    builder.read(sequences, outputs_info, non_sequences, n_steps)
    outputs, updates = builder.run(fn, save_every_N)
    if builder.node is not None:
        outputs = in_chunks(builder.node).between[: len(outputs)]
    return (outputs[0] if len(outputs) == 1 else outputs), updates


explain_functions(globals())
