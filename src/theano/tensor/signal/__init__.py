"""Convolutions and pools of images."""

from theano._core.legacy.paths import attribute as _attribute
from theano.tensor.signal import conv, pool

__all__ = ["conv", "pool"]


def __getattr__(name: str) -> object:
    return _attribute(__name__, name)
