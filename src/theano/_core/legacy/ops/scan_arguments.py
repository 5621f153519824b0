"""The inputs and outputs of a loop sorted by what Theano calls them, and maps between them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from copy import copy, deepcopy
from itertools import islice
from typing import Any

from theano._core.api.graph.cloning import clone
from theano._core.api.scan.scan_utilities import safe_new
from theano._core.ir.comparison import equal_computations
from theano._core.ir.graph import toposort
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.ops.control.body import Body
from theano._core.ops.control.scan import Loop
from theano._core.ops.control.scan_state import State

_TAPS = ("mit_mot", "mit_sot")
_OUTPUTS = ("mit_mot", "mit_sot", "sit_sot", "nit_sot", "shared")
_INPUTS = ("seqs", "mit_mot", "mit_sot", "sit_sot", "shared", "nit_sot", "non_seqs")
_COUNTED = ("seqs", "mit_mot", "mit_sot", "sit_sot", "nit_sot")
_INNER_INPUTS = tuple(role for role in _INPUTS if role != "nit_sot")


def reconstruct_graph(
    inputs: Sequence[Variable], outputs: Sequence[Variable], tag: str | None = None
) -> tuple[list[Any], list[Any]]:
    """Return new inputs, and outputs of them; names of inputs get `tag` at their end."""
    fresh = [safe_new(x, tag or "") for x in inputs]
    copy_of: dict[Any, Any] = dict(zip(inputs, fresh, strict=True))
    leaves = {v for node in toposort(outputs) for v in node.inputs} | set(outputs)
    copy_of.update((v, v.clone()) for v in leaves if isinstance(v, Constant) and v not in copy_of)
    return fresh, clone(list(outputs), replace=copy_of)


# What `theano.clone` took for an option that was not given.
DEPRECATED_ARG = None


def forced_replace(out: Variable | None, x: Variable, y: Variable) -> Any:
    """Return `out` with `y` in place of everything that computes the same as `x`."""
    if out is None:
        return None
    replacements, seen, waiting = [], set(), [out]
    while waiting:
        variable = waiting.pop()
        if variable in seen:
            continue
        seen.add(variable)
        if equal_computations([variable], [x]):
            replacements.append((variable, y))
        elif variable.owner is not None:
            waiting.extend(variable.owner.inputs)
    return clone(out, replace=replacements) if replacements else out


class Info(OrderedDict[str, Any]):
    """The attribute `info` of a loop, which knows the loop."""

    op: Loop | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> Info:
        fresh = Info((name, deepcopy(value, memo)) for name, value in self.items())
        fresh.op = self.op
        return fresh


_make, _make_node = Loop.__init__, Loop.make_node


def make_loop(loop: Loop, body: Any, states: Any = (), *rest: Any, **options: Any) -> None:
    """Make a loop of what the engine has of it, or of inputs and outputs of a step and `info`."""
    if isinstance(body, Body):
        _make(loop, body, states, *rest, **options)
        return
    info = rest[0] if rest else options["info"]
    if info["n_mit_mot"]:
        raise NotImplementedError(
            f"Scan(inputs, outputs, info): {info['n_mit_mot']} of the states are written several "
            "steps back (mit_mot), as in a gradient. theano.grad makes such loops of others."
        )
    kept = [State(tuple(-tap for tap in taps)) for taps in info["tap_array"]]
    kept += [State(())] * info["n_nit_sot"] + [State((1,))] * info["n_shared_outs"]
    until, truncate = info.get("as_while", False), info.get("truncate_gradient", -1)
    _make(loop, Body(body, states), kept, info["n_seqs"], until, truncate, info.get("name"))


def make_node(loop: Loop, n_steps: Any, *values: Variable) -> Apply:
    """Return the node of a loop; a number of steps for each state without initial values is left.

    Theano had these as inputs, before those that do not change.
    """
    first = loop.n_sequences + sum(bool(s.taps) for s in loop.states)
    extra = len(values) - first - len(loop.inner.fixed)
    if 0 < extra <= sum(not s.taps for s in loop.states):
        values = (*values[:first], *values[first + extra :])
    return _make_node(loop, n_steps, *values)


def _loop_of(info: Any, inputs: Sequence[Variable], outputs: Sequence[Variable]) -> Loop:
    """Return the loop that `info` is of, or, if that was changed, one as it says."""
    op = getattr(info, "op", None)
    if op is not None and dict(op.info) == dict(info):
        return op
    old: Any = Loop
    return old(list(inputs), list(outputs), info)


class scan_args:  # noqa: N801
    """The inputs and outputs of a node of a loop, and of its steps, by role.

    `outer_in_seqs`, `inner_in_mit_sot`, `outer_out_nit_sot` and so on are lists; with several taps,
    those of the inputs of a step are lists of lists.

    Parameters
    ----------
    outer_inputs, outer_outputs : list of variables
        Of the node.
    _inner_inputs, _inner_outputs : list of variables
        Of a step; they are copied.
    info : dict
        `op.info` of the loop.
    """

    def __init__(
        self,
        outer_inputs: Sequence[Variable],
        outer_outputs: Sequence[Variable],
        _inner_inputs: Sequence[Variable],
        _inner_outputs: Sequence[Variable],
        info: Any,
    ) -> None:
        op: Any = _loop_of(info, _inner_inputs, _inner_outputs)
        inner_in, inner_out = reconstruct_graph(_inner_inputs, _inner_outputs)
        self.n_steps = outer_inputs[0]
        self.cond = [inner_out.pop()] if op.until else []
        self.mit_mot_in_slices: list[Any] = []
        self.mit_mot_out_slices: list[Any] = []
        self.mit_sot_in_slices = list(op.tap_array[: op.n_mit_sot])
        for role in _INPUTS:
            short = role.replace("_sot", "sot").replace("_mot", "mot")
            setattr(self, f"outer_in_{role}", getattr(op, f"outer_{short}")(outer_inputs))
            inner = getattr(op, f"inner_{short}")(inner_in)
            if role in _TAPS:
                inner = _grouped(inner, map(len, getattr(self, f"{role}_in_slices")))
            setattr(self, f"inner_in_{role}", inner)
        for role in _OUTPUTS:
            short = role.replace("_sot", "sot").replace("_mot", "mot")
            setattr(self, f"inner_out_{role}", getattr(op, f"inner_{short}_outs")(inner_out))
            setattr(self, f"outer_out_{role}", getattr(op, f"outer_{short}_outs")(outer_outputs))
        self.outer_in_nit_sot: list[Any] = [self.n_steps] * op.n_nit_sot
        self.other_info = OrderedDict(info)

    @property
    def info(self) -> Info:
        """What `Scan(inner_inputs, inner_outputs, info)` takes for the loop that the lists say."""
        held: Any = self
        counts = {f"n_{role}": len(getattr(self, f"outer_in_{role}")) for role in _COUNTED}
        taps = [*held.mit_sot_in_slices, *([-1] for _ in held.inner_in_sit_sot)]
        return Info(
            {
                **self.other_info,
                **counts,
                "n_shared_outs": len(held.outer_in_shared),
                "tap_array": taps,
            }
        )

    @property
    def inner_inputs(self) -> list[Any]:
        """The inputs of a step, role by role."""
        return _flat(self, "inner_in", _INNER_INPUTS)

    @property
    def outer_inputs(self) -> list[Any]:
        """The inputs of the node, role by role."""
        return [self.n_steps, *_flat(self, "outer_in", _INPUTS)]

    @property
    def inner_outputs(self) -> list[Any]:
        """The outputs of a step, role by role, and the condition."""
        return _flat(self, "inner_out", _OUTPUTS) + self.cond

    @property
    def outer_outputs(self) -> list[Any]:
        """The outputs of the node, role by role."""
        return _flat(self, "outer_out", _OUTPUTS)

    def __copy__(self) -> scan_args:
        fresh = object.__new__(type(self))
        for name, value in vars(self).items():
            setattr(fresh, name, list(value) if isinstance(value, list) else value)
        return fresh

    def merge(self, other: scan_args) -> scan_args:
        """Return the lists of both, one after another."""
        fresh = copy(self)
        for name, value in vars(fresh).items():
            if name.startswith(("inner_", "outer_", "mit_")):
                value.extend(getattr(other, name))
        return fresh


def _grouped(values: Sequence[Variable], sizes: Iterable[int]) -> list[list[Any]]:
    rest = iter(values)
    return [list(islice(rest, size)) for size in sizes]


def _flat(arguments: object, part: str, roles: Sequence[str]) -> list[Any]:
    values = (each for role in roles for each in getattr(arguments, f"{part}_{role}"))
    return [v for each in values for v in (each if isinstance(each, list) else [each])]


def var_mappings(op: Loop) -> dict[str, dict[int, Any]]:
    """Return which inputs and outputs, of a node and of a step, belong to each other.

    Keys are such as 'inner_inp_from_outer_out'; what has no counterpart has -1, or an empty list.
    """
    # Numbers stand for the inputs.
    inner_inputs, n_inner = op.body.inputs, len(op.body.inputs)
    inner = op.inner
    number = {v: i for i, v in enumerate(inner_inputs)}
    n_outer = 1 + op.n_sequences + sum(bool(s.taps) for s in op.states) + len(inner.fixed)
    outer = op.by_role(range(n_outer), -1)
    pairs = [*zip(outer.sequences, ([v] for v in inner.sequences), strict=True)]
    pairs += [*zip(outer.states, inner.states, strict=True)]
    pairs += [*zip(outer.fixed, ([v] for v in inner.fixed), strict=True)]
    reads = {o: [number[v] for v in vs] for o, vs in pairs if o >= 0}
    of_state = {o: k for k, o in enumerate(outer.states) if o >= 0}
    state_of_inner = {i: k for o, k in of_state.items() for i in reads[o]}
    taps = {k: [number[v] for v in vs] for k, vs in enumerate(inner.states)}
    each = range(len(op.states))
    outer_of = {i: o for o, inner_variables in reads.items() for i in inner_variables}
    return {
        "outer_inp_from_outer_out": {k: outer.states[k] for k in each},
        "inner_inp_from_outer_out": taps,
        "inner_out_from_outer_out": {k: [k] for k in each},
        "inner_inp_from_outer_inp": {o: reads.get(o, []) for o in range(n_outer)},
        "inner_out_from_outer_inp": {
            o: [of_state[o]] if o in of_state else [] for o in range(n_outer)
        },
        "outer_out_from_outer_inp": {o: of_state.get(o, -1) for o in range(n_outer)},
        "outer_inp_from_inner_inp": {i: outer_of[i] for i in range(n_inner)},
        "inner_out_from_inner_inp": {
            i: [state_of_inner[i]] if i in state_of_inner else [] for i in range(n_inner)
        },
        "outer_out_from_inner_inp": {i: state_of_inner.get(i, -1) for i in range(n_inner)},
        "outer_inp_from_inner_out": {k: outer.states[k] for k in each},
        "inner_inp_from_inner_out": taps,
        "outer_out_from_inner_out": {k: k for k in each},
    }
