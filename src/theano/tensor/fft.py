"""Fourier transforms of batches of real arrays."""

from theano._core.api.fourier import (
    irfft,
    rfft,
)

__all__ = ["irfft", "rfft"]
