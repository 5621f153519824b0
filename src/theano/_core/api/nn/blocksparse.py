"""Layers of which only some parts are computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from theano._core.api.array.creation import arange
from theano._core.api.array.indexing import get_item
from theano._core.api.array.products import dot, tensordot
from theano._core.api.conversion import as_tensor_variable
from theano._core.api.nn.nnet import softmax
from theano._core.ops.array import shaping
from theano._core.ops.array.reductions import reduce
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.elementwise.arithmetic import add, int_div, mod, mul

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike


def sparse_block_dot(
    W: TensorLike, h: TensorLike, inputIdx: TensorLike, b: TensorLike, outputIdx: TensorLike
) -> Any:
    """Return chosen output blocks of a layer, computed from chosen input blocks.

    Parameters
    ----------
    W : tensor, shape (input blocks, output blocks, input size, output size)
    h : tensor, shape (batch, chosen inputs, input size)
        Without the first axis it is one example.
    inputIdx : int tensor, shape (batch, chosen inputs)
        Which input blocks `h` holds.
    b : matrix, shape (output blocks, output size)
    outputIdx : int tensor, shape (batch, chosen outputs)

    Returns
    -------
    TensorVariable, shape (batch, chosen outputs, output size)
    """
    W, h, b = as_tensor_variable(W), as_tensor_variable(h), as_tensor_variable(b)
    inputs, outputs = as_tensor_variable(inputIdx), as_tensor_variable(outputIdx)
    single = h.type.ndim == 2
    if single:
        h = dimshuffle(h, ("x", 0, 1))
        inputs, outputs = (
            dimshuffle(i, ("x", 0)) if i.type.ndim == 1 else i for i in (inputs, outputs)
        )
    one = dimshuffle(inputs, (0, 1, "x"))
    two = dimshuffle(outputs, (0, "x", 1))
    terms = mul(dimshuffle(h, (0, 1, "x", 2, "x")), get_item(W, (one, two)))
    result = add(reduce("sum", terms, (1, 3), terms.type.dtype), get_item(b, outputs))
    return get_item(result, 0) if single else result


def h_softmax(
    x: TensorLike,
    batch_size: TensorLike,
    n_outputs: TensorLike,
    n_classes: TensorLike,
    n_outputs_per_class: TensorLike,
    W1: TensorLike,
    b1: TensorLike,
    W2: TensorLike,
    b2: TensorLike,
    target: TensorLike | None = None,
) -> Any:
    """Return probabilities by a softmax over classes and one over the outputs of each class.

    Parameters
    ----------
    x : matrix, shape (batch_size, number of features)
    batch_size, n_outputs, n_classes, n_outputs_per_class : int or integer scalar
        ``n_classes * n_outputs_per_class`` is at least `n_outputs`.
    W1, b1 : matrix, vector
        Of the first softmax: (features, n_classes), (n_classes,).
    W2, b2 : tensor, matrix
        Of the second: (n_classes, features, n_outputs_per_class), (n_classes, n_outputs_per_class).
    target : int vector, optional
        The output whose probability is wanted, for each row of `x`.

    Returns
    -------
    TensorVariable
        The probability of each `target`; without it those of all outputs, a matrix.
    """
    classes = softmax(add(dot(x, W1), b1))
    if target is None:
        inner = add(tensordot(x, W2, (1, 1)), b2)
        count = mul(as_tensor_variable(batch_size), n_classes)
        rows = softmax(shaping.reshape_op(inner, [count, n_outputs_per_class]))
        parts = shaping.reshape_op(rows, [batch_size, n_classes, n_outputs_per_class])
        whole = mul(dimshuffle(classes, (0, 1, "x")), parts)
        every = mul(as_tensor_variable(n_classes), n_outputs_per_class)
        flat = shaping.reshape_op(whole, [batch_size, every])
        return get_item(flat, (slice(None), slice(None, n_outputs)))
    target = as_tensor_variable(target)
    target = target if target.type.ndim == 1 else shaping.reshape_op(target, [-1])
    number, place = int_div(target, n_outputs_per_class), mod(target, n_outputs_per_class)
    blocks = get_item(as_tensor_variable(W2), number)
    column = dimshuffle(as_tensor_variable(x), (0, 1, "x"))
    terms = mul(column, blocks)
    inner = add(
        reduce("sum", terms, (1,), terms.type.dtype), get_item(as_tensor_variable(b2), number)
    )
    each = arange(batch_size)
    return mul(get_item(classes, (each, number)), get_item(softmax(inner), (each, place)))
