"""`Variable.eval`: compile, run, and keep the function."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from theano._core.compile.function import function
from theano._core.ir.variable import Variable

if TYPE_CHECKING:
    pass


def evaluate(variable: Variable, values: Mapping[Any, Any], **options: Any) -> Any:
    """Return the value of `variable` for the given values of inputs."""
    if options and (unknown := options.keys() - inspect.signature(function).parameters.keys()):
        raise TypeError(
            f"eval takes a dict of inputs and their values, x.eval({{x: 1.0}}), and options of "
            f"theano.function; got {sorted(unknown)}"
        )
    if not isinstance(values, Mapping):
        raise TypeError(
            f"eval takes a dict from inputs to their values, x.eval({{x: value}}), got {values!r} "
            f"of type {type(values).__name__}"
        )
    inputs = tuple(sorted(values, key=id))
    for key in inputs:
        if not isinstance(key, Variable):
            raise TypeError(
                f"the keys of eval's dict are variables, got {key!r}: x.eval({{x: value}})"
            )
    cache = variable.__dict__.setdefault("_fn_cache", {})
    key = (inputs, tuple(sorted(options.items())))
    if key not in cache:
        cache[key] = function(list(inputs), variable, **options)
    return cache[key](*(values[each] for each in inputs))
