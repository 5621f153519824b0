"""Pools: one number of each window of an image, and the gradients of that.

Windows are along the last axes, and walked through item by item: what a pool does with one item of
every window at once is what all operations here are made of.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from theano._core.base import dtypes
from theano._core.base.records import Record
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.ops.array.dims import as_int64
from theano._core.ops.array.shaping import pattern_broadcast
from theano._core.ops.core.fill import zeros_like_float
from theano._core.ops.core.op import connected, linear_in, python_int, shape_of, tensor_operand
from theano._core.ops.elementwise.arithmetic import int_div, maximum, mul, switch
from theano._core.ops.elementwise.elementwise import cast
from theano._core.ops.nn.windows import (
    Extents,
    WindowOp,
    at_most,
    combined,
    equal,
    items_of,
    minus,
    placed,
    plus,
    times,
    work_dtype,
    written,
)

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, Dims, TensorLike
    from theano._core.ops.core.protocols import Batching, Builder, ProgramValue

MODES = ("max", "sum", "average_inc_pad", "average_exc_pad")


class PoolShapes(Record):
    """Lengths along the axes that are pooled: of images and windows, steps, and borders."""

    images: Extents
    windows: Extents
    steps: Extents
    pads: Extents


class PoolWindows(Record):
    """Where windows lie over images, in sizes of a program.

    Attributes
    ----------
    images, windows, steps, pads : tuple of size
        As in `PoolShapes`.
    result : tuple of size
        How many windows there are along each axis.
    padded : tuple of size
        Lengths of images in which all windows lie.
    fits : bool
        Whether they certainly lie in the images themselves.
    """

    images: Extents
    windows: Extents
    steps: Extents
    pads: Extents
    result: Extents
    padded: Extents
    fits: bool


def _divided(one: int, two: int) -> int:
    # What is no step is refused where the lengths are checked.
    return one // two if two else 0


def over(one: TensorLike, two: TensorLike) -> Any:
    """Return a length divided by a step, rounded down."""
    return combined(int_div, _divided, one, two)


def larger(one: TensorLike, two: TensorLike) -> Any:
    """Return the larger of two lengths."""
    return combined(maximum, max, one, two)


def pooled_length(
    size: TensorLike, window: TensorLike, step: TensorLike, pad: TensorLike, ignore_border: bool
) -> Any:
    """Return how many windows there are along an axis.

    Without `ignore_border` the last one may be cut.
    """
    size = plus(size, times(pad, 2))
    if ignore_border:
        room = minus(size, window)
        return larger(plus(over(room, step), 1), 0)
    apart = plus(over(minus(size, 1), step), 1)
    room = plus(minus(minus(size, 1), window), step)
    overlapping = plus(larger(over(room, step), 0), 1)
    if isinstance(step, int) and isinstance(window, int):
        return apart if step >= window else overlapping
    return switch(as_int64(step) >= as_int64(window), as_int64(apart), as_int64(overlapping))


class PoolOp(WindowOp):
    """What a pool and its gradients share.

    Parameters
    ----------
    ignore_border : bool
        Whether windows that would go beyond the image are left out; else they are cut.
    mode : {'max', 'sum', 'average_inc_pad', 'average_exc_pad'}
        What is made of a window: averages count the zeros of the border, or not.
    ndim : int
        How many of the last axes are pooled.
    openmp
        Without effect.
    """

    __props__ = ("ignore_border", "mode", "ndim")
    # How many arrays come before the windows, the steps and the borders.
    arrays: ClassVar[int] = 1

    def __init__(
        self,
        ignore_border: bool = False,
        mode: str = "max",
        ndim: int = 2,
        openmp: bool | None = None,
    ) -> None:
        if mode not in MODES:
            raise ValueError(
                "Pool mode parameter only support 'max', 'sum', 'average_inc_pad' and "
                f"'average_exc_pad'. Got {mode}"
            )
        self.ignore_border = bool(ignore_border)
        self.mode = mode
        self.ndim = int(ndim)

    def _operands(
        self, arrays: Sequence[Variable], ws: TensorLike, stride: object, pad: object
    ) -> list[Any]:
        """Return the inputs of a node, after checking them as far as they are known."""
        values = [tensor_operand("pool", v) for v in arrays]
        n = self.ndim
        for value in values:
            if value.type.ndim < n or dtypes.is_complex(value.type.dtype):
                raise TypeError(f"pool of {n} axes: real numbers along them, got {value.type}")
        vectors = [_shape_vector(v, n) for v in (ws, ws if stride is None else stride)]
        vectors.append(_shape_vector((0,) * n if pad is None else pad, n))
        numbers = [[python_int(k) for k in items_of(v, n)] for v in vectors]
        padded = any(k for k in numbers[2])
        if padded and not self.ignore_border:
            raise NotImplementedError("padding works only with ignore_border=True")
        # As in Theano 1.0.5, vectors are not asked, which gradients hand on.
        narrow = self.needs_items() or (len(arrays) == 1 and isinstance(ws, (int, tuple, list)))
        if narrow and any(
            k is not None and w is not None and k >= w > 0
            for w, k in zip(numbers[0], numbers[2], strict=True)
        ):
            raise NotImplementedError("padding must be smaller than strides")
        return [*values, *vectors]

    def needs_items(self) -> bool:
        """Tell whether a window that lies in the border has no result."""
        return self.mode not in ("sum", "average_inc_pad")

    def pattern(self, x: Variable) -> list[bool]:
        """Return which axes of the result of a pool of `x` have a declared length of 1."""
        return [*x.type.broadcastable[: x.type.ndim - self.ndim], *[False] * self.ndim]

    # -- lengths ----------------------------------------------------------------------------------

    def shapes(self, node: Apply, shapes: Sequence[Dims]) -> PoolShapes:
        n = self.ndim
        windows, steps, pads = (tuple(items_of(v, n)) for v in node.inputs[self.arrays :])
        return PoolShapes(tuple(shapes[0][len(shapes[0]) - n :]), windows, steps, pads)

    def pooled(self, s: PoolShapes) -> Extents:
        """Return how many windows there are along each axis."""
        axes = zip(s.images, s.windows, s.steps, s.pads, strict=True)
        return tuple(pooled_length(*axis, self.ignore_border) for axis in axes)

    def conditions(self, s: PoolShapes) -> Iterator[tuple[Any, str]]:
        for window, step, pad in zip(s.windows, s.steps, s.pads, strict=True):
            yield at_most(1, window), "windows have no items"
            yield at_most(1, step), "steps must be positive"
            yield at_most(0, pad), "a border is negative"
            if self.needs_items():
                yield at_most(plus(pad, 1), window), "borders must be smaller than windows"
            if not self.ignore_border:
                yield equal(pad, 0), "borders need ignore_border=True"

    def described(self, s: PoolShapes) -> str:
        return (
            f"images of lengths {written(s.images)}, windows {written(s.windows)}, steps "
            f"{written(s.steps)}, borders {written(s.pads)}"
        )

    def split(self, facts: Sequence[int]) -> PoolShapes:
        n = self.ndim
        return PoolShapes(*(tuple(facts[i * n : i * n + n]) for i in range(4)))

    def may_fail(self, node: Apply) -> bool:
        return not all(isinstance(v, Constant) for v in node.inputs[self.arrays :])

    def connection(self, node: Apply) -> list[list[bool]]:
        return [[i < self.arrays] for i in range(len(node.inputs))]

    def _padded_shape(self, s: PoolShapes, pooled: Extents) -> Extents:
        """Return lengths of images, with their borders, in which all windows lie."""
        last = [
            plus(combined(mul, int.__mul__, larger(minus(n, 1), 0), step), window)
            for n, step, window in zip(pooled, s.steps, s.windows, strict=True)
        ]
        own = [plus(size, times(pad, 2)) for size, pad in zip(s.images, s.pads, strict=True)]
        return tuple(larger(a, b) for a, b in zip(own, last, strict=True))

    def lowered(self, p: Any, node: Apply) -> PoolWindows:
        """Return where windows are in a program, after checking that the lengths fit."""
        s = self.required(p, node)
        pooled = self.pooled(s)
        inside = self.ignore_border and all(isinstance(n, int) and n == 0 for n in s.pads)
        padded = s.images if inside else self._padded_shape(s, pooled)
        parts = [tuple(map(p.size, part)) for part in (*s, pooled, padded)]
        images, windows, steps, pads, result, padded = parts
        return PoolWindows(images, windows, steps, pads, result, padded, inside)

    # -- values -----------------------------------------------------------------------------------

    def array_shapes(self, x: Any, vectors: Sequence[Any]) -> PoolShapes:
        """Return the lengths for arrays, after checking them."""
        n = self.ndim
        parts = [tuple(int(k) for k in v) for v in vectors]
        s = PoolShapes(tuple(x.shape[x.ndim - n :]), *parts)
        self.check(s)
        return s

    def padded(self, xp: ArrayModule, x: np.ndarray, s: PoolShapes, fill: object) -> Any:
        """Return images in which all windows lie."""
        wide = self._padded_shape(s, self.pooled(s))
        axes = zip(s.pads, s.images, wide, strict=True)
        borders = [(pad, n - size - pad) for pad, size, n in axes]
        borders = [(0, 0)] * (x.ndim - self.ndim) + borders
        return xp.pad(x, borders, constant_values=fill)

    def items(self, s: PoolShapes) -> Iterator[tuple[Any, ...]]:
        """Yield the index of an item of every window in padded images, one item after another."""
        for first in np.ndindex(*s.windows):
            axes = zip(first, self.pooled(s), s.steps, strict=True)
            yield (
                ...,
                *(slice(i, i + max(n - 1, 0) * step + (n > 0), step) for i, n, step in axes),
            )

    def counts(self, s: PoolShapes) -> np.ndarray:
        """Return how many items of each window count."""
        result = np.ones((1,) * self.ndim)
        for axis, (size, window, step, pad, n) in enumerate(zip(*s, self.pooled(s), strict=True)):
            start = np.arange(n) * step
            end = np.minimum(
                start + window, size + (pad if self.mode.endswith("exc_pad") else 2 * pad)
            )
            if self.mode.endswith("exc_pad"):
                start = np.maximum(start, pad)
            shape = np.maximum(end - start, 1)
            result = result * shape.reshape([-1 if a == axis else 1 for a in range(self.ndim)])
        return result

    def spread(self, xp: Any, s: PoolShapes, parts: Sequence[Any]) -> Any:
        """Return images to which an array has been added for each item of the windows."""
        wide = self._padded_shape(s, self.pooled(s))
        lead = parts[0].shape[: parts[0].ndim - self.ndim] if parts else ()
        total: Any = xp.zeros((*lead, *wide), dtype=parts[0].dtype)
        for first, part in zip(np.ndindex(*s.windows), parts, strict=True):
            total = total + placed(xp, part, first, s.steps, wide)
        inside = (slice(pad, pad + size) for pad, size in zip(s.pads, s.images, strict=True))
        return total[(..., *inside)]

    def _rows(self, values: Sequence[object], rows: list[bool]) -> list[Any] | None:
        """Return the operation on rows: axes that are not pooled are rows already."""
        if rows[: self.arrays] != [True] * self.arrays or any(rows[self.arrays :]):
            return None
        return [self(*values)]

    def batch(
        self, node: Apply, values: list[Variable], rows: list[bool], batching: Batching
    ) -> list[Any] | None:
        return self._rows(values, rows)


def _shape_vector(shape: Any, count: int) -> Any:
    values = (shape,) * count if isinstance(shape, (int, np.integer)) else shape
    if isinstance(values, (tuple, list)) and len(values) != count:
        raise ValueError(f"pool of {count} axes: {count} numbers are needed, got {shape}")
    vector = tensor_operand("pool", values)
    if vector.type.ndim != 1 or not dtypes.is_discrete(vector.type.dtype):
        raise TypeError(f"pool parameters must be vectors of {count} integers, got {vector.type}")
    return cast(vector, "int64")


def lowest(dtype: str) -> Any:
    """Return the least number of a dtype."""
    if dtypes.is_float(dtype):
        return -np.inf
    return False if dtype == "bool" else np.iinfo(dtype).min


class Pool(PoolOp):
    """One number of each window of `x`: its maximum, sum or average."""

    def make_node(
        self,
        x: Variable,
        ws: TensorLike,
        stride: TensorLike | None = None,
        pad: Sequence[int] | None = None,
    ) -> Apply:
        inputs = self._operands([x], ws, stride, pad)
        return self.one(inputs, inputs[0].type.dtype, self.pattern(inputs[0]))

    @staticmethod
    def out_shape(
        imgshape: Sequence[object],
        ws: Any = None,
        ignore_border: bool = False,
        stride: Any = None,
        pad: Any = None,
        ndim: int = 2,
        ds: Any = None,
        st: Any = None,
        padding: Any = None,
    ) -> list[Any]:
        """Return the shape of a pool.

        Parameters
        ----------
        imgshape : sequence of int or scalar variable
        ws, stride, pad : sequence of int or scalar variable
            `ds`, `st` and `padding` are old names of them.
        ignore_border : bool
        ndim : int

        Returns
        -------
        list of int or scalar variable
        """
        ws, stride, pad = renamed(ws, ds, stride, st, pad, padding)
        if len(imgshape) < ndim:
            raise TypeError(f"imgshape must have at least {ndim} lengths, got {list(imgshape)}")
        parts = (imgshape[len(imgshape) - ndim :], ws, stride or ws, pad or (0,) * ndim)
        parts = [[python_int(n) if python_int(n) is not None else n for n in v] for v in parts]
        shape = [pooled_length(*axis, ignore_border) for axis in zip(*parts, strict=True)]
        return [*imgshape[: len(imgshape) - ndim], *shape]

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        lead = shapes[0][: len(shapes[0]) - self.ndim]
        return [(*lead, *self.pooled(self.shapes(node, shapes)))]

    def linear(self, node: Apply) -> list[list[int]]:
        return [] if self.mode == "max" else [[0]]

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        x, *vectors = node.inputs
        g = cotangents[0]
        if self.mode == "max":
            gradient = MaxPoolGrad(self.ignore_border, self.ndim)(x, node.outputs[0], g, *vectors)
        else:
            gradient = AveragePoolGrad(self.ignore_border, self.mode, self.ndim)(x, g, *vectors)
        return [pattern_broadcast(gradient, x.type.broadcastable), None, None, None]

    def compute(
        self, xp: ArrayModule, node: Apply, x: np.ndarray, *vectors: np.ndarray
    ) -> tuple[Any, ...]:
        s, dtype = self.array_shapes(x, vectors), str(x.dtype)
        lead = x.shape[: x.ndim - self.ndim]
        if self.mode == "max":
            wide = self.padded(xp, x, s, lowest(dtype))
            total = xp.full((*lead, *self.pooled(s)), lowest(dtype), dtype=dtype)
            for at in self.items(s):
                total = xp.maximum(total, wide[at])
            return (total,)
        work = sum_dtype(dtype, self.mode)
        wide = self.padded(xp, x.astype(work), s, 0)
        total = xp.zeros((*lead, *self.pooled(s)), dtype=work)
        for at in self.items(s):
            total = total + wide[at]
        if self.mode != "sum":
            total = total / self.counts(s).astype(work)
        return (total.astype(dtype),)

    def emit(self, p: Builder, node: Apply, x: ProgramValue, *vectors: ProgramValue) -> Any:
        return p.pool(node, self.lowered(p, node), x)


def sum_dtype(dtype: str, mode: str = "max") -> str:
    """Return the dtype in which items of a window are added up."""
    if dtypes.is_discrete(dtype) and mode != "sum":
        return "float64"
    return work_dtype(dtype)


def renamed(
    ws: object, ds: object, stride: object, st: object, pad: Any, padding: object
) -> tuple[Any, Any, Any]:
    """Return window, step and border of which some may have been given by their old names."""
    for new, old, name, old_name in ((ws, ds, "ws", "ds"), (stride, st, "stride", "st")):
        if old is not None and new is not None:
            raise ValueError(
                f"You can't provide a tuple value to both '{name}' and '{old_name}'. Please "
                f"provide a value only to '{name}'."
            )
    if padding is not None and pad is not None and any(k != 0 for k in pad):
        raise ValueError(
            "You can't provide a tuple value to both 'padding' and pad.  Please provide a value "
            "only to pad."
        )
    ws = ds if ws is None else ws
    if ws is None:
        raise ValueError("You must provide a tuple value for the window size: ws=(2, 2)")
    return ws, st if stride is None else stride, pad if padding is None else padding


class AveragePoolGrad(PoolOp):
    """Gradient of a pool by sums or averages: `gz` spread over the windows of `x`."""

    arrays = 2
    shape = shape_of(0)
    linear = linear_in(1)
    connection = connected(1)

    def __init__(self, ignore_border: bool, mode: str = "average_inc_pad", ndim: int = 2) -> None:
        super().__init__(ignore_border, mode, ndim)

    def make_node(
        self,
        x: Variable,
        gz: Variable,
        ws: TensorLike,
        stride: TensorLike | None = None,
        pad: Variable | None = None,
        dummy: TensorLike | None = None,
    ) -> Apply:
        inputs = self._operands([x, gz], ws, stride, pad)
        return self.one(inputs, inputs[1].type.dtype, inputs[0].type.broadcastable)

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        gz, vectors = node.inputs[1], node.inputs[2:]
        gradient = Pool(self.ignore_border, self.mode, self.ndim)(cotangents[0], *vectors)
        return [None, pattern_broadcast(gradient, gz.type.broadcastable), None, None, None]

    def compute(
        self, xp: ArrayModule, node: Apply, x: np.ndarray, gz: np.ndarray, *vectors: np.ndarray
    ) -> tuple[Any, ...]:
        s, work = self.array_shapes(x, vectors), sum_dtype(str(gz.dtype))
        part = gz.astype(work)
        if self.mode != "sum":
            part = part / self.counts(s).astype(work)
        parts = [part] * int(np.prod(s.windows))
        return (self.spread(xp, s, parts).astype(gz.dtype),)

    def emit(
        self, p: Builder, node: Apply, x: ProgramValue, gz: ProgramValue, *vectors: ProgramValue
    ) -> Any:
        return p.spread_average(node, self.lowered(p, node), gz)


class _OfMaximum(PoolOp):
    """Base of what goes to, or comes from, the items of windows that are their maximum.

    All of them count where several are equal.
    """

    arrays = 3
    linear = linear_in(2)

    def make_node(
        self,
        x: Variable,
        maxout: Variable,
        gz: Variable,
        ws: TensorLike,
        stride: TensorLike | None = None,
        pad: Variable | None = None,
    ) -> Apply:
        inputs = self._operands([x, maxout, gz], ws, stride, pad)
        return self.one(inputs, inputs[2].type.dtype, self.result_pattern(inputs[0]))

    def result_pattern(self, x: Variable) -> Sequence[bool]:
        """Return which axes of the result have a declared length of 1."""
        raise NotImplementedError

    def _masks(
        self, xp: ArrayModule, s: PoolShapes, x: np.ndarray, maxout: np.ndarray
    ) -> list[Any]:
        """Return, for each item of the windows, where it is the maximum."""
        wide = self.padded(xp, x, s, lowest(str(x.dtype)))
        return [wide[at] == maxout for at in self.items(s)]

    def _other(self) -> type[_OfMaximum]:
        raise NotImplementedError

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        x, maxout, gz, *vectors = node.inputs
        op = self._other()(self.ignore_border, ndim=self.ndim)
        gradient = pattern_broadcast(op(x, maxout, cotangents[0], *vectors), gz.type.broadcastable)
        return [zeros_like_float(x), zeros_like_float(maxout), gradient, None, None, None]


class MaxPoolGrad(_OfMaximum):
    """Gradient of a pool by maxima: `gz` of each window added to its maximum in `x`."""

    shape = shape_of(0)

    def __init__(self, ignore_border: bool, ndim: int = 2, openmp: bool | None = None) -> None:
        super().__init__(ignore_border, "max", ndim)

    def result_pattern(self, x: Variable) -> Sequence[bool]:
        return x.type.broadcastable

    def _other(self) -> type[_OfMaximum]:
        return DownsampleFactorMaxGradGrad

    def compute(
        self,
        xp: ArrayModule,
        node: Apply,
        x: np.ndarray,
        maxout: np.ndarray,
        gz: np.ndarray,
        *vectors: np.ndarray,
    ) -> Any:
        s, work = self.array_shapes(x, vectors), sum_dtype(str(gz.dtype))
        part = gz.astype(work)
        parts = [xp.where(mask, part, 0) for mask in self._masks(xp, s, x, maxout)]
        return (self.spread(xp, s, parts).astype(gz.dtype),)

    def emit(
        self,
        p: Builder,
        node: Apply,
        x: ProgramValue,
        maxout: ProgramValue,
        gz: ProgramValue,
        *vectors: ProgramValue,
    ) -> Any:
        return p.spread_maximum(node, self.lowered(p, node), x, maxout, gz)


class DownsampleFactorMaxGradGrad(_OfMaximum):
    """Sum of the items of `gz`, in the lengths of `x`, where `x` is the maximum of a window."""

    shape = shape_of(1)

    def result_pattern(self, x: Variable) -> Sequence[bool]:
        return self.pattern(x)

    def _other(self) -> type[_OfMaximum]:
        return MaxPoolGrad

    def compute(
        self,
        xp: ArrayModule,
        node: Apply,
        x: np.ndarray,
        maxout: np.ndarray,
        gz: np.ndarray,
        *vectors: np.ndarray,
    ) -> Any:
        s, work = self.array_shapes(x, vectors), sum_dtype(str(gz.dtype))
        wide = self.padded(xp, gz.astype(work), s, 0)
        total = xp.zeros(maxout.shape, dtype=work)
        for at, mask in zip(self.items(s), self._masks(xp, s, x, maxout), strict=True):
            total = total + xp.where(mask, wide[at], 0)
        return (total.astype(gz.dtype),)

    def emit(
        self,
        p: Builder,
        node: Apply,
        x: ProgramValue,
        maxout: ProgramValue,
        gz: ProgramValue,
        *vectors: ProgramValue,
    ) -> Any:
        return p.gather_maximum(node, self.lowered(p, node), x, maxout, gz)
