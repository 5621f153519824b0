"""Reductions and statistics of tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.api.array.elementwise import isclose
from theano._core.api.array.shaping import make_keep_dims, normalized_axes
from theano._core.api.conversion import as_tensor_variable, cast
from theano._core.base import dtypes
from theano._core.base.near_misses import explain_functions
from theano._core.ir.variable import Variable
from theano._core.ops.array.reductions import ArgExtreme, reduce
from theano._core.ops.array.shaping import length
from theano._core.ops.elementwise import arithmetic as a_, transcendental as t

if TYPE_CHECKING:
    from theano._core.ir.annotations import Axes, TensorLike
    from theano._core.ir.tensor import TensorVariable


def _reduced(
    kind: str,
    x: TensorLike,
    axis: TensorLike | None,
    keepdims: bool,
    dtype: str | None = None,
    acc_dtype: str | None = None,
) -> Any:
    out = reduce(kind, x, normalized_axes(x, axis), dtype, acc_dtype)
    return make_keep_dims(x, out, axis) if keepdims else out


def _asked(dtype: str | None) -> str | None:
    return None if dtype is None else dtypes.named(dtype)


def sum(
    input: TensorLike,
    axis: TensorLike | None = None,
    dtype: str | None = None,
    keepdims: bool = False,
    acc_dtype: str | None = None,
) -> TensorVariable:
    """Return the sum of the items over axes.

    Parameters
    ----------
    input : tensor
    axis : int, sequence of int, or None
        None: all axes.
    dtype : str, optional
        Item type of the result. By default integers and bool give int64 (unsigned: uint64), floats
        stay.
    keepdims : bool
        Keep the summed axes, broadcastable.
    acc_dtype : str, optional
        Item type the sum is carried in; by default float16 and float32 are carried wider.

    Returns
    -------
    tensor
        Of dtype `dtype`.

    Raises
    ------
    TypeError
        `acc_dtype` is less precise than the input.
    ValueError
        No such axis.

    Examples
    --------
    >>> x = T.constant([[1.0, 2.0], [3.0, 4.0]])
    >>> T.sum(x).eval(), T.sum(x, axis=0).eval()
    (array(10.), array([4., 6.]))
    >>> T.sum(x, axis=1, keepdims=True).broadcastable
    (False, True)
    """
    return _sum_or_product("sum", input, axis, dtype, keepdims, acc_dtype)


def prod(
    input: TensorLike,
    axis: TensorLike | None = None,
    dtype: str | None = None,
    keepdims: bool = False,
    acc_dtype: str | None = None,
    no_zeros_in_input: bool = False,
) -> TensorVariable:
    """Return the product of the items over axes; arguments as for `sum`.

    `no_zeros_in_input` is accepted for old programs: the gradient is right either way.

    Parameters
    ----------
    input : tensor
    axis : int, tuple of int or None
        None: all axes.
    dtype, acc_dtype : str, optional
        Of the result, and of the numbers on the way.
    keepdims : bool
        Whether reduced axes stay, with length 1.
    no_zeros_in_input : bool
        Whether the gradient may divide by the items.

    Returns
    -------
    tensor
        Of dtype `dtype`.

    Examples
    --------
    >>> T.prod([1, 2, 3]).eval()
    array(6)
    """
    return _sum_or_product("prod", input, axis, dtype, keepdims, acc_dtype)


def _sum_or_product(
    kind: str,
    value: TensorLike,
    axis: TensorLike | None,
    dtype: str | None,
    keepdims: bool,
    acc_dtype: str | None,
) -> Any:
    x = as_tensor_variable(value)
    acc_dtype = _asked(acc_dtype)
    if acc_dtype is not None:
        dtypes.accumulator_dtype(x.type.dtype, acc_dtype)
    asked = _asked(dtype)
    if asked is not None and dtypes.is_complex(x.type.dtype) and not dtypes.is_complex(asked):
        return cast(a_.real(_reduced(kind, x, axis, keepdims, None, acc_dtype)), asked)
    return _reduced(kind, x, axis, keepdims, asked, acc_dtype)


def mean(
    input: TensorLike,
    axis: TensorLike | None = None,
    dtype: str | None = None,
    op: bool = False,
    keepdims: bool = False,
    acc_dtype: str | None = None,
) -> TensorVariable:
    """Return the mean of the items over axes; integers give float64.

    Parameters
    ----------
    input : tensor
    axis : int, sequence of int, or None
    dtype : str, optional
        Item type of the sum and, if it is a float, of the result.
    op : bool
        Accepted for old programs; makes no difference.
    keepdims : bool
    acc_dtype : str, optional

    Returns
    -------
    tensor, float or complex

    Examples
    --------
    >>> T.mean([[1, 2], [3, 6]], axis=0).eval()
    array([2., 4.])
    """
    x = as_tensor_variable(input)
    asked = _asked(dtype)
    sum_dtype = asked or dtypes.mean_dtype(x.type.dtype)
    if sum_dtype == "float16" and asked is None:
        sum_dtype = "float32"
    total = sum(x, axis, sum_dtype, keepdims, acc_dtype)
    small = total.type.dtype in ("float16", "float32", "complex64")
    count = _count(x, axis, "float32" if small else "float64")
    result = a_.true_div(total, count)
    if x.type.dtype == "float16" and asked is None:
        result = cast(result, "float16")
    elif total.type.dtype != result.type.dtype and dtypes.is_continuous(total.type.dtype):
        result = cast(result, total.type.dtype)
    result.name = "mean"
    return result


def _count(x: Variable, axis: TensorLike | None, dtype: str) -> Any:
    axes = normalized_axes(x, axis)
    axes = range(x.type.ndim) if axes is None else axes
    total: Any = None
    for one in axes:
        size = cast(as_tensor_variable(length(x, one)), dtype)
        total = size if total is None else a_.mul(total, size)
    return as_tensor_variable(np.ones((), dtype=dtype)) if total is None else total


def var(
    input: TensorLike,
    axis: TensorLike | None = None,
    ddof: int = 0,
    keepdims: bool = False,
    corrected: bool = False,
) -> TensorVariable:
    """Return the variance of the items over axes.

    Parameters
    ----------
    input : tensor
    axis : int, sequence of int, or None
    ddof : int
        The sum of squares is divided by the number of items less `ddof`.
    keepdims : bool
    corrected : bool
        Subtract what rounding of the mean left over, squared: the corrected two-pass algorithm.

    Returns
    -------
    tensor, float

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.var(x, ddof=1).eval({x: [1.0, 2.0, 3.0]})
    array(1.)
    """
    x = as_tensor_variable(input)
    axes = normalized_axes(x, axis)
    centred = a_.sub(x, mean(x, axes, keepdims=True))
    spread = mean(a_.sqr(centred), axes, keepdims=keepdims)
    if corrected:
        spread = a_.sub(spread, a_.sqr(mean(centred, axes, keepdims=keepdims)))
    if ddof:
        count = _count(x, axes, "float64" if spread.type.dtype == "float64" else "float32")
        spread = cast(a_.mul(spread, a_.true_div(count, a_.sub(count, ddof))), spread.type.dtype)
    spread.name = "var"
    return spread


def std(
    input: TensorLike,
    axis: TensorLike | None = None,
    ddof: int = 0,
    keepdims: bool = False,
    corrected: bool = False,
) -> TensorVariable:
    """Return the standard deviation, the square root of `var`; same arguments.

    Parameters
    ----------
    input : tensor
    axis : int, tuple of int or None
        None: all axes.
    ddof : int
        What is taken from the number of items in the divisor.
    keepdims : bool
        Whether reduced axes stay, with length 1.
    corrected : bool
        Whether to correct the rounding of the mean.

    Returns
    -------
    tensor, float

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.std(x).eval({x: [1.0, 3.0]})
    array(1.)
    """
    result = t.sqrt(var(input, axis, ddof, keepdims, corrected))
    result.name = "std"
    return result


def max(x: TensorLike, axis: TensorLike | None = None, keepdims: bool = False) -> TensorVariable:
    """Return the largest item over axes; NaN if any item is.

    The gradient goes to each of several equal largest items.

    Parameters
    ----------
    x : tensor
    axis : int, tuple of int or None
        None: all axes.
    keepdims : bool
        Whether reduced axes stay, with length 1.

    Returns
    -------
    tensor
        Of the dtype of `x`.

    Examples
    --------
    >>> x = T.dmatrix("x")
    >>> T.max(x, axis=0).eval({x: [[1.0, 4.0], [3.0, 2.0]]})
    array([3., 4.])
    """
    return _extreme("max", x, axis, keepdims)


def min(x: TensorLike, axis: TensorLike | None = None, keepdims: bool = False) -> TensorVariable:
    """Return the smallest item over axes; NaN if any item is.

    Parameters
    ----------
    x : tensor
    axis : int, tuple of int or None
        None: all axes.
    keepdims : bool
        Whether reduced axes stay, with length 1.

    Returns
    -------
    tensor
        Of the dtype of `x`.

    Examples
    --------
    >>> x = T.dmatrix("x")
    >>> T.min(x, axis=0).eval({x: [[1.0, 4.0], [3.0, 2.0]]})
    array([1., 2.])
    """
    return _extreme("min", x, axis, keepdims)


def _extreme(kind: str, value: TensorLike, axis: TensorLike | None, keepdims: bool) -> Any:
    x = as_tensor_variable(value)
    axis = _constant_axis(axis)
    out = reduce(kind, x, normalized_axes(x, axis))
    out.name = kind
    return make_keep_dims(x, out, axis) if keepdims else out


def _constant_axis(axis: Any) -> Any:
    """Return the ints of an axis that is given as a constant array; no axes stand for all."""
    data = getattr(axis, "data", axis)
    if hasattr(data, "tolist") and not isinstance(axis, (int, float)):
        data = data.tolist()
    return None if isinstance(data, (list, tuple)) and not data else data


def argmax(x: TensorLike, axis: TensorLike | None = None, keepdims: bool = False) -> TensorVariable:
    """Return the position of the largest item over axes, int64.

    Parameters
    ----------
    x : tensor
    axis : int, sequence of int, or None
        Over several axes, or None or ``()`` for all, the position counts in C order.
    keepdims : bool

    Returns
    -------
    tensor, int64
        Positions in the flattened array if `axis` is None.

    Examples
    --------
    >>> x = T.dmatrix("x")
    >>> T.argmax(x, axis=1).eval({x: [[1.0, 3.0], [5.0, 2.0]]})
    array([1, 0])
    """
    return _position("argmax", x, axis, keepdims)


def argmin(x: TensorLike, axis: TensorLike | None = None, keepdims: bool = False) -> TensorVariable:
    """Return the position of the smallest item over axes, int64; see `argmax`.

    Parameters
    ----------
    x : tensor
    axis : int, tuple of int or None
        None: all axes.
    keepdims : bool
        Whether reduced axes stay, with length 1.

    Returns
    -------
    tensor, int64

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.argmin(x).eval({x: [3.0, 1.0, 2.0]})
    array(1)
    """
    return _position("argmin", x, axis, keepdims)


def _position(kind: str, value: TensorLike, axis: TensorLike | None, keepdims: bool) -> Any:
    x = as_tensor_variable(value)
    axis = _constant_axis(axis)
    out = ArgExtreme(kind, normalized_axes(x, axis))(x)
    out.name = kind
    return make_keep_dims(x, out, axis) if keepdims else out


def max_and_argmax(
    a: TensorLike, axis: Axes = None, keepdims: bool = False
) -> list[TensorVariable]:
    """Return `max` and `argmax` as a list.

    Parameters
    ----------
    a : tensor
    axis : int, tuple of int or None
        None: all axes.
    keepdims : bool
        Whether reduced axes stay, with length 1.

    Returns
    -------
    list of two tensors
        Of the dtype of `a`, and int64.

    Examples
    --------
    >>> x = T.dvector("x")
    >>> value, position = T.max_and_argmax(x)
    >>> float(value.eval({x: [1.0, 5.0]})), int(position.eval({x: [1.0, 5.0]}))
    (5.0, 1)
    """
    return [max(a, axis, keepdims), argmax(a, axis, keepdims)]


def any(x: TensorLike, axis: TensorLike | None = None, keepdims: bool = False) -> TensorVariable:
    """Return whether any item over axes is not zero, dtype bool.

    Parameters
    ----------
    x : tensor
    axis : int, tuple of int or None
        None: all axes.
    keepdims : bool
        Whether reduced axes stay, with length 1.

    Returns
    -------
    tensor, bool

    Examples
    --------
    >>> x = T.dmatrix("x")
    >>> T.any(x < 0, axis=1).eval({x: [[1.0, 2.0], [1.0, -1.0]]})
    array([False,  True])
    """
    return _reduced("any", as_tensor_variable(x), axis, keepdims)


def all(x: TensorLike, axis: TensorLike | None = None, keepdims: bool = False) -> TensorVariable:
    """Return whether all items over axes are not zero, dtype bool.

    Parameters
    ----------
    x : tensor
    axis : int, tuple of int or None
        None: all axes.
    keepdims : bool
        Whether reduced axes stay, with length 1.

    Returns
    -------
    tensor, bool

    Examples
    --------
    >>> x = T.dmatrix("x")
    >>> T.all(x > 0, axis=1).eval({x: [[1.0, 2.0], [1.0, -1.0]]})
    array([ True, False])
    """
    return _reduced("all", as_tensor_variable(x), axis, keepdims)


def ptp(a: TensorLike, axis: TensorLike | None = None) -> TensorVariable:
    """Return the largest less the smallest item over axes.

    Parameters
    ----------
    a : tensor
    axis : int or None
        None: the flattened array.

    Returns
    -------
    tensor
        Of the dtype of `a`.

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.ptp(x).eval({x: [1.0, 5.0]})
    array(4.)
    """
    return a_.sub(max(a, axis), min(a, axis))


def allclose(
    a: TensorLike, b: TensorLike, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> TensorVariable:
    """Return whether all items are close, a bool scalar; see `isclose`.

    Parameters
    ----------
    a, b : tensor
    rtol, atol : float
        How far apart items may be, relative to `b` and absolutely.
    equal_nan : bool
        Whether NaN is close to NaN.

    Returns
    -------
    tensor, bool scalar

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.allclose(x, [1.0, 2.0]).eval({x: [1.0, 2.0 + 1e-12]})
    array(True)
    """
    return all(isclose(a, b, rtol, atol, equal_nan))


def norm(x: TensorLike, ord: float, axis: TensorLike | None = None, keepdims: bool = False) -> Any:
    """Return the `ord`-norm of the items over axes: the root of the sum of ``|x| ** ord``.

    Of infinite order it is the largest absolute value, of order -inf the smallest.
    """
    if ord == 0:
        raise NotImplementedError("the 0-norm is not implemented: use T.neq(x, 0).sum(axis)")
    if np.isinf(ord):
        return (max if ord > 0 else min)(a_.abs_(x), axis, keepdims)
    return t.pow(sum(t.pow(a_.abs_(x), ord), axis, keepdims=keepdims), 1.0 / ord)


explain_functions(globals())
