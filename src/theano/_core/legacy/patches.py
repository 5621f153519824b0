"""Attributes of Theano 1.0.5 that old programs ask of the engine's operations, types and modes.

`PATCHES` is all of them, and nothing in the engine uses one.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.api.array import creation
from theano._core.api.conversion import get_scalar_constant_value
from theano._core.api.graph.op_from_graph import OpFromGraph
from theano._core.base.errors import NotScalarConstantError
from theano._core.compile.maker import FunctionMaker
from theano._core.compile.modes import Mode
from theano._core.ir import hooks
from theano._core.ir.function_graph import FunctionGraph
from theano._core.ir.hooks import extend
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Tag, Type, Variable
from theano._core.legacy import homes
from theano._core.legacy.graphs.traces import Trace
from theano._core.legacy.old_attributes import ATTRIBUTES, OPERATION_METHODS
from theano._core.legacy.ops.scan_arguments import make_loop, make_node
from theano._core.legacy.ops.slices import get_idx_list
from theano._core.legacy.scalar.type import KnownIndex, Scalar, get_scalar_type
from theano._core.legacy.user.expressed import pulled_back, pushed_forward
from theano._core.ops.array.broadcasting import Alloc
from theano._core.ops.array.index_form import SYMBOL, Slice
from theano._core.ops.array.indexing import (
    AdvancedIncSubtensor,
    AdvancedSubtensor,
    IncSubtensor,
    Subtensor,
)
from theano._core.ops.array.products import Gemm
from theano._core.ops.array.reductions import Reduction
from theano._core.ops.array.shaping import Rebroadcast
from theano._core.ops.control.branch import Branch, IfElse
from theano._core.ops.control.scan import Loop
from theano._core.ops.core.dimshuffle import DimShuffle
from theano._core.ops.core.fill import Second
from theano._core.ops.core.op import Op
from theano._core.ops.elementwise.elementwise import Elementwise
from theano._core.ops.random.numpy_streams import RandomFunction

if TYPE_CHECKING:
    from theano._core.ir.annotations import Dims


def _perform(
    op: Op, node: Apply, inputs: Sequence[Any], output_storage: Any, params: object = None
) -> None:
    """Put the outputs for `inputs` into `output_storage[i][0]`."""
    values = op.compute(np, node, *inputs)
    for out, cell, value in zip(node.outputs, output_storage, values, strict=True):
        cell[0] = np.asarray(value) if isinstance(out.type, TensorType) else value


def _infer_shape(op: Op, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
    """Return the lengths of each output; of those that the values decide, of the output itself."""
    output_shapes = op.shape(node, shapes)
    return [
        tuple(out.shape[i] if n is None else n for i, n in enumerate(shape))
        for out, shape in zip(node.outputs, output_shapes, strict=True)
    ]


def _connection_pattern(op: Op, node: Apply) -> list[list[bool]]:
    """Return for each input which outputs depend on it, as far as gradients go."""
    return op.connection(node)


def _grad(op: Op, inputs: Sequence[Variable], output_grads: Sequence[Variable]) -> list[Any]:
    """Return the gradient with respect to each input."""
    # Called, it takes more operands than a node has, as `add` does.
    return pulled_back(lambda *own: op(*own, return_list=True), inputs, None, output_grads)


def _l_op(
    op: Op,
    inputs: Sequence[Variable],
    outputs: Sequence[Variable],
    output_grads: Sequence[Variable],
) -> list[Any]:
    """Return the gradient with respect to each input, given what the operation made of them."""
    node = outputs[0].owner
    again = lambda *own: Apply(op, own, [out.type() for out in node.outputs]).outputs
    return pulled_back(again, node.inputs, outputs, output_grads)


def _r_op(op: Op, inputs: Sequence[Variable], eval_points: Sequence[Variable | None]) -> list[Any]:
    """Return the derivative of each output along `eval_points`, None for what is not varied."""
    node = op.make_node(*inputs)
    again = lambda *own: node.clone_with_new_inputs(list(own)).outputs
    return pushed_forward(again, node.inputs, eval_points)


class _Cached:
    """An attribute that is made when it is first asked for."""

    def __init__(self, name: str, make: Callable[[FunctionMaker], Any]) -> None:
        self.name, self.make = name, make

    def __get__(self, instance: FunctionMaker, cls: type) -> Any:
        return vars(instance).setdefault(self.name, self.make(instance))


def _offered(graph: FunctionGraph, name: str) -> Any:
    """Return what `ReplaceValidate` gives graphs, which all had in Theano: it is attached then."""
    from theano._core.legacy.optimizers.toolbox import ReplaceValidate

    if name in ReplaceValidate.methods:
        graph.attach_feature(ReplaceValidate())
    if name not in vars(graph):
        raise AttributeError(f"{type(graph).__name__!r} object has no attribute {name!r}")
    return vars(graph)[name]


def _shown_graph(maker: FunctionMaker) -> Any:
    from theano._core.legacy.shown_graph import shown_graph

    return shown_graph(maker)


def _linker(mode: Mode) -> Any:
    from theano._core.legacy.linkers import linker_of

    return linker_of(mode)


def _linker_with_graph(maker: FunctionMaker) -> Any:
    """Return the linker of the mode of a function, with its graph; what was named is a copy."""
    linker = _linker(maker.mode)
    if not hasattr(linker, "accept"):
        return linker
    own = linker if linker is maker.mode.provided_linker else copy(linker)
    return own.accept(maker.fgraph)  # type: ignore[attr-defined]


def _optimizer(mode: Any) -> Any:
    from theano._core.legacy.optimizers.optdb import WholeOfMode

    return WholeOfMode(mode)


METHODS: dict[str, Callable[..., Any]] = {
    "L_op": _l_op,
    "R_op": _r_op,
    "connection_pattern": _connection_pattern,
    "grad": _grad,
    "infer_shape": _infer_shape,
    "perform": _perform,
}


# Those that programs also put on an operation alone.
PUT = ("L_op", "R_op")


class _Inherited:
    """A method of `METHODS` where classes of users look for what they derive from has.

    `super().grad(…)` and `Solve.perform(op, …)` are what the engine does without their own.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, op: Any, cls: type[Op]) -> Any:
        from theano._core.legacy.user.op import Op as UserOp

        # What operations of users lack, `hasattr` is to say.
        if UserOp in cls.__mro__:
            raise AttributeError(f"type object {cls.__name__!r} has no attribute {self.name!r}")
        method = METHODS[self.name]
        if op is None:
            return lambda op, *arguments: method(_as(cls, op), *arguments)
        line = cls.__mro__[: cls.__mro__.index(Op)]
        own = [place for place, each in enumerate(line, 1) if self.name in vars(each)]
        return method.__get__(_as(cls.__mro__[own[-1]], op) if own else op)


class _Put(_Inherited):
    """One that programs also put on an operation alone: `T.exp.R_op = f`."""

    def __get__(self, op: Any, cls: type[Op]) -> Any:
        return getattr(op, "__dict__", {}).get(self.name) or super().__get__(op, cls)

    def __set__(self, op: Op, function: Callable[..., Any] | None) -> None:
        from theano._core.legacy.user.derived import put_on

        put_on(op, self.name, function, PUT)

    def __delete__(self, op: Op) -> None:
        self.__set__(op, None)


def _as(cls: type[Op], op: Op) -> Op:
    """Return an operation as one of a class that its own is derived from."""
    if type(op) is cls:
        return op
    base = object.__new__(cls)
    vars(base).update(vars(op))
    return base


def _old_attribute(op: Op, name: str) -> Any:
    attribute = METHODS.get(name) or OPERATION_METHODS.get(name)
    if attribute is None and isinstance(op, (Loop, OpFromGraph)):
        from theano._core.legacy.ops import scan_attributes as of

        attributes = (
            of.LOOP_ATTRIBUTES if isinstance(op, Loop) else {"fn": property(of.inner_function)}
        )
        attribute = attributes.get(name)
    if name == "view_map" and op.is_view:
        return {0: [0]}
    if name == "destroy_map" and "overwrites" in vars(op):
        return {0: [vars(op)["overwrites"]]}
    if attribute is None:
        raise AttributeError(f"{type(op).__name__!r} object has no attribute {name!r}")
    return attribute.__get__(op)


def _derived(cls: type[Op], **options: object) -> None:
    """Adapt a class that a user derives from an operation."""
    super(Op, cls).__init_subclass__(**options)
    if not homes.settled(cls):
        from theano._core.legacy.user.derived import adopt

        adopt(cls)


def _settling(base: type) -> Any:
    def made(cls: type, **options: object) -> None:
        super(base, cls).__init_subclass__(**options)  # type: ignore[misc]
        homes.settled(cls)

    return classmethod(made)


def _idx_list(op: Any) -> tuple[Any, ...]:
    """Return the index: types of integers, and slices of them."""

    def entry(part: Any) -> Any:
        if isinstance(part, Slice):
            return slice(*(entry(p) for p in part))
        if isinstance(part, int):
            return KnownIndex(part)
        return Scalar("int64") if part == SYMBOL else part

    return tuple(entry(part) for part in op.index)


def _get_constant_idx(
    op: Any,
    inputs: Sequence[Any],
    allow_partial: bool = False,
    only_process_constants: bool = False,
    elemwise: bool = True,
) -> list[Any]:
    """Return the index as integers and slices of them.

    With `allow_partial`, parts that are not known stay variables; else NotScalarConstantError.
    """

    def as_constant(part: Any) -> Any:
        if isinstance(part, slice):
            return slice(as_constant(part.start), as_constant(part.stop), as_constant(part.step))
        if part is None:
            return None
        try:
            return int(get_scalar_constant_value(part, elemwise, only_process_constants))
        except NotScalarConstantError:
            if allow_partial:
                return part
            raise

    return [as_constant(part) for part in get_idx_list(inputs, op.idx_list)]


def _places(values: Sequence[object], value: object) -> list[int]:
    return [place for place, each in enumerate(values) if each == value]


def _inplace_pattern(op: Op) -> dict[int, int]:
    """Return which input the output overwrites, if old programs asked for that."""
    first = vars(op).get("overwrites")
    return {} if first is None else {0: first}


def _get_shape_info(type_: TensorType, obj: Any) -> tuple[int, ...]:
    """Return what `get_size` needs to tell how much memory the array `obj` takes."""
    return obj.shape


def _get_size(type_: TensorType, shape_info: Sequence[int]) -> int:
    """Return the size of an array in bytes, from what `get_shape_info` returned."""
    return math.prod(shape_info) * type_.numpy_dtype.itemsize


def _dtype_specs(type_: TensorType) -> tuple[type, str, str]:
    """Return the Python type of an item, its type in C, and the name of its number in NumPy."""
    python = {"b": bool, "f": float, "c": complex}.get(type_.numpy_dtype.kind, int)
    in_c = "theano" if python is complex else "npy"
    return python, f"{in_c}_{type_.dtype}", f"NPY_{type_.dtype.upper()}"


def _scalar_operation(name: str) -> Any:
    # Scalar operations are made when they are first asked for.
    return getattr(importlib.import_module("theano._core.legacy.scalar.ops"), name)


def _of_old_graphs(name: str) -> Any:
    # Few programs have pickles of the old version.
    return getattr(importlib.import_module("theano._core.legacy.old_graphs"), name)


hooks.restore_old_node.fill(lambda *arguments: _of_old_graphs("restore_node")(*arguments))
hooks.restore_old_output.fill(lambda *arguments: _of_old_graphs("restore_output")(*arguments))


def _equal_or_asked(op: Op, other: object) -> Any:
    """Tell whether two operations are equal; what is none of the engine's is asked instead."""
    return Op.__eq__(op, other) if isinstance(other, Op) else NotImplemented


def _is_alloc(op: Op, other: object) -> bool:
    """Tell whether an operation is the one that Theano had as `tensor.alloc`, a function here."""
    return other is creation.alloc or Op.__eq__(op, other)


def _is_branch(op: Branch, other: object) -> bool:
    """Tell whether a branch of a compiled function is what `IfElse` of as many values became."""
    if isinstance(other, IfElse):
        return other.n_outs == len(op.then.outputs)
    return Op.__eq__(op, other)


_int64 = get_scalar_type("int64")


@hooks.index_constant.fill
def _index_constant(value: int) -> Any:
    return _int64.make_constant(value)


class _OfClass:
    """An attribute of a class, and of its instances, under another name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, instance: object, cls: type) -> Any:
        return getattr(cls, self.name)


WRITES = (IncSubtensor, AdvancedIncSubtensor)
PATCHES: tuple[tuple[type, str, Any], ...] = (
    # Asked for only where an operation has no attribute of the name: a method would hide from
    # `hasattr` what the operations of users lack.
    (Op, "__getattr__", _old_attribute),
    *((Op, name, (_Put if name in PUT else _Inherited)(name)) for name in METHODS),
    (Op, "__init_subclass__", classmethod(_derived)),
    *((kind, "__init_subclass__", _settling(kind)) for kind in (Type, Variable)),
    *((kind, "idx_list", property(_idx_list)) for kind in (Subtensor, IncSubtensor)),
    (Subtensor, "get_constant_idx", _get_constant_idx),
    *((kind, "set_instead_of_inc", property(lambda op: op.assign)) for kind in WRITES),
    *((kind, "inplace", property(lambda op: "overwrites" in vars(op))) for kind in WRITES),
    *ATTRIBUTES,
    (Tag, "trace", Trace()),
    (Type, "Variable", _OfClass("variable_class")),
    (Type, "Constant", _OfClass("constant_class")),
    (Apply, "nin", property(lambda node: len(node.inputs))),
    (Apply, "nout", property(lambda node: len(node.outputs))),
    (DimShuffle, "inplace", True),
    (DimShuffle, "shuffle", property(lambda op: [a for a in op.new_order if a != "x"])),
    (DimShuffle, "augment", property(lambda op: _places(op.new_order, "x"))),
    (DimShuffle, "drop", property(lambda op: list(op.dropped))),
    (Reduction, "no_zeros_in_input", False),
    (AdvancedSubtensor, "sparse_grad", False),
    (Elementwise, "inplace_pattern", property(_inplace_pattern)),
    (
        Elementwise,
        "destroy_map",
        property(lambda op: {out: [i] for out, i in _inplace_pattern(op).items()}),
    ),
    # The operation as a function of scalars.
    (Elementwise, "scalar_op", property(lambda op: _scalar_operation("scalar_op_of")(op))),
    (Second, "scalar_op", property(lambda op: _scalar_operation("OPS")["second"])),
    (Second, "inplace_pattern", {}),
    # There it copied its input.
    (Alloc, "view_map", {}),
    (Reduction, "scalar_op", property(lambda op: _scalar_operation("OPS")[op.reducer.combine])),
    (Rebroadcast, "axis", property(lambda op: dict(enumerate(op.pattern)))),
    (TensorType, "filter_checks_isfinite", False),
    (TensorType, "get_shape_info", _get_shape_info),
    (TensorType, "get_size", _get_size),
    (TensorType, "dtype_specs", _dtype_specs),
    (TensorType, "to_scalar_type", lambda kind: Scalar(kind.dtype)),
    # What `Mode` takes as a linker.
    (Mode, "linker", property(_linker)),
    (FunctionMaker, "fgraph", _Cached("fgraph", _shown_graph)),
    # Of which input each of the last outputs is the new value; other graphs do not say it.
    (FunctionGraph, "__getattr__", _offered),
    (FunctionMaker, "linker", property(_linker_with_graph)),
    (Mode, "optimizer", property(_optimizer)),
    (Loop, "__init__", make_loop),
    (Loop, "make_node", make_node),
    # Reuse of memory is planned when code is written.
    (Loop, "destroy_map", property(lambda op: {})),
    (RandomFunction, "destroy_map", property(lambda op: {0: [0]} if op.inplace else {})),
    (RandomFunction, "__setstate__", lambda op, state: _of_old_graphs("set_draw_state")(op, state)),
    (Mode, "__setstate__", lambda mode, state: _of_old_graphs("set_mode_state")(mode, state)),
    *((kind, "name", property(lambda op: op.label)) for kind in (IfElse, Branch)),
    *((kind, "gpu", False) for kind in (IfElse, Branch)),
    # Programs look for `gemm_inplace` among the operations of a function.
    *(
        (kind, "__eq__", lambda op, other: _equal_or_asked(op, other))
        for kind in (Gemm, Rebroadcast)
    ),
    (Alloc, "__eq__", _is_alloc),
    # Programs look for `IfElse(n)` among the operations of a function.
    (Branch, "__eq__", _is_branch),
    (IfElse, "as_view", False),
    (Branch, "as_view", True),
    (Branch, "n_outs", property(lambda op: len(op.then.outputs))),
)


def install() -> None:
    """Give classes of the engine what `PATCHES` says."""
    for target, name, value in PATCHES:
        extend(target, **{name: value})
