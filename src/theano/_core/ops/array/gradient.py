"""Identities that change what differentiation sees, and the types of missing gradients."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

from theano._core.ir.types import ObjectType
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.core.fill import full_like
from theano._core.ops.core.op import Structured, as_variable, connected, linear_in, shape_of
from theano._core.ops.elementwise.arithmetic import clip

if TYPE_CHECKING:
    import numpy as np

    from theano._core.ir.annotations import ArrayModule, TensorLike
    from theano._core.ops.core.protocols import Batching, Builder, Forward, ProgramValue


class NullType(ObjectType):
    """Type of a gradient that is not defined; `why_null` says why."""

    def __init__(self, why_null: str = "(no explanation given)") -> None:
        self.why_null = why_null

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NullType)

    def __hash__(self) -> int:
        return hash(NullType)

    def filter(
        self, value: object, strict: bool = False, allow_downcast: bool | None = None
    ) -> Any:
        raise ValueError("NullType has no values")


null_type = NullType()


class DisconnectedType(ObjectType):
    """Type of the gradient with respect to a variable that the cost does not depend on."""

    def filter(
        self, value: object, strict: bool = False, allow_downcast: bool | None = None
    ) -> Any:
        raise AssertionError("a DisconnectedType variable has no values")


class GradientFilter(Structured):
    """`x` itself; `kind` says what becomes of its gradient.

    'disconnected': none flows; 'zero': zeros; 'scale': multiplied by `parameters[0]`;
    'clip': held between `parameters[0]` and `parameters[1]`; 'undefined': asking is an error;
    'checkpoint': it flows, and the derivative computes `x` again.
    """

    __props__ = ("kind", "parameters")
    is_view = True
    shape = shape_of(0)

    def __init__(self, kind: str, parameters: tuple[Any, ...] = ()) -> None:
        self.kind = kind
        # Operations are compared and hashed: arrays and lists are not.
        self.parameters = tuple(
            p if isinstance(p, Hashable) else as_variable(p) for p in parameters
        )

    @property
    def additive(self) -> bool:  # type: ignore[override]
        """Whether it is not about the size of what flows back."""
        return self.kind != "clip"

    def make_node(self, x: TensorLike) -> Apply:
        x = as_variable(x)
        return Apply(self, [x], [x.type.output()])

    def compute(self, xp: ArrayModule, node: Apply, x: np.ndarray) -> tuple[Any, ...]:
        return (x,)

    def connection(self, node: Apply) -> list[list[bool]]:
        return [[self.kind != "disconnected"]]

    def batch(
        self, node: Apply, values: list[Variable], rows: list[bool], batching: Batching
    ) -> list[Any] | None:
        return [self(values[0])]

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        g = cotangents[0]
        if self.kind == "disconnected":
            return [None]
        if self.kind == "zero":
            return [full_like(g, 0, g.type.dtype)]
        if self.kind == "undefined":
            return [null_gradient(f"the gradient of {node.inputs[0]} was declared undefined")]
        if self.kind == "checkpoint":
            return [g]
        if self.kind == "scale":
            return [g * self.parameters[0]]
        return [clip(g, *self.parameters)]

    def jvp(
        self, node: Apply, tangents: Sequence[Variable | None], forward: Forward
    ) -> list[Any] | None:
        # Only what flows back is held between bounds.
        return list(tangents) if self.kind in ("clip", "checkpoint") else None

    def emit(self, p: Builder, node: Apply, x: ProgramValue) -> Any:
        return x

    def __reduce__(self) -> Any:
        return type(self), self.parameters

    def __str__(self) -> str:
        return type(self).__name__


# One class for each kind: Theano has them, and programs look for them in graphs.


class ZeroGrad(GradientFilter):
    """`x` itself, with a gradient of zero."""

    def __init__(self) -> None:
        super().__init__("zero")


class DisconnectedGrad(GradientFilter):
    """`x` itself, through which no gradient flows."""

    def __init__(self) -> None:
        super().__init__("disconnected")


class UndefinedGrad(GradientFilter):
    """`x` itself; to ask for a gradient through it is an error."""

    def __init__(self) -> None:
        super().__init__("undefined")


class GradScale(GradientFilter):
    """`x` itself, with its gradient multiplied by a number, an array or a variable."""

    def __init__(self, multiplier: TensorLike) -> None:
        super().__init__("scale", (multiplier,))
        self.multiplier = multiplier


class GradClip(GradientFilter):
    """`x` itself, with its gradient held between two bounds."""

    def __init__(self, clip_lower_bound: float, clip_upper_bound: float) -> None:
        super().__init__("clip", (clip_lower_bound, clip_upper_bound))
        self.clip_lower_bound = clip_lower_bound
        self.clip_upper_bound = clip_upper_bound


class Checkpoint(GradientFilter):
    """`x` itself, which the derivative computes again."""

    def __init__(self) -> None:
        super().__init__("checkpoint")


FILTERS = (GradientFilter, *GradientFilter.__subclasses__())


class After(Structured):
    """`x`, once `token` is there: what is computed from it is not shared with what came before."""

    is_view = True
    shape = shape_of(0)
    connection = connected(0)
    linear = linear_in(0)

    def make_node(self, x: Variable, token: Variable) -> Apply:
        return Apply(self, [x, token], [x.type.output()])

    def compute(
        self, xp: ArrayModule, node: Apply, x: np.ndarray, token: object
    ) -> tuple[Any, ...]:
        return (x,)

    def batch(
        self, node: Apply, values: list[Variable], rows: list[bool], batching: Batching
    ) -> list[Any] | None:
        return self.make_node(*values).outputs

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        return [cotangents[0], None]

    def emit(self, p: Builder, node: Apply, x: ProgramValue, token: object) -> Any:
        return x


def null_gradient(why: str) -> Any:
    """Return a variable that stands for a gradient that is not defined."""
    type_ = NullType(why)
    return type_.make_variable()
