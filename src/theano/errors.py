"""The exceptions and warnings of Theano; `TheanoError` catches all exceptions."""

from theano._core.base.errors import *  # noqa: F403
from theano._core.base.errors import __all__ as __all__
