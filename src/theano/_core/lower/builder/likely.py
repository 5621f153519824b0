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

# How many items an axis of an argument is expected to have.
LENGTH = 16


def expect_input(p: Core, variable: Any, array: Array) -> None:
    """Note what the lengths of an input, its strides and its flag probably are."""
    shared = p.shared.get(variable)
    held = None if shared is None else shared.container.cell.value
    if isinstance(held, np.ndarray):
        shape, strides, packed = held.shape, held.strides, int(held.flags.c_contiguous)
    else:
        shape = tuple(n if isinstance(n, int) else LENGTH for n in array.shape)
        strides, packed = tuple(map(int, p.strides(Array(array.dtype, shape)))), 1
    words: list[Size] = [*array.shape, *(array.strides or ()), array.contiguous]
    p.likely.update(zip(words, (*shape, *strides, packed), strict=bool(array.ndim)))


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
    first = calls[-1] if p.likely.get(flag) == 0 else calls[0]
    for one in variants[first]:
        if p.likely.get(one.condition):
            return one.call
    short, across = narrow[first] or (False, first)
    return across if short is True or p.likely.get(short) else first
