"""Parameters of users' operations: enumerations, and several values under names."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Mapping
from typing import Any

from theano._core.ir.variable import Variable
from theano._core.legacy.user.type import Type

_CONSTANT = re.compile(r"[A-Z][A-Z0-9_]*")
_C_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class EnumType(Type, dict):
    """Numbers under names in capital letters, and perhaps under an alias.

    Parameters
    ----------
    **kwargs : int, float, bool, or tuple of (alias, value)
        The constants; and `ctype`, the name of a C type, and `cname`.

    Raises
    ------
    AttributeError
        A name is not in capital letters.
    TypeError
        A value is no number, or an alias is no text of its own.

    Examples
    --------
    >>> letters = EnumType(A=("alpha", 1), B=2)
    >>> letters.A, letters.fromalias("alpha"), letters["B"]
    (1, 1, 2)
    """

    def __init__(self, **kwargs: Any) -> None:
        name = type(self).__name__
        ctype = kwargs.pop("ctype", "double").split()
        if not all(_C_WORD.fullmatch(word) for word in ctype):
            raise TypeError(f"{name}: invalid C type.")
        self.ctype = " ".join(ctype)
        self.cname = kwargs.pop("cname", "_".join(ctype))
        if not _C_WORD.fullmatch(self.cname):
            raise TypeError(f"{name}: invalid C name.")
        self.aliases: dict[str, str] = {}
        values = {key: self._value(key, value) for key, value in kwargs.items()}
        if any(alias in values for alias in self.aliases):
            raise TypeError(f"{name}: some aliases have same names as constants.")
        dict.__init__(self, **values)

    def _value(self, key: str, value: object) -> Any:
        name = type(self).__name__
        if not _CONSTANT.fullmatch(key):
            raise AttributeError(
                f'{name}: invalid enum name: "{key}". Only capital letters, underscores and digits '
                "are allowed."
            )
        if isinstance(value, (list, tuple)):
            if len(value) != 2:
                raise TypeError(f"{name}: a constant with an alias is (alias, value), got {value}")
            alias, value = value
            self._add_alias(key, alias)
        if isinstance(value, bool):
            return int(value)
        if not isinstance(value, (int, float)):
            raise TypeError(
                f'{name}: constant "{key}": expected integer or floating value, got '
                f'"{type(value).__name__}".'
            )
        return value

    def _add_alias(self, key: str, alias: object) -> None:
        name = type(self).__name__
        if not isinstance(alias, str):
            raise TypeError(f'{name}: constant alias should be a string, got "{alias}".')
        if alias == key:
            raise TypeError(f"{name}: an alias with the name of its constant is useless: {alias}")
        if alias in self.aliases:
            raise TypeError(f'{name}: constant alias "{alias}" already used.')
        self.aliases[alias] = key

    def fromalias(self, alias: str) -> Any:
        """Return the constant with an alias, or with this name."""
        return self[self.aliases.get(alias, alias)]

    def has_alias(self, alias: str) -> bool:
        """Tell whether a constant has this alias."""
        return alias in self.aliases

    def get_aliases(self) -> tuple[str, ...]:
        """Return all aliases, sorted."""
        return tuple(sorted(self.aliases))

    def __getattr__(self, key: str) -> Any:
        if key in self:
            return self[key]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {key!r}")

    def __setattr__(self, key: str, value: object) -> None:
        if key in self:
            raise NotImplementedError("constant values are immutable.")
        super().__setattr__(key, value)

    def __setitem__(self, key: Any, value: Any) -> None:
        raise NotImplementedError("constant values are immutable.")

    def __delitem__(self, key: object) -> None:
        raise NotImplementedError("constant values are immutable.")

    def __eq__(self, other: object) -> bool:
        return (
            type(self) is type(other)
            and self.ctype == other.ctype  # type: ignore[attr-defined]
            and self.aliases == other.aliases  # type: ignore[attr-defined]
            and dict(self) == dict(other)  # type: ignore[call-overload]
        )

    def __hash__(self) -> int:  # type: ignore[override]
        return hash((type(self), self.ctype, *sorted(self.items()), *sorted(self.aliases.items())))

    def __reduce__(self) -> Any:
        alias_of = {key: alias for alias, key in self.aliases.items()}
        values = {k: (alias_of[k], v) if k in alias_of else v for k, v in self.items()}
        return _enumeration, (type(self), {**values, "ctype": self.ctype, "cname": self.cname})

    def __repr__(self) -> str:
        alias_of = {key: f"({alias})" for alias, key in self.aliases.items()}
        inner = ", ".join(f"{k}{alias_of.get(k, '')}:{self[k]}" for k in sorted(self))
        return f"{type(self).__name__}<{self.ctype}>({inner})"

    __str__ = __repr__

    def filter(self, data: Any, strict: bool = False, allow_downcast: bool | None = None) -> Any:
        """Return a constant, also by its name or alias unless `strict`."""
        if not strict and isinstance(data, bool):
            data = int(data)
        elif not strict and isinstance(data, str):
            data = self.fromalias(data)
        if data not in self.values():
            raise AssertionError(f"{data!r} is not among the constants of {self}")
        return data


def _enumeration(cls: type[EnumType], values: dict[str, object]) -> EnumType:
    made = cls.__new__(cls)
    EnumType.__init__(made, **values)
    return made


class EnumList(EnumType):
    """Names, and perhaps aliases, for 0, 1, 2 and so on.

    Parameters
    ----------
    *args : str or tuple of (name, alias)
    **kwargs
        `ctype`, by default 'int', and `cname`.

    Examples
    --------
    >>> digits = EnumList("ZERO", ("ONE", "one"))
    >>> digits.ZERO, digits.fromalias("one")
    (0, 1)
    """

    def __init__(self, *args: object, **kwargs: object) -> None:
        name = type(self).__name__
        unknown = set(kwargs) - {"ctype", "cname"}
        if unknown:
            raise TypeError(f"{name}: expected constants by name, got {sorted(unknown)}")
        kwargs.setdefault("ctype", "int")
        for index, entry in enumerate(args):
            pair = isinstance(entry, (list, tuple))
            if pair and len(entry) != 2:
                raise TypeError(f"{name}: a constant with an alias is (name, alias), got {entry}")
            key = entry[0] if pair else entry
            if not isinstance(key, str) or key in kwargs:
                raise TypeError(f"{name}: constant name {key!r} is no text, or was given before")
            kwargs[key] = (entry[1], index) if pair else index
        super().__init__(**kwargs)


class CEnumType(EnumList):
    """Names that stand for constants of C; here, as in `EnumList`, for 0, 1, 2 and so on."""


class Params(dict):
    """Values of a `ParamsType`, as attributes and as a dict that cannot be changed."""

    def __init__(self, params_type: ParamsType, **kwargs: object) -> None:
        missing = [field for field in params_type.fields if field not in kwargs]
        if missing:
            raise TypeError(f"Params: ParamsType attribute {missing[0]!r} not in Params args.")
        super().__init__(**kwargs)
        vars(self)["__params_type__"] = params_type

    def __getattr__(self, key: str) -> Any:
        if key in self:
            return self[key]
        raise AttributeError(f'Params: attribute "{key}" does not exist.')

    def __setattr__(self, key: str, value: object) -> None:
        raise NotImplementedError("Params is immutable")

    def __setitem__(self, key: Any, value: Any) -> None:
        raise NotImplementedError("Params is immutable")

    def __delitem__(self, key: object) -> None:
        raise NotImplementedError("Params is immutable")

    def __hash__(self) -> int:  # type: ignore[override]
        return hash((type(self), self.__params_type__))

    def __eq__(self, other: object) -> bool:
        type_ = self.__params_type__
        return (
            type(self) is type(other)
            and type_ == other.__params_type__  # type: ignore[attr-defined]
            and type_.values_eq(self, other)
        )

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __reduce__(self) -> Any:
        return _params, (self.__params_type__, dict(self))

    def __repr__(self) -> str:
        inner = ", ".join(f"{k}:{type(self[k]).__name__}:{self[k]}" for k in sorted(self))
        return f"Params({inner})"


def _params(type_: ParamsType, values: Mapping[str, Variable]) -> Params:
    return Params(type_, **values)


class ParamsType(Type):
    """Several values under names, each of a type of its own.

    Parameters
    ----------
    **kwargs : Type
        The types by name. The constants of enumerations among them are attributes.

    Examples
    --------
    >>> from theano._core.ir.types import generic
    >>> kind = ParamsType(text=generic, letter=EnumType(A=1, B=2))
    >>> kind.get_params(text="abc", letter="B").letter, kind.A
    (2, 1)
    """

    def __init__(self, **kwargs: Any) -> None:
        if not kwargs:
            raise ValueError("Cannot create ParamsType from empty data.")
        for name, type_ in kwargs.items():
            if not name.isidentifier() or keyword.iskeyword(name):
                raise AttributeError(f'ParamsType: attribute "{name}" should be an identifier.')
            if not isinstance(type_, Type):
                raise TypeError(
                    f'ParamsType: attribute "{name}" should inherit from Theano Type, got '
                    f'"{type(type_).__name__}".'
                )
        self.fields = tuple(sorted(kwargs))
        self.types = tuple(kwargs[field] for field in self.fields)
        self.length = len(self.fields)
        enums = [type_ for type_ in self.types if isinstance(type_, EnumType)]
        self._constants = _owners(enums, "constants names", lambda type_: type_)
        self._aliases = _owners(enums, "constants aliases", lambda type_: type_.aliases)
        if any(alias in self._constants for alias in self._aliases):
            raise AttributeError("ParamsType: found aliases that have same names as constants.")

    @property
    def name(self) -> str:
        """A name that types with the same fields share."""
        return f"_Params_{'_'.join(self.fields)}_{abs(hash(self)):x}"

    def __getattr__(self, key: str) -> Any:
        constants = vars(self).get("_constants", {})
        if key in constants:
            return constants[key][key]
        raise AttributeError(f"'ParamsType' object has no attribute {key!r}")

    def __repr__(self) -> str:
        inner = ", ".join(f"{f}:{t}" for f, t in zip(self.fields, self.types, strict=True))
        return f"ParamsType<{inner}>"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return (
            type(self) is type(other)
            and self.fields == other.fields  # type: ignore[attr-defined]
            and self.types == other.types  # type: ignore[attr-defined]
        )

    def __hash__(self) -> int:
        return hash((type(self), self.fields, self.types))

    def has_type(self, theano_type: object) -> bool:
        """Tell whether a field has this type."""
        return theano_type in self.types

    def get_type(self, field_name: str) -> Any:
        """Return the type of a field."""
        return self.types[self.fields.index(field_name)]

    def get_field(self, theano_type: object) -> str:
        """Return the first field, by name, of this type."""
        return self.fields[self.types.index(theano_type)]

    def get_enum(self, key: str) -> Any:
        """Return a constant of one of the enumerations by its name."""
        return self._constants[key][key]

    def enum_from_alias(self, alias: str) -> Any:
        """Return a constant of one of the enumerations by its alias or name."""
        return (self._aliases.get(alias) or self._constants[alias]).fromalias(alias)

    def get_params(self, *objects: Any, **kwargs: Any) -> Params:
        """Return the values that attributes of `objects`, or arguments, have for the fields.

        Later objects come before earlier ones, and arguments before all of them.
        """
        values: dict[str, Any] = {}
        for field in self.fields:
            for thing in objects:
                if hasattr(thing, field):
                    values[field] = getattr(thing, field)
            if field in kwargs:
                values[field] = kwargs[field]
            elif field not in values:
                names = [type(thing).__name__ for thing in objects]
                raise AttributeError(f"ParamsType: no value for {field!r} in {names} or arguments")
        return Params(
            self,
            **{
                field: type_.filter(values[field], strict=False, allow_downcast=True)
                for field, type_ in zip(self.fields, self.types, strict=True)
            },
        )

    def extended(self, **kwargs: object) -> ParamsType:
        """Return a type with more fields."""
        return ParamsType(**dict(zip(self.fields, self.types, strict=True)), **kwargs)

    def filter(self, data: Any, strict: bool = False, allow_downcast: bool | None = None) -> Any:
        """Return `data`, or its attributes, as `Params`."""
        if strict and not isinstance(data, Params):
            raise TypeError(f"{self}: strict mode: data should be an instance of Params.")
        filtered = {
            field: type_.filter(getattr(data, field), strict, allow_downcast)
            for field, type_ in zip(self.fields, self.types, strict=True)
        }
        return data if isinstance(data, Params) else Params(self, **filtered)

    def values_eq(self, a: Any, b: Any) -> bool:
        return all(
            type_.values_eq(getattr(a, field), getattr(b, field))
            for field, type_ in zip(self.fields, self.types, strict=True)
        )

    def values_eq_approx(self, a: Any, b: Any) -> bool:
        return all(
            type_.values_eq_approx(getattr(a, field), getattr(b, field))
            for field, type_ in zip(self.fields, self.types, strict=True)
        )


def _owners(enums: Iterable[EnumType], what: str, names: Any) -> dict[str, EnumType]:
    """Return which enumeration has a name; one that two of them have is an error."""
    owner: dict[str, EnumType] = {}
    for enum in set(enums):
        for name in names(enum):
            if name in owner:
                raise AttributeError(f"ParamsType: found different enum types with common {what}.")
            owner[name] = enum
    return owner
