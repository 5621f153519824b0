"""Names that are nearly right: of attributes, of keyword arguments, of choices.

All is looked up on the path of an error only.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable, Sequence
from types import FunctionType, ModuleType
from typing import Any, TypeVar, cast

import numpy as np

from theano._core.base.other_names import KEYWORDS, module_with, written_here

Function = TypeVar("Function", bound=Callable[..., Any])


def did_you_mean(name: object, candidates: Iterable[object]) -> str:
    """Return a question, after a blank, about the known name that is nearest; '': none is near."""
    import difflib

    names = [str(each) for each in candidates if each is not None]
    matches = [each for each in names if sorted(each) == sorted(str(name))]
    matches = matches or difflib.get_close_matches(str(name), names, 1, 0.7)
    if not matches:
        folded = {each.lower().replace("_", ""): each for each in names}
        matches = difflib.get_close_matches(str(name).lower().replace("_", ""), folded, 1, 0.8)
        matches = [folded[each] for each in matches]
    return f" Did you mean {matches[0]!r}?" if matches else ""


def near_keyword(name: str, candidates: Iterable[str]) -> str:
    """Return a question, after a blank, about the argument that is meant; '': nobody knows."""
    candidates = list(candidates)
    for own in KEYWORDS.get(name, ()):
        if own in candidates:
            return f" Did you mean {own!r}?"
    return did_you_mean(name, candidates)


class MissingAttribute(AttributeError):
    """An attribute that a module, a variable or a function has not; the text is made when shown.

    `hasattr` asks often, and nobody reads the answer.
    """

    # As users know it.
    __module__, __qualname__ = "builtins", "AttributeError"

    def __init__(self, owner: object, name: str) -> None:
        # Without `obj` Python asks no question of its own.
        super().__init__(name=name)
        self.owner = owner

    def __str__(self) -> str:
        name, owner = str(self.name), self.owner
        if isinstance(owner, ModuleType):
            near = "" if name.startswith("_") else _near_in_module(owner, name)
            return f"module {owner.__name__!r} has no attribute {name!r}.{near}".removesuffix(".")
        text = f"{type(owner).__name__!r} object has no attribute {name!r}."
        if name.startswith("_"):
            return text.removesuffix(".")
        cell = getattr(getattr(owner, "container", None), "cell", None)
        if cell is not None and not hasattr(vars(owner).get("type"), "dtype"):
            kind = type(cell.value).__name__
            return f"{text} It holds a {kind}: theano.shared(numpy.asarray(value)) holds an array"
        here = written_here(name, module=False) or _elsewhere(name)
        return f"{text}{here or did_you_mean(name, dir(owner))}".removesuffix(".")

    def __reduce__(self) -> Any:
        return AttributeError, (str(self),)


def missing(owner: object, name: str) -> Any:
    """Raise the error for an attribute that an object has not: its `__getattr__`."""
    held = getattr(type(owner), name, None)
    if isinstance(held, property):
        # It was there, and raised an AttributeError of its own.
        return held.__get__(owner)
    raise MissingAttribute(owner, name)


def _near_in_module(module: ModuleType, name: str) -> str:
    """Say, after a blank, what was meant by a name that a module has not; '' if nobody knows."""
    # What is all but right is a slip, and no name of something else.
    same_letters = [each for each in dir(module) if each.lower() == name.lower()]
    if same_letters:
        return did_you_mean(name, same_letters)
    here = module_with(name, module.__name__) or written_here(name, module=True)
    return here or did_you_mean(name, dir(module))


def _elsewhere(name: str) -> str:
    """Say, after a blank, where something of this name is, if no variable has it; '' if nowhere."""
    for module in ("theano.tensor", "theano.tensor.nnet"):
        space = sys.modules.get(module)
        if name in dir(space) and callable(getattr(space, name)):
            return f" {module}.{name}(x) is a function."
    if hasattr(np.ndarray, name):
        return (
            f" Arrays of NumPy have it, and a variable is no array before a function runs: "
            f"x.eval({{...}}).{name}"
        )
    return ""


def signature(function: Callable[..., object]) -> str:
    """Return a function as one calls it: its name and arguments, without annotations."""
    import inspect

    whole = inspect.signature(function)
    plain = [
        p.replace(annotation=inspect.Parameter.empty)
        for p in whole.parameters.values()
        if p.name != "self"
    ]
    bare = whole.replace(parameters=plain, return_annotation=inspect.Signature.empty)
    return f"{_called(function)}{bare}"


def misfit(function: Callable[..., object], args: Sequence[object], keywords: Iterable[str]) -> str:
    """Say how arguments do not fit a function of which users know the arguments only."""
    import inspect

    parameters = inspect.signature(function).parameters
    unknown = [name for name in keywords if name not in parameters]
    near = near_keyword(unknown[0], parameters) if unknown else ""
    what = f"no argument {unknown[0]!r} is known" if unknown else f"{len(args)} inputs were given"
    taken = ", ".join(str(p.replace(annotation=p.empty)) for p in parameters.values())
    return f"{what}; it takes ({taken}).{near}"


class OwnSignature:
    """`__signature__` of what is called like a function; classes that hold it keep their own.

    Parameters
    ----------
    make : callable
        From the object to its signature.
    """

    def __init__(self, make: Callable[..., object]) -> None:
        self.make = make

    def __get__(self, owner: object, cls: type | None = None) -> Any:
        if owner is None:
            raise AttributeError("__signature__")
        return self.make(owner)


class SignatureOf:
    """The signature of a function, which is made when it is looked at.

    For `inspect` it is a `Signature`: what a function wraps is not looked at by all of its
    functions, and `inspect.getfullargspec(theano.tensor.nnet.conv2d)` is to name the arguments.

    Parameters
    ----------
    function : callable
    """

    def __init__(self, function: Callable[..., object]) -> None:
        self.function = function

    @property
    def __class__(self) -> Any:
        import inspect

        return inspect.Signature

    def made(self) -> Any:
        """Return the signature itself."""
        import inspect

        return inspect.signature(self.function)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.made(), name)

    def __str__(self) -> str:
        return str(self.made())

    def __repr__(self) -> str:
        return repr(self.made())

    def __eq__(self, other: object) -> bool:
        return self.made() == (other.made() if type(other) is SignatureOf else other)

    def __hash__(self) -> int:
        return hash(self.made())


def _called(function: Callable[..., object]) -> str:
    # `T.dvector` is a type, which is called with a name.
    return "type" if function.__name__ == "__call__" else function.__name__


def explained(function: Function) -> Function:
    """Have a function say its signature, and which name is near, where a call does not fit it."""

    @functools.wraps(function)
    def call(*args: object, **kwargs: object) -> Any:
        try:
            return function(*args, **kwargs)
        except TypeError as error:
            # What comes from within the function has a frame of it.
            inside = error.__traceback__ is None or error.__traceback__.tb_next is not None
            if inside or not isinstance(function, FunctionType):
                raise
            text = _refusal(function, kwargs, str(error))
            if function.__name__ == "__call__":
                text = _of_constructor(args[0], text, kwargs)
            raise TypeError(text) from None

    call.__signature__ = SignatureOf(function)  # type: ignore[attr-defined]
    return cast(Function, call)


def _of_constructor(cls: object, text: str, keywords: Iterable[str]) -> str:
    """Return the message of a call of a type, such as `theano.tensor.dvector`, by its name."""
    tensor = vars(sys.modules.get("theano.tensor", sys))
    name = next((name for name, value in tensor.items() if value is cls), "type")
    text = text.replace("type(", f"{name}(")
    if {"dtype", "shape"}.isdisjoint(keywords):
        return text
    plain = {0: "scalar", 1: "vector", 2: "matrix"}.get(getattr(cls, "ndim", -1))
    plain = plain or f"tensor{getattr(cls, 'ndim', '')}"
    other = f"theano.tensor.{plain}(name, dtype='float32', shape=(...)) chooses dtype and lengths"
    return f"{text} The dtype of {name} is fixed: {other}."


def _refusal(function: FunctionType, keywords: dict[str, object], text: str) -> str:
    import inspect

    parameters = inspect.signature(function).parameters
    unknown = [key for key in keywords if key not in parameters]
    near = near_keyword(unknown[0], parameters) if unknown else ""
    # Python asks as well from 3.13 on.
    text = text.partition(". Did you mean ")[0]
    text = text.replace(f"{function.__qualname__}()", f"{_called(function)}()")
    return f"{text}.{near} The signature is {signature(function)}."


def explain_functions(names: dict[str, object]) -> None:
    """Have the public functions that a module defines say their signatures; see `explained`.

    Parameters
    ----------
    names : dict
        What the module holds, changed in place.
    """
    for name, value in list(names.items()):
        if not isinstance(value, FunctionType) or name.startswith("_"):
            continue
        if value.__module__ == names["__name__"]:
            names[name] = explained(value)


def explain_methods(cls: type) -> None:
    """Have the public methods of a class say their signatures; see `explained`."""
    for name, value in list(vars(cls).items()):
        if isinstance(value, FunctionType) and not name.startswith("_"):
            setattr(cls, name, explained(value))
