"""Branches of which one is computed."""

from theano._core.api.ifelse import ifelse
from theano._core.legacy.paths import old_names as _old_names

__all__ = ["ifelse"]

__getattr__ = _old_names(__name__)
