"""Pools: the maximum, sum or average of each window of an image."""

from theano._core.api.nn.pooling import (
    max_pool_2d_same_size,
    pool_2d,
    pool_3d,
)
from theano._core.legacy.ops.array_ops import (
    MaxPoolRop,
)
from theano._core.legacy.ops.layer_ops import (
    PoolGrad,
)
from theano._core.legacy.paths import old_names as _old_names
from theano._core.ops.nn.pooling import (
    AveragePoolGrad,
    DownsampleFactorMaxGradGrad,
    MaxPoolGrad,
    Pool,
)

__all__ = [
    "AveragePoolGrad",
    "DownsampleFactorMaxGradGrad",
    "MaxPoolGrad",
    "MaxPoolRop",
    "Pool",
    "PoolGrad",
    "max_pool_2d_same_size",
    "pool_2d",
    "pool_3d",
]

__getattr__ = _old_names(__name__)
