"""Fourier transforms: of real arrays as real and imaginary parts, and of complex arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.base import dtypes
from theano._core.base.settings import config
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.broadcasting import alloc
from theano._core.ops.array.creation import iota
from theano._core.ops.array.dims import as_int64, as_length, product
from theano._core.ops.array.index_form import split_index
from theano._core.ops.array.indexing import IncSubtensor, subtensor
from theano._core.ops.array.shaping import length, pattern_broadcast, reshape_op
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.core.naming import known_as
from theano._core.ops.core.op import (
    Op,
    as_variable,
    connected,
    linear_in,
    python_int,
    tensor_operand,
)
from theano._core.ops.core.python_call import Called
from theano._core.ops.elementwise.arithmetic import minimum, switch, true_div
from theano._core.ops.elementwise.elementwise import cast

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, Dims, TensorLike
    from theano._core.ops.core.protocols import Batching, Builder, ProgramValue


def _real(name: str, x: TensorLike, rank: int) -> Any:
    x = tensor_operand(name, x)
    if dtypes.is_complex(x.type.dtype):
        raise TypeError(f"{name} takes real numbers, got {x.type}")
    if x.type.ndim < rank:
        raise TypeError(f"{name}: input must have at least {rank} axes, got {x.type}")
    if dtypes.is_discrete(x.type.dtype):
        return cast(x, config.floatX)
    return cast(x, "float32") if x.type.dtype == "float16" else x


def _weighted(g: Variable, size: Variable | int, weight: float) -> Any:
    """Return half a spectrum of `size` numbers with what stands for two of them times `weight`."""
    rank = g.type.ndim
    at = iota(length(g, rank - 2))
    two = (at > 0) & (at * 2 < size)
    weights = switch(two, np.asarray(weight, g.type.dtype), np.asarray(1, g.type.dtype))
    return g * dimshuffle(weights, [*["x"] * (rank - 2), 0, "x"])


def _transformed(xp: ArrayModule, name: str, x: object, *args: object, **options: object) -> Any:
    """Return a transform by SciPy, which keeps float32, or by another module's own.

    It says what native code computes: its memory is from the pool, and rows are shared by threads.
    """
    if xp is not np:
        return getattr(xp.fft, name)(x, *args, **options)
    from scipy import fft

    from theano._core.runtime import native

    return native.pooled(getattr(fft, name), x, *args, workers=config.threads, **options)


def _parts(xp: ArrayModule, x: Any, dtype: object) -> Any:
    """Return complex numbers as real and imaginary parts along a last axis: the same memory."""
    if xp is np and x.flags.c_contiguous:
        return x.view(x.real.dtype).reshape(*x.shape, 2).astype(dtype, copy=False)
    return xp.stack([x.real, x.imag], axis=-1).astype(dtype)


def _spectrum(xp: ArrayModule, x: np.ndarray) -> Any:
    """Return complex numbers whose parts are along the last axis."""
    if xp is np and x.flags.c_contiguous:
        return x.view(np.result_type(x, np.complex64))[..., 0]
    return x[..., 0] + 1j * x[..., 1]


@known_as("RFFTOp")
class RFFT(Called):
    """Transform of `x` over all axes but the first: the half of the last axis that is needed.

    A last axis holds real and imaginary parts.
    """

    long_rule = True
    linear = linear_in(0)

    def make_node(self, x: Variable) -> Apply:
        x = _real("rfft", x, 2)
        pattern = [*x.type.broadcastable[:-1], False, False]
        return self.one([x], x.type.dtype, pattern)

    def compute(self, xp: ArrayModule, node: Apply, x: np.ndarray) -> tuple[Any, ...]:
        transformed = _transformed(xp, "rfftn", x, axes=tuple(range(1, x.ndim)))
        return (_parts(xp, transformed, x.dtype),)

    def emit(self, p: Builder, node: Apply, x: ProgramValue) -> Any:
        return p.half_spectrum(node, x)

    def shape(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        *first, last = shapes[0]
        half = last // 2 + 1 if isinstance(last, int) else last // 2 + as_int64(1)
        return [(*first, half, 2)]

    def batch(
        self, node: Apply, values: list[Variable], rows: list[bool], batching: Batching
    ) -> list[Any] | None:
        return [_transform_rows(self, values[0])]

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        x, g = node.inputs[0], cotangents[0]
        size = length(x, x.type.ndim - 1)
        return [irfft(_weighted(g, size, 0.5), size)]


@known_as("IRFFTOp")
class IRFFT(Called):
    """Inverse of `RFFT`; the last axis of the result has `size` items.

    Parameters
    ----------
    divided : bool
        Whether the sums are divided by the number of items.
    """

    __props__ = ("divided",)
    long_rule = True
    connection = connected(0)
    linear = linear_in(0)

    def __init__(self, divided: bool = False) -> None:
        self.divided = divided

    def make_node(self, x: Variable, size: Variable) -> Apply:
        x = _real("irfft", x, 3)
        pattern = [*x.type.broadcastable[:-2], False]
        return self.one([x, cast(as_variable(size), "int64")], x.type.dtype, pattern)

    def compute(
        self, xp: ArrayModule, node: Apply, x: np.ndarray, size: np.ndarray
    ) -> tuple[Any, ...]:
        if x.shape[-1] != 2:
            raise ValueError(f"irfft: the last axis must hold two parts, it has {x.shape[-1]}")
        shape = (*x.shape[1:-2], int(size))
        axes = tuple(range(1, x.ndim - 1))
        spectrum = _spectrum(xp, x)
        norm = "backward" if self.divided else "forward"
        transformed = _transformed(xp, "irfftn", spectrum, shape, axes, norm=norm)
        return (transformed.astype(x.dtype, copy=False),)

    def emit(self, p: Builder, node: Apply, x: ProgramValue, size: ProgramValue) -> Any:
        by = "n" if self.divided else "1"
        return p.from_half_spectrum(node, x, p.integer(size), by)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        return [(*shapes[0][:-2], node.inputs[1])]

    def batch(
        self, node: Apply, values: list[Variable], rows: list[bool], batching: Batching
    ) -> list[Any] | None:
        return None if rows[1] else [_transform_rows(self, values[0], values[1])]

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        g = cotangents[0]
        if self.divided:
            count = product([length(g, axis) for axis in range(1, g.type.ndim)])
            g = true_div(g, cast(as_int64(count), g.type.dtype))
        return [_weighted(rfft(g), node.inputs[1], 2.0), None]


def _transform_rows(op: Op, x: Variable, *size: object) -> Any:
    """Return the transforms of rows of rows."""
    one, two, *rest = (as_int64(length(x, a)) for a in range(x.type.ndim))
    out = op(reshape_op(x, [one * two, *rest]), *size)
    return reshape_op(out, [one, two, *(as_int64(length(out, a)) for a in range(1, out.ndim))])


class DFT(Called):
    """Discrete Fourier transform along one axis, cut or filled with zeros to `n` items first.

    Parameters
    ----------
    axis : int
    inverse : bool
        Opposite sign of the exponent.
    dtype : {'complex64', 'complex128'}
    by : {'1', 'root', 'n'}
        What sums are divided by: nothing, the square root of `n`, or `n`.
    """

    __props__ = ("axis", "inverse", "dtype", "by")
    connection = connected(0)

    def __init__(self, axis: int, inverse: bool, dtype: str, by: str = "1") -> None:
        self.axis = axis
        self.inverse = inverse
        self.dtype = dtype
        self.by = by

    def make_node(self, x: Any, n: Any) -> Apply:
        x, n = tensor_operand("fft", x), cast(as_variable(n), "int64")
        if not 0 <= self.axis < x.type.ndim or n.type.ndim:
            raise TypeError(f"fft along axis {self.axis} of {x.type} with a length {n.type}")
        own = self.dtype if dtypes.is_complex(x.type.dtype) else dtypes.real_of(self.dtype)
        pattern = list(x.type.broadcastable)
        pattern[self.axis] = python_int(n) == 1
        return self.one([cast(x, own), n], self.dtype, pattern)

    def compute(
        self, xp: ArrayModule, node: Apply, x: TensorLike, n: np.ndarray
    ) -> tuple[Any, ...]:
        if int(n) < 1:
            raise ValueError(f"fft: the length must be positive, got {int(n)}")
        sides = ("backward", "forward") if self.inverse else ("forward", "backward")
        norm = "ortho" if self.by == "root" else sides[self.by == "1"]
        name = "ifft" if self.inverse else "fft"
        transformed = _transformed(xp, name, x, int(n), self.axis, norm=norm)
        return (transformed.astype(self.dtype, copy=False),)

    def emit(self, p: Builder, node: Apply, x: ProgramValue, n: ProgramValue) -> Any:
        return p.transform(node, x, p.integer(n), self.axis, self.inverse, self.by)

    def shape(self, node: Apply, shapes: Sequence[Dims]) -> list[Any]:
        shape = list(shapes[0])
        shape[self.axis] = as_length(node.inputs[1])
        return [tuple(shape)]

    def vjp(self, node: Apply, cotangents: Sequence[Variable]) -> list[Any]:
        x, n = node.inputs
        back = DFT(self.axis, not self.inverse, self.dtype, self.by)(cotangents[0], n)
        own = length(x, self.axis)
        kept = [slice(None)] * self.axis + [slice(0, minimum(as_int64(own), n))]
        shape = [as_int64(own if a == self.axis else length(back, a)) for a in range(x.type.ndim)]
        room = alloc(np.zeros((), self.dtype), *shape)
        form, values = split_index(kept)
        grown = IncSubtensor(form, False)(room, subtensor(back, kept), *values)
        return [pattern_broadcast(grown, x.type.broadcastable), None]

    def __str__(self) -> str:
        return f"{'I' if self.inverse else ''}DFT{{axis={self.axis}}}"


rfft = RFFT()
irfft = IRFFT()
