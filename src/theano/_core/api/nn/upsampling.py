"""Images made larger by linear interpolation between their items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.api.array.creation import arange
from theano._core.api.conversion import as_tensor_variable, cast
from theano._core.base import dtypes
from theano._core.base.settings import config
from theano._core.ops.array.dims import as_int64
from theano._core.ops.array.products import batched_dot
from theano._core.ops.array.shaping import length, reshape_op
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.core.op import as_variable, tensor_operand
from theano._core.ops.elementwise.arithmetic import (
    abs_,
    int_div,
    maximum,
    minimum,
    mul,
    neg,
    sub,
    true_div,
)

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike
    from theano._core.ir.tensor import TensorVariable


def bilinear_kernel_1D(ratio: TensorLike, normalize: bool = True) -> TensorVariable:
    """Return the weights with which an item counts at the positions around it.

    Parameters
    ----------
    ratio : int or integer scalar variable
        How many positions there are for an item.
    normalize : bool
        Whether the largest weight is 1; else it is `ratio`.

    Returns
    -------
    TensorVariable, vector of 2 `ratio` - 1 items, floatX
    """
    size = cast(as_tensor_variable(ratio), "int64")
    at = sub(arange(sub(mul(size, 2), 1)), sub(size, 1))
    weights = cast(sub(size, abs_(at)), config.floatX)
    return true_div(weights, cast(size, config.floatX)) if normalize else weights


def bilinear_kernel_2D(ratio: TensorLike, normalize: bool = True) -> TensorVariable:
    """Return the outer product of `bilinear_kernel_1D` with itself.

    Parameters
    ----------
    ratio : int or integer scalar variable
    normalize : bool

    Returns
    -------
    TensorVariable, matrix, floatX
    """
    weights = bilinear_kernel_1D(ratio, normalize)
    return mul(dimshuffle(weights, (0, "x")), dimshuffle(weights, ("x", 0)))


def _weights(size: TensorLike, many: TensorLike, few: TensorLike, dtype: str) -> Any:
    """Return the matrix that broadcasts an axis of a length `many` / `few` times."""
    count = neg(int_div(neg(mul(size, many)), few))
    # Over `many`; the first and the last item go on beyond the ends.
    at = sub(mul(arange(count), few), int_div(sub(many, 1), 2))
    at = minimum(maximum(at, 0), mul(sub(size, 1), many))
    apart = abs_(sub(dimshuffle(at, (0, "x")), mul(dimshuffle(arange(size), ("x", 0)), many)))
    return true_div(cast(maximum(sub(many, apart), 0), dtype), cast(many, dtype))


def _stretched(x: TensorLike, ratios: Any) -> Any:
    """Return images whose rows and columns are (many, few) times as many."""
    x = tensor_operand("bilinear_upsampling", x)
    if x.type.ndim != 4:
        raise TypeError(f"images must have 4 axes, got {x.type}")
    dtype = config.floatX
    if dtypes.is_float(x.type.dtype):
        dtype = dtypes.upcast(x.type.dtype, dtype)
    shape = [as_int64(length(x, axis)) for axis in range(4)]
    pairs = [[cast(as_variable(n), "int64") for n in pair] for pair in ratios]
    rows, columns = (
        _weights(size, many, few, dtype) for size, (many, few) in zip(shape[2:], pairs, strict=True)
    )
    flat = reshape_op(cast(x, dtype), [mul(shape[0], shape[1]), *shape[2:]])
    wide = batched_dot(flat, dimshuffle(columns, ("x", 1, 0)))
    whole = batched_dot(dimshuffle(rows, ("x", 0, 1)), wide)
    sizes = [as_int64(length(whole, axis)) for axis in (1, 2)]
    return reshape_op(whole, [*shape[:2], *sizes])


def _fractions(frac_ratio: object) -> Any:
    if not isinstance(frac_ratio, (tuple, list)) or len(frac_ratio) != 2:
        raise ValueError(f"frac_ratio must be one or two pairs of integers, got {frac_ratio}")
    pairs = tuple(frac_ratio)
    if not any(isinstance(pair, (tuple, list)) for pair in pairs):
        pairs = (pairs, pairs)
    for pair in pairs:
        if not all(isinstance(n, (int, np.integer)) and n > 0 for n in pair):
            raise TypeError(f"a ratio is a pair of positive integers, got {pair}")
    return pairs


def frac_bilinear_upsampling(input: TensorLike, frac_ratio: object) -> TensorVariable:
    """Return images interpolated linearly, a fraction of times as large.

    Parameters
    ----------
    input : tensor of 4 axes
        Images, channels, rows, columns.
    frac_ratio : pair of int, or pair of pairs of int
        (3, 2) makes 3 items of 2; one pair for rows and one for columns, or one for both.

    Returns
    -------
    TensorVariable of 4 axes
    """
    return _stretched(input, _fractions(frac_ratio))


def bilinear_upsampling(
    input: TensorLike,
    ratio: TensorLike | None = None,
    frac_ratio: object = None,
    batch_size: int | None = None,
    num_input_channels: int | None = None,
    use_1D_kernel: bool = True,
) -> TensorVariable:
    """Return images interpolated linearly between their items.

    Parameters
    ----------
    input : tensor of 4 axes
        Images, channels, rows, columns.
    ratio : int or integer scalar variable, optional
        How many times as many rows and columns the result has.
    frac_ratio : pair of int, or pair of pairs of int, optional
        A fraction of times: see `frac_bilinear_upsampling`; with `use_1D_kernel` False.
    batch_size, num_input_channels : int, optional
        Without effect.
    use_1D_kernel : bool
        Without effect, but for `frac_ratio`.

    Returns
    -------
    TensorVariable of 4 axes
    """
    if ratio and frac_ratio:
        raise ValueError("can't use ratio and frac_ratio together")
    if not (ratio or frac_ratio):
        raise ValueError("No ratio (or frac_ratio) provided")
    if not frac_ratio:
        return _stretched(input, ((ratio, 1), (ratio, 1)))
    if use_1D_kernel:
        raise ValueError(
            "For fractional ratios 1D kernel method not implemented. You may want to pass "
            "use_1D_kernel as False"
        )
    return frac_bilinear_upsampling(input, frac_ratio)
