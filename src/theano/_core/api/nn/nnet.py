"""Functions of neural networks, as expressions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.api.array.shaping import shape_padleft
from theano._core.api.conversion import as_tensor_variable
from theano._core.base import dtypes
from theano._core.base.near_misses import explain_functions
from theano._core.ir.text import label
from theano._core.ir.variable import Variable
from theano._core.ops.array import shaping
from theano._core.ops.array.gradient import DisconnectedGrad
from theano._core.ops.array.reductions import Reduction
from theano._core.ops.control.inner_graph import LogSoftmax, Softmax, body_over
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.elementwise.arithmetic import (
    abs_,
    add,
    clip,
    gt,
    lt,
    mul,
    sub,
    switch,
    true_div,
)
from theano._core.ops.elementwise.elementwise import as_number, cast
from theano._core.ops.elementwise.transcendental import exp, expm1, log, sigmoid, softplus
from theano._core.ops.special import erfc

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike
    from theano._core.ir.tensor import TensorVariable

__all__ = [
    "batch_normalization",
    "dropout",
    "elu",
    "gelu",
    "hard_sigmoid",
    "log_softmax",
    "logsoftmax",
    "relu",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softmax_graph",
    "softmax_with_bias",
    "softplus",
]


def hard_sigmoid(x: TensorLike) -> TensorVariable:
    """Return ``clip(0.2 * x + 0.5, 0, 1)``: the sigmoid in three straight pieces.

    Parameters
    ----------
    x : tensor

    Returns
    -------
    tensor
        Of the shape of `x`; integers give floats.

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.nnet.hard_sigmoid(x).eval({x: [-5.0, 0.0, 1.0]})
    array([0. , 0.5, 0.7])
    """
    x = as_tensor_variable(x)
    return clip(add(mul(x, as_number(0.2, x)), as_number(0.5, x)), 0, 1)


def relu(x: TensorLike, alpha: Any = 0) -> TensorVariable:
    """Return `x` where it is positive, and ``alpha * x`` elsewhere.

    Parameters
    ----------
    x : tensor
    alpha : number or tensor
        Slope on the negative side.

    Returns
    -------
    TensorVariable, or array for an array `x` without `alpha`

    Notes
    -----
    The derivative at 0 is the mean of the two slopes.

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.nnet.relu(x, alpha=0.1).eval({x: [-1.0, 2.0]})
    array([-0.1,  2. ])
    """
    plain = not isinstance(alpha, Variable) and np.ndim(alpha) == 0 and alpha == 0
    if plain and isinstance(x, (np.ndarray, np.generic)):
        half: Any = np.multiply(0.5, x)
        return half + abs(half)
    x = as_tensor_variable(x)
    # The sum of an integer and its absolute value might not fit its dtype.
    if plain:
        x = cast(x, mul(0.5, x).type.dtype)
        return mul(0.5, add(x, abs_(x)))
    half = mul(0.5, as_tensor_variable(alpha))
    x = cast(x, mul(half, x).type.dtype)
    return add(mul(add(0.5, half), x), mul(sub(0.5, half), abs_(x)))


def elu(x: TensorLike, alpha: TensorLike = 1) -> TensorVariable:
    """Return `x` where it is positive, and ``alpha * (exp(x) - 1)`` elsewhere.

    Parameters
    ----------
    x : tensor
    alpha : number or tensor
        The limit far on the negative side is ``-alpha``.

    Returns
    -------
    tensor
        Of the shape of `x`; integers give floats.

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.nnet.elu(x).eval({x: [-1000.0, 2.0]})
    array([-1.,  2.])
    """
    x = as_tensor_variable(x)
    # expm1 of the negative part only: where it is not chosen it must not overflow.
    below = switch(gt(x, 0), as_number(0.0, x), x)
    return switch(gt(x, 0), x, mul(alpha, expm1(below)))


def selu(x: TensorLike) -> TensorVariable:
    """Return the exponential linear unit scaled so that networks normalise themselves.

    Parameters
    ----------
    x : tensor

    Returns
    -------
    tensor
        Of the shape of `x`; integers give floats.

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.nnet.selu(x).eval({x: [0.0, 1.0]}).round(4)
    array([0.    , 1.0507])
    """
    # Numbers of Python, which float32 does not hold: under floatX = float64 the result is float64.
    return mul(1.0507009873554805, elu(x, 1.6732632423543772))


def rows_of(c: TensorLike, name: str) -> Any:
    x = as_tensor_variable(c)
    if x.type.ndim not in (1, 2) or not dtypes.is_float(x.type.dtype):
        raise ValueError(f"{name}: x must be 1-d or 2-d tensor of floats. Got {x.type}")
    return shape_padleft(x) if x.type.ndim == 1 else x


def _shifted(x: Variable) -> Any:
    # The shift cancels in value and gradient: it only keeps exp from overflowing.
    op = Reduction("supremum", (x.type.ndim - 1,))
    return sub(x, DisconnectedGrad()(op.expand(x, op(x))))


def softmax(c: TensorLike, axis: int | None = None) -> TensorVariable:
    """Return ``exp(x) / sum(exp(x))`` along an axis.

    Parameters
    ----------
    c : tensor, float
    axis : int, optional
        By default the last one. Without it a vector is one row, and so is the result.

    Returns
    -------
    tensor
        Of the dtype of `c`; never overflows.

    Raises
    ------
    ValueError
        No such axis, or not float.

    Examples
    --------
    >>> T.nnet.softmax([[0.0, 0.0], [1000.0, 0.0]]).eval().tolist()
    [[0.5, 0.5], [1.0, 0.0]]
    """
    return _along(_softmax, c, axis, "softmax")


def _softmax(x: Variable) -> Any:
    def build(row: Variable) -> Any:
        parts = exp(_shifted(row))
        return true_div(parts, row_sum(parts))

    return Softmax(body_over([x], build))(x)


def row_sum(x: Variable) -> Any:
    op = Reduction("sum", (x.type.ndim - 1,))
    return op.expand(x, op(x))


def _along(function: Callable[[Any], Any], value: TensorLike, axis: int | None, name: str) -> Any:
    """Return a function of the rows of an array, along an axis; a vector without one is a row."""
    x = as_tensor_variable(value)
    if axis is None and x.type.ndim <= 2:
        return function(rows_of(x, name))
    rank = x.type.ndim
    axis = -1 if axis is None else axis
    if not -rank <= axis < rank:
        raise ValueError(f"{name}: {label(x)} of {x.type} has no axis {axis}")
    if not dtypes.is_float(x.type.dtype):
        raise ValueError(f"{name}: x must be a tensor of floats. Got {x.type}")
    order = [k for k in range(rank) if k != axis % rank] + [axis % rank]
    return dimshuffle(function(dimshuffle(x, order)), [order.index(k) for k in range(rank)])


def log_softmax(x: TensorLike, axis: int | None = None) -> TensorVariable:
    """Return the logarithm of `softmax` along an axis, exact also where that is close to 0.

    Parameters
    ----------
    x : tensor, float
    axis : int, optional
        By default the last one. Without it a vector is one row, and so is the result.

    Returns
    -------
    tensor
        Of the shape and dtype of `x`.

    Examples
    --------
    >>> x = T.dmatrix("x")
    >>> T.nnet.log_softmax(x).eval({x: [[0.0, 1000.0]]})
    array([[-1000.,     0.]])
    """
    return logsoftmax(x, axis)


def gelu(x: TensorLike, approximate: str = "none") -> TensorVariable:
    """Return `x` times the probability that a normal number is below it.

    Parameters
    ----------
    x : tensor, float
    approximate : {'none', 'tanh'}
        'tanh': the approximation by a hyperbolic tangent, off by up to 0.0005.

    Returns
    -------
    tensor
        Of the shape of `x`.

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.nnet.gelu(x).eval({x: [0.0, 1.0]}).round(4)
    array([0.    , 0.8413])
    """
    x = as_tensor_variable(x)
    if approximate == "none":
        return mul(mul(x, as_number(0.5, x)), erfc(mul(x, as_number(-math.sqrt(0.5), x))))
    if approximate != "tanh":
        raise ValueError(f"gelu: approximate must be 'none' or 'tanh', got {approximate!r}")
    bent = add(x, mul(as_number(0.044715, x), mul(x, mul(x, x))))
    return mul(x, sigmoid(mul(as_number(2 * math.sqrt(2 / math.pi), x), bent)))


def silu(x: TensorLike) -> TensorVariable:
    """Return ``x * sigmoid(x)``, also known as swish.

    Parameters
    ----------
    x : tensor

    Returns
    -------
    tensor
        Of the shape of `x`; integers give floats.

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.nnet.silu(x).eval({x: [0.0, 1.0]}).round(4)
    array([0.    , 0.7311])
    """
    x = as_tensor_variable(x)
    return mul(x, sigmoid(x))


def dropout(x: TensorLike, p: float | Variable, stream: Any) -> TensorVariable:
    """Return `x` with each item zero with probability `p`, the others larger, so the mean stays.

    Parameters
    ----------
    x : tensor, float
    p : number
        From 0 to less than 1.
    stream : Stream or RandomStreams
        Of `theano.tensor.random`, `theano.tensor.shared_randomstreams` or `theano.sandbox.rng_mrg`.

    Returns
    -------
    tensor
        For training; `x` itself is what to predict with.

    Examples
    --------
    >>> x = T.dvector("x")
    >>> stream = theano.tensor.random.Stream(42)
    >>> f = theano.function([x], T.nnet.dropout(x, 0.5, stream))
    >>> sorted(set(f(np.ones(100)).tolist()))
    [0.0, 2.0]
    """
    x = as_tensor_variable(x)
    if not isinstance(p, Variable) and not 0 <= p < 1:
        raise ValueError(f"dropout: p must lie from 0 to less than 1, got {p}")
    if not isinstance(p, Variable) and p == 0:
        return x
    keep = sub(as_number(1, x), cast(as_tensor_variable(p), x.type.dtype))
    draws = stream.uniform(shaping.shape(x), dtype=x.type.dtype)
    return switch(lt(draws, keep), true_div(x, keep), as_number(0, x))


def softmax_graph(c: TensorLike) -> TensorVariable:
    """Return the softmax along the last axis, as exponentials that are divided by their sum.

    Parameters
    ----------
    c : tensor
        Of any number of axes; integers give floats.

    Returns
    -------
    tensor
        Of the shape of `c`.

    Examples
    --------
    >>> T.nnet.softmax_graph(T.constant([[0.0, 0.0], [1.0, 1.0]])).eval()
    array([[0.5, 0.5],
           [0.5, 0.5]])
    """
    powers = exp(as_tensor_variable(c))
    return true_div(powers, powers.sum(axis=-1, keepdims=True))


def logsoftmax(c: TensorLike, axis: int | None = None) -> TensorVariable:
    """Return the logarithm of `softmax`, exact also where that is close to 0.

    Parameters
    ----------
    c : tensor, float
    axis : int, optional
        By default the last one. Without it a vector is one row, and so is the result.

    Returns
    -------
    tensor
        Of the shape and dtype of `c`.

    Examples
    --------
    >>> x = T.dmatrix("x")
    >>> T.nnet.logsoftmax(x).eval({x: [[0.0, 1000.0]]})
    array([[-1000.,     0.]])
    """
    return _along(_logsoftmax, c, axis, "logsoftmax")


def _logsoftmax(x: Variable) -> Any:
    def build(row: Variable) -> Any:
        shifted = _shifted(row)
        return sub(shifted, log(row_sum(exp(shifted))))

    return LogSoftmax(body_over([x], build))(x)


def softmax_with_bias(x: TensorLike, b: TensorLike) -> TensorVariable:
    """Return the softmax of the rows of a matrix plus a vector.

    Parameters
    ----------
    x : matrix
    b : vector

    Returns
    -------
    matrix

    Examples
    --------
    >>> x, b = T.dmatrix("x"), T.dvector("b")
    >>> T.nnet.softmax_with_bias(x, b).eval({x: [[0.0, 0.0]], b: [1000.0, 0.0]})
    array([[1., 0.]])
    """
    return softmax(add(x, b))


def softmax_grad(dy: TensorLike, sm: TensorLike) -> TensorVariable:
    """Return the cotangent of `x` for the cotangent `dy` of ``sm = softmax(x)``.

    Parameters
    ----------
    dy, sm : matrix

    Returns
    -------
    matrix

    Examples
    --------
    >>> sm = np.array([[0.5, 0.5]])
    >>> T.nnet.softmax_grad(np.array([[1.0, 0.0]]), sm).eval()
    array([[ 0.25, -0.25]])
    """
    weighted = mul(dy, sm)
    return sub(weighted, mul(row_sum(weighted), sm))


def batch_normalization(
    inputs: TensorLike,
    gamma: TensorLike,
    beta: TensorLike,
    mean: TensorLike,
    std: TensorLike,
    mode: str = "low_mem",
) -> TensorVariable:
    """Return ``(inputs - mean) * (gamma / std) + beta``.

    Parameters
    ----------
    inputs, gamma, beta, mean, std : tensor
    mode : {'low_mem', 'high_mem'}
        Makes no difference any more.

    Returns
    -------
    tensor

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.nnet.batch_normalization(x, 2.0, 1.0, 3.0, 4.0).eval({x: [3.0, 7.0]})
    array([1., 3.])
    """
    if mode not in ("low_mem", "high_mem"):
        raise ValueError(f'mode must be either "low_mem", "high_mem", got {mode!r}')
    return add(mul(sub(inputs, mean), true_div(gamma, std)), beta)


explain_functions(globals())
