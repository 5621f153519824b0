"""Patches of images."""

from theano._core.api.nn.neighbours import (
    images2neibs,
    neibs2images,
)
from theano._core.legacy.paths import old_names as _old_names

__all__ = ["images2neibs", "neibs2images"]

__getattr__ = _old_names(__name__)
