"""Branches of which one is computed."""

from theano._core.api.ifelse import ifelse
from theano._core.legacy.ops.scan_attributes import IfElse
from theano._core.legacy.paths import attribute as _attribute

__all__ = ["IfElse", "ifelse"]


def __getattr__(name: str) -> object:
    return _attribute(__name__, name)
