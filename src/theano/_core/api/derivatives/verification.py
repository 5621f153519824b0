"""Symbolic derivatives compared with finite differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.api.array.reductions import sum as tensor_sum
from theano._core.api.conversion import as_tensor_variable
from theano._core.api.variable.shared import tensor_constructor
from theano._core.autodiff.reverse import grad
from theano._core.autodiff.verify import numeric_grad
from theano._core.base.errors import GradientError
from theano._core.base.near_misses import explain_functions
from theano._core.compile.function import function
from theano._core.ops.elementwise.arithmetic import mul

if TYPE_CHECKING:
    from theano._core.autodiff.verify import NumericGradient
    from theano._core.compile.modes import Mode
    from theano._core.ir.variable import Variable

_TOLERANCES = {"float16": 5e-2, "float32": 1e-2, "float64": 1e-4}


def verify_grad(
    fun: Callable[..., Any],
    pt: Sequence[object],
    n_tests: int = 2,
    rng: np.random.RandomState | None = None,
    eps: float | None = None,
    out_type: str | None = None,
    abs_tol: float | None = None,
    rel_tol: float | None = None,
    mode: str | Mode | None = None,
    cast_to_output_type: bool = False,
    no_debug_ref: bool = True,
) -> None:
    """Compare the symbolic gradient of a function with finite differences.

    Parameters
    ----------
    fun : callable
        Takes variables, returns one variable.
    pt : list of ndarray, float
        Where to compare.
    n_tests : int
        How often, each time for another random projection of the output.
    rng : numpy.random.RandomState
        Draws the projections.
    eps : float, optional
        Step of the finite differences.
    out_type : str, optional
        dtype of the output, if it is less precise than the input.
    abs_tol, rel_tol : float, optional
        An item is wrong if both its errors are larger; by default 1e-4 in float64, 1e-2 in float32,
        5e-2 in float16.
    mode : str or Mode, optional
        How to compile.
    cast_to_output_type : bool
        Whether the projection takes the dtype of the output.
    no_debug_ref : bool
        Accepted for old programs.

    Returns
    -------
    None

    Raises
    ------
    GradientError
        The gradients differ.

    Examples
    --------
    >>> T.verify_grad(lambda x: T.sin(x).sum(), [np.array([1.0, 2.0])], rng=np.random)
    """
    if not isinstance(pt, (list, tuple)):
        raise TypeError(f"pt must be a list or tuple of arrays, got {type(pt).__name__}")
    if rng is None:
        raise TypeError("rng should be a valid instance of numpy.random.RandomState.")
    points = [np.array(p) for p in pt]
    for position, point in enumerate(points):
        if str(point.dtype) not in _TOLERANCES:
            raise TypeError(
                f"verify_grad can work only with floating point inputs, but input {position} has "
                f"dtype {point.dtype}."
            )
    default = max(_TOLERANCES[str(p.dtype)] for p in points)
    allowed = (default if abs_tol is None else abs_tol, default if rel_tol is None else rel_tol)
    inputs = [as_tensor_variable(p).type(f"input {i}") for i, p in enumerate(points)]
    output = fun(*inputs)
    if isinstance(output, list):
        raise NotImplementedError("verify_grad takes functions of one output: sum or join several")

    shape = _on_copies(inputs, output, mode)(*points).shape

    def projection() -> Any:
        # Away from 0, where errors would be hidden.
        values = rng.rand(*shape) + 0.5
        return np.array(values, dtype=output.dtype if cast_to_output_type else None)

    weights = tensor_constructor(projection(), name="random_projection", borrow=True)
    cost = tensor_sum(mul(weights, output))
    cost_at = _on_copies(inputs, cost, mode)
    grad_at = _on_copies(inputs, grad(cost, inputs, disconnected_inputs="ignore"), mode)
    for test in range(n_tests):
        if test:
            weights.set_value(projection(), borrow=True)
        measured = numeric_grad(cost_at, points, eps, out_type)
        _compare(grad_at(*points), measured, allowed, test)


def _on_copies(inputs: Sequence[Variable], outputs: Any, mode: Any) -> Callable[..., Any]:
    """Return what computes outputs of copies of arrays: operations may overwrite those."""
    f = function(
        inputs,
        outputs,
        mode=mode,
        accept_inplace=True,
        allow_input_downcast=True,
        on_unused_input="ignore",
    )
    return lambda *arrays: f(*(array.copy() for array in arrays))


def _compare(
    gradients: list[Any], measured: NumericGradient, allowed: tuple[float, float], test: int
) -> None:
    which, at, absolute, relative = measured.max_err(gradients, *allowed)
    fine = absolute <= allowed[0] or relative <= allowed[1]
    if fine or not gradients[which].size:
        return
    error = GradientError(
        which,
        at,
        gradients[which].shape,
        gradients[which].flat[at],
        measured.gf[which].flat[at],
        absolute,
        relative,
        *allowed,
    )
    error.args += (f"in test {test}",)
    raise error


verify_grad.E_grad = GradientError  # type: ignore[attr-defined]


explain_functions(globals())
