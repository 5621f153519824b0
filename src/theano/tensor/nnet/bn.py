"""Batch normalization."""

from theano._core.api.nnet import (
    batch_normalization,
)
from theano._core.api.normalization import (
    batch_normalization_test,
    batch_normalization_train,
)

__all__ = ["batch_normalization", "batch_normalization_test", "batch_normalization_train"]
