"""Loops over steps."""

from theano._core.api.graph.cloning import clone
from theano._core.api.scan.map_reduce import foldl, foldr, map, reduce
from theano._core.api.scan.scan import scan, scan_checkpoints
from theano._core.api.scan.step import until
from theano._core.legacy.paths import old_names as _old_names

__all__ = ["clone", "foldl", "foldr", "map", "reduce", "scan", "scan_checkpoints", "until"]

__getattr__ = _old_names(__name__)
