"""What a call probably brings, which decides which kernel of a loop is compiled with the program.

Shared variables mostly keep their lengths. Of arguments nothing is known: they are expected to be
packed, and neither short nor very long. What turns out otherwise costs time once: the kernel is
compiled when a call needs it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from theano._core.lower.arrays import Array, Size
from theano._core.lower.builder.core import Core
from theano._core.lower.builder.kernel_call import is_compiled_by_need
from theano._core.lower.builder.laid_out import Variant
from theano._core.lower.llvm.print.calls import Call
from theano._core.lower.simplify import applied

# How many items an axis of an argument may have: a condition is likely that holds for both.
LENGTHS = 20, 33
# Sizes that are made of others in so many steps are not followed further.
DEEPEST = 40


def expect_input(p: Core, variable: Any, array: Array) -> None:
    """Note what the lengths of an input, its strides and its flag probably are."""
    shared = p.shared.get(variable)
    held = None if shared is None else shared.container.cell.value
    words: list[Size] = [*array.shape, *(array.strides or ()), array.contiguous]
    for expected, length in zip(p.expected, LENGTHS, strict=True):
        # What programs put into a storage is checked by calls only.
        if isinstance(held, np.ndarray) and held.ndim == array.ndim:
            shape, strides, packed = held.shape, held.strides, int(held.flags.c_contiguous)
        else:
            shape = tuple(n if isinstance(n, int) else length for n in array.shape)
            strides, packed = tuple(map(int, p.strides(Array(array.dtype, shape)))), 1
        expected.update(zip(words, (*shape, *strides, packed), strict=bool(array.ndim)))


def likely_call(
    p: Core,
    calls: Sequence[Call],
    flag: Size,
    narrow: Mapping[Call, tuple[Size, Call] | None],
    variants: Mapping[Call, Sequence[Variant]],
) -> Call:
    """Return the call of a loop that lengths and layouts probably lead to."""
    if not is_compiled_by_need(p, calls[0]):
        return calls[0]
    first = calls[-1] if _always(p, flag, 0) else calls[0]
    for one in variants[first]:
        if _always(p, one.condition, 1):
            return one.call
    short, across = narrow[first] or (False, first)
    return across if _always(p, short, 1) else first


def _always(p: Core, condition: Size, wanted: int) -> bool:
    return all(_value(p, condition, expected, 0) == wanted for expected in p.expected)


def _value(p: Core, size: Size, expected: dict[Size, Any], depth: int) -> int | None:
    """Return what a size or condition is in a call that brings what is expected, if that tells."""
    if isinstance(size, int):
        return size
    made = None if size in expected else p.made.get(size)
    if made is not None:
        function, operands, type_ = made
        deep = depth == DEEPEST or type_ == "ptr"
        numbers = [None if deep else _value(p, x, expected, depth + 1) for x in operands]
        values = [x for x in numbers if x is not None]
        computable = len(values) == len(numbers) and not (
            function.endswith("div") and values[1] == 0
        )
        expected[size] = applied(function, type_, values) if computable else None
    return expected.get(size)
