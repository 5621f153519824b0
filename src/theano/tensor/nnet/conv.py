"""The older form of convolutions."""

from theano._core.legacy.ops.convolution_ops import (
    ConvOp,
    conv2d,
)
from theano._core.legacy.paths import attribute as _attribute

__all__ = [
    "ConvOp",
    "conv2d",
]


def __getattr__(name: str) -> object:
    return _attribute(__name__, name)
