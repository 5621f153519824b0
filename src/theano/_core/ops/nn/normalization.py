"""Batch normalization as one operation, for its derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from theano._core.ir.variable import Apply, Variable
from theano._core.ops.array.dims import as_int64, product
from theano._core.ops.array.reductions import reduce
from theano._core.ops.array.shaping import length, pattern_broadcast
from theano._core.ops.control.body import Body
from theano._core.ops.control.inner_graph import Expression
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.core.fill import second
from theano._core.ops.core.naming import hashed_as, known_as
from theano._core.ops.core.op import as_variable
from theano._core.ops.elementwise.arithmetic import add, mul, neg, sub, true_div
from theano._core.ops.elementwise.elementwise import cast


def summed(value: Variable, axes: Sequence[int]) -> Any:
    """Return sums over axes, which keep the length 1."""
    total = reduce("sum", value, tuple(axes), value.type.dtype)
    kept = iter(range(total.type.ndim))
    return dimshuffle(total, ["x" if a in axes else next(kept) for a in range(value.type.ndim)])


def batch_gradients(
    x: Variable,
    dy: Variable,
    scale: Variable,
    mean: Variable,
    inverse: Variable,
    axes: Sequence[int],
) -> tuple[Any, Any, Any]:
    """Return the gradients of ``(x - mean) * scale * inverse + bias`` of a batch.

    They say nothing of the variance but by `inverse`, so that a derivative of them that takes
    `mean` and `inverse` as constants has none of it.

    Returns
    -------
    tuple of TensorVariable
        With respect to `x` (of which `mean` and `inverse` are made), `scale` and the bias.
    """
    count = _count(x, axes)
    centred = sub(x, mean)
    common = summed(mul(dy, centred), axes)
    cube = mul(inverse, mul(inverse, inverse))
    direct = sub(mul(dy, inverse), mul(mul(cube, true_div(common, count)), centred))
    # Less its mean as a whole: where `mean` is a constant, that of `centred` counts as well.
    dx = mul(scale, sub(direct, true_div(summed(direct, axes), count)))
    return dx, mul(common, inverse), summed(dy, axes)


def _count(x: Variable, axes: Sequence[int]) -> Any:
    shape = product([length(x, axis) for axis in axes])
    return cast(as_variable(as_int64(shape)), x.type.dtype)


@known_as("AbstractBatchNormTrain")
@hashed_as("AbstractBatchNormTrain")
class BatchNorm(Expression):
    """A normalized batch, its mean, 1 / its deviation and its variance, and running statistics.

    Its inputs are the batch, scale, bias and what is added to the variance; running statistics and
    their factor are inputs and outputs that it does not change.

    Parameters
    ----------
    body : Body
    axes : tuple of int
        What statistics are taken over.
    """

    def __init__(self, body: Body, axes: Sequence[int]) -> None:
        super().__init__(body, "BatchNorm")
        self.axes = tuple(axes)

    def vjp(self, node: Apply, cotangents: Sequence[Any], reverse: Any = None) -> list[Any]:
        x, scale, _, epsilon = node.inputs[:4]
        _, mean, inverse = node.outputs[:3]
        dy, dmean, dinverse, dvar, *running = cotangents
        centred, count = sub(x, mean), _count(x, self.axes)
        cube = mul(inverse, mul(inverse, inverse))
        parts, dscale, dbias, spread = [], None, None, []
        if dy is not None:
            dx, dscale, dbias = batch_gradients(x, dy, scale, mean, inverse, self.axes)
            parts.append(dx)
            spread.append(summed(mul(mul(dy, scale), centred), self.axes))
        if dmean is not None:
            parts.append(second(x, true_div(dmean, count)))
        if dinverse is not None:
            parts.append(neg(mul(true_div(mul(dinverse, cube), count), centred)))
            spread.append(dinverse)
        if dvar is not None:
            twice = add(dvar, dvar)
            parts.append(mul(true_div(twice, count), centred))
        depsilon = None
        if spread:
            half = mul(np.asarray(-0.5, x.type.dtype), mul(cube, _sum_of(spread)))
            axes = tuple(range(half.type.ndim))
            depsilon = cast(reduce("sum", half, axes, half.type.dtype), epsilon.type.dtype)
        gradients = (_sum_of(parts), dscale, dbias)
        likes = (_like(g, v) for g, v in zip(gradients, node.inputs, strict=False))
        return [*likes, depsilon, *running]


def _sum_of(values: Sequence[Variable]) -> Any:
    total = values[0] if values else None
    for value in values[1:]:
        total = add(total, value)
    return total


def _like(value: Variable | None, like: Variable) -> Any:
    """Return a gradient in the type of what it belongs to."""
    if value is None:
        return None
    return pattern_broadcast(cast(value, like.type.dtype), like.type.broadcastable)
