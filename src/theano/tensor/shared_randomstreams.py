"""Random variables with NumPy's streams."""

from theano._core.api.random.random_streams import (
    RandomStreams,
)
from theano._core.api.variable.shared import (
    RandomStateSharedVariable,
    randomstate_constructor,
)
from theano._core.legacy.paths import old_names as _old_names

__all__ = ["RandomStateSharedVariable", "RandomStreams", "randomstate_constructor"]

__getattr__ = _old_names(__name__)
