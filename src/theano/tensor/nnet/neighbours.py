"""Patches of images."""

from theano._core.api.nn.neighbours import (
    images2neibs,
    neibs2images,
)
from theano._core.legacy.paths import attribute

__all__ = ["images2neibs", "neibs2images"]


def __getattr__(name: str) -> object:
    return attribute(__name__, name)
