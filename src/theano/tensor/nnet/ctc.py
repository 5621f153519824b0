"""Connectionist temporal classification."""

from theano._core.api.nn.ctc import (
    ctc,
)
from theano._core.legacy.ops.array_ops import (
    ConnectionistTemporalClassification,
    ctc_available,
    ctc_present,
)
from theano._core.legacy.paths import old_names as _old_names

__all__ = ["ConnectionistTemporalClassification", "ctc", "ctc_available", "ctc_present"]

__getattr__ = _old_names(__name__)
