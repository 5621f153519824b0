"""Formulas with loops, over arrays.

`lower/llvm/kernels/lane_math.py` writes the same as native code.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from theano._core.ir.variable import Variable
from theano._core.ops.random.philox import SOURCES

if TYPE_CHECKING:
    import numpy as np

    from theano._core.ir.annotations import ArrayModule


class ArrayMath:
    """The namespace of such formulas.

    Parameters
    ----------
    xp : module
        NumPy, or another array namespace.
    """

    def __init__(self, xp: ArrayModule) -> None:
        self.xp = xp

    def __getattr__(self, name: str) -> Any:
        return getattr(self.xp, name)

    def open_interval(self, words: object) -> Any:
        """Return numbers in (0, 1)."""
        return SOURCES["open_interval"].compute(self.xp, words)

    def normal(self, words: object) -> Any:
        """Return normal numbers."""
        return SOURCES["normal"].compute(self.xp, words)

    def when(self, condition: np.ndarray, then: Callable[[], Variable], otherwise: object) -> Any:
        """Return `then()` where a condition holds, else `otherwise`."""
        return self.xp.where(condition, then(), otherwise)

    def repeat(
        self,
        state: tuple[object, ...],
        step: Callable[..., tuple[tuple[Variable, ...], Variable]],
        most: int,
    ) -> tuple[Any, ...]:
        """Run `state, more = step(number, *state)` while any `more` holds, at least once.

        The state of a position stays where its `more` no longer holds.
        """
        state = tuple(self.xp.asarray(v) for v in state)
        going: Any = True
        for index in range(most):
            new, more = step(index, *state)
            state = tuple(self.xp.where(going, a, b) for a, b in zip(new, state, strict=True))
            going = going & more
            if not self.xp.any(going):
                break
        return state
