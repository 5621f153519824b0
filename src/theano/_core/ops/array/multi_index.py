"""Positions in arrays counted one way or another, and choices by number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.base import dtypes
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.assertions import Require
from theano._core.ops.array.broadcasting import alloc
from theano._core.ops.array.creation import iota
from theano._core.ops.array.dims import as_int64, broadcast_shape, product
from theano._core.ops.array.indexing import gather, scatter_add, subtensor
from theano._core.ops.array.reductions import reduce
from theano._core.ops.array.shaping import length
from theano._core.ops.core.dimshuffle import dimshuffle, pad_left
from theano._core.ops.core.fill import zeros_like_float
from theano._core.ops.core.naming import hashed_as
from theano._core.ops.core.op import as_variable, connected, tensor_operand
from theano._core.ops.core.python_call import Composed
from theano._core.ops.elementwise.arithmetic import clip, eq
from theano._core.ops.elementwise.elementwise import cast, same_rank

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, Dims, TensorLike

MODES = ("raise", "wrap", "clip")
NEGATIVE = "{}: dims must not be negative"


def _integers(name: str, value: Any) -> Any:
    variable = as_variable(value)
    if not dtypes.is_integer(variable.type.dtype):
        raise TypeError(f"'{variable.type.dtype}' object cannot be interpreted as an index: {name}")
    return cast(variable, "int64")


def _lengths(dims: Any) -> Any:
    dims = _integers("dims", dims)
    if dims.type.ndim != 1:
        raise TypeError(f"dims must be a 1D array, got {dims.type}")
    return dims


def _checked_shape(name: str, dims: Variable, count: int) -> list[Any]:
    """Return the items of `dims`, after checking how many there are."""
    dims_length = length(dims, 0)
    text = f"{name}: dims has {{}} items, expected {count}"
    dims = Require(text, 1)(dims, dims_length, eq(dims_length, count))
    dims = Require(NEGATIVE.format(name))(dims, reduce("all", dims >= 0))
    return [subtensor(dims, [i]) for i in range(count)]


def _not_negative(name: str, dims: np.ndarray) -> tuple[int, ...]:
    """Return lengths as integers; NumPy makes nonsense of negative ones."""
    shape = tuple(int(n) for n in dims)
    if any(n < 0 for n in shape):
        raise ValueError(NEGATIVE.format(name))
    return shape


def _within(message: str, index: Variable, size: TensorLike) -> Any:
    """Return `index`, after checking that all of it is at least 0 and below `size`."""
    inside = (index >= 0) & (index < size)
    every = reduce("all", inside) if index.type.ndim else inside
    return Require(message, 1)(index, as_int64(size), every)


def _at(mode: str, index: Variable, size: Variable, message: str) -> Any:
    """Return an index below `size`, made so as `mode` says."""
    if mode == "clip":
        return clip(index, 0, size - 1)
    return index % size if mode == "wrap" else _within(message, index, size)


@hashed_as("UnravelIndex")
class UnravelIndex(Composed):
    """The positions along `ndim` axes of lengths `dims` of items counted in `order`."""

    not_differentiated = "integers have no derivative"

    __props__ = ("ndim", "order")

    def __init__(self, ndim: int, order: str = "C") -> None:
        if order not in ("C", "F"):
            raise ValueError(f"order must be 'C' or 'F', got {order!r}")
        self.ndim = ndim
        self.order = order

    def make_node(self, indices: Any, dims: Variable) -> Apply:
        indices, dims = _integers("indices", indices), _lengths(dims)
        type_ = TensorType("int64", indices.type.broadcastable)
        return Apply(self, [indices, dims], [type_.output() for _ in range(self.ndim)])

    def compute(
        self, xp: ArrayModule, node: Apply, indices: np.ndarray, dims: np.ndarray
    ) -> tuple[Any, ...]:
        if len(dims) != self.ndim:
            raise ValueError(f"unravel_index: dims has {len(dims)} items, expected {self.ndim}")
        per_axis = xp.unravel_index(indices, _not_negative("unravel_index", dims), order=self.order)
        return tuple(xp.array(each, dtype="int64") for each in per_axis)

    def expression(self, node: Apply) -> list[Any]:
        rest, dims = node.inputs
        shape = _checked_shape("unravel_index", dims, self.ndim)
        rest = _within("an index is out of bounds for array with size {}", rest, product(shape))
        order = range(self.ndim) if self.order == "F" else range(self.ndim - 1, -1, -1)
        outs: dict[int, Any] = {}
        for axis in order:
            outs[axis] = rest % shape[axis]
            rest = rest // shape[axis]
        return [outs[axis] for axis in range(self.ndim)]

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [shapes[0]] * self.ndim


@hashed_as("RavelMultiIndex")
class RavelMultiIndex(Composed):
    """The number, counted in `order`, of items at positions along axes of lengths `dims`."""

    not_differentiated = "integers have no derivative"

    __props__ = ("mode", "order")

    def __init__(self, mode: Any = "raise", order: str = "C") -> None:
        modes = mode if isinstance(mode, (tuple, list)) else (mode,)
        if any(each not in MODES for each in modes):
            raise ValueError(f"mode must be one of {MODES}, got {mode!r}")
        if order not in ("C", "F"):
            raise ValueError(f"order must be 'C' or 'F', got {order!r}")
        self.mode = tuple(mode) if isinstance(mode, list) else mode
        self.order = order

    def make_node(self, *inputs: object) -> Apply:
        *indices, dims = inputs
        values = same_rank([_integers("multi_index", i) for i in indices])
        pattern = [all(axis) for axis in zip(*(v.type.broadcastable for v in values), strict=True)]
        return self.one([*values, _lengths(dims)], "int64", pattern)

    def compute(self, xp: ArrayModule, node: Apply, *inputs: np.ndarray) -> tuple[Any, ...]:
        *indices, dims = inputs
        shape = _not_negative("ravel_multi_index", dims)
        flat = xp.ravel_multi_index(tuple(indices), shape, mode=self.mode, order=self.order)
        return (xp.asarray(flat, dtype="int64"),)

    def expression(self, node: Apply) -> list[Any]:
        *indices, dims = node.inputs
        shape = _checked_shape("ravel_multi_index", dims, len(indices))
        positions = product([length(indices[0], axis) for axis in range(indices[0].type.ndim)])
        some = (product(shape) > 0) | eq(positions, 0)
        text = "ravel_multi_index: there is no position in an array without items"
        shape[0] = Require(text)(shape[0], some)
        if indices[0].type.ndim:
            # What has one item at run time broadcasts.
            wide = broadcast_shape(
                [i.type.broadcastable for i in indices],
                [[length(i, axis) for axis in range(i.type.ndim)] for i in indices],
            )
            indices = [alloc(i, *wide) for i in indices]
        modes = self.mode if isinstance(self.mode, tuple) else (self.mode,) * len(indices)
        number: Any = None
        steps = list(zip(modes, indices, shape, strict=True))
        for mode, index, size in steps if self.order == "C" else reversed(steps):
            at = _at(mode, index, size, "invalid entry in coordinates array: the axis has {} items")
            number = at if number is None else number * size + at
        return [number]

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        patterns = [v.type.broadcastable for v in node.inputs[:-1]]
        return [broadcast_shape(patterns, shapes[:-1])]


class Choose(Composed):
    """Items of the arrays along the first axis of `choices`: of the one that `a` says.

    `a` broadcasts against the other axes.
    """

    __props__ = ("mode",)
    connection = connected(1)

    def __init__(self, mode: str = "raise") -> None:
        if mode not in MODES:
            raise ValueError(f"mode must be one of {MODES}, got {mode!r}")
        self.mode = mode

    def make_node(self, a: Variable, choices: Any) -> Apply:
        a, choices = as_variable(a), tensor_operand("choose", choices)
        # A condition chooses between two.
        a = _integers("a", cast(a, "int8") if a.type.dtype == "bool" else a)
        if choices.type.ndim == 0:
            raise TypeError(f"choose needs choices with at least one axis, got {choices.type}")
        rank = max(a.type.ndim, choices.type.ndim - 1)
        a, missing = pad_left(a, rank), rank - (choices.type.ndim - 1)
        choices = dimshuffle(choices, [0, *["x"] * missing, *range(1, choices.type.ndim)])
        pattern = [
            x and y
            for x, y in zip(a.type.broadcastable, choices.type.broadcastable[1:], strict=True)
        ]
        return self.one([a, choices], choices.type.dtype, pattern)

    def compute(
        self, xp: ArrayModule, node: Apply, a: np.ndarray, choices: np.ndarray
    ) -> tuple[Any, ...]:
        # NumPy's function takes 32 choices at most.
        size = choices.shape[0]
        if self.mode == "raise" and a.size and not (a.min() >= 0 and a.max() < size):
            raise ValueError(
                f"invalid entry in choice array: {a.min()} to {a.max()}, there are {size} choices"
            )
        at = xp.clip(a, 0, size - 1) if self.mode == "clip" else a % max(size, 1)
        whole = np.broadcast_shapes(a.shape, choices.shape[1:])
        wide = xp.broadcast_to(choices, (size, *whole))
        return (xp.take_along_axis(wide, xp.broadcast_to(at, whole)[None], 0)[0],)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        patterns = [node.inputs[0].type.broadcastable, node.inputs[1].type.broadcastable[1:]]
        return [broadcast_shape(patterns, [shapes[0], shapes[1][1:]])]

    def _where(self, node: Apply, mode: str) -> list[Any]:
        """Return the index of what is chosen, one array per axis of the choices."""
        a, choices = node.inputs
        rank = a.type.ndim
        where = [
            _at(mode, a, length(choices, 0), "invalid entry in choice array: there are {} choices")
        ]
        for axis, one in enumerate(choices.type.broadcastable[1:]):
            order: list[Any] = ["x"] * rank
            order[axis] = 0
            # Where a choice was broadcast, all goes to its only item.
            steps = iota(length(choices, axis + 1))
            first = np.zeros((1,) * rank, dtype="int64")
            where.append(as_variable(first) if one else dimshuffle(steps, order))
        return where

    def expression(self, node: Apply) -> list[Any]:
        choices, where = node.inputs[1], self._where(node, self.mode)
        # Axes of one item broadcast, as those of the places do.
        return [gather(choices, *where)]

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        choices = node.inputs[1]
        where = self._where(node, "clip" if self.mode == "clip" else "wrap")
        return [None, scatter_add(zeros_like_float(choices), cotangents[0], *where)]
