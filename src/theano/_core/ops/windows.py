"""Where windows lie over images: lengths with zeros around, and how many windows there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from theano._core.ops.arithmetic import add, eq, int_div, mul, sub
from theano._core.ops.lengths import as_int64

Lengths = tuple[Any, ...]


class Shapes(NamedTuple):
    """The lengths of the three arrays: integers, or scalar variables."""

    images: Lengths
    kernels: Lengths
    result: Lengths


class Windows(NamedTuple):
    """Where kernels lie over images, in sizes of a program.

    Attributes
    ----------
    images, kernels, result : tuple of size
        Lengths of the three arrays.
    before, padded : tuple of size
        Zeros before the images, and the lengths with the zeros around.
    steps, dilation : tuple of int
    flip : bool
    groups : int
    unshared : bool
    """

    images: Lengths
    kernels: Lengths
    result: Lengths
    before: Lengths
    padded: Lengths
    steps: tuple[int, ...]
    dilation: tuple[int, ...]
    flip: bool
    groups: int
    unshared: bool


def work_dtype(dtype: str) -> str:
    """Return the dtype in which sums are made."""
    return "float32" if dtype == "float16" else str(dtype)


def combined(op: Any, exact: Any, one: Any, two: Any) -> Any:
    """Return `exact(one, two)` of two integers, else the expression `op(one, two)`."""
    if isinstance(one, int) and isinstance(two, int):
        return exact(one, two)
    return op(as_int64(one), as_int64(two))


def plus(one: Any, two: Any) -> Any:
    """Return the sum of two lengths."""
    return one if isinstance(two, int) and two == 0 else combined(add, int.__add__, one, two)


def minus(one: Any, two: Any) -> Any:
    """Return the difference of two lengths."""
    return one if isinstance(two, int) and two == 0 else combined(sub, int.__sub__, one, two)


def times(one: Any, two: int) -> Any:
    """Return a length times a number."""
    return one if two == 1 else combined(mul, int.__mul__, one, two)


def over(one: Any, two: Any) -> Any:
    """Return a length divided by a number, rounded down."""
    known = isinstance(two, int) and two == 1
    return one if known else combined(int_div, int.__floordiv__, one, two)


def equal(one: Any, two: Any) -> Any:
    """Tell whether two lengths agree."""
    return True if one is two else combined(eq, int.__eq__, one, two)


def extent(size: Any, dilation: int) -> Any:
    """Return over how many positions a kernel reaches."""
    return plus(times(minus(size, 1), dilation), 1)


def border_mode_to_pad(mode: Any, convdim: int, kshp: Sequence[Any]) -> tuple[tuple[Any, Any], ...]:
    """Return how many zeros are put before and after each axis of an image.

    Parameters
    ----------
    mode : {'valid', 'full', 'half'}, int, or tuple of int and pairs of int
    convdim : int
        Number of axes.
    kshp : sequence of int
        Over how many positions a kernel reaches.
    """
    if isinstance(mode, (int, np.integer)) and not isinstance(mode, bool):
        mode = (int(mode),) * convdim
    if isinstance(mode, tuple):
        if len(mode) != convdim:
            raise ValueError(
                f"invalid border_mode {mode}, which must be a tuple of length {convdim}"
            )
        pairs = tuple(m if isinstance(m, tuple) else (m, m) for m in mode)
        if all(len(p) == 2 and all(is_length(n) for n in p) for p in pairs):
            return tuple((int(one), int(two)) for one, two in pairs)
    elif mode == "valid":
        return ((0, 0),) * convdim
    elif mode in ("full", "half"):
        sizes = [minus(k, 1) if mode == "full" else over(k, 2) for k in kshp]
        return tuple((n, n) for n in sizes)
    raise ValueError(
        f"invalid border_mode {mode!r}: it must be 'valid', 'full', 'half', an integer that is not "
        "negative, or a tuple with such an integer or a pair of them for each axis"
    )


def is_length(value: Any) -> bool:
    """Tell whether a value is an integer that is not negative."""
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    return whole and bool(value >= 0)


def positive_numbers(name: str, value: Any, convdim: int) -> tuple[int, ...]:
    """Return a positive integer for each axis, which may be given as one for all."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,) * convdim
    if len(values) != convdim or not all(is_length(n) and n > 0 for n in values):
        raise ValueError(f"{name} must be {convdim} positive integers, got {value!r}")
    return tuple(int(n) for n in values)


def result_length(size: Any, kernel: Any, pad: tuple[Any, Any], step: int, dilation: int) -> Any:
    """Return how many windows there are along an axis."""
    room = minus(plus(plus(size, pad[0]), pad[1]), extent(kernel, dilation))
    return plus(over(room, step), 1)
