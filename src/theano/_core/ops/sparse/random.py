"""Random sparse matrices, drawn from NumPy's global stream as in Theano 1.0.5."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.base import dtypes
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.gradient import NullType
from theano._core.ops.elementwise.elementwise import cast
from theano._core.ops.sparse.base import (
    SameType,
    SparseOp,
    array,
    converted,
    result,
    sparse,
    tensor,
)
from theano._core.ops.sparse.structure import lengths_in

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, Dims, SparseMatrix


class Drawn(SparseOp):
    """Base of operations that draw."""

    pure = False

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        return [NullType(f"{self}: the numbers drawn have no derivative")() for _ in node.inputs]

    def __str__(self) -> str:
        return type(self).__name__


class Poisson(Drawn, SameType):
    """Numbers of events, of a Poisson distribution with the stored items of `x` as means."""

    def compute(self, xp: ArrayModule, node: Apply, x: Any) -> tuple[Any, ...]:
        if (x.data < 0).any():
            raise ValueError("the means of Poisson distributions must not be negative")
        made = x.copy()
        made.data = array(np.random.poisson(x.data), x.dtype)
        made.eliminate_zeros()
        return (made,)


class Binomial(Drawn):
    """Numbers of successes in `n` trials of probability `p`, in a matrix of a shape.

    Parameters
    ----------
    format : {'csr', 'csc'}
    dtype : str
    """

    __props__ = ("format", "dtype")

    def __init__(self, format: str, dtype: str) -> None:
        self.format = format
        self.dtype = dtype

    def make_node(self, n: Variable, p: Variable, shape: Variable) -> Apply:
        n, p, shape = tensor(n), tensor(p), tensor(shape)
        if n.type.ndim or p.type.ndim or not dtypes.is_discrete(n.type.dtype):
            raise TypeError(f"n must be an integer and p a number, got {n.type} and {p.type}")
        if shape.type.ndim != 1 or not dtypes.is_discrete(shape.type.dtype):
            raise TypeError(f"the shape must be a vector of integers, got {shape.type}")
        return result(self, [n, p, shape], self.format, self.dtype)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [lengths_in(node.inputs[2])]

    def compute(
        self, xp: ArrayModule, node: Apply, n: np.ndarray, p: np.ndarray, shape: np.ndarray
    ) -> tuple[Any, ...]:
        drawn = np.random.binomial(int(n), float(p), size=tuple(shape))
        return (converted(drawn.astype(self.dtype), self.format, self.dtype),)


class Multinomial(Drawn):
    """How often each item is chosen in `n` trials, with each row of `p` as probabilities.

    `n` is a number, or one for each row; `p` is CSR, and items that it does not store are not
    chosen.
    """

    shaped_as = 1

    def make_node(self, n: Any, p: Variable) -> Apply:
        n, p = tensor(n), sparse(p)
        if p.type.format != "csr":
            raise NotImplementedError(f"p must have the format csr, got {p.type}")
        if not dtypes.is_discrete(n.type.dtype) or n.type.ndim > 1:
            raise TypeError(f"n must be an integer or a vector of integers, got {n.type}")
        return result(self, [cast(n, "int64"), p], "csr", p.type.dtype)

    def compute(
        self, xp: ArrayModule, node: Apply, n: np.ndarray, p: SparseMatrix
    ) -> tuple[Any, ...]:
        if n.ndim and n.shape[0] != p.shape[0]:
            raise ValueError(f"there are {n.shape[0]} numbers of trials for {p.shape[0]} rows")
        made = p.copy()
        trials = np.broadcast_to(n, p.shape[:1])
        for row, (first, last) in enumerate(zip(p.indptr[:-1], p.indptr[1:], strict=True)):
            if last > first:
                weights = p.data[first:last].astype("float64")
                made.data[first:last] = np.random.multinomial(trials[row], weights)
        made.eliminate_zeros()
        return (made,)
