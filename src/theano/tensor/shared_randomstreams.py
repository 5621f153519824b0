"""Random variables with NumPy's streams."""

from theano._core.api.random import (
    RandomStreams,
)
from theano._core.api.shared import (
    randomstate_constructor,
    RandomStateSharedVariable,
)

__all__ = ["RandomStateSharedVariable", "RandomStreams", "randomstate_constructor"]
