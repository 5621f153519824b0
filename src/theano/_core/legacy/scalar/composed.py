"""Functions of scalars that are expressions of the engine's own operations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from theano._core.autodiff.reverse import grad as reverse_grad
from theano._core.ir.function_graph import FunctionGraph
from theano._core.ir.graph import copy_graph
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply
from theano._core.legacy.scalar.elementwise import (
    as_tensors,
    scalar_from_tensor,
    tensor_from_scalar,
)
from theano._core.legacy.scalar.type import Scalar, float32, get_scalar_type
from theano._core.legacy.scalar.user_op import ScalarOp
from theano._core.lower.reference import evaluate
from theano._core.ops.array.gradient import DisconnectedType
from theano._core.ops.control.body import Body
from theano._core.ops.core.op import constant as tensor_constant, tensor_operand
from theano._core.ops.elementwise.elementwise import cast


class ExpandedOp(ScalarOp):
    """A function of scalars that is applied to tensors as an expression."""

    def applied(self, *tensors: object) -> list[Any]:
        """Return the function of tensors."""
        raise NotImplementedError

    def output_types(self, types: Sequence[Any]) -> Any:
        if self.output_types_preference is not None:
            return super().output_types(types)
        return tuple(get_scalar_type(v.type.dtype) for v in self.applied(*_tensors(types)))

    def impl(self, *inputs: object) -> Any:
        constants = [tensor_constant(np.asarray(v)) for v in inputs]
        results = [v[()] for v in evaluate(self.applied(*constants), {})]
        return results[0] if self.nout == 1 else tuple(results)

    def L_op(self, inputs: Any, outputs: object, output_gradients: Any) -> Any:
        xs = _tensors([v.type for v in inputs])
        cotangents, outside = {}, list(inputs)
        for out, g in zip(self.applied(*xs), output_gradients, strict=True):
            if not isinstance(g.type, DisconnectedType):
                cotangents[out] = _tensors([g.type])[0]
                outside.append(g)
        gradients = reverse_grad(
            None,
            xs,
            disconnected_inputs="ignore",
            known_grads=cotangents,
            return_disconnected="disconnected",
            null_gradients="return",
        )
        crossed = [tensor_from_scalar(v) for v in outside]
        placed = copy_graph(gradients, dict(zip((*xs, *cotangents.values()), crossed, strict=True)))
        return [scalar_from_tensor(v) if isinstance(v.type, TensorType) else v for v in placed]


def _tensors(types: Sequence[Any]) -> list[Any]:
    return [TensorType(type_.dtype, ())() for type_ in types]


class KnownOp(ExpandedOp):
    """A function that the engine has for tensors: `form` applies it to them."""

    form: ClassVar[Callable[..., Any]]

    def applied(self, *tensors: Any) -> list[Any]:
        if self.nin >= 0 and len(tensors) != self.nin:
            raise TypeError(f"{self} takes {self.nin} arguments, got {len(tensors)}")
        operands = [tensor_operand(str(self), v) for v in tensors]
        result = type(self).form(*operands)
        if self.output_types_preference is not None:
            (type_,) = self.output_types([get_scalar_type(v.type.dtype) for v in operands])
            result = cast(result, type_.dtype)
        return [result]


class Composite(ExpandedOp):
    """A function of scalars that is an expression of others.

    Parameters
    ----------
    inputs, outputs : list of ScalarVariable

    Raises
    ------
    MissingInputError
        An output needs something else than `inputs`.
    TypeError
        Something in the expression is no function of scalars.
    """

    init_param = ("inputs", "outputs")

    def __init__(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        for v in (*inputs, *outputs):
            if not isinstance(v.type, Scalar):
                raise TypeError(f"Composite is made of scalars, got {v} of type {v.type}")
        self.body = Body(inputs, _flattened(Body(inputs, outputs))).fresh()
        for node in self.body.nodes:
            if not isinstance(node.op, ScalarOp):
                raise TypeError(f"Composite is made of functions of scalars, not {node.op}")
        self.inputs, self.outputs = list(self.body.inputs), list(self.body.outputs)
        self.nin, self.nout = len(self.inputs), len(self.outputs)
        super().__init__()

    @property
    def fgraph(self) -> FunctionGraph:
        """The expression, as a graph of its own."""
        body = self.body.fresh()
        return FunctionGraph(body.inputs, body.outputs, clone=False)

    def clone_float32(self) -> Composite:
        """Return this function with float32 for inputs that are float16."""
        inputs = [float32() if v.type.dtype == "float16" else v.type() for v in self.inputs]
        return Composite(inputs, self.body.apply(inputs))

    def applied(self, *tensors: Any) -> list[Any]:
        if len(tensors) != self.nin:
            raise TypeError(f"{self} takes {self.nin} arguments, got {len(tensors)}")
        operands = [tensor_operand(str(self), v) for v in tensors]
        return as_tensors(self.outputs, dict(zip(self.inputs, operands, strict=True)))

    def make_node(self, *inputs: Any) -> Apply:
        node = super().make_node(*inputs)
        for out, mine in zip(node.outputs, self.outputs, strict=True):
            out.name = mine.name
        return node

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.body == other.body  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash((type(self), self.body))

    def __reduce__(self) -> Any:
        return type(self), (self.inputs, self.outputs)

    def __str__(self) -> str:
        names = {v: f"i{i}" for i, v in enumerate(self.inputs)}
        return f"Composite{{{', '.join(_text(out, names) for out in self.outputs)}}}"


def _flattened(body: Body) -> list[Any]:
    """Return the outputs of an expression with those of its own composites in their places."""
    flat: dict[Any, Any] = {}
    for node in body.nodes:
        inputs = [flat.get(v, v) for v in node.inputs]
        if isinstance(node.op, Composite):
            outputs = node.op.body.apply(inputs)
        elif inputs == node.inputs:
            continue
        else:
            outputs = node.clone_with_new_inputs(inputs, False).outputs
        flat.update(zip(node.outputs, outputs, strict=True))
    return [flat.get(v, v) for v in body.outputs]


_INFIX = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "true_div": "/",
    "int_div": "//",
    "mod": "%",
    "pow": "**",
}


def _text(variable: Any, names: dict[Any, str]) -> str:
    if variable in names or variable.owner is None:
        return names.get(variable, str(variable))
    name = str(variable.owner.op)
    inner = [_text(v, names) for v in variable.owner.inputs]
    if name in _INFIX:
        return f"({f' {_INFIX[name]} '.join(inner)})"
    return f"(-{inner[0]})" if name == "neg" else f"{name}({', '.join(inner)})"
