"""Random variables with NumPy's streams."""

from theano._core.api.random.random_streams import (
    RandomStreams,
)
from theano._core.api.variable.shared import (
    RandomStateSharedVariable,
    randomstate_constructor,
)

__all__ = ["RandomStateSharedVariable", "RandomStreams", "randomstate_constructor"]
