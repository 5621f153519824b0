"""What this machine can do at most: bytes moved and numbers multiplied in a second, measured."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from theano._core.api.array.products import dot
from theano._core.compile.function import function
from theano._core.compile.profiling import ProfileStats
from theano._core.compile.shared import SharedVariable
from theano._core.ir.types import TensorType
from theano._core.ops.elementwise.arithmetic import add

# Bytes of the arrays that are added: more than caches hold.
MOVED = 1 << 27
SIDE = 1024
CALLS = 5


@cache
def machine_limits() -> dict[str, float]:
    """Measure what this machine can do at most, on the threads that functions may use.

    Returns
    -------
    dict
        `bytes_per_second` of an addition of large arrays, and `operations_per_second` of a product
        of float64 matrices; measured in the first call.
    """
    items = MOVED // 16
    source, target, left = _ones(items), _ones(items), _ones(SIDE, SIDE)
    moved = _fastest(updates=[(target, add(source, 1.0))])
    multiplied = _fastest(outputs=[dot(left, left)])
    return {
        "bytes_per_second": MOVED / moved,
        "operations_per_second": 2.0 * SIDE**3 / multiplied,
    }


def _ones(*shape: int) -> SharedVariable:
    type_ = TensorType("float64", (False,) * len(shape))
    return SharedVariable(None, type_, np.ones(shape), strict=True)


def _fastest(**what: Any) -> float:
    """Return the seconds of the fastest of some calls."""
    f = function([], profile=ProfileStats(atexit_print=False), **what)
    best, before = float("inf"), 0
    for _ in range(CALLS):
        f()
        nanoseconds = f.program.timings[1][0]
        best, before = min(best, (nanoseconds - before) * 1e-9), nanoseconds
    return best
