"""Convolutions of videos."""

from theano._core.legacy.ops.convolution_ops import (
    conv3d,
)
from theano._core.legacy.paths import attribute as _attribute

__all__ = [
    "conv3d",
]


def __getattr__(name: str) -> object:
    return _attribute(__name__, name)
