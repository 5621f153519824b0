"""Functions that NumPy has outside its core."""

from theano._core.api.array.extra_ops import (
    bartlett,
    bincount,
    compress,
    cumprod,
    cumsum,
    diff,
    fill_diagonal,
    fill_diagonal_offset,
    ravel_multi_index,
    unravel_index,
)
from theano._core.api.array.joining import repeat
from theano._core.api.array.permutations import (
    to_one_hot,
)
from theano._core.api.array.shaping import (
    squeeze,
)
from theano._core.api.array.sorting import (
    searchsorted,
)
from theano._core.legacy.paths import old_names as _old_names
from theano._core.ops.sorting import (
    Unique,
)

__all__ = [
    "Unique",
    "bartlett",
    "bincount",
    "compress",
    "cumprod",
    "cumsum",
    "diff",
    "fill_diagonal",
    "fill_diagonal_offset",
    "ravel_multi_index",
    "repeat",
    "searchsorted",
    "squeeze",
    "to_one_hot",
    "unravel_index",
]

__getattr__ = _old_names(__name__)
