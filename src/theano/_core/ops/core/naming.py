"""Names of classes of operations."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from theano._core.ir.hooks import place_of

T = TypeVar("T")


def known_as(name: str) -> Callable[[type[T]], type[T]]:
    """Give a class the `__name__` that Theano 1.0.5 has for it: programs print and compare those.

    It is pickled, and kept programs tell it, by its `__qualname__`, which stays.
    """

    def renamed(cls: type[T]) -> type[T]:
        cls.__name__ = name
        return cls

    return renamed


def hashed_as(name: str) -> Callable[[type[T]], type[T]]:
    """Give all instances of a class one hash: those that theano.tensor has are equal to some."""

    def hashed(cls: type[T]) -> type[T]:
        cls.__hash__ = lambda self: hash(name)  # type: ignore[method-assign]
        return cls

    return hashed


@cache
def variant(cls: type[T], name: str) -> Any:
    """Return the class of what Theano 1.0.5 has a class of its own for, and the engine has not.

    It differs from `cls` by its `__name__`, and is pickled as that.
    """
    fields = {"__module__": cls.__module__, "_place": place_of(cls), "__reduce__": _reduced}
    return known_as(name)(type(cls.__qualname__, (cls,), {**fields, "plain": cls}))


def plain_class(cls: type) -> type:
    """Return the class that the engine has for a class: that of a variant, or itself."""
    return getattr(cls, "plain", cls)


def _reduced(thing: Any) -> tuple[Any, ...]:
    cls = type(thing)
    return of_variant, (cls.plain, cls.__name__), vars(thing)


def of_variant(cls: type[T], name: str) -> T:
    """Return an instance of a variant without attributes, as unpickling needs it."""
    return object.__new__(variant(cls, name))
