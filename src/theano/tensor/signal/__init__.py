"""Convolutions and pools of images."""

from theano._core.legacy.paths import old_names as _old_names
from theano.tensor.signal import conv, pool

__all__ = ["conv", "pool"]

__getattr__ = _old_names(__name__)
