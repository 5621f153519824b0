"""Cross-entropies of classes and probabilities, by number or by row, and what is made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from theano._core.api.array.creation import arange
from theano._core.api.array.joining import join
from theano._core.api.conversion import as_tensor_variable
from theano._core.api.nn.nnet import logsoftmax, rows_of, softmax
from theano._core.base import dtypes
from theano._core.base.near_misses import explain_functions
from theano._core.ir.variable import Variable
from theano._core.ops.array import shaping
from theano._core.ops.array.assertions import Require
from theano._core.ops.array.broadcasting import alloc
from theano._core.ops.array.indexing import gather, scatter_set
from theano._core.ops.array.products import dot
from theano._core.ops.array.reductions import ArgExtreme, Reduction, reduce
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.core.fill import zeros_like_float
from theano._core.ops.elementwise.arithmetic import (
    add,
    eq,
    mul,
    neg,
    sub,
    true_div,
)
from theano._core.ops.elementwise.elementwise import as_number, cast
from theano._core.ops.elementwise.transcendental import log, softplus
from theano._core.ops.sorting import Unique
from theano._core.rewrite.passes.check_labels import IN_BOUNDS, in_bounds, is_softmax

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike
    from theano._core.ir.tensor import TensorVariable

__all__ = [
    "binary_crossentropy",
    "categorical_crossentropy",
    "confusion_matrix",
    "crossentropy_categorical_1hot",
    "crossentropy_softmax_1hot",
    "crossentropy_softmax_1hot_with_bias",
    "crossentropy_softmax_argmax_1hot_with_bias",
    "crossentropy_softmax_max_and_argmax_1hot",
    "crossentropy_softmax_max_and_argmax_1hot_with_bias",
    "prepend_0_to_each_row",
    "prepend_1_to_each_row",
    "prepend_scalar_to_each_row",
    "sigmoid_binary_crossentropy",
]


def binary_crossentropy(output: TensorLike, target: TensorLike) -> TensorVariable:
    """Return ``-(target * log(output) + (1 - target) * log(1 - output))``, itemwise.

    Parameters
    ----------
    output : tensor, between 0 and 1
    target : tensor, between 0 and 1

    Returns
    -------
    tensor
        Of the shape of both.

    Examples
    --------
    >>> p, y = T.dvectors("p", "y")
    >>> T.nnet.binary_crossentropy(p, y).eval({p: [0.5, 0.25], y: [1.0, 0.0]}).round(4)
    array([0.6931, 0.2877])
    """
    one = as_tensor_variable(1.0)
    return neg(add(mul(target, log(output)), mul(sub(one, target), log(sub(one, output)))))


def sigmoid_binary_crossentropy(output: TensorLike, target: TensorLike) -> TensorVariable:
    """Return the binary cross-entropy of ``sigmoid(output)``, finite for every `output`.

    Parameters
    ----------
    output : tensor
    target : tensor, between 0 and 1

    Returns
    -------
    tensor
        Of the shape of both.

    Examples
    --------
    >>> x, y = T.dvectors("x", "y")
    >>> T.nnet.sigmoid_binary_crossentropy(x, y).eval({x: [1000.0, 1000.0], y: [1.0, 0.0]})
    array([   0., 1000.])
    """
    output = as_tensor_variable(output)
    target = as_tensor_variable(target)
    missed = mul(sub(as_number(1.0, target), target), softplus(output))
    return add(mul(target, softplus(neg(output))), missed)


def categorical_crossentropy(coding_dist: TensorLike, true_dist: TensorLike) -> TensorVariable:
    """Return the cross-entropy between rows of probabilities.

    Parameters
    ----------
    coding_dist : tensor
        Probabilities along the last axis.
    true_dist : tensor of as many axes, or int vector
        The true probabilities, or the number of the true class of every row.

    Returns
    -------
    tensor
        One number for each row. Of a softmax it is finite, and so is its gradient.

    Raises
    ------
    TypeError
        The ranks do not fit, or the class numbers are not integers.

    Examples
    --------
    >>> x, classes = T.dmatrix("x"), T.lvector("classes")
    >>> loss = T.nnet.categorical_crossentropy(T.nnet.softmax(x), classes).mean()
    >>> round(float(loss.eval({x: [[0.0, 0.0]], classes: [1]})), 4)
    0.6931
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
    return gather(x, arange(shaping.length(x, 0)), _of_each_row(x, y_idx))


def _of_each_row(x: Variable, y_idx: TensorLike) -> Any:
    y = as_tensor_variable(y_idx)
    if x.type.ndim != 2:
        raise TypeError(f"matrix required for argument: coding_dist, got {x.type}")
    if y.type.ndim != 1 or not dtypes.is_integer(y.type.dtype):
        raise TypeError(f"integer vector required for argument: true_one_of_n, got {y.type}")
    return y


def _classes(x: TensorLike, y_idx: TensorLike) -> tuple[Any, list[Any]]:
    """Return checked class numbers, one for each row of `x`, and the conditions."""
    y = as_tensor_variable(y_idx)
    if y.type.ndim != 1 or not dtypes.is_discrete(y.type.dtype):
        raise ValueError(f"integer vector required for argument: y_idx, got {y.type}")
    if y.type.dtype == "bool":
        # As a number of a row it would be a mask.
        y = cast(y, "uint8")
    rows, count = shaping.length(x, 0), shaping.length(y, 0)
    y = ONE_EACH(y, count, rows, eq(count, rows))
    return IN_BOUNDS(y, in_bounds(y, x)), [in_bounds(y, x)]


def crossentropy_categorical_1hot(
    coding_dist: TensorLike, true_one_of_n: TensorLike
) -> TensorVariable:
    """Return ``-log`` of the probability of the true class of every row.

    Parameters
    ----------
    coding_dist : matrix
        Probabilities, a row for each item.
    true_one_of_n : int vector
        The number of the true class of every row.

    Returns
    -------
    vector

    Raises
    ------
    ValueError
        When the function is called: `coding_dist` is a softmax and a number is no class's. Of other
        probabilities, negative numbers count from the last class.

    Examples
    --------
    >>> p, classes = T.dmatrix("p"), T.lvector("classes")
    >>> loss = T.nnet.crossentropy_categorical_1hot(p, classes)
    >>> loss.eval({p: [[0.5, 0.5]], classes: [1]}).round(4)
    array([0.6931])
    """
    coding = as_tensor_variable(coding_dist)
    if is_softmax(coding):
        true_one_of_n, _ = _classes(coding, _of_each_row(coding, true_one_of_n))
    return neg(log(_chosen(coding, true_one_of_n)))


def crossentropy_softmax_1hot(
    x: TensorLike, y_idx: TensorLike, **kwargs: object
) -> list[TensorVariable]:
    """Return the cross-entropy of ``softmax(x)`` with class numbers, and that softmax.

    Parameters
    ----------
    x : matrix
    y_idx : int vector
        The number of the true class of every row.

    Returns
    -------
    vector, matrix

    Raises
    ------
    ValueError
        When the function is called: a number is no class's.

    Examples
    --------
    >>> x, classes = T.dmatrix("x"), T.lvector("classes")
    >>> loss, p = T.nnet.crossentropy_softmax_1hot(x, classes)
    >>> loss.eval({x: [[0.0, 1000.0]], classes: [0]})
    array([1000.])
    """
    x = rows_of(x, "softmax")
    y, valid = _classes(x, y_idx)
    return [neg(_chosen(logsoftmax(x), y)), IN_BOUNDS(softmax(x), *valid)]


def crossentropy_softmax_1hot_with_bias(
    x: TensorLike, b: TensorLike, y_idx: TensorLike, **kwargs: object
) -> list[TensorVariable]:
    """Return the cross-entropy of ``softmax(x + b)`` with class numbers, and that softmax.

    Parameters
    ----------
    x : matrix
    b : vector
        Added to every row.
    y_idx : int vector
        The number of the true class of every row.

    Returns
    -------
    vector, matrix

    Examples
    --------
    >>> x, b, y = np.zeros((1, 2)), np.zeros(2), np.array([0])
    >>> results = T.nnet.crossentropy_softmax_1hot_with_bias(x, b, y)
    >>> [float(v.eval().sum()) for v in results[1:]]
    [1.0]
    """
    return crossentropy_softmax_1hot(add(x, b), y_idx)


def crossentropy_softmax_argmax_1hot_with_bias(
    x: TensorLike, b: TensorLike, y_idx: TensorLike
) -> Any:
    """As `crossentropy_softmax_1hot_with_bias`, and the most probable class of every row.

    Parameters
    ----------
    x : matrix
    b : vector
        Added to every row.
    y_idx : int vector
        The number of the true class of every row.

    Returns
    -------
    vector, matrix, vector of the dtype of `y_idx`

    Examples
    --------
    >>> x, b, y = np.zeros((1, 2)), np.zeros(2), np.array([0])
    >>> results = T.nnet.crossentropy_softmax_argmax_1hot_with_bias(x, b, y)
    >>> [float(v.eval().sum()) for v in results[1:]]
    [1.0, 0.0]
    """
    whole = rows_of(add(x, b), "softmax")
    loss, probabilities = crossentropy_softmax_1hot(whole, y_idx)
    _, valid = _classes(whole, y_idx)
    best = cast(ArgExtreme("argmax", (1,))(whole), as_tensor_variable(y_idx).type.dtype)
    return loss, probabilities, IN_BOUNDS(best, *valid)


def crossentropy_softmax_max_and_argmax_1hot_with_bias(
    x: TensorLike, b: TensorLike, y_idx: TensorLike, **kwargs: object
) -> Any:
    """As `crossentropy_softmax_1hot_with_bias`, and the largest probability of every row, where.

    Parameters
    ----------
    x : matrix
    b : vector
        Added to every row.
    y_idx : int vector
        The number of the true class of every row.

    Returns
    -------
    vector, matrix, vector, int64 vector

    Examples
    --------
    >>> x, b, y = np.zeros((1, 2)), np.zeros(2), np.array([0])
    >>> results = T.nnet.crossentropy_softmax_max_and_argmax_1hot_with_bias(x, b, y)
    >>> [float(v.eval().sum()) for v in results[1:]]
    [1.0, 0.5, 0.0]
    """
    loss, probabilities = crossentropy_softmax_1hot_with_bias(x, b, y_idx)
    best = ArgExtreme("argmax", (1,))(probabilities)
    return loss, probabilities, Reduction("max", (1,))(probabilities), best


def crossentropy_softmax_max_and_argmax_1hot(
    x: TensorLike, y_idx: TensorLike, **kwargs: object
) -> TensorVariable:
    """As `crossentropy_softmax_max_and_argmax_1hot_with_bias`, without a bias.

    Parameters
    ----------
    x : matrix
    y_idx : int vector
        The number of the true class of every row.

    Returns
    -------
    vector, matrix, vector, int64 vector

    Examples
    --------
    >>> x, y = np.zeros((1, 2)), np.array([0])
    >>> results = T.nnet.crossentropy_softmax_max_and_argmax_1hot(x, y)
    >>> [float(v.eval().sum()) for v in results[1:]]
    [1.0, 0.5, 0.0]
    """
    x = as_tensor_variable(x)
    return crossentropy_softmax_max_and_argmax_1hot_with_bias(x, as_number(0.0, x), y_idx)


def crossentropy_categorical_1hot_grad(
    g_y: TensorLike, coding_dist: TensorLike, true_one_of_n: TensorLike
) -> TensorVariable:
    """Return the cotangent of `coding_dist` for the cotangent `g_y` of the cross-entropy.

    Parameters
    ----------
    g_y : vector
    coding_dist : matrix
    true_one_of_n : int vector

    Returns
    -------
    matrix

    Examples
    --------
    >>> p = np.array([[0.25, 0.75]])
    >>> T.nnet.crossentropy_categorical_1hot_grad(np.ones(1), p, np.array([0])).eval()
    array([[-4.,  0.]])
    """
    coding = as_tensor_variable(coding_dist)
    chosen = _chosen(coding, true_one_of_n)
    return _at_chosen(neg(true_div(g_y, chosen)), coding, true_one_of_n)


def crossentropy_softmax_1hot_with_bias_dx(
    dy: TensorLike, sm: TensorLike, y_idx: TensorLike, **kwargs: object
) -> TensorVariable:
    """Return the cotangent of `x` for the cotangent `dy` of the cross-entropy of softmax(x).

    Parameters
    ----------
    dy : vector
    sm : matrix
        ``softmax(x)``.
    y_idx : int vector
        The true class of every row.

    Returns
    -------
    matrix

    Examples
    --------
    >>> sm = np.array([[0.25, 0.75]])
    >>> T.nnet.crossentropy_softmax_1hot_with_bias_dx(np.ones(1), sm, np.array([0])).eval()
    array([[-0.75,  0.75]])
    """
    sm, dy = as_tensor_variable(sm), as_tensor_variable(dy)
    y_idx, _ = _classes(sm, y_idx)
    column = dimshuffle(dy, (0, "x"))
    return add(mul(sm, column), _at_chosen(neg(dy), sm, y_idx))


def _at_chosen(values: Variable, x: Variable, y_idx: TensorLike) -> Any:
    """Return zeros like `x` with `values` at the chosen class of every row."""
    at = (arange(shaping.length(x, 0)), as_tensor_variable(y_idx))
    return scatter_set(zeros_like_float(x), values, *at)


def prepend_scalar_to_each_row(val: TensorLike, mat: TensorLike) -> TensorVariable:
    """Return a matrix with a first column that holds a number.

    Parameters
    ----------
    val : scalar
    mat : matrix

    Returns
    -------
    matrix

    Examples
    --------
    >>> x = T.dmatrix("x")
    >>> T.nnet.prepend_scalar_to_each_row(9.0, x).eval({x: [[1.0, 2.0]]})
    array([[9., 1., 2.]])
    """
    value, matrix = as_tensor_variable(val), as_tensor_variable(mat)
    if value.type.ndim or matrix.type.ndim != 2:
        raise TypeError(f"a scalar and a matrix are needed, got {value.type} and {matrix.type}")
    column = alloc(cast(value, matrix.type.dtype), shaping.length(matrix, 0), 1)
    return join(1, column, matrix)


def prepend_0_to_each_row(mat: TensorLike) -> TensorVariable:
    """Return a matrix with a first column of zeros.

    Parameters
    ----------
    mat : matrix

    Returns
    -------
    matrix

    Examples
    --------
    >>> x = T.dmatrix("x")
    >>> T.nnet.prepend_0_to_each_row(x).eval({x: [[5.0, 2.0]]})
    array([[0., 5., 2.]])
    """
    return prepend_scalar_to_each_row(0.0, mat)


def prepend_1_to_each_row(mat: TensorLike) -> TensorVariable:
    """Return a matrix with a first column of ones.

    Parameters
    ----------
    mat : matrix

    Returns
    -------
    matrix

    Examples
    --------
    >>> x = T.dmatrix("x")
    >>> T.nnet.prepend_1_to_each_row(x).eval({x: [[5.0, 2.0]]})
    array([[1., 5., 2.]])
    """
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

    Examples
    --------
    >>> actual, predicted = T.lvectors("actual", "predicted")
    >>> matrix, order = T.nnet.confusion_matrix(actual, predicted)
    >>> matrix.eval({actual: [0, 0, 1], predicted: [0, 1, 1]})
    array([[1, 1],
           [0, 1]])
    """
    actual, pred = as_tensor_variable(actual), as_tensor_variable(pred)
    if actual.type.ndim != 1 or pred.type.ndim != 1:
        raise ValueError(f"vectors are needed, got {actual.type} and {pred.type}")
    order = Unique()(join(0, actual, pred))
    classes = dimshuffle(order, ("x", 0))
    one, two = (cast(eq(dimshuffle(v, (0, "x")), classes), "int64") for v in (actual, pred))
    return [dot(dimshuffle(one, (1, 0)), two), order]


explain_functions(globals())
