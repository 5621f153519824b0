"""Operations on shape: axes, lengths and their declared patterns. All are views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.exceptions import AxisError

from theano._core.base.dtypes import is_integer, upcast
from theano._core.ir import hooks
from theano._core.ir.graph import made_by
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.ops.array.dims import (
    as_int64,
    as_length,
    is_one,
    lengths_of,
    not_negative,
    product,
)
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.core.naming import hashed_as, known_as
from theano._core.ops.core.op import (
    Structured,
    as_variable,
    connected,
    constant,
    linear_in,
    no_cotangents,
    python_int,
    scalar_shape,
    tensor_operand,
)
from theano._core.ops.elementwise.elementwise import cast

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, Dims, SparseMatrix, TensorLike
    from theano._core.ops.core.protocols import Batching, Builder, ProgramValue


@hashed_as("Rebroadcast")
class Rebroadcast(Structured):
    """`x` with another broadcastable pattern; a length is checked where 1 becomes declared."""

    __props__ = ("pattern",)
    is_view = True
    linear = linear_in(0)

    def __init__(self, pattern: Sequence[bool]) -> None:
        self.pattern = tuple(bool(p) for p in pattern)

    def make_node(self, x: TensorLike) -> Apply:
        x = tensor_operand("patternbroadcast", x)
        if x.type.ndim != len(self.pattern):
            raise ValueError(f"pattern {self.pattern} does not fit {x.type}")
        return self.one([x], x.type.dtype, self.pattern)

    def compute(self, xp: ArrayModule, node: Apply, x: np.ndarray) -> tuple[Any, ...]:
        for axis, (one, length) in enumerate(zip(self.pattern, x.shape, strict=True)):
            if one and length != 1:
                raise ValueError(
                    f"Dimension {axis} in Rebroadcast's input was supposed to be 1 (got {length} "
                    f"instead)"
                )
        return (x,)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        pairs = zip(self.pattern, shapes[0], strict=True)
        return [tuple(1 if one else length for one, length in pairs)]

    def batch(
        self, node: Apply, values: list[Variable], rows: list[bool], batching: Batching
    ) -> list[Any] | None:
        return [pattern_broadcast(values[0], (False, *self.pattern))]

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        return [pattern_broadcast(cotangents[0], node.inputs[0].type.broadcastable)]

    def emit(self, p: Builder, node: Apply, x: ProgramValue) -> Any:
        for axis, one in enumerate(self.pattern):
            if one:
                p.require_length(node, x, axis, 1, "rebroadcast")
        return p.with_shape(x, {axis: 1 for axis, one in enumerate(self.pattern) if one})

    def __str__(self) -> str:
        return f"Rebroadcast{{{','.join(str(int(one)) for one in self.pattern)}}}"


@hooks.change_pattern.fill
def pattern_broadcast(x: Variable, pattern: Sequence[bool]) -> Any:
    """Return `x` with the broadcastable pattern `pattern`."""
    return x if x.type.broadcastable == tuple(pattern) else Rebroadcast(pattern)(x)


@known_as("Shape")
class ShapeOf(Structured):
    """Lengths of the axes of `x`, an int64 vector."""

    name = "Shape"
    measures = True
    connection = connected()
    vjp = no_cotangents

    def make_node(self, x: TensorLike) -> Apply:
        x = as_variable(x)
        return self.one([x], "int64", (False,))

    def compute(
        self, xp: ArrayModule, node: Apply, x: np.ndarray | SparseMatrix
    ) -> tuple[Any, ...]:
        return (np.asarray(x.shape, dtype="int64"),)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [(node.inputs[0].type.ndim,)]

    def batch(
        self, node: Apply, values: list[Variable], rows: list[bool], batching: Batching
    ) -> list[Any] | None:
        x = values[0]
        return [vector_of([as_int64(length(x, a)) for a in range(1, x.type.ndim)])]

    def emit(self, p: Builder, node: Apply, x: ProgramValue) -> Any:
        if not isinstance(node.inputs[0].type, TensorType):
            return p.call_compute(node, [x])
        return p.vector_of([p.length(x, axis) for axis in range(node.inputs[0].type.ndim)])


shape = ShapeOf()


@known_as("Shape_i")
class Length(Structured):
    """Length of one axis of `x`, an int64 scalar."""

    __props__ = ("axis",)
    measures = True
    shape = scalar_shape
    connection = connected()
    vjp = no_cotangents

    def __init__(self, axis: int) -> None:
        self.axis = axis

    def make_node(self, x: TensorLike) -> Apply:
        x = as_variable(x)
        if not 0 <= self.axis < x.type.ndim:
            raise TypeError(f"x has too few dimensions for Shape_i: axis {self.axis} of {x.type}")
        return self.one([x], "int64", ())

    def compute(
        self, xp: ArrayModule, node: Apply, x: np.ndarray | SparseMatrix
    ) -> tuple[Any, ...]:
        return (np.asarray(x.shape[self.axis], dtype="int64"),)

    def batch(
        self, node: Apply, values: list[Variable], rows: list[bool], batching: Batching
    ) -> list[Any] | None:
        return [as_int64(length(values[0], self.axis + 1))]

    def emit(self, p: Builder, node: Apply, x: ProgramValue) -> Any:
        if not isinstance(node.inputs[0].type, TensorType):
            return p.call_compute(node, [x])
        return p.scalar(p.length(x, self.axis))

    def __str__(self) -> str:
        return f"Shape_i{{{self.axis}}}"


def axis_of(name: str, x: Any, axis: object) -> int:
    """Return the number of one axis of `x`, counted from 0.

    Raises
    ------
    TypeError
        It is not known when the graph is built.
    AxisError
        `x` has no such axis: an IndexError and a ValueError.
    """
    number = python_int(axis)
    if number is None:
        raise TypeError(f"{name}: an axis must be known when the graph is built, got {axis!r}")
    if not -x.type.ndim <= number < x.type.ndim:
        raise AxisError(f"{name}: axis {number} is out of bounds for {x.type}")
    return number % x.type.ndim


def is_measured(length: Any, variable: Variable) -> bool:
    """Tell whether the length of an axis of a variable is only known by itself."""
    node = getattr(length, "owner", None)
    return node is not None and isinstance(node.op, Length) and node.inputs[0] is variable


def length(x: Any, axis: int) -> Any:
    """Return the length of an axis of `x`: an int where it is known, else a scalar variable."""
    if x.type.shape[axis] is not None:
        return x.type.shape[axis]
    if isinstance(x, Constant):
        return int(x.data.shape[axis])
    return Length(axis)(x)


class MakeVector(Structured):
    """A vector of its scalar inputs."""

    __props__ = ("dtype",)

    def __init__(self, dtype: str = "int64") -> None:
        self.dtype = dtype

    def make_node(self, *values: TensorLike) -> Apply:
        operands = [as_variable(v) for v in values]
        if upcast(self.dtype, *(v.type.dtype for v in operands)) != self.dtype:
            raise AssertionError(
                f"MakeVector of {self.dtype} does not narrow {[str(v.type) for v in operands]}: "
                "cast them, or name the dtype that they have together"
            )
        scalars = [cast(v, self.dtype) for v in operands]
        if any(v.type.ndim for v in scalars):
            raise TypeError(f"MakeVector needs scalars, got {[str(v.type) for v in scalars]}")
        return self.one(scalars, self.dtype, (False,))

    def compute(self, xp: ArrayModule, node: Apply, *values: np.ndarray) -> tuple[Any, ...]:
        return (xp.asarray(xp.stack(values) if values else xp.zeros(0), dtype=self.dtype),)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [(len(node.inputs),)]

    def linear(self, node: Apply) -> list[list[int]]:
        return [list(range(len(node.inputs)))]

    def batch(
        self, node: Apply, values: list[Variable], rows: list[bool], batching: Batching
    ) -> list[Any] | None:
        columns = [dimshuffle(batching.full(v), (0, "x")) for v in node.inputs]
        return [batching.joined(columns, 1)]

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        return [cotangents[0][i] for i in range(len(node.inputs))]

    def emit(self, p: Builder, node: Apply, *values: ProgramValue) -> Any:
        return p.vector_of(values, self.dtype)


def vector_of(values: Sequence[Variable], dtype: str = "int64") -> Any:
    """Return a vector variable of scalars; a constant if all are known."""
    numbers = [python_int(v) for v in values]
    if all(v is not None for v in numbers) and dtype == "int64":
        return constant(np.asarray(numbers, dtype="int64"))
    return MakeVector(dtype)(*(cast(as_variable(v), dtype) for v in values))


class Reshape(Structured):
    """`x` with the lengths `shape` (a vector of `ndim` integers; one of them may be -1)."""

    __props__ = ("ndim",)
    is_view = True
    # As in Theano, where what is as linear in integers stops them: rounded results are reshaped.
    through_integers = True
    connection = connected(0)
    linear = linear_in(0)

    def __init__(self, ndim: int, name: None = None) -> None:
        if name is not None:
            raise AssertionError(f"reshape: an operation has no name of its own, got {name!r}")
        if isinstance(ndim, (bool, np.bool_)) or not isinstance(ndim, (int, np.integer)):
            raise ValueError(f"reshape: Expected ndim to be an integer, got {ndim!r}")
        if ndim < 0:
            raise ValueError(f"reshape: ndim must be 0 or greater, got {ndim}")
        self.ndim = int(ndim)

    def make_node(self, x: TensorLike, shape: Variable) -> Apply:
        x = tensor_operand("reshape", x)
        shape = as_variable(shape)
        if shape.type.ndim == 0:
            shape = vector_of([shape], shape.type.dtype)
        if shape.type.ndim != 1 or shape.type.dtype not in _INTEGERS:
            raise TypeError(
                f"It must be an integer vector: the new shape of reshape, got {shape.type}"
            )
        pattern = tuple(is_one(n) for n in lengths_of(shape, self.ndim))
        if made_by(shape, ShapeOf):
            other = shape.owner.inputs[0].type.broadcastable
            pattern = other if len(other) == self.ndim else pattern
        return self.one([x, shape], x.type.dtype, pattern)

    def compute(
        self, xp: ArrayModule, node: Apply, x: np.ndarray, shape: np.ndarray
    ) -> tuple[Any, ...]:
        wanted = tuple(int(n) for n in shape)
        if any(n < -1 for n in wanted):
            # NumPy takes all that are negative for -1.
            raise ValueError(f"cannot reshape array of size {x.size} into shape {wanted}")
        return (xp.reshape(x, wanted),)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        lengths = lengths_of(node.inputs[1], self.ndim)
        shape = [None if n is None else as_length(n) for n in lengths]
        if all(isinstance(n, int) and n >= 0 for n in shape):
            return [tuple(shape)]
        unknown = [i for i, n in enumerate(shape) if n == -1]
        if len(unknown) == 1 and all(
            isinstance(n, int) for i, n in enumerate(shape) if i not in unknown
        ):
            stated = product([n for i, n in enumerate(shape) if i not in unknown])
            total = product(shapes[0])
            if isinstance(total, int) and stated:
                shape[unknown[0]] = total // stated
                return [tuple(shape)]
        if len(unknown) == 1:
            # What is stated are lengths of `x`: the others are left.
            left = list(shapes[0])
            for n in shape[: unknown[0]] + shape[unknown[0] + 1 :]:
                if n is None or n == 0 or (n != 1 and n not in left):
                    break
                if n in left:
                    left.remove(n)
            else:
                shape[unknown[0]] = product(left)
        return [tuple(n if n is not None and not_negative(n) else None for n in shape)]

    def misfit(self, node: Apply, shapes: Sequence[Dims]) -> str | None:
        asked = [
            python_int(n) if n is not None else None for n in lengths_of(node.inputs[1], self.ndim)
        ]
        items = product(shapes[0])
        if not isinstance(items, int) or None in asked:
            return None
        stated = product([n for n in asked if n != -1])
        if stated == items if -1 not in asked else stated and items % stated == 0:
            return None
        return f"{items} items cannot be reshaped to {tuple(asked)}"

    def batch(
        self, node: Apply, values: list[Variable], rows: list[bool], batching: Batching
    ) -> list[Any] | None:
        x, shape = values
        if rows[1]:
            return None
        return [reshape_op(x, [batching.size, *batching.items(shape, self.ndim)])]

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        x = node.inputs[0]
        back = reshape_op(cotangents[0], shape(x), x.type.ndim)
        return [pattern_broadcast(back, x.type.broadcastable), None]

    def emit(self, p: Builder, node: Apply, x: TensorLike, shape: ProgramValue) -> Any:
        return p.reshape(node, x, shape, self.ndim)

    def __str__(self) -> str:
        return f"Reshape{{{self.ndim}}}"


_INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool")


def reshape_op(x: Variable, shape: TensorLike, ndim: int | None = None) -> Any:
    """Return `x` reshaped; `lengths` is a vector variable, or a sequence of ints and scalars."""
    if isinstance(shape, (list, tuple)):
        ndim = len(shape)
        shape = (
            vector_of([as_variable(n) for n in shape])
            if shape
            else constant(np.zeros(0, dtype="int64"))
        )
    shape = as_variable(shape)
    if ndim is None:
        if shape.type.ndim != 1:
            raise TypeError(
                f"the new shape of reshape must be a vector of integers, got {shape.type}"
            )
        ndim = vector_length(shape)
    return Reshape(ndim)(x, shape)


def vector_length(v: TensorLike) -> int:
    """Return the length of a vector variable if the graph says it; else raise ValueError."""
    v = as_variable(v)
    if v.type.ndim != 1:
        raise TypeError(f"argument must be symbolic vector, got '{v}'")
    stated = _stated_length(v)
    if stated is None:
        stated = first_length(v)
    if stated is None:
        raise ValueError(f"length not known: {v}. Pass `ndim` to say how many axes the result has.")
    return stated


def _stated_length(v: Variable) -> int | None:
    """Return the length of a vector if itself says it, as the shape of a tensor does."""
    if v.type.broadcastable[0]:
        return 1
    if isinstance(v, Constant):
        return int(v.data.shape[0])
    if made_by(v, MakeVector):
        return len(v.owner.inputs)
    if made_by(v, ShapeOf):
        return v.owner.inputs[0].type.ndim
    return None


def first_length(v: Any) -> int | None:
    """Return the length of the first axis if the operation that makes `v` tells it."""
    if v.owner is None or not v.type.ndim:
        return None
    tensors = [i for i in v.owner.inputs if isinstance(i.type, TensorType)]
    shapes = [_shape_stated(i) for i in tensors]
    return python_int(v.owner.rules.shape(v.owner, shapes)[v.index][0])


def _shape_stated(v: Variable) -> tuple[Any, ...]:
    stated = _stated_length(v) if v.type.ndim == 1 else None
    return tuple(length(v, a) for a in range(v.type.ndim)) if stated is None else (stated,)


def _is_tensor(x: Variable) -> bool:
    return isinstance(x.type, TensorType)


def _with_shape(x: Any) -> Variable:
    """Return `x` as a variable that has a shape: a tensor or a sparse matrix."""
    if isinstance(x, Variable) and not _is_tensor(x) and x.type.has_shape:
        return x
    return tensor_operand("specify_shape", x)


class SpecifyShape(Structured):
    """`x`, after checking that its lengths are those of the vector `lengths`.

    `lengths` may be a sequence with None for lengths that do not matter. Those that are known
    are declared of the result's type.
    """

    declares_sizes = True
    is_view = True
    connection = connected(0)
    linear = linear_in(0)

    def __call__(self, x: TensorLike, shape: Any, **options: object) -> Any:
        lengths = shape
        if isinstance(lengths, (list, tuple)) and any(n is None for n in lengths):
            x = _with_shape(x)
            if len(lengths) != x.type.ndim:
                raise ValueError(f"specify_shape: the shape {lengths} does not fit {x.type}")
            own = [length(x, a) if n is None else n for a, n in enumerate(lengths)]
            lengths = vector_of([as_variable(n) for n in own])
        return super().__call__(x, lengths, **options)

    def misfit(self, node: Apply, shapes: Sequence[Dims]) -> str | None:
        x, shape = node.inputs
        asked = [None if n is None else as_length(n) for n in lengths_of(shape, x.type.ndim)]
        if len(asked) != x.type.ndim or not _is_tensor(x) or not x.type.sized:
            return None
        for axis, (wanted, actual) in enumerate(zip(asked, shapes[0], strict=True)):
            if isinstance(wanted, int) and isinstance(actual, int) and wanted != actual:
                return f"axis {axis} has length {actual}, not {wanted}"
        return None

    def make_node(self, x: TensorLike, shape: TensorLike) -> Apply:
        x, shape = _with_shape(x), as_variable(shape)
        assert shape.type.ndim == 1 and is_integer(shape.type.dtype), (
            f"specify_shape needs a vector of integers for the shape, got {shape.type}"
        )
        count = _stated_length(shape)
        assert count in (None, x.type.ndim), (
            f"specify_shape: {x.type} has {x.type.ndim} axes, the shape {shape} {count}"
        )
        if not _is_tensor(x):
            return Apply(self, [x, shape], [x.type.make_variable()])
        return self.one([x, shape], x.type.dtype, x.type.broadcastable)

    def compute(
        self, xp: ArrayModule, node: Apply, x: np.ndarray, shape: np.ndarray
    ) -> tuple[Any, ...]:
        assert tuple(x.shape) == tuple(shape), (
            f"SpecifyShape: got shape {tuple(x.shape)}, expected {tuple(int(n) for n in shape)}."
        )
        return (x if _is_tensor(node.inputs[0]) else x.copy(),)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        x, shape = node.inputs
        specified = [n if n is None else as_length(n) for n in lengths_of(shape, x.type.ndim)]
        return [
            tuple(
                n if isinstance(n, int) else old
                for n, old in zip(specified, shapes[0], strict=True)
            )
        ]

    def batch(
        self, node: Apply, values: list[Variable], rows: list[bool], batching: Batching
    ) -> list[Any] | None:
        x, shape = values
        if rows[1]:
            return None
        sizes = batching.items(shape, node.inputs[0].type.ndim)
        return [specify_shape(x, vector_of([batching.size, *sizes]))]

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        return [specify_shape(cotangents[0], node.inputs[1]), None]

    def emit(self, p: Builder, node: Apply, x: ProgramValue, shape: ProgramValue) -> Any:
        if not _is_tensor(node.inputs[0]):
            return p.call_compute(node, [x, shape])
        rank = node.inputs[0].type.ndim
        p.require_rank(node, shape, rank, "specify_rank")
        for axis, value in enumerate(p.integers(shape, rank)):
            p.require_length(node, x, axis, value, "specify_shape")
        return x


specify_shape = SpecifyShape()
