"""Functions that NumPy has outside its core."""

from theano._core.api.creation import (
    repeat,
)
from theano._core.api.rows import (
    to_one_hot,
)
from theano._core.api.shaping import (
    squeeze,
)

__all__ = ["repeat", "squeeze", "to_one_hot"]
