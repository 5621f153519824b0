"""Permutations of the last axis, and one-hot rows."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from theano._core.api.array.creation import arange, zeros
from theano._core.api.array.indexing import set_subtensor
from theano._core.api.conversion import as_tensor_variable
from theano._core.base import dtypes
from theano._core.base.near_misses import explain_functions
from theano._core.ops.array import shaping
from theano._core.ops.array.broadcasting import alloc
from theano._core.ops.array.indexing import gather, scatter_set
from theano._core.ops.control.inner_graph import whole
from theano._core.ops.core.dimshuffle import dimshuffle, pad_left

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike
    from theano._core.ir.tensor import TensorVariable


def permute_row_elements(x: TensorLike, y: TensorLike, inverse: TensorLike = 0) -> TensorVariable:
    """Return `x` with the items of every row (the last axis) in the order `y`.

    Parameters
    ----------
    x : tensor
    y : int tensor
        A permutation along the last axis; the other axes of `x` and `y` broadcast.
    inverse : bool or 0 or 1
        Whether to put the items back: item `i` goes to place ``y[i]``.

    Returns
    -------
    tensor
        Of the dtype of `x`.

    Raises
    ------
    TypeError
        `y` is not an integer tensor, or an operand is a scalar.

    Examples
    --------
    >>> x = T.dmatrix("x")
    >>> T.permute_row_elements(x, [1, 0]).eval({x: [[1.0, 2.0], [3.0, 4.0]]})
    array([[2., 1.],
           [4., 3.]])
    """
    x, y = as_tensor_variable(x), as_tensor_variable(y)
    if not dtypes.is_discrete(y.type.dtype):
        raise TypeError(f"permute_row_elements: the order must be integers, got {y.type}")
    if x.type.ndim == 0 or y.type.ndim == 0:
        raise TypeError(f"permute_row_elements needs operands with axes, got {x.type} and {y.type}")
    return whole("PermuteRowElements", partial(_permuted, bool(inverse)), [x, y])


def _permuted(inverse: bool, x: Any, y: Any) -> Any:
    rank = max(x.type.ndim, y.type.ndim)
    x, y = pad_left(x, rank), pad_left(y, rank)
    shape = [shaping.length(y if x.type.broadcastable[i] else x, i) for i in range(rank)]
    x = alloc(x, *shape)
    positions: list[Any] = []
    for axis in range(rank - 1):
        order: list[Any] = ["x"] * rank
        order[axis] = 0
        positions.append(dimshuffle(arange(shape[axis]), order))
    if inverse:
        return scatter_set(x, x, *positions, y)
    return gather(x, *positions, y)


def inverse_permutation(perm: TensorLike) -> TensorVariable:
    """Return the permutation that undoes `perm`; for a matrix that of every row.

    Parameters
    ----------
    perm : tensor, integer vector or matrix

    Returns
    -------
    tensor
        Of the dtype and shape of `perm`.

    Examples
    --------
    >>> T.inverse_permutation(T.constant([2, 0, 1])).eval()
    array([1, 2, 0])
    """
    perm = as_tensor_variable(perm)
    steps = arange(shaping.length(perm, perm.type.ndim - 1), dtype=perm.type.dtype)
    return permute_row_elements(steps, perm, inverse=True)


def to_one_hot(y: TensorLike, nb_class: TensorLike, dtype: str | None = None) -> TensorVariable:
    """Return a matrix whose row `i` has a 1 in column ``y[i]`` and zeros elsewhere.

    Parameters
    ----------
    y : int vector
        Class numbers below `nb_class`.
    nb_class : int or integer scalar
    dtype : str, optional
        `config.floatX` by default.

    Returns
    -------
    matrix
        A row for each item of `y`.

    Examples
    --------
    >>> T.extra_ops.to_one_hot(T.constant([0, 2]), 3, dtype="int8").eval()
    array([[1, 0, 0],
           [0, 0, 1]], dtype=int8)
    """
    y = as_tensor_variable(y)
    empty = zeros((shaping.length(y, 0), nb_class), dtype=dtype)
    return set_subtensor(empty[arange(shaping.length(y, 0)), y], 1)


explain_functions(globals())
