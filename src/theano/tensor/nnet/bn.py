"""Batch normalization."""

from theano._core.api.nn.nnet import (
    batch_normalization,
)
from theano._core.api.nn.normalization import (
    batch_normalization_test,
    batch_normalization_train,
)
from theano._core.legacy.paths import attribute as _attribute

__all__ = ["batch_normalization", "batch_normalization_test", "batch_normalization_train"]


def __getattr__(name: str) -> object:
    return _attribute(__name__, name)
