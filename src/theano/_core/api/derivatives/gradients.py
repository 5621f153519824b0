"""Symbolic derivatives, and identities that change them."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

from theano._core.api.conversion import as_tensor_variable
from theano._core.autodiff.reverse import grad
from theano._core.base.near_misses import explain_functions
from theano._core.ir.variable import Variable
from theano._core.ops.array.gradient import (
    Checkpoint,
    DisconnectedGrad,
    DisconnectedType,
    GradClip,
    GradScale,
    UndefinedGrad,
    ZeroGrad,
    null_gradient,
)
from theano._core.ops.array.indexing import AT, AdvancedSubtensor
from theano._core.ops.core.op import Op
from theano._core.ops.elementwise.arithmetic import add

if TYPE_CHECKING:
    from typing import Unpack

    from theano._core.ir.annotations import GradientOptions, TensorLike, Variables
    from theano._core.ir.tensor import TensorVariable


def format_as(use_list: bool, use_tuple: bool, outputs: TensorLike) -> Any:
    """Return `outputs` as a list, a tuple, or the single variable it holds.

    Parameters
    ----------
    use_list, use_tuple : bool
        At most one may be True.
    outputs : variable or sequence of variables

    Returns
    -------
    variable, list or tuple

    Examples
    --------
    >>> x = T.dscalar("x")
    >>> theano.gradient.format_as(False, True, [x]) == (x,)
    True
    """
    if use_list and use_tuple:
        raise ValueError("both use_list and use_tuple were asked for")
    if isinstance(outputs, (list, tuple)):
        if use_list:
            return list(outputs)
        if use_tuple:
            return tuple(outputs)
        if len(outputs) != 1:
            raise ValueError(f"one output was expected, got {len(outputs)}")
        return outputs[0]
    return [outputs] if use_list else (outputs,) if use_tuple else outputs


def format_like(example: TensorLike, outputs: TensorLike) -> Any:
    """Return `outputs` as a list or a tuple if `example` is one, else the single variable."""
    return format_as(isinstance(example, list), isinstance(example, tuple), outputs)


def _as_list(values: TensorLike) -> list[Any]:
    return list(values) if isinstance(values, (list, tuple)) else [values]


@overload
def Lop(
    f: Variables,
    wrt: Variable,
    eval_points: TensorLike,
    consider_constant: Sequence[Variable] | None = None,
    disconnected_inputs: str = "raise",
) -> TensorVariable: ...
@overload
def Lop(
    f: Variables,
    wrt: list[Any],
    eval_points: TensorLike,
    consider_constant: Sequence[Variable] | None = None,
    disconnected_inputs: str = "raise",
) -> list[TensorVariable]: ...
@overload
def Lop(
    f: Variables,
    wrt: tuple[Any, ...],
    eval_points: TensorLike,
    consider_constant: Sequence[Variable] | None = None,
    disconnected_inputs: str = "raise",
) -> tuple[TensorVariable, ...]: ...
def Lop(
    f: Variables,
    wrt: Variables,
    eval_points: TensorLike,
    consider_constant: Sequence[Variable] | None = None,
    disconnected_inputs: str = "raise",
) -> Any:
    """Return `eval_points` times the Jacobian of `f` with respect to `wrt`.

    Parameters
    ----------
    f : variable or list of variables
    wrt : variable or list of variables
    eval_points : variable or list of variables
        Each of the shape of its `f`.
    consider_constant : list of variables, optional
        Through which nothing is differentiated.
    disconnected_inputs : {'raise', 'warn', 'ignore'}

    Returns
    -------
    variable, list or tuple
        As `wrt`.

    Examples
    --------
    >>> x, v = T.dvectors("x", "v")
    >>> T.Lop(x**2, x, v).eval({x: [1.0, 2.0], v: [1.0, 10.0]})
    array([ 2., 40.])
    """
    outputs, points = _as_list(f), [as_tensor_variable(p) for p in _as_list(eval_points)]
    if len(outputs) != len(points):
        raise AssertionError(f"there are {len(outputs)} f and {len(points)} eval_points")
    cotangents = dict(zip(outputs, points, strict=True))
    results = grad(
        None, _as_list(wrt), consider_constant, disconnected_inputs, known_grads=cotangents
    )
    return format_like(wrt, results)


@overload
def vjp(f: Variables, wrt: Variable, cotangents: TensorLike) -> TensorVariable: ...
@overload
def vjp(f: Variables, wrt: list[Any], cotangents: TensorLike) -> list[TensorVariable]: ...
@overload
def vjp(
    f: Variables, wrt: tuple[Any, ...], cotangents: TensorLike
) -> tuple[TensorVariable, ...]: ...
def vjp(f: Variables, wrt: Any, cotangents: TensorLike) -> Any:
    """Return `cotangents` times the Jacobian of `f`: the reverse mode, as `Lop` has it.

    Parameters
    ----------
    f : variable or list of variables
    wrt : variable or list of variables
        What `f` does not depend on gets zeros.
    cotangents : variable or list of variables
        Each of the shape of its `f`.

    Returns
    -------
    variable, list or tuple
        As `wrt`.

    Examples
    --------
    >>> x, v = T.dvectors("x", "v")
    >>> theano.gradient.vjp(x**2, x, v).eval({x: [1.0, 2.0], v: [1.0, 10.0]})
    array([ 2., 40.])
    """
    return Lop(f, wrt, cotangents, disconnected_inputs="ignore")


@overload
def value_and_grad(
    cost: Variable,
    wrt: Variable,
    *,
    consider_constant: Iterable[Variable] | None = None,
    disconnected_inputs: str = "raise",
    **options: Unpack[GradientOptions],
) -> tuple[TensorVariable, TensorVariable]: ...
@overload
def value_and_grad(
    cost: Variable,
    wrt: list[Any],
    *,
    consider_constant: Iterable[Variable] | None = None,
    disconnected_inputs: str = "raise",
    **options: Unpack[GradientOptions],
) -> tuple[TensorVariable, list[TensorVariable]]: ...
@overload
def value_and_grad(
    cost: Variable,
    wrt: tuple[Any, ...],
    *,
    consider_constant: Iterable[Variable] | None = None,
    disconnected_inputs: str = "raise",
    **options: Unpack[GradientOptions],
) -> tuple[TensorVariable, tuple[TensorVariable, ...]]: ...
def value_and_grad(cost: Variable, wrt: Any, **options: Any) -> tuple[Any, Any]:
    """Return `cost` and its gradient, as `theano.grad` with these options makes it.

    Parameters
    ----------
    cost : scalar variable
    wrt : variable or list of variables
    **options : object
        As of `grad`.

    Returns
    -------
    tuple of the cost and its gradient
        The latter as `grad` returns it.

    Examples
    --------
    >>> x = T.dvector("x")
    >>> f = theano.function([x], list(theano.gradient.value_and_grad((x**2).sum(), x)))
    >>> value, slope = f([1.0, 2.0])
    >>> float(value), slope.tolist()
    (5.0, [2.0, 4.0])
    """
    return cost, grad(cost, wrt, **options)


def subgraph_grad(
    wrt: list[Variable],
    end: list[Variable],
    start: Mapping[object, object] | None = None,
    cost: Variable | None = None,
    details: bool = False,
) -> Any:
    """Return gradients of one part of a graph, and those with which the part before it goes on.

    Parameters
    ----------
    wrt : list of variables
        Variables of the part.
    end : list of variables
        Where the part ends, towards the inputs: no gradient flows past them.
    start : dict of variable to variable, optional
        Gradients at the other end of the part.
    cost : scalar variable, optional
        What to differentiate, in addition to `start` if both are given.
    details : bool
        Also return the terms that come from `start`, and those from `cost`.

    Returns
    -------
    tuple of lists of variables
        Gradients with respect to `wrt`, and with respect to `end`. With `details` two more lists,
        each with respect to `wrt` and then `end`; None where `start` or `cost` is not given.

    Examples
    --------
    >>> x = T.dvector("x")
    >>> hidden = T.tanh(x)
    >>> inner, outer = theano.subgraph_grad([hidden], [x], cost=(hidden**2).sum())
    >>> outer[0].eval({x: [0.0]})
    array([0.])
    """
    if cost is None and start is None:
        raise AssertionError("subgraph_grad needs a cost, a start, or both")
    targets = [*wrt, *end]
    from_start = from_cost = None
    if start is not None:
        from_start = grad(None, targets, end, "ignore", known_grads=start)
    if cost is not None:
        from_cost = grad(cost, targets, end, "ignore")
    if from_start is None or from_cost is None:
        total = from_start or from_cost or []
    else:
        total = [add(a, b) for a, b in zip(from_start, from_cost, strict=True)]
    parts = (total[: len(wrt)], total[len(wrt) :])
    return (*parts, from_start, from_cost) if details else parts


# Called, it makes a variable that stands for a gradient that does not exist: zero by structure.
disconnected_type = DisconnectedType()


def consider_constant(x: TensorLike) -> TensorVariable:
    """Return `x`, with a gradient of zero; `zero_grad` and `disconnected_grad` say it better.

    Parameters
    ----------
    x : tensor

    Returns
    -------
    tensor
    """
    warnings.warn(
        "consider_constant() is deprecated, use zero_grad() or disconnected_grad() instead.",
        DeprecationWarning,
        stacklevel=2,
    )
    return consider_constant_(x)


consider_constant_ = zero_grad_ = ZeroGrad()
disconnected_grad_ = DisconnectedGrad()
undefined_grad_ = UndefinedGrad()


def zero_grad(x: TensorLike) -> Any:
    """Return `x`, through which the gradient is zero.

    Parameters
    ----------
    x : variable

    Returns
    -------
    variable
        Of the type of `x`.

    Examples
    --------
    >>> x = T.dscalar("x")
    >>> T.grad(x * theano.gradient.zero_grad(x), x).eval({x: 3.0})
    array(3.)
    """
    return zero_grad_(x)


def disconnected_grad(x: TensorLike) -> Any:
    """Return `x`, through which no gradient flows: what it depends on is disconnected.

    Parameters
    ----------
    x : variable

    Returns
    -------
    variable
        Of the type of `x`.

    Examples
    --------
    >>> x = T.dscalar("x")
    >>> T.grad(x * theano.gradient.disconnected_grad(x), x).eval({x: 3.0})
    array(3.)
    """
    return disconnected_grad_(x)


def undefined_grad(x: TensorLike) -> Any:
    """Return `x`; asking for a gradient through it raises NullTypeGradError.

    Parameters
    ----------
    x : variable

    Returns
    -------
    variable
        Of the type of `x`.

    Examples
    --------
    >>> x = T.dscalar("x")
    >>> theano.grad(theano.gradient.undefined_grad(x), x, null_gradients="return").type
    NullType
    """
    return undefined_grad_(x)


def sparse_grad(var: Variable) -> Any:
    """Return `var`, rows of a matrix at a vector of positions, with a sparse gradient.

    The gradient with respect to the matrix stores the rows that were chosen: `theano.sparse` has
    the operations on it.

    Parameters
    ----------
    var : variable
        ``x[positions]`` of a matrix `x`.

    Returns
    -------
    variable
        `var` again.

    Raises
    ------
    TypeError
        `var` is something else.

    Examples
    --------
    >>> import theano.sparse
    >>> x, rows = T.dmatrix("x"), T.lvector("rows")
    >>> g = theano.grad(theano.sparse_grad(x[rows]).sum(), x)
    >>> g.eval({x: np.ones((3, 2)), rows: [1]}).nnz
    2
    """
    if var.owner is None or var.owner.op != AdvancedSubtensor((AT,)):
        raise TypeError("sparse_grad needs x[v] with an integer vector v, got " + str(var))
    from theano._core.ops.sparse.indexing import SparseGradientRows

    return SparseGradientRows()(*var.owner.inputs)


def grad_clip(x: TensorLike, lower_bound: float, upper_bound: float) -> TensorVariable:
    """Return `x`; the gradient that flows back through it is held between two bounds.

    Parameters
    ----------
    x : tensor
    lower_bound, upper_bound : float

    Returns
    -------
    tensor
        `x` itself, in a call.

    Examples
    --------
    >>> import theano.tensor as T
    >>> x = T.dscalar()
    >>> grad(grad_clip(x, -1, 1) ** 2, x).eval({x: 2.0})
    array(1.)
    """
    if not upper_bound >= lower_bound:
        raise ValueError(f"grad_clip: the bounds are {lower_bound} and {upper_bound}")
    return GradClip(lower_bound, upper_bound)(x)


def grad_scale(x: TensorLike, multiplier: TensorLike) -> TensorVariable:
    """Return `x`; the gradient that flows back through it is multiplied by a number.

    Parameters
    ----------
    x : tensor
    multiplier : tensor
        One number, or what broadcasts to the gradient.

    Returns
    -------
    tensor
        `x` itself, in a call.

    Examples
    --------
    >>> x = T.dscalar("x")
    >>> T.grad(theano.gradient.grad_scale(x, -1.0) ** 2, x).eval({x: 3.0})
    array(-6.)
    """
    return GradScale(multiplier)(x)


def checkpoint(x: TensorLike) -> TensorVariable:
    """Return `x`, which gradients compute again instead of having it kept until they need it.

    It is computed again from the nearest values that are not marked this way. That takes time and
    saves memory: mark what is large and cheap.

    Parameters
    ----------
    x : tensor

    Returns
    -------
    tensor
        `x` itself, in a call.

    Examples
    --------
    >>> import theano.tensor as T
    >>> x = T.dvector()
    >>> hidden = checkpoint(T.tanh(x))
    >>> grad((hidden**2).sum(), x).eval({x: [0.0]})
    array([0.])
    """
    return Checkpoint()(x)


def grad_undefined(op: Op, x_pos: int, x: TensorLike, comment: str = "") -> Any:
    """Return what an operation gives as the gradient of an input where it is not defined.

    Parameters
    ----------
    op : Op
    x_pos : int
        Which input.
    x : variable
        That input.
    comment : str
        What the error says.

    Returns
    -------
    variable
        Of a null type: using it raises NullTypeGradError.

    Examples
    --------
    >>> x = T.dscalar("x")
    >>> T.grad_undefined(T.exp, 0, x).type
    NullType
    """
    return null_gradient(
        f"tensor.grad encountered a NaN. {op}.grad is undefined with respect to input {x_pos}, "
        f"{x}. {comment}"
    )


def grad_not_implemented(op: Op, x_pos: int, x: TensorLike, comment: str = "") -> Any:
    """Return what an operation gives as the gradient of an input that nobody has written yet.

    Parameters
    ----------
    op : Op
    x_pos : int
        Which input.
    x : variable
        That input.
    comment : str
        What the error says.

    Returns
    -------
    variable
        Of a null type: using it raises NullTypeGradError.

    Examples
    --------
    >>> x = T.dscalar("x")
    >>> T.grad_not_implemented(T.exp, 0, x).type
    NullType
    """
    return null_gradient(
        f"{op}.grad is not implemented with respect to input {x_pos}, {x}. {comment}"
    )


explain_functions(globals())
