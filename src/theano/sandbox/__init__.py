"""What Theano 1.0.5 kept apart from its stable interface."""

from theano._core.legacy.paths import old_names as _old_names
from theano.sandbox import rng_mrg

__all__ = ["rng_mrg"]

__getattr__ = _old_names(__name__)
