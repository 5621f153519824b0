"""Matrices of derivatives: Jacobians, and Hessians."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, overload

from theano._core.api.derivatives.gradients import format_like
from theano._core.api.derivatives.vectorization import vectorize
from theano._core.api.scan.scan import scan
from theano._core.autodiff.forward import push_forward
from theano._core.autodiff.reverse import grad
from theano._core.base.near_misses import explain_functions
from theano._core.ir.variable import Variable
from theano._core.ops.array.creation import identity_matrix, iota
from theano._core.ops.array.dims import as_int64
from theano._core.ops.array.shaping import length
from theano._core.ops.core.fill import continuous_dtype, zeros_like_float

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike, Variables
    from theano._core.ir.tensor import TensorVariable


@overload
def jacobian(
    expression: Variable,
    wrt: Variable,
    consider_constant: Sequence[Variable] | None = None,
    disconnected_inputs: str = "raise",
    vectorized: bool = False,
) -> TensorVariable: ...
@overload
def jacobian(
    expression: Variable,
    wrt: list[Any],
    consider_constant: Sequence[Variable] | None = None,
    disconnected_inputs: str = "raise",
    vectorized: bool = False,
) -> list[TensorVariable]: ...
@overload
def jacobian(
    expression: Variable,
    wrt: tuple[Any, ...],
    consider_constant: Sequence[Variable] | None = None,
    disconnected_inputs: str = "raise",
    vectorized: bool = False,
) -> tuple[TensorVariable, ...]: ...
def jacobian(
    expression: Variable,
    wrt: Variables,
    consider_constant: Sequence[Variable] | None = None,
    disconnected_inputs: str = "raise",
    vectorized: bool = False,
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
    vectorized : bool
        Whether all rows are computed at once, which is faster and takes more memory, or one after
        another in a loop.

    Returns
    -------
    variable, list or tuple
        As `wrt`: each with a first axis for the items of `expression`, and then its own axes. Of a
        scalar, the gradient.

    Raises
    ------
    AssertionError
        `expression` is no variable, or has more than one axis.

    Examples
    --------
    >>> x = T.dvector("x")
    >>> theano.gradient.jacobian(x**2, x).eval({x: [1.0, 2.0]})
    array([[2., 0.],
           [0., 4.]])
    """
    if not isinstance(expression, Variable):
        raise AssertionError(f"jacobian needs a variable, got {expression!r}")
    if expression.type.ndim > 1:
        raise AssertionError(
            f"jacobian needs a vector or a scalar, {expression} has {expression.type.ndim} "
            "dimensions. Flatten it first: expression.flatten()"
        )
    targets: list[Any] = list(wrt) if isinstance(wrt, (list, tuple)) else [wrt]
    options: Any = {
        "consider_constant": consider_constant,
        "disconnected_inputs": disconnected_inputs,
    }
    if expression.type.ndim == 0:
        return format_like(wrt, grad(expression, targets, **options))

    if vectorized:
        return format_like(wrt, _all_rows(expression, targets, options))

    def row(i: Variable, vector: Variable, *variables: TensorLike) -> list[Any]:
        return grad(vector[i], list(variables), **options)

    rows, _ = scan(
        row,
        sequences=iota(length(expression, 0)),
        non_sequences=[expression, *targets],
        name="jacobian",
        return_list=True,
    )
    return format_like(wrt, rows)


def _all_rows(expression: Variable, targets: list[Any], options: Any) -> list[Any]:
    """Return the rows of Jacobians, computed at once."""

    def row(weights: TensorLike) -> list[Any]:
        return grad(None, targets, known_grads={expression: weights}, **options)

    n = as_int64(length(expression, 0))
    dtype = continuous_dtype(expression.type.dtype)
    return vectorize(row)(identity_matrix(n, n, 0, dtype))


@overload
def hessian(
    cost: Variable,
    wrt: Variable,
    consider_constant: Sequence[Variable] | None = None,
    disconnected_inputs: str = "raise",
) -> TensorVariable: ...
@overload
def hessian(
    cost: Variable,
    wrt: list[Any],
    consider_constant: Sequence[Variable] | None = None,
    disconnected_inputs: str = "raise",
) -> list[TensorVariable]: ...
@overload
def hessian(
    cost: Variable,
    wrt: tuple[Any, ...],
    consider_constant: Sequence[Variable] | None = None,
    disconnected_inputs: str = "raise",
) -> tuple[TensorVariable, ...]: ...
def hessian(
    cost: Variable,
    wrt: Variables,
    consider_constant: Sequence[Variable] | None = None,
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

    Notes
    -----
    Forward over reverse, along all axes at once: there is no loop.

    Examples
    --------
    >>> x = T.dvector("x")
    >>> theano.gradient.hessian((x**3).sum(), x).eval({x: [1.0, 2.0]})
    array([[ 6.,  0.],
           [ 0., 12.]])
    """
    if not isinstance(cost, Variable):
        raise AssertionError(f"hessian needs a variable, got {cost!r}")
    if cost.type.ndim:
        raise AssertionError(f"hessian needs a scalar, {cost} has {cost.type.ndim} dimensions")
    targets: list[Any] = list(wrt) if isinstance(wrt, (list, tuple)) else [wrt]
    matrices = []
    for target in targets:
        if not isinstance(target, Variable):
            raise AssertionError(f"hessian needs variables to differentiate by, got {target!r}")
        if getattr(target.type, "ndim", 0) != 1:
            raise AssertionError(f"hessian needs vectors to differentiate by, got {target.type}")
        slope = grad(cost, target, consider_constant, disconnected_inputs)
        n = as_int64(length(target, 0))
        basis = identity_matrix(n, n, 0, continuous_dtype(target.type.dtype))
        still: dict[Any, None] = dict.fromkeys(consider_constant or ())
        matrices.append(vectorize(partial(_change_of, slope, target, still))(basis))
    return format_like(wrt, matrices)


def _change_of(slope: Variable, target: object, still: dict[Any, None], direction: Variable) -> Any:
    """Return the change of `slope` along a direction of `target`."""
    change = push_forward([slope], {**still, target: direction})[0]
    return zeros_like_float(slope) if change is None else change


explain_functions(globals())
