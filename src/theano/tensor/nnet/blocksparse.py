"""Layers of which only some blocks are computed."""

from theano._core.api.nn.blocksparse import (
    sparse_block_dot,
)
from theano._core.legacy.paths import old_names as _old_names

__all__ = ["sparse_block_dot"]

__getattr__ = _old_names(__name__)
