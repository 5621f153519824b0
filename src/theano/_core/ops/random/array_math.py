"""Formulas with loops, over arrays.

`lower/llvm/kernels/lane_math.py` writes the same as native code.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from theano._core.ops.random.philox import SOURCES


class ArrayMath:
    """The namespace of such formulas.

    Parameters
    ----------
    xp : module
        NumPy, or another array namespace.
    """

    def __init__(self, xp: Any) -> None:
        self.xp = xp

    def __getattr__(self, name: str) -> Any:
        return getattr(self.xp, name)

    def open_interval(self, words: Any) -> Any:
        """Return numbers in (0, 1)."""
        return SOURCES["open_interval"].compute(self.xp, words)

    def normal(self, words: Any) -> Any:
        """Return normal numbers."""
        return SOURCES["normal"].compute(self.xp, words)

    def when(self, condition: Any, then: Callable[[], Any], otherwise: Any) -> Any:
        """Return `then()` where a condition holds, else `otherwise`."""
        return self.xp.where(condition, then(), otherwise)

    def repeat(
        self, state: tuple[Any, ...], step: Callable[..., tuple[tuple[Any, ...], Any]], most: int
    ) -> tuple[Any, ...]:
        """Run `state, more = step(number, *state)` while any `more` holds, at least once.

        The state of a position stays where its `more` no longer holds.
        """
        state = tuple(self.xp.asarray(v) for v in state)
        going: Any = True
        for number in range(most):
            new, more = step(number, *state)
            state = tuple(self.xp.where(going, a, b) for a, b in zip(new, state, strict=True))
            going = going & more
            if not self.xp.any(going):
                break
        return state
