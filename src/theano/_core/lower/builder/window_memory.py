"""Memory that operations on windows work in: filled, converted and viewed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from theano._core.lower.arrays import Array, Size
from theano._core.lower.builder import copies, views
from theano._core.lower.builder.core import Core
from theano._core.lower.kernel.expression import Writer


def filled(p: Core, dtype: str, shape: Sequence[Size], number: float | int = 0) -> Array:
    """Return new memory with one number everywhere."""
    out = p.new_array(dtype, shape)
    scalar = Array(dtype, (), register=p.literal(number, dtype))
    everywhere = frozenset(range(len(shape)))
    copies.simple_loop(p, out, shape, [(scalar, everywhere)], lambda w, x: x)
    return out


def copy_converted(p: Core, source: Array, target: Array) -> None:
    """Copy an array to memory of the same lengths, in the dtype of that."""

    def value(w: Writer, x: Any) -> Any:
        return w.cast(x, target.dtype)

    copies.simple_loop(p, target, target.shape, [(source, source.broadcast_axes)], value)


def converted(p: Core, x: Array, dtype: str) -> Array:
    """Return a copy of an array in another dtype."""
    out = p.new_array(dtype, x.shape)
    copy_converted(p, x, out)
    return out


def in_dtype(p: Core, x: Array, dtype: str) -> Array:
    """Return an array in a dtype: itself, or a copy."""
    return x if x.dtype == dtype else converted(p, x, dtype)


def part(
    p: Core, x: Array, at: Sequence[Size], shape: Sequence[Size], strides: Sequence[Size]
) -> Array:
    """Return the view of `x` that begins at a position of its first axes."""
    data = p.pointer(x)
    for position, step in zip(at, p.strides(x), strict=False):
        data = views.moved(p, data, p.offset(position, step))
    return Array(x.dtype, tuple(shape), data, tuple(strides), False)


@contextmanager
def walk(p: Core, shape: Sequence[Size], polls: bool = False) -> Iterator[list[str]]:
    """Have instructions go to loops, one inside the other; gives their steps.

    The outermost may poll for signals.
    """
    with ExitStack() as stack:
        first, *rest = shape
        loops = [p.counted(first, polls), *(p.counted(n) for n in rest)]
        yield [stack.enter_context(loop) for loop in loops]
