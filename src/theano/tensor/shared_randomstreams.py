"""Random variables with NumPy's streams."""

from theano._core.api.random import (
    RandomStreams,
)
from theano._core.api.shared import (
    RandomStateSharedVariable,
    randomstate_constructor,
)

__all__ = ["RandomStateSharedVariable", "RandomStreams", "randomstate_constructor"]
