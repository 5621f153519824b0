"""Where windows lie over images: lengths with zeros around, and how many windows there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.base.errors import WindowError
from theano._core.base.records import Record
from theano._core.base.sequences import listed
from theano._core.base.settings import config
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.assertions import Assert, Require
from theano._core.ops.array.dims import as_int64, lengths_of
from theano._core.ops.array.indexing import subtensor
from theano._core.ops.array.shaping import length
from theano._core.ops.core.op import Guard, Op, Structured, as_variable
from theano._core.ops.elementwise.arithmetic import add, eq, int_div, le, mul, sub

if TYPE_CHECKING:
    from theano._core.ir.annotations import ArrayModule, Dims, TensorLike

Extents = tuple[Any, ...]


class Shapes(Record):
    """The lengths of the three arrays: integers, or scalar variables."""

    images: Extents
    kernels: Extents
    result: Extents


class Windows(Record):
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

    images: Extents
    kernels: Extents
    result: Extents
    before: Extents
    padded: Extents
    steps: tuple[int, ...]
    dilation: tuple[int, ...]
    flip: bool
    groups: int
    unshared: bool


def work_dtype(dtype: str) -> str:
    """Return the dtype in which sums are made."""
    return "float32" if dtype == "float16" else str(dtype)


def combined(op: Op, exact: Any, one: Any, two: Any) -> Any:
    """Return `exact(one, two)` of two integers, else the expression `op(one, two)`."""
    if isinstance(one, int) and isinstance(two, int):
        return exact(one, two)
    return op(as_int64(one), as_int64(two))


def plus(one: object, two: TensorLike) -> Any:
    """Return the sum of two lengths."""
    return one if isinstance(two, int) and two == 0 else combined(add, int.__add__, one, two)


def minus(one: object, two: object) -> Any:
    """Return the difference of two lengths."""
    return one if isinstance(two, int) and two == 0 else combined(sub, int.__sub__, one, two)


def times(one: object, two: int) -> Any:
    """Return a length times a number."""
    return one if two == 1 else combined(mul, int.__mul__, one, two)


def over(one: object, two: TensorLike) -> Any:
    """Return a length divided by a number, rounded down."""
    by_one = isinstance(two, int) and two == 1
    return one if by_one else combined(int_div, int.__floordiv__, one, two)


def at_most(one: TensorLike, two: TensorLike) -> Any:
    """Tell whether a length is at most another."""
    return combined(le, int.__le__, one, two)


def equal(one: TensorLike, two: object) -> Any:
    """Tell whether two lengths agree."""
    return True if one is two else combined(eq, int.__eq__, one, two)


def extent(size: object, dilation: int) -> Any:
    """Return over how many positions a kernel reaches."""
    return plus(times(minus(size, 1), dilation), 1)


def border_mode_to_pad(
    mode: object, convdim: int, kshp: Sequence[TensorLike]
) -> tuple[tuple[Any, Any], ...]:
    """Return how many zeros are put before and after each axis of an image.

    Parameters
    ----------
    mode : {'valid', 'full', 'half'}, int, or tuple of int and pairs of int
    convdim : int
        Number of axes.
    kshp : sequence of int
        Over how many positions a kernel reaches.
    """
    mode = listed(mode)
    mode = tuple(mode) if isinstance(mode, list) else mode
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
    value = listed(value)
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,) * convdim
    if len(values) != convdim or not all(is_length(n) and n > 0 for n in values):
        raise ValueError(f"{name} must be {convdim} positive integers, got {value!r}")
    return tuple(int(n) for n in values)


def result_length(
    size: object, kernel: object, pad: tuple[Variable, Variable], step: int, dilation: int
) -> Any:
    """Return how many windows there are along an axis."""
    room = minus(plus(plus(size, pad[0]), pad[1]), extent(kernel, dilation))
    return plus(over(room, step), 1)


def items_of(vector: Variable, count: int) -> list[Any]:
    """Return the items of a vector of lengths: numbers where they are known, else scalars."""
    numbers = lengths_of(vector, count)
    return [subtensor(vector, [i]) if n is None else n for i, n in enumerate(numbers)]


def written(shape: Extents) -> str:
    """Return lengths as text, None in place of those that are not known."""
    inner = ", ".join(str(n) if isinstance(n, int) else "None" for n in shape)
    return f"({inner},)" if len(shape) == 1 else f"({inner})"


def placed(
    xp: ArrayModule,
    part: np.ndarray,
    first: Sequence[int],
    steps: Sequence[int],
    sizes: Sequence[int],
) -> Any:
    """Return an item for each window where it belongs in images of some lengths, and zeros.

    `first` is its position in the first window.
    """
    for axis, (start, step, size) in enumerate(zip(first, steps, sizes, strict=True), -len(sizes)):
        count = part.shape[axis]
        apart = xp.expand_dims(xp.moveaxis(part, axis, -1), -1)
        apart = xp.pad(apart, [(0, 0)] * (apart.ndim - 1) + [(0, step - 1)])
        apart = apart.reshape(*apart.shape[:-2], count * step)
        apart = apart[..., : max((count - 1) * step + 1, 0)]
        end = size - start - apart.shape[-1]
        apart = xp.pad(apart, [(0, 0)] * (apart.ndim - 1) + [(start, end)])
        part = xp.moveaxis(apart, -1, axis)
    return part


def assert_shape(
    x: TensorLike, expected_shape: Sequence[object], msg: str = "Unexpected shape."
) -> Any:
    """Return `x`, which is checked to have a shape if `config.conv.assert_shape` says so.

    Parameters
    ----------
    x : TensorVariable
    expected_shape : sequence of int, scalar variable or None
    msg : str
        Text of the AssertionError.
    """
    if expected_shape is None or not config.conv.assert_shape:
        return x
    tests = [equal(length(x, a), n) for a, n in enumerate(expected_shape) if n is not None]
    return Assert(msg)(x, *(t for t in tests if t is not True)) if tests else x


class WindowOp(Structured):
    """Base of operations of which certain lengths must fit together."""

    # What native code reports of lengths that do not fit.
    fault = "windows"

    def shapes(self, node: Apply, shapes: Sequence[Dims]) -> Any:
        """Return tuples of all lengths that matter, from those of the inputs of a node."""
        raise NotImplementedError

    def conditions(self, s: object) -> Iterator[tuple[Any, str]]:
        """Yield what must hold of lengths, each with what is wrong where it does not."""
        raise NotImplementedError

    def described(self, s: object) -> str:
        """Return lengths as text."""
        raise NotImplementedError

    def split(self, facts: Sequence[int]) -> Any:
        """Return the tuples of lengths that were put in a row."""
        raise NotImplementedError

    def problem(self, s: object) -> str | None:
        """Say what is certainly wrong with some lengths; None if nothing is."""
        for holds, text in self.conditions(s):
            if holds is False:
                return f"{text}: {self.described(s)}"
        return None

    def text(self, facts: Sequence[int]) -> str:
        """Return the message of a failure: the facts are all lengths."""
        return f"{type(self).__name__}: {self.problem(self.split(facts))}"

    def check(self, s: object) -> None:
        """Raise WindowError unless lengths fit, all of which are known."""
        problem = self.problem(s)
        if problem is not None:
            raise WindowError(f"{type(self).__name__}: {problem}")

    def misfit(self, node: Apply, shapes: Sequence[Dims]) -> str | None:
        return self.problem(self.shapes(node, shapes))

    def may_fail(self, node: Apply) -> bool:
        return True

    def _open(self, s: object) -> list[Any]:
        """Return the conditions that are not known to hold."""
        conditions = [holds for holds, _ in self.conditions(s)]
        flags = [np.array(h) if isinstance(h, bool) else h for h in conditions if h is not True]
        return list(map(as_variable, flags))

    def guards(self, node: Apply, shapes: Sequence[Dims]) -> list[Guard]:
        s = self.shapes(node, shapes)
        facts = [as_int64(n) for part in s for n in part]
        if not self._open(s):
            return []
        return [(WindowsFit(self, len(facts)), lambda: [*facts, *self._open(s)])]

    def required(self, p: Any, node: Apply) -> Any:
        """Return the lengths of a node in a program, which fails unless they fit."""
        s = self.shapes(node, [p.rewriter.shape(v) for v in node.inputs])
        facts = [p.size(n) for part in s for n in part]
        for holds in self._open(s):
            p.require(node, p.value(holds), self.fault, facts)
        return s


class WindowsFit(Require):
    """`value`, after checking that the lengths of an operation fit together."""

    __props__ = ("of", "facts")
    error = WindowError
    fault = WindowOp.fault

    def __init__(self, of: WindowOp, facts: int) -> None:
        super().__init__("", facts)
        self.of = of

    def text(self, facts: Sequence[int]) -> str:
        return self.of.text(facts)
