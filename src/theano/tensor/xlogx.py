"""Products with logarithms that are 0 where a factor is."""

from theano._core.legacy.paths import attribute as _attribute
from theano._core.ops.special import (
    xlogx,
    xlogy0,
)

__all__ = ["xlogx", "xlogy0"]


def __getattr__(name: str) -> object:
    return _attribute(__name__, name)
