"""Sparse matrices beside each other and one above the other."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any

import scipy.sparse

from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.dims import as_int64
from theano._core.ops.elementwise.arithmetic import add as dense_add
from theano._core.ops.sparse.base import SparseOp, converted, result, sparse
from theano._core.ops.sparse.structure import fit, parts, sparse_as

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, Dims, SparseMatrix


class Stack(SparseOp):
    """Base of what puts matrices side by side."""

    __props__ = ("format", "dtype")
    axis = 1

    def __init__(self, format: str | None = None, dtype: str | None = None) -> None:
        self.format = "csc" if format is None else format
        if dtype is None:
            raise ValueError("The output dtype must be specified.")
        self.dtype = dtype

    def make_node(self, *blocks: Variable) -> Apply:
        if not blocks:
            raise ValueError("Cannot join an empty list of sparses.")
        return result(self, list(map(sparse, blocks)), self.format, self.dtype)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        total = reduce(dense_add, [as_int64(shape[self.axis]) for shape in shapes])
        return [(shapes[0][0], total) if self.axis else (total, shapes[0][1])]

    def compute(self, xp: ArrayModule, node: Apply, *blocks: SparseMatrix) -> tuple[Any, ...]:
        function = scipy.sparse.hstack if self.axis else scipy.sparse.vstack
        for block in blocks:
            if block.shape[1 - self.axis] != blocks[0].shape[1 - self.axis]:
                name = ("columns", "rows")[self.axis]
                raise ValueError(
                    f"blocks must have the same number of {name}, got the shapes "
                    f"{', '.join(str(b.shape) for b in blocks)}"
                )
        made = function(blocks, format=self.format, dtype=self.dtype)
        return (converted(made, self.format, self.dtype),)

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        g, at, pieces = cotangents[0], 0, []
        g = sparse_as(self.format, g)
        for block in node.inputs:
            size = parts(block)[3][self.axis]
            piece = g[:, at : at + size] if self.axis else g[at : at + size]
            at = at + size
            pieces.append(fit(block, piece))
        return pieces

    def __str__(self) -> str:
        return f"{type(self).__name__}({self.format},{self.dtype})"


class HStack(Stack):
    """Matrices beside each other."""


class VStack(Stack):
    """Matrices one above the other."""

    axis = 0
