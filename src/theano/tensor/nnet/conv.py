"""The older form of convolutions."""

from theano._core.legacy.ops.convolution_ops import (
    ConvOp,
    conv2d,
)
from theano._core.legacy.paths import old_names as _old_names

__all__ = [
    "ConvOp",
    "conv2d",
]

__getattr__ = _old_names(__name__)
