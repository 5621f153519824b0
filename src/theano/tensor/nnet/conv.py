"""The older form of convolutions."""

from theano._core.legacy.convolution_ops import (
    ConvOp,
    conv2d,
)

__all__ = [
    "ConvOp",
    "conv2d",
]
