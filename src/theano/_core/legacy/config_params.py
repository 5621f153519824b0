"""Settings that programs add to `theano.config`, and settings as the objects they used to be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from theano._core.base.settings import CONVERTERS, Setting, config
from theano._core.ir.variable import Variable


class ConfigParam:
    """What a setting accepts, for `AddConfigVar`.

    Parameters
    ----------
    default : object
        Its value, or a function without arguments that returns it at first use.
    filter : callable, optional
        `filter(value)` returns the value as it is kept, or raises ValueError.
    allow_override : bool
        Whether programs may assign to it.
    """

    def __init__(
        self,
        default: Any,
        filter: Callable[[object], object] | None = None,
        allow_override: bool = True,
    ) -> None:
        self.default = default
        self.filter = filter
        self.allow_override = allow_override
        self.fullname = self.doc = ""

    def __get__(self, cls: Any, type_: object, delete_key: bool = False) -> Any:
        return self if cls is None else config.get(self.fullname)

    def __set__(self, cls: Any, value: object) -> None:
        config.set(self.fullname, value)


class EnumStr(ConfigParam):
    """One of some strings; `convert(value)` comes before the check."""

    def __init__(
        self,
        default: str,
        *options: str,
        convert: Callable[[Variable], Variable] | None = None,
        allow_override: bool = True,
    ) -> None:
        self.all = (default, *options)
        for option in self.all:
            if not isinstance(option, str):
                raise ValueError(f"options are strings, not {option!r}")

        def check(value: Any) -> Any:
            value = value if convert is None else convert(value)
            if value not in self.all:
                raise ValueError(f'Invalid value ("{value}"). Valid options are {self.all}')
            return value

        super().__init__(default, check, allow_override)


class TypedParam(ConfigParam):
    """What `mytype` converts, if `is_valid` holds for it."""

    def __init__(
        self,
        default: Any,
        mytype: Callable[[Any], Any],
        is_valid: Callable[[object], bool] | None = None,
        allow_override: bool = True,
    ) -> None:
        self.mytype = mytype

        def check(value: Any) -> Any:
            converted = mytype(value)
            if is_valid is not None and not is_valid(converted):
                raise ValueError(f"Invalid value ({value})")
            return converted

        super().__init__(default, check, allow_override)


def StrParam(default: object, is_valid: Any = None, allow_override: bool = True) -> TypedParam:
    """Return what a setting that is a string accepts."""
    return TypedParam(default, str, is_valid, allow_override)


def IntParam(default: object, is_valid: Any = None, allow_override: bool = True) -> TypedParam:
    """Return what a setting that is an integer accepts."""
    return TypedParam(default, int, is_valid, allow_override)


def FloatParam(default: object, is_valid: Any = None, allow_override: bool = True) -> TypedParam:
    """Return what a setting that is a number accepts."""
    return TypedParam(default, float, is_valid, allow_override)


def BoolParam(default: object, is_valid: Any = None, allow_override: bool = True) -> TypedParam:
    """Return what a setting that is true or false accepts: also "True", "1", "false" and so on."""
    row = Setting("", "bool", default, "")
    return TypedParam(default, lambda v: CONVERTERS["bool"](row, v), is_valid, allow_override)


def AddConfigVar(
    name: str, doc: str, configparam: ConfigParam, root: Any = config, in_c_key: bool = True
) -> None:
    """Add a setting; THEANO_FLAGS, settings files and assignment give its value.

    Parameters
    ----------
    name : str
        Dotted name.
    doc : str
    configparam : ConfigParam
    root, in_c_key
        Accepted for old programs.

    Raises
    ------
    AttributeError
        The name is taken.
    ValueError
        THEANO_FLAGS or a file gives a value that the setting does not accept, or nothing gives one
        and it does not accept its default, if that is no function. The setting is not added.
    """
    default = configparam.default
    config.add(
        Setting(
            name,
            "str",
            (lambda _: default()) if callable(default) else default,
            doc,
            fixed=not configparam.allow_override,
            convert=configparam.filter or (lambda value: value),
        )
    )
    THEANO_FLAGS_DICT.pop(name, None)
    configparam.fullname, configparam.doc = name, doc
    _config_var_list.append(configparam)


def _config_param(setting: Setting) -> ConfigParam:
    param = ConfigParam(setting.default, allow_override=not setting.fixed)
    param.fullname, param.doc = setting.name, setting.doc
    return param


_config_var_list = [_config_param(setting) for setting in config.settings().values()]
# Flags that no setting has taken yet.
THEANO_FLAGS_DICT: dict[str, str] = vars(config)["_flags"]
