"""Branches of which one is computed."""

from theano._core.api.ifelse import ifelse
from theano._core.ops.branch import IfElse

__all__ = ["IfElse", "ifelse"]
