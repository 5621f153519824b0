"""Connectionist temporal classification."""

from theano._core.api.nn.ctc import (
    ctc,
)
from theano._core.legacy.ops.array_ops import (
    ConnectionistTemporalClassification,
    ctc_available,
    ctc_present,
)
from theano._core.legacy.paths import attribute as _attribute

__all__ = ["ConnectionistTemporalClassification", "ctc", "ctc_available", "ctc_present"]


def __getattr__(name: str) -> object:
    return _attribute(__name__, name)
