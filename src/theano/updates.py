"""The updates of a function, in the order they were given."""

from theano._core.api.scan.updates import (
    OrderedUpdates,
)
from theano._core.legacy.paths import old_names as _old_names

__all__ = ["OrderedUpdates"]

__getattr__ = _old_names(__name__)
