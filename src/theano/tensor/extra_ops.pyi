# The names of this module, and where each is: see theano/_core/base/stubs.py.

from theano._core.api.array.extra_ops import (
    bartlett as bartlett, bincount as bincount, compress as compress, cumprod as cumprod,
    cumsum as cumsum, diff as diff, fill_diagonal as fill_diagonal,
    fill_diagonal_offset as fill_diagonal_offset, ravel_multi_index as ravel_multi_index,
    unravel_index as unravel_index,
)
from theano._core.api.array.joining import repeat as repeat
from theano._core.api.array.permutations import to_one_hot as to_one_hot
from theano._core.api.array.shaping import squeeze as squeeze
from theano._core.api.array.sorting import searchsorted as searchsorted
from theano._core.ops.sorting import Unique as Unique
