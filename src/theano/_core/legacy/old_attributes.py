"""Attributes that programs look at, of operations, functions and what makes these.

`PATCHES` of `legacy.patches` gives them to classes of the engine, which use none of them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from theano._core.base.settings import config
from theano._core.compile.maker import FunctionMaker
from theano._core.compile.modes import Mode
from theano._core.compile.storage_views import ContainerView, NodeThunk, Thunk
from theano._core.ir.variable import Apply, Constant, Type, Variable
from theano._core.legacy.user.op import Op as UserOp
from theano._core.ops.array.creation import Join
from theano._core.ops.array.indexing import IncSubtensor
from theano._core.ops.array.reductions import Reduction
from theano._core.ops.array.shaping import Length
from theano._core.ops.core.op import Op
from theano._core.ops.elementwise.elementwise import Elementwise
from theano._core.ops.linalg.systems import Cholesky, Solve
from theano._core.runtime.native import Function

# NumPy's names of operations that variables answer in their own way.
_COMPARED = {
    "eq": "equal",
    "ge": "greater_equal",
    "gt": "greater",
    "le": "less_equal",
    "lt": "less",
    "mod": "mod",
    "neq": "not_equal",
}
_COMBINED = {"and_": "logical_and", "mul": "multiply", "or_": "logical_or"}


def _make_thunk(
    op: Op,
    node: Apply,
    storage_map: Mapping[Variable, list[Any]],
    compute_map: Mapping[Variable, list[bool]] | None = None,
    no_recycling: Sequence[object] = (),
    impl: str | None = None,
) -> NodeThunk:
    """Return a function without arguments that computes the outputs in `storage_map`."""
    return NodeThunk(node, storage_map, compute_map)


def _get_params(op: Op, node: Apply) -> Any:
    """Return what `perform` gets as `params`."""
    return UserOp.get_params(op, node)  # type: ignore[arg-type]


def _prepare_node(op: Op, node: Apply, storage_map: object, compute_map: object, impl: str) -> None:
    """Do what must be done once before a node is computed: nothing."""


def _props_dict(op: Op) -> dict[str, Any]:
    """Return what an operation was made with, by name: `type(op)(**op._props_dict())` is its equal.

    That holds for classes that have `__props__`, in the order in which they take them.
    """
    return {name: getattr(op, name) for name in op.__props__} or dict(getattr(op, "options", {}))


def _props(op: Op) -> tuple[Any, ...]:
    """Return what an operation was made with."""
    return tuple(op._props_dict().values())  # type: ignore[attr-defined]


# Name → method of every operation; those of users have their own.
OPERATION_METHODS: dict[str, Callable[..., Any]] = {
    "_props": _props,
    "_props_dict": _props_dict,
    "add_tag_trace": lambda op, thing, user_line=None: thing,
    "do_constant_folding": lambda op, node: True,
    "get_params": _get_params,
    "make_py_thunk": _make_thunk,
    "make_thunk": _make_thunk,
    "prepare_node": _prepare_node,
}


@functools.cache
def _numpy_names() -> dict[int, str]:
    """Return NumPy's names of operations."""
    # Few programs ask for them.
    from theano._core.api.variable.numpy_functions import UFUNCS

    return {id(ours): name for name, ours in reversed(UFUNCS.items())}


def _nfunc_spec(op: Any) -> tuple[str, int, int] | None:
    """Return NumPy's name for an elementwise operation, and how many operands and results it has.

    None where NumPy has no such function.
    """
    name = _numpy_names().get(id(op)) or _COMPARED.get(op.name, "")
    function = getattr(np, name, None)
    return None if function is None else (name, function.nin, function.nout)


def _nfunc(op: Op) -> Any:
    """Return NumPy's function for an elementwise operation, or None."""
    spec = _nfunc_spec(op)
    return None if spec is None else getattr(np, spec[0])


def _combined_by(op: Reduction) -> Any:
    """Return NumPy's function by which a reduction reduces."""
    name = op.reducer.combine
    return getattr(np, _COMBINED.get(name, name), None)


def _required(maker: FunctionMaker) -> list[bool]:
    """Return for each input whether a call must give it."""
    return [spec.value is None for spec in maker.inputs]


def _refeed(maker: FunctionMaker) -> list[bool]:
    """Return for each input whether its default value is put back after a call."""
    return [
        spec.value is not None and spec.update is None and not spec.implicit
        for spec in maker.inputs
    ]


def _finder(function: Any) -> dict[Any, Any]:
    """Return the containers of a function's inputs by position, variable and name."""
    view, maker = ContainerView(function), function.maker
    containers: dict[Any, Any] = dict(enumerate(maker.containers))
    containers |= dict(zip(maker.all_inputs, maker.containers, strict=False))
    names = [spec.name for spec in maker.inputs]
    # A name that several have is a name of none.
    containers |= {name: view[name] for name in names if name and names.count(name) == 1}
    return containers


def _counted(thunk: Thunk) -> list[int]:
    """Return how often each of `nodes` ran, where calls are profiled."""
    counts = getattr(thunk.profile, "apply_callcount", {})
    return [counts.get(node, 0) for node in thunk.nodes]


def _timed(thunk: Thunk) -> list[float]:
    """Return how long each of `nodes` ran in seconds, where calls are profiled."""
    times = getattr(thunk.profile, "apply_time", {})
    return [times.get(node, 0.0) for node in thunk.nodes]


def _allows_gc(thunk: Thunk) -> bool:
    """Whether memory is freed during a call; the memory plan decides, whatever is set."""
    return thunk.options.get("allow_gc", config.allow_gc)


def _clear_storage(thunk: Thunk) -> None:
    """Empty the storage of what is computed."""
    for variable, cell in thunk.storage_map.items():
        if variable.owner is not None:
            cell[0] = None


def _value_validity_msg(kind: Type, value: object) -> str:
    """Return why a value is none of the type, as far as that is known."""
    try:
        kind.filter(value, True)
    except Exception as error:
        return str(error)
    return "value is valid"


def _query(mode: Mode) -> object:
    """Return which rewrites a mode has run."""
    from theano._core.legacy.optimizers.optdb import Query

    asked = mode.selection
    return Query(asked.included, None, asked.excluded, extra_optimizations=asked.extra)


def _set_query(mode: Mode, query: object) -> None:
    mode.included = mode.excluded = frozenset()
    mode.level = mode._read(query)


_NODE_ATTRIBUTES = {
    "params_type": property(lambda node: getattr(node.op, "params_type", None)),
    "run_params": lambda node: None,
}
ATTRIBUTES: tuple[tuple[type, str, Any], ...] = (
    *((Apply, name, value) for name, value in _NODE_ATTRIBUTES.items()),
    (Cholesky, "destructive", False),
    (Constant, "merge_signature", lambda constant: constant.signature()),
    (Elementwise, "nfunc", property(_nfunc)),
    (Elementwise, "nfunc_spec", property(_nfunc_spec)),
    (Elementwise, "openmp", False),
    (Elementwise, "python_constant_folding", lambda op, node: True),
    (Elementwise, "ufunc", property(_nfunc)),
    (Function, "finder", property(_finder)),
    (Function, "nodes_with_inner_function", ()),
    (Function, "pickle_aliased_memory_strategy", "warn"),
    (FunctionMaker, "accept_inplace", False),
    (FunctionMaker, "indices", property(lambda maker: [[s, None, [s]] for s in maker.inputs])),
    (FunctionMaker, "on_unused_input", property(lambda maker: config.on_unused_input)),
    (
        FunctionMaker,
        "output_keys",
        property(lambda maker: list(maker.result) if isinstance(maker.result, tuple) else None),
    ),
    (FunctionMaker, "refeed", property(_refeed)),
    (FunctionMaker, "required", property(_required)),
    (FunctionMaker, "return_none", property(lambda maker: maker.result == "nothing")),
    (FunctionMaker, "unpack_single", property(lambda maker: maker.result == "single")),
    (IncSubtensor, "destroyhandler_tolerate_aliased", ()),
    (Join, "view", -1),
    (Length, "i", property(lambda op: op.axis)),
    (Mode, "_optimizer", property(_query, _set_query)),
    (Mode, "call_time", 0.0),
    (Mode, "fn_time", 0.0),
    (Mode, "get_linker_optimizer", lambda mode, linker, optimizer: (linker, optimizer)),
    (Reduction, "ufunc", property(_combined_by)),
    *((Solve, name, False) for name in ("overwrite_A", "overwrite_b")),
    (Thunk, "allow_gc", property(_allows_gc, lambda thunk, to: thunk.options.update(allow_gc=to))),
    (Thunk, "call_counts", property(_counted)),
    (Thunk, "call_times", property(_timed)),
    (Thunk, "clear_storage", _clear_storage),
    (Thunk, "need_update_inputs", False),
    (Thunk, "position_of_error", -1),
    (Thunk, "time_thunks", property(lambda thunk: bool(thunk.profile))),
    (Thunk, "update_profile", lambda thunk, profile: None),
    (Type, "value_validity_msg", _value_validity_msg),
)
