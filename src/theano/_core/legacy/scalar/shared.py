"""Shared variables that hold scalars of `theano.scalar` and not tensors."""

from __future__ import annotations

import numpy as np

from theano._core.compile.shared import SharedVariable
from theano._core.legacy.scalar.type import ScalarVariable, get_scalar_type


class ScalarSharedVariable(SharedVariable, ScalarVariable):
    """A scalar with a value that functions read and update."""


def shared(
    value: object,
    name: str | None = None,
    strict: bool = False,
    allow_downcast: bool | None = None,
) -> ScalarSharedVariable:
    """Return a shared scalar; raises TypeError for anything but a number."""
    if not isinstance(value, (np.number, bool, int, float, complex)):
        raise TypeError(f"expected a number, got {value!r} of type {type(value).__name__}")
    type_ = get_scalar_type(str(np.asarray(value).dtype))
    number = np.asarray(value)[()]
    return ScalarSharedVariable(name, type_, number, strict, allow_downcast)
