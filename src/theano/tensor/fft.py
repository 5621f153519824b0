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
from theano._core.legacy.paths import old_names as _old_names

__all__ = ["fft", "fft2", "fftn", "ifft", "ifft2", "ifftn", "irfft", "rfft"]

__getattr__ = _old_names(__name__)
