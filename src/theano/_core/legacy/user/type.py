"""Types that users write as in Theano 1.0.5: their values travel as Python objects."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any, ClassVar

from theano._core.base.errors import MethodNotDefined
from theano._core.ir import variable
from theano._core.ir.types import Type as EngineType
from theano._core.ir.variable import Variable
from theano._core.legacy.user.properties import Counting, add_methods_of_props


class Type(EngineType, metaclass=Counting, counts=EngineType):
    """Base of types that users write.

    A subclass defines `filter`. Without `__props__`, `__eq__` and `__hash__` a type equals only
    itself.

    Attributes
    ----------
    Variable, Constant : class
        Of the variables and constants of this type.

    Notes
    -----
    Types of the engine count as instances.
    """

    Variable: ClassVar[type[variable.Variable]] = variable.Variable
    Constant: ClassVar[type[variable.Constant]] = variable.Constant

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        add_methods_of_props(cls)
        own = vars(cls).get("filter")
        if own is not None and not _takes_options(own):
            cls.filter = _with_options(own)  # type: ignore[method-assign]

    @property
    def variable_class(self) -> Any:  # type: ignore[override]
        """Class of the variables of this type."""
        return self.Variable

    @property
    def constant_class(self) -> Any:  # type: ignore[override]
        """Class of the constants of this type."""
        return self.Constant

    def __ne__(self, other: object) -> bool:
        return not self == other

    def filter(self, data: object, strict: bool = False, allow_downcast: bool | None = None) -> Any:
        """Return `data` as this type stores it, or raise TypeError."""
        raise MethodNotDefined("filter", type(self), type(self).__name__)

    def value_validity_msg(self, a: Variable) -> str:
        """Return why `a` is or is not a value of this type."""
        return "none"

    def convert_variable(self, var: Variable) -> Any:
        """Return `var` as this type if that loses nothing, else None."""
        return var if var.type == self else None

    def make_variable(self, name: str | None = None) -> Any:
        """Return a new variable of this type."""
        return self.Variable(self, name=name)

    def make_constant(self, value: object, name: str | None = None) -> Any:
        """Return a constant of this type."""
        return self.Constant(type=self, data=value, name=name)

    def values_eq(self, a: object, b: object) -> bool:  # type: ignore[override]
        """Tell whether two values are equal."""
        return a == b

    def values_eq_approx(self, a: object, b: object) -> bool:
        """Tell whether two values are equal up to rounding."""
        return self.values_eq(a, b)

    def c_code_cache_version(self) -> tuple[Any, ...]:
        """Return the version of the C code: none."""
        return ()


def _takes_options(method: Callable[..., object]) -> bool:
    parameters = signature(method).parameters.values()
    names = {parameter.name for parameter in parameters}
    several = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
    return several or {"strict", "allow_downcast"} <= names


def _with_options(method: Any) -> Any:
    """Return a `filter` that leaves out the options that a user's does not take."""
    taken = signature(method).parameters.keys()

    @wraps(method)
    def filter(self: Any, data: Any, *args: Any, **options: Any) -> Any:
        return method(self, data, *args, **{k: v for k, v in options.items() if k in taken})

    return filter


class SingletonType(Type):
    """Base of types without attributes: each class has one instance."""

    def __new__(cls, *args: object, **kwargs: object) -> Any:
        if "_instance" not in vars(cls):
            cls._instance = super().__new__(cls)  # type: ignore[attr-defined]
        return cls._instance  # type: ignore[attr-defined]

    def __str__(self) -> str:
        return type(self).__name__

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))


class CDataType(Type):
    """Type of opaque pointers: a capsule or None.

    Parameters
    ----------
    ctype : str
        A C pointer type.
    freefunc : str, optional
    headers, header_dirs, libraries, lib_dirs, extra_support_code, compile_args : sequence, optional
        What C code needs; kept, as nothing compiles C here.
    version : optional
    """

    __props__ = ("ctype", "freefunc")

    def __init__(
        self,
        ctype: str,
        freefunc: str | None = None,
        headers: object = None,
        header_dirs: object = None,
        libraries: object = None,
        lib_dirs: object = None,
        extra_support_code: object = None,
        compile_args: object = None,
        version: object = None,
    ) -> None:
        if not isinstance(ctype, str) or not ctype.strip().endswith("*"):
            raise TypeError(f"ctype must be the text of a pointer type, got {ctype!r}")
        self.ctype = ctype
        self.freefunc = freefunc
        self.headers, self.header_dirs = headers, header_dirs
        self.libraries, self.lib_dirs = libraries, lib_dirs
        self.extra_support_code, self.compile_args = extra_support_code, compile_args
        self.version = version

    def filter(self, data: object, strict: bool = False, allow_downcast: bool | None = None) -> Any:
        if data is not None and type(data).__name__ != "PyCapsule":
            raise TypeError("expected None or a PyCapsule")
        return data
