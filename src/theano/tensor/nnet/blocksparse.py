"""Layers of which only some blocks are computed."""

from theano._core.api.nn.blocksparse import (
    sparse_block_dot,
)
from theano._core.legacy.paths import attribute as _attribute

__all__ = ["sparse_block_dot"]


def __getattr__(name: str) -> object:
    return _attribute(__name__, name)
