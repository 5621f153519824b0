"""Constructors of input variables: `scalar`, `dmatrix`, `fvectors` and their kin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from theano._core.base.settings import config
from theano._core.ir.types import TensorType

# Names of patterns, singular and plural, and the patterns.
PATTERNS: dict[str, tuple[str, tuple[bool, ...]]] = {
    "scalar": ("scalars", ()),
    "vector": ("vectors", (False,)),
    "row": ("rows", (True, False)),
    "col": ("cols", (False, True)),
    "matrix": ("matrices", (False, False)),
    **{f"tensor{n}": (f"tensor{n}s", (False,) * n) for n in range(3, 8)},
}
PREFIXES = {
    "b": "int8",
    "w": "int16",
    "i": "int32",
    "l": "int64",
    "f": "float32",
    "d": "float64",
    "c": "complex64",
    "z": "complex128",
}
# Theano has typed plurals for these only.
PLURAL_PREFIXES = ("i", "l", "f", "d")


def _constructor(kind: str, pattern: tuple[bool, ...]) -> Callable[..., Any]:
    def construct(name: str | None = None, dtype: str | None = None) -> Any:
        return TensorType(config.floatX if dtype is None else dtype, pattern)(name)

    construct.__name__ = construct.__qualname__ = kind
    construct.__doc__ = f"""Return a new input variable: a {kind}.

    Parameters
    ----------
    name : str, optional
    dtype : str, optional
        `config.floatX` by default.

    Returns
    -------
    TensorVariable, broadcastable {pattern}
    """
    return construct


def _plural(name: str, make: Callable[..., Any]) -> Callable[..., Any]:
    def construct(*names: Any) -> list[Any]:
        if len(names) == 1 and isinstance(names[0], int):
            return [make() for _ in range(names[0])]
        if len(names) == 1:
            names = tuple(names[0])
        return [make(each) for each in names]

    construct.__name__ = construct.__qualname__ = name
    construct.__doc__ = f"""Return several new input variables; see `{getattr(make, "__name__", make)}`.

    Parameters
    ----------
    *names : str or None, or one int
        One name per variable; a single string gives one variable per character, an int that many
        variables without name.
    """
    return construct


def _build() -> dict[str, Any]:
    made: dict[str, Any] = {}
    for kind, (plural, pattern) in PATTERNS.items():
        made[kind] = _constructor(kind, pattern)
        made[plural] = _plural(plural, made[kind])
        for prefix, dtype in PREFIXES.items():
            made[prefix + kind] = TensorType(dtype, pattern)
            if prefix in PLURAL_PREFIXES:
                made[prefix + plural] = _plural(prefix + plural, made[prefix + kind])
    return made


CONSTRUCTORS = _build()
"""Every constructor by name."""


def tensor(*args: Any, **kwargs: Any) -> Any:
    """Return a new variable of ``TensorType(*args, **kwargs)``; `name=` names it."""
    name = kwargs.pop("name", None)
    return TensorType(*args, **kwargs)(name)
