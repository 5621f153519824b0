"""Draws from an explicit stream: functions of a RandomState variable.

Each returns the stream after the draw, and the array drawn.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.api.array.elementwise import float_x
from theano._core.api.array.indexing import get_item
from theano._core.api.conversion import as_tensor_variable, constant
from theano._core.base import dtypes
from theano._core.base.settings import config
from theano._core.ir.types import RandomStateType, TensorType, random_state_type
from theano._core.ir.variable import Variable
from theano._core.ops.array import shaping
from theano._core.ops.elementwise.elementwise import cast
from theano._core.ops.random import numpy_streams as ops

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike

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


def _known_shape(
    size: Sequence[object], ndim: int | None, args: Sequence[object]
) -> tuple[Any, list[bool]]:
    """Return the shape vector of a sequence, and which of them are known to be 1."""
    if ndim is not None and ndim != len(size):
        raise ValueError(
            f"ndim should be equal to len(shape), but ndim = {ndim}, len(shape) = {len(size)}, "
            f"shape = {tuple(size)}"
        )
    shape = [
        n if hasattr(n, "type") else _known_length(n, axis - len(size), size, args)
        for axis, n in enumerate(size)
    ]
    vector = as_tensor_variable(shape) if shape else constant(_NO_SIZE)
    return vector, [not hasattr(n, "type") and n == 1 for n in shape]


def _known_length(n: Any, axis: int, size: Sequence[Any], args: Sequence[Any]) -> Any:
    """Return a length; for -1 that of the parameters along `axis`, which counts from the right."""
    if not isinstance(n, (int, np.integer)):
        raise TypeError(f"lengths are integers or scalars of them, got {n!r} in size {tuple(size)}")
    if n >= 0:
        return n
    if n != -1:
        raise ValueError(f"negative shape {n} in {tuple(size)}")
    overlapping = [arg for arg in args if arg.type.ndim >= -axis]
    if not overlapping:
        raise ValueError(
            "Auto-shape of -1 must overlap with the shape of one of the broadcastable inputs: "
            f"{tuple(size)} of {[str(arg.type) for arg in args]}"
        )
    for arg in overlapping:
        if not arg.type.broadcastable[axis]:
            return shaping.length(arg, arg.type.ndim + axis)
    return 1


def _result_shape(
    name: str, ndim: int | None, size: TensorLike | None, args: Sequence[Any]
) -> tuple[Any, list[bool]]:
    """Return the shape vector of a draw, empty if it follows `args`, and its pattern."""
    if size is None:
        if not args:
            raise TypeError(f"{name}: cannot infer the shape without size")
        # Their sum has the pattern, and raises if they do not fit.
        template = reduce(lambda x, y: x + y, args)
        return constant(_NO_SIZE), list(template.type.broadcastable)
    if isinstance(size, (list, tuple)):
        vector, pattern = _known_shape(size, ndim, args)
    else:
        vector = as_tensor_variable(size)
        if vector.type.ndim != 1:
            raise TypeError(
                f"shape must be a vector or list of scalar, got '{vector}': the size of a draw is "
                f"one argument, as in {name}(size=(3, 3))"
            )
        pattern = [False] * (shaping.vector_length(vector) if ndim is None else ndim)
    if not dtypes.is_discrete(vector.type.dtype):
        raise TypeError(f"shape must be an integer vector or list, got {vector.type}")
    least = max((arg.type.ndim for arg in args), default=0)
    if len(pattern) < least:
        raise ValueError(
            f"ndim should be at least as big as required by args value: ndim is {len(pattern)}, the"
            f" parameters {[str(a) for a in args]} have up to {least} dimensions"
        )
    return cast(vector, "int64"), pattern


def infer_ndim_bcast(
    ndim: int | None, shape: TensorLike, *args: TensorLike
) -> tuple[int, Any, tuple[bool, ...]]:
    """Return (rank, vector of lengths, pattern) of a draw, as functions of Theano 1.0.5 ask for it.

    Parameters
    ----------
    ndim : int, optional
    shape : sequence, int vector variable, or None
        None: what `args` broadcast to; -1 for a length of theirs.
    *args : tensor variables
        The parameters of the distribution.
    """
    vector, pattern = _result_shape("_infer_ndim_bcast", ndim, shape, args)
    if shape is None:
        vector = cast(reduce(lambda x, y: x + y, args).shape, "int64")
    return len(pattern), vector, tuple(pattern)


def _draw(
    fn: Any,
    stream: TensorLike,
    shape: Variable,
    pattern: Sequence[bool],
    dtype: str,
    args: Sequence[Variable],
    added: Sequence[bool] = (),
) -> list[Any]:
    type_ = TensorType(dtype, [*pattern, *added])
    op = ops.RandomFunction(fn, type_, ndim_added=len(added))
    return op(stream, shape, *args)


def _float_dtype(dtype: str | None, *args: Variable) -> str:
    return (
        dtypes.upcast(config.floatX, *(arg.type.dtype for arg in args)) if dtype is None else dtype
    )


def uniform(
    random_state: TensorLike,
    size: TensorLike | None = None,
    low: TensorLike = 0.0,
    high: TensorLike = 1.0,
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
    shape, pattern = _result_shape("uniform", ndim, size, [low, high])
    return _draw("uniform", random_state, shape, pattern, dtype, [low, high])


def normal(
    random_state: TensorLike,
    size: TensorLike | None = None,
    avg: TensorLike = 0.0,
    std: TensorLike = 1.0,
    ndim: int | None = None,
    dtype: str | None = None,
) -> list[Any]:
    """Draw numbers from a normal distribution of mean `avg` and standard deviation `std`."""
    avg, std = as_tensor_variable(avg), as_tensor_variable(std)
    dtype = _float_dtype(dtype, avg, std)
    shape, pattern = _result_shape("normal", ndim, size, [avg, std])
    return _draw("normal", random_state, shape, pattern, dtype, [avg, std])


def binomial(
    random_state: TensorLike,
    size: TensorLike | None = None,
    n: TensorLike = 1,
    p: TensorLike = 0.5,
    ndim: int | None = None,
    dtype: str = "int64",
    prob: TensorLike | None = None,
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
    shape, pattern = _result_shape("binomial", ndim, size, [n, p])
    # No axis is declared broadcastable, as in Theano 1.0.5.
    return _draw("binomial", random_state, shape, [False] * len(pattern), dtype, [n, p])


def random_integers(
    random_state: TensorLike,
    size: TensorLike | None = None,
    low: TensorLike = 0,
    high: TensorLike = 1,
    ndim: int | None = None,
    dtype: str = "int64",
) -> list[Any]:
    """Draw integers between `low` and `high`, both included, all equally likely."""
    args = [as_tensor_variable(low), as_tensor_variable(high)]
    shape, pattern = _result_shape("random_integers", ndim, size, args)
    return _draw(ops.random_integers_helper, random_state, shape, pattern, dtype, args)


def poisson(
    random_state: TensorLike,
    size: TensorLike | None = None,
    lam: TensorLike = 1.0,
    ndim: int | None = None,
    dtype: str = "int64",
) -> list[Any]:
    """Draw counts from a Poisson distribution of mean `lam`; `size` must be given."""
    lam = as_tensor_variable(lam)
    shape, pattern = _result_shape("poisson", ndim, size, [])
    return _draw("poisson", random_state, shape, pattern, dtype, [lam])


def permutation(
    random_state: TensorLike,
    size: TensorLike | None = None,
    n: TensorLike = 1,
    ndim: int | None = None,
    dtype: str = "int64",
) -> list[Any]:
    """Draw permutations of the integers below `n`, along a last axis added to `size`."""
    n = as_tensor_variable(n)
    if size is None or (isinstance(size, (tuple, list)) and not size):
        if ndim not in (None, 0, 1):
            raise TypeError(
                "You asked for just one permutation but asked for more then 1 dimensions: "
                f"size = {size}, ndim = {ndim}"
            )
        shape, pattern = constant(_NO_SIZE), []
    else:
        shape, pattern = _result_shape("permutation", ndim, size, [])
    return _draw(ops.permutation_helper, random_state, shape, pattern, dtype, [n], [False])


def multinomial(
    random_state: TensorLike,
    size: TensorLike | None = None,
    n: TensorLike = 1,
    pvals: TensorLike = (0.5, 0.5),
    ndim: int | None = None,
    dtype: str = "int64",
) -> list[Any]:
    """Draw how often each of several outcomes occurs in `n` trials.

    The counts stand along a last axis added to `size`.

    `pvals` has the probabilities of the outcomes along its last axis.
    """
    n, pvals = as_tensor_variable(n), as_tensor_variable(pvals)
    if pvals.type.ndim == 0:
        raise IndexError(f"multinomial: pvals needs an axis of probabilities, got {pvals.type}")
    shaped = [n, get_item(pvals, (..., 0))]
    shape, pattern = _result_shape("multinomial", ndim, size, shaped)
    outcomes = [pvals.type.broadcastable[-1]]
    return _draw(ops.multinomial_helper, random_state, shape, pattern, dtype, [n, pvals], outcomes)


def choice(
    random_state: TensorLike,
    size: TensorLike | None = None,
    a: TensorLike = 2,
    replace: TensorLike = True,
    p: TensorLike | None = None,
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
    # An empty vector stands for no weights, and so does 0, as in Theano 1.0.5.
    none = p is None or (isinstance(p, (int, float, list, tuple)) and not p)
    weights = as_tensor_variable(float_x([]) if none else p)
    shape, pattern = _result_shape("choice", ndim, () if size is None else size, [])
    args = [a, as_tensor_variable(replace), weights]
    return _draw(ops.choice_helper, random_state, shape, pattern, dtype, args)
