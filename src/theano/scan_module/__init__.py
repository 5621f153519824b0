"""Loops over steps."""

from theano._core.api.cloning import clone
from theano._core.api.map_reduce import foldl, foldr, map, reduce
from theano._core.api.scan import scan, scan_checkpoints, until

__all__ = ["clone", "foldl", "foldr", "map", "reduce", "scan", "scan_checkpoints", "until"]
