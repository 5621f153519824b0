"""Functions of neural networks, as expressions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.api.array.creation import arange
from theano._core.api.array.joining import join
from theano._core.api.array.shaping import shape_padleft
from theano._core.api.conversion import as_tensor_variable
from theano._core.base import dtypes
from theano._core.base.near_misses import explain_functions
from theano._core.ir.text import label
from theano._core.ir.variable import Variable
from theano._core.ops.array import shaping
from theano._core.ops.array.assertions import Require
from theano._core.ops.array.broadcasting import Alloc
from theano._core.ops.array.gradient import DisconnectedGrad
from theano._core.ops.array.indexing import AT, AdvancedIncSubtensor, AdvancedSubtensor
from theano._core.ops.array.products import dot
from theano._core.ops.array.reductions import ArgExtreme, Reduction, reduce
from theano._core.ops.control.body import Body
from theano._core.ops.control.inner_graph import LogSoftmax, Softmax
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.core.fill import zeros_like_float
from theano._core.ops.elementwise.arithmetic import (
    abs_,
    add,
    clip,
    eq,
    ge,
    gt,
    lt,
    mul,
    neg,
    sub,
    switch,
    true_div,
)
from theano._core.ops.elementwise.elementwise import cast
from theano._core.ops.elementwise.transcendental import exp, expm1, log, sigmoid, softplus
from theano._core.ops.sorting import Unique
from theano._core.ops.special import erfc
from theano._core.rewrite.passes.check_labels import IN_BOUNDS, in_bounds, is_softmax

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike

__all__ = [
    "batch_normalization",
    "binary_crossentropy",
    "categorical_crossentropy",
    "confusion_matrix",
    "crossentropy_categorical_1hot",
    "crossentropy_softmax_1hot",
    "crossentropy_softmax_1hot_with_bias",
    "crossentropy_softmax_argmax_1hot_with_bias",
    "crossentropy_softmax_max_and_argmax_1hot",
    "crossentropy_softmax_max_and_argmax_1hot_with_bias",
    "dropout",
    "elu",
    "gelu",
    "hard_sigmoid",
    "log_softmax",
    "logsoftmax",
    "prepend_0_to_each_row",
    "prepend_1_to_each_row",
    "prepend_scalar_to_each_row",
    "relu",
    "selu",
    "sigmoid",
    "sigmoid_binary_crossentropy",
    "silu",
    "softmax",
    "softmax_graph",
    "softmax_with_bias",
    "softplus",
    "softsign",
    "ultra_fast_sigmoid",
]


def _number(value: float, x: Variable) -> Any:
    """Return a constant that does not widen the float dtype of `x`."""
    return as_tensor_variable(np.asarray(value, dtype=dtypes.to_float(x.type.dtype)))


def ultra_fast_sigmoid(x: TensorLike) -> Any:
    """Return an approximation of the sigmoid, off by up to 0.02, without an exponential."""
    half = mul(as_tensor_variable(x), _number(0.5, as_tensor_variable(x)))
    size = abs_(half)

    def number(value: float) -> Any:
        return _number(value, half)

    low = true_div(mul(number(1.5), size), add(number(1.0), size))
    middle = add(number(0.935409070603099), mul(number(0.0458812946797165), sub(size, number(1.7))))
    bent = switch(
        lt(size, number(1.7)), low, switch(lt(size, number(3.0)), middle, number(0.99505475368673))
    )
    signed = switch(ge(half, number(0.0)), bent, neg(bent))
    return mul(number(0.5), add(signed, number(1.0)))


def hard_sigmoid(x: TensorLike) -> Any:
    """Return ``clip(0.2 * x + 0.5, 0, 1)``: the sigmoid in three straight pieces."""
    x = as_tensor_variable(x)
    return clip(add(mul(x, _number(0.2, x)), _number(0.5, x)), 0, 1)


def softsign(x: TensorLike) -> Any:
    """Return ``x / (1 + |x|)``."""
    x = as_tensor_variable(x)
    return true_div(x, add(_number(1.0, x), abs_(x)))


def relu(x: TensorLike, alpha: Any = 0) -> Any:
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
    """
    plain = not isinstance(alpha, Variable) and np.ndim(alpha) == 0 and alpha == 0
    if plain and isinstance(x, (np.ndarray, np.generic)):
        half = np.multiply(0.5, x)
        return half + abs(half)
    x = as_tensor_variable(x)
    # The sum of an integer and its absolute value might not fit its dtype.
    if plain:
        x = cast(x, mul(0.5, x).type.dtype)
        return mul(0.5, add(x, abs_(x)))
    half = mul(0.5, as_tensor_variable(alpha))
    x = cast(x, mul(half, x).type.dtype)
    return add(mul(add(0.5, half), x), mul(sub(0.5, half), abs_(x)))


def elu(x: TensorLike, alpha: TensorLike = 1) -> Any:
    """Return `x` where it is positive, and ``alpha * (exp(x) - 1)`` elsewhere."""
    x = as_tensor_variable(x)
    # expm1 of the negative part only: where it is not chosen it must not overflow.
    below = switch(gt(x, 0), _number(0.0, x), x)
    return switch(gt(x, 0), x, mul(alpha, expm1(below)))


def selu(x: TensorLike) -> Any:
    """Return the exponential linear unit scaled so that networks normalise themselves."""
    # Numbers of Python, which float32 does not hold: under floatX = float64 the result is float64.
    return mul(1.0507009873554805, elu(x, 1.6732632423543772))


def _rows(c: TensorLike, name: str) -> Any:
    x = as_tensor_variable(c)
    if x.type.ndim not in (1, 2) or not dtypes.is_float(x.type.dtype):
        raise ValueError(f"{name}: x must be 1-d or 2-d tensor of floats. Got {x.type}")
    return shape_padleft(x) if x.type.ndim == 1 else x


def _shifted(x: TensorLike) -> Any:
    # The shift cancels in value and gradient: it only keeps exp from overflowing.
    op = Reduction("supremum", (1,))
    return sub(x, DisconnectedGrad()(op.expand(x, op(x))))


def softmax(c: TensorLike, axis: int | None = None) -> Any:
    """Return ``exp(x) / sum(exp(x))`` along an axis.

    Parameters
    ----------
    c : tensor, float
    axis : int, optional
        By default the last one. Without it a vector is one row, and so is the result.

    Raises
    ------
    ValueError
        No such axis, or not float.
    """
    return _along(_softmax, c, axis, "softmax")


def _softmax(c: TensorLike) -> Any:
    x = _rows(c, "softmax")
    row = x.type.variable_class(x.type)
    parts = exp(_shifted(row))
    return Softmax(Body([row], [true_div(parts, _row_sum(parts))]))(x)


def _row_sum(x: Variable) -> Any:
    op = Reduction("sum", (1,))
    return op.expand(x, op(x))


def _along(function: Callable[[Any], Any], value: TensorLike, axis: int | None, name: str) -> Any:
    """Return a function of the rows of a matrix, along an axis of an array of any rank."""
    x = as_tensor_variable(value)
    if axis is None and x.type.ndim <= 2:
        return function(x)
    rank = x.type.ndim
    axis = -1 if axis is None else axis
    if not -rank <= axis < rank:
        raise ValueError(f"{name}: {label(x)} of {x.type} has no axis {axis}")
    order = [k for k in range(rank) if k != axis % rank] + [axis % rank]
    moved = dimshuffle(x, order)
    lengths = [shaping.length(moved, k) for k in range(rank)]
    if rank != 2:
        moved = shaping.reshape_op(moved, [-1, lengths[-1]])
    found = function(moved)
    if rank != 2:
        found = shaping.reshape_op(found, lengths)
        found = shaping.pattern_broadcast(found, [x.type.broadcastable[k] for k in order])
    return dimshuffle(found, [order.index(k) for k in range(rank)])


def log_softmax(x: TensorLike, axis: int | None = None) -> Any:
    """Return the logarithm of `softmax` along an axis, exact also where that is close to 0."""
    return logsoftmax(x, axis)


def gelu(x: TensorLike, approximate: str = "none") -> Any:
    """Return `x` times the probability that a normal number is below it.

    Parameters
    ----------
    x : tensor, float
    approximate : {'none', 'tanh'}
        'tanh': the approximation by a hyperbolic tangent, off by up to 0.0005.
    """
    x = as_tensor_variable(x)
    if approximate == "none":
        return mul(mul(x, _number(0.5, x)), erfc(mul(x, _number(-math.sqrt(0.5), x))))
    if approximate != "tanh":
        raise ValueError(f"gelu: approximate must be 'none' or 'tanh', got {approximate!r}")
    bent = add(x, mul(_number(0.044715, x), mul(x, mul(x, x))))
    return mul(x, sigmoid(mul(_number(2 * math.sqrt(2 / math.pi), x), bent)))


def silu(x: TensorLike) -> Any:
    """Return ``x * sigmoid(x)``, also known as swish."""
    x = as_tensor_variable(x)
    return mul(x, sigmoid(x))


def dropout(x: TensorLike, p: float | Variable, stream: Any) -> Any:
    """Return `x` with each item zero with probability `p`, the others larger, so the mean stays.

    Parameters
    ----------
    x : tensor, float
    p : number
        From 0 to less than 1.
    stream : RandomStreams
        Of `theano.tensor.shared_randomstreams` or `theano.sandbox.rng_mrg`.

    Returns
    -------
    tensor
        For training; `x` itself is what to predict with.
    """
    x = as_tensor_variable(x)
    if not isinstance(p, Variable) and not 0 <= p < 1:
        raise ValueError(f"dropout: p must lie from 0 to less than 1, got {p}")
    if not isinstance(p, Variable) and p == 0:
        return x
    keep = sub(_number(1, x), cast(as_tensor_variable(p), x.type.dtype))
    draws = stream.uniform(size=shaping.shape(x), ndim=x.type.ndim, dtype=x.type.dtype)
    return switch(lt(draws, keep), true_div(x, keep), _number(0, x))


softmax_graph = softmax


def logsoftmax(c: TensorLike, axis: int | None = None) -> Any:
    """Return the logarithm of `softmax`, exact also where that is close to 0."""
    return _along(_logsoftmax, c, axis, "logsoftmax")


def _logsoftmax(c: TensorLike) -> Any:
    x = _rows(c, "logsoftmax")
    row = x.type.variable_class(x.type)
    shifted = _shifted(row)
    return LogSoftmax(Body([row], [sub(shifted, log(_row_sum(exp(shifted))))]))(x)


def softmax_with_bias(x: TensorLike, b: TensorLike) -> Any:
    """Return the softmax of the matrix `x` plus the vector `b`."""
    return softmax(add(x, b))


def binary_crossentropy(output: TensorLike, target: TensorLike) -> Any:
    """Return ``-(target * log(output) + (1 - target) * log(1 - output))``, itemwise.

    Parameters
    ----------
    output : tensor, between 0 and 1
    target : tensor, between 0 and 1
    """
    one = as_tensor_variable(1.0)
    return neg(add(mul(target, log(output)), mul(sub(one, target), log(sub(one, output)))))


def sigmoid_binary_crossentropy(output: TensorLike, target: TensorLike) -> Any:
    """Return the binary cross-entropy of ``sigmoid(output)``, finite for every `output`."""
    output = as_tensor_variable(output)
    target = as_tensor_variable(target)
    missed = mul(sub(_number(1.0, target), target), softplus(output))
    return add(mul(target, softplus(neg(output))), missed)


def categorical_crossentropy(coding_dist: TensorLike, true_dist: TensorLike) -> Any:
    """Return the cross-entropy between rows of probabilities.

    Parameters
    ----------
    coding_dist : tensor
        Probabilities along the last axis.
    true_dist : tensor of as many axes, or int vector
        The true probabilities, or the number of the true class of every row.

    Raises
    ------
    TypeError
        The ranks do not fit, or the class numbers are not integers.
    """
    coding, true = as_tensor_variable(coding_dist), as_tensor_variable(true_dist)
    if true.type.ndim == coding.type.ndim:
        return neg(reduce("sum", mul(true, log(coding)), (coding.type.ndim - 1,)))
    if true.type.ndim == coding.type.ndim - 1:
        return crossentropy_categorical_1hot(coding, true)
    raise TypeError(
        f"rank mismatch between coding and true distributions: {coding.type}, {true.type}"
    )


ONE_EACH = Require("y_idx must have same number of rows as x: it has {}, x has {}", 2)


def _chosen(x: Variable, y_idx: TensorLike) -> Any:
    y = as_tensor_variable(y_idx)
    if x.type.ndim != 2:
        raise TypeError(f"matrix required for argument: coding_dist, got {x.type}")
    if y.type.ndim != 1 or not dtypes.is_integer(y.type.dtype):
        raise TypeError(f"integer vector required for argument: true_one_of_n, got {y.type}")
    return AdvancedSubtensor((AT, AT))(x, arange(shaping.length(x, 0)), y)


def _classes(x: TensorLike, y_idx: TensorLike) -> tuple[Any, list[Any]]:
    """Return checked class numbers, one for each row of `x`, and the conditions."""
    y = as_tensor_variable(y_idx)
    if y.type.ndim != 1 or not dtypes.is_integer(y.type.dtype):
        raise TypeError(f"integer vector required for argument: y_idx, got {y.type}")
    rows, count = shaping.length(x, 0), shaping.length(y, 0)
    y = ONE_EACH(y, count, rows, eq(count, rows))
    return IN_BOUNDS(y, in_bounds(y, x)), [in_bounds(y, x)]


def crossentropy_categorical_1hot(coding_dist: TensorLike, true_one_of_n: TensorLike) -> Any:
    """Return ``-log`` of the probability of the true class of every row.

    Raises
    ------
    ValueError
        When the function is called: `coding_dist` is a softmax and a number is no class's. Of other
        probabilities, negative numbers count from the last class.
    """
    coding = as_tensor_variable(coding_dist)
    if is_softmax(coding):
        true_one_of_n, _ = _classes(coding, true_one_of_n)
    return neg(log(_chosen(coding, true_one_of_n)))


def crossentropy_softmax_1hot(x: TensorLike, y_idx: TensorLike, **kwargs: object) -> Any:
    """Return the cross-entropy of ``softmax(x)`` with class numbers, and that softmax.

    Raises
    ------
    ValueError
        When the function is called: a number is no class's.
    """
    x = _rows(x, "softmax")
    y, valid = _classes(x, y_idx)
    return neg(_chosen(logsoftmax(x), y)), IN_BOUNDS(softmax(x), *valid)


def crossentropy_softmax_1hot_with_bias(
    x: TensorLike, b: TensorLike, y_idx: TensorLike, **kwargs: object
) -> Any:
    """Return the cross-entropy of ``softmax(x + b)`` with class numbers, and that softmax."""
    return crossentropy_softmax_1hot(add(x, b), y_idx)


def crossentropy_softmax_argmax_1hot_with_bias(
    x: TensorLike, b: TensorLike, y_idx: TensorLike
) -> Any:
    """As `crossentropy_softmax_1hot_with_bias`, and the most probable class of every row.

    That number has the dtype of `y_idx`.
    """
    whole = add(x, b)
    loss, probabilities = crossentropy_softmax_1hot(whole, y_idx)
    _, valid = _classes(whole, y_idx)
    best = cast(ArgExtreme("argmax", (1,))(whole), as_tensor_variable(y_idx).type.dtype)
    return loss, probabilities, IN_BOUNDS(best, *valid)


def crossentropy_softmax_max_and_argmax_1hot_with_bias(
    x: TensorLike, b: TensorLike, y_idx: TensorLike, **kwargs: object
) -> Any:
    """As `crossentropy_softmax_1hot_with_bias`, and the largest probability of every row, where."""
    loss, probabilities = crossentropy_softmax_1hot_with_bias(x, b, y_idx)
    best = ArgExtreme("argmax", (1,))(probabilities)
    return loss, probabilities, Reduction("max", (1,))(probabilities), best


def crossentropy_softmax_max_and_argmax_1hot(
    x: TensorLike, y_idx: TensorLike, **kwargs: object
) -> Any:
    """As `crossentropy_softmax_max_and_argmax_1hot_with_bias`, without a bias."""
    x = as_tensor_variable(x)
    return crossentropy_softmax_max_and_argmax_1hot_with_bias(x, _number(0.0, x), y_idx)


def softmax_grad(dy: TensorLike, sm: TensorLike) -> Any:
    """Return the cotangent of `x` for the cotangent `dy` of ``sm = softmax(x)``."""
    weighted = mul(dy, sm)
    return sub(weighted, mul(_row_sum(weighted), sm))


def crossentropy_categorical_1hot_grad(
    g_y: TensorLike, coding_dist: TensorLike, true_one_of_n: TensorLike
) -> Any:
    """Return the cotangent of `coding_dist` for the cotangent `g_y` of the cross-entropy."""
    coding = as_tensor_variable(coding_dist)
    chosen = _chosen(coding, true_one_of_n)
    return _at_chosen(neg(true_div(g_y, chosen)), coding, true_one_of_n)


def crossentropy_softmax_1hot_with_bias_dx(
    dy: TensorLike, sm: TensorLike, y_idx: TensorLike, **kwargs: object
) -> Any:
    """Return the cotangent of `x` for the cotangent `dy` of the cross-entropy of softmax(x).

    Parameters
    ----------
    dy : vector
    sm : matrix
        ``softmax(x)``.
    y_idx : int vector
        The true class of every row.
    """
    sm, dy = as_tensor_variable(sm), as_tensor_variable(dy)
    y_idx, _ = _classes(sm, y_idx)
    column = dimshuffle(dy, (0, "x"))
    return add(mul(sm, column), _at_chosen(neg(dy), sm, y_idx))


def _at_chosen(values: Variable, x: Variable, y_idx: TensorLike) -> Any:
    """Return zeros like `x` with `values` at the chosen class of every row."""
    at = (arange(shaping.length(x, 0)), as_tensor_variable(y_idx))
    return AdvancedIncSubtensor((AT, AT), True)(zeros_like_float(x), values, *at)


def prepend_scalar_to_each_row(val: TensorLike, mat: TensorLike) -> Any:
    """Return the matrix `mat` with a first column that holds the scalar `val`."""
    value, matrix = as_tensor_variable(val), as_tensor_variable(mat)
    if value.type.ndim or matrix.type.ndim != 2:
        raise TypeError(f"a scalar and a matrix are needed, got {value.type} and {matrix.type}")
    column = Alloc()(cast(value, matrix.type.dtype), shaping.length(matrix, 0), 1)
    return join(1, column, matrix)


def prepend_0_to_each_row(mat: TensorLike) -> Any:
    """Return the matrix `mat` with a first column of zeros."""
    return prepend_scalar_to_each_row(0.0, mat)


def prepend_1_to_each_row(mat: TensorLike) -> Any:
    """Return the matrix `mat` with a first column of ones."""
    return prepend_scalar_to_each_row(1.0, mat)


def confusion_matrix(actual: TensorLike, pred: TensorLike) -> list[Any]:
    """Return how often each class was taken for each.

    Parameters
    ----------
    actual, pred : vector
        True classes (the rows of the result), and predicted ones (its columns).

    Returns
    -------
    list of TensorVariable
        The int64 matrix, and the classes in rising order.
    """
    actual, pred = as_tensor_variable(actual), as_tensor_variable(pred)
    if actual.type.ndim != 1 or pred.type.ndim != 1:
        raise ValueError(f"vectors are needed, got {actual.type} and {pred.type}")
    order = Unique()(join(0, actual, pred))
    classes = dimshuffle(order, ("x", 0))
    one, two = (cast(eq(dimshuffle(v, (0, "x")), classes), "int64") for v in (actual, pred))
    return [dot(dimshuffle(one, (1, 0)), two), order]


def batch_normalization(
    inputs: TensorLike,
    gamma: TensorLike,
    beta: TensorLike,
    mean: TensorLike,
    std: TensorLike,
    mode: str = "low_mem",
) -> Any:
    """Return ``(inputs - mean) * (gamma / std) + beta``; `mode` makes no difference any more."""
    if mode not in ("low_mem", "high_mem"):
        raise ValueError(f'mode must be either "low_mem", "high_mem", got {mode!r}')
    return add(mul(sub(inputs, mean), true_div(gamma, std)), beta)


explain_functions(globals())
