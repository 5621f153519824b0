"""Operations of Theano 1.0.5 that are expressions here, as nodes that hold the expression."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from theano._core.ir.variable import Apply, Variable
from theano._core.legacy.user.expressed import Expressed, StandIn
from theano._core.ops.control.inner_graph import Named, Whole, body_over
from theano._core.ops.core.naming import variant


class OfMaker(StandIn, type):
    """Metaclass: a node's operation is an instance if an instance made it.

    And operations of the engine that do the same, `counts`, and those that users derive.
    """

    counts: tuple[type, ...]

    def __instancecheck__(cls, op: Any) -> bool:
        if isinstance(op, Named):
            op = op.maker
        elif isinstance(op, Whole):
            return bool(op.name == cls.__name__)
        own = isinstance(op, Expressed) and op.stands_for is cls
        return own or type.__instancecheck__(cls, op) or isinstance(op, cls.counts)

    @property
    def own(cls) -> Any:
        """The class of the engine whose operations are all instances, if there is one."""
        if cls.counts == (Whole,):
            return variant(Whole, cls.__name__)
        kinds = [kind for kind in cls.counts if kind is not Whole]
        return kinds[0] if len(kinds) == 1 else None


def whole(maker: object, build: Callable[..., object], values: Sequence[Variable]) -> Apply:
    """Return the node of `maker` that holds what `build` makes of values as one operation."""
    body = body_over(values, build, constants_known=True)
    return Apply(Named(body, maker), values, [out.type() for out in body.outputs])
