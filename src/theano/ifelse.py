"""Branches of which one is computed."""

from theano._core.api.ifelse import ifelse
from theano._core.legacy.loop_attributes import IfElse

__all__ = ["IfElse", "ifelse"]
