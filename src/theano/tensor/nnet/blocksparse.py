"""Layers of which only some blocks are computed."""

from theano._core.api.blocksparse import (
    sparse_block_dot,
)

__all__ = ["sparse_block_dot"]
