"""What old programs read of the operations of loops and branches.

Theano sorts the outputs of a loop by how steps read them: several steps back (`mit_sot`), one step
back (`sit_sot`), not at all (`nit_sot`); what is no array counts as `shared`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from theano._core.api.graph.op_from_graph import OpFromGraph
from theano._core.base.settings import config
from theano._core.compile.function import function
from theano._core.compile.modes import Mode
from theano._core.ir.variable import Apply, Variable
from theano._core.legacy.ops.op_classes import Kind
from theano._core.legacy.ops.scan_arguments import Info, var_mappings
from theano._core.ops.control import branch as engine
from theano._core.ops.control.scan import Loop
from theano._core.ops.control.scan_state import is_rows
from theano._core.ops.core.op import Op

STATES = ("mit_mot", "mit_sot", "sit_sot", "nit_sot", "shared")


class IfElse(metaclass=Kind):
    """Branches: those that users write, and those of compiled functions."""

    @classmethod
    def holds(cls, op: Op) -> bool:
        """Tell whether an operation is of this kind."""
        return isinstance(op, (engine.IfElse, engine.Branch))

    @classmethod
    def make(cls, *args: Any, **kwargs: object) -> Any:
        """Return the operation; the arguments are those of the engine's."""
        return engine.IfElse(*args, **kwargs)


def _roles(op: Loop) -> list[str]:
    """Return what Theano calls each state."""
    roles = []
    for state, value in zip(op.states, op.new_values, strict=True):
        if not is_rows(value):
            roles.append("shared")
        elif not state.taps:
            roles.append("nit_sot")
        else:
            roles.append("sit_sot" if tuple(state.taps) == (1,) else "mit_sot")
    return roles


def _count(*names: str) -> Callable[[Loop], int]:
    return lambda op: sum(_roles(op).count(name) for name in names)


def _taps(op: Loop) -> list[list[int]]:
    roles = _roles(op)
    return [
        [-tap for tap in state.taps]
        for name in ("mit_sot", "sit_sot")
        for state, own in zip(op.states, roles, strict=True)
        if own == name
    ]


def _output_types(op: Loop) -> list[Any]:
    def of(value: Any) -> Any:
        type_ = value.type
        return type_.clone(broadcastable=(False, *type_.broadcastable)) if is_rows(value) else type_

    return [of(value) for value in op.new_values]


def _step(op: Loop) -> Any:
    """Return a function that computes one step; programs look at its graph."""
    return function(list(op.inputs), list(op.outputs), on_unused_input="ignore", name=op.name)


def inner_function(op: OpFromGraph) -> Any:
    """Return a function that computes what the operation does."""
    return function(op.local_inputs, op.local_outputs, on_unused_input="ignore", name=op.name)


READ: dict[str, Callable[[Loop], Any]] = {
    "n_seqs": lambda op: op.n_sequences,
    "n_mit_mot": lambda op: 0,
    "n_mit_mot_outs": lambda op: 0,
    "mit_mot_out_slices": lambda op: [],
    "n_mit_sot": _count("mit_sot"),
    "n_sit_sot": _count("sit_sot"),
    "n_nit_sot": _count("nit_sot"),
    "n_shared_outs": _count("shared"),
    "n_outs": _count("mit_sot", "sit_sot"),
    "n_tap_outs": _count("mit_sot"),
    "tap_array": _taps,
    "mintaps": lambda op: [min(taps) for taps in _taps(op)],
    "output_types": _output_types,
    "truncate_gradient": lambda op: op.truncate,
    "as_while": lambda op: op.until,
    "mode": lambda op: None,
    "mode_instance": lambda op: Mode(),
    "profile": lambda op: False,
    "fn": _step,
    "allow_gc": lambda op: config.scan.allow_gc,
    "strict": lambda op: False,
    "gpua": lambda op: False,
    # The places of the first inputs of a node after the sequences, after the states that have
    # rows, and after what is shared.
    "seqs_arg_offset": lambda op: 1 + op.n_sequences,
    "shared_arg_offset": lambda op: 1 + op.n_sequences + _count("mit_sot", "sit_sot")(op),
    "nit_sot_arg_offset": lambda op: (
        1 + op.n_sequences + _count("mit_sot", "sit_sot", "shared")(op)
    ),
}
# Methods without arguments.
ASKED: dict[str, Callable[[Any], Any]] = {
    "mitmot_taps": lambda op: [],
    "mitmot_out_taps": lambda op: [],
    "mitsot_taps": lambda op: op.tap_array[: op.n_mit_sot],
    "get_oinp_iinp_iout_oout_mappings": lambda op: op.var_mappings,
}
# What Theano keeps in `op.info`.
INFO = (
    *("tap_array", "n_seqs", "n_mit_mot", "n_mit_mot_outs", "mit_mot_out_slices", "n_mit_sot"),
    *("n_sit_sot", "n_shared_outs", "n_nit_sot", "truncate_gradient", "name", "mode", "gpua"),
    *("as_while", "profile", "allow_gc", "strict"),
)


def _info(op: Loop) -> Info:
    info = Info((name, getattr(op, name)) for name in INFO)
    info.op = op
    return info


def _inner_inputs(op: Loop, inputs: Sequence[Variable], role: str) -> list[Any]:
    """Return those of the body's inputs that have a role."""
    position = {v: i for i, v in enumerate(op.body.inputs)}
    inner = op.inner
    if role in ("seqs", "non_seqs"):
        chosen = inner.sequences if role == "seqs" else inner.fixed
    else:
        roles = _roles(op)
        chosen = [v for k, t in zip(roles, inner.states, strict=True) if k == role for v in t]
    return [inputs[position[v]] for v in chosen]


def _outer_inputs(op: Loop, inputs: Any, role: str) -> list[Any]:
    """Return those inputs of a node that have a role."""
    operands = op.by_role(inputs.inputs if isinstance(inputs, Apply) else inputs, None)
    if role in ("seqs", "non_seqs"):
        return list(operands.sequences if role == "seqs" else operands.fixed)
    roles = _roles(op)
    return [v for k, v in zip(roles, operands.states, strict=True) if k == role and v is not None]


def _outputs(op: Loop, outputs: Any, role: str) -> list[Any]:
    """Return those outputs, of a node or of the body, that are states of a role."""
    values = outputs.outputs if isinstance(outputs, Apply) else outputs
    return [v for k, v in zip(_roles(op), values, strict=False) if k == role]


def _method(find: Callable[..., list[Variable]], role: str, what: str) -> Callable[..., list[Any]]:
    def method(op: Loop, values: object) -> list[Any]:
        return find(op, values, role)

    method.__doc__ = f"Return the {what} that Theano calls `{role}`."
    return method


def _loop_attributes() -> dict[str, Any]:
    read = {**READ, "info": _info, "var_mappings": var_mappings}
    attributes: dict[str, Any] = {name: property(each) for name, each in read.items()}
    attributes |= ASKED
    for role in ("seqs", *STATES, "non_seqs"):
        short = role.replace("_sot", "sot").replace("_mot", "mot")
        attributes[f"inner_{short}"] = _method(_inner_inputs, role, "inputs of the body")
        attributes[f"outer_{short}"] = _method(_outer_inputs, role, "inputs")
        if role in STATES:
            attributes[f"inner_{short}_outs"] = _method(_outputs, role, "results of a step")
            attributes[f"outer_{short}_outs"] = _method(_outputs, role, "outputs")
    return attributes


# Name → property or method.
LOOP_ATTRIBUTES = _loop_attributes()
# Where operations of a class keep the function that computes what is inside.
ops_with_inner_function: dict[type[Op], str] = {Loop: "fn", OpFromGraph: "fn"}
