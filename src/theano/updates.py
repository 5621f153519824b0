"""The updates of a function, in the order they were given."""

from theano._core.api.scan.updates import (
    OrderedUpdates,
)

__all__ = ["OrderedUpdates"]
