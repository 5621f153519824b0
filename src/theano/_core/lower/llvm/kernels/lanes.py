"""How many items the vectors of a loop hold."""

from __future__ import annotations

from collections.abc import Sequence

from theano._core.base.dtypes import is_discrete
from theano._core.lower.kernel.loops import Loop
from theano._core.lower.llvm.kernels.items import itemsize
from theano._core.lower.llvm.target.codegen import lanes_of

# Operations of a body that is light: there is room for more accumulators than one vector.
LIGHT = 4
# Rows of at most SHORT items are reduced several at a time if they fill half a vector.
SHORT = 16


def choose_lanes(loop: Loop, vector_bits: int, along: bool = True) -> int:
    """Return how many items the vectors of a loop hold; `along`: they run along its last axis."""
    sizes = [itemsize(d) for d, _ in loop.operands] + [itemsize(d) for d in loop.stores]
    # Light bodies get vectors four times as long: what limits them is the latency of accumulators,
    # not the number of registers.
    light = along and loop.rank - 1 in loop.reduced and loop.weight <= LIGHT
    # Otherwise what is reduced in a wider type takes two registers, so that the body fills one.
    if light or not sizes:
        sizes += [itemsize(f.dtype) for f in loop.reductions]
    widest = min(max(sizes, default=8), 8)
    lanes = lanes_of(widest, vector_bits)
    return _light_vectors(loop, sizes) * lanes if light else lanes


def _light_vectors(loop: Loop, sizes: Sequence[int]) -> int:
    """Return how many vectors a light body reduces at once along rows.

    What processors reduce in one cycle need not wait, and short rows fill no more of them.
    """
    if not all(is_discrete(f.dtype) for f in loop.reductions) or min(sizes) == 8:
        return 4
    if max(sizes) < 8:
        return 1
    return 4 if len(loop.reduced) == loop.rank else 2


def registers_of(loop: Loop, lanes: int, vector_bits: int) -> int:
    """Return how many registers a vector of accumulators takes."""
    widest = max(itemsize(f.dtype) for f in loop.reductions)
    return -(-lanes // lanes_of(min(widest, 8), vector_bits))
