"""Matrices of derivatives: Jacobians, and Hessians."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from theano._core.api.gradients import format_like
from theano._core.api.scan import scan
from theano._core.autodiff.reverse import grad
from theano._core.ir.variable import Variable
from theano._core.ops.creation import ARange
from theano._core.ops.shaping import length


def jacobian(
    expression: Any,
    wrt: Any,
    consider_constant: Sequence[Any] | None = None,
    disconnected_inputs: str = "raise",
) -> Any:
    """Return the derivative of every item of a vector with respect to variables.

    Parameters
    ----------
    expression : vector or scalar variable
    wrt : variable, or list or tuple of variables
    consider_constant : sequence of variables, optional
        No gradient flows through these.
    disconnected_inputs : {'raise', 'warn', 'ignore'}
        What to do for a `wrt` that `expression` does not depend on.

    Returns
    -------
    variable, list or tuple
        As `wrt`: each with a first axis for the items of `expression`, and then its own axes. Of a
        scalar, the gradient.

    Raises
    ------
    AssertionError
        `expression` is no variable, or has more than one axis.
    """
    if not isinstance(expression, Variable):
        raise AssertionError(f"jacobian needs a variable, got {expression!r}")
    if expression.type.ndim > 1:
        raise AssertionError(
            f"jacobian needs a vector or a scalar, {expression} has {expression.type.ndim} "
            "dimensions. Flatten it first: expression.flatten()"
        )
    targets = list(wrt) if isinstance(wrt, (list, tuple)) else [wrt]
    options: Any = {
        "consider_constant": consider_constant,
        "disconnected_inputs": disconnected_inputs,
    }
    if expression.type.ndim == 0:
        return format_like(wrt, grad(expression, targets, **options))

    def row(i: Any, vector: Any, *variables: Any) -> list[Any]:
        return grad(vector[i], list(variables), **options)

    rows, _ = scan(
        row,
        sequences=ARange("int64")(0, length(expression, 0), 1),
        non_sequences=[expression, *targets],
        name="jacobian",
        return_list=True,
    )
    return format_like(wrt, rows)


def hessian(
    cost: Any,
    wrt: Any,
    consider_constant: Sequence[Any] | None = None,
    disconnected_inputs: str = "raise",
) -> Any:
    """Return the matrix of second derivatives of a scalar with respect to vectors.

    Parameters
    ----------
    cost : scalar variable
    wrt : vector variable, or list or tuple of them
    consider_constant, disconnected_inputs
        As of `jacobian`.

    Returns
    -------
    variable, list or tuple
        As `wrt`, each a matrix.

    Raises
    ------
    AssertionError
        `cost` is not a scalar variable, or a `wrt` is not a vector.
    """
    if not isinstance(cost, Variable):
        raise AssertionError(f"hessian needs a variable, got {cost!r}")
    if cost.type.ndim:
        raise AssertionError(f"hessian needs a scalar, {cost} has {cost.type.ndim} dimensions")
    targets = list(wrt) if isinstance(wrt, (list, tuple)) else [wrt]
    matrices = []
    for target in targets:
        if getattr(target.type, "ndim", 0) != 1:
            raise AssertionError(f"hessian needs vectors to differentiate by, got {target.type}")
        slope = grad(cost, target, consider_constant, disconnected_inputs)
        # The slope may be constant although the cost is not.
        matrices.append(jacobian(slope, target, consider_constant, "ignore"))
    return format_like(wrt, matrices)
