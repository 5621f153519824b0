"""Graphs and functions that Theano 1.0.5 pickled, made anew of the operations of today.

An old operation arrives as an object of the class that has its name now, filled with the attributes
that it had; `_FORMS` says what it computed. Functions are compiled again from the expressions that
users wrote: what the old version had rewritten them to is not looked at.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pickle import UnpicklingError
from typing import Any, NoReturn
from weakref import WeakKeyDictionary

from theano._core.api.array.creation import arange
from theano._core.api.array.indexing import inc_subtensor, set_subtensor
from theano._core.api.array.shaping import reshape
from theano._core.api.conversion import as_tensor_variable, cast
from theano._core.api.graph.cloning import clone
from theano._core.api.ifelse import ifelse
from theano._core.api.scan.scan import scan
from theano._core.api.scan.step import until
from theano._core.base.settings import change_flags, config
from theano._core.compile.containers import Container
from theano._core.compile.inputs import In
from theano._core.compile.modes import Mode
from theano._core.compile.shared import SharedVariable
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Constant, Tag, Variable
from theano._core.legacy.compile_api import orig_function
from theano._core.legacy.ops.array_ops import Built
from theano._core.legacy.ops.slices import get_idx_list
from theano._core.legacy.scalar import ops as scalar_ops
from theano._core.legacy.scalar.elementwise import tensor_from_scalar
from theano._core.legacy.scalar.type import Scalar
from theano._core.legacy.user.op import Op as UserOp
from theano._core.ops.array.creation import join
from theano._core.ops.array.reductions import Reduction
from theano._core.ops.array.shaping import pattern_broadcast
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.core.op import Op
from theano._core.ops.nn.convolution import BaseAbstractConv
from theano._core.ops.nn.pooling import AveragePoolGrad, MaxPoolGrad, Pool, PoolOp
from theano._core.ops.random.numpy_streams import RandomFunction

State = Mapping[str, Any]
# What the outputs of an old node are now.
_made: WeakKeyDictionary[Apply, list[Any]] = WeakKeyDictionary()


def _refuse(operation: str) -> NoReturn:
    """Raise the error for an unknown operation in a pickle of Theano 1.0.5."""
    raise UnpicklingError(
        "this is a graph or function that Theano 1.0.5 or an older version pickled, and one of its "
        f"operations is not known here: {operation}. Build the graph again by the program that "
        "made it, and give its shared variables their values: in the old version, pickle "
        "`[v.get_value() for v in parameters]`."
    )


def restore_node(node: Apply, state: State) -> None:
    """Fill a node that is being unpickled from what Theano 1.0.5 wrote of it."""
    node.op, node.inputs, node.outputs = state["op"], list(state["inputs"]), list(state["outputs"])
    node.rules, node.source, node.tag = node.op, None, Tag(None)
    if "fgraph" in state or type(node.op) is OldPart:
        return  # part of a graph that was rewritten for a function
    missing = next((v for v in node.inputs if "type" not in vars(v)), None)
    if missing is None:
        _replace(node)
    else:
        # A stream that it draws from, which knows its state after that: it comes later.
        vars(missing).setdefault("readers", []).append(node)


def _replace(node: Apply) -> None:
    if all(isinstance(v.type, Scalar) for v in node.inputs) and node.inputs:
        # Inside a function of scalars that the old version made of several.
        if type(node.op).__name__ != "TensorFromScalar":
            return
    with change_flags(compute_test_value="off"):
        _made[node] = _applied(node.op, node.inputs)
    for output in node.outputs:
        if vars(output).get("owner") is node:
            restore_output(output)


def restore_output(variable: Variable) -> None:
    """Make a variable that is being unpickled the output of a node of today."""
    for reader in vars(variable).pop("readers", ()):
        _replace(reader)
    if variable.owner is None:
        return
    made = _made.get(variable.owner)
    if made is None or variable.index is None:
        return  # its node comes later
    value, type_ = made[variable.index], variable.type
    if isinstance(type_, TensorType) and value.type != type_:
        value = pattern_broadcast(cast(value, type_.dtype), type_.broadcastable)
    if value.owner is None or value.owner.outputs[value.index] is not value:
        # What was an operation is an input, or an output that has a name already.
        value = _identity(value)
    variable.type, variable.owner, variable.index = value.type, value.owner, value.index
    value.owner.outputs[value.index] = variable


def _identity(value: Variable) -> Any:
    return scalar_ops.elementwise(scalar_ops.OPS["identity"])(value)


def _applied(op: object, inputs: Sequence[Variable]) -> list[Any]:
    """Return the outputs of an old operation."""
    cls = type(op)
    form = _forms().get(cls)
    if form is not None:
        outputs = form(vars(op), inputs)
    elif isinstance(op, UserOp) and UserOp in cls.__mro__:
        outputs = op.make_node(*inputs).outputs
    elif Op in cls.__mro__ or Built in cls.__mro__:
        outputs = _with_its_options(cls, vars(op))(*inputs)
    else:
        _refuse(cls.__name__)
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]


def _with_its_options(cls: type, state: State) -> Any:
    """Return an operation whose options are attributes under their names, as they were."""
    names = getattr(cls, "options", None)
    if issubclass(cls, BaseAbstractConv):
        names = {*inspect.signature(BaseAbstractConv).parameters} - {"convdim"}
    elif names is None:
        names = inspect.signature(cls).parameters
    return cls(**{name: state[name] for name in names if name in state})


# -- what old operations computed ------------------------------------------------------------------


def _elementwise(state: State, inputs: Sequence[Variable]) -> Any:
    old = state["scalar_op"]
    name = type(old).__name__
    if name == "Cast":
        return cast(inputs[0], old.o_type.dtype)
    cls = scalar_ops.CLASSES.get(name)
    if cls is None:
        _refuse(f"Elemwise of {name}")
    options = (old.openlow, old.openhi) if name == "InRange" else ()
    return scalar_ops.elementwise(cls(*options))(*inputs)


_REDUCTIONS = {
    "Add": "sum",
    "Mul": "prod",
    "Maximum": "max",
    "Minimum": "min",
    "OR": "any",
    "AND": "all",
}


def _reduction(state: State, inputs: Sequence[Variable]) -> Any:
    name = type(state["scalar_op"]).__name__
    if name not in _REDUCTIONS:
        _refuse(f"CAReduce of {name}")
    dtypes = state.get("dtype"), state.get("acc_dtype")
    return Reduction(_REDUCTIONS[name], state["axis"], *dtypes)(inputs[0])


def _index(state: State, inputs: Sequence[Variable]) -> tuple[Any, ...]:
    """Return an index, the parts of which that vary are `inputs`."""

    def part(value: Variable) -> Any:
        if isinstance(value, Constant):
            return int(value.data)
        return tensor_from_scalar(value) if isinstance(value.type, Scalar) else value

    return get_idx_list([None, *map(part, inputs)], state["idx_list"])  # type: ignore[list-item]


def _written(state: State, x: Variable, y: Variable, index: object) -> Any:
    write = set_subtensor if state["set_instead_of_inc"] else inc_subtensor
    return write(as_tensor_variable(x)[index], y)


def _entries(inputs: Sequence[Variable]) -> tuple[Any, ...]:
    """Return an index whose parts are variables, some of them known slices or None."""
    return tuple(v.data if isinstance(v, Constant) and v.type.ndim is None else v for v in inputs)


class _Parts:
    """The inputs of an old loop, or of a step of it, by what they are: see `_STATES`.

    Parameters
    ----------
    state
        The attributes of the loop.
    values : sequence
    """

    def __init__(self, state: State, values: Sequence[Variable], in_step: bool) -> None:
        written, taps = _taps(state)
        rest = iter(values)
        take = lambda count: [next(rest) for _ in range(count)]
        self.sequences = take(state["n_seqs"])
        self.written = take(len(written))
        self.states = take(sum(map(len, taps)) if in_step else len(taps))
        if not in_step:
            self.shared = take(state["n_shared_outs"])
            take(state["n_nit_sot"])
        self.fixed = list(rest)


def _taps(state: State) -> tuple[list[Any], list[Any]]:
    """Return what a step reads of arrays that it writes to, and of the states before it."""
    taps, count = [list(taps) for taps in state["tap_array"]], state["n_mit_mot"]
    return taps[:count], taps[count:]


def _scan(state: State, inputs: Sequence[Variable]) -> list[Any]:
    """Return what a loop returned: for each state the values before the first step, too."""
    outer, (_, taps) = _Parts(state, inputs[1:], False), _taps(state)
    if not all(isinstance(v, SharedVariable) for v in outer.shared):
        _refuse("Scan over a stream that is no shared variable")
    starts = [buffer[: -min(own)] for buffer, own in zip(outer.states, taps, strict=True)]
    infos: list[Any] = [{"initial": array} for array in outer.written]
    for start, own in zip(starts, taps, strict=True):
        infos.append({"initial": start[0] if own == [-1] else start, "taps": own})
    # Where a step writes to an array depends on its number.
    numbers = [arange(inputs[0])] if outer.written else []
    outputs, updates = scan(
        lambda *own: _step(state, outer, own),
        [{"input": sequence, "taps": [0]} for sequence in (*numbers, *outer.sequences)],
        infos + [None] * state["n_nit_sot"],
        outer.fixed,
        inputs[0],
        truncate_gradient=state["truncate_gradient"],
        name=state["name"],
        return_list=True,
        strict=not outer.shared,
    )
    count = len(outer.written)
    arrays, outputs = [rows[-1] for rows in outputs[:count]], outputs[count:]
    whole = [join(0, start, rows) for start, rows in zip(starts, outputs, strict=False)]
    return [*arrays, *whole, *outputs[len(starts) :], *(updates[v] for v in outer.shared)]


def _step(state: State, outer: _Parts, own: Sequence[Variable]) -> Any:
    """Return the results, and the new values of shared variables, of a step of an old loop."""
    number, own = (own[0], own[1:]) if outer.written else (None, own)
    inner, (read, taps) = _Parts(state, own, True), _taps(state)
    # The rows of an array that a step reads and writes are counted from the first that it reads.
    at = lambda row, taps: row - min(taps) + number
    items = [
        array[at(row, taps)]
        for array, taps in zip(inner.written, read, strict=True)
        for row in taps
    ]
    values = [*inner.sequences, *items, *inner.states, *outer.shared, *inner.fixed]
    results = iter(
        clone(state["outputs"], dict(zip(state["inputs"], values, strict=True)), strict=False)
    )
    arrays = []
    for array, taps_read, rows in zip(
        inner.written, read, state["mit_mot_out_slices"], strict=True
    ):
        for row in rows:
            array = set_subtensor(array[at(row, taps_read)], next(results))
        arrays.append(array)
    new = [*arrays, *(next(results) for _ in range(len(taps) + state["n_nit_sot"]))]
    updates = {variable: next(results) for variable in outer.shared}
    return (new, updates, until(next(results))) if state["as_while"] else (new, updates)


def _pooled(cls: type[PoolOp], state: State, inputs: Sequence[Variable]) -> Any:
    if "ds" in state:  # before 0.9 the operation held what are inputs now
        inputs = [
            *inputs,
            state["ds"],
            state.get("st") or state["ds"],
            state.get("padding", (0, 0)),
        ]
    return _with_its_options(cls, state)(*inputs)


def _branches(state: State, inputs: Sequence[Variable]) -> Any:
    condition, *values = inputs
    count = state["n_outs"]
    return ifelse(condition, values[:count], values[count:], state.get("name"))


# Module → class → what it computed, from its attributes and inputs; a string calls that function of
# the module with the inputs.
_FORMS: dict[str, dict[str, Callable[[State, Sequence[Variable]], Any] | str]] = {
    "theano.compile.ops": {
        "DeepCopyOp": lambda s, x: x[0],
        "OutputGuard": lambda s, x: x[0],
        "Rebroadcast": lambda s, x: pattern_broadcast(
            x[0], [s["axis"].get(i, one) for i, one in enumerate(x[0].type.broadcastable)]
        ),
        "Shape": lambda s, x: x[0].shape,
        "Shape_i": lambda s, x: x[0].shape[s["i"]],
        "ViewOp": lambda s, x: x[0],
    },
    "theano.ifelse": {"IfElse": _branches},
    "theano.scan_module.scan_op": {"Scan": _scan},
    "theano.tensor.basic": {
        "Alloc": "alloc",
        "AllocEmpty": lambda s, x: _called("theano.tensor", "AllocEmpty")(s["dtype"])(*x),
        "Flatten": lambda s, x: x[0].flatten(s["outdim"]),
        "Reshape": lambda s, x: reshape(x[0], x[1], s["ndim"]),
    },
    "theano.tensor.elemwise": {
        "All": _reduction,
        "Any": _reduction,
        "CAReduce": _reduction,
        "CAReduceDtype": _reduction,
        "DimShuffle": lambda s, x: dimshuffle(x[0], list(s["new_order"])),
        "Elemwise": _elementwise,
        "Prod": _reduction,
        "Sum": _reduction,
    },
    "theano.tensor.signal.pool": {
        cls.__name__: partial(_pooled, cls) for cls in (AveragePoolGrad, MaxPoolGrad, Pool)
    },
    "theano.tensor.subtensor": {
        "AdvancedIncSubtensor": lambda s, x: _written(s, x[0], x[1], _entries(x[2:])),
        "AdvancedIncSubtensor1": lambda s, x: _written(s, x[0], x[1], x[2]),
        "AdvancedSubtensor": lambda s, x: x[0][_entries(x[1:])],
        "AdvancedSubtensor1": lambda s, x: x[0][x[1]],
        "IncSubtensor": lambda s, x: _written(s, x[0], x[1], _index(s, x[2:])),
        "Subtensor": lambda s, x: x[0][_index(s, x[1:])],
    },
}


def _called(module: str, name: str) -> Any:
    return getattr(importlib.import_module(module), name)


_by_class: dict[Any, Any] = {}


def _forms() -> dict[Any, Any]:
    """Return `_FORMS` by class."""
    if not _by_class:
        for module, forms in _FORMS.items():
            for name, form in forms.items():
                if isinstance(form, str):
                    function = _called(module, form)
                    form = lambda state, inputs, function=function: function(*inputs)
                _by_class[_called(module, name)] = form
    return _by_class


# -- functions -------------------------------------------------------------------------------------


def restored_function(
    maker: OldPart | None,
    input_storage: Sequence[Container],
    inputs_data: Sequence[object],
    trust_input: bool = False,
) -> Any:
    """Return a function that Theano 1.0.5 pickled, compiled anew; None if settings say so.

    Parameters
    ----------
    maker
        What the function was made from.
    input_storage : sequence of Container
        For each input its value: shared variables, and what the function keeps by itself.
    inputs_data : sequence
        The values alone.
    trust_input : bool
        Whether arguments are passed on as they are.
    """
    if not config.unpickle_function or maker is None:
        return None
    state = vars(maker)
    inputs = [
        _restored_input(spec, storage)
        for spec, storage in zip(state["inputs"], input_storage, strict=True)
    ]
    outputs: Any = [out.variable for out in state["outputs"]]
    if state.get("return_none"):
        outputs = None
    elif state.get("unpack_single") and len(outputs) == 1:
        outputs = outputs[0]
    function = orig_function(
        inputs,
        outputs,
        state["mode"],
        state.get("accept_inplace", False),
        state.get("name"),
        on_unused_input="ignore",
        output_keys=state.get("output_keys"),
    )
    function.trust_input = trust_input
    return function


def _restored_input(spec: In, storage: Container) -> Any:
    state = vars(spec)
    if isinstance(spec.variable, SharedVariable):
        return spec
    names = ("variable", "name", "update", "mutable", "strict", "allow_downcast", "borrow")
    options: dict[str, Any] = {name: state.get(name) for name in names}
    return In(**options, value=getattr(storage, "data", storage))


def restored_maker(state: State) -> Any:
    """Return what older versions pickled of a function; None if settings say so."""
    if not config.unpickle_function:
        return None
    maker = OldPart()
    outputs = state["outputs"]
    maker.__dict__.update(state, unpack_single=not isinstance(outputs, (list, tuple)))
    maker.__dict__["outputs"] = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    return maker


class OldPart:
    """Part of the functions in pickles of Theano 1.0.5 that nothing here needs."""

    def __new__(cls, *args: object) -> Any:
        """Return an object without attributes."""
        return object.__new__(cls)

    def __setstate__(self, state: object) -> None:
        pass


def set_draw_state(op: RandomFunction, state: State | Sequence[Any]) -> None:
    """Fill a random function that is being unpickled; very old versions wrote its arguments."""
    if isinstance(state, (list, tuple)):
        op.__init__(*state)
    else:
        op.__dict__.update(state)


def set_mode_state(mode: Mode, state: State | tuple[object, object]) -> None:
    """Fill a mode that is being unpickled; Theano 1.0.5 wrote its linker and its query."""
    if isinstance(state, tuple):
        # A query has sets of that version, which keep their items as keys.
        included = getattr(state[1], "include", None)
        tags = () if included is None else vars(included).get("_OrderedSet__map", ())
        state = vars(type(mode)(optimizer="fast_compile" if "fast_compile" in tags else "default"))
    mode.__dict__.update(state)
