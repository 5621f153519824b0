"""What `theano.grad` is given: the variables to differentiate by, or a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from theano._core.base.near_misses import signature
from theano._core.ir.variable import Variable
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
