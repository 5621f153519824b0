"""Pools by the names of Theano before 0.9."""

from theano._core.api.nn.pooling import (
    max_pool_2d,
    max_pool_2d_same_size,
)
from theano._core.ops.nn.pooling import (
    Pool as DownsampleFactorMax,
)

__all__ = ["DownsampleFactorMax", "max_pool_2d", "max_pool_2d_same_size"]
