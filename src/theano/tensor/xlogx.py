"""Products with logarithms that are 0 where a factor is."""

from theano._core.ops.special import (
    xlogx,
    xlogy0,
)

__all__ = ["xlogx", "xlogy0"]
