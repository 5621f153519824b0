"""What Python asks of values, and variables refuse: they have none before a function runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from theano._core.ir.text import label


def _no_number(variable: Any, kind: str) -> TypeError:
    return TypeError(
        f"{label(variable)} is a variable of {variable.type} and cannot be {kind} here: it has no "
        "value before a function runs. Functions of theano.tensor take variables; "
        "variable.eval({...}) gives a value."
    )


class LengthError(TypeError, AttributeError):
    """What `len` of a variable raises."""

    # As users know it.
    __module__, __qualname__ = "builtins", "TypeError"


class NoLength:
    """`__len__` of variables: it says what to write, and yet variables have no such attribute.

    Programs ask for it with `hasattr` to tell lists from variables, which AttributeError denies;
    `len` shows the error as it is.
    """

    def __get__(self, variable: Any, cls: type) -> Any:
        if variable is None:
            raise AttributeError("__len__")
        text = label(variable)
        raise LengthError(
            f"{text} has no len(): it is a variable, which has no items before a function runs. "
            f"{text}.shape[0] is the length of its first axis, {text}.ndim the number of its axes."
        )


class NoValue:
    """No number, no length, no truth, and no items that can change."""

    # What `bool` says; None: it raises.
    _truth: bool | None = True

    def __bool__(self) -> bool:
        if self._truth is not None:
            return self._truth
        raise TypeError(
            "Variables do not support boolean operations: the result of a comparison is known only "
            "when a function runs. theano.tensor.switch chooses between values, "
            "theano.ifelse.ifelse between scalar cases, theano.tensor.maximum takes the larger; "
            "`&`, `|` and `~` join conditions: (0 < x) & (x < 1)."
        )

    __nonzero__ = __bool__

    def __setitem__(self, key: object, value: object) -> None:
        raise TypeError(
            f"'{type(self).__name__}' object does not support item assignment: an expression never "
            "changes. A new one is theano.tensor.set_subtensor(x[...], value), or inc_subtensor."
        )

    def __delitem__(self, key: object) -> None:
        raise TypeError(
            f"'{type(self).__name__}' object does not support item deletion: an expression never "
            "changes. theano.tensor.concatenate([x[:i], x[i + 1:]]) leaves an item out."
        )

    def __float__(self) -> float:
        raise _no_number(self, "float")

    def __int__(self) -> int:
        raise _no_number(self, "int")

    def __format__(self, spec: str) -> str:
        if spec:
            raise _no_number(self, f"written as {spec!r}")
        return str(self)

    def __complex__(self) -> complex:
        raise _no_number(self, "complex")

    def __index__(self) -> int:
        raise _no_number(self, "an integer")

    if not TYPE_CHECKING:
        __len__ = NoLength()
