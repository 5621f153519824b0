"""Products with logarithms that are 0 where a factor is."""

from theano._core.legacy.paths import attribute
from theano._core.ops.special import (
    xlogx,
    xlogy0,
)

__all__ = ["xlogx", "xlogy0"]


def __getattr__(name: str) -> object:
    return attribute(__name__, name)
