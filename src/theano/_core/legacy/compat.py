"""What `theano.compat` offered to programs that ran under Python 2 and 3."""

from __future__ import annotations

import configparser
import operator
from builtins import all, any
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import (
    Callable,
    Iterable,
    Iterator,
    Mapping,
    MutableMapping as DictMixin,
    ValuesView,
)
from functools import partial
from importlib import reload
from io import BytesIO
from itertools import product
from sys import maxsize
from typing import Any

from theano._core.ir.variable import Variable

__all__ = [
    "PY3",
    "BytesIO",
    "Callable",
    "Counter",
    "DefaultOrderedDict",
    "DictMixin",
    "Iterable",
    "Mapping",
    "OrderedDict",
    "ValuesView",
    "all",
    "any",
    "b",
    "cmp",
    "configparser",
    "decode",
    "decode_iter",
    "decode_with",
    "defaultdict",
    "deque",
    "exc_message",
    "get_unbound_function",
    "ifilter",
    "imap",
    "izip",
    "maxsize",
    "next",
    "operator_div",
    "partial",
    "product",
    "reload",
]

PY3 = True
izip, imap, ifilter, next = zip, map, filter, next
operator_div = operator.truediv


def b(text: str) -> bytes:
    """Return a text of characters below 256 as bytes."""
    return text.encode("latin-1")


def cmp(x: Any, y: Any) -> int:
    """Return -1, 0 or 1 as `x` is less than, equal to or greater than `y`."""
    return (x > y) - (x < y)


def decode(x: bytes) -> str:
    """Return bytes as text."""
    return x.decode()


def decode_iter(itr: Iterable[bytes]) -> Iterator[str]:
    """Yield bytes as text."""
    return map(decode, itr)


def decode_with(x: bytes, encoding: str) -> str:
    """Return bytes as text in an encoding."""
    return x.decode(encoding)


def exc_message(e: BaseException) -> Any:
    """Return the message of an exception, of the innermost one if they are nested."""
    message = e.args[0]
    return exc_message(message) if isinstance(message, BaseException) else message


def get_unbound_function(unbound: object) -> Any:
    """Return the function behind a method."""
    return getattr(unbound, "__func__", unbound)


class DefaultOrderedDict(OrderedDict[Any, Any]):
    """An ordered dict that makes the values it lacks.

    Parameters
    ----------
    default_factory : callable, optional
        Called without arguments for the value of a key that is not there.
    """

    def __init__(
        self, default_factory: Callable[[], Variable] | None = None, *args: object
    ) -> None:
        if default_factory is not None and not callable(default_factory):
            raise TypeError("first argument must be callable")
        super().__init__(*args)
        self.default_factory = default_factory

    def __missing__(self, key: object) -> Any:
        if self.default_factory is None:
            raise KeyError(key)
        self[key] = value = self.default_factory()
        return value

    def __reduce__(self) -> Any:
        return type(self), (self.default_factory, list(self.items()))

    def copy(self) -> DefaultOrderedDict:
        """Return another one with the same items."""
        return type(self)(self.default_factory, list(self.items()))

    __copy__ = copy
