"""Positions in arrays counted one way or another, and choices by number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from theano._core.base import dtypes
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply
from theano._core.ops.arithmetic import cast, clip, mod, sub
from theano._core.ops.broadcasting import zeros_like_float
from theano._core.ops.called import Called
from theano._core.ops.creation import ARange
from theano._core.ops.indexing import AT, AdvancedIncSubtensor
from theano._core.ops.lengths import stretched_lengths
from theano._core.ops.op import as_variable, same_rank, tensor_operand
from theano._core.ops.shaping import dimshuffle, length, pad_left

MODES = ("raise", "wrap", "clip")


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


class UnravelIndex(Called):
    """The positions along `ndim` axes of lengths `dims` of items counted in `order`."""

    not_differentiated = "integers have no derivative"

    __props__ = ("ndim", "order")

    def __init__(self, ndim: int, order: str = "C") -> None:
        if order not in ("C", "F"):
            raise ValueError(f"order must be 'C' or 'F', got {order!r}")
        self.ndim = ndim
        self.order = order

    def make_node(self, indices: Any, dims: Any) -> Apply:
        indices, dims = _integers("indices", indices), _lengths(dims)
        kind = TensorType("int64", indices.type.broadcastable)
        return Apply(self, [indices, dims], [kind.variable_class(kind) for _ in range(self.ndim)])

    def compute(self, xp: Any, node: Apply, indices: Any, dims: Any) -> tuple[Any, ...]:
        if len(dims) != self.ndim:
            raise ValueError(f"unravel_index: dims has {len(dims)} items, expected {self.ndim}")
        found = xp.unravel_index(indices, tuple(int(n) for n in dims), order=self.order)
        return tuple(xp.array(each, dtype="int64") for each in found)

    def shape(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        return [shapes[0]] * self.ndim


class RavelMultiIndex(Called):
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

    def make_node(self, *inputs: Any) -> Apply:
        *indices, dims = inputs
        values = same_rank([_integers("multi_index", i) for i in indices])
        pattern = [all(axis) for axis in zip(*(v.type.broadcastable for v in values), strict=True)]
        return self.one([*values, _lengths(dims)], "int64", pattern)

    def compute(self, xp: Any, node: Apply, *inputs: Any) -> tuple[Any, ...]:
        *indices, dims = inputs
        lengths = tuple(int(n) for n in dims)
        found = xp.ravel_multi_index(tuple(indices), lengths, mode=self.mode, order=self.order)
        return (xp.asarray(found, dtype="int64"),)

    def shape(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        patterns = [v.type.broadcastable for v in node.inputs[:-1]]
        return [stretched_lengths(patterns, shapes[:-1])]


class Choose(Called):
    """Items of the arrays along the first axis of `choices`: of the one that `a` says.

    `a` broadcasts against the other axes.
    """

    __props__ = ("mode",)

    def __init__(self, mode: str = "raise") -> None:
        if mode not in MODES:
            raise ValueError(f"mode must be one of {MODES}, got {mode!r}")
        self.mode = mode

    def make_node(self, a: Any, choices: Any) -> Apply:
        a, choices = _integers("a", a), tensor_operand("choose", choices)
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

    def compute(self, xp: Any, node: Apply, a: Any, choices: Any) -> tuple[Any, ...]:
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

    def shape(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        patterns = [node.inputs[0].type.broadcastable, node.inputs[1].type.broadcastable[1:]]
        return [stretched_lengths(patterns, [shapes[0], shapes[1][1:]])]

    def connection(self, node: Apply) -> list[list[bool]]:
        return [[False], [True]]

    def vjp(self, node: Apply, cotangents: Sequence[Any]) -> list[Any]:
        a, choices = node.inputs
        g, rank = cotangents[0], a.type.ndim
        size = length(choices, 0)
        at = clip(a, 0, sub(size, 1)) if self.mode == "clip" else mod(a, size)
        where = [at]
        for axis, one in enumerate(choices.type.broadcastable[1:]):
            order: list[Any] = ["x"] * rank
            order[axis] = 0
            # Where a choice was stretched, all goes to its only item.
            steps = ARange("int64")(0, length(choices, axis + 1), 1)
            first = np.zeros((1,) * rank, dtype="int64")
            where.append(as_variable(first) if one else dimshuffle(steps, order))
        op = AdvancedIncSubtensor((AT,) * (rank + 1), False)
        return [None, op(zeros_like_float(choices), g, *where)]
