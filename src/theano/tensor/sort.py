"""Sorting."""

from theano._core.api.sorting import (
    argsort,
    argtopk,
    sort,
    topk,
    topk_and_argtopk,
)

__all__ = ["argsort", "argtopk", "sort", "topk", "topk_and_argtopk"]
