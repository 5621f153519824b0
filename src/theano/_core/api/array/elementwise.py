"""Elementwise functions that are more than one operation, and other names of those that are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.api.conversion import as_tensor_variable, cast
from theano._core.base import dtypes
from theano._core.base.near_misses import explain_functions
from theano._core.base.settings import config
from theano._core.ir.variable import Variable
from theano._core.ops.array.broadcasting import alloc
from theano._core.ops.array.shaping import length
from theano._core.ops.elementwise import arithmetic as a_, transcendental as t

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike
    from theano._core.ir.tensor import TensorVariable


def _false_like(x: Variable) -> Any:
    shape = [length(x, axis) for axis in range(x.type.ndim)]
    return alloc(np.asarray(False), *shape)


def isnan(a: TensorLike) -> TensorVariable:
    """Return whether each item is not a number, dtype bool; always False for integers.

    Parameters
    ----------
    a : tensor

    Returns
    -------
    tensor, bool

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.isnan(x).eval({x: [np.nan, 1.0]})
    array([ True, False])
    """
    x = as_tensor_variable(a)
    return _false_like(x) if dtypes.is_discrete(x.type.dtype) else a_.isnan(x)


def isinf(a: TensorLike) -> TensorVariable:
    """Return whether each item is infinite, dtype bool; always False for integers.

    Parameters
    ----------
    a : tensor

    Returns
    -------
    tensor, bool

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.isinf(x).eval({x: [np.inf, 1.0]})
    array([ True, False])
    """
    x = as_tensor_variable(a)
    return _false_like(x) if dtypes.is_discrete(x.type.dtype) else a_.isinf(x)


def power(x: TensorLike, y: TensorLike) -> TensorVariable:
    """Return ``x ** y``, item by item.

    Parameters
    ----------
    x, y : tensor

    Returns
    -------
    tensor
        Of the common dtype.

    Examples
    --------
    >>> T.power(T.constant([2.0, 3.0]), 2).eval()
    array([4., 9.])
    """
    return t.pow(x, y)


def isclose(
    a: TensorLike, b: TensorLike, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> TensorVariable:
    """Return whether items are close: ``|a - b| <= atol + rtol * |b|``, dtype bool.

    Equal infinities are close. NaNs are close to each other only with `equal_nan`.

    Parameters
    ----------
    a, b : tensor
    rtol, atol : float
        How far apart items may be, relative to `b` and absolutely.
    equal_nan : bool
        Whether NaN is close to NaN.

    Returns
    -------
    tensor, bool

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.isclose(x, 1.0).eval({x: [1.0 + 1e-12, 1.1]})
    array([ True, False])
    """
    x, y = as_tensor_variable(a), as_tensor_variable(b)
    near = a_.le(a_.abs_(a_.sub(x, y)), a_.add(atol, a_.mul(rtol, a_.abs_(y))))
    both = a_.and_(isinf(x), isinf(y))
    special = a_.or_(a_.or_(isinf(x), isinf(y)), a_.or_(isnan(x), isnan(y)))
    close = a_.or_(a_.and_(near, a_.invert(special)), a_.and_(both, a_.eq(x, y)))
    return a_.or_(close, a_.and_(isnan(x), isnan(y))) if equal_nan else close


def round(a: TensorLike, mode: str | None = None) -> TensorVariable:
    """Return `a` rounded to integers, in its own float dtype.

    Parameters
    ----------
    a : tensor, float
    mode : {'half_to_even', 'half_away_from_zero'}, default 'half_to_even'
        What becomes of ties.

    Returns
    -------
    tensor
        Of the dtype of `a`.

    Raises
    ------
    TypeError
        `a` holds integers.

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.round(x).eval({x: [0.5, 1.5, 2.5]})
    array([0., 2., 2.])
    """
    if mode is None:
        mode = "half_to_even"
    if mode == "half_to_even":
        return a_.round_half_to_even(a)
    if mode == "half_away_from_zero":
        return a_.round_half_away_from_zero(a)
    raise ValueError(
        f"round mode {mode} is not implemented: half_to_even and half_away_from_zero are."
    )


def iround(a: TensorLike, mode: str | None = None) -> TensorVariable:
    """Return `a` rounded to integers of dtype int64; see `round`.

    Parameters
    ----------
    a : tensor, float
    mode : {'half_to_even', 'half_away_from_zero'}, optional

    Returns
    -------
    tensor, int64

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.iround(x).eval({x: [1.5, 2.5]})
    array([2, 2])
    """
    return cast(round(a, mode), "int64")


def divmod(x: TensorLike, y: TensorLike) -> tuple[TensorVariable, TensorVariable]:
    """Return the floor of the quotient, and the remainder.

    Parameters
    ----------
    x, y : tensor, real

    Returns
    -------
    tuple of two tensors
        Of the common dtype.

    Examples
    --------
    >>> x = T.lvector("x")
    >>> q, r = T.divmod(x, 3)
    >>> q.eval({x: [7, -7]}), r.eval({x: [7, -7]})
    (array([ 2, -3]), array([1, 2]))
    """
    return a_.int_div(x, y), mod_check(x, y)


def mod_check(x: TensorLike, y: TensorLike) -> TensorVariable:
    """Return the remainder of `x` divided by `y`; ComplexError for complex numbers.

    Parameters
    ----------
    x, y : tensor, real

    Returns
    -------
    tensor
        Of the common dtype.

    Examples
    --------
    >>> T.mod_check(T.constant(-7), 3).eval()
    array(2, dtype=int8)
    """
    return a_.mod(x, y)


def div_proxy(x: TensorLike, y: TensorLike) -> TensorVariable:
    """Return Python 2's ``x / y``: for integers what `config.int_division` says.

    Parameters
    ----------
    x, y : tensor

    Returns
    -------
    tensor

    Examples
    --------
    >>> T.div_proxy(T.constant(7.0), 2).eval()
    array(3.5, dtype=float32)
    """
    x, y = as_tensor_variable(x), as_tensor_variable(y)
    dtype = dtypes.division(x.type.dtype, y.type.dtype)
    return a_.int_div(x, y) if dtype == "int" else a_.true_div(x, y)


def ceil_intdiv(a: TensorLike, b: TensorLike) -> TensorVariable:
    """Return the quotient of integers, rounded up.

    Parameters
    ----------
    a, b : tensor, integers

    Returns
    -------
    tensor
        Of the common dtype.

    Examples
    --------
    >>> x = T.lvector("x")
    >>> T.ceil_intdiv(x, 3).eval({x: [6, 7]})
    array([2, 3])
    """
    x, y = as_tensor_variable(a), as_tensor_variable(b)
    quotient = a_.int_div(x, y)
    return a_.add(quotient, cast(a_.neq(a_.mod(x, y), 0), quotient.type.dtype))


def default(x: TensorLike, default: TensorLike) -> TensorVariable:
    """Return `x`, or `default` where `x` is None.

    Parameters
    ----------
    x : tensor or None
    default : tensor

    Returns
    -------
    tensor

    Examples
    --------
    >>> T.default(None, T.constant(3.0)).eval()
    array(3., dtype=float32)
    """
    return as_tensor_variable(default if x is None else x)


def largest(*args: TensorLike) -> TensorVariable:
    """Return the largest of several tensors, itemwise.

    Parameters
    ----------
    *args : tensors
        Of two that are equal, or one of which is NaN, the second is taken.

    Returns
    -------
    tensor
        Of the common dtype.

    Examples
    --------
    >>> x, y = T.dvectors("x", "y")
    >>> T.largest(x, y).eval({x: [1.0, 5.0], y: [3.0, 2.0]})
    array([3., 5.])
    """
    return _extreme(a_.maximum, a_.gt, args)


def smallest(*args: TensorLike) -> TensorVariable:
    """Return the smallest of several tensors, itemwise.

    Parameters
    ----------
    *args : tensors
        Of two that are equal, or one of which is NaN, the second is taken.

    Returns
    -------
    tensor
        Of the common dtype.

    Examples
    --------
    >>> x, y = T.dvectors("x", "y")
    >>> T.smallest(x, y).eval({x: [1.0, 5.0], y: [3.0, 2.0]})
    array([1., 2.])
    """
    return _extreme(a_.minimum, a_.lt, args)


def _extreme(op: Any, exceeds: Any, values: tuple[object, ...]) -> Any:
    if not values:
        raise TypeError(f"{op.name} needs at least one tensor")
    # Of two, the second is chosen unless the first exceeds it: with NaN and for gradients, too.
    if len(values) == 2:
        return a_.switch(exceeds(*values), *values)
    result = as_tensor_variable(values[0])
    for value in values[1:]:
        result = op(result, value)
    return result


def identity_copy(x: TensorLike) -> Any:
    """Return a variable of its own with the value of `x`."""
    return a_.copy(as_tensor_variable(x))


def float_x(value: TensorLike) -> np.ndarray:
    """Return numbers as an array of `config.floatX`."""
    return np.asarray(value, dtype=config.floatX)


def isfinite(a: TensorLike) -> TensorVariable:
    """Return whether each item is neither infinite nor NaN, dtype bool.

    Parameters
    ----------
    a : tensor

    Returns
    -------
    tensor, bool

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.isfinite(x).eval({x: [1.0, np.inf, np.nan]})
    array([ True, False, False])
    """
    return a_.invert(a_.or_(isnan(a), isinf(a)))


def logical_and(x: TensorLike, y: TensorLike) -> TensorVariable:
    """Return whether both are not zero, dtype bool.

    Parameters
    ----------
    x : tensor
    y : tensor

    Returns
    -------
    tensor, bool

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.logical_and(x > 0, x < 1).eval({x: [0.5, 2.0]})
    array([ True, False])
    """
    return a_.and_(truth(x), truth(y))


def logical_or(x: TensorLike, y: TensorLike) -> TensorVariable:
    """Return whether one of two is not zero, dtype bool.

    Parameters
    ----------
    x : tensor
    y : tensor

    Returns
    -------
    tensor, bool

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.logical_or(x < 0, x > 1).eval({x: [0.5, 2.0]})
    array([False,  True])
    """
    return a_.or_(truth(x), truth(y))


def logical_xor(x: TensorLike, y: TensorLike) -> TensorVariable:
    """Return whether just one of two is not zero, dtype bool.

    Parameters
    ----------
    x : tensor
    y : tensor

    Returns
    -------
    tensor, bool

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.logical_xor(x > 0, x > 1).eval({x: [0.5, 2.0]})
    array([ True, False])
    """
    return a_.xor(truth(x), truth(y))


def logical_not(x: TensorLike) -> TensorVariable:
    """Return whether each item is zero, dtype bool.

    Parameters
    ----------
    x : tensor

    Returns
    -------
    tensor, bool

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.logical_not(x > 1).eval({x: [0.5, 2.0]})
    array([ True, False])
    """
    return a_.invert(truth(x))


def truth(x: TensorLike) -> Any:
    """Return whether each item is not zero, dtype bool."""
    x = as_tensor_variable(x)
    return x if x.dtype == "bool" else a_.neq(x, 0)


def hypot(x: TensorLike, y: TensorLike) -> TensorVariable:
    """Return ``sqrt(x**2 + y**2)`` without overflow.

    Parameters
    ----------
    x : tensor
    y : tensor

    Returns
    -------
    tensor

    Examples
    --------
    >>> T.hypot(3.0, 4.0).eval()
    array(5., dtype=float32)
    """
    x, y = as_tensor_variable(x), as_tensor_variable(y)
    dtype = dtypes.to_float(dtypes.upcast(x.dtype, y.dtype))
    # The size of a complex number is that.
    return cast(a_.abs_(a_.complex_(cast(x, dtype), cast(y, dtype))), dtype)


def sinc(x: TensorLike) -> TensorVariable:
    """Return ``sin(pi * x) / (pi * x)``, and 1 at 0.

    Parameters
    ----------
    x : tensor

    Returns
    -------
    tensor

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.sinc(x).eval({x: [0.0, 0.5]}).round(4)
    array([1.    , 0.6366])
    """
    x = as_tensor_variable(x)
    x = cast(x, "float64" if dtypes.is_discrete(x.dtype) else x.dtype)
    angle = a_.switch(a_.eq(x, 0), np.asarray(1e-20, x.dtype), x) * np.asarray(np.pi, x.dtype)
    return a_.true_div(t.sin(angle), angle)


def logaddexp(x: TensorLike, y: TensorLike) -> TensorVariable:
    """Return ``log(exp(x) + exp(y))`` without overflow.

    Parameters
    ----------
    x : tensor
    y : tensor

    Returns
    -------
    tensor

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.logaddexp(x, x).eval({x: [1000.0]}).round(4)
    array([1000.6931])
    """
    x, y = as_tensor_variable(x), as_tensor_variable(y)
    high = a_.maximum(x, y)
    # Two infinities of one sign have no difference.
    off = a_.switch(a_.eq(x, y), np.asarray(0, high.dtype), a_.neg(a_.abs_(a_.sub(x, y))))
    return a_.add(high, t.log1p(t.exp(off)))


def nan_to_num(
    x: TensorLike, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> TensorVariable:
    """Return `x` with numbers for NaN and infinities; by default the largest finite ones.

    Parameters
    ----------
    x : tensor
    nan : number
    posinf : number, optional
    neginf : number, optional

    Returns
    -------
    tensor

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.nan_to_num(x, nan=-1.0).eval({x: [1.0, np.nan]})
    array([ 1., -1.])
    """
    x = as_tensor_variable(x)
    if dtypes.is_discrete(x.dtype):
        return x
    ends = np.finfo(x.dtype)
    top = np.asarray(ends.max if posinf is None else posinf, x.dtype)
    bottom = np.asarray(ends.min if neginf is None else neginf, x.dtype)
    bounded = a_.switch(isinf(x), a_.switch(a_.gt(x, 0), top, bottom), x)
    return a_.switch(isnan(x), np.asarray(nan, x.dtype), bounded)


def clipped(x: TensorLike, low: TensorLike | None = None, high: TensorLike | None = None) -> Any:
    """Return the items of `x` held between two bounds, None for no bound."""
    if low is not None and high is not None:
        return a_.clip(x, low, high)
    x = x if low is None else a_.maximum(x, low)
    return x if high is None else a_.minimum(x, high)


explain_functions(globals())
