"""`theano.config`: the values of all settings, and where they come from.

Sources in rising order of strength: the defaults of `settings_table.TABLE`, the files named by
THEANORC (by default ``~/.theanorc``; sections are the part of a name before its last dot), the
environment variable THEANO_FLAGS (``name=value`` pairs joined by commas), assignment.

Reading a setting that has a value is a plain attribute look-up. Values that a file or the
environment gives are checked at import, so that a slip is reported at once; defaults wait until
they are first read.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from math import inf
from typing import Any

from theano._core.base.errors import (
    FixedSettingError,
    InvalidSettingError,
    TheanoConfigWarning,
)
from theano._core.base.near_misses import did_you_mean
from theano._core.base.settings_table import TABLE, Setting

__all__ = ["Config", "Section", "Setting", "change_flags", "config", "parse_flags"]

_TRUE = ("True", "true", "1", True)
_FALSE = ("False", "false", "0", False)
# "32" for "float32" and so on were the first names of floatX, and old settings files use them.
_FLOAT_BITS = {bits: f"float{bits}" for bits in ("16", "32", "64")}


def _invalid(setting: Setting, value: object, expected: str) -> InvalidSettingError:
    return InvalidSettingError(
        f'Invalid value ("{value}") for configuration variable "{setting.name}". {expected}'
        f"{did_you_mean(value, setting.choices or ())}"
    )


def _choices(setting: Setting) -> str:
    return f"Valid options are {setting.choices}."


def _to_bool(setting: Setting, value: object) -> bool:
    if isinstance(value, (str, int)):
        if value in _TRUE:
            return True
        if value in _FALSE:
            return False
    raise _invalid(setting, value, "Valid options are True, true, 1, False, false and 0")


def _to_number(cls: type[int] | type[float], setting: Setting, value: Any) -> Any:
    try:
        number = cls(value)
    except (TypeError, ValueError, OverflowError):
        raise _invalid(setting, value, f"It must be one {cls.__name__}") from None
    if setting.choices and number not in setting.choices:
        raise _invalid(setting, value, _choices(setting))
    if cls is int and number != value and isinstance(value, float):
        raise _invalid(setting, value, f"It must be one {cls.__name__}")
    if number < setting.least or number > setting.most:
        most = "" if setting.most == inf else f" and at most {setting.most}"
        raise _invalid(setting, value, f"It must be at least {setting.least}{most}")
    return number


def _to_choice(setting: Setting, value: Any) -> str:
    if setting.name == "floatX" and isinstance(value, str):
        value = _FLOAT_BITS.get(value, value)
    if value not in setting.choices:
        raise _invalid(setting, value, _choices(setting))
    return value


def _to_device(setting: Setting, value: object) -> str:
    value = str(value)
    if value in setting.choices or value.startswith(("cuda", "opencl")):
        return value
    if value.startswith("gpu"):
        raise _invalid(setting, value, "The devices gpu* ended with Theano 0.9: write cuda*")
    raise _invalid(setting, value, 'Valid options start with "cpu", "cuda" or "opencl"')


def _to_mode(setting: Setting, value: object) -> Any:
    if value in setting.choices or isinstance(value, _mode_classes):
        return value
    choices = _choices(setting).removesuffix(".")
    raise _invalid(setting, value, f"{choices} and instances of Mode.")


def _to_lazy(setting: Setting, value: object) -> bool | None:
    lazy_of = {"True": True, "False": False, "None": None}
    lazy = lazy_of.get(str(value), setting)
    if lazy is setting:
        raise _invalid(setting, value, "Valid options are None, True and False")
    return lazy


def _to_path(setting: Setting, value: Any) -> str:
    path = os.path.expandvars(os.path.expanduser(os.fspath(value)))
    if os.path.exists(path) and not os.path.isdir(path):
        raise _invalid(setting, value, "It must be a folder, and this is a file")
    return os.path.abspath(path)


def _to_contexts(setting: Setting, value: object) -> str:
    for entry in filter(None, str(value).split(";")):
        name, arrow, device = entry.partition("->")
        if not (name and arrow and device) or name.startswith(("cpu", "cuda", "opencl")):
            raise _invalid(setting, value, 'Write "name->device;name->device"')
    return str(value)


def _to_removed(setting: Setting, value: object) -> Any:
    if value:
        raise RuntimeError(f"The setting {setting.name} was removed in Theano 1.0: leave it out.")
    return setting.default


CONVERTERS: dict[str, Callable[[Setting, Any], Any]] = {
    "bool": _to_bool,
    "int": lambda setting, value: _to_number(int, setting, value),
    "float": lambda setting, value: _to_number(float, setting, value),
    "str": lambda setting, value: str(value),
    "enum": _to_choice,
    "device": _to_device,
    "mode": _to_mode,
    "lazy": _to_lazy,
    "path": _to_path,
    "contexts": _to_contexts,
    "removed": _to_removed,
}

_mode_classes: tuple[type, ...] = ()


def accept_mode_class(cls: type) -> None:
    """Let `config.mode` hold instances of `cls`; the layer that defines modes calls this."""
    global _mode_classes
    _mode_classes = (*_mode_classes, cls)


class Section:
    """Settings whose names share what stands before the last dot.

    Values live in the instance's `__dict__`, so that reading one costs an attribute look-up;
    `__getattr__` only runs for a setting that still has its default.
    """

    def __getattr__(self, name: str) -> Any:
        setting = self.__dict__["_rows"].get(name) if "_rows" in self.__dict__ else None
        if setting is None:
            raise AttributeError(_unknown(self, name), name=name)
        value = setting.default
        if callable(value):
            value = value(self.__dict__["_root"])
        self.__dict__[name] = value = _convert(setting, value)
        return value

    def __setattr__(self, name: str, value: object) -> None:
        setting = self.__dict__["_rows"].get(name)
        if setting is None:
            if isinstance(self.__dict__.get(name), Section):
                raise AttributeError(f"{name!r} is a group of settings: assign to one of them")
            wrong = _unknown(self, name)
            if wrong.endswith("?") and name not in self.__dict__:
                raise AttributeError(wrong)
            # Theano let programs keep values of their own here.
            self.__dict__[name] = value
            return
        # A folder that has to be computed may be chosen until someone has read it.
        if setting.fixed and (name in self.__dict__ or not callable(setting.default)):
            raise FixedSettingError(
                "Can't change the value of this config parameter after initialization! "
                f"{setting.name} is read when Theano starts: put {setting.name}={value} into "
                "THEANO_FLAGS or a settings file."
            )
        value = _convert(setting, value)
        self.__dict__["_root"].tell(setting.name, value)
        self.__dict__[name] = value

    def __delattr__(self, name: str) -> None:
        if name in self.__dict__["_rows"]:
            raise AttributeError(f"{name} is a setting and cannot be deleted")
        if name not in self.__dict__:
            raise AttributeError(_unknown(self, name), name=name)
        del self.__dict__[name]

    def __copy__(self) -> Section:
        # Settings belong to the process: programs that put a copy back find what is set now.
        return self

    def __deepcopy__(self, memo: object) -> Section:
        return self

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.__dict__["_rows"]})


def _dotted(name: str) -> str:
    # Theano-PyMC wrote two underscores where Theano writes a dot.
    return name if name.startswith("_") else name.replace("__", ".")


def _unknown(section: Section, name: str) -> str:
    near = ""
    # Python and its shells ask for such names, of every object.
    if not name.startswith("_"):
        own = section.__dict__
        near = _near(name, own.get("_rows", ())) or _near(name, own["_root"].settings())
    return f"{type(section).__name__!r} object has no attribute {name!r}{near}"


def _near(name: str, setting_names: Iterable[str]) -> str:
    """Return a question about the setting that a wrong name is nearest to; empty: none is near."""
    from difflib import get_close_matches

    # Settings in groups are also known by their last part.
    names = {form: text for text in setting_names for form in (text.rpartition(".")[2], text)}
    plain = {form.lower().replace("_", ""): text for form, text in names.items()}
    matches = get_close_matches(_dotted(name).lower().replace("_", ""), plain, 1, 0.82)
    return f". Did you mean {plain[matches[0]]!r}?" if matches else ""


def _convert(setting: Setting, value: object) -> Any:
    if setting.convert is not None:
        return setting.convert(value)
    return CONVERTERS[setting.kind](setting, value)


class Config(Section):
    """All settings: `config.floatX`, `config.NanGuardMode.action` and so on.

    Parameters
    ----------
    table : iterable of Setting
        The settings there are.
    environ : mapping of str to str, optional
        Where THEANORC and THEANO_FLAGS are looked up; by default the environment of the process.
    """

    def __init__(
        self, table: tuple[Setting, ...] = (), environ: Mapping[str, str] | None = None
    ) -> None:
        # No default argument, value or text may hold the environment: `help` shows the first, and
        # others are printed and pickled.
        environ = os.environ if environ is None else environ
        own = self.__dict__
        own["_rows"] = {}
        own["_root"] = self
        own["_table"] = {}
        own["_watchers"] = {}
        own["_files"] = _read_files(environ)
        own["_flags"] = parse_flags(environ.get("THEANO_FLAGS", ""))
        for setting in table:
            self._enter(setting)

    def __getattr__(self, name: str) -> Any:
        dotted = _dotted(name)
        is_setting = dotted != name and dotted in self.__dict__.get("_table", ())
        return self.get(dotted) if is_setting else super().__getattr__(name)

    def __setattr__(self, name: str, value: object) -> None:
        if _dotted(name) in self.__dict__["_table"]:
            home, _, name = self._home(name)
            Section.__setattr__(home, name, value)
        else:
            super().__setattr__(name, value)

    def _enter(self, setting: Setting) -> Section:
        section, _, name = setting.name.rpartition(".")
        home: Section = self
        for part in filter(None, section.split(".")):
            inner = home.__dict__.get(part)
            if inner is None:
                inner = home.__dict__[part] = Section()
                inner.__dict__.update(_rows={}, _root=self)
            home = inner
        if name in home.__dict__["_rows"] or name in home.__dict__:
            raise AttributeError(f"This name is already taken: {setting.name}")
        home.__dict__["_rows"][name] = self._table[setting.name] = setting
        return home

    def load(self) -> None:
        """Check and take the values that files and THEANO_FLAGS give; warn of unknown flags."""
        for name, value in {**self._file_values(), **self._flags}.items():
            setting = self._table.get(_dotted(name))
            if setting is None:
                near = _near(name, self._table)
                warnings.warn(f"Theano does not recognise this flag: {name}{near}", stacklevel=2)
            else:
                home, _, last = self._home(name)
                home.__dict__[last] = _convert(setting, value)

    def _home(self, name: str) -> tuple[Section, str, str]:
        section, _, last = _dotted(name).rpartition(".")
        home: Section = self
        for part in filter(None, section.split(".")):
            home = getattr(home, part)
        return home, section, last

    def _file_values(self) -> dict[str, str]:
        # Option names in files are not case-sensitive and unknown ones belong to other programs.
        if not self._files:
            return {}
        values = {}
        for name in self._table:
            section, _, last = name.rpartition(".")
            value = self._files.get((section or "global", last.lower()))
            if value is not None:
                values[name] = value
        return values

    def add(self, setting: Setting) -> None:
        """Add a setting of a program's own, with the value that one of the sources gives it.

        Raises
        ------
        AttributeError
            The name is taken.
        ValueError
            It does not accept that value, or its default if there is none, and is not added.
        """
        home = self._enter(setting)
        section, _, last = setting.name.rpartition(".")
        value = self._flags.get(setting.name)
        if value is None:
            value = self._files.get((section or "global", last.lower()))
        try:
            if value is not None:
                home.__dict__[last] = _convert(setting, value)
            elif not callable(setting.default):
                _convert(setting, setting.default)
        except BaseException:
            del home.__dict__["_rows"][last], self._table[setting.name]
            raise

    def watch(self, name: str, take: Callable[[Any], None]) -> None:
        """Call `take` with the value of a setting: now, and before each change.

        What `take` raises leaves the setting as it was.
        """
        self._watchers[name] = take
        take(self.get(name))

    def tell(self, name: str, value: object) -> None:
        """Give the coming value of a setting to what watches it."""
        if name in self._watchers:
            self._watchers[name](value)

    def get(self, name: str) -> Any:
        """Return the value of a setting by its dotted name."""
        home, _, last = self._home(name)
        return getattr(home, last)

    def set(self, name: str, value: object) -> None:
        """Assign to a setting by its dotted name."""
        home, _, last = self._home(name)
        setattr(home, last, value)

    def settings(self) -> dict[str, Setting]:
        """Return all settings by name."""
        return dict(self._table)

    def change_flags(self, *args: object, **kwargs: object) -> change_flags:
        """Return a context manager and decorator that changes settings for a while."""
        return change_flags(*args, **kwargs)

    def __repr__(self) -> str:
        changed = {**self.__dict__["_files"], **self.__dict__["_flags"]}
        told = ", ".join(f"{n}={self.get(n)}" for n in sorted(changed) if n in self._table)
        count = f"{len(self._table)} settings, which print shows"
        return f"<theano.config: {count}; given: {told or 'none'}>"

    def __str__(self, print_doc: bool = True) -> str:
        lines = []
        for name, setting in self._table.items():
            lines.append(f"{name} ({setting.choices or setting.kind})")
            if print_doc:
                lines.append(f"    Doc:  {setting.doc}")
            lines += [f"    Value:  {self.get(name)}", ""]
        return "\n".join(lines)


def parse_flags(text: str) -> dict[str, str]:
    """Return the pairs in a THEANO_FLAGS string; quotes protect commas; later pairs win.

    An entry without ``=`` is left out with a `TheanoConfigWarning`.
    """
    if not text:
        return {}
    import shlex

    lexer = shlex.shlex(text, posix=True)
    lexer.whitespace = ","
    lexer.whitespace_split = True
    flags = {}
    for entry in lexer:
        name, equals, value = entry.strip().partition("=")
        if equals:
            flags[name] = value
        elif name:
            TheanoConfigWarning.warn(f"Config key '{name}' has no value, ignoring it", stacklevel=1)
    return flags


def _settings_files(environ: Mapping[str, str]) -> list[str]:
    named = environ.get("THEANORC")
    files = ("~/.theanorc" if named is None else named).split(os.pathsep)
    if named is None and sys.platform == "win32":
        # Explorer makes it hard to name a file that has nothing before its dot.
        files.append("~/.theanorc.txt")
    return [path for path in map(os.path.expanduser, files) if os.path.isfile(path)]


def _read_files(environ: Mapping[str, str]) -> dict[tuple[str, str], str]:
    files = _settings_files(environ)
    if not files:
        return {}
    import configparser

    home = os.path.basename(os.path.expanduser("~"))
    names = ("LSCRATCH", "TMPDIR", "TEMP", "TMP")
    words = {name: environ.get(name, "") for name in names}
    words |= {"USER": environ.get("USER", home), "PID": str(os.getpid())}
    # A "%" in these would be taken for the start of another word.
    words = {name: word.replace("%", "%%") for name, word in words.items()}
    parser = configparser.ConfigParser(words)
    parser.read(files)
    values = {}
    for section in parser.sections():
        # The words are among the options of every section.
        for option in parser.options(section):
            if parser.get(section, option, raw=True) == parser.defaults().get(option):
                continue
            try:
                values[section, option] = parser.get(section, option)
            except configparser.InterpolationError:
                values[section, option] = parser.get(section, option, raw=True)
    return values


class change_flags:  # noqa: N801 -- the name that programs written for Theano use
    """Change settings for the body of a `with` statement or for the calls of a function.

    Parameters
    ----------
    args : mapping or iterable of (name, value), optional
        Settings by dotted name.
    **kwargs : object
        Settings whose names have no dot.

    Raises
    ------
    AssertionError
        There is no setting of that name.

    Examples
    --------
    >>> from theano._core.base.settings import change_flags, config
    >>> with change_flags({"NanGuardMode.action": "warn"}, floatX="float32"):
    ...     config.floatX, config.NanGuardMode.action
    ('float32', 'warn')
    """

    def __init__(self, args: Any = (), **kwargs: object) -> None:
        if isinstance(args, str):
            raise TypeError(f"settings are changed by name and value: change_flags({args}=...)")
        named = {**dict(args), **kwargs}
        self.new_vals: dict[str, Any] = {_dotted(name): value for name, value in named.items()}
        for name in self.new_vals:
            # Theano asserted this, and programs catch what it raised.
            if name not in config._table:
                raise AssertionError(f"there is no setting {name!r}{_near(name, config._table)}")
        self._saved: list[dict[str, Any]] = []
        self._left: dict[str, Any] = {}

    def __call__(self, function: Callable[..., object]) -> Callable[..., Any]:
        @wraps(function)
        def changed(*args: object, **kwargs: object) -> Any:
            with self:
                return function(*args, **kwargs)

        return changed

    def __enter__(self) -> change_flags:
        self._saved.append({name: config.get(name) for name in self.new_vals})
        try:
            for name, value in self.new_vals.items():
                config.set(name, value)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *problem: object) -> None:
        # Programs may leave more often than they enter: what was put back is put back again.
        self._left = self._saved.pop() if self._saved else self._left
        for name, value in self._left.items():
            home, _, last = config._home(name)
            config.tell(name, value)
            home.__dict__[last] = value


config = Config(TABLE)
config.load()
