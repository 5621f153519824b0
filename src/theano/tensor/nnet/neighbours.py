"""Patches of images."""

from theano._core.api.neighbours import (
    images2neibs,
    neibs2images,
)

__all__ = ["images2neibs", "neibs2images"]
