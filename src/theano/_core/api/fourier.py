"""Fourier transforms of batches of real arrays."""

from __future__ import annotations

from typing import Any

from theano._core.api.conversion import as_tensor_variable, cast
from theano._core.ops import fourier as ops
from theano._core.ops.arithmetic import add, mul, sub, true_div
from theano._core.ops.lengths import as_int64, product
from theano._core.ops.shaping import length
from theano._core.ops.transcendental import sqrt

NORMS = (None, "ortho", "no_norm")


def _check_norm(norm: str | None) -> None:
    if norm not in NORMS:
        raise ValueError(f"Invalid value {norm} for norm, must be None, 'ortho' or 'no_norm'")


def _divided(x: Any, count: Any, by_root: bool) -> Any:
    number = cast(as_tensor_variable(as_int64(count)), x.type.dtype)
    return true_div(x, sqrt(number) if by_root else number)


def rfft(inp: Any, norm: str | None = None) -> Any:
    """Return the Fourier transform of real arrays.

    Parameters
    ----------
    inp : tensor, at least two axes
        The first axis counts the arrays.
    norm : {None, 'ortho', 'no_norm'}
        'ortho' divides by the square root of the number of items of an array.

    Returns
    -------
    TensorVariable, shape ``inp.shape[:-1] + (inp.shape[-1] // 2 + 1, 2)``
        The last axis holds real and imaginary parts; of the axis before it the half that says all.

    Raises
    ------
    TypeError
        Complex numbers, or fewer axes.
    """
    _check_norm(norm)
    out = ops.rfft(inp)
    if norm != "ortho":
        return out
    x = out.owner.inputs[0]
    return _divided(out, product([length(x, axis) for axis in range(1, x.type.ndim)]), True)


def irfft(inp: Any, norm: str | None = None, is_odd: bool = False) -> Any:
    """Return the real arrays whose transform, as `rfft` gives it, is `inp`.

    Parameters
    ----------
    inp : tensor, at least three axes
        The first counts the arrays, the last holds real and imaginary parts.
    norm : {None, 'ortho', 'no_norm'}
        By default the result is divided by the number of items of an array, with 'ortho' by the
        square root of it, with 'no_norm' it is not.
    is_odd : bool
        Whether the last axis of the result has an odd length.

    Returns
    -------
    TensorVariable, shape ``inp.shape[:-2] + (2 * (inp.shape[-2] - 1) + is_odd,)``
    """
    _check_norm(norm)
    if is_odd not in (True, False):
        raise ValueError(f"Invalid value {is_odd} for is_odd, must be True or False")
    x = as_tensor_variable(inp)
    if x.type.ndim < 3:
        raise TypeError(f"irfft: input must have at least 3 axes, got {x.type}")
    half = length(x, x.type.ndim - 2)
    size = add(mul(sub(as_int64(half), 1), 2), int(is_odd))
    out = ops.irfft(x, size)
    if norm == "no_norm":
        return out
    lengths = [length(x, axis) for axis in range(1, x.type.ndim - 2)]
    return _divided(out, product([*lengths, size]), norm == "ortho")
