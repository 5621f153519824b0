"""Convolutions of videos."""

from theano._core.legacy.convolution_ops import (
    conv3d,
)

__all__ = [
    "conv3d",
]
