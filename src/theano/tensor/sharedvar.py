"""Shared variables that hold arrays."""

from theano._core.api.variable.shared import (
    ScalarSharedVariable,
    TensorSharedVariable,
    scalar_constructor,
    shared_constructor,
    tensor_constructor,
)
from theano._core.compile.shared import SharedVariable
from theano._core.legacy.paths import old_names as _old_names

__all__ = [
    "ScalarSharedVariable",
    "SharedVariable",
    "TensorSharedVariable",
    "scalar_constructor",
    "shared_constructor",
    "tensor_constructor",
]

__getattr__ = _old_names(__name__)
