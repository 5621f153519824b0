"""Products of tensors of any rank, by way of products of matrices."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.api.array.joining import stack
from theano._core.api.array.shaping import flatten
from theano._core.api.conversion import as_tensor_variable
from theano._core.base.near_misses import explain_functions
from theano._core.base.sequences import listed
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Variable
from theano._core.ops.array import products as ops, shaping
from theano._core.ops.array.broadcasting import alloc
from theano._core.ops.array.creation import iota
from theano._core.ops.array.indexing import gather, scatter_set
from theano._core.ops.array.reductions import reduce
from theano._core.ops.control.inner_graph import whole
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.elementwise.arithmetic import add, maximum, minimum, mul, sub
from theano._core.ops.elementwise.elementwise import conjugate

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike
    from theano._core.ir.tensor import TensorVariable


def dot(a: TensorLike, b: TensorLike) -> TensorVariable:
    """Return the product, summed over the last axis of `a` and the last but one of `b`.

    Parameters
    ----------
    a, b : tensor
        Scalars multiply; a vector is summed over its only axis.

    Returns
    -------
    TensorVariable, shape ``a.shape[:-1] + b.shape[:-2] + b.shape[-1:]``

    Examples
    --------
    >>> T.dot([[1.0, 2.0], [3.0, 4.0]], [1.0, 1.0]).eval()
    array([3., 7.])
    """
    for own, other, name in ((a, b, "__dot__"), (b, a, "__rdot__")):
        # Sparse matrices have a product of their own.
        if isinstance(own, Variable) and not isinstance(own.type, TensorType):
            if hasattr(own, name):
                return getattr(own, name)(other)
    a, b = as_tensor_variable(a), as_tensor_variable(b)
    if a.type.ndim == 0 or b.type.ndim == 0:
        return mul(a, b)
    if a.type.ndim > 2 or b.type.ndim > 2:
        return tensordot(a, b, [[a.type.ndim - 1], [max(0, b.type.ndim - 2)]])
    return ops.dot(a, b)


def outer(x: object, y: object) -> TensorVariable:
    """Return the products of all pairs of items of two arrays, a matrix.

    Parameters
    ----------
    x, y : tensor
        Flattened first.

    Returns
    -------
    tensor, matrix
        Of the common dtype.

    Examples
    --------
    >>> T.outer([1.0, 2.0], [1.0, 10.0]).eval()
    array([[ 1., 10.],
           [ 2., 20.]])
    """
    x, y = as_tensor_variable(x), as_tensor_variable(y)
    x, y = (v if v.type.ndim == 1 else flatten(v) for v in (x, y))
    return ops.dot(dimshuffle(x, (0, "x")), dimshuffle(y, ("x", 0)))


def _axes_lists(name: str, axes: Any) -> list[Any]:
    axes = listed(axes)
    if len(axes) != 2:
        raise ValueError(
            f"Axes should be an integer or a list/tuple of len 2 ({axes} was provided)"
        )
    return [np.atleast_1d(listed(each)).tolist() for each in axes]


def _check_axes(name: str, x: Variable, axes: Sequence[int]) -> list[int]:
    rank = x.type.ndim
    if len(axes) > rank:
        raise ValueError(
            f"the axes of {name} should be no more than its dimensions (ndim={rank}, {axes} given)"
        )
    for axis in axes:
        if not -rank <= axis < rank:
            raise ValueError(
                f"axes contain a dimension that {name} has not (ndim={rank}, {axes} given)"
            )
    return [int(axis) % rank for axis in axes]


def tensordot(a: TensorLike, b: TensorLike, axes: Any = 2) -> TensorVariable:
    """Return the product of two arrays, summed over pairs of axes.

    Parameters
    ----------
    a, b : tensor
    axes : int or pair of int sequences
        An int n pairs the last n axes of `a` with the first n of `b`; a pair names the axes of
        each.

    Returns
    -------
    TensorVariable
        The other axes of `a`, then those of `b`.

    Raises
    ------
    ValueError
        The axes do not exist or do not pair up.

    Examples
    --------
    >>> a, b = T.dtensor3("a"), T.dmatrix("b")
    >>> T.tensordot(a, b, axes=1).eval({a: np.ones((2, 3, 4)), b: np.ones((4, 5))}).shape
    (2, 3, 5)
    """
    a, b = as_tensor_variable(a), as_tensor_variable(b)
    if isinstance(axes, (int, float, np.integer)) or getattr(axes, "ndim", None) == 0:
        count = int(axes)
        if count < 0:
            raise ValueError(f"axes must not be negative, got {axes}")
        for name, x in (("a", a), ("b", b)):
            if count > x.type.ndim:
                raise ValueError(
                    f"axes can not be larger than the dimension of {name} "
                    f"({name}.ndim={x.type.ndim}, axes={count})"
                )
        pairs = [list(range(a.type.ndim - count, a.type.ndim)), list(range(count))]
    else:
        pairs = _axes_lists("tensordot", axes)
    a_axes, b_axes = _check_axes("a", a, pairs[0]), _check_axes("b", b, pairs[1])
    if len(a_axes) != len(b_axes):
        raise ValueError(f"Axes elements must have the same length, got {a_axes} and {b_axes}.")
    return contracted(a, b, a_axes, b_axes)


def contracted(
    x: Variable,
    y: Variable,
    x_axes: Sequence[int],
    y_axes: Sequence[int],
    x_pairs: Sequence[int] = (),
    y_pairs: Sequence[int] = (),
) -> TensorVariable:
    """Return a product summed over some axes; others count pairs, and come first in the result.

    Parameters
    ----------
    x, y : tensor
    x_axes, y_axes : sequence of int
        Axes that are summed over, as many each.
    x_pairs, y_pairs : sequence of int
        Axes that count pairs, as many each.

    Returns
    -------
    TensorVariable
        After the pairs the other axes of `x`, then those of `y`.
    """
    x_rest = [i for i in range(x.type.ndim) if i not in (*x_axes, *x_pairs)]
    y_rest = [i for i in range(y.type.ndim) if i not in (*y_axes, *y_pairs)]
    left = ops.joined(x, [*([i] for i in x_pairs), x_rest, list(x_axes)])
    right = ops.joined(y, [*([i] for i in y_pairs), list(y_axes), y_rest])
    flat = (ops.batched_dot if x_pairs else ops.dot)(left, right)
    if len(x_rest) == len(y_rest) == 1:
        return flat
    ones = x.type.broadcastable
    kept = [(y, j) if ones[i] else (x, i) for i, j in zip(x_pairs, y_pairs, strict=True)]
    kept += [*((x, i) for i in x_rest), *((y, i) for i in y_rest)]
    whole = shaping.reshape_op(flat, [shaping.length(v, axis) for v, axis in kept])
    return shaping.pattern_broadcast(whole, [v.type.broadcastable[axis] for v, axis in kept])


def batched_dot(a: TensorLike, b: TensorLike) -> TensorVariable:
    """Return the products `dot(a[i], b[i])` of each pair, stacked along the first axis.

    Parameters
    ----------
    a, b : tensor, at least one axis
        The first axis counts the pairs. Of more axes the last of `a[i]` and the last but one of
        `b[i]` (the only one of a vector) are summed over.

    Returns
    -------
    tensor
        Of the common dtype.

    Raises
    ------
    TypeError
        A scalar.

    Examples
    --------
    >>> a, b = T.dtensor3("a"), T.dtensor3("b")
    >>> T.batched_dot(a, b).eval({a: np.ones((2, 3, 4)), b: np.ones((2, 4, 5))}).shape
    (2, 3, 5)
    """
    a, b = as_tensor_variable(a), as_tensor_variable(b)
    for name, x in (("first", a), ("second", b)):
        if x.type.ndim == 0:
            raise TypeError(f"{name} (cannot batch-dot scalars): the operand needs an axis")
    if a.type.ndim == 1 or b.type.ndim == 1:
        rank = max(a.type.ndim, b.type.ndim)
        return mul(*(_padded_right(x, rank) for x in (a, b)))
    return batched_tensordot(a, b, [[a.type.ndim - 1], [max(1, b.type.ndim - 2)]])


def _padded_right(x: Variable, rank: int) -> Any:
    return dimshuffle(x, [*range(x.type.ndim), *["x"] * (rank - x.type.ndim)])


def batched_tensordot(x: TensorLike, y: TensorLike, axes: TensorLike = 2) -> TensorVariable:
    """Return ``tensordot(x[i], y[i], axes)`` of each pair, stacked along the first axis.

    Parameters
    ----------
    x, y : tensor
        The first axis counts the pairs.
    axes : int or pair of int sequences
        As for `tensordot`; axis 0, the pairs, may not be among them.

    Returns
    -------
    tensor
        Of the common dtype.

    Examples
    --------
    >>> a, b = T.dtensor3("a"), T.dtensor3("b")
    >>> out = T.batched_tensordot(a, b, axes=1)
    >>> out.eval({a: np.ones((2, 3, 4)), b: np.ones((2, 4, 5))}).shape
    (2, 3, 5)
    """
    x, y = as_tensor_variable(x), as_tensor_variable(y)
    if isinstance(axes, (int, np.integer)):
        pairs = [list(range(x.type.ndim - axes, x.type.ndim)), list(range(1, axes + 1))]
    else:
        pairs = _axes_lists("batched_tensordot", axes)
    x_axes, y_axes = _check_axes("x", x, pairs[0]), _check_axes("y", y, pairs[1])
    if len(x_axes) != len(y_axes):
        raise ValueError(f"Axes elements must have the same length, got {x_axes} and {y_axes}.")
    if 0 in x_axes or 0 in y_axes:
        raise ValueError("axes to sum over must not contain the batch axis 0")
    return contracted(x, y, x_axes, y_axes, [0], [0])


def matmul(a: TensorLike, b: TensorLike) -> TensorVariable:
    """Return the matrix product: of the last two axes, broadcast over the others.

    Parameters
    ----------
    a, b : tensor, at least one axis
        A vector `a` is a row, a vector `b` a column; the result has no axis for it.

    Returns
    -------
    TensorVariable
        Of the common dtype.

    Raises
    ------
    ValueError
        An operand is a scalar.

    Examples
    --------
    >>> a, b = T.dtensor3("a"), T.dmatrix("b")
    >>> T.matmul(a, b).eval({a: np.ones((5, 2, 3)), b: np.ones((3, 4))}).shape
    (5, 2, 4)
    """
    a, b = as_tensor_variable(a), as_tensor_variable(b)
    if a.type.ndim == 0 or b.type.ndim == 0:
        raise ValueError(f"`@` needs operands with axes, got {a.type} and {b.type}: use `*`")
    if a.type.ndim <= 2 and b.type.ndim <= 2:
        return ops.dot(a, b)
    if b.type.ndim <= 2:
        # One product with the rows of all matrices.
        return contracted(a, b, [a.type.ndim - 1], [0])
    left = a if a.type.ndim > 1 else dimshuffle(a, ("x", 0))
    rank = max(left.type.ndim, b.type.ndim)
    stacks = (
        dimshuffle(v, [*["x"] * (rank - v.type.ndim), *range(v.type.ndim)]) for v in (left, b)
    )
    whole = ops.batched_dot(*stacks)
    return whole if left is a else dimshuffle(whole, [*range(rank - 2), rank - 1])


def diagonal(a: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> TensorVariable:
    """Return the items of `a` on a diagonal of two axes, as the last axis.

    Parameters
    ----------
    a : tensor, at least two axes
    offset : int
        Distance from the main diagonal, upward.
    axis1, axis2 : int

    Returns
    -------
    tensor
        Of the dtype of `a`, with one axis less.

    Examples
    --------
    >>> x = T.dmatrix("x")
    >>> T.diagonal(x).eval({x: [[1.0, 2.0], [3.0, 4.0]]})
    array([1., 4.])
    """
    # The negative of a small integer of NumPy is another one.
    options = {"offset": index(offset), "axis1": index(axis1), "axis2": index(axis2)}
    taken = partial(_diagonal, **options)
    return whole("ExtractDiag", taken, [as_tensor_variable(a)], **options, view=False)


def _diagonal(a: Variable, offset: int, axis1: int, axis2: int) -> Any:
    rank = a.type.ndim
    if rank < 2:
        raise ValueError(f"diagonal needs an array of at least two axes, got {a.type}")
    axis1, axis2 = axis1 % rank, axis2 % rank
    if axis1 == axis2:
        raise ValueError(f"axis1 and axis2 must be different axes, got {axis1} and {axis2}")
    rest = [i for i in range(rank) if i not in (axis1, axis2)]
    a = dimshuffle(a, [axis1, axis2, *rest])
    rows, columns = shaping.length(a, 0), shaping.length(a, 1)
    first, second = max(-offset, 0), max(offset, 0)
    count = maximum(minimum(sub(rows, first), sub(columns, second)), 0)
    steps = iota(count)
    items = gather(a, add(steps, first), add(steps, second))
    return dimshuffle(items, [*range(1, rank - 1), 0])


def diag(v: TensorLike, k: int = 0) -> TensorVariable:
    """Return the matrix with the vector `v` on diagonal `k`, or diagonal `k` of a tensor.

    Parameters
    ----------
    v : tensor, at least one axis
    k : int
        Distance from the main diagonal, upward.

    Returns
    -------
    tensor
        Of the dtype of `v`.

    Examples
    --------
    >>> T.diag([1, 2]).eval()
    array([[1, 0],
           [0, 2]])
    """
    v = as_tensor_variable(v)
    if v.type.ndim == 0:
        raise ValueError("diag needs a vector or a matrix, got a scalar")
    if v.type.ndim > 1:
        return diagonal(v, k)
    k = index(k)
    return whole("AllocDiag", partial(_alloc_diag, k), [v], offset=k, axis1=0, axis2=1)


def _alloc_diag(offset: int, v: Variable) -> Any:
    n = add(shaping.length(v, 0), abs(offset))
    empty = alloc(np.zeros((), dtype=v.type.dtype), n, n)
    steps = iota(shaping.length(v, 0))
    rows, columns = add(steps, max(-offset, 0)), add(steps, max(offset, 0))
    return scatter_set(empty, v, rows, columns)


def trace(x: TensorLike) -> TensorVariable:
    """Return the sum of the main diagonal of a matrix.

    Parameters
    ----------
    x : tensor, matrix

    Returns
    -------
    tensor, scalar
        Of the dtype of `x`; integers give int64.

    Examples
    --------
    >>> x = T.dmatrix("x")
    >>> T.trace(x).eval({x: [[1.0, 2.0], [3.0, 4.0]]})
    array(5.)
    """
    x = as_tensor_variable(x)
    if x.type.ndim != 2:
        raise ValueError(f"trace needs a matrix, got {x.type}")
    return reduce("sum", diagonal(x))


def inner(a: TensorLike, b: TensorLike) -> TensorVariable:
    """Return the sums of products over the last axes of two arrays; a product for a scalar.

    Parameters
    ----------
    a : tensor
    b : tensor

    Returns
    -------
    tensor

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.inner(x, x).eval({x: [3.0, 4.0]})
    array(25.)
    """
    x, y = as_tensor_variable(a), as_tensor_variable(b)
    if not x.ndim or not y.ndim:
        return mul(x, y)
    return tensordot(x, y, [[x.ndim - 1], [y.ndim - 1]])


def vdot(a: TensorLike, b: TensorLike) -> TensorVariable:
    """Return the sum of products of all items, those of `a` conjugated.

    Parameters
    ----------
    a : tensor
    b : tensor

    Returns
    -------
    tensor

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.vdot(x, x).eval({x: [3.0, 4.0]})
    array(25.)
    """
    x, y = (flatten(as_tensor_variable(v)) for v in (a, b))
    return dot(conjugate(x), y)


def cross(a: TensorLike, b: TensorLike, axis: int = -1) -> TensorVariable:
    """Return the cross products of vectors of three items along an axis.

    Parameters
    ----------
    a : tensor
    b : tensor
    axis : int
        The axis of the vectors, and of the result.

    Returns
    -------
    tensor

    Examples
    --------
    >>> x = T.dvector("x")
    >>> T.cross(x, [0.0, 0.0, 1.0]).eval({x: [1.0, 0.0, 0.0]})
    array([ 0., -1.,  0.])
    """
    x, y = as_tensor_variable(a), as_tensor_variable(b)
    moved = []
    for v in (x, y):
        if not v.ndim:
            raise ValueError(f"cross: vectors of three items are needed, got {v.type}")
        order = [k for k in range(v.ndim) if k != axis % v.ndim]
        moved.append(dimshuffle(v, [axis % v.ndim, *order]))
    (x0, x1, x2), (y0, y1, y2) = ((v[0], v[1], v[2]) for v in moved)
    parts = [x1 * y2 - x2 * y1, x2 * y0 - x0 * y2, x0 * y1 - x1 * y0]
    return stack(parts, axis=axis)


explain_functions(globals())
