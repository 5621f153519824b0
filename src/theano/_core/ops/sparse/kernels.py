"""Products with compressed matrices by the runtime: of all columns, and of some places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.ir.variable import Apply, Variable
from theano._core.ops.core.op import Structured, shape_of
from theano._core.ops.sparse.type import CLASSES
from theano._core.runtime import native

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, Dims, DType
    from theano._core.ops.core.protocols import Builder, ProgramValue

# Items that the runtime multiplies.
FLOATS = ("float32", "float64")


def product(x: Any, y: Any, dtype: str) -> Any:
    """Return a product of arrays of which one at least is sparse, as SciPy does.

    That of a sparse and a dense one is computed by the runtime: to the same bits, in vectors and on
    all threads.
    """
    if isinstance(x, np.ndarray):
        return product(y.T, x.T, dtype).T
    plain = isinstance(y, np.ndarray) and x.format in ("csr", "csc")
    if not plain or dtype not in FLOATS:
        return x @ y
    columns = y if y.ndim == 2 else y[:, None]
    index = np.result_type(x.indices, x.indptr, np.int32)

    def as_plain(array: np.ndarray, dtype: DType) -> np.ndarray:
        return np.require(array, dtype, ["C", "A"])

    indices, starts = as_plain(x.indices, index), as_plain(x.indptr, index)
    data, dense = as_plain(x.data, dtype), as_plain(columns, dtype)
    out = native.sparse_matmul(x.format == "csr", data, indices, starts, dense, x.shape[0])
    return out if y.ndim == 2 else out[:, 0]


class CompressedProduct(Structured):
    """The product of a matrix, given by its arrays, and a dense one or a vector, of floats.

    The arrays are those of a matrix, as wide as the dense one is high: nothing is checked.
    """

    not_differentiated = "made by rewriting, after differentiation"

    __props__ = ("format",)

    def __init__(self, format: str) -> None:
        self.format = format

    def make_node(
        self, data: Variable, indices: Variable, indptr: Variable, rows: Variable, dense: Variable
    ) -> Apply:
        inputs = [data, indices, indptr, rows, dense]
        return self.one(inputs, data.type.dtype, (False, *dense.type.broadcastable[1:]))

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [(node.inputs[3], *shapes[4][1:])]

    def is_dear(self, node: Apply) -> bool:
        return True

    def compute(self, xp: ArrayModule, node: Apply, *arrays: np.ndarray) -> tuple[Any, ...]:
        data, indices, indptr, rows, dense = arrays
        shape = int(rows), dense.shape[0]
        x = CLASSES[self.format]((data, indices, indptr), shape=shape, copy=False)
        return (product(x, dense, node.outputs[0].type.dtype),)

    def emit(self, p: Builder, node: Apply, *arrays: ProgramValue) -> Any:
        return p.compressed_product(node, *arrays)


class AddedToDense(Structured):
    """A dense matrix with the items of one that is given by its arrays added, of floats."""

    not_differentiated = "made by rewriting, after differentiation"

    __props__ = ("format",)
    shape = shape_of(0)

    def __init__(self, format: str) -> None:
        self.format = format

    def make_node(
        self, dense: Variable, data: Variable, indices: Variable, indptr: Variable
    ) -> Apply:
        inputs = [dense, data, indices, indptr]
        return self.one(inputs, dense.type.dtype, dense.type.broadcastable)

    def compute(self, xp: ArrayModule, node: Apply, *arrays: np.ndarray) -> tuple[Any, ...]:
        dense, data, indices, indptr = arrays
        out = np.array(dense)
        lines = lines_of(indptr)
        np.add.at(out, (lines, indices) if self.format == "csr" else (indices, lines), data)
        return (out,)

    def emit(self, p: Builder, node: Apply, *arrays: ProgramValue) -> Any:
        return p.added_to_dense(node, *arrays)


class OfLines(Structured):
    """A number for each line of a matrix that is given by its arrays and their number, of floats.

    Parameters
    ----------
    gives : {'sums', 'diagonal'}
    """

    not_differentiated = "made by rewriting, after differentiation"

    __props__ = ("gives",)

    def __init__(self, gives: str) -> None:
        self.gives = gives

    def make_node(
        self, data: Variable, indices: Variable, indptr: Variable, count: Variable
    ) -> Apply:
        return self.one([data, indices, indptr, count], data.type.dtype, (False,))

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [(node.inputs[3],)]

    def compute(self, xp: ArrayModule, node: Apply, *arrays: np.ndarray) -> tuple[Any, ...]:
        data, indices, indptr, count = arrays
        out, lines = np.zeros(int(count), data.dtype), lines_of(indptr)
        chosen = slice(None) if self.gives == "sums" else indices == lines
        np.add.at(out, lines[chosen], data[chosen])
        return (out,)

    def emit(self, p: Builder, node: Apply, *arrays: ProgramValue) -> Any:
        return p.of_lines(node, self.gives, *arrays)


def lines_of(indptr: np.ndarray) -> np.ndarray:
    """Return the number of the line of each item."""
    return np.repeat(np.arange(len(indptr) - 1, dtype=indptr.dtype), np.diff(indptr))


class SampledProducts(Structured):
    """The items ``(x @ y.T)[rows, columns]``, a vector."""

    not_differentiated = "made by rewriting, after differentiation"

    def make_node(self, x: Variable, y: Variable, rows: Variable, columns: Variable) -> Apply:
        dtype = x.type.dtype
        assert y.type.dtype == dtype
        return self.one([x, y, rows, columns], dtype, (False,))

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [shapes[2]]

    def is_dear(self, node: Apply) -> bool:
        return True

    def compute(self, xp: ArrayModule, node: Apply, *arrays: np.ndarray) -> tuple[Any, ...]:
        return (products_at(*arrays),)

    def emit(self, p: Builder, node: Apply, *arrays: ProgramValue) -> Any:
        if node.outputs[0].type.dtype not in FLOATS:
            return p.call_compute(node, arrays)
        return p.sampled_products(node, *arrays)


# Items of the two arrays whose products are summed at a time.
BLOCK = 1 << 18


def products_at(x: np.ndarray, y: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return the items ``(x @ y.T)[rows, columns]``, one by one."""
    products = np.empty(len(rows), np.result_type(x, y))
    step = max(1, BLOCK // max(1, x.shape[1]))
    for i in range(0, len(rows), step):
        part = slice(i, i + step)
        np.einsum("ij,ij->i", x[rows[part]], y[columns[part]], out=products[part])
    return products
