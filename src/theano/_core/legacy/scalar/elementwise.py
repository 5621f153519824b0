"""Functions of scalars applied to tensors, item by item."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.ir.graph import toposort
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.legacy.scalar.c_code import expression_of
from theano._core.legacy.scalar.type import CROSSINGS, Scalar, get_scalar_type
from theano._core.legacy.scalar.user_op import ScalarOp
from theano._core.legacy.user.op import Op
from theano._core.ops.array.broadcasting import Alloc
from theano._core.ops.array.gradient import DisconnectedType
from theano._core.ops.array.overwriting import over
from theano._core.ops.core.evaluation import evaluate
from theano._core.ops.core.fill import Second
from theano._core.ops.core.naming import known_as
from theano._core.ops.core.op import as_variable, tensor_operand
from theano._core.ops.core.python_call import Composed
from theano._core.ops.elementwise.elementwise import (
    Elementwise,
    broadcast_shape,
    check_shape,
    same_rank,
)

if TYPE_CHECKING:
    from theano._core.ir.annotations import Dims


class TensorFromScalar(Op):
    """A scalar as a tensor without axes."""

    __props__ = ()
    is_view = True
    through_integers = False  # type: ignore[assignment]

    def make_node(self, s: Any) -> Apply:
        if not isinstance(s.type, Scalar):
            raise TypeError(f"tensor_from_scalar needs a scalar, got {s} of {s.type}")
        return Apply(self, [s], [TensorType(s.type.dtype, ())()])

    def perform(
        self,
        node: Apply,
        inputs: list[Variable],
        output_storage: list[list[object]],
        params: object = None,
    ) -> None:
        output_storage[0][0] = np.asarray(inputs[0], dtype=node.outputs[0].type.dtype)

    def infer_shape(self, node: Apply, input_shapes: object) -> Any:
        return [()]

    def grad(self, inputs: object, output_grads: Any) -> Any:
        return [scalar_from_tensor(g) if _is_tensor(g) else g for g in output_grads]


class ScalarFromTensor(Op):
    """A tensor without axes as a scalar."""

    __props__ = ()
    is_view = True
    through_integers = False  # type: ignore[assignment]

    def make_node(self, t: Any) -> Apply:
        t = as_variable(t)
        if t.type.ndim:
            raise TypeError(f"scalar_from_tensor needs a tensor without axes, got {t} of {t.type}")
        return Apply(self, [t], [get_scalar_type(t.type.dtype)()])

    def perform(
        self,
        node: Apply,
        inputs: list[Variable],
        output_storage: list[list[object]],
        params: object = None,
    ) -> None:
        output_storage[0][0] = inputs[0][()]

    def infer_shape(self, node: Apply, input_shapes: object) -> Any:
        return [None]

    def grad(self, inputs: object, output_grads: Any) -> Any:
        return [tensor_from_scalar(g) if isinstance(g.type, Scalar) else g for g in output_grads]


tensor_from_scalar = TensorFromScalar()
scalar_from_tensor = ScalarFromTensor()
CROSSINGS.update({"to tensor": tensor_from_scalar, "to scalar": scalar_from_tensor})


def _is_tensor(variable: Variable) -> bool:
    return isinstance(variable.type, TensorType)


@known_as("Elemwise")
class ElementwiseCalls(Composed):
    """A user's function of scalars, called for each item of broadcast tensors.

    Native code computes what its C code says, if that is read.

    Parameters
    ----------
    scalar_op : ScalarOp
    name : str, optional
    nfunc_spec : tuple of (str, int, int), optional
        A function of NumPy, or of a module, that computes whole arrays; and its numbers of inputs
        and outputs. By default that of `scalar_op`.
    """

    __props__ = ("scalar_op",)
    broadcasts = True
    differentiates = True
    additive = False

    def __init__(self, scalar_op: Any, name: str | None = None, nfunc_spec: object = None) -> None:
        self.scalar_op = scalar_op
        self.name = name
        self.nfunc_spec = nfunc_spec or getattr(scalar_op, "nfunc_spec", None)

    def make_node(self, *inputs: Any) -> Apply:
        values = same_rank([tensor_operand(str(self), v) for v in inputs])
        scalars = self._scalar_node(values)
        pattern = [all(axis) for axis in zip(*(v.type.broadcastable for v in values), strict=True)]
        types = [TensorType(out.type.dtype, pattern) for out in scalars.outputs]
        return Apply(self, values, [type_.output() for type_ in types])

    def _scalar_node(self, values: Sequence[Any]) -> Apply:
        return self.scalar_op.make_node(*(get_scalar_type(v.type.dtype)() for v in values))

    def expression(self, node: Apply) -> list[Any] | None:
        return expression_of(self.scalar_op, self._scalar_node(node.inputs), node.inputs)

    def compute(self, xp: Any, node: Apply, *arrays: Any) -> tuple[Any, ...]:
        check_shape(node, arrays)
        count = len(node.outputs)
        function = _function(self.nfunc_spec, len(arrays), count)
        if function is None and type(self.scalar_op).impl is ScalarOp.impl:
            results = self.expression(node)
            if results is not None:
                values = dict(zip(node.inputs, arrays, strict=True))
                return tuple(np.asarray(r) for r in evaluate(results, values))
        if function is None:
            function = np.frompyfunc(self.scalar_op.impl, len(arrays), count)
        with np.errstate(all="ignore"):
            results = function(*arrays)
            results = (results,) if count == 1 else results
            return tuple(
                np.asarray(r).astype(out.type.dtype)
                for r, out in zip(results, node.outputs, strict=True)
            )

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        shape = broadcast_shape([v.type.broadcastable for v in node.inputs], shapes)
        return [shape] * len(node.outputs)

    def vjp(self, node: Apply, cotangents: Sequence[Any], reverse: Any = None) -> list[Any]:
        scalars = self._scalar_node(node.inputs)
        tensor_of: dict[Any, Any] = dict(
            zip((*scalars.inputs, *scalars.outputs), (*node.inputs, *node.outputs), strict=True)
        )
        grads = []
        for g in cotangents:
            type_ = DisconnectedType() if g is None else get_scalar_type(g.type.dtype)
            grads.append(type_.make_variable())
            if g is not None:
                tensor_of[grads[-1]] = g
        results = self.scalar_op.L_op(list(scalars.inputs), list(scalars.outputs), grads)
        if any(r is None for r in results):
            raise TypeError(
                f"{self.scalar_op}.grad returned None for a gradient term, this is prohibited. "
                "Instead of None, return zeros_like(input), or disconnected_type()."
            )
        return as_tensors(results, tensor_of)

    def connection(self, node: Apply) -> list[list[bool]]:
        pattern = getattr(self.scalar_op, "connection_pattern", None)
        return super().connection(node) if pattern is None else pattern(node)

    def __str__(self) -> str:
        return self.name or f"Elemwise{{{self.scalar_op}}}"


@known_as("Elemwise")
class Expanded:
    """A function of scalars as a function of tensors that makes an expression.

    Parameters
    ----------
    scalar_op : ScalarOp
    name : str, optional
    """

    def __init__(self, scalar_op: Any, name: str | None = None) -> None:
        self.scalar_op = scalar_op
        self.name = name

    def make_node(self, *inputs: object) -> Any:
        """Return the last node of the expression."""
        return self._applied(*inputs)[0].owner

    def _applied(self, *inputs: Any) -> list[Any]:
        outputs = self.scalar_op.applied(*inputs)
        # An operation that overwrites an input has a number of its own.
        number = vars(self).get("overwrites")
        over(None if number is None else inputs[number], outputs[0])
        return outputs

    def __call__(self, *inputs: object, **options: object) -> Any:
        as_list = options.pop("return_list", False)
        outputs = self._applied(*inputs)
        return outputs if as_list or len(outputs) != 1 else outputs[0]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expanded) and self.scalar_op == other.scalar_op

    def __hash__(self) -> int:
        return hash((Expanded, self.scalar_op))

    def __str__(self) -> str:
        return self.name or f"Elemwise{{{self.scalar_op}}}"

    __repr__ = __str__


def _function(spec: Any, nin: int, nout: int) -> Any:
    """Return the function of arrays that `nfunc_spec` names, or None."""
    if spec is None or tuple(spec[1:]) != (nin, nout):
        return None
    module, _, name = spec[0].rpartition(".")
    return getattr(importlib.import_module(module) if module else np, name, None)


def as_tensors(outputs: Sequence[Any], tensor_of: dict[Any, Any]) -> list[Any]:
    """Return an expression of scalars as one of tensors.

    Parameters
    ----------
    outputs : list of variables
        Scalars; others are returned as they are.
    tensor_of : dict
        What stands for scalars.

    Raises
    ------
    TypeError
        Something in the expression has no meaning item by item.
    """
    tensor_of = dict(tensor_of)
    for node in toposort(outputs, tensor_of):
        inputs = [_tensor(v, tensor_of) for v in node.inputs]
        tensor_of.update(zip(node.outputs, _applied(node, inputs), strict=True))
    return [_tensor(v, tensor_of) for v in outputs]


def _tensor(variable: Any, tensor_of: Mapping[Variable, Variable]) -> Any:
    if variable not in tensor_of and isinstance(variable, Constant):
        return as_variable(np.asarray(variable.data))
    return tensor_of.get(variable, variable)


def _applied(node: Apply, inputs: list[Variable]) -> list[Any]:
    op = node.op
    if isinstance(op, ScalarOp):
        return on_tensors(op, inputs)
    if isinstance(op, (TensorFromScalar, ScalarFromTensor)):
        return inputs
    plain = isinstance(op, Alloc) and len(inputs) == 1
    if plain or isinstance(op, (Elementwise, ElementwiseCalls, Second)):
        return op.make_node(*inputs).outputs
    raise TypeError(f"{op} cannot be applied item by item: use functions of scalars")


def on_tensors(op: Op, tensors: Sequence[Variable]) -> list[Any]:
    """Return a function of scalars applied to tensors: the engine's own where it has it."""
    applied = getattr(op, "applied", None)
    return (
        ElementwiseCalls(op).make_node(*tensors).outputs if applied is None else applied(*tensors)
    )
