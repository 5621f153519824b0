"""Functions of scalars that users write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from theano._core.base.errors import MethodNotDefined
from theano._core.ir.variable import Apply, Variable
from theano._core.legacy.scalar.type import as_scalar
from theano._core.legacy.user.op import Op
from theano._core.legacy.user.type import Type


class ScalarOp(Op):
    """Base of functions of scalars; `theano.tensor.Elemwise` applies one to tensors item by item.

    A subclass defines `impl(*numbers)`, or `c_code` of assignments and functions of `math.h`, which
    needs no compiler; and `grad` or `L_op` on scalar variables.

    Parameters
    ----------
    output_types_preference : callable, optional
        Types of the inputs → tuple of types of the outputs. A subclass may define `output_types`
        instead.
    name : str, optional
    """

    nin = -1
    nout = 1
    name: str | None = None
    output_types_preference: Any = None

    def __init__(
        self, output_types_preference: Callable[..., object] | None = None, name: str | None = None
    ) -> None:
        self.name = name
        if output_types_preference is None:
            return
        if not callable(output_types_preference):
            raise TypeError(
                f"Expected a callable for the 'output_types_preference' argument to {type(self)}. "
                f"(got: {output_types_preference})"
            )
        self.output_types_preference = output_types_preference

    def make_node(self, *inputs: object) -> Apply:
        if self.nin >= 0 and len(inputs) != self.nin:
            raise TypeError(
                f"Wrong number of inputs for {self}.make_node (got {len(inputs)}({inputs}), "
                f"expected {self.nin})"
            )
        values = [as_scalar(v) for v in inputs]
        outputs = [type_() for type_ in self.output_types([v.type for v in values])]
        if len(outputs) != self.nout:
            raise TypeError(
                f"Not the right number of outputs produced for {self}({values}). Expected "
                f"{self.nout}, got {len(outputs)}."
            )
        return Apply(self, values, outputs)

    def output_types(self, types: Sequence[object]) -> Any:
        """Return the types of the outputs for inputs of `types`."""
        if self.output_types_preference is None:
            raise NotImplementedError(f"Cannot calculate the output types for {self}")
        output_types = self.output_types_preference(*types)
        if not isinstance(output_types, (list, tuple)) or any(
            not isinstance(t, Type) for t in output_types
        ):
            raise TypeError(
                "output_types_preference should return a list or a tuple of types",
                self.output_types_preference,
                output_types,
            )
        if len(output_types) != self.nout:
            raise TypeError(
                f"Not the right number of outputs types produced for {self}({types}) by "
                f"{self.output_types_preference}. Expected {self.nout}, got {len(output_types)}."
            )
        return output_types

    def impl(self, *inputs: object) -> Any:
        """Return the function of numbers: one number, or a sequence of `nout` of them."""
        advice = ""
        if type(self).c_code is not Op.c_code:  # type: ignore[attr-defined]
            advice = (
                " has no impl. C code is not compiled; it is read if it consists of assignments, "
                "`if` and functions of math.h. Write impl."
            )
        raise MethodNotDefined("impl", type(self), f"{type(self).__name__}{advice}")

    def grad(self, inputs: object, output_gradients: object) -> Any:
        """Return the gradient with respect to each input."""
        raise MethodNotDefined("grad", type(self), type(self).__name__)

    def perform(
        self,
        node: Apply,
        inputs: list[Variable],
        output_storage: list[list[object]],
        params: object = None,
    ) -> None:
        outputs = self.impl(*inputs)
        results = [outputs] if self.nout == 1 else list(outputs)
        for cell, out, result in zip(output_storage, node.outputs, results, strict=True):
            cell[0] = out.type.filter(result, allow_downcast=True)

    def __eq__(self, other: object) -> bool:
        return (
            type(self) is type(other)
            and self.output_types_preference == other.output_types_preference  # type: ignore[attr-defined]
        )

    def __hash__(self) -> int:
        return hash((type(self), self.output_types_preference))

    def __str__(self) -> str:
        if self.name:
            return self.name
        hidden = ("name", "output_types_preference")
        own = ", ".join(f"{k}={v}" for k, v in vars(self).items() if k not in hidden)
        return f"{type(self).__name__}{{{own}}}" if own else type(self).__name__


class UnaryScalarOp(ScalarOp):
    """Base of functions of one scalar."""

    nin = 1


class BinaryScalarOp(ScalarOp):
    """Base of functions of two scalars.

    Attributes
    ----------
    identity : number
        Neutral element, where there is one.
    commutative, associative : bool
    """

    nin = 2
    identity: ClassVar[Any] = None
    commutative: ClassVar[Any] = False
    associative: ClassVar[Any] = False
