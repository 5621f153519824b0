"""`theano.compat.six`, from before Theano 1.0: names of Python 2 and 3, as Python 3 has them."""

from __future__ import annotations

import builtins
import copyreg
import functools
import io
import itertools
import pickle
import queue
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace, TracebackType
from typing import Any

from theano._core.legacy.compat import b, get_unbound_function, next

PY2, PY3 = False, True
string_types, integer_types, class_types = (str,), (int,), (type,)
text_type, binary_type, advance_iterator = str, bytes, next
callable, exec_, print_ = builtins.callable, builtins.exec, builtins.print
StringIO, BytesIO, wraps = io.StringIO, io.BytesIO, functools.wraps
moves = SimpleNamespace(
    StringIO=io.StringIO,
    builtins=builtins,
    cPickle=pickle,
    cStringIO=io.StringIO,
    copyreg=copyreg,
    filter=filter,
    filterfalse=itertools.filterfalse,
    input=input,
    map=map,
    queue=queue,
    range=range,
    reduce=functools.reduce,
    xrange=range,
    zip=zip,
    zip_longest=itertools.zip_longest,
)


def __getattr__(name: str) -> Any:
    # `theano.compat.six.moves` as a module.
    return getattr(moves, name)


def iteritems(d: Mapping[Any, Any]) -> Iterator[tuple[Any, Any]]:
    """Return an iterator over the (key, value) pairs of a dict."""
    return iter(d.items())


def iterkeys(d: Mapping[Any, Any]) -> Iterator[Any]:
    """Return an iterator over the keys of a dict."""
    return iter(d.keys())


def itervalues(d: Mapping[Any, Any]) -> Iterator[Any]:
    """Return an iterator over the values of a dict."""
    return iter(d.values())


def u(text: str) -> str:
    """Return a text."""
    return text


def reraise(
    cls: type[BaseException], value: BaseException | None, trace: TracebackType | None = None
) -> None:
    """Raise an exception again, with a traceback."""
    raise (cls() if value is None else value).with_traceback(trace)


def add_metaclass(metaclass: type) -> Callable[[type], Any]:
    """Return a decorator that makes a class anew, with a metaclass."""

    def make(cls: type) -> Any:
        fields = {k: v for k, v in vars(cls).items() if k not in ("__dict__", "__weakref__")}
        return metaclass(cls.__name__, cls.__bases__, fields)

    return make


def with_metaclass(meta: type, *bases: type) -> Any:
    """Return a base for a class with a metaclass."""
    return meta("with_metaclass", bases, {})


__all__ = [
    "PY2",
    "PY3",
    "BytesIO",
    "StringIO",
    "add_metaclass",
    "advance_iterator",
    "b",
    "binary_type",
    "callable",
    "class_types",
    "exec_",
    "get_unbound_function",
    "integer_types",
    "iteritems",
    "iterkeys",
    "itervalues",
    "moves",
    "next",
    "print_",
    "reraise",
    "string_types",
    "text_type",
    "u",
    "with_metaclass",
    "wraps",
]
