"""Names of classes of operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

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
