"""Sparse matrices as the arrays that they are: what rewriting makes of operations on them.

An operation says in its rule `arrays` what it does to the arrays of its operands. Such a rule gets
each sparse operand as `Compressed`, variables that hold its arrays, and returns another one, or
tensors. So what only concerns stored items is an expression of vectors, which fuses, and a matrix
of SciPy is made only where one is needed: for results, and for what changes the places of items.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.base.records import Record
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.assertions import Require
from theano._core.ops.array.broadcasting import alloc
from theano._core.ops.array.creation import ARange
from theano._core.ops.array.indexing import gather, scatter_add
from theano._core.ops.array.products import Dot
from theano._core.ops.array.reductions import reduce
from theano._core.ops.array.shaping import MakeVector, length
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.core.op import Structured, constant
from theano._core.ops.core.python_call import Called, CallError
from theano._core.ops.elementwise.arithmetic import eq, switch
from theano._core.ops.elementwise.elementwise import cast
from theano._core.ops.sparse.base import result
from theano._core.ops.sparse.kernels import (
    FLOATS,
    AddedToDense,
    CompressedProduct,
    OfLines,
    SampledProducts,
    lines_of,
)
from theano._core.ops.sparse.type import CLASSES, checked

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, Dims, SparseMatrix
    from theano._core.ops.core.protocols import Builder, ProgramValue

# The transpose of a matrix stored by rows is stored by columns, in the same arrays.
TURNED = {"csr": "csc", "csc": "csr"}
INDEX = "int32"
MOST = np.iinfo(INDEX).max
# Not their names, which take time to understand in each call.
INDEX_DTYPE, COUNT = np.dtype(INDEX), np.dtype("int64")
MISCOUNTED = "Data argument has {0} items, indices {1}: there is one index for each item"


class Compressed(Record):
    """A matrix, CSR or CSC, as variables.

    Attributes
    ----------
    format : str
    data, indices, indptr : vector
        As SciPy has them; nothing is behind the last item.
    rows, columns : int64 scalar
    """

    format: str
    data: Any
    indices: Any
    indptr: Any
    rows: Any
    columns: Any

    @property
    def of_rows(self) -> Any:
        """The row of each stored item."""
        return self._lines() if self.format == "csr" else self.indices

    @property
    def of_columns(self) -> Any:
        """The column of each stored item."""
        return self.indices if self.format == "csr" else self._lines()

    def _lines(self) -> Any:
        return LinesOfItems()(self.indptr, self.indices)

    @property
    def sizes(self) -> tuple[Any, Any]:
        """The numbers of rows and columns."""
        return self.rows, self.columns

    @property
    def turned(self) -> Compressed:
        """The transpose."""
        arrays = self.data, self.indices, self.indptr
        return Compressed(TURNED[self.format], *arrays, self.columns, self.rows)

    def holding(self, data: Variable) -> Compressed:
        """Return the matrix that has other items in the same places."""
        return self.replace(data=data)

    def at_items(self, x: Variable) -> Any:
        """Return the items of a dense matrix where this one stores items.

        Of a product only these are computed.
        """
        places = self.of_rows, self.of_columns
        product = x.owner if x.owner and isinstance(x.owner.op, Dot) else None
        factors = [(v.type.dtype, v.type.ndim) for v in product.inputs] if product else []
        if product is not None and factors == [(x.type.dtype, 2)] * 2:
            one, two = product.inputs
            return SampledProducts()(one, dimshuffle(two, (1, 0)), *places)
        return gather(x, *places)

    def added_to(self, x: Variable) -> Any:
        """Return a dense matrix with the stored items added to those of `x`."""
        arrays = self[1:4]
        if self.data.type.dtype == x.type.dtype and x.type.dtype in FLOATS:
            return AddedToDense(self.format)(x, *arrays)
        return scatter_add(x, self.data, self.of_rows, self.of_columns)

    def summed(self, axis: int | None) -> Any:
        """Return the sum of all items, or along an axis."""
        if axis is None:
            return reduce("sum", self.data)
        within_lines = axis == (1 if self.format == "csr" else 0)
        size = self.sizes[1 - axis]
        if within_lines and self.data.type.dtype in FLOATS:
            return OfLines("sums")(*self[1:4], size)
        return summed_at(self.data, self.of_rows if axis else self.of_columns, size)

    @property
    def diagonal(self) -> Any:
        """The diagonal of a square matrix."""
        if self.data.type.dtype in FLOATS:
            return OfLines("diagonal")(*self[1:4], self.rows)
        rows, columns = self.of_rows, self.of_columns
        nothing = constant(np.zeros((), self.data.type.dtype))
        return summed_at(switch(eq(rows, columns), self.data, nothing), columns, self.columns)

    @property
    def dense(self) -> Any:
        """The matrix with its zeros."""
        return self.added_to(zeros(self.data.type.dtype, self.rows, self.columns))

    def times(self, dense: Variable) -> Any:
        """Return the product with a dense matrix or vector of the same dtype, one of `FLOATS`."""
        return CompressedProduct(self.format)(*self[1:5], dense)

    def assembled(self, dtype: str) -> Any:
        """Return the variable that is the matrix, with items of a dtype."""
        return Assembled(self.format)(cast(self.data, dtype), *self[2:])


def required_equal(x: Variable, text: str, *pairs: Sequence[Variable]) -> Any:
    """Return `x`, once both lengths of each pair are equal; else ValueError with a text of them."""
    facts = [one for one, _ in pairs] + [two for _, two in pairs]
    return Require(text, len(facts))(x, *facts, *(eq(*pair) for pair in pairs))


def sizes_of(x: Compressed | Variable) -> list[Any]:
    """Return the lengths of a matrix or vector."""
    if isinstance(x, Compressed):
        return list(x.sizes)
    return [length(x, axis) for axis in range(x.type.ndim)]


def zeros(dtype: str, *lengths: Variable) -> Any:
    """Return zeros of some lengths."""
    return alloc(constant(np.zeros((), dtype)), *lengths)


def summed_at(data: Variable, places: Variable, size: Variable) -> Any:
    """Return the vector with the sums of the items that have each place."""
    return scatter_add(zeros(data.type.dtype, size), data, places)


def counted(size: Any) -> Any:
    """Return the vector of the indices below a size."""
    return ARange(INDEX)(
        *(constant(np.int64(n)) if isinstance(n, int) else n for n in (0, size, 1))
    )


def compressed(x: Variable) -> Compressed | None:
    """Return a sparse variable as its arrays; None: its format or dtype has no such form."""
    type_: Any = x.type
    if type_.format not in TURNED or type_.dtype == "bool":
        return None
    node = x.owner
    if node is not None and isinstance(node.op, Assembled):
        return Compressed(type_.format, *node.inputs)
    return Compressed(type_.format, *SparseArrays()(x))


def known_places(
    format: str, indices: Variable, indptr: Variable, shape: Variable
) -> Compressed | None:
    """Return the matrix, without items, that three vectors are parts of; None: of none.

    What is part of a matrix has been checked.
    """
    node = indices.owner
    if node is None or not are_of_one(indices, indptr):
        return None
    rows, columns = node.outputs[3:]
    sizes = shape.owner.inputs if shape.owner and isinstance(shape.owner.op, MakeVector) else ()
    there = [_as_counted(v) for v in sizes]
    turned = node.op.format_of(node) != format
    wanted = [columns, rows] if turned else [rows, columns]
    if there != wanted:
        return None
    return Compressed(format, None, indices, indptr, *wanted)


def are_of_one(indices: Variable, indptr: Variable) -> bool:
    """Tell whether two vectors are known to be the places of items of one matrix."""
    node = indices.owner
    made = node is not None and isinstance(node.op, (SparseArrays, CheckedArrays))
    return made and node is not None and list(node.outputs[1:3]) == [indices, indptr]


def _as_counted(size: Variable) -> Variable:
    """Return what was cast to the dtype of a shape."""
    node = size.owner
    is_cast = node is not None and len(node.inputs) == 1 and size.type.dtype == INDEX
    return node.inputs[0] if is_cast and node is not None else size


def _variables(dtype: str, index: str = INDEX) -> list[Any]:
    """Return new variables for the five of `Compressed`."""
    types = [TensorType(d, (False,)) for d in (dtype, index, index)]
    return [type_.make_variable() for type_ in (*types, *[TensorType("int64", ())] * 2)]


class _Places(Structured):
    """Base of operations that give the arrays of a matrix."""

    not_differentiated = "made by rewriting, after differentiation"

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [(None,), (length(node.outputs[0], 0),), (None,), (), ()]


class SparseArrays(_Places):
    """Items, indices and beginnings of lines of a matrix, and its numbers of rows and columns."""

    def make_node(self, x: Variable) -> Apply:
        return Apply(self, [x], _variables(x.type.dtype))

    def format_of(self, node: Apply) -> str:
        """Return the format of the matrix."""
        return node.inputs[0].type.format

    def compute(self, xp: ArrayModule, node: Apply, x: SparseMatrix) -> tuple[Any, ...]:
        return tuple(np.array(v) for v in arrays_of(x))

    def emit(self, p: Builder, node: Apply, x: ProgramValue) -> Any:
        # An argument has just been checked, and what SciPy has made is right.
        variable = node.inputs[0]
        is_input = variable in p.inputs and not hasattr(variable, "container")
        is_checked = is_input or variable.owner is not None
        return p.call_python(node, _Lent(node, not is_checked), [x], lends=True)


class _Lent:
    """What gives a program the arrays of a matrix themselves: it only reads them.

    It `checks` what users can have changed since that was done.
    """

    def __init__(self, node: Apply, checks: bool) -> None:
        self.node = node
        self.checks = checks

    def __call__(self, x: SparseMatrix) -> tuple[Any, ...]:
        try:
            return arrays_of(checked(x) if self.checks else x)
        except Exception as error:
            raise CallError(error, self.node, [x]) from error


def arrays_of(x: SparseMatrix) -> tuple[Any, ...]:
    """Return the arrays of a matrix, and its numbers of rows and columns.

    Raises
    ------
    OverflowError
        They are too large to be counted in 32 bits.
    """
    data, indices, indptr, shape = x.data, x.indices, x.indptr, x.shape
    items = int(indptr[-1])
    if max(items, *shape) > MOST:
        raise OverflowError(
            f"the matrix has the shape {shape} and {items} stored items: native code counts to "
            f"{MOST}. Mode().excluding('sparse') leaves it to SciPy"
        )
    if not items == len(data) == len(indices):
        data, indices = data[:items], indices[:items]
    rows, columns = shape
    return (
        _plain(data, data.dtype),
        _plain(indices, INDEX_DTYPE),
        _plain(indptr, INDEX_DTYPE),
        np.array(rows, COUNT),
        np.array(columns, COUNT),
    )


def _plain(array: np.ndarray, dtype: np.dtype) -> np.ndarray:
    fits = array.dtype == dtype and array.flags.aligned
    return array if fits else np.require(array, dtype, ["A"])


class CheckedArrays(_Places):
    """The arrays of the matrix that users make of three vectors and a shape, once it is one."""

    __props__ = ("format",)

    def __init__(self, format: str) -> None:
        self.format = format

    def format_of(self, node: Apply) -> str:
        """Return the format of the matrix."""
        return self.format

    def make_node(
        self, data: Variable, indices: Variable, indptr: Variable, shape: Variable
    ) -> Apply:
        return Apply(self, [data, indices, indptr, shape], _variables(data.type.dtype))

    def compute(self, xp: ArrayModule, node: Apply, *arrays: np.ndarray) -> tuple[Any, ...]:
        return tuple(np.array(v) for v in arrays_of(matrix_of(self.format, *arrays)))

    def emit(self, p: Builder, node: Apply, *arrays: ProgramValue) -> Any:
        counts = [TensorType("int64", ()).make_variable() for _ in range(3)]
        check = Apply(None, node.inputs, counts)
        items, rows, columns = p.call_python(check, _Counted(node), arrays)
        data, indices = (p.with_shape(v, {0: p.integer(items)}) for v in arrays[:2])
        return data, indices, arrays[2], rows, columns


class _Counted:
    """What checks the arrays of a matrix; returns the numbers of items, rows and columns."""

    def __init__(self, node: Apply) -> None:
        self.node = node

    def __call__(self, *arrays: np.ndarray) -> tuple[Any, ...]:
        try:
            made = matrix_of(self.node.op.format, *arrays)
        except Exception as error:
            raise CallError(error, self.node, arrays) from error
        return tuple(np.array(n, "int64") for n in (made.indptr[-1], *made.shape))


def matrix_of(
    format: str, data: np.ndarray, indices: np.ndarray, indptr: np.ndarray, shape: np.ndarray
) -> Any:
    """Return the matrix that arrays are, which shows their memory.

    Raises
    ------
    ValueError
        They are none.
    """
    if shape.shape != (2,):
        raise ValueError("Shape should be an array of length 2")
    if data.shape != indices.shape:
        raise ValueError(MISCOUNTED.format(data.size, indices.size))
    made = CLASSES[format]((data, indices, indptr), shape=tuple(shape), copy=False)
    return checked(made)


class Assembled(Called):
    """The matrix that has arrays, in memory of its own. Nothing is checked: they are of one."""

    not_differentiated = "made by rewriting, after differentiation"

    __props__ = ("format",)

    def __init__(self, format: str) -> None:
        self.format = format

    def make_node(
        self, data: Variable, indices: Variable, indptr: Variable, rows: Variable, columns: Variable
    ) -> Apply:
        return result(self, [data, indices, indptr, rows, columns], self.format, data.type.dtype)

    def foldable(self) -> bool:
        return False

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [tuple(node.inputs[3:])]

    def compute(self, xp: ArrayModule, node: Apply, *arrays: np.ndarray) -> tuple[Any, ...]:
        data, indices, indptr, rows, columns = arrays
        made = CLASSES[self.format]((int(rows), int(columns)), dtype=data.dtype)
        made.data, made.indices, made.indptr = map(np.array, (data, indices, indptr))
        return (made,)


class LinesOfItems(Structured):
    """The row of each item of a CSR matrix, the column for CSC: of beginnings and indices."""

    not_differentiated = "made by rewriting, after differentiation"

    def make_node(self, indptr: Variable, indices: Variable) -> Apply:
        return self.one([indptr, indices], indptr.type.dtype, (False,))

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [shapes[1]]

    def compute(
        self, xp: ArrayModule, node: Apply, indptr: np.ndarray, indices: np.ndarray
    ) -> tuple[Any, ...]:
        return (lines_of(indptr),)

    def emit(self, p: Builder, node: Apply, indptr: ProgramValue, indices: ProgramValue) -> Any:
        return p.lines_of_items(node, indptr, indices)
