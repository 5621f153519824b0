"""Layers of which only some parts are computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from theano._core.api.array.creation import arange
from theano._core.api.array.indexing import get_item, inc_subtensor
from theano._core.api.array.products import dot, tensordot
from theano._core.api.conversion import as_tensor_variable, cast
from theano._core.api.nn.nnet import softmax
from theano._core.ir.variable import Variable
from theano._core.ops.array import shaping
from theano._core.ops.array.reductions import reduce
from theano._core.ops.control.inner_graph import Expression, body_over
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.core.naming import hashed_as
from theano._core.ops.elementwise.arithmetic import add, int_div, mod, mul

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike
    from theano._core.ir.tensor import TensorVariable


def sparse_block_dot(
    W: TensorLike, h: TensorLike, inputIdx: TensorLike, b: TensorLike, outputIdx: TensorLike
) -> TensorVariable:
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
    result = sparse_block_gemv(get_item(b, outputs), W, h, inputs, outputs)
    return get_item(result, 0) if single else result


@hashed_as("SparseBlockGemv")
class SparseBlockGemv(Expression):
    """Products of chosen blocks of a matrix and of vectors, added to vectors."""


@hashed_as("SparseBlockOuter")
class SparseBlockOuter(Expression):
    """Outer products of vectors, added to chosen blocks of a matrix."""


def sparse_block_gemv(
    o: TensorLike, W: TensorLike, h: TensorLike, inputIdx: TensorLike, outputIdx: TensorLike
) -> Any:
    """Return `o` plus, for each chosen output block, the products with the chosen input blocks.

    Parameters
    ----------
    o : tensor, shape (batch, chosen outputs, output size)
    W : tensor, shape (input blocks, output blocks, input size, output size)
    h : tensor, shape (batch, chosen inputs, input size)
    inputIdx, outputIdx : int tensor, shape (batch, chosen blocks)

    Raises
    ------
    TypeError
        An argument has another number of axes.
    """
    outside = _of_ranks("o W h inputIdx outputIdx", (3, 4, 3, 2, 2), (o, W, h, inputIdx, outputIdx))

    def build(
        start: Variable, blocks: Variable, items: Variable, inputs: Variable, outputs: Variable
    ) -> Any:
        one, two = dimshuffle(inputs, (0, 1, "x")), dimshuffle(outputs, (0, "x", 1))
        terms = mul(dimshuffle(items, (0, 1, "x", 2, "x")), get_item(blocks, (one, two)))
        return add(reduce("sum", terms, (1, 3), terms.type.dtype), start)

    return SparseBlockGemv(body_over(outside, build), "SparseBlockGemv")(*outside)


def sparse_block_outer(
    o: TensorLike,
    x: TensorLike,
    y: TensorLike,
    xIdx: TensorLike,
    yIdx: TensorLike,
    alpha: TensorLike = 1,
) -> Any:
    """Return `o` with `alpha` times the outer products of `x` and `y` added to chosen blocks.

    Parameters
    ----------
    o : tensor, shape (blocks of x, blocks of y, size of x, size of y)
    x, y : tensor, shape (batch, chosen blocks, size)
    xIdx, yIdx : int tensor, shape (batch, chosen blocks)
    alpha : scalar

    Raises
    ------
    TypeError
        An argument has another number of axes.
    """
    operands = (o, x, y, xIdx, yIdx, alpha)
    outside = _of_ranks("o x y xIdx yIdx alpha", (4, 3, 3, 2, 2, 0), operands)

    def build(start: Variable, left: Variable, right: Variable, *rest: Variable) -> Any:
        one, two, factor = rest
        outer = mul(dimshuffle(left, (0, 1, "x", 2, "x")), dimshuffle(right, (0, "x", 1, "x", 2)))
        part = get_item(start, (dimshuffle(one, (0, 1, "x")), dimshuffle(two, (0, "x", 1))))
        return inc_subtensor(part, cast(mul(factor, outer), start.type.dtype))

    return SparseBlockOuter(body_over(outside, build), "SparseBlockOuter")(*outside)


def _of_ranks(names: str, ranks: Sequence[int], values: Sequence[TensorLike]) -> list[Any]:
    variables = [as_tensor_variable(v) for v in values]
    for name, rank, variable in zip(names.split(), ranks, variables, strict=True):
        if variable.type.ndim != rank:
            raise TypeError(f"{name} must have {rank} axes, got {variable.type}")
    return variables


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
) -> TensorVariable:
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

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> W1, W2 = rng.normal(size=(3, 2)), rng.normal(size=(2, 3, 2))
    >>> p = T.nnet.h_softmax(
    ...     np.ones((5, 3)), 5, 4, 2, 2, W1, np.zeros(2), W2, np.zeros((2, 2))
    ... )
    >>> p.sum(axis=1).eval().round(6)
    array([1., 1., 1., 1., 1.])
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
