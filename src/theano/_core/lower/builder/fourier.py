"""Discrete Fourier transforms, which the runtime computes along one axis at a time."""

from __future__ import annotations

from collections.abc import Sequence

from theano._core.base import dtypes
from theano._core.base.records import Record
from theano._core.ir.variable import Apply
from theano._core.lower.arrays import Array, Size
from theano._core.lower.builder import copies, kernel_call, libraries
from theano._core.lower.builder.core import Core

# In the order of runtime/fourier.h.
KINDS = ("forward", "inverse", "forward_real", "inverse_real", "half", "from_half")
DIVIDED = ("1", "n", "root")


class TransformWork(Record):
    """What the runtime is told besides addresses: `Work` of `fourier.h`."""

    itemsize: Size
    kind: Size
    n: Size
    outer: Size
    source_length: Size
    inner: Size
    divided: Size


def transform(p: Core, node: Apply, x: Array, n: Size, axis: int, inverse: bool, by: str) -> Array:
    """Return the transform along an axis, cut or filled with zeros to `n` items first."""
    _check_length(p, node, n)
    x = copies.contiguous(p, x)
    shape = [*x.shape[:axis], n, *x.shape[axis + 1 :]]
    out = p.memory_for(node.outputs[0], shape)
    real = "" if dtypes.is_complex(x.dtype) else "_real"
    kind = ("inverse" if inverse else "forward") + real
    _along(p, kind, x, axis, n, by, out)
    return out


def half_spectrum(p: Core, node: Apply, x: Array) -> Array:
    """Return half the transform of real numbers over all axes but the first, in two parts."""
    x = copies.contiguous(p, x)
    for n in x.shape[1:]:
        _check_length(p, node, n)
    last = x.ndim - 1
    half = p.let("add", p.let("sdiv", x.shape[last], 2), 1)
    out = p.memory_for(node.outputs[0], [*x.shape[:last], half, 2])
    _along(p, "half", x, last, x.shape[last], "1", out)
    spectrum = Array(dtypes.complex_of(x.dtype), (*x.shape[:last], half), p.pointer(out))
    for axis in range(1, last):
        _along(p, "forward", spectrum, axis, x.shape[axis], "1", spectrum)
    return out


def from_half_spectrum(p: Core, node: Apply, x: Array, n: Size, by: str) -> Array:
    """Return the real numbers, `n` along the last axis, of which half a spectrum is given."""
    p.check_equal(node, x.shape[-1], 2, "spectrum_parts", (x.shape[-1],))
    for length in (*x.shape[1:-2], n):
        _check_length(p, node, length)
    x = copies.contiguous(p, x)
    spectrum = Array(dtypes.complex_of(x.dtype), tuple(x.shape[:-1]), p.pointer(x))
    last = spectrum.ndim - 1
    if last > 1:
        room = p.new_array(spectrum.dtype, spectrum.shape)
        for axis in range(1, last):
            _along(p, "inverse", spectrum, axis, spectrum.shape[axis], by, room)
            spectrum = room
    out = p.memory_for(node.outputs[0], [*spectrum.shape[:last], n])
    _along(p, "from_half", spectrum, last, n, by, out)
    return out


def _check_length(p: Core, node: Apply, n: Size) -> None:
    p.check_least(node, n, 1, "transform_length", (n,))


def _along(p: Core, kind: str, x: Array, axis: int, n: Size, by: str, out: Array) -> None:
    """Write transforms along an axis of a C-contiguous array; of as many items also in place."""
    libraries.release_if_long(p, p.product([*x.shape, 16]))
    shape: Sequence[Size] = x.shape
    size = dtypes.itemsize(x.dtype) // (2 if dtypes.is_complex(x.dtype) else 1)
    sizes = p.product(shape[:axis]), shape[axis], p.product(shape[axis + 1 :])
    numbers = TransformWork(size, KINDS.index(kind), n, *sizes, DIVIDED.index(by))
    words = [*numbers, p.pointer(x), p.pointer(out)]
    types = kernel_call.types_of(len(numbers.fields), len(words))
    p.call_or_fail("transform", kernel_call.arguments(p, words, types))
