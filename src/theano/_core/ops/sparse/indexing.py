"""Parts of sparse matrices, and matrices of which a part is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse

from theano._core.base import dtypes
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.indexing import AT, AdvancedSubtensor
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.core.naming import known_as
from theano._core.ops.core.op import connected, linear_in, scalar_shape
from theano._core.ops.elementwise.elementwise import cast
from theano._core.ops.sparse.base import (
    SparseOp,
    converted,
    result,
    sparse,
    tensor,
)
from theano._core.ops.sparse.structure import ConstructSparseFromList, fit, sparse_as

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, Dims, SparseMatrix, TensorLike

NO_VECTOR = (
    "Theano has no sparse vector. Use X[a:b, c:d], X[a:b, c:c+1] or X[a:b] instead of X[{}]."
)


def _positions(name: str, index: Any) -> Any:
    index = tensor(index)
    if index.type.ndim != 1 or not dtypes.is_integer(index.type.dtype):
        raise TypeError(f"{name} must be a vector of integers, got {index.type}")
    return cast(index, "int64")


def _compressed(x: Any) -> Any:
    x = sparse(x)
    if x.type.format not in ("csr", "csc"):
        raise TypeError(f"indices take matrices in the formats csr and csc, got {x.type}")
    return x


class GetItemList(SparseOp):
    """The rows of a matrix at positions."""

    linear = linear_in(0)

    def make_node(self, x: Variable, index: TensorLike) -> Apply:
        x = _compressed(x)
        return result(self, [x, _positions("the index", index)], x.type.format, x.type.dtype)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [(shapes[1][0], shapes[0][1])]

    def compute(self, xp: ArrayModule, node: Apply, x: Any, index: Any) -> tuple[Any, ...]:
        return (converted(x[index], x.format, x.dtype),)

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        (x, index), (g,) = node.inputs, cotangents
        return [fit(x, GetItemListGrad()(x, index, sparse_as(x.type.format, g))), None]


class GetItemListGrad(SparseOp):
    """A matrix of the shape of `x` to whose rows at positions those of another one are added."""

    shaped_as = 0
    connection = connected(2)

    def make_node(self, x: Variable, index: TensorLike, g: Variable) -> Apply:
        x, g = _compressed(x), sparse(g)
        inputs = [x, _positions("the index", index), g]
        return result(self, inputs, x.type.format, g.type.dtype)

    def compute(self, xp: ArrayModule, node: Apply, x: Any, index: Any, g: Any) -> tuple[Any, ...]:
        if g.shape[0] != index.size:
            raise ValueError(f"there are {index.size} positions for {g.shape[0]} rows")
        rows = np.where(index < 0, index + x.shape[0], index)
        places = np.ones(index.size, g.dtype), (rows, np.arange(index.size))
        chosen = scipy.sparse.csr_matrix(places, shape=(x.shape[0], index.size))
        return (converted(chosen @ g, x.format, g.dtype),)

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        return [None, None, GetItemList()(sparse_as("csr", cotangents[0]), node.inputs[1])]


@known_as("AdvancedSubtensor1")
class SparseGradientRows(AdvancedSubtensor):
    """Rows of a dense matrix at positions, whose gradient is a sparse matrix."""

    def __init__(self, axes: tuple[str, ...] = (AT,)) -> None:
        super().__init__(axes)

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        x, index = node.inputs
        if x.type.ndim != 2:
            raise TypeError(f"sparse_grad is for rows of matrices, got {x.type}")
        return [ConstructSparseFromList()(x, cotangents[0], index), None]


class GetItem2Lists(SparseOp):
    """The items at pairs of positions, a vector."""

    shaped_as = 1
    linear = linear_in(0)

    def make_node(self, x: Variable, ind1: TensorLike, ind2: TensorLike) -> Apply:
        x = _compressed(x)
        inputs = [x, _positions("the first index", ind1), _positions("the second index", ind2)]
        return self.one(inputs, x.type.dtype, (False,))

    def compute(
        self, xp: ArrayModule, node: Apply, x: SparseMatrix, ind1: np.ndarray, ind2: np.ndarray
    ) -> tuple[Any, ...]:
        if ind1.shape != ind2.shape:
            raise ValueError(f"there are {ind1.size} rows for {ind2.size} columns")
        items = np.asarray(x[ind1, ind2]) if ind1.size else np.zeros(0, x.dtype)
        return (items.astype(x.dtype).reshape(-1),)

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        x, ind1, ind2 = node.inputs
        return [fit(x, GetItem2ListsGrad()(x, ind1, ind2, cotangents[0])), None, None]


class GetItem2ListsGrad(SparseOp):
    """A matrix of the shape of `x` with the sums of items at pairs of positions."""

    shaped_as = 0
    connection = connected(3)

    def make_node(self, x: Any, ind1: TensorLike, ind2: TensorLike, g: Variable) -> Apply:
        x, g = _compressed(x), tensor(g)
        inputs = [x, _positions("the first index", ind1), _positions("the second index", ind2), g]
        return result(self, inputs, x.type.format, g.type.dtype)

    def compute(self, xp: ArrayModule, node: Apply, *arrays: Any) -> tuple[Any, ...]:
        x, ind1, ind2, g = arrays
        places = [np.where(i < 0, i + n, i) for i, n in zip((ind1, ind2), x.shape, strict=True)]
        made = scipy.sparse.coo_matrix((g, tuple(places)), shape=x.shape)
        return (converted(made, x.format, g.dtype),)

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        _, ind1, ind2, _ = node.inputs
        return [None, None, None, GetItem2Lists()(sparse_as("csr", cotangents[0]), ind1, ind2)]


class GetItemScalar(SparseOp):
    """One item."""

    shape = scalar_shape
    linear = linear_in(0)

    def make_node(self, x: Variable, index: Sequence[object]) -> Apply:
        x = _compressed(x)
        row, column = map(tensor, index)
        for i in (row, column):
            if i.type.ndim or not dtypes.is_integer(i.type.dtype):
                raise TypeError(f"positions must be integers, got {i.type}")
        inputs = [x, cast(row, "int64"), cast(column, "int64")]
        return self.one(inputs, x.type.dtype, ())

    def compute(
        self, xp: ArrayModule, node: Apply, x: SparseMatrix, row: np.ndarray, column: np.ndarray
    ) -> tuple[Any, ...]:
        return (np.asarray(x[int(row), int(column)], x.dtype),)

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        x, row, column = node.inputs
        as_vectors = [dimshuffle(v, ("x",)) for v in (row, column, cotangents[0])]
        return [fit(x, GetItem2ListsGrad()(x, *as_vectors)), None, None]


class GetItem2d(SparseOp):
    """A matrix of some of the rows and columns of another one.

    Inputs behind the matrix: those of the six bounds and steps of two slices that are not None.
    """

    __props__ = ("given",)
    linear = linear_in(0)

    def __init__(self, given: tuple[bool, ...] = (False,) * 6) -> None:
        self.given = given

    def __call__(self, x: object, index: object = None, *inputs: object, **options: object) -> Any:
        if index is None or isinstance(index, Variable):
            inputs = inputs if index is None else (index, *inputs)
            return super().__call__(x, *inputs, **options)
        bounds = _bounds(index)
        op = GetItem2d(tuple(b is not None for b in bounds))
        return op(x, *(_bound(b) for b in bounds if b is not None), **options)

    def make_node(self, x: Variable, *bounds: TensorLike) -> Apply:
        x = _compressed(x)
        return result(self, [x, *map(tensor, bounds)], x.type.format, x.type.dtype)

    def slices(self, bounds: Sequence[TensorLike]) -> list[slice]:
        """Return the slices of rows and columns that the inputs behind the matrix make."""
        rest = iter(bounds)
        values = [next(rest) if present else None for present in self.given]
        return [slice(*values[:3]), slice(*values[3:])]

    def compute(self, xp: ArrayModule, node: Apply, x: Any, *bounds: np.ndarray) -> tuple[Any, ...]:
        rows, columns = self.slices([int(b) for b in bounds])
        return (converted(x[rows, columns], x.format, x.dtype),)

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        x, *bounds = node.inputs
        g = sparse_as(x.type.format, cotangents[0])
        return [fit(x, GetItem2dGrad(self.given)(x, g, *bounds)), *(None for _ in bounds)]

    def __str__(self) -> str:
        return "GetItem2d"


class GetItem2dGrad(SparseOp):
    """A matrix of the shape of `x`, another one in some of its rows and columns; others are 0."""

    shaped_as = 0

    __props__ = ("given",)
    connection = connected(1)

    def __init__(self, given: tuple[bool, ...]) -> None:
        self.given = given

    def make_node(self, x: Variable, g: Variable, *bounds: TensorLike) -> Apply:
        g = sparse(g)
        return result(self, [x, g, *bounds], x.type.format, g.type.dtype)

    def compute(
        self, xp: ArrayModule, node: Apply, x: Any, g: Any, *bounds: np.ndarray
    ) -> tuple[Any, ...]:
        parts_of = GetItem2d(self.given).slices([int(b) for b in bounds])
        rows, columns = (np.arange(n)[s] for n, s in zip(x.shape, parts_of, strict=True))
        items = g.tocoo()
        places = rows[items.row], columns[items.col]
        made = scipy.sparse.coo_matrix((items.data, places), shape=x.shape)
        return (converted(made, x.format, g.dtype),)

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        bounds = node.inputs[2:]
        g = sparse_as("csr", cotangents[0])
        return [None, GetItem2d(self.given)(g, *bounds), *(None for _ in bounds)]


def _bounds(index: object) -> list[Any]:
    """Return bounds and steps of two slices, None where there are none."""
    parts_of = list(index) if isinstance(index, tuple) else [index]
    if len(parts_of) > 2:
        raise ValueError(f"{len(parts_of)} indices for a matrix")
    parts_of += [slice(None)] * (2 - len(parts_of))
    bounds: list[Any] = []
    for part in parts_of:
        if not isinstance(part, slice):
            ndim = getattr(getattr(part, "type", None), "ndim", -1)
            if np.isscalar(part) or ndim == 0:
                raise NotImplementedError(NO_VECTOR.format(part))
            raise ValueError(
                "Advanced indexing is not implemented for sparse matrices. Argument not supported: "
                f"{part}"
            )
        bounds += [part.start, part.stop, part.step]
    return bounds


def _bound(value: TensorLike) -> Any:
    variable = tensor(value)
    if variable.type.ndim or not dtypes.is_integer(variable.type.dtype):
        raise ValueError(f"Impossible index into a sparse matrix: {value}")
    return cast(variable, "int64")


def _is_scalar(index: Sequence[int] | int | slice) -> bool:
    if isinstance(index, Variable):
        return index.type.ndim == 0 and isinstance(index.type, TensorType)
    return np.isscalar(index) or (isinstance(index, np.ndarray) and index.ndim == 0)


def _is_list(index: object) -> bool:
    if isinstance(index, Variable):
        return isinstance(index.type, TensorType) and index.type.ndim == 1
    return isinstance(index, list) or (isinstance(index, np.ndarray) and index.ndim == 1)


def item(x: object, index: object) -> Any:
    """Return ``x[index]``: slices, two integers, a list of rows, or lists of rows and columns."""
    both = index if isinstance(index, tuple) else (index,)
    if len(both) == 2 and all(map(_is_scalar, both)):
        return GetItemScalar()(x, both)
    if len(both) == 2 and all(map(_is_list, both)):
        return GetItem2Lists()(x, *both)
    if len(both) == 1 and _is_list(both[0]):
        return GetItemList()(x, both[0])
    return GetItem2d()(x, both)
