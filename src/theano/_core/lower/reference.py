"""The reference backend: NumPy, one node at a time."""

from theano._core.ops.evaluation import evaluate

__all__ = ["evaluate"]
