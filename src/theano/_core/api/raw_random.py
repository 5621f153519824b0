"""Draws from an explicit stream: functions of a RandomState variable.

Each returns the stream after the draw, and the array drawn.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from theano._core.api.conversion import as_tensor_variable, constant
from theano._core.api.elementwise import float_x
from theano._core.api.indexing import get_item
from theano._core.base import dtypes
from theano._core.base.settings import config
from theano._core.ir.types import RandomStateType, random_state_type
from theano._core.ops import random as ops
from theano._core.ops import shaping
from theano._core.ops.arithmetic import cast
from theano._core.ops.op import python_int

__all__ = [
    "RandomStateType",
    "binomial",
    "choice",
    "multinomial",
    "normal",
    "permutation",
    "poisson",
    "random_integers",
    "random_state_type",
    "uniform",
]

_NO_SIZE = np.zeros(0, dtype="int64")


def _result_size(ndim: int | None, size: Any, args: Sequence[Any]) -> tuple[int, Any, bool]:
    """Return (rank, lengths vector, whether the shape comes from the parameters)."""
    least = max((arg.type.ndim for arg in args), default=0)
    if size is None:
        rank = least if ndim is None else ndim
        if rank != least:
            raise ValueError(
                f"ndim is {ndim}, but the parameters give {least} dimensions: pass `size`"
            )
        return rank, _NO_SIZE, True
    if isinstance(size, (int, np.integer)):
        size = (int(size),)
    if isinstance(size, (list, tuple)):
        rank = len(size)
        if ndim is not None and ndim != rank:
            raise ValueError(
                f"ndim should be equal to len(shape), but ndim = {ndim}, len(shape) = {rank}, "
                f"shape = {tuple(size)}"
            )
        size = as_tensor_variable(_completed(size, args)) if size else constant(_NO_SIZE)
    else:
        size = as_tensor_variable(size)
    if size.type.ndim != 1 or not dtypes.is_discrete(size.type.dtype):
        raise TypeError(f"shape must be a vector or list of scalar, got '{size}'")
    rank = shaping.vector_length(size) if ndim is None else ndim
    if rank < least:
        raise ValueError(
            f"ndim should be at least as big as required by args value: ndim is {rank}, the "
            f"parameters {[str(a) for a in args]} have up to {least} dimensions"
        )
    return rank, cast(size, "int64"), False


def _completed(size: Sequence[Any], args: Sequence[Any]) -> list[Any]:
    """Replace each -1 of a size by the length of the parameters along that axis."""
    result = list(size)
    for axis, value in enumerate(size):
        if python_int(value) != -1:
            continue
        result[axis] = 1
        for arg in args:
            at = axis - len(size) + arg.type.ndim
            if at >= 0 and not arg.type.broadcastable[at]:
                result[axis] = shaping.length(arg, at)
                break
    return result


def _draw(
    name: str,
    stream: Any,
    size: Any,
    ndim: int | None,
    dtype: str,
    args: Sequence[Any],
    shaped: Sequence[Any] | None = None,
) -> list[Any]:
    rank, lengths, infer = _result_size(ndim, size, args if shaped is None else shaped)
    rank += ops.ADDED_AXES.get(name, 0)
    op = ops.RandomFunction(name, config.floatX if dtype == "floatX" else dtype, rank, infer)
    return op(stream, lengths, *args, return_list=True)


def _float_dtype(dtype: str | None, *args: Any) -> str:
    return (
        dtypes.upcast(config.floatX, *(arg.type.dtype for arg in args)) if dtype is None else dtype
    )


def uniform(
    random_state: Any,
    size: Any = None,
    low: Any = 0.0,
    high: Any = 1.0,
    ndim: int | None = None,
    dtype: str | None = None,
) -> list[Any]:
    """Draw numbers between `low` and `high`, all equally likely.

    Parameters
    ----------
    random_state : RandomState variable
    size : int sequence or vector, optional
        Lengths of the result; by default those that the parameters broadcast to.
    low, high : tensor
    ndim : int, optional
        Rank of the result, if it does not follow from `size`.
    dtype : str, optional
        By default the common dtype of `config.floatX`, `low` and `high`.

    Returns
    -------
    list
        The stream after the draw, and the array.
    """
    low, high = as_tensor_variable(low), as_tensor_variable(high)
    dtype = _float_dtype(dtype, low, high)
    return _draw("uniform", random_state, size, ndim, dtype, [low, high])


def normal(
    random_state: Any,
    size: Any = None,
    avg: Any = 0.0,
    std: Any = 1.0,
    ndim: int | None = None,
    dtype: str | None = None,
) -> list[Any]:
    """Draw numbers from a normal distribution of mean `avg` and standard deviation `std`."""
    avg, std = as_tensor_variable(avg), as_tensor_variable(std)
    dtype = _float_dtype(dtype, avg, std)
    return _draw("normal", random_state, size, ndim, dtype, [avg, std])


def binomial(
    random_state: Any,
    size: Any = None,
    n: Any = 1,
    p: Any = 0.5,
    ndim: int | None = None,
    dtype: str = "int64",
    prob: Any = None,
) -> list[Any]:
    """Draw how many of `n` trials succeed, each with probability `p`.

    `prob` is the old name of `p`.
    """
    if prob is not None:
        warnings.warn("binomial: `prob` is the old name of `p`", DeprecationWarning, stacklevel=2)
        p = prob
    n, p = as_tensor_variable(n), as_tensor_variable(p)
    if dtypes.is_float(n.type.dtype):
        raise TypeError(f"binomial: n must be integers, got {n.type}")
    return _draw("binomial", random_state, size, ndim, dtype, [n, p])


def random_integers(
    random_state: Any,
    size: Any = None,
    low: Any = 0,
    high: Any = 1,
    ndim: int | None = None,
    dtype: str = "int64",
) -> list[Any]:
    """Draw integers between `low` and `high`, both included, all equally likely."""
    args = [as_tensor_variable(low), as_tensor_variable(high)]
    return _draw("random_integers", random_state, size, ndim, dtype, args)


def poisson(
    random_state: Any,
    size: Any = None,
    lam: Any = 1.0,
    ndim: int | None = None,
    dtype: str = "int64",
) -> list[Any]:
    """Draw counts from a Poisson distribution of mean `lam`."""
    return _draw("poisson", random_state, size, ndim, dtype, [as_tensor_variable(lam)])


def permutation(
    random_state: Any, size: Any = None, n: Any = 1, ndim: int | None = None, dtype: str = "int64"
) -> list[Any]:
    """Draw permutations of the integers below `n`, along a last axis added to `size`."""
    n = as_tensor_variable(n)
    if not dtypes.is_discrete(n.type.dtype):
        raise TypeError(f"permutation: n must be an integer, got {n.type}")
    size = () if size is None and not ndim else size
    return _draw("permutation", random_state, size, ndim, dtype, [n], [])


def multinomial(
    random_state: Any,
    size: Any = None,
    n: Any = 1,
    pvals: Any = (0.5, 0.5),
    ndim: int | None = None,
    dtype: str = "int64",
) -> list[Any]:
    """Draw how often each of several outcomes occurs in `n` trials.

    The counts stand along a last axis added to `size`.

    `pvals` has the probabilities of the outcomes along its last axis.
    """
    n, pvals = as_tensor_variable(n), as_tensor_variable(pvals)
    if pvals.type.ndim == 0:
        raise TypeError(f"multinomial: pvals needs an axis of probabilities, got {pvals.type}")
    # The shape follows from n and from the axes of pvals but the last.
    return _draw(
        "multinomial", random_state, size, ndim, dtype, [n, pvals], [n, get_item(pvals, (..., 0))]
    )


def choice(
    random_state: Any,
    size: Any = None,
    a: Any = 2,
    replace: Any = True,
    p: Any = None,
    ndim: int | None = None,
    dtype: str = "int64",
) -> list[Any]:
    """Draw items of the vector `a`, or integers below the scalar `a`.

    Parameters
    ----------
    random_state : RandomState variable
    size : int sequence or vector, optional
    a : int scalar or vector
    replace : bool
        Whether an item may be drawn twice.
    p : float vector, optional
        Probability of each item; by default all are equal.
    ndim : int, optional
    dtype : str
    """
    a = as_tensor_variable(a)
    if a.type.ndim > 1:
        raise ValueError(f"choice: a must be a scalar or a vector, got {a.type}")
    replace = constant(int(replace), dtype="int8") if isinstance(replace, bool) else replace
    weights = as_tensor_variable(float_x([]) if p is None else p)
    size = () if size is None and not ndim else size
    args = [a, as_tensor_variable(replace), weights]
    return _draw("choice", random_state, size, ndim, dtype, args, [])
