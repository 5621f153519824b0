"""Fourier transforms: of batches of real arrays, and along axes of complex arrays."""

from theano._core.api.array.fourier import (
    fft,
    fft2,
    fftn,
    ifft,
    ifft2,
    ifftn,
    irfft,
    rfft,
)
from theano._core.legacy.paths import attribute as _attribute

__all__ = ["fft", "fft2", "fftn", "ifft", "ifft2", "ifftn", "irfft", "rfft"]


def __getattr__(name: str) -> object:
    return _attribute(__name__, name)
