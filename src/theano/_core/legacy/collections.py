"""Containers of `theano.misc`: a set that keeps its order, and a dict that cannot change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableSet
from typing import Any


def check_deterministic(iterable: object) -> None:
    """Refuse a set or dict, whose order would become that of the result."""
    if iterable is not None and isinstance(iterable, (set, frozenset)):
        raise TypeError(
            f"Get an object of type {type(iterable).__name__}, whose order is not deterministic: "
            "give a list, a tuple or an ordered set."
        )


class OrderedSet(MutableSet[Any]):
    """A set that remembers in which order its items were added.

    Parameters
    ----------
    iterable : iterable, optional
        Not a plain set: its order says nothing.
    """

    def __init__(self, iterable: Iterable[Any] | None = None) -> None:
        check_deterministic(iterable)
        self._items: dict[Any, None] = dict.fromkeys(iterable or ())

    def __contains__(self, item: object) -> bool:
        return item in self._items

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items)

    def __reversed__(self) -> Iterator[Any]:
        return reversed(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def add(self, key: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Add an item at the end, unless it is there."""
        self._items.setdefault(key)

    def discard(self, key: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Remove an item if it is there."""
        self._items.pop(key, None)

    def pop(self, last: bool = True) -> Any:
        """Remove and return the last item, or the first; KeyError if there is none."""
        if not self._items:
            raise KeyError("set is empty")
        item = next(reversed(self) if last else iter(self))
        del self._items[item]
        return item

    def update(self, iterable: Iterable[object]) -> None:
        """Add items at the end."""
        check_deterministic(iterable)
        self._items.update(dict.fromkeys(iterable))

    def union(self, s: Iterable[object]) -> OrderedSet:
        """Return the items of both, those of `s` behind."""
        check_deterministic(s)
        return OrderedSet([*self, *s])

    def intersection_update(self, s: Iterable[object]) -> None:
        """Keep only the items that are in `s` too."""
        kept = set(s)
        for item in [i for i in self if i not in kept]:
            self.discard(item)

    def difference_update(self, s: Iterable[object]) -> None:
        """Remove the items that are in `s` too."""
        for item in list(s):
            self.discard(item)

    def copy(self) -> OrderedSet:
        """Return another set of the same items in the same order."""
        return OrderedSet(self)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, OrderedSet):
            return list(self) == list(other)
        if isinstance(other, set):
            raise TypeError("an ordered set is not comparable to a set; make the one the other")
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"OrderedSet({list(self)})" if self else "OrderedSet()"


class frozendict(Mapping[Any, Any]):  # noqa: N801 (the name is Theano's)
    """A dict that cannot change and can be a key: values must be hashable for that."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        self._items = dict(*args, **kwargs)
        self._hash: int | None = None

    def __getitem__(self, key: Any) -> Any:
        return self._items[key]

    def __contains__(self, key: object) -> bool:
        return key in self._items

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def copy(self, **changes: object) -> frozendict:
        """Return another one with some values changed or added."""
        return type(self)(self._items, **changes)

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(frozenset(self._items.items()))
        return self._hash

    def __repr__(self) -> str:
        return f"<frozendict {self._items!r}>"
