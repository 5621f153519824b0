"""What classes of old programs get from `__props__`, and how engine objects count as theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike


class Counting(type):
    """Metaclass of a base class that also has the instances and subclasses of an engine class.

    The base class names the engine class as the class argument `counts`.
    """

    _counts: type | None

    def __new__(
        mcs,
        name: str,
        bases: tuple[type, ...],
        names: dict[str, object],
        counts: type | None = None,
    ) -> Any:
        cls = super().__new__(mcs, name, bases, names)
        cls._counts = counts
        return cls

    def __init__(
        cls,
        name: str,
        bases: tuple[type, ...],
        names: dict[str, object],
        counts: type | None = None,
    ) -> None:
        super().__init__(name, bases, names)

    def __instancecheck__(cls, instance: object) -> bool:
        if cls._counts is not None:
            return isinstance(instance, cls._counts)
        return super().__instancecheck__(instance)

    def __subclasscheck__(cls, subclass: type) -> bool:
        if cls._counts is not None:
            return issubclass(subclass, cls._counts)
        return super().__subclasscheck__(subclass)


def add_methods_of_props(cls: type) -> None:
    """Give a class equality, hash and text by its `__props__`, where it does not define its own."""
    own = cls.__dict__
    props = own.get("__props__")
    if props is None:
        # Python takes the hash from a class that only defines equality.
        if "__eq__" in own and own.get("__hash__") is None:
            cls.__hash__ = _hash_of_class  # type: ignore[method-assign]
        return
    if not isinstance(props, tuple):
        raise TypeError("__props__ has to be a tuple")
    if not all(isinstance(name, str) for name in props):
        raise TypeError("elements of __props__ have to be strings")
    for name, method in (("__eq__", _equal), ("__hash__", _hash), ("__str__", _text)):
        if own.get(name) is None:
            setattr(cls, name, method)
    cls._props = values_of_props  # type: ignore[attr-defined]
    cls._props_dict = _dict_of_props  # type: ignore[attr-defined]


def values_of_props(self: Any) -> tuple[Any, ...]:
    """Return the values of `__props__`."""
    return tuple(getattr(self, name) for name in self.__props__)


def _dict_of_props(self: Any) -> dict[str, Any]:
    return {name: getattr(self, name) for name in self.__props__}


def _hash_of_class(self: Any) -> int:
    return hash(type(self))


def _equal(self: Any, other: TensorLike) -> bool:
    return self is other or (
        type(self) is type(other) and values_of_props(self) == values_of_props(other)
    )


def _hash(self: Any) -> int:
    return hash((type(self), values_of_props(self)))


def _text(self: Any) -> str:
    name = type(self).__name__
    if not self.__props__:
        return name
    inner = ", ".join(f"{prop}={getattr(self, prop)!r}" for prop in self.__props__)
    return f"{name}{{{inner}}}"


class MetaObject(type):
    """Metaclass that gives classes equality, hash and text by `__props__`."""

    def __init__(cls, name: str, bases: tuple[type, ...], names: dict[str, object]) -> None:
        super().__init__(name, bases, names)
        add_methods_of_props(cls)


class object2(metaclass=MetaObject):  # noqa: N801
    """Base of classes with `__props__`."""

    __slots__ = ()

    def __ne__(self, other: object) -> bool:
        return not self == other


class scratchpad:  # noqa: N801
    """An object with free attributes."""

    def clear(self) -> None:
        """Remove all attributes."""
        vars(self).clear()

    def __str__(self) -> str:
        return f"scratchpad{vars(self)}"

    __repr__ = __str__


def hashtype(self: Any) -> int:
    """Return a hash of the class of an object."""
    return hash((type(self).__name__, type(self).__module__))
