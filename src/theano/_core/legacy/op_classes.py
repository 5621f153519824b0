"""Classes of operations of Theano 1.0.5 that are one class here, told apart by what they hold.

`isinstance` knows them, and calling one makes the operation.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from theano._core.ops.arithmetic import eq, mul, neq, switch
from theano._core.ops.broadcasting import Alloc
from theano._core.ops.indexing import AT, AdvancedIncSubtensor, AdvancedSubtensor
from theano._core.ops.lengths import as_int64
from theano._core.ops.op import as_variable
from theano._core.ops.reductions import Reduction
from theano._core.ops.shaping import length


class _Kind(type):
    """Metaclass of a class that some operations of another class belong to."""

    def __instancecheck__(cls, op: Any) -> bool:
        return cls.holds(op)  # type: ignore[attr-defined]

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return cls.make(*args, **kwargs)  # type: ignore[attr-defined]


class _Fold(metaclass=_Kind):
    kind = ""

    @classmethod
    def holds(cls, op: Any) -> bool:
        """Tell whether an operation is of this kind."""
        return isinstance(op, Reduction) and op.kind == cls.kind

    @classmethod
    def make(cls, axis: Any = None, dtype: str | None = None, acc_dtype: str | None = None) -> Any:
        """Return the operation over `axis`, an int, a sequence of ints not negative, or None."""
        axes = (axis,) if isinstance(axis, int) else axis
        return Reduction(cls.kind, axes, dtype, acc_dtype)


class Sum(_Fold):
    """Sum over axes."""

    kind = "sum"


class Prod(_Fold):
    """Product over axes."""

    kind = "prod"


class MulWithoutZeros:
    """Product of two tensors in which a zero counts as 1, unless both are zero.

    Parameters
    ----------
    output_types_preference, name
        Accepted for old programs.
    """

    def __init__(self, output_types_preference: Any = None, name: str | None = None) -> None:
        self.name = name

    def __call__(self, x: Any, y: Any) -> Any:
        """Return the product, of the dtype that the two have together."""
        return switch(eq(x, 0), y, switch(eq(y, 0), x, mul(x, y)))


mul_without_zeros = MulWithoutZeros(name="mul_without_zeros")


class ProdWithoutZeros:
    """Product over axes of the items that are not zero; 0 where there is none.

    Parameters
    ----------
    axis : int, sequence of int, or None
    dtype, acc_dtype : str, optional
        As for `Prod`.
    """

    def __init__(self, axis: Any = None, dtype: str | None = None, acc_dtype: Any = None) -> None:
        self.product = Prod(axis, dtype, acc_dtype)
        self.any = AnyHolds(axis)

    def __call__(self, x: Any) -> Any:
        """Return the product."""
        x = as_variable(x)
        found = self.product(switch(eq(x, 0), np.asarray(1, x.type.dtype), x))
        return switch(self.any(neq(x, 0)), found, np.asarray(0, found.type.dtype))


class All(_Fold):
    """Whether all items over axes hold."""

    kind = "all"


class AnyHolds(_Fold):
    """Whether any item over axes holds."""

    kind = "any"


class AdvancedSubtensor1(metaclass=_Kind):
    """Items of a tensor at a vector of positions along the first axis."""

    @classmethod
    def holds(cls, op: Any) -> bool:
        """Tell whether an operation is of this kind."""
        return type(op) is AdvancedSubtensor and op.axes == (AT,)

    @classmethod
    def make(cls, sparse_grad: bool = False) -> Any:
        """Return the operation; its gradient is dense either way."""
        return AdvancedSubtensor((AT,))


class AdvancedIncSubtensor1(metaclass=_Kind):
    """A tensor with items at a vector of positions along the first axis set or increased."""

    @classmethod
    def holds(cls, op: Any) -> bool:
        """Tell whether an operation is of this kind."""
        return type(op) is AdvancedIncSubtensor and op.axes == (AT,)

    @classmethod
    def make(cls, inplace: bool = False, set_instead_of_inc: bool = False) -> Any:
        """Return the operation; the memory planner decides what is overwritten."""
        return AdvancedIncSubtensor((AT,), set_instead_of_inc)


advanced_subtensor1 = AdvancedSubtensor1()
advanced_inc_subtensor1 = AdvancedIncSubtensor1()
advanced_set_subtensor1 = AdvancedIncSubtensor1(set_instead_of_inc=True)


class AllocEmpty:
    """Makes arrays whose items say nothing; here they are 0.

    Parameters
    ----------
    dtype : str
    """

    def __init__(self, dtype: str) -> None:
        self.dtype = str(dtype)

    def __call__(self, *shape: Any) -> Any:
        """Return an array of the given lengths."""
        return Alloc()(np.zeros((), dtype=self.dtype), *shape)


def shape_i(var: Any, i: int, fgraph: Any = None) -> Any:
    """Return the length of axis `i`, an int64 scalar; `fgraph` is accepted for old programs."""
    return as_int64(length(var, i))
