"""Connectionist temporal classification."""

from theano._core.api.ctc import (
    ctc,
)
from theano._core.legacy.array_ops import (
    ConnectionistTemporalClassification,
    ctc_available,
    ctc_present,
)

__all__ = ["ConnectionistTemporalClassification", "ctc", "ctc_available", "ctc_present"]
