"""Draws from an explicit stream."""

from theano._core.api.random.raw_random import (
    infer_ndim_bcast as _infer_ndim_bcast,  # noqa: F401 - the name that old programs import
)
from theano._core.base.stubs import listed_in_stub as _listed_in_stub
from theano._core.legacy.paths import old_names as _old_names

__getattr__ = _listed_in_stub(__name__, _old_names)
