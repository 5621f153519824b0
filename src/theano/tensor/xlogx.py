"""Products with logarithms that are 0 where a factor is."""

from theano._core.legacy.paths import old_names as _old_names
from theano._core.ops.special import (
    xlogx,
    xlogy0,
)

__all__ = ["xlogx", "xlogy0"]

__getattr__ = _old_names(__name__)
