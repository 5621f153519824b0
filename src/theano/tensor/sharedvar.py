"""Shared variables that hold arrays."""

from theano._core.api.shared import (
    scalar_constructor,
    ScalarSharedVariable,
    tensor_constructor,
    TensorSharedVariable,
)

__all__ = [
    "ScalarSharedVariable",
    "TensorSharedVariable",
    "scalar_constructor",
    "tensor_constructor",
]
