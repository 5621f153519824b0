"""Batch normalization."""

from theano._core.api.nn.nnet import (
    batch_normalization,
)
from theano._core.api.nn.normalization import (
    batch_normalization_test,
    batch_normalization_train,
)
from theano._core.legacy.paths import old_names as _old_names

__all__ = ["batch_normalization", "batch_normalization_test", "batch_normalization_train"]

__getattr__ = _old_names(__name__)
