"""Classes of operations of Theano 1.0.5 that are one class here, told apart by what they hold.

`isinstance` knows them, and calling one makes the operation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.ir.types import TensorType, Type
from theano._core.ir.variable import Variable
from theano._core.legacy.ops import slices
from theano._core.legacy.scalar.type import KnownIndex
from theano._core.legacy.user.expressed import Expressed, StandIn
from theano._core.ops.array import indexing as engine
from theano._core.ops.array.broadcasting import alloc
from theano._core.ops.array.creation import Join
from theano._core.ops.array.dims import as_int64
from theano._core.ops.array.index_form import SYMBOL, Index, Slice
from theano._core.ops.array.indexing import AT
from theano._core.ops.array.reductions import KNOWN_AS, Reduction
from theano._core.ops.array.shaping import (
    MakeVector,
    Rebroadcast as EngineRebroadcast,
    axis_of,
    length,
    pattern_broadcast,
)
from theano._core.ops.control.inner_graph import Maker, Whole
from theano._core.ops.core.naming import variant
from theano._core.ops.core.op import Op, as_variable

if TYPE_CHECKING:
    from theano._core.ir.annotations import Axes, TensorLike
    from theano._core.ir.function_graph import FunctionGraph


class Kind(StandIn, type):
    """Metaclass of a class that some operations of another class belong to."""

    def __instancecheck__(cls, op: Op) -> bool:
        own = isinstance(op, Expressed) and op.stands_for is cls
        return own or cls.holds(op)  # type: ignore[attr-defined]

    def __call__(cls, *args: object, **kwargs: object) -> Any:
        return cls.make(*args, **kwargs)  # type: ignore[attr-defined]


def axes_of(axis: Any) -> tuple[int, ...] | None:
    """Return axes that are given as one number, several, or None for all."""
    return None if axis is None else tuple(int(a) for a in np.ravel(axis))


class _Reduction(metaclass=Kind):
    kind = ""

    @classmethod
    def holds(cls, op: Op) -> bool:
        """Tell whether an operation is of this kind."""
        return isinstance(op, Reduction) and op.kind == cls.kind

    @classmethod
    def make(cls, axis: Axes = None, dtype: str | None = None, acc_dtype: str | None = None) -> Any:
        """Return the operation over `axis`: an int, a sequence of ints, or None for all."""
        return Reduction(cls.kind, axes_of(axis), dtype, acc_dtype)


class Sum(_Reduction):
    """Sum over axes."""

    kind = "sum"
    own = variant(Reduction, KNOWN_AS[kind])


class Prod(_Reduction):
    """Product over axes."""

    kind = "prod"
    own = variant(Reduction, KNOWN_AS[kind])

    @classmethod
    def make(
        cls,
        axis: Axes = None,
        dtype: str | None = None,
        acc_dtype: str | None = None,
        no_zeros_in_input: bool = False,
    ) -> Any:
        """Return the operation over `axis`; its gradient is right with and without zeros."""
        return super().make(axis, dtype, acc_dtype)


class All(_Reduction):
    """Whether all items over axes hold."""

    kind = "all"
    own = variant(Reduction, KNOWN_AS[kind])


class AnyHolds(_Reduction):
    """Whether any item over axes holds."""

    kind = "any"
    own = variant(Reduction, KNOWN_AS[kind])


class AdvancedSubtensor1(metaclass=Kind):
    """Items of a tensor at a vector of positions along the first axis."""

    own = variant(engine.AdvancedSubtensor, "AdvancedSubtensor1")

    @classmethod
    def holds(cls, op: Op) -> bool:
        """Tell whether an operation is of this kind."""
        read = isinstance(op, engine.AdvancedSubtensor)
        return read and not isinstance(op, engine.AdvancedIncSubtensor) and op.axes == (AT,)

    @classmethod
    def make(cls, sparse_grad: bool = False) -> Any:
        """Return the operation, with a sparse gradient if that is wanted."""
        if not sparse_grad:
            return engine.AdvancedSubtensor((AT,))
        from theano._core.ops.sparse.indexing import SparseGradientRows

        return SparseGradientRows()


class AdvancedIncSubtensor1(metaclass=Kind):
    """A tensor with items at a vector of positions along the first axis set or increased."""

    own = variant(engine.AdvancedIncSubtensor, "AdvancedIncSubtensor1")

    @classmethod
    def holds(cls, op: Op) -> bool:
        """Tell whether an operation is of this kind."""
        return type(op) is cls.own

    @classmethod
    def make(cls, inplace: bool = False, set_instead_of_inc: bool = False) -> Any:
        """Return the operation; the memory planner decides what is overwritten."""
        return engine.AdvancedIncSubtensor((AT,), set_instead_of_inc)


class Subtensor(metaclass=Kind):
    """Parts of a tensor that a basic index names."""

    own = engine.Subtensor

    @classmethod
    def holds(cls, op: Op) -> bool:
        """Tell whether an operation is of this kind."""
        return isinstance(op, engine.Subtensor)

    @classmethod
    def make(cls, idx_list: Sequence[object]) -> Any:
        """Return the operation; a Type in `idx_list` stands for an input."""
        return engine.Subtensor(index_form(idx_list))


class IncSubtensor(metaclass=Kind):
    """A tensor with a part that a basic index names set or increased."""

    own = engine.IncSubtensor

    @classmethod
    def holds(cls, op: Op) -> bool:
        """Tell whether an operation is of this kind."""
        return isinstance(op, engine.IncSubtensor)

    @classmethod
    def make(
        cls,
        idx_list: Sequence[object],
        inplace: bool = False,
        set_instead_of_inc: bool = False,
        destroyhandler_tolerate_aliased: object = None,
    ) -> Any:
        """Return the operation; the memory planner decides what is overwritten."""
        return engine.IncSubtensor(index_form(idx_list), set_instead_of_inc)


def index_form(idx_list: Sequence[object]) -> Index:
    """Return a basic index in which Types stand for inputs as operations hold it."""

    def part(value: object) -> Any:
        if isinstance(value, KnownIndex):
            return value.value
        return SYMBOL if isinstance(value, Type) else value

    return tuple(
        Slice(*(part(v) for v in (e.start, e.stop, e.step)))
        if isinstance(e, (slice, Slice))
        else part(e)
        for e in idx_list
    )


class BaseAdvancedSubtensor(metaclass=Kind):
    """What `AdvancedSubtensor` was derived from."""

    @classmethod
    def holds(cls, op: Op) -> bool:
        """Tell whether an operation is of this kind."""
        return AdvancedSubtensor.holds(op)


class BaseAdvancedIncSubtensor(metaclass=Kind):
    """What `AdvancedIncSubtensor` was derived from."""

    @classmethod
    def holds(cls, op: Op) -> bool:
        """Tell whether an operation is of this kind."""
        return AdvancedIncSubtensor.holds(op)


class AdvancedSubtensor(metaclass=Kind):
    """Items of a tensor at arrays of positions, other than one vector along the first axis."""

    own = engine.AdvancedSubtensor

    @classmethod
    def holds(cls, op: Op) -> bool:
        """Tell whether an operation is of this kind."""
        return type(op) is cls.own

    @classmethod
    def make(cls) -> Any:
        """Return a function of a tensor and its index."""
        return slices.advanced_subtensor


class AdvancedIncSubtensor(metaclass=Kind):
    """A tensor with items at such positions set or increased."""

    own = engine.AdvancedIncSubtensor

    @classmethod
    def holds(cls, op: Op) -> bool:
        """Tell whether an operation is of this kind."""
        return type(op) is cls.own

    @classmethod
    def make(cls, inplace: bool = False, set_instead_of_inc: bool = False) -> Any:
        """Return a function of a tensor, what is written and the index."""
        return (
            slices.advanced_set_subtensor if set_instead_of_inc else slices.advanced_inc_subtensor
        )


advanced_subtensor1 = AdvancedSubtensor1()
advanced_inc_subtensor1 = AdvancedIncSubtensor1()
advanced_set_subtensor1 = AdvancedIncSubtensor1(set_instead_of_inc=True)


class Rebroadcast(metaclass=Kind):
    """Its input with axes declared, or not declared any more, to have the length 1."""

    own = EngineRebroadcast

    @classmethod
    def holds(cls, op: Op) -> bool:
        """Tell whether an operation is of this kind."""
        return isinstance(op, (EngineRebroadcast, _Rebroadcast))

    @classmethod
    def make(cls, *axis: tuple[int, bool]) -> Any:
        """Return a function of a tensor, which is equal to what makes its axes so.

        Parameters
        ----------
        *axis : tuple of (int, bool)
            Which axes, and whether they have the length 1.
        """
        for position, one in axis:
            if not isinstance(position, (int, np.integer)):
                raise TypeError(f"Rebroadcast needs integer axes. Got {position}")
            if not isinstance(one, (bool, np.bool_)):
                raise TypeError(f"Rebroadcast needs bool for new broadcast pattern. Got {one}")
        return _Rebroadcast({int(position): bool(one) for position, one in axis})


class _Rebroadcast(Maker):
    def __init__(self, axis: dict[int, bool]) -> None:
        self.axis = axis

    def __call__(self, x: Variable) -> Any:
        x = as_variable(x)
        if self.axis and max(self.axis) >= x.type.ndim:
            raise ValueError("Trying to rebroadcast non-existent dimension")
        return pattern_broadcast(
            x, [self.axis.get(i, old) for i, old in enumerate(x.type.broadcastable)]
        )

    def __eq__(self, other: object) -> bool:
        if isinstance(other, EngineRebroadcast):
            pattern = dict(enumerate(other.pattern))
            return all(pattern.get(position) == one for position, one in self.axis.items())
        return super().__eq__(other)

    def __hash__(self) -> int:
        return hash("Rebroadcast")

    def __str__(self) -> str:
        pattern = (self.axis.get(i) for i in range(max(self.axis, default=-1) + 1))
        return (
            f"Rebroadcast{{{','.join('?' if one is None else str(int(one)) for one in pattern)}}}"
        )


class JoinAlongAny(Join):
    """Equal to every join of tensors: in Theano the axis is not part of the operation."""

    def make_node(self, *inputs: TensorLike) -> Any:
        return Join().make_node(*inputs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Join) or (isinstance(other, Whole) and other.name == "Join")

    __hash__ = Join.__hash__


join_ = JoinAlongAny()
# Types that grow axes when they are broadcast with others.
expandable_types = (TensorType,)


class AllocEmpty(Maker):
    """Makes arrays whose items say nothing; here they are 0.

    Parameters
    ----------
    dtype : str
    """

    def __init__(self, dtype: str) -> None:
        self.dtype = str(dtype)

    def __call__(self, *shape: Any) -> Any:
        """Return an array of the given lengths."""
        return alloc(np.zeros((), dtype=self.dtype), *shape)


make_vector = MakeVector()


def shape_i(var: Variable, i: int, fgraph: FunctionGraph | None = None) -> Any:
    """Return the length of axis `i`, an int64 scalar; `fgraph` is accepted for old programs."""
    return as_int64(length(var, axis_of("shape_i", var, i)))
