"""Convolutions of videos."""

from theano._core.legacy.ops.convolution_ops import (
    conv3d,
)
from theano._core.legacy.paths import old_names as _old_names

__all__ = [
    "conv3d",
]

__getattr__ = _old_names(__name__)
