"""Patches of images."""

from theano._core.api.nn.neighbours import (
    images2neibs,
    neibs2images,
)
from theano._core.legacy.paths import attribute as _attribute

__all__ = ["images2neibs", "neibs2images"]


def __getattr__(name: str) -> object:
    return _attribute(__name__, name)
