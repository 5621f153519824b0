"""Loops over steps."""

from theano._core.api.graph.cloning import clone
from theano._core.api.scan.map_reduce import foldl, foldr, map, reduce
from theano._core.api.scan.scan import scan, scan_checkpoints
from theano._core.api.scan.step import until
from theano._core.legacy.paths import attribute as _attribute

__all__ = ["clone", "foldl", "foldr", "map", "reduce", "scan", "scan_checkpoints", "until"]


def __getattr__(name: str) -> object:
    return _attribute(__name__, name)
