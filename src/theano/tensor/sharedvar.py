"""Shared variables that hold arrays."""

from theano._core.api.variable.shared import (
    ScalarSharedVariable,
    TensorSharedVariable,
    scalar_constructor,
    tensor_constructor,
)
from theano._core.compile.shared import SharedVariable, shared_constructor
from theano._core.legacy.paths import attribute as _attribute

__all__ = [
    "ScalarSharedVariable",
    "SharedVariable",
    "TensorSharedVariable",
    "scalar_constructor",
    "shared_constructor",
    "tensor_constructor",
]


def __getattr__(name: str) -> object:
    return _attribute(__name__, name)
