"""Derivatives along directions: forward mode, and forward over reverse."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, overload

from theano._core.api.conversion import as_tensor_variable
from theano._core.api.derivatives.gradients import disconnected_type, format_like
from theano._core.autodiff.forward import broadcast_like, push_forward
from theano._core.autodiff.reverse import grad
from theano._core.base import dtypes
from theano._core.base.errors import DisconnectedInputError
from theano._core.base.near_misses import explain_functions
from theano._core.ir.graph import inputs as leaves_of
from theano._core.ir.variable import Variable
from theano._core.ops.array.gradient import GradientFilter
from theano._core.ops.array.reductions import ArgExtreme
from theano._core.ops.core.fill import continuous_dtype, second, zeros_like_float
from theano._core.ops.elementwise.elementwise import cast

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike, Variables
    from theano._core.ir.tensor import TensorVariable


@overload
def Rop(
    f: Variable,
    wrt: Variables,
    eval_points: TensorLike,
    disconnected_outputs: str = "raise",
    return_disconnected: str = "zero",
) -> TensorVariable: ...
@overload
def Rop(
    f: list[Any],
    wrt: Variables,
    eval_points: TensorLike,
    disconnected_outputs: str = "raise",
    return_disconnected: str = "zero",
) -> list[TensorVariable]: ...
@overload
def Rop(
    f: tuple[Any, ...],
    wrt: Variables,
    eval_points: TensorLike,
    disconnected_outputs: str = "raise",
    return_disconnected: str = "zero",
) -> tuple[TensorVariable, ...]: ...
def Rop(
    f: Variables,
    wrt: Variables,
    eval_points: TensorLike,
    disconnected_outputs: str = "raise",
    return_disconnected: str = "zero",
) -> Any:
    """Return the Jacobian of `f` with respect to `wrt`, times `eval_points`.

    Parameters
    ----------
    f : variable or list of variables
    wrt : variable or list of variables
    eval_points : variable or list of variables
        Each of the shape of its `wrt`; None for a `wrt` that stays as it is.
    disconnected_outputs : {'raise', 'warn', 'ignore'}
        What to do for an `f` through which no derivative could flow, whatever `wrt`.
    return_disconnected : {'zero', 'None', 'Disconnected'}
        What stands for its derivative; in letters of any case.

    Returns
    -------
    variable, list or tuple
        As `f`.

    Raises
    ------
    AssertionError
        The numbers of `wrt` and `eval_points` differ.
    ValueError
        The dimensions of two of them differ.
    DisconnectedInputError
        An `f` is itself an input, and none of `wrt`, or is made only by operations that pass no
        derivative on, such as lengths and `disconnected_grad`.
    NullTypeGradError
        A derivative is not defined.

    Notes
    -----
    As in Theano 1.0.5, an `f` that depends on other variables than `wrt` has a derivative: zero.

    The forward mode: each operation once more, for the tangents of its inputs. Its cost does not
    depend on how many `wrt` there are.

    Examples
    --------
    >>> x, v = T.dvectors("x", "v")
    >>> T.Rop(x**2, x, v).eval({x: [1.0, 2.0], v: [1.0, 10.0]})
    array([ 2., 40.])
    """
    # As numbers and arrays are anywhere else, they are constants.
    inputs = [v if isinstance(v, Variable) else as_tensor_variable(v) for v in _as_list(wrt)]
    points = _as_list(eval_points)
    if len(inputs) != len(points):
        raise AssertionError(f"there are {len(inputs)} wrt and {len(points)} eval_points")
    tangents = {v: _direction(v, p) for v, p in zip(inputs, points, strict=True) if p is not None}
    outputs = _as_list(f)
    for out in outputs:
        if not isinstance(out, Variable):
            raise ValueError(f"Rop needs variables to differentiate, got {out!r}")
    results = []
    for out, result in zip(outputs, push_forward(outputs, tangents), strict=True):
        if out in tangents:
            results.append(result)
        elif result is not None:
            # Over `out`: what that depends on counts as used.
            results.append(second(out, result))
        elif out.owner is not None and _connected(out, leaves_of([out])):
            results.append(zeros_like_float(out))
        else:
            _disconnected(out, inputs, disconnected_outputs)
            results.append(_stand_in(out, return_disconnected.lower()))
    return format_like(f, results)


def _as_list(values: TensorLike) -> list[Any]:
    return list(values) if isinstance(values, (list, tuple)) else [values]


def _direction(variable: Variable, point: TensorLike) -> Any:
    point = as_tensor_variable(point)
    if point.type.ndim != variable.type.ndim:
        raise ValueError(
            f"Element of eval_points for {variable} has {point.type.ndim} dimensions, but the "
            f"variable {variable.type.ndim}"
        )
    dtype = variable.type.dtype
    if dtypes.is_complex(point.type.dtype) and not dtypes.is_complex(dtype):
        raise ValueError(f"Element of eval_points for {variable}, which is real, is complex")
    return broadcast_like(cast(point, continuous_dtype(dtype)), variable)


def _connected(out: Variable, wrt: list[Variable]) -> bool:
    """Tell whether `out` is made from one of `wrt`, in whatever way but `disconnected_grad`.

    A length is not: it is no function of the items, nor are what `reshape` takes as one, the place
    of a maximum, and what a user's `R_op` says nothing of.
    """
    wanted, seen, waiting = set(wrt), set(), [out]
    while waiting:
        variable = waiting.pop()
        if variable in wanted:
            return True
        node = variable.owner
        if node is None or variable in seen:
            continue
        seen.add(variable)
        stops = isinstance(node.op, ArgExtreme) or node.rules.forward_by_user
        if stops or (isinstance(node.op, GradientFilter) and node.op.kind == "disconnected"):
            continue
        uses = zip(node.inputs, node.rules.connection(node), strict=True)
        waiting += [v for v, reaches in uses if reaches[variable.index]]
    return False


def _disconnected(out: Variable, wrt: list[Variable], policy: str) -> None:
    message = f"Rop: {out} depends on none of {wrt}"
    if policy == "raise":
        raise DisconnectedInputError(message)
    if policy == "warn":
        warnings.warn(message, stacklevel=3)


def _stand_in(out: TensorLike, choice: str) -> Any:
    if choice == "none":
        return None
    return zeros_like_float(out) if choice == "zero" else disconnected_type()


@overload
def jvp(f: Variable, wrt: Variables, tangents: TensorLike) -> TensorVariable: ...
@overload
def jvp(f: list[Any], wrt: Variables, tangents: TensorLike) -> list[TensorVariable]: ...
@overload
def jvp(f: tuple[Any, ...], wrt: Variables, tangents: TensorLike) -> tuple[TensorVariable, ...]: ...
def jvp(f: Any, wrt: Variables, tangents: TensorLike) -> Any:
    """Return the tangents of `f` for tangents of `wrt`: the forward mode, as `Rop` has it.

    Parameters
    ----------
    f : variable or list of variables
        What depends on no `wrt` gets zeros.
    wrt : variable or list of variables
    tangents : variable or list of variables
        Each of the shape of its `wrt`.

    Returns
    -------
    variable, list or tuple
        As `f`.

    Examples
    --------
    >>> import theano.tensor as T
    >>> x, v = T.dvectors("x", "v")
    >>> jvp(T.sin(x), x, v).eval({x: [0.0], v: [2.0]})
    array([2.])
    """
    return Rop(f, wrt, tangents, disconnected_outputs="ignore")


@overload
def hessian_vector_product(
    cost: Variable, wrt: Variable, vectors: TensorLike
) -> TensorVariable: ...
@overload
def hessian_vector_product(
    cost: Variable, wrt: list[Any], vectors: TensorLike
) -> list[TensorVariable]: ...
@overload
def hessian_vector_product(
    cost: Variable, wrt: tuple[Any, ...], vectors: TensorLike
) -> tuple[TensorVariable, ...]: ...
def hessian_vector_product(cost: Variable, wrt: Variables, vectors: TensorLike) -> Any:
    """Return the Hessian of a scalar times vectors, without the Hessian: forward over reverse.

    Parameters
    ----------
    cost : scalar variable
    wrt : variable or list of variables
    vectors : variable or list of variables
        Each of the shape of its `wrt`.

    Returns
    -------
    variable, list or tuple
        As `wrt`.

    Notes
    -----
    After B. A. Pearlmutter, "Fast exact multiplication by the Hessian", Neural Computation 6
    (1994) 147-160.

    Examples
    --------
    >>> x, v = T.dvectors("x", "v")
    >>> product = theano.gradient.hessian_vector_product((x**3).sum(), x, v)
    >>> product.eval({x: [1.0, 2.0], v: [1.0, 1.0]})
    array([ 6., 12.])
    """
    slopes = grad(cost, _as_list(wrt), disconnected_inputs="ignore")
    return format_like(wrt, jvp(slopes, wrt, vectors))


explain_functions(globals())
