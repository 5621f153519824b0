"""Sparse matrices and their parts, conversions, and what moves stored items to other places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse

from theano._core.base import dtypes
from theano._core.ir.graph import copy_graph, toposort
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.assertions import Require
from theano._core.ops.array.dims import as_int64
from theano._core.ops.array.gradient import DisconnectedType
from theano._core.ops.array.shaping import length, vector_of
from theano._core.ops.core.fill import continuous_dtype, second
from theano._core.ops.core.op import connected, constant, linear_in
from theano._core.ops.elementwise.arithmetic import eq, switch
from theano._core.ops.elementwise.elementwise import Elementwise, cast
from theano._core.ops.sparse.base import (
    SameType,
    SparseOp,
    array,
    converted,
    either,
    is_sparse_type,
    result,
    sparse,
    tensor,
    with_dtype,
)
from theano._core.ops.sparse.compressed import (
    MISCOUNTED,
    TURNED,
    CheckedArrays,
    Compressed,
    SparseArrays,
    counted,
    known_places,
    matrix_of,
)
from theano._core.ops.sparse.type import CLASSES

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, Dims, SparseMatrix, TensorLike


def _index_vector(name: str, x: Variable) -> Any:
    x = tensor(x)
    if x.type.ndim != 1 or not dtypes.is_integer(x.type.dtype):
        raise TypeError(f"{name} must be vector of integers", x, x.type)
    return cast(x, "int32")


def lengths_in(shape: Variable) -> tuple[Any, ...]:
    """Return the two lengths that a vector says."""
    return tuple(cast(shape[axis], "int64") for axis in (0, 1))


NOT_SQUARE = "Diag only apply on square matrix, got the shape ({0}, {1})"


class CSM(SparseOp):
    """A matrix made of its stored items, `CSR` or `CSC`.

    Inputs: the items, the column (of CSC: row) of each, where each row (column) begins, the shape.
    """

    __props__ = ("format",)
    connection = connected(0)

    def __init__(self, format: str, kmap: object = None) -> None:
        if format not in ("csr", "csc"):
            raise ValueError("format must be one of: 'csr', 'csc'", format)
        if kmap is not None:
            raise NotImplementedError("kmap: choose the items with an index instead, data[kmap]")
        self.format = format

    def make_node(
        self, data: Variable, indices: Variable, indptr: Variable, shape: Variable
    ) -> Apply:
        data = tensor(data)
        if data.type.ndim != 1:
            raise TypeError("data argument must be a vector", data.type, data.type.ndim)
        places = [
            _index_vector(name, x)
            for name, x in (("indices", indices), ("indptr", indptr), ("shape", shape))
        ]
        return result(self, [data, *places], self.format, data.type.dtype)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [lengths_in(node.inputs[3])]

    def compute(self, xp: ArrayModule, node: Apply, *arrays: np.ndarray) -> tuple[Any, ...]:
        return (matrix_of(self.format, *map(np.array, arrays)),)

    def arrays(self, node: Apply, data: Variable, *places: Variable) -> Any:
        if data.type.dtype == "bool":
            return None
        pattern = known_places(self.format, *places)
        if pattern is None:
            return Compressed(self.format, *CheckedArrays(self.format)(data, *places))
        sizes = length(data, 0), length(pattern.indices, 0)
        return pattern.holding(Require(MISCOUNTED, 2)(data, *sizes, eq(*sizes)))

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        (g,) = cotangents
        return [CSMGrad(self.format)(*node.inputs, sparse_as(self.format, g)), None, None, None]

    def __str__(self) -> str:
        return f"CSM{{format={self.format!r}}}"


CSR, CSC = CSM("csr"), CSM("csc")


class CSMGrad(SparseOp):
    """The items that a matrix has where another one, given by its parts, stores items."""

    shaped_as = 0

    __props__ = ("format",)

    def __init__(self, format: str = "csr") -> None:
        self.format = format

    def make_node(
        self, data: Variable, indices: Variable, indptr: Variable, shape: Variable, g: Variable
    ) -> Apply:
        g = sparse(g)
        return self.one([data, indices, indptr, shape, g], g.type.dtype, (False,))

    def compute(self, xp: ArrayModule, node: Apply, *arrays: Any) -> tuple[Any, ...]:
        data, indices, indptr, shape, g = arrays
        if np.array_equal(g.indptr, indptr) and np.array_equal(g.indices, indices):
            return (np.array(g.data),)
        places = CLASSES[self.format]((data, indices, indptr), shape=tuple(shape)).tocoo()
        items = g.tocsr()[places.row, places.col] if places.nnz else np.zeros(0)
        return (array(items, g.dtype).reshape(-1),)

    def arrays(self, node: Apply, *operands: Variable | Compressed) -> Any:
        g, pattern = operands[-1], known_places(self.format, *node.inputs[1:4])
        assert isinstance(g, Compressed)
        if pattern is None or pattern.format != g.format:
            return None
        return g.data if pattern[2:4] == g[2:4] else _items_of_dense(g, pattern)

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        places = node.inputs[1:4]
        return [None, None, None, None, CSM(self.format)(cotangents[0], *places)]


def _items_of_dense(x: Compressed, places: Compressed) -> Any:
    """Return the items that `x` has at places, if it is made of those of a dense matrix, or None.

    Where that has a zero, `x` stores nothing.
    """
    arrays = x.indices.owner
    made = arrays.inputs[0].owner if arrays and isinstance(arrays.op, SparseArrays) else None
    is_dense = made is not None and isinstance(made.op, SparseFromDense)
    if made is None or not is_dense or made.inputs[0].type.ndim != 2:
        return None
    items = arrays.outputs[0]
    of_items = {items}
    for node in toposort([x.data], of_items):
        others = [v for v in node.inputs if v not in of_items]
        if len(others) < len(node.inputs):
            if not isinstance(node.op, Elementwise) or not all(
                all(v.type.broadcastable) for v in others
            ):
                return None
            of_items |= set(node.outputs)
    turned = arrays.op.format_of(arrays) != x.format
    here = places.at_items(made.inputs[0].T if turned else made.inputs[0])
    (replaced,) = copy_graph([x.data], {items: here})
    nothing = constant(np.zeros((), replaced.type.dtype))
    return replaced if replaced is here else switch(eq(here, 0), nothing, replaced)


class CSMProperties(SparseOp):
    """The parts of a matrix: items, their indices, where rows (columns) begin, the shape."""

    def make_node(self, csm: Variable) -> Apply:
        csm = sparse(csm)
        if csm.type.format not in ("csr", "csc"):
            raise TypeError("parts exist of matrices in the formats csr and csc", csm, csm.type)
        types = [TensorType(dtype, (False,)) for dtype in (csm.type.dtype, *["int32"] * 3)]
        return Apply(self, [csm], [type_.make_variable() for type_ in types])

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [(None,), (None,), (None,), (2,)]

    def compute(self, xp: ArrayModule, node: Apply, csm: SparseMatrix) -> tuple[Any, ...]:
        rest = [array(x, "int32") for x in (csm.indices, csm.indptr, csm.shape)]
        return np.array(csm.data), *rest

    def arrays(self, node: Apply, x: Compressed) -> Any:
        return [x.data, x.indices, x.indptr, vector_of(x.sizes, "int32")]

    def connection(self, node: Apply) -> list[list[bool]]:
        return [[True, False, False, False]]

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        (csm,) = node.inputs
        g = cotangents[0]
        if g is None or isinstance(g.type, DisconnectedType):
            return [None]
        return [rebuilt(csm, g)]


def parts(x: object) -> list[Any]:
    """Return items, indices, beginnings and shape of a sparse variable."""
    return CSMProperties()(x)


def rebuilt(x: Variable, data: object) -> Any:
    """Return the matrix that has other items in the places of `x`."""
    return CSM(x.type.format)(data, *parts(x)[1:])


def ones_at(x: Variable, dtype: str | None = None) -> Any:
    """Return 1 where `x` stores items."""
    data = parts(x)[0]
    return rebuilt(x, second(data, array(1, dtype or continuous_dtype(x.type.dtype))))


def sparse_as(format: str, g: Any) -> Any:
    """Return a cotangent as a sparse matrix of a format."""
    if not is_sparse_type(g):
        return SparseFromDense(format)(g)
    return g if g.type.format == format else Reformat(format)(g)


class Reformat(SparseOp):
    """A matrix in another format."""

    shaped_as = 0

    __props__ = ("format",)
    linear = linear_in(0)

    def __init__(self, format: str) -> None:
        self.format = format

    def make_node(self, x: Variable) -> Apply:
        x = sparse(x)
        return result(self, [x], self.format, x.type.dtype)

    def compute(self, xp: ArrayModule, node: Apply, x: Any) -> tuple[Any, ...]:
        return (converted(x, self.format, x.dtype),)

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        return [sparse_as(node.inputs[0].type.format, cotangents[0])]


class Cast(SparseOp):
    """A matrix with items of another dtype."""

    shaped_as = 0

    __props__ = ("out_type",)

    def __init__(self, out_type: str) -> None:
        self.out_type = str(np.dtype(out_type))

    def make_node(self, x: Variable) -> Apply:
        x = sparse(x)
        return result(self, [x], x.type.format, self.out_type)

    def compute(self, xp: ArrayModule, node: Apply, x: SparseMatrix) -> tuple[Any, ...]:
        return (with_dtype(x, self.out_type),)

    def arrays(self, node: Apply, x: Compressed) -> Any:
        loses = dtypes.is_complex(x.data.type.dtype) and not dtypes.is_complex(self.out_type)
        return None if loses or self.out_type == "bool" else x.holding(cast(x.data, self.out_type))

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        (x,) = node.inputs
        if dtypes.is_discrete(x.type.dtype) or dtypes.is_discrete(self.out_type):
            return [zeros_at(x)]
        return [cast_as(cotangents[0], x.type.dtype)]

    def __str__(self) -> str:
        return f"Cast({self.out_type})"


def cast_as(x: Variable, dtype: str) -> Any:
    """Return a sparse or dense variable with items of another dtype."""
    if x.type.dtype == dtype:
        return x
    return Cast(dtype)(x) if is_sparse_type(x) else cast(x, dtype)


def zeros_at(x: Any) -> Any:
    """Return a matrix of the shape of `x` that stores nothing, of a float dtype."""
    _, _, indptr, shape = parts(x)
    nothing = np.zeros(0, continuous_dtype(x.type.dtype))
    return CSM(x.type.format)(nothing, np.zeros(0, "int32"), indptr * array(0, "int32"), shape)


def fit(x: Variable, g: TensorLike) -> Any:
    """Return a cotangent in the format and dtype of a sparse variable; zeros for integers."""
    if dtypes.is_discrete(x.type.dtype):
        return zeros_at(x)
    return cast_as(sparse_as(x.type.format, g), x.type.dtype)


class Transpose(SparseOp):
    """Rows as columns: CSR gives CSC and the other way round."""

    formats = TURNED
    linear = linear_in(0)

    def make_node(self, x: Variable) -> Apply:
        x = sparse(x)
        if x.type.format not in self.formats:
            raise TypeError(f"transpose takes the formats csr and csc, got {x.type}")
        return result(self, [x], self.formats[x.type.format], x.type.dtype)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [shapes[0][::-1]]

    def compute(self, xp: ArrayModule, node: Apply, x: Any) -> tuple[Any, ...]:
        return (x.transpose(copy=True),)

    def arrays(self, node: Apply, x: Compressed) -> Any:
        return x.turned

    def vjp(self, node: Apply, cotangents: Sequence[Any]) -> list[Any]:
        (g,) = cotangents
        return [self(g) if is_sparse_type(g) else g.T]

    def __str__(self) -> str:
        return "SparseTranspose"


class Neg(SameType):
    """Items with the other sign."""

    linear = linear_in(0)

    def compute(self, xp: ArrayModule, node: Apply, x: Any) -> tuple[Any, ...]:
        return (-x,)

    def arrays(self, node: Apply, x: Compressed) -> Any:
        return x.holding(-x.data)

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        return [-cotangents[0]]

    def __str__(self) -> str:
        return "SparseNeg"


class EnsureSortedIndices(SameType):
    """A matrix whose items stand in the order of their indices."""

    __props__ = ("inplace",)
    linear = linear_in(0)

    def __init__(self, inplace: bool = False) -> None:
        self.inplace = inplace

    def compute(self, xp: ArrayModule, node: Apply, x: Any) -> tuple[Any, ...]:
        return (x.sorted_indices(),)

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        return [cotangents[0]]

    def __str__(self) -> str:
        return f"{type(self).__name__}{{{'inplace' if self.inplace else 'no_inplace'}}}"


class Remove0(SameType):
    """A matrix that stores no zeros."""

    __props__ = ("inplace",)

    def __init__(self, inplace: bool = False) -> None:
        self.inplace = inplace

    def compute(self, xp: ArrayModule, node: Apply, x: Any) -> tuple[Any, ...]:
        x = x.copy()
        x.eliminate_zeros()
        return (x,)

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        return [cotangents[0]]

    def __str__(self) -> str:
        return f"Remove0{{{'inplace' if self.inplace else ''}}}"


class DenseFromSparse(SparseOp):
    """A matrix with its zeros; the gradient is for stored items only, if `structured`."""

    shaped_as = 0

    __props__ = ("sparse_grad",)

    def __init__(self, structured: bool = True) -> None:
        self.sparse_grad = structured

    def make_node(self, x: Variable) -> Apply:
        x = sparse(x)
        return self.one([x], x.type.dtype, (False, False))

    def compute(self, xp: ArrayModule, node: Apply, x: Any) -> tuple[Any, ...]:
        return (np.ascontiguousarray(x.toarray()),)

    def arrays(self, node: Apply, x: Compressed) -> Any:
        return x.dense

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        (x,), (g,) = node.inputs, cotangents
        if self.sparse_grad:
            return [ones_at(x, g.type.dtype) * g]
        return [SparseFromDense(x.type.format)(g)]

    def __str__(self) -> str:
        return f"DenseFromSparse{{structured_grad={self.sparse_grad}}}"


class SparseFromDense(SparseOp):
    """The items of a matrix that are not zero; a vector is a matrix of one row."""

    __props__ = ("format",)

    def __init__(self, format: str) -> None:
        if format not in CLASSES:
            raise ValueError(f"format must be one of {', '.join(CLASSES)}, got {format!r}")
        self.format = format

    def make_node(self, x: Variable) -> Apply:
        x = tensor(x)
        if x.type.ndim > 2:
            raise TypeError(
                "Theano does not have sparse tensor types with more than 2 dimensions, but "
                f"{x}.ndim = {x.type.ndim}"
            )
        return result(self, [x], self.format, x.type.dtype)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [(1,) * (2 - len(shapes[0])) + tuple(shapes[0])]

    def compute(self, xp: ArrayModule, node: Apply, x: np.ndarray) -> tuple[Any, ...]:
        return (CLASSES[self.format](np.atleast_2d(x)),)

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        (x,), g = node.inputs, dense(cotangents[0])
        return [g if x.type.ndim == 2 else g[0] if x.type.ndim == 1 else g[0, 0]]

    def __str__(self) -> str:
        return f"SparseFromDense{{{self.format}}}"


class Diag(SparseOp):
    """The diagonal of a square matrix, a vector."""

    linear = linear_in(0)

    def make_node(self, x: Variable) -> Apply:
        x = sparse(x)
        return self.one([x], x.type.dtype, (False,))

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [shapes[0][:1]]

    def compute(self, xp: ArrayModule, node: Apply, x: SparseMatrix) -> tuple[Any, ...]:
        if x.shape[0] != x.shape[1]:
            raise ValueError(NOT_SQUARE.format(*x.shape))
        return (np.array(x.diagonal()),)

    def arrays(self, node: Apply, x: Compressed) -> Any:
        return x.holding(Require(NOT_SQUARE, 2)(x.data, *x.sizes, eq(*x.sizes))).diagonal

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        return [sparse_as(node.inputs[0].type.format, SquareDiagonal()(cotangents[0]))]


class SquareDiagonal(SparseOp):
    """The square matrix, CSC, with a vector on its diagonal."""

    linear = linear_in(0)

    def make_node(self, diag: Variable) -> Apply:
        diag = tensor(diag)
        if diag.type.ndim != 1:
            raise TypeError("data argument must be a vector", diag.type)
        return result(self, [diag], "csc", diag.type.dtype)

    def shape(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        return [shapes[0] * 2]

    def compute(self, xp: ArrayModule, node: Apply, diag: np.ndarray) -> tuple[Any, ...]:
        n = diag.shape[0]
        places = np.arange(n, dtype="int32"), np.arange(n + 1, dtype="int32")
        return (scipy.sparse.csc_matrix((np.array(diag), *places), shape=(n, n)),)

    def arrays(self, node: Apply, data: Variable) -> Any:
        n = as_int64(length(data, 0))
        return Compressed("csc", data, counted(n), counted(n + 1), n, n)

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        return [Diag()(sparse_as("csc", cotangents[0]))]


class ConstructSparseFromList(SparseOp):
    """The matrix, CSC, of the shape of `x` with rows `ilist` from `values`, and zeros elsewhere."""

    shaped_as = 0
    connection = connected(1)

    def make_node(self, x: Variable, values: Variable, ilist: Any) -> Apply:
        x, values, ilist = tensor(x), tensor(values), tensor(ilist)
        if not dtypes.is_integer(ilist.type.dtype):
            raise TypeError("index must be integers", ilist.type)
        if ilist.type.ndim != 1:
            raise TypeError("index must be vector", ilist.type)
        if x.type.ndim != 2:
            raise TypeError(f"cannot create a sparse matrix with {x.type.ndim} dimensions", x.type)
        if values.type.ndim != 2:
            raise TypeError("values must be a matrix", values.type)
        return result(self, [x, values, ilist], "csc", x.type.dtype)

    def compute(self, xp: ArrayModule, node: Apply, *arrays: np.ndarray) -> tuple[Any, ...]:
        x, values, ilist = arrays
        rows, columns = values.shape
        if ilist.shape[0] != rows:
            raise ValueError(f"there are {ilist.shape[0]} indices for {rows} rows of values")
        places = np.repeat(ilist, columns), np.tile(np.arange(columns), rows)
        made = scipy.sparse.csc_matrix((values.reshape(-1), places), shape=x.shape, dtype=x.dtype)
        return (made,)

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        _, values, ilist = node.inputs
        return [None, dense(cotangents[0])[ilist][:, : values.shape[1]], None]


def dense(x: TensorLike) -> Any:
    """Return a sparse or dense variable as a dense one."""
    x = either(x)
    return DenseFromSparse()(x) if is_sparse_type(x) else x
