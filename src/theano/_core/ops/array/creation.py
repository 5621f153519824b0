"""Operations that make arrays: ranges, identity matrices, joins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.base import dtypes
from theano._core.base.errors import AsTensorError
from theano._core.ir import hooks
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.dims import (
    CountOfRange,
    as_int64,
    as_length,
    checked_shape,
    range_length,
    total,
)
from theano._core.ops.array.indexing import subtensor
from theano._core.ops.array.reductions import reduce
from theano._core.ops.array.shaping import MakeVector, length, pattern_broadcast
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.core.fill import zeros_like_float
from theano._core.ops.core.naming import hashed_as
from theano._core.ops.core.op import (
    Structured,
    as_variable,
    connected,
    no_cotangents,
    python_int,
    tensor_operand,
)
from theano._core.ops.elementwise.arithmetic import maximum
from theano._core.ops.elementwise.elementwise import cast, unequal

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, Dims, TensorLike
    from theano._core.ops.core.protocols import Batching, Builder, ProgramValue

# Discrete dtypes whose numbers are int64 as well.
COUNTS = [name for name in dtypes.all_dtypes if dtypes.is_discrete(name) and name != "uint64"]


class ARange(Structured):
    """Numbers from `start` up to `stop`, `step` apart."""

    __props__ = ("dtype",)
    connection = connected(0, 2)

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype

    def make_node(self, start: Variable | int, stop: Variable, step: Variable | int) -> Apply:
        values = [as_variable(v) for v in (start, stop, step)]
        if any(v.type.ndim for v in values):
            raise TypeError(f"arange needs scalars, got {', '.join(str(v.type) for v in values)}")
        if dtypes.is_discrete(values[2].type.dtype) and python_int(values[2]) == 0:
            raise ValueError("the step of arange must not be zero")
        return self.one(values, self.dtype, (False,))

    def compute(
        self, xp: ArrayModule, node: Apply, start: np.ndarray, stop: np.ndarray, step: np.ndarray
    ) -> tuple[Any, ...]:
        bounds = start.item(), stop.item(), step.item()
        (count,) = checked_shape([range_length(node, *bounds)], self.dtype)
        if not (dtypes.is_discrete(self.dtype) and isinstance(bounds[0] + bounds[2], int)):
            return (xp.arange(*(bounds if count else (0,)), dtype=self.dtype),)
        # NumPy counts integers in floating point: one too few, or many too many.
        first, by = (np.uint64(bound % 2**64) for bound in bounds[::2])
        return ((xp.arange(count, dtype="uint64") * by + first).astype(self.dtype),)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        start, stop, step = node.inputs
        counts = all(v.type.dtype in COUNTS for v in node.inputs)
        if counts and python_int(start) == 0 and python_int(step) == 1:
            return [(as_length(maximum(cast(stop, "int64"), as_int64(0))),)]
        return [(as_length(CountOfRange()(start, stop, step)),)]

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        start, stop, step = node.inputs
        if dtypes.is_discrete(self.dtype):
            return [zeros_like_float(start), zeros_like_float(stop), zeros_like_float(step)]
        g = cotangents[0]
        steps = ARange("int64")(np.asarray(0), length(g, 0), np.asarray(1))
        return [reduce("sum", g), None, reduce("sum", g * steps)]

    def emit(
        self, p: Builder, node: Apply, start: ProgramValue, stop: ProgramValue, step: ProgramValue
    ) -> Any:
        return p.arithmetic_sequence(node, self.dtype, start, step)

    def __str__(self) -> str:
        return f"ARange{{dtype={self.dtype!r}}}"


@hashed_as("Eye")
class Eye(Structured):
    """A matrix of `n` rows and `m` columns with ones on its `k`-th diagonal."""

    __props__ = ("dtype",)
    connection = connected()
    vjp = no_cotangents

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype

    def make_node(self, n: Variable | int, m: Variable | int, k: int) -> Apply:
        values = [cast(tensor_operand("eye", v), "int64") for v in (n, m, k)]
        wrong = [str(v.type) for v in values if v.type.ndim]
        assert not wrong, f"eye needs numbers for its lengths and diagonal, got {', '.join(wrong)}"
        return self.one(values, self.dtype, (False, False))

    def compute(
        self, xp: ArrayModule, node: Apply, n: np.ndarray, m: np.ndarray, k: np.ndarray
    ) -> tuple[Any, ...]:
        rows, columns = checked_shape((n, m), self.dtype)
        return (xp.eye(rows, columns, int(k), dtype=self.dtype),)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [(as_length(node.inputs[0]), as_length(node.inputs[1]))]

    def emit(
        self, p: Builder, node: Apply, n: ProgramValue, m: ProgramValue, k: ProgramValue
    ) -> Any:
        def body(w: Any, shift: Any) -> Any:
            return w.cast(w.eq(w.add(w.index(0), shift), w.index(1)), self.dtype)

        return p.generate(node, [k], body)


@hashed_as("Join")
class Join(Structured):
    """Arrays put one after another along `axis`.

    Parameters
    ----------
    axis : int or None
        None: the first input is the axis, as in Theano 1.0.5, until rewriting makes it a part of
        the operation.
    """

    __props__ = ("axis",)

    def __init__(self, axis: int | None = None) -> None:
        self.axis: Any = axis

    def make_node(self, *inputs: TensorLike) -> Apply:
        axis_inputs = [] if self.axis is not None else [as_variable(inputs[0])]
        axis, arrays = self._apart([*axis_inputs, *inputs[len(axis_inputs) :]])
        values = [tensor_operand("join", a) for a in arrays]
        if not values:
            raise ValueError("Cannot join an empty list of tensors")
        rank = values[0].type.ndim
        if any(v.type.ndim != rank for v in values):
            raise TypeError(
                "Join() can only join tensors with the same number of dimensions, got "
                f"{[v.type.ndim for v in values]}: x[None] and shape_padleft add axes"
            )
        if rank == 0:
            raise TypeError(
                "Join cannot handle arguments of dimension 0. Use `stack` to join scalars."
            )
        if not -rank <= axis < rank:
            raise IndexError(f"Join axis {axis} out of bounds [-{rank}, {rank})")
        dtype = dtypes.upcast(*(v.type.dtype for v in values))
        values = [cast(v, dtype) for v in values]
        pattern = [any(ones) for ones in zip(*(v.type.broadcastable for v in values), strict=True)]
        pattern[axis] = len(values) == 1 and values[0].type.broadcastable[axis]
        return self.one([*axis_inputs, *values], dtype, pattern)

    def _apart(self, inputs: Sequence[Any]) -> tuple[int, Sequence[Any]]:
        """Return the axis, and what is joined along it."""
        if self.axis is not None:
            return self.axis, inputs
        number = python_int(inputs[0]) if isinstance(inputs[0], Variable) else int(inputs[0])
        if number is None:
            raise NotImplementedError("the axis of join must be known when the graph is built")
        return number, inputs[1:]

    def parts(self, node: Apply) -> tuple[int, Sequence[Variable]]:
        """Return the axis of a node, which is not negative, and what it joins."""
        axis, arrays = self._apart(node.inputs)
        return axis % node.outputs[0].type.ndim, arrays

    def along_known(self, node: Apply, inputs: Sequence[Variable]) -> Apply:
        """Return a node, of `inputs` instead of its own, with the axis in the operation."""
        new = Join(self.parts(node)[0]).make_node(*inputs[1:])
        new.take_over(node)
        return new

    def compute(self, xp: ArrayModule, node: Apply, *inputs: np.ndarray) -> tuple[Any, ...]:
        axis, arrays = self._apart(inputs)
        return (xp.concatenate(arrays, axis=axis),)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        axis, arrays = self.parts(node)
        shapes = shapes[-len(arrays) :]
        shape = list(shapes[0])
        for other in shapes[1:]:
            # Known lengths, or else those of the first, as in Theano.
            pairs = zip(shape, other, strict=True)
            shape = [b if isinstance(b, int) and not isinstance(a, int) else a for a, b in pairs]
        shape[axis] = total([s[axis] for s in shapes])
        return [tuple(shape)]

    def connection(self, node: Apply) -> list[list[bool]]:
        arrays = self.parts(node)[1]
        return [[False]] * (len(node.inputs) - len(arrays)) + [[True]] * len(arrays)

    def linear(self, node: Apply) -> list[list[int]]:
        places = range(len(node.inputs))
        return [list(places[-len(self.parts(node)[1]) :])]

    def batch(
        self, node: Apply, values: list[Variable], rows: list[bool], batching: Batching
    ) -> list[Any] | None:
        axis, arrays = self.parts(node)
        return [Join(axis + 1)(*(batching.full(v) for v in arrays))]

    def misfit(self, node: Apply, shapes: Sequence[Dims]) -> str | None:
        axis, arrays = self.parts(node)
        shapes = shapes[-len(arrays) :]
        others = [a for a in range(len(shapes[0])) if a != axis]
        return next(filter(None, (unequal([(s, a) for s in shapes]) for a in others)), None)

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        g = cotangents[0]
        axis, arrays = self.parts(node)
        start: Any = 0
        parts: list[Any] = [None] * (len(node.inputs) - len(arrays))
        for value in arrays:
            stop = total([start, length(value, axis)])
            index = [slice(None)] * axis + [slice(start, stop)]
            part = subtensor(g, index)
            parts.append(pattern_broadcast(part, value.type.broadcastable))
            start = stop
        return parts

    def emit(self, p: Builder, node: Apply, *arrays: ProgramValue) -> Any:
        return p.join(node, arrays, self.parts(node)[0])

    def __str__(self) -> str:
        return "Join" if self.axis is None else f"Join{{axis={self.axis}}}"


def join(axis: Any, *arrays: Any) -> Any:
    """Return arrays joined along `axis`."""
    values = [as_variable(a) for a in arrays]
    number = python_int(as_variable(axis))
    if number is None:
        raise NotImplementedError("the axis of join must be known when the graph is built")
    return Join(number)(*values)


def iota(n: TensorLike) -> Any:
    """Return the int64 numbers 0, 1, …, n - 1."""
    return ARange("int64")(0, n, 1)


def identity_matrix(n: Variable, m: Variable, k: int, dtype: str) -> Any:
    """Return a matrix with ones on its `k`-th diagonal."""
    return Eye(dtype)(n, m, k)


@hooks.stack.fill
def as_tensor_list(values: Sequence[TensorLike]) -> Any:
    """Return scalars as a vector, or arrays of one rank stacked along a new first axis."""
    arrays = [as_variable(v) for v in values]
    if not all(isinstance(a.type, TensorType) for a in arrays):
        raise AsTensorError(f"Cannot convert {values} to TensorType", type(values))
    if len({a.type.ndim for a in arrays}) > 1:
        numbers = ", ".join(f"{a} has {a.type.ndim} axes" for a in arrays)
        raise AsTensorError(
            f"Cannot make a tensor of a list of variables of unlike rank: {numbers}"
        )
    if all(a.type.ndim == 0 for a in arrays):
        return MakeVector(dtypes.upcast(*(a.type.dtype for a in arrays)))(*arrays)
    parts = [dimshuffle(a, ["x", *range(a.type.ndim)]) for a in arrays]
    return Join(0)(*parts)
