"""The reference backend: NumPy, one node at a time."""

from theano._core.ops.evaluation import evaluate, failed_application

__all__ = ["evaluate", "failed_application"]
