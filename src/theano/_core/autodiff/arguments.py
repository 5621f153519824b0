"""What `theano.grad` is given, and what it says of gradients that are not there."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from theano._core.base import dtypes
from theano._core.base.errors import DisconnectedInputError, NullTypeGradError
from theano._core.base.near_misses import signature
from theano._core.ir.source import advice_on_unused, made_at
from theano._core.ir.text import label
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Variable
from theano._core.ops.array.gradient import DisconnectedType, NullType
from theano._core.ops.core.fill import continuous_dtype, second
from theano._core.ops.core.op import as_variable


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Refuse a value of a keyword that is none of its choices."""
    if value not in choices:
        raise ValueError(
            f"Invalid value for keyword '{name}', valid values are {choices}, got {value!r}"
        )


def checked_targets(wrt: object, grad: Callable[..., object]) -> list[Any]:
    """Return the variables that a gradient is with respect to; `grad` is who asks."""
    if wrt is None:
        raise TypeError(
            "grad() missing 1 required positional argument: 'wrt'. Which variable is it the "
            f"gradient with respect to? The signature is {signature(grad)}."
        )
    targets = list(wrt) if isinstance(wrt, (list, tuple)) else [wrt]
    for target in targets:
        if not isinstance(target, Variable):
            raise TypeError(
                f"Expected Variable, got {target!r} of type {type(target).__name__}: wrt takes the "
                "variables themselves, or a list of them."
            )
    return targets


def first_gradients(
    cost: Variable | None, known_grads: Mapping[object, object] | None
) -> dict[Any, Any]:
    """Return the gradients that are known from the start: 1 of the cost, and those given."""
    if cost is None and not known_grads:
        raise AssertionError("cost and known_grads can't both be None.")
    seeds: dict[Any, Any] = {}
    if cost is not None:
        if not isinstance(cost, Variable):
            raise TypeError(f"cost must be a variable, got {cost!r}")
        # A variable of another type may have a tensor that stands for it.
        cost = as_variable(cost)
        if isinstance(cost.type, NullType):
            raise ValueError(
                "Can't differentiate a NaN cost. cost is NaN because " + cost.type.why_null
            )
        if not isinstance(cost.type, TensorType) or cost.ndim != 0:
            made = f" It was made at {cost.source.quoted()}" if cost.source else ""
            text = label(cost)
            raise TypeError(
                f"cost must be a scalar. {text} is of {cost.type}: {text}.sum() and {text}.mean() "
                f"are scalars.{made}"
            )
        dtype = continuous_dtype(cost.type.dtype)
        # Filled over the cost: what this depends on counts as used by its gradient.
        seeds[cost] = second(cost, np.ones((), dtype=dtype))
    for variable, value in (known_grads or {}).items():
        if not isinstance(variable, Variable):
            raise TypeError(f"known_grads: a key must be a variable, got {variable!r}")
        if isinstance(getattr(value, "type", None), DisconnectedType):
            seeds.pop(variable, None)
            continue
        seeds[variable] = _known_gradient(variable, value)
    return seeds


def _known_gradient(variable: Variable, value: Any) -> Any:
    value = as_variable(value)
    if isinstance(value.type, NullType):
        return value
    if dtypes.is_discrete(value.type.dtype):
        raise TypeError(
            f"known_grads: the gradient of {variable} has the dtype {value.type.dtype}; gradients "
            "are floats, also those of integers"
        )
    if value.type.ndim > variable.type.ndim:
        raise ValueError(
            f"known_grads: the gradient of {variable} has {value.type.ndim} dimensions, the "
            f"variable {variable.type.ndim}"
        )
    return value if value.type.ndim == variable.type.ndim else second(variable, value)


def gradient_of(
    grad: Callable[..., object], function: Callable[..., object], places: object, *options: object
) -> Callable[..., Any]:
    """Return the function that returns the gradient of a scalar that `function` returns.

    Parameters
    ----------
    grad : callable
        What differentiates an expression: `theano.grad`.
    function : callable
        Of variables.
    places : int, sequence of int, or None
        Which of its arguments the gradient is with respect to; None: the first.
    *options
        Of `grad`, after `wrt`.
    """
    single = not isinstance(places, (list, tuple))
    numbers: list[Any] = [places or 0] if single else list(places)
    for number in numbers:
        if not isinstance(number, int):
            raise TypeError(
                "of a function, wrt takes positions of its arguments, such as 0 or [0, 1]; got "
                f"{number!r} of type {type(number).__name__}"
            )

    def gradient(*arguments: Any) -> Any:
        variables = [as_variable(each) for each in arguments]
        targets = [variables[number] for number in numbers]
        return grad(function(*variables), targets[0] if single else targets, *options)

    return gradient


def report_disconnected(cost: object, target: Variable, policy: str) -> None:
    """Raise, warn or say nothing of a variable that a cost does not depend on."""
    if policy == "ignore":
        return
    message = (
        "grad method was asked to compute the gradient with respect to a variable that is not part "
        "of the computational graph of the cost, or is used only by a non-differentiable operator: "
        f"{label(target)}.{made_at(target)} Use disconnected_inputs='ignore' or 'warn' to get "
        f"zeros instead.{advice_on_unused(target, 'cost')}"
    )
    if policy == "warn":
        warnings.warn(message, stacklevel=3)
        return
    raise DisconnectedInputError(message)


def check_defined(gradient: Variable) -> None:
    """Raise NullTypeGradError for a gradient that is not defined."""
    if isinstance(gradient.type, NullType):
        raise NullTypeGradError(
            f"tensor.grad encountered a NaN. This variable is Null because {gradient.type.why_null}"
        )
